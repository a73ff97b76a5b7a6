//! The tape of a loss as a graph.

use crate::count;
use crate::page::Page;
use crate::seen::Seen;
use autograd::{Tape, Tensor, Tree, Var, grad};
use nn::data::{Batch, BatchVars};
use nn::file::Model;
use picture::{Graph, Node, NodeKind, number};
use std::collections::BTreeMap;
use std::path::Path;

/// How many rows go onto the tape.
const ROWS: usize = 3;

pub(crate) fn write(page: &mut Page, seen: &Seen) {
    page.section("The tape");
    let rows: Vec<usize> = (0..seen.len().min(ROWS)).collect();
    page.says(&format!(
        "The loss of {} as the engine recorded it, from the features to the loss: each operation with its shape, its value, the derivative of the \
         loss with respect to it (cotangent), and the line of the program.",
        count(rows.len(), "row", "rows")
    ));
    page.picture(&graph(seen.model, &seen.data.batch(&rows)).picture());
}

/// The loss of a batch as the engine records it: operations with shapes, values, cotangents and lines of source.
///
/// # Panics
/// Where the batch does not fit the model.
#[track_caller]
pub fn graph(model: &Model, batch: &Batch) -> Graph {
    let tape = Tape::new();
    let net = tape.vars(&model.net);
    let vars = BatchVars::new(&tape, batch);
    let mut names: BTreeMap<u32, String> = net.leaves().into_iter().map(Var::index).zip(model.net.names()).collect();
    names.insert(vars.features.index(), "features".to_owned());
    let loss = vars.loss(net.forward(vars.features));
    // The derivatives are recorded behind what they are of.
    let nodes: Vec<_> = tape.recorded().collect();
    let own: Vec<Var> = nodes.iter().filter_map(|node| node.var).collect();
    let (values, cotangents) = tape.values(&(own.clone(), grad(loss, &own)));
    let mut known = values.iter().zip(&cotangents);
    let mut told = Vec::new();
    for node in &nodes {
        let file = Path::new(node.location.file()).file_name().unwrap_or_default().to_string_lossy();
        let mut facts = vec![("shape".to_owned(), node.shape.to_string())];
        if node.var.is_some()
            && let Some((value, cotangent)) = known.next()
        {
            facts.extend([("value".to_owned(), few(value)), ("cotangent".to_owned(), few(cotangent))]);
        }
        facts.push(("line".to_owned(), format!("{file}:{}", node.location.line())));
        let kind = match (node.index == loss.index(), node.operands.is_empty()) {
            (true, _) => NodeKind::Result,
            (false, true) => NodeKind::Leaf,
            (false, false) => NodeKind::Operation,
        };
        let name = names.get(&node.index).map_or(if node.var.is_none() { "labels" } else { node.op }, |name| &name[..]);
        let reads = node.operands.iter().map(|&operand| operand as usize).collect();
        told.push(Node { name: format!("#{} {name}", node.index), kind, facts, reads });
    }
    Graph { title: format!("The loss of {} on the tape", count(batch.len(), "row", "rows")), nodes: told }
}

/// Few numbers as they are, of many the least and the largest.
fn few(tensor: &Tensor) -> String {
    let all = tensor.as_slice();
    if all.len() <= 3 {
        return all.iter().map(|x| number(*x)).collect::<Vec<_>>().join(", ");
    }
    let (low, high) = all.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &x| (low.min(x), high.max(x)));
    format!("{} to {}", number(low), number(high))
}
