//! Damped least squares.

use super::flat::{self, all_finite, dot, largest};
use super::triangular::{damped, triangular};
use super::{Report, Stopped};
use autograd::{Float, Tape, Tensor, Tree, Var, jacobian};

/// The method of Levenberg and Marquardt for sums of squares, of residuals `r` with the Jacobian `J` (Marquardt, "An algorithm for
/// least-squares estimation of nonlinear parameters", 1963): the loss is `½ Σ r²`, as `scipy.optimize.least_squares` counts it, and each
/// step `h` minimises `½ |r + J h|² + ½ μ |D h|²`. `D` holds the largest norms that the columns of `J` had (Moré, "The
/// Levenberg-Marquardt algorithm", 1978), so that the scale of a parameter does not count, and `μ` falls where a step does what
/// the Jacobian has foretold, and rises where it does not (Nielsen, "Damping parameter in Marquardt's method", 1999). Residuals
/// may be fewer than parameters, and columns may depend on each other.
///
/// For few parameters, up to some hundreds: an iteration costs about `2 m n²` for `m` residuals of `n` parameters.
///
/// ```
/// use autograd::Tensor;
/// use nn::optim::LevenbergMarquardt;
/// let times = Tensor::<f64>::from([0.0, 1.0, 2.0, 3.0, 4.0]);
/// let heights = times.map(|t| 5.0 * (-0.7 * t).exp());
/// let mut curve = [Tensor::scalar(1.0), Tensor::scalar(0.0)]; // any structure of tensors
/// let report = LevenbergMarquardt::default().minimise(&mut curve, |tape, [height, rate]| {
///     height * (rate * tape.var(&times)).exp() - tape.var(&heights)
/// });
/// assert!(report.stopped.is_converged() && report.last_loss < 1e-20, "{report:?}");
/// assert!((curve[0].item() - 5.0).abs() < 1e-9 && (curve[1].item() + 0.7).abs() < 1e-9);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevenbergMarquardt {
    /// How many steps it tries at most.
    pub max_iterations: usize,
    /// The damping `μ` of the first step, a share of the squared norms of the Jacobian's columns, above 0: more where the start
    /// is far from the minimum.
    pub damping: f64,
    /// It stops where no element of the gradient `Jᵀ r` is larger.
    pub tolerance_gradient: f64,
    /// It stops where the parameters move by a smaller share of their norm, or the loss falls by a smaller share of itself.
    pub tolerance_change: f64,
}

impl Default for LevenbergMarquardt {
    /// At most 200 steps, a damping of 1e-3 at first, and tolerances of 1e-10.
    fn default() -> Self {
        Self { max_iterations: 200, damping: 1e-3, tolerance_gradient: 1e-10, tolerance_change: 1e-10 }
    }
}

/// The least damping, with which dependent columns still have a solution.
const LEAST: f64 = 1e-14;
/// A damping by which nothing moves any more.
const MOST: f64 = 1e100;

/// What is known at a point.
struct Known {
    loss: f64,
    residuals: Vec<f64>,
    jacobian: Vec<f64>,
    gradient: Vec<f64>,
}

