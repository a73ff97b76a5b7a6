//! A number times a logarithm is made of that, where its gradient reads it, or it is of fewer elements.

use super::Rewrite;
use crate::float::Float;
use crate::ops::binary::Binary;
use crate::ops::select::Select;
use crate::ops::table::Kind;
use crate::ops::unary::Unary;
use crate::program::graph::{Graph, Node};
use crate::tape::Tape;
use crate::tape::op::Arity;
use crate::tensor::error::Error;
use std::collections::HashMap;

pub(super) struct Logarithms;

/// What a product is of, and whether its logarithm is that of the next number.
type Factors = (u32, u32, bool);

/// What becomes of a node.
enum Turned {
    /// A gradient's logarithm, of that of its operand alone.
    Log,
    /// A product, of the gradient's logarithm that this node makes, or of that of its operand alone.
    Product(Option<usize>),
}

impl<T: Float> Rewrite<T> for Logarithms {
    fn name(&self) -> &'static str {
        "logarithms"
    }

    /// `xlogy(a, b)` is `a · ln b`, but 0 where `a` is, unless `b` is NaN. Where `a` is 0 it does not matter that the gradient's
    /// logarithm may be 0 instead of −∞.
    fn run(&self, graph: &mut Graph<T>, _: &Tape<T>) -> Result<bool, Error> {
        let mut logarithms: HashMap<Factors, usize> = HashMap::new();
        for (i, node) in graph.nodes.iter().enumerate() {
            if let Some((true, factors)) = factors(node) {
                logarithms.insert(factors, i);
            }
        }
        let turned = |node: &Node<T>| {
            let (is_log, factors) = factors(node)?;
            match (is_log, is_narrow(graph, factors.1, node)) {
                (true, narrow) => narrow.then_some(Turned::Log),
                (false, true) => Some(Turned::Product(None)),
                (false, false) => logarithms.get(&factors).map(|&log| Turned::Product(Some(log))),
            }
        };
        let turned: Vec<Option<Turned>> = graph.nodes.iter().map(turned).collect();
        if turned.iter().all(Option::is_none) {
            return Ok(false);
        }
        let all = std::mem::take(&mut graph.nodes);
        let mut is_placed = vec![false; all.len()];
        let mut place = |graph: &mut Graph<T>, i: usize| {
            if !std::mem::replace(&mut is_placed[i], true) {
                graph.nodes.push(all[i].clone());
            }
        };
        let mut made: HashMap<(u32, bool), u32> = HashMap::new();
        for (i, (node, turned)) in all.iter().zip(turned).enumerate() {
            let (Some(turned), Some((_, factors))) = (turned, factors(node)) else {
                place(graph, i);
                continue;
            };
            let (_, of, of_next) = factors;
            match turned {
                Turned::Log => {
                    let log = log_of(graph, &mut made, (of, of_next));
                    without_both_zeros(graph, factors, log, node.results[0]);
                }
                Turned::Product(None) => {
                    let log = log_of(graph, &mut made, (of, of_next));
                    product(graph, factors, log, node.results[0]);
                }
                // The logarithm comes before the first product that is made of it.
                Turned::Product(Some(log)) => {
                    place(graph, log);
                    product(graph, factors, all[log].results[0], node.results[0]);
                }
            }
        }
        Ok(true)
    }
}

/// What a product or a gradient's logarithm is of, and whether it is the latter.
fn factors<T: Float>(node: &Node<T>) -> Option<(bool, Factors)> {
    let Kind::Binary(Arity(op)) = node.kind().filter(|_| !node.keep_apart)? else { return None };
    let (first, second) = (node.args[0], node.args[1]);
    #[allow(clippy::wildcard_enum_match_arm, reason = "four of a large table")]
    Some(match op {
        Binary::Xlogy => (false, (first, second, false)),
        Binary::Xlog1py => (false, (first, second, true)),
        Binary::XlogyLog => (true, (second, first, false)),
        Binary::Xlog1pyLog => (true, (second, first, true)),
        _ => return None,
    })
}

/// Whether an operand of a node has fewer elements than what the node makes.
fn is_narrow<T: Float>(graph: &Graph<T>, operand: u32, node: &Node<T>) -> bool {
    graph.numel(operand) < graph.numel(node.results[0])
}

/// The logarithm of an operand by itself, or of the next number.
fn log_of<T: Float>(graph: &mut Graph<T>, made: &mut HashMap<(u32, bool), u32>, (of, of_next): (u32, bool)) -> u32 {
    *made.entry((of, of_next)).or_insert_with(|| {
        let log = graph.value_like(of);
        let op = if of_next { Unary::Log1p {} } else { Unary::Log {} };
        graph.push(Kind::Unary(Arity(op)), &[of], log)
    })
}

/// A gradient's logarithm of that of its operand: 0 where both operands have the factor 0.
fn without_both_zeros<T: Float>(graph: &mut Graph<T>, (a, of, of_next): Factors, log: u32, y: u32) {
    let mut unary = |op: Unary, x: u32| {
        let result = graph.value_like(x);
        graph.push(Kind::Unary(Arity(op)), &[x], result)
    };
    // Equal to 0 where the factor is, else NaN, which equals nothing.
    let factor = if of_next { unary(Unary::AddScalar { offset: 1.0 }, of) } else { of };
    let magnitude = unary(Unary::Abs {}, factor);
    let below = unary(Unary::Neg {}, magnitude);
    let zero = unary(Unary::Sqrt {}, below);
    let both = graph.value_like(y);
    graph.push(Kind::Binary(Arity(Binary::Equal)), &[a, zero], both);
    graph.push(Kind::Binary(Arity(Binary::Discard)), &[log, both], y);
}

/// A product of a logarithm that is there.
fn product<T: Float>(graph: &mut Graph<T>, (a, b, _): Factors, log: u32, y: u32) {
    let (is_nan, product) = (graph.value_like(b), graph.value_like(y));
    graph.push(Kind::Binary(Arity(Binary::NotEqual)), &[b, b], is_nan);
    graph.push(Kind::Binary(Arity(Binary::Zmul)), &[a, log], product);
    graph.push(Kind::Select(Arity(Select)), &[is_nan, b, product], y);
}
