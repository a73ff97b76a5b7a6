//! Sums of rows that overlap each other: what adds up at each place lies in other columns of these rows, and is added in a register
//! there.

use super::{Dim, Odometer, are_apart};
use crate::kernels::map::level;
use crate::number::Number;
use crate::number::level::Kernel;
use smallvec::SmallVec;
use std::ops::Range;

/// How many places are added up at once.
const BLOCK: usize = 16;

/// Rows that overlap along one dimension of those that are apart, and whose elements are the terms of the sums.
pub(super) struct Overlapping {
    rows: Rows,
    others: SmallVec<[Dim<isize, 2>; 4]>,
}

impl Overlapping {
    pub(super) fn of(apart: &[Dim<isize, 2>], repeated: &[Dim<isize, 2>]) -> Option<Self> {
        let &[(n, [1, 1])] = repeated else { return None };
        let overlaps = |&(_, [_, stride]): &Dim<isize, 2>| (1..n as isize).contains(&stride);
        let along = apart.iter().position(overlaps)?;
        let mut others: SmallVec<[Dim<isize, 2>; 4]> = apart.into();
        let (count, [apart, step]) = others.remove(along);
        let rows = Rows { count, n, apart: apart as usize, step: step as usize };
        let spans = others.iter().copied().chain([(rows.span(), [0, 1])]);
        are_apart(&spans.collect::<SmallVec<[Dim<isize, 2>; 4]>>()).then_some(Self { rows, others })
    }

    /// Adds some terms: in each row from the last to the first, so that each place gets them in their order.
    pub(super) fn add<T: Number>(&self, y: &[T], terms: Range<usize>, offset: usize, out: &mut [T]) {
        let rows = Rows { n: terms.len(), ..self.rows };
        let (others, mut at) = (&self.others, Odometer::new(&self.others));
        for _ in 0..others.iter().map(|&(n, _)| n).product() {
            let start = offset.wrapping_add_signed(at.offsets()[1]) + terms.start;
            rows.add(&y[at.offsets()[0] as usize + terms.start..], &mut out[start..start + rows.span()]);
            at.step();
        }
    }
}

/// Rows of `n` elements, `apart` from each other in `y`; each is added `step` places behind the one before, from the last on: so a place
/// gets the elements of rows in their order.
#[derive(Clone, Copy)]
struct Rows {
    count: usize,
    n: usize,
    apart: usize,
    step: usize,
}

impl Rows {
    /// How many places they reach over.
    fn span(&self) -> usize {
        (self.count - 1) * self.step + self.n
    }

    /// Adds them to as many places.
    fn add<T: Number>(self, y: &[T], out: &mut [T]) {
        level(out.len()).run(Adding { rows: self, y, out });
    }

    /// Adds what rows have in a block, each at its place: those that do not fill it.
    #[inline(always)]
    fn add_parts<T: Number>(&self, y: &[T], rows: Range<usize>, start: usize, block: &mut [T]) {
        for row in rows.rev() {
            let from = row * self.step;
            let (low, high) = (from.max(start), (from + self.n).min(start + block.len()));
            let part = &y[row * self.apart + low - from..row * self.apart + high - from];
            for (out, &y) in block[low - start..high - start].iter_mut().zip(part) {
                *out += y;
            }
        }
    }
}

struct Adding<'a, T> {
    rows: Rows,
    y: &'a [T],
    out: &'a mut [T],
}

impl<T: Number> Kernel for Adding<'_, T> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { rows, y, out } = self;
        let Rows { count, n, apart, step } = rows;
        for (b, block) in out.chunks_mut(BLOCK).enumerate() {
            let (start, end) = (b * BLOCK, b * BLOCK + block.len());
            // Rows that reach into the block, and among them those that fill it.
            let (first, last) = ((start + 1).saturating_sub(n).div_ceil(step), ((end - 1) / step + 1).min(count));
            let filling = end.saturating_sub(n).div_ceil(step).clamp(first, last);
            let filled = (start / step + 1).clamp(filling, last);
            let Ok(block) = <&mut [T; BLOCK]>::try_from(&mut *block) else {
                rows.add_parts(y, first..last, start, block);
                continue;
            };
            rows.add_parts(y, filled..last, start, block);
            let mut sums = *block;
            for row in (filling..filled).rev() {
                let at = row * apart + start - row * step;
                for (sum, &y) in sums.iter_mut().zip(&y[at..at + BLOCK]) {
                    *sum += y;
                }
            }
            *block = sums;
            rows.add_parts(y, first..filling, start, block);
        }
    }
}
