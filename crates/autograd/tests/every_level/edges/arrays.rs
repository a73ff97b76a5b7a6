//! Running extremes, quantiles, writing by index, masks, and solves of batches.

use super::row::{AtInfinity, Row, run};
use autograd::{Float, Tape, Tensor, Triangular, Var, grad};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

table! {
    running<T> of T:
    "cummax with ties: the last of equal ones" [1.0, 3.0, 2.0, 3.0], |x| x[0].cummax(0), value [1.0, 3.0, 3.0, 3.0],
        first [1.0, 2.0, 0.0, 1.0], second [0.0, 0.0, 0.0, 0.0] => Selected;
    "cummin with ties: the last of equal ones" [2.0, 1.0, 1.0, 4.0], |x| x[0].cummin(0), value [2.0, 1.0, 1.0, 1.0],
        first [1.0, 1.0, 2.0, 0.0], second [0.0, 0.0, 0.0, 0.0] => Selected;
    "cummax of zeros of both signs" [0.0, -0.0, 0.0], |x| x[0].cummax(0), value [0.0, 0.0, 0.0],
        first [1.0, 1.0, 1.0] => Selected;
    "cummax from a NaN on" [1.0, NAN, 2.0], |x| x[0].cummax(0), value [1.0, NAN, NAN], first [1.0, 2.0, 0.0] => Selected;
    "cummin from a NaN on" [1.0, NAN, 0.0], |x| x[0].cummin(0), value [1.0, NAN, NAN], first [1.0, 2.0, 0.0] => Selected;
    "cummax of −∞" [-INF, -INF, 1.0], |x| x[0].cummax(0), value [-INF, -INF, 1.0], first [1.0, 1.0, 1.0] => Selected;
    "logcumsumexp of −∞ alone" [-INF, -INF], |x| x[0].logcumsumexp(0), value [-INF, -INF], first [0.0, 0.0] => Smooth;
    "logcumsumexp after −∞" [-INF, 1.0, -INF], |x| x[0].logcumsumexp(0), value [-INF, 1.0, 1.0],
        first [0.0, 2.0, 0.0] => Smooth;
    "logcumsumexp from an ∞ on" [0.0, INF, 0.0], |x| x[0].logcumsumexp(0), value [0.0, INF, INF],
        first [1.0, 2.0, 0.0] => Mixed;
    "logcumsumexp of two infinities" [INF, INF], |x| x[0].logcumsumexp(0), value [INF, INF], first [1.5, 0.5] => Smooth;
    "logcumsumexp keeps a small share" [0.0, -80.0], |x| x[0].logcumsumexp(0).narrow(0, 1, 1),
        value [(-80_f64).exp()], first [1.0, (-80_f64).exp()] => Smooth;
}

table! {
    quantiles<T> of T:
    "median of an even number: the mean of two" [5.0, 1.0, 2.0, 9.0], |x| x[0].median(0).reshape([1]), value [3.5],
        first [0.5, 0.0, 0.5, 0.0], second [0.0, 0.0, 0.0, 0.0] => Selected;
    "median of equal ones: as a stable sort" [2.0, 1.0, 2.0, 2.0], |x| x[0].median(0).reshape([1]), value [2.0],
        first [0.5, 0.0, 0.5, 0.0], second [0.0, 0.0, 0.0, 0.0] => Selected;
    "median with NaNs: the first" [1.0, NAN, 2.0, NAN], |x| x[0].median(0).reshape([1]), value [NAN],
        first [0.0, 1.0, 0.0, 0.0] => Selected;
    "quantile 0 with a NaN" [1.0, 2.0, NAN], |x| x[0].quantile(0.0, ..).reshape([1]), value [NAN],
        first [0.0, 0.0, 1.0] => Selected;
    "median of infinities" [INF, INF], |x| x[0].median(0).reshape([1]), value [INF], first [0.5, 0.5] => Selected;
    "median between infinities" [INF, -INF], |x| x[0].median(0).reshape([1]), value [NAN], first [0.5, 0.5] => Selected;
    "a median does not overflow" [3e38, 2e38], |x| x[0].median(0).reshape([1]), value [2.5e38],
        first [0.5, 0.5] => Selected;
    "quantiles at a rank do not see the next" [1.0, 3.0, INF], |x| x[0].quantile([0.5, 0.25], 0), value [3.0, 2.0],
        first [0.5, 1.5, 0.0], second [0.0, 0.0, 0.0] => Selected;
}

