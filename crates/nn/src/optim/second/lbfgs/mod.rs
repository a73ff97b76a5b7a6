//! The quasi-Newton method with limited memory.

mod known;
mod run;

use super::Report;
use super::flat::{self, Memory};
use crate::optim::memory::wrong_structure;
use autograd::{Float, Tape, Tensor, Tree, Var};
use known::Known;
use run::Run;

/// L-BFGS (Nocedal, "Updating quasi-Newton matrices with limited storage", 1980): each step goes along the gradient times an
/// inverse Hessian that the last changes of parameters and gradients tell (Nocedal and Wright, "Numerical Optimization", 2006,
/// algorithm 7.4). It is that of PyTorch, `torch.optim.LBFGS`, from its settings to its number of evaluations.
///
/// [`Lbfgs::default`] is for minimising to the end, of a loss that is always that of the same rows:
///
/// ```
/// use autograd::Tensor;
/// use nn::optim::Lbfgs;
/// let mut point = [Tensor::<f64>::scalar(-1.2), Tensor::scalar(1.0)]; // any structure of tensors, such as a net
/// let report = Lbfgs::default().minimise(&mut point, |_, [x, y]| {
///     (1.0 - x).square() + (y - x.square()).square() * 100.0 // Rosenbrock, 1960
/// });
/// assert!(report.stopped.is_converged() && report.evaluations < 60, "{report:?}");
/// assert!((point[0].item() - 1.0).abs() < 1e-5 && (point[1].item() - 1.0).abs() < 1e-5);
/// ```
///
/// [`Lbfgs::new`] has PyTorch's defaults; a loop of one's own calls [`Lbfgs::step`], which makes at most
/// [`Lbfgs::max_iterations`] iterations.
#[derive(Clone, Debug)]
pub struct Lbfgs<T: Float = f64> {
    /// The length of a step along the direction, or the first one that a line search tries; the very first step is this over the
    /// sum of the gradient's magnitudes, where that is more than 1.
    pub rate: f64,
    /// How many iterations a call makes at most.
    pub max_iterations: usize,
    /// How many evaluations a call makes at most: five for four iterations where this is `None`.
    pub max_evaluations: Option<usize>,
    /// It stops where no element of the gradient is larger.
    pub tolerance_gradient: f64,
    /// It stops where no parameter moves by more, or the loss changes by less.
    pub tolerance_change: f64,
    /// How many changes are remembered.
    pub history: usize,
    /// How the length of a step is found.
    pub line_search: LineSearch,
    /// What it remembers, empty before the first step: the last `changes` of the parameters and of the `gradients`, `[k, n]`, a
    /// row for all leaves together; the last `direction`, `gradient` and evaluated `parameters`, `[n]`; the length of the last
    /// `step`, the `scale` of the inverse Hessian, and the number of `iterations`.
    pub memory: Memory<T>,
}

/// How far a step goes along its direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineSearch {
    /// As far as the rate says: `line_search_fn = None`, PyTorch's default. Nothing says that the loss falls.
    Fixed,
    /// To where the strong Wolfe conditions hold, with `c₁ = 1e-4` and `c₂ = 0.9`: `line_search_fn = "strong_wolfe"`. A loss
    /// that is not finite is as if it were too high.
    StrongWolfe,
}

impl<T: Float> Default for Lbfgs<T> {
    /// For minimising to the end: a rate of 1, strong Wolfe conditions, at most 1000 iterations, and the last 10 changes.
    fn default() -> Self {
        Self { max_iterations: 1000, history: 10, line_search: LineSearch::StrongWolfe, ..Self::new(1.0) }
    }
}

