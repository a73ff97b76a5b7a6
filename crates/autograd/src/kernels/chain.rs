//! Element-wise operations one after the other, and sums of what they make, tile by tile, so that what is between them stays in
//! the first-level cache.
#![expect(unsafe_code, reason = "tiles lie in buffers that pointers name")]

use super::machine::LINE;
use super::map::copy;
use super::place::Place;
use super::reduce::{self, Running};
use super::spread::{Spread, repeat, stretch};
use crate::number::Number;
use smallvec::{SmallVec, smallvec};
use std::fmt::Debug;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arg {
    /// There is none.
    Nothing,
    /// A value in a buffer, an element for each of the chain's.
    Full(Place),
    /// A number in a buffer.
    Number(Place),
    Register(usize),
}

/// Where an operation leaves its tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Out {
    Nowhere,
    Full(Place),
    Register(usize),
}

/// One operation of a chain.
#[derive(Clone, Debug)]
pub(crate) enum Micro<T> {
    Op {
        op: Arc<dyn TileOp<T>>,
        args: [Arg; 3],
        out: Out,
        /// Where the second result of one that has two goes.
        second: Out,
    },
    /// Adds up the elements of an operand.
    Sum { sum: usize, of: Arg },
}

/// Places one behind the other, each with its elements.
pub(crate) type Parts = Box<[(Place, usize)]>;

/// What a register holds before the operations begin.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fill<T> {
    /// This number.
    Constant(T),
    /// One that is in a buffer.
    Number(Place),
    /// A row of so many elements, repeated.
    Row(Place, usize),
    /// Elements that each stand for so many neighbours.
    Column(Place, usize),
    /// So many elements, laid over all as rows and columns in turn.
    Spread { from: Place, spread: Spread, len: usize },
    /// A value that will be written over.
    Before(Place),
    /// Values one behind the other, each with its elements, as they are before anything is written; all of them fit a tile.
    Parts(Parts),
}

/// Element-wise operations of one shape, each before its readers, and sums of their values.
#[derive(Clone, Debug)]
pub(crate) struct Chain<T> {
    /// What registers hold, from the first on.
    pub(crate) fills: Vec<Fill<T>>,
    pub(crate) micro: Vec<Micro<T>>,
    /// Registers whose elements go to several values at the end, which all together fit a tile.
    pub(crate) parts: Vec<(usize, Parts)>,
    pub(crate) sums: SmallVec<[Place; MOST_SUMS]>,
    /// The elements of each value, and those of a tile.
    pub(crate) len: usize,
    pub(crate) tile: usize,
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
            Micro::Op { op, .. } => op.names(),
            Micro::Sum { .. } => smallvec!["sum"],
        })
    }

    /// From one register to the next: a line further than the tile is long, since addresses that are multiples of 4 KB apart
    /// compete for the cache.
    fn stride(&self) -> usize {
        let line = LINE / size_of::<T>();
        self.tile.min(self.len).next_multiple_of(line) + line
    }

    /// The elements that its registers take, with what aligning them may.
    pub(crate) fn memory(&self) -> usize {
        self.registers.count * self.stride() + LINE / size_of::<T>()
    }

    /// Every place that it reaches in so many elements, how far, and whether it writes. What it reads as it was before it is
    /// written over is not among them, nor what it reads after it has made it.
    pub(super) fn accesses(&self, len: usize) -> Vec<(Place, usize, bool)> {
        let mut list = vec![(self.registers.place, self.memory(), true)];
        let mut made: Vec<Place> = Vec::new();
        list.extend(self.sums.iter().map(|&sum| (sum, 1, true)));
        for micro in &self.micro {
            let (args, outs) = match micro {
                Micro::Op { args, out, second, .. } => (*args, [*out, *second]),
                Micro::Sum { of, .. } => ([*of, Arg::Nothing, Arg::Nothing], [Out::Nowhere; 2]),
            };
            for arg in args {
                match arg {
                    Arg::Full(place) if !made.contains(&place) => list.push((place, len, false)),
                    Arg::Number(place) => list.push((place, 1, false)),
                    Arg::Full(_) | Arg::Register(_) | Arg::Nothing => {}
                }
            }
            for out in outs {
                if let Out::Full(place) = out {
                    list.push((place, len, true));
                    made.push(place);
                }
            }
        }
        for fill in &self.fills {
            match *fill {
                Fill::Constant(_) => {}
                Fill::Number(place) => list.push((place, 1, false)),
                Fill::Row(place, n) => list.push((place, n, false)),
                Fill::Column(place, width) => list.push((place, len.div_ceil(width), false)),
                Fill::Spread { from, len, .. } => list.push((from, len, false)),
                Fill::Before(place) => assert!(made.contains(&place), "what is read as it was before is written"),
                Fill::Parts(ref parts) => self.assert_a_tile(parts),
            }
        }
        for (_, parts) in &self.parts {
            self.assert_a_tile(parts);
            list.extend(parts.iter().map(|&(place, len)| (place, len, true)));
        }
        list
    }

    fn assert_a_tile(&self, parts: &[(Place, usize)]) {
        let len: usize = parts.iter().map(|part| part.1).sum();
        assert!(len == self.len && len <= self.tile, "{len} elements of parts are a tile of {}", self.tile);
    }

    /// What it reads before it writes anything: places, and how far.
    pub(super) fn reads_first(&self) -> impl Iterator<Item = (Place, usize)> {
        let parts = self.fills.iter().filter_map(|fill| if let Fill::Parts(parts) = fill { Some(parts) } else { None });
        parts.flatten().copied()
    }

    /// Computes so many elements.
    ///
    /// # Safety
    /// `at` gives a pointer for each place of [`Chain::accesses`], with as many elements behind it, and none that is written
    /// overlaps another, or is used by somebody else meanwhile.
    pub(super) unsafe fn run(&self, at: impl Fn(Place) -> *mut T, len: usize) {
        let first = at(self.registers.place);
        let first = first.wrapping_byte_add(first.addr().wrapping_neg() % LINE);
        let stride = self.stride();
        let register = |r: usize| first.wrapping_add(r * stride);
        let mut sums: SmallVec<[Running<T>; MOST_SUMS]> = SmallVec::new();
        let in_one = len <= self.tile;
        if !in_one {
            sums.extend(self.sums.iter().map(|_| Running::new()));
        }
        let mut start = 0;
        while start < len {
            let n = self.tile.min(len - start);
            for (r, fill) in self.fills.iter().enumerate() {
                // SAFETY: a register has the elements of a tile, and nobody else has it.
                let tile = unsafe { std::slice::from_raw_parts_mut(register(r), n) };
                // SAFETY: the caller promises the places.
                unsafe { fill.fill(&at, tile, start, self.tile) };
            }
            let arg = |arg: Arg| {
                let (data, n) = match arg {
                    Arg::Nothing => return &[][..],
                    Arg::Full(place) => (at(place).wrapping_add(start), n),
                    Arg::Number(place) => (at(place), 1),
                    Arg::Register(r) => (register(r), n),
                };
                // SAFETY: the caller promises the places; nobody writes them while the operation reads.
                unsafe { std::slice::from_raw_parts(data.cast_const(), n) }
            };
            let out = |out: Out| {
                let data = match out {
                    Out::Nowhere => return &mut [][..],
                    Out::Full(place) => at(place).wrapping_add(start),
                    Out::Register(r) => register(r),
                };
                // SAFETY: the caller promises the places; the operation reads others.
                unsafe { std::slice::from_raw_parts_mut(data, n) }
            };
            for micro in &self.micro {
                match micro {
                    Micro::Op { op, args, out: to, second } => {
                        op.run([arg(args[0]), arg(args[1]), arg(args[2])], out(*to), out(*second));
                    }
                    Micro::Sum { sum, of } if in_one => {
                        // The tape adds sums to zeros.
                        let total = T::ZERO + reduce::sum(arg(*of));
                        // SAFETY: the caller promises the place.
                        unsafe { *at(self.sums[*sum]) = total };
                    }
                    Micro::Sum { sum, of } => sums[*sum].add(arg(*of)),
                }
            }
            start += n;
        }
        for (r, parts) in &self.parts {
            let mut from = register(*r).cast_const();
            for &(place, n) in parts {
                // SAFETY: the caller promises the places; all parts together are a tile, as `accesses` asserts.
                unsafe {
                    let part = std::slice::from_raw_parts(from, n);
                    copy(part, std::slice::from_raw_parts_mut(at(place), n));
                    from = from.add(n);
                }
            }
        }
        for (place, sum) in self.sums.iter().zip(sums) {
            // SAFETY: the caller promises the place.
            unsafe { *at(*place) = T::ZERO + sum.total() };
        }
    }
}

