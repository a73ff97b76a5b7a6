//! Methods that drive the function: known minima, recorded runs of other systems, wrong calls.

use crate::rows::{Rows, panics};
use autograd::{Float, Slice, Tape, Tensor, Var};
use nn::data::{Csv, IRIS_CSV};
use nn::optim::{Lbfgs, LineSearch, Report, Stopped};
use nn::{Activation, Dataset, Mlp};

/// Weight `[out, in]` and bias of each layer.
type Layers<V> = Vec<[V; 2]>;

fn recorded(name: &str) -> Vec<f64> {
    let text = include_str!("../data/lbfgs_iris.txt");
    let line = text.lines().find(|line| line.split(' ').next() == Some(name)).unwrap();
    line.split(' ').skip(1).map(|number| number.parse().unwrap()).collect()
}

fn initial() -> Layers<Tensor> {
    let layer = |i: usize, [inputs, outputs]: [usize; 2]| {
        let [weight, bias] = ["weight", "bias"].map(|name| recorded(&format!("{name}{i}")));
        [Tensor::new([outputs, inputs], weight), Tensor::new([outputs], bias)]
    };
    vec![layer(0, [4, 16]), layer(1, [16, 3])]
}

fn iris() -> (Tensor, Vec<usize>) {
    let iris: Dataset = Csv::new("species").parse("iris.csv", IRIS_CSV).unwrap();
    (iris.features().map(|x| x / 4.0 - 1.0), iris.labels().to_vec())
}

fn loss<'t>(net: &Layers<Var<'t>>, x: Var<'t>, labels: &[usize]) -> Var<'t> {
    let hidden = x.linear(net[0][0], Some(net[0][1])).tanh();
    hidden.linear(net[1][0], Some(net[1][1])).cross_entropy(labels)
}

fn follows_pytorch(name: &str, mut lbfgs: Lbfgs, tolerance: f64) {
    let (mut net, (x, labels), mut tape) = (initial(), iris(), Tape::new());
    let [losses, evaluations, sums, cosine_sums] =
        ["losses", "evaluations", "sums", "cosine_sums"].map(|what| recorded(&format!("{name}_{what}")));
    for (step, (want, evaluations)) in losses.iter().zip(evaluations).enumerate() {
        let report =
            lbfgs.step(&mut net, |net| tape.value_and_grad(net, |tape, net| loss(&net, tape.var(&x), &labels)));
        approx::assert_relative_eq!(report.loss, *want, max_relative = tolerance);
        assert_eq!(report.evaluations, evaluations as usize, "step {step}");
        // A checkpoint is the tensors of the memory: those of another one go on to the same bits.
        lbfgs = Lbfgs { memory: lbfgs.memory.clone(), ..lbfgs };
    }
    let last = tape.value_and_grad(&net, |tape, net| loss(&net, tape.var(&x), &labels)).0;
    approx::assert_relative_eq!(last, recorded(&format!("{name}_final_loss"))[0], max_relative = tolerance);
    for ((leaf, sum), cosine_sum) in net.iter().flatten().zip(sums).zip(cosine_sums) {
        let (values, n) = (leaf.as_slice(), leaf.numel() as f64);
        let bound = tolerance * n * values.iter().fold(0.0_f64, |most, w| most.max(w.abs()));
        assert!((values.iter().sum::<f64>() - sum).abs() <= bound);
        let cosine: f64 = values.iter().enumerate().map(|(i, w)| w * (0.1 * i as f64 + 1.0).cos()).sum();
        assert!((cosine - cosine_sum).abs() <= bound);
    }
}

#[test]
fn lbfgs_follows_a_recorded_run_of_pytorch_with_strong_wolfe_conditions() {
    let lbfgs = Lbfgs { max_iterations: 5, history: 10, line_search: LineSearch::StrongWolfe, ..Lbfgs::new(1.0) };
    follows_pytorch("strong_wolfe", lbfgs, 6e-6);
}

#[test]
fn lbfgs_follows_a_recorded_run_of_pytorch_with_fixed_steps() {
    follows_pytorch("plain", Lbfgs { max_iterations: 5, history: 10, ..Lbfgs::new(0.1) }, 3e-6);
}

/// Rosenbrock's valley in `n` dimensions, whose minimum is at ones.
fn valley<'t, T: Float>(x: Var<'t, T>) -> Var<'t, T> {
    let n = x.shape()[0] as isize;
    let (head, tail) = (x.slice([Slice::from(0..n - 1)]), x.slice([Slice::from(1..n)]));
    (tail - head.square()).square().sum() * 100.0 + (head * -1.0 + 1.0).square().sum()
}

#[test]
fn the_valley_of_rosenbrock_is_walked_to_its_end_in_both_precisions() {
    fn check<T: Float>(tolerance: f64) {
        for n in [2, 10, 37] {
            let mut x = Tensor::from_fn([n], |i| T::of(if i % 2 == 0 { -1.2 } else { 1.0 }));
            let report = Lbfgs::default().minimise(&mut x, |_, x| valley(x));
            assert!(report.stopped.is_converged(), "{report:?}");
            assert!(report.last_loss < 20.0 * tolerance && report.loss > 24.0, "{report:?}");
        }
    }
    check::<f64>(1e-9);
    check::<f32>(1e-6);
}

