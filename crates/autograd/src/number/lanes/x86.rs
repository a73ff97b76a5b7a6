//! Vectors of AVX2 and AVX-512.
#![allow(clippy::wildcard_imports, reason = "the instructions of a CPU")]

mod across;

use super::Lanes;
use crate::number::elementary::Format;
use across::*;
use std::arch::x86_64::*;

pub struct Avx2;
pub struct Avx512;

/// All lanes of a vector or some: a plain store is many times as fast as a masked one on some CPUs.
#[derive(Clone, Copy)]
pub struct Some256 {
    mask: __m256i,
    all: bool,
}

const ROUND_F32: i32 = <f32 as Format>::ROUND.to_bits().cast_signed();
const ROUND_F64: i64 = <f64 as Format>::ROUND.to_bits().cast_signed();

/// [`Lanes::powers_of_two`] by the instructions of a set; the last is twice the exponent's bias less the bits of what
/// was added to round, and keeps the exponent positive while it is halved.
macro_rules! powers {
    ($x:ident, $bits:ident, $float:ident, $add:ident, $sub:ident, $right:ident, $left:ident, $mantissa:literal, $bias:expr) => {{
        let k = $add($bits($x), $bias);
        let half = $right::<1>(k);
        [$float($left::<$mantissa>(half)), $float($left::<$mantissa>($sub(k, half)))]
    }};
}

/// A row: the set, its number type, and how the set names its vectors, instructions and masks.
macro_rules! lanes {
    ($set:ident, $t:ident, $vector:ident, $count:literal, rows $rows:literal, mask $mask:ident,
     $splat:ident, $zero:ident, $add:ident, $sub:ident, $mul:ident, $fma:ident, $max:ident,
     $div:ident, |$n:ident| $first:expr, |$from:ident, $lm:ident| $load:expr, |$to:ident, $sm:ident, $sx:ident| $store:expr,
     |$g:ident, $x:ident| $gate:expr, |$kx:ident, $km:ident| $keep:expr,
     |$cx:ident, $same:ident, $ca:ident, $cb:ident| $choose:expr, |$ux:ident, $by:ident| $unless_zero:expr,
     |$four:ident| $totals:expr, joined $joined:ident, total $total:ident, peak $peak:ident, |$shifted:ident| $powers:expr,
     pick $pick:ident) => {
        // SAFETY (of each block): the caller promises that the CPU has the set, and that the elements of a mask are
        // there; see the trait.
        #[allow(clippy::undocumented_unsafe_blocks, unused_unsafe, reason = "one reason for the whole table, above")]
        impl Lanes<$t> for $set {
            type Vector = $vector;
            type Mask = $mask;
            const COUNT: usize = $count;
            const ROWS: usize = $rows;
            const PLAIN: bool = false;
            #[inline(always)]
            unsafe fn first($n: usize) -> $mask {
                unsafe { $first }
            }
            #[inline(always)]
            unsafe fn load($from: *const $t, $lm: $mask) -> $vector {
                unsafe { $load }
            }
            #[inline(always)]
            unsafe fn store($to: *mut $t, $sm: $mask, $sx: $vector) {
                unsafe { $store }
            }
            #[inline(always)]
            unsafe fn splat(x: $t) -> $vector {
                unsafe { $splat(x) }
            }
            #[inline(always)]
            unsafe fn add(a: $vector, b: $vector) -> $vector {
                unsafe { $add(a, b) }
            }
            #[inline(always)]
            unsafe fn sub(a: $vector, b: $vector) -> $vector {
                unsafe { $sub(a, b) }
            }
            #[inline(always)]
            unsafe fn mul(a: $vector, b: $vector) -> $vector {
                unsafe { $mul(a, b) }
            }
            #[inline(always)]
            unsafe fn mul_add(a: $vector, b: $vector, c: $vector) -> $vector {
                unsafe { $fma(a, b, c) }
            }
            #[inline(always)]
            unsafe fn relu(x: $vector) -> $vector {
                // The second operand where one is NaN.
                unsafe { $max($zero(), x) }
            }
            #[inline(always)]
            unsafe fn div(a: $vector, b: $vector) -> $vector {
                unsafe { $div(a, b) }
            }
            #[inline(always)]
            unsafe fn larger(a: $vector, b: $vector) -> $vector {
                unsafe { $max(a, b) }
            }
            #[inline(always)]
            unsafe fn choose($cx: $vector, $same: $vector, $ca: $vector, $cb: $vector) -> $vector {
                unsafe { $choose }
            }
            #[inline(always)]
            unsafe fn unless_zero($ux: $vector, $by: $vector) -> $vector {
                unsafe { $unless_zero }
            }
            #[inline(always)]
            unsafe fn gate($g: $vector, $x: $vector) -> $vector {
                unsafe { $gate }
            }
            #[inline(always)]
            unsafe fn keep($kx: $vector, $km: $mask) -> $vector {
                unsafe { $keep }
            }
            #[inline(always)]
            unsafe fn totals($four: [$vector; 4]) -> [$t; 4] {
                unsafe { $totals }
            }
            #[inline(always)]
            unsafe fn joined(row: impl Fn(usize) -> $vector, join: impl Fn($vector, $vector) -> $vector) -> $vector {
                unsafe { $joined(row, join) }
            }
            #[inline(always)]
            unsafe fn total(x: $vector) -> $t {
                unsafe { $total(x) }
            }
            #[inline(always)]
            unsafe fn peak(x: $vector) -> $t {
                unsafe { $peak(x) }
            }
            #[inline(always)]
            unsafe fn powers_of_two($shifted: $vector) -> [$vector; 2] {
                unsafe { $powers }
            }
            #[inline(always)]
            unsafe fn columns<const K: usize>(rows: [$vector; K]) -> [$vector; K] {
                unsafe { $pick(rows, |i| i % $count * K + i / $count) }
            }
            #[inline(always)]
            unsafe fn rows<const K: usize>(columns: [$vector; K]) -> [$vector; K] {
                unsafe { $pick(columns, |i| i % K * $count + i / K) }
            }
        }
    };
}

