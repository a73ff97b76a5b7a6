//! Losses where a probability is 0 or 1, or nothing counts.

use super::row::{AtInfinity, Row, run};
use autograd::{CrossEntropyOptions, Float, KlTarget, Reduction, Tape, Tensor};
use std::f64::consts::LN_2;
use std::panic::catch_unwind;

const INF: f64 = f64::INFINITY;

table! {
    hard<T> of T:
    "cross-entropy of a label with probability 0" [-INF, 0.0], |x| x[0].reshape([1, 2]).cross_entropy(&[0]),
        value [INF], first [-1.0, 1.0], second [0.0, 0.0] => Mixed;
    "cross-entropy of a label with probability 1" [1e4, 0.0], |x| x[0].reshape([1, 2]).cross_entropy(&[0]),
        value [0.0], first [0.0, 0.0], second [0.0, 0.0] => Mixed;
    "cross-entropy of a hopeless label" [1e4, 0.0], |x| x[0].reshape([1, 2]).cross_entropy(&[1]),
        value [1e4], first [1.0, -1.0], second [0.0, 0.0] => Mixed;
    "cross-entropy of two examples" [0.0, 0.0, 0.0, 0.0], |x| x[0].reshape([2, 2]).cross_entropy(&[0, 1]),
        value [LN_2], first [-0.25, 0.25, 0.25, -0.25], second [0.0, 0.0, 0.0, 0.0] => Mixed;
    "an ignored label leaves its scores out, NaN or not" [0.0, 0.0, f64::NAN, 1.0],
        |x| x[0].reshape([2, 2]).cross_entropy_opts(&[0, 1], &ignoring(1)),
        value [LN_2], first [-0.5, 0.5, 0.0, 0.0], second [0.0, 0.0, 0.0, 0.0] => Mixed;
}

table! {
    soft<T> of T:
    "soft cross-entropy, probability 0 at a score of −∞" [-INF, 0.0],
        |x| x[0].soft_cross_entropy(x[0].tape().var(&Tensor::from([T::ZERO, T::ONE].to_vec())), Reduction::Sum),
        value [0.0], first [0.0, 0.0], second [0.0, 0.0] => Mixed;
    "bce_with_logits at ±1000" [1000.0, -1000.0] [1.0, 0.0],
        |x| x[0].bce_with_logits(x[1], None, Reduction::Sum), value [0.0], first [0.0, 0.0] [-1000.0, 1000.0],
        second [-1.0, -1.0] [-1.0, -1.0] => Mixed;
    "bce_with_logits, wrong at ±1000" [1000.0, -1000.0] [0.0, 1.0],
        |x| x[0].bce_with_logits(x[1], None, Reduction::Sum), value [2000.0], first [1.0, -1.0] [-1000.0, 1000.0],
        second [-1.0, -1.0] [-1.0, -1.0] => Mixed;
    "bce_with_logits at ±∞, right" [INF, -INF],
        |x| x[0].bce_with_logits(x[0].tape().var(&Tensor::from([T::ONE, T::ZERO].to_vec())), None, Reduction::Sum),
        value [0.0], first [0.0, 0.0], second [0.0, 0.0] => Mixed;
    "−log p at p = 0 is not clamped" [0.0], |x| -x[0].log(), value [INF], first [-INF] => Selected;
    "kl_div of a target of 0" [-1.0, -2.0] [0.0, 1.0], |x| x[0].kl_div(x[1], KlTarget::Probabilities, Reduction::Sum),
        value [2.0], first [0.0, -1.0] [1.0, 3.0] => Mixed;
    "l1 at equality" [1.0] [1.0], |x| x[0].l1(x[1], Reduction::Sum), value [0.0], first [0.0] [0.0],
        second [0.0] [0.0] => Mixed;
    "huber at its knees" [1.0, -1.0] [0.0, 0.0], |x| x[0].huber(x[1], 1.0, Reduction::Sum), value [1.0],
        first [1.0, -1.0] [-1.0, 1.0] => Mixed;
}

fn ignoring<T: Float>(label: i64) -> CrossEntropyOptions<T> {
    CrossEntropyOptions { ignore_index: Some(label), ..CrossEntropyOptions::default() }
}

#[test]
fn cross_entropy_keeps_p_minus_y_at_every_score() {
    run(&hard::<f64>());
    run(&hard::<f32>());
}

#[test]
fn a_probability_of_zero_times_an_infinite_logarithm_is_zero() {
    run(&soft::<f64>());
    run(&soft::<f32>());
}

#[test]
fn a_mean_over_no_counted_examples_is_an_error() {
    let tape = Tape::new();
    let empty = tape.var(&Tensor::zeros([0, 3]));
    assert!(empty.try_cross_entropy::<[usize; 0]>(&[], Reduction::Mean).is_err());
    let all_ignored = catch_unwind(|| {
        let tape = Tape::new();
        tape.var(&Tensor::zeros([2, 3])).cross_entropy_opts(&[1, 1], &ignoring(1)).item()
    });
    assert!(all_ignored.is_err(), "gave {all_ignored:?}");
}
