//! What goes across the lanes of vectors: sums, maxima, and lanes that are joined by halves.
#![allow(clippy::wildcard_imports, reason = "the instructions of a CPU")]

use std::arch::x86_64::*;

/// What `join` makes of the first and the second halves of what is left of two vectors, which two shuffles take.
macro_rules! halves {
    ($join:ident, $shuffle:ident, $first:literal, $second:literal, $a:expr, $b:expr) => {{
        let (a, b) = ($a, $b);
        // SAFETY: whoever calls the function that this is in promises the set.
        unsafe { $join($shuffle::<$first>(a, b), $shuffle::<$second>(a, b)) }
    }};
}

/// An attribute is allowed on what a function is called with, and what is called needs the instruction set of its callers.
#[inline(always)]
fn always_inlined<F: Fn(usize) -> V, V>(f: F) -> F {
    f
}

/// A row: [`Lanes::joined`](crate::number::lanes::Lanes::joined). The last shuffles stay within parts of 128 bits, so that what becomes the first lanes of these comes from rows
/// that lie as far apart as a part has lanes.
macro_rules! joined {
    ($($name:ident $vector:ident |$join:ident, $row:ident, $p:ident| $part:expr; |$of:ident| $last:expr;)*) => {$(
        /// # Safety
        /// The CPU has the set.
        #[inline(always)]
        pub(super) unsafe fn $name(
            $row: impl Fn(usize) -> $vector,
            $join: impl Fn($vector, $vector) -> $vector,
        ) -> $vector {
            let $of = always_inlined(
                #[inline(always)]
                |$p: usize| $part,
            );
            $last
        }
    )*};
}

joined! {
    joined_512_f32 __m512 |join, row, p| {
        let ab = halves!(join, _mm512_shuffle_f32x4, 0x44, 0xee, row(p), row(p + 4));
        let cd = halves!(join, _mm512_shuffle_f32x4, 0x44, 0xee, row(p + 8), row(p + 12));
        halves!(join, _mm512_shuffle_f32x4, 0x88, 0xdd, ab, cd)
    }; |part| {
        let ab = halves!(join, _mm512_shuffle_ps, 0x44, 0xee, part(0), part(1));
        let cd = halves!(join, _mm512_shuffle_ps, 0x44, 0xee, part(2), part(3));
        halves!(join, _mm512_shuffle_ps, 0x88, 0xdd, ab, cd)
    };
    joined_512_f64 __m512d |join, row, p| {
        let ab = halves!(join, _mm512_shuffle_f64x2, 0x44, 0xee, row(p), row(p + 2));
        let cd = halves!(join, _mm512_shuffle_f64x2, 0x44, 0xee, row(p + 4), row(p + 6));
        halves!(join, _mm512_shuffle_f64x2, 0x88, 0xdd, ab, cd)
    }; |part| halves!(join, _mm512_shuffle_pd, 0x00, 0xff, part(0), part(1));
    joined_256_f32 __m256 |join, row, p| halves!(join, _mm256_permute2f128_ps, 0x20, 0x31, row(p), row(p + 4));
    |part| {
        let ab = halves!(join, _mm256_shuffle_ps, 0x44, 0xee, part(0), part(1));
        let cd = halves!(join, _mm256_shuffle_ps, 0x44, 0xee, part(2), part(3));
        halves!(join, _mm256_shuffle_ps, 0x88, 0xdd, ab, cd)
    };
    joined_256_f64 __m256d |join, row, p| halves!(join, _mm256_permute2f128_pd, 0x20, 0x31, row(p), row(p + 2));
    |part| halves!(join, _mm256_shuffle_pd, 0x0, 0xf, part(0), part(1));
}

/// The sum of the two halves of a vector.
#[target_feature(enable = "avx512f,avx512dq")]
#[inline]
pub(super) fn half_f32(x: __m512) -> __m256 {
    _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps::<1>(x))
}

/// The sum of the two halves of a vector.
#[target_feature(enable = "avx512f")]
#[inline]
pub(super) fn half_f64(x: __m512d) -> __m256d {
    _mm256_add_pd(_mm512_castpd512_pd256(x), _mm512_extractf64x4_pd::<1>(x))
}

