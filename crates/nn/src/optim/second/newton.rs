//! Newton's method without the Hessian.

use super::flat::{self, add, all_finite, dot, largest};
use super::wolfe::{self, Bounds, Point};
use super::{Report, Stopped};
use autograd::{Float, Tape, Tensor, Tree, Var, hvp};

/// Newton's method with conjugate gradients (Nocedal and Wright, "Numerical Optimization", 2006, algorithm 7.1): each step goes
/// along `d` with `H d ≈ −g`, which conjugate gradients find by products with the Hessian alone, as far as the gradient has
/// become small (Eisenstat and Walker, "Choosing the forcing terms in an inexact Newton method", 1996, choice 2), or until a
/// direction curves down; its length satisfies the strong Wolfe conditions. Near a minimum the digits double with each step.
///
/// ```
/// use autograd::Tensor;
/// use nn::optim::NewtonCg;
/// let mut point = [Tensor::<f64>::scalar(-1.2), Tensor::scalar(1.0)]; // any structure of tensors, such as a net
/// let report = NewtonCg::default().minimise(&mut point, |_, [x, y]| {
///     (1.0 - x).square() + (y - x.square()).square() * 100.0 // Rosenbrock, 1960
/// });
/// assert!(report.stopped.is_converged() && report.iterations < 40, "{report:?}");
/// assert!((point[0].item() - 1.0).abs() < 1e-9 && (point[1].item() - 1.0).abs() < 1e-9);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NewtonCg {
    /// How many steps it makes at most.
    pub max_iterations: usize,
    /// How many products with the Hessian a step takes at most.
    pub max_products: usize,
    /// The largest share of the gradient that conjugate gradients may leave, below 1: what the first step takes, and later ones
    /// take less of as they come near. The larger it is, the more steps, of fewer products, are made.
    pub forcing: f64,
    /// It stops where no element of the gradient is larger.
    pub tolerance_gradient: f64,
    /// It stops where no parameter moves by more, or the loss changes by less.
    pub tolerance_change: f64,
}

impl Default for NewtonCg {
    /// At most 200 steps of at most 200 products, a tenth of the gradient left at most, and tolerances of 1e-7 for the gradient and
    /// 1e-12 for changes.
    fn default() -> Self {
        Self { max_iterations: 200, max_products: 200, forcing: 0.1, tolerance_gradient: 1e-7, tolerance_change: 1e-12 }
    }
}

/// How often a line search may move its point.
const MOVES: usize = 25;
/// Of Eisenstat and Walker's choice 2: `η = γ (|g| / |g before|)²`, no less than `γ η²` of the step before where that is above a
/// tenth, so that one lucky step does not ask for all digits too early.
const GAMMA: f64 = 0.9;

/// The value and the gradient at a point, or, with a direction, 0 and the product of the Hessian with it.
type Ask<'a, T> = dyn FnMut(&[T], Option<&[T]>) -> (f64, Vec<T>) + 'a;

impl NewtonCg {
    /// Minimises an expression of the parameters, from where they are. It is recorded on a tape at each evaluation and each
    /// product, and must be twice differentiable; of a loss with kinks, the pieces are what counts.
    ///
    /// # Panics
    /// Where a setting is out of range, or the expression is not one number.
    #[track_caller]
    pub fn minimise<T, P>(
        self,
        params: &mut P,
        mut f: impl for<'t> FnMut(&'t Tape<T>, P::With<Var<'t, T>>) -> Var<'t, T>,
    ) -> Report
    where
        T: Float,
        P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
    {
        let (mut tape, mut products) = (Tape::default(), Tape::default());
        if let Some(wrong) = self.wrong().or_else(|| flat::wrong_loss(&mut tape, params, &mut f)) {
            panic!("NewtonCg::minimise: {wrong}");
        }
        let mut x = flat::gather(params);
        let mut direction = params.map(&mut Tensor::clone);
        // Both ask the same function, each on a tape of its own, so that each tape repeats itself.
        let mut ask = |x: &[T], along: Option<&[T]>| -> (f64, Vec<T>) {
            flat::scatter(x, params);
            let Some(along) = along else {
                let (loss, gradient) = tape.value_and_grad(params, &mut f);
                return (loss.to_f64(), flat::gather(&gradient));
            };
            flat::scatter(along, &mut direction);
            products.clear();
            let tape = &products;
            let mut at = Vec::new();
            let vars = params.map(&mut |leaf| {
                let var = tape.var(leaf);
                at.push(var);
                var
            });
            let along = tape.vars(&direction.leaves().into_iter().cloned().collect::<Vec<_>>());
            let product = tape.values(&hvp(f(tape, vars), &at, &along));
            (0.0, flat::gather(&product))
        };
        let report = self.iterate(&mut x, &mut ask);
        flat::scatter(&x, params);
        report
    }

