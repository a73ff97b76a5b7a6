//! A net and the rule that trains it, in one program.

use super::guard::{Diverged, first_broken, origin};
use super::pieces::{Mean, broken_feature, filled, one_number, penalised, rebuilt};
use super::watch::Answer;
use crate::context::Context;
use crate::data::{Batch, BatchVars, Source, empty_batch};
use crate::error::Error;
use crate::optim::{Now, Rule, advance, fixed_settings, start, wrong_setting};
use autograd::{Float, Key, Programs, Tensor, Tree, Var, grad};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A net, its loss and a [`Rule`]: the whole step of training, from the batch to the next parameters and the next memory of the rule, is
/// one program for each size of batch. The loop is yours:
///
/// ```
/// use nn::data::{Batcher, Csv, IRIS_CSV, Standardiser};
/// use nn::train::{EarlyStop, Learner};
/// use nn::{Activation, Adam, Mlp};
/// # fn main() -> Result<(), nn::Error> {
/// let iris = Csv::new("species").parse::<f64>("iris.csv", IRIS_CSV)?;
/// let (train, test) = Standardiser::fit(&iris).apply(&iris).split_stratified(1.0 / 3.0, 0);
/// let (mut batches, held_out) = (Batcher::new(&train, 16, 0), test.whole());
///
/// let net = Mlp::new(&[4, 16, 3], Activation::Tanh, 0);
/// let mut learner = Learner::new(net, Adam::new(0.01), |net, batch| batch.loss(net.forward(batch.features)));
/// let mut stop = EarlyStop::new(10);
/// for epoch in 0..100 {
///     learner.rule.rate = 0.01 / (1.0 + f64::from(epoch) / 20.0); // a schedule of one's own
///     let loss = learner.epoch(&mut batches, epoch)?; // or a loop over `learner.step(&batch)`
///     if stop.stop(learner.measure(&held_out)?) {
///         break;
///     }
///     println!("{loss}");
/// }
/// let (net, _adam) = learner.into_parts();
/// assert!(nn::accuracy(&net.predict(test.features()), test.labels()) > 0.9);
/// # Ok(())
/// # }
/// ```
///
/// A step that leads to numbers that are not finite is an error, which names the operation and its line, the rows of the batch, and the
/// parameter; net and memory are then those of the last finite loss.
pub struct Learner<P: Tree, R, T: Float = f64> {
    /// The rule. Its settings may be changed between steps, rate and momentum at no cost. Its memory is read at the first step, and
    /// written by [`Learner::sync`].
    pub rule: R,
    /// The factor of `½ Σ w²` beside the loss, over all parameters of two axes or more: weights, not biases.
    penalty: f64,
    net: P,
    loss: Arc<Loss<P, T>>,
    step: Option<Recorded<T>>,
    measure: Option<Programs<Vec<Tensor<T>>, Batch<T>, T>>,
    /// How many numbers the net has.
    count: usize,
    /// The numbers of the net, and after the first step of the memory, as they are.
    now: Vec<T>,
    /// As they were for the last finite loss.
    good: Vec<T>,
    rate: Tensor<T>,
    momentum: Option<Tensor<T>>,
    /// Decides the noise of layers such as [`Dropout`](crate::layers::Dropout), with the number of the step.
    pub seed: u64,
    /// How many steps were made.
    pub steps: u64,
}

/// A loss of a net and a batch, both as variables.
type Loss<P, T> = dyn for<'t> Fn(&<P as Tree>::With<Var<'t, T>>, &BatchVars<'t, T>) -> Var<'t, T> + Send + Sync;

/// Parameters, and the rule's memory.
type State<T> = (Vec<Tensor<T>>, BTreeMap<String, Tensor<T>>);

/// A batch, the rate, the momentum where the rule has one, and the key of the step.
type Given<T> = (Batch<T>, Tensor<T>, Option<Tensor<T>>, Key);

