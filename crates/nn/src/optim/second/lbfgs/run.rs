//! The iterations of a call.

use super::super::flat::{Evaluate, add, all_finite, dot, largest};
use super::super::wolfe::{self, Bounds, Point};
use super::super::{Report, Stopped};
use super::known::Known;
use super::{Lbfgs, LineSearch};
use autograd::Float;

/// A call under way.
pub(super) struct Run<'a, T: Float> {
    pub(super) settings: &'a Lbfgs<T>,
    pub(super) known: &'a mut Known<T>,
    pub(super) x: Vec<T>,
}

impl<T: Float> Run<'_, T> {
    /// What was done, and where that has led.
    pub(super) fn iterate(mut self, evaluate: &mut Evaluate<T>) -> (Report, Vec<T>) {
        let settings = self.settings;
        let limit = settings.max_evaluations.unwrap_or(settings.max_iterations.saturating_mul(5) / 4);
        let (loss, mut gradient) = evaluate(&self.x);
        let mut report = Report::new(loss, largest(&gradient));
        if !loss.is_finite() || !all_finite(&gradient) {
            report.stopped = Stopped::NonFinite;
            if !self.known.parameters.is_empty() {
                self.x.clone_from(&self.known.parameters);
            }
            return (report, self.x);
        }
        if report.gradient <= settings.tolerance_gradient {
            return (report, self.x);
        }
        loop {
            report.iterations += 1;
            let before = report.last_loss;
            self.aim(&gradient);
            let slope = dot(&gradient, &self.known.direction);
            if slope.is_nan() || slope > -settings.tolerance_change {
                report.stopped = Stopped::Loss;
                break;
            }
            let is_last = report.iterations >= settings.max_iterations;
            let is_good = match settings.line_search {
                LineSearch::StrongWolfe => {
                    let most = limit.saturating_sub(report.evaluations);
                    self.search(slope, most, &mut gradient, &mut report, evaluate)
                }
                LineSearch::Fixed => self.go(is_last, &mut gradient, &mut report, evaluate),
            };
            report.gradient = largest(&gradient);
            let moved = largest(&self.known.direction) * self.known.step.abs();
            report.stopped = if !is_good {
                Stopped::NonFinite
            } else if is_last {
                Stopped::Iterations
            } else if report.evaluations >= limit {
                Stopped::Evaluations
            } else if report.gradient <= settings.tolerance_gradient {
                Stopped::Gradient
            } else if moved <= settings.tolerance_change {
                Stopped::Parameters
            } else if (report.last_loss - before).abs() < settings.tolerance_change {
                Stopped::Loss
            } else {
                continue;
            };
            break;
        }
        (report, self.x)
    }

    /// Finds the next direction and the length of the step that is tried first.
    fn aim(&mut self, gradient: &[T]) {
        let (known, rate) = (&mut *self.known, self.settings.rate);
        known.iterations += 1.0;
        if known.iterations == 1.0 {
            known.direction = gradient.iter().map(|&g| -g).collect();
            let sum: f64 = gradient.iter().map(|g| g.abs().to_f64()).sum();
            known.step = (1.0 / sum).min(1.0) * rate;
        } else {
            known.learn(gradient, self.settings.history);
            known.direction = known.along(gradient);
            known.step = rate;
        }
        known.gradient = gradient.to_vec();
        known.parameters.clone_from(&self.x);
    }

    /// Moves by the step as it is, and evaluates there, but after the last iteration: with other rows at the next call, that would
    /// be for nothing. Whether all went well; the parameters stay where not.
    fn go(&mut self, is_last: bool, gradient: &mut Vec<T>, report: &mut Report, evaluate: &mut Evaluate<T>) -> bool {
        add(&mut self.x, self.known.step, &self.known.direction);
        if is_last {
            return true;
        }
        let (loss, new) = evaluate(&self.x);
        report.evaluations += 1;
        if !loss.is_finite() || !all_finite(&new) {
            self.x.clone_from(&self.known.parameters);
            self.known.step = 0.0;
            return false;
        }
        (report.last_loss, *gradient) = (loss, new);
        true
    }

    /// Moves to where the line search leads. Whether it found a point that is no worse, and finite.
    fn search(
        &mut self,
        slope: f64,
        most: usize,
        gradient: &mut Vec<T>,
        report: &mut Report,
        evaluate: &mut Evaluate<T>,
    ) -> bool {
        let direction = &self.known.direction;
        let bounds = Bounds { direction: largest(direction), tolerance: self.settings.tolerance_change, most };
        let start = Point { step: 0.0, loss: report.last_loss, gradient: std::mem::take(gradient), slope };
        let walked = wolfe::walk(&mut self.x, direction, start, self.known.step, bounds, evaluate);
        self.known.step = walked.point.step;
        (report.last_loss, *gradient) = (walked.point.loss, walked.point.gradient);
        report.evaluations += walked.evaluations;
        walked.is_good
    }
}
