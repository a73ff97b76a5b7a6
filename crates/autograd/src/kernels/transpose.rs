//! Transposing: rows that lie together become lanes, and views with exchanged dimensions are copied.
#![expect(unsafe_code, reason = "the shuffles of vectors take raw pointers")]

use crate::number::Number;
use crate::number::level::{Kernel, Level};

/// `out[c · out_step + r] = x[r · x_step + c]` for all `r` and `c` below `rows` and `cols`.
pub(crate) fn transpose<T: Number>(
    x: &[T],
    x_step: usize,
    (rows, cols): (usize, usize),
    out: &mut [T],
    out_step: usize,
) {
    if rows == 0 || cols == 0 {
        return;
    }
    let reach = |n: usize, step: usize, last: usize| (n - 1) * step + last;
    assert!(x.len() >= reach(rows, x_step, cols), "transpose: {} elements for {rows} rows", x.len());
    assert!(out.len() >= reach(cols, out_step, rows), "transpose: {} elements for {cols} columns", out.len());
    if cols < 4 && x_step == cols {
        return Level::best().run(FewColumns { x, cols, out, out_step, rows });
    }
    let (whole_rows, whole_cols) = match block::<T>() {
        // Short rows are not worth wide blocks.
        Some((_, size)) if size > 4 && cols < size && size_of::<T>() == 4 => {
            blocks(x, x_step, (rows, cols), (out, out_step), small_block::<T>())
        }
        Some(block) => blocks(x, x_step, (rows, cols), (out, out_step), Some(block)),
        None => (0, 0),
    };
    let mut each = |r: usize, c: usize| out[c * out_step + r] = x[r * x_step + c];
    for r in 0..whole_rows {
        (whole_cols..cols).for_each(|c| each(r, c));
    }
    for c in 0..cols {
        (whole_rows..rows).for_each(|r| each(r, c));
    }
}

/// A block of so many rows and columns.
type Block<T> = (unsafe fn(*const T, usize, *mut T, usize), usize);

/// Transposes whole blocks, and tells how many rows and columns these are.
fn blocks<T: Number>(
    x: &[T],
    x_step: usize,
    (rows, cols): (usize, usize),
    (out, out_step): (&mut [T], usize),
    block: Option<Block<T>>,
) -> (usize, usize) {
    let Some((block, size)) = block else { return (0, 0) };
    let (whole_rows, whole_cols) = (rows / size * size, cols / size * size);
    // Two blocks of eight rows fill a line of the cache.
    for first in (0..whole_rows).step_by(2 * size) {
        for c in (0..whole_cols).step_by(size) {
            for r in (first..whole_rows.min(first + 2 * size)).step_by(size) {
                let from = x.as_ptr().wrapping_add(r * x_step + c);
                let to = out.as_mut_ptr().wrapping_add(c * out_step + r);
                // SAFETY: the block lies within both, whose reach was asserted; it was chosen for the CPU.
                unsafe { block(from, x_step, to, out_step) };
            }
        }
    }
    (whole_rows, whole_cols)
}

/// Rows of two or three, of which vectors are made by the compiler.
struct FewColumns<'a, T> {
    x: &'a [T],
    cols: usize,
    out: &'a mut [T],
    out_step: usize,
    rows: usize,
}

impl<T: Number> Kernel for FewColumns<'_, T> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { x, cols, out, out_step, rows } = self;
        match cols {
            1 => out[..rows].copy_from_slice(&x[..rows]),
            2 => few::<T, 2>(x, out, out_step, rows),
            _ => few::<T, 3>(x, out, out_step, rows),
        }
    }
}

