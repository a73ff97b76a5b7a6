//! Two vectors side by side, for the formulas of elementary functions: one operation of a formula waits for the one before it, which two
//! of them do in the time of one.
#![expect(unsafe_code, reason = "vector instructions may run only where the CPU has them, and take raw pointers")]
#![allow(unused_unsafe, reason = "masks of some sets are integers")]
#![allow(clippy::cast_lossless, reason = "there is no such conversion within constants")]
#![allow(clippy::wildcard_imports, reason = "the instructions of a CPU")]

use super::elementary::{Base, Cardinal, Circular, Format, Hyperbolic, Inverse, Plane, Power, Ratio, select};
use super::formula::{Functions, Pack};
use super::real::{Mask, Real};
use super::special::InverseError;
use std::arch::x86_64::*;
use std::mem::transmute;
use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Sub};

/// A value for each of both vectors.
macro_rules! both {
    (|$i:ident| $e:expr) => {{
        // SAFETY: a pack is made by what loads it alone, and so where the CPU has its set, and by functions that are inlined to those
        // that are compiled for it.
        unsafe {
            [
                {
                    const $i: usize = 0;
                    $e
                },
                {
                    const $i: usize = 1;
                    $e
                },
            ]
        }
    }};
}

/// A row: the number type and that of its bits, vectors and how many numbers they have, what a comparison gives, and the instructions.
macro_rules! pack {
    ($t:ident $int:ident, $vector:ident $count:literal, $mask:ident;
     load $load:ident, store $store:ident, splat $splat:ident, arithmetic $add:ident $sub:ident $mul:ident $div:ident $sqrt:ident,
     bits $and:ident $andnot:ident $or:ident $xor:ident, integers $cast:ident $back:ident $iadd:ident $isub:ident $left:ident $right:ident $isplat:ident,
     compare |$a:ident, $b:ident| $below:expr, $at_most:expr, $equal:expr, $unordered:expr; |$c:ident| $signs:expr;
     masks |$m:ident, $n:ident| $both:expr, $either:expr, $one:expr, $none:expr; |$h:ident, $x:ident, $y:ident| $choose:expr) => {
        #[derive(Clone, Copy)]
        pub struct Wide([$vector; 2]);

        /// What a comparison of such says.
        #[derive(Clone, Copy)]
        pub struct Holds([$mask; 2]);

        impl Wide {
            const fn splat(x: $t) -> Self {
                // SAFETY: the array has the size of both vectors, whose elements may be any.
                Self(unsafe { transmute::<[$t; 2 * $count], [$vector; 2]>([x; 2 * $count]) })
            }

            /// The first of coefficients.
            const fn table<const N: usize>(x: &[$t]) -> [Self; N] {
                let mut y = [Self::splat(0.0); N];
                let mut i = 0;
                while i < N {
                    y[i] = Self::splat(x[i]);
                    i += 1;
                }
                y
            }

            /// Whether the lowest bit of each is set.
            #[inline(always)]
            fn has_lowest_bit(self) -> Holds {
                Holds(both!(|I| {
                    let $c = $back($left::<{ ($int::BITS - 1) as _ }>($cast(self.0[I])));
                    $signs
                }))
            }
        }

        pack!(@operators $add $sub $mul $div, |$m, $n| $both, $either, $one, $none);

        impl Neg for Wide {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                Self(both!(|I| $xor(self.0[I], $splat(-0.0))))
            }
        }

        impl Mask<Wide> for Holds {
            #[inline(always)]
            fn choose(self, a: Wide, b: Wide) -> Wide {
                Wide(both!(|I| {
                    let ($h, $x, $y) = (self.0[I], a.0[I], b.0[I]);
                    $choose
                }))
            }
        }

        impl Real for Wide {
            type Mask = Holds;
            const ZERO: Self = Self::splat(0.0);
            const ONE: Self = Self::splat(1.0);
            const MAX: Self = Self::splat($t::MAX);
            const INFINITY: Self = Self::splat($t::INFINITY);
            const NAN: Self = Self::splat($t::NAN);

            #[inline(always)]
            fn of(x: f64) -> Self {
                Self(both!(|_I| $splat(x as $t)))
            }
            #[inline(always)]
            fn abs(self) -> Self {
                Self(both!(|I| $andnot($splat(-0.0), self.0[I])))
            }
            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                Self(both!(|I| $or($andnot($splat(-0.0), self.0[I]), $and($splat(-0.0), sign.0[I]))))
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Self(both!(|I| $sqrt(self.0[I])))
            }
            #[inline(always)]
            fn is_below(self, other: Self) -> Holds {
                Holds(both!(|I| {
                    let ($a, $b) = (self.0[I], other.0[I]);
                    $below
                }))
            }
            #[inline(always)]
            fn is_at_most(self, other: Self) -> Holds {
                Holds(both!(|I| {
                    let ($a, $b) = (self.0[I], other.0[I]);
                    $at_most
                }))
            }
            #[inline(always)]
            fn equals(self, other: Self) -> Holds {
                Holds(both!(|I| {
                    let ($a, $b) = (self.0[I], other.0[I]);
                    $equal
                }))
            }
            #[inline(always)]
            fn is_nan(self) -> Holds {
                Holds(both!(|I| {
                    let ($a, $b) = (self.0[I], self.0[I]);
                    $unordered
                }))
            }
            #[inline(always)]
            fn is_sign_negative(self) -> Holds {
                Holds(both!(|I| {
                    let $c = self.0[I];
                    $signs
                }))
            }
        }

        impl Pack<$t> for Wide {
            const COUNT: usize = 2 * $count;
            #[inline(always)]
            unsafe fn load(from: *const $t) -> Self {
                Self(both!(|I| $load(from.add(I * $count))))
            }
            #[inline(always)]
            unsafe fn store(self, to: *mut $t) {
                both!(|I| $store(to.add(I * $count), self.0[I]));
            }
        }

        impl Format for Wide {
            pack!(@numbers $t Format: ROUND LOG2_E SATURATED TINY LOWERED ERFC_VANISHES GELU_VANISHES GATE_VANISHES GELU_TANH_VANISHES SPAN);
            pack!(@pairs $t Format: LN_2 EXP_RANGE);
            pack!(@tables $t Format: EXP LN ERF);
            pack!(@quotients $t Format: TANH EXCESS);
            pack!(@ratios $t Format: ERFC NORMAL);
            const GELU_TANH: [[Self; 2]; 2] =
                [Self::table(&<$t as Format>::GELU_TANH[0]), Self::table(&<$t as Format>::GELU_TANH[1])];

            #[inline(always)]
            fn power_of_two(shifted: Self) -> Self {
                const BIAS: $int = ($t::MAX_EXP as $int - 1).wrapping_sub(<$t as Format>::ROUND.to_bits() as $int);
                Self(both!(|I| $back($left::<{ ($t::MANTISSA_DIGITS - 1) as _ }>($iadd($cast(shifted.0[I]), $isplat(BIAS))))))
            }
            #[inline(always)]
            fn powers_of_two(shifted: Self) -> [Self; 2] {
                // As the formula of one number has it.
                const BIAS: $int = (2 * ($t::MAX_EXP as $int - 1)).wrapping_sub(<$t as Format>::ROUND.to_bits() as $int);
                let k = both!(|I| $iadd($cast(shifted.0[I]), $isplat(BIAS)));
                let half = both!(|I| $right::<1>(k[I]));
                [
                    Self(both!(|I| $back($left::<{ ($t::MANTISSA_DIGITS - 1) as _ }>(half[I])))),
                    Self(both!(|I| $back($left::<{ ($t::MANTISSA_DIGITS - 1) as _ }>($isub(k[I], half[I]))))),
                ]
            }
            #[inline(always)]
            fn raised_power_of_two(shifted: Self) -> Self {
                const RAISED: $int = (<$t as Format>::LOWERED.to_bits() >> ($t::MANTISSA_DIGITS - 1)) as $int;
                const BIAS: $int =
                    (2 * ($t::MAX_EXP as $int - 1) - RAISED).wrapping_sub(<$t as Format>::ROUND.to_bits() as $int);
                Self(both!(|I| $back($left::<{ ($t::MANTISSA_DIGITS - 1) as _ }>($iadd($cast(shifted.0[I]), $isplat(BIAS))))))
            }
            #[inline(always)]
            fn upper(self) -> Self {
                const UPPER: $int = -1 << $t::MANTISSA_DIGITS.div_ceil(2);
                Self(both!(|I| $and(self.0[I], $back($isplat(UPPER)))))
            }
            #[inline(always)]
            fn split(self) -> (Self, Self) {
                const SQRT_HALF: $int = (std::f64::consts::FRAC_1_SQRT_2 as $t).to_bits() as $int;
                const MORE: $int = (1.0 as $t).to_bits() as $int - SQRT_HALF;
                const MANTISSA: $int = (1 << ($t::MANTISSA_DIGITS - 1)) - 1;
                const DIGITS: u8 = $t::MANTISSA_DIGITS.next_multiple_of(2) as u8;
                const RAISED: $t = (1_u64 << DIGITS) as $t;
                const BIAS: $t = <$t as Format>::ROUND + ($t::MAX_EXP - 1) as $t;
                let denormal = self.is_below(Self::splat($t::MIN_POSITIVE));
                let x = select(denormal, self * Self::splat(RAISED), self);
                let bias = select(denormal, Self::splat(BIAS + DIGITS as $t), Self::splat(BIAS));
                let bits = both!(|I| $iadd($cast(x.0[I]), $isplat(MORE)));
                let k = Self(both!(|I| $back($iadd(
                    $isplat(<$t as Format>::ROUND.to_bits() as $int),
                    $right::<{ ($t::MANTISSA_DIGITS - 1) as _ }>(bits[I])
                )))) - bias;
                let m = both!(|I| $cast($and($back(bits[I]), $back($isplat(MANTISSA)))));
                (k, Self(both!(|I| $back($iadd(m[I], $isplat(SQRT_HALF))))))
            }
        }

        impl Circular for Wide {
            pack!(@numbers $t Circular: NEAR QUARTERS);
            pack!(@tables $t Circular: QUARTER SIN COS);
            #[inline(always)]
            fn is_odd(shifted: Self) -> Holds {
                shifted.has_lowest_bit()
            }
            #[inline(always)]
            fn turn(y: Self, shifted: Self) -> Self {
                Self(both!(|I| {
                    let second = $back($left::<{ ($int::BITS - 2) as _ }>($cast(shifted.0[I])));
                    $xor(y.0[I], $and(second, $splat(-0.0)))
                }))
            }
        }

        impl Hyperbolic for Wide {
            pack!(@numbers $t Hyperbolic: END);
            pack!(@tables $t Hyperbolic: LN_COSH ATANH);
            pack!(@quotients $t Hyperbolic: TANHSHRINK);
        }

        impl Inverse for Wide {
            pack!(@pairs $t Inverse: EIGHTH);
            pack!(@tables $t Inverse: ASIN ATAN);
        }

        impl Plane for Wide {
            pack!(@numbers $t Plane: WIDE);
            pack!(@pairs $t Plane: RAISED);
        }

        impl Power for Wide {
            pack!(@numbers $t Power: EVEN STEEP);
            pack!(@pairs $t Power: TWO_THIRDS);
            pack!(@tables $t Power: POWER);
            #[inline(always)]
            fn ends_odd(self) -> Holds {
                self.has_lowest_bit()
            }
        }

        impl Base for Wide {
            pack!(@pairs $t Base: EXP2_RANGE LOG10_E LOG10_2);
            pack!(@tables $t Base: CBRT);
        }

        impl Cardinal for Wide {
            const SINC: [&'static [Self]; 3] = [
                pack!(@table $t, <$t as Cardinal>::SINC[0]),
                pack!(@table $t, <$t as Cardinal>::SINC[1]),
                pack!(@table $t, <$t as Cardinal>::SINC[2]),
            ];
        }

        impl InverseError for Wide {
            pack!(@pairs $t InverseError: HALF_SQRT_PI);
            pack!(@quotients $t InverseError: ERFINV SLOPE);
        }

        impl Functions for Wide {}
    };
    (@operators $add:ident $sub:ident $mul:ident $div:ident,
     |$m:ident, $n:ident| $both:expr, $either:expr, $one:expr, $none:expr) => {
        pack!(@operator Add add Wide, |a, b| $add(a, b));
        pack!(@operator Sub sub Wide, |a, b| $sub(a, b));
        pack!(@operator Mul mul Wide, |a, b| $mul(a, b));
        pack!(@operator Div div Wide, |a, b| $div(a, b));
        pack!(@operator BitAnd bitand Holds, |$m, $n| $both);
        pack!(@operator BitOr bitor Holds, |$m, $n| $either);
        pack!(@operator BitXor bitxor Holds, |$m, $n| $one);
        impl Not for Holds {
            type Output = Self;
            #[inline(always)]
            fn not(self) -> Self {
                Self(both!(|I| {
                    let $m = self.0[I];
                    $none
                }))
            }
        }
    };
    (@operator $trait:ident $function:ident $of:ident, |$a:ident, $b:ident| $e:expr) => {
        impl $trait for $of {
            type Output = Self;
            #[inline(always)]
            fn $function(self, other: Self) -> Self {
                Self(both!(|I| {
                    let ($a, $b) = (self.0[I], other.0[I]);
                    $e
                }))
            }
        }
    };
    (@numbers $t:ident $trait:ident: $($name:ident)*) => {
        $(const $name: Self = Self::splat(<$t as $trait>::$name);)*
    };
    (@pairs $t:ident $trait:ident: $($name:ident)*) => {
        $(const $name: [Self; 2] = Self::table(&<$t as $trait>::$name);)*
    };
    (@table $t:ident, $from:expr) => {{
        const FROM: &[$t] = $from;
        const TABLE: &[Wide; FROM.len()] = &Wide::table(FROM);
        TABLE
    }};
    (@tables $t:ident $trait:ident: $($name:ident)*) => {
        $(const $name: &'static [Self] = pack!(@table $t, <$t as $trait>::$name);)*
    };
    (@quotients $t:ident $trait:ident: $($name:ident)*) => {
        $(const $name: [&'static [Self]; 2] =
            [pack!(@table $t, <$t as $trait>::$name[0]), pack!(@table $t, <$t as $trait>::$name[1])];)*
    };
    (@ratios $t:ident $trait:ident: $($name:ident)*) => {
        $(const $name: Ratio<Self> = Ratio {
            scale: Self::splat(<$t as $trait>::$name.scale),
            main: Self::splat(<$t as $trait>::$name.main),
            rest: [pack!(@table $t, <$t as $trait>::$name.rest[0]), pack!(@table $t, <$t as $trait>::$name.rest[1])],
        };)*
    };
}

mod sets;
pub(crate) use sets::{double256, double512, single256, single512};
