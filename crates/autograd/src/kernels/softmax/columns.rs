//! Softmax, log-softmax and log-sum-exp of columns: rows along the middle of `[outer, n, inner]` whose elements lie apart are
//! lanes beside each other, and each is added up in the order of one that lies together. So are short rows, in a tile to which they
//! are transposed; long ones with few neighbours are transposed to rows.

use super::{log_softmax, log_sum_exp, softmax, total_difference};
use crate::kernels::beside::{NARROW, load, store};
use crate::kernels::map::LANES;
use crate::kernels::order::{Blocks, NEIGHBOURS, with_zeros};
use crate::kernels::transpose::transpose;
use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::number::level::{LaneKernel, Level};

/// Columns that are worked on together.
const WIDE: usize = 64;
/// The elements of a tile of columns, which stays in the first-level cache with another.
const AREA: usize = 2048;
/// Rows up to this length go through such a tile.
const SHORT: usize = AREA / WIDE;
/// So do those with few neighbours, up to this one.
const SHORT_BESIDE: usize = AREA / NARROW;

/// What becomes of the exponentials.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// Their shares in the sum; `total` as in [`softmax`](super::softmax).
    Shares { total: bool },
    /// The logarithms of the shares.
    Logarithms,
    /// The logarithm of their sum, one for each column.
    LogSum,
}

/// Whether rows along the middle are computed as columns.
pub(super) fn are_columns(n: usize, inner: usize) -> bool {
    inner > 1 || n <= SHORT
}

/// Computes what is wanted of each column.
pub(super) fn columns<T: Number>(x: &[T], (n, inner): (usize, usize), want: Want, out: &mut [T]) {
    let rows = if want == Want::LogSum { x.len() / n } else { x.len() };
    assert!(x.len().is_multiple_of(n * inner) && out.len() == rows, "columns of {n} by {inner}: other lengths");
    if inner < NARROW && n > SHORT_BESIDE {
        return in_rows(x, (n, inner), want, out);
    }
    let memory = if inner < NARROW { 2 * AREA } else { 0 };
    with_zeros(memory, |tiles| Level::best().run_lanes(Columns { x, n, inner, want, out, tiles }));
}

/// The same of long columns with few neighbours, as rows.
fn in_rows<T: Number>(x: &[T], (n, inner): (usize, usize), want: Want, out: &mut [T]) {
    let frame = n * inner;
    with_zeros(2 * frame, |memory| {
        let (rows, made) = memory.split_at_mut(frame);
        let len = if want == Want::LogSum { inner } else { frame };
        for (x, out) in x.chunks_exact(frame).zip(out.chunks_exact_mut(len)) {
            transpose(x, inner, (n, inner), rows, n);
            match want {
                Want::LogSum => {
                    log_sum_exp(rows, (n, 1), out);
                    continue;
                }
                Want::Shares { total } => softmax(rows, (n, 1), total, made),
                Want::Logarithms => log_softmax(rows, (n, 1), made),
            }
            transpose(made, n, (inner, n), out, inner);
        }
    });
}

struct Columns<'a, T> {
    x: &'a [T],
    n: usize,
    inner: usize,
    want: Want,
    out: &'a mut [T],
    /// Memory for two tiles, where there are few neighbours.
    tiles: &'a mut [T],
}

/// The sums of the exponentials of a block, in the lanes that a row would have.
#[derive(Clone, Copy)]
struct Block<T> {
    lanes: [[T; WIDE]; LANES],
    total: [T; WIDE],
}

impl<T: Number> Block<T> {
    const ZERO: Self = Self { lanes: [[T::ZERO; WIDE]; LANES], total: [T::ZERO; WIDE] };

    /// Adds term `t` of a block of `len`.
    #[inline(always)]
    fn add(&mut self, (t, len): (usize, usize), e: &[T]) {
        let width = e.len();
        let (chunk, lane, whole) = (t / LANES, t % LANES, len / LANES);
        if t == 0 {
            self.total[..width].fill(T::ZERO);
        }
        if chunk == 0 && whole > 0 {
            self.lanes[lane][..width].copy_from_slice(e);
        } else if chunk < whole {
            self.lanes[lane].iter_mut().zip(e).for_each(|(sum, &e)| *sum += e);
        } else {
            self.total.iter_mut().zip(e).for_each(|(sum, &e)| *sum += e);
        }
        if whole > 0 && t + 1 == whole * LANES {
            for half in [8, 4, 2, 1] {
                let (low, high) = self.lanes.split_at_mut(half);
                for (low, high) in low.iter_mut().zip(high) {
                    low[..width].iter_mut().zip(high).for_each(|(low, &mut high)| *low += high);
                }
            }
            self.total[..width].copy_from_slice(&self.lanes[0][..width]);
        }
    }
}

/// The sums of columns, block by block.
struct Sums<T> {
    block: Block<T>,
    totals: [T; WIDE],
    blocks: Option<[Blocks<T>; WIDE]>,
}

impl<T: Number> Sums<T> {
    const ZERO: Self = Self { block: Block::ZERO, totals: [T::ZERO; WIDE], blocks: None };

    /// Begins with other columns.
    #[inline(always)]
    fn start(&mut self, n: usize) {
        self.blocks = (n > NEIGHBOURS).then(|| [Blocks::new(); WIDE]);
    }

