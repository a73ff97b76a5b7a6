//! Runs of cheap operations as code.
#![expect(unsafe_code, reason = "code is called with pointers")]

use super::pieces::MOST_WINDOWS;
use super::{Arg, Chain, Micro, Out, Reach};
use crate::kernels::jit::formula::Formula;
use crate::kernels::jit::{Code, Element, Executable, Home, Line, Pages, Read, Set, WithCode, add_lines};
use crate::number::Number;
use crate::number::level::Level;
use std::borrow::Cow;
use std::collections::HashSet;

/// A run reaches no more places.
pub(super) const MOST_POINTERS: usize = 64;

/// Code for operations of a chain, and where it finds what does not lie in tiles.
#[derive(Clone, Debug)]
pub(crate) struct Coded {
    pub(super) code: Code,
    pub(super) table: Vec<Arg>,
    /// Whether there are windows among that.
    pub(super) in_pieces: bool,
}

impl Coded {
    /// # Safety
    /// As of [`Code::run`]: the level can run it, and these are the pointers that its table names.
    #[inline(always)]
    pub(super) unsafe fn run(&self, tiles: *mut u8, table: *const *mut u8, part: (usize, usize)) {
        // SAFETY: the caller promises it.
        unsafe { self.code.run(tiles, table, part) }
    }
}

impl<T: Number> WithCode for Chain<T> {
    fn write_code(&mut self, pages: &mut Pages) {
        let Some(set) = Set::of(Level::best()) else { return };
        let runs = self.runs(set.longest());
        let mut old = std::mem::take(&mut self.micro).into_iter();
        let mut done = 0;
        for (start, end, live) in runs {
            self.micro.extend(old.by_ref().take(start - done));
            let micro: Vec<Micro> = old.by_ref().take(end - start).collect();
            done = end;
            let mut listing = Listing { chain: self, live, table: Vec::new(), lines: Vec::new() };
            let is_listed = micro.iter().try_for_each(|micro| listing.add(micro)).is_some();
            let Listing { table, lines, .. } = listing;
            let in_pieces = table.iter().any(|arg| matches!(arg, Arg::Window(_)));
            if is_listed && let Some(code) = Code::new(set, Element::of::<T>(), &lines, in_pieces, pages) {
                self.micro.push(Micro::Coded { code: self.codes.len() as u32, instead: micro.len() as u32 });
                self.codes.push(Coded { code, table, in_pieces });
            }
            self.micro.extend(micro);
        }
        self.micro.extend(old);
    }

    fn bind_code(&mut self, memory: &Executable) {
        self.codes.iter_mut().for_each(|coded| coded.code.bind(memory));
    }

    #[cfg(test)]
    fn codes(&self) -> usize {
        self.codes.len()
    }
}

impl<T: Number> Chain<T> {
    /// Where runs of cheap operations of at most so many lines begin and end, and which registers are read behind each.
    fn runs(&self, longest: usize) -> Vec<(usize, usize, HashSet<u32>)> {
        let mut live: HashSet<u32> = self.parts.iter().map(|&(register, _)| register as u32).collect();
        let mut runs: Vec<(usize, usize, HashSet<u32>)> = Vec::new();
        let mut reach = Reached::default();
        for (at, micro) in self.micro.iter().enumerate().rev() {
            if let Some(formula) = self.formula(micro) {
                let goes_on = runs.last().is_some_and(|run| run.0 == at + 1);
                let longer = reach.with(micro, formula.0.len());
                match runs.last_mut() {
                    Some((start, ..)) if goes_on && longer.is_within(longest) => {
                        *start = at;
                        reach = longer;
                    }
                    _ => {
                        runs.push((at, at + 1, live.clone()));
                        reach = Reached::default().with(micro, formula.0.len());
                    }
                }
            }
            for out in micro.outs() {
                if let Out::Register(r) = out {
                    live.remove(&r);
                }
            }
            live.extend(micro.args().iter().filter_map(|arg| if let Arg::Register(r) = arg { Some(*r) } else { None }));
        }
        // A loop for one is as quick, but where it goes through pieces.
        let is_in_pieces = |micro: &Micro| matches!(micro, Micro::InTurn { reach: Reach::Pieces, .. });
        runs.retain(|(start, end, _)| end - start > 1 || is_in_pieces(&self.micro[*start]));
        runs.reverse();
        runs
    }

