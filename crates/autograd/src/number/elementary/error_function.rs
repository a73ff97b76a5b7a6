//! The error function, its complement, the normal distribution, and the activation made of it.
//!
//! All are the exponential of a square times a ratio of Mills' kind, which falls slowly from 1 (or a half) at 0 as `1/x`. For
//! `x ≥ 0` the ratio is `main/(1 + c·x)` for a short number `main`, exact in two parts, and what is missing, a tenth of it, as
//! a rational function; so what is rounded there weighs little. One division serves both.

use super::parts;
use super::{Format, clamp_above, polynomial, raised_decay_of_sum, select};

/// A ratio `e^(s·x²)·f(x)` for `x ≥ 0` is `(main + P(x)/Q(x)) / (1 + c·x)`.
pub struct Ratio<T: 'static> {
    /// `c`, a power of two.
    pub(in crate::number) scale: T,
    /// A number of a few bits.
    pub(in crate::number) main: T,
    /// Coefficients of `P` and `Q`.
    pub(in crate::number) rest: [&'static [T]; 2],
}

impl<T: Format> Ratio<T> {
    /// The ratio at `a ≥ 0` in two parts, of which the first is its own head.
    #[inline(always)]
    pub(super) fn at(&self, a: T) -> [T; 2] {
        let b = a * self.scale;
        let (below, divisor) = (T::ONE + b, polynomial(a, self.rest[1]));
        let both = T::ONE / (below * divisor);
        let rest = polynomial(a, self.rest[0]) * (both * below);
        let inverse = both * divisor;
        // The product of `main` and the first part is exact.
        let [head, tail] = parts::inverse_of_next(inverse, b);
        let (main, rest) = (head * self.main, tail * self.main + inverse * rest);
        let head = (main + rest).upper();
        [head, (main - head) + rest]
    }
}

/// `e^(−s·a²)·2^r` in two parts, for `s` a power of two: with what the square rounds away, which in the tails is hundreds of
/// ulp. See [`Format::raised_power_of_two`] for `r`.
#[inline(always)]
pub(super) fn raised_decay_of_square<T: Format>(a: T, s: T) -> [T; 2] {
    let head = a.upper();
    raised_decay_of_sum(-(s * head * head), -(s * (a - head) * (a + head)))
}

/// From here on, the complement of the error function is the smaller part of 1.
const NEAR: f64 = 0.5;

/// Of `a ≥ 0`: `erf a` where that is near 0, as `a + a·P(a²)`; `1 − erf a` elsewhere; and `2/√π · e^(−a²)`.
#[inline(always)]
fn near_far_and_slope<T: Format>(a: T) -> (T, T, T) {
    let near = a + a * polynomial(a * a, T::ERF);
    let a = clamp_above(a, T::ERFC_VANISHES);
    let decay = raised_decay_of_square(a, T::ONE);
    let slope = decay[0] * T::of(std::f64::consts::FRAC_2_SQRT_PI) * T::LOWERED;
    (near, parts::rounded_product(T::ERFC.at(a), decay) * T::LOWERED, slope)
}

/// The error function.
#[inline(always)]
pub(crate) fn erf<T: Format>(x: T) -> T {
    erf_and_slope(x).0
}

/// `1 − erf x`
#[inline(always)]
pub(crate) fn erfc<T: Format>(x: T) -> T {
    erfc_and_erf_slope(x).0
}

/// `2/√π · e^(−x²)`
#[inline(always)]
pub(crate) fn erf_slope<T: Format>(x: T) -> T {
    erf_and_slope(x).1
}

/// `erf x` and its derivative.
#[inline(always)]
fn erf_and_slope<T: Format>(x: T) -> (T, T) {
    let a = x.abs();
    let (near, far, slope) = near_far_and_slope(a);
    (select(a.is_below(T::of(NEAR)), near, T::ONE - far).copysign(x), slope)
}

/// `1 − erf x` and the derivative of `erf`.
#[inline(always)]
fn erfc_and_erf_slope<T: Format>(x: T) -> (T, T) {
    let a = x.abs();
    let (near, far, slope) = near_far_and_slope(a);
    let far = select(x.is_below(T::ZERO), T::of(2.0) - far, far);
    (select(a.is_below(T::of(NEAR)), T::ONE - near.copysign(x), far), slope)
}

/// `φ(x) = e^(−x²/2) / √(2π)`
#[inline(always)]
pub(crate) fn normal_density<T: Format>(x: T) -> T {
    let a = clamp_above(x.abs(), T::GELU_VANISHES);
    raised_decay_of_square(a, T::of(0.5))[0] * T::of(DENSITY) * T::LOWERED
}

/// `1/√(2π)`
pub(super) const DENSITY: f64 = 0.3989422804014327;

/// `x·Φ(x)`
#[inline(always)]
pub(crate) fn gelu<T: Format>(x: T) -> T {
    gelu_and_slope(x).0
}

/// `Φ(x) + x·φ(x)`
#[inline(always)]
pub(crate) fn gelu_slope<T: Format>(x: T) -> T {
    gelu_and_slope(x).1
}

/// `x·Φ(x)` and its derivative. With `a = |x|` and `Q(a) = Φ(−a)` these are `max(x, 0) − a·Q(a)` and, with `h = Q(a) − a·φ(a)`,
/// `1 − h` on the right and `h` on the left.
#[inline(always)]
fn gelu_and_slope<T: Format>(x: T) -> (T, T) {
    let left = x.is_below(T::ZERO);
    let a = clamp_above(x.abs(), T::GELU_VANISHES);
    let decay = raised_decay_of_square(a, T::of(0.5));
    let ratio = T::NORMAL.at(a);
    let y = select(left, -T::ZERO, x) - parts::rounded_product(parts::product(a, ratio), decay) * T::LOWERED;
    let h = decay[0] * (ratio[0] + (ratio[1] - a * T::of(DENSITY))) * T::LOWERED;
    (y, select(left, h, T::ONE - h))
}
