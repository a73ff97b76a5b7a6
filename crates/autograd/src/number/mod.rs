//! The ground: what a number is, the elementary functions, vectors of numbers, and the instruction sets that there are.

mod bits;
pub(crate) mod elementary;
mod real;
pub(crate) mod formula;
#[cfg(target_arch = "x86_64")]
mod packs;
pub(crate) mod special;
pub(crate) mod lanes;
pub(crate) mod level;

use bits::Bits;
use std::fmt::{Debug, Display, LowerExp};
use std::iter::Sum;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Rem, Sub, SubAssign};

/// The arithmetic and the elementary functions of `f32` and `f64`. The trait is sealed; [`Float`](crate::Float) stands on it, and is
/// the one to name in generic code.
///
/// The elementary functions are this crate's own: at most 2 ulp off (`acosh` 3; `sin`, `cos` and `tan` 1), the same on every CPU, and
/// made to vectorise. Only `powi` is that of the standard library.
///
/// ```
/// use autograd::Number;
/// fn half<T: Number>(x: T) -> T {
///     x * T::of(0.5)
/// }
/// assert_eq!(half(3.0_f32), 1.5);
/// ```
pub trait Number:
    Bits
    + Copy
    + Default
    + PartialOrd
    + Debug
    + Display
    + LowerExp
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Rem<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
    + Sum
{
    /// `0`
    const ZERO: Self;
    /// `1`
    const ONE: Self;
    /// The distance from 1 to the next larger number.
    const EPSILON: Self;
    /// The smallest positive normal number.
    const MIN_POSITIVE: Self;
    /// The largest finite number.
    const MAX: Self;
    /// `+∞`
    const INFINITY: Self;
    /// A quiet NaN.
    const NAN: Self;
    /// `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// The nearest number of this type.
    fn of(x: f64) -> Self;
    /// The same number as `f64`.
    fn to_f64(self) -> f64;
    /// A count as a number of this type.
    #[inline]
    fn of_count(n: usize) -> Self {
        Self::of(n as f64)
    }

    /// `e^x`
    fn exp(self) -> Self;
    /// `e^x − 1`, exact near 0.
    fn exp_m1(self) -> Self;
    /// Natural logarithm.
    fn ln(self) -> Self;
    /// `ln(1 + x)`, exact near 0.
    fn ln_1p(self) -> Self;
    /// Square root.
    fn sqrt(self) -> Self;
    /// Sine of an angle in radians.
    fn sin(self) -> Self;
    /// Cosine of an angle in radians.
    fn cos(self) -> Self;
    /// Tangent of an angle in radians.
    fn tan(self) -> Self;
    /// Inverse sine, in radians.
    fn asin(self) -> Self;
    /// Inverse cosine, in radians.
    fn acos(self) -> Self;
    /// Inverse tangent, in radians.
    fn atan(self) -> Self;
    /// Hyperbolic sine.
    fn sinh(self) -> Self;
    /// Hyperbolic cosine.
    fn cosh(self) -> Self;
    /// Hyperbolic tangent.
    fn tanh(self) -> Self;
    /// Inverse hyperbolic sine.
    fn asinh(self) -> Self;
    /// Inverse hyperbolic cosine.
    fn acosh(self) -> Self;
    /// Inverse hyperbolic tangent.
    fn atanh(self) -> Self;
    /// Error function.
    fn erf(self) -> Self;
    /// Complementary error function `1 − erf(x)`, exact in the right tail.
    fn erfc(self) -> Self;
    /// `self^p`
    fn powf(self, p: Self) -> Self;
    /// `self^n`
    fn powi(self, n: i32) -> Self;
    /// The angle of the point `(x, self)`, in radians.
    fn atan2(self, x: Self) -> Self;
    /// `√(self² + y²)` without overflow.
    fn hypot(self, y: Self) -> Self;
    /// Absolute value.
    fn abs(self) -> Self;
    /// The magnitude of `self` with the sign of `s`.
    fn copysign(self, s: Self) -> Self;
    /// Largest integer not above.
    fn floor(self) -> Self;
    /// Smallest integer not below.
    fn ceil(self) -> Self;
    /// Nearest integer, ties to even, as NumPy and PyTorch round.
    fn round_ties_even(self) -> Self;
    /// Whether NaN.
    fn is_nan(self) -> bool;
    /// Whether neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// Whether the sign bit is set.
    fn is_sign_negative(self) -> bool;
    /// `1 / self`
    #[inline]
    fn recip(self) -> Self {
        Self::ONE / self
    }
    /// `σ(x) = 1 / (1 + e^−x)`, accurate in both tails.
    fn sigmoid(self) -> Self;
    /// `σ(x)·σ(−x)`, the derivative of `σ`, accurate in both tails.
    fn sigmoid_slope(self) -> Self;
    /// `1 − tanh² x`, the derivative of `tanh`, accurate in both tails.
    fn sech2(self) -> Self;
    /// The larger of two numbers, NaN if either is.
    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        let larger = if self > other { self } else { other };
        // The sum is NaN, too. A loop that chose between new numbers and those that are there would store to some lanes alone, for
        // which the next load waits.
        elementary::select(self.is_nan(), self + other, larger)
    }
    /// The smaller of two numbers, NaN if either is.
    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        let smaller = if self < other { self } else { other };
        // As above.
        elementary::select(self.is_nan(), self + other, smaller)
    }
}