struct Recorded<T: Float> {
    programs: Programs<State<T>, Given<T>, T>,
    /// The settings that are a part of it, in their bits.
    settings: Vec<u64>,
}

impl<T, P, R> Learner<P, R, T>
where
    T: Float,
    P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P> + Send + Sync + 'static,
    R: Rule<T> + Clone + Send + Sync + 'static,
{
    /// A net with its rule, and its loss as a function of the net and a batch, which is one number. The function is called when
    /// a size of batch is new, not at each step: it must own what it uses, and read no values.
    pub fn new<F>(net: P, rule: R, loss: F) -> Self
    where
        F: for<'t> Fn(&P::With<Var<'t, T>>, &BatchVars<'t, T>) -> Var<'t, T> + Send + Sync + 'static,
    {
        let mut learner = Self {
            rule,
            penalty: 0.0,
            loss: Arc::new(loss),
            step: None,
            measure: None,
            count: 0,
            now: Vec::new(),
            good: Vec::new(),
            rate: Tensor::scalar(T::ZERO),
            momentum: None,
            seed: 0,
            steps: 0,
            net,
        };
        learner.net.visit(&mut |leaf| learner.now.extend_from_slice(leaf.as_slice()));
        learner.count = learner.now.len();
        learner
    }

    /// The same with a penalty beside the loss, of its gradient alone: `½ Σ w²` times a factor, over all parameters of two axes or more
    /// (weights, not biases). The losses that are told have none of it.
    ///
    /// # Panics
    /// Where the factor is negative or not finite.
    #[track_caller]
    pub fn with_penalty(mut self, factor: f64) -> Self {
        assert!(
            factor >= 0.0 && factor.is_finite(),
            "with_penalty: a finite factor of 0 or more is needed, not {factor}"
        );
        self.penalty = factor;
        self.sync();
        self.step = None;
        self
    }

    /// Makes a step on a batch; the loss of before the step, without the penalty.
    ///
    /// # Errors
    /// Where the loss, or a parameter after the step, is not finite; where a label of the batch is not below the number of outputs, though the
    /// batch has a size that was seen before.
    ///
    /// # Panics
    /// Where the loss is not one number, shapes do not fit, a setting of the rule is out of its range, or the rule's memory is that of
    /// another net.
    #[track_caller]
    pub fn step(&mut self, batch: &Batch<T>) -> Result<f64, Error> {
        if let Some(wrong) = wrong_setting(&self.rule) {
            panic!("Learner::step: {wrong}");
        }
        if self.step.as_ref().is_some_and(|step| !step.is_of(&self.rule)) {
            self.sync();
            self.step = None;
        }
        self.rate.as_mut_slice()[0] = T::of(self.rule.rate());
        if let (Some(tensor), Some(momentum)) = (&mut self.momentum, self.rule.momentum()) {
            tensor.as_mut_slice()[0] = T::of(momentum);
        }
        if self.step.is_none() {
            self.record(batch)?;
        }
        let key = Key::new(self.seed).fold_in(self.steps);
        let Recorded { programs, .. } = self.step.as_mut().expect("it was recorded");
        let loss = programs.run(&(batch, &self.rate, &self.momentum, key)).map_err(Error::program)?.item(0).to_f64();
        self.steps += 1;
        if !loss.is_finite() {
            return Err(self.diverged(batch, loss));
        }
        std::mem::swap(&mut self.now, &mut self.good);
        programs.copy_state_into(&mut self.now);
        // Without a branch, so that it takes vectors.
        let finite = self.now[..self.count].iter().fold(true, |finite, x| finite & x.is_finite());
        if finite { Ok(loss) } else { Err(self.diverged(batch, loss)) }
    }

    /// Makes a step on each batch of an epoch, counted from 0; the mean loss of the examples, each taken before the step that its
    /// batch led to.
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

    /// As [`Learner::epoch`], and calls a function with the rule before each step, for a rate that moves with the steps. A
    /// [`ControlFlow::Break`](std::ops::ControlFlow) from it ends the epoch before that step; the mean of no step is NaN.
    ///
    /// # Errors
    /// As [`Learner::epoch`].
    ///
    /// # Panics
    /// As [`Learner::epoch`].
    #[track_caller]
    pub fn epoch_with<A: Answer>(
        &mut self,
        source: &mut impl Source<T>,
        epoch: u32,
        mut each: impl FnMut(&mut R) -> A,
    ) -> Result<f64, Error> {
        source.start(epoch)?;
        let (mut batch, mut count, mut mean) = (empty_batch(), 0, Mean::default());
        while source.next_into(&mut batch)? {
            if !each(&mut self.rule).goes_on() {
                return Ok(mean.value());
            }
            count += 1;
            let loss = self.step(&batch).map_err(|error| error.in_batch(epoch.saturating_add(1), count))?;
            mean.add(loss, &batch);
        }
        assert!(count > 0, "Learner::epoch: the source has no batch in epoch {epoch}");
        Ok(mean.value())
    }

    /// The loss of a batch, without a step and without the penalty.
    ///
    /// # Errors
    /// Where a label of the batch is not below the number of outputs, though the batch has a size that was seen before.
    ///
    /// # Panics
    /// Where the loss is not one number, or shapes do not fit.
    #[track_caller]
    pub fn measure(&mut self, batch: &Batch<T>) -> Result<f64, Error> {
        if self.measure.is_none() {
            let (loss, skeleton) = (Arc::clone(&self.loss), self.net.map(&mut Tensor::clone));
            let programs = Programs::record(self.leaves(), batch, move |_, params, batch| {
                (Vec::new(), vec![one_number(loss(&rebuilt(&skeleton, &params), &batch))])
            });
            self.measure = Some(programs.map_err(Error::program)?);
        }
        let programs = self.measure.as_mut().expect("it was recorded");
        programs.set_state_numbers(&self.now[..self.count]).map_err(Error::program)?;
        Ok(programs.run(batch).map_err(Error::program)?.item(0).to_f64())
    }

    /// The mean loss of the examples of several batches, as [`Learner::measure`].
    ///
    /// # Errors
    /// As [`Learner::measure`].
    ///
    /// # Panics
    /// As [`Learner::measure`].
    #[track_caller]
    pub fn measure_all(&mut self, batches: &[Batch<T>]) -> Result<f64, Error> {
        let mut mean = Mean::default();
        for batch in batches {
            mean.add(self.measure(batch)?, batch);
        }
        Ok(mean.value())
    }

    /// The net as it is.
    pub fn net(&mut self) -> &P {
        let mut rest = &self.now[..];
        self.net.visit_mut(&mut |leaf| rest = filled(leaf, rest));
        &self.net
    }

    /// Gives the net other numbers, as those of the best epoch. The rule keeps its memory.
    ///
    /// # Panics
    /// Where the net is of another structure.
    #[track_caller]
    pub fn set_net(&mut self, net: &P) {
        let shapes = |net: &P| net.leaves().iter().map(|leaf| leaf.shape().clone()).collect::<Vec<_>>();
        assert!(shapes(net) == shapes(&self.net), "set_net: the net has other parameters than that of the learner");
        let mut place = 0;
        net.visit(&mut |leaf| {
            self.now[place..][..leaf.numel()].copy_from_slice(leaf.as_slice());
            place += leaf.numel();
        });
        self.rewind();
        self.good.clear();
    }

    /// Copies the numbers as they are into the net and the rule's memory, for a [`Checkpoint`](crate::file::Checkpoint); both.
    pub fn sync(&mut self) -> (&P, &R) {
        if self.step.is_some() {
            let mut rest = &self.now[self.count..];
            for tensor in self.rule.memory_mut().values_mut() {
                rest = filled(tensor, rest);
            }
        }
        self.net();
        (&self.net, &self.rule)
    }

    /// The net and the rule as they are.
    pub fn into_parts(mut self) -> (P, R) {
        self.sync();
        (self.net, self.rule)
    }

    fn leaves(&self) -> Vec<Tensor<T>> {
        let mut rest = &self.now[..];
        let copied = |leaf: &&Tensor<T>| {
            let mut leaf = Tensor::zeros(leaf.shape().clone());
            rest = filled(&mut leaf, rest);
            leaf
        };
        self.net.leaves().iter().map(copied).collect()
    }

    /// Gives the programs the numbers as they are.
    fn rewind(&mut self) {
        if let Some(Recorded { programs, .. }) = &mut self.step {
            programs.set_state_numbers(&self.now).expect("the state is that of the program");
        }
    }

    #[cold]
    #[track_caller]
    fn record(&mut self, batch: &Batch<T>) -> Result<(), Error> {
        self.net();
        let started = match start(&self.rule, &self.net, self.rule.memory()) {
            Ok(started) => started,
            Err(wrong) => panic!("Learner::step: {wrong}"),
        };
        self.rule.memory_mut().extend(started);
        self.momentum = self.rule.momentum().map(|momentum| Tensor::scalar(T::of(momentum)));
        let memory = self.rule.memory().clone();
        self.now.truncate(self.count);
        memory.values().for_each(|tensor| self.now.extend_from_slice(tensor.as_slice()));
        self.good.clear();

        let (loss, rule, penalty, names) = (Arc::clone(&self.loss), self.rule.clone(), self.penalty, self.net.names());
        let skeleton = self.net.map(&mut Tensor::clone);
        let state: State<T> = (self.leaves(), memory.iter().map(|(name, x)| (name.clone(), x.clone())).collect());
        let given = (batch, &self.rate, &self.momentum, Key::new(self.seed));
        let programs =
            Programs::record(state, &given, move |tape, (params, memory), (mut batch, rate, momentum, key)| {
                batch.context = Context::training(key);
                let loss = one_number(loss(&rebuilt(&skeleton, &params), &batch));
                let grads = grad(penalised(loss, &params, penalty), &params);
                let now = Now { rate: Some(rate), momentum };
                match advance(&rule, tape, names.clone(), (&params, &grads), memory, now) {
                    Ok((next, memory)) => {
                        let next = batch.context.with_buffers(&params, &next);
                        (next.into_iter().chain(memory.into_values()).collect(), vec![loss])
                    }
                    Err(wrong) => panic!("Learner::step: {wrong}"),
                }
            });
        let programs = programs.map_err(Error::program)?;
        self.step = Some(Recorded { programs, settings: fixed_settings(&self.rule) });
        Ok(())
    }

    /// Tells why a step led to numbers that are not finite, and goes back to those of the last finite loss.
    #[cold]
    fn diverged(&mut self, batch: &Batch<T>, loss: f64) -> Error {
        self.net();
        let parameter = first_broken(&self.net);
        // A step that has broken parameters was made from the good ones.
        let is_step = loss.is_finite();
        if is_step {
            std::mem::swap(&mut self.now, &mut self.good);
            self.net();
        }
        let function = Arc::clone(&self.loss);
        let key = Key::new(self.seed).fold_in(self.steps.saturating_sub(1));
        let origin = origin(&self.net, &batch.rows, |tape, net, _| {
            let mut batch = BatchVars::new(tape, batch);
            batch.context = Context::training(tape.key(key));
            function(net, &batch)
        });
        let restored = is_step || self.good.len() == self.now.len();
        if !is_step && restored {
            std::mem::swap(&mut self.now, &mut self.good);
            self.net();
        }
        self.rewind();
        self.good.clear();
        Diverged {
            epoch: 0,
            batch: self.steps as usize,
            loss,
            rows: batch.rows.clone(),
            feature: broken_feature(batch),
            parameter,
            origin: origin.map(Box::new),
            restored,
        }
        .into()
    }
}

