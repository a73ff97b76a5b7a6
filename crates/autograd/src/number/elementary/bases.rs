//! Powers of 2, and logarithms of base 2 and 10, which are exact where they are whole numbers; and the cube root.

use super::power::Power;
use super::{clamp, log, log_or_special, log_rest, polynomial, select, sum};
use std::f64::consts::LN_2;

/// What the formulas need to know of a number type.
pub trait Base: Power {
    /// Where `2^x` has rounded to 0, and where to ∞.
    const EXP2_RANGE: [Self; 2];
    /// `log₁₀ e` as a sum, the first part in half the digits.
    const LOG10_E: [Self; 2];
    /// `log₁₀ 2` as a sum, whose first part times an exponent is exact.
    const LOG10_2: [Self; 2];
    /// Coefficients of a polynomial next to the cube root from √½ to √2.
    const CBRT: &'static [Self];
}

/// `2^x = 2^k·e^(r·ln 2)` with `x = k + r`
#[inline(always)]
pub(crate) fn exp2<T: Base>(x: T) -> T {
    let near = clamp(x, T::EXP2_RANGE);
    let shifted = near + T::ROUND;
    let r = (near - (shifted - T::ROUND)) * T::of(LN_2);
    let [p, q] = T::powers_of_two(shifted);
    // As in `exp`.
    select(near.is_at_most(T::EXP2_RANGE[0]), T::ZERO, sum(T::ONE, r, r * r * polynomial(r, T::EXP))) * p * q
}

/// `log₂ x = k + log₂ m` with `x = 2^k·m`
#[inline(always)]
pub(crate) fn log2<T: Base>(x: T) -> T {
    let (k, m) = x.split();
    log_or_special(x, k + log(T::ZERO, m - T::ONE) * T::LOG2_E)
}

/// `log₁₀ x = k·log₁₀ 2 + (f − rest)·log₁₀ e`: what is large, `k` and `f` for itself, times the upper half of its factor is exact.
#[inline(always)]
pub(crate) fn log10<T: Base>(x: T) -> T {
    let (k, m) = x.split();
    let f = m - T::ONE;
    let (head, [c, c_low]) = (f.upper(), T::LOG10_E);
    let small = ((f - head) - log_rest(f, T::ZERO)) * (c + c_low) + (head * c_low + k * T::LOG10_2[1]);
    log_or_special(x, k * T::LOG10_2[0] + (head * c + small))
}

/// The cube root: a polynomial of few digits, whose square is exact then, and a step of Halley's method, which triples them.
#[inline(always)]
pub(crate) fn cbrt<T: Base>(x: T) -> T {
    let a = x.abs();
    let (k, m) = a.split();
    // The exponent is 3q − 1, 3q or 3q + 1.
    let shifted = k * T::of(1.0 / 3.0) + T::ROUND;
    let j = k - T::of(3.0) * (shifted - T::ROUND);
    let (fewer, more) = (j.is_below(T::ZERO), j.is_above(T::ZERO));
    let (scale, root) = (select(more, T::of(2.0), T::ONE), select(more, T::of(1.259921049894873), T::ONE));
    let (scale, root) = (select(fewer, T::of(0.5), scale), select(fewer, T::of(0.7937005259840998), root));
    let t = (polynomial(m, T::CBRT) * root).upper();
    let ratio = m * scale / (t * t);
    let root = t + t * ((ratio - t) / ((t + t) + ratio));
    let y = (root * T::power_of_two(shifted)).copysign(x);
    select(a.is_above(T::ZERO) & a.is_below(T::INFINITY), y, x)
}

/// `x^(−2/3)/3`, the derivative of the cube root.
#[inline(always)]
pub(crate) fn cbrt_slope<T: Base>(x: T) -> T {
    let root = cbrt(x);
    (T::of(3.0) * root * root).recip()
}
