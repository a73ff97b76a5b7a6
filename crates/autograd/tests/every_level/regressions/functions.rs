//! Element-wise functions: tails, kinks, constants and domains.

use super::case::{Case, m, run, v};
use autograd::grad;
use std::f64::consts::PI;

#[test]
fn tails_saturate_without_nan() {
    run(&cases! {
        edge "burn #1140: sigmoid far left" not "NaN":
            [v([-1000.0, 1000.0])], |x| x[0].sigmoid(), dy [1.0, 10.0] => [0.0, 0.0];
        edge "burn #1548: log_sigmoid far left" not "−∞":
            [v([-1000.0, 1000.0])], |x| x[0].log_sigmoid(), dy [1.0, 10.0] => [1.0, 0.0];
        edge "burn through 0.22.0-pre.2, rust-autograd: softplus at 1000" not "NaN":
            [v([1000.0, -1000.0])], |x| x[0].softplus(), dy [1.0, 10.0] => [1.0, 0.0];
        edge "burn through 0.22.0-pre.2: mish at 1000" not "NaN":
            [v([1000.0, -1000.0])], |x| x[0].mish(), dy [1.0, 10.0] => [1.0, 0.0];
        edge "candle #2328, JAX #1538, MLX, tinygrad: elu far right" not "NaN, from a mask times ∞":
            [v([1000.0])], |x| x[0].elu(1.0), dy [-2.5] => [-2.5];
        edge "num-dual 0.15.1: tanh at ±1000" not "NaN, as sinh/cosh":
            [v([-1000.0, 1000.0])], |x| x[0].tanh(), dy [1.0, 10.0] => [0.0, 0.0];
        smooth "candle #2083: silu at 0" not "0/0": [v([0.0])], |x| x[0].silu(), dy [-2.5] => [-1.25];
        smooth "candle #2114: sigmoid" not "another function": [v([0.0])], |x| x[0].sigmoid(), dy [-2.5] => [-0.625];
        smooth "JAX 185fd61d37: softplus at 0" not "0 or 1, from the tie of a maximum":
            [v([0.0])], |x| x[0].softplus(), dy [-2.5] => [-1.25];
        smooth "Enzyme #2393: logaddexp at a tie" not "0": [v([1.0]), v([1.0])], |x| x[0].logaddexp(x[1]),
            dy [-2.5] => [-1.25] [-1.25];
        edge "Enzyme.jl #1601: xlogy at a value of 0" not "0": [v([0.0]), v([23.0])], |x| x[0].xlogy(x[1]),
            dy [-2.5] => [-2.5 * 23_f64.ln()] [0.0];
        edge "JAX #34139: the derivative of sinc near 0" not "−8.6e11":
            [v([1e-19, 1e-3])], |x| x[0].sinc() + x[0], dy [1.0, 0.0] => [1.0, 0.0];
        edge "num-dual 0.15.1: a second derivative of sin t / t near 0" not "−256":
            [v([1e-9])], |x| grad(x[0].sinc(), &x[0]), dy [1.0] => [-PI * PI / 3.0];
    });
}

#[test]
fn kinks_are_consistent() {
    run(&cases! {
        edge "candle: relu at 0" not "1": [v([0.0, -0.0, 2.0])], |x| x[0].relu(), dy [1.0, 10.0, 100.0] =>
            [0.0, 0.0, 100.0];
        edge "candle: abs at 0; burn #2249" not "1; NaN": [v([0.0, -2.0])], |x| x[0].abs(), dy [1.0, 10.0] =>
            [0.0, -10.0];
        edge "Zygote #1529: abs at the origin, broadcast" not "NaN":
            [v([-1.0, 0.0, 1.0]), m([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])], |x| x[0].abs() + x[1],
            dy [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] => [-5.0, 0.0, 9.0] [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        edge "candle: leaky_relu at 0" not "0.55": [v([0.0])], |x| x[0].leaky_relu(0.1), dy [1.0] => [0.1];
        edge "candle: clamp at its bounds, by minimum and maximum" not "0.5": [v([0.0, 0.5, 1.0])],
            |x| x[0].clamp(0.0, 1.0), dy [1.0, 10.0, 100.0] => [0.0, 10.0, 0.0];
        edge "candle: a path through floor only" not "no gradient at all": [v([1.5])], |x| x[0].floor(),
            dy [1.0] => [0.0];
        edge "candle: affine by 0" not "no gradient at all": [v([1.5])], |x| x[0] * 0.0, dy [1.0] => [0.0];
        smooth "rust-autograd: the second derivative of elu" not "a panic": [v([-1.0, 2.0])],
            |x| x[0].elu(1.0) * x[0], dy [0.0, 10.0] => [0.0, 40.0];
        smooth "rust-autograd: the second derivative of relu(x) · x" not "a panic": [v([-1.0, 2.0])],
            |x| x[0].relu() * x[0], dy [1.0, 10.0] => [0.0, 40.0];
    });
}

#[test]
fn constants_and_domains_are_exact() {
    run(&cases! {
        smooth "candle: gelu_tanh with constants of six digits" not "an error of 1e-6": [v([1.0, -2.0])],
            |x| x[0].gelu_tanh(), dy [1.0, 10.0] => [1.0829640838457826, -0.8609925662361838];
        edge "echidna 0.12: ln of −2" not "−0.5": [v([-2.0])], |x| x[0].log(), dy [1.0] => [f64::NAN];
        edge "echidna: atan at 1e100" not "0, from an overflow": [v([1e100])], |x| x[0].atan(), dy [1.0] => [1e-200];
        edge "echidna: asin close to 1" not "half the digits, as 1 − x²": [v([1.0 - 0.5_f64.powi(40)])],
            |x| x[0].asin(), dy [1.0] => [741455.2001896338];
        edge "echidna: atanh close to 1" not "half the digits, as 1 − x²": [v([1.0 - 0.5_f64.powi(40)])],
            |x| x[0].atanh(), dy [1.0] => [549755813888.25];
        smooth "echidna 0.15: the second derivative of 1/(x² + 1) at 0" not "0": [v([0.0])],
            |x| grad(((x[0] * x[0]) + 1.0).reciprocal(), &x[0]), dy [1.0] => [-2.0];
        smooth "rust-autograd: tan of one element" not "a panic": [v([PI / 4.0])], |x| x[0].tan(), dy [-2.5] => [-5.0];
        smooth "MLX #2453: atan2" not "its operands exchanged": [v([1.0]), v([2.0])], |x| x[0].atan2(x[1]),
            dy [10.0] => [4.0] [-2.0];
        edge "PyTorch #4320, #2421, HIPS #151, JAX #3058, burn: the norm of zero" not "NaN": [v([0.0, 0.0])],
            |x| x[0].norm(2.0, ..), dy [-2.5] => [0.0, 0.0];
        edge "PyTorch #4320, dfdx: the deviation of a constant" not "NaN": [v([2.0, 2.0, 2.0])],
            |x| x[0].std(1, ..), dy [-2.5] => [0.0, 0.0, 0.0];
    });
}
