//! The sums of the columns of a matrix: the gradient of a bias.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]

use super::finish::{Apply, Raw, SliceFinish, each_kind};
use super::order::{ROWS, Sums, elements, with_memory};
use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::number::level::{LaneKernel, Level};
use std::ops::Range;

/// `out[j] = finish(Σ_i x[i, j])` for rows as long as `out`, each sum in the order that [`order`](super::order) tells.
pub(crate) fn column_sums<T: Number>(x: &[T], out: &mut [T], finish: SliceFinish<'_, T>) {
    column_sums_of::<T, false>(x, out, finish);
}

/// The same, or of their squares.
pub(super) fn column_sums_of<T: Number, const SQUARED: bool>(x: &[T], out: &mut [T], finish: SliceFinish<'_, T>) {
    let n = out.len();
    if n == 0 {
        return;
    }
    assert!(x.len().is_multiple_of(n), "column sums: {} elements are not rows of {n}", x.len());
    let (rows, finish) = (x.len() / n, finish.raw(n, n));
    let mut run = |memory: *mut T| {
        let sums = Sums { terms: rows, count: n, memory };
        let (x, out) = (x.as_ptr(), out.as_mut_ptr());
        Level::best().run_lanes(ColumnSums::<T, SQUARED> { x, start: 0, end: rows, out, finish, sums });
    };
    match elements(rows, n, ROWS, false) {
        0 => run(std::ptr::null_mut()),
        len => with_memory(len, run),
    }
}

/// `out[j] = Σ_i x[i, j]` for `rows` rows as long as `out`, which are made block by block: `fill(i.., block)`.
pub(super) fn sums_of_blocks<T: Number>(
    rows: usize,
    block: &mut [T],
    out: &mut [T],
    mut fill: impl FnMut(Range<usize>, &mut [T]),
) {
    let n = out.len();
    assert!(block.len() >= n * ROWS.min(rows), "sums of blocks: a block has {} elements", block.len());
    let (level, out) = (Level::best(), out.as_mut_ptr());
    with_memory(elements(rows, n, ROWS, false), |memory| {
        let sums = Sums { terms: rows, count: n, memory };
        for start in (0..rows).step_by(ROWS) {
            let end = rows.min(start + ROWS);
            fill(start..end, &mut block[..(end - start) * n]);
            level.run_lanes(ColumnSums::<T, false> { x: block.as_ptr(), start, end, out, finish: Raw::Keep, sums });
        }
    });
}

/// Sums of columns, or of their squares, by pointers: `out = finish(Σ_i x[i, ·])`, or the part of that which rows `start` to `end` are.
///
/// Whoever makes one promises that `x` holds those rows of `sums.count` elements, that `out` and what the finish points to
/// have as many, and that the sums have their memory, with what earlier rows left there.
#[derive(Clone, Copy)]
pub(super) struct ColumnSums<T, const SQUARED: bool> {
    /// Row `start`.
    pub(super) x: *const T,
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) out: *mut T,
    pub(super) finish: Raw<T>,
    pub(super) sums: Sums<T>,
}

impl<T: Number, const SQUARED: bool> LaneKernel<T> for ColumnSums<T, SQUARED> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(self) {
        let mut j = 0;
        // SAFETY: the caller promises the set of the lanes; there are columns from `j` on.
        unsafe {
            while j < self.sums.count {
                if self.sums.count - j > L::COUNT {
                    self.columns::<L, 4>(j);
                    j += 4 * L::COUNT;
                } else {
                    self.columns::<L, 1>(j);
                    j += L::COUNT;
                }
            }
        }
    }
}

/// The blocks whose sums are taken at a time where there are few columns.
const AHEAD: usize = 4;

impl<T: Number, const SQUARED: bool> ColumnSums<T, SQUARED> {
    /// The sums of blocks one after the other, from an element of the first row on.
    ///
    /// # Safety
    /// The CPU has the set of the lanes; the rows are there, as far as the mask goes.
    #[inline(always)]
    unsafe fn blocks<L: Lanes<T>>(&self, x: *const T, mask: L::Mask) -> [L::Vector; AHEAD] {
        let n = self.sums.count;
        // SAFETY: the caller promises the set and the rows.
        unsafe {
            let mut sums = [L::splat(T::ZERO); AHEAD];
            for i in 0..ROWS {
                for (block, sum) in sums.iter_mut().enumerate() {
                    let x = L::load(x.wrapping_add((block * ROWS + i) * n), mask);
                    *sum = L::add(*sum, if SQUARED { L::mul(x, x) } else { x });
                }
            }
            sums
        }
    }

