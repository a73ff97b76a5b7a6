//! Hyperbolic sine and cosine, and the inverse hyperbolic functions.

use super::parts;
use super::{Format, clamp, ln_1p, ln_1p_of_share, polynomial, raised_decay, reduce, select, sum, tanh};

/// What the formulas need to know of a number type.
pub trait Hyperbolic: Format {
    /// Where `½ e^x` is ∞ for certain.
    const END: Self;
    /// Coefficients of `P` in `ln cosh x = ½x² + x⁴·P(x²)`, `|x| ≤ 1`.
    const LN_COSH: &'static [Self];
    /// Coefficients of `P` and `Q` in `x − tanh x = x³·P(x²)/Q(x²)`, `|x| ≤ 3/2`: Lambert's fraction, whose terms are positive.
    const TANHSHRINK: [&'static [Self]; 2];
    /// Coefficients of `R` in `artanh s = s + s³·R(s²)`, `|s| ≤ ⅓`.
    const ATANH: &'static [Self];
}

/// `¼(e^x − one)` of a number that is not negative, in two parts.
#[inline(always)]
fn quarter_of_exp<T: Hyperbolic>(x: T, one: T) -> [T; 2] {
    let (shifted, high, low) = reduce(clamp(x, [T::ZERO, T::END]));
    let p = T::power_of_two(shifted - T::of(2.0));
    parts::sum(p - T::of(0.25) * one, p * high, p * low)
}

/// `sinh x = h + h/(1 + 2h)` with `h = ½(e^|x| − 1)`, in which nothing cancels.
#[inline(always)]
pub(crate) fn sinh<T: Hyperbolic>(x: T) -> T {
    let a = x.abs();
    let [quarter, rest] = quarter_of_exp(a, T::ONE);
    let h = quarter + quarter;
    // Where h is ∞, or would be twice itself.
    let y = select(a.is_above(T::SATURATED), h, h + (h / (T::ONE + (h + h)) + (rest + rest)));
    select(a.is_below(T::TINY), x, y.copysign(x))
}

/// `cosh x = h + 1/(4h)` with `h = ½ e^|x|`.
#[inline(always)]
pub(crate) fn cosh<T: Hyperbolic>(x: T) -> T {
    let [quarter, _] = quarter_of_exp(x.abs(), T::ZERO);
    let h = quarter + quarter;
    h + T::of(0.25) / h
}

/// From here on, `1 + x` is `x`, and the root of `1 + x²`, whose square is still in range.
const LARGE: f64 = 1e17;

/// `ln(1 + x)`, and `ln 2` more where that is asked: what inverse hyperbolic functions are of large numbers, whose double may
/// be ∞.
#[inline(always)]
fn ln_1p_or_of_double<T: Format>(double: T::Mask, x: T) -> T {
    ln_1p(x) + select(double, T::of(std::f64::consts::LN_2), T::ZERO)
}

/// `arsinh x = ln(x + √(1+x²))`, for `x ≥ 0` as `ln(1 + (x + x²/(1 + √(1+x²))))` (FDLIBM's `s_asinh.c`).
#[inline(always)]
pub(crate) fn asinh<T: Format>(x: T) -> T {
    let a = x.abs();
    let (square, large) = (a * a, a.is_above(T::of(LARGE)));
    let more = square / (T::ONE + (T::ONE + square).sqrt());
    ln_1p_or_of_double(large, select(large, a, a + more)).copysign(x)
}

/// `arcosh x = ln(x + √(x²−1))`, as `ln(1 + (t + √(t(t+2))))` with `t = x − 1`, which does not cancel next to 1.
#[inline(always)]
pub(crate) fn acosh<T: Format>(x: T) -> T {
    let (t, large) = (x - T::ONE, x.is_above(T::of(LARGE)));
    let y = ln_1p_or_of_double(large, select(large, x, t + (t * (t + T::of(2.0))).sqrt()));
    select(x.is_below(T::ONE), T::NAN, y)
}

/// `ln cosh x`: `½x²` and what it lacks next to 0, elsewhere `|x| − ln 2 + ln(1 + e^−2|x|)`, of which the first two are next to each
/// other, so that their difference is exact.
#[inline(always)]
pub(crate) fn log_cosh<T: Hyperbolic>(x: T) -> T {
    let a = x.abs();
    let z = a * a;
    let more = ln_1p_of_share(raised_decay(-(a + a)) * T::LOWERED);
    let far = (a - T::LN_2[0]) + (more - T::LN_2[1]);
    select(a.is_below(T::ONE), T::of(0.5) * z + z * z * polynomial(z, T::LN_COSH), far)
}

/// `x − tanh x`, which cancels near 0.
#[inline(always)]
pub(crate) fn tanhshrink<T: Hyperbolic>(x: T) -> T {
    let z = x * x;
    let [above, below] = T::TANHSHRINK;
    let near = x * (z * (polynomial(z, above) / polynomial(z, below)));
    select(x.abs().is_below(T::of(1.5)), near, x - tanh(x))
}

/// `artanh a = ½ ln((1+a)/(1−a))` for `0 ≤ a < 1`, of both `1 − a` and `1 + a` that which is exact, the latter with what it lacks. With
/// `2^k` times a `q` that is `1 − a` but for a power of two, and half of `1 + a` or more, it is `½ k·ln 2 + artanh s`,
/// `s = (1+a−q)/(1+a+q)`; next to 0, `s` is `a` itself. Nothing cancels.
#[inline(always)]
fn atanh_of_parts<T: Hyperbolic>(a: T, below: T, above: T, rest_of_above: T) -> T {
    let (two, half) = (T::of(2.0), T::of(0.5));
    let (k, m) = below.split();
    let (fewer, more) = (above.is_below(m), above.is_at_least(two * m));
    let q = m * select(fewer, half, select(more, two, T::ONE));
    let k = select(fewer, T::ONE, select(more, -T::ONE, T::ZERO)) + k;
    let small = k.equals(T::ZERO);
    let s = select(small, two * a, (above - q) + rest_of_above) / select(small, two, above + q);
    let z = s * s;
    let rest = s * z * polynomial(z, T::ATANH) - half * k * T::LN_2[1];
    sum(-half * k * T::LN_2[0], s, rest)
}

/// `artanh x`, from the magnitude, so that it is as accurate next to −1 as next to 1.
#[inline(always)]
pub(crate) fn atanh<T: Hyperbolic>(x: T) -> T {
    let a = x.abs();
    let above = T::ONE + a;
    let y = atanh_of_parts(a, T::ONE - a, above, a - (above - T::ONE));
    let ends = select(a.equals(T::ONE), T::INFINITY, T::NAN);
    select(a.is_below(T::ONE), y, ends).copysign(x)
}

/// `ln(x/(1−x)) = ±2 artanh(1 − 2p)`, where `p` is the smaller of `x` and `1 − x`.
#[inline(always)]
pub(crate) fn logit<T: Hyperbolic>(x: T) -> T {
    let two = T::of(2.0);
    let is_left = x.is_below(T::of(0.5));
    let p = select(is_left, x, T::ONE - x);
    let below = p + p;
    let above = two - below;
    let y = atanh_of_parts(T::ONE - below, below, above, (two - above) - below);
    let ends = select(p.equals(T::ZERO), T::INFINITY, T::NAN);
    let y = select(p.is_above(T::ZERO), y + y, ends);
    select(is_left, -y, y)
}

/// `1/√(1+x²)`, the derivative of `arsinh`.
#[inline(always)]
pub(crate) fn asinh_slope<T: Format>(x: T) -> T {
    let a = x.abs();
    select(a.is_above(T::of(LARGE)), a, (T::ONE + a * a).sqrt()).recip()
}

/// `1/√((x−1)(x+1))`, the derivative of `arcosh`.
#[inline(always)]
pub(crate) fn acosh_slope<T: Format>(x: T) -> T {
    let root = ((x - T::ONE) * (x + T::ONE)).sqrt();
    let root = select(x.is_above(T::of(LARGE)), x, root);
    select(x.is_below(T::ONE), T::NAN, root.recip())
}
