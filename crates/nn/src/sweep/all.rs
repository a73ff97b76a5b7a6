//! Settings by seeds by folds.

use super::journal::{self, Journal, Key};
use super::run::Stop;
use super::{Ask, Failed, Failure, Outcome, Ran, Run, Scores, Search, Settings, Tried, threads};
use crate::error::{Error, Kind, shown};
use crate::train::{Answer, Better};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Runs of settings by seeds by folds, on several threads. The result is the same for any number of threads, and whether it was made at
/// once or in several parts.
///
/// ```
/// use nn::data::{Csv, IRIS_CSV, Standardiser};
/// use nn::sweep::{Space, Sweep};
/// use nn::{Activation, Adam, Fit, Mlp, accuracy};
/// # fn main() -> Result<(), nn::Error> {
/// let iris = Csv::new("species").parse::<f64>("iris.csv", IRIS_CSV)?;
///
/// let space = Space::new().choice("rate", [0.1, 0.01]).choice("width", [4, 16]);
/// let sweep = Sweep { folds: 3, score: Some("accuracy".into()), better: nn::train::Better::Higher, ..Sweep::default() };
/// let outcome = sweep.run(space.grid()?, |run| {
///     let (train, test) = run.split(&iris)?;
///     let scale = Standardiser::fit(&train);
///     let (train, test) = (scale.apply(&train), scale.apply(&test));
///     let mut net = Mlp::new(&[4, run.settings.count("width"), 3], Activation::Tanh, run.seed);
///     let mut adam = Adam::new(run.settings.number("rate"));
///     let fit = Fit { epochs: 10, seed: run.seed, held_out: 0.0, ..Fit::default() };
///     fit.by(&mut net, &mut adam, &train, |net, b| b.loss(net.forward(b.features)), |_| run.goes_on())?;
///     Ok([("accuracy", accuracy(&net.predict(test.features()), test.labels()))])
/// })?;
/// println!("{outcome}");
/// assert!(outcome.best().unwrap().score.unwrap() > 0.8);
/// # Ok(())
/// # }
/// ```
///
/// A run that ends with an error, or panics, is told in the [`Outcome`], and the others go on.
#[derive(Clone, Debug)]
pub struct Sweep {
    /// Each setting runs with each of these.
    pub seeds: Vec<u64>,
    /// Each setting and seed runs with each fold held out; 1 for no folds.
    pub folds: usize,
    /// On how many threads; 0 for as many as the machine has.
    pub threads: usize,
    /// The number that ranks, where it is not the first that a run gives.
    pub score: Option<String>,
    /// Whether that is better lower or higher.
    pub better: Better,
    /// A file that finished runs are kept in. Where it is there, the runs that it has are not made again; one of a sweep with other
    /// settings, seeds, folds or [`about`](Self::about) is refused.
    pub journal: Option<PathBuf>,
    /// What else decides the runs, and is in no setting, such as the name of a table or a number of epochs: a journal that was about
    /// something else is refused.
    pub about: Map<String, Value>,
    /// Whether runs that the journal has as failed are made again.
    pub retry: bool,
    /// Once this is set, by a handler of Ctrl-C, say, no run is begun, and those that ask [`Run::goes_on`] end. Where it is set from the
    /// start, the outcome is what the journal has.
    pub stop: Option<Arc<AtomicBool>>,
}

impl Default for Sweep {
    fn default() -> Self {
        Self {
            seeds: vec![0],
            folds: 1,
            threads: 0,
            score: None,
            better: Better::Lower,
            journal: None,
            about: Map::new(),
            retry: false,
            stop: None,
        }
    }
}

/// A run that is finished, as it is reported.
#[derive(Clone, Copy, Debug)]
pub struct Finished<'a> {
    /// Its settings.
    pub settings: &'a Settings,
    /// Its budget.
    pub budget: u32,
    /// Its seed, its fold, and what it gave.
    pub run: &'a Ran,
    /// How long it took.
    pub seconds: f64,
    /// How many runs are finished, with those of the journal.
    pub done: usize,
    /// How many were asked for so far.
    pub asked: usize,
}

/// A run that is to be made.
struct Job<'a> {
    key: Key,
    settings: &'a Settings,
}

