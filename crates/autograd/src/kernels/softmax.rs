//! Softmax, log-softmax and log-sum-exp along the middle of `[outer, n, inner]`, from shifted scores.
//!
//! Rows are worked on by the tile: as many short rows as it holds, or a part of a long one. So the exponentials of rows
//! of three are computed in full vectors too. Sums of long rows go by blocks, as [`order`](super::order) tells: in a block, the
//! sums of tiles are added one after the other.

#![expect(unsafe_code, reason = "vectors by hand may run only where the CPU has them")]

#[cfg(test)]
mod tests;

use super::map::LANES;
use super::order::{Blocks, NEIGHBOURS};
use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::number::level::{LaneKernel, Level};

/// Elements of a tile: a few vectors, which the compiler keeps on the stack.
const TILE: usize = 4 * LANES;

/// What the rows of `x` have in common.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    x: &'a [T],
    n: usize,
    inner: usize,
}

/// A row: its number, and the place of its first element.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) index: usize,
    pub(super) start: usize,
}

impl<'a, T: Number> Rows<'a, T> {
    pub(super) fn new(x: &'a [T], n: usize, inner: usize) -> Self {
        Self { x, n, inner }
    }

    fn count(&self) -> usize {
        self.x.len() / self.n
    }

    #[inline(always)]
    fn row(&self, index: usize) -> Row {
        let start = match self.inner {
            1 => index * self.n,
            inner => index / inner * inner * self.n + index % inner,
        };
        Row { index, start }
    }

    /// The largest element, NaN if there is one.
    #[inline(always)]
    fn largest(&self, Row { start, .. }: Row) -> T {
        if self.inner > 1 {
            return (0..self.n).fold(-T::INFINITY, |top, j| top.larger(self.x[start + j * self.inner]));
        }
        reduce(&self.x[start..start + self.n], -T::INFINITY, |x| x, T::larger)
    }

    /// `to[j] = f(x[from + j])` of a row.
    #[inline(always)]
    fn read(&self, Row { start, .. }: Row, from: usize, to: &mut [T], f: impl Fn(T) -> T) {
        if self.inner == 1 {
            let x = &self.x[start + from..][..to.len()];
            for (to, &x) in to.iter_mut().zip(x) {
                *to = f(x);
            }
        } else {
            for (j, to) in to.iter_mut().enumerate() {
                *to = f(self.x[start + (from + j) * self.inner]);
            }
        }
    }

    /// `f(x[j], out[j])` for each element of a row, in an array shaped as `x`.
    #[inline(always)]
    fn update(&self, Row { start, .. }: Row, out: &mut [T], f: impl Fn(T, &mut T)) {
        if self.inner == 1 {
            let (x, out) = (&self.x[start..start + self.n], &mut out[start..start + self.n]);
            for (out, &x) in out.iter_mut().zip(x) {
                f(x, out);
            }
        } else {
            for j in 0..self.n {
                f(self.x[start + j * self.inner], &mut out[start + j * self.inner]);
            }
        }
    }

    /// Writes part of a row, from element `from` on, to an array shaped as `x`.
    #[inline(always)]
    fn write(&self, Row { start, .. }: Row, from: usize, part: &[T], out: &mut [T]) {
        if self.inner == 1 {
            out[start + from..][..part.len()].copy_from_slice(part);
        } else {
            for (j, &y) in part.iter().enumerate() {
                out[start + (from + j) * self.inner] = y;
            }
        }
    }
}

/// Folds what `of` makes of a row, in as many running results as a vector has lanes.
#[inline(always)]
fn reduce<T: Number>(x: &[T], init: T, of: impl Fn(T) -> T, f: impl Fn(T, T) -> T) -> T {
    let (chunks, rest) = x.as_chunks::<LANES>();
    let Some((first, chunks)) = chunks.split_first() else {
        return rest.iter().fold(init, |y, &x| f(y, of(x)));
    };
    let mut lanes = *first;
    for lane in &mut lanes {
        *lane = of(*lane);
    }
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] = f(lanes[i], of(chunk[i]));
        }
    }
    for width in [8, 4, 2, 1] {
        for i in 0..width {
            lanes[i] = f(lanes[i], lanes[i + width]);
        }
    }
    rest.iter().fold(lanes[0], |y, &x| f(y, of(x)))
}

/// Replaces the first elements of a tile, and those that fill the last vector, by their exponentials.
///
/// # Safety
/// The CPU has the set of the lanes.
#[inline(always)]
unsafe fn exp<T: Number, L: Lanes<T>>(tile: &mut [T; TILE], len: usize) {
    for place in tile[..len.next_multiple_of(L::COUNT)].chunks_exact_mut(L::COUNT) {
        // SAFETY: the caller promises the set; a chunk is a vector.
        unsafe {
            let all = L::first(L::COUNT);
            L::store(place.as_mut_ptr(), all, T::exp_of_shifted::<L>(L::load(place.as_ptr(), all)));
        }
    }
}

