//! What rows of the table need more than a line for: rules in operations, and the derivatives of the cardinal sine.

use super::unary::wide;
use crate::float::Float;
use crate::kernels::map::{map_formula, map_numbers};
use crate::number::elementary::{difference, sinc, sinc_curve, sinc_slope};
use crate::number::formula::{Formula, Functions};
use crate::tape::var::Var;
use std::f64::consts::PI;

/// Of the tanh form of GELU (Hendrycks and Gimpel, 2016) twice the constant `√(2/π)`, and its cubic coefficient.
const GELU: (f64, f64) = (1.5957691216057308, 0.044715);

/// `(sin πx, cos πx)`, from the distance to the nearest half: exact where they are 0 or ±1, and of full accuracy for large `x`,
/// whose product with π has lost it.
fn sin_cos_pi(x: f64) -> (f64, f64) {
    // From here on, all numbers are even integers.
    const EVEN: f64 = 2.0 / f64::EPSILON;
    if x.abs() >= EVEN {
        return (0.0_f64.copysign(x), 1.0);
    }
    let halves = (2.0 * x).round_ties_even();
    let (sin, cos) = (PI * (x - 0.5 * halves)).sin_cos();
    match halves.rem_euclid(4.0) as u8 {
        0 => (sin, cos),
        1 => (cos, -sin),
        2 => (-sin, -cos),
        _ => (-cos, sin),
    }
}

/// The `n`-th derivative of `sin t / t` at `t = πx`: the Taylor series for small `t`, else the recurrence
/// `t·f_n + n·f_{n−1} = sin(t + nπ/2)`.
fn sinc_derivative(n: u32, x: f64) -> f64 {
    if x.is_infinite() {
        return 0.0;
    }
    let t = PI * x;
    // A NaN has no series that ends.
    if t.is_nan() || t.abs() > 1.0 + 2.0 * f64::from(n) {
        let (sin, cos) = sin_cos_pi(x);
        let sines = [sin, cos, -sin, -cos];
        return (1..=n).fold(sin / t, |f, k| (sines[k as usize % 4] - f64::from(k) * f) / t);
    }
    // sin t / t = Σ (−1)^j t^2j / (2j+1)!, differentiated n times term by term.
    let first = n.div_ceil(2);
    let (mut sum, mut j) = (0.0, first);
    loop {
        let power = 2 * j - n;
        let term = (1..=power).fold(1.0, |p, k| p * t / f64::from(k)) / f64::from(2 * j + 1);
        sum += if j % 2 == 0 { term } else { -term };
        if term.abs() <= 1e-18 * sum.abs() || term == 0.0 {
            return sum;
        }
        j += 1;
    }
}

/// The cardinal sine and its first two derivatives.
struct Sinc<const ORDER: usize>;

impl<const ORDER: usize> Formula<1, 1> for Sinc<ORDER> {
    #[inline(always)]
    fn of<R: Functions>(&self, [x]: [R; 1]) -> [R; 1] {
        [match ORDER {
            0 => sinc(x),
            1 => sinc_slope(x),
            _ => sinc_curve(x),
        }]
    }
}

/// The `n`-th derivative of the cardinal sine: those that are common in vectors.
pub(super) fn sinc_derivatives<T: Float>(n: u32, x: &[T], out: &mut [T]) {
    match n {
        0 => map_formula(x, [out], &Sinc::<0>),
        1 => map_formula(x, [out], &Sinc::<1>),
        2 => map_formula(x, [out], &Sinc::<2>),
        _ => map_numbers(x, out, |x| wide(x, |x| PI.powi(n as i32) * sinc_derivative(n, x))),
    }
}

/// `d/dx x^p = p·x^(p−1)`, with `p` as a sum: nothing for `p = 0`, exactly `g` for `p = 1`, also at 0.
pub(super) fn pow_rule<'t, T: Float>(x: Var<'t, T>, g: Var<'t, T>, [exponent, rest]: [f64; 2]) -> Option<Var<'t, T>> {
    let ([less, lost], factor) = (difference(exponent, 1.0), exponent + rest);
    let rest = lost + rest;
    if factor == 0.0 {
        None
    } else if less == 0.0 && rest == 0.0 {
        Some(g)
    } else {
        let power = if rest == 0.0 || rest.is_nan() { x.pow_scalar(less) } else { x.pow_parts(less, rest) };
        Some(g.zmul(power.mul_scalar(factor)))
    }
}

