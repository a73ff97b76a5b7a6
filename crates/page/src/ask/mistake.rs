//! Formulas one of which is wrong, in a way that happens in earnest.

use super::{Answer, Request, closed, number};
use crate::state::State;
use autograd::{Tape, Var, grad};
use serde_json::{Value, json};
use softmax_net::Convention;

/// How many formulas are shown.
const SHOWN: usize = 4;

/// A formula as it is right, as it is mistaken, and why it is.
struct Formula {
    right: &'static str,
    wrong: &'static str,
    why: &'static str,
    /// Both, from a state; the second is mistaken.
    compute: fn(&Values<'_>) -> [f64; 2],
    tape: fn(&Values<'_>) -> f64,
}

struct Values<'a> {
    state: &'a State,
    forward: softmax_net::Forward<Vec<f64>>,
    sum: softmax_net::Gradients<Vec<f64>>,
    net: softmax_net::Toy<Var<'a>>,
    x: Var<'a>,
    loss: Var<'a>,
    scores: Var<'a>,
    z1: Var<'a>,
}

/// The place of the largest in size.
fn largest(of: &[f64]) -> usize {
    (0..of.len()).fold(0, |best, e| if of[e].abs() > of[best].abs() { e } else { best })
}

fn entry(var: Var<'_>, at: usize) -> f64 {
    var.value().as_slice()[at]
}

/// One entry of each is compared: those of the first example and class, and of a hidden node that the mistake shows at.
static FORMULAS: [Formula; 6] = [
    Formula {
        right: "dL/db2 = Σ_i (P − Y)[i]",
        wrong: "dL/db2 = (P − Y)[0]",
        why: "The sum over the batch is missing: a bias is added to every row, so every row sends a gradient back.",
        compute: |v| [v.sum.b2[0], v.sum.s[0]],
        tape: |v| entry(grad(v.loss, &v.net.b2), 0),
    },
    Formula {
        right: "dL/dW2 = 1/N O1ᵀ (P − Y), for the mean",
        wrong: "dL/dW2 = 1/N · 1/N O1ᵀ (P − Y), for the mean",
        why: "Divided by N twice: once in P − Y, and once more after the product.",
        compute: |v| {
            let (n, at) = (v.state.sizes.n as f64, largest(&v.sum.w2));
            [v.sum.w2[at] / n, v.sum.w2[at] / (n * n)]
        },
        tape: |v| entry(grad(v.loss.div_scalar(v.state.sizes.n as f64), &v.net.w2), largest(&v.sum.w2)),
    },
    Formula {
        right: "dL/dZ1 = dL/dO1 ∘ f′(Z1)",
        wrong: "dL/dZ1 = dL/dO1",
        why: "The mask is missing: below the kink of f nothing comes through.",
        compute: |v| [v.sum.z1[v.masked()], v.sum.o1[v.masked()]],
        tape: |v| entry(grad(v.loss, &v.z1), v.masked()),
    },
    Formula {
        right: "dL/dX = dL/dZ1 W1ᵀ",
        wrong: "dL/dX = dL/dZ1 W1, W1 read as [H, D]",
        why: "The transpose is missing. The shapes fit all the same, since the same numbers were read in another order.",
        compute: |v| {
            let (d, h, w1) = (v.state.sizes.d, v.state.sizes.h, v.state.net.w1.as_slice());
            let mistaken = (0..h).map(|m| v.sum.z1[m] * w1[m * d]).sum();
            [v.sum.x[0], mistaken]
        },
        tape: |v| entry(grad(v.loss, &v.x), 0),
    },
    Formula {
        right: "dL/dS = P − Y",
        wrong: "dL/dS = Y − P",
        why: "The sign: it points downhill. The rate's minus would turn it uphill again.",
        compute: |v| [v.sum.s[0], -v.sum.s[0]],
        tape: |v| entry(grad(v.loss, &v.scores), 0),
    },
    Formula {
        right: "dP_y/dS_k = −P_y P_k, where k is not y",
        wrong: "dP_y/dS_k = 0, where k is not y",
        why: "The Jacobian of the softmax is no diagonal: each score moves every probability, since they share their sum.",
        compute: |v| [-v.forward.o2[v.at_label()] * v.forward.o2[v.beside_label()], 0.0],
        tape: |v| {
            let p = v.scores.softmax(1);
            let at_label = p.reshape([p.numel()]).gather(0, &[v.at_label()]);
            entry(grad(at_label.sum(), &v.scores), v.beside_label())
        },
    },
];

impl Values<'_> {
    /// A hidden value of which the mask takes most away.
    fn masked(&self) -> usize {
        let lost: Vec<f64> = self.sum.o1.iter().zip(&self.sum.z1).map(|(o1, z1)| o1 - z1).collect();
        largest(&lost)
    }

    fn at_label(&self) -> usize {
        self.state.labels[0]
    }

    fn beside_label(&self) -> usize {
        (self.at_label() + 1) % self.state.sizes.k
    }
}

/// Four formulas by `seed`, one of them wrong: `wrong` is its place, and each has its number in closed form, as written, and on the tape.
pub(super) fn mistake(request: &Request) -> Answer {
    let state = State::of(request)?;
    let seed = request.get("seed").map_or(Some(1), Value::as_u64).ok_or("seed must be a whole number")? as usize;
    let (forward, sum) = closed(&state)?;
    let tape = Tape::new();
    let (net, x) = (tape.vars(&state.net), tape.var(&state.x));
    let taped = net.try_forward(x, &state.labels, Convention::Sum).map_err(|error| error.to_string())?;
    let values = Values { state: &state, forward, sum, net, x, loss: taped.l, scores: taped.s, z1: taped.z1 };
    // Six formulas in turn, and the place of the wrong one moves with each round.
    let wrong = (seed + seed / FORMULAS.len()) % SHOWN;
    let lines = (0..SHOWN).map(|place| {
        let formula = &FORMULAS[(seed + FORMULAS.len() + place - wrong) % FORMULAS.len()];
        let [right, mistaken] = (formula.compute)(&values);
        let is_wrong = place == wrong;
        json!({
            "formula": if is_wrong { formula.wrong } else { formula.right },
            "written": number(if is_wrong { mistaken } else { right }),
            "tape": number((formula.tape)(&values)),
        })
    });
    let formula = &FORMULAS[seed % FORMULAS.len()];
    Ok(json!({ "lines": lines.collect::<Value>(), "wrong": wrong, "why": formula.why, "right": formula.right }))
}
