//! Products, quotients and powers.

use super::case::{Case, m, run, v};
use autograd::{Tape, Tensor, grad, vjp};

#[test]
fn products_are_exact_at_zeros() {
    run(&cases! {
        smooth "tinygrad #17404, PyTorch #106789, burn #3864, HIPS, rust-autograd: prod with one zero" not "NaN":
            [v([2.0, 0.0, 3.0])], |x| x[0].prod(), dy [-2.5] => [0.0, -15.0, 0.0];
        edge "prod with two zeros" not "NaN":
            [v([2.0, 0.0, 0.0])], |x| x[0].prod(), dy [-2.5] => [0.0, 0.0, 0.0];
        smooth "prod of one zero" not "NaN": [v([0.0])], |x| x[0].prod(), dy [-2.5] => [-2.5];
        smooth "tinygrad #17404: prod over an axis of size 1" not "a wrong gradient":
            [m([[2.0, 0.0, 3.0]])], |x| x[0].prod_axes(0), dy [1.0, 10.0, 100.0] => [1.0, 10.0, 100.0];
        smooth "burn #3864, #5141: cumprod with a zero" not "NaN":
            [v([2.0, 0.0, 3.0])], |x| x[0].cumprod(0), dy [1.0, 10.0, 100.0] => [1.0, 620.0, 0.0];
        smooth "cumprod along the first axis" not "a product along the last":
            [m([[2.0, 5.0], [0.0, 7.0]])], |x| x[0].cumprod(0), dy [1.0, 10.0, 100.0, 1000.0] =>
            [1.0, 7010.0, 200.0, 5000.0];
    });
}

/// The third derivative of a product by its three factors is 1, also where two of them are 0.
#[test]
fn the_third_derivative_of_a_product_of_zeros_is_one() {
    for x in [[2.0, 0.0, 0.0], [0.0, 0.0, 0.0], [2.0, 0.0, 3.0]] {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from(x));
        for y in [x.prod(), x.cumprod(0).narrow(0, 2, 1).sum()] {
            let by_first = grad(y, &x).narrow(0, 0, 1).sum();
            let by_second = grad(by_first, &x).narrow(0, 1, 1).sum();
            assert_eq!(grad(by_second, &x).value().as_slice(), [0.0, 0.0, 1.0]);
        }
    }
}

#[test]
fn powers_have_the_derivatives_that_exist() {
    run(&cases! {
        edge "candle, dfdx, rust-autograd, JAX #14397: x^0 at 0" not "NaN":
            [v([0.0, 2.0])], |x| x[0].pow_scalar(0.0), dy [1.0, 10.0] => [0.0, 0.0];
        smooth "MLX #628, JAX #5466, HIPS #581: x^1 at 0" not "NaN":
            [v([0.0, 2.0])], |x| x[0].pow_scalar(1.0), dy [1.0, 10.0] => [1.0, 10.0];
        smooth "num-dual #3, Zygote #1598: x^2 at 0" not "NaN":
            [v([0.0, -1.0])], |x| x[0].pow_scalar(2.0), dy [1.0, 10.0] => [0.0, -20.0];
        smooth "candle: a negative base squared" not "NaN, as e^(2 ln x)":
            [v([-1.0])], |x| x[0].pow_scalar(2.0), dy [-2.5] => [5.0];
        smooth "num-dual 1d15bcee: x^1.5 and every exponent below 2" not "the branch for 2":
            [v([4.0])], |x| x[0].pow_scalar(1.5), dy [1.0] => [3.0];
        edge "burn 0.22.0, 0.23.0-pre.1: 0^y by y" not "NaN": [v([0.0]), v([2.0])], |x| x[0].pow(x[1]),
            dy [1.0] => [0.0] [0.0];
        smooth "burn #1224: a power with one side tracked" not "the state of the wrong side":
            [v([2.0]), v([3.0])], |x| x[0].pow(x[1]), dy [1.0] => [12.0] [8.0 * 2_f64.ln()];
        smooth "candle 0.11.1: the gradient of the gradient of x³" not "4, 8, 12, 16":
            [v([1.0, 2.0, 3.0, 4.0])], |x| grad((x[0] * x[0] * x[0]).sum(), &x[0]), dy [1.0, 1.0, 1.0, 1.0] =>
            [6.0, 12.0, 18.0, 24.0];
    });
}

#[test]
fn quotients_and_roots_have_their_signs_and_digits() {
    run(&cases! {
        smooth "burn 0.22.0: x / 3 in f64" not "0.3333333432674408, from f32":
            [v([2.0])], |x| x[0] / 3.0, dy [1.0] => [1.0 / 3.0];
        smooth "candle #211: the divisor" not "its sign turned":
            [v([6.0]), v([3.0])], |x| x[0] / x[1], dy [-2.5] => [-2.5 / 3.0] [5.0 / 3.0];
        smooth "candle #211, rust-autograd #37: √x" not "1/x": [v([4.0])], |x| x[0].sqrt(), dy [-2.5] => [-0.625];
        edge "num-dual 0.15.1: √x at 0" not "NaN": [v([0.0])], |x| x[0].sqrt(), dy [1.0] => [f64::INFINITY];
        edge "echidna 0.12: a quotient of 1e-200" not "an overflow of the squared divisor":
            [v([1e-200]), v([1e-200])], |x| x[0] / x[1], dy [1.0] => [1e200] [-1e200];
        smooth "CppAD and echidna: x/x" not "a constant, folded when it was recorded":
            [v([4.0])], |x| x[0].div(x[0]) * x[0], dy [-2.5] => [-2.5];
        smooth "Stan #1569: both factors times the cotangent" not "one factor times 1":
            [v([2.0]), v([7.0])], |x| x[0] * x[1] + x[0], dy [-2.5] => [-20.0] [-5.0];
    });
}

#[test]
fn what_comes_from_behind_a_factor_may_leave_the_range_with_the_cotangent() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1e200, 2.0, 1e-300]));
    let slope = vjp(x.prod(), &x, tape.scalar(1e200)).value();
    assert_eq!(slope.as_slice()[..2], [2e-100, 1e100]);
}
