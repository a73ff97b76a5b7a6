//! The functions against references of higher precision, at every level of this CPU: `f32` against the standard
//! library's `f64`, `f64` against pairs of `f64`.

mod activations;
mod side_by_side;
#[expect(clippy::approx_constant, reason = "values of functions, some of which come near a constant")]
mod tables;

use super::*;
use crate::kernels::map::map_vectors_but;
use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::number::level::LaneKernel;
use crate::number::level::tests::at_every_level;

/// `f` over all of `x`, which must be the same bits at every level, and for an element alone.
fn everywhere<T: Number>(name: &str, x: &[T], f: impl Fn(T) -> T + Copy) -> Vec<T> {
    everywhere_but(name, x, f, |_| false, f)
}

/// As [`everywhere`], for a function of which rare arguments are computed another way than the others.
fn everywhere_but<T: Number>(
    name: &str,
    x: &[T],
    usual: impl Fn(T) -> T + Copy,
    rare: impl Fn(T) -> bool + Copy,
    whole: impl Fn(T) -> T + Copy,
) -> Vec<T> {
    let bits = |y: &[T]| -> Vec<i64> { y.iter().map(|y| if y.is_nan() { i64::MIN } else { y.to_index() }).collect() };
    let alone: Vec<T> = x.iter().map(|&x| whole(x)).collect();
    at_every_level(|level| {
        let mut y = vec![T::ZERO; x.len()];
        map_vectors_but(x, &mut y, usual, rare, whole);
        assert!(bits(&y) == bits(&alone), "{name} differs at {level:?}");
    });
    alone
}

/// The distance of `got` from `want·2^k`, in units of the last place of `got`'s format.
fn ulps<T: Number>(got: T, want: Pair, k: i32) -> f64 {
    let got = got.to_f64();
    let scale = |x: f64, k: i32| x * 2_f64.powi(k / 2) * 2_f64.powi(k - k / 2);
    let exponent = if got == 0.0 { -2000 } else { got.abs().log2().floor() as i32 };
    let (digits, least) = if T::NAME == "f32" { (23, -149) } else { (52, -1074) };
    let ulp = scale(1.0, ((exponent - digits).max(least)) - k);
    let error = Pair::from(scale(got, -k)) - want;
    (error.0 + error.1).abs() / ulp
}

#[test]
fn f32_functions_are_within_2_ulp_of_the_truth_for_all_magnitudes() {
    fn check(name: &str, f: impl Fn(f32) -> f32 + Copy, truth: impl Fn(f64) -> f64) {
        // Every 8009th bit pattern, so every exponent, denormal numbers and NaNs included, and the range of use.
        let patterns = (0..=u32::MAX).step_by(8009).map(f32::from_bits);
        let x: Vec<f32> = patterns.chain((-60_000..=60_000).map(|i| i as f32 / 512.0)).collect();
        for (&x, y) in x.iter().zip(everywhere(name, &x, f)) {
            let want = truth(f64::from(x));
            if want.is_nan() || (want as f32).is_infinite() {
                assert!(y.is_nan() == want.is_nan() && (want.is_nan() || y == want as f32), "{name}({x:e}) = {y:e}");
            } else {
                assert!(ulps(y, Pair::from(want), 0) <= 2.0, "{name}({x:e}) = {y:e}, not {want:e}");
            }
        }
    }
    let slope = |x: f64| {
        let e = (-x.abs()).exp();
        e / ((1.0 + e) * (1.0 + e))
    };
    check("exp", exp, f64::exp);
    check("exp_m1", exp_m1, f64::exp_m1);
    check("ln", ln, f64::ln);
    check("ln_1p", ln_1p, f64::ln_1p);
    check("exp2", exp2, f64::exp2);
    check("log2", log2, f64::log2);
    check("log10", log10, f64::log10);
    check("cbrt", cbrt, f64::cbrt);
    check("logit", logit, |x| if x < 0.75 { (x / (1.0 - x)).ln() } else { x.ln() - (-x).ln_1p() });
    let ln_cosh = |x: f64| if x < 20.0 { (x.sinh() * (0.5 * x).tanh()).ln_1p() } else { x - std::f64::consts::LN_2 };
    check("log_cosh", log_cosh, |x| ln_cosh(x.abs()));
    check("tanh", tanh, f64::tanh);
    check("asinh", asinh, f64::asinh);
    check("acosh", acosh, f64::acosh);
    check("atanh", atanh, f64::atanh);
    check("asin", asin, f64::asin);
    check("acos", acos, f64::acos);
    check("atan", atan, f64::atan);
    check("sinh", sinh, f64::sinh);
    check("cosh", cosh, f64::cosh);
    check("sigmoid", sigmoid, |x| if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) });
    check("sigmoid_slope", sigmoid_slope, slope);
    check("sech2", sech2, |x| 4.0 * slope(2.0 * x));
    check(
        "softplus",
        #[inline(always)]
        |x| ln_1p(exp(-x.abs())),
        |x| (-x.abs()).exp().ln_1p(),
    );
}

