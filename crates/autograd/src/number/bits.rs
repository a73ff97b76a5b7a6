//! What only the engine uses of its number types, and what keeps [`Number`](super::Number) sealed.

use super::formula::Formula;
#[cfg(target_arch = "x86_64")]
use super::formula::Pack;
use super::lanes::{self, Lanes};
#[cfg(target_arch = "x86_64")]
use super::packs;
use super::{elementary, special};

/// Numbers by their bits, and in vectors.
pub trait Bits: Sized {
    /// An index carried in the bits of a float, so that index nodes share the tape's buffers.
    fn from_index(i: i64) -> Self;
    /// The index that `from_index` packed.
    fn to_index(self) -> i64;
    /// The index that a whole number is, which is within what indices can be.
    fn number_to_index(self) -> Self;
    /// The number that an index is.
    fn index_to_number(self) -> Self;
    /// Whether two carry the same index.
    fn same_bits(self, other: Self) -> bool;
    /// The largest index that the bits can carry.
    const MAX_INDEX: i64;
    /// A number and its place, as one integer whose order is theirs: ascending, zeros of either sign equal, NaN last, and equal
    /// numbers by their places.
    type Ranked: Copy + Ord;
    /// A number and its place; the other way round if descending, but for the places.
    fn ranked(self, place: usize, descending: bool) -> Self::Ranked;
    /// The place.
    fn place(ranked: Self::Ranked) -> usize;
    /// [`elementary::exp_of_shifted`]
    ///
    /// # Safety
    /// The CPU has the set of the lanes.
    #[expect(unsafe_code, reason = "vectors by hand may run only where the CPU has them")]
    unsafe fn exp_of_shifted<L: Lanes<Self>>(x: L::Vector) -> L::Vector
    where
        Self: super::Number;
    /// `Format::powers_of_two`
    fn scales(shifted: Self) -> [Self; 2];
    /// [`elementary::ln_of_sum`]
    fn ln_of_sum(total: Self, rest: Self) -> Self;
    /// [`elementary::inverse_binade`]
    fn inverse_binade(self) -> Self;
    /// `[m, k]` of `m · 2^k`, with `|m|` from √½ to √2; of 0, infinities and NaN, these and 0.
    fn fraction_and_exponent(self) -> [Self; 2];
    /// `self · 2^k` for an integer `k`, rounded once where `self` is within 2^±16, or 0, infinite or NaN.
    fn times_power_of_two(self, k: Self) -> Self;
    /// `self · b + c`, rounded once.
    fn fused_multiply_add(self, b: Self, c: Self) -> Self;
    /// `2/√π · e^(−x²)`, the derivative of the error function.
    fn erf_slope(self) -> Self;
    /// `e^(−x²/2) / √(2π)`
    fn normal_density(self) -> Self;
    /// `Φ(x)`, the normal distribution function
    fn ndtr(self) -> Self;
    /// `ln Φ(x)`
    fn log_ndtr(self) -> Self;
    /// Its derivative.
    fn inverse_mills(self) -> Self;
    /// Less the derivative of that.
    fn mills_curve(self) -> Self;
    /// `x·Φ(x)`
    fn gelu(self) -> Self;
    /// Its derivative.
    fn gelu_slope(self) -> Self;
    /// [`elementary::gelu_tanh`]
    fn gelu_tanh(self) -> Self;
    /// Its derivative.
    fn gelu_tanh_slope(self) -> Self;
    /// Its second derivative.
    fn gelu_tanh_curve(self) -> Self;
    /// `ln σ(x)`
    fn log_sigmoid(self) -> Self;
    /// `ln(1 + e^x)`
    fn softplus(self) -> Self;
    /// `x·σ(x)`
    fn silu(self) -> Self;
    /// Its derivative.
    fn silu_slope(self) -> Self;
    /// Its second derivative.
    fn silu_curve(self) -> Self;
    /// `x·tanh(ln(1 + e^x))`
    fn mish(self) -> Self;
    /// Its derivative.
    fn mish_slope(self) -> Self;
    /// Its second derivative.
    fn mish_curve(self) -> Self;
    /// [`elementary::is_far`]
    #[allow(clippy::wrong_self_convention, reason = "numbers are copied")]
    fn is_far(self) -> bool;
    /// `sin x`, unless [`Bits::is_far`].
    fn sin_near(self) -> Self;
    /// `cos x`, unless [`Bits::is_far`].
    fn cos_near(self) -> Self;
    /// `tan x`, unless [`Bits::is_far`].
    fn tan_near(self) -> Self;
    /// [`special::is_near_one`]
    #[allow(clippy::wrong_self_convention, reason = "numbers are copied")]
    fn is_near_one(self) -> bool;
    /// [`special::erfinv`]
    fn erfinv(self) -> Self;
    /// [`special::erfinv_slope`]
    fn erfinv_slope(self) -> Self;
    /// `erfinv x`, unless [`Bits::is_near_one`].
    fn erfinv_near(self) -> Self;
    /// Its derivative, unless [`Bits::is_near_one`].
    fn erfinv_slope_near(self) -> Self;
    /// [`elementary::asinh_slope`]
    fn asinh_slope(self) -> Self;
    /// [`elementary::acosh_slope`]
    fn acosh_slope(self) -> Self;
    /// `2^x`
    fn exp2(self) -> Self;
    /// `log₂ x`
    fn log2(self) -> Self;
    /// `log₁₀ x`
    fn log10(self) -> Self;
    /// The cube root.
    fn cbrt(self) -> Self;
    /// Its derivative.
    fn cbrt_slope(self) -> Self;
    /// `ln(x/(1−x))`
    fn logit(self) -> Self;
    /// `ln cosh x`
    fn log_cosh(self) -> Self;
    /// `x − tanh x`
    fn tanhshrink(self) -> Self;
    /// [`elementary::hypot_share`]
    fn hypot_share(self, b: Self) -> Self;
    /// [`elementary::over_squares`]
    fn over_squares(self, b: Self) -> Self;
    /// [`elementary::logaddexp`]
    fn logaddexp(self, b: Self) -> Self;
    /// [`elementary::logistic_share`]
    fn logistic_share(self, b: Self) -> Self;
    /// [`elementary::pow_slope`]
    fn pow_slope(self, y: Self) -> Self;
    /// [`elementary::pow_of_sum`]
    fn pow_of_sum(self, y: Self, more: Self) -> Self;
    /// [`elementary::pow_by_logarithm`]
    fn pow_by_logarithm(self, logarithm: [Self; 2]) -> Self;
    /// [`elementary::sinc`]
    fn sinc(self) -> Self;
    /// [`elementary::sinc_slope`]
    fn sinc_slope(self) -> Self;
    /// [`elementary::sinc_curve`]
    fn sinc_curve(self) -> Self;
    /// What a formula makes of numbers.
    fn of_formula<F: Formula<A, N>, const A: usize, const N: usize>(formula: &F, x: [Self; A]) -> [Self; N];
    /// Two vectors of 256 bits side by side.
    #[cfg(target_arch = "x86_64")]
    type Pack256: Pack<Self>;
    /// Two vectors of 512 bits side by side.
    #[cfg(target_arch = "x86_64")]
    type Pack512: Pack<Self>;
    /// Vectors of 256 bits.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Lanes<Self>;
    /// Vectors of 512 bits.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Lanes<Self>;
    /// Vectors of a target whose CPUs all have the same.
    #[cfg(not(target_arch = "x86_64"))]
    type Own: Lanes<Self>;
}

