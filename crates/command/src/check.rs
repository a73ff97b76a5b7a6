//! The derivation of the gradient of a softmax layer, line by line.

use crate::cli::CheckFlags;
use crate::json::{number, object};
use crate::{Failure, output};
use autograd::Tape;
use picture::{Card, Cards};
use serde_json::{Value, json};
use softmax_net::Toy;
use softmax_net::derivation::{Derivation, Difference, LINES, Line, Report, Row};
use softmax_net::published::Published;
use std::io::Write as _;

pub(crate) fn check(flags: &CheckFlags) -> Result<(), Failure> {
    let Published { net, x, labels, .. } = Published::embedded();
    let net = Toy { f: flags.activation, ..net };
    let tape = Tape::new();
    let derivation = Derivation::try_new(&tape, &net, &x, &labels, &[])
        .map_err(|error| Failure::new(error.to_string(), "`nn check --help` tells how it is used"))?;
    let lines = lines(&flags.lines)?;
    let report = Report { rows: lines.iter().map(|line| derivation.row(line)).collect() };
    if flags.json {
        let lines: Vec<Value> = report.rows.iter().map(line).collect();
        let all = json!({ "activation": flags.activation.to_string(), "holds": report.passed(), "lines": lines });
        output::write(|out| writeln!(out, "{all}"))?;
    } else if let Some(colours) = flags.svg {
        let cards = lines.iter().zip(&report.rows).map(|(line, row)| card(&derivation, line, row)).collect();
        let title = "The derivation of the gradient of a softmax layer, line by line".to_owned();
        let accounts = ["closed form", "tape", "differences"].map(str::to_owned).to_vec();
        let file = Cards { title, accounts, cards }.picture().file_in(colours.into());
        output::write(|out| out.write_all(file.as_bytes()))?;
    } else {
        output::write(|out| writeln!(out, "{report}"))?;
    }
    if report.passed() { Ok(()) } else { Err(failed(&report)) }
}

/// The lines of these names, or whose names contain one of these texts; all where there are none.
fn lines(wanted: &[String]) -> Result<Vec<&'static Line>, Failure> {
    let has = |line: &Line, text: &String| {
        let is = |line: &Line| line.name.eq_ignore_ascii_case(text);
        if LINES.iter().any(is) { is(line) } else { line.name.to_lowercase().contains(&text.to_lowercase()) }
    };
    if let Some(unknown) = wanted.iter().find(|text| !LINES.iter().any(|line| has(line, text))) {
        let known = LINES.iter().map(|line| line.name).collect::<Vec<_>>().join(", ");
        return Err(Failure::misused(
            format!("expected a line of the derivation, found `{}`", nn::shown(unknown)),
            format!("the lines are {known}"),
        ));
    }
    let chosen = |line: &&Line| wanted.is_empty() || wanted.iter().any(|text| has(line, text));
    Ok(LINES.iter().filter(chosen).collect())
}

/// So many numbers of a line are drawn.
const DRAWN: usize = 3;

fn card(derivation: &Derivation<'_>, line: &Line, row: &Row) -> Card {
    let part = derivation.part(line, 0..DRAWN);
    let all = part.closed.iter().zip(&part.tape).zip(&part.finite);
    let few = if row.entries > part.closed.len() {
        format!("all {} numbers, the first here", row.entries)
    } else {
        "all".to_owned()
    };
    Card {
        name: line.name.to_owned(),
        statement: line.statement.to_owned(),
        numbers: all.map(|((closed, tape), finite)| vec![*closed, *tape, finite.unwrap_or(f64::NAN)]).collect(),
        verdict: format!(
            "{few}: tape within {:.0e}, differences within {:.0e}{}",
            row.tolerance.tape,
            row.tolerance.finite,
            if row.passed() { "" } else { ", but for some" }
        ),
        holds: row.passed(),
    }
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
