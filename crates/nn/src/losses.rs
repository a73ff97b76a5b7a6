//! Losses of distributions, of variables: of several quantiles, and of mixtures of normal distributions. The first two give the losses of
//! single examples, of which [`BatchVars::mean`](crate::data::BatchVars::mean) makes one number by the examples' weights.
//!
//! The others are methods of variables: [`Var::cross_entropy`], [`Var::mse`], [`Var::huber`], [`Var::bce_with_logits`],
//! [`Var::gaussian_nll`] of a mean and a variance, [`Var::poisson_nll`] of a rate or its logarithm, and more.

use autograd::{CrossEntropyOptions, Float, Reduction, Tensor, Var};
use std::f64::consts::PI;

/// The quantile or pinball loss of predictions `[n, q]` of `q` quantiles of a target `[n]` or `[n, 1]`:
/// `max(τ e, (τ − 1) e)` of the error `e = target − prediction`, `[n, q]` (Koenker and Bassett, "Regression quantiles", 1978). The
/// prediction with the least loss in the mean is the `τ`-quantile of the target given the features; `τ = ½` is half the absolute error.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::losses::pinball;
/// let tape = Tape::new();
/// let low_and_high = tape.var(&Tensor::from_rows([[1.0, 3.0]]));
/// let losses = pinball(low_and_high, tape.var(&Tensor::from([2.0])), &[0.1, 0.9]);
/// assert_eq!(losses.value(), Tensor::from_rows([[0.1, 1.0 - 0.9]]));
/// ```
///
/// # Panics
/// Where the shapes do not fit, or a quantile is not between 0 and 1.
#[track_caller]
pub fn pinball<'t, T: Float>(prediction: Var<'t, T>, target: Var<'t, T>, quantiles: &[f64]) -> Var<'t, T> {
    let _whole = prediction.tape().composite("pinball", [prediction, target]);
    let (shape, of, q) = (prediction.shape(), target.shape(), quantiles.len());
    assert!(
        shape.rank() == 2 && shape[1] == q && of.numel() == shape[0] && (of.rank() == 1 || of.rank() == 2),
        "pinball: predictions [n, {q}] of {q} quantiles and a target [n] or [n, 1] are needed, not {shape} and {of}"
    );
    if let Some(wrong) = quantiles.iter().find(|share| !(0.0..=1.0).contains(*share)) {
        panic!("pinball: a quantile between 0 and 1 is needed, not {wrong}");
    }
    let shares = prediction.tape().var(&Tensor::from_fn([q], |i| T::of(quantiles[i])));
    let error = target.reshape([shape[0], 1]) - prediction;
    (shares * error).maximum((shares - 1.0) * error)
}

/// The negative log-likelihood of a target `[n]` under a mixture of `k` normal distributions for each example: `logits [n, k]` of
/// their shares, `means [n, k]` and the logarithms of their standard deviations `[n, k]`; `[n]` (Bishop, "Mixture density
/// networks", 1994). Of a target `[n, d]`, means and deviations are `[n, k, d]`, and the `d` values are independent within a component.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::losses::mixture_nll;
/// let tape = Tape::new();
/// let row = |x: [f64; 2]| tape.var(&Tensor::from_rows([x]));
/// let losses = mixture_nll(row([0.0, 0.0]), row([-1.0, 1.0]), row([0.0, 0.0]), tape.var(&Tensor::from([0.0])));
/// assert!((losses.item() - (0.5 + 0.5 * (2.0 * std::f64::consts::PI).ln())).abs() < 1e-15);
/// ```
///
/// # Panics
/// Where the shapes do not fit.
#[track_caller]
pub fn mixture_nll<'t, T: Float>(
    logits: Var<'t, T>,
    means: Var<'t, T>,
    log_deviations: Var<'t, T>,
    target: Var<'t, T>,
) -> Var<'t, T> {
    let _whole = logits.tape().composite("mixture_nll", [logits, means, log_deviations, target]);
    let (shares, of, spread, y) = (logits.shape(), means.shape(), log_deviations.shape(), target.shape());
    let (n, k) = (shares.first().copied().unwrap_or(0), shares.last().copied().unwrap_or(0));
    let d = if of.rank() == 3 { of[2] } else { 1 };
    assert!(
        shares.rank() == 2 && of == spread && of.numel() == n * k * d && of.starts_with(&shares) && y.numel() == n * d,
        "mixture_nll: logits [n, k], means and logarithms of deviations [n, k] or [n, k, d] and a target [n] or [n, d] are needed, \
         not {shares}, {of}, {spread} and {y}"
    );
    let cube = [n, k, d];
    let standard = (target.reshape([n, 1, d]) - means.reshape(cube)) * log_deviations.reshape(cube).neg().exp();
    let halves = standard.square() * 0.5 + log_deviations.reshape(cube) + 0.5 * (2.0 * PI).ln();
    (logits.log_softmax(1) - halves.sum_axes(2)).logsumexp(1).neg()
}

