//! Element-wise operations one after the other, and sums of what they make, tile by tile, so that what is between them stays in
//! the first-level cache.
#![expect(unsafe_code, reason = "tiles lie in buffers that pointers name")]

mod coded;
mod fill;
mod pieces;
mod run;

pub(crate) use coded::Coded;
pub(super) use run::copy_elements;

use super::in_turn::InTurn;
use super::jit::formula::Formula;
use super::machine::LINE;
use super::map::LANES;
use super::place::{Base, Place};
use super::reduce::Running;
use super::spread::Spread;
use super::window::Window;
use crate::number::Number;
use crate::number::level::Level;
use run::Run;
use smallvec::{SmallVec, smallvec};
use std::collections::HashSet;
use std::fmt::Debug;
use std::ops::Range;
use std::sync::Arc;

/// The most sums that a chain takes with it.
pub(crate) const MOST_SUMS: usize = 4;

/// An element-wise operation as a chain runs it.
pub(crate) trait TileOp<T>: Debug + Send + Sync {
    /// The operations that it is, for a listing.
    fn names(&self) -> SmallVec<[&'static str; 2]>;
    /// Reads up to three tiles, or numbers for all elements of one, and makes one tile or two.
    fn run(&self, args: [&[T]; 3], out: &mut [T], second: &mut [T]);
}

/// An operand of one operation.
// Small, as all that an operation consists of: a long program is millions of them, and waits for the memory they come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arg {
    /// There is none.
    Nothing,
    /// A value in a buffer, an element for each of the chain's.
    Full(Place),
    /// A number in a buffer.
    Number(Place),
    /// A row that comes again and again, of those of the chain.
    Row(u32),
    Register(u32),
    /// A register of one vector that stands for all elements.
    Repeated(u32),
    /// One of the chain's windows, read where it lies by cheap operations.
    Window(u32),
}

/// Where an operation leaves its tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Out {
    Nowhere,
    Full(Place),
    Register(u32),
}

/// One operation of a chain.
#[derive(Clone, Debug)]
pub(crate) enum Micro {
    /// One of the chain's.
    Op {
        op: u32,
        args: [Arg; 3],
        out: Out,
        /// Where the second result of one that has two goes.
        second: Out,
    },
    /// Cheap ones, of which operands that are not there are the first.
    InTurn { both: InTurn, args: [Arg; 3], out: Out, reach: Reach },
    /// Code for so many cheap operations that follow, which are done one by one where it cannot be run.
    Coded { code: u32, instead: u32 },
    /// Adds up the elements of an operand, or their products with those of another, or so many from one on.
    Sum { sum: u32, of: [Arg; 2], part: Option<Range<u32>> },
}

/// What cheap operations go through in one loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The elements of a tile.
    Tile,
    /// Whole vectors of them, for which registers have room.
    Vectors,
    /// Pieces of windows.
    Pieces,
}

impl Micro {
    /// Cheap operations.
    pub(crate) fn in_turn(both: InTurn, args: [Arg; 3], out: Out) -> Self {
        let has_room = |arg: &Arg| !matches!(arg, Arg::Full(_) | Arg::Row(_));
        let reach = if args.iter().any(|arg| matches!(arg, Arg::Window(_))) {
            Reach::Pieces
        } else if out.place().is_none() && args.iter().all(has_room) {
            Reach::Vectors
        } else {
            Reach::Tile
        };
        Self::InTurn { both, args, out, reach }
    }

    fn args(&self) -> [Arg; 3] {
        match *self {
            Self::Op { args, .. } | Self::InTurn { args, .. } => args,
            Self::Sum { of: [x, y], .. } => [x, y, Arg::Nothing],
            Self::Coded { .. } => [Arg::Nothing; 3],
        }
    }

    fn outs(&self) -> [Out; 2] {
        match *self {
            Self::Op { out, second, .. } => [out, second],
            Self::InTurn { out, .. } => [out, Out::Nowhere],
            Self::Sum { .. } | Self::Coded { .. } => [Out::Nowhere; 2],
        }
    }
}

impl Out {
    /// Where in a buffer.
    fn place(self) -> Option<Place> {
        if let Self::Full(place) = self { Some(place) } else { None }
    }
}

