//! Element-wise operations on few numbers, one after the other: what is between them lies in cells beside each other. There is nearly
//! nothing for vectors to do, so there are no levels, and a long program is as small as its operations.
#![expect(unsafe_code, reason = "cells, operands and results are found by pointers")]

use super::chain::{TileOp, copy_elements};
use super::in_turn::{InTurn, Source, of_first, one};
use super::machine::LINE;
use super::map::QUAD;
use super::place::Place;
use super::reduce;
use crate::number::Number;
use smallvec::smallvec;
use std::sync::Arc;

/// Whether values of so many elements are few numbers: those of a line of the cache, or less.
pub(crate) fn are_few<T>(len: usize) -> bool {
    len > 0 && len * size_of::<T>() <= LINE
}

/// One operation, on cells.
#[derive(Clone, Debug)]
pub(crate) enum NumberOp {
    /// Cheap ones; an operand that is not there is the first.
    InTurn { both: InTurn, args: [u32; 3], out: u32 },
    /// One of the list's; operands and a second result that are not there are [`NO_CELL`].
    Op { op: u32, args: [u32; 3], out: u32, second: u32 },
    /// The sum of the elements of one.
    Sum { of: u32, out: u32 },
}

/// Stands where there is no cell.
pub(crate) const NO_CELL: u32 = u32::MAX;

/// Operations on values of a few elements. All that is read is read before anything is written.
#[derive(Clone, Debug)]
pub(crate) struct Numbers<T> {
    /// The elements of each value but the sums.
    pub(crate) len: usize,
    /// What is copied to the first cells, and whether it is a number that stands for all elements.
    pub(crate) inputs: Vec<(Place, bool)>,
    /// What is copied to the cells behind those.
    pub(crate) constants: Vec<T>,
    /// What operations are, each kind of them once.
    pub(crate) kinds: Vec<Arc<dyn TileOp<T>>>,
    pub(crate) ops: Vec<NumberOp>,
    /// The cells that are copied to places at the end, and of how many elements.
    pub(crate) results: Vec<(u32, Place, usize)>,
    pub(crate) cells: Place,
    /// How many cells there are.
    pub(crate) count: usize,
}

impl<T: Number> Numbers<T> {
    /// The elements of a cell: one, or some vectors.
    fn width(&self) -> usize {
        if self.len == 1 { 1 } else { self.len.next_multiple_of(QUAD) }
    }

    /// The elements that its cells take.
    pub(crate) fn memory(&self) -> usize {
        self.count * self.width()
    }

    /// The names of its operations, for a listing.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.ops.iter().flat_map(|op| match op {
            NumberOp::Op { op, .. } => self.kinds[*op as usize].names(),
            NumberOp::InTurn { both, .. } => both.names(),
            NumberOp::Sum { .. } => smallvec!["sum"],
        })
    }

    /// What it reads: places, and how far.
    pub(super) fn read(&self) -> impl Iterator<Item = (Place, usize)> {
        self.inputs.iter().map(|&(place, is_one)| (place, if is_one { 1 } else { self.len }))
    }

    /// What it writes: places, and how far.
    pub(super) fn written(&self) -> impl Iterator<Item = (Place, usize)> {
        let results = self.results.iter().map(|&(_, place, len)| (place, len));
        std::iter::once((self.cells, self.memory())).chain(results)
    }

    /// Copies so many elements that are at a place at the end to another one as well, if they are there as an operand or as a result;
    /// given whether two places with so many elements meet.
    pub(super) fn copy_too(
        &mut self,
        len: usize,
        from: Place,
        to: Place,
        meet: impl Fn((Place, usize), (Place, usize)) -> bool,
    ) -> bool {
        // What is there last counts.
        let written = self.results.iter().rfind(|&&(_, place, written)| meet((place, written), (from, len)));
        let cell = match written {
            Some(&(cell, place, written)) => Some(cell).filter(|_| (place, written) == (from, len)),
            None => self.read().position(|read| read == (from, len)).map(|cell| cell as u32),
        };
        self.results.extend(cell.map(|cell| (cell, to, len)));
        cell.is_some()
    }

    /// # Safety
    /// `at` gives a pointer for each place, with the elements behind it that are read or written there, and nobody else uses them. The
    /// cells meet no other place.
    #[inline(always)]
    pub(super) unsafe fn run(&self, at: impl Fn(Place) -> *mut T) {
        // SAFETY: as of this.
        unsafe { if self.len == 1 { self.run_single(at) } else { self.run_several(at) } }
    }

    /// # Safety
    /// As of [`Numbers::run`], of one element.
    #[inline(never)]
    unsafe fn run_single(&self, at: impl Fn(Place) -> *mut T) {
        // SAFETY: as of this.
        unsafe { self.run_with((1, 1), at) }
    }

    /// # Safety
    /// As of [`Numbers::run`].
    #[inline(never)]
    unsafe fn run_several(&self, at: impl Fn(Place) -> *mut T) {
        // SAFETY: as of this.
        unsafe { self.run_with((self.len, self.width()), at) }
    }

    /// # Safety
    /// As of [`Numbers::run`], of so many elements in cells of so many.
    #[inline(always)]
    unsafe fn run_with(&self, (n, width): (usize, usize), at: impl Fn(Place) -> *mut T) {
        let Self { inputs, constants, kinds, ops, results, .. } = self;
        let cells = at(self.cells);
        let cell = |k: u32| cells.wrapping_add(k as usize * width);
        // SAFETY: the caller promises the places and the cells; operations name cells that there are, and a result by slices is in another
        // cell than its operands.
        unsafe {
            let repeat = |number: T, k: u32| (0..width).for_each(|i| *cell(k).add(i) = number);
            for (&(input, is_one), k) in inputs.iter().zip(0..) {
                if is_one {
                    repeat(*at(input), k);
                } else {
                    copy_elements(at(input).cast_const(), cell(k), n);
                }
            }
            for (&constant, k) in constants.iter().zip(inputs.len() as u32..) {
                repeat(constant, k);
            }
            for op in ops {
                match *op {
                    NumberOp::InTurn { both: InTurn(first, then), args: [a, b, c], out } => {
                        if width == 1 {
                            *cell(out) = one(first, then, [*cell(a), *cell(b), *cell(c)]);
                        } else {
                            let abc = [a, b, c].map(|k| Source { data: cell(k), step: 1 });
                            of_first::<T, QUAD>(first, then, width, abc, cell(out));
                        }
                    }
                    NumberOp::Op { op, args, out, second } => {
                        let len = |k: u32| if k == NO_CELL { 0 } else { n };
                        let start = |k: u32| if k == NO_CELL { cells } else { cell(k) };
                        let [a, b, c] = args.map(|k| std::slice::from_raw_parts(start(k).cast_const(), len(k)));
                        let second = std::slice::from_raw_parts_mut(start(second), len(second));
                        kinds[op as usize].run([a, b, c], std::slice::from_raw_parts_mut(cell(out), n), second);
                    }
                    // The tape adds sums to zeros.
                    NumberOp::Sum { of, out } => {
                        *cell(out) = T::ZERO + reduce::sum(std::slice::from_raw_parts(cell(of).cast_const(), n));
                    }
                }
            }
            for &(k, place, len) in results {
                copy_elements(cell(k).cast_const(), at(place), if n == 1 { 1 } else { len });
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