impl Sweep {
    /// Runs what a search asks for: the settings of a [`List`](super::List), with [`Halving`](super::Halving), or by a
    /// [`Search`] of one's own. The function makes a run, on one of several threads, and gives a number, or [several with
    /// names](Scores). It must depend on nothing but the run, so that the result does not, either.
    ///
    /// # Errors
    /// Where there is nothing to try, or the journal is of something else or cannot be written to. What a run ends with is no error
    /// here.
    ///
    /// # Panics
    /// Where there are no seeds, one of them stands twice, or there are no folds.
    #[track_caller]
    pub fn run<S, M, F>(&self, search: S, judge: F) -> Result<Outcome, Error>
    where
        S: Search,
        M: Into<Scores>,
        F: Fn(&Run<'_>) -> Result<M, Failure> + Sync,
    {
        self.check("Sweep::run");
        self.all(search, &scored(judge), |_| ())
    }

    /// As [`Sweep::run`], and tells of each run that is finished, in the order in which they are. Where that gives a
    /// [`ControlFlow::Break`](std::ops::ControlFlow), it stops.
    ///
    /// # Errors
    /// As [`Sweep::run`].
    ///
    /// # Panics
    /// As [`Sweep::run`].
    #[track_caller]
    pub fn run_with<S, M, F, A>(
        &self,
        search: S,
        judge: F,
        report: impl FnMut(Finished<'_>) -> A,
    ) -> Result<Outcome, Error>
    where
        S: Search,
        M: Into<Scores>,
        F: Fn(&Run<'_>) -> Result<M, Failure> + Sync,
        A: Answer,
    {
        self.check("Sweep::run_with");
        self.all(search, &scored(judge), report)
    }

    #[track_caller]
    fn check(&self, function: &str) {
        let Self { seeds, folds, .. } = self;
        assert!(!seeds.is_empty(), "{function}: 1 seed or more is needed, there are none");
        assert!(*folds > 0, "{function}: 1 fold or more is needed, not 0");
        let mut known = BTreeSet::new();
        if let Some(seed) = seeds.iter().find(|seed| !known.insert(**seed)) {
            panic!("{function}: different seeds are needed, {seed} stands twice");
        }
    }

    #[track_caller]
    fn all<A: Answer>(
        &self,
        mut search: impl Search,
        judge: &Judge<'_>,
        mut report: impl FnMut(Finished<'_>) -> A,
    ) -> Result<Outcome, Error> {
        let about = journal::about(&self.seeds, self.folds, &self.about, search.about());
        let (mut journal, mut ran) = match &self.journal {
            Some(path) => Journal::open(path, &about).map(|(journal, ran)| (Some(journal), ran))?,
            None => (None, BTreeMap::new()),
        };
        if self.retry {
            ran.retain(|_, ran: &mut Ran| ran.result.is_ok());
        }
        let own = AtomicBool::new(false);
        let stop = Stop { flags: [self.stop.as_deref(), Some(&own)] };
        let mut outcome = Outcome {
            score: self.score.clone().unwrap_or_default(),
            better: self.better,
            tried: Vec::new(),
            stopped: false,
        };
        let (mut done, mut asked) = (0, 0);
        loop {
            let asks = search.ask();
            if asks.is_empty() {
                break;
            }
            let (jobs, known) = self.jobs(&asks, &ran);
            (done, asked) = (done + known, asked + known + jobs.len());
            let take = |job: &Job, (run, seconds): (Ran, f64)| {
                let kept =
                    journal.as_mut().map_or(Ok(()), |journal| journal.keep(&job.key, job.settings, &run, seconds));
                done += 1;
                let finished = Finished { settings: job.settings, budget: job.key.1, run: &run, seconds, done, asked };
                if kept.is_err() || !report(finished).goes_on() {
                    own.store(true, Ordering::Relaxed);
                }
                ran.insert(job.key.clone(), run);
                kept
            };
            threads::each(&jobs, self.threads(), stop, |job| self.made(job, judge, stop), take)?;
            let tried = self.tried(&asks, &ran, &mut outcome.score);
            let whole = tried.iter().all(|tried| tried.runs.len() == tried.asked);
            outcome.tried.extend(tried.iter().filter(|tried| !tried.runs.is_empty()).cloned());
            if !whole {
                outcome.stopped = true;
                break;
            }
            search.tell(&tried, self.better);
        }
        journal.map_or(Ok(()), |journal| journal.sync())?;
        if asked == 0 {
            return Err(Error::of(Kind::Data("there are no settings to try".to_owned())));
        }
        Ok(outcome)
    }

    fn threads(&self) -> usize {
        let all = || std::thread::available_parallelism().map_or(1, usize::from);
        if self.threads == 0 { all() } else { self.threads }
    }

    /// The runs of these settings, by setting, seed and fold.
    fn keys(&self, ask: &Ask) -> impl Iterator<Item = Key> {
        let (settings, budget, folds) = (ask.settings.key(), ask.budget, self.folds);
        self.seeds
            .iter()
            .flat_map(move |&seed| (0..folds).map(move |fold| (seed, fold)))
            .map(move |(seed, fold)| (settings.clone(), budget, seed, fold))
    }

    /// The runs that are to be made, each once, and how many are known already.
    fn jobs<'a>(&self, asks: &'a [Ask], ran: &BTreeMap<Key, Ran>) -> (Vec<Job<'a>>, usize) {
        let mut seen = BTreeSet::new();
        let (mut jobs, mut known) = (Vec::new(), 0);
        for ask in asks {
            for key in self.keys(ask).filter(|key| seen.insert(key.clone())) {
                if ran.contains_key(&key) { known += 1 } else { jobs.push(Job { key, settings: &ask.settings }) }
            }
        }
        (jobs, known)
    }

    /// Makes a run; what it gave, and how long it took. Nothing where it was told to stop.
    fn made(&self, job: &Job, judge: &Judge<'_>, stop: Stop<'_>) -> Option<(Ran, f64)> {
        let (_, budget, seed, fold) = job.key;
        let mut run = Run::new(job.settings);
        (run.seed, run.fold, run.folds, run.budget, run.stop) = (seed, fold, self.folds, budget, stop);
        let start = Instant::now();
        let result = match catch_unwind(AssertUnwindSafe(|| judge(&run))) {
            Ok(Ok(scores)) => scores.checked().map_err(Failed::Error),
            Ok(Err(error)) => Err(Failed::Error(error.to_string())),
            Err(payload) => {
                let text = payload.downcast_ref::<String>().map(String::as_str).or(payload.downcast_ref().copied());
                Err(Failed::Panic(text.unwrap_or("with something that is no text").to_owned()))
            }
        };
        (!run.was_told_to_stop()).then(|| (Ran { seed, fold, result }, start.elapsed().as_secs_f64()))
    }

    /// What came of the settings that were asked for, and which number ranks, once that is known.
    fn tried(&self, asks: &[Ask], ran: &BTreeMap<Key, Ran>, score: &mut String) -> Vec<Tried> {
        let runs = |ask: &Ask| self.keys(ask).filter_map(|key| ran.get(&key).cloned()).collect::<Vec<_>>();
        let mut all: Vec<Vec<Ran>> = asks.iter().map(runs).collect();
        if score.is_empty()
            && let Some(first) = all.iter().flatten().find_map(|run| run.result.as_ref().ok())
        {
            score.clone_from(&first.numbers[0].0);
        }
        for run in all.iter_mut().flatten() {
            hold_score(run, score);
        }
        let asked = self.seeds.len() * self.folds;
        let of = |(ask, runs): (&Ask, Vec<Ran>)| {
            let mut tried = Tried { settings: ask.settings.clone(), budget: ask.budget, runs, asked, score: None };
            if tried.runs.len() == asked && tried.failed() == 0 {
                tried.score = tried.mean(score).filter(|mean| mean.is_finite());
            }
            tried
        };
        asks.iter().zip(all).map(of).collect()
    }
}

/// Makes a run.
type Judge<'f> = dyn Fn(&Run<'_>) -> Result<Scores, Failure> + Sync + 'f;

fn scored<M: Into<Scores>>(
    judge: impl Fn(&Run<'_>) -> Result<M, Failure> + Sync,
) -> impl Fn(&Run<'_>) -> Result<Scores, Failure> + Sync {
    move |run| judge(run).map(Into::into)
}

/// A run that does not give the number that ranks has failed.
fn hold_score(run: &mut Ran, score: &str) {
    if let Ok(scores) = &run.result
        && scores.get(score).is_none()
    {
        let names: Vec<String> = scores.numbers.iter().map(|(name, _)| format!("`{}`", shown(name))).collect();
        let text = format!("the run gives no `{}`, which ranks, but {}", shown(score), names.join(", "));
        run.result = Err(Failed::Error(text));
    }
}
