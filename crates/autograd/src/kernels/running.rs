//! Running logarithms of sums of exponentials along the middle of `[outer, n, inner]`.

use crate::number::Number;

/// `e^m · (1 + others)`: a sum of exponentials by its largest term and the others' share of it, so that a small share is not
/// lost beside the largest. The share is summed with its rounding errors (Neumaier).
struct Sum<T> {
    largest: T,
    others: T,
    lost: T,
}

impl<T: Number> Sum<T> {
    fn of(x: T) -> Self {
        Self { largest: x, others: T::ZERO, lost: T::ZERO }
    }

    fn add(&mut self, x: T) {
        if x > self.largest {
            let (scale, before) = ((self.largest - x).exp(), self.largest);
            *self = Self { largest: x, others: self.others * scale, lost: self.lost * scale };
            if before > -T::INFINITY {
                self.share(scale);
            }
        } else if x == T::INFINITY || x == -T::INFINITY {
            // Both are infinite, or nothing is added.
        } else if x.is_nan() || self.largest.is_nan() {
            *self = Self::of(T::NAN);
        } else {
            self.share((x - self.largest).exp());
        }
    }

    fn share(&mut self, term: T) {
        let sum = self.others + term;
        self.lost += if self.others >= term { (self.others - sum) + term } else { (term - sum) + self.others };
        self.others = sum;
    }

    fn logarithm(&self) -> T {
        if self.largest.is_finite() { self.largest + (self.others + self.lost).ln_1p() } else { self.largest }
    }
}

/// `out[o, j, i] = ln Σ_{k ≤ j} e^{x[o, k, i]}`
pub(crate) fn log_cumulative_sum_exp<T: Number>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    for o in 0..x.len().checked_div(n * inner).unwrap_or(0) {
        for i in 0..inner {
            let at = |j: usize| (o * n + j) * inner + i;
            let mut sum = Sum::of(x[at(0)]);
            out[at(0)] = x[at(0)];
            for j in 1..n {
                sum.add(x[at(j)]);
                out[at(j)] = sum.logarithm();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::log_cumulative_sum_exp;

    fn run<const N: usize>(x: [f64; N]) -> [f64; N] {
        let mut y = [0.0; N];
        log_cumulative_sum_exp(&x, (N, 1), &mut y);
        y
    }

    #[test]
    fn a_tiny_share_beside_the_largest_term_is_kept() {
        assert_eq!(run([0.0, -700.0])[1], (-700.0_f64).exp());
        let up = run([-40.0, 0.0]);
        assert_eq!(up[1], (-40.0_f64).exp());
    }

    #[test]
    fn infinities_and_nan_go_their_way() {
        const INF: f64 = f64::INFINITY;
        assert_eq!(run([-INF, -INF, 1.0, -INF, INF, INF, 0.0]), [-INF, -INF, 1.0, 1.0, INF, INF, INF]);
        let y = run([0.0, f64::NAN, INF, 1.0]);
        assert!(y[0] == 0.0 && y[1..].iter().all(|y| y.is_nan()), "{y:?}");
    }

    #[test]
    fn many_terms_do_not_drift_in_f32() {
        let n = 3_000_000;
        let mut y = vec![0.0_f32; n];
        log_cumulative_sum_exp(&vec![0.0_f32; n], (n, 1), &mut y);
        let wrong = (0..n).find(|&i| (y[i] - ((i + 1) as f32).ln()).abs() > 2e-6);
        assert_eq!(wrong, None);
    }
}
