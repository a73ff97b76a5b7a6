//! Maxima over axes, orders, masks and indices.

use super::row::{AtInfinity, Row, run};
use autograd::{Float, Order, Pool};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;

table! {
    extremes<T> of T:
    "max with a tie" [1.0, 1.0, 0.0], |x| x[0].max(), value [1.0], first [0.5, 0.5, 0.0],
        second [0.0, 0.0, 0.0] => Selected;
    "max over an axis with a tie" [1.0, 1.0, 0.0], |x| x[0].max_axes(0), value [1.0], first [0.5, 0.5, 0.0],
        second [0.0, 0.0, 0.0] => Selected;
    "min with a tie" [2.0, 1.0, 1.0], |x| x[0].min(), value [1.0], first [0.0, 0.5, 0.5],
        second [0.0, 0.0, 0.0] => Selected;
    "max without a tie" [1.0, 0.0], |x| x[0].max(), value [1.0], first [1.0, 0.0], second [0.0, 0.0] => Selected;
    "max of zeros of both signs" [0.0, -0.0], |x| x[0].max(), value [0.0], first [0.5, 0.5] => Selected;
    "max with a NaN" [1.0, NAN, 2.0], |x| x[0].max(), value [NAN], first [0.0, 1.0, 0.0] => Selected;
    "max of −∞ alone" [-INF, -INF], |x| x[0].max(), value [-INF], first [0.5, 0.5] => Selected;
    "norm ∞ with a tie" [3.0, -3.0, 1.0], |x| x[0].norm(INF, ..), value [3.0], first [0.5, -0.5, 0.0],
        second [0.0, 0.0, 0.0] => Selected;
    "norm ∞ at 0" [0.0, 0.0], |x| x[0].norm(INF, ..), value [0.0], first [0.0, 0.0], second [0.0, 0.0] => Selected;
    "max_pool2d of four equal ones" [7.0, 7.0, 7.0, 7.0],
        |x| x[0].reshape([1, 1, 2, 2]).max_pool2d(Pool::new([2, 2])).reshape([1]), value [7.0],
        first [1.0, 0.0, 0.0, 0.0], second [0.0, 0.0, 0.0, 0.0] => Selected;
}

table! {
    orders<T> of T:
    "sort with ties is stable" [2.0, 1.0, 2.0, 1.0],
        |x| x[0].sort(0, Order::Ascending) * weights(x[0], &[1.0, 10.0, 100.0, 1000.0]), value [1.0, 10.0, 200.0, 2000.0],
        first [100.0, 1.0, 1000.0, 10.0], second [0.0, 0.0, 0.0, 0.0] => Selected;
    "descending sort with ties is stable" [1.0, 2.0, 1.0, 2.0],
        |x| x[0].sort(0, Order::Descending) * weights(x[0], &[1.0, 10.0, 100.0, 1000.0]), value [2.0, 20.0, 100.0, 1000.0],
        first [100.0, 1.0, 1000.0, 10.0], second [0.0, 0.0, 0.0, 0.0] => Selected;
    // A permutation that is not its own inverse tells a gather from a scatter.
    "sort by a 3-cycle, of squares" [3.0, 1.0, 2.0],
        |x| x[0].square().sort(0, Order::Ascending) * weights(x[0], &[1.0, 10.0, 100.0]), value [1.0, 40.0, 900.0],
        first [600.0, 2.0, 40.0], second [200.0, 2.0, 20.0] => Smooth;
    "topk with a tie takes the first" [5.0, 7.0, 7.0], |x| x[0].topk(1, 0, Order::Descending).0, value [7.0],
        first [0.0, 1.0, 0.0], second [0.0, 0.0, 0.0] => Selected;
    "gather with a repeated index" [5.0, 7.0], |x| x[0].gather(0, &[0, 0, 1]), value [5.0, 5.0, 7.0],
        first [2.0, 1.0], second [0.0, 0.0] => Selected;
    "gather leaves out" [5.0, 7.0, 9.0], |x| x[0].gather(0, &[2, 0]), value [9.0, 5.0],
        first [1.0, 0.0, 1.0], second [0.0, 0.0, 0.0] => Selected;
}

table! {
    masks<T> of T:
    "where(x > 0, √x, 0) at 0" [0.0], |x| positive(x[0]).select(x[0].sqrt(), zero(x[0])), value [0.0],
        first [0.0], second [0.0] => Mixed;
    "where(x > 0, √x, 0) below 0" [-1.0], |x| positive(x[0]).select(x[0].sqrt(), zero(x[0])), value [0.0],
        first [0.0], second [0.0] => Mixed;
    "where(x > 0, log x, 0) at 0" [0.0], |x| positive(x[0]).select(x[0].log(), zero(x[0])), value [0.0],
        first [0.0], second [0.0] => Mixed;
    "where(x > 0, 0, 1/x) at 0 tells the pole" [0.0], |x| positive(x[0]).select(zero(x[0]), x[0].reciprocal()),
        value [INF], first [-INF] => Selected;
    "where(x > 0, 0, e^(10⁴x²)) keeps an overflow to the branch that is taken" [-1.0, 1e4],
        |x| positive(x[0]).select(zero(x[0]), (x[0] * x[0] * T::of(1e4)).exp()), value [INF, 0.0],
        first [-INF, 0.0] => Mixed;
    "where(c, x, x)" [-1.0, 2.0], |x| positive(x[0]).select(x[0], x[0]), value [-1.0, 2.0], first [1.0, 1.0],
        second [0.0, 0.0] => Selected;
    "where(c, a, b) selects" [-1.0, 2.0] [5.0, 6.0] [7.0, 8.0], |x| positive(x[0]).select(x[1], x[2]),
        value [7.0, 6.0], first [0.0, 0.0] [0.0, 1.0] [1.0, 0.0], second [0.0, 0.0] [0.0, 0.0] [0.0, 0.0] => Selected;
    "comparisons have no derivative" [1.0] [1.0], |x| x[0].eq(x[1]) + x[0].le(x[1]), value [2.0], first [0.0] [0.0],
        second [0.0] [0.0] => Selected;
}

fn positive<'t, T: Float>(x: autograd::Var<'t, T>) -> autograd::Var<'t, T> {
    x.gt(zero(x))
}

fn zero<'t, T: Float>(x: autograd::Var<'t, T>) -> autograd::Var<'t, T> {
    x.tape().scalar(T::ZERO)
}

fn weights<'t, T: Float>(x: autograd::Var<'t, T>, w: &[f64]) -> autograd::Var<'t, T> {
    x.tape().var(&autograd::Tensor::from(w.iter().map(|&w| T::of(w)).collect::<Vec<T>>()))
}

#[test]
fn an_extreme_splits_over_ties_and_selects() {
    run(&extremes::<f64>());
    run(&extremes::<f32>());
}

#[test]
fn an_order_moves_each_cotangent_to_where_its_element_came_from() {
    run(&orders::<f64>());
    run(&orders::<f32>());
}

#[test]
fn the_branch_that_is_not_taken_contributes_exactly_nothing() {
    run(&masks::<f64>());
    run(&masks::<f32>());
}