impl LevenbergMarquardt {
    /// Minimises half the sum of squares of the elements of an expression, the residuals, from where the parameters are. It is
    /// recorded on a tape at each evaluation.
    ///
    /// # Panics
    /// Where a setting is out of range, or there are too many residuals and parameters for a Jacobian in memory.
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
        if let Some(wrong) = self.wrong() {
            panic!("LevenbergMarquardt::minimise: {wrong}");
        }
        let mut x = flat::gather(params);
        let (mut values, mut jacobians) = (Tape::default(), Tape::default());
        // Each question has a tape of its own, so that each tape repeats itself.
        let mut ask = |x: &[T], with_jacobian: bool| {
            let tape = if with_jacobian { &mut jacobians } else { &mut values };
            tape.clear();
            let tape = &*tape;
            let row = tape.var(&Tensor::from(x.to_vec()));
            let mut end = 0;
            let vars = params.map(&mut |leaf| {
                let begin = end;
                end += leaf.numel();
                row.slice(begin..end).reshape(leaf.shape().clone())
            });
            let residuals = f(tape, vars);
            let jacobian = with_jacobian.then(|| jacobian(residuals, row));
            let (residuals, jacobian) = tape.values(&(residuals, jacobian));
            (residuals.to_vec(), jacobian.map(|jacobian| jacobian.to_vec()).unwrap_or_default())
        };
        let report = self.iterate(&mut x, &mut ask);
        flat::scatter(&x, params);
        report
    }

    fn wrong(self) -> Option<String> {
        let numbers = [("tolerance_gradient", self.tolerance_gradient), ("tolerance_change", self.tolerance_change)];
        let damping = self.damping;
        let undamped = (!damping.is_finite() || damping <= 0.0)
            .then(|| format!("`damping` must be finite and above 0, it is {damping}"));
        flat::wrong_settings(&numbers, &[("max_iterations", self.max_iterations)]).or(undamped)
    }

    /// What was done; the row is where that has led.
    fn iterate<T: Float>(self, x: &mut Vec<T>, ask: &mut Ask<T>) -> Report {
        let start = known(x, ask);
        let mut report = Report { curvatures: 1, ..Report::new(start.loss, largest(&start.gradient)) };
        if !start.is_finite() {
            report.stopped = Stopped::NonFinite;
            return report;
        }
        let (mut at, mut scale) = (start, vec![0.0; x.len()]);
        let (mut damping, mut growth) = (self.damping, 2.0);
        // Whether the loss was finite where the last step led.
        let mut was_finite = true;
        while report.gradient > self.tolerance_gradient {
            grow(&mut scale, &at.jacobian);
            let (r, q) = triangular(std::mem::take(&mut at.jacobian), at.residuals.clone(), x.len());
            // Steps are tried from here until one is taken.
            at = loop {
                if report.iterations >= self.max_iterations {
                    report.stopped = Stopped::Iterations;
                    return report;
                }
                report.iterations += 1;
                let d: Vec<f64> = scale.iter().map(|scale| damping.sqrt() * scale).collect();
                let h = damped(&r, &q, &d);
                let norm = dot(x, x).sqrt();
                let length = dot(&h, &h).sqrt();
                let is_short = length <= self.tolerance_change * (norm + self.tolerance_change);
                if is_short || damping > MOST || !length.is_finite() {
                    report.stopped = if was_finite { Stopped::Parameters } else { Stopped::NonFinite };
                    return report;
                }
                // What the loss would fall by if the residuals were linear.
                let damped_length: f64 = d.iter().zip(&h).map(|(d, h)| (d * h).powi(2)).sum();
                let foretold = 0.5 * (damped_length - dot(&at.gradient, &h));
                let trial: Vec<T> = x.iter().zip(&h).map(|(&x, &h)| x + T::of(h)).collect();
                let loss = half_square(&ask(&trial, false).0);
                report.evaluations += 1;
                was_finite = loss.is_finite();
                if loss < at.loss {
                    let next = known(&trial, ask);
                    report.curvatures += 1;
                    was_finite = next.is_finite();
                    if was_finite {
                        let fell = at.loss - next.loss;
                        let share = 2.0 * fell / foretold - 1.0;
                        damping = (damping * (1.0 - share * share * share).max(1.0 / 3.0)).max(LEAST);
                        growth = 2.0;
                        let is_last = fell.max(foretold) <= self.tolerance_change * at.loss;
                        x.clone_from(&trial);
                        (report.last_loss, report.gradient) = (next.loss, largest(&next.gradient));
                        if is_last && report.gradient > self.tolerance_gradient {
                            report.stopped = Stopped::Loss;
                            return report;
                        }
                        break next;
                    }
                } else if was_finite && foretold <= f64::EPSILON * at.loss {
                    // Rounding hides what is left to gain.
                    report.stopped = Stopped::Loss;
                    return report;
                }
                damping *= growth;
                growth *= 2.0;
            };
        }
        report
    }
}

/// The residuals at a point, and the Jacobian by rows where it is asked for.
type Ask<'a, T> = dyn FnMut(&[T], bool) -> (Vec<T>, Vec<T>) + 'a;

fn half_square<T: Float>(residuals: &[T]) -> f64 {
    0.5 * dot(residuals, residuals)
}

fn known<T: Float>(x: &[T], ask: &mut Ask<T>) -> Known {
    let (residuals, jacobian) = ask(x, true);
    let loss = half_square(&residuals);
    let wide = |row: Vec<T>| row.into_iter().map(T::to_f64).collect::<Vec<_>>();
    let (residuals, jacobian) = (wide(residuals), wide(jacobian));
    let mut gradient = vec![0.0; x.len()];
    for (row, &residual) in jacobian.chunks(x.len().max(1)).zip(&residuals) {
        flat::add(&mut gradient, residual, row);
    }
    Known { loss, residuals, jacobian, gradient }
}

impl Known {
    fn is_finite(&self) -> bool {
        self.loss.is_finite() && all_finite(&self.jacobian) && all_finite(&self.gradient)
    }
}

/// Takes in the norms of a Jacobian's columns; of a column of zeros, 1.
fn grow(scale: &mut [f64], jacobian: &[f64]) {
    let n = scale.len();
    for (j, scale) in scale.iter_mut().enumerate() {
        let squares: f64 = jacobian.iter().skip(j).step_by(n).map(|x| x * x).sum();
        *scale = scale.max(squares.sqrt());
        if *scale == 0.0 {
            *scale = 1.0;
        }
    }
}
