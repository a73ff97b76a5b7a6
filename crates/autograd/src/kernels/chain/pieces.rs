//! Cheap operations on windows that are read where they lie.

use crate::kernels::in_turn::Source;
use crate::kernels::map::LANES;
use crate::kernels::window::Pieces;
use crate::number::Number;

/// What an operation goes through, piece by piece of the windows among its operands.
pub(super) struct Walk<'w, T> {
    /// Each with where its own operand begins.
    pub(super) windows: [Option<(Pieces<'w>, *const T)>; 3],
    /// Where the others are next, and the result.
    pub(super) sources: [Source<T>; 3],
    pub(super) out: *mut T,
    /// The elements that are left.
    pub(super) left: usize,
}

impl<T: Number> Walk<'_, T> {
    /// The next elements of operands and result, as many as are in one piece of all windows, around which there are these zeros; and
    /// goes on by so many.
    pub(super) fn next(&mut self, zeros: &[T; LANES]) -> ([Source<T>; 3], *mut T, usize) {
        let (mut n, out) = (self.left, self.out);
        for (window, source) in self.windows.iter().zip(&mut self.sources) {
            let Some((pieces, data)) = window else { continue };
            let (place, len) = pieces.next();
            n = n.min(len);
            *source = match place {
                Some(place) => Source { data: data.wrapping_add(place), step: 1 },
                None => Source { data: zeros.as_ptr(), step: 0 },
            };
        }
        let sources = self.sources;
        self.windows.iter_mut().flatten().for_each(|(pieces, _)| pieces.skip(n));
        self.sources = sources.map(|source| source.from(n));
        (self.out, self.left) = (out.wrapping_add(n), self.left - n);
        (sources, out, n)
    }
}