/// Cross-entropy of scores against probabilities, both with classes on axis 1, with class weights and label smoothing: of
/// `t′ = (1 − s) t + s / k`, `−Σ_c w_c t′_c log softmax(x)_c`. The mean divides by the number of examples, also with weights, as
/// `torch.nn.CrossEntropyLoss` does; an ignored class is of no meaning here.
///
/// ```
/// use autograd::{CrossEntropyOptions, Tape, Tensor};
/// use nn::losses::cross_entropy_of_probabilities;
/// let tape = Tape::new();
/// let (scores, half) = (tape.full([1, 2], 0.0), tape.full([1, 2], 0.5));
/// let loss = cross_entropy_of_probabilities(scores, half, &CrossEntropyOptions::default());
/// assert!((loss.item() - 2_f64.ln()).abs() < 1e-15);
/// ```
///
/// # Panics
/// Where the shapes do not fit, or smoothing is not between 0 and 1.
#[track_caller]
pub fn cross_entropy_of_probabilities<'t, T: Float>(
    scores: Var<'t, T>,
    probabilities: Var<'t, T>,
    options: &CrossEntropyOptions<T>,
) -> Var<'t, T> {
    let _whole = scores.tape().composite("cross_entropy_of_probabilities", [scores, probabilities]);
    let (shape, smoothing) = (scores.shape(), options.label_smoothing);
    assert!(
        shape == probabilities.shape() && shape.rank() > 0,
        "cross_entropy_of_probabilities: scores and probabilities of one shape are needed, not {shape} and {}",
        probabilities.shape()
    );
    assert!(
        (0.0..=1.0).contains(&smoothing),
        "cross_entropy_of_probabilities: label smoothing between 0 and 1 is needed, not {smoothing}"
    );
    let axis = usize::from(shape.rank() > 1);
    let k = shape[axis];
    let smooth =
        if smoothing == 0.0 { probabilities } else { probabilities * (1.0 - smoothing) + smoothing / k as f64 };
    let weighted = options.class_weights.as_ref().map_or(smooth, |weights| {
        assert!(
            weights.numel() == k,
            "cross_entropy_of_probabilities: weights of {k} classes are needed, not of {}",
            weights.numel()
        );
        let mut broadcast = vec![1; shape.rank()];
        broadcast[axis] = k;
        smooth * scores.tape().var(weights).reshape(broadcast)
    });
    let losses = (weighted * scores.log_softmax(axis as isize)).sum_axes(axis as isize).neg();
    match options.reduction {
        Reduction::None => losses,
        Reduction::Sum => losses.sum(),
        Reduction::Mean | Reduction::BatchMean => losses.mean(),
    }
}

