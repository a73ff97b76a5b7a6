//! Normalisation by groups of channels.

use super::affine;
use autograd::{Float, Tensor, Var, tree};

/// Each group of channels of each example of `[n, c, …]` with the mean 0 and the variance 1, times a weight and plus a bias for
/// each channel (Wu and He, "Group normalization", 2018): `torch.nn.GroupNorm`.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::layers::GroupNorm;
/// let tape = Tape::new();
/// let layer = tape.vars(&GroupNorm::<Tensor>::new(2, 4));
/// let y = layer.forward(tape.var(&Tensor::from_rows([[1.0, 3.0, 10.0, 10.0]]))).value();
/// assert!((y.at([0, 1]) - 1.0).abs() < 1e-5 && y.at([0, 2]) == 0.0);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct GroupNorm<V> {
    /// `[c]`
    pub weight: Option<V>,
    /// `[c]`
    pub bias: Option<V>,
    /// How many groups the channels are in.
    pub groups: usize,
    /// What is added to variances.
    pub epsilon: f64,
}
tree!(GroupNorm { weight, bias, ..groups, ..epsilon });

impl<T: Float> GroupNorm<Tensor<T>> {
    /// So many groups of so many channels, with PyTorch's defaults: weights 1, biases 0, and an epsilon of 1e-5.
    ///
    /// # Panics
    /// Where the groups would not be of one size.
    #[track_caller]
    pub fn new(groups: usize, channels: usize) -> Self {
        assert!(
            groups > 0 && channels.is_multiple_of(groups),
            "GroupNorm::new: {channels} channels are not {groups} groups of one size"
        );
        Self { weight: Some(Tensor::ones([channels])), bias: Some(Tensor::zeros([channels])), groups, epsilon: 1e-5 }
    }

    /// The same without weight and bias (`affine = False`).
    pub fn without_affine(self) -> Self {
        Self { weight: None, bias: None, ..self }
    }
}

impl<'t, T: Float> GroupNorm<Var<'t, T>> {
    /// The normalised examples, recorded.
    ///
    /// # Panics
    /// Where the input has no axis of channels that are so many groups.
    #[track_caller]
    pub fn forward(&self, x: Var<'t, T>) -> Var<'t, T> {
        let shape = x.shape();
        let _whole = x.tape().composite("GroupNorm::forward", [Some(x), self.weight, self.bias]);
        assert!(
            shape.rank() >= 2 && shape[1].is_multiple_of(self.groups),
            "GroupNorm::forward: an input [n, c, …] of {} groups of channels is needed, not of shape {shape}",
            self.groups
        );
        let size = shape.numel() / (shape[0] * self.groups).max(1);
        let y = x.reshape([shape[0], self.groups, size]).layer_norm(1, None, None, self.epsilon);
        affine(y.reshape(shape), self.weight, self.bias)
    }
}
