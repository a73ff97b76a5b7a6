//! Curves of training.

use crate::page::Page;
use nn::train::History;
use picture::{Lines, Scale, Series};

/// What an axis of time may be called, the first that there is.
const TIMES: [&str; 3] = ["iteration", "epoch", "step"];

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
}

/// A picture of all losses, and one of each other number. Several nets are several curves.
pub(crate) fn pictures(history: &History) -> Vec<picture::Picture> {
    let is_time = |name: &str| TIMES.contains(&name) || name == "net" || is_norm(name);
    let losses: Vec<&str> =
        history.names.iter().map(String::as_str).filter(|name| !is_time(name) && name.contains("loss")).collect();
    let others: Vec<&str> =
        history.names.iter().map(String::as_str).filter(|name| !is_time(name) && !name.contains("loss")).collect();
    let mut drawn = Vec::new();
    if !losses.is_empty() {
        let series = losses.iter().flat_map(|name| series(history, name)).collect();
        let lines = Lines { title: "Loss".into(), y_scale: Scale::Log, series, ..Lines::new(time(history), "loss") };
        drawn.push(lines.picture());
    }
    for name in others.into_iter().take(12) {
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

/// The curves of a number: one, or one for each net.
fn series(history: &History, name: &str) -> Vec<Series> {
    let Some(values) = history.column(name) else { return Vec::new() };
    let times = history.column(time(history)).unwrap_or_else(|| (1..=values.len()).map(|row| row as f64).collect());
    let nets = history.column("net").unwrap_or_else(|| vec![1.0; values.len()]);
    let mut kinds = nets.clone();
    kinds.sort_by(f64::total_cmp);
    kinds.dedup();
    let curve = |net: f64| {
        let own = nets.iter().zip(times.iter().zip(&values)).filter(|(of, _)| **of == net).map(|(_, (x, y))| (*x, *y));
        Series::new(if kinds.len() > 1 { format!("{name}, net {net}") } else { name.to_owned() }, own)
    };
    kinds.iter().map(|&net| curve(net)).collect()
}
