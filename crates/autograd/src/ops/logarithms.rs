//! Logarithms, roots and powers that are made of others, each of them accurate where the formula that comes to mind is not.

use crate::float::Float;
use crate::ops::binary::BinaryRules;
use crate::tape::var::Var;
use std::f64::consts::{FRAC_1_SQRT_2, LN_2, LN_10};

/// `1/3` as a number, and what that lacks.
const THIRD: [f64; 2] = [1.0 / 3.0, 1.850371707708594e-17];

/// Coefficients of `P` and `Q` in `e^(a²/2)·Φ(−a)·(1 + a) = P(t)/Q(t)`, with `t = 1/(1 + a/2)`, for `a ≥ 0`: errors of 7e-17 of its
/// logarithm, and of less of the first two derivatives of that.
const MILLS: [&[f64]; 2] = [
    &[
        0.39894228040143276,
        1.8347143836855129,
        7.687532074620276,
        20.06233827275829,
        43.24874993201348,
        69.99705922669744,
        90.05565205582134,
        86.42099754435077,
        57.224027678918425,
        16.399113748640524,
        -11.59171569649444,
        -15.199430066092646,
    ],
    &[
        1.0,
        4.098946950018583,
        16.970311785310717,
        40.9039317439495,
        84.66386378604425,
        127.21952613841053,
        155.05355251732104,
        141.46127406840122,
        97.89595917975717,
        47.215181499358735,
        14.49225301701911,
        2.100844423057543,
        0.0003177619924384328,
    ],
];

/// # Logarithms, roots and powers
///
/// Made of other functions, and as accurate as these.
impl<'t, T: Float> Var<'t, T> {
    /// `base^x`, a number to the power of this; for a power of two variables see [`Var::pow`], for that of a variable and a number
    /// [`Var::pow_scalar`]. The derivative is `base^x · ln base`: NaN for a base below 0, and 0 for a base of 0 from `x = 0` on.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 2.0, -1.0]));
    /// let y = x.pow_of(10.0);
    /// assert_eq!(y.value().as_slice(), [1.0, 100.0, 0.1]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice()[0], std::f64::consts::LN_10);
    /// ```
    #[track_caller]
    pub fn pow_of(self, base: f64) -> Self {
        let _whole = self.tape().composite("pow_of", [self]);
        self.tape().scalar(T::of(base)).pow(self)
    }

    /// `2^x`, exact for whole numbers.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1.0, 0.0, 10.0]));
    /// let y = x.exp2();
    /// assert_eq!(y.value().as_slice(), [0.5, 1.0, 1024.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice()[1], std::f64::consts::LN_2);
    /// ```
    #[track_caller]
    pub fn exp2(self) -> Self {
        let _whole = self.tape().composite("exp2", [self]);
        self.pow_of(2.0)
    }

    /// The logarithm of base 2, exact for powers of 2: −∞ at 0, where the derivative is +∞; NaN below.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.125, 1.0, 1024.0]));
    /// let y = x.log2();
    /// assert_eq!(y.value().as_slice(), [-3.0, 0.0, 10.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice()[1], 1.0 / std::f64::consts::LN_2);
    /// ```
    #[track_caller]
    pub fn log2(self) -> Self {
        let _whole = self.tape().composite("log2", [self]);
        self.log_of_base(2.0, LN_2, 0.0)
    }

    /// The logarithm of base 10, exact for powers of 10: −∞ at 0, where the derivative is +∞; NaN below.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.01, 1.0, 1000.0]));
    /// let y = x.log10();
    /// assert_eq!(y.value().as_slice(), [-2.0, 0.0, 3.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice()[1], 1.0 / std::f64::consts::LN_10);
    /// ```
    #[track_caller]
    pub fn log10(self) -> Self {
        let _whole = self.tape().composite("log10", [self]);
        // Most powers of 10 are no numbers, but next to some.
        self.log_of_base(10.0, LN_10, T::EPSILON.to_f64())
    }

    /// `ln x / ln base`, and the whole number next to it where the base to the power of that is `x`, up to a fraction of it that is
    /// less than what the logarithm rounds away.
    #[track_caller]
    fn log_of_base(self, base: f64, ln_base: f64, fraction: f64) -> Self {
        let y = self.log().div_scalar(ln_base);
        let rounded = y.stop_gradient();
        let whole = rounded.round();
        // NaN where the logarithm is infinite.
        let missing = whole - rounded;
        let power = whole.pow_of(base);
        // Next to 1 nothing is rounded away.
        let is_power = (power - self).abs().le(self.mul_scalar(fraction)).keep(missing.abs().lt(0.5)).keep(whole);
        y + is_power.select(missing, 0.0)
    }

