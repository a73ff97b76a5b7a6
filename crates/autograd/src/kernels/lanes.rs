//! Vectors by hand, for the matrix products: what the compiler does not make of loops, that is masks for the ends of
//! rows, fused multiply-adds, and sums that stay in registers.
//!
//! A product fuses its multiplications with its additions wherever that is one instruction, as the GEMM crate does. So
//! its last bits depend on the CPU, unlike those of the element-wise functions.
#![expect(unsafe_code, reason = "vector instructions may run only where the CPU has them, and take raw pointers")]

use crate::Float;

/// The vectors of an instruction set.
///
/// # Safety
/// Every function may be called only on a CPU that has the instruction set; a kernel gets a type of this trait from
/// [`Level::run_lanes`](super::simd::Level::run_lanes) alone, which asked the CPU. `load` and `store` touch the elements
/// of the mask and no others.
pub trait Lanes<T> {
    type Vector: Copy;
    type Mask: Copy;
    /// Elements of a vector.
    const COUNT: usize;
    /// Rows of a tile of a matrix product, two vectors wide, whose sums fit the registers.
    const ROWS: usize;

    /// The first `n` lanes, or all.
    unsafe fn first(n: usize) -> Self::Mask;
    /// Lanes beyond the mask are zero.
    unsafe fn load(from: *const T, mask: Self::Mask) -> Self::Vector;
    unsafe fn store(to: *mut T, mask: Self::Mask, x: Self::Vector);
    unsafe fn splat(x: T) -> Self::Vector;
    unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector;
    /// `a · b + c`, rounded once where that is one instruction.
    unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector;
    /// 0 where `x < 0`, else `x`.
    unsafe fn relu(x: Self::Vector) -> Self::Vector;
    /// `g` where `x > 0`, else 0.
    unsafe fn gate(g: Self::Vector, x: Self::Vector) -> Self::Vector;
    /// The sums of the lanes of four vectors.
    unsafe fn totals(x: [Self::Vector; 4]) -> [T; 4];
}

/// Arrays, which the compiler turns into the vectors that the target promises.
pub(crate) struct Portable;

const WIDTH: usize = 4;

#[inline(always)]
fn zip<T: Copy>(a: [T; WIDTH], b: [T; WIDTH], f: impl Fn(T, T) -> T) -> [T; WIDTH] {
    let mut c = a;
    for i in 0..WIDTH {
        c[i] = f(a[i], b[i]);
    }
    c
}

impl<T: Float> Lanes<T> for Portable {
    type Vector = [T; WIDTH];
    type Mask = usize;
    const COUNT: usize = WIDTH;
    const ROWS: usize = 4;

