//! Newton's method and damped least squares: known minima, and what has none.

use crate::rows::{Rows, panics};
use autograd::{Float, Slice, Tape, Tensor, Var, concat};
use nn::data::{Csv, IRIS_CSV};
use nn::optim::{Lbfgs, LevenbergMarquardt, NewtonCg, Report, Stopped};
use nn::{Activation, Dataset, Mlp};

/// Elements of a row.
fn part<'t, T: Float>(x: Var<'t, T>, from: isize, to: isize) -> Var<'t, T> {
    x.slice([Slice::from(from..to)])
}

/// Rosenbrock's valley in `n` dimensions as residuals, whose minimum is at ones.
fn valley<'t, T: Float>(x: Var<'t, T>) -> Var<'t, T> {
    let n = x.shape()[0] as isize;
    let (head, tail) = (part(x, 0, n - 1), part(x, 1, n));
    concat(&[(tail - head.square()) * 10.0, T::ONE - head], 0)
}

/// Powell's singular function (1962), whose Jacobian at the minimum, 0, has rank 2 of 4.
fn powell<'t>(x: Var<'t>) -> Var<'t> {
    let [a, b, c, d] = [0, 1, 2, 3].map(|i| part(x, i, i + 1));
    concat(&[a + b * 10.0, (c - d) * 5.0_f64.sqrt(), (b - c * 2.0).square(), (a - d).square() * 10.0_f64.sqrt()], 0)
}

fn start<T: Float>(n: usize) -> Tensor<T> {
    Tensor::from_fn([n], |i| T::of(if i % 2 == 0 { -1.2 } else { 1.0 }))
}

fn away<T: Float>(x: &Tensor<T>, from: f64) -> f64 {
    x.as_slice().iter().fold(0.0, |most, x| most.max((x.to_f64() - from).abs()))
}

#[test]
fn the_valley_of_rosenbrock_is_walked_to_its_end_in_both_precisions() {
    fn check<T: Float>(tolerance: f64) {
        // From 4 to 7 dimensions there is a second minimum, which is as good an end.
        for n in [2, 3] {
            let mut x = start::<T>(n);
            let report = NewtonCg::default().minimise(&mut x, |_, x| valley(x).square().sum() * 0.5);
            assert!(report.stopped.is_converged() && report.curvatures >= report.iterations, "{report:?}");
            assert!(away(&x, 1.0) < tolerance, "{report:?} {x:?}");
            let mut x = start::<T>(n);
            let report = LevenbergMarquardt::default().minimise(&mut x, |_, x| valley(x));
            assert!(report.stopped.is_converged() && report.iterations < 60, "{report:?}");
            assert!(away(&x, 1.0) < tolerance, "{report:?} {x:?}");
        }
    }
    check::<f64>(1e-7);
    check::<f32>(1e-3);
}

#[test]
fn a_badly_scaled_quadratic_takes_newton_few_steps_to_the_last_digits() {
    let scale = Tensor::<f64>::from([1e-3, 1.0, 1e3, 1e6]);
    let mut x = Tensor::from([3.0, -1.0, 2.0, 5.0]);
    let newton = NewtonCg { tolerance_gradient: 1e-10, tolerance_change: 0.0, ..NewtonCg::default() };
    let report = newton.minimise(&mut x, |tape, x| ((x - 1.0).square() * tape.var(&scale)).sum() * 0.5);
    assert!(report.stopped.is_converged() && report.iterations <= 10 && report.curvatures <= 40, "{report:?}");
    assert!(away(&x, 1.0) < 1e-6, "{x:?}");
    let mut x = Tensor::from([3.0, -1.0, 2.0, 5.0]);
    let roots = scale.map(f64::sqrt);
    let report = LevenbergMarquardt::default().minimise(&mut x, |tape, x| (x - 1.0) * tape.var(&roots));
    assert!(report.stopped.is_converged() && report.iterations <= 10, "{report:?}");
    assert!(away(&x, 1.0) < 1e-6, "{x:?}");
}

