//! The quasi-Newton method with limited memory.

use super::flat::{self, Memory, add, all_finite, dot, largest};
use super::wolfe::{self, Bounds, Point};
use super::{Report, Stopped};
use crate::optim::memory::wrong_structure;
use autograd::{Float, Tape, Tensor, Tree, Var};
use std::collections::VecDeque;

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
        let shape = flat::shape_of(&mut tape, params, &mut f);
        assert!(shape.numel() == 1, "Lbfgs::minimise: a loss of one number is needed, its shape is {shape}");
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
        let is_good = |x: f64| x >= 0.0 && x.is_finite();
        let numbers = [
            ("rate", self.rate),
            ("tolerance_gradient", self.tolerance_gradient),
            ("tolerance_change", self.tolerance_change),
        ];
        if let Some((name, value)) = numbers.into_iter().find(|(_, value)| !is_good(*value)) {
            return Some(format!("`{name}` must be finite and not below 0, it is {value}"));
        }
        let counts = [
            ("max_iterations", self.max_iterations),
            ("max_evaluations", self.max_evaluations.unwrap_or(1)),
            ("history", self.history),
        ];
        let (name, _) = counts.into_iter().find(|(_, count)| *count == 0)?;
        Some(format!("`{name}` must be 1 or more, it is 0"))
    }
}

/// What is known of the function between two calls.
struct Known<T> {
    changes: VecDeque<Vec<T>>,
    gradients: VecDeque<Vec<T>>,
    /// Of each, `1 / (change · change of the gradient)`.
    inverse: VecDeque<f64>,
    scale: f64,
    direction: Vec<T>,
    gradient: Vec<T>,
    parameters: Vec<T>,
    step: f64,
    iterations: f64,
}

impl<T: Float> Known<T> {
    /// What is remembered of `n` numbers, or how many are remembered in their place.
    fn of(memory: &Memory<T>, n: usize) -> Result<Self, usize> {
        let row = |name: &str| memory.get(name).map(Tensor::to_vec).unwrap_or_default();
        let rows = |name: &str| match memory.get(name) {
            Some(rows) if rows.numel() > 0 => {
                rows.as_slice().chunks(rows.shape().last().copied().unwrap_or(1)).map(<[T]>::to_vec).collect()
            }
            _ => VecDeque::new(),
        };
        let [parameters, direction, gradient] = ["parameters", "direction", "gradient"].map(row);
        let [changes, gradients]: [VecDeque<Vec<T>>; 2] = ["changes", "gradients"].map(rows);
        let lengths = [&parameters, &direction, &gradient].into_iter().chain(&changes).chain(&gradients).map(Vec::len);
        if let Some(held) = lengths.filter(|&held| held != n && held != 0).max() {
            return Err(held);
        }
        let inverse = changes.iter().zip(&gradients).map(|(s, y)| 1.0 / dot(y, s)).collect();
        let [scale, step, iterations] = [("scale", 1.0), ("step", 0.0), ("iterations", 0.0)]
            .map(|(name, default)| flat::number(memory, name).unwrap_or(default));
        Ok(Self { changes, gradients, inverse, scale, direction, gradient, parameters, step, iterations })
    }

    fn memory(self, n: usize) -> Memory<T> {
        let mut memory = Memory::new();
        for (name, rows) in [("changes", self.changes), ("gradients", self.gradients)] {
            memory.insert(name.to_owned(), Tensor::new([rows.len(), n], rows.into_iter().flatten().collect()));
        }
        for (name, row) in [("direction", self.direction), ("gradient", self.gradient), ("parameters", self.parameters)]
        {
            memory.insert(name.to_owned(), Tensor::from(row));
        }
        for (name, number) in [("scale", self.scale), ("step", self.step), ("iterations", self.iterations)] {
            flat::keep(&mut memory, name, number);
        }
        memory
    }

    /// Takes in how the gradient has changed over the last step; of that which curves the wrong way, or hardly, nothing.
    fn learn(&mut self, gradient: &[T], most: usize) {
        let y: Vec<T> = gradient.iter().zip(&self.gradient).map(|(&new, &old)| new - old).collect();
        let step = T::of(self.step);
        let s: Vec<T> = self.direction.iter().map(|&d| d * step).collect();
        let curvature = dot(&y, &s);
        if curvature > 1e-10 {
            while self.changes.len() >= most {
                self.changes.pop_front();
                self.gradients.pop_front();
                self.inverse.pop_front();
            }
            self.scale = curvature / dot(&y, &y);
            self.changes.push_back(s);
            self.gradients.push_back(y);
            self.inverse.push_back(1.0 / curvature);
        }
    }

    /// Minus the inverse Hessian times the gradient, by two loops.
    fn along(&self, gradient: &[T]) -> Vec<T> {
        let mut q: Vec<T> = gradient.iter().map(|&g| -g).collect();
        let mut alphas = vec![0.0; self.changes.len()];
        for (i, alpha) in alphas.iter_mut().enumerate().rev() {
            *alpha = dot(&self.changes[i], &q) * self.inverse[i];
            add(&mut q, -*alpha, &self.gradients[i]);
        }
        let scale = T::of(self.scale);
        for q in &mut q {
            *q *= scale;
        }
        for (i, alpha) in alphas.into_iter().enumerate() {
            let beta = dot(&self.gradients[i], &q) * self.inverse[i];
            add(&mut q, alpha - beta, &self.changes[i]);
        }
        q
    }
}

/// A function of a row of numbers.
type Evaluate<'a, T> = dyn FnMut(&[T]) -> (f64, Vec<T>) + 'a;

/// A call under way.
struct Run<'a, T: Float> {
    settings: &'a Lbfgs<T>,
    known: &'a mut Known<T>,
    x: Vec<T>,
}

impl<T: Float> Run<'_, T> {
    /// What was done, and where that has led.
    fn iterate(mut self, evaluate: &mut Evaluate<T>) -> (Report, Vec<T>) {
        let settings = self.settings;
        let limit = settings.max_evaluations.unwrap_or(settings.max_iterations.saturating_mul(5) / 4);
        let (loss, mut gradient) = evaluate(&self.x);
        let mut report = Report {
            loss,
            last_loss: loss,
            gradient: largest(&gradient),
            iterations: 0,
            evaluations: 1,
            stopped: Stopped::Gradient,
        };
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
        let (mut is_broken, mut trial) = (false, Vec::new());
        let (point, evaluations) = wolfe::search(start, self.known.step, bounds, &mut |step| {
            trial.clone_from(&self.x);
            add(&mut trial, step, direction);
            let (loss, gradient) = evaluate(&trial);
            if loss.is_finite() && all_finite(&gradient) {
                return Point::new(step, loss, gradient, direction);
            }
            is_broken = true;
            Point { step, loss: f64::INFINITY, gradient, slope: f64::NAN }
        });
        add(&mut self.x, point.step, direction);
        self.known.step = point.step;
        (report.last_loss, *gradient) = (point.loss, point.gradient);
        report.evaluations += evaluations;
        !(is_broken && point.step == 0.0)
    }
}
