//! Element-wise loops over two operands, with NumPy broadcasting through strides of 0, compiled for each level of vector
//! instructions.
#![cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "packs are read and written where pointers tell"))]

use super::map::{LANES, MOST, TILE, copy, is_plain, level, unit};
use super::strided::{Dim, Odometer, collapse};
use crate::number::Number;
use crate::number::formula::Formula;
#[cfg(target_arch = "x86_64")]
use crate::number::formula::Pack;
use crate::number::level::{Kernel, Level, PackKernel};
use smallvec::SmallVec;

/// How two operands are walked together: rows of the result one after the other, and a step of each operand along a row.
pub(crate) struct Rows {
    len: usize,
    steps: [usize; 2],
    outer: SmallVec<[Dim<usize, 2>; 4]>,
}

impl Rows {
    /// All in one row.
    #[inline]
    pub(crate) fn one(len: usize, steps: [usize; 2]) -> Self {
        Self { len, steps, outer: SmallVec::new() }
    }

    /// A result of these sizes from operands that are broadcast to it by strides of 0.
    pub(crate) fn broadcast(sizes: &[usize], strides: [&[usize]; 2]) -> Self {
        let mut outer = collapse(sizes, strides);
        let (len, steps) = outer.pop().unwrap_or((1, [0, 0]));
        Self { len, steps, outer }
    }

    /// Whether there are many short rows, each of which would cost more than its elements.
    pub(crate) fn are_short(&self) -> bool {
        self.len < LANES && self.outer.iter().map(|&(n, _)| n).product::<usize>() > LANES
    }
}

/// `out[i] = f(a[i], b[i])`, in rows.
#[inline]
pub(crate) fn zip<T: Number>(rows: &Rows, a: &[T], b: &[T], out: &mut [T], f: impl Fn(T, T) -> T) {
    level(out.len()).run(Zip { rows, a, b, out, f });
}

/// As [`zip`], for a function as that of [`map_numbers`](super::map::map_numbers).
#[inline(never)]
pub(crate) fn zip_numbers<T: Number>(rows: &Rows, a: &[T], b: &[T], out: &mut [T], f: impl Fn(T, T) -> T) {
    let (mut at, [sa, sb]) = (Odometer::new(&rows.outer), rows.steps);
    for row in out.chunks_exact_mut(rows.len.max(1)) {
        let [pa, pb] = at.offsets();
        for (i, o) in row.iter_mut().enumerate() {
            *o = f(a[pa + i * sa], b[pb + i * sb]);
        }
        at.step();
    }
}

/// As [`zip`], for a function that is a formula.
#[inline]
pub(crate) fn zip_formula<T: Number>(rows: &Rows, a: &[T], b: &[T], out: &mut [T], f: &impl Formula<2, 1>) {
    let level = Level::best();
    if is_plain(out.len(), level) {
        zip_numbers(
            rows,
            a,
            b,
            out,
            #[inline(always)]
            |a, b| T::of_formula(f, [a, b])[0],
        );
    } else {
        in_tiles(rows, [a, b], out, unit::<T>(level), &|[a, b], out| level.run_packs(ZipFormula { a, b, out, f }));
    }
}

/// As [`zip_formula`], for a function that `f` is only where `f` is not NaN: elsewhere `whole` is called, which is the function everywhere.
#[inline]
pub(crate) fn zip_formula_but<T: Number>(
    rows: &Rows,
    a: &[T],
    b: &[T],
    out: &mut [T],
    f: &impl Formula<2, 1>,
    whole: impl Fn(T, T) -> T,
) {
    let level = Level::best();
    if is_plain(out.len(), level) {
        zip_numbers(rows, a, b, out, whole);
    } else {
        in_tiles(rows, [a, b], out, unit::<T>(level), &|[a, b], out| {
            level.run_packs(ZipFormula { a, b, out: &mut *out, f });
            replace_nan([a, b], out, &whole);
        });
    }
}

/// Computes what is NaN by another function.
#[inline(never)]
fn replace_nan<T: Number>([a, b]: [&[T]; 2], out: &mut [T], whole: &dyn Fn(T, T) -> T) {
    if !out.iter().fold(false, |any, y| any | y.is_nan()) {
        return;
    }
    // An operand that is a number is one unit.
    let (last_a, last_b) = (a.len() - 1, b.len() - 1);
    for (i, y) in out.iter_mut().enumerate().filter(|(_, y)| y.is_nan()) {
        *y = whole(a[i.min(last_a)], b[i.min(last_b)]);
    }
}

