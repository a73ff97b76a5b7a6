//! Powers of a variable exponent: the logarithm in twice the digits, times the exponent, and the exponential of that.

use super::{Format, clamp, parts, polynomial, reduce_sum, scale, select};

/// What the formulas need to know of a number type.
pub trait Power: Format {
    /// Coefficients of `Q` in `ln((1+s)/(1−s)) = ⅔·s·(3 + s² + s⁴·Q(s²))`, `|s| ≤ (√2−1)/(√2+1)`.
    const POWER: &'static [Self];
    /// `2/3` as a sum, the first part in half the digits.
    const TWO_THIRDS: [Self; 2];
    /// The power of two from which on all numbers are even. From half of it on they are whole; added to a smaller one, the half
    /// rounds that to a whole number.
    const EVEN: Self;
    /// With an exponent of this magnitude a power is 0, 1 or ∞.
    const STEEP: Self;
    /// Whether a whole number from half of `EVEN` up to `EVEN` is odd.
    fn ends_odd(self) -> Self::Mask;
}

/// `ln x = high + low` of a positive finite `x`: with `m = x/2^k` next to 1 and `s = (m−1)/(m+1)` the series of `ln m` in `s`,
/// of which the first terms, and `s` itself, are products of halves of the digits, which are exact. (As FDLIBM's `e_pow.c` does for
/// the logarithm of base 2.)
#[inline(always)]
pub(crate) fn ln_in_parts<T: Power>(x: T) -> [T; 2] {
    let (k, m) = x.split();
    let (f, d) = (m - T::ONE, m + T::ONE);
    let inverse = d.recip();
    let s = f * inverse;
    let s_high = s.upper();
    let d_high = d.upper();
    // m + 1 = d_high + d_low exactly.
    let d_low = f - (d_high - T::of(2.0));
    let s_low = inverse * ((f - s_high * d_high) - s_high * d_low);
    // t = 3 + s² + s⁴·Q(s²)
    let (z, square) = (s * s, s_high * s_high);
    let more = s_low * (s_high + s) + z * z * polynomial(z, T::POWER);
    let t_high = (T::of(3.0) + square + more).upper();
    let t_low = more - ((t_high - T::of(3.0)) - square);
    // s·t, and two thirds of it.
    let high = s_high * t_high;
    let low = s_low * t_high + t_low * s;
    let p = (high + low).upper();
    let p_low = low - (p - high);
    let [c, c_low] = T::TWO_THIRDS;
    let (a, b) = (k * T::LN_2[0], c * p);
    let y = a + b;
    [y, (b - (y - a)) + (k * T::LN_2[1] + (c_low * p + (c + c_low) * p_low))]
}

/// The whole number that is nearest to `a ≥ 0`, and whether it is odd, which from half of `EVEN` on the lowest bit tells.
#[inline(always)]
pub(super) fn nearest_whole<T: Power>(a: T) -> (T, T::Mask) {
    let half = T::of(0.5) * T::EVEN;
    let small = a.is_below(half);
    let rounded = select(small, a + half, a);
    (select(small, rounded - half, a), rounded.is_below(T::EVEN) & rounded.ends_odd())
}

/// `b^(y + more)` by the logarithm of `b` in two parts, from exact products of halves. A NaN stays, also as a power of 1.
#[inline(always)]
pub(crate) fn pow_by_logarithm<T: Power>([high, low]: [T; 2], y: T, more: T) -> T {
    let exponent = clamp(y, [-T::STEEP, T::STEEP]);
    let (y_high, l_high) = (exponent.upper(), high.upper());
    let l_low = (high - l_high) + low;
    let product = y_high * l_high;
    let rest = y_high * l_low + ((exponent - y_high) + more) * (l_high + l_low);
    let (least, most) = (T::EXP_RANGE[0], T::EXP_RANGE[1]);
    let inside = product.is_above(least) & (product.is_below(most));
    let (shifted, r, small) = reduce_sum(clamp(product, T::EXP_RANGE), select(inside, rest, T::ZERO));
    scale(shifted, r, small)
}

/// `x^y` as IEEE 754 has `pow`.
#[inline(always)]
pub(crate) fn pow<T: Power>(x: T, y: T) -> T {
    pow_of_sum(x, y, T::ZERO)
}

/// `x^(y + more)`, of which the latter is a small fraction of the former, in which alone the signs of 0 and of negative bases, and
/// what becomes of infinities, are read.
#[inline(always)]
pub(crate) fn pow_of_sum<T: Power>(x: T, y: T, more: T) -> T {
    let a = x.abs();
    let power = pow_by_logarithm(ln_in_parts(a), y, more);
    // 0 and ∞ have no logarithm.
    let ends = select(y.is_above(T::ZERO) ^ a.is_above(T::ONE), T::ZERO, T::INFINITY);
    let power = select(a.equals(T::ZERO) | a.equals(T::INFINITY), ends, power);
    // Negative numbers have powers of whole numbers.
    let (n, odd) = nearest_whole(y.abs());
    let whole = n.equals(y.abs());
    let power = select(x.is_sign_negative() & odd & whole, -power, power);
    let power = select(x.is_below(T::ZERO) & !whole & a.is_below(T::INFINITY), T::NAN, power);
    let power = select(x.is_nan() | y.is_nan(), x + y, power);
    select(y.equals(T::ZERO) | x.equals(T::ONE), T::ONE, power)
}

/// `y·x^(y−1)`, 0 where `y` is, with the exponent that the difference rounds.
#[inline(always)]
pub(crate) fn pow_slope<T: Power>(x: T, y: T) -> T {
    let [less, rest] = parts::difference(y, T::ONE);
    let power = pow_of_sum(x, less, select(y.abs().is_below(T::INFINITY), rest, T::ZERO));
    select(y.equals(T::ZERO), T::ZERO, y * power)
}
