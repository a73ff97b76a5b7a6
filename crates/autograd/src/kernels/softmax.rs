//! Softmax, log-softmax and log-sum-exp along the middle of `[outer, n, inner]`, from shifted scores.
//!
//! Rows are worked on by the tile: as many short rows as it holds, or a part of a long one. So the exponentials of rows
//! of three are computed in full vectors too. Sums of long rows go by blocks, as [`order`](super::order) tells: in a block, the
//! sums of tiles are added one after the other. Rows whose elements lie apart, and short ones, are columns beside each other
//! (`columns.rs`).

#![expect(unsafe_code, reason = "vectors by hand may run only where the CPU has them")]

mod columns;
mod likely;
#[cfg(test)]
mod tests;

pub(crate) use likely::{about_likely, balance_likely};

use super::map::LANES;
use super::order::{Blocks, NEIGHBOURS};
use super::reduce::add_up;
use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::number::level::{LaneKernel, Level};
use columns::{Want, are_columns, columns};

/// Elements of a tile: a few vectors, which the compiler keeps on the stack.
const TILE: usize = 4 * LANES;

/// Rows of `n` elements, one after the other.
#[derive(Clone, Copy)]
pub(super) struct Rows<'a, T> {
    x: &'a [T],
    n: usize,
}

/// A row: its number, and the place of its first element.
#[derive(Clone, Copy)]
pub(super) struct Row {
    pub(super) index: usize,
    pub(super) start: usize,
}

impl<'a, T: Number> Rows<'a, T> {
    pub(super) fn new(x: &'a [T], n: usize) -> Self {
        Self { x, n }
    }

    fn count(&self) -> usize {
        self.x.len() / self.n
    }

    #[inline(always)]
    fn row(&self, index: usize) -> Row {
        Row { index, start: index * self.n }
    }

    /// The elements of a row.
    #[inline(always)]
    fn of(&self, Row { start, .. }: Row) -> &'a [T] {
        &self.x[start..start + self.n]
    }

    /// `f(x[j], out[j])` for each element of a row, in an array shaped as `x`.
    #[inline(always)]
    fn update(&self, row: Row, out: &mut [T], f: impl Fn(T, &mut T)) {
        for (out, &x) in out[row.start..row.start + self.n].iter_mut().zip(self.of(row)) {
            f(x, out);
        }
    }
}

/// The largest element of a row. The last lanes overlap those before them: which comes twice does not matter.
#[inline(always)]
fn largest<T: Number>(x: &[T]) -> T {
    let (chunks, rest) = x.as_chunks::<LANES>();
    let (Some((first, chunks)), Some(last)) = (chunks.split_first(), x.last_chunk::<LANES>()) else {
        return rest.iter().fold(-T::INFINITY, |top, &x| top.larger(x));
    };
    let mut lanes = *first;
    for chunk in chunks.iter().chain([last]) {
        for i in 0..LANES {
            lanes[i] = lanes[i].larger(chunk[i]);
        }
    }
    for width in [8, 4, 2, 1] {
        for i in 0..width {
            lanes[i] = lanes[i].larger(lanes[i + width]);
        }
    }
    lanes[0]
}

/// An exponential, but for the largest one.
#[inline(always)]
fn below<T: Number>(e: T) -> T {
    if e < T::ONE { e } else { T::ZERO }
}

/// The sums of the exponentials of a row that is longer than a tile: of all, and of all but the largest.
struct LongSums<T> {
    lanes: [[T; LANES]; 2],
    /// The sums of the block that ended, and those of all blocks where there are several.
    sums: [T; 2],
    blocks: Option<[Blocks<T>; 2]>,
}

impl<T: Number> LongSums<T> {
    fn new(n: usize) -> Self {
        let blocks = (n > NEIGHBOURS).then(|| [Blocks::new(), Blocks::new()]);
        Self { lanes: [[T::ZERO; LANES]; 2], sums: [T::ZERO; 2], blocks }
    }

    /// Adds a tile, which ends at this element of `n`.
    #[inline(always)]
    fn add(&mut self, tile: &[T], end: usize, n: usize, others: bool) {
        let (chunks, rest) = tile.as_chunks::<LANES>();
        let [all, below_top] = &mut self.lanes;
        for chunk in chunks {
            for i in 0..LANES {
                all[i] += chunk[i];
            }
        }
        if others {
            for chunk in chunks {
                for i in 0..LANES {
                    below_top[i] += below(chunk[i]);
                }
            }
        }
        if end < n && !end.is_multiple_of(NEIGHBOURS) {
            return;
        }
        self.sums[0] = add_up(all, rest, |e| e);
        if others {
            self.sums[1] = add_up(below_top, rest, below);
        }
        self.lanes = [[T::ZERO; LANES]; 2];
        if let Some(blocks) = &mut self.blocks {
            for (blocks, sum) in blocks.iter_mut().zip(&mut self.sums) {
                blocks.push(*sum);
                if end == n {
                    *sum = blocks.total();
                }
            }
        }
    }
}

