//! Powers at a base of 0, and products with factors of 0.

use super::row::{AtInfinity, Row, run};
use autograd::Float;

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

table! {
    powers<T> of T:
    "x^0 at 0" [0.0], |x| x[0].pow_scalar(0.0), value [1.0], first [0.0], second [0.0] => Selected;
    "x^1 at 0" [0.0], |x| x[0].pow_scalar(1.0), value [0.0], first [1.0], second [0.0] => Selected;
    "x^2 at 0" [0.0], |x| x[0].pow_scalar(2.0), value [0.0], first [0.0], second [2.0] => Smooth;
    "x^3 at 0" [0.0], |x| x[0].pow_scalar(3.0), value [0.0], first [0.0], second [0.0] => Smooth;
    "x^−1 at 0" [0.0], |x| x[0].pow_scalar(-1.0), value [INF], first [-INF] => Selected;
    "x^½ at 0" [0.0], |x| x[0].pow_scalar(0.5), value [0.0], first [INF] => Selected;
    "x^3 at −2" [-2.0], |x| x[0].pow_scalar(3.0), value [-8.0], first [12.0], second [-12.0] => Smooth;
    "x^−2 at −2" [-2.0], |x| x[0].pow_scalar(-2.0), value [0.25], first [0.25], second [0.375] => Smooth;
    "0^0 of variables" [0.0] [0.0], |x| x[0].pow(x[1]), value [1.0], first [0.0] [0.0] => Selected;
    "0^2 of variables" [0.0] [2.0], |x| x[0].pow(x[1]), value [0.0], first [0.0] [0.0], second [2.0] [0.0] => Mixed;
    "0^1 of variables" [0.0] [1.0], |x| x[0].pow(x[1]), value [0.0], first [1.0] [0.0] => Smooth;
    "0^½ of variables" [0.0] [0.5], |x| x[0].pow(x[1]), value [0.0], first [INF] [0.0] => Smooth;
    "0^−1 of variables" [0.0] [-1.0], |x| x[0].pow(x[1]), value [INF], first [-INF] [-INF] => Selected;
    "a negative base has no derivative by a variable exponent" [-2.0] [3.0], |x| x[0].pow(x[1]), value [-8.0],
        first [12.0] [NAN] => Mixed;
    "pow(x, x) at 1" [1.0], |x| x[0].pow(x[0]), value [1.0], first [1.0], second [2.0] => Mixed;
}

table! {
    products<T> of T:
    "prod with one zero" [2.0, 0.0, 3.0], |x| x[0].prod(), value [0.0], first [0.0, 6.0, 0.0],
        second [3.0, 5.0, 2.0] => Mixed;
    "prod with two zeros" [2.0, 0.0, 0.0], |x| x[0].prod(), value [0.0], first [0.0, 0.0, 0.0],
        second [0.0, 2.0, 2.0] => Mixed;
    "prod of a zero alone" [0.0], |x| x[0].prod(), value [0.0], first [1.0], second [0.0] => Mixed;
    "prod with a factor of ∞" [2.0, INF], |x| x[0].prod(), value [INF], first [INF, 2.0] => Selected;
    "cumprod with zeros" [2.0, 0.0, 3.0, 0.0], |x| x[0].cumprod(0), value [2.0, 0.0, 0.0, 0.0],
        first [1.0, 8.0, 0.0, 0.0], second [4.0, 12.0, 2.0, 6.0] => Mixed;
    "cumprod with a factor of ∞" [2.0, INF], |x| x[0].cumprod(0), value [2.0, INF], first [INF, 2.0] => Mixed;
}

#[test]
fn powers_of_zero_have_the_derivatives_that_exist() {
    run(&powers::<f64>());
    run(&powers::<f32>());
}

#[test]
fn products_are_exact_at_zeros_at_both_orders() {
    run(&products::<f64>());
    run(&products::<f32>());
}
