//! The integral of the sigmoid, and activations that are their argument times a gate which opens like a sigmoid, with their
//! derivatives.
//!
//! Each comes from one exponential `e = e^−|v|` and one division. Where the gate is nearly closed, on the left, it is computed
//! as a multiple of 2^r, so that what is multiplied by it is rounded once where the result is below the normal numbers.

use super::parts;
use super::{
    Format, clamp_above, ln_1p_of_share, polynomial, raised_decay, raised_decay_of_sum, raised_decay_within, select,
    sigmoid_and_slope, sigmoid_of_decay,
};

/// `ln σ(x)`
#[inline(always)]
pub(crate) fn log_sigmoid<T: Format>(x: T) -> T {
    x.smaller(T::ZERO) - ln_1p_of_share(raised_decay(-x.abs()) * T::LOWERED)
}

/// `ln(1 + e^x)`
#[inline(always)]
pub(crate) fn softplus<T: Format>(x: T) -> T {
    softplus_and_sigmoid(x).0
}

/// `ln(1 + e^x)` and its derivative, from `e^−|x|`.
#[inline(always)]
fn softplus_and_sigmoid<T: Format>(x: T) -> (T, T) {
    let e = raised_decay(-x.abs()) * T::LOWERED;
    (x.larger(T::ZERO) + ln_1p_of_share(e), sigmoid_of_decay(x, e).0)
}

/// `ln(e^a + e^b)`, also of equal infinities.
#[inline(always)]
pub(crate) fn logaddexp<T: Format>(a: T, b: T) -> T {
    let y = select(a.is_above(b), a, b) + ln_1p_of_share(raised_decay(-(a - b).abs()) * T::LOWERED);
    select(a.equals(b), a + T::of(std::f64::consts::LN_2), y)
}

/// `σ(a − b)`, with what the difference rounds away times the slope; at equal infinities its limit: a half for +∞, 0 for −∞.
#[inline(always)]
pub(crate) fn logistic_share<T: Format>(a: T, b: T) -> T {
    let [difference, rest] = parts::difference(a, b);
    let (y, slope) = sigmoid_and_slope(difference);
    let tied = select(a.equals(-T::INFINITY), T::ZERO, T::of(0.5));
    select(a.equals(b), tied, y + slope * select(difference.abs().is_below(T::INFINITY), rest, T::ZERO))
}

/// Sigmoids from `e = e^−|v|`.
struct Sigmoids<T> {
    /// `e·2^r` in two parts.
    raised: [T; 2],
    /// `σ(|v|)`, and the same in two parts.
    open: T,
    open_parts: [T; 2],
}

impl<T: Format> Sigmoids<T> {
    #[inline(always)]
    fn of(raised: [T; 2]) -> Self {
        let e = raised[0] * T::LOWERED;
        let open_parts = parts::inverse_of_next(T::ONE / (T::ONE + e), e);
        Self { raised, open: open_parts[0] + open_parts[1], open_parts }
    }

    /// `x·σ(v)`, and its derivative as `σ(v) + x·σ(v)·v′·σ(−v)`; `a` is `|x|`, bounded: beyond the bound the gate is open.
    #[inline(always)]
    fn gated_and_slope(&self, left: T::Mask, x: T, a: T, dv: T) -> (T, T) {
        let closed = self.raised[0] * self.open;
        let (gate, other) = (select(left, closed, self.open), select(left, self.open, closed * T::LOWERED));
        let scale = select(left, T::LOWERED, T::ONE);
        let [y, rest] = parts::product(a, self.open_parts);
        let y = (y + rest).copysign(x);
        let y = select(left, y * self.raised[0], y);
        (select(x.is_above(a), x, y * scale), (gate + y * (dv * other)) * scale)
    }
}

/// `x·σ(x)`
#[inline(always)]
pub(crate) fn silu<T: Format>(x: T) -> T {
    silu_and_slope(x).0
}