lanes!(Avx512, f32, __m512, 16, rows 8, mask __mmask16,
    _mm512_set1_ps, _mm512_setzero_ps, _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps, _mm512_fmadd_ps, _mm512_max_ps,
    _mm512_div_ps,
    |n| if n < 16 { ((1_u32 << n) - 1) as u16 } else { u16::MAX },
    |from, mask| _mm512_maskz_loadu_ps(mask, from),
    |to, mask, x| _mm512_mask_storeu_ps(to, mask, x),
    |g, x| _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, _mm512_setzero_ps()), g),
    |x, mask| _mm512_maskz_mov_ps(mask, x),
    |x, same, a, b| _mm512_mask_blend_ps(
        _mm512_cmpeq_epi32_mask(_mm512_castps_si512(x), _mm512_castps_si512(same)), b, a),
    |x, by| _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_NEQ_UQ>(by, _mm512_setzero_ps()), x),
    |x| totals_256_f32([half_f32(x[0]), half_f32(x[1]), half_f32(x[2]), half_f32(x[3])]),
    joined joined_512_f32, total total_512_f32, peak peak_512_f32,
    |x| powers!(x, _mm512_castps_si512, _mm512_castsi512_ps, _mm512_add_epi32, _mm512_sub_epi32, _mm512_srli_epi32,
        _mm512_slli_epi32, 23, _mm512_set1_epi32(254_i32.wrapping_sub(ROUND_F32))), pick pick_f32);
