//! A product of two inputs.

use crate::layers::Init;
use autograd::{Float, Tensor, Var, einsum, tree};
use rand::Rng;

/// `y_k = x₁ᵀ W_k x₂ + b_k`: `torch.nn.Bilinear`.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::layers::Bilinear;
/// let layer = Bilinear { weight: Tensor::new([1, 1, 2], vec![2.0, 3.0]), bias: Some(Tensor::from([0.5])) };
/// let tape = Tape::new();
/// let (x, z) = (tape.var(&Tensor::from_rows([[10.0]])), tape.var(&Tensor::from_rows([[1.0, 2.0]])));
/// assert_eq!(tape.vars(&layer).forward(x, z).item(), 80.5);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Bilinear<V> {
    /// `[out, in₁, in₂]`
    pub weight: V,
    /// `[out]`, if there is one.
    pub bias: Option<V>,
}
tree!(Bilinear { weight, bias });

impl<T: Float> Bilinear<Tensor<T>> {
    /// A layer from two inputs of these sizes, with uniform weights and biases between `±1/√in₁` as PyTorch's.
    ///
    /// # Panics
    /// As [`Init::sample`].
    #[track_caller]
    pub fn new(inputs: [usize; 2], outputs: usize, rng: &mut impl Rng) -> Self {
        let high = 1.0 / (inputs[0].max(1) as f64).sqrt();
        let init = Init::Uniform { low: -high, high };
        Self { weight: init.sample([outputs, inputs[0], inputs[1]], rng), bias: Some(init.sample([outputs], rng)) }
    }
}

impl<'t, T: Float> Bilinear<Var<'t, T>> {
    /// From `[n, in₁]` and `[n, in₂]` to `[n, out]`, recorded.
    ///
    /// # Panics
    /// Where the shapes do not fit.
    #[track_caller]
    pub fn forward(&self, first: Var<'t, T>, second: Var<'t, T>) -> Var<'t, T> {
        let _whole = first.tape().composite("Bilinear::forward", [first, second, self.weight]);
        let y = einsum("...i,oij,...j->...o", &[first, self.weight, second]);
        self.bias.map_or(y, |bias| y + bias)
    }
}
