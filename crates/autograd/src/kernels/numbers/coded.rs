//! Runs of operations on single numbers as code: what is between them stays in registers.
#![expect(unsafe_code, reason = "code is called with pointers")]

use super::{NO_CELL, NumberOp, Numbers};
use crate::kernels::jit::formula::{Constant, Formula};
use crate::kernels::jit::{Code, Element, Executable, Home, Line, Move, Pages, Read, Set, WithCode, add_lines};
use crate::kernels::place::{Base, Place};
use crate::number::Number;
use crate::number::level::Level;
use std::borrow::Cow;
use std::ops::Range;

/// Fewer lines are as quick one by one.
const FEWEST: usize = 3;
/// More lines are several runs: to write code looks for the next reader of each value among all lines of a run.
const MOST: usize = 128;
/// A list of more operations stays as it is: code is as long again, so that a long program would wait for memory, and to write it would be
/// a quarter of what recording takes.
const SHORT: usize = 512;

/// Code for some of the operations.
#[derive(Clone, Debug)]
pub(crate) struct Coded {
    pub(super) code: Code,
    pub(super) ops: Range<usize>,
    /// Whether it is all that is done: it reads operands and writes results where they are.
    pub(super) is_all: bool,
}

impl Coded {
    /// # Safety
    /// The level can run it, and these are the cells of its operations, of one number each, which nobody else uses; and if it is all,
    /// the bases of its places, in which numbers are.
    #[inline(always)]
    pub(super) unsafe fn run<T>(&self, cells: *mut T, bases: &[Base<T>]) {
        // SAFETY: the caller promises it; a base is a pointer.
        unsafe { self.code.run_once(cells.cast(), bases.as_ptr().cast()) }
    }
}

impl NumberOp {
    /// The cells that it reads.
    fn read(&self) -> impl Iterator<Item = u32> {
        let args = match *self {
            Self::InTurn { args, .. } | Self::Op { args, .. } => args,
            Self::Sum { of, .. } => [of, NO_CELL, NO_CELL],
        };
        args.into_iter().filter(|&k| k != NO_CELL)
    }

    /// The cells that it writes.
    fn written(&self) -> impl Iterator<Item = u32> {
        let outs = match *self {
            Self::InTurn { out, .. } | Self::Sum { out, .. } => [out, NO_CELL],
            Self::Op { out, second, .. } => [out, second],
        };
        outs.into_iter().filter(|&k| k != NO_CELL)
    }
}

impl<T: Number> WithCode for Numbers<T> {
    fn write_code(&mut self, pages: &mut Pages) {
        if self.len > 1 || self.ops.len() > SHORT {
            return;
        }
        let Some(set) = Set::of_numbers(Level::best()) else { return };
        let last_reads = self.last_reads();
        let all = 0..self.ops.len();
        if self.all_is_code()
            && let Some(lines) = self.lines(all.clone(), &last_reads, true)
            && let Some(moves) = self.moves()
            && let Some(code) = Code::once(set, Element::of::<T>(), &lines, &moves, pages)
        {
            self.codes.push(Coded { code, ops: all, is_all: true });
            return;
        }
        let mut start = 0;
        while start < self.ops.len() {
            let (mut end, mut lines) = (start, 0);
            while let Some(formula) = self.ops.get(end).and_then(|op| self.formula(op)) {
                if lines + formula.0.len() > MOST {
                    break;
                }
                (end, lines) = (end + 1, lines + formula.0.len());
            }
            if lines >= FEWEST
                && let Some(lines) = self.lines(start..end, &last_reads, false)
                && let Some(code) = Code::once(set, Element::of::<T>(), &lines, &[], pages)
            {
                self.codes.push(Coded { code, ops: start..end, is_all: false });
            }
            start = end.max(start + 1);
        }
    }

    fn bind_code(&mut self, memory: &Executable) {
        self.codes.iter_mut().for_each(|coded| coded.code.bind(memory));
    }

