//! Dimensions next to each other.

use std::ops::Range;

/// Dimensions next to each other, which an operation goes along as if they were one: usually one of them, or all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    first: u32,
    count: u32,
}

impl Span {
    pub(crate) fn new(Range { start, end }: Range<usize>) -> Self {
        Self { first: start as u32, count: (end - start) as u32 }
    }

    /// The dimensions before it.
    pub(crate) fn first(self) -> usize {
        self.first as usize
    }

    /// How many dimensions it has.
    pub(crate) fn count(self) -> usize {
        self.count as usize
    }

    pub(crate) fn axes(self) -> Range<usize> {
        self.first()..self.first() + self.count()
    }
}

/// One of them.
impl From<usize> for Span {
    fn from(axis: usize) -> Self {
        Self::new(axis..axis + 1)
    }
}