/// The sum of a row's exponentials, of which the largest is 1. The sums of a tile stand in arrays of the same length.
#[derive(Clone, Copy)]
pub(super) struct Sum<T> {
    pub(super) all: T,
    /// Where the largest stands out, the sum of the others, with the digits that adding 1 rounds away; else all again.
    pub(super) others: T,
}

impl<T: Number> Sum<T> {
    /// Whether the largest exponential stands out, so that the others are worth knowing by themselves.
    #[inline(always)]
    pub(super) fn has_one_top(self) -> bool {
        // Two that are 1 make 2.
        self.all < T::of(1.5)
    }
}

/// The logarithms of sums.
#[inline(always)]
fn ln<T: Number>(all: &[T; TILE], others: &[T; TILE], len: usize) -> [T; TILE] {
    let mut logs = [T::ZERO; TILE];
    let (all, others) = (all.as_chunks::<LANES>().0, others.as_chunks::<LANES>().0);
    for (v, lanes) in logs.as_chunks_mut::<LANES>().0[..len.div_ceil(LANES)].iter_mut().enumerate() {
        // The loop has a constant length, so that it becomes vectors.
        for i in 0..LANES {
            lanes[i] = T::ln_of_sum(all[v][i], others[v][i]);
        }
    }
    logs
}

/// What is wanted to know of each row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    /// The sum of all exponentials alone.
    Sum,
    /// Also the sum of all but the largest.
    Others,
    /// And the logarithm of the sum.
    Log,
}

/// What is done with a row, its largest element, the sums of its exponentials and their logarithm, and the result.
type Done<'a, T> = &'a mut dyn FnMut(Row, T, (Sum<T>, T), &mut [T]);

/// For each row `e = exp(x − max)`, written to `out` unless that is empty, and then `done(row, max, (Σ e, ln Σ e), out)`, as
/// far as they are asked for. The shift is `x − max`, or with `total` that of [`softmax`]. It is one kernel for all callers,
/// since its copies were a fifth of this crate.
pub(super) fn exponentials<T: Number>(rows: Rows<'_, T>, out: &mut [T], ask: Ask, total: bool, done: Done<'_, T>) {
    if !rows.x.is_empty() {
        Level::best().run_lanes(Exponentials { rows, out, ask, total, done });
    }
}

struct Exponentials<'a, T> {
    rows: Rows<'a, T>,
    out: &'a mut [T],
    ask: Ask,
    total: bool,
    done: Done<'a, T>,
}

impl<T: Number> LaneKernel<T> for Exponentials<'_, T> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(mut self) {
        // Short rows are the commonest, and nearly all of their cost is that of loops of unknown length.
        // SAFETY: the caller promises the set of the lanes.
        unsafe {
            match (self.rows.n, self.rows.inner) {
                (n, inner) if L::PLAIN => self.tiles::<L>(n, inner),
                (2, 1) => self.tiles::<L>(2, 1),
                (3, 1) => self.tiles::<L>(3, 1),
                (4, 1) => self.tiles::<L>(4, 1),
                (10, 1) => self.tiles::<L>(10, 1),
                (n, 1) => self.tiles::<L>(n, 1),
                (n, inner) => self.tiles::<L>(n, inner),
            }
        }
    }
}

impl<T: Number> Exponentials<'_, T> {
    /// # Safety
    /// The CPU has the set of the lanes.
    #[inline(always)]
    unsafe fn tiles<L: Lanes<T>>(&mut self, n: usize, inner: usize) {
        let rows = Rows { x: self.rows.x, n, inner };
        let together = if n < TILE { TILE / n } else { 1 };
        let (mut tops, mut sums) = ([T::ONE; TILE], [T::ONE; TILE]);
        let (mut below, mut logs) = ([T::ONE; TILE], [T::ZERO; TILE]);
        let mut tile = [T::ZERO; TILE];
        for first in (0..rows.count()).step_by(together) {
            let count = together.min(rows.count() - first);
            for r in 0..count {
                tops[r] = rows.largest(rows.row(first + r));
                sums[r] = T::ZERO;
                below[r] = T::ZERO;
            }
            let mut blocks = (n > NEIGHBOURS).then(|| (Blocks::new(), Blocks::new()));
            for from in (0..n).step_by(TILE) {
                if let (Some((all, others)), 1.., 0) = (&mut blocks, from, from % NEIGHBOURS) {
                    all.push(std::mem::replace(&mut sums[0], T::ZERO));
                    others.push(std::mem::replace(&mut below[0], T::ZERO));
                }
                let len = if n < TILE { n } else { TILE.min(n - from) };
                for r in 0..count {
                    let (top, part) = (tops[r], &mut tile[r * len..][..len]);
                    if self.total {
                        rows.read(rows.row(first + r), from, part, |x| total_difference(x, top));
                    } else {
                        rows.read(rows.row(first + r), from, part, |x| x - top);
                    }
                }
                // SAFETY: the caller promises the set.
                unsafe { exp::<T, L>(&mut tile, count * len) };
                for r in 0..count {
                    let part = &tile[r * len..][..len];
                    sums[r] += reduce(part, T::ZERO, |e| e, |a, b| a + b);
                    if self.ask != Ask::Sum {
                        below[r] += reduce(part, T::ZERO, |e| if e < T::ONE { e } else { T::ZERO }, |a, b| a + b);
                    }
                    if !self.out.is_empty() {
                        rows.write(rows.row(first + r), from, part, self.out);
                    }
                }
            }
            if let Some((mut all, mut others)) = blocks {
                all.push(sums[0]);
                others.push(below[0]);
                (sums[0], below[0]) = (all.total(), others.total());
            }
            for r in 0..count {
                let sum = Sum { all: sums[r], others: below[r] };
                below[r] = if self.ask != Ask::Sum && sum.has_one_top() { sum.others } else { sum.all };
            }
            if self.ask == Ask::Log {
                logs = ln(&sums, &below, count);
            }
            for r in 0..count {
                let sum = Sum { all: sums[r], others: below[r] };
                (self.done)(rows.row(first + r), tops[r], (sum, logs[r]), self.out);
            }
        }
    }
}

