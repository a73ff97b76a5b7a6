//! Vectors of WebAssembly's `simd128`: four numbers, so that sums are in the order of the baseline, and no multiplication is fused
//! with an addition. What is computed in them has the bits of the baseline.
#![allow(clippy::wildcard_imports, reason = "the instructions of a machine")]

use super::{Lanes, rearranged};
use crate::number::elementary::Format;
use std::arch::wasm32::*;

pub struct Simd128;

/// A row: the number type, the registers of a vector, how the set names the instructions of the type and of integers as wide,
/// those integers, the bits of a mantissa, twice the bias of an exponent, and the sums of the lanes of four vectors.
macro_rules! lanes {
    ($t:ident, registers $registers:literal, $splat:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $larger:ident, $above:ident, $other:ident,
     $int:ident, $int_splat:ident, $int_add:ident, $int_sub:ident, $int_same:ident, $right:ident, $left:ident,
     $mantissa:literal, $bias:literal, $totals:expr, |$row:ident, $join:ident| $joined:expr) => {
        /// The first `n` numbers, and zeros; where all are there, a load is one instruction for each register.
        #[allow(unsafe_code, reason = "vector instructions take raw pointers")]
        impl Lanes<$t> for Simd128 {
            type Vector = [v128; $registers];
            type Mask = usize;
            const COUNT: usize = 4;
            const ROWS: usize = 4;
            const PLAIN: bool = false;
            #[inline(always)]
            unsafe fn first(n: usize) -> usize {
                n.min(4)
            }
            #[inline(always)]
            unsafe fn load(from: *const $t, mask: usize) -> Self::Vector {
                // SAFETY: the caller promises the elements of the mask.
                unsafe { if mask == 4 { whole(from) } else { some(from, mask) } }
            }
            #[inline(always)]
            unsafe fn store(to: *mut $t, mask: usize, x: Self::Vector) {
                // SAFETY: as above.
                unsafe {
                    if mask == 4 {
                        to.cast::<Self::Vector>().write_unaligned(x);
                    } else {
                        store_some(to, mask, x);
                    }
                }
            }
            #[inline(always)]
            unsafe fn splat(x: $t) -> Self::Vector {
                [$splat(x); $registers]
            }
            #[inline(always)]
            unsafe fn add(a: Self::Vector, b: Self::Vector) -> Self::Vector {
                zip(a, b, |a, b| $add(a, b))
            }
            #[inline(always)]
            unsafe fn sub(a: Self::Vector, b: Self::Vector) -> Self::Vector {
                zip(a, b, |a, b| $sub(a, b))
            }
            #[inline(always)]
            unsafe fn mul(a: Self::Vector, b: Self::Vector) -> Self::Vector {
                zip(a, b, |a, b| $mul(a, b))
            }
            #[inline(always)]
            unsafe fn mul_add(a: Self::Vector, b: Self::Vector, c: Self::Vector) -> Self::Vector {
                zip(zip(a, b, |a, b| $mul(a, b)), c, |ab, c| $add(ab, c))
            }
            #[inline(always)]
            unsafe fn relu(x: Self::Vector) -> Self::Vector {
                // The first operand where one is NaN.
                x.map(|x| $larger(x, $splat(0.0)))
            }
            #[inline(always)]
            unsafe fn div(a: Self::Vector, b: Self::Vector) -> Self::Vector {
                zip(a, b, |a, b| $div(a, b))
            }
            #[inline(always)]
            unsafe fn larger(a: Self::Vector, b: Self::Vector) -> Self::Vector {
                zip(b, a, |a, b| $larger(a, b))
            }
            #[inline(always)]
            unsafe fn choose(x: Self::Vector, same: Self::Vector, a: Self::Vector, b: Self::Vector) -> Self::Vector {
                let (same, mut y) = (zip(x, same, |a, b| $int_same(a, b)), b);
                for i in 0..y.len() {
                    y[i] = v128_bitselect(a[i], b[i], same[i]);
                }
                y
            }
            #[inline(always)]
            unsafe fn unless_zero(x: Self::Vector, by: Self::Vector) -> Self::Vector {
                zip(x, by, |x, by| v128_and(x, $other(by, $splat(0.0))))
            }
            #[inline(always)]
            unsafe fn gate(g: Self::Vector, x: Self::Vector) -> Self::Vector {
                zip(g, x, |g, x| v128_and(g, $above(x, $splat(0.0))))
            }
            #[inline(always)]
            unsafe fn keep(x: Self::Vector, mask: usize) -> Self::Vector {
                if mask == 4 {
                    return x;
                }
                let mut y = [0.0; 4];
                // SAFETY: four numbers fit the array.
                unsafe {
                    y.as_mut_ptr().cast::<Self::Vector>().write_unaligned(x);
                    some(y.as_ptr(), mask)
                }
            }
            #[inline(always)]
            unsafe fn totals(x: [Self::Vector; 4]) -> [$t; 4] {
                let sums: Self::Vector = $totals(x);
                let mut y = [0.0; 4];
                // SAFETY: four numbers fit the array.
                unsafe { y.as_mut_ptr().cast::<Self::Vector>().write_unaligned(sums) };
                y
            }
            #[inline(always)]
            unsafe fn joined(
                $row: impl Fn(usize) -> Self::Vector,
                $join: impl Fn(Self::Vector, Self::Vector) -> Self::Vector,
            ) -> Self::Vector {
                $joined
            }
            #[inline(always)]
            unsafe fn powers_of_two(shifted: Self::Vector) -> [Self::Vector; 2] {
                const BIAS: $int = ($bias as $int).wrapping_sub(<$t as Format>::ROUND.to_bits().cast_signed());
                // Twice the bias keeps the exponent positive while it is halved.
                let k = shifted.map(|shifted| $int_add(shifted, $int_splat(BIAS)));
                let half = k.map(|k| $right(k, 1));
                [half.map(|half| $left(half, $mantissa)), zip(k, half, |k, half| $left($int_sub(k, half), $mantissa))]
            }
            #[inline(always)]
            unsafe fn columns<const K: usize>(rows: [Self::Vector; K]) -> [Self::Vector; K] {
                // SAFETY: the caller promises the set.
                unsafe { rearranged::<$t, Self, K>(rows, |i| i % 4 * K + i / 4) }
            }
            #[inline(always)]
            unsafe fn rows<const K: usize>(columns: [Self::Vector; K]) -> [Self::Vector; K] {
                // SAFETY: the caller promises the set.
                unsafe { rearranged::<$t, Self, K>(columns, |i| i % K * 4 + i / K) }
            }
        }
    };
}

