//! The derivation of the gradient of a softmax layer, line by line.

use crate::cli::CheckFlags;
use crate::json::{number, object};
use crate::{Failure, output};
use serde_json::{Value, json};
use softmax_net::Toy;
use softmax_net::derivation::{self, Difference, Report, Row};
use softmax_net::published::Published;
use std::io::Write as _;

pub(crate) fn check(flags: &CheckFlags) -> Result<(), Failure> {
    let Published { net, x, labels, .. } = Published::embedded();
    let net = Toy { f: flags.activation, ..net };
    let wrong = |error: softmax_net::Error| Failure::new(error.to_string(), "`nn check --help` tells how it is used");
    let mut report = derivation::check(&net, &x, &labels).map_err(wrong)?;
    if let Some(wanted) = &flags.line {
        let names: Vec<&str> = report.rows.iter().map(|row| row.name).collect();
        let known = names.join(", ");
        report.rows.retain(|row| row.name.to_lowercase().contains(&wanted.to_lowercase()));
        if report.rows.is_empty() {
            return Err(Failure::misused(
                format!("expected a line of the derivation, found `{}`", crate::help::plain(wanted)),
                format!("the lines are {known}"),
            ));
        }
    }
    if flags.json {
        let lines: Vec<Value> = report.rows.iter().map(line).collect();
        let all = json!({ "activation": flags.activation.to_string(), "holds": report.passed(), "lines": lines });
        output::write(|out| writeln!(out, "{all}"))?;
    } else {
        output::write(|out| writeln!(out, "{report}"))?;
    }
    if report.passed() { Ok(()) } else { Err(failed(&report)) }
}

fn failed(report: &Report) -> Failure {
    let names: Vec<&str> = report.rows.iter().filter(|row| !row.passed()).map(|row| row.name).collect();
    Failure::new(
        format!("{} of {} lines do not hold: {}", names.len(), report.rows.len(), names.join(", ")),
        "this is a mistake of the engine or of the formula: please report it with this output",
    )
}

fn line(row: &Row) -> Value {
    let difference = |of: &Difference| object([("absolute", number(of.absolute)), ("relative", number(of.relative))]);
    object([
        ("name", Value::from(row.name)),
        ("statement", Value::from(row.statement)),
        ("entries", Value::from(row.entries)),
        ("held_back", Value::from(row.held_back)),
        ("closed_tape", difference(&row.closed_tape)),
        ("closed_finite", difference(&row.closed_finite)),
        ("tape_finite", difference(&row.tape_finite)),
        ("tolerance", object([("tape", number(row.tolerance.tape)), ("finite", number(row.tolerance.finite))])),
        ("holds", Value::from(row.passed())),
    ])
}
