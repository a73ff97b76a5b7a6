//! The lines of the derivation.

use super::{Answer, Request, number, numbers, short};
use crate::state::State;
use autograd::Tape;
use serde_json::{Value, json};
use softmax_net::derivation::{Derivation, Difference, LINES, Line, Part, Slip};

/// The table of lines as it stands, without numbers, and the slips in words.
pub(super) fn table(request: &Request) -> Answer {
    let sizes = State::of(request)?.sizes;
    let line = |line: &Line| {
        let &Line { name, statement, mathml, spoken, tolerance, .. } = line;
        json!({
            "name": name, "statement": statement, "mathml": mathml, "spoken": spoken,
            "tolerance": { "tape": tolerance.tape, "finite": tolerance.finite },
            "shape": line.shape(sizes), "second": line.is_second_order(),
        })
    };
    let slip = |slip: Slip| {
        let [written, holds] = slip.words();
        json!({ "number": slip.number(), "written": written, "holds": holds })
    };
    Ok(json!({ "lines": LINES.iter().map(line).collect::<Value>(), "slips": Slip::ALL.map(slip) }))
}

/// A line `name`, or its entries `from` up to `to`, in three accounts, with `slips` by their numbers put back in its closed form.
pub(super) fn line(request: &Request) -> Answer {
    let state = State::of(request)?;
    let name = request.get("name").and_then(Value::as_str).unwrap_or("");
    let line = Line::named(name).ok_or_else(|| format!("there is no line {:?}", short(name)))?;
    let slips = slips(request)?;
    let tape = Tape::new();
    let derivation = Derivation::try_new(&tape, &state.net, &state.x, &state.labels, &slips);
    let derivation = derivation.map_err(|error| error.to_string())?;
    let all = derivation.entries(line);
    let bound = |name: &str, otherwise: usize| match request.get(name) {
        None => Ok(otherwise),
        Some(given) => {
            given.as_u64().map(|n| n as usize).ok_or_else(|| format!("{name} must be a whole number from 0"))
        }
    };
    let part = derivation.part(line, bound("from", 0)?..bound("to", all)?);
    Ok(of_part(&part, all))
}

fn slips(request: &Request) -> Result<Vec<Slip>, String> {
    let Some(given) = request.get("slips") else { return Ok(Vec::new()) };
    let slip = |number: &Value| Slip::numbered(usize::try_from(number.as_u64()?).ok()?);
    let slips = given.as_array().and_then(|numbers| numbers.iter().map(slip).collect());
    slips.ok_or_else(|| "slips must be numbers from 1 to 5".to_owned())
}

fn of_part(part: &Part, all: usize) -> Value {
    let Part { closed, tape, finite, row } = part;
    let difference = |d: Difference| json!({ "absolute": number(d.absolute), "relative": number(d.relative) });
    json!({
        "entries": all,
        "closed": numbers(closed),
        "tape": numbers(tape),
        "finite": finite.iter().map(|d| d.map_or(Value::Null, number)).collect::<Value>(),
        "held_back": row.held_back,
        "closed_tape": difference(row.closed_tape),
        "closed_finite": difference(row.closed_finite),
        "tape_finite": difference(row.tape_finite),
        "passed": row.passed(),
    })
}
