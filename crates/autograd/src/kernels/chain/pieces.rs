//! Cheap operations on windows that are read where they lie, piece by piece.

use crate::kernels::in_turn::Source;
use crate::kernels::window::Pieces;
use crate::number::Number;
use smallvec::SmallVec;

/// Zeros for as many elements as are read of them at once.
static ZEROS: [u64; 512] = [0; 512];

/// The most windows that are gone through together, for which there is room without an allocation.
pub(super) const MOST_WINDOWS: usize = 8;

/// A window that is gone through.
struct Next<'w, T> {
    /// Which operand it is.
    operand: usize,
    pieces: Pieces<'w>,
    /// Where its own operand begins, and where the next elements are.
    base: *const T,
    data: *const T,
    /// How many there are, of so many when the piece began.
    left: usize,
    len: usize,
}

impl<T: Number> Next<'_, T> {
    /// Goes to the next piece.
    #[inline(never)]
    fn step_on(&mut self) {
        self.pieces.skip(self.len);
        let (place, len) = self.pieces.next();
        (self.data, self.len) = if let Some(place) = place {
            (self.base.wrapping_add(place), len)
        } else {
            (ZEROS.as_ptr().cast(), len.min(size_of_val(&ZEROS) / size_of::<T>()))
        };
        self.left = self.len;
    }
}

/// Windows that are gone through together.
pub(super) struct Windows<'w, T> {
    list: SmallVec<[Next<'w, T>; MOST_WINDOWS]>,
}

impl<'w, T: Number> Windows<'w, T> {
    /// Of each window: which operand it is, its pieces, and where its own operand begins.
    pub(super) fn new(list: impl Iterator<Item = (usize, Pieces<'w>, *const T)>) -> Self {
        let next = |(operand, pieces, base)| Next { operand, pieces, base, data: base, left: 0, len: 0 };
        Self { list: list.map(next).collect() }
    }

    /// Tells where the next elements of each window are, of which so many are left, and goes on by as many as are in one piece of all.
    #[inline(always)]
    pub(super) fn next(&mut self, left: usize, mut tell: impl FnMut(usize, *const T)) -> usize {
        let mut n = left;
        for next in &mut self.list {
            if next.left == 0 {
                next.step_on();
            }
            tell(next.operand, next.data);
            n = n.min(next.left);
        }
        for next in &mut self.list {
            (next.data, next.left) = (next.data.wrapping_add(n), next.left - n);
        }
        n
    }
}

/// So many runs of code go on through their windows from tile to tile; others begin anew in each.
const KEPT: usize = 2;

/// How far runs of code are in their windows.
pub(super) struct Walks<'w, T> {
    kept: [Option<Windows<'w, T>>; KEPT],
    anew: Option<Windows<'w, T>>,
}

impl<'w, T> Walks<'w, T> {
    pub(super) fn new() -> Self {
        Self { kept: [const { None }; KEPT], anew: None }
    }

    /// The windows of a run of code, which are these where it begins.
    #[inline(always)]
    pub(super) fn of(&mut self, code: usize, start: impl FnOnce() -> Windows<'w, T>) -> &mut Windows<'w, T> {
        match self.kept.get_mut(code) {
            Some(kept) => kept.get_or_insert_with(start),
            None => self.anew.insert(start()),
        }
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
