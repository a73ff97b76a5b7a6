//! The inverse of the error function, and its derivative. Where most arguments lie, each number type has its own fit; next to ±1 the
//! narrow type is computed in the wide one and rounded once.

use super::{coefficients as c, ratio};
use crate::number::elementary::{self, Format, select};
use crate::number::real::Single;

/// What the formulas need to know of a number type.
pub trait InverseError: Format {
    /// `√π/2` as a sum of two.
    const HALF_SQRT_PI: [Self; 2];
    /// Coefficients of `P` and `Q` in `(y/x − √π/2)/w = P(w)/Q(w)` by `w = −ln(1 − x²)` in [0, 4.87].
    const ERFINV: [&'static [Self]; 2];
    /// Of the same in `(√π/2·e^(y²)·(1 − x²) − √π/2)/w`; without a `Q` it is `P`.
    const SLOPE: [&'static [Self]; 2];
}

impl InverseError for f64 {
    const HALF_SQRT_PI: [Self; 2] = c::HALF_SQRT_PI;
    const ERFINV: [&'static [Self]; 2] = [c::ERFINV_CENTRE.0, c::ERFINV_CENTRE.1];
    const SLOPE: [&'static [Self]; 2] = [c::SLOPE_CENTRE.0, c::SLOPE_CENTRE.1];
}

impl InverseError for f32 {
    const HALF_SQRT_PI: [Self; 2] = [0.8862269, 2.4299998e-8];
    // Error 2^−29.6 of `y`.
    const ERFINV: [&'static [Self]; 2] = [
        &[0.23201364, 0.015710818, 0.0031989077, 9.6372016e-5, -1.0151318e-5, 2.948674e-7],
        &[1.0, 0.01793519, 0.022962648],
    ];
    // Error 2^−30.1 of the slope.
    const SLOPE: [&'static [Self]; 2] = [
        &[
            -0.1901859,
            0.036832716,
            -0.005353203,
            0.0005846011,
            -5.0360766e-5,
            3.8702888e-6,
            -2.91657e-7,
            1.788916e-8,
            -5.631461e-10,
        ],
        &[],
    ];
}

/// The `y` with `erf y = x`: ±∞ at ±1, NaN beyond.
pub(crate) fn erfinv<T: InverseError + Single>(x: T) -> T {
    if !is_near_one(x) {
        return erfinv_near(x);
    }
    T::of(match Place::of(x.to_f64()) {
        Place::Tail { s, .. } => (s - s * ratio(s, &c::ERFINV_TAIL)).copysign(x.to_f64()),
        Place::End => f64::INFINITY.copysign(x.to_f64()),
        Place::Outside => f64::NAN,
    })
}

/// `√π/2 · e^(y²)` for `y = erfinv x`, from `x` itself, since `e^(y²)` would have many times the error of `y`.
pub(crate) fn erfinv_slope<T: InverseError + Single>(x: T) -> T {
    if !is_near_one(x) {
        return erfinv_slope_near(x);
    }
    T::of(match Place::of(x.to_f64()) {
        Place::Tail { s, u } => (0.5 + ratio(s, &c::SLOPE_TAIL)) / (s * u),
        Place::End => f64::INFINITY,
        Place::Outside => f64::NAN,
    })
}

/// Whether `x` is next to ±1 or beyond, or NaN.
#[inline(always)]
pub(crate) fn is_near_one<T: InverseError>(x: T) -> T::Mask {
    (T::ONE - x.abs()).is_at_most(T::of(1.0 / 256.0)) | x.is_nan()
}

/// `erfinv x`, unless [`is_near_one`].
#[inline(always)]
pub(crate) fn erfinv_near<T: InverseError>(x: T) -> T {
    let [w, _] = w_and_product(x);
    x * half_sqrt_pi_and(w * quotient(w, T::ERFINV))
}

/// Its derivative, unless [`is_near_one`].
#[inline(always)]
pub(crate) fn erfinv_slope_near<T: InverseError>(x: T) -> T {
    let [w, product] = w_and_product(x);
    half_sqrt_pi_and(w * quotient(w, T::SLOPE)) / product
}

/// `w = −ln(1 − x²)` and `1 − x²`.
#[inline(always)]
fn w_and_product<T: InverseError>(x: T) -> [T; 2] {
    let a = x.abs();
    // 1 − a is exact from ½ on, where it matters.
    let product = (T::ONE - a) * (T::ONE + a);
    [-elementary::ln_of_sum(product, select(a.is_below(T::of(0.5)), -a * a, T::ONE)), product]
}

/// `√π/2 + rest`
#[inline(always)]
fn half_sqrt_pi_and<T: InverseError>(rest: T) -> T {
    T::HALF_SQRT_PI[0] + (rest + T::HALF_SQRT_PI[1])
}

/// `P(w)/Q(w)`, or `P(w)` where there is no `Q`.
#[inline(always)]
fn quotient<T: InverseError>(w: T, [above, below]: [&[T]; 2]) -> T {
    let polynomial = |c: &[T]| c.iter().rfold(T::ZERO, |sum, &c| sum * w + c);
    if below.is_empty() { polynomial(above) } else { polynomial(above) / polynomial(below) }
}

/// Where an argument next to ±1 lies, and the variable in which the functions are smooth there.
enum Place {
    /// `u = 1 − |x|` and `s = √(−ln u)`.
    Tail { s: f64, u: f64 },
    /// ±1
    End,
    /// Beyond, or NaN.
    Outside,
}

impl Place {
    fn of(x: f64) -> Self {
        let u = 1.0 - x.abs();
        if u > 0.0 {
            Self::Tail { s: (-elementary::ln(u)).sqrt(), u }
        } else if u == 0.0 {
            Self::End
        } else {
            Self::Outside
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_of_f32_are_within_four_ulp_of_those_of_f64() {
        let ulps =
            |got: f32, right: f64| (f64::from(got) - right).abs() / f64::from((right as f32).next_up() - right as f32);
        let all = (0..700_000).map(|i| i as f32 / 700_000.0);
        let all = all
            .chain((1..2000).map(|i| 2_f32.powf(-0.07 * i as f32)))
            .chain((1..3000).map(|i| 1.0 - i as f32 * f32::EPSILON));
        for x in all {
            let (y, slope) = (erfinv(f64::from(x)), erfinv_slope(f64::from(x)));
            assert!(ulps(erfinv(x), y) <= 4.0, "{x}: {} not {y}", erfinv(x));
            assert!(ulps(erfinv_slope(x), slope) <= 4.0, "{x}: {} not {slope}", erfinv_slope(x));
            assert!(erfinv(-x) == -erfinv(x) && erfinv_slope(-x) == erfinv_slope(x));
        }
    }
}