impl<T: Float> Recorded<T> {
    /// Whether it was recorded of a rule with the settings of this one.
    fn is_of(&self, rule: &impl Rule<T>) -> bool {
        crate::optim::has_settings(rule, &self.settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Batcher, Dataset, Target};
    use crate::layers::Embedding;
    use crate::optim::{Optimiser, RmsProp};
    use crate::{Activation, Adam, Mlp, Sgd, generator};
    use autograd::Tape;

    fn data<T: Float>() -> Dataset<T> {
        let x = Tensor::from_fn([20, 3], |i| T::of(((i * i) as f64 * 0.37).sin()));
        let labels = (0..20).map(|row| row * row % 4).collect();
        Dataset::new(x, labels, ["a", "b", "c", "d"].map(String::from).to_vec())
    }

    fn net<T: Float>() -> Mlp<Tensor<T>> {
        Mlp::new(&[3, 5, 4], Activation::Tanh, 1)
    }

    #[test]
    fn steps_are_those_of_the_rule_on_tensors_to_the_bit_whatever_the_size_of_the_batch() {
        fn check<T: Float, R: Rule<T> + Clone + Send + Sync + 'static>(rule: R) {
            let data = data::<T>();
            let (mut net, mut by_hand, mut tape) = (net::<T>(), rule.clone(), Tape::default());
            let mut learner = Learner::new(net.clone(), rule, |net, batch| batch.loss(net.forward(batch.features)));
            for epoch in 0..4 {
                let rate = 0.05 / (1.0 + f64::from(epoch));
                learner.rule.set_rate(rate);
                by_hand.set_rate(rate);
                let mut total = 0.0;
                for (x, labels) in data.batches(6, 2, epoch) {
                    let (loss, grads) =
                        tape.value_and_grad(&net, |tape, net| net.forward(tape.var(&x)).cross_entropy(&labels));
                    by_hand.step(&mut net, &grads);
                    total += loss.to_f64() * labels.len() as f64;
                }
                let mean = learner.epoch(&mut Batcher::new(&data, 6, 2), epoch).unwrap();
                assert_eq!(mean, total / 20.0);
                assert_eq!(learner.net(), &net);
            }
            assert_eq!(learner.steps, 16);
            let (_, rule) = learner.into_parts();
            assert_eq!(**rule.memory(), **by_hand.memory());
        }
        check::<f64, _>(Adam::new(0.05));
        check::<f32, _>(Sgd { momentum: 0.9, nesterov: true, weight_decay: 0.01, ..Sgd::new(0.05) });
        check::<f64, _>(RmsProp { centred: true, ..RmsProp::new(0.05) });
    }

