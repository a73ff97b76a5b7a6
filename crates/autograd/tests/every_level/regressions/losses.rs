//! Losses.

use super::case::{Case, m, run, v};
use autograd::{CrossEntropyOptions, Reduction, Tensor, grad};

fn weighted() -> CrossEntropyOptions {
    CrossEntropyOptions { class_weights: Some(Tensor::from([1.0, 3.0])), ..CrossEntropyOptions::default() }
}

#[test]
fn cross_entropy_is_p_minus_y_along_the_classes() {
    run(&cases! {
        smooth "rust-autograd: as many examples as classes" not "the cotangent broadcast along the classes":
            [m([[0.0, 0.0], [0.0, 0.0]])], |x| x[0].cross_entropy_with(&[0, 1], Reduction::None), dy [1.0, 10.0] =>
            [-0.5, 0.5, 5.0, -5.0];
        smooth "TensorFlow #14641: the gradient of the gradient" not "0": [m([[0.0, 0.0]])],
            |x| grad(x[0].cross_entropy(&[0]), &x[0]), dy [0.0, 1.0] => [-0.25, 0.25];
        smooth "rust-autograd: the same, from a label" not "a panic": [m([[0.0, 0.0, 0.0]])],
            |x| grad(x[0].cross_entropy(&[2]), &x[0]), dy [9.0, 0.0, 0.0] => [2.0, -1.0, -1.0];
        smooth "burn #772: weighted by class" not "divided by the number of examples":
            [m([[0.0, 0.0], [0.0, 0.0]])], |x| x[0].cross_entropy_opts(&[0, 1], &weighted()), dy [8.0] =>
            [-1.0, 1.0, 3.0, -3.0];
        edge "PyTorch, optax: a label of probability 0" not "NaN": [m([[f64::NEG_INFINITY, 0.0]])],
            |x| x[0].cross_entropy(&[0]), dy [-2.5] => [2.5, -2.5];
    });
}

#[test]
fn likelihoods_of_labels_run_over_examples() {
    run(&cases! {
        smooth "neuronika: fewer examples than classes" not "a panic":
            [m([[-1.0, -2.0, -3.0], [-2.0, -1.0, -0.5]])], |x| x[0].nll(&[2, 0], &CrossEntropyOptions::default()),
            dy [10.0] => [0.0, 0.0, -5.0, -5.0, 0.0, 0.0];
        smooth "neuronika: as many examples as classes" not "the other axis":
            [m([[-1.0, -2.0], [-3.0, -4.0]])], |x| x[0].nll(&[1, 1], &CrossEntropyOptions::default()), dy [10.0] =>
            [0.0, -5.0, 0.0, -5.0];
        smooth "burn #4829: log-probabilities are not scores" not "log_softmax of them":
            [m([[0.5_f64.ln(), 0.5_f64.ln()]])], |x| x[0].nll(&[0], &CrossEntropyOptions::default()), dy [1.0] =>
            [-1.0, 0.0];
    });
}

#[test]
fn binary_and_soft_targets_stay_finite() {
    run(&cases! {
        edge "candle #2561, rust-autograd: logits of ±1000" not "NaN": [v([1000.0, -1000.0]), v([0.0, 0.0])],
            |x| x[0].bce_with_logits(x[1], None, Reduction::None), dy [1.0, 10.0] => [1.0, 0.0] [-1000.0, 10000.0];
        smooth "rust-autograd: the derivative by the target" not "−target": [v([2.0]), v([0.25])],
            |x| x[0].bce_with_logits(x[1], None, Reduction::Sum), dy [1.0] => [0.6307970779778824] [-2.0];
        smooth "burn #772: a weight of positive targets" not "a weight of all": [v([0.0, 0.0]), v([1.0, 0.0])],
            |x| x[0].bce_with_logits(x[1], Some(x[0].tape().scalar(3.0)), Reduction::None), dy [1.0, 10.0] =>
            [-1.5, 5.0] [2.0 * 2_f64.ln(), 20.0 * 2_f64.ln()];
        edge "burn #2739: a prediction that is exact" not "NaN": [v([1e4]), v([1.0])],
            |x| x[0].bce_with_logits(x[1], None, Reduction::Sum), dy [1.0] => [0.0] [-1e4];
        edge "optax #896, #1762, PyTorch #11551: probability 0 at a score of −∞" not "NaN":
            [m([[f64::NEG_INFINITY, 0.0]])],
            |x| {
                let p = x[0].tape().var(&Tensor::from_rows([[0.0, 1.0]]));
                x[0].soft_cross_entropy(p, Reduction::Sum)
            },
            dy [-2.5] => [0.0, 0.0];
    });
}
