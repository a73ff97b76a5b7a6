//! Products with a sum of a few terms: all of the right operand's rows that a block of columns needs stay in registers.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]
#![expect(clippy::needless_range_loop, reason = "registers are numbered alike in all arrays")]

use super::Call;
use crate::kernels::finish::{Apply, Raw, each_kind};
use crate::number::Number;
use crate::number::lanes::Lanes;

/// The longest sum.
pub(super) const TERMS: usize = 4;

impl<T: Number> Call<T> {
    /// # Safety
    /// The CPU has the set of the lanes, and `1 ≤ k ≤ TERMS`.
    #[inline(always)]
    pub(super) unsafe fn thin<L: Lanes<T>>(&self) {
        // SAFETY: the caller promises the set of the lanes and `k`.
        unsafe {
            match self.sizes.1 {
                1 => self.thin_of::<L, 1>(),
                2 => self.thin_of::<L, 2>(),
                3 => self.thin_of::<L, 3>(),
                _ => self.thin_of::<L, 4>(),
            }
        }
    }

    #[inline(always)]
    unsafe fn thin_of<L: Lanes<T>, const K: usize>(&self) {
        let n = self.sizes.2;
        let mut j = 0;
        while j < n {
            // SAFETY: the caller promises the set of the lanes and `k = K`; `j < n`.
            unsafe {
                if L::ROWS == 8 && n - j > 2 * L::COUNT {
                    self.thin_columns::<L, K, 4>(j);
                    j += 4 * L::COUNT;
                } else if n - j > L::COUNT {
                    self.thin_columns::<L, K, 2>(j);
                    j += 2 * L::COUNT;
                } else {
                    self.thin_columns::<L, K, 1>(j);
                    j += L::COUNT;
                }
            }
        }
    }

    /// `C` vectors of columns from `j` on, of which the last may be empty, and then lie beyond the end.
    #[inline(always)]
    unsafe fn thin_columns<L: Lanes<T>, const K: usize, const C: usize>(&self, j: usize) {
        let (m, _, n) = self.sizes;
        // SAFETY: the caller promises the set of the lanes, `k = K`, and `j < n`; the masks end at `n`.
        unsafe {
            let mut masks = [L::first(n - j); C];
            for (c, mask) in masks.iter_mut().enumerate().skip(1) {
                *mask = L::first((n - j).saturating_sub(c * L::COUNT));
            }
            let mut b = [[L::splat(T::ZERO); C]; K];
            for p in 0..K {
                for c in 0..C {
                    b[p][c] = L::load(self.b.data.wrapping_add(p * n + j + c * L::COUNT), masks[c]);
                }
            }
            each_kind!(self.finish, |finish| {
                let mut start = j;
                for i in 0..m {
                    let mut sums = [L::splat(T::ZERO); C];
                    for p in 0..K {
                        let a = L::splat(self.a.at(i, p));
                        for c in 0..C {
                            sums[c] = L::mul_add(a, b[p][c], sums[c]);
                        }
                    }
                    for c in 0..C {
                        let at = start + c * L::COUNT;
                        let y = finish.apply::<L>(sums[c], self.out, at, j + c * L::COUNT, masks[c]);
                        L::store(self.out.wrapping_add(at), masks[c], y);
                    }
                    start += n;
                }
            });
        }
    }
}
