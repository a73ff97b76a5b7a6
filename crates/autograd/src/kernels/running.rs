//! Running logarithms of sums of exponentials along the middle of `[outer, n, inner]`.

use super::beside::{Beside, WIDE, walk};
use crate::number::Number;
use std::ops::Range;

/// Sums `e^m · (1 + others)` of exponentials beside each other, each by its largest term and the others' share of it, so that a
/// small share is not lost beside the largest. The share is summed with its rounding errors (Neumaier).
struct Sums<T> {
    largest: [T; WIDE],
    others: [T; WIDE],
    lost: [T; WIDE],
}

/// Adds a term to a sum `(m, others, lost)`.
#[inline(always)]
fn add<T: Number>((largest, others, lost): (T, T, T), x: T) -> (T, T, T) {
    let none = -T::INFINITY;
    let is_higher = x > largest;
    let (top, term) = if is_higher { (x, largest) } else { (largest, x) };
    // What is infinite adds nothing: it is all, or nothing.
    let is_term = (term > none) & (top < T::INFINITY);
    let share = (term - top).exp();
    let scale = if is_higher { if is_term { share } else { T::ZERO } } else { T::ONE };
    let (others, lost) = (others * scale, lost * scale);
    let share = if is_term { share } else { T::ZERO };
    let sum = others + share;
    let rounded = if others >= share { (others - sum) + share } else { (share - sum) + others };
    // A NaN stays, in `m`.
    let top = if x.is_nan() | largest.is_nan() { T::NAN } else { top };
    (top, sum, lost + rounded)
}

impl<T: Number> Beside<T, 1> for Sums<T> {
    #[inline(always)]
    fn start(&mut self, rows: Range<usize>) {
        self.largest[..rows.len()].fill(-T::INFINITY);
        self.others[..rows.len()].fill(T::ZERO);
        self.lost[..rows.len()].fill(T::ZERO);
    }
    #[inline(always)]
    fn step(&mut self, _: usize, [x]: [&[T]; 1], y: &mut [T]) {
        let sums = self.largest.iter_mut().zip(&mut self.others).zip(&mut self.lost);
        for ((((largest, others), lost), &x), y) in sums.zip(x).zip(y) {
            (*largest, *others, *lost) = add((*largest, *others, *lost), x);
            let others = *others + *lost;
            let is_alone = !largest.is_finite() | (others == T::ZERO);
            *y = if is_alone { *largest } else { *largest + others.ln_1p() };
        }
    }
}

/// `out[o, j, i] = ln Σ_{k ≤ j} e^{x[o, k, i]}`
pub(crate) fn log_cumulative_sum_exp<T: Number>(x: &[T], sizes: (usize, usize), out: &mut [T]) {
    let zeros = [T::ZERO; WIDE];
    walk([x], out, sizes, false, &mut Sums { largest: zeros, others: zeros, lost: zeros });
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
