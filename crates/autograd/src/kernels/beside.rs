//! Rows along the middle of `[outer, n, inner]` that are worked on beside each other, as lanes: where `inner` is long, as they
//! lie; else in a tile, to which they are transposed. So a row costs what its elements cost, however short it is, and lanes do
//! to each row what a loop along it would do, in the same order.

use super::map::{copy, level};
use super::order::with_zeros;
use super::transpose::transpose;
use crate::number::Number;
use crate::number::level::Kernel;
use std::ops::Range;

/// The most rows that are worked on together.
pub(super) const WIDE: usize = 128;
/// Fewer neighbours are not worth a loop of their own.
pub(super) const NARROW: usize = 16;
/// The elements of a tile, which stays in the first-level cache with two others.
const TILE: usize = 2048;
/// Rows of a tile are filled up to a multiple: what does not fill a vector would be done one by one.
const FILLED: usize = 8;
/// The steps of a tile along long rows.
const STEPS: usize = 64;

/// What is done with rows that lie beside each other, `K` operands of them. All of it is `#[inline(always)]`.
pub(super) trait Beside<T, const K: usize> {
    /// Starts on these rows of `[outer, inner]`, at most [`WIDE`] of them.
    fn start(&mut self, rows: Range<usize>);
    /// The `t`-th elements of the rows, in the direction of the walk, and perhaps some more, which fill a vector and mean nothing; `y`
    /// is their place in a result that is shaped as the operands, if there is one.
    fn step(&mut self, t: usize, x: [&[T]; K], y: &mut [T]);
    /// Ends these rows.
    fn finish(&mut self) {}
}

/// Folds rows: `out[o, i] = f(… f(init, x[o, 0, i]) …, x[o, n−1, i])`.
pub(super) fn fold<T: Number>(
    x: &[T],
    (n, inner): (usize, usize),
    init: T,
    out: &mut [T],
    f: impl Fn(T, T) -> T + Copy,
) {
    let level = level(x.len());
    match inner {
        2..=4 => level.run(FoldFew::<T, _, 4>(Folded { x, n, inner, init, out, f })),
        5..=8 => level.run(FoldFew::<T, _, 8>(Folded { x, n, inner, init, out, f })),
        9..NARROW => level.run(FoldFew::<T, _, NARROW>(Folded { x, n, inner, init, out, f })),
        _ => {
            out.fill(init);
            walk([x], &mut [], (n, inner), false, &mut Fold { out, rows: 0..0, f });
        }
    }
}

/// What is folded along the middle of `[outer, n, inner]`, from which number on, into what, and by which function.
pub(super) struct Folded<'a, T, F> {
    pub(super) x: &'a [T],
    pub(super) n: usize,
    pub(super) inner: usize,
    pub(super) init: T,
    pub(super) out: &'a mut [T],
    pub(super) f: F,
}

/// Folds rows of few neighbours, where a vector of `W` has all of them and perhaps some of what comes next, which is left out.
struct FoldFew<'a, T, F, const W: usize>(Folded<'a, T, F>);

impl<T: Number, F: Fn(T, T) -> T, const W: usize> Kernel for FoldFew<'_, T, F, W> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        // So many vectors do not wait for each other; of the last ones, some may be the last once more.
        const TOGETHER: usize = 4;
        let Folded { x, n, inner, init, out, f } = self.0;
        let outer = out.len() / inner;
        let mut spare = [T::ZERO; W];
        for o in (0..outer).step_by(TOGETHER) {
            let mut all = [[init; W]; TOGETHER];
            let starts: [usize; TOGETHER] = std::array::from_fn(|k| (o + k).min(outer - 1) * n * inner);
            for t in 0..n {
                for (all, start) in all.iter_mut().zip(starts) {
                    let x = &x[start + t * inner..];
                    // As in `map.rs`.
                    let row = *x.first_chunk().unwrap_or_else(|| filled_up(x, &mut spare));
                    for i in 0..W {
                        all[i] = f(all[i], row[i]);
                    }
                }
            }
            for (all, o) in all.iter().zip(o..outer) {
                // What is too much is written over by the next.
                let to = &mut out[o * inner..];
                match to.first_chunk_mut() {
                    Some(to) => *to = *all,
                    None => store_first(*all, to),
                }
            }
        }
    }
}

/// The last elements of an operand, which do not fill a vector.
#[cold]
#[inline(never)]
fn filled_up<'a, T: Number, const W: usize>(x: &[T], row: &'a mut [T; W]) -> &'a [T; W] {
    row[..x.len()].copy_from_slice(x);
    row
}

/// The first of these, which are fewer than a vector has.
#[cold]
#[inline(never)]
fn store_first<T: Number, const W: usize>(all: [T; W], to: &mut [T]) {
    to.copy_from_slice(&all[..to.len()]);
}

