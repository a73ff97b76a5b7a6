//! Methods that call the function again: they choose each step by what the function is like around the parameters, and so
//! drive it from outside, where a rule is given one gradient for each step.
//!
//! | method | for | of the function it asks |
//! |---|---|---|
//! | [`Lbfgs`] | smooth losses of all rows | the value and the gradient |
//! | [`NewtonCg`] | the same, badly scaled, or to the last digit | products with the Hessian, too |
//! | [`LevenbergMarquardt`] | sums of squares of few parameters | the residuals and their Jacobian |
//!
//! A function is an expression, `minimise(&mut net, |tape, net| loss)`, which a tape records and, since it repeats, replays as a
//! program. [`Lbfgs::step`] takes anything that gives a value and a gradient, `|net| program_of_my_own(net)`, and remembers
//! between calls what it has learnt, as tensors by name; the others remember nothing.

mod flat;
mod lbfgs;
mod levenberg;
mod newton;
mod triangular;
mod wolfe;

pub use lbfgs::{Lbfgs, LineSearch};
pub use levenberg::LevenbergMarquardt;
pub use newton::NewtonCg;

/// Why a method has stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stopped {
    /// No element of the gradient is larger than the tolerance: a minimum, or a saddle.
    Gradient,
    /// No parameter has moved by more than the tolerance, or would by the step that was found.
    Parameters,
    /// The loss has changed by less than the tolerance, or would along the direction that was found.
    Loss,
    /// So many iterations were made as this call may make.
    Iterations,
    /// So many evaluations were made as this call may make.
    Evaluations,
    /// The loss or its gradient is infinite or NaN, and no shorter step mends it. The parameters are the last good ones.
    NonFinite,
}

impl Stopped {
    /// Whether this is the end of a search that has found what it looked for.
    ///
    /// ```
    /// use nn::optim::Stopped;
    /// assert!(Stopped::Gradient.is_converged() && !Stopped::Iterations.is_converged());
    /// ```
    pub fn is_converged(self) -> bool {
        matches!(self, Self::Gradient | Self::Parameters | Self::Loss)
    }
}

/// What a call of a method did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Report {
    /// The loss at the parameters that were given.
    pub loss: f64,
    /// The loss at the last accepted parameters where it was evaluated. A method without line search does not evaluate after the
    /// last iteration of a call.
    pub last_loss: f64,
    /// The largest magnitude among the elements of the gradient there.
    pub gradient: f64,
    /// The iterations, each of which may move the parameters once.
    pub iterations: usize,
    /// The evaluations of loss and gradient, or of residuals.
    pub evaluations: usize,
    /// How often more was asked for: products with the Hessian by [`NewtonCg`], Jacobians by [`LevenbergMarquardt`].
    pub curvatures: usize,
    /// Why it stopped.
    pub stopped: Stopped,
}

impl Report {
    /// Before the first iteration, after one evaluation of a loss and the largest magnitude in its gradient.
    fn new(loss: f64, gradient: f64) -> Self {
        let stopped = Stopped::Gradient;
        Self { loss, last_loss: loss, gradient, iterations: 0, evaluations: 1, curvatures: 0, stopped }
    }
}
