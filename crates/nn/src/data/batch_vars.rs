//! A batch on a tape.

use crate::context::Context;
use crate::data::{Batch, Target};
use autograd::{Float, IndexVar, InputRecorder, InputWriter, Inputs, ProgramError, Reduction, Tape, Tensor, Var};

/// A [`Batch`] whose tensors are variables: what a loss is made of. A batch is an input of a
/// [`Program`](autograd::Program), which gives the function this.
///
/// ```
/// use autograd::{Programs, Tensor, grad};
/// use nn::data::{Batch, BatchVars, Target};
/// let batch = |xs: &[f64]| {
///     let doubled: Vec<f64> = xs.iter().map(|x| 2.0 * x).collect();
///     Batch::new(Tensor::new([xs.len(), 1], xs.to_vec()), Target::value("doubled", &doubled))
/// };
/// let mut step = Programs::record(Tensor::zeros([1, 1]), &batch(&[1.0, 2.0]), |_, slope, batch: BatchVars| {
///     let loss = batch.loss(batch.features.matmul(slope)); // the mean square of values
///     (vec![slope - 0.1 * grad(loss, &slope)], vec![loss])
/// })?;
/// for _ in 0..100 {
///     step.run(&batch(&[-1.0, 3.0, 0.5]))?; // of any size
/// }
/// assert!((step.into_state().item() - 2.0).abs() < 1e-9);
/// # Ok::<(), autograd::ProgramError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BatchVars<'t, T: Float = f64> {
    /// `[m, d]`, or `[m, steps, d]` of sequences.
    pub features: Var<'t, T>,
    /// What is to be learnt.
    pub target: TargetVars<'t, T>,
    /// How much each example counts, `[m]`.
    pub weights: Option<Var<'t, T>>,
    /// Of sequences, `[m, steps]`: 1 where a step is real, 0 where it fills up.
    pub mask: Option<Var<'t, T>>,
    /// Integers of each example, `[m, k]`; [`indices`](Self::indices) gives them.
    pub index: Option<IndexVar<'t, T>>,
    /// Whether the net is in training, noise, and buffers: what layers such as [`Dropout`](crate::layers::Dropout) are given beside their
    /// input.
    pub context: Context<'t, T>,
}

