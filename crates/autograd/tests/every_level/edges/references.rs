//! Values and first derivatives of elementary functions against references of 120 digits (mpmath), in both types, at the numbers that
//! both have. Below here are tables of rows: arguments, values, derivatives.
#![allow(clippy::approx_constant, clippy::too_many_lines, reason = "a table of numbers by another library")]

mod angles;
mod composites;
mod hyperbolic;
mod powers;
mod two_operands;

use autograd::{Float, Tape, Tensor, Var, vjp};

/// How far from a reference, in units of its last place, a value and a derivative may be. A reference is rounded itself.
const LIMITS: [f64; 2] = [2.5, 4.0];

/// The distance in units of the last place of the larger of the reference and a term of it, or `None` where that is not a normal
/// number of the type.
fn ulps<T: Float>(got: T, want: f64, term: f64) -> Option<f64> {
    let size = want.abs().max(term);
    if !(size >= T::MIN_POSITIVE.to_f64() && size <= T::MAX.to_f64()) {
        return None;
    }
    let unit = 2_f64.powf(size.log2().floor()) * T::EPSILON.to_f64();
    Some((got.to_f64() - want).abs() / unit)
}

/// A row that is off too far, as a line.
fn compare<T: Float>(name: &str, at: &[f64], kind: usize, got: T, want: f64) -> Option<String> {
    let off = ulps(got, want, term(name, kind, at))?;
    let what = ["value", "derivative"][kind];
    (off.is_nan() || off > LIMITS[kind])
        .then(|| format!("{name} in {} at {at:?}: {what} {got:e}, not {want:e}: {off:.1} ulp", T::NAME))
}

/// How large the terms are that cancel next to a zero of the derivative of a sinc, and of the value of a logaddexp.
fn term(name: &str, kind: usize, x: &[f64]) -> f64 {
    match (name, kind) {
        ("sinc", 1) if x[0].abs() > 0.5 => 0.6 / (x[0] * x[0]),
        ("logaddexp", 0) => x[0].abs().max(x[1].abs()),
        _ => 0.0,
    }
}

fn check_one<T: Float>(
    name: &str,
    f: for<'t> fn(Var<'t, T>) -> Var<'t, T>,
    rows: &[(f64, f64, f64)],
    wrong: &mut Vec<String>,
) {
    let tape = Tape::default();
    let x = tape.var(&Tensor::from(rows.iter().map(|row| T::of(row.0)).collect::<Vec<_>>()));
    let y = f(x);
    let dy = vjp(y, &x, tape.full(y.shape(), T::ONE));
    let (y, dy) = (y.value(), dy.value());
    for (i, &(x, value, slope)) in rows.iter().enumerate() {
        assert_eq!(T::of(x).to_f64(), x, "both types have the argument");
        wrong.extend(compare(name, &[x], 0, y.as_slice()[i], value));
        wrong.extend(compare(name, &[x], 1, dy.as_slice()[i], slope));
    }
}

/// Arguments, value, derivatives.
type OfTwo = ([f64; 2], f64, [f64; 2]);

fn check_two<T: Float>(
    name: &str,
    f: for<'t> fn(Var<'t, T>, Var<'t, T>) -> Var<'t, T>,
    rows: &[OfTwo],
    wrong: &mut Vec<String>,
) {
    let tape = Tape::default();
    let x = [0, 1].map(|k| tape.var(&Tensor::from(rows.iter().map(|row| T::of(row.0[k])).collect::<Vec<_>>())));
    let y = f(x[0], x[1]);
    let dy = vjp(y, &x, tape.full(y.shape(), T::ONE)).map(|dy| dy.value());
    let y = y.value();
    for (i, &(x, value, slopes)) in rows.iter().enumerate() {
        wrong.extend(compare(name, &x, 0, y.as_slice()[i], value));
        for k in [0, 1] {
            wrong.extend(compare(name, &x, 1, dy[k].as_slice()[i], slopes[k]));
        }
    }
}

macro_rules! references {
    ($check:ident; $($name:literal, |$($x:ident),*| $f:expr, [$($row:expr),* $(,)?];)*) => {{
        let mut wrong = Vec::new();
        $(
            let rows = [$($row),*];
            $check::<f32>($name, |$($x),*| $f, &rows, &mut wrong);
            $check::<f64>($name, |$($x),*| $f, &rows, &mut wrong);
        )*
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }};
}
use references;
