//! Which rows fall on which places.

use super::{list, row};
use crate::number::Number;

/// Which rows fall on each of so many places: the first one, and behind these the next one after each row; as many as there are
/// indices stands for none.
pub(super) struct Lists {
    next: Vec<u32>,
    pub(super) size: usize,
}

impl Lists {
    pub(super) fn new<T: Number>(index: &[T], size: usize) -> Self {
        let n = index.len();
        let mut next: Vec<u32> = list(size + n);
        next.resize(size + n, n as u32);
        for (j, &index) in index.iter().enumerate().rev() {
            let r = row(index, size);
            next[size + j] = std::mem::replace(&mut next[r], j as u32);
        }
        Self { next, size }
    }

    /// How many rows there are.
    #[inline(always)]
    pub(super) fn count(&self) -> usize {
        self.next.len() - self.size
    }

    /// The first row that falls on a place.
    #[inline(always)]
    pub(super) fn first(&self, place: usize) -> Option<usize> {
        Some(self.next[place] as usize).filter(|&j| j < self.count())
    }

    /// The one that falls on the place of a row behind it.
    #[inline(always)]
    pub(super) fn after(&self, row: usize) -> Option<usize> {
        self.first(self.size + row)
    }
}
