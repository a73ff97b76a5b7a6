//! Singular matrices, and what products and solves do with infinities.

use super::row::{AtInfinity, Row, run};
use autograd::{Float, Tape, Tensor, Var, grad};

fn square<'t, T: Float>(x: Var<'t, T>) -> Var<'t, T> {
    let n = x.numel().isqrt();
    x.reshape([n, n])
}

table! {
    singular<T> of T:
    "det of a singular 2 × 2 matrix" [1.0, 2.0, 2.0, 4.0], |x| square(x[0]).det(), value [0.0],
        first [4.0, -2.0, -2.0, 1.0], second [1.0, -1.0, -1.0, 1.0] => Mixed;
    "det of a regular 2 × 2 matrix" [2.0, 0.0, 0.0, 4.0], |x| square(x[0]).det(), value [8.0],
        first [4.0, 0.0, 0.0, 2.0], second [1.0, -1.0, -1.0, 1.0] => Mixed;
    "det of zero, 2 × 2" [0.0, 0.0, 0.0, 0.0], |x| square(x[0]).det(), value [0.0], first [0.0, 0.0, 0.0, 0.0],
        second [1.0, -1.0, -1.0, 1.0] => Mixed;
    "det of rank 2 of 3" [1.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0], |x| square(x[0]).det(), value [0.0],
        first [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0] => Mixed;
    "det of rank 2 of 3, a row twice" [1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 4.0, 4.0, 8.0], |x| square(x[0]).det(),
        value [0.0], first [4.0, 4.0, -4.0, -4.0, -4.0, 4.0, 0.0, 0.0, 0.0] => Mixed;
    "det of rank 1 of 3" [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], |x| square(x[0]).det(), value [0.0],
        first [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0] => Mixed;
    "det of a number" [0.0], |x| square(x[0]).det().reshape([1]), value [0.0], first [1.0], second [0.0] => Mixed;
    "logabsdet of a singular matrix" [0.0], |x| square(x[0]).logabsdet(), value [f64::NEG_INFINITY],
        first [f64::INFINITY] => Mixed;
}

#[test]
fn a_determinant_has_its_derivative_at_singular_matrices_too() {
    run(&singular::<f64>());
    run(&singular::<f32>());
}

/// The absolute zero stops where numbers are multiplied and added by a kernel for matrices.
#[test]
fn products_and_solves_of_matrices_follow_ieee() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 0.0]));
    let infinite = tape.var(&Tensor::from_rows([[f64::INFINITY, 0.0], [0.0, 1.0]]));
    let y = x.matmul(infinite).narrow(0, 1, 1).sum(); // 1·0 + 0·1
    assert_eq!(y.item(), 0.0);
    assert!(grad(y, &x).value().at([0]).is_nan(), "0 · ∞ + 1 · 0");
    let indefinite = tape.var(&Tensor::from_rows([[-1.0]]));
    let factor = indefinite.cholesky().sum();
    assert!(factor.item().is_nan() && grad(factor, &indefinite).item().is_nan());
    let singular = tape.var(&Tensor::from_rows([[1.0, 2.0], [2.0, 4.0]]));
    assert!(singular.inv().value().as_slice().iter().all(|x| !x.is_finite()));
}
