//! The error function and the activations: against mpmath, `f32` against `f64`, at the ends, and with their slopes.

use super::everywhere;
use super::tables::*;
use crate::number::Number;
use crate::number::elementary::*;

/// A function in both types, its table, how far it may be off in units of the last place of the largest of the terms it is a
/// sum of, and the largest of these terms by the `f64` functions where it may not be the value itself.
struct Case {
    name: &'static str,
    single: fn(f32) -> f32,
    double: fn(f64) -> f64,
    table: &'static [[f64; 3]],
    most: f64,
    term: fn(f64) -> f64,
}

macro_rules! cases {
    ($($name:ident, $table:ident, $most:literal, |$x:ident| $term:expr;)*) => {
        const CASES: &[Case] = &[$(Case {
            name: stringify!($name),
            single: $name::<f32>,
            double: $name::<f64>,
            table: $table,
            most: $most,
            term: |$x| $term,
        }),*];
    };
}

cases! {
    erf, ERF, 2.0, |_x| 0.0;
    erfc, ERFC, 2.0, |_x| 0.0;
    erf_slope, ERF_SLOPE, 2.0, |_x| 0.0;
    normal_density, NORMAL_DENSITY, 2.0, |_x| 0.0;
    ndtr, NDTR, 2.0, |_x| 0.0;
    log_ndtr, LOG_NDTR, 3.0, |_x| 0.0;
    inverse_mills, INVERSE_MILLS, 4.0, |_x| 0.0;
    mills_curve, MILLS_CURVE, 7.0, |_x| 0.0;
    gelu, GELU, 2.0, |_x| 0.0;
    gelu_slope, GELU_SLOPE, 4.0, |x| larger_part(gelu(x) / x, gelu_slope(x));
    silu, SILU, 2.0, |_x| 0.0;
    silu_slope, SILU_SLOPE, 4.0, |x| larger_part(sigmoid(x), silu_slope(x));
    silu_curve, SILU_CURVE, 7.0, |x| larger_part(2.0 * sigmoid_slope(x), silu_curve(x));
    gelu_tanh, GELU_TANH, 2.0, |_x| 0.0;
    gelu_tanh_slope, GELU_TANH_SLOPE, 4.0, |x| larger_part(gelu_tanh(x) / x, gelu_tanh_slope(x));
    gelu_tanh_curve, GELU_TANH_CURVE, 7.0, |x| largest_of_gelu_tanh_curve(x);
    mish, MISH, 4.0, |_x| 0.0;
    mish_slope, MISH_SLOPE, 4.0, |x| larger_part(mish(x) / x, mish_slope(x));
    mish_curve, MISH_CURVE, 7.0, |x| larger_part(2.0 * (mish_slope(x) - mish(x) / x) / x, mish_curve(x));
}

/// The larger of two terms, from one and their sum.
fn larger_part(part: f64, all: f64) -> f64 {
    part.abs().max((all - part).abs())
}

/// The largest term of `σ′(v)·(2v′ + x·(v″ − v′²·tanh(v/2)))`.
fn largest_of_gelu_tanh_curve(x: f64) -> f64 {
    let (first, cubic) = (1.5957691216057308, 0.07135481627159);
    let (v, dv) = (x * (first + cubic * x * x), first + 3.0 * cubic * x * x);
    sigmoid_slope(v) * (2.0 * dv).max((x * dv * dv * (0.5 * v).tanh()).abs())
}

/// The distance in units of the last place of the larger of `want` and a term.
fn ulps<T: Number>(got: T, want: f64, term: f64) -> f64 {
    let (digits, least) = if T::NAME == "f32" { (23, -149) } else { (52, -1022) };
    let exponent = want.abs().max(term).max(f64::MIN_POSITIVE).log2().floor() as i32;
    (got.to_f64() - want).abs() / 2_f64.powi((exponent - digits).max(least))
}

#[test]
fn values_slopes_and_curves_are_as_close_to_mpmath_as_the_conventions_say_at_every_level() {
    fn check<T: Number>(case: &Case, f: impl Fn(T) -> T + Copy) {
        let x: Vec<T> = case.table.iter().map(|row| T::of(row[0])).collect();
        for (&[x, want, term], y) in case.table.iter().zip(everywhere(case.name, &x, f)) {
            let off = ulps(y, want, term);
            // The table is rounded, too.
            let most = case.most + if T::NAME == "f32" { 0.0 } else { 0.5 };
            assert!(off <= most, "{}({x:e}) = {y:e}, not {want:e}, off by {off} ulp", case.name);
        }
    }
    for case in CASES {
        check(case, case.single);
        check(case, case.double);
    }
}

