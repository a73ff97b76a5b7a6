//! Powers of a number, and the logarithm of the normal distribution function, which are made of other functions.

use crate::float::Float;
use crate::tape::var::Var;
use std::f64::consts::FRAC_1_SQRT_2;

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

/// # Logarithms and powers
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
        if base > 0.0 && base < f64::INFINITY { self.power_of(base) } else { self.tape().scalar(T::of(base)).pow(self) }
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