    #[test]
    fn integers_of_each_example_index_vectors_and_those_beyond_are_told() {
        let mood = |words: &[usize]| words.iter().map(|&word| word as f64 - 2.0).sum::<f64>() / 3.0;
        let texts: Vec<[usize; 3]> = (0..40).map(|i| [i % 5, i * i % 5, (i / 5 + 2 * i) % 5]).collect();
        let values: Vec<f64> = texts.iter().map(|text| mood(text)).collect();
        let data = Dataset::with(Tensor::zeros([40, 0]), Target::value("mood", &values)).with_indices(texts.concat());
        let words: Embedding<Tensor> = Embedding::new(5, 1, &mut generator(0));
        let mut learner =
            Learner::new(words, Adam::new(0.1), |net, batch| batch.loss(net.forward(&batch.indices()).mean_axes(1)));
        for epoch in 0..60 {
            learner.epoch(&mut Batcher::new(&data, 16, 0), epoch).unwrap();
        }
        assert!(learner.measure(&data.whole()).unwrap() < 1e-6);
        let rows: Vec<usize> = (0..16).collect();
        let beyond = data.select(&rows).with_indices((0..48).map(|i| i % 6).collect()).whole();
        let error = learner.step(&beyond).unwrap_err().to_string();
        assert!(error.contains('5') && error.contains("size 5"), "{error}");
    }

