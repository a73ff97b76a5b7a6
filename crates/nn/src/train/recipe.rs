//! How a small table is fitted where nobody says how: candidates with penalties, chosen by cross-validation.

use crate::data::{Dataset, Target};
use crate::optim::Lbfgs;
use crate::random::generator;
use crate::{Activation, Mlp};
use autograd::{Float, Reduction, Tape, Tensor, Var};
use rand::seq::SliceRandom;

/// A recipe for tables of some hundred to some thousand rows: each candidate net with each penalty is trained by [`Lbfgs`] on all
/// folds but one, and judged on that one; the best is trained again on all rows. Features are to be standardised before, and
/// measured targets, too. Weights of examples are not used.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Decides the folds and the initial weights.
    pub seed: u64,
    /// The hidden sizes and what stands between them; without hidden sizes it is the linear model.
    pub candidates: Vec<(Vec<usize>, Activation)>,
    /// The factors of `½ Σ w²` over all weights, beside the mean loss; biases have none.
    pub penalties: Vec<f64>,
    /// The number of folds, 2 or more.
    pub folds: usize,
    /// How often the rows are divided into folds anew, since the judgement of few rows is chance: by their number where this is `None`, up
    /// to five times.
    pub repeats: Option<usize>,
    /// How many iterations each training makes at most.
    pub max_iterations: usize,
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
            penalties: vec![1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1],
            folds: 3,
            repeats: None,
            max_iterations: 200,
        }
    }
}

/// A candidate with a penalty, and how it did.
#[derive(Clone, Debug)]
pub struct Trial {
    /// The hidden sizes.
    pub hidden: Vec<usize>,
    /// What stands between the layers.
    pub activation: Activation,
    /// The factor of the penalty.
    pub penalty: f64,
    /// The mean loss on rows that it was not trained with, without the penalty.
    pub loss: f64,
}

/// What a recipe has made.
#[derive(Clone, Debug)]
pub struct Fitted<T: Float = f64> {
    /// The best candidate, trained on all rows.
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
    /// let fitted = Recipe { penalties: vec![1e-2], max_iterations: 50, ..Recipe::default() }.fit(&iris);
    /// assert_eq!(fitted.tried.len(), 3);
    /// assert!(accuracy(&fitted.net.predict(iris.features()), iris.labels()) > 0.95);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Where there are no candidates or penalties, fewer than 2 folds, or fewer rows than folds.
    #[track_caller]
    pub fn fit<T: Float>(&self, data: &Dataset<T>) -> Fitted<T> {
        let (folds, n) = (self.folds, data.len());
        assert!(
            folds >= 2 && n >= folds,
            "Recipe::fit: 2 folds or more of 1 row or more are needed, not {folds} of {n} rows"
        );
        let rng = &mut generator(self.seed);
        let repeats = self.repeats.unwrap_or((1500 / n).clamp(1, 5)).max(1);
        let mut parts = Vec::new();
        for _ in 0..repeats {
            let mut order: Vec<usize> = (0..n).collect();
            order.shuffle(rng);
            let part = |fold: usize, is_held_out: bool| {
                let of = order.iter().enumerate().filter(|(i, _)| (i % folds == fold) == is_held_out);
                data.select(&of.map(|(_, &row)| row).collect::<Vec<_>>())
            };
            parts.extend((0..folds).map(|fold| (part(fold, false), part(fold, true))));
        }
        let mut tried = Vec::new();
        for (hidden, activation) in &self.candidates {
            for &penalty in &self.penalties {
                let mut trial = Trial { hidden: hidden.clone(), activation: *activation, penalty, loss: 0.0 };
                for (train, held_out) in &parts {
                    let loss = held_out_loss(&self.train(&trial, train), held_out);
                    trial.loss += loss * held_out.len() as f64 / (n * repeats) as f64;
                }
                tried.push(trial);
            }
        }
        let best = tried.iter().min_by(|a, b| a.loss.total_cmp(&b.loss)).cloned();
        let Some(best) = best else { panic!("Recipe::fit: candidates and penalties are needed, there are none") };
        Fitted { net: self.train(&best, data), best, tried }
    }

    fn train<T: Float>(&self, trial: &Trial, data: &Dataset<T>) -> Mlp<Tensor<T>> {
        let mut sizes = vec![data.width()];
        sizes.extend(&trial.hidden);
        sizes.push(data.target().names().len());
        let mut net = Mlp::new(&sizes, trial.activation, self.seed);
        let settings = Lbfgs {
            max_iterations: self.max_iterations,
            tolerance_change: 1e-7,
            tolerance_gradient: 1e-5,
            ..Lbfgs::default()
        };
        { settings }.minimise(&mut net, |tape, net| {
            let loss = loss(net.forward(tape.var(data.features())), data);
            net.layers.iter().fold(loss, |loss, layer| loss + layer.weight.square().sum() * (0.5 * trial.penalty))
        });
        net
    }
}

/// Cross-entropy of classes and labels, half the mean square of values.
fn loss<'t, T: Float>(outputs: Var<'t, T>, data: &Dataset<T>) -> Var<'t, T> {
    let tape = outputs.tape();
    match data.target() {
        Target::Classes { labels, .. } => outputs.cross_entropy(labels),
        Target::Labels { values, .. } => (outputs.softplus() - outputs * tape.var(values)).mean(),
        Target::Values { values, .. } => outputs.mse(tape.var(values), Reduction::Mean) * 0.5,
    }
}

fn held_out_loss<T: Float>(net: &Mlp<Tensor<T>>, data: &Dataset<T>) -> f64 {
    let tape = Tape::default();
    loss(tape.var(&net.predict(data.features())), data).item().to_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values of two features, by a rule.
    fn table(rule: impl Fn(f64, f64) -> f64) -> Dataset {
        let x = Tensor::from_fn([60, 2], |i| (i as f64 * 0.7).sin() * 1.4);
        let y: Vec<f64> = x.as_slice().chunks(2).map(|x| rule(x[0], x[1])).collect();
        Dataset::with(x, Target::value("y", &y))
    }

    #[test]
    fn a_linear_rule_is_given_the_linear_model_and_a_curved_one_a_net() {
        let recipe = Recipe { penalties: vec![1e-4, 1e-1], max_iterations: 60, ..Recipe::default() };
        let linear = recipe.fit(&table(|a, b| a - 0.5 * b));
        assert!(linear.best.hidden.is_empty() && linear.best.penalty == 1e-4, "{:?}", linear.best);
        let curved = recipe.fit(&table(|a, b| a * a - b.abs()));
        assert!(!curved.best.hidden.is_empty(), "{:?}", curved.best);
        assert_eq!(curved.tried.len(), 6);
        assert_eq!(recipe.fit(&table(|a, b| a * a - b.abs())).net, curved.net);
    }

    #[test]
    #[should_panic(expected = "Recipe::fit: 2 folds or more of 1 row or more are needed, not 3 of 2 rows")]
    fn each_fold_has_rows() {
        Recipe::default().fit(&table(|a, _| a).select(&[0, 1]));
    }
}
