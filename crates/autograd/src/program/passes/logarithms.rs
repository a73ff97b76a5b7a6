//! A number times a logarithm, where its gradient reads that logarithm, is made of it.

use super::Rewrite;
use crate::float::Float;
use crate::ops::binary::Binary;
use crate::ops::select::Select;
use crate::ops::table::Kind;
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
        let mut moved: HashMap<usize, usize> = HashMap::new();
        for (i, node) in graph.nodes.iter().enumerate().filter(|(_, node)| !node.keep_apart) {
            if let Some(Kind::Binary(Arity(product @ (Binary::Xlogy | Binary::Xlog1py)))) = node.kind() {
                let log = logarithms.get(&(node.args[0], node.args[1], *product == Binary::Xlog1py));
                moved.extend(log.map(|&log| (i, log)));
            }
        }
        if moved.is_empty() {
            return Ok(false);
        }
        let all = std::mem::take(&mut graph.nodes);
        let mut is_placed = vec![false; all.len()];
        for (i, node) in all.iter().enumerate() {
            let log = moved.get(&i).copied();
            // The logarithm comes before the first product that is made of it.
            let first = log.unwrap_or(i);
            if !std::mem::replace(&mut is_placed[first], true) {
                graph.nodes.push(all[first].clone());
            }
            let Some(log) = log else { continue };
            let ([a, b], y) = ([node.args[0], node.args[1]], node.results[0]);
            // The chain that makes the product reads a row that was made before it, but not a column. Of two numbers the smaller is
            // NaN where one of them is.
            let is_row = graph.shape(b).last() == graph.shape(y).last();
            let smaller = if is_row { b } else { graph.value_like(y) };
            let (is_nan, product) = (graph.value_like(smaller), graph.value_like(y));
            let binary = |op| Kind::Binary(Arity(op));
            let mut push = |kind, args, result| {
                let operation = Operation::Single(kind);
                graph.nodes.push(Node { operation, args, results: smallvec![result], keep_apart: false });
            };
            if !is_row {
                push(binary(Binary::Minimum), smallvec![b, a], smaller);
            }
            push(binary(Binary::NotEqual), smallvec![smaller, smaller], is_nan);
            push(binary(Binary::Zmul), smallvec![a, all[log].results[0]], product);
            push(Kind::Select(Arity(Select)), smallvec![is_nan, smaller, product], y);
        }
        Ok(true)
    }
}
