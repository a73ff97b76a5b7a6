//! What does not depend on inputs or state is computed when recording.

use super::Rewrite;
use crate::float::Float;
use crate::program::graph::{Graph, Source};
use crate::program::layout::{is_element_wise, repeats};
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
        // Broadcasts that only element-wise operations of what is not fixed read are repeated by these.
        let mut kept: Vec<bool> =
            graph.nodes.iter().zip(&fixed).map(|(node, &is)| is && repeats(graph, node)).collect();
        if kept.contains(&true) {
            let is_reader = |node: u32| !fixed[node as usize] && is_element_wise(graph, node);
            graph.keep_read_by(&graph.links(), &mut kept, is_reader);
            fixed.iter_mut().zip(kept).for_each(|(fixed, kept)| *fixed &= !kept);
        }
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
