//! Losses of probabilities, margins and counts at their edges, and what they refuse.

use super::row::{AtInfinity, Row, panic_of, run};
use autograd::{Float, GaussianNll, KlTarget, PoissonNll, Reduction, Tape, Tensor, Var, vjp};
use std::f64::consts::LN_2;

const INF: f64 = f64::INFINITY;

fn constant<'t, T: Float>(x: Var<'t, T>, numbers: &[f64]) -> Var<'t, T> {
    x.tape().var(&Tensor::from(numbers.iter().map(|&x| T::of(x)).collect::<Vec<T>>()))
}

table! {
    likelihoods<T> of T:
    "bce, right and certain" [0.0, 1.0] [0.0, 1.0], |x| x[0].bce(x[1], None, Reduction::Sum), value [0.0],
        first [1.0, -1.0] [0.0, 0.0] => Mixed;
    "bce, wrong and certain, is not clamped" [0.0, 1.0] [1.0, 0.0], |x| x[0].bce(x[1], None, Reduction::Sum),
        value [INF], first [-INF, INF] [INF, -INF] => Mixed;
    "bce of a small probability, right" [1e-20], |x| x[0].bce(constant(x[0], &[0.0]), None, Reduction::Sum),
        value [1e-20], first [1.0], second [1.0] => Smooth;
    "bce outside the probabilities" [1.5], |x| x[0].bce(constant(x[0], &[0.0]), None, Reduction::Sum), value [f64::NAN],
        first [f64::NAN] => Mixed;
    "sigmoid_focal, right at ±1000" [1000.0, -1000.0],
        |x| x[0].sigmoid_focal(constant(x[0], &[1.0, 0.0]), Some(0.25), 0.5, Reduction::Sum), value [0.0],
        first [0.0, 0.0], second [0.0, 0.0] => Mixed;
    "sigmoid_focal, wrong at ±1000" [1000.0, -1000.0],
        |x| x[0].sigmoid_focal(constant(x[0], &[0.0, 1.0]), Some(0.25), 2.0, Reduction::Sum), value [1000.0],
        first [0.75, -0.25], second [0.0, 0.0] => Mixed;
    "sigmoid_focal without its parts is bce_with_logits" [0.0],
        |x| x[0].sigmoid_focal(constant(x[0], &[1.0]), None, 0.0, Reduction::Sum), value [LN_2], first [-0.5],
        second [0.25] => Mixed;
    "poisson_nll of a count of 0 at a rate of 0" [0.0],
        |x| x[0].poisson_nll(constant(x[0], &[0.0]), &PoissonNll { log_input: false, eps: 0.0, ..PoissonNll::default() }),
        value [0.0], first [1.0] => Mixed;
    "poisson_nll of a count of 0 at the logarithm of 0" [-INF],
        |x| x[0].poisson_nll(constant(x[0], &[0.0]), &PoissonNll::default()), value [0.0], first [0.0] => Mixed;
    "gaussian_nll, a variance below eps" [0.5] [0.0],
        |x| x[0].gaussian_nll(constant(x[0], &[0.0]), x[1], &GaussianNll { eps: 1.0, ..GaussianNll::default() }),
        value [0.125], first [0.5] [0.0], second [1.0] [0.0] => Mixed;
}

