//! Normalisation by the batch.

use super::{affine, by_running, moved, normalised};
use crate::context::Context;
use autograd::{Float, Tensor, Var, tree};

/// Each channel of a batch `[n, c]`, `[n, c, l]`, `[n, c, h, w]`, … with the mean 0 and the variance 1, times a weight and plus a bias that
/// are learnt (Ioffe and Szegedy, "Batch normalization", 2015): `torch.nn.BatchNorm1d` and `BatchNorm2d`, by the rank of the input.
///
/// In training the mean and the variance are those of the batch, and move the running ones, which are buffers; else the running ones
/// are used, where there are some.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::Context;
/// use nn::layers::BatchNorm;
/// let tape = Tape::new();
/// let layer = tape.vars(&BatchNorm::<Tensor>::new(2));
/// let x = tape.var(&Tensor::from_rows([[1.0, 5.0], [3.0, 5.0]]));
/// let context = Context::training_without_noise();
/// let y = layer.forward(x, &context).value();
/// assert!((y.at([0, 0]) + 1.0).abs() < 1e-5 && y.at([0, 1]) == 0.0);
/// let mean = context.kept(layer.running_mean.unwrap()).unwrap(); // a tenth of the way
/// assert_eq!(mean.value(), Tensor::from([0.2, 0.5]));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BatchNorm<V> {
    /// `[c]`
    pub weight: Option<V>,
    /// `[c]`
    pub bias: Option<V>,
    /// `[c]`, a buffer.
    pub running_mean: Option<V>,
    /// `[c]`, a buffer, of variances divided by one less than the number.
    pub running_var: Option<V>,
    /// How many batches were seen in training, a buffer.
    pub num_batches_tracked: Option<V>,
    /// How far the running values go towards those of a batch; without it, they are the means of all batches so far.
    pub momentum: Option<f64>,
    /// What is added to variances.
    pub epsilon: f64,
}
tree!(BatchNorm { weight, bias, running_mean, running_var, num_batches_tracked, ..momentum, ..epsilon });

impl<T: Float> BatchNorm<Tensor<T>> {
    /// Of so many channels, with PyTorch's defaults: weights 1, biases 0, a momentum of 0.1 and an epsilon of 1e-5.
    pub fn new(channels: usize) -> Self {
        Self {
            weight: Some(Tensor::ones([channels])),
            bias: Some(Tensor::zeros([channels])),
            running_mean: Some(Tensor::zeros([channels])),
            running_var: Some(Tensor::ones([channels])),
            num_batches_tracked: Some(Tensor::zeros([])),
            momentum: Some(0.1),
            epsilon: 1e-5,
        }
    }

    /// The same without weight and bias (`affine = False`).
    pub fn without_affine(self) -> Self {
        Self { weight: None, bias: None, ..self }
    }

    /// The same without running values (`track_running_stats = False`): those of the batch are used always.
    pub fn without_running(self) -> Self {
        Self { running_mean: None, running_var: None, num_batches_tracked: None, ..self }
    }
}

impl<'t, T: Float> BatchNorm<Var<'t, T>> {
    /// The normalised batch, recorded; in training the context keeps the new running values.
    ///
    /// # Panics
    /// Where the input has no axis of so many channels, or there is one number for each channel in training.
    #[track_caller]
    pub fn forward(&self, x: Var<'t, T>, context: &Context<'t, T>) -> Var<'t, T> {
        let shape = x.shape();
        let _whole = x.tape().composite("BatchNorm::forward", [Some(x), self.weight, self.running_mean]);
        assert!(shape.rank() >= 2, "BatchNorm::forward: an input [n, c, …] is needed, not of shape {shape}");
        let buffers = [self.running_mean, self.running_var, self.num_batches_tracked];
        let (Some(mean), Some(variance), false) = (self.running_mean, self.running_var, context.is_training()) else {
            let numbers = shape.numel() / shape[1].max(1);
            assert!(
                numbers > 1 || !context.is_training(),
                "BatchNorm::forward: more than one number for each channel is needed in training, not shape {shape}"
            );
            let axes: Vec<isize> = (0..shape.rank() as isize).filter(|&axis| axis != 1).collect();
            let [mean, variance, y] = normalised(x, &axes, self.epsilon);
            if context.is_training() {
                self.track(mean, variance * (numbers as f64 / (numbers as f64 - 1.0)), context);
            }
            return affine(y, self.weight, self.bias);
        };
        buffers.into_iter().flatten().for_each(|buffer| context.keep(buffer, buffer));
        affine(by_running(x, [mean, variance], self.epsilon), self.weight, self.bias)
    }

    /// Moves the running values towards those of a batch.
    fn track(&self, mean: Var<'t, T>, variance: Var<'t, T>, context: &Context<'t, T>) {
        let count = self.num_batches_tracked.map(|count| count + 1.0);
        if let (Some(buffer), Some(count)) = (self.num_batches_tracked, count) {
            context.keep(buffer, count);
        }
        let by = match (self.momentum, count) {
            (Some(momentum), _) => mean.tape().scalar(T::of(momentum)),
            (None, Some(count)) => count.reciprocal(),
            (None, None) => return,
        };
        for (buffer, new) in [(self.running_mean, mean), (self.running_var, variance)] {
            if let Some(buffer) = buffer {
                context.keep(buffer, moved(buffer, new.reshape(buffer.shape()), by));
            }
        }
    }
}
