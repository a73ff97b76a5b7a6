//! Softmax, log-softmax and log-sum-exp of columns: rows along the middle of `[outer, n, inner]` whose elements lie apart are
//! lanes beside each other, and each is added up in the order of one that lies together. So are short rows, in a tile to which they
//! are transposed; long ones with few neighbours are transposed to rows.

use super::sums::{log_of_total, share_of};
use super::{log_softmax, log_sum_exp, softmax, total_difference};
use crate::kernels::beside::{NARROW, load, store};
use crate::kernels::map::LANES;
use crate::kernels::order::{Blocks, NEIGHBOURS, with_zeros};
use crate::kernels::reduce::add_up_columns;
use crate::kernels::transpose::transpose;
use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::number::level::{LaneKernel, Level};

/// Columns that are worked on together.
const WIDE: usize = 64;
/// The elements of a tile of columns, which stays in the first-level cache with another.
pub(super) const AREA: usize = 2048;
/// Rows of fewer bytes go through such a tile: measured on Zen 5, where longer ones take less by themselves.
const SHORT_BYTES: usize = 256;
/// So do those with few neighbours, up to this length.
const SHORT_BESIDE: usize = AREA / NARROW;
/// Fewer rows than these take less by themselves, however short they are.
const FEWEST: usize = 8;

/// What is wanted beside the shares of the exponentials in their sum, which are wanted where there is room for them; `total` as in
/// [`softmax`](super::softmax).
#[derive(Clone, Copy)]
pub(super) struct Want {
    pub(super) log: Option<Log>,
    pub(super) total: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Log {
    /// The logarithm of the sum, one for each column.
    Sum,
    /// The logarithms of the shares.
    Each,
}

/// Whether rows along the middle, of which there are some, are computed as columns.
pub(super) fn are_columns<T>(x: &[T], (n, inner): (usize, usize)) -> bool {
    !x.is_empty() && (inner > 1 || x.len() / n >= FEWEST && n * size_of::<T>() < SHORT_BYTES)
}

/// How many columns go through a tile together.
fn in_tile((n, inner): (usize, usize)) -> usize {
    WIDE.min(AREA / n) / inner * inner
}

/// Computes what is wanted of each column: logarithms and shares, either of which may be empty.
pub(super) fn columns<T: Number>(x: &[T], (n, inner): (usize, usize), want: Want, logs: &mut [T], shares: &mut [T]) {
    let rows = match want.log {
        None => 0,
        Some(Log::Sum) => x.len() / n,
        Some(Log::Each) => x.len(),
    };
    let fits = x.len().is_multiple_of(n * inner) && logs.len() == rows && [0, x.len()].contains(&shares.len());
    assert!(fits, "columns of {n} by {inner}: other lengths");
    if inner < NARROW && n > SHORT_BESIDE {
        return in_rows(x, (n, inner), want, logs, shares);
    }
    let memory = if inner < NARROW { 3 * n * in_tile((n, inner)).min(x.len() / n) } else { 0 };
    with_zeros(memory, |tiles| Level::best().run_lanes(Columns { x, n, inner, want, logs, shares, tiles }));
}

/// The same of long columns with few neighbours, as rows.
fn in_rows<T: Number>(x: &[T], (n, inner): (usize, usize), want: Want, logs: &mut [T], shares: &mut [T]) {
    let frame = n * inner;
    with_zeros(3 * frame, |memory| {
        let (rows, memory) = memory.split_at_mut(frame);
        let (made, memory) = memory.split_at_mut(frame);
        let parts = &mut memory[..if shares.is_empty() { 0 } else { frame }];
        for (k, x) in x.chunks_exact(frame).enumerate() {
            transpose(x, inner, (n, inner), rows, n);
            match want.log {
                None => softmax(rows, (n, 1), want.total, parts),
                Some(Log::Sum) => log_sum_exp(rows, (n, 1), &mut logs[k * inner..][..inner], parts),
                Some(Log::Each) => {
                    log_softmax(rows, (n, 1), made, parts);
                    transpose(made, n, (inner, n), &mut logs[k * frame..][..frame], inner);
                }
            }
            if !parts.is_empty() {
                transpose(parts, n, (inner, n), &mut shares[k * frame..][..frame], inner);
            }
        }
    });
}

struct Columns<'a, T> {
    x: &'a [T],
    n: usize,
    inner: usize,
    want: Want,
    logs: &'a mut [T],
    shares: &'a mut [T],
    /// Memory for three tiles, where there are few neighbours.
    tiles: &'a mut [T],
}

