//! The net of a problem as a user writes it, on a tape or recorded.

use crate::closed::number::Number;
use crate::contenders::problem::{Activation, Layout, Net, Problem};
use autograd::{Float, Indices, Tensor, Var, tree};

/// One affine layer: its parameters, variables or gradients.
#[derive(Clone)]
pub(crate) struct Layer<V> {
    pub(crate) weight: V,
    pub(crate) bias: V,
}
tree!(Layer { weight, bias });

/// The parameters of a problem of `L` layers.
pub(crate) fn layers<T: Number, const L: usize>(problem: &Problem<T>) -> [Layer<Tensor<T>>; L] {
    let Net { sizes, layout, .. } = problem.net;
    std::array::from_fn(|l| {
        let (weight, bias) = &problem.layers[l];
        let [inputs, outputs] = [sizes[l], sizes[l + 1]];
        let shape = match layout {
            Layout::InOut => [inputs, outputs],
            Layout::OutIn => [outputs, inputs],
        };
        Layer { weight: Tensor::new(shape, weight.clone()), bias: Tensor::new([outputs], bias.clone()) }
    })
}

/// The mean cross-entropy of a batch, with the penalty.
pub(crate) fn loss<'t, T: Float, const L: usize>(
    net: Net,
    layers: &[Layer<Var<'t, T>>; L],
    x: Var<'t, T>,
    labels: &(impl Indices<'t, T> + ?Sized),
) -> Var<'t, T> {
    let mut o = x;
    for (l, Layer { weight, bias }) in layers.iter().enumerate() {
        let z = match net.layout {
            Layout::InOut => o.matmul(*weight) + bias,
            Layout::OutIn => o.linear(*weight, Some(*bias)),
        };
        o = match net.activation {
            _ if l + 1 == L => z,
            Activation::Relu => z.relu(),
            Activation::Tanh => z.tanh(),
            Activation::Sigmoid => z.sigmoid(),
        };
    }
    let loss = o.cross_entropy(labels);
    if net.penalty == 0.0 {
        return loss;
    }
    let squares: Var<'t, T> = layers.iter().map(|layer| layer.weight.square().sum()).sum();
    loss + squares.mul_scalar(net.penalty / 2.0)
}