#[test]
fn f64_functions_are_within_2_ulp_of_the_truth() {
    fn check(name: &str, ends: [f64; 2], f: impl Fn(f64) -> f64 + Copy, truth: impl Fn(f64) -> (Pair, i32)) {
        // Between 0 and either end, half of the points spread evenly, half over the magnitudes.
        let mut seed = 1_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (seed >> 11) as f64 / 2_f64.powi(53)
        };
        let x: Vec<f64> =
            (0..20_000).map(|i| ends[i % 2] * if i < 10_000 { next() } else { 2_f64.powf(-60.0 * next()) }).collect();
        for (&x, y) in x.iter().zip(everywhere(name, &x, f)) {
            let (want, k) = truth(x);
            let error = ulps(y, want, k);
            assert!(error <= 2.0, "{name}({x:e}) = {y:e}, off by {error} ulp");
        }
    }
    let one = Pair::from(1.0);
    let decay = move |x: f64| {
        let (m, k) = Pair::exp_m1(-x.abs());
        (m + one) * Pair::from(2_f64.powi(k))
    };
    let slope = move |x: f64| (decay(x) / ((one + decay(x)) * (one + decay(x))), 0);
    let ln_1p_of = move |x: Pair, guess: f64| {
        // A step of Newton's method on e^y = 1 + x.
        let (m, k) = Pair::exp_m1(-guess);
        let power = Pair::from(2_f64.powi(k));
        (Pair::from(guess) + (x * power + (power - one) + (one + x) * power * m), 0)
    };
    check("exp", [-745.0, 709.7], exp, |x| {
        let (m, k) = Pair::exp_m1(x);
        (m + one, k)
    });
    check("exp_m1", [-745.0, 709.7], exp_m1, |x| {
        let (m, k) = Pair::exp_m1(x);
        if k > 500 { (m + one, k) } else { (m * Pair::from(2_f64.powi(k)) + (Pair::from(2_f64.powi(k)) - one), 0) }
    });
    check("ln", [1e-290, 1e6], ln, |x| ln_1p_of(Pair::from(x) - one, x.ln()));
    check("ln_1p", [-1.0, 1e6], ln_1p, |x| ln_1p_of(Pair::from(x), x.ln_1p()));
    check("tanh", [-25.0, 25.0], tanh, |x| {
        let (m, k) = Pair::exp_m1(-2.0 * x.abs());
        let m = m * Pair::from(2_f64.powi(k)) + (Pair::from(2_f64.powi(k)) - one);
        (m / (m + Pair::from(2.0)) * Pair::from(-1_f64.copysign(x)), 0)
    });
    check("sigmoid", [-600.0, 600.0], sigmoid, |x| (if x < 0.0 { decay(x) } else { one } / (one + decay(x)), 0));
    check("sigmoid_slope", [-600.0, 600.0], sigmoid_slope, slope);
    check("sech2", [-300.0, 300.0], sech2, |x| (slope(2.0 * x).0 * Pair::from(4.0), 0));
}

/// A function's name, the function, and what it makes of what.
type Case<'a, T> = (&'a str, fn(T) -> T, &'a [(T, T)]);