table! {
    margins<T> of T:
    "hinge at the margin" [1.0, -1.0], |x| x[0].hinge(constant(x[0], &[1.0, -1.0]), Reduction::Sum), value [0.0],
        first [0.0, 0.0], second [0.0, 0.0] => Selected;
    "hinge within it" [0.5, 2.0], |x| x[0].hinge(constant(x[0], &[1.0, -1.0]), Reduction::Sum), value [3.5],
        first [-1.0, 1.0], second [0.0, 0.0] => Selected;
    "hinge, right at ∞" [INF], |x| x[0].hinge(constant(x[0], &[1.0]), Reduction::Sum), value [0.0], first [0.0] => Selected;
    "hinge_embedding at the margin" [1.0, 1.0], |x| x[0].hinge_embedding(constant(x[0], &[-1.0, 1.0]), 1.0, Reduction::Sum),
        value [1.0], first [0.0, 1.0], second [0.0, 0.0] => Selected;
    "hinge_embedding of a target that is no sign" [f64::NAN], |x| x[0].hinge_embedding(constant(x[0], &[0.0]), 1.0, Reduction::Sum),
        value [0.0], first [0.0] => Selected;
    "soft_margin at ±1000" [1000.0, -1000.0], |x| x[0].soft_margin(constant(x[0], &[1.0, 1.0]), Reduction::Sum),
        value [1000.0], first [0.0, -1.0], second [0.0, 0.0] => Mixed;
    "multi_margin at the margin" [1.0, 0.0], |x| x[0].reshape([1, 2]).multi_margin(&[0], 1, 1.0, None, Reduction::Sum),
        value [0.0], first [0.0, 0.0], second [0.0, 0.0] => Selected;
    "multi_margin within it" [1.0, 0.5, 3.0], |x| x[0].reshape([1, 3]).multi_margin(&[0], 2, 1.0, None, Reduction::Sum),
        value [9.25 / 3.0], first [-7.0 / 3.0, 1.0 / 3.0, 2.0] => Mixed;
    "multi_margin, right at ∞" [INF, 0.0], |x| x[0].reshape([1, 2]).multi_margin(&[0], 1, 1.0, None, Reduction::Sum),
        value [0.0], first [0.0, 0.0] => Selected;
    "margin_ranking at the margin" [1.0] [0.5], |x| x[0].margin_ranking(x[1], constant(x[0], &[1.0]), 0.5, Reduction::Sum),
        value [0.0], first [0.0] [0.0], second [0.0] [0.0] => Selected;
}

#[test]
fn a_certain_prediction_that_is_right_costs_nothing_and_a_wrong_one_all() {
    run(&likelihoods::<f64>());
    run(&likelihoods::<f32>());
}

#[test]
fn at_the_margin_nothing_is_lost_and_nothing_pulls() {
    run(&margins::<f64>());
    run(&margins::<f32>());
}

#[test]
fn a_mean_over_the_batch_divides_by_the_first_axis_of_every_loss() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from_rows([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]));
    let zero = tape.var(&Tensor::zeros([2, 3]));
    assert_eq!(x.mse(zero, Reduction::BatchMean).item(), 7.0);
    assert_eq!(x.kl_div(zero, KlTarget::Logarithms, Reduction::BatchMean).item(), -3.0);
    // One loss for each example: the same as their mean.
    let [mean, batch] = [Reduction::Mean, Reduction::BatchMean].map(|r| x.cross_entropy_with(&[0, 2], r));
    assert_eq!(mean.item(), batch.item());
    let [mean, batch] = [mean, batch].map(|loss| vjp(loss, &x, tape.scalar(1.0)).value());
    assert_eq!(mean, batch);
    // Two losses for each example: twice their mean.
    let places = tape.var(&Tensor::from_fn([2, 3, 2], |i| i as f64));
    let labels = tape.indices([2, 2], &[0, 1, 2, 0]);
    let options = |reduction| autograd::CrossEntropyOptions { reduction, ..Default::default() };
    let [mean, batch] =
        [Reduction::Mean, Reduction::BatchMean].map(|r| places.cross_entropy_opts(&labels, &options(r)).item());
    assert!((batch / mean - 2.0).abs() < 1e-15);
    assert!(
        panic_of(|| {
            let tape = Tape::new();
            tape.var(&Tensor::zeros([0, 3])).mse(tape.var(&Tensor::zeros([0, 3])), Reduction::BatchMean);
        })
        .contains("empty batch")
    );
}

#[test]
fn losses_of_nothing_have_gradients_of_nothing() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::<f64>::zeros([0, 3]));
    let losses = [
        x.bce(x, None, Reduction::Sum),
        x.sigmoid_focal(x, None, 2.0, Reduction::Sum),
        x.hinge(x, Reduction::Sum),
        x.hinge_embedding(x, 1.0, Reduction::Sum),
        x.soft_margin(x, Reduction::Sum),
        x.multi_margin::<[usize; 0]>(&[], 1, 1.0, None, Reduction::Sum),
        x.margin_ranking(x, x, 0.0, Reduction::Sum),
        x.poisson_nll(x, &PoissonNll { full: true, reduction: Reduction::Sum, ..PoissonNll::default() }),
        x.gaussian_nll(x, x, &GaussianNll { reduction: Reduction::Sum, ..GaussianNll::default() }),
    ];
    for loss in losses {
        assert_eq!(loss.item(), 0.0);
        assert_eq!(autograd::grad(loss, &x).value().shape()[..], [0, 3]);
    }
}