/// The sum of what `of` makes of a row of less than a block, in the order of [`order`](super::order).
#[inline(always)]
fn reduce<T: Number>(x: &[T], of: impl Fn(T) -> T + Copy) -> T {
    let (chunks, rest) = x.as_chunks::<LANES>();
    let Some((first, chunks)) = chunks.split_first() else {
        return rest.iter().fold(T::ZERO, |sum, &x| sum + of(x));
    };
    let mut lanes = *first;
    for lane in &mut lanes {
        *lane = of(*lane);
    }
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] += of(chunk[i]);
        }
    }
    add_up(&mut lanes, rest, of)
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
            match self.rows.n {
                n if L::PLAIN => self.tiles::<L>(n),
                2 => self.tiles::<L>(2),
                3 => self.tiles::<L>(3),
                4 => self.tiles::<L>(4),
                10 => self.tiles::<L>(10),
                n => self.tiles::<L>(n),
            }
        }
    }
}

impl<T: Number> Exponentials<'_, T> {
    /// # Safety
    /// The CPU has the set of the lanes.
    #[inline(always)]
    unsafe fn tiles<L: Lanes<T>>(&mut self, n: usize) {
        let rows = Rows { x: self.rows.x, n };
        let together = if n < TILE { TILE / n } else { 1 };
        let (mut tops, mut sums) = ([T::ONE; TILE], [T::ONE; TILE]);
        // Of all but the largest.
        let (mut rest, mut logs) = ([T::ONE; TILE], [T::ZERO; TILE]);
        let mut tile = [T::ZERO; TILE];
        for first in (0..rows.count()).step_by(together) {
            let count = together.min(rows.count() - first);
            for (r, top) in tops[..count].iter_mut().enumerate() {
                *top = largest(rows.of(rows.row(first + r)));
            }
            let mut long = LongSums::new(n);
            for from in (0..n).step_by(TILE) {
                let len = if n < TILE { n } else { TILE.min(n - from) };
                for r in 0..count {
                    let (top, part) = (tops[r], &mut tile[r * len..][..len]);
                    let x = &rows.of(rows.row(first + r))[from..from + len];
                    if self.total {
                        part.iter_mut().zip(x).for_each(|(e, &x)| *e = total_difference(x, top));
                    } else {
                        part.iter_mut().zip(x).for_each(|(e, &x)| *e = x - top);
                    }
                }
                // SAFETY: the caller promises the set.
                unsafe { exp::<T, L>(&mut tile, count * len) };
                for r in 0..count {
                    let part = &tile[r * len..][..len];
                    let others = self.ask != Ask::Sum;
                    if n >= TILE {
                        long.add(part, from + len, n, others);
                    } else {
                        sums[r] = reduce(part, |e| e);
                        rest[r] = if others { reduce(part, below) } else { T::ZERO };
                    }
                    if !self.out.is_empty() {
                        let start = rows.row(first + r).start + from;
                        self.out[start..start + len].copy_from_slice(part);
                    }
                }
            }
            if n >= TILE {
                [sums[0], rest[0]] = long.sums;
            }
            for r in 0..count {
                let sum = Sum { all: sums[r], others: rest[r] };
                rest[r] = if self.ask != Ask::Sum && sum.has_one_top() { sum.others } else { sum.all };
            }
            if self.ask == Ask::Log {
                logs = ln(&sums, &rest, count);
            }
            for r in 0..count {
                let sum = Sum { all: sums[r], others: rest[r] };
                (self.done)(rows.row(first + r), tops[r], (sum, logs[r]), self.out);
            }
        }
    }
}

/// `out = exp(x − max) / Σ exp(x − max)`, with one division for a row. With `total`, rows that have no such value get the
/// one that the gradient of log-sum-exp needs: all zero where every score is −∞, an equal share for each score that is +∞.
pub(crate) fn softmax<T: Number>(x: &[T], (n, inner): (usize, usize), total: bool, out: &mut [T]) {
    if are_columns(n, inner) && !x.is_empty() {
        return columns(x, (n, inner), Want::Shares { total }, out);
    }
    let rows = Rows::new(x, n);
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
    if are_columns(n, inner) && !x.is_empty() {
        return columns(x, (n, inner), Want::LogSum, out);
    }
    exponentials(Rows::new(x, n), &mut [], Ask::Log, false, &mut |row, top, (_, log_sum), _| {
        out[row.index] = if top == T::INFINITY || top == -T::INFINITY { top } else { top + log_sum };
    });
}

/// `out = (x − max) − ln Σ exp(x − max)`
pub(crate) fn log_softmax<T: Number>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    if are_columns(n, inner) && !x.is_empty() {
        return columns(x, (n, inner), Want::Logarithms, out);
    }
    let rows = Rows::new(x, n);
    exponentials(rows, &mut [], Ask::Log, false, &mut |row, top, (_, log_sum), _| {
        rows.update(row, out, |x, y| *y = (x - top) - log_sum);
    });
}
