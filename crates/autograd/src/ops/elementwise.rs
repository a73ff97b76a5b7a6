//! Element-wise functions whose options are looked at before, or that are made of others.

use crate::float::Float;
use crate::tape::var::Var;
use crate::tensor::error::Kind;

/// # More element-wise functions
///
/// Made of others.
impl<'t, T: Float> Var<'t, T> {
    /// `x` limited to `[min, max]`; an absent bound does not limit. The derivative at a bound is 0.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-2.0, 0.5, 3.0]));
    /// assert_eq!(x.clamp(-1.0, None).value().as_slice(), [-1.0, 0.5, 3.0]);
    /// ```
    ///
    /// # Panics
    /// Where `min` is above `max`, or a bound is NaN.
    #[track_caller]
    pub fn clamp(self, min: impl Into<Option<f64>>, max: impl Into<Option<f64>>) -> Self {
        let (min, max) = (min.into().unwrap_or(f64::NEG_INFINITY), max.into().unwrap_or(f64::INFINITY));
        self.require("clamp", min <= max, Kind::Option, || {
            format!("a min that is not above the max is needed, not min {min} and max {max}")
        });
        self.clamp_to(min, max)
    }

    /// 0 for NaN, the largest finite number of its sign for an infinity, else `x`. The derivative is 0 where `x` is
    /// replaced.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([f64::NAN, f64::INFINITY, 3.0]));
    /// assert_eq!(x.nan_to_num().value().as_slice(), [0.0, f64::MAX, 3.0]);
    /// ```
    #[track_caller]
    pub fn nan_to_num(self) -> Self {
        let largest = T::MAX.to_f64();
        self.eq(self).select(self.clamp(-largest, largest), self.tape().scalar(T::ZERO))
    }

    /// The polygamma function: the `order`-th derivative of the digamma function, which is that of order 0. At 0 and the
    /// negative integers it is ∞ for an odd order; for an even one ∓∞ at ±0, and NaN below, where both sides differ.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0]));
    /// assert!((x.polygamma(1).item() - std::f64::consts::PI.powi(2) / 6.0).abs() < 1e-15);
    /// ```
    ///
    /// # Panics
    /// Where the order is above 170, whose factorial is the largest that an `f64` can hold.
    #[track_caller]
    pub fn polygamma(self, order: u32) -> Self {
        self.require("polygamma", order <= 170, Kind::Option, || format!("an order up to 170 is needed, not {order}"));
        if order == 0 { self.digamma() } else { self.polygamma_order(order) }
    }

    /// `sin(πx) / (πx)`, 1 at 0, as NumPy defines it, and 0 at ±∞.
    #[track_caller]
    pub fn sinc(self) -> Self {
        self.sinc_order(0)
    }

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
}
