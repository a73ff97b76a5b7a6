//! Poles and ends of the functions of gamma, and of the inverse of the error function.

use super::row::{AtInfinity, Row, run};
use autograd::Float;
use std::f64::consts::{LN_2, PI};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;
/// Euler's constant: `−ψ(1)`.
const EULER: f64 = 0.5772156649015329;
const TRIGAMMA_1: f64 = PI * PI / 6.0;

table! {
    gamma<T> of T:
    "lgamma at 0" [0.0, -0.0], |x| x[0].lgamma(), value [INF, INF], first [-INF, INF], second [INF, INF] => Selected;
    "lgamma at its zeros" [1.0, 2.0], |x| x[0].lgamma(), value [0.0, 0.0], first [-EULER, 1.0 - EULER],
        second [TRIGAMMA_1, TRIGAMMA_1 - 1.0] => Smooth;
    "lgamma of what is tiny" [1e-30, -1e-30], |x| x[0].lgamma(), value [69.07755278982137, 69.07755278982137],
        first [-1e30, 1e30] => Smooth;
    "lgamma at the negative integers" [-1.0, -2.0], |x| x[0].lgamma(), value [INF, INF], first [NAN, NAN] => Selected;
    "lgamma at −½" [-0.5], |x| x[0].lgamma(), value [1.2655121234846454], first [0.03648997397857652],
        second [8.934802200544679] => Smooth;
    "lgamma at ±∞" [INF, -INF], |x| x[0].lgamma(), value [INF, INF], first [INF, NAN] => Smooth;
    "lgamma of NaN" [NAN], |x| x[0].lgamma(), value [NAN], first [NAN] => Smooth;
    "digamma at 0" [0.0, -0.0], |x| x[0].digamma(), value [-INF, INF], first [INF, INF] => Selected;
    "digamma at the negative integers" [-1.0, -7.0], |x| x[0].digamma(), value [NAN, NAN], first [INF, INF] => Selected;
    "digamma at 1 and ½" [1.0, 0.5], |x| x[0].digamma(), value [-EULER, -EULER - 2.0 * LN_2],
        first [TRIGAMMA_1, 3.0 * TRIGAMMA_1] => Smooth;
    "digamma at ±∞" [INF, -INF], |x| x[0].digamma(), value [INF, NAN], first [0.0, NAN] => Smooth;
    "polygamma of order 0" [1.0], |x| x[0].polygamma(0), value [-EULER], first [TRIGAMMA_1] => Smooth;
    "polygamma of order 1 at its poles" [0.0, -3.0], |x| x[0].polygamma(1), value [INF, INF], first [-INF, NAN] => Selected;
    "polygamma of order 2 at its poles" [0.0, -0.0, -3.0], |x| x[0].polygamma(2), value [-INF, INF, NAN],
        first [INF, INF, INF] => Selected;
    "polygamma of order 1 at ∞" [INF], |x| x[0].polygamma(1), value [0.0], first [0.0] => Smooth;
}

table! {
    inverse<T> of T:
    "erfinv at ±1" [1.0, -1.0], |x| x[0].erfinv(), value [INF, -INF], first [INF, INF] => Selected;
    "erfinv beyond ±1" [1.5, -1.5, NAN], |x| x[0].erfinv(), value [NAN, NAN, NAN], first [NAN, NAN, NAN] => Selected;
    "erfinv at 0" [0.0, -0.0], |x| x[0].erfinv(), value [0.0, 0.0], first [0.886226925452758, 0.886226925452758],
        second [0.0, 0.0] => Smooth;
    "erfinv next to 1" [1.0 - 5.960464477539063e-8], |x| x[0].erfinv(), value [3.832506856900711],
        first [2120848.008242037] => Smooth;
}

table! {
    xlog1py<T> of T:
    "xlog1py(0, −1)" [0.0] [-1.0], |x| x[0].xlog1py(x[1]), value [0.0], first [0.0] [0.0] => Selected;
    "xlog1py(2, −1)" [2.0] [-1.0], |x| x[0].xlog1py(x[1]), value [-INF], first [-INF] [INF] => Selected;
    "xlog1py(2, 1e-20)" [2.0] [1e-20], |x| x[0].xlog1py(x[1]), value [2e-20], first [1e-20] [2.0] => Smooth;
    "xlog1py of NaN" [0.0] [NAN], |x| x[0].xlog1py(x[1]), value [NAN], first [NAN] [0.0] => Mixed;
}

#[test]
fn the_functions_of_gamma_have_the_limits_that_exist_at_their_poles() {
    run(&gamma::<f64>());
    run(&gamma::<f32>());
}

#[test]
fn the_inverse_of_erf_ends_at_one() {
    run(&inverse::<f64>());
    run(&inverse::<f32>());
}

#[test]
fn zero_times_the_logarithm_of_one_plus_minus_one_is_zero() {
    run(&xlog1py::<f64>());
    run(&xlog1py::<f32>());
}

#[test]
fn an_order_whose_factorial_is_no_number_is_refused_by_name() {
    let text = super::row::panic_of(|| {
        let tape = autograd::Tape::new();
        tape.scalar(2.0).polygamma(171);
    });
    assert!(text.starts_with("polygamma: an order up to 170 is needed, not 171"), "{text}");
}