#[test]
fn logistic_regression_comes_to_the_minimum_that_lbfgs_finds_in_fewer_steps() {
    let iris: Dataset = Csv::new("species").parse("iris.csv", IRIS_CSV).unwrap();
    let (x, labels) = (iris.features().map(|x| x / 4.0 - 1.0), iris.labels().to_vec());
    let net: Mlp<Tensor> = Mlp::new(&[4, 3], Activation::Identity, 0);
    let (mut a, mut b) = (net.clone(), net);
    let newton = NewtonCg { tolerance_gradient: 1e-9, tolerance_change: 0.0, ..NewtonCg::default() };
    let report = newton.minimise(&mut a, |tape, net| {
        net.forward(tape.var(&x)).cross_entropy(&labels) + net.layers[0].weight.square().sum() * 0.01
    });
    assert!(report.stopped == Stopped::Gradient && report.iterations <= 12, "{report:?}");
    let other = Lbfgs { tolerance_change: 0.0, ..Lbfgs::default() }.minimise(&mut b, |tape, net| {
        net.forward(tape.var(&x)).cross_entropy(&labels) + net.layers[0].weight.square().sum() * 0.01
    });
    assert!((report.last_loss - other.last_loss).abs() < 1e-12 && report.iterations < other.iterations);
    for (w, v) in a.layers[0].weight.as_slice().iter().zip(b.layers[0].weight.as_slice()) {
        assert!((w - v).abs() < 1e-5);
    }
}

#[test]
fn a_saddle_with_a_slope_beside_it_is_left_by_its_negative_curvature() {
    // x⁴/4 − x²/2 + y²/2 has its minima at x = ±1, and curves down around 0.
    let mut x = Tensor::from([0.01, 1.0]);
    let report = NewtonCg::default().minimise(&mut x, |_, x| {
        let (a, b) = (part(x, 0, 1), part(x, 1, 2));
        (a.square().square() * 0.25 - a.square() * 0.5 + b.square() * 0.5).sum()
    });
    assert!(report.stopped.is_converged() && (report.last_loss + 0.25).abs() < 1e-12, "{report:?}");
}

#[test]
fn an_exponential_is_fitted_where_its_gradient_vanishes_however_far_the_start() {
    // With noise, so that the residuals at the minimum are not 0.
    let times = Tensor::from_fn([20], |i| 0.2 * i as f64);
    let heights = Tensor::from_fn([20], |i| {
        let t = 0.2 * i as f64;
        2.0 + 3.0 * (-0.8 * t).exp() + 0.05 * (7.0 * t).sin()
    });
    let mut found = Vec::new();
    for start in [[1.0, 1.0, 1.0], [0.0, 10.0, 0.1], [2.0, 0.5, 3.0]] {
        let mut curve = start.map(Tensor::scalar);
        let report = LevenbergMarquardt::default().minimise(&mut curve, |tape, [floor, height, rate]| {
            floor + height * (rate * tape.var(&times) * -1.0).exp() - tape.var(&heights)
        });
        assert!(report.stopped.is_converged() && report.gradient < 1e-6, "{report:?}");
        found.push(curve.map(|x| x.item()));
    }
    for other in &found[1..] {
        assert!(found[0].iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-6), "{found:?}");
    }
    assert!((found[0][2] - 0.8).abs() < 0.1);
}

#[test]
fn powells_singular_function_comes_to_an_end_near_its_minimum() {
    let mut x = Tensor::from([3.0, -1.0, 0.0, 1.0]);
    let report = LevenbergMarquardt::default().minimise(&mut x, |_, x| powell(x));
    assert!((report.loss - 107.5).abs() < 1e-12);
    assert!(report.stopped.is_converged() && report.last_loss < 1e-12 && away(&x, 0.0) < 1e-2, "{report:?} {x:?}");
    let mut x = Tensor::from([3.0, -1.0, 0.0, 1.0]);
    let report = NewtonCg::default().minimise(&mut x, |_, x| powell(x).square().sum() * 0.5);
    assert!(report.stopped.is_converged() && report.last_loss < 1e-7, "{report:?} {x:?}");
}