/// A row: what is left of the lanes of both sizes of vectors, after each was joined with that of the other half, and so on.
macro_rules! reduced {
    ($($narrow:ident $wide:ident $half:ident $t:ident $own:ident $other:ident
       |$v:ident| $low:expr, $high:expr; |$a:ident, $b:ident| $join:expr; |$x:ident| $last:expr;)*) => {$(
        #[target_feature(enable = "avx2")]
        #[inline]
        pub(super) fn $narrow($v: $own) -> $t {
            let ($a, $b) = ($low, $high);
            let $x = $join;
            $last
        }
        #[target_feature(enable = "avx512f,avx512dq")]
        #[inline]
        pub(super) fn $wide(x: $other) -> $t {
            $narrow($half(x))
        }
    )*};
}

reduced! {
    total_256_f32 total_512_f32 half_f32 f32 __m256 __m512 |v| _mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v);
        |a, b| _mm_add_ps(a, b);
        |x| { let x = _mm_add_ps(x, _mm_movehl_ps(x, x)); _mm_cvtss_f32(_mm_add_ss(x, _mm_shuffle_ps::<1>(x, x))) };
    total_256_f64 total_512_f64 half_f64 f64 __m256d __m512d |v| _mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v);
        |a, b| _mm_add_pd(a, b);
        |x| _mm_cvtsd_f64(_mm_add_sd(x, _mm_unpackhi_pd(x, x)));
    peak_256_f32 peak_512_f32 larger_half_f32 f32 __m256 __m512 |v| _mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v);
        |a, b| _mm_max_ps(a, b);
        |x| { let x = _mm_max_ps(x, _mm_movehl_ps(x, x)); _mm_cvtss_f32(_mm_max_ss(x, _mm_shuffle_ps::<1>(x, x))) };
    peak_256_f64 peak_512_f64 larger_half_f64 f64 __m256d __m512d |v| _mm256_castpd256_pd128(v), _mm256_extractf128_pd::<1>(v);
        |a, b| _mm_max_pd(a, b);
        |x| _mm_cvtsd_f64(_mm_max_sd(x, _mm_unpackhi_pd(x, x)));
}

/// The larger of the two halves of a vector, lane by lane.
#[target_feature(enable = "avx512f,avx512dq")]
#[inline]
fn larger_half_f32(x: __m512) -> __m256 {
    _mm256_max_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps::<1>(x))
}

/// The larger of the two halves of a vector, lane by lane.
#[target_feature(enable = "avx512f")]
#[inline]
fn larger_half_f64(x: __m512d) -> __m256d {
    _mm256_max_pd(_mm512_castpd512_pd256(x), _mm512_extractf64x4_pd::<1>(x))
}

/// The sums of the lanes of four vectors, by halves.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn totals_256_f32([a, b, c, d]: [__m256; 4]) -> [f32; 4] {
    // Each 128-bit half of `all` has a partial sum of a, b, c and d.
    let all = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    let sums = _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps::<1>(all));
    let mut y = [0.0; 4];
    // SAFETY: four floats fit the array.
    unsafe { _mm_storeu_ps(y.as_mut_ptr(), sums) };
    y
}

/// The sums of the lanes of four vectors, by halves.
#[target_feature(enable = "avx2")]
#[inline]
pub(super) fn totals_256_f64([a, b, c, d]: [__m256d; 4]) -> [f64; 4] {
    // `ab` has the sums of a's and b's lower halves, then of their upper halves.
    let (ab, cd) = (_mm256_hadd_pd(a, b), _mm256_hadd_pd(c, d));
    let lower = _mm256_permute2f128_pd::<0x20>(ab, cd);
    let upper = _mm256_permute2f128_pd::<0x31>(ab, cd);
    let mut y = [0.0; 4];
    // SAFETY: four floats fit the array.
    unsafe { _mm256_storeu_pd(y.as_mut_ptr(), _mm256_add_pd(lower, upper)) };
    y
}
