//! Sums of products along `k`, for a right operand whose columns are contiguous, and few.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]
#![expect(clippy::needless_range_loop, reason = "registers are numbered alike in all arrays")]

use super::Call;
use super::piece::Piece;
use crate::number::Number;
use crate::number::lanes::Lanes;

/// Rows of a piece: four columns of them fit it.
const ROWS: usize = 32;

impl<T: Number> Call<T> {
    /// # Safety
    /// The CPU has the set of the lanes, and the result one to four columns.
    #[inline(always)]
    pub(super) unsafe fn dots<L: Lanes<T>>(&self) {
        // SAFETY: the caller promises the set of the lanes.
        unsafe {
            match self.sizes.2 {
                1 => self.rows_of_dots::<L, 1>(),
                2 => self.rows_of_dots::<L, 2>(),
                3 => self.rows_of_dots::<L, 3>(),
                _ => self.rows_of_dots::<L, 4>(),
            }
        }
    }

    #[inline(always)]
    unsafe fn rows_of_dots<L: Lanes<T>, const N: usize>(&self) {
        let m = self.sizes.0;
        let (mut piece, mut bias) = (Piece::<T>::new(), Piece::<T>::new());
        // SAFETY: the caller promises the set of the lanes and `n = N`; the rows of a piece lie within `m`.
        unsafe {
            let finish = bias.repeat((m.min(ROWS), N), self.finish);
            let mut i = 0;
            while i < m {
                let rows = (m - i).min(ROWS);
                let to = piece.start();
                let mut r = 0;
                while !L::PLAIN && rows - r >= 4 {
                    self.dots_of::<L, 4, N>(i + r, to.add(r * N));
                    r += 4;
                }
                while r < rows {
                    self.dots_of::<L, 1, N>(i + r, to.add(r * N));
                    r += 1;
                }
                piece.store::<L>(rows * N, self.out, i * N, finish, &self.partial);
                i += rows;
            }
        }
    }

    /// `R` rows from `i` on, at most four, into a piece.
    #[inline(always)]
    unsafe fn dots_of<L: Lanes<T>, const R: usize, const N: usize>(&self, i: usize, to: *mut T) {
        let k = self.sizes.1;
        // SAFETY: the caller promises the set of the lanes, rows `i..i+R`, and room for them in the piece; masks end at `k`.
        unsafe {
            let mut sums = [[L::splat(T::ZERO); 4]; N];
            let mut p = 0;
            while p < k {
                let mask = L::first(k - p);
                let mut b = [L::splat(T::ZERO); N];
                for j in 0..N {
                    b[j] = L::load(self.b.data.add(j * self.b.col + p), mask);
                }
                for r in 0..R {
                    let a = L::load(self.a.data.add((i + r) * self.a.row + p), mask);
                    for j in 0..N {
                        sums[j][r] = L::mul_add(a, b[j], sums[j][r]);
                    }
                }
                p += L::COUNT;
            }
            for j in 0..N {
                let totals = L::totals(sums[j]);
                for r in 0..R {
                    to.add(r * N + j).write(totals[r]);
                }
            }
        }
    }
}
