//! Norms, deviations and normalisation at zero, at constants and at the ends of the range.

use crate::row::{AtInfinity, Row, run};
use autograd::{Float, Tape, Tensor, grad};
use std::f64::consts::FRAC_1_SQRT_2;

table! {
    at_zero<T> of T:
    "norm of zero" [0.0, 0.0], |x| x[0].norm(2.0, ..), value [0.0], first [0.0, 0.0], second [0.0, 0.0] => Selected;
    "norm of (3, 4)" [3.0, 4.0], |x| x[0].norm(2.0, ..), value [5.0], first [0.6, 0.8],
        second [0.032, -0.024] => Mixed;
    "norm of one number is its magnitude" [-3.0], |x| x[0].norm(2.0, ..), value [3.0], first [-1.0],
        second [0.0] => Mixed;
    "norm 1 at 0" [0.0, -2.0], |x| x[0].norm(1.0, ..), value [2.0], first [0.0, -1.0], second [0.0, 0.0] => Selected;
    "norm 3 of zero" [0.0, 0.0], |x| x[0].norm(3.0, ..), value [0.0], first [0.0, 0.0] => Mixed;
    "norm 0 counts" [0.0, -2.0], |x| x[0].norm(0.0, ..), value [1.0], first [0.0, 0.0], second [0.0, 0.0] => Selected;
    "std of a constant" [2.0, 2.0, 2.0], |x| x[0].std(1, ..), value [0.0], first [0.0, 0.0, 0.0],
        second [0.0, 0.0, 0.0] => Mixed;
    "std of one element" [2.0], |x| x[0].std(0, ..), value [0.0], first [0.0], second [0.0] => Mixed;
    "std of (1, 3)" [1.0, 3.0], |x| x[0].std(0, ..), value [1.0], first [-0.5, 0.5], second [0.0, 0.0] => Mixed;
    "var of one element" [2.0], |x| x[0].var(0, ..), value [0.0], first [0.0], second [0.0] => Mixed;
    "var of (1, 3)" [1.0, 3.0], |x| x[0].var(1, ..), value [2.0], first [-2.0, 2.0], second [0.0, 0.0] => Mixed;
    "rms_norm of zero has an eps to divide by" [0.0, 0.0], |x| x[0].rms_norm(None, 0.25), value [0.0, 0.0],
        first [2.0, 2.0], second [0.0, 0.0] => Mixed;
    "layer_norm of a constant" [3.0, 3.0], |x| x[0].layer_norm(1, None, None, 0.25), value [0.0, 0.0],
        first [0.0, 0.0], second [0.0, 0.0] => Mixed;
}

table! {
    extremes of f64:
    "norm at 1e200" [3e200, 4e200], |x| x[0].norm(2.0, ..), value [5e200], first [0.6, 0.8] => Mixed;
    "norm at 1e-200" [3e-200, 4e-200], |x| x[0].norm(2.0, ..), value [5e-200], first [0.6, 0.8] => Mixed;
}

table! {
    extremes_f32 of f32:
    "norm at 1e30" [1e30, 1e30], |x| x[0].norm(2.0, ..), value [1.414213562373095e30],
        first [FRAC_1_SQRT_2, FRAC_1_SQRT_2] => Mixed;
    "norm at 1e-30" [1e-30, 1e-30], |x| x[0].norm(2.0, ..), value [1.414213562373095e-30],
        first [FRAC_1_SQRT_2, FRAC_1_SQRT_2] => Mixed;
}

#[test]
fn a_norm_of_zero_has_derivative_zero_at_both_orders() {
    run(&at_zero::<f64>());
    run(&at_zero::<f32>());
}

#[test]
fn a_norm_neither_overflows_nor_underflows() {
    run(&extremes());
    run(&extremes_f32());
}

/// A count kept in a narrow type loses ties: in half precision 70 000 is infinite.
#[test]
fn seventy_thousand_tied_maxima_share_one_cotangent() {
    const N: usize = 70_000;
    let tape = Tape::<f32>::default();
    let x = tape.var(&Tensor::full([N], 3.0));
    let dx = grad(x.max(), &x).value();
    assert!(dx.as_slice().iter().all(|&d| d == (1.0 / N as f64) as f32));
}
