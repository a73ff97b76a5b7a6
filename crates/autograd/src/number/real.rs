//! What the formulas of elementary functions are written in: a number, or several side by side that go through a formula together.

use super::elementary::select;
use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Sub};

/// What a comparison says, of each number by itself.
pub trait Mask<T>: Copy {
    /// `a` where it holds, else `b`: a choice, not a branch.
    fn choose(self, a: T, b: T) -> T;
}

impl<T> Mask<T> for bool {
    #[inline(always)]
    fn choose(self, a: T, b: T) -> T {
        std::hint::select_unpredictable(self, a, b)
    }
}

/// A number, or several side by side.
pub trait Real:
    Copy + 'static + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self> + Neg<Output = Self>
{
    /// What a comparison says.
    type Mask: Mask<Self>
        + BitAnd<Output = Self::Mask>
        + BitOr<Output = Self::Mask>
        + BitXor<Output = Self::Mask>
        + Not<Output = Self::Mask>;
    const ZERO: Self;
    const ONE: Self;
    const MAX: Self;
    const INFINITY: Self;
    const NAN: Self;

    /// The nearest number.
    fn of(x: f64) -> Self;
    fn abs(self) -> Self;
    /// The magnitude of `self` with the sign of another.
    fn copysign(self, sign: Self) -> Self;
    fn sqrt(self) -> Self;
    #[inline(always)]
    fn recip(self) -> Self {
        Self::ONE / self
    }
    /// `<`
    fn is_below(self, other: Self) -> Self::Mask;
    /// `≤`
    fn is_at_most(self, other: Self) -> Self::Mask;
    /// `>`
    #[inline(always)]
    fn is_above(self, other: Self) -> Self::Mask {
        other.is_below(self)
    }
    /// `≥`
    #[inline(always)]
    fn is_at_least(self, other: Self) -> Self::Mask {
        other.is_at_most(self)
    }
    fn equals(self, other: Self) -> Self::Mask;
    #[inline(always)]
    fn is_nan(self) -> Self::Mask {
        !self.equals(self)
    }
    #[inline(always)]
    fn is_finite(self) -> Self::Mask {
        self.abs().is_below(Self::INFINITY)
    }
    /// Whether the sign bit is set.
    fn is_sign_negative(self) -> Self::Mask;
    /// The larger of two, NaN if either is.
    #[inline(always)]
    fn larger(self, other: Self) -> Self {
        select(self.is_nan(), self + other, select(self.is_above(other), self, other))
    }
    /// The smaller of two, NaN if either is.
    #[inline(always)]
    fn smaller(self, other: Self) -> Self {
        select(self.is_nan(), self + other, select(self.is_below(other), self, other))
    }
}

/// One number by itself, of which formulas may ask what they do not ask of several.
pub(crate) trait Single: Real<Mask = bool> {
    fn to_f64(self) -> f64;
}

macro_rules! single {
    ($t:ident) => {
        impl Real for $t {
            type Mask = bool;
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const MAX: Self = $t::MAX;
            const INFINITY: Self = $t::INFINITY;
            const NAN: Self = $t::NAN;
            #[inline(always)]
            fn of(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                $t::copysign(self, sign)
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $t::sqrt(self)
            }
            #[inline(always)]
            fn is_below(self, other: Self) -> bool {
                self < other
            }
            #[inline(always)]
            fn is_at_most(self, other: Self) -> bool {
                self <= other
            }
            #[inline(always)]
            #[allow(clippy::float_cmp, reason = "this is the comparison")]
            fn equals(self, other: Self) -> bool {
                self == other
            }
            #[inline(always)]
            fn is_sign_negative(self) -> bool {
                $t::is_sign_negative(self)
            }
        }

        impl Single for $t {
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
        }
    };
}
single!(f32);
single!(f64);
