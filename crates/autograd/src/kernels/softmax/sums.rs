//! Sums of the exponentials of a row, and their logarithms.

use crate::number::Number;

/// An exponential, but for the largest one.
#[inline(always)]
pub(super) fn below<T: Number>(e: T) -> T {
    if e < T::ONE { e } else { T::ZERO }
}

/// The sum of a row's exponentials, of which the largest is 1.
#[derive(Clone, Copy)]
pub(in crate::kernels) struct Sum<T> {
    pub(in crate::kernels) all: T,
    /// Where the largest stands out, the sum of the others, with the digits that adding 1 rounds away; else all again.
    pub(in crate::kernels) others: T,
}

impl<T: Number> Sum<T> {
    /// Whether the largest exponential stands out, so that the others are worth knowing by themselves.
    #[inline(always)]
    pub(in crate::kernels) fn has_one_top(self) -> bool {
        // Two that are 1 make 2.
        self.all < T::of(1.5)
    }
}

/// What the exponentials of a row with this sum are multiplied by to be their shares of it; see [`softmax`](super::softmax).
#[inline(always)]
pub(super) fn share_of<T: Number>(sum: T, total: bool) -> T {
    // A sum of 0 is that of a row of −∞ alone, which stays 0.
    if total && sum == T::ZERO { T::ONE } else { T::ONE / sum }
}

/// The logarithm of a sum of exponentials by the largest score and the logarithm of the sum about it.
#[inline(always)]
pub(super) fn log_of_total<T: Number>(top: T, log_sum: T) -> T {
    if top == T::INFINITY || top == -T::INFINITY { top } else { top + log_sum }
}
