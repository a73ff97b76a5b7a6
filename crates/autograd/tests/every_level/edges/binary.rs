//! Functions of two operands: ties, origins, quotients, and one variable in both places.

use super::row::{AtInfinity, Row, run};
use autograd::Float;
use std::f64::consts::{LN_2, PI};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

table! {
    ties<T> of T:
    "maximum at a tie" [1.0] [1.0], |x| x[0].maximum(x[1]), value [1.0], first [0.5] [0.5],
        second [0.0] [0.0] => Selected;
    "minimum at a tie" [1.0] [1.0], |x| x[0].minimum(x[1]), value [1.0], first [0.5] [0.5],
        second [0.0] [0.0] => Selected;
    "maximum of 0 and −0" [0.0] [-0.0], |x| x[0].maximum(x[1]), value [0.0], first [0.5] [0.5],
        second [0.0] [0.0] => Selected;
    "maximum off a tie" [1.0] [2.0], |x| x[0].maximum(x[1]), value [2.0], first [0.0] [1.0],
        second [0.0] [0.0] => Selected;
    "minimum off a tie" [1.0] [2.0], |x| x[0].minimum(x[1]), value [1.0], first [1.0] [0.0],
        second [0.0] [0.0] => Selected;
    "maximum of NaN and 1" [NAN] [1.0], |x| x[0].maximum(x[1]), value [NAN], first [1.0] [0.0] => Selected;
    "minimum of 1 and NaN" [1.0] [NAN], |x| x[0].minimum(x[1]), value [NAN], first [0.0] [1.0] => Selected;
    "maximum(x, x)" [1.0], |x| x[0].maximum(x[0]), value [1.0], first [1.0], second [0.0] => Selected;
    "relu by maximum splits at 0" [0.0], |x| x[0].maximum(x[0].tape().scalar(T::ZERO)), value [0.0], first [0.5],
        second [0.0] => Selected;
    "a tie of squares" [1.0, -1.0], |x| x[0].square().max(), value [1.0], first [1.0, -1.0],
        second [1.0, 1.0] => Mixed;
    "clamp by variable bounds, at the lower" [1.0] [1.0] [3.0], |x| x[0].maximum(x[1]).minimum(x[2]), value [1.0],
        first [0.5] [0.5] [0.0], second [0.0] [0.0] [0.0] => Selected;
}

table! {
    origins<T> of T:
    "hypot at (0, 0)" [0.0] [0.0], |x| x[0].hypot(x[1]), value [0.0], first [0.0] [0.0], second [0.0] [0.0] => Selected;
    "hypot(3, 4)" [3.0] [4.0], |x| x[0].hypot(x[1]), value [5.0], first [0.6] [0.8],
        second [0.032] [-0.024] => Mixed;
    "atan2 at (0, 0)" [0.0] [0.0], |x| x[0].atan2(x[1]), value [0.0], first [0.0] [0.0], second [0.0] [0.0] => Selected;
    "atan2 in four quadrants" [1.0, 1.0, -1.0, -1.0] [1.0, -1.0, 1.0, -1.0], |x| x[0].atan2(x[1]),
        value [PI / 4.0, 0.75 * PI, -PI / 4.0, -0.75 * PI], first [0.5, -0.5, 0.5, -0.5] [-0.5, -0.5, 0.5, 0.5],
        second [-0.5, 0.5, 0.5, -0.5] [0.5, -0.5, -0.5, 0.5] => Mixed;
    "xlogy at (0, 0)" [0.0] [0.0], |x| x[0].xlogy(x[1]), value [0.0], first [0.0] [0.0] => Selected;
    "xlogy at (0, 23): a value of 0 does not cut the derivative" [0.0] [23.0], |x| x[0].xlogy(x[1]), value [0.0],
        first [23.0_f64.ln()] [0.0], second [1.0 / 23.0] [1.0 / 23.0] => Mixed;
    "xlogy at (2, 0)" [2.0] [0.0], |x| x[0].xlogy(x[1]), value [-INF], first [-INF] [INF] => Selected;
    "logaddexp at a tie" [1.0] [1.0], |x| x[0].logaddexp(x[1]), value [1.0 + LN_2], first [0.5] [0.5],
        second [0.0] [0.0] => Mixed;
    "logaddexp(x, x), large" [1e8], |x| x[0].logaddexp(x[0]), value [1e8 + LN_2], first [1.0], second [0.0] => Smooth;
    "logaddexp at (∞, ∞)" [INF] [INF], |x| x[0].logaddexp(x[1]), value [INF], first [0.5] [0.5] => Mixed;
    "logaddexp at (−∞, −∞)" [-INF] [-INF], |x| x[0].logaddexp(x[1]), value [-INF], first [0.0] [0.0],
        second [0.0] [0.0] => Smooth;
    "logaddexp at (−∞, 2)" [-INF] [2.0], |x| x[0].logaddexp(x[1]), value [2.0], first [0.0] [1.0],
        second [0.0] [0.0] => Smooth;
}

