//! What does not depend on inputs or state is computed when recording.

use super::Rewrite;
use crate::float::Float;
use crate::ops::table::Kind;
use crate::program::graph::{Graph, NOBODY, Node, Source};
use crate::tape::Tape;
use crate::tensor::error::Error;

pub(super) struct Constants;

impl<T: Float> Rewrite<T> for Constants {
    fn name(&self) -> &'static str {
        "constants"
    }

    fn run(&self, graph: &mut Graph<T>, tape: &Tape<T>) -> Result<bool, Error> {
        let (dynamic, needed) = (graph.dynamic(), graph.needed_for(graph.roots()));
        let is_fixed = |value: u32| !dynamic[value as usize] && needed[value as usize];
        let mut fixed: Vec<bool> = graph.nodes.iter().map(|node| is_fixed(node.results[0])).collect();
        let repeats = repeats(graph, &fixed);
        fixed.iter_mut().zip(repeats).for_each(|(fixed, repeats)| *fixed &= !repeats);
        let values = graph.nodes.iter().zip(&fixed).filter(|&(_, &fixed)| fixed);
        let values: Vec<u32> = values.map(|(node, _)| node.results[0]).collect();
        tape.compute_nodes(&values, true)?;
        for &value in &values {
            graph.values[value as usize].source = Source::Constant(value);
        }
        graph.drop_nodes(&fixed);
        Ok(!values.is_empty())
    }
}

/// Which nodes are broadcasts that only element-wise operations of what is not fixed read, which repeat it themselves.
fn repeats<T: Float>(graph: &Graph<T>, fixed: &[bool]) -> Vec<bool> {
    let links = graph.links();
    let grows = |node: &Node<T>| {
        let operand = graph.shape(node.args[0]);
        let Some(Kind::Read(op)) = node.kind() else { return false };
        op.0.is_broadcast_of(operand) && operand.numel() < graph.numel(node.results[0])
    };
    let mut repeats: Vec<bool> = graph.nodes.iter().zip(fixed).map(|(node, &fixed)| fixed && grows(node)).collect();
    let mut reads = vec![0; graph.nodes.len()];
    for (node, _) in graph.nodes.iter().zip(fixed).filter(|&(_, &fixed)| !fixed) {
        let is_element_wise = matches!(node.kind(), Some(Kind::Unary(_) | Kind::Binary(_) | Kind::Select(_)));
        let shape = graph.shape(node.results[0]);
        for &a in node.args.iter().filter(|&&a| is_element_wise && graph.shape(a) == shape) {
            let maker = links.maker[a as usize];
            if maker != NOBODY {
                reads[maker as usize] += 1;
            }
        }
    }
    for ((repeats, reads), node) in repeats.iter_mut().zip(reads).zip(&graph.nodes) {
        *repeats &= reads > 0 && reads == links.reads[node.results[0] as usize];
    }
    repeats
}