/// `σ(x) + x·σ′(x)`
#[inline(always)]
pub(crate) fn silu_slope<T: Format>(x: T) -> T {
    silu_and_slope(x).1
}

/// `x·σ(x)` and its derivative.
#[inline(always)]
fn silu_and_slope<T: Format>(x: T) -> (T, T) {
    let left = x.is_below(T::ZERO);
    let a = clamp_above(x.abs(), T::GATE_VANISHES);
    Sigmoids::of(raised_decay_within(-a)).gated_and_slope(left, x, a, T::ONE)
}

/// The second derivative of [`silu`], `σ′(x)·(2 − x·tanh(x/2))`. It is even.
#[inline(always)]
pub(crate) fn silu_curve<T: Format>(x: T) -> T {
    let a = clamp_above(x.abs(), T::GATE_VANISHES);
    let s = Sigmoids::of(raised_decay_within(-a));
    // tanh(x/2) = 2σ(x) − 1 in two parts, and its product with x: the difference from 2 is exact next to its zero.
    let [open, rest] = s.open_parts;
    let [product, rest] = parts::product(a, [open + open - T::ONE, rest + rest]);
    parts::rounded_product(s.open_parts, s.raised) * (s.open * ((T::of(2.0) - product) - rest)) * T::LOWERED
}

/// `x·σ(v)` with `v = 2√(2/π)·(x + 0.044715 x³)`
#[inline(always)]
pub(crate) fn gelu_tanh<T: Format>(x: T) -> T {
    gelu_tanh_and_slope(x).0
}

/// The derivative of [`gelu_tanh`].
#[inline(always)]
pub(crate) fn gelu_tanh_slope<T: Format>(x: T) -> T {
    gelu_tanh_and_slope(x).1
}

/// The sigmoids of `v = 2√(2/π)·(x + 0.044715 x³)`, and `v′`; `a` is `|x|`. The exponential is that of the exact `v`, of which the
/// rounded one lacks as many ulp in the tail as the exponent has units.
#[inline(always)]
fn gelu_tanh_gates<T: Format>(a: T) -> (Sigmoids<T>, T) {
    let ([first, first_rest], [cubic, cubic_rest]) = (T::GELU_TANH[0], T::GELU_TANH[1]);
    // v = a·(first + cubic·a²), each product of heads exact.
    let head = a.upper();
    let tail = a - head;
    let square = head * head;
    let square_head = square.upper();
    let bend = cubic * square_head;
    let bend_rest = cubic * ((square - square_head) + tail * (a + head)) + cubic_rest * (a * a);
    let factor = ((first + bend) + bend_rest).upper();
    let factor_rest = ((first - factor) + bend) + (bend_rest + first_rest);
    let raised = raised_decay_of_sum(-(head * factor), -(tail * factor + a * factor_rest));
    // v′ is three times the factor less twice its first term: a difference of short numbers, and a rest.
    let (two, three) = (T::of(2.0), T::of(3.0));
    (Sigmoids::of(raised), (three * factor - two * first) + (three * factor_rest - two * first_rest))
}

/// `x·σ(v)` and its derivative.
#[inline(always)]
fn gelu_tanh_and_slope<T: Format>(x: T) -> (T, T) {
    let left = x.is_below(T::ZERO);
    let a = clamp_above(x.abs(), T::GELU_TANH_VANISHES);
    let (s, dv) = gelu_tanh_gates(a);
    s.gated_and_slope(left, x, a, dv)
}

/// The second derivative of [`gelu_tanh`], `σ′(v)·(2v′ + x·(v″ − v′²·tanh(v/2)))`, as `σ″(v) = −σ′(v)·tanh(v/2)`. It is even.
#[inline(always)]
pub(crate) fn gelu_tanh_curve<T: Format>(x: T) -> T {
    let a = clamp_above(x.abs(), T::GELU_TANH_VANISHES);
    let (s, dv) = gelu_tanh_gates(a);
    let ddv = T::of(6.0) * (T::GELU_TANH[1][0] + T::GELU_TANH[1][1]) * a;
    let tanh = s.open + s.open - T::ONE;
    let closed = parts::rounded_product(s.open_parts, s.raised);
    closed * (s.open * (a * ddv + dv * (T::of(2.0) - a * dv * tanh))) * T::LOWERED
}