/// The sums of columns, block by block. Memory that few terms do not need is not there: to write zeros to all of it would take longer
/// than a small softmax.
struct Sums<'m, T> {
    /// Those of a block, in the lanes that a row would have, which are all filled once, or empty.
    lanes: &'m mut [[T; WIDE]],
    total: [T; WIDE],
    totals: [T; WIDE],
    /// Those of blocks, where there are several, or empty.
    blocks: &'m mut [Blocks<T>],
}

impl<'m, T: Number> Sums<'m, T> {
    fn new(lanes: &'m mut [[T; WIDE]], blocks: &'m mut [Blocks<T>]) -> Self {
        Self { lanes, total: [T::ZERO; WIDE], totals: [T::ZERO; WIDE], blocks }
    }

    /// Begins with other columns.
    #[inline(always)]
    fn start(&mut self) {
        for blocks in &mut *self.blocks {
            *blocks = Blocks::new();
        }
    }

    /// Where term `t` of a block of `len` is added, and whether it is the first one there.
    #[inline(always)]
    fn place(&mut self, (t, len): (usize, usize)) -> (&mut [T; WIDE], bool) {
        let (chunk, lane, whole) = (t / LANES, t % LANES, len / LANES);
        if chunk < whole { (&mut self.lanes[lane], chunk == 0) } else { (&mut self.total, t == 0) }
    }