lanes!(Avx512, f64, __m512d, 8, rows 8, mask __mmask8,
    _mm512_set1_pd, _mm512_setzero_pd, _mm512_add_pd, _mm512_sub_pd, _mm512_mul_pd, _mm512_fmadd_pd, _mm512_max_pd,
    _mm512_div_pd,
    |n| if n < 8 { ((1_u32 << n) - 1) as u8 } else { u8::MAX },
    |from, mask| _mm512_maskz_loadu_pd(mask, from),
    |to, mask, x| _mm512_mask_storeu_pd(to, mask, x),
    |g, x| _mm512_maskz_mov_pd(_mm512_cmp_pd_mask::<_CMP_GT_OQ>(x, _mm512_setzero_pd()), g),
    |x, mask| _mm512_maskz_mov_pd(mask, x),
    |x, same, a, b| _mm512_mask_blend_pd(
        _mm512_cmpeq_epi64_mask(_mm512_castpd_si512(x), _mm512_castpd_si512(same)), b, a),
    |x, by| _mm512_maskz_mov_pd(_mm512_cmp_pd_mask::<_CMP_NEQ_UQ>(by, _mm512_setzero_pd()), x),
    |x| totals_256_f64([half_f64(x[0]), half_f64(x[1]), half_f64(x[2]), half_f64(x[3])]),
    joined joined_512_f64, total total_512_f64, peak peak_512_f64,
    |x| powers!(x, _mm512_castpd_si512, _mm512_castsi512_pd, _mm512_add_epi64, _mm512_sub_epi64, _mm512_srli_epi64,
        _mm512_slli_epi64, 52, _mm512_set1_epi64(2046_i64.wrapping_sub(ROUND_F64))), pick pick_f64);
lanes!(Avx2, f32, __m256, 8, rows 4, mask Some256,
    _mm256_set1_ps, _mm256_setzero_ps, _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps, _mm256_fmadd_ps, _mm256_max_ps,
    _mm256_div_ps,
    |n| Some256 {
        mask: _mm256_cmpgt_epi32(_mm256_set1_epi32(n.min(8) as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)),
        all: n >= 8,
    },
    |from, part| if part.all { _mm256_loadu_ps(from) } else { _mm256_maskload_ps(from, part.mask) },
    |to, part, x| if part.all { _mm256_storeu_ps(to, x) } else { _mm256_maskstore_ps(to, part.mask, x) },
    |g, x| _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(x, _mm256_setzero_ps()), g),
    |x, part| _mm256_and_ps(x, _mm256_castsi256_ps(part.mask)),
    |x, same, a, b| _mm256_blendv_ps(b, a, _mm256_castsi256_ps(
        _mm256_cmpeq_epi32(_mm256_castps_si256(x), _mm256_castps_si256(same)))),
    |x, by| _mm256_and_ps(_mm256_cmp_ps::<_CMP_NEQ_UQ>(by, _mm256_setzero_ps()), x),
    |x| totals_256_f32(x),
    joined joined_256_f32, total total_256_f32, peak peak_256_f32,
    |x| powers!(x, _mm256_castps_si256, _mm256_castsi256_ps, _mm256_add_epi32, _mm256_sub_epi32, _mm256_srli_epi32,
        _mm256_slli_epi32, 23, _mm256_set1_epi32(254_i32.wrapping_sub(ROUND_F32))), pick pick_parts_f32);
lanes!(Avx2, f64, __m256d, 4, rows 4, mask Some256,
    _mm256_set1_pd, _mm256_setzero_pd, _mm256_add_pd, _mm256_sub_pd, _mm256_mul_pd, _mm256_fmadd_pd, _mm256_max_pd,
    _mm256_div_pd,
    |n| Some256 {
        mask: _mm256_cmpgt_epi64(_mm256_set1_epi64x(n.min(4) as i64), _mm256_setr_epi64x(0, 1, 2, 3)),
        all: n >= 4,
    },
    |from, part| if part.all { _mm256_loadu_pd(from) } else { _mm256_maskload_pd(from, part.mask) },
    |to, part, x| if part.all { _mm256_storeu_pd(to, x) } else { _mm256_maskstore_pd(to, part.mask, x) },
    |g, x| _mm256_and_pd(_mm256_cmp_pd::<_CMP_GT_OQ>(x, _mm256_setzero_pd()), g),
    |x, part| _mm256_and_pd(x, _mm256_castsi256_pd(part.mask)),
    |x, same, a, b| _mm256_blendv_pd(b, a, _mm256_castsi256_pd(
        _mm256_cmpeq_epi64(_mm256_castpd_si256(x), _mm256_castpd_si256(same)))),
    |x, by| _mm256_and_pd(_mm256_cmp_pd::<_CMP_NEQ_UQ>(by, _mm256_setzero_pd()), x),
    |x| totals_256_f64(x),
    joined joined_256_f64, total total_256_f64, peak peak_256_f64,
    |x| powers!(x, _mm256_castpd_si256, _mm256_castsi256_pd, _mm256_add_epi64, _mm256_sub_epi64, _mm256_srli_epi64,
        _mm256_slli_epi64, 52, _mm256_set1_epi64x(2046_i64.wrapping_sub(ROUND_F64))), pick pick_parts_f64);

