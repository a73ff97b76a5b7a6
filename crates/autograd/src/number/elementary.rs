//! Elementary functions that vectorise: branch-free arithmetic and bit patterns, without tables, calls or fused
//! multiply-adds. At most 2 ulp off for every number, with the special values of IEEE 754.
//!
//! One formula serves both number types and every instruction set, one number and several side by side, so an element's value depends
//! on the element alone: not on its place in an array, nor on the CPU. The fused multiply-add is left out on purpose. It would save a third
//! of the instructions where it exists, but be a slow call where it does not, and the bits would differ between CPUs.

#![expect(unsafe_code, reason = "vectors by hand may run only where the CPU has them")]

mod trigonometric;
mod inverse;
mod hyperbolic;
mod plane;
mod power;
mod remainder;
mod logarithm;
mod bases;
mod cardinal;
mod double;
mod single;
mod parts;
mod error_function;
mod gates;
mod normal;
#[cfg(test)]
mod tests;

use super::lanes::Lanes;
use super::real::{self, Mask};
pub(crate) use bases::{Base, cbrt, cbrt_slope, exp2, log2, log10};
pub(crate) use cardinal::{Cardinal, sinc, sinc_curve, sinc_slope};
pub(crate) use error_function::{Ratio, erf, erf_slope, erfc, gelu, gelu_slope, normal_density};
pub(crate) use gates::{
    gelu_tanh, gelu_tanh_curve, gelu_tanh_slope, log_sigmoid, logaddexp, logistic_share, mish, mish_curve, mish_slope,
    silu, silu_curve, silu_slope, softplus,
};
pub(crate) use hyperbolic::{
    Hyperbolic, acosh, acosh_slope, asinh, asinh_slope, atanh, cosh, log_cosh, logit, sinh, tanhshrink,
};
pub(crate) use inverse::{Inverse, acos, asin, atan, atan2};
pub(crate) use logarithm::ln;
use logarithm::{log, log_or_special, log_rest};
pub(crate) use normal::{excess, inverse_mills, log_ndtr, mills_curve, ndtr};
pub(crate) use parts::difference;
pub(crate) use plane::{Plane, hypot, hypot_share, over_squares};
#[cfg(target_arch = "x86_64")]
pub(crate) use power::Power;
pub(crate) use power::{ln_in_parts, pow, pow_by_logarithm, pow_of_sum, pow_slope};
pub(crate) use remainder::{near_remainder, remainder};
pub(crate) use trigonometric::{Circular, cos, cos_near, is_far, sin, sin_near, tan, tan_near};

