//! Broadcasting, views, joining and indexing.

use super::case::{Case, m, run, t, v};
use autograd::{Slice, concat, stack};

#[test]
fn a_broadcast_operand_gets_the_sum_of_its_cotangents() {
    run(&cases! {
        smooth "rust-autograd: a bias [2] under [3, 2]" not "a panic":
            [v([1.0, 2.0]), m([[0.5, 1.0], [2.0, 0.1], [1.0, 3.0]])], |x| x[0] + x[1],
            dy [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] => [9.0, 12.0] [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        smooth "burn #312, #686: subtraction of a broadcast operand" not "a gradient of the wrong shape":
            [m([[1.0], [2.0]]), v([3.0, 5.0])], |x| x[0] - x[1], dy [1.0, 10.0, 100.0, 1000.0] =>
            [11.0, 1100.0] [-101.0, -1010.0];
        smooth "rust-autograd #38: a scalar factor" not "a sum taken before the product":
            [v([1.0, 2.0, 3.0]), t([], [5.0])], |x| x[0] * x[1], dy [1.0, 10.0, 100.0] =>
            [5.0, 50.0, 500.0] [321.0];
        smooth "PyTorch #13669: a scalar used twice" not "5436 for 2721": [t([], [2.0]), v([1.0, 2.0])],
            |x| x[0] * x[1] + x[0], dy [1.0, 10.0] => [32.0] [2.0, 20.0];
        smooth "MLX #610: broadcast up, then reduce" not "0": [t([], [2.0]), v([1.0, 2.0, 3.0])],
            |x| (x[0] + x[1] * 0.5).sum(), dy [-2.5] => [-7.5] [-1.25, -1.25, -1.25];
        smooth "burn through 0.22.0-pre.2: a repeated vector" not "11, 1100": [v([1.0, 2.0])],
            |x| concat(&[x[0], x[0]], 0), dy [1.0, 10.0, 100.0, 1000.0] => [101.0, 1010.0];
        smooth "rust-autograd: tile" not "1111": [v([1.0, 2.0])], |x| x[0].broadcast_to([2, 2]).reshape([4]),
            dy [1.0, 10.0, 100.0, 1000.0] => [101.0, 1010.0];
        smooth "candle PR #3507: an enlarged image used twice" not "4, an overwritten term": [v([3.0])],
            |x| x[0].broadcast_to([4]).sum() + x[0].sum(), dy [1.0] => [5.0];
        smooth "the same, in the other order" not "4, an overwritten term": [v([3.0])],
            |x| x[0].sum() + x[0].broadcast_to([4]).sum(), dy [1.0] => [5.0];
        smooth "scirs2 #103: a sum" not "its cotangent not broadcast": [v([1.0, 2.0, 3.0])], |x| x[0].sum(),
            dy [-2.5] => [-2.5, -2.5, -2.5];
    });
}

#[test]
fn a_view_and_its_adjoint_are_a_pair() {
    run(&cases! {
        smooth "rust-autograd: transposition" not "undefined behaviour": [m([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])],
            |x| x[0].t(), dy [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] => [1.0, 3.0, 5.0, 2.0, 4.0, 6.0];
        smooth "JAX #865: a transposition that is not its own inverse" not "the permutation again":
            [t([1, 2, 3], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0])], |x| x[0].transpose(&[2, 0, 1]),
            dy [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] => [1.0, 3.0, 5.0, 2.0, 4.0, 6.0];
        smooth "JAX b1631ce596: reshape of a transposed operand" not "its elements out of order":
            [m([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])], |x| x[0].t().reshape([6]),
            dy [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] => [1.0, 3.0, 5.0, 2.0, 4.0, 6.0];
        smooth "a slice with a stride that does not divide" not "a gradient that is short by one":
            [v([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])], |x| x[0].slice([Slice::from(1..).step(3)]), dy [1.0, 10.0] =>
            [0.0, 1.0, 0.0, 0.0, 10.0, 0.0];
        smooth "JAX #7461: overlapping slices, x[1:] = 1 + x[:-1]" not "what an overlapping write in place gives":
            [v([1.0, 2.0, 3.0])],
            |x| concat(&[x[0].narrow(0, 0, 1), x[0].narrow(0, 0, 2) + 1.0], 0), dy [1.0, 10.0, 100.0] =>
            [11.0, 100.0, 0.0];
        smooth "PyTorch #193061: views joined again" not "a stale region": [v([1.0, 2.0, 3.0])],
            |x| concat(&[x[0].narrow(0, 1, 2), x[0].flip(&[0])], 0), dy [1.0, 2.0, 3.0, 4.0, 5.0] =>
            [5.0, 5.0, 5.0];
        smooth "PyTorch #182012: a diagonal" not "all zero": [m([[1.0, 2.0], [3.0, 4.0]])],
            |x| x[0].diagonal(0, 1), dy [1.0, 10.0] => [1.0, 0.0, 0.0, 10.0];
    });
}

