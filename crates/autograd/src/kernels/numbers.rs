//! Element-wise operations on single numbers, one after the other: what is between them lies in cells beside each other. There is
//! nothing for vectors to do, so there are no levels, and a long program is as small as its operations.
#![expect(unsafe_code, reason = "cells, operands and results are found by pointers")]

use super::chain::TileOp;
use super::in_turn::{InTurn, one};
use super::place::Place;
use crate::number::Number;
use std::sync::Arc;

/// One operation, on cells.
#[derive(Clone, Debug)]
pub(crate) enum NumberOp {
    /// Cheap ones; an operand that is not there is the first.
    InTurn { both: InTurn, args: [u32; 3], out: u32 },
    /// One of the list's; operands and a second result that are not there are [`NO_CELL`].
    Op { op: u32, args: [u32; 3], out: u32, second: u32 },
}

/// Stands where there is no cell.
pub(crate) const NO_CELL: u32 = u32::MAX;

/// Operations on numbers. All that is read is read before anything is written.
#[derive(Clone, Debug)]
pub(crate) struct Numbers<T> {
    /// What is copied to the first cells.
    pub(crate) inputs: Vec<Place>,
    /// What is copied to the cells behind those.
    pub(crate) constants: Vec<T>,
    /// What operations are, each kind of them once.
    pub(crate) kinds: Vec<Arc<dyn TileOp<T>>>,
    pub(crate) ops: Vec<NumberOp>,
    /// The cells that are copied to places at the end.
    pub(crate) results: Vec<(u32, Place)>,
    pub(crate) cells: Place,
    pub(crate) count: usize,
}

impl<T: Number> Numbers<T> {
    /// The names of its operations, for a listing.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.ops.iter().flat_map(|op| match op {
            NumberOp::Op { op, .. } => self.kinds[*op as usize].names(),
            NumberOp::InTurn { both, .. } => both.names(),
        })
    }

    /// What it writes: places, and how far.
    pub(super) fn written(&self) -> impl Iterator<Item = (Place, usize)> {
        let results = self.results.iter().map(|&(_, place)| (place, 1));
        std::iter::once((self.cells, self.count)).chain(results)
    }

    /// Copies what is at a place at the end to another one as well, if it is there as an operand or as a result.
    pub(super) fn copy_too(&mut self, from: Place, to: Place) -> bool {
        let result = self.results.iter().find(|result| result.1 == from).map(|result| result.0);
        let input = || self.inputs.iter().position(|&input| input == from).map(|cell| cell as u32);
        let cell = result.or_else(input);
        self.results.extend(cell.map(|cell| (cell, to)));
        cell.is_some()
    }

    /// # Safety
    /// `at` gives a pointer for each place, with an element behind it, and as many as there are cells behind theirs, which nobody else
    /// uses and no other place meets.
    #[inline(never)]
    pub(super) unsafe fn run(&self, at: impl Fn(Place) -> *mut T) {
        let cells = at(self.cells);
        let cell = |k: u32| cells.wrapping_add(k as usize);
        let Self { inputs, constants, kinds, ops, results, .. } = self;
        // SAFETY: the caller promises the places and the cells; operations name cells that there are, and a result by slices is in another
        // cell than its operands.
        unsafe {
            for (k, &input) in inputs.iter().enumerate() {
                *cells.add(k) = *at(input);
            }
            for (k, &constant) in constants.iter().enumerate() {
                *cells.add(inputs.len() + k) = constant;
            }
            for op in ops {
                match *op {
                    NumberOp::InTurn { both: InTurn(first, then), args: [a, b, c], out } => {
                        *cell(out) = one(first, then, [*cell(a), *cell(b), *cell(c)]);
                    }
                    NumberOp::Op { op, args, out, second } => {
                        let len = |k: u32| usize::from(k != NO_CELL);
                        let start = |k: u32| if k == NO_CELL { cells } else { cell(k) };
                        let [a, b, c] = args.map(|k| std::slice::from_raw_parts(start(k).cast_const(), len(k)));
                        let second = std::slice::from_raw_parts_mut(start(second), len(second));
                        kinds[op as usize].run([a, b, c], std::slice::from_raw_parts_mut(cell(out), 1), second);
                    }
                }
            }
            for &(k, place) in results {
                *at(place) = *cell(k);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_on_numbers_is_small() {
        assert!(size_of::<NumberOp>() <= 28, "{} bytes: long programs wait for memory", size_of::<NumberOp>());
    }
}
