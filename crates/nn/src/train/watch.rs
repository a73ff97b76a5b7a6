//! What a loop of training tells, keeps, and stops by.

use super::{Best, Better, EarlyStop, Fit, History, Progress, Report};
use autograd::{Float, Tensor, Tree};
use std::ops::ControlFlow;

/// What came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitting {
    /// `epoch`, `loss` of the rows that were trained with, and `held_out_loss`, of each epoch; none has the penalty.
    pub history: History,
    /// The epoch whose weights the net has, from 1: the best on the rows that were held out, or else the last.
    pub epoch: u32,
    /// The loss of the net on the rows that were held out, where some were.
    pub held_out_loss: Option<f64>,
    /// These rows.
    pub held_out: Vec<usize>,
    /// Why it stopped.
    pub ended: Ended,
}

/// Why training has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// All epochs were done.
    Epochs,
    /// The loss on held-out rows had not become better for too long.
    Patience,
    /// No step makes the loss of the rows that are trained with better.
    Converged,
    /// Who was told how far it is asked for it.
    Asked,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The epoch that is under way, from 1.
    pub epoch: u32,
    /// The epochs before it.
    pub history: &'a History,
    /// Steps, of all that there may be.
    pub progress: Report,
}

/// Whether training goes on: always, after a function that gives nothing.
pub trait Answer {
    /// Whether it goes on.
    fn goes_on(self) -> bool;
}

impl Answer for () {
    fn goes_on(self) -> bool {
        true
    }
}

impl Answer for ControlFlow<()> {
    fn goes_on(self) -> bool {
        self.is_continue()
    }
}

/// The pieces around the steps of a [`Fit`].
pub(super) struct Watch<P, F> {
    pub(super) ended: Option<Ended>,
    epochs: u32,
    history: History,
    best: Best<P>,
    stop: EarlyStop,
    progress: Progress,
    steps: u64,
    report: F,
}

impl<P, A: Answer, F: FnMut(Moment<'_>) -> A> Watch<P, F> {
    /// Of epochs of so many steps, where that is known.
    pub(super) fn new(fit: &Fit, steps: Option<usize>, report: F) -> Self {
        let mut progress = Progress::new(0);
        progress.total = steps.map_or(u64::MAX, |steps| u64::from(fit.epochs) * steps as u64);
        Self {
            ended: (fit.epochs == 0).then_some(Ended::Epochs),
            epochs: fit.epochs,
            history: History::default(),
            best: Best::new(Better::Lower),
            stop: EarlyStop::new(fit.patience),
            progress,
            steps: 0,
            report,
        }
    }

    /// The epoch that is under way, from 1.
    pub(super) fn epoch(&self) -> u32 {
        self.history.len() as u32 + 1
    }

    /// Tells how far it is before a step, and whether that is to be made.
    pub(super) fn goes_on(&mut self) -> bool {
        if let Some(progress) = self.progress.at(self.steps) {
            let moment = Moment { epoch: self.epoch(), history: &self.history, progress };
            if !(self.report)(moment).goes_on() {
                self.ended = Some(Ended::Asked);
            }
        }
        self.steps += 1;
        self.ended.is_none()
    }

    /// As [`Watch::goes_on`], for who asks before each step.
    pub(super) fn answer(&mut self) -> ControlFlow<()> {
        if self.goes_on() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// Takes in what came of an epoch.
    pub(super) fn epoch_ends<T: Float>(&mut self, loss: f64, held_out: Option<f64>, net: &P)
    where
        P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
    {
        let numbers =
            [("epoch", f64::from(self.epoch())), ("loss", loss), ("held_out_loss", held_out.unwrap_or(f64::NAN))];
        self.history.push(&numbers[..2 + usize::from(held_out.is_some())]);
        if self.history.len() == 1 && self.progress.total == u64::MAX {
            self.progress.total = self.steps * u64::from(self.epochs);
        }
        if let Some(held_out) = held_out {
            self.best.offer(held_out, net);
            if self.stop.stop(held_out) {
                self.ended.get_or_insert(Ended::Patience);
            }
        }
        if self.history.len() as u32 >= self.epochs {
            self.ended.get_or_insert(Ended::Epochs);
        }
    }

    /// Gives the net the best weights, where rows were held out; what came of it.
    pub(super) fn fitting<T: Float>(self, held_out: Vec<usize>, net: &mut P) -> Fitting
    where
        P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
    {
        self.best.restore(net);
        let last = self.history.len() as u32;
        Fitting {
            epoch: if self.best.params.is_some() { self.best.offer as u32 } else { last },
            held_out_loss: self.best.value,
            held_out,
            ended: self.ended.unwrap_or(Ended::Epochs),
            history: self.history,
        }
    }
}
