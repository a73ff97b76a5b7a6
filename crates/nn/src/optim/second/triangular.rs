//! Least squares of small dense matrices, in `f64`.

/// Makes a matrix of rows of `n` upper triangular by reflections (Householder, 1958), and changes the right side `b`, one number
/// for each row, along: what `|A x + b|` is of any `x` stays. Gives the first `n` rows and numbers, zeros where there are fewer.
pub(super) fn triangular(mut a: Vec<f64>, mut b: Vec<f64>, n: usize) -> (Vec<f64>, Vec<f64>) {
    let m = b.len();
    let mut sums = vec![0.0; n];
    for k in 0..n.min(m) {
        let largest = (k..m).fold(0.0, |most: f64, i| most.max(a[i * n + k].abs()));
        if largest == 0.0 {
            continue;
        }
        // Scaled, so that squares of small and of large numbers are neither 0 nor infinite.
        let norm = largest * (k..m).map(|i| (a[i * n + k] / largest).powi(2)).sum::<f64>().sqrt();
        let head = a[k * n + k];
        let corner = if head > 0.0 { -norm } else { norm };
        // The reflection along v = column − corner · e, which stands in the column, over its first number.
        let first = head - corner;
        for i in k + 1..m {
            a[i * n + k] /= first;
        }
        let factor = -first / corner;
        // What each column has along v.
        sums[k + 1..].copy_from_slice(&a[k * n + k + 1..(k + 1) * n]);
        let mut sum = b[k];
        for i in k + 1..m {
            let v = a[i * n + k];
            for (sum, x) in sums[k + 1..].iter_mut().zip(&a[i * n + k + 1..(i + 1) * n]) {
                *sum += v * x;
            }
            sum += v * b[i];
        }
        a[k * n + k] = corner;
        b[k] -= factor * sum;
        for (x, sum) in a[k * n + k + 1..(k + 1) * n].iter_mut().zip(&sums[k + 1..]) {
            *x -= factor * sum;
        }
        for i in k + 1..m {
            let v = std::mem::take(&mut a[i * n + k]);
            for (x, sum) in a[i * n + k + 1..(i + 1) * n].iter_mut().zip(&sums[k + 1..]) {
                *x -= factor * v * sum;
            }
            b[i] -= factor * v * sum;
        }
    }
    a.resize(n * n, 0.0);
    b.resize(n, 0.0);
    (a, b)
}

/// The `x` that minimises `|R x + b|² + Σ (d x)²`, of a triangular `R`, where no `d` is 0.
pub(super) fn damped(r: &[f64], b: &[f64], d: &[f64]) -> Vec<f64> {
    let n = d.len();
    let mut rows = r.to_vec();
    for (i, d) in d.iter().enumerate() {
        rows.extend((0..n).map(|j| if i == j { *d } else { 0.0 }));
    }
    let (r, b) = triangular(rows, [b, &vec![0.0; n]].concat(), n);
    let mut x = vec![0.0; n];
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|j| r[i * n + j] * x[j]).sum();
        x[i] = -(b[i] + known) / r[i * n + i];
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `Aᵀ(A x + b) + D² x`, which vanishes at the minimum.
    fn gradient(a: &[f64], b: &[f64], d: &[f64], x: &[f64]) -> Vec<f64> {
        let n = d.len();
        let left: Vec<f64> =
            a.chunks(n).zip(b).map(|(row, b)| b + row.iter().zip(x).map(|(a, x)| a * x).sum::<f64>()).collect();
        let of =
            |j: usize| left.iter().enumerate().map(|(i, left)| a[i * n + j] * left).sum::<f64>() + d[j] * d[j] * x[j];
        (0..n).map(of).collect()
    }

    #[test]
    fn damped_least_squares_are_at_their_minimum() {
        for (m, n) in [(1, 1), (5, 3), (3, 3), (2, 4), (40, 7), (0, 2)] {
            let a: Vec<f64> = (0..m * n).map(|i| (1.7 * i as f64).sin()).collect();
            let b: Vec<f64> = (0..m).map(|i| (0.3 * i as f64).cos()).collect();
            let d: Vec<f64> = (0..n).map(|i| 0.1 + i as f64).collect();
            let (r, q) = triangular(a.clone(), b.clone(), n);
            assert!((0..n).all(|i| (0..i).all(|j| r[i * n + j] == 0.0)));
            for g in gradient(&a, &b, &d, &damped(&r, &q, &d)) {
                assert!(g.abs() < 1e-13, "{m} by {n}: {g}");
            }
        }
    }

    #[test]
    fn columns_that_depend_on_each_other_share_what_little_damping_leaves_open() {
        // Twice the same column, and one of zeros.
        let a: Vec<f64> = [1.0, 2.0, -3.0, 0.5].iter().flat_map(|&x| [x, x, 0.0]).collect();
        let (r, q) = triangular(a, vec![-2.0, -4.0, 6.0, -1.0], 3);
        let x = damped(&r, &q, &[1e-6; 3]);
        assert!((x[0] - 1.0).abs() < 1e-6 && (x[1] - 1.0).abs() < 1e-6 && x[2] == 0.0, "{x:?}");
    }

    #[test]
    fn very_small_and_very_large_matrices_are_solved_alike() {
        for scale in [1e-200, 1.0, 1e200] {
            let (r, q) = triangular(vec![3.0 * scale, 4.0 * scale], vec![5.0, -5.0], 1);
            assert!((r[0].abs() / scale - 5.0).abs() < 1e-14 && (q[0].abs() - 1.0).abs() < 1e-14);
        }
    }
}