/// The third derivative of the tanh form, in operations: of `y″ = t·c`, with `t = σ′(v)`, it is `t·(c′ − v′·tanh(v/2)·c)`.
pub(super) fn gelu_tanh_third<'t, T: Float>(x: Var<'t, T>, g: Var<'t, T>) -> Var<'t, T> {
    let (k, a) = GELU;
    let x2 = x.square();
    let v = x.zmul(x2.mul_scalar(a).add_scalar(1.0)).mul_scalar(k);
    let dv = x2.mul_scalar(3.0 * a).add_scalar(1.0).mul_scalar(k);
    let ddv = x.mul_scalar(6.0 * k * a);
    let (t, h) = (v.sigmoid_slope(), v.mul_scalar(0.5).tanh());
    // c′ = 3v″ − v′²·h + x(v‴ − 2v′v″h − 2v′³t), as h′ = 2t·v′.
    let bend = ddv - dv.square().zmul(h);
    let curve = dv.mul_scalar(2.0) + x.zmul(bend);
    let further = (dv.zmul(ddv).zmul(h) + dv.square().zmul(dv).zmul(t)).mul_scalar(-2.0).add_scalar(6.0 * k * a);
    let slope = ddv.mul_scalar(2.0) + bend + x.zmul(further);
    g.zmul(t.zmul(slope - dv.zmul(h).zmul(curve)))
}

/// The derivative of the curve `h·m₁` of `ln Φ`, with moments `m_k` of the excess: `2h·(m₂ − m₁²)`, which is `−(6m₃ − 6m₁m₂ + 2m₁³)`.
/// The first cancels on the left, where `m_k` goes as `|x|^−k`, the second on the right.
pub(super) fn mills_third<'t, T: Float>(x: Var<'t, T>, g: Var<'t, T>) -> Var<'t, T> {
    let [m1, m2, m3] = [1, 2, 3].map(|order| x.normal_excess(order));
    let square = m1.square();
    let left = (m3 - m1.zmul(m2)).mul_scalar(-6.0) - m1.zmul(square).mul_scalar(2.0);
    let right = x.inverse_mills().zmul(m2 - square).mul_scalar(2.0);
    g.zmul(x.lt(0.0).select(left, right))
}

/// The third derivative of silu, in operations: of `y″ = t·(2 − x·h)`, with `t = σ′(x)` and `h = tanh(x/2)`, it is
/// `−t·(h·(3 − x·h) + 2x·t)`, as `t′ = −t·h` and `h′ = 2t`.
pub(super) fn silu_third<'t, T: Float>(x: Var<'t, T>, g: Var<'t, T>) -> Var<'t, T> {
    let (t, h) = (x.sigmoid_slope(), x.mul_scalar(0.5).tanh());
    let bend = h.zmul(x.zmul(h).neg().add_scalar(3.0)) + x.zmul(t).mul_scalar(2.0);
    g.zmul(t.zmul(bend)).neg()
}

/// The third derivative of mish, in operations: of `y″ = p·b`, with `b = 2 + x·d` and `p′ = p·d`, it is
/// `p·(d·b + d + x·d′)`, and `d′ = −σ(x)σ(−x)·(1 + 2w) − 2p·σ(x)`. Here `w = σ(x)(1 + n)/(1 + n²)` with `n = σ(−x)`.
pub(super) fn mish_third<'t, T: Float>(x: Var<'t, T>, g: Var<'t, T>) -> Var<'t, T> {
    let (s, n) = (x.sigmoid(), x.neg().sigmoid());
    let share = n.square().add_scalar(1.0).reciprocal();
    let w = s.zmul(n.add_scalar(1.0)).zmul(share);
    let p = n.mul_scalar(2.0).zmul(share).square().zmul(s);
    let d = n - w.zmul(s).mul_scalar(2.0);
    let b = x.zmul(d).add_scalar(2.0);
    let dd = s.zmul(n).zmul(w.mul_scalar(2.0).add_scalar(1.0)) + p.zmul(s).mul_scalar(2.0);
    g.zmul(p.zmul(d.zmul(b) + d - x.zmul(dd)))
}
