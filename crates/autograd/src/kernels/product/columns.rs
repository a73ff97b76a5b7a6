//! A few vectors of rows at a time of a narrow result, for a left operand that is stored transposed, so that its columns are
//! contiguous.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]
#![expect(clippy::needless_range_loop, reason = "registers are numbered alike in all arrays")]

use super::Call;
use super::piece::Piece;
use crate::kernels::order::Partial;
use crate::number::Number;
use crate::number::lanes::Lanes;
use std::mem::MaybeUninit;

impl<T: Number> Call<T> {
    /// # Safety
    /// The CPU has the set of the lanes, and the result at most `NARROW` columns.
    #[inline(always)]
    pub(super) unsafe fn columns<L: Lanes<T>, const WHOLE: bool>(&self) {
        // SAFETY: the caller promises the set of the lanes. A piece holds the rows of two of the widest vectors for any
        // number of columns, and of four for up to half as many.
        unsafe {
            if L::PLAIN {
                return self.pieces::<L, 1, 4>();
            }
            if !WHOLE {
                return self.pieces::<L, 5, 2>();
            }
            match self.sizes.2 {
                1 => self.pieces::<L, 1, 4>(),
                2 => self.pieces::<L, 2, 4>(),
                3 => self.pieces::<L, 3, 4>(),
                4 => self.pieces::<L, 4, 4>(),
                _ => self.pieces::<L, 5, 2>(),
            }
        }
    }

    /// Pieces of `C` vectors of rows, in tiles of `R` columns.
    #[inline(always)]
    unsafe fn pieces<L: Lanes<T>, const R: usize, const C: usize>(&self) {
        let (m, _, n) = self.sizes;
        let (mut piece, mut bias) = (Piece::<T>::new(), Piece::<T>::new());
        // SAFETY: the caller promises the set of the lanes; the rows of a piece end at `m`, its columns at `n`.
        unsafe {
            let finish = bias.repeat((m.min(C * L::COUNT), n), self.finish);
            let mut i = 0;
            while i < m {
                let rows = (m - i).min(C * L::COUNT);
                let mut masks = [L::first(rows); C];
                for (c, mask) in masks.iter_mut().enumerate().skip(1) {
                    *mask = L::first(rows.saturating_sub(c * L::COUNT));
                }
                let mut j = 0;
                while n - j >= R {
                    self.columns_of::<L, R, C>((i, rows), j, masks, &mut piece);
                    j += R;
                }
                if R == 5 {
                    match n - j {
                        4 => self.columns_of::<L, 4, C>((i, rows), j, masks, &mut piece),
                        3 => self.columns_of::<L, 3, C>((i, rows), j, masks, &mut piece),
                        2 => self.columns_of::<L, 2, C>((i, rows), j, masks, &mut piece),
                        1 => self.columns_of::<L, 1, C>((i, rows), j, masks, &mut piece),
                        _ => {}
                    }
                }
                if self.partial.to.is_null() {
                    piece.store::<L>(rows * n, self.out, i * n, finish, &Partial::NONE);
                }
                i += rows;
            }
        }
    }

    /// `R` columns from `j` on of the rows of a piece.
    #[inline(always)]
    unsafe fn columns_of<L: Lanes<T>, const R: usize, const C: usize>(
        &self,
        (i, rows): (usize, usize),
        j: usize,
        masks: [L::Mask; C],
        piece: &mut Piece<T>,
    ) {
        let (m, k, n) = self.sizes;
        // SAFETY: the caller promises the set of the lanes, and that the rows from `i` on and columns `j..j+R` are there.
        // Vectors whose masks are empty may lie beyond the end.
        unsafe {
            let mut sums = [[L::splat(T::ZERO); C]; R];
            if !self.partial.from.is_null() {
                for r in 0..R {
                    for c in 0..C {
                        sums[r][c] = L::load(self.partial.from.wrapping_add((j + r) * m + i + c * L::COUNT), masks[c]);
                    }
                }
            }
            for p in 0..k {
                let mut a = [L::splat(T::ZERO); C];
                for c in 0..C {
                    a[c] = L::load(self.a.data.wrapping_add(p * m + i + c * L::COUNT), masks[c]);
                }
                for r in 0..R {
                    let b = L::splat(self.b.at(p, j + r));
                    for c in 0..C {
                        sums[r][c] = L::mul_add(a[c], b, sums[r][c]);
                    }
                }
            }
            if !self.partial.is_first() {
                for r in 0..R {
                    for c in 0..C {
                        let at = (j + r) * m + i + c * L::COUNT;
                        sums[r][c] = self.partial.after::<L>(at, masks[c], sums[r][c]);
                    }
                }
            }
            if !self.partial.to.is_null() {
                for r in 0..R {
                    for c in 0..C {
                        L::store(self.partial.to.wrapping_add((j + r) * m + i + c * L::COUNT), masks[c], sums[r][c]);
                    }
                }
                return;
            }
            let mut column = [MaybeUninit::<T>::uninit(); 64];
            let column = column.as_mut_ptr().cast::<T>();
            let to = piece.start();
            for r in 0..R {
                for c in 0..C {
                    L::store(column.add(c * L::COUNT), masks[c], sums[r][c]);
                }
                for e in 0..rows {
                    to.add(e * n + j + r).write(column.add(e).read());
                }
            }
        }
    }
}
