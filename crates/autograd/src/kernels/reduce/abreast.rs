//! Sums along rows of neighbours, as many rows at a time as there are lanes.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]

use super::{AddChunks, LANES, one_vector, term};
use crate::kernels::map::level;
use crate::kernels::order::{Blocks, NEIGHBOURS};
use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::number::level::LaneKernel;

/// The sums along rows of `n`, a chunk or more, or of their squares, in the order of each: of how many rows.
pub(super) fn sums<T: Number, const SQUARED: bool>(x: &[T], n: usize, out: &mut [T]) -> usize {
    let mut done = 0;
    if out.len() >= LANES {
        level(x.len()).run_lanes(Abreast::<T, SQUARED> { x, n, out, done: &mut done });
    }
    done
}

/// The sums along rows of `n`, [`LANES`] rows at a time: that many are done. A row alone would wait for each of its additions, and its
/// lanes would be added up one by one.
struct Abreast<'a, T, const SQUARED: bool> {
    x: &'a [T],
    n: usize,
    out: &'a mut [T],
    done: &'a mut usize,
}

impl<T: Number, const SQUARED: bool> LaneKernel<T> for Abreast<'_, T, SQUARED> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(self) {
        let Self { x, n, out, done } = self;
        if L::PLAIN {
            return;
        }
        let rows = x.chunks_exact(LANES * n).zip(out.as_chunks_mut::<LANES>().0);
        let mut all = [const { Blocks::new() }; LANES];
        for (x, out) in rows {
            if n <= NEIGHBOURS {
                // SAFETY: the caller promises the set, and these are the rows.
                unsafe { blocks_abreast::<T, L, SQUARED>(x, n, n, out) };
            } else {
                for blocks in &mut all {
                    *blocks = Blocks::new();
                }
                for from in (0..n).step_by(NEIGHBOURS) {
                    // SAFETY: as above.
                    unsafe { blocks_abreast::<T, L, SQUARED>(&x[from..], n, NEIGHBOURS.min(n - from), out) };
                    all.iter_mut().zip(&*out).for_each(|(blocks, &sum)| blocks.push(sum));
                }
                out.iter_mut().zip(&all).for_each(|(out, blocks)| *out = blocks.total());
            }
            *done += LANES;
        }
    }
}

/// As [`block`], of the first `len` elements of rows that lie `n` apart.
///
/// # Safety
/// The CPU has the set of the lanes.
#[inline(always)]
unsafe fn blocks_abreast<T: Number, L: Lanes<T>, const SQUARED: bool>(
    x: &[T],
    n: usize,
    len: usize,
    sums: &mut [T; LANES],
) {
    // So many rows do not wait for each other, and their sums have room in registers.
    const ROWS: usize = 4;
    let whole = len / LANES * LANES;
    let mut lanes = [[T::ZERO; LANES]; LANES];
    assert!(x.len() >= (LANES - 1) * n + len, "the last row has all its elements");
    for (r, lanes) in lanes.as_chunks_mut::<ROWS>().0.iter_mut().enumerate() {
        let (x, lanes) = (x[r * ROWS * n..].as_ptr(), lanes.as_flattened_mut().as_mut_ptr());
        // SAFETY: the chunks are within the rows, whose last was asserted; the lanes are those of as many rows; the caller promises
        // the set.
        unsafe { AddChunks::<T, SQUARED, ROWS> { x, y: x, apart: n, chunks: whole / LANES, lanes }.run::<L>() };
    }
    // SAFETY: the vectors are the lanes of rows and their sums; the caller promises the set.
    unsafe {
        for r in (0..LANES).step_by(L::COUNT) {
            let total = L::joined(
                #[inline(always)]
                |i| one_vector::<T, L>(lanes[r + i].as_ptr()),
                #[inline(always)]
                |a, b| L::add(a, b),
            );
            L::store(sums[r..].as_mut_ptr(), L::first(L::COUNT), total);
        }
    }
    // The ends of rows do not wait for each other.
    for (x, sum) in x.chunks(n).zip(sums) {
        *sum = x[whole..len].iter().fold(*sum, |sum, &x| sum + term::<T, SQUARED>(x));
    }
}
