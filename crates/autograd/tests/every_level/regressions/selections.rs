//! Extremes, ties, orders and masks.

use super::case::{Case, m, run, t, v};
use autograd::{Order, Pool, Var};

/// 1 where `x` is above 0.
fn positive(x: Var<'_>) -> Var<'_> {
    x.gt(x.tape().scalar(0.0))
}

#[test]
fn extremes_share_one_cotangent_and_select() {
    run(&cases! {
        edge "candle, dfdx: the maximum of (2, 2, 1)" not "1, 1, 0": [v([2.0, 2.0, 1.0])], |x| x[0].max_axes(0),
            dy [-2.5] => [-1.25, -1.25, 0.0];
        edge "dfdx #380: zeros of both signs tie" not "1, 0": [v([0.0, -0.0])], |x| x[0].max(), dy [1.0] => [0.5, 0.5];
        edge "burn 0.22.0, rust-autograd: maximum at a tie" not "1 and 0; 1 and 1":
            [v([3.0, 1.0]), v([3.0, 2.0])], |x| x[0].maximum(x[1]), dy [1.0, 10.0] => [0.5, 0.0] [0.5, 10.0];
        smooth "candle #534: minimum" not "a right side that was subtracted":
            [v([1.0, 5.0]), v([2.0, 3.0])], |x| x[0].minimum(x[1]), dy [1.0, 10.0] => [1.0, 0.0] [0.0, 10.0];
        smooth "burn #3555: the maximum over the first axis" not "a scatter along the last":
            [m([[1.0, 5.0], [4.0, 2.0]])], |x| x[0].max_axes(0), dy [1.0, 10.0] => [0.0, 10.0, 1.0, 0.0];
        smooth "candle 0.11.1: max_pool2d" not "0.25 for the largest": [t([1, 1, 2, 2], [1.0, 2.0, 3.0, 4.0])],
            |x| x[0].max_pool2d(Pool::new([2, 2])), dy [1.0] => [0.0, 0.0, 0.0, 1.0];
        edge "candle 0.11.1: max_pool2d of four ties" not "a sum of 4": [t([1, 1, 2, 2], [7.0, 7.0, 7.0, 7.0])],
            |x| x[0].max_pool2d(Pool::new([2, 2])), dy [1.0] => [1.0, 0.0, 0.0, 0.0];
        smooth "overlapping pools share an element" not "its last cotangent":
            [t([1, 1, 1, 3], [1.0, 3.0, 2.0])],
            |x| x[0].max_pool2d(Pool { stride: [1, 1], ..Pool::new([1, 2]) }), dy [1.0, 10.0] => [0.0, 11.0, 0.0];
    });
}

#[test]
fn orders_scatter_by_the_inverse_permutation() {
    run(&cases! {
        smooth "MLX #3700: sort by a 3-cycle" not "20, 30, 10, gathered by the permutation itself":
            [v([3.0, 1.0, 2.0])], |x| x[0].sort(0, Order::Ascending), dy [10.0, 20.0, 30.0] => [30.0, 10.0, 20.0];
        smooth "MLX #4117: sort of squares at the second order" not "a wrong second order":
            [v([3.0, 1.0, 2.0])], |x| x[0].square().sort(0, Order::Ascending), dy [10.0, 20.0, 30.0] => [180.0, 20.0, 80.0];
        smooth "burn #3555: sort along the first axis" not "a scatter along the last":
            [m([[1.0, 5.0], [4.0, 2.0]])], |x| x[0].sort(0, Order::Ascending), dy [1.0, 10.0, 100.0, 1000.0] =>
            [1.0, 1000.0, 100.0, 10.0];
        smooth "burn through 0.22.0-pre.2: topk" not "a panic": [v([1.0, 3.0, 2.0])],
            |x| x[0].topk(2, 0, Order::Descending).0, dy [10.0, 100.0] => [0.0, 10.0, 100.0];
    });
}

#[test]
fn masks_select() {
    run(&cases! {
        edge "PyTorch #4132 and ten more, JAX #347: where(x > 0, √x, 0)" not "NaN": [v([-1.0, 0.0, 4.0])],
            |x| positive(x[0]).select(x[0].sqrt(), x[0].tape().scalar(0.0)), dy [1.0, 10.0, 100.0] => [0.0, 0.0, 25.0];
        edge "Enzyme #101: x ≥ 0 ? x : 0" not "0": [v([-1.0, 0.0, 2.0])],
            |x| x[0].ge(x[0].tape().scalar(0.0)).select(x[0], x[0].tape().scalar(0.0)), dy [1.0, 10.0, 100.0] =>
            [0.0, 10.0, 100.0];
        edge "MLX #3627: where with a constant on the true side" not "0 for both": [v([-1.0, 2.0])],
            |x| positive(x[0]).select(x[0].tape().scalar(5.0), x[0]), dy [1.0, 10.0] => [1.0, 0.0];
        edge "where with a constant on the false side" not "0 for both": [v([-1.0, 2.0])],
            |x| positive(x[0]).select(x[0], x[0].tape().scalar(5.0)), dy [1.0, 10.0] => [0.0, 10.0];
        edge "JAX #23842, #22398, #25791: log-sum-exp with a masked score of 100" not "NaN":
            [v([100.0, 1.0, 2.0]), v([0.0, 1.0, 1.0])],
            |x| positive(x[1]).select(x[0], x[0].tape().scalar(f64::NEG_INFINITY)).logsumexp(0), dy [1.0] =>
            [0.0, 0.2689414213699951, 0.7310585786300049] [0.0, 0.0, 0.0];
        edge "a masked row of softmax that has no other score" not "NaN": [v([f64::NEG_INFINITY, 1.0])],
            |x| {
                let rows = x[0].expand_dims(1).softmax(1).squeeze(1);
                positive(x[0]).select(rows, x[0].tape().scalar(0.0))
            },
            dy [1.0, 10.0] => [0.0, 0.0];
        smooth "JAX e5284e7893: a weight of 0 in a sum of exponentials" not "0 for the weight":
            [v([1.0, 2.0]), v([0.0, 1.0])], |x| (x[1] * x[0].exp()).sum().log(), dy [1.0] =>
            [0.0, 1.0] [(-1.0_f64).exp(), 1.0];
    });
}
