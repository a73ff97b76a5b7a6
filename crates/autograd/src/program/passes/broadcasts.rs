//! Element-wise operations read what a broadcast repeats, since they repeat it themselves.

use super::Rewrite;
use crate::float::Float;
use crate::ops::table::Kind;
use crate::program::graph::Graph;
use crate::program::layout::Layout;
use crate::tape::Tape;
use crate::tensor::error::Error;
use crate::tensor::shape::Shape;

pub(super) struct Broadcasts;

impl<T: Float> Rewrite<T> for Broadcasts {
    fn name(&self) -> &'static str {
        "broadcasts"
    }

    fn run(&self, graph: &mut Graph<T>, _: &Tape<T>) -> Result<bool, Error> {
        let maker = graph.links().maker;
        let mut changed = false;
        for i in 0..graph.nodes.len() {
            let node = &graph.nodes[i];
            // One of a single operand has no other that gives the result its shape.
            let Some(Kind::Binary(_) | Kind::Select(_)) = node.kind() else { continue };
            let shape = graph.shape(node.results[0]);
            let mut args = node.args.clone();
            for k in 0..args.len() {
                let Some(small) = broadcast_of(graph, &maker, args[k], shape) else { continue };
                let before = std::mem::replace(&mut args[k], small);
                // Some operand must still give the result its shape.
                if broadcast(graph, &args).as_ref() != Some(shape) {
                    args[k] = before;
                }
            }
            changed |= args != node.args;
            graph.nodes[i].args = args;
        }
        Ok(changed)
    }
}

/// The shape that operands broadcast to.
fn broadcast<T: Float>(graph: &Graph<T>, args: &[u32]) -> Option<Shape> {
    args.iter().try_fold(Shape::scalar(), |shape, &a| shape.broadcast(graph.shape(a)))
}

/// What a value is the broadcast of, if a chain of this shape can read that instead.
fn broadcast_of<T: Float>(graph: &Graph<T>, maker: &[u32], value: u32, shape: &Shape) -> Option<u32> {
    let node = graph.nodes.get(maker[value as usize] as usize)?;
    let Some(Kind::Read(op)) = node.kind() else { return None };
    let from = graph.shape(node.args[0]);
    let same = graph.shape(value) == shape && shape.numel() > 0;
    (same && op.0.is_broadcast_of(from) && Layout::of(from, shape).is_some()).then_some(node.args[0])
}