    /// Ends term `j` of `n`, the `t`-th of a block of `len`.
    #[inline(always)]
    fn close(&mut self, (j, n): (usize, usize), (t, len): (usize, usize)) {
        // The last term that fills the lanes.
        let whole = len / LANES;
        if whole > 0 && t + 1 == whole * LANES {
            add_up_columns(self.lanes);
            self.total = self.lanes[0];
        }
        if t + 1 < len {
            return;
        }
        if self.blocks.is_empty() {
            self.totals = self.total;
        }
        for ((blocks, &sum), total) in self.blocks.iter_mut().zip(&self.total).zip(&mut self.totals) {
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
        let Self { x, n, inner, want, logs, shares, tiles } = self;
        let rows = x.len() / n;
        let (mut lanes, mut blocks);
        let [all_lanes, other_lanes]: [&mut [_]; 2] = if n >= LANES {
            lanes = [[[T::ZERO; WIDE]; LANES]; 2];
            lanes.each_mut().map(|lanes| &mut lanes[..])
        } else {
            Default::default()
        };
        let [all_blocks, other_blocks]: [&mut [_]; 2] = if n > NEIGHBOURS {
            blocks = [const { [const { Blocks::new() }; WIDE] }; 2];
            blocks.each_mut().map(|blocks| &mut blocks[..])
        } else {
            Default::default()
        };
        let mut sums = [Sums::new(all_lanes, all_blocks), Sums::new(other_lanes, other_blocks)];
        let (ins, tiles) = tiles.split_at_mut(tiles.len() / 3);
        let (log_tile, tiles) = tiles.split_at_mut(tiles.len() / 2);
        let share_tile = &mut tiles[..if shares.is_empty() { 0 } else { ins.len() }];
        let mut row = 0;
        while row < rows {
            // In place, a part of the columns as they lie; else a tile of several.
            let in_place = ins.is_empty();
            let widest = if in_place { WIDE.min(inner - row % inner) } else { in_tile((n, inner)) };
            let count = widest.min(rows - row);
            let (start, step) = if in_place { (row / inner * n * inner + row % inner, inner) } else { (0, count) };
            let strip = Strip { n, start, step, width: count, want };
            if !in_place {
                load(x, (row, count, count), (0, n), (n, inner), ins);
            }
            let x = if in_place { x } else { &*ins };
            let logs_here = match want.log {
                Some(Log::Sum) => &mut logs[row..row + count],
                Some(Log::Each) if !in_place => &mut *log_tile,
                Some(Log::Each) | None => &mut *logs,
            };
            let shares_here = if in_place { &mut *shares } else { &mut *share_tile };
            // SAFETY: the caller promises the set.
            unsafe { strip.run::<T, L>(x, (logs_here, shares_here), &mut sums) };
            if !in_place && want.log == Some(Log::Each) {
                store(log_tile, (row, count, count), (0, n), (n, inner), logs);
            }
            if !in_place && !shares.is_empty() {
                store(share_tile, (row, count, count), (0, n), (n, inner), shares);
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
    /// Computes the columns to the same places of the logarithms and the shares; the logarithms of sums to the front.
    ///
    /// # Safety
    /// The CPU has the set of the lanes.
    #[inline(always)]
    unsafe fn run<T: Number, L: Lanes<T>>(
        self,
        x: &[T],
        (logs, shares): (&mut [T], &mut [T]),
        sums: &mut [Sums<'_, T>; 2],
    ) {
        let Self { n, start, step, width, want } = self;
        let part = |j: usize| start + j * step..start + j * step + width;
        let mut tops = [-T::INFINITY; WIDE];
        for j in 0..n {
            tops.iter_mut().zip(&x[part(j)]).for_each(|(top, &x)| *top = top.larger(x));
        }
        // SAFETY: the caller promises the set.
        unsafe { self.add_up::<T, L>(x, &tops, shares, sums) };
        let [all, others] = sums;
        if want.log.is_some() {
            let mut log_sums = [T::ZERO; WIDE];
            let sums = all.totals.iter().zip(&others.totals);
            for (log, (&all, &others)) in log_sums[..width.next_multiple_of(LANES)].iter_mut().zip(sums) {
                let sum = super::Sum { all, others };
                *log = T::ln_of_sum(sum.all, if sum.has_one_top() { sum.others } else { sum.all });
            }
            if want.log == Some(Log::Sum) {
                for ((y, &top), &log) in logs[..width].iter_mut().zip(&tops).zip(&log_sums) {
                    *y = log_of_total(top, log);
                }
            } else {
                for j in 0..n {
                    let terms = logs[part(j)].iter_mut().zip(&x[part(j)]).zip(tops.iter().zip(&log_sums));
                    terms.for_each(|((y, &x), (&top, &log))| *y = (x - top) - log);
                }
            }
        }
        if !shares.is_empty() {
            let mut share = all.totals;
            for share in &mut share[..width] {
                *share = share_of(*share, want.total);
            }
            for j in 0..n {
                shares[part(j)].iter_mut().zip(&share).for_each(|(y, &share)| *y *= share);
            }
        }
    }

    /// Adds up the exponentials, and all but the largest where there are logarithms, and keeps them where shares are wanted.
    ///
    /// # Safety
    /// The CPU has the set of the lanes.
    #[inline(always)]
    unsafe fn add_up<T: Number, L: Lanes<T>>(
        self,
        x: &[T],
        tops: &[T; WIDE],
        shares: &mut [T],
        [all, others]: &mut [Sums<'_, T>; 2],
    ) {
        let Self { n, start, step, width, want } = self;
        let is_log = want.log.is_some();
        all.start();
        others.start();
        let is_odd = want.total && tops[..width].iter().any(|top| top.abs() == T::INFINITY);
        let mut differences = [T::ZERO; WIDE];
        for j in 0..n {
            let at = start + j * step;
            let x = &x[at..at + width];
            if is_odd {
                let terms = differences.iter_mut().zip(x).zip(tops);
                terms.for_each(|((d, &x), &top)| *d = total_difference(x, top));
            }
            let shares = if shares.is_empty() { &mut [] } else { &mut shares[at..at + width] };
            let t = j % NEIGHBOURS;
            let of_block = (t, NEIGHBOURS.min(n - (j - t)));
            let ((sum, is_first), (below, _)) = (all.place(of_block), others.place(of_block));
            for v in (0..width).step_by(L::COUNT) {
                // SAFETY: the caller promises the set; the mask ends with the columns, whose sums have room for whole vectors.
                unsafe {
                    let (whole, mask) = (L::first(L::COUNT), L::first(width - v));
                    let difference = if is_odd {
                        L::load(differences.as_ptr().add(v), whole)
                    } else {
                        L::sub(L::load(x.as_ptr().add(v), mask), L::load(tops.as_ptr().add(v), whole))
                    };
                    let e = T::exp_of_shifted::<L>(difference);
                    add::<T, L>(&mut sum[v..], e, is_first);
                    if is_log {
                        // An exponential, but for the largest one.
                        add::<T, L>(&mut below[v..], L::gate(e, L::sub(L::splat(T::ONE), e)), is_first);
                    }
                    if !shares.is_empty() {
                        L::store(shares.as_mut_ptr().add(v), mask, e);
                    }
                }
            }
            all.close((j, n), of_block);
            if is_log {
                others.close((j, n), of_block);
            }
        }
    }
}

/// Adds a vector to the front of sums, or begins with it.
///
/// # Safety
/// The CPU has the set of the lanes; the sums have a whole vector.
#[inline(always)]
unsafe fn add<T: Number, L: Lanes<T>>(sums: &mut [T], e: L::Vector, is_first: bool) {
    // SAFETY: as the caller promises.
    unsafe {
        let (to, whole) = (sums.as_mut_ptr(), L::first(L::COUNT));
        L::store(to, whole, if is_first { e } else { L::add(L::load(to, whole), e) });
    }
}