table! {
    writes<T> of T:
    "scatter: the last of repeated indices wins" [1.0, 2.0, 3.0] [5.0, 7.0, 9.0], |x| scattered(x, &[1, 1, 0]),
        value [9.0, 7.0, 3.0], first [0.0, 0.0, 1.0] [0.0, 1.0, 1.0], second [0.0, 0.0, 0.0] [0.0, 0.0, 0.0] => Selected;
    "scatter: what is overwritten does not count" [INF, NAN] [INF, NAN, 7.0, 8.0], |x| scattered(x, &[0, 1, 0, 1]),
        value [7.0, 8.0], first [0.0, 0.0] [0.0, 0.0, 1.0, 1.0] => Selected;
    "scatter: an index from the end names the same place" [1.0, 2.0] [5.0, 7.0], |x| scattered(x, &[1, -1]),
        value [1.0, 7.0], first [1.0, 0.0] [0.0, 1.0] => Selected;
    "scatter of the variable itself" [1.0, 2.0, 3.0], |x| x[0].scatter(0, &x[0].tape().indices([3], &[1, 2, 2]), x[0]),
        value [1.0, 1.0, 3.0], first [2.0, 0.0, 1.0], second [0.0, 0.0, 0.0] => Selected;
    "index_copy: the last wins" [1.0, 2.0] [5.0, 7.0], |x| x[0].index_copy(0, &[1, 1], x[1]), value [1.0, 7.0],
        first [1.0, 0.0] [0.0, 1.0], second [0.0, 0.0] [0.0, 0.0] => Selected;
    "index_max: tied elements share" [2.0, 1.0, 5.0] [2.0, 2.0, 4.0], |x| x[0].index_max(0, &[0, 0, 1], x[1]),
        value [2.0, 4.0, 5.0], first [1.0 / 3.0, 0.0, 1.0] [1.0 / 3.0, 1.0 / 3.0, 1.0] => Selected;
    "index_max beside −∞" [-INF, -INF] [3.0, -INF, 1.0], |x| x[0].index_max(0, &[0, 0, 0], x[1]), value [3.0, -INF],
        first [0.0, 1.0] [1.0, 0.0, 0.0], second [0.0, 0.0] [0.0, 0.0, 0.0] => Selected;
    "index_min of a NaN" [1.0, 2.0] [NAN, 0.0], |x| x[0].index_min(0, &[1, 1], x[1]), value [1.0, NAN],
        first [1.0, 0.0] [1.0, 0.0] => Selected;
    "scatter_max of what falls on nothing" [1.0, 2.0] [], |x| x[0].scatter_max(0, &x[0].tape().indices([0], &[]), x[1]),
        value [1.0, 2.0], first [1.0, 1.0] [], second [0.0, 0.0] [] => Selected;
    "masked_fill of ∞ and NaN" [INF, NAN, 2.0] [1.0, 1.0, 0.0], |x| x[0].masked_fill(x[1], 0.0), value [0.0, 0.0, 2.0],
        first [0.0, 0.0, 1.0] [0.0, 0.0, 0.0], second [0.0, 0.0, 0.0] [0.0, 0.0, 0.0] => Selected;
    "masked_fill over log at 0" [0.0, 1.0], |x| x[0].log().masked_fill(x[0].le(zero(x[0])), 0.0), value [0.0, 0.0],
        first [0.0, 1.0], second [0.0, -1.0] => Mixed;
    "masked_select leaves out" [INF, 2.0, NAN], |x| x[0].masked_select(&[false, true, false]), value [2.0],
        first [0.0, 1.0, 0.0], second [0.0, 0.0, 0.0] => Selected;
    "diag on a diagonal beside the main one" [1.0, 2.0], |x| x[0].diag(-1).reshape([9]),
        value [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 2.0, 0.0], first [1.0, 1.0], second [0.0, 0.0] => Selected;
}

fn zero<'t, T: Float>(x: Var<'t, T>) -> Var<'t, T> {
    x.tape().scalar(T::ZERO)
}

fn scattered<'t, T: Float>(x: &[Var<'t, T>], index: &[i64]) -> Var<'t, T> {
    x[0].scatter(0, &x[0].tape().indices([index.len()], index), x[1])
}

#[test]
fn running_extremes_follow_the_last_of_equal_ones_and_running_sums_of_exponentials_their_limits() {
    run(&running::<f64>());
    run(&running::<f32>());
}

#[test]
fn a_quantile_follows_its_neighbours_in_a_stable_order_and_a_nan() {
    run(&quantiles::<f64>());
    run(&quantiles::<f32>());
}

#[test]
fn what_is_overwritten_or_masked_contributes_exactly_nothing() {
    run(&writes::<f64>());
    run(&writes::<f32>());
}

#[test]
fn a_singular_matrix_of_a_batch_spoils_its_own_solution_alone() {
    let tape = Tape::new();
    let a = tape.var(&Tensor::new([2, 2, 2], vec![1.0, 2.0, 2.0, 4.0, 2.0, 0.0, 0.0, 4.0]));
    let b = tape.var(&Tensor::from([2.0, 4.0]));
    let x = a.solve(b);
    let [da] = grad(x.narrow(0, 1, 1).sum(), &[a]);
    let (x, da) = tape.values(&(x, da));
    assert_eq!(x.as_slice()[2..], [1.0, 1.0]);
    assert!(x.as_slice()[..2].iter().all(|x| !x.is_finite()));
    assert_eq!(da.as_slice()[4..], [-0.5, -0.5, -0.25, -0.25]);
}

#[test]
fn as_in_pytorch_a_right_side_of_the_shape_of_the_batch_is_a_vector_for_each_matrix() {
    let tape = Tape::new();
    let a = tape.var(&Tensor::new([2, 2, 2], vec![1.0, 0.0, 0.0, 1.0, 2.0, 0.0, 0.0, 2.0]));
    let b = tape.var(&Tensor::from_rows([[2.0, 4.0], [6.0, 8.0]]));
    assert_eq!(a.solve(b).value(), Tensor::from_rows([[2.0, 4.0], [3.0, 4.0]]));
    assert_eq!(a.solve(b.expand_dims(0)).shape()[..], [2, 2, 2], "columns, for all matrices");
    assert_eq!(a.triangular_solve(b, Triangular::default()).value(), Tensor::from_rows([[2.0, 4.0], [3.0, 4.0]]));
}