#[test]
fn each_part_of_a_joint_gets_its_own_cotangents() {
    run(&cases! {
        smooth "burn #402, taper #19: parts of unequal size" not "parts of size 1":
            [v([1.0, 2.0]), v([3.0]), v([4.0, 5.0])], |x| concat(x, 0), dy [1.0, 2.0, 3.0, 4.0, 5.0] =>
            [1.0, 2.0] [3.0] [4.0, 5.0];
        smooth "burn #4069: a constant between variables" not "slices that were shifted":
            [v([1.0, 2.0]), v([4.0, 5.0])],
            |x| concat(&[x[0], x[0].tape().full([2], 9.0), x[1]], 0), dy [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] =>
            [1.0, 2.0] [5.0, 6.0];
        smooth "ReverseDiff #145: joined along the second axis" not "no gradient":
            [m([[1.0], [2.0]]), m([[3.0], [4.0]])],
            |x| concat(&[x[0], x[1]], 1), dy [1.0, 10.0, 100.0, 1000.0] => [1.0, 100.0] [10.0, 1000.0];
        smooth "a stack" not "the cotangents of a concatenation": [v([1.0, 2.0]), v([3.0, 4.0])],
            |x| stack(&[x[0], x[1]], 1), dy [1.0, 10.0, 100.0, 1000.0] => [1.0, 100.0] [10.0, 1000.0];
        smooth "split, one part of it used" not "the cotangent of the other part": [v([1.0, 2.0, 3.0])],
            |x| x[0].split(&[1, 2], 0)[1].square(), dy [1.0, 10.0] => [0.0, 4.0, 60.0];
    });
}

#[test]
fn repeated_indices_add_up() {
    run(&cases! {
        smooth "PyTorch #1631, mxnet #9172, Paddle #17662: gather" not "1, 100, the last one": [v([5.0, 7.0])],
            |x| x[0].gather(0, &[0, 0, 1]), dy [1.0, 10.0, 100.0] => [11.0, 100.0];
        smooth "embedding of a repeated word" not "its last row": [m([[1.0, 2.0], [3.0, 4.0]])],
            |x| x[0].embedding(&[1, 0, 1]), dy [1.0, 2.0, 3.0, 4.0, 5.0, 6.0] => [3.0, 4.0, 6.0, 8.0];
        smooth "burn #4064, #1739, candle: scatter_add" not "an error, or a value scattered, not gathered":
            [v([1.0, 2.0, 3.0, 4.0]), v([5.0, 6.0])],
            |x| x[0].scatter_add(0, &x[0].tape().indices([2], &[2, 1]), x[1]), dy [1.0, 10.0, 100.0, 1000.0] =>
            [1.0, 10.0, 100.0, 1000.0] [100.0, 10.0];
        smooth "fewer indices than rows" not "cotangents of rows that were not written":
            [m([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), m([[7.0, 8.0]])],
            |x| x[0].scatter_add(0, &x[0].tape().indices([1, 2], &[2, 0]), x[1]).square(),
            dy [1.0, 1.0, 1.0, 1.0, 1.0, 1.0] => [2.0, 20.0, 6.0, 8.0, 24.0, 12.0] [24.0, 20.0];
        smooth "PyTorch #171493: index_add, and its result read twice" not "a value read before it was written":
            [v([1.0, 2.0]), v([3.0, 4.0])],
            |x| {
                let y = x[0].index_add(0, &[1, 1], x[1]);
                y * y
            },
            dy [1.0, 10.0] => [2.0, 180.0] [180.0, 180.0];
        smooth "an index from the end" not "an index of its own": [v([5.0, 7.0])],
            |x| x[0].gather(0, &x[0].tape().indices([2], &[-1, 1])), dy [1.0, 10.0] => [0.0, 11.0];
    });
}
