//! Softmax, log-softmax and log-sum-exp of large, infinite and absent scores.

use super::row::{AtInfinity, Row, run};
use autograd::{Float, Tape, Tensor, Var, grad};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

/// The `i`-th element, so that a row of the Jacobian shows.
fn at<'t, T: Float>(x: Var<'t, T>, i: usize) -> Var<'t, T> {
    x.narrow(0, i, 1)
}

table! {
    log_sum_exp<T> of T:
    "of −∞ alone" [-INF, -INF], |x| x[0].logsumexp(0), value [-INF], first [0.0, 0.0], second [0.0, 0.0] => Mixed;
    "of one ∞" [INF, 0.0], |x| x[0].logsumexp(0), value [INF], first [1.0, 0.0], second [0.0, 0.0] => Smooth;
    "of two ∞" [INF, INF], |x| x[0].logsumexp(0), value [INF], first [0.5, 0.5] => Mixed;
    "with one −∞" [-INF, 0.0], |x| x[0].logsumexp(0), value [0.0], first [0.0, 1.0], second [0.0, 0.0] => Mixed;
    "with a NaN" [NAN, 0.0], |x| x[0].logsumexp(0), value [NAN], first [NAN, NAN] => Mixed;
    "of large equal scores" [1e8, 1e8, 1e8, 1e8], |x| x[0].logsumexp(0), value [1e8 + 4_f64.ln()],
        first [0.25, 0.25, 0.25, 0.25], second [0.0, 0.0, 0.0, 0.0] => Mixed;
    "of one score" [3.0], |x| x[0].logsumexp(0), value [3.0], first [1.0], second [0.0] => Smooth;
}

table! {
    soft<T> of T:
    "softmax of (1e4, 0)" [1e4, 0.0], |x| at(x[0].softmax(0), 0), value [1.0], first [0.0, 0.0],
        second [0.0, 0.0] => Mixed;
    "softmax of (−∞, 0)" [-INF, 0.0], |x| at(x[0].softmax(0), 0), value [0.0], first [0.0, 0.0],
        second [0.0, 0.0] => Mixed;
    "softmax of (0, 0)" [0.0, 0.0], |x| at(x[0].softmax(0), 0), value [0.5], first [0.25, -0.25],
        second [0.0, 0.0] => Mixed;
    "softmax of −∞ alone" [-INF, -INF], |x| at(x[0].softmax(0), 0), value [NAN], first [NAN, NAN] => Mixed;
    "softmax with an ∞" [INF, 0.0], |x| at(x[0].softmax(0), 0), value [NAN], first [NAN, NAN] => Mixed;
    "log_softmax of (−∞, 0)" [-INF, 0.0], |x| at(x[0].log_softmax(0), 0), value [-INF], first [1.0, -1.0],
        second [0.0, 0.0] => Mixed;
    "log_softmax of (1e4, 0)" [1e4, 0.0], |x| at(x[0].log_softmax(0), 1), value [-1e4], first [-1.0, 1.0],
        second [0.0, 0.0] => Mixed;
    "log_softmax of −∞ alone" [-INF, -INF], |x| at(x[0].log_softmax(0), 0), value [NAN], first [NAN, NAN] => Mixed;
}

table! {
    extremes of f64:
    "logsumexp of scores of 1e16" [1e16, 1e16], |x| x[0].logsumexp(0), value [1e16], first [0.5, 0.5],
        second [0.0, 0.0] => Mixed;
}

#[test]
fn log_sum_exp_has_a_derivative_at_infinite_scores() {
    run(&log_sum_exp::<f64>());
    run(&log_sum_exp::<f32>());
}

#[test]
fn softmax_is_exact_where_it_exists_and_nan_where_it_does_not() {
    run(&soft::<f64>());
    run(&soft::<f32>());
    run(&extremes());
}

#[test]
fn the_logarithm_of_softmax_underflows_where_log_softmax_does_not() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1e4, 0.0]));
    let unfused = x.softmax(0).log().narrow(0, 1, 1);
    assert_eq!(unfused.item(), -INF);
    assert!(grad(unfused, &x).value().as_slice().iter().all(|d| d.is_nan()));
    assert_eq!(grad(x.log_softmax(0).narrow(0, 1, 1), &x).value().as_slice(), [-1.0, 1.0]);
}

/// A rule `exp(x − y)` for the derivative gives a sum of 0.997 at scores of 1e5, 0.974 at 1e6 and 3 at 1e8, in f32.
#[test]
fn the_gradient_of_log_sum_exp_of_large_scores_sums_to_one() {
    for size in [1e5, 1e6, 1e7, 1e8] {
        let tape = Tape::<f32>::default();
        let x = tape.var(&Tensor::from([size, size + 1.0, size - 2.0]));
        let total = grad(x.logsumexp(0), &x).sum().item();
        assert!((total - 1.0).abs() <= 2.0 * f32::EPSILON, "{total} at {size}");
    }
}
