//! Training with defaults that do not overfit a small table.

use super::Learner;
use super::guard::{Diverged, first_broken, origin};
use super::pieces::{Mean, broken_feature, one_number, penalised, rebuilt};
use super::watch::{Answer, Ended, Fitting, Moment, Watch};
use crate::context::Context;
use crate::data::{Batch, BatchVars, Batcher, By, Dataset, Source};
use crate::error::{Error, Kind};
use crate::optim::{Adam, Lbfgs, Rule, Stopped};
use autograd::{Float, Key, Tape, Tensor, Tree, Var};

/// How a net is trained where nothing else is said: a fifth of the rows is held out and tells when to stop, weights have a
/// penalty, few rows are trained on all at once by [`Lbfgs`], many in batches by [`Adam`]. Features, and measured targets, are to
/// be standardised before.
///
/// ```
/// use autograd::Tensor;
/// use nn::data::Target;
/// use nn::train::{Fit, fit};
/// use nn::{Activation, Dataset, Mlp};
/// # fn main() -> Result<(), nn::Error> {
/// let x = Tensor::from_fn([200, 1], |i| i as f64 / 100.0 - 1.0);
/// let y = x.as_slice().iter().map(|x| (3.0 * x).sin()).collect::<Vec<_>>();
/// let data = Dataset::with(x, Target::value("sine", &y));
///
/// let mut net = Mlp::new(&[1, 16, 1], Activation::Tanh, 0);
/// let fitted = fit(&mut net, &data, |net, batch| batch.loss(net.forward(batch.features)))?;
/// assert!(fitted.held_out_loss.unwrap() < 0.01, "{fitted:?}");
///
/// // Another rule, a loss of one's own, and somebody who draws.
/// let mut net = Mlp::new(&[1, 16, 1], Activation::Tanh, 0);
/// let mut adam = nn::Adam::new(0.01);
/// let fit = Fit { epochs: 50, batch_size: 16, ..Fit::default() };
/// let fitted = fit.by(&mut net, &mut adam, &data,
///     |net, batch| batch.mean((net.forward(batch.features) - batch.values()).abs()),
///     |now| eprint!("\r{:.0} %", 100.0 * now.progress.share),
/// )?;
/// assert!(fitted.history.column("loss").unwrap().len() <= 50);
/// # Ok(())
/// # }
/// ```
///
/// It is a short loop over [`Learner`], [`EarlyStop`](super::EarlyStop), [`Best`](super::Best), [`History`](super::History) and [`Progress`](super::Progress); where it does not do what you need, write yours.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// How many epochs at most; of [`Lbfgs`], five iterations are one.
    pub epochs: u32,
    /// How many examples a step sees; [`Lbfgs`] sees all.
    pub batch_size: usize,
    /// Decides which rows are held out, and the order of the others.
    pub seed: u64,
    /// The share of rows that are not trained with but tell when to stop; 0 for none.
    pub held_out: f64,
    /// How many epochs without a better loss on these rows are too many.
    pub patience: u32,
    /// The factor of `½ Σ w²` beside the loss, over parameters of two axes or more (weights, not biases).
    pub penalty: f64,
    /// Up to how many rows all of them are trained on at once, by [`Lbfgs`], where no rule is given.
    pub all_at_once: usize,
}

impl Default for Fit {
    fn default() -> Self {
        Self { epochs: 200, batch_size: 32, seed: 0, held_out: 0.2, patience: 20, penalty: 1e-4, all_at_once: 2000 }
    }
}

/// Trains a net with the defaults of [`Fit`]; see there.
///
/// # Errors
/// As [`Fit::run`].
///
/// # Panics
/// As [`Fit::run`].
#[track_caller]
pub fn fit<T, P, F>(net: &mut P, data: &Dataset<T>, loss: F) -> Result<Fitting, Error>
where
    T: Float,
    P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P> + Send + Sync + 'static,
    F: for<'t> Fn(&P::With<Var<'t, T>>, &BatchVars<'t, T>) -> Var<'t, T> + Send + Sync + 'static,
{
    Fit::default().run(net, data, loss, |_| ())
}

