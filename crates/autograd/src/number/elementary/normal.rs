//! The normal distribution function `Φ`, its logarithm, and the derivatives of that: the inverse of Mills' ratio, `φ/Φ`, and the curve
//! of the logarithm.
//!
//! All come of the ratio `M(a) = e^(a²/2)·Φ(−a)` for `a ≥ 0`, which falls slowly, so nothing vanishes or cancels on the left.

use super::error_function::{DENSITY, raised_decay_of_square};
use super::{Format, clamp, clamp_above, log, log_or_special, parts, polynomial, select};

/// Coefficients of `1/a²` in `√(2π)·a·M(a)`, which is used where the rest of that series vanishes.
const FAR: [f64; 7] = [1.0, -1.0, 3.0, -15.0, 105.0, -945.0, 10395.0];

/// [`Format::EXCESS`] of `f32`.
pub(super) const EXCESS_OF_SINGLE: [&[f32]; 2] = [
    &[0.5, 0.7312766, 2.4366572, 3.1013095, 3.6481113, 2.485704],
    &[1.0, 0.46255213, 3.910829, 2.5587769, 4.4108996, 2.5829384, 1.2455893],
];
/// [`Format::EXCESS`] of `f64`.
pub(super) const EXCESS_OF_DOUBLE: [&[f64]; 2] = [
    &[
        0.5,
        2.345390733381537,
        11.325738235916797,
        33.6229230907399,
        86.18839200268455,
        170.4351925222036,
        278.45550646315723,
        360.67911324393486,
        362.94313629144614,
        260.16464755496867,
        106.35467271551198,
        -0.0043230249488015226,
    ],
    &[
        1.0,
        3.6907814667630934,
        18.460695005064704,
        47.4397604437223,
        118.92706674959061,
        213.40361171293307,
        334.6578470145169,
        410.22081074856163,
        411.400646800153,
        314.5235098034461,
        171.36159652247244,
        51.72124718117371,
    ],
];

/// What the functions of this file are made of, for `x` and `a = |x|`.
struct Normal<T: Format> {
    x: T,
    a: T,
    /// Whether `a` is beyond what the ratio is known for; then `√(2π)·a·M(a)` is `series`.
    is_far: T::Mask,
    series: T,
    /// `M(a)` elsewhere, in two parts.
    ratio: [T; 2],
    /// `e^(−a²/2)·2^r` in two parts.
    decay: [T; 2],
}

impl<T: Format> Normal<T> {
    #[inline(always)]
    fn of(x: T) -> Self {
        let a = x.abs();
        let near = clamp_above(a, T::GELU_VANISHES);
        let inverse = T::ONE / a.larger(T::GELU_VANISHES);
        // A loop: what `map` calls may be compiled apart, without the set of vectors.
        let mut far = [T::ZERO; FAR.len()];
        for (far, &c) in far.iter_mut().zip(&FAR) {
            *far = T::of(c);
        }
        let series = polynomial(inverse * inverse, &far);
        let decay = raised_decay_of_square(near, T::of(0.5));
        Self { x, a, is_far: a.is_above(T::GELU_VANISHES), series, ratio: T::NORMAL.at(near), decay }
    }

    /// `Φ(−a)`
    #[inline(always)]
    fn tail(&self) -> T {
        parts::rounded_product(self.ratio, self.decay) * T::LOWERED
    }

    /// `φ(x)/Φ(x)` times a factor, rounded once where it is below the normal numbers.
    #[inline(always)]
    fn inverse_mills_times(&self, factor: T) -> T {
        let left = self.x.is_below(T::ZERO);
        let density = T::of(DENSITY);
        let above = select(left, select(self.is_far, self.a, density), self.decay[0] * density);
        let of_left = select(self.is_far, self.series, self.ratio[0] + self.ratio[1]);
        let share = above / select(left, of_left, T::ONE - self.tail());
        (share * factor) * select(left, T::ONE, T::LOWERED)
    }
}

/// `Φ(x)`
#[inline(always)]
pub(crate) fn ndtr<T: Format>(x: T) -> T {
    let tail = Normal::of(x).tail();
    select(x.is_below(T::ZERO), tail, T::ONE - tail)
}

/// `ln Φ(x)`
#[inline(always)]
pub(crate) fn log_ndtr<T: Format>(x: T) -> T {
    let normal = Normal::of(x);
    let left = x.is_below(T::ZERO);
    // On the left ln M(a) − a²/2, both below 0; on the right the logarithm of 1 less the tail.
    let tail = normal.tail();
    let of_left = select(normal.is_far, normal.series * T::of(DENSITY) / normal.a, normal.ratio[0] + normal.ratio[1]);
    let total = select(left, of_left, T::ONE - tail);
    let (k, m) = total.split();
    // What 1 less the tail rounds away, times 2^−k.
    let lost = select(left, T::ZERO, ((T::ONE - total) - tail) * select(k.is_below(T::ZERO), T::of(2.0), T::ONE));
    let f = select(!left & tail.is_below(T::of(0.25)), -tail, (m - T::ONE) + lost);
    log_or_special(total, log(k, f)) - select(left, T::of(0.5) * x * x, T::ZERO)
}

/// `φ(x)/Φ(x)`, the derivative of [`log_ndtr`].
#[inline(always)]
pub(crate) fn inverse_mills<T: Format>(x: T) -> T {
    Normal::of(x).inverse_mills_times(T::ONE)
}

/// `h·(h + x)` for `h = φ(x)/Φ(x)`, less the derivative of which it is; from 1 on the left to 0.
#[inline(always)]
pub(crate) fn mills_curve<T: Format>(x: T) -> T {
    // There it is 1 and 0.
    let x = clamp(x, [T::of(-1e10), T::GELU_VANISHES]);
    let normal = Normal::of(x);
    normal.inverse_mills_times(select(x.is_below(T::ZERO), excess(normal.a), normal.inverse_mills_times(T::ONE) + x))
}

/// `h(−a) − a`, which falls as `1/a`: a rational function of `1/(1 + a/2)`, all of whose terms have one sign.
#[inline(always)]
pub(crate) fn excess<T: Format>(a: T) -> T {
    let t = T::of(2.0) / (T::of(2.0) + a);
    t * (polynomial(t, T::EXCESS[0]) / polynomial(t, T::EXCESS[1]))
}
