//! Running sums along the middle of `[outer, n, inner]`.

use super::beside::{Beside, WIDE, walk};
use crate::number::Number;
use crate::number::elementary::select;
use std::ops::Range;

/// Terms that a running sum takes before it counts what its roundings lost: sixteen are off by less than 3e-7 in `f32`.
const COUNTED: usize = 16;

/// Running sums along the middle of `[outer, n, inner]`, from the front or from the back.
///
/// `y_t = high + (low + Σ x)`, with the sum of the terms of `t`'s block of [`COUNTED`] up to `t`; `high` is `y` at the end of
/// the block before, and `low` what was rounded off it. So each element is right to a few roundings, however many came
/// before, and sums of positive terms never fall.
pub(crate) fn cumsum<T: Number>(x: &[T], (n, inner): (usize, usize), reverse: bool, y: &mut [T]) {
    walk([x], y, (n, inner), reverse, &mut RunningSums::new());
}

/// The running sums of rows beside each other.
struct RunningSums<T> {
    high: [T; WIDE],
    low: [T; WIDE],
    /// Since `high`.
    sum: [T; WIDE],
    last: [T; WIDE],
}

impl<T: Number> RunningSums<T> {
    fn new() -> Self {
        let zeros = [T::ZERO; WIDE];
        Self { high: zeros, low: zeros, sum: zeros, last: zeros }
    }
}

impl<T: Number> Beside<T, 1> for RunningSums<T> {
    #[inline(always)]
    fn start(&mut self, rows: Range<usize>) {
        for state in [&mut self.high, &mut self.low, &mut self.sum, &mut self.last] {
            state[..rows.len()].fill(T::ZERO);
        }
    }

    #[inline(always)]
    fn step(&mut self, t: usize, [x]: [&[T]; 1], y: &mut [T]) {
        let n = x.len();
        let Self { high, low, sum, last } = self;
        let (high, low, sum, last) = (&mut high[..n], &mut low[..n], &mut sum[..n], &mut last[..n]);
        let (x, y) = (&x[..n], &mut y[..n]);
        let (starts, is_first) = (t.is_multiple_of(COUNTED), t < COUNTED);
        // One loop: each costs something where there are few rows.
        for i in 0..n {
            sum[i] = select(starts, x[i], sum[i] + x[i]);
            let since = low[i] + sum[i];
            // Large terms of one sign may follow a large sum of the other.
            let after = select(since.is_finite(), high[i] + since, last[i] + x[i]);
            last[i] = select(is_first, sum[i], after);
            y[i] = last[i];
        }
        if t % COUNTED == COUNTED - 1 {
            for i in 0..n {
                low[i] = rounded_off(high[i], low[i] + sum[i], last[i]);
                high[i] = last[i];
            }
        }
    }
}

/// `a + b − sum`, which is what rounding `sum` lost (Knuth, 1969); 0 where that is not a number.
#[inline(always)]
fn rounded_off<T: Number>(a: T, b: T, sum: T) -> T {
    let b_part = sum - a;
    let lost = (a - (sum - b_part)) + (b - b_part);
    if lost.is_finite() { lost } else { T::ZERO }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn running_sums_are_right_to_a_millionth_at_each_element_and_never_fall() {
        for value in [0.7_f32, 0.1, 0.3, 1.0e-3] {
            for inner in [1, 3, 70] {
                let n = 200_000 / inner;
                let x = vec![value; n * inner];
                let (mut y, mut back) = (x.clone(), x.clone());
                cumsum(&x, (n, inner), false, &mut y);
                cumsum(&x, (n, inner), true, &mut back);
                for i in 0..inner {
                    let mut last = 0.0;
                    for t in 0..n {
                        let (y, want) = (y[t * inner + i], (t + 1) as f64 * f64::from(value));
                        assert!((f64::from(y) / want - 1.0).abs() < 5e-7 && y >= last, "{y} for {want}");
                        assert_eq!(back[(n - 1 - t) * inner + i], y);
                        last = y;
                    }
                }
            }
        }
    }

    #[test]
    fn running_sums_are_plain_where_nothing_is_rounded_and_follow_infinities() {
        let x: Vec<f64> = (0..100).map(|i| f64::from(i % 7) - 2.0).collect();
        let mut y = x.clone();
        cumsum(&x, (100, 1), false, &mut y);
        let mut sum = 0.0;
        for (x, y) in x.iter().zip(&y) {
            sum += x;
            assert_eq!(*y, sum);
        }
        let mut x = vec![0.0_f32; 60];
        (x[20], x[21], x[22], x[50]) = (-3e38, 3e38, 3e38, f32::INFINITY);
        let mut y = x.clone();
        cumsum(&x, (60, 1), false, &mut y);
        assert_eq!((y[20], y[21], y[22], y[49], y[50], y[59]), (-3e38, 0.0, 3e38, 3e38, f32::INFINITY, f32::INFINITY));
    }
}
