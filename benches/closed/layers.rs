//! The parameters of a network of one hidden layer, by name and as one range.
#![expect(unsafe_code, reason = "a struct of arrays is one range")]

use crate::closed::hidden::{columns, matrix};
use crate::closed::number::Number;
use crate::contenders::problem::{Layout, Problem};

/// The parameters, or their gradients.
#[derive(Clone, Copy)]
#[repr(C)]
pub(crate) struct Layers<T, const D: usize, const H: usize, const K: usize> {
    pub(crate) w1: [[T; H]; D],
    pub(crate) b1: [T; H],
    /// The transpose of `W2`.
    pub(crate) w2: [[T; H]; K],
    pub(crate) b2: [T; K],
}

impl<T: Number, const D: usize, const H: usize, const K: usize> Layers<T, D, H, K> {
    pub(crate) const ZEROS: Self =
        Self { w1: [[T::ZERO; H]; D], b1: [T::ZERO; H], w2: [[T::ZERO; H]; K], b2: [T::ZERO; K] };

    /// The parameters of a problem of these sizes, held the same way whichever way it stores its weights.
    pub(crate) fn new(problem: &Problem<T>) -> Self {
        let [(w1, b1), (w2, b2)] = &problem.layers[..] else { panic!("there is one hidden layer") };
        let by_inputs = problem.net.layout == Layout::InOut;
        Self {
            w1: matrix(w1, by_inputs),
            b1: std::array::from_fn(|h| b1[h]),
            w2: matrix(w2, !by_inputs),
            b2: std::array::from_fn(|k| b2[k]),
        }
    }

    /// All of them.
    #[inline(always)]
    pub(crate) fn as_range(&mut self) -> &mut [T] {
        let len = size_of::<Self>() / size_of::<T>();
        // SAFETY: by `repr(C)` the fields, arrays of `T`, follow each other without a gap, and fill the whole.
        unsafe { std::slice::from_raw_parts_mut(std::ptr::from_mut(self).cast(), len) }
    }

    /// Layer after layer, weights in the problem's layout.
    pub(crate) fn flat(&self, layout: Layout) -> Vec<T> {
        let Self { w1, b1, w2, b2 } = self;
        let (w1, w2) = match layout {
            Layout::InOut => (w1.concat(), columns(w2)),
            Layout::OutIn => (columns(w1), w2.concat()),
        };
        [&w1[..], b1, &w2, b2].concat()
    }
}
