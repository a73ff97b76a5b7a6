//! Transposing: rows that lie together become lanes, and views with exchanged dimensions are copied.
#![expect(unsafe_code, reason = "the shuffles of vectors take raw pointers")]

use super::apart;
use super::map::copy;
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
    if (cols < 4 && x_step == cols) || (rows < 4 && out_step == rows) {
        return Level::best().run(Few { x, x_step, rows, cols, out, out_step });
    }
    if let Some(block) = block::<T>(rows, cols) {
        return blocks(x, x_step, (rows, cols), (out, out_step), &block);
    }
    for c in 0..cols {
        for r in 0..rows {
            out[c * out_step + r] = x[r * x_step + c];
        }
    }
}

/// How vectors transpose blocks of so many rows and columns.
struct Block<T> {
    rows: usize,
    cols: usize,
    strip: unsafe fn(*const T, usize, *mut T, usize, Strip),
}

/// So many blocks, and how far from one to the next.
#[derive(Clone, Copy)]
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "only CPUs of x86 have such blocks"))]
struct Strip {
    count: usize,
    x_next: usize,
    out_next: usize,
}

/// Transposes blocks; the last ones overlap with those before them, where sizes are no multiples.
fn blocks<T: Number>(
    x: &[T],
    x_step: usize,
    (rows, cols): (usize, usize),
    (out, out_step): (&mut [T], usize),
    block: &Block<T>,
) {
    let mut strip = |r: usize, c: usize, strip: Strip| {
        let from = x.as_ptr().wrapping_add(r * x_step + c);
        let to = out.as_mut_ptr().wrapping_add(c * out_step + r);
        // SAFETY: the blocks lie within both, whose reach was asserted; they were chosen for the CPU.
        unsafe { (block.strip)(from, x_step, to, out_step, strip) };
    };
    let across = |count: usize| Strip { count, x_next: block.cols, out_next: block.cols * out_step };
    let down = |count: usize| Strip { count, x_next: block.rows * x_step, out_next: block.rows };
    let (whole_rows, whole_cols) = (rows / block.rows, cols / block.cols);
    // Where the last blocks start, and whether they are more than those that do not overlap.
    let (last_row, last_col) = (rows - block.rows, cols - block.cols);
    let (more_rows, more_cols) = (rows % block.rows > 0, cols % block.cols > 0);
    if whole_cols == 1 {
        strip(0, 0, down(whole_rows));
    } else {
        // Two blocks of eight rows fill a line of the cache.
        for k in (0..whole_rows).step_by(2) {
            let r = k * block.rows;
            if k + 1 == whole_rows {
                strip(r, 0, across(whole_cols));
            } else {
                (0..whole_cols).for_each(|c| strip(r, c * block.cols, down(2)));
            }
        }
    }
    if more_cols {
        strip(0, last_col, down(whole_rows));
    }
    if more_rows {
        strip(last_row, 0, across(whole_cols));
    }
    if more_rows && more_cols {
        strip(last_row, last_col, across(1));
    }
}

/// Up to three neighbours in each row, or rows that become neighbours: vectors are made by the compiler.
struct Few<'a, T> {
    x: &'a [T],
    x_step: usize,
    rows: usize,
    cols: usize,
    out: &'a mut [T],
    out_step: usize,
}

impl<T: Number> Kernel for Few<'_, T> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { x, x_step, rows, cols, out, out_step } = self;
        match (rows, cols) {
            _ if cols < 4 && x_step == cols => match cols {
                1 => copy(&x[..rows], &mut out[..rows]),
                2 => few_columns::<T, 2>(x, out, out_step, rows),
                _ => few_columns::<T, 3>(x, out, out_step, rows),
            },
            (1, _) => copy(&x[..cols], &mut out[..cols]),
            (2, _) => few_rows::<T, 2>(x, x_step, out, cols),
            _ => few_rows::<T, 3>(x, x_step, out, cols),
        }
    }
}

/// Columns of `N` neighbours, one behind the other.
#[inline(always)]
fn few_columns<T: Number, const N: usize>(x: &[T], out: &mut [T], out_step: usize, rows: usize) {
    for c in 0..N {
        apart::pick::<T, N>(x, c, &mut out[c * out_step..][..rows]);
    }
}

