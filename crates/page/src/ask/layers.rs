//! The gradients of both layers, as sums of outer products.

use super::{Answer, Request, closed, number, numbers, rows};
use crate::state::State;
use autograd::{Tape, grad};
use serde_json::json;
use softmax_net::Convention;

/// For example `i`: the vectors whose outer products are its part of `dW2` and of `dW1`, with `f′` between them; then both
/// gradients whole, in closed form and as the tape has them.
pub(super) fn layers(request: &Request) -> Answer {
    let state = State::of(request)?;
    let (forward, gradients) = closed(&state)?;
    let (d, h, k, i) = (state.sizes.d, state.sizes.h, state.sizes.k, state.i);
    let row = |values: &[f64], width: usize| values[i * width..][..width].to_vec();
    let outer = |a: &[f64], b: &[f64]| a.iter().flat_map(|a| b.iter().map(move |b| a * b)).collect::<Vec<f64>>();
    let (x, z1, o1) = (row(state.x.as_slice(), d), row(&forward.z1, h), row(&forward.o1, h));
    let (ds, do1, dz1) = (row(&gradients.s, k), row(&gradients.o1, h), row(&gradients.z1, h));
    let mask: Vec<f64> = z1.iter().map(|&z| state.net.f.derivative(z)).collect();
    let tape = Tape::new();
    let (net, x_var) = (tape.vars(&state.net), tape.var(&state.x));
    let taped = net.try_forward(x_var, &state.labels, Convention::Sum).map_err(|error| error.to_string())?;
    let taped = grad(taped.l, &net);
    Ok(json!({
        "loss": number(forward.l[0]),
        "x": numbers(&x), "z1": numbers(&z1), "o1": numbers(&o1), "mask": numbers(&mask),
        "dS": numbers(&ds), "dO1": numbers(&do1), "dZ1": numbers(&dz1),
        "part_W2": rows(&outer(&o1, &ds), k), "part_W1": rows(&outer(&x, &dz1), h),
        "dW2": rows(&gradients.w2, k), "dW1": rows(&gradients.w1, h),
        "tape_W2": rows(taped.w2.value().as_slice(), k), "tape_W1": rows(taped.w1.value().as_slice(), h),
    }))
}