/// A row: elements of vectors in a row by their places, by the permutations of two vectors that AVX-512 has.
macro_rules! pick {
    ($name:ident, $vector:ident, $lane:ident, $count:literal, $load:ident, $permute:ident, $blend:ident, $mask:ident) => {
        /// # Safety
        /// The CPU has AVX-512, and `K ≤ 4`.
        #[inline(always)]
        unsafe fn $name<const K: usize>(x: [$vector; K], at: impl Fn(usize) -> usize) -> [$vector; K] {
            let mut y = x;
            for k in 0..K {
                let (mut index, mut upper) = ([0 as $lane; $count], 0);
                for (lane, index) in index.iter_mut().enumerate() {
                    let at = at(k * $count + lane);
                    // The instruction reads the bits that number the elements of two vectors.
                    *index = at as $lane;
                    upper |= $mask::from(at >= 2 * $count) << lane;
                }
                // SAFETY: the caller promises the set; the array has the size of a vector.
                unsafe {
                    let index = $load(index.as_ptr().cast());
                    y[k] = $permute(x[0], index, x[1.min(K - 1)]);
                    if K > 2 {
                        y[k] = $blend(upper, y[k], $permute(x[2.min(K - 1)], index, x[K - 1]));
                    }
                }
            }
            y
        }
    };
}
pick!(pick_f32, __m512, i32, 16, _mm512_loadu_si512, _mm512_permutex2var_ps, _mm512_mask_blend_ps, u16);
pick!(pick_f64, __m512d, i64, 8, _mm512_loadu_si512, _mm512_permutex2var_pd, _mm512_mask_blend_pd, u8);

/// A row: the same by the permutation of one vector that AVX2 has, of parts of 32 bits.
macro_rules! pick_parts {
    ($name:ident, $vector:ident, $count:literal, $bits:ident, $float:ident, $blend:ident) => {
        /// # Safety
        /// The CPU has AVX2.
        #[inline(always)]
        unsafe fn $name<const K: usize>(x: [$vector; K], at: impl Fn(usize) -> usize) -> [$vector; K] {
            const PARTS: usize = 8 / $count;
            let mut y = x;
            for k in 0..K {
                let (mut index, mut of) = ([0_i32; 8], [0_i32; 8]);
                for part in 0..8 {
                    let at = at(k * $count + part / PARTS);
                    index[part] = (at % $count * PARTS + part - part / PARTS * PARTS) as i32;
                    of[part] = (at / $count) as i32;
                }
                // SAFETY: the caller promises the set; the arrays have the size of a vector.
                unsafe {
                    let (index, of) =
                        (_mm256_loadu_si256(index.as_ptr().cast()), _mm256_loadu_si256(of.as_ptr().cast()));
                    let from = |s: usize| $float(_mm256_permutevar8x32_epi32($bits(x[s]), index));
                    y[k] = from(0);
                    for s in 1..K {
                        let ours = _mm256_cmpeq_epi32(of, _mm256_set1_epi32(s as i32));
                        y[k] = $blend(y[k], from(s), $float(ours));
                    }
                }
            }
            y
        }
    };
}
pick_parts!(pick_parts_f32, __m256, 8, _mm256_castps_si256, _mm256_castsi256_ps, _mm256_blendv_ps);
pick_parts!(pick_parts_f64, __m256d, 4, _mm256_castpd_si256, _mm256_castsi256_pd, _mm256_blendv_pd);
