//! Kinks, poles and ends of domains of functions of one operand.

use crate::row::{AtInfinity, Row, run};
use autograd::Float;
use std::f64::consts::PI;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

table! {
    kinks<T> of T:
    // Piecewise linear functions at their kinks: the subgradient of least norm.
    "relu at 0" [0.0, -0.0], |x| x[0].relu(), value [0.0, 0.0], first [0.0, 0.0], second [0.0, 0.0] => Selected;
    "relu off 0" [-1.0, 2.0], |x| x[0].relu(), value [0.0, 2.0], first [0.0, 1.0], second [0.0, 0.0] => Selected;
    "relu of NaN" [NAN], |x| x[0].relu(), value [NAN], first [0.0], second [0.0] => Selected;
    "abs at 0" [0.0, -0.0], |x| x[0].abs(), value [0.0, 0.0], first [0.0, 0.0], second [0.0, 0.0] => Selected;
    "abs off 0" [-3.0, 2.0], |x| x[0].abs(), value [3.0, 2.0], first [-1.0, 1.0], second [0.0, 0.0] => Selected;
    "abs of NaN" [NAN], |x| x[0].abs(), value [NAN], first [NAN] => Selected;
    "sign" [-2.0, 0.0, 3.0], |x| x[0].sign(), value [-1.0, 0.0, 1.0], first [0.0, 0.0, 0.0],
        second [0.0, 0.0, 0.0] => Selected;
    "floor" [1.0, 1.5], |x| x[0].floor(), value [1.0, 1.0], first [0.0, 0.0], second [0.0, 0.0] => Selected;
    "ceil" [1.0, 1.5], |x| x[0].ceil(), value [1.0, 2.0], first [0.0, 0.0], second [0.0, 0.0] => Selected;
    "round to even" [0.5, 1.5], |x| x[0].round(), value [0.0, 2.0], first [0.0, 0.0], second [0.0, 0.0] => Selected;
    "leaky_relu at 0" [0.0], |x| x[0].leaky_relu(0.01), value [0.0], first [0.01], second [0.0] => Selected;
    "leaky_relu at 0, slope 3" [0.0], |x| x[0].leaky_relu(3.0), value [0.0], first [1.0], second [0.0] => Selected;
    "elu at 0" [0.0], |x| x[0].elu(1.0), value [0.0], first [1.0], second [0.0] => Selected;
    "elu at 0, α = 2" [0.0], |x| x[0].elu(2.0), value [0.0], first [1.0], second [0.0] => Selected;
    "elu at 0, α = ½" [0.0], |x| x[0].elu(0.5), value [0.0], first [0.5], second [0.0] => Selected;
    "elu far right" [1000.0], |x| x[0].elu(1.0), value [1000.0], first [1.0], second [0.0] => Selected;
    "elu far left" [-1000.0], |x| x[0].elu(1.0), value [-1.0], first [0.0], second [0.0] => Smooth;
    "clamp at its bounds" [-1.0, 1.0], |x| x[0].clamp(-1.0, 1.0), value [-1.0, 1.0], first [0.0, 0.0],
        second [0.0, 0.0] => Selected;
    "clamp off its bounds" [-2.0, 0.5, 2.0], |x| x[0].clamp(-1.0, 1.0), value [-1.0, 0.5, 1.0],
        first [0.0, 1.0, 0.0], second [0.0, 0.0, 0.0] => Selected;
    "clamp of NaN" [NAN], |x| x[0].clamp(-1.0, 1.0), value [NAN], first [0.0], second [0.0] => Selected;
    "relu6 by clamp, at its knees" [0.0, 6.0], |x| x[0].clamp(0.0, 6.0), value [0.0, 6.0], first [0.0, 0.0],
        second [0.0, 0.0] => Selected;
    "hardsigmoid by clamp, at its knees" [-3.0, 3.0], |x| (x[0] / T::of(6.0) + T::of(0.5)).clamp(0.0, 1.0),
        value [0.0, 1.0], first [0.0, 0.0], second [0.0, 0.0] => Selected;
    "nan_to_num" [NAN, INF, -INF, 2.0], |x| x[0].nan_to_num(),
        value [0.0, T::MAX.to_f64(), -T::MAX.to_f64(), 2.0], first [0.0, 0.0, 0.0, 1.0],
        second [0.0, 0.0, 0.0, 0.0] => Selected;
    "softsign at 0" [0.0], |x| x[0].softsign(), value [0.0], first [1.0], second [0.0] => Selected;
    "softsign off 0" [1.0, -1.0], |x| x[0].softsign(), value [0.5, -0.5], first [0.25, 0.25],
        second [-0.25, 0.25] => Selected;
    "softsign at ±∞" [INF, -INF], |x| x[0].softsign(), value [1.0, -1.0], first [0.0, 0.0], second [0.0, 0.0] => Smooth;
}

