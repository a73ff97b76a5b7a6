//! A number times a logarithm is made of that, where its gradient reads it, or it is of fewer elements.

use super::Rewrite;
use crate::float::Float;
use crate::ops::binary::Binary;
use crate::ops::select::Select;
use crate::ops::table::Kind;
use crate::ops::unary::Unary;
use crate::program::graph::{Graph, Node};
use crate::program::operation::Operation;
use crate::tape::Tape;
use crate::tape::op::Arity;
use crate::tensor::error::Error;
use smallvec::smallvec;
use std::collections::HashMap;

pub(super) struct Logarithms;

/// What a product is of, and whether its logarithm is that of the next number.
type Factors = (u32, u32, bool);

impl<T: Float> Rewrite<T> for Logarithms {
    fn name(&self) -> &'static str {
        "logarithms"
    }

    /// `xlogy(a, b)` is `a · ln b`, but 0 where `a` is, unless `b` is NaN. Where `a` is 0 it does not matter that the gradient's
    /// logarithm may be 0 instead of −∞.
    fn run(&self, graph: &mut Graph<T>, _: &Tape<T>) -> Result<bool, Error> {
        let mut logarithms: HashMap<Factors, usize> = HashMap::new();
        for (i, node) in graph.nodes.iter().enumerate().filter(|(_, node)| !node.keep_apart) {
            if let Some(Kind::Binary(Arity(log @ (Binary::XlogyLog | Binary::Xlog1pyLog)))) = node.kind() {
                logarithms.insert((node.args[1], node.args[0], *log == Binary::Xlog1pyLog), i);
            }
        }
        // What each product is made of: the gradient's logarithm, or that of an operand which stands for several elements.
        let mut moved: HashMap<usize, Option<usize>> = HashMap::new();
        for (i, node) in graph.nodes.iter().enumerate().filter(|(_, node)| !node.keep_apart) {
            if let Some(Kind::Binary(Arity(product @ (Binary::Xlogy | Binary::Xlog1py)))) = node.kind() {
                let log = logarithms.get(&(node.args[0], node.args[1], *product == Binary::Xlog1py)).copied();
                if is_narrow(graph, node.args[1], node) {
                    moved.insert(i, None);
                } else {
                    moved.extend(log.map(|log| (i, Some(log))));
                }
            }
        }
        let is_log = |node: &Node<T>| {
            matches!(node.kind(), Some(Kind::Binary(Arity(Binary::XlogyLog | Binary::Xlog1pyLog)))) && !node.keep_apart
        };
        let narrow: Vec<bool> =
            graph.nodes.iter().map(|node| is_log(node) && is_narrow(graph, node.args[0], node)).collect();
        if moved.is_empty() && !narrow.contains(&true) {
            return Ok(false);
        }
        let all = std::mem::take(&mut graph.nodes);
        let mut is_placed = vec![false; all.len()];
        let mut made: HashMap<(u32, bool), u32> = HashMap::new();
        for (i, node) in all.iter().enumerate() {
            if narrow[i] {
                let log = log_of(graph, &mut made, node);
                without_both_zeros(graph, node, log);
                continue;
            }
            let log = moved.get(&i).copied();
            // The logarithm comes before the first product that is made of it.
            let first = log.flatten().unwrap_or(i);
            if log != Some(None) && !std::mem::replace(&mut is_placed[first], true) {
                graph.nodes.push(all[first].clone());
            }
            match log {
                None => {}
                Some(Some(log)) => product(graph, node, all[log].results[0]),
                Some(None) => {
                    let log = log_of(graph, &mut made, node);
                    product(graph, node, log);
                }
            }
        }
        Ok(true)
    }
}

/// Whether an operand of a node has fewer elements than what the node makes.
fn is_narrow<T: Float>(graph: &Graph<T>, operand: u32, node: &Node<T>) -> bool {
    graph.numel(operand) < graph.numel(node.results[0])
}

fn push<T: Float>(graph: &mut Graph<T>, kind: Kind<T>, args: &[u32], result: u32) -> u32 {
    let (operation, args) = (Operation::Single(kind), args.iter().copied().collect());
    graph.nodes.push(Node { operation, args, results: smallvec![result], keep_apart: false });
    result
}

/// The logarithm of an operand by itself.
fn log_of<T: Float>(graph: &mut Graph<T>, made: &mut HashMap<(u32, bool), u32>, node: &Node<T>) -> u32 {
    let (of, of_next) = parts(node);
    *made.entry((of, of_next)).or_insert_with(|| {
        let log = graph.value_like(of);
        let op = if of_next { Unary::Log1p {} } else { Unary::Log {} };
        push(graph, Kind::Unary(Arity(op)), &[of], log)
    })
}

/// What a node takes the logarithm of, and whether of the next number.
fn parts<T: Float>(node: &Node<T>) -> (u32, bool) {
    #[allow(clippy::wildcard_enum_match_arm, reason = "four of a large table")]
    match node.kind() {
        Some(Kind::Binary(Arity(Binary::Xlogy))) => (node.args[1], false),
        Some(Kind::Binary(Arity(Binary::Xlog1py))) => (node.args[1], true),
        Some(Kind::Binary(Arity(Binary::XlogyLog))) => (node.args[0], false),
        _ => (node.args[0], true),
    }
}

/// A gradient's logarithm of that of its operand: 0 where both operands have the factor 0.
fn without_both_zeros<T: Float>(graph: &mut Graph<T>, node: &Node<T>, log: u32) {
    let ((of, of_next), a, y) = (parts(node), node.args[1], node.results[0]);
    let mut unary = |op: Unary, x: u32| {
        let result = graph.value_like(x);
        push(graph, Kind::Unary(Arity(op)), &[x], result)
    };
    // Equal to 0 where the factor is, else NaN, which equals nothing.
    let factor = if of_next { unary(Unary::AddScalar { offset: 1.0 }, of) } else { of };
    let magnitude = unary(Unary::Abs {}, factor);
    let below = unary(Unary::Neg {}, magnitude);
    let zero = unary(Unary::Sqrt {}, below);
    let both = graph.value_like(y);
    push(graph, Kind::Binary(Arity(Binary::Equal)), &[a, zero], both);
    push(graph, Kind::Binary(Arity(Binary::Discard)), &[log, both], y);
}

/// A product of a logarithm that is there.
fn product<T: Float>(graph: &mut Graph<T>, node: &Node<T>, log: u32) {
    let ([a, b], y) = ([node.args[0], node.args[1]], node.results[0]);
    let (is_nan, product) = (graph.value_like(b), graph.value_like(y));
    push(graph, Kind::Binary(Arity(Binary::NotEqual)), &[b, b], is_nan);
    push(graph, Kind::Binary(Arity(Binary::Zmul)), &[a, log], product);
    push(graph, Kind::Select(Arity(Select)), &[is_nan, b, product], y);
}
