//! Where the values of a program are.

use crate::kernels::map::{LANES, QUAD};
use crate::kernels::place::Spot;
use crate::program::ids::IdSet;

/// Where each value is.
pub(in crate::program) struct Places {
    pub(super) of: Vec<Spot>,
    /// The last of values that lie one behind the other: behind it is room to fill a vector.
    pub(super) last: IdSet,
    /// Those that lie in their places of a whole: behind each is the next one.
    pub(super) packed: IdSet,
}

pub(super) const NOWHERE: Spot = Spot { buffer: u32::MAX, start: 0 };

impl Places {
    /// Where a value is that is read or made.
    pub(in crate::program) fn spot(&self, value: u32) -> Spot {
        let spot = self.of[value as usize];
        assert!(spot != NOWHERE, "what is read has a place");
        spot
    }

    /// Whether values of so many elements lie in their places of this one.
    pub(in crate::program) fn are_joined(&self, mut parts: impl Iterator<Item = (u32, usize)>, whole: u32) -> bool {
        let mut next = self.spot(whole);
        parts.all(|(part, len)| {
            let is_next = self.spot(part) == next;
            next.start += len as u32;
            is_next
        })
    }

    /// Where values of so many elements are, if they lie one behind the other at multiples of [`QUAD`] elements; and whether
    /// behind them is room to fill a vector.
    pub(in crate::program) fn range(&self, values: impl IntoIterator<Item = (u32, usize)>) -> Option<(Spot, bool)> {
        let mut values = values.into_iter();
        let (mut last, mut len) = values.next()?;
        let first = self.spot(last);
        for (value, its_len) in values {
            let before = self.spot(last);
            let next = Spot { start: before.start + len.next_multiple_of(QUAD) as u32, ..before };
            if self.spot(value) != next || [last, value].iter().any(|value| self.packed.contains(value)) {
                return None;
            }
            (last, len) = (value, its_len);
        }
        // That room was counted from the start of all that lie there.
        Some((first, self.last.contains(&last) && (first.start as usize).is_multiple_of(LANES)))
    }
}
