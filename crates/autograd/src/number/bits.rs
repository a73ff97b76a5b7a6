//! What only the engine uses of its number types, and what keeps [`Number`](super::Number) sealed.

use super::elementary;
#[cfg(target_arch = "x86_64")]
use super::lanes;
use super::lanes::Lanes;

/// Numbers by their bits, and in vectors.
pub trait Bits: Sized {
    /// An index carried in the bits of a float, so that index nodes share the tape's buffers.
    fn from_index(i: i64) -> Self;
    /// The index that `from_index` packed.
    fn to_index(self) -> i64;
    /// Whether two carry the same index.
    fn same_bits(self, other: Self) -> bool;
    /// The largest index that the bits can carry.
    const MAX_INDEX: i64;
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
    /// `self · b + c`, rounded once.
    fn fused_multiply_add(self, b: Self, c: Self) -> Self;
    /// `σ(x)` and its derivative, the bits that they have alone.
    fn sigmoid_and_slope(self) -> (Self, Self);
    /// `tanh x` and its derivative, the bits that they have alone.
    fn tanh_and_sech2(self) -> (Self, Self);
    /// [`elementary::is_far`]
    fn is_far(self) -> bool;
    /// `sin x`, unless [`Bits::is_far`].
    fn sin_near(self) -> Self;
    /// `cos x`, unless [`Bits::is_far`].
    fn cos_near(self) -> Self;
    /// `tan x`, unless [`Bits::is_far`].
    fn tan_near(self) -> Self;
    /// Vectors of 256 bits.
    #[cfg(target_arch = "x86_64")]
    type Avx2: Lanes<Self>;
    /// Vectors of 512 bits.
    #[cfg(target_arch = "x86_64")]
    type Avx512: Lanes<Self>;
}

macro_rules! bits {
    ($t:ident, $bits:ident, $int:ident) => {
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
            const MAX_INDEX: i64 = $int::MAX as i64;
            #[inline(always)]
            fn same_bits(self, other: Self) -> bool {
                self.to_bits() == other.to_bits()
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
            fn fused_multiply_add(self, b: Self, c: Self) -> Self {
                self.mul_add(b, c)
            }
            #[inline(always)]
            fn sigmoid_and_slope(self) -> (Self, Self) {
                elementary::sigmoid_and_slope(self)
            }
            #[inline(always)]
            fn tanh_and_sech2(self) -> (Self, Self) {
                elementary::tanh_and_sech2(self)
            }
            #[inline(always)]
            fn is_far(self) -> bool {
                elementary::is_far(self)
            }
            #[inline(always)]
            fn sin_near(self) -> Self {
                elementary::sin_near(self)
            }
            #[inline(always)]
            fn cos_near(self) -> Self {
                elementary::cos_near(self)
            }
            #[inline(always)]
            fn tan_near(self) -> Self {
                elementary::tan_near(self)
            }
            #[cfg(target_arch = "x86_64")]
            type Avx2 = lanes::Avx2;
            #[cfg(target_arch = "x86_64")]
            type Avx512 = lanes::Avx512;
        }
    };
}

bits!(f32, u32, i32);
bits!(f64, u64, i64);
