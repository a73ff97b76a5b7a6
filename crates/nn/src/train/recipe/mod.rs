//! How a table is fitted where nobody says how: candidates with penalties, chosen by rows that they were not trained with.

mod joined;
mod prepare;
mod training;
mod watched;

use super::{Fit, Fitting};
use crate::data::{Batch, BatchVars, By, Dataset};
use crate::error::{Error, Kind};
use crate::{Activation, Mlp};
use autograd::{Float, Tape, Tensor};
use std::ops::ControlFlow;
use training::Training;
use watched::Watch;

pub use watched::{Trying, Watched};

/// The mean loss of outputs for a batch.
type Judge<'a, T> = dyn Fn(&Tensor<T>, &Batch<T>) -> f64 + 'a;

/// So many rows judge well enough.
const JUDGED: usize = 1000;

/// Losses that differ by less are alike.
const ALIKE: f64 = 1.01;

/// In how many steps the progress of a training in batches is told.
const STEPS: u64 = 1000;

/// A recipe for tables. Up to some thousand rows each candidate net with each penalty is trained by [`Lbfgs`](crate::optim::Lbfgs) on all folds but one, and
/// judged on that one, once more with other folds where it is among the best; the best of all is trained on all rows, several
/// times from other initial weights, and the mean of these nets, which is one wide net, is what comes out. Larger tables are
/// trained on in batches, by [`Fit`], and a part of the rows, that it holds out, tells which candidate is the best.
///
/// Features are to be standardised before, and measured targets, too. Losses are those of [`BatchVars::loss`], so that
/// examples count by their weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Recipe {
    /// Decides the folds and the initial weights.
    pub seed: u64,
    /// The hidden sizes and what stands between them; without hidden sizes it is the linear model.
    pub candidates: Vec<(Vec<usize>, Activation)>,
    /// The factors of `½ Σ w²` over all weights, beside the mean loss; biases have none. They are tried in this order, until two of a
    /// candidate in a row are worse by a hundredth than its best.
    pub penalties: Vec<f64>,
    /// The number of folds, 2 or more; fewer than that many rows are as many folds. Where a thousand rows are held out by some of the folds,
    /// the others are left out.
    pub folds: usize,
    /// How often the rows are divided into folds anew, since the judgement of few rows is chance: by their number where this is `None`, up
    /// to five times. After the first time only the [best](Self::finalists) go on.
    pub repeats: Option<usize>,
    /// How many of the trials are judged more than once.
    pub finalists: usize,
    /// Of how many nets the result is the mean, where it has hidden nodes.
    pub nets: usize,
    /// How many iterations each training makes at most.
    pub max_iterations: usize,
    /// Up to how many rows there are folds; beyond, [`Fit`] trains in batches.
    pub most_rows: usize,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: 0,
            candidates: vec![
                (vec![], Activation::Identity),
                (vec![32], Activation::Silu),
                (vec![32], Activation::Relu),
            ],
            penalties: vec![1.0, 3e-1, 1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 3e-5, 1e-5],
            folds: 3,
            repeats: None,
            finalists: 6,
            nets: 4,
            max_iterations: 200,
            most_rows: 3000,
        }
    }
}

/// A candidate with a penalty, and how it did.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The hidden sizes.
    pub hidden: Vec<usize>,
    /// What stands between the layers.
    pub activation: Activation,
    /// The factor of the penalty.
    pub penalty: f64,
    /// The mean loss on rows that it was not trained with, without the penalty; infinite where it was no number.
    pub loss: f64,
}

/// What a recipe has made.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted<T: Float = f64> {
    /// The best candidate, trained on all rows; where it is the mean of several nets, all of their hidden nodes beside each other.
    pub net: Mlp<Tensor<T>>,
    /// Which trial it was.
    pub best: Trial,
    /// All trials, in the order in which they were made.
    pub tried: Vec<Trial>,
}

impl Recipe {
    /// Chooses a net for these examples and trains it. It has an output for each class (a score), label (a logit) or value.
    ///
    /// ```
    /// use nn::data::{Csv, IRIS_CSV, Standardiser};
    /// use nn::{Recipe, accuracy};
    /// # fn main() -> Result<(), nn::Error> {
    /// let iris = Csv::new("species").parse::<f64>("iris.csv", IRIS_CSV)?;
    /// let iris = Standardiser::fit(&iris).apply(&iris);
    /// let fitted = Recipe { penalties: vec![1e-2], max_iterations: 50, ..Recipe::default() }.fit(&iris)?;
    /// assert_eq!(fitted.tried.len(), 3);
    /// assert!(accuracy(&fitted.net.predict(iris.features()), iris.labels()) > 0.95);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Where there are no rows, the target is the same in all of them, all have weight 0, or no candidate came to a finite loss.
    ///
    /// # Panics
    /// Where there are no candidates or penalties, or fewer than 2 folds.
    #[track_caller]
    pub fn fit<T: Float>(&self, data: &Dataset<T>) -> Result<Fitted<T>, Error> {
        self.hold_settings();
        self.fitted(data, None, &mut Watch::nobody())
    }