    #[test]
    fn a_setting_that_changes_is_heeded_and_what_is_remembered_stays() {
        let data = data::<f64>();
        let batch = data.batch(&[0, 3, 4]);
        let mut learner = Learner::new(net(), Sgd { momentum: 0.5, ..Sgd::new(0.1) }, |net, batch| {
            batch.loss(net.forward(batch.features))
        });
        learner.step(&batch).unwrap();
        let kept = learner.sync().1.memory.clone();
        learner.rule.weight_decay = 0.5;
        learner.step(&batch).unwrap();
        assert_ne!(kept, learner.sync().1.memory);
        assert_eq!(learner.sync().1.memory["steps"].item(), 2.0);
        let mut resumed = Learner::new(learner.net().clone(), learner.rule.clone(), |net, batch| {
            batch.loss(net.forward(batch.features))
        });
        assert_eq!(learner.step(&batch).unwrap(), resumed.step(&batch).unwrap());
        assert_eq!(learner.net(), resumed.net());
    }

    #[test]
    fn measuring_changes_nothing_and_numbers_can_be_given_back() {
        let data = data::<f64>();
        let all: Vec<usize> = (0..20).collect();
        let mut learner = Learner::new(net(), Adam::new(0.1), |net, batch| batch.loss(net.forward(batch.features)));
        let start = learner.net().clone();
        let before = learner.measure(&data.batch(&all)).unwrap();
        assert_eq!(learner.measure_all(&[data.batch(&all[..13]), data.batch(&all[13..])]).unwrap(), {
            let part = |rows: &[usize], learner: &mut Learner<_, _>| {
                learner.measure(&data.batch(rows)).unwrap() * rows.len() as f64
            };
            (part(&all[..13], &mut learner) + part(&all[13..], &mut learner)) / 20.0
        });
        assert_eq!(learner.steps, 0);
        assert_eq!(learner.net(), &start);
        assert_eq!(learner.step(&data.batch(&all)).unwrap(), before);
        assert!(learner.measure(&data.batch(&all)).unwrap() < before);
        learner.set_net(&start);
        assert_eq!(learner.measure(&data.batch(&all)).unwrap(), before);
        assert_eq!(learner.step(&data.batch(&all)).unwrap(), before);
        assert_eq!(learner.sync().1.memory["steps"].item(), 2.0);
    }

