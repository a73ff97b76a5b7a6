//! Runs one case and compares.

use crate::case::{Array, Case};
use crate::operations::{Input, Inputs, record, tensor};
use autograd::{Float, Program, Tape, Tensor, Var, grad, jvp, vjp};
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The number type a case is computed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Type {
    /// 64 bits, to the case's own tolerance.
    F64,
    /// 32 bits, to the accuracy of 32 bits.
    F32,
}

/// How close is close enough.
#[derive(Clone, Copy)]
struct Tolerance {
    relative: f64,
    absolute: f64,
    /// Of the largest finite entry of the reference: what rounding the inputs may cost.
    of_largest: f64,
}

/// Runs a case in these number types; the error is a report of what differs, headed by the case's id.
pub(crate) fn run(case: &Case, types: &[Type]) -> Result<(), String> {
    let mut report = String::new();
    for &number in types {
        let result = match number {
            Type::F64 => {
                let tolerance = Tolerance { relative: case.rtol, absolute: case.atol, of_largest: 0.0 };
                guarded::<f64>(case, tolerance)
            }
            Type::F32 => {
                // 2^-24 is half an ulp; sums and inputs that are rounded first cost a small multiple of it.
                guarded::<f32>(case, Tolerance { relative: 1e-5, absolute: 1e-6, of_largest: 1e-5 })
            }
        };
        if let Err(text) = result {
            let _ = writeln!(report, "{} {} {number:?}: {text}", case.id, case.op);
        }
    }
    if report.is_empty() { Ok(()) } else { Err(report.trim_end().to_owned()) }
}

/// A case that panics has failed, and says how.
fn guarded<T: Float>(case: &Case, tolerance: Tolerance) -> Result<(), String> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = catch_unwind(AssertUnwindSafe(|| compare::<T>(case, tolerance)));
    std::panic::set_hook(hook);
    result.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        Err(text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default())
    })
}

/// Everything that a case has a reference for, recorded.
struct Recorded<'t, T: Float> {
    /// What it is, its value, and the reference.
    checks: Vec<(String, Var<'t, T>, Array)>,
}

