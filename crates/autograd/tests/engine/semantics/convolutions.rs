//! Convolutions that go another way than others, and what they are.

use autograd::{Conv, Tape, Tensor, grad};

/// Kernels of a channel each are those of all channels with zeros for the others, however many elements they have.
#[test]
fn a_convolution_of_each_channel_by_itself_is_one_of_all_with_kernels_of_zeros() {
    let numbers =
        |shape: [usize; 4], seed: usize| Tensor::from_fn(shape, |i| ((i * 31 + seed) % 17) as f64 * 0.1 - 0.8);
    for (channels, [rows, columns]) in
        [1, 3].into_iter().flat_map(|c| [[1, 1], [3, 3], [1, 5], [6, 6], [7, 6]].map(|kernel| (c, kernel)))
    {
        for (padding, dilation) in [([0, 0], [1, 1]), ([2, 1], [1, 1]), ([3, 0], [2, 1])] {
            let tape = Tape::new();
            let x = tape.var(&numbers([2, channels, 13, 14], 3));
            let weight = tape.var(&numbers([channels, 1, rows, columns], 5));
            let bias = tape.var(&Tensor::from_fn([channels], |i| i as f64 - 0.5));
            let conv = Conv { padding, dilation, groups: channels, ..Conv::default() };
            let own = tape.var(&Tensor::eye(channels)).reshape([channels, channels, 1, 1]);
            let y = x.conv2d(weight, Some(bias), conv);
            let all = x.conv2d(own * weight, Some(bias), Conv { groups: 1, ..conv });
            let [got, want] = [y, all].map(|y| {
                let dx = grad(y.tanh().sum(), &[x, weight, bias]);
                let [ddw] = grad((dx[0] * x).sum(), &[weight]);
                [vec![y, ddw], dx.to_vec()].concat()
            });
            for (got, want) in got.iter().zip(&want) {
                let apart = (*got - *want).abs().max().item();
                assert!(apart < 1e-12, "{channels} {rows} {columns} {padding:?} {dilation:?}: {apart:e}");
            }
        }
    }
}
