//! What the hidden nodes do, where that is not relu.

use crate::kernels::chain::TileOp;
use std::sync::Arc;

/// A function of one number and its slope.
#[derive(Clone, Debug)]
pub(crate) struct Activation<T> {
    pub(crate) kernels: Kernels<T>,
    /// Whether a slope of 0 makes 0 of any cotangent, as one that selects does.
    pub(crate) selects: bool,
}

/// Both, by kernels.
#[derive(Clone, Debug)]
pub(crate) enum Kernels<T> {
    /// In one loop: two results.
    Both(Arc<dyn TileOp<T>>),
    /// One after the other.
    Each([Arc<dyn TileOp<T>>; 2]),
}

impl<T> Kernels<T> {
    /// The function of each number, and its slope there.
    pub(super) fn run(&self, x: &[T], y: &mut [T], slopes: &mut [T]) {
        match self {
            Self::Both(both) => both.run([x, &[], &[]], y, slopes),
            Self::Each([function, slope]) => {
                function.run([x, &[], &[]], y, &mut []);
                slope.run([x, &[], &[]], slopes, &mut []);
            }
        }
    }
}

/// How many arrays of the hidden nodes a step needs.
pub(super) fn arrays<T>(activation: Option<&Activation<T>>) -> usize {
    if activation.is_some() { 3 } else { 1 }
}
