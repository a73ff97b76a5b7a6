//! Activations that are made of others.

use crate::float::Float;
use crate::tape::var::Var;
use crate::tensor::error::Kind;

/// `λ` and `α` of SELU, with which activations keep a mean of 0 and a variance of 1 (Klambauer et al., 2017).
const SELU: [f64; 2] = [1.0507009873554805, 1.6732632423543772];

/// # Activations
///
/// Under the names and by the definitions of PyTorch. Other activations are element-wise functions, above.
impl<'t, T: Float> Var<'t, T> {
    /// `x` from 0 on, `alpha · (e^(x/alpha) − 1)` below (Barron, 2017): an ELU whose derivative does not jump. At 0 it is 1, and its
    /// second derivative, which jumps from `1/alpha` to 0, is 0.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1e4, 0.0, 3.0]));
    /// let y = x.celu(2.0);
    /// assert_eq!(y.value().as_slice(), [-2.0, 0.0, 3.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [0.0, 1.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// Where alpha, as a number of this type, is 0 or not finite.
    #[track_caller]
    pub fn celu(self, alpha: f64) -> Self {
        let _whole = self.tape().composite("celu", [self]);
        let rounded = T::of(alpha);
        self.require("celu", rounded.is_finite() && rounded != T::ZERO, Kind::Option, || {
            format!("a finite alpha other than 0 is needed, not {alpha}")
        });
        self.ge(0.0).select(self, self.div_scalar(alpha).expm1().mul_scalar(alpha))
    }

    /// `λ·x` above 0, `λ·α·(e^x − 1)` below, with `λ = 1.0507…` and `α = 1.6732…` (Klambauer et al., 2017). The derivative at 0 is `λ`,
    /// the smaller one.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1000.0, 0.0, 1.0]));
    /// let y = x.selu();
    /// assert_eq!(y.value().as_slice(), [-1.7580993408473766, 0.0, 1.0507009873554805]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [0.0, 1.0507009873554805, 1.0507009873554805]);
    /// ```
    #[track_caller]
    pub fn selu(self) -> Self {
        let _whole = self.tape().composite("selu", [self]);
        let [scale, alpha] = SELU;
        self.elu(alpha).mul_scalar(scale)
    }

    /// `x` limited to `[min, max]`; the derivative at a bound is 0. As [`Var::clamp`], of two bounds.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-2.0, 0.5, 1.0]));
    /// let y = x.hardtanh(-1.0, 1.0);
    /// assert_eq!(y.value().as_slice(), [-1.0, 0.5, 1.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [0.0, 1.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// Where `min` is above `max`, or a bound is NaN.
    #[track_caller]
    pub fn hardtanh(self, min: f64, max: f64) -> Self {
        let _whole = self.tape().composite("hardtanh", [self]);
        self.clamp(min, max)
    }

    /// `x` moved towards 0 by `lambda`, and 0 where that would go beyond: the proximal operator of `lambda · |x|`. The derivative at
    /// `±lambda` is 0; by a `lambda` of 0 it is `x` itself.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-2.0, 0.5, 3.0]));
    /// let y = x.softshrink(0.5);
    /// assert_eq!(y.value().as_slice(), [-1.5, 0.0, 2.5]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [1.0, 0.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// Where lambda is below 0 or NaN.
    #[track_caller]
    pub fn softshrink(self, lambda: f64) -> Self {
        let _whole = self.tape().composite("softshrink", [self]);
        if !self.is_shrunk("softshrink", lambda) {
            return self;
        }
        self.softshrink_by(lambda)
    }

    /// `x` where it is beyond `±lambda`, else 0, so the derivative is 1 or 0; by a `lambda` of 0 it is `x` itself.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-2.0, 0.5, 3.0]));
    /// let y = x.hardshrink(0.5);
    /// assert_eq!(y.value().as_slice(), [-2.0, 0.0, 3.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [1.0, 0.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// Where lambda is below 0 or NaN.
    #[track_caller]
    pub fn hardshrink(self, lambda: f64) -> Self {
        let _whole = self.tape().composite("hardshrink", [self]);
        if !self.is_shrunk("hardshrink", lambda) {
            return self;
        }
        self.hardshrink_by(lambda)
    }

    /// Whether a lambda, which must be from 0 on, changes anything.
    #[track_caller]
    fn is_shrunk(self, op: &str, lambda: f64) -> bool {
        self.require(op, lambda >= 0.0, Kind::Option, || format!("a lambda from 0 on is needed, not {lambda}"));
        T::of(lambda) != T::ZERO
    }

    /// `x` above a threshold, else a value; so the derivative is 1 or 0.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 1.0, 2.0]));
    /// let y = x.threshold(1.0, -5.0);
    /// assert_eq!(y.value().as_slice(), [-5.0, -5.0, 2.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [0.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn threshold(self, threshold: f64, value: f64) -> Self {
        let _whole = self.tape().composite("threshold", [self]);
        // This way round, NaN stays.
        self.le(threshold).select(value, self)
    }
}
