//! The loss of one example as one of its scores moves: its slope, secants, and how wrong they are for each step size.

use super::{Answer, Request, closed, number, numbers};
use crate::state::State;
use autograd::{Tape, Tensor, grad};
use serde_json::{Value, json};
use softmax_net::closed_form::losses;
use softmax_net::finite_differences::jacobian as by_differences;

/// How far the score is moved to each side in the curve.
const REACH: f64 = 6.0;
/// Into how many pieces the curve is cut.
const PIECES: usize = 96;
/// The step sizes are powers of ten from 1e-1 to 1e-14, and one between each two.
const STEPS: usize = 27;

/// `L_i` as the score `S[i,k]` moves, the others at rest: the curve, its slope in three accounts, the secant of step `h`, and
/// the errors of secants for each step size.
pub(super) fn loss(request: &Request) -> Answer {
    let state = State::of(request)?;
    let h = match request.get("h") {
        None => 1.0,
        Some(h) => h.as_f64().filter(|h| (1e-15..=4.0).contains(h)).ok_or("h must be a number from 1e-15 to 4")?,
    };
    let (forward, gradients) = closed(&state)?;
    let (k, label) = (state.sizes.k, state.labels[state.i]);
    let row = forward.s[state.i * k..][..k].to_vec();
    let at = row[state.k];
    let loss = |score: f64| {
        let mut row = row.clone();
        row[state.k] = score;
        losses(&row, &[label], k)[0]
    };
    let slope = gradients.s[state.i * k + state.k];
    let places: Vec<f64> = (0..=PIECES).map(|p| at - REACH + 2.0 * REACH * p as f64 / PIECES as f64).collect();
    let secant = |h: f64| [(loss(at + h) - loss(at)) / h, (loss(at + h) - loss(at - h)) / (2.0 * h)];
    let extrapolated = by_differences(&[at], |s| vec![loss(s[0])], |_| ())[0];
    let steps = (0..STEPS).map(|step| {
        let h = 10_f64.powf(-1.0 - step as f64 / 2.0);
        let [forward, central] = secant(h).map(|d| (d - slope).abs());
        json!({ "h": h, "forward": number(forward), "central": number(central) })
    });
    let [forward, central] = secant(h);
    Ok(json!({
        "label": label, "score": number(at), "loss": number(loss(at)),
        "curve": { "scores": numbers(&places), "losses": numbers(&places.iter().map(|&s| loss(s)).collect::<Vec<_>>()) },
        "slope": { "closed": number(slope), "tape": number(by_tape(&row, state.k, label)),
                   "finite": extrapolated.map_or(Value::Null, number) },
        "secant": { "h": h, "forward": number(forward), "central": number(central),
                    "ends": numbers(&[loss(at - h), loss(at + h)]) },
        "errors": steps.collect::<Value>(),
        "extrapolated": extrapolated.map_or(Value::Null, |d| number((d - slope).abs())),
    }))
}

fn by_tape(row: &[f64], class: usize, label: usize) -> f64 {
    let tape = Tape::new();
    let s = tape.var(&Tensor::new([1, row.len()], row.to_vec()));
    grad(s.cross_entropy(&tape.labels(&[label])), &s).value().as_slice()[class]
}