struct Fold<'a, T, F> {
    out: &'a mut [T],
    rows: Range<usize>,
    f: F,
}

impl<T: Number, F: Fn(T, T) -> T> Beside<T, 1> for Fold<'_, T, F> {
    #[inline(always)]
    fn start(&mut self, rows: Range<usize>) {
        self.rows = rows;
    }
    #[inline(always)]
    fn step(&mut self, _: usize, [x]: [&[T]; 1], _: &mut [T]) {
        for (y, &x) in self.out[self.rows.clone()].iter_mut().zip(x) {
            *y = (self.f)(*y, x);
        }
    }
}

/// Walks along the middle of `[outer, n, inner]`, from the front or from the back. A result that is shaped as the operands is
/// given as `out`, else that is empty.
#[inline]
pub(super) fn walk<T: Number, const K: usize>(
    x: [&[T]; K],
    out: &mut [T],
    (n, inner): (usize, usize),
    reverse: bool,
    beside: &mut impl Beside<T, K>,
) {
    let rows = x[0].len().checked_div(n).unwrap_or(0);
    walk_rows(x, out, (n, inner), 0..rows, reverse, beside);
}

/// The same, along some of the rows; of few neighbours, all are.
pub(super) fn walk_rows<T: Number, const K: usize>(
    x: [&[T]; K],
    out: &mut [T],
    (n, inner): (usize, usize),
    some: Range<usize>,
    reverse: bool,
    beside: &mut impl Beside<T, K>,
) {
    let rows = x[0].len().checked_div(n).unwrap_or(0);
    if some.is_empty() {
        return;
    }
    assert!(x.iter().all(|x| x.len() == rows * n), "rows of {n} beside each other: operands of other lengths");
    let level = level(x[0].len());
    let steps = n.min(STEPS);
    let width = (TILE / steps).clamp(NARROW, WIDE).min(rows) / inner.min(NARROW) * inner;
    let shape = Shape { n, inner, reverse, steps, width, row: some.start, end: some.end };
    let has_out = usize::from(!out.is_empty());
    let memory = if inner < NARROW { (K + has_out) * steps * width.next_multiple_of(FILLED) } else { 0 };
    with_zeros(memory, |tiles| level.run(Walk { x, out, shape, tiles, beside }));
}

#[derive(Clone, Copy)]
struct Shape {
    n: usize,
    inner: usize,
    reverse: bool,
    /// Those of a tile.
    steps: usize,
    width: usize,
    /// The next row, and where the rows end.
    row: usize,
    end: usize,
}

struct Walk<'a, T, B, const K: usize> {
    x: [&'a [T]; K],
    out: &'a mut [T],
    shape: Shape,
    tiles: &'a mut [T],
    beside: &'a mut B,
}

impl<T: Number, B: Beside<T, K>, const K: usize> Kernel for Walk<'_, T, B, K> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { x, out, shape: Shape { n, inner, reverse, steps, width, mut row, end }, tiles, beside } = self;
        // In place, a part of the operands is walked as it lies, in steps of `inner`; else a tile, in steps of its width.
        let in_place = inner >= NARROW;
        while row < end {
            let count = if in_place { (inner - row % inner).min(WIDE) } else { width }.min(end - row);
            // So many elements each step has, and each operand has in a tile.
            let lanes = if in_place { count } else { count.next_multiple_of(FILLED) };
            let size = steps * width.next_multiple_of(FILLED);
            beside.start(row..row + count);
            for from in (0..n).step_by(if in_place { n } else { steps }) {
                let len = if in_place { n } else { steps.min(n - from) };
                // The first of these steps in memory.
                let first = if reverse { n - from - len } else { from };
                let (start, step) = if in_place { (row / inner * n * inner + row % inner, inner) } else { (0, lanes) };
                let (ins, to) = tiles.split_at_mut(if in_place { 0 } else { K * size });
                if !in_place {
                    for (x, tile) in x.iter().zip(ins.chunks_exact_mut(size)) {
                        load(x, (row, count, lanes), (first, len), (n, inner), tile);
                    }
                }
                let ins = &*ins;
                for t in 0..len {
                    let at = start + if reverse { len - 1 - t } else { t } * step;
                    // One by one: to make an array by a function is a call for each step.
                    let mut rows: [&[T]; K] = [&[]; K];
                    for (k, row) in rows.iter_mut().enumerate() {
                        *row = if in_place { &x[k][at..at + count] } else { &ins[k * size + at..][..lanes] };
                    }
                    let y = if in_place { &mut *out } else { &mut *to };
                    let y = if y.is_empty() { &mut [] } else { &mut y[at..at + lanes] };
                    beside.step(from + t, rows, y);
                }
                if !to.is_empty() {
                    store(to, (row, count, lanes), (first, len), (n, inner), out);
                }
            }
            beside.finish();
            row += count;
        }
    }
}

