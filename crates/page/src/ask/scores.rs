//! From scores to probabilities, with and without the largest score taken off.

use super::{Answer, Request, closed, number, numbers};
use crate::state::State;
use serde_json::{Value, json};

/// The steps from the scores of example `i` to its probabilities and its loss: `shifted`, less the largest, and `plain`, as the
/// post's program has them.
pub(super) fn scores(request: &Request) -> Answer {
    let state = State::of(request)?;
    let (forward, _) = closed(&state)?;
    let scores = &forward.s[state.i * state.sizes.k..][..state.sizes.k];
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let label = state.labels[state.i];
    Ok(json!({
        "scores": numbers(scores),
        "largest": number(largest),
        "label": label,
        "shifted": steps(scores, largest, label),
        "plain": steps(scores, 0.0, label),
    }))
}

fn steps(scores: &[f64], taken_off: f64, label: usize) -> Value {
    let exponents: Vec<f64> = scores.iter().map(|s| s - taken_off).collect();
    let powers: Vec<f64> = exponents.iter().map(|e| e.exp()).collect();
    let sum: f64 = powers.iter().sum();
    let probabilities: Vec<f64> = powers.iter().map(|u| u / sum).collect();
    json!({
        "exponents": numbers(&exponents), "powers": numbers(&powers), "sum": number(sum),
        "probabilities": numbers(&probabilities), "loss": number(sum.ln() - exponents[label]),
    })
}