/// So many elements of a tile, from one on, and where they are outside of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) place: Place,
    pub(crate) start: usize,
    pub(crate) len: usize,
}

/// What a tile consists of, one behind the other.
pub(crate) type Parts = Box<[Part]>;

/// What a register holds before the operations begin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fill<T> {
    /// This number, once for each lane of a vector.
    Constant(T),
    /// One that is in a buffer, so too.
    Repeated(Place),
    /// One that is in a buffer, for each element.
    Number(Place),
    /// A row of so many elements, repeated.
    Row(Place, usize),
    /// Elements that each stand for so many neighbours.
    Column(Place, usize),
    /// The one of these that stands for all of a tile, once for each lane of a vector.
    OfColumn(Place, usize),
    /// So many elements, laid over all as rows and columns in turn; whether rows of a block have their own, or all have the same.
    Spread { from: Place, spread: Spread, len: usize, by_row: bool },
    /// A part of elements, or these and zeros around them.
    Window(Seen),
    /// A value that will be written over.
    Before(Place),
    /// Values one behind the other, as they are before anything is written; all of them fit a tile.
    Parts(Parts),
}

/// A window of so many elements; whether rows of a block have their own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) from: Place,
    pub(crate) window: Window,
    pub(crate) len: usize,
    pub(crate) by_row: bool,
}

/// Element-wise operations of one shape, each before its readers, and sums of their values.
#[derive(Clone, Debug)]
pub(crate) struct Chain<T> {
    /// What registers hold, from the first on.
    pub(crate) fills: Vec<Fill<T>>,
    /// What operations are, each kind of them once.
    pub(crate) kinds: Vec<Arc<dyn TileOp<T>>>,
    /// What those consist of that code can do.
    pub(crate) formulas: Vec<Option<Formula>>,
    /// Rows of so many elements in buffers.
    pub(crate) rows: Vec<(Place, u32)>,
    /// Windows that are read where they lie.
    pub(crate) windows: Vec<Seen>,
    pub(crate) micro: Vec<Micro>,
    /// Code for runs of cheap operations.
    pub(crate) codes: Vec<Coded>,
    /// Registers whose elements go to several values at the end, which all together fit a tile.
    pub(crate) parts: Vec<(usize, Parts)>,
    pub(crate) sums: SmallVec<[Place; MOST_SUMS]>,
    /// The elements of each value, and those of a tile.
    pub(crate) len: usize,
    pub(crate) tile: usize,
    /// The elements of a row, if tiles end where rows do.
    pub(crate) row: Option<usize>,
    /// Memory for tiles.
    pub(crate) registers: Registers,
}

/// Tiles beside each other in a buffer, which start where lines of the cache do: vectors that cross lines take twice the time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers {
    pub(crate) place: Place,
    pub(crate) count: usize,
}

