//! Code for the CPU at hand, made when a program is lowered: cheap element-wise operations one after the other in one loop, with what is
//! between them in registers. A loop for each of two operations loads three vectors and stores one for them; this loads each operand once.
//! Several vectors go side by side, since the operations of one wait for each other.
//!
//! The bits are those of the loops, but for those of a NaN: the same instructions, none of them fused. Where there is no code, since the
//! CPU has no vectors that it could use, or the system gives no memory that can be executed, the loops do the same.
#![expect(unsafe_code, reason = "what is executed was written a moment ago")]

mod control;
mod encode;
pub(crate) mod formula;
mod pages;
mod registers;

pub(super) use encode::{Element, Set};
pub(crate) use pages::{Executable, Pages};

use crate::number::level::Level;
use formula::{Constant, Formula, Op, Step, Term};
pub(super) use registers::Move;
use registers::Writer;

/// What has cheap operations that can be code.
pub(crate) trait WithCode {
    /// Adds code for them to pages, where the CPU can run some.
    fn write_code(&mut self, pages: &mut Pages);
    /// Its code is in memory that can be executed.
    fn bind_code(&mut self, memory: &Executable);
    /// How many pieces of code it has.
    #[cfg(test)]
    fn codes(&self) -> usize;
}

/// Where an element is, or a vector that stands for all elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Home {
    /// Behind a pointer of the table.
    Pointer(usize),
    /// In a tile, so many bytes behind the first; there is room for whole vectors.
    Tile(i32),
    /// A vector there, the same for all elements.
    Repeated(i32),
    /// One number behind a pointer of the table.
    Number(usize),
    /// One number, so many bytes behind the first: what is computed there is the same in all lanes, and goes there from one of them.
    Cell(i32),
    /// In a register of the CPU alone, until the last line that reads it.
    Passing(usize),
}

/// What a line reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Read {
    Home(Home),
    Constant(Constant),
}

/// One step: what it reads, where its result goes, and whether somebody else reads that there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub(super) op: Op,
    pub(super) of: [Read; 4],
    pub(super) out: Home,
    pub(super) is_kept: bool,
}

/// Adds the lines of a formula, whose operands are read where it is told, unless one is nowhere; and where its result goes, and
/// whether somebody else reads that there.
pub(super) fn add_lines(
    lines: &mut Vec<Line>,
    formula: &Formula,
    mut arg: impl FnMut(u8) -> Option<Read>,
    (out, is_kept): (Home, bool),
) -> Option<()> {
    let start = lines.len();
    for (k, Step { op, of }) in formula.0.iter().enumerate() {
        let mut read = [Read::Constant(Constant::Sign); 4];
        for (read, term) in read.iter_mut().zip(of) {
            *read = match *term {
                Term::Arg(k) => arg(k)?,
                Term::Step(step) => Read::Home(Home::Passing(start + step as usize)),
                Term::Constant(constant) => Read::Constant(constant),
            };
        }
        let is_last = k + 1 == formula.0.len();
        let (out, is_kept) = if is_last { (out, is_kept) } else { (Home::Passing(start + k), false) };
        lines.push(Line { op: *op, of: read, out, is_kept });
    }
    Some(())
}

/// A loop over elements that can be called, once there is memory for it.
#[derive(Clone, Debug)]
pub(super) struct Code {
    /// What holds it.
    memory: Option<Executable>,
    /// Where it begins, and the part for what does not fill a vector, if that may not be read and written; before there is memory,
    /// counted from its start.
    start: usize,
    end: Option<usize>,
    /// The logarithm of the lanes of a vector.
    lanes: u32,
    set: Set,
    element: Element,
}

/// Masks of which the last lanes are off, from a lane on.
static MASK_F32: [i32; 16] = [-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0];
static MASK_F64: [i64; 8] = [-1, -1, -1, -1, 0, 0, 0, 0];

impl Code {
    /// Code for operations, added to pages, if there are registers enough; if `in_pieces`, it may be run for a part of a tile.
    pub(super) fn new(set: Set, element: Element, lines: &[Line], in_pieces: bool, pages: &mut Pages) -> Option<Self> {
        let (code, end) = Writer::new(set, element, lines, in_pieces).code()?;
        let start = pages.add(&code);
        let (end, lanes) = (end.map(|end| start + end), (set.bytes() / element.bytes()).ilog2());
        Some(Self { memory: None, start, end, lanes, set, element })
    }

    /// Code for operations that are done once, on cells and single numbers behind pointers, and for copies of numbers behind them.
    pub(super) fn once(set: Set, element: Element, lines: &[Line], moves: &[Move], pages: &mut Pages) -> Option<Self> {
        let (code, _) = Writer::once(set, element, lines, moves).code()?;
        Some(Self { memory: None, start: pages.add(&code), end: None, lanes: 0, set, element })
    }

