//! A chain at work: its tiles, one after the other.
#![expect(unsafe_code, reason = "tiles lie in buffers that pointers name")]

use super::coded::MOST_POINTERS;
use super::pieces::{Walk, Walks, Windows};
use super::{Arg, Chain, Coded, Micro, Out, Reach};
use crate::kernels::in_turn::{Source, in_turn};
use crate::kernels::machine::LINE;
use crate::kernels::map::LANES;
use crate::kernels::place::{Base, Place};
use crate::kernels::reduce::{self, Running};
use crate::kernels::window::Pieces;
use crate::number::Number;
use crate::number::level::{Kernel, Level};
use std::mem::MaybeUninit;
use std::ops::Range;

/// A chain at work. Whoever makes one promises what [`Chain::run`] asks for.
pub(super) struct Run<'a, T> {
    pub(super) chain: &'a Chain<T>,
    pub(super) bases: &'a [Base<T>],
    pub(super) row: usize,
    pub(super) len: usize,
    pub(super) running: &'a mut [Running<T>],
    pub(super) is_end: bool,
    pub(super) level: Level,
}

impl<T: Number> Kernel for Run<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(mut self) {
        let running = std::mem::take(&mut self.running);
        let Chain { fills, kinds, micro, codes, parts, sums: places, tile: most, row, registers, .. } = self.chain;
        let row = row.unwrap_or(self.len);
        let first = self.at(registers.place);
        let first = first.wrapping_byte_add(first.addr().wrapping_neg() % LINE);
        let (mut walk, mut walks) = (None, Walks::new());
        let mut tile = Tile { first, stride: self.chain.stride(), start: 0, n: 0 };
        while tile.start < self.len {
            tile.n = (*most).min(self.len - tile.start).min(row - tile.start % row);
            for (r, fill) in fills.iter().enumerate() {
                // SAFETY: a register has the elements of a tile, and nobody else has it; whoever made this promises the places.
                unsafe {
                    fill.fill(
                        |place| self.at(place),
                        tile.register(r as u32),
                        tile.n,
                        (tile.start, self.len),
                        self.chain,
                    );
                };
            }
            let mut rest = micro.iter();
            while let Some(micro) = rest.next() {
                match micro {
                    Micro::Coded { code, instead } => {
                        if codes[*code as usize].code.can_run(self.level) {
                            self.coded(*code as usize, &mut walks, &tile);
                            rest = rest.as_slice()[*instead as usize..].iter();
                        }
                    }
                    // One loop for all: what does a piece is compiled for each pair of operations.
                    Micro::InTurn { both, args, out, reach } => loop {
                        let (abc, to, n) = if *reach == Reach::Pieces {
                            self.piece(&mut walk, (args, *out), &tile)
                        } else {
                            let [a, b, c] = args;
                            let source = |arg: &Arg| self.source(*arg, &tile);
                            ([source(a), source(b), source(c)], self.target(*out, &tile), tile.n)
                        };
                        // SAFETY: whoever made this promises the places; a register has whole vectors.
                        unsafe { in_turn(*both, abc, to, (n, *reach == Reach::Vectors)) };
                        if *reach != Reach::Pieces || walk.is_none() {
                            break;
                        }
                    },
                    Micro::Op { op, args: [a, b, c], out, second } => {
                        let arg = |arg: &Arg| self.slice(*arg, &tile);
                        kinds[*op as usize].run(
                            [arg(a), arg(b), arg(c)],
                            self.result(*out, &tile),
                            self.result(*second, &tile),
                        );
                    }
                    Micro::Sum { sum, of, part } => {
                        let place = places[*sum as usize];
                        self.add_up(of, part.as_ref(), running.get_mut(*sum as usize), place, &tile);
                    }
                }
            }
            tile.start += tile.n;
        }
        for (r, parts) in parts {
            for part in parts {
                let from = tile.register(*r as u32).cast_const().wrapping_add(part.start);
                // SAFETY: whoever made this promises the places; the parts are in a tile, as `accesses` asserts.
                unsafe { copy_elements(from, self.at(part.place), part.len) };
            }
        }
        for (&place, sum) in places.iter().zip(running).filter(|_| self.is_end) {
            // SAFETY: as above.
            unsafe { *self.at(place) = T::ZERO + sum.total() };
        }
    }
}

