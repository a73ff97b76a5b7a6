//! Softmax, log-softmax and log-sum-exp along the middle of `[outer, n, inner]`, from shifted scores.
//!
//! Long rows are worked on one after the other, and their sums go by blocks, as [`order`](super::order) tells. Rows whose elements lie
//! apart, and short ones, are columns beside each other (`columns.rs`).

#![expect(unsafe_code, reason = "vectors by hand may run only where the CPU has them")]
#![expect(clippy::needless_range_loop, reason = "registers are numbered alike in all arrays")]

mod columns;
mod likely;
mod sums;
#[cfg(test)]
mod tests;

pub(crate) use likely::{By, by_likely};

use super::map::LANES;
use super::order::{Blocks, NEIGHBOURS};
use super::reduce::sum_of_lanes;
use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::number::level::{LaneKernel, Level};
use columns::{Log, Want, are_columns, columns};
pub(super) use sums::Sum;
use sums::{below, log_of_total, share_of};

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

/// The largest element of a row; NaN where one is.
#[inline(always)]
fn largest<T: Number>(x: &[T]) -> T {
    x.iter().fold(-T::INFINITY, |top, &x| top.larger(x))
}

/// The same where it is rarely asked for.
#[cold]
#[inline(never)]
fn largest_or_nan<T: Number>(x: &[T]) -> T {
    largest(x)
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
    unsafe fn run<L: Lanes<T>>(self) {
        let (rows, n) = (self.rows, self.rows.n);
        let others = self.ask != Ask::Sum;
        for index in 0..rows.count() {
            let row = rows.row(index);
            let x = rows.of(row);
            // SAFETY: the caller promises the set.
            let mut top = unsafe { largest_number::<T, L>(x) };
            if self.total && top.abs() == T::INFINITY {
                top = largest_or_nan(x);
            }
            let is_odd = self.total && top.abs() == T::INFINITY;
            let mut blocks = (n > NEIGHBOURS).then(|| [Blocks::new(), Blocks::new()]);
            let mut sums = [T::ZERO; 2];
            for from in (0..n).step_by(NEIGHBOURS) {
                let block = from..n.min(from + NEIGHBOURS);
                let out = if self.out.is_empty() { &mut [] } else { &mut self.out[row.start..][block.clone()] };
                // SAFETY: the caller promises the set.
                sums = unsafe { long_block::<T, L>(&x[block], top, is_odd, others, out) };
                for (blocks, sum) in blocks.iter_mut().flatten().zip(sums) {
                    blocks.push(sum);
                }
            }
            if let Some(blocks) = &blocks {
                sums = [blocks[0].total(), blocks[1].total()];
            }
            if sums[0].is_nan() {
                // Perhaps the largest is one.
                top = largest_or_nan(x);
            }
            let sum = Sum { all: sums[0], others: sums[1] };
            let rest = if others && sum.has_one_top() { sum.others } else { sum.all };
            let log = if self.ask == Ask::Log { T::ln_of_sum(sum.all, rest) } else { T::ZERO };
            (self.done)(row, top, (sum, log), self.out);
        }
    }
}

/// The largest element of a row; where one is NaN, perhaps that, and perhaps the largest of the others.
///
/// # Safety
/// The CPU has the set of the lanes.
#[inline(always)]
pub(super) unsafe fn largest_number<T: Number, L: Lanes<T>>(x: &[T]) -> T {
    let n = x.len();
    if n < L::COUNT {
        return largest(x);
    }
    // SAFETY: the caller promises the set; vectors begin within the row, and end there. The last one overlaps those before it.
    unsafe {
        let whole = L::first(L::COUNT);
        let mut tops = [L::load(x.as_ptr().add(n - L::COUNT), whole); 4];
        let mut from = 0;
        while from + 4 * L::COUNT <= n {
            for (v, top) in tops.iter_mut().enumerate() {
                *top = L::larger(L::load(x.as_ptr().add(from + v * L::COUNT), whole), *top);
            }
            from += 4 * L::COUNT;
        }
        while from + L::COUNT <= n {
            tops[0] = L::larger(L::load(x.as_ptr().add(from), whole), tops[0]);
            from += L::COUNT;
        }
        L::peak(L::larger(L::larger(tops[0], tops[1]), L::larger(tops[2], tops[3])))
    }
}

/// The exponentials of a vector of a chunk, from an element on, about the largest of the row. It is no closure, since one of two
/// calls would be compiled apart, without the vectors' set.
///
/// # Safety
/// The CPU has the set of the lanes; the mask ends where the chunk does, which is no longer than the lanes.
#[inline(always)]
unsafe fn shifted_exp<T: Number, L: Lanes<T>>(
    chunk: &[T],
    from: usize,
    mask: L::Mask,
    top: T,
    is_odd: bool,
) -> L::Vector {
    // SAFETY: as the caller promises.
    unsafe {
        if is_odd {
            let mut differences = [T::ZERO; LANES];
            differences.iter_mut().zip(chunk).for_each(|(d, &x)| *d = total_difference(x, top));
            return T::exp_of_shifted::<L>(L::load(differences.as_ptr().add(from), L::first(L::COUNT)));
        }
        T::exp_of_shifted::<L>(L::sub(L::load(chunk.as_ptr().add(from), mask), L::splat(top)))
    }
}