#[test]
fn special_values_are_those_of_ieee_754() {
    fn check<T: Number>(denormal: T, gone: f64, last: f64, first: f64) {
        let (inf, nan, zero, one) = (T::INFINITY, T::NAN, T::ZERO, T::ONE);
        let cases: &[Case<'_, T>] = &[
            ("exp", T::exp, &[(inf, inf), (-inf, zero), (zero, one), (-zero, one), (denormal, one), (T::MAX, inf)]),
            ("exp", T::exp, &[(-T::MAX, zero), (T::of(first), inf), (T::of(gone), zero)]),
            ("exp_m1", T::exp_m1, &[(inf, inf), (-inf, -one), (zero, zero), (-zero, -zero), (denormal, denormal)]),
            ("exp_m1", T::exp_m1, &[(T::MAX, inf), (-T::MAX, -one), (-denormal, -denormal), (T::of(first), inf)]),
            ("ln", T::ln, &[(inf, inf), (zero, -inf), (-zero, -inf), (one, zero), (-one, nan), (-inf, nan)]),
            ("ln", T::ln, &[(-denormal, nan), (-T::MAX, nan)]),
            ("ln_1p", T::ln_1p, &[(inf, inf), (-one, -inf), (zero, zero), (-zero, -zero), (denormal, denormal)]),
            ("ln_1p", T::ln_1p, &[(-inf, nan), (T::of(-1.5), nan), (-denormal, -denormal)]),
            ("tanh", T::tanh, &[(inf, one), (-inf, -one), (zero, zero), (-zero, -zero), (denormal, denormal)]),
            ("tanh", T::tanh, &[(-denormal, -denormal), (T::of(20.0), one), (T::of(-20.0), -one)]),
            ("asinh", T::asinh, &[(inf, inf), (-inf, -inf), (zero, zero), (-zero, -zero), (-denormal, -denormal)]),
            ("acosh", T::acosh, &[(inf, inf), (one, zero), (zero, nan), (-one, nan), (-inf, nan)]),
            ("atanh", T::atanh, &[(one, inf), (-one, -inf), (zero, zero), (-zero, -zero), (inf, nan), (-inf, nan)]),
            (
                "sigmoid",
                T::sigmoid,
                &[(inf, one), (-inf, zero), (zero, T::of(0.5)), (-zero, T::of(0.5)), (T::MAX, one)],
            ),
            ("sigmoid_slope", T::sigmoid_slope, &[(inf, zero), (-inf, zero), (zero, T::of(0.25)), (T::MAX, zero)]),
            ("sech2", T::sech2, &[(inf, zero), (-inf, zero), (zero, one), (-zero, one), (-T::MAX, zero)]),
        ];
        for (name, f, cases) in cases {
            assert!(f(nan).is_nan(), "{name}(NaN)");
            for &(x, want) in *cases {
                let y = f(x);
                let same = y == want && y.is_sign_negative() == want.is_sign_negative();
                assert!(same || (y.is_nan() && want.is_nan()), "{name}({x:e}) = {y:e}, not {want:e}");
            }
        }
        assert!(T::exp(T::of(last)).is_finite() && T::exp_m1(T::of(last)).is_finite());
        assert!(T::ln(denormal) < T::of(-87.0) && T::ln(T::MAX) > T::of(88.0));
    }
    // Where e^x is 0, and just below and above the logarithm of the largest number.
    check(f32::from_bits(1), -104.0, 88.72283, 88.72284);
    check(f64::from_bits(1), -745.2, 709.782712893383, 709.782712893385);
}

#[test]
fn tanh_and_the_sigmoid_are_symmetric() {
    for i in 0..2000 {
        let x = f64::from(i) / 64.0;
        assert_eq!(tanh(-x), -tanh(x));
        assert_eq!(sech2(-x), sech2(x));
        assert_eq!(sigmoid_slope(-x), sigmoid_slope(x));
    }
}

