//! Running a case: everything it has a reference for, in a number type, anew and replayed.

use crate::case::{Array, Case, DType};
use crate::operations::{Arrays, Input, KNOWN_MASK, record};
use autograd::{Float, Program, Tape, Tensor, Var, grad, jvp, vjp};
use std::cell::Cell;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

/// The number type a case is computed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Type {
    /// 64 bits, to the case's own tolerance.
    F64,
    /// 32 bits, to the accuracy of 32 bits.
    F32,
}

/// The relative accuracy that is asked for in 32 bits, unless the case itself asks for less: some 80 ulp.
const RELATIVE_F32: f64 = 1e-5;

/// A value passes where it is no farther from the reference than `absolute + relative · |reference|`.
#[derive(Clone, Copy)]
struct Tolerance {
    relative: f64,
    absolute: f64,
}

impl Tolerance {
    /// The case's own.
    fn f64(case: &Case) -> Self {
        Self { relative: case.rtol, absolute: case.atol }
    }

    /// The case's own, widened to the accuracy of 32 bits: both parts by the same factor, so that an absolute part of 0
    /// stays 0 and tails are seen.
    fn f32(case: &Case) -> Self {
        let relative = case.rtol.max(RELATIVE_F32);
        let wider = if case.rtol > 0.0 { relative / case.rtol } else { f64::from(f32::EPSILON) / f64::EPSILON };
        Self { relative, absolute: case.atol * wider }
    }
}

/// Runs a case in these number types, as far as it is meant for them; the error is a report of all that differs, each
/// line headed by the case's id.
pub(crate) fn run(case: &Case, types: &[Type]) -> Result<(), String> {
    let mut report = String::new();
    for number in types.iter().filter(|number| case.types.contains(number)) {
        let failures = guarded(|| match number {
            Type::F64 => wide(case),
            Type::F32 => narrow(case),
        });
        for failure in failures.unwrap_or_else(|error| vec![error]) {
            let _ = writeln!(report, "{} {} {number:?}: {failure}", case.id, case.op);
        }
    }
    if report.is_empty() { Ok(()) } else { Err(report.trim_end().to_owned()) }
}

/// A case that panics has failed, and says how.
fn guarded<R>(run: impl FnOnce() -> Result<R, String>) -> Result<R, String> {
    thread_local! {
        static GUARDED: Cell<bool> = const { Cell::new(false) };
    }
    static QUIET: Once = Once::new();
    // Only for this thread: others report their panics as usual, and so does a failing test.
    QUIET.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if !GUARDED.get() {
                usual(info);
            }
        }));
    });
    GUARDED.set(true);
    let result = catch_unwind(AssertUnwindSafe(run));
    GUARDED.set(false);
    result.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default())
    })
}

/// The inputs, the cotangent and the tangents of a case on a tape.
struct Given<'t, T: Float> {
    inputs: Vec<Input<'t, T>>,
    cotangent: Option<Var<'t, T>>,
    /// One for each input that has one, beside that input's place.
    tangents: Vec<(usize, Var<'t, T>)>,
}

impl<'t, T: Float> Given<'t, T> {
    /// From what [`Case::given`] lists.
    fn of(case: &Case, mut all: Vec<Input<'t, T>>) -> Self {
        let float = |input: Input<'t, T>| match input {
            Input::Float(x) => Some(x),
            Input::Index(_) | Input::Mask(..) => None,
        };
        let mut rest = all.split_off(case.inputs.len()).into_iter().filter_map(float);
        let cotangent = case.cotangent.as_ref().and_then(|_| rest.next());
        let places = (0..case.tangents.len()).filter(|&k| case.tangents[k].is_some());
        Self { inputs: all, cotangent, tangents: places.zip(rest).collect() }
    }
}

/// Something that a case has a reference for.
struct Check<V> {
    what: String,
    value: V,
    reference: Array,
}