/// The sums of the exponentials of a block of a row, and of all but the largest; `out` gets the exponentials unless it is empty.
///
/// # Safety
/// The CPU has the set of the lanes.
#[inline(always)]
unsafe fn long_block<T: Number, L: Lanes<T>>(x: &[T], top: T, is_odd: bool, others: bool, out: &mut [T]) -> [T; 2] {
    let mut last = [T::ZERO; LANES];
    let mut totals = [T::ZERO; 2];
    let (chunks, rest) = x.as_chunks::<LANES>();
    // SAFETY: the caller promises the set; the masks end where the elements do.
    unsafe {
        let whole = L::first(L::COUNT);
        // As many vectors as the lanes are, of at most four.
        let count = LANES / L::COUNT;
        let mut sums = [[L::splat(T::ZERO); 4]; 2];
        for (c, chunk) in chunks.iter().enumerate() {
            for v in 0..count {
                let e = shifted_exp::<T, L>(chunk, v * L::COUNT, whole, top, is_odd);
                sums[0][v] = L::add(sums[0][v], e);
                if others {
                    sums[1][v] = L::add(sums[1][v], L::gate(e, L::sub(L::splat(T::ONE), e)));
                }
                if !out.is_empty() {
                    L::store(out.as_mut_ptr().add(c * LANES + v * L::COUNT), whole, e);
                }
            }
        }
        if !chunks.is_empty() {
            totals[0] = sum_of_lanes::<T, L>(sums[0]);
            if others {
                totals[1] = sum_of_lanes::<T, L>(sums[1]);
            }
        }
        for from in (0..rest.len()).step_by(L::COUNT) {
            let some = L::first(rest.len() - from);
            let e = shifted_exp::<T, L>(rest, from, some, top, is_odd);
            L::store(last.as_mut_ptr().add(from), whole, e);
            if !out.is_empty() {
                L::store(out.as_mut_ptr().add(chunks.len() * LANES + from), some, e);
            }
        }
    }
    for &e in &last[..rest.len()] {
        totals[0] += e;
        if others {
            totals[1] += below(e);
        }
    }
    totals
}

/// `out = exp(x − max) / Σ exp(x − max)`, with one division for a row. With `total`, rows that have no such value get the
/// one that the gradient of log-sum-exp needs: all zero where every score is −∞, an equal share for each score that is +∞.
pub(crate) fn softmax<T: Number>(x: &[T], (n, inner): (usize, usize), total: bool, out: &mut [T]) {
    if are_columns(x, (n, inner)) {
        return columns(x, (n, inner), Want { log: None, total }, &mut [], out);
    }
    let rows = Rows::new(x, n);
    exponentials(rows, out, Ask::Sum, total, &mut |row, _, (sum, _), out| share(rows, row, sum, total, out));
}

/// Makes the exponentials of a row their shares of the sum.
#[inline]
fn share<T: Number>(rows: Rows<'_, T>, row: Row, sum: Sum<T>, total: bool, out: &mut [T]) {
    let share = share_of(sum.all, total);
    rows.update(row, out, |_, e| *e *= share);
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

/// `out = ln Σ exp(x)`; −∞ for an empty row or one of −∞ alone. The shares, unless they are empty, are those of [`softmax`] with
/// `total`.
pub(crate) fn log_sum_exp<T: Number>(x: &[T], (n, inner): (usize, usize), out: &mut [T], shares: &mut [T]) {
    out.fill(-T::INFINITY);
    let total = !shares.is_empty();
    if are_columns(x, (n, inner)) {
        return columns(x, (n, inner), Want { log: Some(Log::Sum), total }, out, shares);
    }
    let rows = Rows::new(x, n);
    exponentials(rows, shares, Ask::Log, total, &mut |row, top, (sum, log_sum), shares| {
        out[row.index] = log_of_total(top, log_sum);
        if total {
            share(rows, row, sum, total, shares);
        }
    });
}

/// `out = (x − max) − ln Σ exp(x − max)`. The shares, unless they are empty, are those of [`softmax`].
pub(crate) fn log_softmax<T: Number>(x: &[T], (n, inner): (usize, usize), out: &mut [T], shares: &mut [T]) {
    if are_columns(x, (n, inner)) {
        return columns(x, (n, inner), Want { log: Some(Log::Each), total: false }, out, shares);
    }
    let rows = Rows::new(x, n);
    exponentials(rows, shares, Ask::Log, false, &mut |row, top, (sum, log_sum), shares| {
        rows.update(row, out, |x, y| *y = (x - top) - log_sum);
        if !shares.is_empty() {
            share(rows, row, sum, false, shares);
        }
    });
}
