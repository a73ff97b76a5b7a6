//! Losses that are negative log-likelihoods: of probabilities, of counts, of numbers with an error.

use crate::float::Float;
use crate::ops::cross_entropy::Reduction;
use crate::tape::var::Var;
use crate::tensor::error::Kind;
use std::f64::consts::PI;

/// Options of [`Var::poisson_nll`], with PyTorch's meaning and defaults.
///
/// ```
/// use autograd::{PoissonNll, Reduction};
/// let plain = PoissonNll::default();
/// assert_eq!((plain.log_input, plain.full, plain.reduction), (true, false, Reduction::Mean));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoissonNll {
    /// Whether the prediction is the logarithm of the rate.
    pub log_input: bool,
    /// Whether to add Stirling's formula for `ln t!`, where `t` is above 1.
    pub full: bool,
    /// What is added to a rate before its logarithm is taken; not used for logarithms.
    pub eps: f64,
    /// What becomes of the losses of single numbers.
    pub reduction: Reduction,
}

impl Default for PoissonNll {
    fn default() -> Self {
        Self { log_input: true, full: false, eps: 1e-8, reduction: Reduction::Mean }
    }
}

/// Options of [`Var::gaussian_nll`], with PyTorch's meaning and defaults.
///
/// ```
/// use autograd::{GaussianNll, Reduction};
/// let plain = GaussianNll::default();
/// assert_eq!((plain.full, plain.eps, plain.reduction), (false, 1e-6, Reduction::Mean));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GaussianNll {
    /// Whether to add the constant `½ ln 2π`.
    pub full: bool,
    /// The smallest variance; a smaller one counts as it, with a derivative of 0.
    pub eps: f64,
    /// What becomes of the losses of single numbers.
    pub reduction: Reduction,
}

impl Default for GaussianNll {
    fn default() -> Self {
        Self { full: false, eps: 1e-6, reduction: Reduction::Mean }
    }
}

/// # Losses: likelihoods
///
/// Negative log-likelihoods of probabilities, counts, and numbers with an error.
impl<'t, T: Float> Var<'t, T> {
    /// Binary cross-entropy of probabilities against targets in [0, 1]: `−t·ln p − (1 − t)·ln(1 − p)`, times a weight
    /// that broadcasts, where given. `0 · ln 0` is 0, and nothing is clamped: a wrong prediction of 0 or 1 costs ∞.
    /// [`Var::bce_with_logits`] keeps all digits where probabilities have rounded to 1. Differentiable in all.
    ///
    /// ```
    /// use autograd::{Reduction, Tape, Tensor};
    /// let tape = Tape::new();
    /// let p = tape.var(&Tensor::from([1.0, 0.5, 0.0]));
    /// let target = tape.var(&Tensor::from([1.0, 1.0, 0.0]));
    /// assert_eq!(p.bce(target, None, Reduction::Sum).item(), 2_f64.ln());
    /// ```
    ///
    /// # Panics
    /// Where the shapes of probabilities and targets differ, the weight does not broadcast to them, or a mean has
    /// nothing to count.
    #[track_caller]
    pub fn bce(self, target: Self, weight: Option<Self>, reduction: Reduction) -> Self {
        let _whole = self.tape().composite("bce", [Some(self), Some(target), weight]);
        self.require_target("bce", target);
        let negative = target.neg().add_scalar(1.0);
        let losses = target.xlogy(self).neg() - negative.xlog1py(self.neg());
        reduction.apply(match weight {
            Some(weight) => weight.fitting("bce", "the weight", target).zmul(losses),
            None => losses,
        })
    }

