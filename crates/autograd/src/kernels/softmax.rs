//! Softmax, log-softmax, log-sum-exp and cross-entropy along the middle of `[outer, n, inner]`, from shifted scores.

use crate::Float;

/// The elements of one row, `stride` apart.
fn lane<T: Copy>(x: &[T], start: usize, n: usize, stride: usize) -> impl Iterator<Item = T> + Clone {
    (0..n).map(move |j| x[start + j * stride])
}

fn largest<T: Float>(row: impl Iterator<Item = T>) -> T {
    row.fold(-T::INFINITY, T::larger)
}

/// Calls `f(start, row of x)` for each of the `outer · inner` rows.
fn rows(len: usize, (n, inner): (usize, usize), mut f: impl FnMut(usize, usize)) {
    let outer = len.checked_div(n * inner).unwrap_or(0);
    for o in 0..outer {
        for i in 0..inner {
            f(o * inner + i, o * n * inner + i);
        }
    }
}

/// `out = exp(x − max) / Σ exp(x − max)`. With `total`, rows that have no such value get the one that the gradient of
/// log-sum-exp needs: all zero where every score is −∞, an equal share for each score that is +∞.
pub(crate) fn softmax<T: Float>(x: &[T], (n, inner): (usize, usize), total: bool, out: &mut [T]) {
    rows(x.len(), (n, inner), |_, start| {
        let row = lane(x, start, n, inner);
        let top = largest(row.clone());
        if total && (top == T::INFINITY || top == -T::INFINITY) {
            let ties = row.clone().filter(|&x| x == T::INFINITY).count().max(1);
            let share = T::of(1.0 / ties as f64);
            for (j, x) in row.enumerate() {
                out[start + j * inner] = if x == T::INFINITY { share } else { T::ZERO };
            }
            return;
        }
        let mut sum = T::ZERO;
        for (j, x) in row.enumerate() {
            let e = (x - top).exp();
            out[start + j * inner] = e;
            sum += e;
        }
        for j in 0..n {
            out[start + j * inner] /= sum;
        }
    });
}

/// `max + ln Σ exp(x − max)` of a row; −∞ for an empty row or one of −∞ alone.
fn log_sum_exp_of<T: Float>(row: impl Iterator<Item = T> + Clone) -> T {
    let top = largest(row.clone());
    if top == T::INFINITY || top == -T::INFINITY {
        return top;
    }
    top + row.map(|x| (x - top).exp()).sum::<T>().ln()
}

/// `out = ln Σ exp(x)`
pub(crate) fn log_sum_exp<T: Float>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    out.fill(-T::INFINITY);
    rows(x.len(), (n, inner), |r, start| out[r] = log_sum_exp_of(lane(x, start, n, inner)));
}

/// `out = (x − max) − ln Σ exp(x − max)`
pub(crate) fn log_softmax<T: Float>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    rows(x.len(), (n, inner), |_, start| {
        let row = lane(x, start, n, inner);
        let top = largest(row.clone());
        let log_sum = row.clone().map(|x| (x - top).exp()).sum::<T>().ln();
        for (j, x) in row.enumerate() {
            out[start + j * inner] = (x - top) - log_sum;
        }
    });
}

/// `out[r] = ln Σ exp(x[r]) − x[r, label[r]]`: the loss of each row of scores `[outer, n]`.
pub(crate) fn cross_entropy<T: Float>(scores: &[T], labels: &[T], n: usize, mut each: impl FnMut(usize, T)) {
    for (r, label) in labels.iter().enumerate() {
        let row = &scores[r * n..(r + 1) * n];
        let top = largest(row.iter().copied());
        let log_sum = row.iter().map(|&x| (x - top).exp()).sum::<T>().ln();
        each(r, log_sum - (row[label.to_index() as usize] - top));
    }
}

/// `out[r] = (P[r] − Y[r]) · weight(r)`: Eq. 1.3 of the derivation, `dL_i/dS = O2 − Y`. A weight of 0 gives zeros.
pub(crate) fn cross_entropy_grad<T: Float>(
    scores: &[T],
    labels: &[T],
    n: usize,
    weight: impl Fn(usize) -> T,
    out: &mut [T],
) {
    for (r, label) in labels.iter().enumerate() {
        let (row, out) = (&scores[r * n..(r + 1) * n], &mut out[r * n..(r + 1) * n]);
        let weight = weight(r);
        if weight == T::ZERO {
            out.fill(T::ZERO);
            continue;
        }
        softmax(row, (n, 1), false, out);
        out[label.to_index() as usize] -= T::ONE;
        for o in out {
            *o *= weight;
        }
    }
}