    #[track_caller]
    fn hold_settings(&self) {
        assert!(self.folds >= 2, "Recipe::fit: 2 folds or more are needed, not {}", self.folds);
        assert!(
            !self.candidates.is_empty() && !self.penalties.is_empty(),
            "Recipe::fit: candidates and penalties are needed, there are none"
        );
    }

    fn fitted<T: Float>(
        &self,
        data: &Dataset<T>,
        held_out: Option<&Batch<T>>,
        watch: &mut Watch,
    ) -> Result<Fitted<T>, Error> {
        let fault = |text: &str| Err(Error::of(Kind::Data(text.to_owned())));
        if data.is_empty() {
            return fault("training needs 1 row or more, there are none");
        }
        if data.weights().is_some_and(|weights| weights.iter().all(|&weight| weight == 0.0)) {
            return fault("training needs a row that counts, the weights of all rows are 0");
        }
        if data.target().is_constant() {
            return fault("the target is the same in all rows to train with: there is nothing to learn");
        }
        let fitted = if data.len() > self.most_rows {
            self.in_batches(data, watch)?
        } else {
            self.in_folds(data, held_out, watch)
        };
        if !fitted.best.loss.is_finite() && !watch.ended {
            return fault("training came to no finite loss: some features or targets are too large");
        }
        Ok(fitted)
    }

    /// Trains one of the trials, such as the best, on these examples: on more of them than those by which it was chosen.
    ///
    /// # Errors
    /// Where a loss of a net that is trained in batches is not finite.
    pub fn train<T: Float>(&self, trial: &Trial, data: &Dataset<T>) -> Result<Mlp<Tensor<T>>, Error> {
        self.trained(trial, data, &mut Watch::nobody())
    }

    fn trained<T: Float>(&self, trial: &Trial, data: &Dataset<T>, watch: &mut Watch) -> Result<Mlp<Tensor<T>>, Error> {
        if data.len() > self.most_rows {
            watch.begin(STEPS);
            let (net, fitting) = self.batch_by_batch(trial, &[], data, watch, 0)?;
            watch.history = fitting.history;
            Ok(net)
        } else {
            watch.begin(self.steps(self.nets));
            Ok(self.mean_of_nets((trial, &[]), data, None, watch, 0))
        }
    }

    /// How many steps so many trainings on all rows at once make at most.
    fn steps(&self, trainings: usize) -> u64 {
        trainings as u64 * self.max_iterations as u64
    }