#[test]
fn the_logarithm_of_a_sum_has_the_digits_of_its_rest() {
    fn check<T: Number>() {
        for k in 0..200 {
            let rest = T::of(0.24 * 0.8_f64.powi(k));
            let (got, want) = (T::ln_of_sum(T::ONE + rest, rest), T::ln_1p(rest));
            assert!((got - want).abs() <= T::of(2.0) * T::EPSILON * want, "ln(1 + {rest:e}) = {got:e}, not {want:e}");
        }
        for total in [1.0, 1.3, 2.0, 1e6].map(T::of) {
            assert_eq!(T::ln_of_sum(total, total), T::ln(total));
        }
        assert!(T::ln_of_sum(T::NAN, T::NAN).is_nan());
    }
    check::<f32>();
    check::<f64>();
}

#[test]
fn an_inverse_binade_brings_every_number_near_1() {
    fn check<T: Number>(smallest: T) {
        for x in [T::ONE, T::MAX, T::MIN_POSITIVE, smallest, T::of(3.7), T::of(1e-30), T::of(1e30)] {
            let scale = T::inverse_binade(x);
            assert!(scale.is_finite() && scale >= T::MIN_POSITIVE, "{scale:e}");
            let near = x * scale;
            assert!(near * near > T::MIN_POSITIVE && (near * near).to_f64() < 1e30, "{x:e} becomes {near:e}");
            assert_eq!(near / scale, x);
        }
        assert_eq!([T::ZERO, T::INFINITY, T::NAN].map(T::inverse_binade), [T::ONE; 3]);
    }
    check(f32::from_bits(1));
    check(f64::from_bits(1));
}

/// A sum `high + low` of two `f64`: twice the precision (Dekker, 1971).
#[derive(Clone, Copy)]
struct Pair(f64, f64);

impl From<f64> for Pair {
    fn from(x: f64) -> Self {
        Self(x, 0.0)
    }
}

impl Pair {
    /// `a + b` exactly (Knuth).
    fn sum(a: f64, b: f64) -> Self {
        let s = a + b;
        let v = s - a;
        Self(s, (a - (s - v)) + (b - v))
    }

    /// `(e^r − 1, k)` with `x = k·ln 2 + r`, by Taylor's series; so `e^x = 2^k·(1 + e^r − 1)`.
    fn exp_m1(x: f64) -> (Self, i32) {
        const LN_2: Pair = Pair(std::f64::consts::LN_2, 2.3190468138462996e-17);
        let k = (x / LN_2.0).round();
        let r = Self::from(x) - LN_2 * Self::from(k);
        let series = (1..=30).rev().fold(Self::from(0.0), |y, i| (y + Self::from(1.0)) * r / Self::from(f64::from(i)));
        (series, k as i32)
    }
}

impl std::ops::Add for Pair {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        let (high, low) = (Self::sum(self.0, other.0), Self::sum(self.1, other.1));
        let Self(s, t) = Self::sum(high.0, high.1 + low.0);
        Self::sum(s, t + low.1)
    }
}

impl std::ops::Sub for Pair {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + Self(-other.0, -other.1)
    }
}

impl std::ops::Mul for Pair {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let p = self.0 * other.0;
        Self::sum(p, self.0.mul_add(other.0, -p) + (self.0 * other.1 + self.1 * other.0))
    }
}

impl std::ops::Div for Pair {
    type Output = Self;
    fn div(self, other: Self) -> Self {
        let q = self.0 / other.0;
        let rest = self - other * Self::from(q);
        Self::sum(q, rest.0 / other.0)
    }
}

/// `exp_of_shifted` of all of `x`.
struct OfShifted<'a, T>(&'a [T], &'a mut [T]);

impl<T: Number> LaneKernel<T> for OfShifted<'_, T> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(self) {
        for (x, y) in self.0.chunks(L::COUNT).zip(self.1.chunks_mut(L::COUNT)) {
            // SAFETY: the caller promises the set of the lanes; the mask ends with the chunk.
            unsafe {
                let mask = L::first(x.len());
                L::store(y.as_mut_ptr(), mask, T::exp_of_shifted::<L>(L::load(x.as_ptr(), mask)));
            }
        }
    }
}

