//! What the engine records for one example, written out as the post has it, or fused.

use super::{Answer, Request, numbers};
use crate::state::State;
use autograd::{Tape, Tensor, Var, grad};
use serde_json::{Value, json};

/// The lines of this file, to show the one that recorded a node.
const SOURCE: &str = include_str!("tape.rs");

/// Each node of the tape of example `i`, up to its loss, with its value and its cotangent.
pub(super) fn tape(request: &Request) -> Answer {
    let state = State::of(request)?;
    let written = request.get("written") == Some(&Value::Bool(true));
    let tape = Tape::new();
    let features = state.sizes.d;
    let x = tape.var(&Tensor::new([1, features], state.x.as_slice()[state.i * features..][..features].to_vec()));
    let (named, loss) = record(&tape, x, &state, written);
    let nodes: Vec<_> = tape.recorded().collect();
    let vars: Vec<Var<'_>> = nodes.iter().filter_map(|node| node.var).collect();
    let mut cotangents = grad(loss, &vars).into_iter().map(|of| numbers(of.value().as_slice()));
    let readers = |index: u32| nodes.iter().flat_map(|node| node.operands).filter(|&&read| read == index).count();
    let all = nodes.iter().map(|node| {
        let place = |var: Var<'_>| var.index() == node.index;
        let name = named.iter().find(|(_, var)| place(*var)).map_or("", |(name, _)| name);
        let line = node.location.line();
        let source = SOURCE.lines().nth(line as usize - 1).unwrap_or("").trim();
        json!({
            "index": node.index, "name": name, "op": node.op, "operands": node.operands, "shape": node.shape[..],
            "line": format!("tape.rs:{line}"), "source": source, "readers": readers(node.index),
            "value": node.var.map(|var| numbers(var.value().as_slice())),
            "cotangent": node.var.and_then(|_| cotangents.next()),
        })
    });
    Ok(json!({ "nodes": all.collect::<Value>() }))
}

/// The forward pass, and its results by their names.
fn record<'t>(tape: &'t Tape, x: Var<'t>, state: &State, written: bool) -> (Vec<(&'static str, Var<'t>)>, Var<'t>) {
    let (net, label) = (tape.vars(&state.net), state.labels[state.i]);
    let z1 = x.matmul(net.w1) + net.b1;
    let o1 = net.f.record(z1);
    let s = o1.matmul(net.w2) + net.b2;
    let mut named = vec![("X", x), ("W1", net.w1), ("b1", net.b1), ("W2", net.w2), ("b2", net.b2)];
    named.extend([("Z1", z1), ("O1", o1), ("S", s)]);
    if !written {
        let loss = s.cross_entropy(&tape.labels(&[label]));
        named.push(("L", loss));
        return (named, loss);
    }
    let u = s.exp();
    let sum = u.sum();
    let o2 = u / sum;
    let at_label = o2.take_along_axis(1, &tape.indices([1, 1], &[label as i64]));
    let loss = -at_label.log().sum();
    named.extend([("U", u), ("ΣU", sum), ("O2", o2), ("L", loss)]);
    (named, loss)
}
