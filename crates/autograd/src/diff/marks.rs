//! What the two sweeps share: a mark for each node that they may reach, and how a rule's errors reach the user.

use crate::float::Float;
use crate::tape::Tape;
use crate::tensor::error::Error;
use smallvec::SmallVec;
use std::ops::Range;

/// A mark for each node of a range, through which a sweep goes, and for chosen nodes below, at which it ends.
pub(crate) struct Marks {
    base: u32,
    range: Vec<u32>,
    /// By index, in order.
    below: SmallVec<[(u32, u32); 4]>,
    unmarked: u32,
}

impl Marks {
    /// Marks in the memory of a list, all of them `unmarked`.
    pub(crate) fn new(mut memory: Vec<u32>, range: Range<u32>, unmarked: u32) -> Self {
        memory.clear();
        memory.resize(range.len(), unmarked);
        Self { base: range.start, range: memory, below: SmallVec::new(), unmarked }
    }

    /// Marks nodes of the range or below it, which are then in reach; those beyond it are not.
    pub(crate) fn admit(&mut self, nodes: impl Iterator<Item = u32>, mark: u32) {
        for node in nodes {
            if node < self.base {
                self.below.push((node, mark));
            } else if let Some(slot) = self.slot(node) {
                *slot = mark;
            }
        }
        self.below.sort_unstable();
        self.below.dedup();
    }

    #[inline]
    pub(crate) fn get(&self, node: u32) -> u32 {
        match node.checked_sub(self.base) {
            Some(i) => self.range.get(i as usize).copied().unwrap_or(self.unmarked),
            None if self.below.is_empty() => self.unmarked,
            None => self.place_below(node).map_or(self.unmarked, |place| self.below[place].1),
        }
    }

    /// Where a node's mark is; `None` for a node out of reach.
    #[inline]
    pub(crate) fn slot(&mut self, node: u32) -> Option<&mut u32> {
        match node.checked_sub(self.base) {
            Some(i) => self.range.get_mut(i as usize),
            None => self.place_below(node).map(|place| &mut self.below[place].1),
        }
    }

    /// Marks a node of the range.
    #[inline]
    pub(crate) fn set(&mut self, node: u32, mark: u32) {
        self.range[(node - self.base) as usize] = mark;
    }

    fn place_below(&self, node: u32) -> Option<usize> {
        self.below.binary_search_by_key(&node, |&(node, _)| node).ok()
    }

    pub(crate) fn into_memory(self) -> Vec<u32> {
        self.range
    }
}

impl<T: Float> Tape<T> {
    /// Keeps an error that a rule met, which cannot return one, until the sweep asks for it.
    pub(crate) fn set_fault(&self, error: Error) {
        self.fault.set(Some(Box::new(error)));
    }

    /// The error that a rule met.
    #[inline]
    pub(crate) fn fault(&self) -> Result<(), Error> {
        self.fault.take().map_or(Ok(()), |error| Err(*error))
    }
}
