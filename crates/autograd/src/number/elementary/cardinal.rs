//! The cardinal sine `sin πx / (πx)` and its first two derivatives.

use super::power::{Power, nearest_whole};
use super::{Format, polynomial, select};

/// What the formulas need to know of a number type.
pub trait Cardinal: Power {
    /// Coefficients of `P` in `sin πr / (πr) = 1 + r²·P(r²)`, of `P₁` in its derivative `r·P₁(r²)`, and of its second derivative,
    /// `|r| ≤ ½`.
    const SINC: [&'static [Self]; 3];
}

/// `|x| = k + r` with an integer `k` and `|r| ≤ ½`, exactly, and whether `k` is odd.
#[inline(always)]
fn nearest<T: Cardinal>(x: T) -> (T, T, T::Mask) {
    let a = x.abs();
    let (k, odd) = nearest_whole(a);
    (k, a - k, odd)
}

#[inline(always)]
fn turned<T: Format>(odd: T::Mask, y: T) -> T {
    select(odd, -y, y)
}

/// `sin πr / (πr)`
#[inline(always)]
fn sinc_of_rest<T: Cardinal>(r: T) -> T {
    let z = r * r;
    T::ONE + z * polynomial(z, T::SINC[0])
}

/// `y`, or the limit at ±∞.
#[inline(always)]
fn or_limit<T: Format>(x: T, y: T) -> T {
    select(x.abs().equals(T::INFINITY), T::ZERO, y)
}

/// `sin πx / (πx)`, which with `x = k + r` is `±(r/x)·sin πr / (πr)`.
#[inline(always)]
pub(crate) fn sinc<T: Cardinal>(x: T) -> T {
    let (k, r, odd) = nearest(x);
    let share = select(k.equals(T::ZERO), T::ONE, r / x.abs());
    or_limit(x, turned(odd, share * sinc_of_rest(r)))
}

/// The derivative of [`sinc`] at `|x| = k + r`, without its sign: `(cos πr − r/x · sin πr / (πr))/x`. Next to 0 that cancels,
/// but is a polynomial. The cosine is the sine of what is left to a half, which has all digits where the cosine is small.
#[inline(always)]
fn slope<T: Cardinal>(x: T, k: T, r: T) -> T {
    let left = T::of(0.5) - r.abs();
    let cos = T::of(std::f64::consts::PI) * (left * sinc_of_rest(left));
    let far = (cos - sinc_of_rest(r) * (r / x)) / x;
    select(k.equals(T::ZERO), r * polynomial(r * r, T::SINC[1]), far)
}

/// The derivative of [`sinc`].
#[inline(always)]
pub(crate) fn sinc_slope<T: Cardinal>(x: T) -> T {
    let (k, r, odd) = nearest(x);
    or_limit(x, turned(odd ^ x.is_below(T::ZERO), slope(x.abs(), k, r)))
}

/// The second derivative of [`sinc`]: `−(π²·sinc x + 2 sinc′ x / x)`, as `(x·sinc x)″ = −π²·x·sinc x`.
#[inline(always)]
pub(crate) fn sinc_curve<T: Cardinal>(x: T) -> T {
    let (k, r, odd) = nearest(x);
    let a = x.abs();
    let square = T::of(std::f64::consts::PI * std::f64::consts::PI);
    let y = -(square * (r * sinc_of_rest(r)) + (slope(a, k, r) + slope(a, k, r))) / a;
    or_limit(x, turned(odd, select(k.equals(T::ZERO), polynomial(r * r, T::SINC[2]), y)))
}
