//! Cheap operations on windows that are read where they lie, piece by piece.

use crate::kernels::in_turn::Source;
use crate::kernels::window::Pieces;
use crate::number::Number;
use smallvec::SmallVec;

/// Zeros for as many elements as are read of them at once.
static ZEROS: [u64; 512] = [0; 512];

/// The most windows that are gone through together, for which there is room without an allocation.
pub(super) const MOST_WINDOWS: usize = 8;

/// Windows that are gone through together: which operand each is, and where its own operand begins.
pub(super) struct Windows<'w, T> {
    list: SmallVec<[(usize, Pieces<'w>, *const T); MOST_WINDOWS]>,
}

impl<'w, T: Number> Windows<'w, T> {
    pub(super) fn new(list: impl Iterator<Item = (usize, Pieces<'w>, *const T)>) -> Self {
        Self { list: list.collect() }
    }

    /// Tells where the next elements of each window are, of which so many are left, and goes on by as many as are in one piece of all.
    pub(super) fn next(&mut self, left: usize, mut tell: impl FnMut(usize, *const T)) -> usize {
        let mut n = left;
        for (operand, pieces, data) in &self.list {
            let (place, len) = pieces.next();
            let (from, len) = if let Some(place) = place {
                (data.wrapping_add(place), len)
            } else {
                (ZEROS.as_ptr().cast(), len.min(size_of_val(&ZEROS) / size_of::<T>()))
            };
            tell(*operand, from);
            n = n.min(len);
        }
        self.list.iter_mut().for_each(|(_, pieces, _)| pieces.skip(n));
        n
    }
}

/// What an operation goes through, piece by piece of the windows among its operands.
pub(super) struct Walk<'w, T> {
    /// By the operands that they are.
    pub(super) windows: Windows<'w, T>,
    /// Where operands are next, and the result.
    pub(super) sources: [Source<T>; 3],
    pub(super) out: *mut T,
    /// The elements that are left.
    pub(super) left: usize,
}

impl<T: Number> Walk<'_, T> {
    /// The next elements of operands and result, as many as are in one piece of all windows; and goes on by so many.
    pub(super) fn next(&mut self) -> ([Source<T>; 3], *mut T, usize) {
        let Self { windows, sources, out, left } = self;
        let n = windows.next(*left, |k, data| sources[k] = Source { data, step: 1 });
        let now = (*sources, *out, n);
        *sources = sources.map(|source| source.from(n));
        (*out, *left) = (out.wrapping_add(n), *left - n);
        now
    }
}
