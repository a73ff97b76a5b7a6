//! Running sums along the middle of `[outer, n, inner]`.

use super::beside::{Beside, WIDE, walk};
use super::recur::FEW;
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
    let rows = x.len().checked_div(n).unwrap_or(0);
    if rows >= FEW {
        return walk([x], y, (n, inner), reverse, &mut RunningSums::new());
    }
    for row in 0..rows {
        let start = row / inner * n * inner + row % inner;
        along(n, (x, y), |t| start + if reverse { n - 1 - t } else { t } * inner);
    }
}

/// The running sums of one row whose elements lie at these places. The sums of a block's terms wait for no block before, and what
/// waits is done for all of a block at once.
#[inline(never)]
fn along<T: Number>(n: usize, (x, y): (&[T], &mut [T]), at: impl Fn(usize) -> usize) {
    let (mut high, mut low) = (T::ZERO, T::ZERO);
    for from in (0..n).step_by(COUNTED) {
        let state = (high, low, from == 0);
        // Of a number of terms that the compiler knows it makes vectors.
        (high, low) = if n - from >= COUNTED {
            block(COUNTED, state, (x, y), |t| at(from + t))
        } else {
            block(n - from, state, (x, y), |t| at(from + t))
        };
    }
}

/// The running sums of a block, with `high` and `low` before it and behind it.
#[inline(always)]
fn block<T: Number>(
    len: usize,
    (high, low, is_first): (T, T, bool),
    (x, y): (&[T], &mut [T]),
    at: impl Fn(usize) -> usize,
) -> (T, T) {
    let (mut sums, mut sum) = ([T::ZERO; COUNTED], T::ZERO);
    for (t, to) in sums[..len].iter_mut().enumerate() {
        sum = if t == 0 { x[at(t)] } else { sum + x[at(t)] };
        *to = sum;
    }
    let mut after = sums;
    if !is_first {
        let mut is_finite = true;
        for after in &mut after {
            let since = low + *after;
            is_finite &= since.is_finite();
            *after = high + since;
        }
        if !is_finite {
            let mut last = high;
            for (t, after) in after[..len].iter_mut().enumerate() {
                last = if (low + sums[t]).is_finite() { *after } else { last + x[at(t)] };
                *after = last;
            }
        }
    }
    for (t, &after) in after[..len].iter().enumerate() {
        y[at(t)] = after;
    }
    let last = after[len - 1];
    (last, rounded_off(high, low + sum, last))
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
    fn a_few_rows_have_the_bits_of_many() {
        let noise = |i: usize| ((i * 7919 % 1001) as f32 - 480.0) * 0.37;
        for (n, inner) in [(1, 1), (15, 1), (16, 3), (17, 2), (33, 1), (100, 5), (1000, 8)] {
            for huge in [None, Some(3e38), Some(f32::INFINITY), Some(f32::NAN), Some(-0.0)] {
                let mut x: Vec<f32> = (0..n * inner).map(noise).collect();
                if let Some(huge) = huge {
                    (x[n * inner / 2], x[n * inner / 3], x[n * inner - 1]) = (huge, huge, -huge);
                }
                let many = FEW.div_ceil(inner) + 1;
                let (mut few, mut all) = (x.clone(), vec![0.0; many * x.len()]);
                for reverse in [false, true] {
                    cumsum(&x, (n, inner), reverse, &mut few);
                    cumsum(&x.repeat(many), (n, inner), reverse, &mut all);
                    let bits = |y: &[f32]| y.iter().map(|y| y.to_bits()).collect::<Vec<_>>();
                    for all in all.chunks_exact(few.len()) {
                        let same =
                            few.iter().zip(all).all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan());
                        assert!(same, "{n} {inner} {huge:?}: {:?}, {:?}", bits(&few), bits(all));
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