#[test]
fn a_jacobian_without_full_rank_still_leads_to_a_minimum() {
    // Only the sum of the first two counts, and the third not at all.
    let mut x = [5.0, -1.0, 7.0].map(Tensor::scalar);
    let report = LevenbergMarquardt::default().minimise(&mut x, |tape, [a, b, c]| {
        (a + b) * tape.var(&Tensor::from([1.0, 2.0, 3.0])) - tape.var(&Tensor::from([2.0, 4.0, 7.0])) + c * 0.0
    });
    let [a, b, c]: [f64; 3] = x.map(|x| x.item());
    assert!(report.stopped.is_converged(), "{report:?}");
    assert!((a + b - 31.0 / 14.0).abs() < 1e-9 && c == 7.0, "{a} {b} {c}");
    // Fewer residuals than parameters: a circle of solutions.
    let mut x = Tensor::from([3.0, 1.0, -2.0]);
    let report = LevenbergMarquardt::default().minimise(&mut x, |_, x| x.square().sum().reshape([1]) - 1.0);
    assert!(report.stopped.is_converged() && report.last_loss < 1e-18, "{report:?}");
}

#[test]
fn a_start_that_is_a_minimum_stays() {
    let mut x = Tensor::<f64>::ones([4]);
    let report = LevenbergMarquardt::default().minimise(&mut x, |_, x| valley(x));
    assert_eq!((report.stopped, report.iterations, report.last_loss), (Stopped::Gradient, 0, 0.0));
    let report = NewtonCg::default().minimise(&mut x, |_, x| valley(x).square().sum());
    assert_eq!((report.stopped, report.iterations, report.curvatures), (Stopped::Gradient, 0, 0));
    assert_eq!(away(&x, 1.0), 0.0);
}

#[test]
fn no_parameters_and_no_residuals_are_at_their_minimum() {
    let mut none: Vec<Tensor> = Vec::new();
    let report = LevenbergMarquardt::default().minimise(&mut none, |tape, _| tape.var(&Tensor::from([3.0, 4.0])));
    assert_eq!((report.stopped, report.loss, report.last_loss), (Stopped::Gradient, 12.5, 12.5));
    let report = NewtonCg::default().minimise(&mut none, |tape, _| tape.scalar(2.0));
    assert_eq!((report.stopped, report.loss), (Stopped::Gradient, 2.0));
    let report = Lbfgs::default().minimise(&mut none, |tape, _| tape.scalar(2.0));
    assert_eq!((report.stopped, report.loss), (Stopped::Gradient, 2.0));
    let mut empty = Tensor::<f64>::zeros([0]);
    assert_eq!(NewtonCg::default().minimise(&mut empty, |_, x| x.sum()).stopped, Stopped::Gradient);
    assert_eq!(LevenbergMarquardt::default().minimise(&mut empty, |_, x| x).stopped, Stopped::Gradient);
    let mut x = Tensor::from([1.0, 2.0]);
    let report = LevenbergMarquardt::default().minimise(&mut x, |tape, _| tape.var(&Tensor::zeros([0])));
    assert_eq!((report.stopped, report.loss, x.as_slice()), (Stopped::Gradient, 0.0, &[1.0, 2.0][..]));
}

#[test]
fn what_is_not_finite_is_told_and_the_last_good_parameters_stay() {
    fn both(start: f64, f: impl for<'t> Fn(Var<'t>) -> Var<'t>) -> [(Report, f64); 2] {
        let (mut a, mut b) = (Tensor::from([start]), Tensor::from([start]));
        let newton = NewtonCg::default().minimise(&mut a, |_, x| f(x).square().sum() * 0.5);
        let least = LevenbergMarquardt::default().minimise(&mut b, |_, x| f(x));
        [(newton, a.as_slice()[0]), (least, b.as_slice()[0])]
    }
    for (report, x) in both(f64::NAN, |x| x * 2.0) {
        assert!(report.stopped == Stopped::NonFinite && x.is_nan() && report.evaluations == 1, "{report:?}");
    }
    for (report, x) in both(-1.0, |x| x.log()) {
        assert!(report.stopped == Stopped::NonFinite && x == -1.0, "{report:?}");
    }
    for (report, x) in both(1e300, |x| x * x) {
        assert!(report.stopped == Stopped::NonFinite && x == 1e300, "{report:?}");
    }
    // Steps out of the domain are shortened: log x is 0 at 1, and the first step from 5 leads below 0.
    for (report, x) in both(5.0, |x| x.log()) {
        assert!(report.stopped.is_converged() && (x - 1.0).abs() < 1e-6, "{report:?} {x}");
    }
    // A loss that is finite at the start and nowhere that a step leads to.
    for (report, x) in both(1.0, |x| x + (1.0 - x).relu().log() * 0.0 + (x - 1.0).relu().square() / 0.0) {
        assert!(report.stopped == Stopped::NonFinite && x == 1.0, "{report:?}");
    }
}