    #[test]
    fn a_penalty_draws_weights_to_zero_not_biases_and_is_no_part_of_the_loss() {
        let values = Dataset::with(Tensor::<f64>::zeros([2, 1]), Target::value("y", &[0.0, 0.0]));
        let net: Mlp<Tensor> = Mlp::new(&[1, 1], Activation::Identity, 1);
        let weight = net.layers[0].weight.item();
        let mut learner = Learner::new(net, Sgd::new(0.1), |net, batch| {
            batch.loss(net.forward(batch.features)) + 0.0 * net.layers[0].bias.unwrap().sum()
        })
        .with_penalty(2.0);
        assert_eq!(learner.step(&values.batch(&[0, 1])).unwrap(), 0.0);
        assert_eq!(learner.net().layers[0].weight.item(), weight - 0.1 * (2.0 * weight));
        assert_eq!(learner.net().layers[0].bias.as_ref().unwrap().item(), 0.0);
    }

    #[test]
    fn a_loss_that_is_not_finite_is_told_with_its_line_and_rows_and_the_weights_of_before_are_back() {
        let data = data::<f64>();
        let line = line!() + 2;
        let mut learner = Learner::new(net(), Sgd { momentum: 0.9, ..Sgd::new(0.1) }, |net, batch| {
            batch.loss(net.forward(batch.features).exp().log()) + (batch.features.sum() + 1e6).sqrt().sum() * 0.0
        });
        learner.step(&data.batch(&[0, 1])).unwrap();
        let (good, _) = (learner.net().clone(), learner.step(&data.batch(&[2, 3])).unwrap());
        let mut broken = data.batch(&[4, 7]);
        broken.features.as_mut_slice()[5] = -1e7;
        let Err(error) = learner.step(&broken) else { panic!("there is no such root") };
        let crate::Kind::Diverged(diverged) = &error.kind else { panic!("{error}") };
        assert_eq!((&diverged.rows[..], diverged.restored, diverged.epoch, diverged.batch), (&[4, 7][..], true, 0, 3));
        let origin = diverged.origin.as_ref().expect("the operation is found");
        assert_eq!((origin.op, origin.location.line()), ("sqrt", line), "{error}");
        assert!(error.to_string().starts_with("step 3: the loss is NaN"), "{error}");
        // The weights whose loss was the last finite one, and the memory that belongs to them.
        assert_eq!(learner.net(), &good);
        broken.features.as_mut_slice()[5] = f64::INFINITY;
        let error = learner.step(&broken).unwrap_err();
        assert!(error.to_string().contains("; feature 2 of row 7 is no finite number; rows 4, 7; "), "{error}");
        assert!(learner.step(&data.batch(&[2, 3])).is_ok());
    }

