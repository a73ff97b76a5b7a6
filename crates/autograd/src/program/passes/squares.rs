//! Sums of squares along axes, which need not be stored.

use super::Rewrite;
use crate::float::Float;
use crate::kernels::strided::sums_of_middle;
use crate::ops::binary::Binary;
use crate::ops::table::Kind;
use crate::ops::unary::Unary;
use crate::program::graph::{Graph, Links, NOBODY};
use crate::program::operation::{Fused, InRows, Operation};
use crate::tape::Tape;
use crate::tape::op::Arity;
use crate::tensor::error::Error;

pub(super) struct Squares;

impl<T: Float> Rewrite<T> for Squares {
    fn name(&self) -> &'static str {
        "squares"
    }

    /// Where nobody else reads the squares. Those of all elements, and of columns, are added up tile by tile anyway.
    fn run(&self, graph: &mut Graph<T>, _: &Tape<T>) -> Result<bool, Error> {
        let links = graph.links();
        let mut dropped = vec![false; graph.nodes.len()];
        for i in 0..graph.nodes.len() {
            if let Some((fused, square, of)) = sum_of_squares(graph, &links, i) {
                dropped[square] = true;
                graph.nodes[i].operation = Operation::Fused(fused);
                graph.nodes[i].args[0] = of;
            }
        }
        graph.drop_nodes(&dropped);
        Ok(dropped.contains(&true))
    }
}

/// A sum of squares: what it is, the node that squares, and what that squares.
fn sum_of_squares<T: Float>(graph: &Graph<T>, links: &Links, i: usize) -> Option<(Fused, usize, u32)> {
    let node = &graph.nodes[i];
    let Kind::AddAt(op) = node.kind()? else { return None };
    let op = &op.0;
    let terms = node.args[0];
    let (shape, maker) = (graph.shape(terms), links.maker[terms as usize]);
    if maker == NOBODY || links.reads[terms as usize] > 1 || op.is_column_sums(shape) {
        return None;
    }
    let square = &graph.nodes[maker as usize];
    #[allow(clippy::wildcard_enum_match_arm, reason = "two of a large table")]
    let is_square = match square.kind()? {
        Kind::Unary(Arity(Unary::Square {})) => true,
        Kind::Binary(Arity(Binary::Mul)) => square.args[0] == square.args[1],
        _ => false,
    };
    let of = square.args[0];
    if node.keep_apart || square.keep_apart || !is_square || graph.shape(of) != shape {
        return None;
    }
    let (n, inner) = sums_of_middle(shape, op.offset, &op.strides, op.shape.numel())?;
    let fused = InRows::SumOfSquares { n, inner, leading: op.kept_before_sums(shape) };
    Some((Fused::InRows(fused), maker as usize, of))
}
