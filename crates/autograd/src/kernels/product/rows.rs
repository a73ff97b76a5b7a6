//! Tiles of a few rows and one to four vectors of columns, for a right operand whose rows are contiguous.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]
#![expect(clippy::needless_range_loop, reason = "registers are numbered alike in all arrays")]

use super::Call;
use crate::kernels::finish::{Apply, Raw, each_kind};
use crate::number::Number;
use crate::number::lanes::Lanes;
use std::mem::MaybeUninit;

/// The elements of the largest tile, in the widest vectors.
const TILE: usize = 256;

impl<T: Number> Call<T> {
    /// # Safety
    /// The CPU has the set of the lanes.
    #[inline(always)]
    pub(super) unsafe fn rows<L: Lanes<T>, const WHOLE: bool>(&self) {
        let (m, _, n) = self.sizes;
        let mut j = 0;
        while j < n {
            // SAFETY: the caller promises the set of the lanes; `j < n`.
            unsafe {
                if L::PLAIN {
                    self.block::<L, 1, WHOLE>(j);
                    j += L::COUNT;
                } else if m <= 4 && n - j > 2 * L::COUNT {
                    // A few rows leave registers free, and too few sums at a time to hide the latency of each.
                    self.block::<L, 4, WHOLE>(j);
                    j += 4 * L::COUNT;
                } else if n - j > L::COUNT {
                    self.block::<L, 2, WHOLE>(j);
                    j += 2 * L::COUNT;
                } else {
                    self.block::<L, 1, WHOLE>(j);
                    j += L::COUNT;
                }
            }
        }
    }

    /// `C` vectors of columns from `j` on.
    #[inline(always)]
    unsafe fn block<L: Lanes<T>, const C: usize, const WHOLE: bool>(&self, j: usize) {
        let (m, _, n) = self.sizes;
        let mut tile = [MaybeUninit::<T>::uninit(); TILE];
        let tile = tile.as_mut_ptr().cast::<T>();
        // SAFETY: the caller promises the set of the lanes and `j < n`; a tile lies within the `m` rows, and its masks
        // end at `n`.
        unsafe {
            let mut masks = [L::first(n - j); C];
            for (c, mask) in masks.iter_mut().enumerate().skip(1) {
                *mask = L::first((n - j).saturating_sub(c * L::COUNT));
            }
            let mut i = 0;
            while i < m {
                let rows = match m - i {
                    8.. if L::ROWS == 8 && C < 4 => self.tile::<L, 8, C, WHOLE>(i, j, masks, tile),
                    4.. => self.tile::<L, 4, C, WHOLE>(i, j, masks, tile),
                    2.. if !L::PLAIN => self.tile::<L, 2, C, WHOLE>(i, j, masks, tile),
                    _ => self.tile::<L, 1, C, WHOLE>(i, j, masks, tile),
                };
                if !WHOLE {
                    self.end::<L, C>((i, rows), j, masks, tile);
                }
                i += rows;
            }
        }
    }

    /// A tile of `R` rows and `C` vectors of columns: of a whole product its results, else its sums, one behind the other. Gives the
    /// number of its rows.
    #[inline(always)]
    unsafe fn tile<L: Lanes<T>, const R: usize, const C: usize, const WHOLE: bool>(
        &self,
        i: usize,
        j: usize,
        masks: [L::Mask; C],
        tile: *mut T,
    ) -> usize {
        let (_, k, n) = self.sizes;
        // SAFETY: the caller promises the set of the lanes, and that rows `i..i+R` and the columns of the masks from `j`
        // on are there; the operands were checked to hold `[m, k]` and `[k, n]`.
        unsafe {
            let start = i * n + j;
            let mut sums = [[L::splat(T::ZERO); C]; R];
            if !WHOLE && !self.partial.from.is_null() {
                let mut from = self.partial.from.add(start);
                for r in 0..R {
                    for c in 0..C {
                        sums[r][c] = L::load(from.wrapping_add(c * L::COUNT), masks[c]);
                    }
                    from = from.wrapping_add(n);
                }
            }
            for p in 0..k {
                let mut b = [L::splat(T::ZERO); C];
                for c in 0..C {
                    // The last vectors may be empty, and then lie beyond the end.
                    b[c] = L::load(self.b.data.wrapping_add(p * n + j + c * L::COUNT), masks[c]);
                }
                for r in 0..R {
                    let a = L::splat(self.a.at(i + r, p));
                    for c in 0..C {
                        sums[r][c] = L::mul_add(a, b[c], sums[r][c]);
                    }
                }
            }
            if !WHOLE {
                for r in 0..R {
                    for c in 0..C {
                        L::store(tile.add((r * C + c) * L::COUNT), L::first(L::COUNT), sums[r][c]);
                    }
                }
                return R;
            }
            each_kind!(self.finish, |finish| {
                let mut start = start;
                for r in 0..R {
                    for c in 0..C {
                        let (at, j) = (start + c * L::COUNT, j + c * L::COUNT);
                        let y = finish.apply::<L>(sums[r][c], self.out, at, j, masks[c]);
                        L::store(self.out.wrapping_add(at), masks[c], y);
                    }
                    start += n;
                }
            });
        }
        R
    }

    /// What becomes of the sums of a tile that is a part of all. They come from memory, so that this is compiled once for tiles of any
    /// number of rows: the sums are long ones.
    #[inline(always)]
    unsafe fn end<L: Lanes<T>, const C: usize>(
        &self,
        (i, rows): (usize, usize),
        j: usize,
        masks: [L::Mask; C],
        tile: *mut T,
    ) {
        let n = self.sizes.2;
        // SAFETY: the caller promises the set of the lanes, the rows and the columns, and a tile that holds them.
        unsafe {
            let all = L::first(L::COUNT);
            for r in 0..rows {
                for c in 0..C {
                    let (at, place) = ((i + r) * n + j + c * L::COUNT, tile.add((r * C + c) * L::COUNT));
                    let sums = self.partial.after::<L>(at, masks[c], L::load(place, all));
                    if self.partial.to.is_null() {
                        L::store(place, all, sums);
                    } else {
                        L::store(self.partial.to.wrapping_add(at), masks[c], sums);
                    }
                }
            }
            if !self.partial.to.is_null() {
                return;
            }
            each_kind!(self.finish, |finish| {
                for r in 0..rows {
                    for c in 0..C {
                        let (at, j) = ((i + r) * n + j + c * L::COUNT, j + c * L::COUNT);
                        let sums = L::load(tile.add((r * C + c) * L::COUNT), all);
                        let y = finish.apply::<L>(sums, self.out, at, j, masks[c]);
                        L::store(self.out.wrapping_add(at), masks[c], y);
                    }
                }
            });
        }
    }
}
