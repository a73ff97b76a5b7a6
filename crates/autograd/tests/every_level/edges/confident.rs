//! Confident and right predictions: what is next to 1 or 0 has all its digits, in values and in derivatives of both orders.
//! The digits come from evaluation in 120 decimal digits.

use super::row::{AtInfinity, Row, run};
use autograd::{CrossEntropyOptions, Float, Reduction, Tape, Tensor, Var, concat, grad, jvp};

/// A score before others that are constant.
fn beside<'t, T: Float>(x: Var<'t, T>, others: &[f64]) -> Var<'t, T> {
    let others: Vec<T> = others.iter().map(|&other| T::of(other)).collect();
    concat(&[x, x.tape().var(&Tensor::from(others))], 0)
}

/// The `i`-th element.
fn at<'t, T: Float>(x: Var<'t, T>, i: usize) -> Var<'t, T> {
    x.narrow(0, i, 1)
}

/// Probabilities of 1 and 0.
fn certain<'t, T: Float>(x: Var<'t, T>) -> Var<'t, T> {
    x.tape().var(&Tensor::from_rows([[T::ONE, T::ZERO]]))
}

fn weighted<T: Float>() -> CrossEntropyOptions<T> {
    let class_weights = Some(Tensor::from(vec![T::of(1.5), T::of(0.5)]));
    CrossEntropyOptions { class_weights, reduction: Reduction::Sum, ..CrossEntropyOptions::default() }
}

fn smoothed<T: Float>() -> CrossEntropyOptions<T> {
    CrossEntropyOptions { label_smoothing: 0.125, ..CrossEntropyOptions::default() }
}

/// Rows of [`table`] at several points: the name, the expression, and for each point the value and both derivatives. In `f32`
/// the lesser points are what the larger ones are in `f64`: nothing of the other classes is left in a sum with 1.
macro_rules! at_points {
    ($table:ident: $($name:literal, |$v:ident| $f:expr, $(at $x:literal $value:literal, $first:literal, $second:literal),+;)*) => {
        table! {
            $table<T> of T:
            $($($name [$x], |$v| $f, value [$value], first [$first], second [$second] => Mixed;)+)*
        }
    };
}

at_points! {
    likely:
    "softmax of (m, 0)", |x| at(beside(x[0], &[0.0]).softmax(0), 0),
        at 18.0 0.9999999847700205, 1.5229979280808073e-08, -1.522997881690353e-08,
        at 40.0 1.0, 4.248354255291589e-18, -4.248354255291589e-18;
    "log_softmax of (m, 0)", |x| at(beside(x[0], &[0.0]).log_softmax(0), 0),
        at 18.0 -1.5229979628736488e-08, 1.522997951276035e-08, -1.5229979280808073e-08,
        at 40.0 -4.248354255291589e-18, 4.248354255291589e-18, -4.248354255291589e-18;
    "log_softmax of (m, 0), of the other", |x| at(beside(x[0], &[0.0]).log_softmax(0), 1),
        at 18.0 -18.00000001522998, -0.9999999847700205, -1.5229979280808073e-08,
        at 40.0 -40.0, -1.0, -4.248354255291589e-18;
    "logsumexp of (−m, 0)", |x| beside(x[0], &[0.0]).logsumexp(0),
        at -18.0 1.5229979628736488e-08, 1.522997951276035e-08, 1.5229979280808073e-08,
        at -40.0 4.248354255291589e-18, 4.248354255291589e-18, 4.248354255291589e-18;
    "softmax of (m, 1, −2)", |x| at(beside(x[0], &[1.0, -2.0]).softmax(0), 0),
        at 18.0 0.999999956539471, 4.346052703265499e-08, -4.346052325502001e-08,
        at 40.0 1.0, 1.2123176399445141e-17, -1.2123176399445141e-17;
    "cross-entropy of (m, 1, −2)", |x| beside(x[0], &[1.0, -2.0]).reshape([1, 3]).cross_entropy(&[0]),
        at 18.0 4.346052986588138e-08, -4.346052892147257e-08, 4.346052703265499e-08,
        at 40.0 1.2123176399445142e-17, -1.2123176399445142e-17, 1.2123176399445141e-17;
    "cross-entropy of twenty classes", |x| beside(x[0], &[0.5; 19]).reshape([1, 20]).cross_entropy(&[0]),
        at 18.0 4.770897257840352e-07, -4.770896119767501e-07, 4.770893843622523e-07,
        at 40.0 1.3308268849720424e-16, -1.3308268849720424e-16, 1.3308268849720422e-16;
    "soft cross-entropy of a certain class", |x| beside(x[0], &[1.0]).reshape([1, 2]).soft_cross_entropy(certain(x[0]), Reduction::Sum),
        at 18.0 4.139937633089748e-08, -4.1399375473943306e-08, 4.1399373760035016e-08,
        at 40.0 1.1548224173015786e-17, -1.1548224173015786e-17, 1.1548224173015786e-17;
    "negative log-likelihood of a log_softmax", |x| beside(x[0], &[1.0]).reshape([1, 2]).log_softmax(1).nll(&[0], &CrossEntropyOptions::default()),
        at 18.0 4.139937633089748e-08, -4.1399375473943306e-08, 4.1399373760035016e-08,
        at 40.0 1.1548224173015786e-17, -1.1548224173015786e-17, 1.1548224173015786e-17;
    "cross-entropy with class weights", |x| beside(x[0], &[1.0]).reshape([1, 2]).cross_entropy_opts(&[0], &weighted()),
        at 18.0 6.20990644963462e-08, -6.209906321091496e-08, 6.209906064005253e-08,
        at 40.0 1.732233625952368e-17, -1.732233625952368e-17, 1.732233625952368e-17;
    "cross-entropy with smoothed labels", |x| beside(x[0], &[1.0]).reshape([1, 2]).cross_entropy_opts(&[0], &smoothed()),
        at 18.0 1.0625000413993764, 0.062499958600624524, 4.1399373760035016e-08,
        at 40.0 2.4375, 0.062499999999999986, 1.1548224173015786e-17;
}