    #[inline(always)]
    fn add(&mut self, j: usize, n: usize, e: &[T]) {
        let t = j % NEIGHBOURS;
        let len = NEIGHBOURS.min(n - (j - t));
        self.block.add((t, len), e);
        if t + 1 < len {
            return;
        }
        let Some(blocks) = &mut self.blocks else {
            self.totals = self.block.total;
            return;
        };
        for ((blocks, &sum), total) in blocks.iter_mut().zip(&self.block.total).zip(&mut self.totals) {
            blocks.push(sum);
            if j + 1 == n {
                *total = blocks.total();
            }
        }
    }
}

impl<T: Number> LaneKernel<T> for Columns<'_, T> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(self) {
        let Self { x, n, inner, want, out, tiles } = self;
        let rows = x.len() / n;
        let mut sums = [Sums::ZERO, Sums::ZERO];
        let (ins, outs) = tiles.split_at_mut(tiles.len() / 2);
        let mut row = 0;
        while row < rows {
            // In place, a part of the columns as they lie; else a tile of several.
            let in_place = ins.is_empty();
            let widest = if in_place { WIDE.min(inner - row % inner) } else { WIDE.min(AREA / n) / inner * inner };
            let count = widest.min(rows - row);
            let (start, step) = if in_place { (row / inner * n * inner + row % inner, inner) } else { (0, count) };
            let strip = Strip { n, start, step, width: count, want };
            if !in_place {
                load(x, (row, count), (0, n), (n, inner), ins);
            }
            let x = if in_place { x } else { &*ins };
            let y = match want {
                Want::LogSum => &mut out[row..row + count],
                _ if in_place => &mut *out,
                Want::Shares { .. } | Want::Logarithms => &mut *outs,
            };
            // SAFETY: the caller promises the set.
            unsafe { strip.run::<T, L>(x, y, &mut sums) };
            if !in_place && want != Want::LogSum {
                store(outs, (row, count), (0, n), (n, inner), out);
            }
            row += count;
        }
    }
}

/// Columns beside each other: so many terms from a start on, and how far these are from each other.
#[derive(Clone, Copy)]
struct Strip {
    n: usize,
    start: usize,
    step: usize,
    width: usize,
    want: Want,
}

impl Strip {
    /// Computes the columns to the same places of `out`; the logarithms of sums to its front.
    ///
    /// # Safety
    /// The CPU has the set of the lanes.
    #[inline(always)]
    unsafe fn run<T: Number, L: Lanes<T>>(self, x: &[T], out: &mut [T], [all, others]: &mut [Sums<T>; 2]) {
        let Self { n, start, step, width, want } = self;
        let total = want == Want::Shares { total: true };
        let is_log = !matches!(want, Want::Shares { .. });
        let at = |j: usize| start + j * step;
        let x = |j: usize| &x[at(j)..at(j) + width];
        let mut tops = [-T::INFINITY; WIDE];
        for j in 0..n {
            tops.iter_mut().zip(x(j)).for_each(|(top, &x)| *top = top.larger(x));
        }
        all.start(n);
        others.start(n);
        let (mut e, mut below) = ([T::ZERO; WIDE], [T::ZERO; WIDE]);
        for j in 0..n {
            for ((e, &x), &top) in e.iter_mut().zip(x(j)).zip(&tops) {
                *e = if total { total_difference(x, top) } else { x - top };
            }
            for place in e[..width.next_multiple_of(L::COUNT)].chunks_exact_mut(L::COUNT) {
                // SAFETY: the caller promises the set; a chunk is a vector.
                unsafe {
                    let whole = L::first(L::COUNT);
                    let y = T::exp_of_shifted::<L>(L::load(place.as_ptr(), whole));
                    L::store(place.as_mut_ptr(), whole, y);
                }
            }
            all.add(j, n, &e[..width]);
            if is_log {
                below.iter_mut().zip(&e[..width]).for_each(|(b, &e)| *b = if e < T::ONE { e } else { T::ZERO });
                others.add(j, n, &below[..width]);
            } else {
                out[at(j)..at(j) + width].copy_from_slice(&e[..width]);
            }
        }
        let mut logs = [T::ZERO; WIDE];
        if is_log {
            let sums = all.totals.iter().zip(&others.totals);
            for (log, (&all, &others)) in logs[..width.next_multiple_of(LANES)].iter_mut().zip(sums) {
                let sum = super::Sum { all, others };
                *log = T::ln_of_sum(sum.all, if sum.has_one_top() { sum.others } else { sum.all });
            }
        }
        match want {
            Want::Shares { .. } => {
                let mut shares = all.totals;
                for share in &mut shares[..width] {
                    // A sum of 0 is that of a row of −∞ alone, which stays 0.
                    *share = if total && *share == T::ZERO { T::ONE } else { T::ONE / *share };
                }
                for j in 0..n {
                    let y = &mut out[at(j)..at(j) + width];
                    y.iter_mut().zip(&shares).for_each(|(y, &share)| *y *= share);
                }
            }
            Want::Logarithms => {
                for j in 0..n {
                    let y = &mut out[at(j)..at(j) + width];
                    for (((y, &x), &top), &log) in y.iter_mut().zip(x(j)).zip(&tops).zip(&logs) {
                        *y = (x - top) - log;
                    }
                }
            }
            Want::LogSum => {
                for ((y, &top), &log) in out[..width].iter_mut().zip(&tops).zip(&logs) {
                    *y = if top == T::INFINITY || top == -T::INFINITY { top } else { top + log };
                }
            }
        }
    }
}
