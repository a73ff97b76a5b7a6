//! Numbers that count up.

use crate::number::Number;
use crate::tensor::shape::Shape;
use crate::tensor::{Tensor, memory};

/// So much is smaller what is computed of ends that are too far apart: `2^−64`, which rounds nothing.
const SMALLER: f64 = 1.0 / (1_u128 << 64) as f64;

impl<T: Number> Tensor<T> {
    /// The numbers 0, 1, … below `n`, as `numpy.arange(n)`.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::arange(3), Tensor::from([0.0, 1.0, 2.0]));
    /// ```
    ///
    /// # Panics
    /// As [`Tensor::full`].
    #[track_caller]
    pub fn arange(n: usize) -> Self {
        Self::made("arange", Shape::from([n]), |n| memory::collected(n, (0..n).map(|i| T::of(i as f64))))
    }

    /// So many numbers from `start` to `end`, at equal distances, as `numpy.linspace`: the first is `start`, the last is exactly
    /// `end`, and a single one is `start`. From `end` to `start` they are the same numbers.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::linspace(-1.0, 1.0, 5), Tensor::from([-1.0, -0.5, 0.0, 0.5, 1.0]));
    /// assert_eq!(Tensor::linspace(0.0, 1.0, 11).at([3]), 0.3);
    /// assert_eq!(Tensor::linspace(2.0, 3.0, 1), Tensor::from([2.0]));
    /// ```
    ///
    /// # Panics
    /// As [`Tensor::full`].
    #[track_caller]
    pub fn linspace(start: T, end: T, n: usize) -> Self {
        let (first, last, steps) = (start.to_f64(), end.to_f64(), n.saturating_sub(1));
        // The whole way times a number of steps is exact more often than one step is, and here it stays in range.
        let scale = if ((last - first) * steps as f64).is_finite() { 1.0 } else { SMALLER };
        let way = last * scale - first * scale;
        // From the nearer end: each end is exact, and both halves are alike.
        let number = |i: usize| match (i, steps - i) {
            (0, _) => start,
            (_, 0) => end,
            (i, left) if i == left => T::of(first * 0.5 + last * 0.5),
            (i, left) if i < left => T::of((first * scale + way * i as f64 / steps as f64) / scale),
            (_, left) => T::of((last * scale - way * left as f64 / steps as f64) / scale),
        };
        Self::made("linspace", Shape::from([n]), |n| memory::collected(n, (0..n).map(number)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_few_numbers() {
        assert_eq!(Tensor::<f32>::arange(0).shape()[..], [0]);
        assert_eq!(Tensor::<f32>::arange(2).as_slice(), [0.0, 1.0]);
        assert_eq!(Tensor::linspace(2.0, 3.0, 0).shape()[..], [0]);
        assert_eq!(Tensor::linspace(2.0, 3.0, 1).as_slice(), [2.0]);
        assert_eq!(Tensor::linspace(2.0, 3.0, 2).as_slice(), [2.0, 3.0]);
        assert_eq!(Tensor::linspace(3.0_f32, 2.0, 3).as_slice(), [3.0, 2.5, 2.0]);
        assert_eq!(Tensor::linspace(0.1, 0.1, 4).as_slice(), [0.1; 4]);
    }

    fn held<T: Number>(start: f64, end: f64) {
        for n in 2..40 {
            let x = Tensor::linspace(T::of(start), T::of(end), n);
            let x = x.as_slice();
            assert!(x[0] == T::of(start) && x[n - 1] == T::of(end), "{start} to {end}, {n}");
            assert!(x.windows(2).all(|pair| if start < end { pair[0] < pair[1] } else { pair[0] > pair[1] }));
            let back = Tensor::linspace(T::of(end), T::of(start), n);
            assert!(x.iter().rev().eq(back.as_slice()), "{start} to {end}, {n}");
            // Each end by its share, which stays in range.
            let size = start.abs().max(end.abs()) * T::EPSILON.to_f64();
            for (i, x) in x.iter().enumerate() {
                let share = i as f64 / (n - 1) as f64;
                let expected = start * (1.0 - share) + end * share;
                assert!((x.to_f64() - expected).abs() <= 2.0 * size, "{start} to {end}, {n}, {i}");
            }
        }
    }

    #[test]
    fn numbers_between_two_ends_are_in_order_and_the_ends_are_exact() {
        for (start, end) in [(0.0, 1.0), (-1.0, 1.0), (0.1, 0.7), (5.0, -3.25), (-1e-30, 1e20), (1e30, 3e38)] {
            held::<f64>(start, end);
            held::<f32>(start, end);
        }
        held::<f64>(-f64::MAX, f64::MAX);
        held::<f64>(f64::MAX, 1.0);
        held::<f64>(1e-310, 3e-308);
    }

    #[test]
    fn whole_numbers_between_whole_ends_are_exact() {
        assert_eq!(Tensor::<f64>::linspace(0.0, 100.0, 101), Tensor::arange(101));
        assert_eq!(Tensor::<f32>::linspace(0.0, 100.0, 101), Tensor::arange(101));
    }
}