impl<T: Number> Fill<T> {
    /// Whether a tile is the same as the one before it, if all have this length.
    fn repeats(&self, tile: usize) -> bool {
        match self {
            Self::Constant(_) | Self::Number(_) => true,
            Self::Row(_, n) => tile.is_multiple_of(*n),
            Self::Spread { spread, .. } => spread.period().is_some_and(|n| tile.is_multiple_of(n)),
            Self::Column(..) | Self::Before(_) | Self::Parts(_) => false,
        }
    }

    /// # Safety
    /// `at` gives a pointer for the place with the elements that are needed for a tile from element `start` on, and where that
    /// is not 0, the tile holds what it held before, of which whole tiles have this length.
    #[inline]
    unsafe fn fill(&self, at: &impl Fn(Place) -> *mut T, tile: &mut [T], start: usize, whole: usize) {
        if start > 0 && self.repeats(whole) {
            return;
        }
        // SAFETY: the caller promises the elements.
        unsafe {
            match *self {
                Self::Constant(number) => tile.fill(number),
                Self::Number(place) => tile.fill(*at(place)),
                Self::Row(place, n) => {
                    let row = std::slice::from_raw_parts(at(place).cast_const(), n);
                    repeat(row, start % n, tile);
                }
                Self::Column(place, width) => {
                    let needed = (start + tile.len()).div_ceil(width);
                    stretch(std::slice::from_raw_parts(at(place).cast_const(), needed), width, start, tile);
                }
                Self::Spread { from, ref spread, len } => {
                    spread.fill(std::slice::from_raw_parts(at(from).cast_const(), len), start, tile);
                }
                Self::Before(place) => {
                    let before = std::slice::from_raw_parts(at(place).add(start).cast_const(), tile.len());
                    copy(before, tile);
                }
                Self::Parts(ref parts) => {
                    let mut rest = tile;
                    for &(place, n) in parts {
                        let (now, later) = rest.split_at_mut(n);
                        copy(std::slice::from_raw_parts(at(place).cast_const(), n), now);
                        rest = later;
                    }
                }
            }
        }
    }
}
