//! The accuracy of derivatives in `f32`: within 4 ulp of the same rule in `f64` at the same argument, second ones within 7, that of
//! `acosh` within 9. Next to a zero of the slope of an activation the unit is that of the larger of its two terms.

use autograd::{Float, Tape, Tensor, Var, vjp};

/// A smooth function and where it is defined.
struct Smooth {
    name: &'static str,
    narrow: for<'t> fn(Var<'t, f32>) -> Var<'t, f32>,
    wide: for<'t> fn(Var<'t, f64>) -> Var<'t, f64>,
    domain: fn(f32) -> bool,
}

macro_rules! smooth {
    ($($name:ident($($p:expr)?) where $domain:expr;)*) => {
        const FUNCTIONS: &[Smooth] = &[$(Smooth {
            name: stringify!($name),
            narrow: |x| x.$name($($p)?),
            wide: |x| x.$name($($p)?),
            domain: $domain,
        }),*];
    };
}

smooth! {
    exp() where |_| true;
    expm1() where |_| true;
    log() where |x| x > 0.0;
    log1p() where |x| x > -1.0;
    sqrt() where |x| x > 0.0;
    rsqrt() where |x| x > 0.0;
    reciprocal() where |x| x != 0.0;
    square() where |_| true;
    sin() where |_| true;
    cos() where |_| true;
    tan() where |_| true;
    asin() where |x| x.abs() < 1.0;
    acos() where |x| x.abs() < 1.0;
    atan() where |_| true;
    sinh() where |_| true;
    cosh() where |_| true;
    tanh() where |_| true;
    asinh() where |_| true;
    acosh() where |x| x > 1.0;
    atanh() where |x| x.abs() < 1.0;
    sigmoid() where |_| true;
    log_sigmoid() where |_| true;
    softplus() where |_| true;
    softsign() where |_| true;
    gelu() where |_| true;
    gelu_tanh() where |_| true;
    silu() where |_| true;
    mish() where |_| true;
    erf() where |_| true;
    erfc() where |_| true;
    sinc() where |_| true;
    erfinv() where |x| x.abs() < 1.0;
    lgamma() where |x| x > 0.0 || x != x.round();
    digamma() where |x| x > 0.0 || x != x.round();
    exp2() where |_| true;
    pow_of(3.0) where |_| true;
    log2() where |x| x > 0.0;
    log10() where |x| x > 1e-19;
    cbrt() where |x| x.abs() > 1e-22;
    logit() where |x| x > 0.0 && x < 1.0;
    log_cosh() where |_| true;
    ndtr() where |_| true;
    log_ndtr() where |_| true;
    tanhshrink() where |_| true;
    celu(1.5) where |x| x > -6.0 && x != 0.0;
    elu(1.5) where |x| x != 0.0;
    hardsigmoid() where |x| x.abs() != 3.0;
    hardswish() where |x| x.abs() != 3.0;
    pow_scalar(2.5) where |x| x > 0.0;
    pow_scalar(-3.0) where |x| x != 0.0;
    pow_scalar(0.3) where |x| x > 1e-20;
}

/// `[-30, 30]` densely and at random, tiny numbers of both signs, and numbers close to ±1, where domains end, and to ±3 and ±1.5,
/// where gates and their slopes vanish.
fn arguments() -> Vec<f32> {
    let dense = (-30 * 256..=30 * 256).map(|i| i as f32 / 256.0);
    let mut seed = 1_u32;
    let random = std::iter::repeat_with(move || {
        // The numbers of Lehmer's generator with the multiplier of Numerical Recipes.
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(seed) / f64::from(u32::MAX) * 60.0 - 30.0) as f32
    });
    let tiny = (0..=1080).map(|i| 10_f32.powf(-30.0 + i as f32 / 40.0));
    let ends = (1..=24).map(|k| 1.0 - 0.5_f32.powi(k)).chain((1..=23).map(|k| 1.0 + 0.5_f32.powi(k)));
    let gates = (1..=22).flat_map(|k| [3.0, 1.5].map(|x| x - x * 0.5_f32.powi(k)));
    let positive: Vec<f32> = tiny.chain(ends).chain(gates).collect();
    dense.chain(random.take(30_000)).chain(positive.iter().copied()).chain(positive.iter().map(|x| -x)).collect()
}

