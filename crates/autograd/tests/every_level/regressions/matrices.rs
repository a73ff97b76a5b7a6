//! Matrix products, convolution and normalisation.

use super::case::{Case, m, run, t, v};
use autograd::{Conv, Padding, Transposed, einsum};

#[test]
fn matrix_products_know_their_sides() {
    run(&cases! {
        smooth "neon #169: x · xᵀ" not "half of it": [m([[1.0, 2.0]])], |x| x[0].matmul(x[0].t()), dy [10.0] =>
            [20.0, 40.0];
        smooth "A · A" not "half of it": [m([[1.0, 2.0], [3.0, 4.0]])], |x| x[0].matmul(x[0]),
            dy [1.0, 0.0, 0.0, 0.0] => [2.0, 3.0, 2.0, 0.0];
        smooth "HIPS #446: a product of transposed operands" not "the axes exchanged":
            [m([[1.0], [2.0]]), m([[3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])],
            |x| x[0].matmul_with(x[1], Transposed::BOTH), dy [1.0, 10.0, 100.0] =>
            [753.0, 864.0] [1.0, 2.0, 10.0, 20.0, 100.0, 200.0];
        smooth "HIPS #446: tensordot over two axes" not "the axes exchanged":
            [t([1, 2, 2], [1.0, 2.0, 3.0, 4.0]), t([2, 2, 1], [5.0, 6.0, 7.0, 8.0])],
            |x| einsum("aij,jib->ab", &[x[0], x[1]]), dy [10.0] =>
            [50.0, 70.0, 60.0, 80.0] [10.0, 30.0, 20.0, 40.0];
        smooth "a batch times one matrix" not "the matrix of the last batch":
            [t([2, 1, 1], [2.0, 3.0]), m([[5.0]])], |x| x[0].matmul(x[1]), dy [1.0, 10.0] => [5.0, 50.0] [32.0];
    });
}

#[test]
fn convolutions_use_every_cotangent_and_drop_what_no_window_reads() {
    run(&cases! {
        smooth "burn #248: the bias" not "the number of elements": [t([1, 1, 1, 2], [1.0, 2.0]), v([0.5])],
            |x| {
                let one = x[0].tape().full([1, 1, 1, 1], 1.0);
                x[0].conv2d(one, Some(x[1]), Conv::default())
            },
            dy [1.0, 10.0] => [1.0, 10.0] [11.0];
        smooth "candle #1212, #1214: the kernel, with a stride" not "a kernel gradient that is too large":
            [t([1, 1, 3, 3], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]), t([1, 1, 1, 1], [2.0])],
            |x| x[0].conv2d(x[1], None, Conv { stride: [2, 2], ..Conv::default() }),
            dy [1.0, 10.0, 100.0, 1000.0] => [2.0, 0.0, 20.0, 0.0, 0.0, 0.0, 200.0, 0.0, 2000.0] [9731.0];
        smooth "burn #4799: a tail that no window reads" not "an input gradient that forgets the tail":
            [t([1, 1, 4], [1.0, 2.0, 3.0, 4.0]), t([1, 1, 1], [2.0])],
            |x| x[0].conv1d(x[1], None, Conv { stride: [3], ..Conv::default() }), dy [1.0, 10.0] =>
            [2.0, 0.0, 0.0, 20.0] [41.0];
        smooth "burn #1891: groups and stride, here with padding and dilation" not "a wrong gradient":
            [t([1, 2, 4], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), t([2, 1, 2], [1.0, 10.0, 100.0, 1000.0])],
            |x| x[0].conv1d(x[1], None, Conv { stride: [2], padding: [1], dilation: [3], groups: 2 }),
            dy [1.0, 2.0, 3.0, 4.0] =>
            [0.0, 2.0, 10.0, 0.0, 0.0, 400.0, 3000.0, 0.0] [4.0, 3.0, 24.0, 21.0];
        smooth "average pooling of overlapping windows" not "one window's share":
            [t([1, 1, 1, 3], [1.0, 2.0, 3.0])],
            |x| x[0].avg_pool2d(autograd::Pool { stride: [1, 1], ..autograd::Pool::new([1, 2]) }, Padding::Counts),
            dy [1.0, 10.0] => [0.5, 5.5, 5.0];
    });
}

/// candle's fused softmax, layer and root-mean-square normalisation gave no gradient, or dropped their term silently.
#[test]
fn fused_normalisations_have_gradients() {
    run(&cases! {
        smooth "candle #3569: softmax along the last axis" not "none": [v([0.0, 0.0])], |x| x[0].softmax(-1),
            dy [1.0, 10.0] => [-2.25, 2.25];
        smooth "candle #3011: layer_norm" not "none": [v([-1.0, 1.0]), v([2.0, 3.0]), v([0.5, 0.25])],
            |x| x[0].layer_norm(1, Some(x[1]), Some(x[2]), 3.0), dy [1.0, 10.0] =>
            [-5.25, 5.25] [-0.5, 5.0] [1.0, 10.0];
        smooth "candle #2168: rms_norm" not "none": [v([1.0, -1.0]), v([2.0, 3.0])],
            |x| x[0].rms_norm(Some(x[1]), 3.0), dy [1.0, 10.0] => [2.75, 13.25] [0.5, -5.0];
        smooth "rust-autograd: log_softmax along the first axis" not "sums along the second":
            [m([[0.0, 0.0, 0.0], [0.0, 0.0, 0.0]])], |x| x[0].log_softmax(0), dy [1.0, 0.0, 0.0, 0.0, 0.0, 10.0] =>
            [0.5, 0.0, -5.0, -0.5, 0.0, 5.0];
    });
}
