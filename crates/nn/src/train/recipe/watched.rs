//! Who looks on while a recipe works, and may end it.

use super::{Fitted, Recipe, Trial};
use crate::Mlp;
use crate::data::{Dataset, Preparing, Schema, Table};
use crate::error::Error;
use crate::train::{Answer, History, Progress, Report};
use autograd::{Float, Tensor};

/// How far a recipe is.
#[derive(Clone, Copy, Debug)]
pub struct Trying<'a> {
    /// The trial that is being trained; its loss is not known yet.
    pub trial: &'a Trial,
    /// Those that are judged already.
    pub tried: &'a [Trial],
    /// How the training under way goes, as [`Watched::history`] tells it; empty where that only judges a trial of few rows.
    pub history: &'a History,
    /// Steps, of all that there may be: trials that need not be made are counted as made.
    pub progress: Report,
}

/// A recipe that tells how far it is, ten times a second at most, and ends where it is asked to: [`Recipe::watched`].
pub struct Watched<'a> {
    recipe: &'a Recipe,
    watch: Watch<'a>,
}

impl Recipe {
    /// The same recipe with somebody who looks on, and may end it with a [`ControlFlow::Break`](std::ops::ControlFlow). What is asked for
    /// once holds for all further calls: they do the least that gives a net.
    ///
    /// ```
    /// use nn::Recipe;
    /// use nn::data::{Csv, IRIS_CSV, Standardiser};
    /// # fn main() -> Result<(), nn::Error> {
    /// let iris = Csv::new("species").parse::<f64>("iris.csv", IRIS_CSV)?;
    /// let iris = Standardiser::fit(&iris).apply(&iris);
    /// let recipe = Recipe { penalties: vec![1e-2], max_iterations: 50, ..Recipe::default() };
    /// let mut watched = recipe.watched(|now| eprint!("\r{:3.0} %", 100.0 * now.progress.share));
    /// let fitted = watched.fit(&iris)?; // or fit_beside(&iris, &others)
    /// assert_eq!(fitted, recipe.fit(&iris)?); // who looks on changes nothing
    /// assert!(watched.history().last("loss") < Some(0.2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn watched<'a, A: Answer>(&'a self, mut report: impl FnMut(Trying<'_>) -> A + 'a) -> Watched<'a> {
        Watched { recipe: self, watch: Watch::new(Box::new(move |now| report(now).goes_on())) }
    }
}

impl Watched<'_> {
    /// As [`Recipe::preparing`]. Where it is ended, what was clearly better so far.
    ///
    /// # Errors
    /// As [`Recipe::preparing`].
    pub fn preparing(&mut self, table: &Table, schema: &Schema, how: Preparing) -> Result<Preparing, Error> {
        self.recipe.prepared(table, schema, how, &mut self.watch)
    }

    /// As [`Recipe::fit`]. Where it is ended, the best of the trials that were judged is trained for some iterations, and the result is one net, not the
    /// mean of several; a table that is trained on in batches gives the best net so far.
    ///
    /// # Errors
    /// As [`Recipe::fit`].
    ///
    /// # Panics
    /// As [`Recipe::fit`].
    #[track_caller]
    pub fn fit<T: Float>(&mut self, data: &Dataset<T>) -> Result<Fitted<T>, Error> {
        self.recipe.hold_settings();
        self.recipe.fitted(data, None, &mut self.watch)
    }

    /// As [`Watched::fit`], and the history tells the loss on these rows, too, which nothing is learnt from or chosen by. (A table that is
    /// trained on in batches has rows of its own that are held out, and tells of those.)
    ///
    /// # Errors
    /// As [`Recipe::fit`].
    ///
    /// # Panics
    /// As [`Recipe::fit`].
    #[track_caller]
    pub fn fit_beside<T: Float>(&mut self, data: &Dataset<T>, held_out: &Dataset<T>) -> Result<Fitted<T>, Error> {
        self.recipe.hold_settings();
        self.recipe.fitted(data, Some(&held_out.whole()), &mut self.watch)
    }

    /// As [`Recipe::train`]. Where it is ended, one net, as far as it came, not the mean of several; of a table that is trained on in batches the
    /// best net so far.
    ///
    /// # Errors
    /// As [`Recipe::train`].
    pub fn train<T: Float>(&mut self, trial: &Trial, data: &Dataset<T>) -> Result<Mlp<Tensor<T>>, Error> {
        self.recipe.trained(trial, data, &mut self.watch)
    }

    /// Whether it was asked to end.
    pub fn is_ended(&self) -> bool {
        self.watch.ended
    }

    /// How the net that came out last was trained: `net` (from 1), `iteration` and `loss`, and the Euclidean norms `weights of layers.0`,
    /// `gradient of layers.0` and so on; or, in batches, `epoch`, `loss` and `held_out_loss`. Losses are without the penalty, gradients with
    /// it.
    pub fn history(&self) -> &History {
        &self.watch.history
    }
}

/// What a recipe tells, and whether it goes on.
pub(super) struct Watch<'a> {
    report: Box<dyn FnMut(Trying<'_>) -> bool + 'a>,
    progress: Progress,
    /// Steps done, and where those of the training under way end.
    done: u64,
    end: u64,
    pub(super) ended: bool,
    pub(super) history: History,
}

impl<'a> Watch<'a> {
    fn new(report: Box<dyn FnMut(Trying<'_>) -> bool + 'a>) -> Self {
        Self { report, progress: Progress::new(0), done: 0, end: 0, ended: false, history: History::default() }
    }

    /// Nobody.
    pub(super) fn nobody() -> Self {
        Self::new(Box::new(|_| true))
    }

    /// So many steps follow.
    pub(super) fn begin(&mut self, total: u64) {
        (self.progress, self.done, self.end) = (Progress::new(total), 0, total);
        self.history = History::default();
    }

    /// A training of at most so many steps, the first of which is at this place among all.
    pub(super) fn starts(&mut self, place: u64, steps: u64) {
        (self.done, self.end) = (place, place + steps);
    }

    /// Before a step: whether it is to be made.
    pub(super) fn goes_on(&mut self, trial: &Trial, tried: &[Trial]) -> bool {
        self.done = (self.done + 1).min(self.end);
        self.tell(trial, tried, None)
    }

    /// As [`Watch::goes_on`], at so many steps of the training under way, which has a history of its own.
    pub(super) fn at(&mut self, step: u64, trial: &Trial, tried: &[Trial], history: &History) -> bool {
        self.done = step.min(self.end);
        self.tell(trial, tried, Some(history))
    }

    fn tell(&mut self, trial: &Trial, tried: &[Trial], history: Option<&History>) -> bool {
        // The last step of all is told by `Progress` whatever the time, but a step that may be repeated is not the end.
        let done = self.done.min(self.progress.total.saturating_sub(1));
        if !self.ended
            && let Some(progress) = self.progress.at(done)
        {
            let history = history.unwrap_or(&self.history);
            self.ended = !(self.report)(Trying { trial, tried, history, progress });
        }
        !self.ended
    }
}
