//! Normalisation of each image by itself.

use super::{affine, by_running, moved, normalised};
use crate::context::Context;
use autograd::{Float, Tensor, Var, tree};

/// Each channel of each example of `[n, c, …]` with the mean 0 and the variance 1 over its further axes (Ulyanov et al., "Instance
/// normalization", 2016): `torch.nn.InstanceNorm1d` and `InstanceNorm2d`. As there, it has neither weights nor running values unless they are
/// asked for.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::Context;
/// use nn::layers::InstanceNorm;
/// let tape = Tape::new();
/// let layer = tape.vars(&InstanceNorm::<Tensor>::new());
/// let x = tape.var(&Tensor::new([2, 1, 2], vec![1.0, 3.0, 10.0, 30.0]));
/// let y = layer.forward(x, &Context::evaluating()).value();
/// assert!(y.as_slice().iter().all(|y| (y.abs() - 1.0).abs() < 1e-4));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct InstanceNorm<V> {
    /// `[c]`
    pub weight: Option<V>,
    /// `[c]`
    pub bias: Option<V>,
    /// `[c]`, a buffer.
    pub running_mean: Option<V>,
    /// `[c]`, a buffer, of variances divided by one less than the number.
    pub running_var: Option<V>,
    /// PyTorch keeps it beside them, and never counts: a buffer.
    pub num_batches_tracked: Option<V>,
    /// How far the running values go towards those of a batch.
    pub momentum: f64,
    /// What is added to variances.
    pub epsilon: f64,
}
tree!(InstanceNorm { weight, bias, running_mean, running_var, num_batches_tracked, ..momentum, ..epsilon });

impl<T: Float> Default for InstanceNorm<Tensor<T>> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Float> InstanceNorm<Tensor<T>> {
    /// Without weights and running values, for any number of channels, with PyTorch's momentum of 0.1 and epsilon of 1e-5.
    pub fn new() -> Self {
        Self {
            weight: None,
            bias: None,
            running_mean: None,
            running_var: None,
            num_batches_tracked: None,
            momentum: 0.1,
            epsilon: 1e-5,
        }
    }

    /// The same with weights of 1 and biases of 0 for so many channels (`affine = True`).
    pub fn with_affine(self, channels: usize) -> Self {
        Self { weight: Some(Tensor::ones([channels])), bias: Some(Tensor::zeros([channels])), ..self }
    }

    /// The same with running values of so many channels (`track_running_stats = True`).
    pub fn with_running(self, channels: usize) -> Self {
        Self {
            running_mean: Some(Tensor::zeros([channels])),
            running_var: Some(Tensor::ones([channels])),
            num_batches_tracked: Some(Tensor::zeros([])),
            ..self
        }
    }
}

impl<'t, T: Float> InstanceNorm<Var<'t, T>> {
    /// The normalised examples, recorded; in training the context keeps the new running values.
    ///
    /// # Panics
    /// Where the input has no axes behind its channels, or one number on them.
    #[track_caller]
    pub fn forward(&self, x: Var<'t, T>, context: &Context<'t, T>) -> Var<'t, T> {
        let shape = x.shape();
        let _whole = x.tape().composite("InstanceNorm::forward", [Some(x), self.weight, self.running_mean]);
        assert!(shape.rank() >= 3, "InstanceNorm::forward: an input [n, c, …] is needed, not of shape {shape}");
        let buffers = [self.running_mean, self.running_var, self.num_batches_tracked];
        buffers.into_iter().flatten().for_each(|buffer| context.keep(buffer, buffer));
        if let (Some(mean), Some(variance), false) = (self.running_mean, self.running_var, context.is_training()) {
            return affine(by_running(x, [mean, variance], self.epsilon), self.weight, self.bias);
        }
        let numbers = shape[2..].iter().product::<usize>();
        assert!(
            numbers > 1,
            "InstanceNorm::forward: more than one number for each channel is needed, not shape {shape}"
        );
        let axes: Vec<isize> = (2..shape.rank() as isize).collect();
        let [mean, variance, y] = normalised(x, &axes, self.epsilon);
        if context.is_training() {
            let unbiased = variance * (numbers as f64 / (numbers as f64 - 1.0));
            for (buffer, new) in [(self.running_mean, mean), (self.running_var, unbiased)] {
                if let Some(buffer) = buffer {
                    let new = new.reshape([shape[0], shape[1]]).mean_axes(0);
                    context.keep(buffer, moved(buffer, new, x.tape().scalar(T::of(self.momentum))));
                }
            }
        }
        affine(y, self.weight, self.bias)
    }
}
