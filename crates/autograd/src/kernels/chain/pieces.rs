//! Cheap operations on windows that are read where they lie.

use crate::kernels::in_turn::Source;
use crate::kernels::map::LANES;
use crate::kernels::window::Pieces;
use crate::number::Number;

/// The windows among three operands, each with where its own operand begins.
pub(super) struct Walk<'w, T> {
    windows: [Option<(Pieces<'w>, *const T)>; 3],
    /// What is around their elements.
    zeros: &'w [T; LANES],
}

impl<'w, T: Number> Walk<'w, T> {
    pub(super) fn new(windows: [Option<(Pieces<'w>, *const T)>; 3], zeros: &'w [T; LANES]) -> Self {
        Self { windows, zeros }
    }

    /// Sets windows among the sources to what they are next, and goes on by as many elements as all have in one piece, at most so
    /// many.
    #[inline(never)]
    pub(super) fn next(&mut self, sources: &mut [Source<T>; 3], left: usize) -> usize {
        let mut n = left;
        for (window, source) in self.windows.iter().zip(sources) {
            let Some((pieces, data)) = window else { continue };
            let (place, len) = pieces.next();
            n = n.min(len);
            *source = match place {
                Some(place) => Source { data: data.wrapping_add(place), step: 1 },
                None => Source { data: self.zeros.as_ptr(), step: 0 },
            };
        }
        self.windows.iter_mut().flatten().for_each(|(pieces, _)| pieces.skip(n));
        n
    }
}