/// `out = exp(x − max) / Σ exp(x − max)`, with one division for a row. With `total`, rows that have no such value get the
/// one that the gradient of log-sum-exp needs: all zero where every score is −∞, an equal share for each score that is +∞.
pub(crate) fn softmax<T: Number>(x: &[T], (n, inner): (usize, usize), total: bool, out: &mut [T]) {
    let rows = Rows::new(x, n, inner);
    exponentials(rows, out, Ask::Sum, total, &mut |row, _, (sum, _), out| {
        // A sum of 0 is that of a row of −∞ alone, which stays 0.
        let share = if total && sum.all == T::ZERO { T::ONE } else { T::ONE / sum.all };
        rows.update(row, out, |_, e| *e *= share);
    });
}

/// `x − max`, so that the exponentials of a row without finite differences are those of [`softmax`].
#[inline(always)]
fn total_difference<T: Number>(x: T, top: T) -> T {
    if x == top && top == T::INFINITY {
        T::ZERO
    } else if top == T::INFINITY || top == -T::INFINITY {
        -T::INFINITY
    } else {
        x - top
    }
}

/// `out = ln Σ exp(x)`; −∞ for an empty row or one of −∞ alone.
pub(crate) fn log_sum_exp<T: Number>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    out.fill(-T::INFINITY);
    exponentials(Rows::new(x, n, inner), &mut [], Ask::Log, false, &mut |row, top, (_, log_sum), _| {
        out[row.index] = if top == T::INFINITY || top == -T::INFINITY { top } else { top + log_sum };
    });
}

/// `out = (x − max) − ln Σ exp(x − max)`
pub(crate) fn log_softmax<T: Number>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    let rows = Rows::new(x, n, inner);
    exponentials(rows, &mut [], Ask::Log, false, &mut |row, top, (_, log_sum), _| {
        rows.update(row, out, |x, y| *y = (x - top) - log_sum);
    });
}

/// Along the middle of `[outer, n, inner]`, for probabilities `p`: `out = x − x[t]`, where `t` is the class of a probability
/// above ½, which is what adding a number to all scores does not change. Rows without such a class are copied.
pub(crate) fn about_likely<T: Number>(x: &[T], p: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    each_likely(p, (n, inner), |places, likely| {
        let origin = likely.map_or(T::ZERO, |t| x[t]);
        for at in places {
            out[at] = x[at] - origin;
        }
    });
}

/// The adjoint of [`about_likely`]: `out = x`, but for `out[t] = −Σ x` of the other classes.
pub(crate) fn balance_likely<T: Number>(x: &[T], p: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    each_likely(p, (n, inner), |places, likely| {
        let mut others = T::ZERO;
        for at in places {
            out[at] = x[at];
            others += if Some(at) == likely { T::ZERO } else { x[at] };
        }
        if let Some(t) = likely {
            out[t] = -others;
        }
    });
}

/// Calls `f` for each row with the places of its elements, and that of a probability above ½ if there is one.
fn each_likely<T: Number>(
    p: &[T],
    (n, inner): (usize, usize),
    mut f: impl FnMut(std::iter::StepBy<std::ops::RangeInclusive<usize>>, Option<usize>),
) {
    for row in 0..p.len().checked_div(n).unwrap_or(0) {
        let start = row / inner * n * inner + row % inner;
        let places = || (start..=start + (n - 1) * inner).step_by(inner);
        f(places(), places().find(|&at| p[at] > T::of(0.5)));
    }
}