    #[cfg(test)]
    fn codes(&self) -> usize {
        self.codes.len()
    }
}

impl<T: Number> Numbers<T> {
    /// What an operation consists of, if code can do it.
    fn formula(&self, op: &NumberOp) -> Option<Cow<'_, Formula>> {
        match *op {
            NumberOp::InTurn { both, .. } => Some(Cow::Owned(both.formula())),
            NumberOp::Op { op, second: NO_CELL, .. } => self.formulas[op as usize].as_ref().map(Cow::Borrowed),
            NumberOp::Op { .. } | NumberOp::Sum { .. } => None,
        }
    }

    /// Which operation is the last that reads what each of them makes, if any does; behind all of them, what is copied to places.
    fn last_reads(&self) -> Vec<Option<usize>> {
        let mut of_cells = vec![None; self.count];
        for &(k, ..) in &self.results {
            of_cells[k as usize] = Some(self.ops.len());
        }
        let mut of_ops = vec![None; self.ops.len()];
        for (at, op) in self.ops.iter().enumerate().rev() {
            for k in op.written() {
                of_ops[at] = of_ops[at].max(of_cells[k as usize].take());
            }
            for k in op.read() {
                of_cells[k as usize].get_or_insert(at);
            }
        }
        of_ops
    }

    /// Whether code can do all operations, and they are few enough for one run.
    fn all_is_code(&self) -> bool {
        let add = |lines: usize, op| Some(lines + self.formula(op)?.0.len()).filter(|&lines| lines <= MOST);
        let places = self.inputs.iter().map(|input| input.0).chain(self.results.iter().map(|result| result.1));
        self.ops.iter().try_fold(0, add).is_some() && places.chain([self.cells]).all(|place| place.per_row() == 0)
    }

    /// Where a cell is.
    fn cell(k: u32) -> Option<Home> {
        i32::try_from(k as usize * size_of::<T>()).ok().map(Home::Cell)
    }

    /// What the first cells hold: a constant, or what is copied there, in the place that it is copied from.
    fn given(&self, k: u32) -> Option<Read> {
        let inputs = self.inputs.len();
        let input = self.inputs.get(k as usize).map(|&(place, _)| Read::Home(Home::Number(place.spot())));
        let constant = || (k as usize).checked_sub(inputs).and_then(|k| self.constants.get(k));
        input.or_else(|| constant().map(|x| Read::Constant(Constant::Number(x.to_f64()))))
    }

    /// The copies that all ends with.
    fn moves(&self) -> Option<Vec<Move>> {
        let of = |&(k, to, _): &(u32, Place, usize)| {
            let cell = Self::cell(k)?;
            Some(Move { from: self.given(k).unwrap_or(Read::Home(cell)), cell, to: to.spot() })
        };
        self.results.iter().map(of).collect()
    }

    /// Operations as code takes them, unless it cannot do one; with operands where they are, or in the first cells.
    fn lines(&self, ops: Range<usize>, last_reads: &[Option<usize>], in_place: bool) -> Option<Vec<Line>> {
        let mut lines = Vec::new();
        for at in ops.clone() {
            let op = &self.ops[at];
            let (NumberOp::InTurn { args, out, .. } | NumberOp::Op { args, out, .. }) = *op else { return None };
            let read = |arg: u8| match (args[arg as usize], self.given(args[arg as usize])) {
                (NO_CELL, _) => None,
                (k, Some(Read::Home(_))) if !in_place => Self::cell(k).map(Read::Home),
                (_, Some(given)) => Some(given),
                (k, None) => Self::cell(k).map(Read::Home),
            };
            let is_kept = last_reads[at].is_some_and(|last| last >= ops.end);
            add_lines(&mut lines, &*self.formula(op)?, read, (Self::cell(out)?, is_kept))?;
        }
        Some(lines)
    }
}