/// Computes the results of a piece.
type Tile<'f, T> = &'f dyn Fn([&[T]; 2], &mut [T]);

/// Goes through all in pieces of whole units, for each of which `tile` computes the results; of an operand that is a number it gets one
/// unit. A unit goes on where a row ends, so that short rows fill it too.
#[inline(never)]
fn in_tiles<T: Number>(rows: &Rows, [a, b]: [&[T]; 2], out: &mut [T], unit: usize, tile: Tile<'_, T>) {
    let mut lanes = [[T::ONE; MOST]; 2];
    let mut walk = Walk::new(rows);
    // In a single row, a number stands for all of its operand.
    let is_number = rows.steps.map(|step| step == 0 && rows.outer.is_empty());
    for (lanes, x) in lanes.iter_mut().zip([a, b]).zip(is_number).filter_map(|(both, is)| is.then_some(both)) {
        *lanes = [x[0]; MOST];
    }
    let mut rest = out;
    while !rest.is_empty() {
        let n = rest.len();
        if let Some((len, [pa, pb])) = walk.within(unit, n, is_number) {
            let a = if is_number[0] { &lanes[0][..unit] } else { &a[pa..pa + len] };
            let b = if is_number[1] { &lanes[1][..unit] } else { &b[pb..pb + len] };
            tile([a, b], rest.split_off_mut(..len).expect("a row is no longer than all"));
            continue;
        }
        let len = unit.min(n);
        walk.fill(a, b, len, &mut lanes);
        let operands = [&lanes[0][..unit], &lanes[1][..unit]];
        let to = rest.split_off_mut(..len).expect("there are so many");
        if len == unit {
            tile(operands, to);
        } else {
            let mut spare = [T::ONE; MOST];
            tile(operands, &mut spare[..unit]);
            copy(&spare[..len], to);
        }
    }
}

/// A formula of a whole number of packs, or of one pack for an operand that is a number.
struct ZipFormula<'a, T, F> {
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
    f: &'a F,
}

impl<T: Number, F: Formula<2, 1>> PackKernel<T> for ZipFormula<'_, T, F> {
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    unsafe fn run<P: Pack<T>>(self) {
        let Self { a, b, out, f } = self;
        let n = out.len();
        assert!(n.is_multiple_of(P::COUNT), "tiles are packs");
        let (is_row, is_row_too) = (a.len() != P::COUNT, b.len() != P::COUNT);
        assert!((!is_row || a.len() == n) && (!is_row_too || b.len() == n), "operands are as long, or one pack");
        for (i, out) in out.chunks_exact_mut(P::COUNT).enumerate() {
            let from = |is_row: bool| if is_row { i * P::COUNT } else { 0 };
            // SAFETY: the caller promises the set; the result is a pack, and what is no row has one.
            unsafe {
                let (a, b) = (P::load(a.as_ptr().add(from(is_row))), P::load(b.as_ptr().add(from(is_row_too))));
                let [y] = f.of([a, b]);
                y.store(out.as_mut_ptr());
            }
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    fn run(self) {
        let Self { a, b, out, f } = self;
        let [a, b] = [a, b].map(|x| x.as_chunks::<LANES>().0);
        for (i, out) in out.as_chunks_mut::<LANES>().0.iter_mut().enumerate() {
            // An operand that is a number has one chunk.
            let (a, b) = (&a[i.min(a.len() - 1)], &b[i.min(b.len() - 1)]);
            for ((out, &a), &b) in out.iter_mut().zip(a).zip(b) {
                [*out] = T::of_formula(f, [a, b]);
            }
        }
    }
}

/// Goes through both operands vector by vector, across the ends of rows.
struct Walk<'a> {
    rows: &'a Rows,
    at: Odometer<'a, usize, 2>,
    /// How far into the row.
    column: usize,
}

impl<'a> Walk<'a> {
    fn new(rows: &'a Rows) -> Self {
        Self { rows, at: Odometer::new(&rows.outer), column: 0 }
    }

    /// How many of the next elements, a whole number of units, lie in each operand as they are, but for those that are a number, and where
    /// they start; none where that is less than a unit.
    #[inline(always)]
    fn within(&mut self, unit: usize, n: usize, is_number: [bool; 2]) -> Option<(usize, [usize; 2])> {
        let lies = |k: usize| self.rows.steps[k] == 1 || is_number[k];
        let most = n.min(self.rows.len - self.column);
        if most < unit || !(lies(0) && lies(1)) {
            return None;
        }
        let len = (most - most % unit).min(TILE);
        let places = self.at.offsets().map(|start| start + self.column);
        self.column += len;
        Some((len, places))
    }