macro_rules! number {
    ($t:ident) => {
        impl Number for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const EPSILON: Self = $t::EPSILON;
            const MIN_POSITIVE: Self = $t::MIN_POSITIVE;
            const MAX: Self = $t::MAX;
            const INFINITY: Self = $t::INFINITY;
            const NAN: Self = $t::NAN;
            const NAME: &'static str = stringify!($t);

            #[inline]
            fn of(x: f64) -> Self {
                x as $t
            }
            #[inline]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            number!(@ours exp exp_m1 ln ln_1p asin acos atan sinh cosh tanh asinh acosh atanh erf erfc sigmoid sigmoid_slope sech2);
            number!(@ours_of_two powf => pow, atan2 => atan2, hypot => hypot);
            number!(@whole sin cos tan);
            number!(@forward $t: sqrt abs floor ceil round_ties_even);
            fn powi(self, n: i32) -> Self {
                $t::powi(self, n)
            }
            #[inline]
            fn copysign(self, s: Self) -> Self {
                $t::copysign(self, s)
            }
            #[inline]
            fn is_nan(self) -> bool {
                $t::is_nan(self)
            }
            #[inline]
            fn is_finite(self) -> bool {
                $t::is_finite(self)
            }
            #[inline]
            fn is_sign_negative(self) -> bool {
                $t::is_sign_negative(self)
            }
        }
    };
    (@ours $($f:ident)*) => {
        $(
            #[inline(always)]
            fn $f(self) -> Self {
                elementary::$f(self)
            }
        )*
    };
    (@ours_of_two $($f:ident => $ours:ident),*) => {
        $(
            #[inline(always)]
            fn $f(self, other: Self) -> Self {
                elementary::$ours(self, other)
            }
        )*
    };
    (@whole $($f:ident)*) => {
        $(
            #[inline]
            fn $f(self) -> Self {
                elementary::$f(self)
            }
        )*
    };
    (@forward $t:ident: $($f:ident)*) => {
        $(
            #[inline]
            fn $f(self) -> Self {
                $t::$f(self)
            }
        )*
    };
}

number!(f32);
number!(f64);

#[cfg(test)]
mod tests {
    use super::bits::Bits;
    use super::*;

    #[test]
    fn indices_survive_the_trip_through_the_bits_of_a_float() {
        for i in [0, 1, -1, 100, 16_777_217, -100] {
            assert_eq!(f32::from_index(i).to_index(), i);
            assert_eq!(f64::from_index(i).to_index(), i);
        }
    }

    #[test]
    fn sigmoid_keeps_its_relative_accuracy_in_both_tails() {
        assert_eq!((-1000.0_f64).sigmoid(), 0.0);
        assert_eq!(1000.0_f64.sigmoid(), 1.0);
        assert_eq!((-100.0_f64).sigmoid(), (-100.0_f64).exp());
        assert!(f64::NAN.sigmoid().is_nan());
    }

    #[test]
    fn the_larger_and_the_smaller_follow_the_nan() {
        assert!(f64::NAN.larger(1.0).is_nan() && 1.0.larger(f64::NAN).is_nan());
        assert!(f64::NAN.smaller(1.0).is_nan() && 1.0.smaller(f64::NAN).is_nan());
        assert_eq!(2.0.larger(1.0), 2.0);
    }
}
