//! Element-wise operations on few numbers, one after the other: what is between them lies in cells beside each other. There is nearly
//! nothing for vectors to do, so there are no levels, and a long program is as small as its operations.
#![expect(unsafe_code, reason = "cells, operands and results are found by pointers")]

mod coded;

use super::chain::{TileOp, copy_elements};
use super::in_turn::{InTurn, Source, of_first, one};
use super::jit::formula::Formula;
use super::machine::LINE;
use super::map::QUAD;
use super::place::{Base, Place};
use super::reduce;
use crate::number::Number;
use crate::number::level::Level;
use coded::Coded;
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
    /// What each of these consists of, if code can do it.
    pub(crate) formulas: Vec<Option<Formula>>,
    /// Operations that are done by code, in order, once that is written.
    pub(crate) codes: Vec<Coded>,
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
    /// There is a base for each place; the elements that are read or written there lie behind it, from this row on, and nobody else uses
    /// them. The cells meet no other place.
    #[inline(always)]
    pub(super) unsafe fn run(&self, bases: &[Base<T>], row: usize, level: Level) {
        if let [all] = &self.codes[..]
            && all.is_all
            && all.code.can_run(level)
        {
            // SAFETY: as of this; no place moves on by rows.
            return unsafe { all.run(bases.get_unchecked(self.cells.spot()).0, bases) };
        }
        // SAFETY: as of this.
        unsafe { if self.len == 1 { self.run_single(bases, row, level) } else { self.run_several(bases, row, level) } }
    }

    /// # Safety
    /// As of [`Numbers::run`], of one element.
    #[inline(never)]
    unsafe fn run_single(&self, bases: &[Base<T>], row: usize, level: Level) {
        // SAFETY: as of this.
        unsafe { self.run_with((1, 1), bases, row, level) }
    }

    /// # Safety
    /// As of [`Numbers::run`].
    #[inline(never)]
    unsafe fn run_several(&self, bases: &[Base<T>], row: usize, level: Level) {
        // SAFETY: as of this.
        unsafe { self.run_with((self.len, self.width()), bases, row, level) }
    }

    /// # Safety
    /// As of [`Numbers::run`], of so many elements in cells of so many.
    #[inline(always)]
    unsafe fn run_with(&self, (n, width): (usize, usize), bases: &[Base<T>], row: usize, level: Level) {
        let Self { inputs, constants, codes, ops, results, .. } = self;
        // SAFETY: the caller promises a base for each place, and the elements behind it.
        let at = |place: Place| unsafe { bases.get_unchecked(place.spot()).0.add(place.per_row() * row) };
        let cells = at(self.cells);
        let cell = |k: u32| cells.wrapping_add(k as usize * width);
        // SAFETY: the caller promises the places and the cells; operations name cells that there are.
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
            let mut done = 0;
            for coded in codes.iter().filter(|coded| !coded.is_all && coded.code.can_run(level)) {
                self.one_by_one(&ops[done..coded.ops.start], (n, width), cells);
                coded.run(cells, bases);
                done = coded.ops.end;
            }
            self.one_by_one(&ops[done..], (n, width), cells);
            for &(k, place, len) in results {
                copy_elements(cell(k).cast_const(), at(place), if n == 1 { 1 } else { len });
            }
        }
    }

    /// # Safety
    /// The operations name cells that there are, of so many elements, of which nobody else uses any.
    #[inline(always)]
    unsafe fn one_by_one(&self, ops: &[NumberOp], (n, width): (usize, usize), cells: *mut T) {
        let cell = |k: u32| cells.wrapping_add(k as usize * width);
        for op in ops {
            // SAFETY: the caller promises the cells; a result by slices is in another cell than its operands.
            unsafe {
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
                        self.kinds[op as usize].run([a, b, c], std::slice::from_raw_parts_mut(cell(out), n), second);
                    }
                    // The tape adds sums to zeros.
                    NumberOp::Sum { of, out } => {
                        *cell(out) = T::ZERO + reduce::sum(std::slice::from_raw_parts(cell(of).cast_const(), n));
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::in_turn::{First, Then};
    use crate::kernels::jit::tests::Random;
    use crate::kernels::jit::{Pages, WithCode};
    use crate::number::level::tests::at_every_level;

    #[test]
    fn an_operation_on_numbers_is_small() {
        assert!(size_of::<NumberOp>() <= 28, "{} bytes: long programs wait for memory", size_of::<NumberOp>());
    }

    const INPUTS: usize = 5;
    const CONSTANTS: usize = 3;

    /// Operations on cells of one number that are written again and again, among them some that code cannot do.
    fn random_numbers<T: Number>(random: &mut Random) -> Numbers<T> {
        let firsts = [First::Add, First::Sub, First::Mul, First::Zmul, First::Div, First::Neg, First::Sqrt];
        let thens = [Then::Keep, Then::Add, Then::Sub, Then::SubFrom, Then::Mul, Then::Zmul, Then::ZmulOf, Then::Neg];
        let count = [INPUTS + CONSTANTS + 4, INPUTS + CONSTANTS + 40][random.below(2)];
        let mut made = INPUTS + CONSTANTS;
        let length = [3, 20, 300][random.below(3)];
        let ops = (0..=random.below(length)).map(|_| {
            let mut read = || random.below(made) as u32;
            let args = [read(), read(), read()];
            let out = if made < count { made } else { INPUTS + CONSTANTS + random.below(made - INPUTS - CONSTANTS) };
            made = count.min(made + 1);
            if random.below(20) == 0 {
                return NumberOp::Sum { of: args[0], out: out as u32 };
            }
            let both = InTurn(firsts[random.below(7)], thens[random.below(8)]);
            NumberOp::InTurn { both, args, out: out as u32 }
        });
        let ops = ops.collect();
        let results = (0..4).map(|k| (random.below(made) as u32, Place::of_spot(INPUTS + k), 1)).collect();
        Numbers {
            len: 1,
            inputs: (0..INPUTS).map(|k| (Place::of_spot(k), true)).collect(),
            constants: [0.5, -0.0, 3.0][..CONSTANTS].iter().map(|&x| T::of(x)).collect(),
            kinds: Vec::new(),
            formulas: Vec::new(),
            codes: Vec::new(),
            ops,
            results,
            cells: Place::of_spot(INPUTS + 4),
            count,
        }
    }

    #[test]
    fn code_makes_the_bits_of_one_operation_after_the_other() {
        fn check<T: Number>(level: Level) {
            let mut random = Random(11);
            for round in 0..300 {
                let numbers = random_numbers::<T>(&mut random);
                let mut coded = numbers.clone();
                let mut pages = Pages::default();
                coded.write_code(&mut pages);
                assert!(coded.codes.is_empty() || level.has_vectors(), "there is no code at {level:?}");
                if let Some(memory) = pages.executable() {
                    coded.bind_code(&memory);
                }
                let places: Vec<T> = (0..INPUTS + 4).map(|_| T::of(random.below(9) as f64 / 2.0 - 2.0)).collect();
                let run = |numbers: &Numbers<T>| {
                    let (mut places, mut cells) = (places.clone(), vec![T::of(77.0); numbers.memory() + 1]);
                    let of_places = places.as_mut_ptr();
                    let mut bases: Vec<Base<T>> = (0..INPUTS + 4).map(|k| Base(of_places.wrapping_add(k))).collect();
                    // The last result is written over an operand.
                    bases[INPUTS + 3] = bases[0];
                    bases.push(Base(cells.as_mut_ptr()));
                    // SAFETY: there is a number at each place, and there are so many cells.
                    unsafe { numbers.run(&bases, 0, level) };
                    assert!(cells[numbers.memory()] == T::of(77.0), "it wrote behind the cells");
                    places
                };
                let (want, found) = (run(&numbers), run(&coded));
                let alike = |(x, y): (&T, &T)| x.same_bits(*y) || x.is_nan() && y.is_nan();
                assert!(
                    want.iter().zip(&found).all(alike),
                    "round {round}, {level:?}: {want:?}, {found:?}\n{numbers:?}"
                );
            }
        }
        at_every_level(|level| {
            check::<f32>(level);
            check::<f64>(level);
        });
    }
}