    /// Copies the next `n` elements of each operand.
    #[inline(never)]
    fn fill<T: Number>(&mut self, a: &[T], b: &[T], n: usize, lanes: &mut [[T; MOST]; 2]) {
        let mut filled = 0;
        while filled < n {
            if self.column == self.rows.len {
                self.column = 0;
                self.at.step();
            }
            let count = (n - filled).min(self.rows.len - self.column);
            for (k, x) in [a, b].into_iter().enumerate() {
                let (step, to) = (self.rows.steps[k], &mut lanes[k][filled..filled + count]);
                let first = self.at.offsets()[k] + self.column * step;
                match step {
                    0 => to.fill(x[first]),
                    1 => copy(&x[first..first + count], to),
                    _ => {
                        for (i, to) in to.iter_mut().enumerate() {
                            *to = x[first + i * step];
                        }
                    }
                }
            }
            filled += count;
            self.column += count;
        }
    }
}

struct Zip<'a, T, F> {
    rows: &'a Rows,
    a: &'a [T],
    b: &'a [T],
    out: &'a mut [T],
    f: F,
}

/// Each loop stands here once: there is a copy of it for each function, type and level.
impl<T: Number, F: Fn(T, T) -> T> Kernel for Zip<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Zip { rows: &Rows { len, steps, ref outer }, a, b, out, f } = self;
        let mut at = Odometer::new(outer);
        for row in out.chunks_exact_mut(len.max(1)) {
            let [pa, pb] = at.offsets();
            match steps {
                [1, 1] => {
                    for ((o, &a), &b) in row.iter_mut().zip(&a[pa..pa + len]).zip(&b[pb..pb + len]) {
                        *o = f(a, b);
                    }
                }
                [1, 0] => {
                    let b = b[pb];
                    for (o, &a) in row.iter_mut().zip(&a[pa..pa + len]) {
                        *o = f(a, b);
                    }
                }
                [0, 1] => {
                    let a = a[pa];
                    for (o, &b) in row.iter_mut().zip(&b[pb..pb + len]) {
                        *o = f(a, b);
                    }
                }
                [sa, sb] => {
                    for (i, o) in row.iter_mut().enumerate() {
                        *o = f(a[pa + i * sa], b[pb + i * sb]);
                    }
                }
            }
            at.step();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::formula::Functions;
    use crate::number::level::tests::at_every_level;

    struct Product;

    impl Formula<2, 1> for Product {
        #[inline(always)]
        fn of<R: Functions>(&self, [a, b]: [R; 2]) -> [R; 1] {
            [a * b]
        }
    }

    #[test]
    fn zip_broadcasts_by_strides_at_every_level() {
        let (rows, cols) = (9, 37);
        let a: Vec<f32> = (0..rows * cols).map(|i| i as f32).collect();
        let b: Vec<f32> = (0..rows * cols).map(|i| 0.5 - i as f32).collect();
        at_every_level(|level| {
            for a_strides in [[cols, 1], [1, 0], [0, 1], [0, 0]] {
                for b_strides in [[cols, 1], [1, 0], [0, 1], [0, 0], [0, 2]] {
                    let reach = |[s, t]: [usize; 2]| (rows - 1) * s + (cols - 1) * t + 1;
                    let (a, b) = (&a[..reach(a_strides)], &b[..reach(b_strides)]);
                    let mut out = vec![f32::NAN; rows * cols];
                    let walk = Rows::broadcast(&[rows, cols], [&a_strides, &b_strides]);
                    for zip in [
                        |rows: &_, a: &_, b: &_, out: &mut _| zip(rows, a, b, out, |a: f32, b| a * b),
                        |rows: &_, a: &_, b: &_, out: &mut _| zip_numbers(rows, a, b, out, |a, b| a * b),
                        |rows: &_, a: &_, b: &_, out: &mut _| zip_formula(rows, a, b, out, &Product),
                    ] {
                        zip(&walk, a, b, &mut out);
                        for (i, &o) in out.iter().enumerate() {
                            let at = |[s, t]: [usize; 2]| (i / cols) * s + (i % cols) * t;
                            assert_eq!(o, a[at(a_strides)] * b[at(b_strides)], "{a_strides:?} {b_strides:?} {level:?}");
                        }
                        out.fill(f32::NAN);
                    }
                }
            }
        });
    }
}
