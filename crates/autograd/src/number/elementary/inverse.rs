//! The inverse trigonometric functions: polynomials of small arguments, and a root or a quotient that makes others small.

use super::{Format, polynomial, select, sum};

/// What the formulas need to know of a number type.
pub trait Inverse: Format {
    /// `π/4` as a sum. The first part ends in three zero bits, so that its product with a number up to 8 is exact.
    const EIGHTH: [Self; 2];
    /// Coefficients of `R` in `arcsin s = s + s³·R(s²)`, `|s| ≤ ½`.
    const ASIN: &'static [Self];
    /// Coefficients of `R` in `arctan t = t + t³·R(t²)`, `|t| ≤ √2 − 1`.
    const ATAN: &'static [Self];
}

/// `n·π/4 + high + low`, for `|high|` at most `π/2` and less than the former where that is not 0, and a small `low`.
#[inline(always)]
fn eighths_and<T: Inverse>(n: T, high: T, low: T) -> T {
    sum(n * T::EIGHTH[0], high, low + n * T::EIGHTH[1])
}

/// `(far, s, rest)`: up to ½ `s` is `|x|`, beyond it `√((1−|x|)/2)`, and `rest` is `arcsin s − s`.
#[inline(always)]
fn asin_parts<T: Inverse>(x: T) -> (T::Mask, T, T) {
    let a = x.abs();
    let far = a.is_above(T::of(0.5));
    let z = select(far, T::of(0.5) * (T::ONE - a), a * a);
    let s = select(far, z.sqrt(), a);
    (far, s, s * z * polynomial(z, T::ASIN))
}

/// `arcsin x`, beyond ½ as `π/2 − 2 arcsin √((1−x)/2)`
#[inline(always)]
pub(crate) fn asin<T: Inverse>(x: T) -> T {
    let (far, s, rest) = asin_parts(x);
    let (n, times) = (select(far, T::of(2.0), T::ZERO), select(far, T::of(-2.0), T::ONE));
    eighths_and(n, times * s, times * rest).copysign(x)
}

/// `arccos x`, up to ½ as `π/2 − arcsin x`, beyond it as `2 arcsin √((1−x)/2)`
#[inline(always)]
pub(crate) fn acos<T: Inverse>(x: T) -> T {
    let (far, s, rest) = asin_parts(x);
    let n = select(far, select(x.is_below(T::ZERO), T::of(4.0), T::ZERO), T::of(2.0));
    let times = select(far, T::of(2.0), -T::ONE).copysign(x) * select(far, T::ONE, -T::ONE);
    eighths_and(n, times * s, times * rest)
}

/// `arctan x`
#[inline(always)]
pub(crate) fn atan<T: Inverse>(x: T) -> T {
    let a = x.abs();
    let large = a.is_above(T::ONE);
    let (n, high, low) = atan_parts(select(large, T::ONE, a), select(large, a, T::ONE));
    let (turned, sign) = (select(large, T::of(2.0) - n, n), select(large, -T::ONE, T::ONE));
    eighths_and(turned, sign * high, sign * low).copysign(x)
}

/// `arctan(u/v)` for `0 ≤ u ≤ v` as `n·π/4 + high + low`, `n` 0 or 1: where the quotient is above `√2 − 1`, as that of
/// `(u−v)/(u+v)` and `π/4`.
#[inline(always)]
fn atan_parts<T: Inverse>(u: T, v: T) -> (T, T, T) {
    let middle = u.is_above(T::of(std::f64::consts::SQRT_2 - 1.0) * v);
    let t = select(middle, u - v, u) / select(middle, u + v, v);
    let z = t * t;
    (select(middle, T::ONE, T::ZERO), t, t * z * polynomial(z, T::ATAN))
}

/// The angle of the point `(x, y)`.
#[inline(always)]
pub(crate) fn atan2<T: Inverse>(y: T, x: T) -> T {
    let (a, b) = (y.abs(), x.abs());
    let steep = a.is_above(b);
    let (u, v) = (select(steep, b, a), select(steep, a, b));
    // Both 0: as (0, 1); both infinite: as (1, 1). Halves, where the sum may overflow.
    let both = u.equals(T::INFINITY) & (v.equals(T::INFINITY));
    let (u, v) = (select(both, T::ONE, u), select(both | v.equals(T::ZERO), T::ONE, v));
    let scale = select(v.is_above(T::of(0.25) * T::MAX), T::of(0.25), T::ONE);
    let (n, high, low) = atan_parts(u * scale, v * scale);
    // The angle is the one of the first eighth, or is counted from the vertical or from the negative axis.
    let left = x.is_sign_negative();
    let away = steep ^ left;
    let from = select(left, select(steep, T::of(2.0), T::of(4.0)), select(steep, T::of(2.0), T::ZERO));
    let sign = select(away, -T::ONE, T::ONE);
    eighths_and(from + sign * n, sign * high, sign * low).copysign(y)
}