#[inline(always)]
fn few_rows<T: Number, const N: usize>(x: &[T], x_step: usize, out: &mut [T], cols: usize) {
    let mut rows = [&x[..0]; N];
    for (r, row) in rows.iter_mut().enumerate() {
        *row = &x[r * x_step..][..cols];
    }
    apart::in_turn(rows, &mut out[..N * cols]);
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Block, Strip};
    use crate::number::Number;
    use crate::number::level::Level;
    #[allow(
        clippy::wildcard_imports,
        reason = "the shuffles of vectors have long names, and are all that is here"
    )]
    use std::arch::x86_64::*;

    /// The largest block for a type that fits so many rows and columns.
    pub(super) fn block<T: Number>(rows: usize, cols: usize) -> Option<Block<T>> {
        if rows < 4 || cols < 4 {
            return None;
        }
        let (size, vectors) = (size_of::<T>(), Level::best().has_vectors());
        Some(match (size, vectors, rows >= 8, cols >= 8) {
            (4, true, true, true) => Block { rows: 8, cols: 8, strip: eights },
            (4, true, true, false) => Block { rows: 8, cols: 4, strip: eight_rows },
            (4, true, false, true) => Block { rows: 4, cols: 8, strip: eight_columns },
            // A block of four of the narrow type, which every CPU has vectors for.
            (4, ..) => Block { rows: 4, cols: 4, strip: fours },
            (8, true, ..) => Block { rows: 4, cols: 4, strip: wide_fours },
            _ => return None,
        })
    }

    macro_rules! strip {
        ($name:ident of $block:ident $(, $feature:literal)?) => {
            /// # Safety
            /// As of a block, for each of these.
            $(#[target_feature(enable = $feature)])?
            unsafe fn $name<T>(x: *const T, x_step: usize, out: *mut T, out_step: usize, strip: Strip) {
                for k in 0..strip.count {
                    // SAFETY: the caller promises it.
                    unsafe { $block(x.add(k * strip.x_next), x_step, out.add(k * strip.out_next), out_step) };
                }
            }
        };
    }
    strip!(eights of eight, "avx2");
    strip!(eight_rows of eight_by_four, "avx2");
    strip!(eight_columns of four_by_eight, "avx2");
    strip!(wide_fours of four_wide, "avx2");
    strip!(fours of four);

    /// # Safety
    /// The CPU has AVX2, an element has four bytes, and the block lies within both.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn eight<T>(x: *const T, x_step: usize, out: *mut T, out_step: usize) {
        // SAFETY: the caller promises it.
        unsafe {
            let row = |r: usize| _mm256_loadu_ps(x.add(r * x_step).cast());
            let (first, second) = (quads([row(0), row(1), row(2), row(3)]), quads([row(4), row(5), row(6), row(7)]));
            for (c, (low, high)) in first.into_iter().zip(second).enumerate() {
                _mm256_storeu_ps(out.add(c * out_step).cast(), _mm256_permute2f128_ps::<0x20>(low, high));
                _mm256_storeu_ps(out.add((c + 4) * out_step).cast(), _mm256_permute2f128_ps::<0x31>(low, high));
            }
        }
    }

    /// Eight rows of four.
    ///
    /// # Safety
    /// The CPU has AVX2, an element has four bytes, and the block lies within both.
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn eight_by_four<T>(x: *const T, x_step: usize, out: *mut T, out_step: usize) {
        // SAFETY: the caller promises it.
        unsafe {
            let row = |r: usize| _mm_loadu_ps(x.add(r * x_step).cast());
            let rows = |r: usize| _mm256_insertf128_ps::<1>(_mm256_castps128_ps256(row(r)), row(r + 4));
            let columns = quads([rows(0), rows(1), rows(2), rows(3)]);
            for (c, column) in columns.into_iter().enumerate() {
                _mm256_storeu_ps(out.add(c * out_step).cast(), column);
            }
        }
    }

    /// Four rows of eight.
    ///
    /// # Safety
    /// As of [`eight_by_four`].
    #[inline]
    #[target_feature(enable = "avx2")]
    unsafe fn four_by_eight<T>(x: *const T, x_step: usize, out: *mut T, out_step: usize) {
        // SAFETY: the caller promises it.
        unsafe {
            let row = |r: usize| _mm256_loadu_ps(x.add(r * x_step).cast());
            let columns = quads([row(0), row(1), row(2), row(3)]);
            for (c, column) in columns.into_iter().enumerate() {
                _mm_storeu_ps(out.add(c * out_step).cast(), _mm256_castps256_ps128(column));
                _mm_storeu_ps(out.add((c + 4) * out_step).cast(), _mm256_extractf128_ps::<1>(column));
            }
        }
    }

    /// Transposes the blocks of four that are the halves of these.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn quads([a, b, c, d]: [__m256; 4]) -> [__m256; 4] {
        let (ab, ab_high) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        let (cd, cd_high) = (_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
        [
            _mm256_shuffle_ps::<0x44>(ab, cd),
            _mm256_shuffle_ps::<0xEE>(ab, cd),
            _mm256_shuffle_ps::<0x44>(ab_high, cd_high),
            _mm256_shuffle_ps::<0xEE>(ab_high, cd_high),
        ]
    }

    /// # Safety
    /// The CPU has AVX2, an element has eight bytes, and the block lies within both.
    #[inline]
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
    #[inline]
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
use x86::block;

/// Elsewhere the compiler makes vectors of what it can.
#[cfg(not(target_arch = "x86_64"))]
fn block<T: Number>(_: usize, _: usize) -> Option<Block<T>> {
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
                        // As short as may be: what is read or written beyond is not there.
                        let reach = |n: usize, step: usize, last: usize| n.saturating_sub(1) * step + last;
                        let x: Vec<T> = (0..reach(rows, x_step, cols)).map(|i| T::of(i as f64)).collect();
                        at_every_level(|level| {
                            let mut out = vec![T::NAN; reach(cols, out_step, rows)];
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