/// Copies some elements of some rows to a tile, where the rows are lanes, of which there may be more.
#[inline(never)]
pub(super) fn load<T: Number>(
    x: &[T],
    (row, rows, lanes): (usize, usize, usize),
    (from, len): (usize, usize),
    (n, inner): (usize, usize),
    tile: &mut [T],
) {
    if inner == 1 {
        return transpose(&x[row * n + from..], n, (rows, len), tile, lanes);
    }
    for o in 0..rows / inner {
        let x = &x[((row / inner + o) * n + from) * inner..][..len * inner];
        for (t, x) in x.chunks_exact(inner).enumerate() {
            copy(x, &mut tile[t * lanes + o * inner..][..inner]);
        }
    }
}

/// Copies a tile back to where [`load`] took it from.
#[inline(never)]
pub(super) fn store<T: Number>(
    tile: &[T],
    (row, rows, lanes): (usize, usize, usize),
    (from, len): (usize, usize),
    (n, inner): (usize, usize),
    y: &mut [T],
) {
    if inner == 1 {
        return transpose(tile, lanes, (len, rows), &mut y[row * n + from..], n);
    }
    for o in 0..rows / inner {
        let y = &mut y[((row / inner + o) * n + from) * inner..][..len * inner];
        for (t, y) in y.chunks_exact_mut(inner).enumerate() {
            copy(&tile[t * lanes + o * inner..][..inner], y);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::number::level::tests::at_every_level;

    /// Shapes `[outer, n, inner]` of every kind: rows alone and many, short and long, with few neighbours and many, and none.
    pub(in crate::kernels) const SHAPES: [[usize; 3]; 25] = [
        [1, 1, 1],
        [1, 7, 1],
        [5, 3, 1],
        [300, 2, 1],
        [300, 4, 1],
        [130, 5, 1],
        [40, 16, 1],
        [9, 17, 1],
        [33, 64, 1],
        [3, 65, 1],
        [2, 130, 1],
        [1, 300, 1],
        [1, 9, 3],
        [70, 3, 2],
        [5, 70, 4],
        [40, 8, 8],
        [3, 129, 15],
        [1, 66, 16],
        [2, 3, 17],
        [3, 5, 128],
        [2, 70, 130],
        [1, 2, 300],
        [0, 3, 4],
        [3, 4, 0],
        [2, 1, 1],
    ];

    /// Running sums, and how often rows were started and ended.
    struct Sums {
        totals: [f64; WIDE],
        rows: Range<usize>,
        ended: usize,
    }
    impl Beside<f64, 2> for Sums {
        fn start(&mut self, rows: Range<usize>) {
            assert!(rows.start == self.rows.end && rows.len() <= WIDE);
            (self.rows, self.totals) = (rows, [0.0; WIDE]);
        }
        fn step(&mut self, t: usize, [a, b]: [&[f64]; 2], y: &mut [f64]) {
            assert!(a.len() >= self.rows.len() && y.len() == a.len());
            for (i, y) in y.iter_mut().enumerate() {
                self.totals[i] += a[i] * b[i];
                *y = self.totals[i] + t as f64;
            }
        }
        fn finish(&mut self) {
            self.ended += self.rows.len();
        }
    }

    #[test]
    fn each_row_is_walked_once_and_in_order_at_every_level() {
        for [outer, n, inner] in SHAPES {
            let len = outer * n * inner;
            let a: Vec<f64> = (0..len).map(|i| ((i * 7) % 11) as f64).collect();
            let b: Vec<f64> = (0..len).map(|i| ((i * 5) % 13) as f64).collect();
            for reverse in [false, true] {
                let mut want = vec![0.0; len];
                for (o, i) in (0..outer).flat_map(|o| (0..inner).map(move |i| (o, i))) {
                    let mut sum = 0.0;
                    for t in 0..n {
                        let at = (o * n + if reverse { n - 1 - t } else { t }) * inner + i;
                        sum += a[at] * b[at];
                        want[at] = sum + t as f64;
                    }
                }
                at_every_level(|level| {
                    let mut y = vec![f64::NAN; len];
                    let mut sums = Sums { totals: [0.0; WIDE], rows: 0..0, ended: 0 };
                    walk([&a, &b], &mut y, (n, inner), reverse, &mut sums);
                    assert_eq!(y, want, "{outer} {n} {inner} {reverse} {level:?}");
                    assert_eq!(sums.ended, outer * inner);
                });
            }
        }
    }
}