/// `d² / (2β)` where the difference is less than `β`, else `|d| − β/2`: `torch.nn.SmoothL1Loss`, Huber's loss divided by `β`.
///
/// ```
/// use autograd::{Reduction, Tape, Tensor};
/// use nn::losses::smooth_l1;
/// let tape = Tape::new();
/// let (x, y) = (tape.var(&Tensor::from([0.25, 3.0])), tape.full([2], 0.0));
/// assert_eq!(smooth_l1(x, y, 0.5, Reduction::None).value().as_slice(), [0.0625, 2.75]);
/// ```
///
/// # Panics
/// Where the shapes differ, or `β` is not above 0.
#[track_caller]
pub fn smooth_l1<'t, T: Float>(x: Var<'t, T>, target: Var<'t, T>, beta: f64, reduction: Reduction) -> Var<'t, T> {
    let _whole = x.tape().composite("smooth_l1", [x, target]);
    x.huber(target, beta, reduction) / beta
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::Tape;
    use autograd::check::{Checker, Verdict};

    fn wave<const R: usize>(shape: [usize; R]) -> Tensor {
        Tensor::from_fn(shape, |i| (i as f64 * 1.7 + shape.len() as f64).sin())
    }

    #[test]
    fn a_constant_that_has_the_least_loss_is_the_quantile() {
        let tape = Tape::new();
        let y = tape.var(&Tensor::from_fn([101], |i| i as f64));
        let loss = |guess: f64| {
            let guesses = tape.full([101, 1], guess);
            pinball(guesses, y, &[0.9]).mean().item()
        };
        let best = (0..101).map(f64::from).min_by(|a, b| loss(*a).total_cmp(&loss(*b)));
        assert_eq!(best, Some(90.0));
        let truth: Vec<f64> = (0..101).map(f64::from).collect();
        let measured = crate::measure::pinball(&[30.0; 101], &truth, 0.9);
        assert!((loss(30.0) - measured).abs() < 1e-12);
    }

    #[test]
    fn a_mixture_of_one_is_the_normal_distribution_and_shares_are_weights() {
        let tape = Tape::new();
        let (mean, log_deviation, y) = (wave([4, 1]), wave([4, 1]).map(|x| x / 2.0), wave([4]));
        let [mean, log_deviation, y] = [mean, log_deviation, y].map(|x| tape.var(&x));
        let one = mixture_nll(tape.full([4, 1], 3.0), mean, log_deviation, y).mean().item();
        let options = autograd::GaussianNll { full: true, ..autograd::GaussianNll::default() };
        let want = mean.reshape([4]).gaussian_nll(y, (log_deviation * 2.0).exp().reshape([4]), &options).item();
        assert!((one - want).abs() < 1e-14);
        // Far from every component nothing overflows.
        let far =
            mixture_nll(tape.full([1, 2], 0.0), tape.full([1, 2], 0.0), tape.full([1, 2], -3.0), tape.full([1], 1e6));
        assert!(far.item().is_finite());
    }

    #[test]
    fn derivatives_of_both_orders_are_right() {
        let mixture = [wave([3, 2]), wave([3, 2, 2]), wave([3, 2, 2]), wave([3, 2])];
        let report = Checker::default().check(|x| mixture_nll(x[0], x[1], x[2], x[3]), &mixture);
        assert_eq!(report.verdict(), Verdict::Pass, "{report}");
        let report = Checker::default().check(|x| pinball(x[0], x[1], &[0.1, 0.5]), &[wave([3, 2]), wave([3])]);
        assert_eq!(report.verdict(), Verdict::Pass, "{report}");
    }

    #[test]
    #[should_panic(expected = "pinball: predictions [n, 2] of 2 quantiles")]
    fn a_column_for_each_quantile() {
        let tape = Tape::new();
        pinball(tape.full([3, 1], 0.0), tape.full([3], 0.0), &[0.1, 0.9]);
    }

    #[test]
    #[should_panic(expected = "mixture_nll: logits [n, k]")]
    fn a_mean_for_each_share() {
        let tape = Tape::new();
        mixture_nll(tape.full([3, 2], 0.0), tape.full([3, 1], 0.0), tape.full([3, 1], 0.0), tape.full([3], 0.0));
    }
}
