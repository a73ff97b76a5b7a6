//! What does not depend on inputs or state is computed when recording.

use super::Rewrite;
use crate::float::Float;
use crate::program::graph::{Graph, Source};
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
        let fixed: Vec<bool> = graph.nodes.iter().map(|node| is_fixed(node.results[0])).collect();
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
