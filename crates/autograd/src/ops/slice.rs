//! What a slice takes of a dimension.

/// One dimension of a slice, as Python's `start:stop:step`: negative bounds count from the end, an absent bound means
/// as far as it goes, and a negative step walks backwards.
///
/// ```
/// use autograd::{Slice, Tape, Tensor};
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([0.0, 1.0, 2.0, 3.0, 4.0]));
/// assert_eq!(x.slice(&[Slice::from(1..4)]).value().as_slice(), [1.0, 2.0, 3.0]);
/// assert_eq!(x.slice(&[Slice::all().step(-2)]).value().as_slice(), [4.0, 2.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The first index; absent: the first in the direction of the step.
    pub start: Option<isize>,
    /// The index to stop before; absent: after the last in the direction of the step.
    pub stop: Option<isize>,
    /// The distance between indices; not 0.
    pub step: isize,
}

impl Slice {
    /// The whole dimension, `:`.
    pub fn all() -> Self {
        Self { start: None, stop: None, step: 1 }
    }

    /// The same bounds with another step.
    pub fn step(self, step: isize) -> Self {
        Self { step, ..self }
    }

    /// `(first index, number of indices)` in a dimension of `n`, as Python's `slice.indices` gives them.
    pub(super) fn resolve(self, n: usize) -> (usize, usize) {
        let n = n as isize;
        let (low, high) = if self.step < 0 { (-1, n - 1) } else { (0, n) };
        let clip = |i: isize| (if i < 0 { i + n } else { i }).clamp(low, high);
        let (first, last) = if self.step < 0 { (high, low) } else { (low, high) };
        let (start, stop) = (self.start.map_or(first, clip), self.stop.map_or(last, clip));
        let span = if self.step < 0 { start - stop } else { stop - start };
        let count = if span <= 0 { 0 } else { (span as usize).div_ceil(self.step.unsigned_abs()) };
        (if count == 0 { 0 } else { start as usize }, count)
    }
}

impl From<std::ops::Range<isize>> for Slice {
    fn from(range: std::ops::Range<isize>) -> Self {
        Self { start: Some(range.start), stop: Some(range.end), step: 1 }
    }
}

impl From<std::ops::RangeFrom<isize>> for Slice {
    fn from(range: std::ops::RangeFrom<isize>) -> Self {
        Self { start: Some(range.start), stop: None, step: 1 }
    }
}

impl From<std::ops::RangeTo<isize>> for Slice {
    fn from(range: std::ops::RangeTo<isize>) -> Self {
        Self { start: None, stop: Some(range.end), step: 1 }
    }
}

impl From<std::ops::RangeFull> for Slice {
    fn from(_: std::ops::RangeFull) -> Self {
        Self::all()
    }
}