    /// Its pages are in memory that can be executed.
    pub(super) fn bind(&mut self, memory: &Executable) {
        if self.memory.is_some() {
            return;
        }
        self.start += memory.start();
        self.end = self.end.map(|end| end + memory.start());
        self.memory = Some(memory.clone());
    }

    /// Whether it can be executed at a level.
    #[inline(always)]
    pub(super) fn can_run(&self, level: Level) -> bool {
        self.set.bytes() <= level.vector_bytes() && self.memory.is_some()
    }

    /// Does the operations for `n` elements from one on.
    ///
    /// # Safety
    /// It can run. Behind each pointer of the table are the elements of this part, counted from the pointer, and in each tile from `tiles`
    /// on too, of the type of the code, and nobody else uses them. Of a tile as many elements more as a vector has may be read; what is
    /// written there is whole vectors, or, in pieces, these elements alone.
    #[inline(always)]
    pub(super) unsafe fn run(&self, tiles: *mut u8, table: *const *mut u8, (start, n): (usize, usize)) {
        let (all, left) = (n >> self.lanes, n & ((1 << self.lanes) - 1));
        let whole = (all + usize::from(self.end.is_none() && left > 0)) * self.set.bytes();
        let start = start * self.element.bytes();
        if whole > 0 {
            // SAFETY: the map has a function there, which reads and writes what the caller promises.
            unsafe { call(self.start, (tiles, table), (start, start + whole), 0) }
        }
        if left > 0
            && let Some(end) = self.end
        {
            // SAFETY: as of this; that code was written with the loop.
            unsafe { self.run_end(end, (tiles, table), start + whole, left) };
        }
    }

    /// Does operations that are done once.
    ///
    /// # Safety
    /// It can run. From `cells` on are those of its lines, and behind the pointers of the table that it names numbers, of the type of the
    /// code, and nobody else uses them.
    #[inline(always)]
    pub(super) unsafe fn run_once(&self, cells: *mut u8, table: *const *mut u8) {
        // SAFETY: the map has a function there, which reads and writes what the caller promises.
        unsafe { call(self.start, (cells, table), (0, 0), 0) }
    }

    /// Does what is left.
    ///
    /// # Safety
    /// As of [`Code::run`], of the code that begins there.
    #[inline(never)]
    unsafe fn run_end(&self, end: usize, (tiles, table): (*mut u8, *const *mut u8), from: usize, left: usize) {
        let mask = match (self.set, self.element) {
            (Set::Avx512, _) => (1 << left) - 1,
            (Set::Avx2, Element::F32) => MASK_F32[8 - left..].as_ptr().expose_provenance(),
            (Set::Avx2, Element::F64) => MASK_F64[4 - left..].as_ptr().expose_provenance(),
        };
        // SAFETY: the caller promises it; a mask that is a pointer is one to a vector.
        unsafe { call(end, (tiles, table), (from, from), mask) }
    }
}

/// Calls a function at an address: with tiles, pointers, from where on in each of them and to where, in bytes, and a mask.
///
/// # Safety
/// [`Writer`] made the function, its memory is there, and what it reads and writes of tiles and behind pointers between these bytes, and by
/// this mask, is the caller's.
#[inline(always)]
unsafe fn call(at: usize, (tiles, table): (*mut u8, *const *mut u8), (start, end): (usize, usize), mask: usize) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: the caller promises it. A function for whole vectors reads no mask.
    unsafe {
        let function: unsafe extern "sysv64" fn(*mut u8, *const *mut u8, usize, usize, usize) =
            std::mem::transmute(std::ptr::with_exposed_provenance::<u8>(at));
        function(tiles, table, start, end, mask);
    }
    #[cfg(not(target_arch = "x86_64"))]
    unreachable!("code at {at} for {tiles:?}, {table:?}, {start} to {end}, {mask}");
}

#[cfg(test)]
pub(crate) mod tests {
    use super::formula::{Comparison, Rounding};
    use super::*;
    use crate::number::Number;
    use crate::number::level::tests::at_every_level;

    /// Code that can be run, if a level has any.
    fn code<T>(level: Level, lines: &[Line], in_pieces: bool) -> Option<Code> {
        let mut pages = Pages::default();
        let mut code = Code::new(Set::of(level)?, Element::of::<T>(), lines, in_pieces, &mut pages)?;
        code.bind(&pages.executable().expect("there is memory for code"));
        assert!(code.can_run(level));
        Some(code)
    }