    /// Focal loss of logits against targets in [0, 1] (Lin et al., 2017), as `torchvision.ops.sigmoid_focal_loss`: binary
    /// cross-entropy times `(1 − p_t)^gamma` for the probability `p_t` of the target, times `alpha` for a target of 1 and
    /// `1 − alpha` for 0, where `alpha` is given. Large logits stay exact. Differentiable in both.
    ///
    /// ```
    /// use autograd::{Reduction, Tape, Tensor};
    /// let tape = Tape::new();
    /// let scores = tape.var(&Tensor::from([0.0]));
    /// let target = tape.var(&Tensor::from([1.0]));
    /// assert_eq!(scores.sigmoid_focal(target, Some(0.25), 2.0, Reduction::Mean).item(), 2_f64.ln() / 16.0);
    /// ```
    ///
    /// # Panics
    /// Where the shapes differ, `alpha` is not between 0 and 1, `gamma` is negative or not finite, or a mean has nothing
    /// to count.
    #[track_caller]
    pub fn sigmoid_focal(self, target: Self, alpha: Option<f64>, gamma: f64, reduction: Reduction) -> Self {
        let _whole = self.tape().composite("sigmoid_focal", [self, target]);
        self.require_target("sigmoid_focal", target);
        self.require("sigmoid_focal", alpha.is_none_or(|a| (0.0..=1.0).contains(&a)), Kind::Option, || {
            format!("an alpha between 0 and 1 is needed, not {}", alpha.unwrap_or(f64::NAN))
        });
        self.require("sigmoid_focal", gamma >= 0.0 && gamma.is_finite(), Kind::Option, || {
            format!("a finite gamma of at least 0 is needed, not {gamma}")
        });
        let negative = target.neg().add_scalar(1.0);
        let losses = negative.zmul(self.softplus()) + target.zmul(self.neg().softplus());
        // 1 − p_t as a sum of what is positive, since p_t rounds to 1.
        let missed = negative.zmul(self.sigmoid()) + target.zmul(self.neg().sigmoid());
        let losses = losses.zmul(missed.pow_scalar(gamma));
        reduction.apply(match alpha {
            Some(alpha) => losses.zmul(target.mul_scalar(alpha) + negative.mul_scalar(1.0 - alpha)),
            None => losses,
        })
    }

    /// The negative log-likelihood of counts `t` under Poisson's distribution, without the term that does not depend on
    /// the rate: `e^s − t·s` for logarithms `s` of rates, or `r − t·ln(r + eps)` for rates; as
    /// `torch.nn.functional.poisson_nll_loss`. `0 · ln 0` is 0. Differentiable in both.
    ///
    /// # Panics
    /// Where the shapes differ, `eps` is negative, or a mean has nothing to count.
    #[track_caller]
    pub fn poisson_nll(self, target: Self, options: &PoissonNll) -> Self {
        let _whole = self.tape().composite("poisson_nll", [self, target]);
        self.require_target("poisson_nll", target);
        self.require_eps("poisson_nll", options.eps);
        let losses = if options.log_input {
            self.exp() - target.zmul(self)
        } else {
            self - target.xlogy(self.add_scalar(options.eps))
        };
        options.reduction.apply(if options.full {
            let stirling = target.xlogy(target) - target + target.mul_scalar(2.0 * PI).log().mul_scalar(0.5);
            let (zero, one) = (self.tape().scalar(T::ZERO), self.tape().scalar(T::ONE));
            losses + target.gt(one).select(stirling, zero)
        } else {
            losses
        })
    }

    /// The negative log-likelihood of targets under normal distributions with means `self` and these variances, which
    /// broadcast to the means' shape: `½(ln v + (self − target)²/v)`, with `v` the variance or `eps` if that is larger; as
    /// `torch.nn.functional.gaussian_nll_loss`. Differentiable in all three.
    ///
    /// # Panics
    /// Where the shapes of means and targets differ, the variances do not broadcast to them, `eps` is negative, or a mean has nothing to count.
    #[track_caller]
    pub fn gaussian_nll(self, target: Self, variance: Self, options: &GaussianNll) -> Self {
        let _whole = self.tape().composite("gaussian_nll", [self, target, variance]);
        self.require_target("gaussian_nll", target);
        self.require_eps("gaussian_nll", options.eps);
        let variance = variance.fitting("gaussian_nll", "the variance", self).clamp(options.eps, None);
        let losses = ((self - target).square() / variance + variance.log()).mul_scalar(0.5);
        let constant = 0.5 * (2.0 * PI).ln();
        options.reduction.apply(if options.full { losses.add_scalar(constant) } else { losses })
    }
}