#[test]
fn counts_bound_a_call() {
    let mut x = start::<f64>(2);
    let newton = NewtonCg { max_iterations: 3, max_products: 1, ..NewtonCg::default() };
    let report = newton.minimise(&mut x, |_, x| valley(x).square().sum());
    assert_eq!((report.stopped, report.iterations, report.curvatures), (Stopped::Iterations, 3, 3));
    assert!(report.last_loss < report.loss);
    let least = LevenbergMarquardt { max_iterations: 3, ..LevenbergMarquardt::default() };
    let report = least.minimise(&mut x, |_, x| valley(x));
    assert_eq!((report.stopped, report.iterations, report.evaluations), (Stopped::Iterations, 3, 4));
    let loss = Tape::new().value_and_grad(&x, |_, x| valley(x).square().sum() * 0.5).0;
    assert!((loss - report.last_loss).abs() < 1e-12);
}

#[test]
fn a_small_net_is_fitted_to_a_curve_by_least_squares() {
    let x = Tensor::from_fn([25, 1], |i| -2.0 + 4.0 * i as f64 / 24.0);
    let y = x.map(|x| (2.0 * x).sin());
    let mut net: Mlp<Tensor> = Mlp::new(&[1, 5, 1], Activation::Tanh, 3);
    let least = LevenbergMarquardt { max_iterations: 60, ..LevenbergMarquardt::default() };
    let report = least.minimise(&mut net, |tape, net| net.forward(tape.var(&x)) - tape.var(&y));
    assert!(report.last_loss < 1e-3 * report.loss, "{report:?}");
}

#[test]
fn wrong_calls_name_themselves_what_is_wrong_and_the_callers_line() {
    let mut rows = Rows::default();
    let w = || Tensor::from([1.0, 2.0]);
    let newton = NewtonCg::default();
    let least = LevenbergMarquardt::default();
    panics!(rows, "NewtonCg::minimise", ["a loss of one number", "[2]"], newton.minimise(&mut w(), |_, w| w));
    panics!(
        rows,
        "NewtonCg::minimise",
        ["`forcing`", "below 1", "it is 1"],
        NewtonCg { forcing: 1.0, ..newton }.minimise(&mut w(), |_, w| w.sum())
    );
    panics!(
        rows,
        "NewtonCg::minimise",
        ["`max_products`", "1 or more"],
        NewtonCg { max_products: 0, ..newton }.minimise(&mut w(), |_, w| w.sum())
    );
    panics!(
        rows,
        "NewtonCg::minimise",
        ["`tolerance_change`", "NaN"],
        NewtonCg { tolerance_change: f64::NAN, ..newton }.minimise(&mut w(), |_, w| w.sum())
    );
    panics!(
        rows,
        "LevenbergMarquardt::minimise",
        ["`damping`", "above 0", "it is 0"],
        LevenbergMarquardt { damping: 0.0, ..least }.minimise(&mut w(), |_, w| w)
    );
    panics!(
        rows,
        "LevenbergMarquardt::minimise",
        ["`tolerance_gradient`", "-1"],
        LevenbergMarquardt { tolerance_gradient: -1.0, ..least }.minimise(&mut w(), |_, w| w)
    );
    panics!(
        rows,
        "LevenbergMarquardt::minimise",
        ["`max_iterations`", "1 or more"],
        LevenbergMarquardt { max_iterations: 0, ..least }.minimise(&mut w(), |_, w| w)
    );
    rows.hold_all(&[], &[]);
}
