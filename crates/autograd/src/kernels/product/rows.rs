//! Tiles of a few rows and one to four vectors of columns, for a right operand whose rows are contiguous.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]
#![expect(clippy::needless_range_loop, reason = "registers are numbered alike in all arrays")]

use super::Call;
use crate::kernels::finish::{Apply, Raw, each_kind};
use crate::number::Number;
use crate::number::lanes::Lanes;

impl<T: Number> Call<T> {
    /// # Safety
    /// The CPU has the set of the lanes.
    #[inline(always)]
    pub(super) unsafe fn rows<L: Lanes<T>>(&self) {
        let (m, _, n) = self.sizes;
        let mut j = 0;
        while j < n {
            // SAFETY: the caller promises the set of the lanes; `j < n`.
            unsafe {
                if L::PLAIN {
                    self.block::<L, 1>(j);
                    j += L::COUNT;
                } else if m <= 4 && n - j > 2 * L::COUNT {
                    // A few rows leave registers free, and too few sums at a time to hide the latency of each.
                    self.block::<L, 4>(j);
                    j += 4 * L::COUNT;
                } else if n - j > L::COUNT {
                    self.block::<L, 2>(j);
                    j += 2 * L::COUNT;
                } else {
                    self.block::<L, 1>(j);
                    j += L::COUNT;
                }
            }
        }
    }

    /// `C` vectors of columns from `j` on.
    #[inline(always)]
    unsafe fn block<L: Lanes<T>, const C: usize>(&self, j: usize) {
        let (m, _, n) = self.sizes;
        // SAFETY: the caller promises the set of the lanes and `j < n`; a tile lies within the `m` rows, and its masks
        // end at `n`.
        unsafe {
            let mut masks = [L::first(n - j); C];
            for (c, mask) in masks.iter_mut().enumerate().skip(1) {
                *mask = L::first((n - j).saturating_sub(c * L::COUNT));
            }
            let mut i = 0;
            if L::ROWS == 8 && C < 4 {
                while m - i >= 8 {
                    self.tile::<L, 8, C>(i, j, masks);
                    i += 8;
                }
            }
            while m - i >= 4 {
                self.tile::<L, 4, C>(i, j, masks);
                i += 4;
            }
            if L::PLAIN {
                while m - i >= 1 {
                    self.tile::<L, 1, C>(i, j, masks);
                    i += 1;
                }
                return;
            }
            match m - i {
                3 => {
                    self.tile::<L, 2, C>(i, j, masks);
                    self.tile::<L, 1, C>(i + 2, j, masks);
                }
                2 => self.tile::<L, 2, C>(i, j, masks),
                1 => self.tile::<L, 1, C>(i, j, masks),
                _ => {}
            }
        }
    }

    #[inline(always)]
    unsafe fn tile<L: Lanes<T>, const R: usize, const C: usize>(&self, i: usize, j: usize, masks: [L::Mask; C]) {
        let (_, k, n) = self.sizes;
        // SAFETY: the caller promises the set of the lanes, and that rows `i..i+R` and the columns of the masks from `j`
        // on are there; the operands were checked to hold `[m, k]` and `[k, n]`.
        unsafe {
            let start = i * n + j;
            let mut sums = [[L::splat(T::ZERO); C]; R];
            if !self.partial.from.is_null() {
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
            if !self.partial.is_first() {
                for r in 0..R {
                    for c in 0..C {
                        let at = start + r * n + c * L::COUNT;
                        sums[r][c] = self.partial.after::<L>(at, masks[c], sums[r][c]);
                    }
                }
            }
            if !self.partial.to.is_null() {
                let mut to = self.partial.to.add(start);
                for r in 0..R {
                    for c in 0..C {
                        L::store(to.wrapping_add(c * L::COUNT), masks[c], sums[r][c]);
                    }
                    to = to.wrapping_add(n);
                }
                return;
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
    }
}