#[test]
fn functions_of_f32_are_as_close_to_those_of_f64_at_all_magnitudes() {
    for case in CASES {
        let patterns = (0..=u32::MAX).step_by(200_003).map(f32::from_bits).filter(|x| x.is_finite());
        for x in patterns.chain((-2_500..=2_500).map(|i| i as f32 / 166.0)) {
            let (y, want) = ((case.single)(x), (case.double)(f64::from(x)));
            // What is beyond the largest number is infinite.
            let off = if y == want as f32 { 0.0 } else { ulps(y, want, (case.term)(f64::from(x))) };
            assert!(off <= case.most, "{}({x:e}) = {y:e}, not {want:e}, off by {off} ulp", case.name);
        }
    }
}

/// A function's name, the function, and what it makes of what.
type Ends<'a, T> = (&'a str, fn(T) -> T, &'a [(T, T)]);

#[test]
fn the_ends_are_limits_and_nan_stays() {
    fn check<T: Number>(denormal: T) {
        let (inf, zero, one, half) = (T::INFINITY, T::ZERO, T::ONE, T::of(0.5));
        let gate: &[(T, T)] =
            &[(inf, inf), (-inf, -zero), (zero, zero), (-zero, -zero), (T::MAX, T::MAX), (-T::MAX, -zero)];
        let slope: &[(T, T)] = &[(inf, one), (-inf, zero), (T::MAX, one), (-T::MAX, zero)];
        let bell: &[(T, T)] = &[(inf, zero), (-inf, zero), (T::MAX, zero), (-T::MAX, zero)];
        let cases: &[Ends<'_, T>] = &[
            ("erf", T::erf, &[(inf, one), (-inf, -one), (zero, zero), (-zero, -zero), (T::MAX, one), (-T::MAX, -one)]),
            ("erf", T::erf, &[(denormal, denormal), (-denormal, -denormal), (T::of(6.5), one)]),
            (
                "erfc",
                T::erfc,
                &[(inf, zero), (-inf, T::of(2.0)), (zero, one), (-zero, one), (T::MAX, zero), (denormal, one)],
            ),
            ("erf_slope", T::erf_slope, bell),
            ("normal_density", T::normal_density, bell),
            (
                "ndtr",
                T::ndtr,
                &[
                    (inf, one),
                    (-inf, zero),
                    (zero, half),
                    (-zero, half),
                    (T::MAX, one),
                    (-T::MAX, zero),
                    (denormal, half),
                ],
            ),
            ("log_ndtr", T::log_ndtr, &[(inf, zero), (-inf, -inf), (T::MAX, zero), (-T::MAX, -inf)]),
            ("inverse_mills", T::inverse_mills, &[(inf, zero), (-inf, inf), (T::MAX, zero), (-T::MAX, T::MAX)]),
            ("mills_curve", T::mills_curve, &[(inf, zero), (-inf, one), (T::MAX, zero), (-T::MAX, one)]),
            ("gelu", T::gelu, gate),
            ("gelu_slope", T::gelu_slope, slope),
            ("gelu_slope", T::gelu_slope, &[(zero, half), (-zero, half)]),
            ("silu", T::silu, gate),
            ("silu_slope", T::silu_slope, slope),
            ("silu_slope", T::silu_slope, &[(zero, half), (-zero, half)]),
            ("silu_curve", T::silu_curve, bell),
            ("gelu_tanh", T::gelu_tanh, gate),
            ("gelu_tanh_slope", T::gelu_tanh_slope, slope),
            ("gelu_tanh_slope", T::gelu_tanh_slope, &[(zero, half), (-zero, half)]),
            ("gelu_tanh_curve", T::gelu_tanh_curve, bell),
            ("mish", T::mish, gate),
            ("mish_slope", T::mish_slope, slope),
            ("mish_curve", T::mish_curve, bell),
        ];
        for (name, f, cases) in cases {
            assert!(f(T::NAN).is_nan(), "{name}(NaN)");
            for &(x, want) in *cases {
                let y = f(x);
                // A slope that vanishes may do so from below.
                let of_either_sign = y == zero && (name.ends_with("slope") || name.ends_with("curve"));
                let same = y == want && (of_either_sign || y.is_sign_negative() == want.is_sign_negative());
                assert!(same, "{name}({x:e}) = {y:e}, not {want:e}");
            }
        }
    }
    check(f32::from_bits(1));
    check(f64::from_bits(1));
}