lanes!(f32, registers 1, f32x4_splat, f32x4_add, f32x4_sub, f32x4_mul, f32x4_div, f32x4_pmax, f32x4_gt, f32x4_ne,
i32, i32x4_splat, i32x4_add, i32x4_sub, i32x4_eq, u32x4_shr, i32x4_shl, 23, 254, |[[a], [b], [c], [d]]: [[v128; 1]; 4]| {
    let halves = |a, b| f32x4_add(i32x4_shuffle::<0, 1, 4, 5>(a, b), i32x4_shuffle::<2, 3, 6, 7>(a, b));
    let (ab, cd) = (halves(a, b), halves(c, d));
    [f32x4_add(i32x4_shuffle::<0, 2, 4, 6>(ab, cd), i32x4_shuffle::<1, 3, 5, 7>(ab, cd))]
}, |row, join| {
    let halves = |a, b| {
        let ([a], [b]): ([v128; 1], [v128; 1]) = (row(a), row(b));
        join([i32x4_shuffle::<0, 1, 4, 5>(a, b)], [i32x4_shuffle::<2, 3, 6, 7>(a, b)])
    };
    let ([a], [b]) = (halves(0, 1), halves(2, 3));
    join([i32x4_shuffle::<0, 2, 4, 6>(a, b)], [i32x4_shuffle::<1, 3, 5, 7>(a, b)])
});
lanes!(f64, registers 2, f64x2_splat, f64x2_add, f64x2_sub, f64x2_mul, f64x2_div, f64x2_pmax, f64x2_gt, f64x2_ne,
i64, i64x2_splat, i64x2_add, i64x2_sub, i64x2_eq, u64x2_shr, i64x2_shl, 52, 2046, |x: [[v128; 2]; 4]| {
    let [a, b, c, d] = x.map(|[lower, upper]| f64x2_add(lower, upper));
    let pair = |a, b| f64x2_add(i64x2_shuffle::<0, 2>(a, b), i64x2_shuffle::<1, 3>(a, b));
    [pair(a, b), pair(c, d)]
}, |row, join| {
    let halves = |a, b| {
        let ([a, a_upper], [b, b_upper]): ([v128; 2], [v128; 2]) = (row(a), row(b));
        join([a, b], [a_upper, b_upper])
    };
    let ([a, b], [c, d]) = (halves(0, 1), halves(2, 3));
    let [lower, upper] = [[i64x2_shuffle::<0, 2>(a, b), i64x2_shuffle::<0, 2>(c, d)], [i64x2_shuffle::<1, 3>(a, b), i64x2_shuffle::<1, 3>(c, d)]];
    join(lower, upper)
});

#[inline(always)]
fn zip<const R: usize>(a: [v128; R], b: [v128; R], f: impl Fn(v128, v128) -> v128) -> [v128; R] {
    let mut c = a;
    for i in 0..R {
        c[i] = f(a[i], b[i]);
    }
    c
}

/// # Safety
/// There are as many numbers as fit the registers.
#[inline(always)]
unsafe fn whole<T, const R: usize>(from: *const T) -> [v128; R] {
    // SAFETY: the caller promises it.
    unsafe { from.cast::<[v128; R]>().read_unaligned() }
}

/// The first `n` numbers, and zeros: the ends of rows, in one place.
///
/// # Safety
/// There are `n` numbers, at most as many as fit the registers.
#[cold]
#[inline(never)]
unsafe fn some<T, const R: usize>(from: *const T, n: usize) -> [v128; R] {
    let mut x = [i64x2_splat(0); R];
    // SAFETY: the caller promises it.
    unsafe { std::ptr::copy_nonoverlapping(from, x.as_mut_ptr().cast(), n) };
    x
}

/// # Safety
/// There is room for `n` numbers, at most as many as fit the registers.
#[cold]
#[inline(never)]
unsafe fn store_some<T, const R: usize>(to: *mut T, n: usize, x: [v128; R]) {
    // SAFETY: the caller promises it.
    unsafe { std::ptr::copy_nonoverlapping(x.as_ptr().cast(), to, n) };
}
