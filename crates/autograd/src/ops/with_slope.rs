//! Functions of one operand that are computed together with another one of the same operand, their slope mostly, since both
//! come of the same exponential.

use crate::float::Float;
use crate::kernels::chain::TileOp;
use crate::kernels::map::map_vectors_to_two;
use crate::ops::unary::Unary;
use crate::tape::op::Op;
use smallvec::{SmallVec, smallvec};

/// A row: a function, the other, and what computes both with the bits that each has alone.
macro_rules! pairs {
    ($($first:ident, $second:ident => $both:ident;)*) => {
        /// Two functions of the same operand that are computed together.
        #[derive(Clone, Copy, Debug)]
        pub(crate) struct Pair {
            first: Unary,
            second: Unary,
        }

        impl Pair {
            /// Both functions as one, if the table has them in this order.
            pub(crate) fn of(first: Unary, second: Unary) -> Option<Self> {
                match (first, second) {
                    $((Unary::$first { .. }, Unary::$second { .. }))|* => Some(Self { first, second }),
                    _ => None,
                }
            }

            /// Whether a function is in the table.
            #[allow(unreachable_patterns, reason = "a function may be in several rows")]
            pub(crate) fn has(function: Unary) -> bool {
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
                        map_vectors_to_two(x, out, second, #[inline(always)] |x: T| x.$both());
                    })*
                    _ => unreachable!("a pair is made from the table"),
                }
            }
        }
    };
}

pairs! {
    Sigmoid, SigmoidSlope => sigmoid_and_slope;
    Tanh, Sech2 => tanh_and_sech2;
    Softplus, Sigmoid => softplus_and_sigmoid;
    Erf, ErfSlope => erf_and_slope;
    Erfc, ErfSlope => erfc_and_erf_slope;
    Gelu, GeluSlope => gelu_and_slope;
    GeluTanh, GeluTanhSlope => gelu_tanh_and_slope;
    Silu, SiluSlope => silu_and_slope;
    Mish, MishSlope => mish_and_slope;
}
