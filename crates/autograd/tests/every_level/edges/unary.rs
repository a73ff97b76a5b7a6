//! Kinks, poles and ends of domains of functions of one operand.

use super::row::{AtInfinity, Row, run};
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

table! {
    inverse_hyperbolic of f64:
    "acosh at 1.0000000001" [1.0000000001], |x| x[0].acosh(), value [1.4142136208675862e-05],
        first [70710.67519157329], second [-353553346722409.06] => Smooth;
    "acosh next to 1" [1.0000000000000002], |x| x[0].acosh(), value [2.1073424255447014e-08],
        first [47453132.81212577], second [-1.0685495562512616e+23] => Smooth;
    "acosh at 1.5" [1.5], |x| x[0].acosh(), value [0.9624236501192069],
        first [0.8944271909999159], second [-1.0733126291998991] => Smooth;
    "acosh at 10000000000.0" [10000000000.0], |x| x[0].acosh(), value [23.7189981105004],
        first [1e-10], second [-1e-20] => Smooth;
    "acosh at 1e+308" [1e+308], |x| x[0].acosh(), value [709.889355822726],
        first [1e-308], second [0.0] => Smooth;
    "asinh at 1e-300" [1e-300], |x| x[0].asinh(), value [1e-300],
        first [1.0], second [-1e-300] => Smooth;
    "asinh at -0.25" [-0.25], |x| x[0].asinh(), value [-0.24746646154726346],
        first [0.9701425001453319], second [0.2282688235636075] => Smooth;
    "asinh at 1000000000.0" [1000000000.0], |x| x[0].asinh(), value [21.416413017506358],
        first [1e-09], second [-1e-18] => Smooth;
    "asinh at -1e+20" [-1e+20], |x| x[0].asinh(), value [-46.74484904044086],
        first [1e-20], second [1e-40] => Smooth;
    "asinh at 1e+308" [1e+308], |x| x[0].asinh(), value [709.889355822726],
        first [1e-308], second [0.0] => Smooth;
    "atanh at -0.9999999999999432" [-0.9999999999999432], |x| x[0].atanh(), value [-15.595811562598755],
        first [8796093022208.25], second [-1.5474250491067253e+26] => Smooth;
    "atanh at -0.999999999" [-0.999999999], |x| x[0].atanh(), value [-10.708206522644144],
        first [500000014.3909661], second [-5.000000282819327e+17] => Smooth;
    "atanh at 0.999999999" [0.999999999], |x| x[0].atanh(), value [10.708206522644144],
        first [500000014.3909661], second [5.000000282819327e+17] => Smooth;
    "atanh at -0.25" [-0.25], |x| x[0].atanh(), value [-0.25541281188299536],
        first [1.0666666666666667], second [-0.5688888888888889] => Smooth;
    "atanh at 1e-300" [1e-300], |x| x[0].atanh(), value [1e-300],
        first [1.0], second [2e-300] => Smooth;
}

table! {
    inverse_hyperbolic_f32 of f32:
    "acosh at 1.000030517578125" [1.000030517578125], |x| x[0].acosh(), value [0.007812480131921498],
        first [127.99902344867573], second [-2097167.9994506952] => Mixed;
    "acosh at 1.0000001192092896" [1.0000001192092896], |x| x[0].acosh(), value [0.0004882812451493617],
        first [2047.9999389648465], second [-8589934847.999966] => Mixed;
    "acosh at 3e+38" [3.0000000054977558e+38], |x| x[0].acosh(), value [89.28999300483437],
        first [3.333333327224716e-39], second [-1.1111111070386994e-77] => Mixed;
    "asinh at -3e+38" [-3.0000000054977558e+38], |x| x[0].asinh(), value [-89.28999300483437],
        first [3.333333327224716e-39], second [1.1111111070386994e-77] => Mixed;
    "asinh at 1e+30" [1.0000000150474662e+30], |x| x[0].asinh(), value [69.77069998542878],
        first [9.99999984952534e-31], second [-9.999999699050682e-61] => Mixed;
    "atanh at -0.9999847412109375" [-0.9999847412109375], |x| x[0].atanh(), value [-5.8917472200477174],
        first [32768.25000190736], second [-2147483647.874998] => Mixed;
    "atanh at -0.9999999403953552" [-0.9999999403953552], |x| x[0].atanh(), value [-8.664339742098155],
        first [8388608.250000007], second [-140737488355327.88] => Mixed;
    "atanh at 0.999755859375" [0.999755859375], |x| x[0].atanh(), value [4.505395634757801],
        first [2048.250030521304], second [8388607.874969477] => Mixed;
}

table! {
    far<T> of T:
    "sinc at ±∞" [INF, -INF], |x| x[0].sinc(), value [0.0, 0.0], first [0.0, 0.0], second [0.0, 0.0] => Smooth;
    "sinc of NaN" [NAN], |x| x[0].sinc(), value [NAN], first [NAN], second [NAN] => Smooth;
    "sinc at an integer" [7.0], |x| x[0].sinc(), value [0.0], first [-1.0 / 7.0], second [2.0 / 49.0] => Smooth;
    "sinc at a large number" [4096.5], |x| x[0].sinc(), value [1.0 / (PI * 4096.5)],
        first [-1.0 / (PI * 4096.5 * 4096.5)] => Smooth;
}

table! {
    // The slope alone would vanish, or be ∞.
    steep of f64:
    "reciprocal at 1e170" [1e-30], |x| (x[0] * 1e200).reciprocal() * 1e200, value [1e30], first [-1e60],
        second [2e90] => Smooth;
    "rsqrt at 1e250" [1e100], |x| (x[0] * 1e150).rsqrt() * 1e200, value [1e75], first [-5e-26] => Smooth;
    "rsqrt at 1e-300" [1e-100], |x| (x[0] * 1e-200).rsqrt() * 1e-200, value [1e-50], first [-5e49] => Smooth;
}

#[test]
fn inverse_hyperbolic_functions_keep_their_digits_at_the_ends_of_their_domains() {
    run(&inverse_hyperbolic());
    run(&inverse_hyperbolic_f32());
}

#[test]
fn sinc_has_limits_at_infinity_is_nan_at_nan_and_vanishes_at_integers() {
    run(&far::<f64>());
    run(&far::<f32>());
}

#[test]
fn a_slope_that_leaves_the_range_may_come_back_with_its_cotangent() {
    run(&steep());
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
