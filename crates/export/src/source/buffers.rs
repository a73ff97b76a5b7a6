//! Which arrays hold the values of a pass: those that are read no more give way to others.

use crate::forward::{Recording, Source};

/// Where the value of a node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In an input, by its number.
    Input(usize),
    /// In a constant, by its node.
    Constant(usize),
    /// In a buffer, by its number.
    Buffer(usize),
}

/// The places of all nodes, and the sizes of the buffers.
pub(super) fn plan(recording: &Recording) -> (Vec<Place>, Vec<usize>) {
    let nodes = &recording.nodes;
    let mut roots: Vec<usize> = (0..nodes.len()).collect();
    let mut last = vec![0; nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        if is_view(node.op) && node.source == Source::Computed {
            roots[at] = roots[node.operands[0]];
        }
        node.operands.iter().for_each(|&operand| last[roots[operand]] = at);
    }
    recording.outputs.iter().for_each(|port| last[roots[port.node]] = nodes.len());
    let (mut places, mut sizes) = (Vec::with_capacity(nodes.len()), Vec::<usize>::new());
    let mut free: Vec<usize> = Vec::new();
    for (at, node) in nodes.iter().enumerate() {
        let size = node.shape.iter().product::<usize>();
        let place = match &node.source {
            Source::Input => Place::Input(recording.inputs.iter().position(|port| port.node == at).unwrap_or_default()),
            Source::Numbers(_) | Source::Integers(_) => Place::Constant(at),
            Source::Computed if roots[at] != at => places[roots[at]],
            Source::Computed => {
                // The smallest that is large enough, else the largest, which grows.
                let fits = free.iter().copied().filter(|&k| sizes[k] >= size).min_by_key(|&k| sizes[k]);
                let chosen = fits.or_else(|| free.iter().copied().max_by_key(|&k| sizes[k]));
                let buffer = chosen.unwrap_or(sizes.len());
                free.retain(|&k| k != buffer);
                if buffer == sizes.len() {
                    sizes.push(0);
                }
                sizes[buffer] = sizes[buffer].max(size);
                Place::Buffer(buffer)
            }
        };
        places.push(place);
        let mut done: Vec<usize> = node.operands.iter().map(|&operand| roots[operand]).collect();
        done.sort_unstable();
        done.dedup();
        for root in done.into_iter().filter(|&root| last[root] == at) {
            if let Place::Buffer(buffer) = places[root] {
                free.push(buffer);
            }
        }
    }
    (places, sizes)
}

/// Whether an operation leaves the elements where they are.
pub(super) fn is_view(op: &str) -> bool {
    matches!(op, "reshape" | "stop_gradient")
}
