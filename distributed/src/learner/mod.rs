//! A net and the rule that trains it, on several ranks.

mod own;
mod together;

use crate::Number;
use crate::error::{Error, Kind};
use crate::guard::{Good, is_finite};
use crate::ranks::{Purpose, Ranks};
use autograd::{Programs, Tensor, Tree, Var};
use nn::data::{Batch, BatchVars, Source, empty_batch};
use nn::file::Checkpoint;
use nn::{Optimiser, Rule};
use own::Gradient;
use std::sync::Arc;
use together::mean;

/// A net, its loss and a [`Rule`], as [`nn::Learner`], with each batch cut into shards that all ranks compute together. All ranks make the
/// same calls, on whole batches.
///
/// A shard is a batch by itself: what layers find out of a batch, as [`BatchNorm`](nn::layers::BatchNorm) its mean, they find out of the
/// shard, and noise differs from shard to shard and step to step, by the seed. The gradient is the mean of those of the shards, by what each
/// [counts](crate::weight). Buffers become the mean of what they become by each shard.
///
/// See the [crate](crate) for an example.
pub struct Learner<'r, P: Tree, R, T: Number = f64> {
    /// The net as it is.
    pub net: P,
    /// The rule. Its settings may be changed between steps, on all ranks alike.
    pub rule: R,
    /// Into how many shards a batch is cut, whatever the number of ranks: 4, if nothing is said. It should be a multiple of the numbers of
    /// ranks that one has in mind: of three ranks one has two of four shards, and the others wait for it. Results depend on it.
    pub shards: usize,
    /// Decides the noise of layers such as [`Dropout`](nn::layers::Dropout), with the number of the step and of the shard.
    pub seed: u64,
    /// How many steps were made.
    pub steps: u64,
    /// What a shard counts in the mean over the batch; without it, its [`weight`](crate::weight). It is what the loss divides by, where that
    /// is a mean.
    pub weigh: Option<fn(&Batch<T>) -> f64>,
    ranks: &'r Ranks,
    loss: Arc<Loss<P, T>>,
    gradient: Option<Gradient<T>>,
    measure: Option<Programs<Vec<Tensor<T>>, Batch<T>, T>>,
    /// The numbers of the net, for the programs.
    now: Vec<T>,
    /// What the shards have given, one behind the other.
    given: Vec<T>,
    /// The sum of it, as a net.
    grads: P,
    good: Good<T>,
}

/// A loss of a net and a batch, both as variables.
type Loss<P, T> = dyn for<'t> Fn(&<P as Tree>::With<Var<'t, T>>, &BatchVars<'t, T>) -> Var<'t, T> + Send + Sync;

