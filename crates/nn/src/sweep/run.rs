//! One run: what it is given, and what it gives.

use super::Settings;
use crate::data::{By, Dataset, Parts};
use crate::error::Error;
use crate::train::{Fitted, Fitting};
use autograd::Float;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

/// What a run may fail by: any error, so that `?` takes those of [`nn`](crate) and of others, and a text by `Err("…".into())`.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// What a run is given.
#[derive(Debug)]
pub struct Run<'a> {
    /// The settings.
    pub settings: &'a Settings,
    /// The seed.
    pub seed: u64,
    /// The fold that is held out, from 0.
    pub fold: usize,
    /// How many folds there are; 1 where rows are not divided into folds.
    pub folds: usize,
    /// What the run may use, such as a number of epochs.
    pub budget: u32,
    pub(super) stop: Stop<'a>,
    /// Whether it was told to stop.
    told: AtomicBool,
}

/// Whether a sweep is asked to stop, by its user or by itself.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stop<'a> {
    pub(super) flags: [Option<&'a AtomicBool>; 2],
}

impl Stop<'_> {
    pub(super) fn is_asked(&self) -> bool {
        self.flags.iter().flatten().any(|flag| flag.load(Ordering::Relaxed))
    }
}

impl<'a> Run<'a> {
    /// A run outside a sweep, such as one more with the best settings: of seed 0, without folds, with a budget of 1. What is to be
    /// otherwise is set.
    ///
    /// ```
    /// use nn::sweep::{Failure, Run, Settings};
    /// use serde_json::json;
    /// fn judge(run: &Run) -> Result<f64, Failure> {
    ///     Ok(run.settings.number("x") * f64::from(run.budget))
    /// }
    /// let settings = Settings::from([("x", json!(0.5))]);
    /// let mut run = Run::new(&settings);
    /// run.budget = 30;
    /// assert_eq!(judge(&run).unwrap(), 15.0);
    /// ```
    pub fn new(settings: &'a Settings) -> Self {
        Self { settings, seed: 0, fold: 0, folds: 1, budget: 1, stop: Stop::default(), told: AtomicBool::new(false) }
    }

    /// The examples to train with, and those that are held out: this fold of a division by this seed, the same for all settings. The
    /// share of classes is kept. Without folds, a fifth is held out.
    ///
    /// # Errors
    /// Where there are too few rows; see [`By::folds`].
    ///
    /// # Panics
    /// As [`Run::parts`].
    #[track_caller]
    pub fn split<T: Float>(&self, data: &Dataset<T>) -> Result<(Dataset<T>, Dataset<T>), Error> {
        let Parts { train, held_out } = self.divided("Run::split", By::target(data.target()))?;
        Ok((data.select(&train), data.select(&held_out)))
    }

    /// The rows to train with, and those that are held out, with care for classes, groups or times: this fold of a division by this
    /// seed. Without folds, a fifth is held out.
    ///
    /// # Errors
    /// Where there are too few rows; see [`By::folds`].
    ///
    /// # Panics
    /// Where the fold is none of the folds.
    #[track_caller]
    pub fn parts(&self, by: By<'_>) -> Result<Parts, Error> {
        self.divided("Run::parts", by)
    }

    #[track_caller]
    fn divided(&self, function: &str, by: By<'_>) -> Result<Parts, Error> {
        let (fold, folds) = (self.fold, self.folds);
        assert!(fold < folds, "{function}: a fold below {folds} is needed, not {fold}");
        if folds == 1 { by.split(0.2, self.seed) } else { Ok(by.folds(folds, self.seed)?.swap_remove(fold)) }
    }

    /// Whether the run is to go on, to be asked now and then by one that takes long: `|_| run.goes_on()` as what
    /// [`Fit`](crate::Fit) reports to. A run that was told to stop counts for nothing, and is made again when the sweep is resumed.
    pub fn goes_on(&self) -> ControlFlow<()> {
        if !self.stop.is_asked() {
            return ControlFlow::Continue(());
        }
        self.told.store(true, Ordering::Relaxed);
        ControlFlow::Break(())
    }

    pub(super) fn was_told_to_stop(&self) -> bool {
        self.told.load(Ordering::Relaxed)
    }
}

/// What a run gives: a number, or several with names. The first one ranks, where the sweep names no other.
///
/// ```
/// use nn::sweep::Scores;
/// assert_eq!(Scores::from(0.5).numbers, [("score".to_owned(), 0.5)]);
/// assert_eq!(Scores::from([("loss", 0.5), ("accuracy", 0.9)]).get("accuracy"), Some(0.9));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Scores {
    /// Names and numbers.
    pub numbers: Vec<(String, f64)>,
}

impl Scores {
    /// The number of a name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.numbers.iter().find(|(known, _)| known == name).map(|(_, number)| *number)
    }

    /// What is wrong with the names; a NaN becomes the one that a journal gives back.
    pub(super) fn checked(mut self) -> Result<Self, String> {
        for place in 0..self.numbers.len() {
            let (name, number) = &self.numbers[place];
            if self.numbers[..place].iter().any(|(other, _)| other == name) {
                return Err(format!("the run gives `{}` twice", crate::error::shown(name)));
            }
            if number.is_nan() {
                self.numbers[place].1 = f64::NAN;
            }
        }
        if self.numbers.is_empty() { Err("the run gives no number".to_owned()) } else { Ok(self) }
    }
}

impl From<f64> for Scores {
    /// Under the name `score`.
    fn from(number: f64) -> Self {
        [("score", number)].into()
    }
}

impl<const N: usize> From<[(&str, f64); N]> for Scores {
    fn from(numbers: [(&str, f64); N]) -> Self {
        Self { numbers: numbers.map(|(name, number)| (name.to_owned(), number)).into() }
    }
}

impl From<Vec<(String, f64)>> for Scores {
    fn from(numbers: Vec<(String, f64)>) -> Self {
        Self { numbers }
    }
}

impl From<&Fitting> for Scores {
    /// The `loss` on the rows that were held out, or else on the others, and the `epoch` whose weights the net has.
    fn from(fitting: &Fitting) -> Self {
        let loss = fitting.held_out_loss.or_else(|| fitting.history.last("loss")).unwrap_or(f64::NAN);
        [("loss", loss), ("epoch", f64::from(fitting.epoch))].into()
    }
}

impl From<Fitting> for Scores {
    fn from(fitting: Fitting) -> Self {
        Self::from(&fitting)
    }
}

impl<T: Float> From<&Fitted<T>> for Scores {
    /// The `loss` of the best trial of a [`Recipe`](crate::Recipe), and its `penalty`.
    fn from(fitted: &Fitted<T>) -> Self {
        [("loss", fitted.best.loss), ("penalty", fitted.best.penalty)].into()
    }
}

impl<T: Float> From<Fitted<T>> for Scores {
    fn from(fitted: Fitted<T>) -> Self {
        Self::from(&fitted)
    }
}

/// Why a run has no numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// It ended with this error.
    Error(String),
    /// It panicked with this message.
    Panic(String),
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(text) => f.write_str(&crate::error::cut(text, 400)),
            Self::Panic(text) => write!(f, "panicked: {}", crate::error::cut(text, 400)),
        }
    }
}
