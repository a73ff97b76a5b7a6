//! A net and the rule that trains it, on several ranks.

use crate::Number;
use crate::error::{Error, Kind};
use crate::guard::{Good, explain, is_finite};
use crate::print::{self, Print};
use crate::ranks::{Purpose, Ranks};
use crate::shards::{complaint, cut, part, shares, weight_of};
use autograd::{Key, Programs, Tensor, Tree, Var, grad};
use nn::data::{Batch, BatchVars, Source, empty_batch};
use nn::file::Checkpoint;
use nn::train::Diverged;
use nn::{Context, Optimiser, Rule};
use std::ops::Range;
use std::sync::Arc;

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

/// The program of a shard.
type Gradient<T> = Programs<Vec<Tensor<T>>, (Batch<T>, Tensor<T>, Key), T>;

/// The shards of a batch: their rows, and their shares in it.
struct Cut {
    rows: Vec<Range<usize>>,
    shares: Vec<f64>,
}

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

    #[track_caller]
    fn cut(&self, batch: &Batch<T>) -> Result<Cut, Error> {
        assert!(self.shards > 0, "Learner: 1 shard or more is needed, not 0");
        if let Some(wrong) = complaint(batch) {
            let kind = nn::Kind::Data(format!("Learner: {wrong}"));
            return Err(nn::Error { file: String::new(), line: None, column: None, kind }.into());
        }
        let rows = cut(batch.len(), self.shards);
        let weights: Vec<f64> = rows.iter().map(|rows| self.weight_of(batch, rows.clone())).collect();
        let shares = shares(&weights, &rows);
        Ok(Cut { rows, shares })
    }

    fn weight_of(&self, batch: &Batch<T>, rows: Range<usize>) -> f64 {
        self.weigh.map_or_else(|| weight_of(batch, rows.clone()), |weigh| weigh(&part(batch, rows.clone())))
    }

    /// The shards that a rank computes.
    fn dealt(&self, rank: usize) -> Range<usize> {
        let bound = |rank: usize| rank * self.shards / self.ranks.size();
        bound(rank)..bound(rank + 1)
    }

    /// Puts loss and gradient of each shard of this rank in its place.
    #[track_caller]
    fn gradients(&mut self, batch: &Batch<T>, cut: &Cut, length: usize) -> Result<(), nn::Error> {
        self.begin(length);
        if let Some(programs) = &mut self.gradient {
            programs.set_state_numbers(&self.now).map_err(of_program)?;
        }
        let step = Key::new(self.seed).fold_in(self.steps);
        for shard in self.dealt(self.ranks.rank()) {
            if cut.shares[shard] == 0.0 {
                self.given[shard * length..][..length].fill(T::ZERO);
                continue;
            }
            let (part, share) = (part(batch, cut.rows[shard].clone()), Tensor::scalar(T::of(cut.shares[shard])));
            let key = step.fold_in(shard as u64);
            if self.gradient.is_none() {
                self.gradient = Some(record_gradient(&self.net, &self.loss, (&part, &share, key))?);
            }
            let programs = self.gradient.as_mut().expect("it was recorded");
            let outputs = programs.run(&(&part, &share, key)).map_err(of_program)?;
            let mut place = &mut self.given[shard * length..][..length];
            for output in 0..outputs.len() {
                let numbers = outputs.slice(output);
                let (these, rest) = place.split_at_mut(numbers.len());
                these.copy_from_slice(numbers);
                place = rest;
            }
        }
        Ok(())
    }

    /// Puts the loss of each shard of this rank in its place.
    #[track_caller]
    fn losses(&mut self, batch: &Batch<T>, cut: &Cut) -> Result<(), nn::Error> {
        self.begin(1);
        if let Some(programs) = &mut self.measure {
            programs.set_state_numbers(&self.now).map_err(of_program)?;
        }
        for shard in self.dealt(self.ranks.rank()) {
            if cut.shares[shard] == 0.0 {
                self.given[shard] = T::ZERO;
                continue;
            }
            let part = part(batch, cut.rows[shard].clone());
            if self.measure.is_none() {
                let (loss, skeleton) = (Arc::clone(&self.loss), self.net.map(&mut Tensor::clone));
                let programs = Programs::record(leaves(&self.net), &part, move |_, params, batch| {
                    (Vec::new(), vec![one_number(loss(&rebuilt(&skeleton, &params), &batch))])
                });
                self.measure = Some(programs.map_err(of_program)?);
            }
            let programs = self.measure.as_mut().expect("it was recorded");
            self.given[shard] = programs.run(&part).map_err(of_program)?.item(0);
        }
        Ok(())
    }

    /// Makes room for what the shards give, and takes the numbers of the net.
    fn begin(&mut self, length: usize) {
        self.given.resize(length * self.shards, T::ZERO);
        self.now.clear();
        self.net.visit(&mut |leaf| self.now.extend_from_slice(leaf.as_slice()));
    }

    fn meet(&self, purpose: Purpose, batch: &Batch<T>, done: Result<(), nn::Error>) -> Result<(), Error> {
        let mut settings = Print::new();
        self.rule.name().bytes().for_each(|byte| settings.word(u64::from(byte)));
        self.rule.settings(&mut |setting| settings.word(setting.value.to_bits()));
        settings.word(self.rule.momentum().unwrap_or(0.0).to_bits());
        let mut noise = Print::new();
        noise.word(self.seed);
        noise.word(self.shards as u64);
        let facts = [
            ("number of steps", self.steps),
            ("seed or number of shards", noise.value()),
            ("batch", print::of_batch(batch)),
            ("rule", settings.value()),
            ("net", print::of_net(&self.net)),
        ];
        self.ranks.meet(purpose, &facts, &done.map_err(|error| error.to_string()))
    }

    /// Brings what each shard has given to all ranks.
    fn gather(&mut self, length: usize) {
        let mut given = std::mem::take(&mut self.given);
        self.ranks.gather(&mut given, |rank| {
            let shards = self.dealt(rank);
            shards.start * length..shards.end * length
        });
        self.given = given;
    }

    /// Adds up the gradients of the shards, in their order; the next numbers of the leaves that are buffers.
    fn add_up(&mut self, length: usize, sizes: &[usize], shares: &[f64]) -> Vec<(usize, Vec<T>)> {
        let count = sizes.len();
        let there: Vec<(&[T], T)> = self
            .given
            .chunks(length)
            .zip(shares)
            .filter(|(_, share)| **share != 0.0)
            .map(|(given, share)| (given, T::of(*share)))
            .collect();
        let (mut buffers, mut start, mut place) = (Vec::new(), 1 + count, 0);
        self.grads.visit_mut(&mut |leaf| {
            let sum = leaf.as_mut_slice();
            let own = start..start + sum.len();
            sum.fill(T::ZERO);
            if there.iter().any(|(given, _)| given[1 + place] != T::ZERO) {
                let next = there.iter().map(|(given, share)| (&given[own.clone()], *share));
                buffers.push((place, middle(&next.collect::<Vec<_>>())));
            } else {
                for (given, _) in &there {
                    sum.iter_mut().zip(&given[own.clone()]).for_each(|(sum, x)| *sum += *x);
                }
            }
            (start, place) = (own.end, place + 1);
        });
        buffers
    }

    /// Tells why a step led to numbers that are not finite, and goes back to those of the last finite loss. All ranks come to the same.
    #[cold]
    fn diverged(&mut self, batch: &Batch<T>, cut: &Cut, shard: usize, loss: f64) -> Error {
        let part = part(batch, cut.rows[shard].clone());
        let key = Key::new(self.seed).fold_in(self.steps.saturating_sub(1)).fold_in(shard as u64);
        let loss_of = Arc::clone(&self.loss);
        let mut diverged: Diverged =
            explain(&mut self.net, &mut self.rule, &mut self.good, (&part, loss), |tape, net| {
                let mut batch = BatchVars::new(tape, &part);
                batch.context = Context::training(tape.key(key));
                loss_of(net, &batch)
            });
        diverged.batch = self.steps as usize;
        Error::of_all(Kind::Diverged { shard, shards: self.shards, diverged: Box::new(diverged) })
    }
}