macro_rules! bits {
    ($t:ident, $bits:ident, $int:ident, $ranked:ident, $pack256:ident, $pack512:ident) => {
        impl Bits for $t {
            #[inline(always)]
            fn from_index(i: i64) -> Self {
                $t::from_bits(i as $int as $bits)
            }
            #[inline(always)]
            #[allow(clippy::cast_lossless, clippy::cast_possible_wrap)]
            fn to_index(self) -> i64 {
                self.to_bits() as $int as i64
            }
            #[inline(always)]
            fn number_to_index(self) -> Self {
                $t::from_bits(self as $int as $bits)
            }
            #[inline(always)]
            fn index_to_number(self) -> Self {
                self.to_bits() as $int as $t
            }
            const MAX_INDEX: i64 = $int::MAX as i64;
            #[inline(always)]
            fn same_bits(self, other: Self) -> bool {
                self.to_bits() == other.to_bits()
            }
            type Ranked = $ranked;
            #[inline(always)]
            #[allow(clippy::cast_lossless)]
            fn ranked(self, place: usize, descending: bool) -> $ranked {
                // Of negative numbers all bits are turned, of others the sign: then they are in the order of integers.
                let bits = (self + 0.0).to_bits();
                let turned = bits ^ ((bits as $int >> ($bits::BITS - 1)) as $bits | 1 << ($bits::BITS - 1));
                let key = if self.is_nan() { $bits::MAX } else { turned };
                let key = if descending { !key } else { key };
                // A place is an index, which the bits of a number hold.
                (key as $ranked) << $bits::BITS | place as $bits as $ranked
            }
            #[inline(always)]
            fn place(ranked: $ranked) -> usize {
                ranked as $bits as usize
            }
            #[inline(always)]
            #[expect(unsafe_code, reason = "vectors by hand may run only where the CPU has them")]
            unsafe fn exp_of_shifted<L: Lanes<Self>>(x: L::Vector) -> L::Vector {
                // SAFETY: the caller promises the set.
                unsafe { elementary::exp_of_shifted::<Self, L>(x) }
            }
            #[inline(always)]
            fn scales(shifted: Self) -> [Self; 2] {
                elementary::Format::powers_of_two(shifted)
            }
            #[inline(always)]
            fn ln_of_sum(total: Self, rest: Self) -> Self {
                elementary::ln_of_sum(total, rest)
            }
            #[inline(always)]
            fn inverse_binade(self) -> Self {
                elementary::inverse_binade(self)
            }
            #[inline(always)]
            fn fraction_and_exponent(self) -> [Self; 2] {
                elementary::fraction_and_exponent(self)
            }
            #[inline(always)]
            #[allow(clippy::cast_lossless)]
            fn times_power_of_two(self, k: Self) -> Self {
                // Below, all is 0, and the way there would be slow; above, infinite.
                let range = [$t::MIN_EXP - $t::MANTISSA_DIGITS as i32 - 18, 2 * ($t::MAX_EXP - 1)].map(|k| k as Self);
                elementary::times_power_of_two(self, k, range)
            }
            #[inline(always)]
            fn fused_multiply_add(self, b: Self, c: Self) -> Self {
                self.mul_add(b, c)
            }
            bits!(@ours Self: erf_slope normal_density gelu gelu_slope gelu_tanh gelu_tanh_slope gelu_tanh_curve log_sigmoid softplus silu
                silu_slope silu_curve mish mish_slope mish_curve);
            bits!(@ours bool: is_far);
            bits!(@ours Self: sin_near cos_near tan_near);
            bits!(@special bool: is_near_one);
            bits!(@special Self: erfinv erfinv_slope erfinv_near erfinv_slope_near);
            bits!(@ours Self: ndtr log_ndtr inverse_mills mills_curve);
            bits!(@ours Self: exp2 log2 log10 cbrt cbrt_slope logit log_cosh tanhshrink);
            bits!(@ours Self: asinh_slope acosh_slope sinc sinc_slope sinc_curve);
            bits!(@ours_of_two pow_slope hypot_share over_squares logaddexp logistic_share);
            #[inline(always)]
            fn pow_by_logarithm(self, logarithm: [Self; 2]) -> Self {
                elementary::pow_by_logarithm(logarithm, self, 0.0)
            }
            #[inline(always)]
            fn pow_of_sum(self, y: Self, more: Self) -> Self {
                elementary::pow_of_sum(self, y, more)
            }
            #[inline(always)]
            fn of_formula<F: Formula<A, N>, const A: usize, const N: usize>(formula: &F, x: [Self; A]) -> [Self; N] {
                formula.of(x)
            }
            #[cfg(target_arch = "x86_64")]
            type Pack256 = packs::$pack256::Wide;
            #[cfg(target_arch = "x86_64")]
            type Pack512 = packs::$pack512::Wide;
            #[cfg(target_arch = "x86_64")]
            type Avx2 = lanes::Avx2;
            #[cfg(target_arch = "x86_64")]
            type Avx512 = lanes::Avx512;
            #[cfg(not(target_arch = "x86_64"))]
            type Own = lanes::Own;
        }
    };
    (@ours_of_two $($f:ident)*) => {
        $(
            #[inline(always)]
            fn $f(self, b: Self) -> Self {
                elementary::$f(self, b)
            }
        )*
    };
    (@special $result:ty: $($f:ident)*) => {
        $(
            #[inline(always)]
            fn $f(self) -> $result {
                special::$f(self)
            }
        )*
    };
    (@ours $result:ty: $($f:ident)*) => {
        $(
            #[inline(always)]
            fn $f(self) -> $result {
                elementary::$f(self)
            }
        )*
    };
}

bits!(f32, u32, i32, u64, single256, single512);
bits!(f64, u64, i64, u128, double256, double512);