#[inline(always)]
fn few<T: Number, const N: usize>(x: &[T], out: &mut [T], out_step: usize, rows: usize) {
    for c in 0..N {
        let (to, from) = (&mut out[c * out_step..][..rows], x.as_chunks::<N>().0);
        for (to, row) in to.iter_mut().zip(from) {
            *to = row[c];
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::Block;
    use crate::number::Number;
    use crate::number::level::Level;
    #[allow(
        clippy::wildcard_imports,
        reason = "the shuffles of vectors have long names, and are all that is here"
    )]
    use std::arch::x86_64::*;

    /// The largest block for a type.
    pub(super) fn block<T: Number>() -> Option<Block<T>> {
        match (size_of::<T>(), Level::best().has_vectors()) {
            (4, true) => Some((eight::<T>, 8)),
            (8, true) => Some((four_wide::<T>, 4)),
            _ => small_block(),
        }
    }

    /// A block of four of the narrow type, which every CPU has vectors for.
    pub(super) fn small_block<T: Number>() -> Option<Block<T>> {
        (size_of::<T>() == 4).then_some((four::<T>, 4))
    }

    /// # Safety
    /// The CPU has AVX2, an element has four bytes, and the block lies within both.
    #[target_feature(enable = "avx2")]
    unsafe fn eight<T>(x: *const T, x_step: usize, out: *mut T, out_step: usize) {
        // SAFETY: the caller promises it.
        unsafe {
            let row = |r: usize| _mm256_loadu_ps(x.add(r * x_step).cast());
            let mut quads = [_mm256_setzero_ps(); 8];
            for r in [0, 4] {
                let (a, b, c, d) = (row(r), row(r + 1), row(r + 2), row(r + 3));
                let (ab, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
                let (cd, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
                quads[r] = _mm256_shuffle_ps::<0x44>(ab, cd);
                quads[r + 1] = _mm256_shuffle_ps::<0xEE>(ab, cd);
                quads[r + 2] = _mm256_shuffle_ps::<0x44>(ab_high, cd_high);
                quads[r + 3] = _mm256_shuffle_ps::<0xEE>(ab_high, cd_high);
            }
            for c in 0..4 {
                let (low, high) = (quads[c], quads[c + 4]);
                _mm256_storeu_ps(out.add(c * out_step).cast(), _mm256_permute2f128_ps::<0x20>(low, high));
                _mm256_storeu_ps(out.add((c + 4) * out_step).cast(), _mm256_permute2f128_ps::<0x31>(low, high));
            }
        }
    }

    /// # Safety
    /// The CPU has AVX2, an element has eight bytes, and the block lies within both.
    #[target_feature(enable = "avx2")]
    unsafe fn four_wide<T>(x: *const T, x_step: usize, out: *mut T, out_step: usize) {
        // SAFETY: the caller promises it.
        unsafe {
            let row = |r: usize| _mm256_loadu_pd(x.add(r * x_step).cast());
            let (a, b, c, d) = (row(0), row(1), row(2), row(3));
            let (ab, ab_high) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
            let (cd, cd_high) = (_mm256_unpacklo_pd(c, d), _mm256_unpackhi_pd(c, d));
            let column = |c: usize| out.add(c * out_step).cast();
            _mm256_storeu_pd(column(0), _mm256_permute2f128_pd::<0x20>(ab, cd));
            _mm256_storeu_pd(column(1), _mm256_permute2f128_pd::<0x20>(ab_high, cd_high));
            _mm256_storeu_pd(column(2), _mm256_permute2f128_pd::<0x31>(ab, cd));
            _mm256_storeu_pd(column(3), _mm256_permute2f128_pd::<0x31>(ab_high, cd_high));
        }
    }

    /// # Safety
    /// An element has four bytes, and the block lies within both.
    unsafe fn four<T>(x: *const T, x_step: usize, out: *mut T, out_step: usize) {
        // SAFETY: the caller promises it; each x86-64 CPU has these vectors.
        unsafe {
            let row = |r: usize| _mm_loadu_ps(x.add(r * x_step).cast());
            let (a, b, c, d) = (row(0), row(1), row(2), row(3));
            let (ab, ab_high) = (_mm_unpacklo_ps(a, b), _mm_unpackhi_ps(a, b));
            let (cd, cd_high) = (_mm_unpacklo_ps(c, d), _mm_unpackhi_ps(c, d));
            let column = |c: usize| out.add(c * out_step).cast();
            _mm_storeu_ps(column(0), _mm_movelh_ps(ab, cd));
            _mm_storeu_ps(column(1), _mm_movehl_ps(cd, ab));
            _mm_storeu_ps(column(2), _mm_movelh_ps(ab_high, cd_high));
            _mm_storeu_ps(column(3), _mm_movehl_ps(cd_high, ab_high));
        }
    }
}
#[cfg(target_arch = "x86_64")]
use x86::{block, small_block};

/// Elsewhere the compiler makes vectors of what it can.
#[cfg(not(target_arch = "x86_64"))]
fn block<T: Number>() -> Option<Block<T>> {
    None
}
#[cfg(not(target_arch = "x86_64"))]
fn small_block<T: Number>() -> Option<Block<T>> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::level::tests::at_every_level;

    #[test]
    fn every_element_changes_its_row_for_its_column_at_every_level() {
        fn check<T: Number>() {
            for rows in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 40] {
                for cols in [0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 16, 31] {
                    for (more_x, more_out) in [(0, 0), (3, 0), (0, 5), (1, 2)] {
                        let (x_step, out_step) = (cols + more_x, rows + more_out);
                        let x: Vec<T> = (0..rows * x_step + cols).map(|i| T::of(i as f64)).collect();
                        at_every_level(|level| {
                            let mut out = vec![T::NAN; cols * out_step + rows];
                            transpose(&x, x_step, (rows, cols), &mut out, out_step);
                            let mut want = vec![T::NAN; out.len()];
                            for (r, c) in (0..rows).flat_map(|r| (0..cols).map(move |c| (r, c))) {
                                want[c * out_step + r] = x[r * x_step + c];
                            }
                            let same = out.iter().zip(&want).all(|(a, b)| a.same_bits(*b));
                            assert!(same, "{rows} x {cols} in steps of {x_step} and {out_step} at {level:?}");
                        });
                    }
                }
            }
        }
        check::<f32>();
        check::<f64>();
    }
}
