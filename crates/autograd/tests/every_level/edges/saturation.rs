//! Functions that saturate: derivatives in their tails, and limits at ±∞.

use super::row::{AtInfinity, Row, run};
use autograd::Float;
use std::f64::consts::LN_2;

const INF: f64 = f64::INFINITY;

// The digits come from evaluation in 40 decimal digits.
table! {
    tails<T> of T:
    // In f32 PyTorch and JAX give 0 for the derivatives of sigmoid, tanh and expm1 here.
    "sigmoid at 20" [20.0], |x| x[0].sigmoid(), value [0.9999999979388464],
        first [2.061153613941849e-9], second [-2.061153605445141e-9] => Smooth;
    "sigmoid at −20" [-20.0], |x| x[0].sigmoid(), value [2.0611536181902037e-9],
        first [2.061153613941849e-9], second [2.061153605445141e-9] => Smooth;
    // 1 − y² in f32 gives 1.81548e-4, (1 + y)(1 − y) gives 1.81667e-4.
    "tanh at 5" [5.0], |x| x[0].tanh(), value [0.9999092042625951],
        first [0.00018158323094380667], second [-0.0003631334879209056] => Smooth;
    "tanh at 10" [10.0], |x| x[0].tanh(), value [0.9999999958776927],
        first [8.244614455767397e-9], second [-1.6489228843561127e-8] => Smooth;
    "expm1 at −20" [-20.0], |x| x[0].expm1(), value [-0.9999999979388464],
        first [2.061153622438558e-9], second [2.061153622438558e-9] => Smooth;
    "expm1 at −30" [-30.0], |x| x[0].expm1(), value [-0.9999999999999064],
        first [9.357622968840175e-14], second [9.357622968840175e-14] => Smooth;
    "softplus at 25, beyond PyTorch's threshold of 20" [25.0], |x| x[0].softplus(), value [25.000000000013888],
        first [0.9999999999861121], second [1.388794386457827e-11] => Smooth;
    "softplus at 0" [0.0], |x| x[0].softplus(), value [LN_2], first [0.5], second [0.25] => Smooth;
    "log_sigmoid at 0" [0.0], |x| x[0].log_sigmoid(), value [-LN_2], first [0.5], second [-0.25] => Smooth;
    "gelu at −6.15, where a formula with 1 + erf has no digit" [-6.150000095367432], |x| x[0].gelu(),
        value [-2.3825992225236547e-9], first [-1.4634781105425185e-8], second [-8.750123762821317e-8] => Smooth;
    "gelu at 0" [0.0], |x| x[0].gelu(), value [0.0], first [0.5], second [0.7978845608028654] => Smooth;
    "mish at −30" [-30.0], |x| x[0].mish(), value [-2.807286890651921e-12],
        first [-2.7137106609633926e-12], second [-2.620134431274741e-12] => Smooth;
    "mish at −1" [-1.0], |x| x[0].mish(), value [-0.3034014613741089],
        first [0.05921675587739495], second [0.3497056736706449] => Smooth;
    "mish at 0" [0.0], |x| x[0].mish(), value [0.0], first [0.6], second [0.64] => Smooth;
    "mish at 2" [2.0], |x| x[0].mish(), value [1.9439589595339946],
        first [1.0693179342794896], second [-0.05772466740829405] => Smooth;
}

table! {
    // What the square of the argument rounds away is hundreds of ulp here.
    far_tails of f64:
    "erf at 25.677" [25.677], |x| x[0].erf(), value [1.0], first [5.229809886938558e-287],
        second [-2.685716569338427e-285] => Smooth;
    "gelu at −30.7" [-30.7], |x| x[0].gelu(), value [-8.736698778082625e-206], first [-2.6821605176985138e-204],
        second [-8.225477590080471e-203] => Smooth;
    // The exponent of e is a cubic, or twice a softplus: as many ulp are lost as it has units.
    "gelu_tanh at −20" [-20.0], |x| x[0].gelu_tanh(), value [-3.3754509563109673e-261],
        first [-2.9424328724945027e-259], second [-2.5620732028460162e-257] => Smooth;
    "gelu_tanh at −12" [-12.0], |x| x[0].gelu_tanh(), value [-1.635985449353481e-61],
        first [-5.290403352522559e-60], second [-1.7023793207351786e-58] => Smooth;
    "gelu_tanh at 12" [12.0], |x| x[0].gelu_tanh(), value [12.0], first [1.0],
        second [-1.7023793207351786e-58] => Smooth;
    "mish at 33.3" [33.3], |x| x[0].mish(), value [33.3], first [1.0], second [-3.0780807903450256e-27] => Smooth;
    "mish at 90" [90.0], |x| x[0].mish(), value [90.0], first [1.0], second [-4.7804992132066545e-76] => Smooth;
}

table! {
    far<T> of T:
    "sigmoid at ±1000" [1000.0, -1000.0], |x| x[0].sigmoid(), value [1.0, 0.0], first [0.0, 0.0],
        second [0.0, 0.0] => Smooth;
    "tanh at ±1000" [1000.0, -1000.0], |x| x[0].tanh(), value [1.0, -1.0], first [0.0, 0.0],
        second [0.0, 0.0] => Smooth;
    "softplus at ±1000" [1000.0, -1000.0], |x| x[0].softplus(), value [1000.0, 0.0], first [1.0, 0.0],
        second [0.0, 0.0] => Smooth;
    "log_sigmoid at ±1000" [1000.0, -1000.0], |x| x[0].log_sigmoid(), value [0.0, -1000.0], first [0.0, 1.0],
        second [0.0, 0.0] => Smooth;
    "silu at ±∞" [INF, -INF], |x| x[0].silu(), value [INF, 0.0], first [1.0, 0.0], second [0.0, 0.0] => Smooth;
    "gelu at ±∞" [INF, -INF], |x| x[0].gelu(), value [INF, 0.0], first [1.0, 0.0], second [0.0, 0.0] => Smooth;
    "gelu_tanh at ±∞" [INF, -INF], |x| x[0].gelu_tanh(), value [INF, 0.0], first [1.0, 0.0],
        second [0.0, 0.0] => Smooth;
    "mish at ±∞" [INF, -INF], |x| x[0].mish(), value [INF, 0.0], first [1.0, 0.0], second [0.0, 0.0] => Smooth;
    "tanh at ±∞" [INF, -INF], |x| x[0].tanh(), value [1.0, -1.0], first [0.0, 0.0], second [0.0, 0.0] => Smooth;
    "sigmoid at ±∞" [INF, -INF], |x| x[0].sigmoid(), value [1.0, 0.0], first [0.0, 0.0], second [0.0, 0.0] => Smooth;
}

#[test]
fn a_saturated_function_keeps_the_digits_of_its_derivative() {
    run(&tails::<f64>());
    run(&tails::<f32>());
    run(&far_tails());
}

#[test]
fn far_out_derivatives_are_their_limits() {
    run(&far::<f64>());
    run(&far::<f32>());
}
