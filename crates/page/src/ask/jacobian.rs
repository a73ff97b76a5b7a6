//! The Jacobian of the softmax of one example.

use super::{Answer, Request, closed, numbers, rows};
use crate::state::State;
use autograd::{Tape, Tensor, jacobian as on_tape};
use serde_json::json;
use softmax_net::closed_form::do2_ds;

/// `diag P − P Pᵀ` of example `i` in closed form and as the tape has it, and the sums of its rows, which are 0.
pub(super) fn jacobian(request: &Request) -> Answer {
    let state = State::of(request)?;
    let (forward, _) = closed(&state)?;
    let k = state.sizes.k;
    let part = |values: &[f64]| values[state.i * k..][..k].to_vec();
    let (scores, probabilities) = (part(&forward.s), part(&forward.o2));
    let matrix = do2_ds(&probabilities, k);
    let tape = Tape::new();
    let s = tape.var(&Tensor::from(scores));
    let taped = on_tape(s.softmax(0), s).value();
    let sums: Vec<f64> = matrix.chunks(k).map(|row| row.iter().sum()).collect();
    Ok(json!({
        "probabilities": numbers(&probabilities),
        "closed": rows(&matrix, k),
        "tape": rows(taped.as_slice(), k),
        "sums": numbers(&sums),
    }))
}