table! {
    poles<T> of T:
    // By continuity, infinities allowed; a zero cotangent stays zero.
    "sqrt at 0" [0.0], |x| x[0].sqrt(), value [0.0], first [INF] => Selected;
    "sqrt below 0" [-1.0], |x| x[0].sqrt(), value [NAN], first [NAN] => Selected;
    "√x · 0 at 0, the factor constant" [0.0], |x| x[0].sqrt() * T::ZERO, value [0.0], first [0.0], second [0.0]
        => Selected;
    "rsqrt at 0" [0.0], |x| x[0].rsqrt(), value [INF], first [-INF] => Selected;
    "reciprocal at 0" [0.0], |x| x[0].reciprocal(), value [INF], first [-INF] => Selected;
    "1/x at 0" [0.0], |x| x[0].tape().scalar(T::ONE) / x[0], value [INF], first [-INF] => Selected;
    "log at 0" [0.0], |x| x[0].log(), value [-INF], first [INF] => Selected;
    "log below 0" [-1.0], |x| x[0].log(), value [NAN], first [NAN], second [NAN] => Selected;
    "log1p at −1" [-1.0], |x| x[0].log1p(), value [-INF], first [INF] => Selected;
    "log1p below −1" [-2.0], |x| x[0].log1p(), value [NAN], first [NAN] => Selected;
    "asin at 1" [1.0, -1.0], |x| x[0].asin(), value [PI / 2.0, -PI / 2.0], first [INF, INF] => Selected;
    "acos at 1" [1.0], |x| x[0].acos(), value [0.0], first [-INF] => Selected;
    "asin beyond 1" [1.5], |x| x[0].asin(), value [NAN], first [NAN] => Selected;
    "acosh at 1" [1.0], |x| x[0].acosh(), value [0.0], first [INF] => Selected;
    "acosh below 1" [0.5], |x| x[0].acosh(), value [NAN], first [NAN] => Selected;
    "atanh at ±1" [1.0, -1.0], |x| x[0].atanh(), value [INF, -INF], first [INF, INF] => Selected;
    "atanh beyond 1" [1.5], |x| x[0].atanh(), value [NAN], first [NAN] => Selected;
    "exp that overflows" [1e4], |x| x[0].exp(), value [INF], first [INF], second [INF] => Selected;
}

table! {
    near_zero<T> of T:
    "expm1 near 0" [1e-20], |x| x[0].expm1(), value [1e-20], first [1.0], second [1.0] => Smooth;
    "log1p near 0" [1e-20], |x| x[0].log1p(), value [1e-20], first [1.0], second [-1.0] => Smooth;
    "sinc at 0" [0.0], |x| x[0].sinc(), value [1.0], first [0.0], second [-PI * PI / 3.0] => Smooth;
    "sinc very near 0" [1e-19], |x| x[0].sinc(), value [1.0], first [-PI * PI / 3.0 * 1e-19],
        second [-PI * PI / 3.0] => Smooth;
    "sinc near 0" [1e-9], |x| x[0].sinc(), value [1.0], first [-PI * PI / 3.0 * 1e-9], second [-PI * PI / 3.0] => Smooth;
    "square at 0" [0.0], |x| x[0].square(), value [0.0], first [0.0], second [2.0] => Smooth;
}

#[test]
fn a_kink_has_the_subgradient_of_least_norm() {
    run(&kinks::<f64>());
    run(&kinks::<f32>());
}

#[test]
fn a_pole_has_the_derivative_that_continuity_gives_and_outside_the_domain_there_is_none() {
    run(&poles::<f64>());
    run(&poles::<f32>());
}

/// `√(x·x)` and `x · ln x` at 0 multiply an infinite derivative by 0. The mode that meets the zero first drops the
/// infinity, the other says NaN; `abs`, `norm`, `hypot` and `xlogy` say what is meant.
#[test]
fn an_infinite_derivative_times_zero_is_nan_unless_the_zero_comes_first() {
    let tape = autograd::Tape::new();
    let (x, one) = (tape.scalar(0.0), tape.scalar(1.0));
    let root = (x * x).sqrt();
    assert!(autograd::grad(root, &x).item().is_nan());
    assert_eq!(autograd::jvp(root, &x, &one).item(), 0.0);
    let entropy = x * x.log();
    assert_eq!(autograd::grad(entropy, &x).item(), -INF);
    assert!(autograd::jvp(entropy, &x, &one).item().is_nan());
}

#[test]
fn derivatives_near_zero_do_not_cancel() {
    run(&near_zero::<f64>());
    run(&near_zero::<f32>());
}