    #[test]
    fn a_step_that_breaks_a_parameter_is_none() {
        let one = Dataset::with(Tensor::<f64>::ones([1, 1]), Target::value("y", &[0.0]));
        let mut learner = Learner::new((Tensor::from([1.0]), Tensor::from([0.0])), Adam::new(0.1), |net, batch| {
            batch.mean((net.0 * batch.features + net.1.sqrt()).reshape([1]))
        });
        let error = learner.epoch(&mut Batcher::new(&one, 1, 0), 4).unwrap_err();
        assert!(
            error.to_string().starts_with("epoch 5, batch 1: the loss is 1, but the step makes `1` no finite number"),
            "{error}"
        );
        assert_eq!(learner.into_parts().0, (Tensor::from([1.0]), Tensor::from([0.0])));
    }

    #[test]
    fn examples_count_as_much_as_their_weights_and_what_does_not_count_may_be_infinite() {
        let data = Dataset::with(Tensor::from_rows([[1.0], [2.0], [4.0]]), Target::value("y", &[0.0, 0.0, 0.0]));
        let weighted = data.clone().with_weights(vec![1.0, 3.0, 0.0]);
        let mut learner = Learner::new(Tensor::from([1.0]), Sgd::new(0.0), |w, batch| {
            batch.loss((batch.features * *w).maximum(batch.features * 2.0 - 4.0))
        });
        assert_eq!(learner.measure(&data.batch(&[0, 1])).unwrap(), 2.5);
        assert_eq!(learner.measure(&weighted.batch(&[0, 1, 2])).unwrap(), 3.25);
        let batches = [weighted.batch(&[0, 1]), data.batch(&[2])];
        assert_eq!(learner.measure_all(&batches).unwrap(), (4.0 * 3.25 + 16.0) / 5.0);
        let mut infinite = weighted.batch(&[0, 1, 2]);
        infinite.features.as_mut_slice()[2] = f64::INFINITY;
        assert_eq!(learner.step(&infinite).unwrap(), 3.25);
    }

    #[test]
    #[should_panic(expected = "Learner: a loss of one number is needed, its shape is [2]")]
    fn a_loss_is_one_number() {
        let data = data::<f64>();
        let mut learner = Learner::new(net(), Sgd::new(0.1), |net, batch| net.forward(batch.features).logsumexp(1));
        let _ = learner.step(&data.batch(&[0, 1]));
    }

    #[test]
    #[should_panic(expected = "Learner::step: Sgd needs a finite rate of 0 or more, not -1")]
    fn settings_are_checked() {
        let data = data::<f64>();
        let mut learner = Learner::new(net(), Sgd::new(-1.0), |net, batch| batch.loss(net.forward(batch.features)));
        let _ = learner.step(&data.batch(&[0, 1]));
    }
}