table! {
    infinities<T> of T:
    "hypot at (∞, 1)" [INF] [1.0], |x| x[0].hypot(x[1]), value [INF], first [1.0] [0.0], second [0.0] [0.0] => Mixed;
    "hypot at (−∞, 2)" [-INF] [2.0], |x| x[0].hypot(x[1]), value [INF], first [-1.0] [0.0], second [0.0] [0.0] => Mixed;
    "hypot at (3, ∞)" [3.0] [INF], |x| x[0].hypot(x[1]), value [INF], first [0.0] [1.0], second [0.0] [0.0] => Mixed;
    "norm of (∞, 3)" [INF, 3.0], |x| x[0].norm(2.0, ..), value [INF], first [1.0, 0.0], second [0.0, 0.0] => Mixed;
    "norm of (0, −∞)" [0.0, -INF], |x| x[0].norm(2.0, ..), value [INF], first [0.0, -1.0], second [0.0, 0.0] => Mixed;
    "norm of (∞, ∞)" [INF, INF], |x| x[0].norm(2.0, ..), value [INF], first [1.0, 1.0] => Mixed;
    "atan2 at (∞, 1)" [INF] [1.0], |x| x[0].atan2(x[1]), value [PI / 2.0], first [0.0] [0.0] => Mixed;
    "atan2 at (1, −∞)" [1.0] [-INF], |x| x[0].atan2(x[1]), value [PI], first [0.0] [0.0] => Mixed;
}

table! {
    quotients<T> of T:
    "1/0" [1.0] [0.0], |x| x[0] / x[1], value [INF], first [INF] [-INF] => Selected;
    "0/0" [0.0] [0.0], |x| x[0] / x[1], value [NAN], first [INF] [NAN] => Selected;
    "x/2" [3.0] [2.0], |x| x[0] / x[1], value [1.5], first [0.5] [-0.75], second [-0.25] [0.5] => Mixed;
    "x + x" [3.0], |x| x[0] + x[0], value [6.0], first [2.0], second [0.0] => Selected;
    "x · x" [3.0], |x| x[0] * x[0], value [9.0], first [6.0], second [2.0] => Smooth;
    "x − x" [3.0], |x| x[0].sub(x[0]), value [0.0], first [0.0], second [0.0] => Mixed;
    "x / x" [4.0], |x| x[0].div(x[0]), value [1.0], first [0.0], second [0.0] => Mixed;
    "x @ x" [3.0, 4.0], |x| x[0].matmul(x[0]), value [25.0], first [6.0, 8.0], second [2.0, 2.0] => Mixed;
}

table! {
    /// Squares of these operands overflow or vanish.
    extremes of f64:
    "x/y at 1e200" [1e200] [1e200], |x| x[0] / x[1], value [1.0], first [1e-200] [-1e-200] => Mixed;
    "x/y at 1e-200" [1e-200] [1e-200], |x| x[0] / x[1], value [1.0], first [1e200] [-1e200] => Mixed;
    "atan2 at 1e200" [1e200] [1e200], |x| x[0].atan2(x[1]), value [PI / 4.0], first [5e-201] [-5e-201] => Mixed;
    "atan2 at 1e-200" [1e-200] [1e-200], |x| x[0].atan2(x[1]), value [PI / 4.0], first [5e199] [-5e199] => Mixed;
    "hypot at 1e200" [3e200] [4e200], |x| x[0].hypot(x[1]), value [5e200], first [0.6] [0.8] => Mixed;
    "hypot at 1e-200" [3e-200] [4e-200], |x| x[0].hypot(x[1]), value [5e-200], first [0.6] [0.8] => Mixed;
    "logaddexp(x, x) at 1e16" [1e16], |x| x[0].logaddexp(x[0]), value [1e16], first [1.0], second [0.0] => Smooth;
}

// The digits come from evaluation in 60 decimal digits.
table! {
    tails of f64:
    "hypot of 1e10 and 1" [1e10] [1.0], |x| x[0].hypot(x[1]), value [1e10], first [1.0] [1e-10],
        second [-9.999999999e-21] [9.999999999e-11] => Mixed;
    "hypot of subnormal numbers" [1e-322] [3e-323], |x| x[0].hypot(x[1]), value [1.04e-322],
        first [0.9578262852211514] [0.28734788556634544] => Mixed;
    "hypot of the smallest numbers" [5e-324] [5e-324], |x| x[0].hypot(x[1]), value [5e-324],
        first [std::f64::consts::FRAC_1_SQRT_2] [std::f64::consts::FRAC_1_SQRT_2] => Mixed;
}

table! {
    outside<T> of T:
    "xlogy at (2, −1)" [2.0] [-1.0], |x| x[0].xlogy(x[1]), value [NAN], first [NAN] [NAN] => Mixed;
}

table! {
    extremes_f32 of f32:
    "x/y at 1e-30" [1e-30] [1e-30], |x| x[0] / x[1], value [1.0], first [1e30] [-1e30] => Mixed;
    "atan2 at 1e-30" [1e-30] [1e-30], |x| x[0].atan2(x[1]), value [PI / 4.0], first [5e29] [-5e29] => Mixed;
    "hypot at 1e30" [3e30] [4e30], |x| x[0].hypot(x[1]), value [5e30], first [0.6] [0.8] => Mixed;
}

#[test]
fn a_tie_shares_the_cotangent_and_a_nan_takes_it() {
    run(&ties::<f64>());
    run(&ties::<f32>());
}

#[test]
fn at_an_origin_the_derivative_is_the_one_of_least_norm() {
    run(&origins::<f64>());
    run(&origins::<f32>());
}

#[test]
fn at_infinity_the_derivatives_of_norms_are_those_of_the_direction() {
    run(&infinities::<f64>());
    run(&infinities::<f32>());
}

#[test]
fn quotients_follow_ieee_and_one_variable_may_stand_in_both_places() {
    run(&outside::<f64>());
    run(&outside::<f32>());
    run(&quotients::<f64>());
    run(&quotients::<f32>());
}

#[test]
fn operands_whose_squares_leave_the_range_have_exact_derivatives() {
    run(&extremes());
    run(&tails());
    run(&extremes_f32());
}
