//! The gamma function's logarithm and its derivatives, and the inverse of the error function, for single numbers of `f64`. Where
//! most arguments lie, a function has no branch (`…_usual`), so that loops over it become vectors.
//!
//! Plain arithmetic, square roots, and this crate's own logarithm: the same bits on every CPU. Measured against 40
//! digits, values and slopes are within 4 ulp, but next to zeros where no formula of this length can be: those of the digamma
//! function below 0. The narrow type is computed in the wide one and rounded once, but for most of the
//! inverse of the error function, which has a fit for each type.

mod coefficients;
mod inverse_error;
#[cfg(test)]
mod tests;

use super::elementary::{self, select};
use coefficients as c;
pub(crate) use inverse_error::{InverseError, erfinv, erfinv_near, erfinv_slope, erfinv_slope_near, is_near_one};

/// `Σ c[i]·x^i`
#[inline(always)]
fn polynomial<const N: usize>(x: f64, c: &[f64; N]) -> f64 {
    c.iter().rfold(0.0, |sum, c| sum * x + c)
}

#[inline(always)]
fn ratio<const M: usize, const N: usize>(x: f64, (above, below): &(&[f64; M], &[f64; N])) -> f64 {
    polynomial(x, above) / polynomial(x, below)
}

/// `ln |Γ(x)|`; ∞ at 0 and at the negative integers.
pub(crate) fn lgamma(x: f64) -> f64 {
    if is_usual_for_gamma(x) { lgamma_usual(x) } else { libm::lgamma(x) }
}

/// Whether a number is positive and neither tiny nor huge.
#[inline(always)]
pub(crate) fn is_usual_for_gamma(x: f64) -> bool {
    // 2^±58
    (x > 3.469446951953614e-18) & (x < 2.882303761517117e17)
}

/// `ln Γ(x)` for such a number: the parts of fdlibm, of which one is picked.
#[inline(always)]
pub(crate) fn lgamma_usual(x: f64) -> f64 {
    let (is_large, is_near) = (x >= 8.0, x < 2.0);
    // Below 0.9 it is ln Γ(1 + x) − ln x.
    let is_small = x <= 0.9;
    let near = select(is_small, x + 1.0, x);
    // The distance from 2, exact where it is used.
    let below = select(is_small, 1.0 - x, 2.0 - x);
    let z = below * below;
    let [even, odd] = &c::LGAMMA_BELOW;
    let below = (below * polynomial(z, even) + z * polynomial(z, odd)) - 0.5 * below;
    let [least, at_least, tail] = c::LGAMMA_LEAST;
    let middle = select(is_small, x - (least - 1.0), x - least);
    let z = middle * middle;
    let [p1, p2, p3] = c::LGAMMA_MIDDLE.each_ref().map(|p| polynomial(z * middle, p));
    let middle = at_least + (z * p1 - (tail - z * middle * (p2 + middle * p3)));
    // From 1 to 1.23, and from 2 to 8, where steps of 1 lead down to between 2 and 3.
    let (mut after, mut product) = (x - 2.0, 1.0);
    for step in [3.0, 4.0, 5.0, 6.0, 7.0] {
        after = select(x >= step, x - step, after);
    }
    for step in [7.0, 6.0, 5.0, 4.0, 3.0] {
        product *= select(x >= step, after + (step - 1.0), 1.0);
    }
    let after_1 = select(is_small, x, x - 1.0);
    let (above, from_2) = (&c::LGAMMA_ABOVE, &c::LGAMMA_FROM_2);
    let over = select(is_near, after_1 * polynomial(after_1, above.0), after * polynomial(after, from_2.0));
    let under = select(is_near, polynomial(after_1, above.1), polynomial(after, from_2.1));
    let after = over / under + select(is_near, -0.5 * after_1, 0.5 * after);
    let log = elementary::ln(select(is_large | is_small, x, select(is_near, 1.0, product)));
    let inverse = 1.0 / x;
    let large =
        (x - 0.5) * (log - 1.0) + (c::LGAMMA_LARGE.0 + inverse * polynomial(inverse * inverse, &c::LGAMMA_LARGE.1));
    let part = select(near >= 1.7316, below, select(near >= 1.2316, middle, after));
    select(is_large, large, select(is_near, part, after) + select(is_small, -log, log))
}

/// `ψ(x) = Γ′(x)/Γ(x)`; −∞ at 0, ∞ at −0, NaN at the negative integers, where the limits of both sides differ.
pub(crate) fn digamma(x: f64) -> f64 {
    if x > 0.0 {
        digamma_usual(x)
    } else if x == 0.0 {
        -1.0 / x
    } else {
        // ψ(x) = ψ(1 − x) − π·cot(πx)
        let a = -x;
        (if a < 2.0 { digamma_after(a) } else { digamma_of_large(1.0 + a) }) + pi_cot_pi(a)
    }
}

/// `ψ(x)` for `x > 0`.
#[inline(always)]
pub(crate) fn digamma_usual(x: f64) -> f64 {
    let is_small = x < 1.0;
    // x − 1 is exact up to 3.
    let after = digamma_after(select(is_small, x, x - 1.0));
    let near = select(is_small, after - 1.0 / x, after);
    select(x >= 3.0, digamma_of_large(x), near)
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

/// `E[(x − Z)^n | Z < x] / n!` of a normally distributed `Z`: a ratio `Hh_n/Hh_0` of repeated integrals of the density, for which
/// `n·Hh_n = Hh_{n−2} + x·Hh_{n−1}`. That is stable on the right, and for little on the left; further out, ratios of neighbours come
/// of the recurrence backward, from where its start is forgotten.
pub(crate) fn normal_excess(n: u32, x: f64) -> f64 {
    if x.is_infinite() {
        return x.max(0.0);
    }
    if x > -1.0 || x.is_nan() {
        let first = if x < 0.0 { elementary::excess(-x) } else { elementary::inverse_mills(x) + x };
        let (mut before, mut y) = (1.0, first);
        for k in 2..=n {
            (before, y) = (y, (before + x * y) / f64::from(k));
        }
        return y;
    }
    let a = -x;
    // A start's error falls as e^(−2a·√k).
    let last = (f64::from(n).sqrt() + 20.0 / a).powi(2).ceil() + 4.0;
    let mut ratio = 2.0 / (a + (a * a + 4.0 * last).sqrt());
    let (mut y, mut k) = (1.0, last);
    while k > 1.0 {
        if k <= f64::from(n) {
            y *= ratio;
        }
        ratio = 1.0 / (a + k * ratio);
        k -= 1.0;
    }
    y * ratio
}
