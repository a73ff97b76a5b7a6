//! What came of a sweep.

use super::{Failed, Scores, Settings};
use crate::train::Better;

/// A run, and what it gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Ran {
    /// Its seed.
    pub seed: u64,
    /// Its fold, from 0.
    pub fold: usize,
    /// Its numbers, or why there are none.
    pub result: Result<Scores, Failed>,
}

/// Settings that were tried with a budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Tried {
    /// The settings.
    pub settings: Settings,
    /// The budget of each run.
    pub budget: u32,
    /// The runs that are finished, by seed, then by fold.
    pub runs: Vec<Ran>,
    /// How many runs there are once all are finished.
    pub asked: usize,
    /// The mean of the number that ranks, where all runs are finished, none has failed, and it is finite.
    pub score: Option<f64>,
}

impl Tried {
    /// The mean of a number over the runs that have it.
    pub fn mean(&self, name: &str) -> Option<f64> {
        let numbers = self.numbers(name);
        (!numbers.is_empty()).then(|| numbers.iter().sum::<f64>() / numbers.len() as f64)
    }

    /// The standard error of the mean of a number over the runs that have it: their standard deviation (with `n − 1`) by `√n`. There
    /// is none of a single run. Folds share rows to train with, so that it is rather too small.
    pub fn standard_error(&self, name: &str) -> Option<f64> {
        let (numbers, mean) = (self.numbers(name), self.mean(name)?);
        let n = numbers.len() as f64;
        let squares: f64 = numbers.iter().map(|x| (x - mean) * (x - mean)).sum();
        (n > 1.0).then(|| (squares / (n - 1.0) / n).sqrt())
    }

    /// How many runs have failed.
    pub fn failed(&self) -> usize {
        self.runs.iter().filter(|run| run.result.is_err()).count()
    }

    fn numbers(&self, name: &str) -> Vec<f64> {
        self.runs.iter().filter_map(|run| run.result.as_ref().ok()?.get(name)).collect()
    }
}

/// What came of a sweep: plain data. Displayed, a table of the settings, the best first, and what has failed; `{outcome:.10}` shows the
/// ten best alone.
///
/// ```
/// use nn::sweep::{Space, Sweep};
/// # fn main() -> Result<(), nn::Error> {
/// let sweep = Sweep { seeds: vec![0, 1, 2], ..Sweep::default() };
/// let outcome = sweep.run(Space::new().choice("x", [3, 1, 2]).grid()?, |run| {
///     if run.settings.count("x") == 2 && run.seed == 1 {
///         return Err("no luck".into());
///     }
///     Ok(run.settings.number("x") + run.seed as f64)
/// })?;
/// assert_eq!(outcome.to_string(), "\
/// x  score  ± error  runs
/// 1      2  0.57735  3
/// 3      4  0.57735  3
/// 2      3        1  1 of 3 failed
///
/// best: x=1: score 2 ± 0.57735 (3 runs)
/// 1 run has failed:
///   x=2, seed 1, fold 0: no luck
/// ");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The number that ranks; empty where no run has given any.
    pub score: String,
    /// Whether that is better lower or higher.
    pub better: Better,
    /// What was tried, in the order in which it was asked for.
    pub tried: Vec<Tried>,
    /// Whether it was asked to stop before all was done.
    pub stopped: bool,
}

impl Outcome {
    /// The best settings: among those with the largest budget, all of whose runs are finished and have a finite score. Of equals the
    /// first.
    pub fn best(&self) -> Option<&Tried> {
        self.ranked().into_iter().next().filter(|tried| tried.score.is_some())
    }

    /// What was tried, the best first: larger budgets before smaller ones, those without a score last.
    pub fn ranked(&self) -> Vec<&Tried> {
        let mut ranked: Vec<&Tried> = self.tried.iter().collect();
        rank(&mut ranked, self.better);
        ranked
    }

    /// The runs that have failed, with what was tried.
    pub fn failures(&self) -> impl Iterator<Item = (&Tried, &Ran, &Failed)> {
        self.tried.iter().flat_map(|tried| {
            tried.runs.iter().filter_map(move |run| run.result.as_ref().err().map(|failed| (tried, run, failed)))
        })
    }

    /// The names of all numbers, the one that ranks first.
    pub(super) fn numbers(&self) -> Vec<&str> {
        let runs = self.tried.iter().flat_map(|tried| &tried.runs);
        let given = runs.filter_map(|run| run.result.as_ref().ok()).flat_map(|scores| &scores.numbers);
        once(std::iter::once(&self.score[..]).filter(|name| !name.is_empty()).chain(given.map(|(name, _)| &name[..])))
    }

    /// The names of all settings.
    pub(super) fn names(&self) -> Vec<&str> {
        once(self.tried.iter().flat_map(|tried| tried.settings.values.keys()).map(|name| &name[..]))
    }
}

/// Each name once, in the order in which it came first.
fn once<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut known = std::collections::BTreeSet::new();
    names.filter(|name| known.insert(*name)).collect()
}

/// The best first; equals stay in their order.
pub(super) fn rank(tried: &mut [&Tried], better: Better) {
    let worse = |tried: &Tried| match (tried.score, better) {
        (None, _) => f64::INFINITY,
        (Some(score), Better::Lower) => score,
        (Some(score), Better::Higher) => -score,
    };
    tried.sort_by(|a, b| {
        let by_budget = b.score.map(|_| b.budget).cmp(&a.score.map(|_| a.budget));
        by_budget.then(worse(a).total_cmp(&worse(b)))
    });
}