    /// What a formula makes of three operands, by code of a level, if it has any.
    pub(crate) fn run_formula<T: Number>(level: Level, formula: &Formula, args: [&[T]; 3]) -> Option<Vec<T>> {
        let mut lines = Vec::new();
        add_lines(&mut lines, formula, |k| Some(Read::Home(Home::Pointer(k as usize))), (Home::Pointer(3), true));
        let code = code::<T>(level, &lines, false)?;
        // What lies behind the elements stays as it is.
        let n = args[0].len();
        let mut y = vec![T::of(77.0); n + 16];
        let [a, b, c] = args.map(|x| x.as_ptr().cast_mut().cast());
        let table = [a, b, c, y.as_mut_ptr().cast()];
        // SAFETY: the CPU has the level, and the slices have the elements.
        unsafe { code.run(std::ptr::null_mut(), table.as_ptr(), (0, n)) };
        assert!(y[n..].iter().all(|&x| x == T::of(77.0)), "code wrote behind {n} elements");
        y.truncate(n);
        Some(y)
    }

    /// Numbers by a recurrence.
    pub(crate) struct Random(pub(crate) u64);

    impl Random {
        pub(crate) fn below(&mut self, n: usize) -> usize {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (self.0 >> 33) as usize % n
        }
    }

    const TILES: usize = 9;
    const REPEATED: usize = 3;
    const POINTERS: usize = 14;
    const NUMBERS: usize = 2;
    const TILE: usize = 256;

    /// The memory that code works on.
    #[derive(Clone)]
    struct Memory<T> {
        /// With room for whole vectors; then vectors that stand for all elements.
        tiles: Vec<[T; TILE]>,
        pointers: Vec<Vec<T>>,
    }

    /// What lines do, one element after the other.
    fn interpret<T: Number>(lines: &[Line], memory: &mut Memory<T>, part: std::ops::Range<usize>) {
        let tile = |bytes: i32| bytes as usize / size_of::<[T; TILE]>();
        for i in part {
            let mut passing = vec![T::ZERO; lines.len()];
            for Line { op, of, out, .. } in lines {
                let [a, b, c, d] = of.map(|from| match from {
                    Read::Home(Home::Pointer(k)) => memory.pointers[k][i],
                    Read::Home(Home::Number(k)) => memory.pointers[k][0],
                    Read::Home(Home::Tile(at)) => memory.tiles[tile(at)][i],
                    Read::Home(Home::Repeated(at)) => memory.tiles[tile(at)][0],
                    Read::Home(Home::Passing(k)) => passing[k],
                    Read::Home(Home::Cell(_)) => unreachable!("lines of vectors"),
                    Read::Constant(Constant::Number(x)) => T::of(x),
                    Read::Constant(Constant::Sign | Constant::Magnitude) => unreachable!("lines of numbers"),
                });
                let y = match op {
                    Op::Add => a + b,
                    Op::Sub => a - b,
                    Op::Mul => a * b,
                    Op::Div => a / b,
                    Op::Sqrt => a.sqrt(),
                    Op::Round(Rounding::Nearest) => a.round_ties_even(),
                    Op::Round(Rounding::Below) => a.floor(),
                    Op::Round(Rounding::Above) => a.ceil(),
                    Op::Choose(comparison) => {
                        let holds = match comparison {
                            Comparison::Equal => a == b,
                            Comparison::NotEqual => a != b,
                            Comparison::Less => a < b,
                            Comparison::LessOrEqual => a <= b,
                            Comparison::GreaterOrEqual => a >= b,
                            Comparison::Greater => a > b,
                        };
                        if holds { c } else { d }
                    }
                    Op::And | Op::Or | Op::Xor => unreachable!("lines of numbers"),
                };
                match *out {
                    Home::Pointer(k) => memory.pointers[k][i] = y,
                    Home::Tile(at) => memory.tiles[tile(at)][i] = y,
                    Home::Passing(k) => passing[k] = y,
                    Home::Repeated(_) | Home::Number(_) | Home::Cell(_) => unreachable!("nothing is written there"),
                }
            }
        }
    }

