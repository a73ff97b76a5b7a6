//! Derivatives of the gamma function's logarithm, and the inverse of the error function, for single numbers of `f64`.
//!
//! Plain arithmetic, square roots, and this crate's own logarithm: the same bits on every CPU. Measured against 40
//! digits, values and slopes are within 4 ulp, but next to zeros where no formula of this length can be: those of the digamma
//! function below 0. The narrow type is computed in the wide one and rounded once.

mod coefficients;
#[cfg(test)]
mod tests;

use super::elementary;
use coefficients as c;

/// `Σ c[i]·x^i`
#[inline(always)]
fn polynomial<const N: usize>(x: f64, c: &[f64; N]) -> f64 {
    c.iter().rfold(0.0, |sum, c| sum * x + c)
}

#[inline(always)]
fn ratio<const M: usize, const N: usize>(x: f64, (above, below): &(&[f64; M], &[f64; N])) -> f64 {
    polynomial(x, above) / polynomial(x, below)
}

/// `ψ(x) = Γ′(x)/Γ(x)`; −∞ at 0, ∞ at −0, NaN at the negative integers, where the limits of both sides differ.
pub(crate) fn digamma(x: f64) -> f64 {
    if x >= 3.0 {
        digamma_of_large(x)
    } else if x >= 1.0 {
        // x − 1 is exact up to 3.
        digamma_after(x - 1.0)
    } else if x > 0.0 {
        digamma_after(x) - 1.0 / x
    } else if x == 0.0 {
        -1.0 / x
    } else {
        // ψ(x) = ψ(1 − x) − π·cot(πx)
        let a = -x;
        (if a < 2.0 { digamma_after(a) } else { digamma_of_large(1.0 + a) }) + pi_cot_pi(a)
    }
}

/// `ψ(1 + t)` for `t` from 0 to 2: the distance from the zero of `ψ`, which is known to twice the digits, times a ratio.
#[inline(always)]
fn digamma_after(t: f64) -> f64 {
    ((t - c::ZERO_LESS_1[0]) - c::ZERO_LESS_1[1]) * (0.875 + ratio(t, &c::DIGAMMA_CENTRE))
}

/// `ψ(x)` from 3 on: `ln x − 1/(2x)`, and what the asymptotic series adds.
#[inline(always)]
fn digamma_of_large(x: f64) -> f64 {
    let z = 1.0 / (x * x);
    elementary::ln(x) + (z * ratio(z, &c::DIGAMMA_LARGE) - 0.5 / x)
}

/// `π·cot(πa)` for `a > 0`; NaN at integers.
fn pi_cot_pi(a: f64) -> f64 {
    // Exact, between −½ and ½.
    let r = a - a.round_ties_even();
    let rest = 0.5 - r.abs();
    let z = if r.abs() <= 0.25 { r * r } else { rest * rest };
    let (sine, cosine) = (polynomial(z, &c::SIN_PI), 1.0 + z * polynomial(z, &c::COS_PI));
    if r == 0.0 {
        f64::NAN
    } else if r.abs() <= 0.25 {
        std::f64::consts::PI * cosine / (r * sine)
    } else {
        (std::f64::consts::PI * (rest * sine) / cosine).copysign(r)
    }
}

/// The `order`-th derivative of `ψ`. Below 0, terms of both signs of `x + k` are summed apart: nothing cancels that does not
/// in the result.
pub(crate) fn polygamma(order: u32, x: f64) -> f64 {
    if order == 0 {
        return digamma(x);
    }
    let odd = order % 2 == 1;
    let sign = if odd { 1.0 } else { -1.0 };
    if x > 0.0 {
        return sign * powers(order, x);
    }
    if x == 0.0 {
        return if odd { f64::INFINITY } else { -1.0 / x };
    }
    let a = -x;
    // Exact, from 0 to below 1.
    let f = a - a.floor();
    if f == 0.0 {
        return if odd { f64::INFINITY } else { f64::NAN };
    }
    powers(order, 1.0 - f) * sign + (powers(order, f) - powers(order, 1.0 + a))
}

/// `n! Σ_{k≥0} 1/(x + k)^(n+1)` for `x > 0`, `n ≥ 1`: Euler's and Maclaurin's formula where `x + k` is large, after that
/// single terms, the smallest first.
fn powers(n: u32, x: f64) -> f64 {
    let order = f64::from(n);
    // With 12 terms, what is left out is below 1e-17 of the sum.
    let least = 10.0 + order;
    let steps = if x < least { (least - x).ceil() } else { 0.0 };
    let a = x + steps;
    let mut series = 0.0;
    for (j, &bernoulli) in c::BERNOULLI.iter().enumerate().rev() {
        let m = order + 2.0 * j as f64;
        series = (series + bernoulli) * (m / a) * ((m + 1.0) / a);
    }
    // (n − 1)!/a^n
    let leading = (1..n).fold(1.0 / a, |p, j| p * f64::from(j) / a);
    let mut sum = leading * (1.0 + (0.5 * order / a + series));
    let mut k = steps;
    while k > 0.0 {
        k -= 1.0;
        let a = x + k;
        sum += (1..=n).fold(1.0, |p, j| p * f64::from(j) / a) / a;
    }
    sum
}

/// The `y` with `erf y = x`: ±∞ at ±1, NaN beyond.
pub(crate) fn erfinv(x: f64) -> f64 {
    match Place::of(x) {
        Place::Centre { w, .. } => x * half_sqrt_pi_and(w * ratio(w, &c::ERFINV_CENTRE)),
        Place::Tail { s, .. } => (s - s * ratio(s, &c::ERFINV_TAIL)).copysign(x),
        Place::End => f64::INFINITY.copysign(x),
        Place::Outside => f64::NAN,
    }
}

/// `√π/2 · e^(y²)` for `y = erfinv x`, from `x` itself, since `e^(y²)` would have many times the error of `y`.
pub(crate) fn erfinv_slope(x: f64) -> f64 {
    match Place::of(x) {
        Place::Centre { w, product } => half_sqrt_pi_and(w * ratio(w, &c::SLOPE_CENTRE)) / product,
        Place::Tail { s, u } => (0.5 + ratio(s, &c::SLOPE_TAIL)) / (s * u),
        Place::End => f64::INFINITY,
        Place::Outside => f64::NAN,
    }
}

/// `√π/2 + rest`
#[inline(always)]
fn half_sqrt_pi_and(rest: f64) -> f64 {
    c::HALF_SQRT_PI[0] + (rest + c::HALF_SQRT_PI[1])
}

/// Where an argument of `erfinv` lies, and the variable in which its functions are smooth there.
enum Place {
    /// `w = −ln(1 − x²)` and `1 − x²`.
    Centre { w: f64, product: f64 },
    /// `u = 1 − |x|` and `s = √(−ln u)`.
    Tail { s: f64, u: f64 },
    /// ±1
    End,
    /// Beyond, or NaN.
    Outside,
}

impl Place {
    #[inline(always)]
    fn of(x: f64) -> Self {
        let a = x.abs();
        // Exact from ½ on, where it matters.
        let u = 1.0 - a;
        if u > 1.0 / 256.0 {
            let product = u * (1.0 + a);
            let w = if a < 0.5 { -elementary::ln_1p(-a * a) } else { -elementary::ln(product) };
            Self::Centre { w, product }
        } else if u > 0.0 {
            Self::Tail { s: (-elementary::ln(u)).sqrt(), u }
        } else if u == 0.0 {
            Self::End
        } else {
            Self::Outside
        }
    }
}