impl<'r, T, P, R> Learner<'r, P, R, T>
where
    T: Number,
    P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P> + Send + Sync + 'static,
    R: Rule<T>,
{
    /// A net with its rule, and its loss as a function of the net and a batch, which is one number. The function is called when a size of
    /// shard is new, not at each step: it must own what it uses, and read no values. Nets and rules must be the same on all ranks, as they are
    /// by the same seed.
    pub fn new<F>(ranks: &'r Ranks, net: P, rule: R, loss: F) -> Self
    where
        F: for<'t> Fn(&P::With<Var<'t, T>>, &BatchVars<'t, T>) -> Var<'t, T> + Send + Sync + 'static,
    {
        Self {
            grads: net.map(&mut |leaf| Tensor::zeros(leaf.shape().clone())),
            net,
            rule,
            shards: 4,
            seed: 0,
            steps: 0,
            weigh: None,
            ranks,
            loss: Arc::new(loss),
            gradient: None,
            measure: None,
            now: Vec::new(),
            given: Vec::new(),
            good: Good::default(),
        }
    }

    /// The ranks.
    pub fn ranks(&self) -> &'r Ranks {
        self.ranks
    }

    /// Makes a step on a batch; the loss of before the step. Losses and parameters are the same bits on all ranks, for any number of them.
    ///
    /// # Errors
    /// Where the loss, or a parameter after the step, is not finite: net and memory are then those of the last finite loss. Where a label is
    /// not below the number of outputs; where another rank has failed, has ended, or has another batch, rule, or net.
    ///
    /// # Panics
    /// Where there are no shards, the loss is not one number, shapes do not fit, a setting of the rule is out of its range, or the rule's
    /// memory is that of another net.
    #[track_caller]
    pub fn step(&mut self, batch: &Batch<T>) -> Result<f64, Error> {
        let cut = self.cut(batch)?;
        let sizes: Vec<usize> = self.net.leaves().iter().map(|leaf| leaf.numel()).collect();
        // Of each shard its loss, for each leaf whether it is a buffer, and its gradient, or the next numbers of the buffer.
        let length = 1 + sizes.len() + sizes.iter().sum::<usize>();
        let done = self.gradients(batch, &cut, length);
        self.meet(Purpose::Step, batch, done)?;
        self.gather(length);
        let losses: Vec<f64> = self.given.chunks(length).map(|given| given[0].to_f64()).collect();
        let loss = mean(&losses, &cut.shares);
        self.steps += 1;
        if !loss.is_finite() {
            let shard = losses.iter().position(|loss| !loss.is_finite()).unwrap_or(0);
            return Err(self.diverged(batch, &cut, shard, losses[shard]));
        }
        let buffers = self.add_up(length, &sizes, &cut.shares);
        self.good.keep(&self.net, &self.rule);
        self.rule.step(&mut self.net, &self.grads);
        let mut leaves = self.net.leaves_mut();
        for (place, buffer) in buffers {
            leaves[place].as_mut_slice().copy_from_slice(&buffer);
        }
        if is_finite(&self.net) {
            return Ok(loss);
        }
        let broken = |given: &[T]| given.iter().any(|x| !x.is_finite());
        let shard = self.given.chunks(length).position(broken).unwrap_or(0);
        Err(self.diverged(batch, &cut, shard, loss))
    }

    /// Makes a step on each batch of an epoch, counted from 0; the mean loss of the examples, each taken before the step that its batch led to.
    ///
    /// # Errors
    /// As [`Learner::step`], or where the source cannot be read.
    ///
    /// # Panics
    /// As [`Learner::step`], or where the epoch has no batch.
    #[track_caller]
    pub fn epoch(&mut self, source: &mut impl Source<T>, epoch: u32) -> Result<f64, Error> {
        self.epoch_with(source, epoch, |_| ())
    }

    /// As [`Learner::epoch`], and calls a function with the rule before each step, for a rate that moves with the steps.
    ///
    /// # Errors
    /// As [`Learner::epoch`].
    ///
    /// # Panics
    /// As [`Learner::epoch`].
    #[track_caller]
    pub fn epoch_with(
        &mut self,
        source: &mut impl Source<T>,
        epoch: u32,
        mut each: impl FnMut(&mut R),
    ) -> Result<f64, Error> {
        source.start(epoch)?;
        let (mut batch, mut count, mut sum, mut total) = (empty_batch(), 0, 0.0, 0.0);
        while source.next_into(&mut batch)? {
            each(&mut self.rule);
            count += 1;
            let loss = self.step(&batch).map_err(|error| in_batch(error, epoch.saturating_add(1), count))?;
            let weight = self.weight_of(&batch, 0..batch.len());
            sum += loss * weight;
            total += weight;
        }
        assert!(count > 0, "Learner::epoch: the source has no batch in epoch {epoch}");
        Ok(sum / total)
    }

    /// The loss of a batch by the net as it is used, not as it is trained; no step is made.
    ///
    /// # Errors
    /// Where a label is not below the number of outputs; where another rank has failed, has ended, or has another batch or net.
    ///
    /// # Panics
    /// Where there are no shards, the loss is not one number, or shapes do not fit.
    #[track_caller]
    pub fn measure(&mut self, batch: &Batch<T>) -> Result<f64, Error> {
        let cut = self.cut(batch)?;
        let done = self.losses(batch, &cut);
        self.meet(Purpose::Measure, batch, done)?;
        self.gather(1);
        let losses: Vec<f64> = self.given.iter().map(|loss| loss.to_f64()).collect();
        Ok(mean(&losses, &cut.shares))
    }

    /// Puts all that the next step depends on into a checkpoint: `net`, the rule's memory under `memory`, and the values `steps`, `seed` and
    /// `shards`. What else a loop depends on, as the epoch and a schedule, goes beside it under other names.
    ///
    /// ```no_run
    /// # use autograd::{Tensor, Var};
    /// # use nn::data::Source;
    /// # use nn::{Adam, Mlp, file::Checkpoint};
    /// # use nn_mpi::{Error, Learner, Ranks};
    /// fn train(ranks: &Ranks, learner: &mut Learner<Mlp<Tensor>, Adam>, data: &mut impl Source) -> Result<(), Error> {
    ///     let mut epoch = 0;
    ///     if let Some(saved) = ranks.load("run.safetensors")? {
    ///         learner.restore(&saved)?;
    ///         epoch = saved.get("epoch")?;
    ///     }
    ///     while epoch < 100 {
    ///         learner.epoch(data, epoch)?;
    ///         epoch += 1;
    ///         let mut checkpoint = Checkpoint::new();
    ///         learner.put(&mut checkpoint);
    ///         ranks.save(checkpoint.set("epoch", &epoch), "run.safetensors")?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn put(&self, checkpoint: &mut Checkpoint) {
        checkpoint.put("net", &self.net).put("memory", &**self.rule.memory());
        checkpoint.set("steps", &self.steps).set("seed", &self.seed).set("shards", &self.shards);
    }

    /// Takes back what [`Learner::put`] has put: the next step is the one that would have come. The number of ranks may be another one.
    ///
    /// # Errors
    /// Where the checkpoint is that of another net, or has not all of it; the learner is then as it was.
    pub fn restore(&mut self, checkpoint: &Checkpoint) -> Result<(), Error> {
        let (steps, seed, shards) = (checkpoint.get("steps")?, checkpoint.get("seed")?, checkpoint.get("shards")?);
        let memory = checkpoint.tensors("memory")?;
        checkpoint.restore("net", &mut self.net)?;
        *self.rule.memory_mut() = memory.into();
        (self.steps, self.seed, self.shards) = (steps, seed, shards);
        self.good = Good::default();
        Ok(())
    }
}

/// The same of a batch of an epoch, both counted from 1.
fn in_batch(mut error: Error, epoch: u32, batch: usize) -> Error {
    if let Kind::Diverged { diverged, .. } = &mut error.kind {
        (diverged.epoch, diverged.batch) = (epoch, batch);
    }
    error
}
