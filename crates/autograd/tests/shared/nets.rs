//! Nets of rectified layers, and their loss, for the tests of replayed steps.

use autograd::{Float, Tensor, Var, tree};

pub(crate) struct Layer<V> {
    pub(crate) weight: V,
    pub(crate) bias: V,
}
tree!(Layer { weight, bias });

/// Numbers in [−1, 1] that are all over the place.
pub(crate) fn numbers<T: Float>(shape: [usize; 2], seed: usize) -> Tensor<T> {
    Tensor::from_fn(shape, |i| T::of(((i * 7919 + seed * 104_729) % 2003) as f64 * 1e-3 - 1.0))
}

/// The parameters of layers of these sizes.
pub(crate) fn net<T: Float>(sizes: &[usize]) -> Vec<Layer<Tensor<T>>> {
    let layer = |(l, w): (usize, &[usize])| Layer {
        weight: numbers([w[0], w[1]], l + 1),
        bias: Tensor::from_fn([w[1]], |i| T::of(0.01 * i as f64)),
    };
    sizes.windows(2).enumerate().map(layer).collect()
}

/// Cross-entropy of the scores that a net gives.
pub(crate) fn loss<'t, T: Float>(net: &[Layer<Var<'t, T>>], x: Var<'t, T>, labels: &[usize]) -> Var<'t, T> {
    let mut o = x;
    for (l, layer) in net.iter().enumerate() {
        let z = o.matmul(layer.weight) + layer.bias;
        o = if l + 1 < net.len() { z.relu() } else { z };
    }
    o.cross_entropy(labels)
}
