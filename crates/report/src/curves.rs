//! Curves of training.

use crate::page::Page;
use nn::train::History;
use picture::{Lines, Scale, Series, number};

/// What an axis of time may be called, the first that there is.
const TIMES: [&str; 3] = ["iteration", "epoch", "step"];
/// What tells trainings apart that stand in one history: on how many rows, and which net of several.
const KINDS: [&str; 2] = ["rows", "net"];

pub(crate) fn write(page: &mut Page, history: Option<&History>) {
    page.section("Curves");
    let Some(history) = history.filter(|history| !history.is_empty()) else {
        page.says("How it was trained was not told to this report.");
        return;
    };
    page.says(
        "How the numbers of training went, step by step: where a loss falls no further, more steps would not help.",
    );
    for picture in pictures(history) {
        page.picture(&picture);
    }
    let others = others(history).len();
    if others > MOST {
        page.note(&format!("The first {MOST} of {others} other numbers are drawn."));
    }
}

/// How many numbers beside the losses have a picture.
const MOST: usize = 12;

/// The numbers that are neither losses nor norms, nor tell when or of what they are.
fn others(history: &History) -> Vec<&str> {
    history.names.iter().map(String::as_str).filter(|name| !is_time(name) && !name.contains("loss")).collect()
}

fn is_time(name: &str) -> bool {
    TIMES.contains(&name) || KINDS.contains(&name) || is_norm(name)
}

/// A picture of all losses, and one of each other number. Several nets are several curves.
pub(crate) fn pictures(history: &History) -> Vec<picture::Picture> {
    let losses: Vec<&str> =
        history.names.iter().map(String::as_str).filter(|name| !is_time(name) && name.contains("loss")).collect();
    let mut drawn = Vec::new();
    if !losses.is_empty() {
        let series = losses.iter().flat_map(|name| series(history, name)).collect();
        let lines = Lines { title: "Loss".into(), y_scale: Scale::Log, series, ..Lines::new(time(history), "loss") };
        drawn.push(lines.picture());
    }
    for name in others(history).into_iter().take(MOST) {
        drawn.push(
            Lines { title: name.into(), series: series(history, name), ..Lines::new(time(history), name) }.picture(),
        );
    }
    drawn
}

/// Whether a number is the size of weights or gradients, which are drawn with the layers.
pub(crate) fn is_norm(name: &str) -> bool {
    name.starts_with("weights of ") || name.starts_with("gradient of ")
}

/// What the axis of time is.
pub(crate) fn time(history: &History) -> &str {
    TIMES.into_iter().find(|time| history.names.iter().any(|name| name == time)).unwrap_or("row")
}

/// The curves of a number: one, or one for each training.
fn series(history: &History, name: &str) -> Vec<Series> {
    let Some(values) = history.column(name) else { return Vec::new() };
    let times = history.column(time(history)).unwrap_or_else(|| (1..=values.len()).map(|row| row as f64).collect());
    let trainings = trainings(history);
    let curve = |(said, rows): &(String, Vec<usize>)| {
        let name = if trainings.len() > 1 { format!("{name}, {said}") } else { name.to_owned() };
        Series::new(name, rows.iter().map(|&row| (times[row], values[row])))
    };
    trainings.iter().map(curve).filter(|curve| curve.points.iter().any(|point| !point.1.is_nan())).collect()
}

/// The rows of each training that stands in a history, and what it is called.
pub(crate) fn trainings(history: &History) -> Vec<(String, Vec<usize>)> {
    let kinds: Vec<(&str, Vec<f64>)> = KINDS.iter().filter_map(|&kind| Some((kind, history.column(kind)?))).collect();
    let mut found: Vec<(Vec<u64>, Vec<usize>)> = Vec::new();
    for row in 0..history.len() {
        let key: Vec<u64> = kinds.iter().map(|(_, numbers)| numbers[row].to_bits()).collect();
        match found.iter_mut().find(|(known, _)| *known == key) {
            Some((_, rows)) => rows.push(row),
            None => found.push((key, vec![row])),
        }
    }
    let name = |rows: &[usize]| {
        let said = kinds.iter().map(|(kind, numbers)| match *kind {
            "rows" => format!("{} rows", number(numbers[rows[0]])),
            kind => format!("{kind} {}", number(numbers[rows[0]])),
        });
        said.collect::<Vec<_>>().join(", ")
    };
    found.into_iter().map(|(_, rows)| (name(&rows), rows)).collect()
}