/// Records the operation and the derivatives that a case has references for.
fn derive<'t, T: Float>(tape: &'t Tape<T>, case: &Case, inputs: &[Input<'t, T>]) -> Result<Recorded<'t, T>, String> {
    let y = record(tape, &case.op, &case.attrs, inputs)?;
    let mut checks = vec![("output".to_owned(), y, case.output.clone())];
    let Some(cotangent) = &case.cotangent else { return Ok(Recorded { checks }) };
    if y.shape()[..] != cotangent.shape[..] {
        return Ok(Recorded { checks }); // The output's shape is wrong, and its check says so.
    }
    let dy = tape.var(&tensor(cotangent));
    // The inputs that are differentiated, by their place among all.
    let places: Vec<usize> = (0..inputs.len()).filter(|&k| case.inputs[k].diff).collect();
    let float = |&k: &usize| match inputs[k] {
        Input::Float(x) => Some(x),
        Input::Index(_) => None,
    };
    let x: Vec<Var<'t, T>> = places.iter().filter_map(float).collect();
    let gradients = vjp(y, &x, dy);
    for (&k, &dx) in places.iter().zip(&gradients) {
        if let Some(Some(reference)) = case.vjp.get(k) {
            checks.push((format!("vjp {k}"), dx, reference.clone()));
        }
    }
    let Some(reference) = &case.jvp else { return Ok(Recorded { checks }) };
    let (mut along, mut tangents) = (Vec::new(), Vec::new());
    for (&k, &x) in places.iter().zip(&x) {
        if let Some(Some(tangent)) = case.tangents.get(k) {
            along.push(x);
            tangents.push(tape.var(&tensor(tangent)));
        }
    }
    let dy_along = jvp(y, &along, &tangents);
    checks.push(("jvp".to_owned(), dy_along, reference.clone()));
    let Some(hvp) = &case.hvp else { return Ok(Recorded { checks }) };
    // The derivative of the VJP along the tangents: the tangent of the gradient, and the gradient of the JVP.
    let reverse = grad((dy_along * dy).sum(), &x);
    for (i, &k) in places.iter().enumerate() {
        if let Some(Some(reference)) = hvp.get(k) {
            let forward = jvp(gradients[i], &along, &tangents);
            checks.push((format!("hvp {k} forward over reverse"), forward, reference.clone()));
            checks.push((format!("hvp {k} reverse over forward"), reverse[i], reference.clone()));
        }
    }
    Ok(Recorded { checks })
}

fn compare<T: Float>(case: &Case, tolerance: Tolerance) -> Result<(), String> {
    let tape = Tape::<T>::default();
    let inputs: Vec<Input<'_, T>> = case.inputs.iter().map(|array| Input::on(&tape, array)).collect();
    let Recorded { checks } = derive(&tape, case, &inputs)?;
    for (what, value, reference) in &checks {
        check(what, &value.value(), reference, tolerance)?;
    }
    // Replay must give the same bits as recording and computing anew.
    let stateless: [Tensor<T>; 0] = [];
    let feed = Inputs(&case.inputs);
    let mut program = Program::record(&stateless, &feed, |tape, [], inputs| {
        let recorded = derive(tape, case, &inputs).map(|recorded| recorded.checks).unwrap_or_default();
        (vec![], recorded.into_iter().map(|(_, value, _)| value).collect())
    })
    .map_err(|error| format!("replay: {error}"))?;
    for _ in 0..2 {
        let outputs = program.run(&feed).map_err(|error| format!("replay: {error}"))?;
        for (k, (what, value, _)) in checks.iter().enumerate() {
            let (replayed, eager) = (outputs.tensor(k), value.value());
            let pairs = replayed.as_slice().iter().zip(eager.as_slice());
            let same = |(a, b): (&T, &T)| a == b || (a.is_nan() && b.is_nan());
            if replayed.shape() != eager.shape() || !pairs.into_iter().all(same) {
                return Err(format!("{what} in replay is {replayed:?}, eager it is {eager:?}"));
            }
        }
    }
    Ok(())
}

/// Compares element by element; NaN matches NaN, an infinity one of its sign.
fn check<T: Float>(what: &str, value: &Tensor<T>, reference: &Array, tolerance: Tolerance) -> Result<(), String> {
    if value.shape()[..] != reference.shape[..] {
        return Err(format!("{what} has the shape {}, not {:?}", value.shape(), reference.shape));
    }
    let largest = reference.data.iter().filter(|r| r.is_finite()).fold(0.0_f64, |m, r| m.max(r.abs()));
    let excess = |(v, r): (f64, f64)| {
        // What overflows or vanishes in the narrow type is right to do so.
        let r = if T::NAME == "f32" { f64::from(r as f32) } else { r };
        if v == r || (v.is_nan() && r.is_nan()) {
            0.0
        } else if v.is_finite() && r.is_finite() {
            let allowed = tolerance.absolute + tolerance.relative * r.abs() + tolerance.of_largest * largest;
            if (v - r).abs() <= allowed { 0.0 } else { (v - r).abs() }
        } else {
            f64::INFINITY
        }
    };
    let pairs = || value.as_slice().iter().map(|v| v.to_f64()).zip(reference.data.iter().copied());
    let worst = pairs().enumerate().map(|(i, pair)| (i, pair, excess(pair))).max_by(|a, b| a.2.total_cmp(&b.2));
    match worst {
        Some((i, (v, r), difference)) if difference > 0.0 => {
            Err(format!("{what} differs most at {i}: {v:e}, the reference is {r:e}, by {difference:.1e}"))
        }
        Some(_) | None => Ok(()),
    }
}