#[test]
fn class_weights_and_axes_of_examples_fit_multi_margin_too() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from_rows([[0.0, 0.5], [2.0, 0.0]]));
    let weights = Tensor::from([2.0, 4.0]);
    let losses = x.multi_margin(&[0, 1], 1, 1.0, Some(&weights), Reduction::None);
    assert_eq!(losses.value().as_slice(), [1.5, 6.0]);
    let rows = x.reshape([1, 2, 2]).multi_margin(&tape.indices([1, 2], &[1, 0]), 1, 1.0, None, Reduction::None);
    assert_eq!((rows.shape()[..].to_vec(), rows.value().to_vec()), (vec![1, 2], vec![0.0, 0.25]));
}

/// A mistake, and how the message starts.
type Mistake = (fn(Var<'_>), &'static str);

const MISTAKES: &[Mistake] = &[
    (|x| _ = x.bce(x.sum_axes(1), None, Reduction::Sum), "bce: a target of the prediction's shape [2, 3] is needed"),
    (|x| _ = x.bce(x, Some(x.sum_axes(1)), Reduction::Sum), "bce: the weight of shape [2] does not broadcast"),
    (|x| _ = x.sigmoid_focal(x, Some(1.5), 2.0, Reduction::Sum), "sigmoid_focal: an alpha between 0 and 1"),
    (|x| _ = x.sigmoid_focal(x, Some(f64::NAN), 2.0, Reduction::Sum), "sigmoid_focal: an alpha between 0 and 1"),
    (|x| _ = x.sigmoid_focal(x, None, -1.0, Reduction::Sum), "sigmoid_focal: a finite gamma of at least 0"),
    (|x| _ = x.sigmoid_focal(x, None, f64::NAN, Reduction::Sum), "sigmoid_focal: a finite gamma of at least 0"),
    (|x| _ = x.poisson_nll(x, &PoissonNll { eps: -1.0, ..PoissonNll::default() }), "poisson_nll: an eps of 0 or more"),
    (|x| _ = x.gaussian_nll(x, x.sum_axes(1), &GaussianNll::default()), "gaussian_nll: the variance of shape [2]"),
    (
        |x| _ = x.gaussian_nll(x, x, &GaussianNll { eps: f64::NAN, ..GaussianNll::default() }),
        "gaussian_nll: an eps of 0",
    ),
    (|x| _ = x.hinge(x.sum(), Reduction::Sum), "hinge: a target of the prediction's shape"),
    (|x| _ = x.hinge_embedding(x, f64::NAN, Reduction::Sum), "hinge_embedding: a finite margin is needed"),
    (|x| _ = x.soft_margin(x.sum(), Reduction::Sum), "soft_margin: a target of the prediction's shape"),
    (|x| _ = x.multi_margin(&[0, 1], 3, 1.0, None, Reduction::Sum), "multi_margin: a power of 1 or 2 is needed, not 3"),
    (|x| _ = x.multi_margin(&[0, 3], 1, 1.0, None, Reduction::Sum), "multi_margin: label 3 is out of range"),
    (|x| _ = x.multi_margin(&[0], 1, 1.0, None, Reduction::Sum), "multi_margin: labels of shape [2] are needed"),
    (
        |x| _ = x.multi_margin(&[0, 1], 1, 1.0, Some(&Tensor::from([1.0])), Reduction::Sum),
        "multi_margin: 3 class weights are needed",
    ),
    (|x| _ = x.margin_ranking(x.sum(), x, 0.0, Reduction::Sum), "margin_ranking: another score of the shape [2, 3]"),
];

#[test]
fn a_loss_refuses_by_its_own_name_what_makes_no_sense() {
    for (mistake, start) in MISTAKES {
        let text = panic_of(|| {
            let tape = Tape::new();
            mistake(tape.var(&Tensor::from_fn([2, 3], |i| i as f64)));
        });
        assert!(text.starts_with(start), "«{text}» should start with «{start}»");
        assert!(text.contains("edges/margins.rs"), "{text}");
    }
}