/// The program of a shard: of the shard, its share in the batch and its key, to the loss, for each leaf whether it is a buffer, and for each
/// leaf its gradient, or its next numbers.
#[track_caller]
fn record_gradient<T: Number, P>(
    net: &P,
    loss: &Arc<Loss<P, T>>,
    given: (&Batch<T>, &Tensor<T>, Key),
) -> Result<Gradient<T>, nn::Error>
where
    P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P> + Send + Sync + 'static,
{
    let (loss, skeleton) = (Arc::clone(loss), net.map(&mut Tensor::clone));
    let programs =
        Programs::record(leaves(net), &given, move |tape, params: Vec<Var<'_, T>>, (mut batch, share, key)| {
            batch.context = Context::training(key);
            let loss = one_number(loss(&rebuilt(&skeleton, &params), &batch));
            let kept: Vec<_> = params.iter().map(|param| batch.context.kept(*param)).collect();
            let grads = grad(loss * share, &params);
            let flags = kept.iter().map(|kept| tape.scalar(if kept.is_some() { T::ONE } else { T::ZERO }));
            let numbers = kept.iter().zip(grads).map(|(kept, grad)| kept.unwrap_or(grad));
            (Vec::new(), std::iter::once(loss).chain(flags).chain(numbers).collect())
        });
    programs.map_err(of_program)
}