impl Fit {
    /// Trains a net, by [`Adam`] where there are many rows, or the net has noise or buffers, else by [`Lbfgs`]. The loss is a function of the net and a batch, as
    /// `|net, batch| batch.loss(net.forward(batch.features))`; `report` is told how far it is, ten times a second at most, and may end it with
    /// a [`ControlFlow::Break`](std::ops::ControlFlow).
    ///
    /// # Errors
    /// Where no rows can be held out, since there are too few; where a loss or a parameter becomes infinite or NaN: the net then has the weights of the
    /// last finite loss.
    ///
    /// # Panics
    /// Where the loss is not one number, shapes do not fit, or a setting is out of its range.
    #[track_caller]
    pub fn run<T, P, F, A: Answer>(
        &self,
        net: &mut P,
        data: &Dataset<T>,
        loss: F,
        report: impl FnMut(Moment<'_>) -> A,
    ) -> Result<Fitting, Error>
    where
        T: Float,
        P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P> + Send + Sync + 'static,
        F: for<'t> Fn(&P::With<Var<'t, T>>, &BatchVars<'t, T>) -> Var<'t, T> + Send + Sync + 'static,
    {
        self.require("Fit::run");
        if data.len() > self.all_at_once || data.is_empty() || !is_plain(net, data, &loss) {
            return self.by(net, &mut Adam::new(1e-3), data, loss, report);
        }
        let (rows, held_out) = self.parts(data)?;
        let (rows, watched) = (data.batch(&rows), cut(data, &held_out));
        let all = AllAtOnce { skeleton: net.map(&mut Tensor::clone), loss: &loss };
        let mut leaves: Vec<Tensor<T>> = net.leaves().into_iter().cloned().collect();
        let mut lbfgs = Lbfgs { max_iterations: 5, max_evaluations: Some(50), ..Lbfgs::default() };
        let (mut tape, mut watch) = (Tape::default(), Watch::new(self, Some(1), report));
        while watch.goes_on() {
            let step = lbfgs.step(&mut leaves, |leaves| {
                tape.value_and_grad(leaves, |tape, leaves| {
                    penalised(all.loss(tape, &leaves, &rows), &leaves, self.penalty)
                })
            });
            if !step.loss.is_finite() {
                *net = all.net(&leaves);
                let origin = origin(net, &rows.rows, |tape, net, _| loss(net, &BatchVars::new(tape, &rows)));
                let diverged = Diverged {
                    epoch: watch.epoch(),
                    batch: 1,
                    loss: step.loss,
                    feature: broken_feature(&rows),
                    rows: rows.rows,
                    parameter: first_broken(net),
                    origin: origin.map(Box::new),
                    restored: false,
                };
                return Err(diverged.into());
            }
            let train = all.measure(&leaves, std::slice::from_ref(&rows));
            let held_out = (!watched.is_empty()).then(|| all.measure(&leaves, &watched));
            watch.epoch_ends(train, held_out, &leaves);
            if step.stopped.is_converged() || step.stopped == Stopped::NonFinite {
                watch.ended.get_or_insert(Ended::Converged);
            }
        }
        let fitting = watch.fitting(held_out, &mut leaves);
        *net = all.net(&leaves);
        Ok(fitting)
    }

    /// As [`Fit::run`], by a rule of your choice, in batches whatever the number of rows. The rule keeps what it remembers.
    ///
    /// # Errors
    /// As [`Fit::run`].
    ///
    /// # Panics
    /// As [`Fit::run`].
    #[track_caller]
    pub fn by<T, P, R, F, A: Answer>(
        &self,
        net: &mut P,
        rule: &mut R,
        data: &Dataset<T>,
        loss: F,
        report: impl FnMut(Moment<'_>) -> A,
    ) -> Result<Fitting, Error>
    where
        T: Float,
        P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P> + Send + Sync + 'static,
        R: Rule<T> + Clone + Send + Sync + 'static,
        F: for<'t> Fn(&P::With<Var<'t, T>>, &BatchVars<'t, T>) -> Var<'t, T> + Send + Sync + 'static,
    {
        self.require("Fit::by");
        let (rows, held_out) = self.parts(data)?;
        let (train, watched) = (data.select(&rows), cut(data, &held_out));
        let mut source = Batcher::new(&train, self.batch_size, self.seed);
        // A last batch of one row is no batch for layers that normalise by it.
        source.drop_last = train.len() > 1 && train.len() % self.batch_size == 1 && !is_plain(net, data, &loss);
        let fitting = self.from(net, rule, &mut source, &watched, loss, report);
        // Rows are told as those of the data.
        let of = |place: &mut usize| *place = rows[*place];
        match fitting {
            Ok(fitting) => Ok(Fitting { held_out, ..fitting }),
            Err(mut error) => {
                if let Kind::Diverged(diverged) = &mut error.kind {
                    diverged.rows.iter_mut().chain(diverged.feature.as_mut().map(|(row, _)| row)).for_each(of);
                }
                Err(error)
            }
        }
    }

    /// As [`Fit::by`], with a [`Source`] of batches, which may be larger than memory, in place of data, and the batches that
    /// tell when to stop.
    ///
    /// # Errors
    /// As [`Fit::run`], or where the source cannot be read.
    ///
    /// # Panics
    /// As [`Fit::run`], or where an epoch has no batch.
    #[track_caller]
    pub fn from<T, P, R, F, A: Answer>(
        &self,
        net: &mut P,
        rule: &mut R,
        source: &mut impl Source<T>,
        watched: &[Batch<T>],
        loss: F,
        report: impl FnMut(Moment<'_>) -> A,
    ) -> Result<Fitting, Error>
    where
        T: Float,
        P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P> + Send + Sync + 'static,
        R: Rule<T> + Clone + Send + Sync + 'static,
        F: for<'t> Fn(&P::With<Var<'t, T>>, &BatchVars<'t, T>) -> Var<'t, T> + Send + Sync + 'static,
    {
        self.require("Fit::from");
        let start = net.map(&mut Tensor::clone);
        let mut learner = Learner::new(start, rule.clone(), loss).with_penalty(self.penalty);
        learner.seed = self.seed;
        let mut watch = Watch::new(self, source.batches(), report);
        let mut train = |learner: &mut Learner<P, R, T>| {
            while watch.ended.is_none() {
                let epoch = watch.epoch();
                let loss = learner.epoch_with(source, epoch - 1, |_| watch.answer())?;
                if loss.is_nan() {
                    break; // before the first step
                }
                let held_out = if watched.is_empty() { None } else { Some(learner.measure_all(watched)?) };
                watch.epoch_ends(loss, held_out, learner.net());
            }
            Ok(())
        };
        let trained = train(&mut learner);
        (*net, *rule) = learner.into_parts();
        trained.map(|()| watch.fitting(Vec::new(), net))
    }

    /// The rows to train with, and those that are held out.
    fn parts<T: Float>(&self, data: &Dataset<T>) -> Result<(Vec<usize>, Vec<usize>), Error> {
        let parts = By::target(data.target()).split(self.held_out, self.seed)?;
        Ok((parts.train, parts.held_out))
    }

    #[track_caller]
    fn require(&self, function: &str) {
        assert!(self.batch_size > 0, "{function}: batches of 1 example or more are needed, not of 0");
        let (share, penalty) = (self.held_out, self.penalty);
        assert!((0.0..1.0).contains(&share), "{function}: a share of rows from 0 to below 1 is held out, not {share}");
        assert!(
            penalty >= 0.0 && penalty.is_finite(),
            "{function}: a finite penalty of 0 or more is needed, not {penalty}"
        );
    }
}

/// Whether a loss has neither noise nor buffers.
fn is_plain<T, P, F>(net: &P, data: &Dataset<T>, loss: &F) -> bool
where
    T: Float,
    P: Tree<Leaf = Tensor<T>>,
    F: for<'t> Fn(&P::With<Var<'t, T>>, &BatchVars<'t, T>) -> Var<'t, T>,
{
    let tape = Tape::default();
    let rows: Vec<usize> = (0..data.len().min(2)).collect();
    let mut batch = BatchVars::new(&tape, &data.batch(&rows));
    batch.context = Context::training(tape.key(Key::new(0)));
    loss(&tape.vars(net), &batch);
    batch.context.is_plain()
}

/// Rows in batches that are large and not many numbers at once.
fn cut<T: Float>(data: &Dataset<T>, rows: &[usize]) -> Vec<Batch<T>> {
    rows.chunks(1024).map(|rows| data.batch(rows)).collect()
}

/// A loss of all rows, of a net whose leaves are in a list.
struct AllAtOnce<'f, P, F> {
    skeleton: P,
    loss: &'f F,
}

impl<P, F> AllAtOnce<'_, P, F> {
    fn loss<'t, T>(&self, tape: &'t Tape<T>, leaves: &[Var<'t, T>], batch: &Batch<T>) -> Var<'t, T>
    where
        T: Float,
        P: Tree<Leaf = Tensor<T>>,
        F: Fn(&P::With<Var<'t, T>>, &BatchVars<'t, T>) -> Var<'t, T>,
    {
        one_number((self.loss)(&rebuilt(&self.skeleton, leaves), &BatchVars::new(tape, batch)))
    }

    fn net<T>(&self, leaves: &[Tensor<T>]) -> P
    where
        T: Float,
        P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
    {
        let mut rest = leaves.iter();
        self.skeleton.map(&mut |leaf| rest.next().unwrap_or(leaf).clone())
    }

    fn measure<T>(&self, leaves: &[Tensor<T>], batches: &[Batch<T>]) -> f64
    where
        T: Float,
        P: Tree<Leaf = Tensor<T>>,
        F: for<'t> Fn(&P::With<Var<'t, T>>, &BatchVars<'t, T>) -> Var<'t, T>,
    {
        let mut mean = Mean::default();
        for batch in batches {
            let tape = Tape::default();
            mean.add(self.loss(&tape, &tape.vars(leaves), batch).item().to_f64(), batch);
        }
        mean.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Csv, IRIS_CSV, Standardiser, Stream, Target};
    use crate::{Activation, Mlp, Sgd, accuracy};
    use std::ops::ControlFlow;

    fn iris<T: Float>() -> Dataset<T> {
        let iris = Csv::new("species").parse("iris.csv", IRIS_CSV).unwrap();
        Standardiser::fit(&iris).apply(&iris)
    }

    fn net<T: Float>(inputs: usize, outputs: usize) -> Mlp<Tensor<T>> {
        Mlp::new(&[inputs, 8, outputs], Activation::Tanh, 3)
    }

    #[test]
    fn rows_are_held_out_of_each_class_and_the_net_is_the_best_on_them() {
        fn check<T: Float>(by_rule: bool) {
            let (data, mut net) = (iris::<T>(), net(4, 3));
            let fit = Fit { epochs: 40, patience: 3, ..Fit::default() };
            let fitting = if by_rule {
                fit.by(&mut net, &mut Adam::new(0.05), &data, |net, b| b.loss(net.forward(b.features)), |_| ())
            } else {
                fit.run(&mut net, &data, |net, b| b.loss(net.forward(b.features)), |_| ())
            }
            .unwrap();
            assert_eq!(fitting.held_out.len(), 30);
            let held_out = data.select(&fitting.held_out);
            assert!((0..3).all(|class| held_out.labels().iter().filter(|&&label| label == class).count() == 10));
            let losses = fitting.history.column("held_out_loss").unwrap();
            let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
            assert_eq!((fitting.held_out_loss, losses[fitting.epoch as usize - 1]), (Some(best), best));
            let tape = Tape::default();
            let scores = tape.var(&net.predict(held_out.features()));
            let loss = scores.cross_entropy(held_out.labels()).item().to_f64();
            assert!((loss - best).abs() < 1e-5 * best, "{loss} is not {best}");
            assert!(accuracy(&net.predict(data.features()), data.labels()) > 0.95);
        }
        check::<f64>(true);
        check::<f64>(false);
        check::<f32>(true);
        check::<f32>(false);
    }

    #[test]
    fn all_kinds_of_target_are_learnt_and_a_seed_gives_one_result() {
        let x = Tensor::from_fn([120, 2], |i| (i as f64 * 0.77).sin());
        let of = |f: &dyn Fn(&[f64]) -> [f64; 2]| Tensor::new([120, 2], x.as_slice().chunks(2).flat_map(f).collect());
        let names = ["u", "v"].map(String::from).to_vec();
        let values = of(&|x| [x[0] - x[1], x[0] * x[1]]);
        let labels = of(&|x| [f64::from(x[0] > x[1]), f64::from(x[0] > 0.0)]);
        for target in [Target::Values { values, names: names.clone() }, Target::Labels { values: labels, names }] {
            let data = Dataset::with(x.clone(), target);
            let trained = || {
                let mut net = net(2, 2);
                let fitting = crate::train::fit(&mut net, &data, |net, b| b.loss(net.forward(b.features))).unwrap();
                (net, fitting)
            };
            let (net, fitting) = trained();
            let history = fitting.history.column("held_out_loss").unwrap();
            assert!(fitting.held_out_loss.unwrap() < 0.3 * history[0].max(0.05), "{fitting:?}");
            assert_eq!((net, fitting), trained());
        }
    }

    #[test]
    fn who_is_told_how_far_it_is_may_end_it_before_the_next_step() {
        let (data, start) = (iris::<f64>(), net(4, 3));
        let mut net = start.clone();
        let fit = Fit { batch_size: 16, ..Fit::default() };
        let loss = |seen: &std::cell::Cell<u64>, done: u64| {
            seen.set(done);
            if done >= 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let seen = std::cell::Cell::new(0);
        let mut adam = Adam::new(0.05);
        let fitting = fit
            .by(
                &mut net,
                &mut adam,
                &data,
                |net, b| b.loss(net.forward(b.features)),
                |now| {
                    std::thread::sleep(std::time::Duration::from_millis(1));
                    loss(&seen, now.progress.done)
                },
            )
            .unwrap();
        assert!(fitting.ended == Ended::Asked || fitting.ended == Ended::Patience, "{:?}", fitting.ended);
        assert_ne!(net, start);
        assert!(adam.memory["steps"].item() > 0.0);
    }

    #[test]
    fn a_source_of_ones_own_takes_the_place_of_data() {
        let data = iris::<f32>();
        let (whole, mut net) = (data.clone(), net(4, 3));
        let mut source = Stream::new(move |epoch| {
            let rows: Vec<usize> = (0..150).map(|row| (row * 7 + epoch as usize) % 150).collect();
            let batches: Vec<_> = rows.chunks(40).map(|rows| Ok(whole.batch(rows))).collect();
            batches.into_iter()
        });
        let fit = Fit { epochs: 30, penalty: 0.0, ..Fit::default() };
        let mut sgd = Sgd { momentum: 0.9, ..Sgd::new(0.1) };
        let fitting =
            fit.from(&mut net, &mut sgd, &mut source, &[], |net, b| b.loss(net.forward(b.features)), |_| ()).unwrap();
        assert_eq!((fitting.ended, fitting.epoch, fitting.held_out_loss), (Ended::Epochs, 30, None));
        assert_eq!(fitting.history.names, ["epoch", "loss"]);
        assert!(accuracy(&net.predict(data.features()), data.labels()) > 0.95);
    }

    #[test]
    fn what_is_not_finite_names_the_rows_of_the_data_and_leaves_good_weights() {
        let mut net = net::<f64>(4, 3);
        let error = Fit { batch_size: 16, ..Fit::default() }
            .by(&mut net, &mut Sgd::new(1e300), &iris(), |net, b| b.loss(net.forward(b.features)), |_| ())
            .unwrap_err();
        let Kind::Diverged(diverged) = &error.kind else { panic!("{error}") };
        assert!(diverged.epoch == 1 && diverged.rows.len() == 16 && diverged.rows.iter().any(|&row| row >= 120));
        assert!(net.leaves().iter().all(|leaf| leaf.as_slice().iter().all(|x| x.is_finite())));

        net.layers[1].bias.as_mut().unwrap().as_mut_slice()[0] = f64::NAN;
        let error =
            Fit::default().run(&mut net, &iris(), |net, b| b.loss(net.forward(b.features)), |_| ()).unwrap_err();
        assert!(error.to_string().contains("`layers.1.bias` was no finite number from the start"), "{error}");
    }

    #[test]
    fn too_few_rows_are_told() {
        let two = iris::<f64>().select(&[0, 1]);
        let error = crate::train::fit(&mut net(4, 3), &two, |net, b| b.loss(net.forward(b.features))).unwrap_err();
        assert!(error.to_string().contains("2 rows"), "{error}");
        let fit = Fit { held_out: 0.0, epochs: 3, ..Fit::default() };
        let fitting = fit.run(&mut net(4, 3), &two, |net, b| b.loss(net.forward(b.features)), |_| ()).unwrap();
        assert_eq!(fitting.held_out_loss, None);
    }
}
