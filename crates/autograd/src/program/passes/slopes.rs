//! The slopes of norms and extremes are element-wise functions of each element and of numbers of its row.

use super::Rewrite;
use crate::float::Float;
use crate::kernels::by_row::LONG;
use crate::ops::binary::Binary;
use crate::ops::table::Kind;
use crate::ops::view::Reshape;
use crate::program::graph::{Graph, Node};
use crate::tape::Tape;
use crate::tape::op::Arity;
use crate::tensor::error::Error;
use crate::tensor::span::Span;

pub(super) struct Slopes;

impl<T: Float> Rewrite<T> for Slopes {
    fn name(&self) -> &'static str {
        "slopes"
    }

    /// A kernel of their own computes each alone; as links of a chain they are computed with what is done with them, and need not be
    /// stored. The bits are the same. Where many rows lie beside each other the kernel reads their numbers as they lie, which chains copy.
    fn run(&self, graph: &mut Graph<T>, _: &Tape<T>) -> Result<bool, Error> {
        if !graph.nodes.iter().any(|node| of_row(graph, node).is_some()) {
            return Ok(false);
        }
        for node in std::mem::take(&mut graph.nodes) {
            let Some((along, of_number, with_number)) = of_row(graph, &node) else {
                graph.nodes.push(node);
                continue;
            };
            let (x, slope) = (node.args[0], node.results[0]);
            let [number, cotangent] = [1, 2].map(|k| beside_row(graph, node.args[k], along));
            let made = graph.value_like(slope);
            graph.push(Kind::Binary(Arity(of_number)), &[x, number], made);
            graph.push(Kind::Binary(Arity(with_number)), &[cotangent, made], slope);
        }
        Ok(true)
    }
}

/// What is computed of an element and the first number of its row, and of the second number and that; and along which axes rows are.
fn of_row<T: Float>(graph: &Graph<T>, node: &Node<T>) -> Option<(Span, Binary, Binary)> {
    #[allow(clippy::wildcard_enum_match_arm, reason = "two of a large table")]
    let (along, of_number, with_number) = match node.kind().filter(|_| !node.keep_apart)? {
        Kind::NormSlope(Arity(op)) => (op.along, Binary::OverNorm, Binary::Both),
        Kind::AtExtreme(Arity(op)) => (op.along, Binary::Attains, Binary::Keep),
        _ => return None,
    };
    let (_, _, inner) = graph.shape(node.args[0]).around(along);
    (inner < LONG).then_some((along, of_number, with_number))
}

/// The numbers of rows, with axes of one element where the rows were.
fn beside_row<T: Float>(graph: &mut Graph<T>, numbers: u32, along: Span) -> u32 {
    let shape = graph.shape(numbers).with_ones(along);
    let result = graph.value_of(shape.clone(), numbers);
    graph.push(Kind::Reshape(Box::new(Arity(Reshape { shape }))), &[numbers], result)
}