#[test]
fn the_loss_and_the_gradients_of_a_confident_prediction_have_all_their_digits() {
    run(&likely::<f64>());
    run(&likely::<f32>());
}

#[test]
fn log_sum_exp_of_a_score_far_below_is_what_that_adds() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([0.0, -700.0]));
    let want = (-700.0_f64).exp();
    assert!((x.logsumexp(0).item() / want - 1.0).abs() < 1e-15);
    assert_eq!(grad(x.logsumexp(0), &x).value().as_slice()[0], 1.0);
}

/// A label next to certain: the other target decides the gradient of the likely class, which `1e-10 − (1 − p)` in one sum loses.
#[test]
fn a_target_next_to_certain_keeps_the_digits_of_the_other() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from_rows([[40.0, 0.0]]));
    let target = tape.var(&Tensor::from_rows([[1.0 - 1e-10, 1e-10]]));
    let dx = grad(x.soft_cross_entropy(target, Reduction::Sum), &x).value().to_vec();
    assert!((dx[0] / (1e-10 - (-40.0_f64).exp()) - 1.0).abs() < 1e-14 && dx[0] == -dx[1], "{dx:?}");
}

/// Rows beside each other in a block: those that are confident, those that are wrong, and ties.
#[test]
fn each_row_of_a_batch_has_the_loss_and_the_gradient_that_it_has_alone() {
    fn check<T: Float>(classes: usize) {
        let rows = 19;
        let score = |i: usize| match i % 7 {
            0 => T::of(30.0),
            1 => T::of(-25.0),
            i => T::of(0.5 * (i % 3) as f64),
        };
        let all = Tensor::from_fn([rows, classes], |i| score(i * i / 3));
        let labels: Vec<usize> = (0..rows).map(|r| r % classes).collect();
        let tape = Tape::default();
        let x = tape.var(&all);
        let losses = x.cross_entropy_with(&labels, Reduction::None);
        let (losses, dx) = (losses.value(), grad(losses.sum(), &x).value());
        for r in 0..rows {
            let range = r * classes..(r + 1) * classes;
            let alone = Tensor::new([1, classes], all.as_slice()[range.clone()].to_vec());
            let alone = tape.var(&alone);
            let loss = alone.cross_entropy_with(&labels[r..=r], Reduction::Sum);
            assert!(loss.item() == losses.as_slice()[r] && loss.item() > T::ZERO, "{classes} classes, row {r}");
            assert_eq!(grad(loss, &alone).value().as_slice(), &dx.as_slice()[range], "{classes} classes, row {r}");
            // The gradient of a row sums to 0, up to the rounding of its largest parts.
            let log_p = alone.log_softmax(1).value().as_slice()[labels[r]];
            assert!((log_p + loss.item()).abs() <= T::of(4.0) * T::EPSILON * loss.item(), "{classes} classes, row {r}");
        }
    }
    for classes in [2, 3, 4, 7, 10, 15, 16, 17, 40] {
        check::<f64>(classes);
        check::<f32>(classes);
    }
}

#[test]
fn the_softmax_along_an_axis_before_others_keeps_its_digits_too() {
    let tape = Tape::new();
    // Columns (40, 0), (0, 0) and (−3, 39).
    let x = tape.var(&Tensor::from_rows([[40.0, 0.0, -3.0], [0.0, 0.0, 39.0]]));
    let dx = tape.var(&Tensor::from_rows([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]));
    let slopes = jvp(x.softmax(0), &x, &dx).value().to_vec();
    let (a, b) = ((-40.0_f64).exp(), (-42.0_f64).exp());
    for (got, want) in slopes.iter().zip([a, 0.25, b, -a, -0.25, -b]) {
        assert!((got / want - 1.0).abs() < 1e-14, "{slopes:?}");
    }
    let tangent = jvp(x.log_softmax(0), &x, &dx).value().to_vec();
    for (got, want) in tangent.iter().zip([a, 0.5, 1.0, -1.0, -0.5, -b]) {
        assert!((got / want - 1.0).abs() < 1e-14, "{tangent:?}");
    }
}
