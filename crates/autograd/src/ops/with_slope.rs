//! Functions of one operand that are computed together with another one of the same operand, their slope mostly, since both
//! come of the same exponential.

use crate::float::Float;
use crate::kernels::chain::TileOp;
use crate::kernels::map::{map_formula, map_formula_but};
use crate::number::elementary::{
    cbrt, cbrt_slope, cos_near, cosh, erf, erf_slope, erfc, gelu, gelu_slope, gelu_tanh, gelu_tanh_curve,
    gelu_tanh_slope, inverse_mills, log_cosh, log_ndtr, mills_curve, mish, mish_curve, mish_slope, ndtr,
    normal_density, sech2, sigmoid, sigmoid_slope, silu, silu_curve, silu_slope, sin_near, sinh, softplus, tanh,
    tanhshrink,
};
use crate::number::formula::{Formula, Functions};
use crate::number::special::{erfinv_near, erfinv_slope_near};
use crate::ops::table::Kind;
use crate::ops::unary::Unary;
use crate::tape::op::{Arity, Op};
use smallvec::{SmallVec, smallvec};

impl Pair {
    /// Both operations as one, if they are functions that the table has in this order.
    pub(crate) fn of_kinds<T: Float>(first: &Kind<T>, second: &Kind<T>) -> Option<Self> {
        let (Kind::Unary(Arity(first)), Kind::Unary(Arity(second))) = (first, second) else { return None };
        Self::of(*first, *second)
    }

    /// Whether an operation is one of such functions.
    pub(crate) fn has_kind<T: Float>(kind: &Kind<T>) -> bool {
        matches!(kind, Kind::Unary(Arity(function)) if Self::has(*function))
    }
}

/// A row: a function and the other, and what each is of a number, as in the table of functions. In one formula the
/// compiler finds what both have in common. Where an argument is rare, they are what follows.
macro_rules! pairs {
    ($($first:ident, $second:ident => $f:ident, $g:ident $(, rare $rare:ident => $whole_f:ident, $whole_g:ident)?;)*) => {
        /// Two functions of the same operand that are computed together.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub(crate) struct Pair {
            first: Unary,
            second: Unary,
        }

        impl Pair {
            /// Both functions as one, if the table has them in this order.
            #[allow(clippy::unnested_or_patterns, reason = "a pattern for each row")]
            pub(crate) fn of(first: Unary, second: Unary) -> Option<Self> {
                match (first, second) {
                    $((Unary::$first { .. }, Unary::$second { .. }))|* => Some(Self { first, second }),
                    _ => None,
                }
            }

            /// Whether a function is in the table.
            #[allow(unreachable_patterns, reason = "a function may be in several rows")]
            fn has(function: Unary) -> bool {
                matches!(function, $(Unary::$first { .. } | Unary::$second { .. })|*)
            }
        }

        impl<T: Float> TileOp<T> for Pair {
            fn names(&self) -> SmallVec<[&'static str; 2]> {
                smallvec![Op::<T, 1>::name(&self.first), Op::<T, 1>::name(&self.second)]
            }
            fn run(&self, [x, ..]: [&[T]; 3], out: &mut [T], second: &mut [T]) {
                match (self.first, self.second) {
                    $((Unary::$first { .. }, Unary::$second { .. }) => {
                        struct Row;
                        impl Formula<1, 2> for Row {
                            #[inline(always)]
                            fn of<R: Functions>(&self, [x]: [R; 1]) -> [R; 2] {
                                [$f(x), $g(x)]
                            }
                        }
                        pairs!(@map (x, [out, second], &Row) $($rare $whole_f $whole_g)?);
                    })*
                    _ => unreachable!("a pair is made from the table"),
                }
            }
        }
    };
    (@map ($x:expr, $out:expr, $row:expr)) => { map_formula($x, $out, $row) };
    (@map ($x:expr, $out:expr, $row:expr) $rare:ident $f:ident $g:ident) => {
        map_formula_but($x, $out, $row, #[inline(always)] |x: T| x.$rare(), |x: T| [x.$f(), x.$g()])
    };
}

pairs! {
    Sigmoid, SigmoidSlope => sigmoid, sigmoid_slope;
    Tanh, Sech2 => tanh, sech2;
    Softplus, Sigmoid => softplus, sigmoid;
    Erf, ErfSlope => erf, erf_slope;
    Erfc, ErfSlope => erfc, erf_slope;
    Gelu, GeluSlope => gelu, gelu_slope;
    Ndtr, NormalDensity => ndtr, normal_density;
    LogNdtr, InverseMills => log_ndtr, inverse_mills;
    InverseMills, MillsCurve => inverse_mills, mills_curve;
    GeluSlope, NormalDensity => gelu_slope, normal_density;
    GeluTanh, GeluTanhSlope => gelu_tanh, gelu_tanh_slope;
    GeluTanhSlope, GeluTanhCurve => gelu_tanh_slope, gelu_tanh_curve;
    Silu, SiluSlope => silu, silu_slope;
    SiluSlope, SiluCurve => silu_slope, silu_curve;
    Mish, MishSlope => mish, mish_slope;
    MishSlope, MishCurve => mish_slope, mish_curve;
    Sin, Cos => sin_near, cos_near, rare is_far => sin, cos;
    Sinh, Cosh => sinh, cosh;
    Cbrt, CbrtSlope => cbrt, cbrt_slope;
    LogCosh, Tanh => log_cosh, tanh;
    Tanhshrink, Tanh => tanhshrink, tanh;
    Erfinv, ErfinvSlope => erfinv_near, erfinv_slope_near, rare is_near_one => erfinv, erfinv_slope;
}
