//! Normalisation of each example over its last axes.

use autograd::{Float, Shape, Tensor, Var, tree};

/// Each example with the mean 0 and the variance 1 over its last axes, times a weight and plus a bias of their shape (Ba et al., "Layer
/// normalization", 2016): `torch.nn.LayerNorm`.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::layers::LayerNorm;
/// let tape = Tape::new();
/// let layer = tape.vars(&LayerNorm::<Tensor>::new([2]));
/// let y = layer.forward(tape.var(&Tensor::from_rows([[1.0, 3.0], [5.0, -5.0]]))).value();
/// assert!((y.at([0, 1]) - 1.0).abs() < 1e-5 && (y.at([1, 1]) + 1.0).abs() < 1e-5);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LayerNorm<V> {
    /// Of the last axes' shape.
    pub weight: Option<V>,
    /// Of the last axes' shape.
    pub bias: Option<V>,
    /// How many last axes there are.
    pub axes: usize,
    /// What is added to variances.
    pub epsilon: f64,
}
tree!(LayerNorm { weight, bias, ..axes, ..epsilon });

/// Each example divided by the root of its mean square over its last axes, times a weight of their shape (Zhang and Sennrich, "Root mean
/// square layer normalization", 2019): `torch.nn.RMSNorm`.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::layers::RmsNorm;
/// let tape = Tape::new();
/// let layer = tape.vars(&RmsNorm::<Tensor>::new([2]));
/// let y = layer.forward(tape.var(&Tensor::from_rows([[7.0, -1.0]]))).value();
/// assert!((y.at([0, 0]) - 1.4).abs() < 1e-12);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RmsNorm<V> {
    /// Of the last axes' shape.
    pub weight: Option<V>,
    /// How many last axes there are.
    pub axes: usize,
    /// What is added to mean squares.
    pub epsilon: f64,
}
tree!(RmsNorm { weight, ..axes, ..epsilon });

impl<T: Float> LayerNorm<Tensor<T>> {
    /// Over last axes of this shape, with PyTorch's defaults: weights 1, biases 0, and an epsilon of 1e-5.
    ///
    /// # Panics
    /// Where the shape is of no axis.
    #[track_caller]
    pub fn new(shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        let axes = shape.rank();
        assert!(axes > 0, "LayerNorm::new: a shape of one axis or more is needed");
        Self { weight: Some(Tensor::ones(shape.clone())), bias: Some(Tensor::zeros(shape)), axes, epsilon: 1e-5 }
    }

    /// The same without weight and bias (`elementwise_affine = False`).
    pub fn without_affine(self) -> Self {
        Self { weight: None, bias: None, ..self }
    }
}

impl<T: Float> RmsNorm<Tensor<T>> {
    /// Over last axes of this shape, with PyTorch's defaults: weights 1, and the distance from 1 to the next number as epsilon.
    ///
    /// # Panics
    /// Where the shape is of no axis.
    #[track_caller]
    pub fn new(shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        let axes = shape.rank();
        assert!(axes > 0, "RmsNorm::new: a shape of one axis or more is needed");
        let epsilon = if size_of::<T>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON };
        Self { weight: Some(Tensor::ones(shape)), axes, epsilon }
    }

    /// The same without weight (`elementwise_affine = False`).
    pub fn without_affine(self) -> Self {
        Self { weight: None, ..self }
    }
}

/// An input must have so many axes, and its last ones the shape of a weight.
#[track_caller]
fn hold_axes<'t, T: Float>(layer: &str, x: Var<'t, T>, axes: usize, weight: Option<Var<'t, T>>) {
    let shape = x.shape();
    let fits = weight.is_none_or(|weight| shape.ends_with(&weight.shape()));
    assert!(
        axes <= shape.rank() && fits,
        "{layer}::forward: an input whose last axes are {} is needed, not of shape {shape}",
        weight.map_or(format!("{axes}"), |weight| weight.shape().to_string())
    );
}

impl<'t, T: Float> LayerNorm<Var<'t, T>> {
    /// The normalised examples, recorded.
    ///
    /// # Panics
    /// Where the last axes are of another shape.
    #[track_caller]
    pub fn forward(&self, x: Var<'t, T>) -> Var<'t, T> {
        hold_axes("LayerNorm", x, self.axes, self.weight);
        let _whole = x.tape().composite("LayerNorm::forward", [Some(x), self.weight, self.bias]);
        x.layer_norm(self.axes, self.weight, self.bias, self.epsilon)
    }
}

impl<'t, T: Float> RmsNorm<Var<'t, T>> {
    /// The normalised examples, recorded.
    ///
    /// # Panics
    /// Where the last axes are of another shape.
    #[track_caller]
    pub fn forward(&self, x: Var<'t, T>) -> Var<'t, T> {
        hold_axes("RmsNorm", x, self.axes, self.weight);
        let _whole = x.tape().composite("RmsNorm::forward", [Some(x), self.weight]);
        // The last axes as one.
        let shape = x.shape();
        let (first, last) = shape.split_at(shape.rank() - self.axes);
        let row = x.reshape([first, &[last.iter().product()]].concat());
        row.rms_norm(self.weight.map(|weight| weight.reshape([weight.numel()])), self.epsilon).reshape(shape)
    }
}