    fn wrong(self) -> Option<String> {
        let numbers = [
            ("forcing", self.forcing),
            ("tolerance_gradient", self.tolerance_gradient),
            ("tolerance_change", self.tolerance_change),
        ];
        let counts = [("max_iterations", self.max_iterations), ("max_products", self.max_products)];
        let too_much = || (self.forcing >= 1.0).then(|| format!("`forcing` must be below 1, it is {}", self.forcing));
        flat::wrong_settings(&numbers, &counts).or_else(too_much)
    }

    /// What was done; the row is where that has led.
    fn iterate<T: Float>(self, x: &mut [T], ask: &mut Ask<T>) -> Report {
        let (loss, mut gradient) = ask(x, None);
        let mut report = Report::new(loss, largest(&gradient));
        if !loss.is_finite() || !all_finite(&gradient) {
            report.stopped = Stopped::NonFinite;
            return report;
        }
        if report.gradient <= self.tolerance_gradient {
            return report;
        }
        let mut before: Option<(f64, f64)> = None;
        loop {
            report.iterations += 1;
            let norm = dot(&gradient, &gradient).sqrt();
            let share = before.map_or(self.forcing, |(length, share)| self.share(norm / length, share));
            before = Some((norm, share));
            let (direction, first) = self.direction(&gradient, share * norm, &mut |along| {
                report.curvatures += 1;
                ask(x, Some(along)).1
            });
            let slope = dot(&gradient, &direction);
            if slope.is_nan() || slope >= 0.0 {
                report.stopped = Stopped::Loss;
                return report;
            }
            let (last, tolerance) = (report.last_loss, self.tolerance_change);
            let bounds = Bounds { direction: largest(&direction), tolerance, most: MOVES };
            let start = Point { step: 0.0, loss: last, gradient, slope };
            let walked = wolfe::walk(x, &direction, start, first, bounds, &mut |x| ask(x, None));
            report.evaluations += walked.evaluations;
            (report.last_loss, gradient) = (walked.point.loss, walked.point.gradient);
            report.gradient = largest(&gradient);
            report.stopped = if !walked.is_good {
                Stopped::NonFinite
            } else if report.gradient <= self.tolerance_gradient {
                Stopped::Gradient
            } else if bounds.direction * walked.point.step <= tolerance {
                Stopped::Parameters
            } else if (last - report.last_loss).abs() <= tolerance {
                Stopped::Loss
            } else if report.iterations >= self.max_iterations {
                Stopped::Iterations
            } else {
                continue;
            };
            return report;
        }
    }

    /// The share of the gradient that the next step may leave, of how much of it the last one has left.
    fn share(self, left: f64, before: f64) -> f64 {
        let kept = GAMMA * before * before;
        let share = GAMMA * left * left;
        (if kept > 0.1 { share.max(kept) } else { share }).min(self.forcing)
    }

    /// The direction of a step, and the length to try first: that of Newton, as far as no curvature is negative, or down the
    /// gradient where the first is.
    fn direction<T: Float>(
        self,
        gradient: &[T],
        tolerance: f64,
        product: &mut dyn FnMut(&[T]) -> Vec<T>,
    ) -> (Vec<T>, f64) {
        let mut step = vec![T::ZERO; gradient.len()];
        let mut rest = gradient.to_vec();
        let mut along: Vec<T> = gradient.iter().map(|&g| -g).collect();
        let mut square = dot(&rest, &rest);
        for i in 0..self.max_products {
            let curved = product(&along);
            let curvature = dot(&along, &curved);
            if curvature.is_nan() || curvature <= 0.0 || !all_finite(&curved) {
                if i == 0 {
                    let sum: f64 = gradient.iter().map(|g| g.abs().to_f64()).sum();
                    return (along, (1.0 / sum).min(1.0));
                }
                break;
            }
            let length = square / curvature;
            add(&mut step, length, &along);
            add(&mut rest, length, &curved);
            let left = dot(&rest, &rest);
            if left.sqrt() <= tolerance {
                break;
            }
            let (beta, old) = (T::of(left / square), std::mem::replace(&mut along, rest.clone()));
            for (along, old) in along.iter_mut().zip(old) {
                *along = beta * old - *along;
            }
            square = left;
        }
        (step, 1.0)
    }
}