/// The elements that are worked on: `n` from `start` on, and where their registers are.
struct Tile<T> {
    first: *mut T,
    stride: usize,
    start: usize,
    n: usize,
}

impl<T> Tile<T> {
    #[inline(always)]
    fn register(&self, r: u32) -> *mut T {
        self.first.wrapping_add(r as usize * self.stride)
    }
}

impl<T: Number> Run<'_, T> {
    #[inline(always)]
    fn at(&self, place: Place) -> *mut T {
        // SAFETY: whoever made this promises a base for each place.
        unsafe { self.bases.get_unchecked(place.spot()) }.0.wrapping_add(place.per_row() * self.row)
    }

    /// Where a row is, from the element on that the tile begins with.
    #[inline(always)]
    fn row(&self, row: u32, tile: &Tile<T>) -> *mut T {
        let (place, n) = self.chain.rows[row as usize];
        self.at(place).wrapping_add(tile.start % n as usize)
    }

    /// What a cheap operation reads.
    #[inline(always)]
    fn source(&self, arg: Arg, tile: &Tile<T>) -> Source<T> {
        match arg {
            Arg::Full(place) => Source { data: self.at(place).wrapping_add(tile.start), step: 1 },
            Arg::Row(row) => Source { data: self.row(row, tile), step: 1 },
            Arg::Register(r) => Source { data: tile.register(r), step: 1 },
            Arg::Repeated(r) => Source { data: tile.register(r), step: 0 },
            // A walk says where.
            Arg::Window(_) => Source { data: std::ptr::null(), step: 0 },
            Arg::Number(_) | Arg::Nothing => unreachable!("numbers are repeated"),
        }
    }

    /// Adds up the elements of an operand, or products, or a part of them: to a sum that runs, or into its place.
    fn add_up(
        &self,
        [x, y]: &[Arg; 2],
        part: Option<&Range<u32>>,
        running: Option<&mut Running<T>>,
        place: Place,
        tile: &Tile<T>,
    ) {
        let part = part.map_or(0..tile.n, |part| part.start as usize..part.end as usize);
        let of = |arg: &Arg| &self.slice(*arg, tile)[part.clone()];
        let total = match (running, y) {
            (Some(running), Arg::Nothing) => return running.add(of(x)),
            (Some(running), _) => return running.add_products(of(x), of(y)),
            // Where none run, all elements are one tile.
            (None, Arg::Nothing) => reduce::sum(of(x)),
            (None, _) => reduce::sum_of_products(of(x), of(y)),
        };
        // The tape adds sums to zeros. SAFETY: whoever made this promises the places.
        unsafe { *self.at(place) = T::ZERO + total };
    }

    /// Runs code for a tile.
    #[inline(always)]
    fn coded<'r>(&'r self, index: usize, walks: &mut Walks<'r, T>, tile: &Tile<T>) {
        let code = &self.chain.codes[index];
        let mut table = [const { MaybeUninit::<*const T>::uninit() }; MOST_POINTERS];
        for (pointer, &arg) in table.iter_mut().zip(&code.table) {
            pointer.write(match arg {
                Arg::Number(place) => self.at(place),
                Arg::Full(_) | Arg::Row(_) | Arg::Register(_) | Arg::Repeated(_) | Arg::Window(_) | Arg::Nothing => {
                    self.source(arg, tile).data
                }
            });
        }
        if code.in_pieces {
            let windows = walks.of(index, || self.windows(&code.table, tile));
            return Self::coded_in_pieces(code, windows, &mut table, tile);
        }
        // SAFETY: whoever made this promises the places; a register has whole vectors; `can_run` asked for the level; code reads no more
        // pointers than its table has.
        unsafe { code.run(tile.first.cast(), table.as_ptr().cast(), (0, tile.n)) };
    }

    /// The same piece by piece of the windows that it reads.
    #[inline(never)]
    fn coded_in_pieces(
        code: &Coded,
        windows: &mut Windows<'_, T>,
        table: &mut [MaybeUninit<*const T>],
        tile: &Tile<T>,
    ) {
        let mut start = 0;
        while start < tile.n {
            // Code counts from the start of the tile.
            let tell = |k: usize, data: *const T| _ = table[k].write(data.wrapping_sub(start));
            let n = windows.next(tile.n - start, tell);
            // SAFETY: as above; the windows are there for so many elements.
            unsafe { code.run(tile.first.cast(), table.as_ptr().cast(), (start, n)) };
            start += n;
        }
    }

    /// What a cheap operation reads and writes next of a tile, and how many elements: begins a walk, or goes on with one, which is
    /// none again at its end.
    #[inline(never)]
    fn piece<'r>(
        &'r self,
        walk: &mut Option<Walk<'r, T>>,
        (args, out): (&[Arg; 3], Out),
        tile: &Tile<T>,
    ) -> ([Source<T>; 3], *mut T, usize) {
        let now = walk.get_or_insert_with(|| {
            let windows = self.windows(args, tile);
            let sources = args.map(|arg| self.source(arg, tile));
            Walk { windows, sources, out: self.target(out, tile), left: tile.n }
        });
        let piece = now.next();
        if now.left == 0 {
            *walk = None;
        }
        piece
    }

    /// The windows among operands.
    fn windows(&self, args: &[Arg], tile: &Tile<T>) -> Windows<'_, T> {
        Windows::new(args.iter().enumerate().filter_map(|(k, arg)| {
            let Arg::Window(seen) = *arg else { return None };
            let seen = &self.chain.windows[seen as usize];
            Some((k, Pieces::new(&seen.window, tile.start), self.at(seen.from).cast_const()))
        }))
    }

    /// Where it writes.
    #[inline(always)]
    fn target(&self, out: Out, tile: &Tile<T>) -> *mut T {
        match out {
            Out::Full(place) => self.at(place).wrapping_add(tile.start),
            Out::Register(r) => tile.register(r),
            Out::Nowhere => unreachable!("it makes something"),
        }
    }

    /// What an operation by slices reads.
    #[inline(always)]
    fn slice(&self, arg: Arg, tile: &Tile<T>) -> &[T] {
        let (data, n) = match arg {
            Arg::Nothing => return &[],
            Arg::Full(place) => (self.at(place).wrapping_add(tile.start), tile.n),
            Arg::Row(row) => (self.row(row, tile), tile.n),
            Arg::Number(place) => (self.at(place), 1),
            Arg::Register(r) => (tile.register(r), tile.n),
            Arg::Repeated(r) => (tile.register(r), 1),
            Arg::Window(_) => unreachable!("cheap operations alone read windows where they lie"),
        };
        // SAFETY: whoever made this promises the places; nobody writes them while the operation reads.
        unsafe { std::slice::from_raw_parts(data.cast_const(), n) }
    }

    /// Where an operation by slices writes.
    #[inline(always)]
    #[expect(clippy::mut_from_ref, reason = "places are pointers, and a result is no operand")]
    fn result(&self, out: Out, tile: &Tile<T>) -> &mut [T] {
        let data = match out {
            Out::Nowhere => return &mut [],
            Out::Full(place) => self.at(place).wrapping_add(tile.start),
            Out::Register(r) => tile.register(r),
        };
        // SAFETY: whoever made this promises the places; the operation reads others.
        unsafe { std::slice::from_raw_parts_mut(data, tile.n) }
    }
}

/// Copies elements, vector by vector, within the function of a level; what does not fill one goes by halves.
///
/// # Safety
/// Both places have so many, and do not overlap.
#[inline(always)]
pub(in crate::kernels) unsafe fn copy_elements<T: Number>(from: *const T, to: *mut T, n: usize) {
    let mut i = 0;
    macro_rules! copy {
        ($n:expr) => {
            // SAFETY: the caller promises the elements.
            unsafe { to.add(i).cast::<[T; $n]>().write_unaligned(from.add(i).cast::<[T; $n]>().read_unaligned()) };
            i += $n;
        };
    }
    while i + LANES <= n {
        copy!(LANES);
    }
    if n & 8 != 0 {
        copy!(8);
    }
    if n & 4 != 0 {
        copy!(4);
    }
    if n & 2 != 0 {
        copy!(2);
    }
    if n & 1 != 0 {
        // SAFETY: as above.
        unsafe { *to.add(i) = *from.add(i) };
    }
}