/// The function, the first and the second derivative.
fn derivatives<T: Float>(x: &[T], f: for<'t> fn(Var<'t, T>) -> Var<'t, T>) -> [Vec<T>; 3] {
    let tape = Tape::default();
    let x = tape.var(&Tensor::from(x.to_vec()));
    let y = f(x);
    let one = tape.full(y.shape(), T::ONE);
    let dy = vjp(y, &x, one);
    [y, dy, vjp(dy, &x, one)].map(|y| y.value().to_vec())
}

/// The distance from `exact` in units of its last place as an `f32`. Below `MIN_POSITIVE` the unit is the smallest
/// subnormal number: what underflows gradually has no relative accuracy to keep.
fn ulps(got: f32, exact: f64) -> f64 {
    ulps_of(exact, got, exact)
}

/// The same in units of the last place of a magnitude.
fn ulps_of(magnitude: f64, got: f32, exact: f64) -> f64 {
    if got == exact as f32 {
        return 0.0;
    }
    let magnitude = (magnitude as f32).abs().max(f32::MIN_POSITIVE);
    let unit = f64::from(magnitude.next_up()) - f64::from(magnitude);
    (f64::from(got) - exact).abs() / unit
}

/// Whether the second derivative of a function has no relative accuracy at `x`: next to a zero of it where its terms cancel in
/// `f32`, or where it is, or is a multiple of, a number below the smallest normal one.
fn is_exempt(name: &str, x: f32, second: f64) -> bool {
    let near_zero = match name {
        "gelu" => 0.9..2.0,
        "gelu_tanh" => 0.4..2.5,
        "silu" => 1.9..2.9,
        "mish" => 0.6..2.8,
        _ => f32::NAN..f32::NAN,
    };
    near_zero.contains(&x.abs()) || second.abs() < 1e3 * f64::from(f32::MIN_POSITIVE)
}

/// The larger of the two terms of the slope `w + x·w′` of an activation `y = x·w`, or the slope itself; those of a sinc are
/// `cos πx / x` and `sin πx / (πx²)`, and of its second derivative `π sin πx / x` and `2 y′/x`.
fn larger_term(name: &str, order: usize, x: f64, y: f64, slope: f64) -> f64 {
    if name == "sinc" && x.abs() > 0.5 {
        return [(slope + y / x).abs().max((y / x).abs()), (2.0 * slope / x).abs()][order - 1];
    }
    let gate = match name {
        "gelu" | "gelu_tanh" | "silu" | "mish" => y / x,
        _ => slope,
    };
    gate.abs().max((slope - gate).abs()).max(slope.abs())
}

#[test]
fn derivatives_in_f32_are_as_close_to_the_same_rule_in_f64_as_the_conventions_say() {
    let mut failures = Vec::new();
    for function in FUNCTIONS {
        let x: Vec<f32> = arguments().into_iter().filter(|&x| (function.domain)(x)).collect();
        let wide: Vec<f64> = x.iter().map(|&x| f64::from(x)).collect();
        let (got, exact) = (derivatives(&x, function.narrow), derivatives(&wide, function.wide));
        let limits = match function.name {
            "acosh" | "log_ndtr" => [4.0, 9.0],
            _ => [4.0, 7.0],
        };
        for (order, most) in [1, 2].into_iter().zip(limits) {
            let worst = (0..x.len())
                .map(|i| {
                    (
                        x[i],
                        got[order][i],
                        exact[order][i],
                        larger_term(function.name, order, wide[i], exact[0][i], exact[1][i]),
                    )
                })
                .filter(|&(x, _, exact, _)| order == 1 || !is_exempt(function.name, x, exact))
                .map(|(x, got, exact, term)| {
                    let magnitude = if order == 1 || function.name == "sinc" { term.max(exact.abs()) } else { exact };
                    (ulps_of(magnitude, got, exact), x, got, exact)
                })
                .max_by(|a, b| a.0.total_cmp(&b.0));
            // A second derivative that is 0 everywhere has no digits.
            let Some(worst) = worst else { continue };
            if worst.0.is_nan() || worst.0 > most {
                let (off, x, got, exact) = worst;
                let name = function.name;
                failures.push(format!("{name}, {order}, at {x:e}: {got:e}, exact {exact:e}, {off:.1} ulp"));
            }
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn the_unit_of_the_last_place_is_that_of_f32() {
    assert_eq!(ulps(1.0_f32.next_up(), 1.0), 1.0);
    assert_eq!(ulps(f32::from_bits(3), 0.0), 3.0);
    assert!(ulps(0.0, 2.0e-9) > 1e6, "no digit is correct");
}