/// Records the operation and the derivatives that a case has references for.
fn derive<'t, T: Float>(tape: &'t Tape<T>, case: &Case, given: Given<'t, T>) -> Result<Vec<Check<Var<'t, T>>>, String> {
    let Given { inputs, cotangent, tangents } = given;
    let y = record(tape, &case.op, &case.attrs, &inputs)?;
    let check = |what: &str, value, reference: &Array| Check { what: what.into(), value, reference: reference.clone() };
    let mut checks = vec![check("output", y, &case.output)];
    let Some(dy) = cotangent else { return Ok(checks) };
    if y.shape() != dy.shape() {
        return Ok(checks); // The output's shape is wrong, and its check says so.
    }
    // The inputs that are differentiated, by their place among all.
    let float = |(k, input): (usize, &Input<'t, T>)| match input {
        Input::Float(x) if case.inputs[k].diff => Some((k, *x)),
        Input::Float(_) | Input::Index(_) | Input::Mask(..) => None,
    };
    let (places, x): (Vec<usize>, Vec<Var<'t, T>>) = inputs.iter().enumerate().filter_map(float).unzip();
    let gradients = vjp(y, &x, dy);
    for (&k, &dx) in places.iter().zip(&gradients) {
        if let Some(Some(reference)) = case.vjp.get(k) {
            checks.push(check(&format!("vjp {k}"), dx, reference));
        }
    }
    let Some(reference) = &case.jvp else { return Ok(checks) };
    let differentiated =
        |(k, tangent): &(usize, Var<'t, T>)| places.iter().position(|place| place == k).map(|i| (x[i], *tangent));
    let (along, tangents): (Vec<_>, Vec<_>) = tangents.iter().filter_map(differentiated).unzip();
    let dy_along = jvp(y, &along, &tangents);
    checks.push(check("jvp", dy_along, reference));
    let Some(hvp) = &case.hvp else { return Ok(checks) };
    // The derivative of the VJP along the tangents: the tangent of the gradient, and the gradient of the JVP.
    let reverse = grad((dy_along * dy).sum(), &x);
    for (i, &k) in places.iter().enumerate() {
        if let Some(Some(reference)) = hvp.get(k) {
            let forward = jvp(gradients[i], &along, &tangents);
            checks.push(check(&format!("hvp {k} forward over reverse"), forward, reference));
            checks.push(check(&format!("hvp {k} reverse over forward"), reverse[i], reference));
        }
    }
    Ok(checks)
}

/// Everything that a case has references for, recorded and computed anew.
fn eager<T: Float>(case: &Case) -> Result<Vec<Check<Tensor<T>>>, String> {
    let tape = Tape::<T>::default();
    let all = case.given().iter().map(|array| Input::on(&tape, array)).collect();
    let checks = derive(&tape, case, Given::of(case, all))?;
    let value = |Check { what, value, reference }: Check<Var<'_, T>>| Check { what, value: value.value(), reference };
    Ok(checks.into_iter().map(value).collect())
}

/// All failures of a case in 64 bits.
fn wide(case: &Case) -> Result<Vec<String>, String> {
    failures(case, &eager::<f64>(case)?, Tolerance::f64(case))
}

/// All failures of a case in 32 bits: with its inputs rounded first, and its references moved by as much as that moves
/// the results in 64 bits. Nothing moves where 32 bits hold the inputs.
fn narrow(case: &Case) -> Result<Vec<String>, String> {
    let rounded = case.with(Array::rounded);
    let mut checks = eager::<f32>(&rounded)?;
    let same = |(a, b): (&Array, &Array)| a.data.iter().zip(&b.data).all(|(a, b)| a.to_bits() == b.to_bits());
    if !case.given().iter().zip(&rounded.given()).all(same) {
        let (before, after) = (eager::<f64>(case)?, eager::<f64>(&rounded)?);
        for (check, (before, after)) in checks.iter_mut().zip(before.iter().zip(&after)) {
            let values = before.value.as_slice().iter().zip(after.value.as_slice());
            for (r, (&before, &after)) in check.reference.data.iter_mut().zip(values) {
                *r = if before == after { *r } else { *r + (after - before) };
            }
        }
    }
    failures(&rounded, &checks, Tolerance::f32(case))
}

/// What differs from its reference, and what differs in replay.
fn failures<T: Float>(case: &Case, checks: &[Check<Tensor<T>>], tolerance: Tolerance) -> Result<Vec<String>, String> {
    let mut failures: Vec<String> = checks.iter().filter_map(|check| miss(check, tolerance)).collect();
    failures.extend(replay(case, checks)?);
    Ok(failures)
}

/// Replays a program that was recorded at other numbers than the case's, at these and at those in turn. Each run must
/// give the bits of recording and computing anew.
fn replay<T: Float>(case: &Case, checks: &[Check<Tensor<T>>]) -> Result<Option<String>, String> {
    let mut other = case.with(Array::other);
    if KNOWN_MASK.contains(&&case.op[..]) {
        let masks = other.inputs.iter_mut().zip(&case.inputs).filter(|(_, given)| given.dtype == DType::Bool);
        masks.for_each(|(mask, given)| mask.clone_from(given));
    }
    let other_checks = eager::<T>(&other)?;
    let (given, others) = (case.given(), other.given());
    let stateless: [Tensor<T>; 0] = [];
    let mut program = Program::record(&stateless, &Arrays(&others), |tape, [], all| {
        let checks = derive(tape, case, Given::of(case, all)).unwrap_or_default();
        (vec![], checks.into_iter().map(|check| check.value).collect())
    })
    .map_err(|error| format!("replay: {error}"))?;
    for (given, checks) in [(&given, checks), (&others, &other_checks), (&given, checks)] {
        let outputs = program.run(&Arrays(given)).map_err(|error| format!("replay: {error}"))?;
        if outputs.len() != checks.len() {
            return Err(format!("replay has {} results, not {}", outputs.len(), checks.len()));
        }
        for (k, Check { what, value, .. }) in checks.iter().enumerate() {
            let replayed = outputs.tensor(k);
            if replayed.shape() != value.shape() {
                return Ok(Some(format!("{what} in replay has the shape {}, not {}", replayed.shape(), value.shape())));
            }
            let bits = |x: T| if x.is_nan() { T::NAN.to_f64().to_bits() } else { x.to_f64().to_bits() };
            let pairs = replayed.as_slice().iter().zip(value.as_slice());
            if let Some((i, (a, b))) = pairs.enumerate().find(|(_, (a, b))| bits(**a) != bits(**b)) {
                let apart = (a.to_f64() - b.to_f64()).abs();
                return Ok(Some(format!("{what} in replay differs at {i}: {a:e}, eager it is {b:e}, by {apart:.1e}")));
            }
        }
    }
    Ok(None)
}

/// Compares element by element, and tells of the one that is farthest beyond the tolerance; NaN matches NaN, an
/// infinity one of its sign.
fn miss<T: Float>(check: &Check<Tensor<T>>, tolerance: Tolerance) -> Option<String> {
    let Check { what, value, reference } = check;
    if value.shape()[..] != reference.shape[..] {
        return Some(format!("{what} has the shape {}, not {:?}", value.shape(), reference.shape));
    }
    // Where numbers have no full accuracy, the smallest normal one is the measure. The cases say so themselves in 64 bits.
    let least = if T::NAME == "f32" { f64::from(f32::MIN_POSITIVE) } else { 0.0 };
    let beyond = |(v, r): (f64, f64)| {
        // What overflows or vanishes in the narrow type is right to do so.
        let limit = T::of(r).to_f64();
        if v == limit || (v.is_nan() && r.is_nan()) {
            0.0
        } else if v.is_finite() && limit.is_finite() {
            let allowed = tolerance.absolute + tolerance.relative * r.abs().max(least);
            if (v - r).abs() <= allowed { 0.0 } else { (v - r).abs() / allowed }
        } else {
            f64::INFINITY
        }
    };
    let pairs = value.as_slice().iter().map(|v| v.to_f64()).zip(reference.data.iter().copied());
    let worst = pairs.enumerate().map(|(i, pair)| (i, pair, beyond(pair))).max_by(|a, b| a.2.total_cmp(&b.2));
    let (i, (v, r), beyond) = worst.filter(|(_, _, beyond)| *beyond > 0.0)?;
    let (apart, relative) = ((v - r).abs(), ((v - r) / r).abs());
    Some(format!(
        "{what} differs most at {i}: {v:e}, the reference is {r:e}, by {apart:.1e}, relatively {relative:.1e}, {beyond:.1e} \
         times the tolerance"
    ))
}