#[test]
fn a_quadratic_is_minimised_in_about_as_many_steps_as_it_has_dimensions() {
    let mut x = Tensor::from([3.0, -1.0, 2.0, 5.0, 0.5]);
    let scale = Tensor::from([1.0, 4.0, 9.0, 16.0, 25.0]);
    let report = Lbfgs::default().minimise(&mut x, |tape, x| (x.square() * tape.var(&scale)).sum() * 0.5);
    assert!(report.iterations <= 15 && report.last_loss < 1e-9, "{report:?}");
}

#[test]
fn logistic_regression_comes_to_where_its_gradient_vanishes() {
    // With a penalty the optimum is unique: from any start it is the same.
    let (x, labels) = iris();
    let minimise = |seed| {
        let mut net: Mlp<Tensor> = Mlp::new(&[4, 3], Activation::Identity, seed);
        let report = Lbfgs { tolerance_change: 0.0, ..Lbfgs::default() }.minimise(&mut net, |tape, net| {
            net.forward(tape.var(&x)).cross_entropy(&labels) + net.layers[0].weight.square().sum() * 0.01
        });
        assert_eq!(report.stopped, Stopped::Gradient, "{report:?}");
        (report.last_loss, net)
    };
    let ((a, net), (b, other)) = (minimise(0), minimise(1));
    assert!((a - b).abs() < 1e-12);
    for (w, v) in net.layers[0].weight.as_slice().iter().zip(other.layers[0].weight.as_slice()) {
        assert!((w - v).abs() < 1e-5);
    }
}

#[test]
fn a_loss_that_is_not_finite_keeps_the_last_good_parameters() {
    let run = |lbfgs: &mut Lbfgs, start: f64, f: &dyn Fn(f64) -> (f64, f64)| -> (Report, f64) {
        let mut x = Tensor::scalar(start);
        let report = lbfgs.step(&mut x, |x| {
            let (loss, slope) = f(x.item());
            (loss, Tensor::scalar(slope))
        });
        (report, x.item())
    };
    let log = |x: f64| (-(1.0 - x).ln() - 2.0 * x, 1.0 / (1.0 - x) - 2.0);
    // Of the start itself.
    let (report, x) = run(&mut Lbfgs::default(), 2.0, &log);
    assert_eq!((report.stopped, report.evaluations, x), (Stopped::NonFinite, 1, 2.0));
    // A step too far is shortened by a line search, and undone without one.
    let (report, x) = run(&mut Lbfgs { rate: 50.0, ..Lbfgs::default() }, 0.0, &log);
    assert!(report.stopped.is_converged() && (x - 0.5).abs() < 1e-6, "{report:?}");
    let (report, x) = run(&mut Lbfgs::new(50.0), 0.0, &log);
    assert_eq!((report.stopped, x), (Stopped::NonFinite, 0.0));
    // What the last iteration of a call has not evaluated is undone by the next call.
    let mut lbfgs = Lbfgs { max_iterations: 1, ..Lbfgs::new(50.0) };
    let (report, x) = run(&mut lbfgs, 0.0, &log);
    assert_eq!((report.stopped, x), (Stopped::Iterations, 50.0));
    assert_eq!(run(&mut lbfgs, x, &log).1, 0.0);
    // A gradient that is not finite is as bad as a loss.
    let (report, x) = run(&mut Lbfgs::default(), 1.0, &|x| (x, if x < 1.0 { f64::NAN } else { 1.0 }));
    assert_eq!((report.stopped, x), (Stopped::NonFinite, 1.0));
}

#[test]
fn wrong_calls_name_themselves_what_is_wrong_and_the_callers_line() {
    let mut rows = Rows::default();
    let square = |w: &Tensor| (w.as_slice()[0].powi(2), w.clone());
    let w = || Tensor::from([1.0, 2.0]);
    let lbfgs = || Lbfgs::new(1.0);
    panics!(rows, "Lbfgs::step", ["`rate`", "NaN"], Lbfgs::new(f64::NAN).step(&mut w(), square));
    panics!(rows, "Lbfgs::step", ["`rate`", "-1"], Lbfgs::new(-1.0).step(&mut w(), square));
    panics!(
        rows,
        "Lbfgs::step",
        ["`tolerance_change`", "inf"],
        Lbfgs { tolerance_change: f64::INFINITY, ..lbfgs() }.step(&mut w(), square)
    );
    panics!(
        rows,
        "Lbfgs::step",
        ["`tolerance_gradient`", "-0.1"],
        Lbfgs { tolerance_gradient: -0.1, ..lbfgs() }.step(&mut w(), square)
    );
    panics!(rows, "Lbfgs::step", ["`history`", "1 or more"], Lbfgs { history: 0, ..lbfgs() }.step(&mut w(), square));
    panics!(
        rows,
        "Lbfgs::step",
        ["parameter 0", "[2]", "its gradient has [3]"],
        lbfgs().step(&mut w(), |_| (1.0, Tensor::zeros([3])))
    );
    let mut used = lbfgs();
    used.step(&mut w(), square);
    panics!(rows, "Lbfgs::step", ["made steps on 2 numbers, 3 were given"], used.step(&mut Tensor::ones([3]), square));
    panics!(rows, "Lbfgs::minimise", ["a loss of one number", "[2]"], Lbfgs::default().minimise(&mut w(), |_, w| w));
    panics!(
        rows,
        "Lbfgs::minimise",
        ["`max_iterations`", "1 or more"],
        Lbfgs { max_iterations: 0, ..Lbfgs::default() }.minimise(&mut w(), |_, w| w.sum())
    );
    rows.hold_all(&["optim/second", "optim/second/lbfgs"], &["new", "is_converged"]);
}
