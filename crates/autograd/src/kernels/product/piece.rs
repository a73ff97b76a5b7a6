//! Rows of a narrow result that are computed together, and then finished as one piece.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]

use crate::kernels::finish::{Apply, Raw, each_kind};
use crate::kernels::order::Partial;
use crate::number::Number;
use crate::number::lanes::Lanes;
use std::mem::MaybeUninit;

/// The widest result that is computed in pieces.
pub(super) const NARROW: usize = 16;

/// Elements of a piece: two of the widest vectors of rows of the widest result, or four of one that is up to half as wide.
const ELEMENTS: usize = 32 * NARROW;

/// Rows of a narrow result, row-major.
pub(super) struct Piece<T> {
    elements: [MaybeUninit<T>; ELEMENTS],
}

impl<T: Number> Piece<T> {
    pub(super) fn new() -> Self {
        Self { elements: [const { MaybeUninit::uninit() }; ELEMENTS] }
    }

    pub(super) fn start(&mut self) -> *mut T {
        self.elements.as_mut_ptr().cast::<T>()
    }

    /// A bias repeated for each of `rows` rows, since a piece is finished without regard to its rows.
    ///
    /// # Safety
    /// The row has `n` elements, and `rows · n` fit a piece.
    pub(super) unsafe fn repeat(&mut self, (rows, n): (usize, usize), finish: Raw<T>) -> Raw<T> {
        let (Raw::Bias(row) | Raw::BiasRelu(row)) = finish else { return finish };
        let start = self.start();
        for i in 0..rows {
            // SAFETY: the caller promises the row and the room.
            unsafe { std::ptr::copy_nonoverlapping(row, start.add(i * n), n) };
        }
        if matches!(finish, Raw::Bias(_)) { Raw::Bias(start) } else { Raw::BiasRelu(start) }
    }

    /// Finishes the first `len` elements into `out[at..]`, or keeps them as partial sums that started from zeros.
    ///
    /// # Safety
    /// The CPU has the set of the lanes, the piece holds `len` elements, and `out` and the partial sums have them from `at`
    /// on.
    #[inline(always)]
    pub(super) unsafe fn store<L: Lanes<T>>(
        &self,
        len: usize,
        out: *mut T,
        at: usize,
        finish: Raw<T>,
        partial: &Partial<T>,
    ) {
        let from = self.elements.as_ptr().cast::<T>();
        if !partial.to.is_null() {
            // SAFETY: as below.
            return unsafe { self.keep::<L>(len, at, partial) };
        }
        each_kind!(finish, |finish| {
            let mut e = 0;
            while e < len {
                // SAFETY: the caller promises the set of the lanes and the elements; the mask ends at `len`.
                unsafe {
                    let mask = L::first(len - e);
                    let x = partial.after::<L>(at + e, mask, L::load(from.add(e), mask));
                    let y = finish.apply::<L>(x, out, at + e, e, mask);
                    L::store(out.add(at + e), mask, y);
                }
                e += L::COUNT;
            }
        });
    }

    #[inline(always)]
    unsafe fn keep<L: Lanes<T>>(&self, len: usize, at: usize, partial: &Partial<T>) {
        let from = self.elements.as_ptr().cast::<T>();
        let mut e = 0;
        while e < len {
            // SAFETY: the caller promises the set of the lanes and the elements; the mask ends at `len`.
            unsafe {
                let mask = L::first(len - e);
                let x = partial.after::<L>(at + e, mask, L::load(from.add(e), mask));
                L::store(partial.to.add(at + e), mask, x);
            }
            e += L::COUNT;
        }
    }
}
