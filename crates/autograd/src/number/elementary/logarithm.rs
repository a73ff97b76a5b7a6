//! The natural logarithm, and the parts that others are made of.

use super::{Format, polynomial, select};

/// `k·ln 2 + ln(1 + f)`, `√½ ≤ 1 + f < √2`: `f` stands for itself, and all that is rounded is small (the arrangement of FDLIBM's
/// `e_log.c`).
#[inline(always)]
pub(super) fn log<T: Format>(k: T, f: T) -> T {
    k * T::LN_2[0] + (f - log_rest(f, k * T::LN_2[1]))
}

/// `f − ln(1 + f) − more`, from `ln(1+f) = ln((1+s)/(1−s))` with `s = f/(2+f)`.
#[inline(always)]
pub(super) fn log_rest<T: Format>(f: T, more: T) -> T {
    let s = f / (T::of(2.0) + f);
    let z = s * s;
    let half = T::of(0.5) * f * f;
    half - (s * (half + z * polynomial(z, T::LN)) + more)
}

/// `y`, the logarithm of a positive finite `x`, or the value at 0, below, at ∞ and at NaN.
#[inline(always)]
pub(super) fn log_or_special<T: Format>(x: T, y: T) -> T {
    let y = select(x.is_below(T::INFINITY), y, x);
    let y = select(x.equals(T::ZERO), -T::INFINITY, y);
    select(x.is_below(T::ZERO), T::NAN, y)
}

/// `ln x`
#[inline(always)]
pub(crate) fn ln<T: Format>(x: T) -> T {
    let (k, m) = x.split();
    log_or_special(x, log(k, m - T::ONE))
}