impl<T: Number> Chain<T> {
    /// The names of its operations, for a listing.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.micro.iter().flat_map(|micro| match micro {
            Micro::Op { op, .. } => self.kinds[*op as usize].names(),
            Micro::InTurn { both, .. } => both.names(),
            Micro::Sum { of: [_, Arg::Nothing], .. } => smallvec!["sum"],
            Micro::Sum { .. } => smallvec!["mul", "sum"],
            Micro::Coded { .. } => smallvec![],
        })
    }

    /// From one register to the next: a line further than the tile is long, since addresses that are multiples of 4 KB apart
    /// compete for the cache; and code reads whole vectors from any element of a tile on.
    fn stride(&self) -> usize {
        self.tile.min(self.len).next_multiple_of(LANES) + LINE / size_of::<T>()
    }

    /// The elements that its registers take, with what aligning them may.
    pub(crate) fn memory(&self) -> usize {
        self.registers.count * self.stride() + LINE / size_of::<T>()
    }

    /// Every place that it reaches in so many elements, how far, and whether it writes. What it reads as it was before it is
    /// written over, element by element, is not among them, nor what it reads after it has made it.
    ///
    /// # Panics
    /// Where an operation by slices would write over what it reads.
    pub(super) fn accesses(&self, len: usize) -> Vec<(Place, usize, bool)> {
        let mut list = vec![(self.registers.place, self.memory(), true)];
        let made: HashSet<Place> = self.micro.iter().flat_map(Micro::outs).filter_map(Out::place).collect();
        list.extend(self.sums.iter().map(|&sum| (sum, 1, true)));
        for micro in &self.micro {
            let (args, outs) = (micro.args(), micro.outs().map(Out::place));
            let apart = |arg: &Arg| !matches!(*arg, Arg::Full(place) if outs.contains(&Some(place)));
            assert!(matches!(micro, Micro::InTurn { .. }) || args.iter().all(apart), "{micro:?} reads what it writes");
            for arg in args {
                match arg {
                    Arg::Full(place) if !made.contains(&place) => list.push((place, len, false)),
                    Arg::Number(place) => list.push((place, 1, false)),
                    Arg::Row(row) => {
                        let (place, n) = self.rows[row as usize];
                        list.push((place, n as usize, false));
                    }
                    Arg::Window(seen) => {
                        let Seen { from, len: all, by_row, .. } = self.windows[seen as usize];
                        list.push((from, self.spread(all, by_row, len), false));
                    }
                    Arg::Full(_) | Arg::Register(_) | Arg::Repeated(_) | Arg::Nothing => {}
                }
            }
            list.extend(outs.into_iter().flatten().map(|place| (place, len, true)));
        }
        for fill in &self.fills {
            match *fill {
                Fill::Constant(_) => {}
                Fill::Number(place) | Fill::Repeated(place) => list.push((place, 1, false)),
                Fill::Row(place, n) => list.push((place, n, false)),
                Fill::Column(place, width) | Fill::OfColumn(place, width) => {
                    list.push((place, len.div_ceil(width), false));
                }
                Fill::Spread { from, len: all, by_row, .. } | Fill::Window(Seen { from, len: all, by_row, .. }) => {
                    list.push((from, self.spread(all, by_row, len), false));
                }
                Fill::Before(place) => assert!(made.contains(&place), "what is read as it was before is written"),
                Fill::Parts(ref parts) => self.assert_a_tile(parts),
            }
        }
        for (_, parts) in &self.parts {
            self.assert_a_tile(parts);
            list.extend(parts.iter().map(|part| (part.place, part.len, true)));
        }
        list
    }

    /// How many of all elements of an operand are laid over so many elements.
    fn spread(&self, all: usize, by_row: bool, len: usize) -> usize {
        if by_row { all * len / self.len } else { all }
    }

    fn assert_a_tile(&self, parts: &[Part]) {
        let end = parts.iter().fold(0, |end, part| {
            assert!(part.start >= end, "{part:?} lies behind {end} elements");
            part.start + part.len
        });
        assert!(end <= self.len && self.len <= self.tile, "{end} elements of parts are in a tile of {}", self.tile);
    }

    /// What it reads before it writes anything: places, and how far.
    pub(super) fn reads_first(&self) -> impl Iterator<Item = (Place, usize)> {
        let parts = self.fills.iter().filter_map(|fill| if let Fill::Parts(parts) = fill { Some(parts) } else { None });
        parts.flatten().map(|part| (part.place, part.len))
    }

    /// Whether it has sums that go on from tile to tile, or from block to block.
    pub(crate) fn has_sums_that_go_on(&self, in_blocks: bool) -> bool {
        !self.sums.is_empty() && (in_blocks || self.len > self.tile)
    }

    /// Computes so many elements, of the block that starts at this row. Its sums are added to those that run, and stored at the end;
    /// where none run, all elements are one tile.
    ///
    /// # Safety
    /// There is a base for each place of [`Chain::accesses`], with as many elements behind it, and none that is written
    /// overlaps another, or is used by somebody else meanwhile.
    pub(super) unsafe fn run(
        &self,
        bases: &[Base<T>],
        (row, len): (usize, usize),
        (running, is_end): (&mut [Running<T>], bool),
        level: Level,
    ) {
        level.run(Run { chain: self, bases, row, len, running, is_end, level });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_of_a_chain_is_small() {
        assert!(size_of::<Micro>() <= 64, "{} bytes: long programs wait for memory", size_of::<Micro>());
    }
}