/// A [`Target`] on a tape.
#[derive(Clone, Copy, Debug)]
pub enum TargetVars<'t, T: Float = f64> {
    /// The class of each example.
    Classes(IndexVar<'t, T>),
    /// `[m, k]`, 1 where an example has the label, else 0.
    Labels(Var<'t, T>),
    /// `[m, k]`.
    Values(Var<'t, T>),
}

impl<'t, T: Float> BatchVars<'t, T> {
    /// Places a batch on a tape, for a net that is not in training.
    pub fn new(tape: &'t Tape<T>, batch: &Batch<T>) -> Self {
        Self::of(batch, &mut |tensor| tape.var(tensor), &mut |labels| tape.labels(labels))
    }

    fn of(
        batch: &Batch<T>,
        numbers: &mut dyn FnMut(&Tensor<T>) -> Var<'t, T>,
        integers: &mut dyn FnMut(&[usize]) -> IndexVar<'t, T>,
    ) -> Self {
        Self {
            features: numbers(&batch.features),
            target: match &batch.target {
                Target::Classes { labels, .. } => TargetVars::Classes(integers(labels)),
                Target::Labels { values, .. } => TargetVars::Labels(numbers(values)),
                Target::Values { values, .. } => TargetVars::Values(numbers(values)),
            },
            weights: batch.weights.as_ref().map(&mut *numbers),
            mask: batch.mask.as_ref().map(numbers),
            index: batch.indices.as_ref().map(|indices| {
                let m = batch.len();
                integers(indices).reshape([m, indices.len() / m.max(1)])
            }),
            context: Context::evaluating(),
        }
    }

    /// The class of each example.
    ///
    /// # Panics
    /// Where the target is not classes.
    #[track_caller]
    pub fn labels(&self) -> IndexVar<'t, T> {
        match self.target {
            TargetVars::Classes(labels) => labels,
            TargetVars::Labels(_) => panic!("labels: the target is several labels at once, not classes; see `values`"),
            TargetVars::Values(_) => panic!("labels: the target is values, not classes; see `values`"),
        }
    }

    /// The integers of each example to index with, `[m, k]`.
    ///
    /// # Panics
    /// Where the batch has none.
    #[track_caller]
    pub fn indices(&self) -> IndexVar<'t, T> {
        let Some(indices) = self.index else {
            panic!("indices: the batch has none: `Batch::with_indices` and `Dataset::with_indices` give them");
        };
        indices
    }

    /// The values, or the labels as 0 and 1, `[m, k]`.
    ///
    /// # Panics
    /// Where the target is classes.
    #[track_caller]
    pub fn values(&self) -> Var<'t, T> {
        match self.target {
            TargetVars::Labels(values) | TargetVars::Values(values) => values,
            TargetVars::Classes(_) => panic!("values: the target is classes, not values; see `labels`"),
        }
    }

    /// The loss of outputs `[m, k]` that is usual for the target: the cross-entropy of scores of classes, the binary one of a logit for
    /// each label, the mean square of the differences of values. It is the mean over the batch, by the examples' weights
    /// where they have some. Of a target for each step of sequences, outputs `[m, steps, k]`, it is the mean over the steps that
    /// are real, each with the weight of its sequence.
    ///
    /// # Panics
    /// Where the outputs do not fit the target.
    #[track_caller]
    pub fn loss(&self, outputs: Var<'t, T>) -> Var<'t, T> {
        let _whole = outputs.tape().composite("loss", [outputs]);
        if let Some(steps) = self.steps() {
            return self.loss_of_steps(outputs, steps);
        }
        let how = if self.weights.is_some() { Reduction::None } else { Reduction::Mean };
        let losses = match self.target {
            TargetVars::Classes(labels) => outputs.cross_entropy_with(&labels, how),
            TargetVars::Labels(values) => outputs.bce_with_logits(values, None, how),
            TargetVars::Values(values) => outputs.mse(values, how),
        };
        if self.weights.is_some() { self.mean(losses) } else { losses }
    }

    /// What counts of each step, `[m, steps]`, where there is a target for each.
    fn steps(&self) -> Option<Var<'t, T>> {
        let mask = self.mask?;
        let of_steps = match self.target {
            TargetVars::Classes(labels) => {
                labels.shape().iter().product::<usize>() == mask.numel() && mask.shape()[1] != 1
            }
            TargetVars::Labels(values) | TargetVars::Values(values) => values.shape().rank() == 3,
        };
        let weights = |weights: Var<'t, T>| mask * weights.reshape([mask.shape()[0], 1]);
        of_steps.then(|| self.weights.map_or(mask, weights))
    }

    #[track_caller]
    fn loss_of_steps(&self, outputs: Var<'t, T>, weights: Var<'t, T>) -> Var<'t, T> {
        let (shape, count) = (outputs.shape(), weights.numel());
        assert!(
            shape.rank() == 3 && shape[..2] == weights.shape()[..],
            "loss: outputs [{}, {}, k] of steps are needed, not of shape {shape}",
            weights.shape()[0],
            weights.shape()[1]
        );
        let flat = |x: Var<'t, T>| x.reshape([count, x.shape()[2]]);
        let losses = match self.target {
            TargetVars::Classes(labels) => flat(outputs).cross_entropy_with(&labels, Reduction::None),
            TargetVars::Labels(values) => {
                flat(outputs).bce_with_logits(flat(values), None, Reduction::None).mean_axes(1)
            }
            TargetVars::Values(values) => flat(outputs).mse(flat(values), Reduction::None).mean_axes(1),
        };
        let weights = weights.reshape([count]);
        weights.gt(0.0).select(weights * losses, 0.0).sum() / weights.sum()
    }

    /// The mean of losses `[m]`, or `[m, k]`, of single examples, by their weights where they have some: `Σ w l / Σ w`, of `k`
    /// losses with the same weight.
    ///
    /// # Panics
    /// Where there is not a loss, or a row of them, for each example.
    #[track_caller]
    pub fn mean(&self, losses: Var<'t, T>) -> Var<'t, T> {
        let (shape, examples) = (losses.shape(), self.features.shape()[0]);
        assert!(
            shape.first() == Some(&examples),
            "mean: losses of {examples} examples are needed, [{examples}] or [{examples}, k], not of shape {shape}"
        );
        let Some(weights) = self.weights else { return losses.mean() };
        let each = if shape.rank() > 1 {
            losses.reshape([examples, losses.numel() / examples.max(1)]).mean_axes(1)
        } else {
            losses
        };
        // What does not count may be infinite.
        weights.gt(0.0).select(weights * each, 0.0).sum() / weights.sum()
    }
}

impl<T: Float> Inputs<T> for Batch<T> {
    type Traced<'t> = BatchVars<'t, T>;
    type Owned = Self;

    fn trace<'t>(&self, tape: &'t Tape<T>, slots: &mut InputRecorder) -> BatchVars<'t, T> {
        let slots = std::cell::RefCell::new(slots);
        BatchVars::of(self, &mut |tensor| slots.borrow_mut().numbers(tape, tensor), &mut |labels| {
            slots.borrow_mut().integers(tape.labels(labels))
        })
    }

    fn bind(&self, binder: &mut InputWriter<'_, T>) -> Result<(), ProgramError> {
        binder.tensor(&self.features)?;
        match &self.target {
            Target::Classes { labels, .. } => labels.bind(binder)?,
            Target::Labels { values, .. } | Target::Values { values, .. } => binder.tensor(values)?,
        }
        let more = [&self.weights, &self.mask];
        more.into_iter().flatten().try_for_each(|tensor| binder.tensor(tensor))?;
        self.indices.iter().try_for_each(|indices| indices.bind(binder))
    }
}