    #[inline(always)]
    unsafe fn first(n: usize) -> usize {
        n.min(WIDTH)
    }
    #[inline(always)]
    unsafe fn load(from: *const T, mask: usize) -> [T; WIDTH] {
        let mut x = [T::ZERO; WIDTH];
        // SAFETY: the caller promises the elements of the mask, at most `WIDTH`.
        unsafe { std::ptr::copy_nonoverlapping(from, x.as_mut_ptr(), mask) };
        x
    }
    #[inline(always)]
    unsafe fn store(to: *mut T, mask: usize, x: [T; WIDTH]) {
        // SAFETY: the caller promises the elements of the mask, at most `WIDTH`.
        unsafe { std::ptr::copy_nonoverlapping(x.as_ptr(), to, mask) };
    }
    #[inline(always)]
    unsafe fn splat(x: T) -> [T; WIDTH] {
        [x; WIDTH]
    }
    #[inline(always)]
    unsafe fn add(a: [T; WIDTH], b: [T; WIDTH]) -> [T; WIDTH] {
        zip(a, b, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(a: [T; WIDTH], b: [T; WIDTH]) -> [T; WIDTH] {
        zip(a, b, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(a: [T; WIDTH], b: [T; WIDTH]) -> [T; WIDTH] {
        zip(a, b, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn mul_add(a: [T; WIDTH], b: [T; WIDTH], c: [T; WIDTH]) -> [T; WIDTH] {
        // Every 64-bit ARM has the fused instruction; on x86-64 it would be a slow call at this level.
        let fused = cfg!(target_arch = "aarch64");
        let mut y = c;
        for i in 0..WIDTH {
            y[i] = if fused { a[i].fused_multiply_add(b[i], c[i]) } else { a[i] * b[i] + c[i] };
        }
        y
    }
    #[inline(always)]
    unsafe fn relu(x: [T; WIDTH]) -> [T; WIDTH] {
        zip(x, x, |x, _| if x < T::ZERO { T::ZERO } else { x })
    }
    #[inline(always)]
    unsafe fn gate(g: [T; WIDTH], x: [T; WIDTH]) -> [T; WIDTH] {
        zip(g, x, |g, x| if x > T::ZERO { g } else { T::ZERO })
    }
    #[inline(always)]
    unsafe fn totals(x: [[T; WIDTH]; 4]) -> [T; 4] {
        let mut y = [T::ZERO; 4];
        for i in 0..4 {
            y[i] = (x[i][0] + x[i][2]) + (x[i][1] + x[i][3]);
        }
        y
    }
}

#[cfg(target_arch = "x86_64")]
pub(crate) use x86::{Avx2, Avx512};

#[cfg(target_arch = "x86_64")]
#[allow(clippy::wildcard_imports, reason = "the instructions of a CPU")]
mod x86 {
    use super::Lanes;
    use std::arch::x86_64::*;

    pub struct Avx2;
    pub struct Avx512;

    /// All lanes of a vector or some: a plain store is many times as fast as a masked one on some CPUs.
    #[derive(Clone, Copy)]
    pub struct Some256 {
        mask: __m256i,
        all: bool,
    }

    /// A row: the set, its number type, and how the set names its vectors, instructions and masks.
    macro_rules! lanes {
        ($set:ident, $t:ident, $vector:ident, $count:literal, rows $rows:literal, mask $mask:ident,
         $splat:ident, $zero:ident, $add:ident, $sub:ident, $mul:ident, $fma:ident, $max:ident,
         |$n:ident| $first:expr, |$from:ident, $lm:ident| $load:expr, |$to:ident, $sm:ident, $sx:ident| $store:expr,
         |$g:ident, $x:ident| $gate:expr, |$four:ident| $totals:expr) => {
            // SAFETY (of each block): the caller promises that the CPU has the set, and that the elements of a mask are
            // there; see the trait.
            #[allow(
                clippy::undocumented_unsafe_blocks,
                unused_unsafe,
                reason = "one reason for the whole table, above"
            )]
            impl Lanes<$t> for $set {
                type Vector = $vector;
                type Mask = $mask;
                const COUNT: usize = $count;
                const ROWS: usize = $rows;
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
                unsafe fn gate($g: $vector, $x: $vector) -> $vector {
                    unsafe { $gate }
                }
                #[inline(always)]
                unsafe fn totals($four: [$vector; 4]) -> [$t; 4] {
                    unsafe { $totals }
                }
            }
        };
    }

    lanes!(Avx512, f32, __m512, 16, rows 8, mask __mmask16,
        _mm512_set1_ps, _mm512_setzero_ps, _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps, _mm512_fmadd_ps, _mm512_max_ps,
        |n| if n < 16 { ((1_u32 << n) - 1) as u16 } else { u16::MAX },
        |from, mask| _mm512_maskz_loadu_ps(mask, from),
        |to, mask, x| _mm512_mask_storeu_ps(to, mask, x),
        |g, x| _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(x, _mm512_setzero_ps()), g),
        |x| totals_256_f32([half_f32(x[0]), half_f32(x[1]), half_f32(x[2]), half_f32(x[3])]));
    lanes!(Avx512, f64, __m512d, 8, rows 8, mask __mmask8,
        _mm512_set1_pd, _mm512_setzero_pd, _mm512_add_pd, _mm512_sub_pd, _mm512_mul_pd, _mm512_fmadd_pd, _mm512_max_pd,
        |n| if n < 8 { ((1_u32 << n) - 1) as u8 } else { u8::MAX },
        |from, mask| _mm512_maskz_loadu_pd(mask, from),
        |to, mask, x| _mm512_mask_storeu_pd(to, mask, x),
        |g, x| _mm512_maskz_mov_pd(_mm512_cmp_pd_mask::<_CMP_GT_OQ>(x, _mm512_setzero_pd()), g),
        |x| totals_256_f64([half_f64(x[0]), half_f64(x[1]), half_f64(x[2]), half_f64(x[3])]));
    lanes!(Avx2, f32, __m256, 8, rows 4, mask Some256,
        _mm256_set1_ps, _mm256_setzero_ps, _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps, _mm256_fmadd_ps, _mm256_max_ps,
        |n| Some256 {
            mask: _mm256_cmpgt_epi32(_mm256_set1_epi32(n.min(8) as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)),
            all: n >= 8,
        },
        |from, part| if part.all { _mm256_loadu_ps(from) } else { _mm256_maskload_ps(from, part.mask) },
        |to, part, x| if part.all { _mm256_storeu_ps(to, x) } else { _mm256_maskstore_ps(to, part.mask, x) },
        |g, x| _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(x, _mm256_setzero_ps()), g),
        |x| totals_256_f32(x));
    lanes!(Avx2, f64, __m256d, 4, rows 4, mask Some256,
        _mm256_set1_pd, _mm256_setzero_pd, _mm256_add_pd, _mm256_sub_pd, _mm256_mul_pd, _mm256_fmadd_pd, _mm256_max_pd,
        |n| Some256 {
            mask: _mm256_cmpgt_epi64(_mm256_set1_epi64x(n.min(4) as i64), _mm256_setr_epi64x(0, 1, 2, 3)),
            all: n >= 4,
        },
        |from, part| if part.all { _mm256_loadu_pd(from) } else { _mm256_maskload_pd(from, part.mask) },
        |to, part, x| if part.all { _mm256_storeu_pd(to, x) } else { _mm256_maskstore_pd(to, part.mask, x) },
        |g, x| _mm256_and_pd(_mm256_cmp_pd::<_CMP_GT_OQ>(x, _mm256_setzero_pd()), g),
        |x| totals_256_f64(x));

    /// The sum of the two halves of a vector.
    #[target_feature(enable = "avx512f,avx512dq")]
    #[inline]
    fn half_f32(x: __m512) -> __m256 {
        _mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps::<1>(x))
    }

    /// The sum of the two halves of a vector.
    #[target_feature(enable = "avx512f")]
    #[inline]
    fn half_f64(x: __m512d) -> __m256d {
        _mm256_add_pd(_mm512_castpd512_pd256(x), _mm512_extractf64x4_pd::<1>(x))
    }

    /// The sums of the lanes of four vectors, by halves.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn totals_256_f32([a, b, c, d]: [__m256; 4]) -> [f32; 4] {
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
    fn totals_256_f64([a, b, c, d]: [__m256d; 4]) -> [f64; 4] {
        // `ab` has the sums of a's and b's lower halves, then of their upper halves.
        let (ab, cd) = (_mm256_hadd_pd(a, b), _mm256_hadd_pd(c, d));
        let lower = _mm256_permute2f128_pd::<0x20>(ab, cd);
        let upper = _mm256_permute2f128_pd::<0x31>(ab, cd);
        let mut y = [0.0; 4];
        // SAFETY: four floats fit the array.
        unsafe { _mm256_storeu_pd(y.as_mut_ptr(), _mm256_add_pd(lower, upper)) };
        y
    }
}