    /// `C` vectors of columns from `j` on; the last ones may be empty, and then lie beyond the end.
    #[inline(always)]
    unsafe fn columns<L: Lanes<T>, const C: usize>(&self, j: usize) {
        let Self { x, start, end, out, sums: Sums { count: n, .. }, .. } = *self;
        // SAFETY: the caller promises the set of the lanes; the masks end at `n`.
        unsafe {
            let mut masks = [L::first(n - j); C];
            for (c, mask) in masks.iter_mut().enumerate().skip(1) {
                *mask = L::first((n - j).saturating_sub(c * L::COUNT));
            }
            // Of few columns, the sums of several blocks, so that none waits for the one before.
            let (mut ahead, mut known) = ([L::splat(T::ZERO); AHEAD], 0..0);
            for (rows, partial) in self.sums.pieces(start..end, ROWS) {
                let mut sums = [L::splat(T::ZERO); C];
                if C == 1 && rows.start.is_multiple_of(ROWS) && end - rows.start >= AHEAD * ROWS && known.is_empty() {
                    ahead = self.blocks::<L>(x.wrapping_add((rows.start - start) * n + j), masks[0]);
                    known = 0..AHEAD;
                }
                let block = known.next();
                if !partial.from.is_null() {
                    for c in 0..C {
                        sums[c] = L::load(partial.from.wrapping_add(j + c * L::COUNT), masks[c]);
                    }
                }
                let left = if let Some(block) = block {
                    sums[0] = ahead[block];
                    0..0
                } else {
                    rows.start - start..rows.end - start
                };
                for i in left {
                    for c in 0..C {
                        let x = L::load(x.wrapping_add(i * n + j + c * L::COUNT), masks[c]);
                        sums[c] = L::add(sums[c], if SQUARED { L::mul(x, x) } else { x });
                    }
                }
                for c in 0..C {
                    sums[c] = partial.after::<L>(j + c * L::COUNT, masks[c], sums[c]);
                }
                if !partial.to.is_null() {
                    for c in 0..C {
                        L::store(partial.to.wrapping_add(j + c * L::COUNT), masks[c], sums[c]);
                    }
                    continue;
                }
                each_kind!(self.finish, |finish| {
                    for c in 0..C {
                        let j = j + c * L::COUNT;
                        let y = finish.apply::<L>(sums[c], out, j, j, masks[c]);
                        L::store(out.wrapping_add(j), masks[c], y);
                    }
                });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finish::Finish;
    use crate::kernels::order::tests::by_halves;
    use crate::number::level::tests::at_every_level;

    #[test]
    fn every_path_equals_the_definition_at_every_level() {
        for (rows, n) in
            [(0, 3), (1, 1), (5, 3), (5, 10), (31, 16), (32, 1), (47, 3), (300, 16), (40, 17), (9, 100), (3, 130)]
        {
            let x: Vec<f32> = (0..rows * n).map(|i| ((i * 7) % 23) as f32 - 11.0).collect();
            let sum = |j: usize| (0..rows).map(|i| x[i * n + j]).sum::<f32>();
            let before: Vec<f32> = (0..n).map(|j| j as f32).collect();
            at_every_level(|level| {
                let mut out = before.clone();
                column_sums(&x, &mut out, Finish::Keep);
                assert_eq!(out, (0..n).map(sum).collect::<Vec<_>>(), "{rows} {n} {level:?}");
                out.copy_from_slice(&before);
                column_sums(&x, &mut out, Finish::Descend(0.5));
                let want: Vec<f32> = (0..n).map(|j| before[j] - 0.5 * sum(j)).collect();
                assert_eq!(out, want, "{rows} {n} {level:?}");
            });
        }
    }

    #[test]
    fn the_order_is_that_of_blocks_of_rows_at_every_level_and_in_pieces() {
        for rows in [63, 64, 65, 127, 128, 129, 192, 255, 256, 257, 300, 1000, 5000] {
            for n in [1, 3, 16, 35, 70] {
                let x: Vec<f32> = (0..rows * n).map(|i| ((i * 7919) % 1009) as f32 * 0.37 - 100.0).collect();
                let column = |j: usize| {
                    let of = |block: Range<usize>| block.fold(0.0, |sum, i| sum + x[i * n + j]);
                    by_halves(rows, ROWS, &of)
                };
                let want: Vec<f32> = (0..n).map(column).collect();
                at_every_level(|level| {
                    let mut out = vec![f32::NAN; n];
                    column_sums(&x, &mut out, Finish::Keep);
                    assert_eq!(out, want, "{rows} {n} {level:?}");
                    let (mut out, mut block) = (vec![f32::NAN; n], vec![f32::NAN; ROWS * n]);
                    sums_of_blocks(rows, &mut block, &mut out, |rows, block| {
                        block.copy_from_slice(&x[rows.start * n..rows.end * n]);
                    });
                    assert_eq!(out, want, "{rows} {n} {level:?}");
                });
            }
        }
    }

    #[test]
    fn the_error_of_columns_does_not_grow_with_their_length() {
        for value in [0.1_f32, 0.3, 0.7, 1.9] {
            let (rows, n) = (40_000, 3);
            let mut out = vec![0.0; n];
            column_sums(&vec![value; rows * n], &mut out, Finish::Keep);
            let want = rows as f64 * f64::from(value);
            assert!(out.iter().all(|&sum| (f64::from(sum) / want - 1.0).abs() < 1e-6), "{out:?}");
        }
    }
}