    fn in_folds<T: Float>(&self, data: &Dataset<T>, held_out: Option<&Batch<T>>, watch: &mut Watch) -> Fitted<T> {
        let parts = self.parts(data, 0);
        let repeats = self.repeats.unwrap_or_else(|| (30_000 / (data.len() * data.width().max(20))).clamp(1, 5));
        let (folds, kinds) = (parts.len(), self.penalties.len());
        let (first, finalists) = (self.candidates.len() * kinds * folds, self.finalists.max(1) * folds);
        let further = first + repeats.saturating_sub(1) * finalists;
        watch.begin(self.steps(further + self.nets.max(1)));

        let mut tried: Vec<Trial> = Vec::new();
        'all: for (candidate, (hidden, activation)) in self.candidates.iter().enumerate() {
            let (mut least, mut worse) = (f64::INFINITY, 0);
            for (place, &penalty) in self.penalties.iter().enumerate() {
                let mut trial = Trial { hidden: hidden.clone(), activation: *activation, penalty, loss: 0.0 };
                let at = self.steps((candidate * kinds + place) * folds);
                trial.loss = self.loss_in(&parts, &trial, &usual, watch, (&tried, at));
                // What was ended before it was judged counts where there is nothing else.
                if !watch.ended || tried.is_empty() {
                    worse = if trial.loss > ALIKE * least { worse + 1 } else { 0 };
                    least = least.min(trial.loss);
                    tried.push(trial);
                }
                if watch.ended {
                    break 'all;
                }
                if worse == 2 {
                    break;
                }
            }
        }
        let mut order: Vec<usize> = (0..tried.len()).collect();
        let rank =
            |order: &mut Vec<usize>, tried: &[Trial]| order.sort_by(|&a, &b| tried[a].loss.total_cmp(&tried[b].loss));
        rank(&mut order, &tried);
        order.truncate(self.finalists.max(1));
        'repeats: for repeat in 1..repeats {
            let parts = self.parts(data, repeat);
            for (rank, &place) in order.iter().enumerate() {
                let at = self.steps(first + (repeat - 1) * finalists + rank * folds);
                let loss = self.loss_in(&parts, &tried[place], &usual, watch, (&tried, at));
                if watch.ended {
                    break 'repeats;
                }
                // The mean of all repeats so far.
                tried[place].loss += (loss - tried[place].loss) / (repeat + 1) as f64;
            }
        }
        rank(&mut order, &tried);
        // A linear model that is as good as a net is the better one.
        let least = tried[order[0]].loss;
        let linear = order.iter().find(|&&place| tried[place].hidden.is_empty() && tried[place].loss <= ALIKE * least);
        let best = tried[*linear.unwrap_or(&order[0])].clone();
        let at = self.steps(further);
        Fitted { net: self.mean_of_nets((&best, &tried), data, held_out, watch, at), best, tried }
    }

    /// Each candidate with the smallest penalty; what [`Fit`] holds out judges.
    fn in_batches<T: Float>(&self, data: &Dataset<T>, watch: &mut Watch) -> Result<Fitted<T>, Error> {
        let penalty = self.penalties.iter().copied().fold(f64::INFINITY, f64::min);
        let (mut tried, mut best) = (Vec::new(), None);
        watch.begin(self.candidates.len() as u64 * STEPS);
        for (place, (hidden, activation)) in self.candidates.iter().enumerate() {
            let mut trial = Trial { hidden: hidden.clone(), activation: *activation, penalty, loss: f64::INFINITY };
            let (net, fitting) = self.batch_by_batch(&trial, &tried, data, watch, place as u64 * STEPS)?;
            trial.loss = fitting.held_out_loss.unwrap_or(f64::INFINITY);
            if best.as_ref().is_none_or(|(_, best): &(_, Trial)| trial.loss < best.loss) {
                best = Some((net, trial.clone()));
                watch.history = fitting.history;
            }
            tried.push(trial);
            if watch.ended {
                break;
            }
        }
        let (net, best) = best.expect("there are candidates");
        Ok(Fitted { net, best, tried })
    }

    /// Trained until the rows that [`Fit`] holds out tell to stop.
    fn batch_by_batch<T: Float>(
        &self,
        trial: &Trial,
        tried: &[Trial],
        data: &Dataset<T>,
        watch: &mut Watch,
        at: u64,
    ) -> Result<(Mlp<Tensor<T>>, Fitting), Error> {
        let fit = Fit {
            seed: self.seed,
            batch_size: (data.len() / 128).clamp(32, 256),
            held_out: 0.1,
            patience: 10,
            penalty: trial.penalty,
            all_at_once: 0,
            ..Fit::default()
        };
        let mut net = self.start(trial, data.width(), data.target().names().len(), 0);
        watch.starts(at, STEPS);
        let fitting = fit.run(
            &mut net,
            data,
            |net, batch| batch.loss(net.forward(batch.features)),
            |now| {
                let goes_on = watch.at(at + (now.progress.share * STEPS as f64) as u64, trial, tried, now.history);
                if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            },
        )?;
        Ok((net, fitting))
    }

    /// What is trained with and what is held out, fold by fold.
    fn parts<T: Float>(&self, data: &Dataset<T>, repeat: usize) -> Vec<(Batch<T>, Batch<T>)> {
        let (n, seed) = (data.len(), self.seed.wrapping_add((repeat as u64) << 32));
        let folds = self.folds.min(n);
        // Where nearly each row is a class of its own there is nothing to keep.
        let parts = By::target(data.target()).folds(folds, seed).or_else(|_| By::Rows(n).folds(folds, seed));
        let parts = parts.expect("there are as many rows as folds, or more");
        let enough = (JUDGED * folds).div_ceil(n);
        parts.iter().take(enough).map(|part| (data.batch(&part.train), data.batch(&part.held_out))).collect()
    }

    /// The mean loss of the rows that are held out. Steps are told as those after `tried`, from a place among all.
    fn loss_in<T: Float>(
        &self,
        parts: &[(Batch<T>, Batch<T>)],
        trial: &Trial,
        judge: &Judge<T>,
        watch: &mut Watch,
        (tried, at): (&[Trial], u64),
    ) -> f64 {
        let (mut sum, mut count) = (0.0, 0.0);
        for (place, (train, held_out)) in parts.iter().enumerate() {
            watch.starts(at + self.steps(place), self.steps(1));
            let net = self.minimised(
                Training { trial, tried, net: 0, held_out: None, told: false, kept: false },
                train,
                watch,
            );
            let weight = held_out.weights.as_ref().map_or(held_out.len() as f64, |all| all.sum().to_f64());
            if weight > 0.0 {
                sum += weight * judge(&net.predict(&held_out.features), held_out);
                count += weight;
            }
            if watch.ended {
                break;
            }
        }
        if (sum / count).is_finite() { sum / count } else { f64::INFINITY }
    }

    /// A candidate before training, of which there are as many as one likes.
    fn start<T: Float>(&self, trial: &Trial, inputs: usize, outputs: usize, net: u64) -> Mlp<Tensor<T>> {
        let sizes = [&[inputs], &trial.hidden[..], &[outputs]].concat();
        Mlp::new(&sizes, trial.activation, self.seed.wrapping_add(net << 32))
    }
}

/// The loss that the target has.
fn usual<T: Float>(outputs: &Tensor<T>, batch: &Batch<T>) -> f64 {
    let tape = Tape::default();
    BatchVars::new(&tape, batch).loss(tape.var(outputs)).item().to_f64()
}

#[cfg(test)]
mod tests;