fn of_program(error: autograd::ProgramError) -> nn::Error {
    nn::Error { file: String::new(), line: None, column: None, kind: nn::Kind::Program(error) }
}

fn leaves<T: Number>(net: &impl Tree<Leaf = Tensor<T>>) -> Vec<Tensor<T>> {
    net.leaves().into_iter().cloned().collect()
}

/// A structure like another with these variables as its leaves.
fn rebuilt<'t, T: Number, P: Tree<Leaf = Tensor<T>>>(like: &P, leaves: &[Var<'t, T>]) -> P::With<Var<'t, T>> {
    let mut rest = leaves.iter();
    like.map(&mut |_| *rest.next().expect("there is a variable for each leaf"))
}

fn one_number<T: Number>(loss: Var<'_, T>) -> Var<'_, T> {
    assert!(loss.numel() == 1, "Learner: a loss of one number is needed, its shape is {}", loss.shape());
    loss
}

/// The mean of the losses of shards, by their shares.
fn mean(losses: &[f64], shares: &[f64]) -> f64 {
    losses.iter().zip(shares).filter(|(_, share)| **share != 0.0).map(|(loss, share)| loss * share).sum()
}

/// The mean of lists by shares; where all have the same number, that one: counts stay whole.
fn middle<T: Number>(lists: &[(&[T], T)]) -> Vec<T> {
    let Some(&(first, _)) = lists.first() else { return Vec::new() };
    let mean = |place: usize| {
        let alike = lists.iter().all(|(list, _)| list[place] == first[place]);
        if alike { first[place] } else { lists.iter().fold(T::ZERO, |sum, (list, share)| sum + list[place] * *share) }
    };
    (0..first.len()).map(mean).collect()
}

/// The same of a batch of an epoch, both counted from 1.
fn in_batch(mut error: Error, epoch: u32, batch: usize) -> Error {
    if let Kind::Diverged { diverged, .. } = &mut error.kind {
        (diverged.epoch, diverged.batch) = (epoch, batch);
    }
    error
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_leave_out_what_has_no_share_and_keep_what_all_have() {
        assert_eq!(mean(&[1.0, f64::NAN, 3.0], &[0.25, 0.0, 0.75]), 2.5);
        assert_eq!(middle(&[(&[7.0, 1.0][..], 0.1), (&[7.0, 2.0], 0.3), (&[7.0, 4.0], 0.6)])[0], 7.0);
        assert_eq!(middle(&[(&[1.0][..], 0.25), (&[3.0], 0.75)]), [2.5]);
    }
}