    /// Lines that want more registers than there are, and more pointers.
    fn random_lines<T>(random: &mut Random) -> Vec<Line> {
        let at = |k: usize| (k * size_of::<[T; TILE]>()) as i32;
        let count = 1 + random.below(40);
        let mut passing: Option<usize> = None;
        let mut lines: Vec<Line> = Vec::new();
        for k in 0..count {
            let mut from = || match (random.below(12), passing) {
                (0, _) => Read::Constant(Constant::Number([0.0, 1.0, -0.5][random.below(3)])),
                (1, _) => Read::Home(Home::Repeated(at(TILES + random.below(REPEATED)))),
                (2, _) => Read::Home(Home::Number(POINTERS + random.below(NUMBERS))),
                (3..6, Some(last)) => Read::Home(Home::Passing(last)),
                (3..8, _) => Read::Home(Home::Pointer(random.below(POINTERS))),
                _ => Read::Home(Home::Tile(at(random.below(TILES)))),
            };
            let of = [from(), from(), from(), from()];
            let comparisons = [
                Comparison::Equal,
                Comparison::NotEqual,
                Comparison::Less,
                Comparison::LessOrEqual,
                Comparison::GreaterOrEqual,
                Comparison::Greater,
            ];
            let op = match random.below(12) {
                0..3 => Op::Add,
                3..5 => Op::Sub,
                5..8 => Op::Mul,
                8 => Op::Div,
                9 => [Op::Sqrt, Op::Round(Rounding::Nearest), Op::Round(Rounding::Below), Op::Round(Rounding::Above)]
                    [random.below(4)],
                _ => Op::Choose(comparisons[random.below(6)]),
            };
            let is_last = k + 1 == count;
            let out = match random.below(4) {
                0 if !is_last => Home::Passing(k),
                1 => Home::Pointer(random.below(POINTERS)),
                _ => Home::Tile(at(random.below(TILES))),
            };
            passing = if let Home::Passing(k) = out { Some(k) } else { passing };
            lines.push(Line { op, of, out, is_kept: !matches!(out, Home::Passing(_)) });
        }
        lines
    }

    #[test]
    fn code_of_any_lines_makes_the_bits_of_one_step_after_the_other() {
        fn check<T: Number>(level: Level) {
            let mut random = Random(7);
            for round in 0..150 {
                let lines = random_lines::<T>(&mut random);
                let mut number = || T::of((random.below(41) as f64 - 20.0) / 8.0);
                let tiles = (0..TILES + REPEATED).map(|k| {
                    let first = number();
                    std::array::from_fn(|_| if k < TILES { number() } else { first })
                });
                let tiles: Vec<[T; TILE]> = tiles.collect();
                let pointers = (0..POINTERS + NUMBERS).map(|_| (0..TILE).map(|_| number()).collect()).collect();
                let mut memory = Memory { tiles, pointers };
                for (start, n) in [(0, 1), (0, 6), (0, 16), (3, 33), (17, 5), (0, 230), (5, 203)] {
                    let mut want = memory.clone();
                    interpret(&lines, &mut want, start..start + n);
                    let in_pieces = start > 0 || n % 2 == 1;
                    let Some(code) = code::<T>(level, &lines, in_pieces) else { return };
                    let table: Vec<*mut u8> = memory.pointers.iter_mut().map(|p| p.as_mut_ptr().cast()).collect();
                    // SAFETY: the CPU has the level; there are as many elements.
                    unsafe { code.run(memory.tiles.as_mut_ptr().cast(), table.as_ptr(), (start, n)) };
                    let same = |x: &T, y: &T| x.same_bits(*y) || (x.is_nan() && y.is_nan());
                    for (k, (got, want)) in memory.pointers.iter().zip(&want.pointers).enumerate() {
                        let all = got.iter().zip(want).all(|(x, y)| same(x, y));
                        assert!(all, "pointer {k} of {n} from {start} in round {round}, {level:?}: {lines:?}");
                    }
                    for (k, (got, want)) in memory.tiles.iter().zip(&want.tiles).enumerate() {
                        // Whole vectors of a tile are written where it is not in pieces.
                        let part = if in_pieces { TILE } else { n };
                        let all = got[..part].iter().zip(want).all(|(x, y)| same(x, y));
                        assert!(all, "tile {k} of {n} from {start} in round {round}, {level:?}: {lines:?}");
                    }
                }
            }
        }
        at_every_level(|level| {
            check::<f32>(level);
            check::<f64>(level);
        });
    }

    #[test]
    fn more_values_at_a_time_than_there_are_registers_are_not_made_code() {
        let line = |of: [Read; 2], out| Line { op: Op::Add, of: [of[0], of[1], of[0], of[0]], out, is_kept: false };
        let passing = |k: usize| Read::Home(Home::Passing(k));
        at_every_level(|level| {
            for (count, is_code) in [(4, true), (20, false)] {
                let all = Read::Home(Home::Pointer(0));
                let mut lines: Vec<Line> = (0..count).map(|k| line([all, all], Home::Passing(k))).collect();
                for k in 1..count {
                    let before = if k == 1 { 0 } else { count + k - 2 };
                    lines.push(line([passing(before), passing(k)], Home::Passing(count + k - 1)));
                }
                let last = Line { out: Home::Pointer(1), is_kept: true, ..lines[2 * count - 2] };
                lines[2 * count - 2] = last;
                let is_made = code::<f32>(level, &lines, false).is_some();
                assert_eq!(is_made, is_code && Set::of(level).is_some(), "{count} values, {level:?}");
            }
        });
    }
}