#[test]
fn the_exponential_of_a_softmax_is_within_2_ulp_of_the_plain_one_at_every_level() {
    fn check<T: Number>(least: f64) {
        let x: Vec<T> = (0..40_000).map(|i| T::of(least * f64::from(i) / 39_999.0)).collect();
        at_every_level(|level| {
            let mut y = vec![T::NAN; x.len()];
            level.run_lanes(OfShifted(&x, &mut y));
            for (&x, y) in x.iter().zip(y) {
                // The plain one is tested against the truth, and is half a unit off at most where this is one and a half.
                let want = T::exp(x);
                let unit = (want * T::EPSILON).to_f64().max(if T::NAME == "f32" { 1.4e-45 } else { 5e-324 });
                assert!((y - want).abs().to_f64() <= 2.0 * unit, "exp({x:e}) = {y:e}, not {want:e}, at {level:?}");
            }
            let special = [T::ZERO, -T::ZERO, -T::INFINITY, T::NAN];
            let mut y = [T::ONE; 4];
            level.run_lanes(OfShifted(&special, &mut y));
            assert!(y[..3] == [T::ONE, T::ONE, T::ZERO] && y[3].is_nan(), "{y:?} at {level:?}");
        });
    }
    check::<f32>(-110.0);
    check::<f64>(-760.0);
}

/// A function, the same of near angles, and the function of the standard library.
type Angular<T> = (&'static str, fn(T) -> T, fn(T) -> T, fn(f64) -> f64);

#[test]
fn functions_of_angles_of_all_magnitudes_are_those_of_the_standard_library() {
    fn check<T: Number>(x: &[T], limits: [f64; 3]) {
        let functions: [Angular<T>; 3] = [
            ("sin", T::sin, T::sin_near, f64::sin),
            ("cos", T::cos, T::cos_near, f64::cos),
            ("tan", T::tan, T::tan_near, f64::tan),
        ];
        for ((name, f, near, truth), limit) in functions.into_iter().zip(limits) {
            for (&x, y) in x.iter().zip(everywhere_but(name, x, near, T::is_far, f)) {
                let want = truth(x.to_f64());
                let error = if want.is_nan() { 0.0 } else { ulps(y, Pair::from(want), 0) };
                assert!(y.is_nan() == want.is_nan() && error <= limit, "{name}({x:e}) = {y:e}, not {want:e}");
            }
        }
    }
    let narrow = (0..=u32::MAX).step_by(60_013).map(f32::from_bits);
    let multiples = (-3000..3000).map(|k| (f64::from(k) * std::f64::consts::FRAC_PI_2) as f32);
    check(&narrow.chain(multiples).collect::<Vec<_>>(), [1.0, 1.0, 1.0]);
    // What the library itself is off adds to the limits.
    let wide = (0..=u64::MAX >> 1).step_by(1 << 48).map(|bits| f64::from_bits(bits + (bits >> 20)));
    let multiples = (-70_000..70_000).step_by(7).map(|k| f64::from(k) * std::f64::consts::FRAC_PI_2);
    check(&wide.chain(multiples).collect::<Vec<_>>(), [2.0, 2.0, 2.0]);
}

#[test]
fn functions_of_angles_have_the_special_values_of_ieee_754_and_stay_within_1() {
    fn check<T: Number>(denormal: T) {
        for f in [T::sin, T::tan] {
            for x in [T::ZERO, -T::ZERO, denormal, -denormal, T::MIN_POSITIVE] {
                assert!(f(x) == x && f(x).is_sign_negative() == x.is_sign_negative(), "{x:e}");
            }
        }
        assert_eq!([T::ZERO, -T::ZERO, denormal].map(T::cos), [T::ONE; 3]);
        for x in [T::INFINITY, -T::INFINITY, T::NAN] {
            assert!([T::sin, T::cos, T::tan].iter().all(|f| f(x).is_nan()));
        }
        for k in -2000..2000 {
            let x = T::of(f64::from(k) * std::f64::consts::FRAC_PI_2);
            assert!(T::sin(x).abs() <= T::ONE && T::cos(x).abs() <= T::ONE);
            assert!(T::sin(-x) == -T::sin(x) && T::cos(-x) == T::cos(x) && T::tan(-x) == -T::tan(x), "{x:e}");
        }
    }
    check(f32::from_bits(1));
    check(f64::from_bits(1));
}