impl<T: Float> Lbfgs<T> {
    /// PyTorch's defaults: steps of this rate without a line search, 20 iterations a call, tolerances of 1e-7 for the gradient and
    /// 1e-9 for changes, and the last 100 changes.
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            max_iterations: 20,
            max_evaluations: None,
            tolerance_gradient: 1e-7,
            tolerance_change: 1e-9,
            history: 100,
            line_search: LineSearch::Fixed,
            memory: Memory::new(),
        }
    }

    /// Minimises an expression of the parameters, from where they are. The expression is recorded on a tape at each evaluation;
    /// since it repeats, the tape computes it as a program.
    ///
    /// # Panics
    /// Where a setting is out of range, the expression is not one number, or the memory is that of other parameters.
    #[track_caller]
    pub fn minimise<P>(
        &mut self,
        params: &mut P,
        mut f: impl for<'t> FnMut(&'t Tape<T>, P::With<Var<'t, T>>) -> Var<'t, T>,
    ) -> Report
    where
        P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
    {
        let mut tape = Tape::default();
        if let Some(wrong) = flat::wrong_loss(&mut tape, params, &mut f) {
            panic!("Lbfgs::minimise: {wrong}");
        }
        self.run("Lbfgs::minimise", params, |params| tape.value_and_grad(params, &mut f))
    }

    /// Makes at most [`Lbfgs::max_iterations`] iterations, going on from what the calls before have learnt, as `step` of
    /// PyTorch's does. The function gives the loss and its gradient, of whatever rows it likes.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// use nn::optim::{Lbfgs, LineSearch};
    /// let mut lbfgs = Lbfgs { max_iterations: 5, line_search: LineSearch::StrongWolfe, ..Lbfgs::new(1.0) };
    /// let (mut w, mut tape) = (Tensor::from([3.0, -2.0]), Tape::new());
    /// for _ in 0..4 {
    ///     let report = lbfgs.step(&mut w, |w| tape.value_and_grad(w, |_, w| (w - 1.0).square().square().sum()));
    ///     println!("{:.3e} after {} evaluations", report.last_loss, report.evaluations);
    /// }
    /// assert!(w.as_slice().iter().all(|w| (w - 1.0).abs() < 0.02));
    /// ```
    ///
    /// # Panics
    /// Where a setting is out of range, the gradient has another structure than the parameters, or the memory is that of other
    /// parameters.
    #[track_caller]
    pub fn step<P>(&mut self, params: &mut P, value_and_grad: impl FnMut(&P) -> (T, P)) -> Report
    where
        P: Tree<Leaf = Tensor<T>>,
    {
        self.run("Lbfgs::step", params, value_and_grad)
    }

    /// Both, by the name of the function that was called.
    #[track_caller]
    fn run<P>(&mut self, function: &str, params: &mut P, mut f: impl FnMut(&P) -> (T, P)) -> Report
    where
        P: Tree<Leaf = Tensor<T>>,
    {
        if let Some(wrong) = self.wrong() {
            panic!("{function}: {wrong}");
        }
        let x = flat::gather(params);
        let mut known = match Known::of(&self.memory, x.len()) {
            Ok(known) => known,
            Err(held) => panic!("{function}: it has made steps on {held} numbers, {} were given", x.len()),
        };
        let mut wrong = None;
        let (report, x) = {
            let mut evaluate = |x: &[T]| {
                flat::scatter(x, params);
                let (loss, grads) = f(params);
                wrong = wrong.take().or_else(|| wrong_structure(params, &grads));
                // After a wrong gradient nothing else is evaluated: a loss that is not finite ends it.
                (if wrong.is_some() { f64::NAN } else { loss.to_f64() }, flat::gather(&grads))
            };
            Run { settings: self, known: &mut known, x: x.clone() }.iterate(&mut evaluate)
        };
        flat::scatter(&x, params);
        if let Some(wrong) = wrong {
            panic!("{function}: {wrong}");
        }
        self.memory = known.memory(x.len());
        report
    }

    /// What is wrong with the settings.
    fn wrong(&self) -> Option<String> {
        let numbers = [
            ("rate", self.rate),
            ("tolerance_gradient", self.tolerance_gradient),
            ("tolerance_change", self.tolerance_change),
        ];
        let counts = [
            ("max_iterations", self.max_iterations),
            ("max_evaluations", self.max_evaluations.unwrap_or(1)),
            ("history", self.history),
        ];
        flat::wrong_settings(&numbers, &counts)
    }
}
