//! Element-wise loops over two operands, with NumPy broadcasting through strides of 0, compiled for each level of vector
//! instructions.
#![cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "packs are read and written where pointers tell"))]

use super::map::{LANES, MOST, QUAD, copy, level};
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
    let kernel = ZipFormula(Zip { rows, a, b, out, f });
    if kernel.0.out.len() < QUAD { kernel.run_plain() } else { Level::best().run_packs(kernel) }
}

struct ZipFormula<'a, T, F>(Zip<'a, T, &'a F>);

impl<T: Number, F: Formula<2, 1>> ZipFormula<'_, T, F> {
    /// Goes through all in chunks of so many, which `chunk` computes.
    #[inline(always)]
    fn in_chunks(self, count: usize, mut chunk: impl FnMut(&F, [&[T]; 2], &mut [T])) {
        let Zip { rows, a, b, out, f } = self.0;
        let (mut lanes, mut spare) = ([[T::ONE; MOST]; 2], [T::ONE; MOST]);
        let filled = out.len() / count * count;
        let mut walk = Walk::new(rows);
        // In a single row, a number stands for all of its operand.
        let is_number = rows.steps.map(|step| step == 0 && rows.outer.is_empty());
        for (lanes, x) in lanes.iter_mut().zip([a, b]).zip(is_number).filter_map(|(both, is)| is.then_some(both)) {
            *lanes = [x[0]; MOST];
        }
        // A chunk goes on where a row ends, so that short rows fill it too; the function stands here once.
        for out in out.chunks_mut(count) {
            let [a, b] = if let Some([pa, pb]) = walk.within(count, out.len(), is_number) {
                let a = if is_number[0] { &lanes[0][..count] } else { &a[pa..pa + count] };
                [a, if is_number[1] { &lanes[1][..count] } else { &b[pb..pb + count] }]
            } else {
                walk.fill(a, b, out.len(), &mut lanes);
                [&lanes[0][..count], &lanes[1][..count]]
            };
            let to = if out.len() == count { out } else { &mut spare[..count] };
            chunk(f, [a, b], to);
        }
        copy(&spare[..out.len() - filled], &mut out[filled..]);
    }
}

impl<T: Number, F: Formula<2, 1>> PackKernel<T> for ZipFormula<'_, T, F> {
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    unsafe fn run<P: Pack<T>>(self) {
        assert!(P::COUNT <= MOST, "there is room for a pack");
        self.in_chunks(
            P::COUNT,
            #[inline(always)]
            |f, [a, b], out| {
                assert!([a.len(), b.len(), out.len()] == [P::COUNT; 3], "chunks are packs");
                // SAFETY: the caller promises the set; the slices have the length of a pack.
                unsafe {
                    let [y] = f.of([P::load(a.as_ptr()), P::load(b.as_ptr())]);
                    y.store(out.as_mut_ptr());
                }
            },
        );
    }

    #[inline(always)]
    fn run_plain(self) {
        if cfg!(target_arch = "x86_64") {
            let Zip { rows, a, b, out, f } = self.0;
            return zip_numbers(rows, a, b, out, |a, b| T::of_formula(f, [a, b])[0]);
        }
        self.in_chunks(
            LANES,
            #[inline(always)]
            |f, [a, b], out| {
                for (out, (&a, &b)) in out.iter_mut().zip(a.iter().zip(b)) {
                    [*out] = T::of_formula(f, [a, b]);
                }
            },
        );
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

    /// Where the next `count` elements start if there are so many and they lie in each operand as it is, but for those that are a number.
    #[inline(always)]
    fn within(&mut self, count: usize, n: usize, is_number: [bool; 2]) -> Option<[usize; 2]> {
        let lies = |k: usize| self.rows.steps[k] == 1 || is_number[k];
        if n < count || !(lies(0) && lies(1)) || self.column + count > self.rows.len {
            return None;
        }
        let places = self.at.offsets().map(|start| start + self.column);
        self.column += count;
        Some(places)
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