/// `x·tanh(ln(1 + e^x))`
#[inline(always)]
pub(crate) fn mish<T: Format>(x: T) -> T {
    mish_and_slope(x).0
}

/// The derivative of [`mish`].
#[inline(always)]
pub(crate) fn mish_slope<T: Format>(x: T) -> T {
    mish_and_slope(x).1
}

/// What mish is made of.
struct MishGates<T> {
    /// `e = e^−|x|` times 2^r, and without it.
    raised: T,
    e: T,
    /// `e² + 2e + 2` on the left, `2e² + 2e + 1` on the right.
    below: T,
}

impl<T: Format> MishGates<T> {
    #[inline(always)]
    fn of(left: T::Mask, a: T) -> Self {
        let [raised, _] = raised_decay_within(-a);
        let e = raised * T::LOWERED;
        let square = e * e;
        let (short, long) = (select(left, square, T::ONE), select(left, T::of(2.0), square + square));
        Self { raised, e, below: (long + (e + e)) + short }
    }
}

/// `x·w` for `w = tanh(ln(1 + e^x))`, and its derivative `w + x·w′`. With `e = e^−|x|` the gate `w` is `e(1 − e(1 + e)/(e² + 2e + 2))`
/// on the left and `1 − 2e²/(2e² + 2e + 1)` on the right; `w′` is `4e(1 + e)` and `4e²(1 + e)` over the squares of the same.
#[inline(always)]
fn mish_and_slope<T: Format>(x: T) -> (T, T) {
    let left = x.is_below(T::ZERO);
    let a = clamp_above(x.abs(), T::GATE_VANISHES);
    let g = MishGates::of(left, a);
    let inverse = T::ONE / g.below;
    let (raised, scale) = (select(left, g.raised, g.e), select(left, T::LOWERED, T::ONE));
    let part = T::ONE - select(left, T::ONE + g.e, g.e + g.e) * (g.e * inverse);
    let gate = select(left, raised * part, part);
    // What w′ is a multiple of e by; on the left as 1 less what is small where e is.
    let (four, e) = (T::of(4.0), g.e);
    let above = select(left, polynomial(e, &[four, T::of(8.0), four, T::ONE]), four + four * e);
    let part = e * (above * (inverse * inverse));
    let bend = raised * select(left, T::ONE - part, part);
    let bounded = a.copysign(x);
    (select(left, bounded, x) * gate * scale, (gate + bounded * bend) * scale)
}

/// The second derivative of [`mish`]: `w′·(2 + x·d)`, where `d = w″/w′` is `1 + e/(1+e) − 4e(1+e)/(e² + 2e + 2)` on the left and
/// `−2 − e/(1+e) + 4e(1+2e)/(2e² + 2e + 1)` on the right.
#[inline(always)]
pub(crate) fn mish_curve<T: Format>(x: T) -> T {
    let left = x.is_below(T::ZERO);
    let a = clamp_above(x.abs(), T::GATE_VANISHES);
    let g = MishGates::of(left, a);
    let (e, one_more) = (g.e, T::ONE + g.e);
    let both = T::ONE / (one_more * g.below);
    let (inverse, share) = (both * one_more, e * (both * g.below));
    let turn = T::of(4.0) * e * (select(left, one_more, one_more + e) * inverse);
    let bend = select(left, T::ONE, e) * (T::of(4.0) * one_more * (inverse * inverse));
    // That of −d on the right: x·d is −a times this on either side.
    let (whole, small) = (select(left, T::ONE, T::of(2.0)), share - turn);
    g.raised * (bend * ((T::of(2.0) - a * whole) - a * small)) * T::LOWERED
}