    /// The cube root, with the sign of `x`; the derivative `x^(−2/3)/3` at 0 is +∞, and a zero cotangent stays zero there.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-8.0, 0.0, 27.0]));
    /// let y = x.cbrt();
    /// assert_eq!(y.value().as_slice(), [-2.0, 0.0, 3.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [1.0 / 12.0, f64::INFINITY, 1.0 / 27.0]);
    /// ```
    #[track_caller]
    pub fn cbrt(self) -> Self {
        let _whole = self.tape().composite("cbrt", [self]);
        // −0 is one of them, whose reciprocal is −∞.
        let is_negative = self.minimum(self.reciprocal()).lt(0.0);
        // Not the absolute value, whose derivative at 0 is 0.
        let size = is_negative.select(self.neg(), self);
        let root = size.pow_parts(THIRD[0], THIRD[1]);
        is_negative.select(root.neg(), root)
    }

    /// `ln(x / (1 − x))`, the inverse of the sigmoid: −∞ at 0, ∞ at 1, NaN outside. The derivative is `1/(x·(1 − x))`. Next to ½ it is
    /// `2 artanh(2x − 1)`, elsewhere `ln x − ln(1 − x)`, so it has all digits near 0, ½ and 1.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([0.0, 0.5, 1.0]));
    /// let y = x.logit();
    /// assert_eq!(y.value().as_slice(), [f64::NEG_INFINITY, 0.0, f64::INFINITY]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [f64::INFINITY, 4.0, f64::INFINITY]);
    /// ```
    #[track_caller]
    pub fn logit(self) -> Self {
        let _whole = self.tape().composite("logit", [self]);
        let is_near_half = self.add_scalar(-0.5).abs().le(0.25);
        // 2x − 1 is exact there.
        let near_half = self.mul_scalar(2.0).add_scalar(-1.0).atanh().mul_scalar(2.0);
        is_near_half.select(near_half, self.log() - self.neg().log1p())
    }

    /// `ln cosh x`, without overflow and with all digits near 0, where it is `x²/2`; the derivative is `tanh x`. As a loss of a
    /// difference it is between the square and the absolute value.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1e-10, 0.0, 1000.0]));
    /// let y = x.log_cosh();
    /// assert_eq!(y.value().as_slice(), [5e-21, 0.0, 1000.0 - std::f64::consts::LN_2]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice()[1..], [0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn log_cosh(self) -> Self {
        let _whole = self.tape().composite("log_cosh", [self]);
        // cosh x = 1 + sinh x·tanh(x/2), and e^|x|·(1 + e^−2|x|)/2.
        let near = (self.sinh() * self.mul_scalar(0.5).tanh()).log1p();
        let size = self.without_sign();
        let far = size + size.mul_scalar(-2.0).softplus().add_scalar(-LN_2);
        size.lt(1.0).select(near, far)
    }

    /// `|x|`, whose derivative at 0 is 1: for formulas that are not asked there.
    #[track_caller]
    fn without_sign(self) -> Self {
        self.lt(0.0).select(self.neg(), self)
    }

    /// `ln Φ(x)`, the logarithm of the normal distribution function, as `scipy.special.log_ndtr`: with all digits in both tails, on the
    /// left `−x²/2 − ln(−x·√(2π))` and what is small beside it, by a rational function for `e^(x²/2)·Φ(x)`. The derivative is
    /// `φ(x)/Φ(x)`, which goes as `−x` there.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1e10, 0.0]));
    /// let y = x.log_ndtr();
    /// assert_eq!(y.value().as_slice(), [-5e19, -std::f64::consts::LN_2]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice()[0], 1e10);
    /// ```
    #[track_caller]
    pub fn log_ndtr(self) -> Self {
        let _whole = self.tape().composite("log_ndtr", [self]);
        let is_left = self.lt(0.0);
        let size = is_left.select(self.neg(), self);
        // Φ(−|x|), small on the right. Further out `gelu`, which is x·Φ(x), has the digits that the rounding of x/√2 would cost.
        let near = size.mul_scalar(FRAC_1_SQRT_2).erfc().mul_scalar(0.5);
        let far = size.neg().gelu() / size.neg();
        let is_near = size.lt(1.0);
        let right = is_near.select(near, far).neg().log1p();
        // Terms of one sign, whose derivatives do not cancel either.
        let t = size.mul_scalar(0.5).add_scalar(1.0).reciprocal();
        let [above, below] = MILLS.map(|coefficients| t.polynomial(coefficients));
        let tail = (above / below).log() - (size.log1p() + size.square().mul_scalar(0.5));
        is_left.select(is_near.select(near.log(), tail), right)
    }

    /// `Σ c[i]·x^i`
    #[track_caller]
    fn polynomial(self, c: &[f64]) -> Self {
        let [first, middle @ .., last] = c else { unreachable!("a polynomial here has two coefficients or more") };
        let mut sum = self.mul_scalar(*last);
        for &c in middle.iter().rev() {
            sum = sum.add_scalar(c) * self;
        }
        sum.add_scalar(*first)
    }
}