    /// What an operation consists of, if code can do it.
    fn formula(&self, micro: &Micro) -> Option<Cow<'_, Formula>> {
        match *micro {
            Micro::InTurn { both, .. } => Some(Cow::Owned(both.formula())),
            Micro::Op { op, second: Out::Nowhere, .. } => self.formulas[op as usize].as_ref().map(Cow::Borrowed),
            Micro::Op { .. } | Micro::Sum { .. } | Micro::Coded { .. } => None,
        }
    }
}

/// How long a run is, and what it reaches outside of tiles.
#[derive(Clone, Default)]
struct Reached {
    lines: usize,
    table: Vec<Arg>,
}

impl Reached {
    /// With one more operation of so many lines.
    fn with(&self, micro: &Micro, lines: usize) -> Self {
        let mut table = self.table.clone();
        let outs = micro.outs().into_iter().filter_map(Out::place).map(Arg::Full);
        for arg in micro.args().into_iter().chain(outs) {
            if matches!(arg, Arg::Full(_) | Arg::Row(_) | Arg::Number(_) | Arg::Window(_)) {
                pointer(&mut table, arg);
            }
        }
        Self { lines: self.lines + lines, table }
    }

    fn is_within(&self, longest: usize) -> bool {
        let windows = self.table.iter().filter(|arg| matches!(arg, Arg::Window(_))).count();
        self.lines <= longest && self.table.len() <= MOST_POINTERS && windows <= MOST_WINDOWS
    }
}

/// Operations as code takes them.
struct Listing<'a, T> {
    chain: &'a Chain<T>,
    /// The registers that are read later.
    live: HashSet<u32>,
    table: Vec<Arg>,
    lines: Vec<Line>,
}

impl<T: Number> Listing<'_, T> {
    /// Adds an operation, unless code cannot do it.
    fn add(&mut self, micro: &Micro) -> Option<()> {
        let Self { chain, live, table, lines } = self;
        let (formula, args, [out, _]) = (chain.formula(micro)?, micro.args(), micro.outs());
        let register = chain.stride() * size_of::<T>();
        let mut home = |arg| home(register, table, arg);
        let to = match out {
            Out::Full(place) => (home(Arg::Full(place))?, true),
            Out::Register(r) => (home(Arg::Register(r))?, live.contains(&r)),
            Out::Nowhere => return None,
        };
        add_lines(lines, &formula, |arg| home(args[arg as usize]).map(Read::Home), to)
    }
}

/// Where an operand is, of which registers are so many bytes apart.
fn home(register: usize, table: &mut Vec<Arg>, arg: Arg) -> Option<Home> {
    let bytes = |r: u32| Some(i32::try_from((r as usize + 1) * register).ok()? - register as i32);
    match arg {
        Arg::Register(r) => Some(Home::Tile(bytes(r)?)),
        Arg::Repeated(r) => Some(Home::Repeated(bytes(r)?)),
        Arg::Full(_) | Arg::Row(_) | Arg::Window(_) => Some(Home::Pointer(pointer(table, arg))),
        Arg::Number(_) => Some(Home::Number(pointer(table, arg))),
        Arg::Nothing => None,
    }
}

/// The number of a place in a table, which has it then.
fn pointer(table: &mut Vec<Arg>, arg: Arg) -> usize {
    let known = table.iter().position(|&known| known == arg);
    known.unwrap_or_else(|| {
        table.push(arg);
        table.len() - 1
    })
}