/// What the formulas need to know of a number type.
pub trait Format: real::Real {
    /// `1.5 · 2^(p−1)` for `p` bits of precision. Adding it rounds to an integer, which the lowest bits then hold.
    const ROUND: Self;
    /// `log₂ e`
    const LOG2_E: Self;
    /// `ln 2` as a sum. The first part ends in as many zero bits as an exponent has, so that its product with an
    /// exponent is exact.
    const LN_2: [Self; 2];
    /// Where `4e^x` has rounded to 0, and where `e^x` to ∞, for certain.
    const EXP_RANGE: [Self; 2];
    /// Beyond the negative of this, `e^x − 1` is −1.
    const SATURATED: Self;
    /// Below this magnitude, `e^x − 1` is `x`.
    const TINY: Self;
    /// Coefficients of `q` in `e^r = 1 + r + r²·q(r)`, `|r| ≤ ½ ln 2`.
    const EXP: &'static [Self];
    /// Coefficients of `R` in `ln((1+s)/(1−s)) = 2s + s³·R(s²)`, `|s| ≤ (√2−1)/(√2+1)`.
    const LN: &'static [Self];
    /// Coefficients of `P` and `Q` in `tanh x = x + x³·P(x²)/Q(x²)`, `|x| ≤ 9/16`.
    const TANH: [&'static [Self]; 2];

    /// `2^k` from `ROUND + k`, for `k` in the range of normal exponents.
    fn power_of_two(shifted: Self) -> Self;
    /// Two powers of two whose product is `2^k`, from `ROUND + k`, for `k` in twice that range.
    fn powers_of_two(shifted: Self) -> [Self; 2];
    /// `2^(k+r)` from `ROUND + k`, for `k` from that of the least of `EXP_RANGE` to 1, and `2^−r`: their product is `2^k`
    /// with gradual underflow, in fewer steps than `powers_of_two` takes.
    fn raised_power_of_two(shifted: Self) -> Self;
    const LOWERED: Self;
    /// Coefficients of `P` in `erf x = x + x·P(x²)`, `|x| ≤ ½`.
    const ERF: &'static [Self];
    /// `e^(x²)·(1 − erf x)` from there on.
    const ERFC: Ratio<Self>;
    /// `e^(x²/2)·Φ(−x)`, with the normal distribution function `Φ`.
    const NORMAL: Ratio<Self>;
    /// Coefficients of `P` and `Q` in `φ(a)/Φ(−a) − a = t·P(t)/Q(t)`, with `t = 1/(1 + a/2)`, for `a ≥ 0`.
    const EXCESS: [&'static [Self]; 2];
    /// Where `1 − erf x`, `x·Φ(−x)`, `x·e^−x` and `x·σ(−v)` of the tanh form of GELU have rounded to 0, for certain.
    const ERFC_VANISHES: Self;
    const GELU_VANISHES: Self;
    const GATE_VANISHES: Self;
    const GELU_TANH_VANISHES: Self;
    /// `2√(2/π)`, and its product with 0.044715, each as a head and the rest.
    const GELU_TANH: [[Self; 2]; 2];
    /// The largest exponent that [`inverse_binade`] answers: its square still leaves room for sums.
    const SPAN: Self;
    /// The number with the lower half of its digits cleared, so that products of two such numbers are exact.
    fn upper(self) -> Self;
    /// `(k, m)` of a positive number `2^k·m` with `√½ ≤ m < √2`, denormal numbers included.
    fn split(self) -> (Self, Self);
}

/// `Σ c[i]·x^i`, in even and odd powers: two short chains of dependent operations, not one long one.
#[inline(always)]
fn polynomial<T: Format>(x: T, c: &[T]) -> T {
    let z = x * x;
    let (start, [b, a]) = c.split_last_chunk().expect("a polynomial here has two coefficients or more");
    let (mut a, mut b) = (*a, *b);
    for pair in start.rchunks_exact(2) {
        a = a * z + pair[1];
        b = b * z + pair[0];
    }
    match start.rchunks_exact(2).remainder() {
        [c] => (a * z + *c) + b * x,
        _ => b + a * x,
    }
}

/// `e^x = 2^k·(1 + high + low)` with `|high| ≤ ½ ln 2`, exact, and `|low|` an order smaller; `k` comes as `ROUND + k`.
/// Cody and Waite's reduction `r = x − k·ln 2`, with the rest of `r` and of the series in `low`.
#[inline(always)]
fn reduce<T: Format>(x: T) -> (T, T, T) {
    reduce_sum(x, T::ZERO)
}

/// As [`reduce`], for `x + more`, of which the latter is a small fraction of the former.
#[inline(always)]
fn reduce_sum<T: Format>(x: T, more: T) -> (T, T, T) {
    reduce_near(x, x, more)
}

/// The same, with the exponent of what is `near` the sum.
#[inline(always)]
fn reduce_near<T: Format>(near: T, x: T, more: T) -> (T, T, T) {
    let shifted = near * T::LOG2_E + T::ROUND;
    let k = shifted - T::ROUND;
    let high = x - k * T::LN_2[0];
    let rest = k * T::LN_2[1] - more;
    let r = high - rest;
    (shifted, high, r * r * polynomial(r, T::EXP) - rest)
}

/// `a + b + c` with one rounding of consequence, where `|a| ≥ |b|` or `a = 0` (Dekker's sum), and `c` is small.
#[inline(always)]
fn sum<T: Format>(a: T, b: T, c: T) -> T {
    parts::sum(a, b, c)[0]
}

/// Both values are computed before: a choice, not a branch, which the compiler would lead on through all that follows, to compute
/// that twice.
#[inline(always)]
pub(crate) fn select<T, M: Mask<T>>(holds: M, a: T, b: T) -> T {
    holds.choose(a, b)
}

/// `x`, or a bound where it is above; NaN stays.
#[inline(always)]
fn clamp_above<T: Format>(x: T, high: T) -> T {
    select(x.is_above(high), high, x)
}

/// `x` within bounds; NaN stays.
#[inline(always)]
fn clamp<T: Format>(x: T, [low, high]: [T; 2]) -> T {
    clamp_above(select(x.is_below(low), low, x), high)
}

/// `2^k·(1 + high + low)`, with gradual underflow; `k` comes as `ROUND + k`.
#[inline(always)]
fn scale<T: Format>(shifted: T, high: T, low: T) -> T {
    // In two steps, since 2^k alone may be ∞, or a denormal number that has lost bits.
    let [p, q] = T::powers_of_two(shifted);
    sum(T::ONE, high, low) * p * q
}

/// `e^x`
#[inline(always)]
pub(crate) fn exp<T: Format>(x: T) -> T {
    let (shifted, high, low) = reduce(clamp(x, T::EXP_RANGE));
    let [p, q] = T::powers_of_two(shifted);
    // A product that vanishes takes a hundred times as long as that of a zero.
    select(x.is_at_most(T::EXP_RANGE[0]), T::ZERO, sum(T::ONE, high, low)) * p * q
}

/// `e^x` for `x ≤ 0` in vectors by hand, which fuse: less accurate than [`exp`] (within 1.5 ulp), and of half its latency.
/// The exponentials of a softmax are computed by it.
///
/// # Safety
/// The CPU has the set of the lanes.
#[inline(always)]
pub(crate) unsafe fn exp_of_shifted<T: Format, L: Lanes<T>>(x: L::Vector) -> L::Vector {
    // SAFETY: the caller promises the set.
    unsafe {
        let x = L::larger(L::splat(T::EXP_RANGE[0]), x);
        let shifted = L::mul_add(x, L::splat(T::LOG2_E), L::splat(T::ROUND));
        let k = L::sub(shifted, L::splat(T::ROUND));
        let r = L::mul_add(k, L::splat(-T::LN_2[0]), x);
        let r = L::mul_add(k, L::splat(-T::LN_2[1]), r);
        let z = L::mul(r, r);
        // As in `polynomial`.
        let (start, [b, a]) = T::EXP.split_last_chunk().expect("the polynomial has two coefficients or more");
        let (mut a, mut b) = (L::splat(*a), L::splat(*b));
        for pair in start.rchunks_exact(2) {
            a = L::mul_add(a, z, L::splat(pair[1]));
            b = L::mul_add(b, z, L::splat(pair[0]));
        }
        let q = match start.rchunks_exact(2).remainder() {
            [c] => L::mul_add(b, r, L::mul_add(a, z, L::splat(*c))),
            _ => L::mul_add(a, r, b),
        };
        let y = L::add(L::mul_add(z, q, r), L::splat(T::ONE));
        // As in `exp`: masked scores are far below.
        let y = L::unless_zero(y, L::sub(x, L::splat(T::EXP_RANGE[0])));
        let [p, q] = L::powers_of_two(shifted);
        L::mul(L::mul(y, p), q)
    }
}

/// `e^x − 1`
#[inline(always)]
pub(crate) fn exp_m1<T: Format>(x: T) -> T {
    let (shifted, high, low) = reduce(clamp(x, [-T::SATURATED, T::EXP_RANGE[1]]));
    // Half of (2^k − 1) + 2^k·high + 2^k·low, since 2^k may be ∞ where the result is not.
    let p = T::power_of_two(shifted - T::ONE);
    let y = sum(p - T::of(0.5), p * high, p * low);
    select(x.abs().is_below(T::TINY), x, y + y)
}

/// A power of two whose product with a positive `x` is between √½ and √2, as far as the range of exponents allows; 1 for 0, ∞
/// and NaN.
#[inline(always)]
pub(crate) fn inverse_binade<T: Format>(x: T) -> T {
    let (k, _) = x.split();
    let scale = T::power_of_two(T::ROUND - clamp(k, [-T::SPAN, T::SPAN]));
    select(x.is_above(T::ZERO) & x.is_below(T::INFINITY), scale, T::ONE)
}

/// `Bits::fraction_and_exponent`
#[inline(always)]
pub(crate) fn fraction_and_exponent<T: Format>(x: T) -> [T; 2] {
    let a = x.abs();
    let (k, m) = a.split();
    let has_them = a.is_above(T::ZERO) & (a.is_below(T::INFINITY));
    [select(has_them, m.copysign(x), x), select(has_them, k, T::ZERO)]
}

/// `x · 2^k` in two steps, of which the first is exact for an `x` near 1; from the ends of a range of `k` on 0 and infinite.
#[inline(always)]
pub(crate) fn times_power_of_two<T: Format>(x: T, k: T, range: [T; 2]) -> T {
    let [p, q] = T::powers_of_two(T::ROUND + clamp(k, range));
    // A product that vanishes takes a hundred times as long as one with 0.
    let q = select(k.is_above(range[0]) | !x.is_finite(), q, T::ZERO);
    x * p * q
}

/// `ln(1 + x)`
#[inline(always)]
pub(crate) fn ln_1p<T: Format>(x: T) -> T {
    // 1 + x = u + c exactly (Knuth's sum). Near 0, f becomes x itself.
    let u = T::ONE + x;
    let v = u - T::ONE;
    let c = (T::ONE - (u - v)) + (x - v);
    let (k, m) = u.split();
    // Where u is so large that 2^−k may leave the range, c does not matter.
    let c = select((u * T::TINY).is_below(T::ONE), c * T::power_of_two(T::ROUND - k), T::ZERO);
    log_or_special(u, log(k, (m - T::ONE) + c).copysign(x))
}

/// `ln(1 + x)` for `0 ≤ x ≤ 1`: half of `1 + x` where that is nearer to 1 is exact.
#[inline(always)]
pub(crate) fn ln_1p_of_share<T: Format>(x: T) -> T {
    let halved = x.is_above(T::of(std::f64::consts::SQRT_2 - 1.0));
    log(select(halved, T::ONE, T::ZERO), select(halved, T::of(0.5) * (x - T::ONE), x))
}

/// `ln total`, where `total = 1 + rest`: near 1 from the rest itself, which the sum has rounded away. A rest that is not known
/// may come as any number from a quarter on.
#[inline(always)]
pub(crate) fn ln_of_sum<T: Format>(total: T, rest: T) -> T {
    let (k, m) = total.split();
    let f = select(rest.is_below(T::of(0.25)), rest, m - T::ONE);
    log_or_special(total, log(k, f))
}

/// `e^x·2^r` for `x ≤ 0`: times `LOWERED` it is `e^x` as [`exp`] gives it.
#[inline(always)]
fn raised_decay<T: Format>(x: T) -> T {
    let least = T::EXP_RANGE[0];
    raised_decay_within(select(x.is_below(least), least, x))[0]
}

/// The same for an `x` that is not far below that range, in two parts.
#[inline(always)]
fn raised_decay_within<T: Format>(x: T) -> [T; 2] {
    let (shifted, high, low) = reduce(x);
    raised(shifted, high, low)
}

/// As [`raised_decay_within`] of `x + y`, where `y` is small.
#[inline(always)]
fn raised_decay_of_sum<T: Format>(x: T, y: T) -> [T; 2] {
    let (shifted, high, low) = reduce_near(x + y, x, y);
    raised(shifted, high, low)
}

/// `2^(k+r)·(1 + high + low)` in two parts.
#[inline(always)]
fn raised<T: Format>(shifted: T, high: T, low: T) -> [T; 2] {
    let power = T::raised_power_of_two(shifted);
    let [y, rest] = parts::sum(T::ONE, high, low);
    [y * power, rest * power]
}

/// `tanh x`
#[inline(always)]
pub(crate) fn tanh<T: Format>(x: T) -> T {
    tanh_and_sech2(x).0
}

/// `1 − tanh² x`
#[inline(always)]
pub(crate) fn sech2<T: Format>(x: T) -> T {
    tanh_and_sech2(x).1
}

/// `tanh x` and `1 − tanh² x = 4e/(1+e)²`: from `e = e^−2|x|`, the former as `1 − 2e/(1+e)`, and near 0 as a rational
/// function, whose square is then small enough to be subtracted from 1. One division serves all.
#[inline(always)]
pub(crate) fn tanh_and_sech2<T: Format>(x: T) -> (T, T) {
    let a = x.abs();
    let z = a * a;
    let raised = raised_decay(T::of(-2.0) * a);
    // 4e in one piece, since e may be denormal where 4e is not.
    let (e, quadruple) = (raised * T::LOWERED, raised * (T::of(4.0) * T::LOWERED));
    let near = a.is_below(T::of(0.5625));
    let above = select(near, z * polynomial(z, T::TANH[0]), T::of(-2.0) * e);
    let below = select(near, polynomial(z, T::TANH[1]), T::ONE + e);
    let ratio = above / below;
    let y = select(near, a + a * ratio, T::ONE + ratio);
    let slope = bell(quadruple, T::of(-2.0) * ratio, T::of(-0.5) * ratio, e);
    (y.copysign(x), select(near, T::ONE - y * y, slope))
}

/// `1/(1 + e^−x)`
#[inline(always)]
pub(crate) fn sigmoid<T: Format>(x: T) -> T {
    sigmoid_and_slope(x).0
}

/// `σ(x)·σ(−x)`
#[inline(always)]
pub(crate) fn sigmoid_slope<T: Format>(x: T) -> T {
    sigmoid_and_slope(x).1
}

/// `σ(x)` and its derivative.
#[inline(always)]
pub(crate) fn sigmoid_and_slope<T: Format>(x: T) -> (T, T) {
    sigmoid_of_decay(x, raised_decay(-x.abs()) * T::LOWERED)
}

/// `σ(x)` and its derivative `σ(x)·σ(−x) = e/(1+e)²`, with `e = e^−|x|` and `q = e/(1+e)`: the former is `1 − q` above 0 and
/// `e − e·q` below. Subtracting what is small halves the error of a quotient that rounds both `1 + e` and itself.
#[inline(always)]
fn sigmoid_of_decay<T: Format>(x: T, e: T) -> (T, T) {
    let q = e / (T::ONE + e);
    let limit = select(x.is_below(T::ZERO), e, T::ONE);
    (limit - limit * q, bell(e, q, q, e))
}

/// `c/(1+e)²` for `c` a multiple of `e`, from `q = e/(1+e)` and the same multiple `r` of it: `r − r·q`, or, where `e` is small,
/// `c − c·(2q − q²)`, which does not have the error of the quotient. (Up to 0.17, the result is in a finer binade than `q`.)
#[inline(always)]
fn bell<T: Format>(c: T, r: T, q: T, e: T) -> T {
    let small = e.is_below(T::of(0.2));
    let y = select(small, c, r);
    y - y * select(small, q * (T::of(2.0) - q), q)
}
