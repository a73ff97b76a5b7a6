//! Sums along rows of neighbours, as many rows at a time as there are lanes.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]

use super::{AddChunks, LANES, add_up_columns, plus, term};
use crate::kernels::map::level;
use crate::kernels::order::{Blocks, NEIGHBOURS};
use crate::kernels::transpose::transpose;
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

/// Rows of up to so many elements are added up several at a time, as columns.
const SIDE_BY_SIDE: usize = 4 * LANES;
/// Rows of how many elements are, which vectors of 64 bytes alone make worth while; for `f64` they are half as long.
const fn side_by_side<T, L: Lanes<T>>() -> usize {
    if L::COUNT * size_of::<T>() == 64 { SIDE_BY_SIDE * size_of::<f32>() / size_of::<T>() } else { 0 }
}

/// The sums of as many rows of `n` as there are lanes, each of which has a chunk or more; with memory for their columns.
#[inline(always)]
fn together<T: Number, const SQUARED: bool>(x: &[T], n: usize, columns: &mut [[T; LANES]], sums: &mut [T; LANES]) {
    transpose(x, n, (LANES, n), columns.as_flattened_mut(), LANES);
    let whole = n / LANES * LANES;
    let (lanes, rest) = columns[..n].split_at_mut(whole);
    if SQUARED {
        lanes.as_flattened_mut().iter_mut().for_each(|x| *x *= *x);
    }
    let (first, others) = lanes.split_at_mut(LANES);
    for chunk in others.chunks_exact(LANES) {
        for (sum, column) in first.iter_mut().zip(chunk) {
            plus(sum, column);
        }
    }
    add_up_columns(first);
    // A sum starts from 0, of which −0 is no part.
    *sums = [T::ZERO; LANES];
    plus(sums, &first[0]);
    for column in rest {
        if SQUARED {
            for x in &mut *column {
                *x *= *x;
            }
        }
        plus(sums, column);
    }
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
        let rows = x.chunks_exact(LANES * n).zip(out.as_chunks_mut::<LANES>().0);
        if n <= const { side_by_side::<T, L>() } {
            let mut columns = [[T::ZERO; LANES]; SIDE_BY_SIDE];
            for (x, sums) in rows {
                together::<T, SQUARED>(x, n, &mut columns, sums);
                *done += LANES;
            }
            return;
        }
        if L::PLAIN {
            return;
        }
        let mut all = [Blocks::new(); LANES];
        for (x, out) in rows {
            if n <= NEIGHBOURS {
                // SAFETY: the caller promises the set, and these are the rows.
                unsafe { blocks_abreast::<T, L, SQUARED>(x, n, n, out) };
            } else {
                all.fill(Blocks::new());
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
    let (mut lanes, mut columns) = ([[T::ZERO; LANES]; LANES], [[T::ZERO; LANES]; LANES]);
    assert!(x.len() >= (LANES - 1) * n + len, "the last row has all its elements");
    for (r, lanes) in lanes.as_chunks_mut::<ROWS>().0.iter_mut().enumerate() {
        let (x, lanes) = (x[r * ROWS * n..].as_ptr(), lanes.as_flattened_mut().as_mut_ptr());
        // SAFETY: the chunks are within the rows, whose last was asserted; the lanes are those of as many rows; the caller promises
        // the set.
        unsafe { AddChunks::<T, SQUARED, ROWS> { x, y: x, apart: n, chunks: whole / LANES, lanes }.run::<L>() };
    }
    transpose(lanes.as_flattened(), LANES, (LANES, LANES), columns.as_flattened_mut(), LANES);
    add_up_columns(&mut columns);
    *sums = columns[0];
    let rest = len - whole;
    transpose(&x[whole..], n, (LANES, rest), columns.as_flattened_mut(), LANES);
    for column in &columns[..rest] {
        for (sum, &x) in sums.iter_mut().zip(column) {
            *sum += term::<T, SQUARED>(x);
        }
    }
}
