//! What nothing asks for is dropped.

use super::Rewrite;
use crate::float::Float;
use crate::program::graph::Graph;
use crate::tape::Tape;
use crate::tensor::error::Error;

pub(super) struct Dead;

impl<T: Float> Rewrite<T> for Dead {
    fn name(&self) -> &'static str {
        "dead"
    }

    fn run(&self, graph: &mut Graph<T>, _: &Tape<T>) -> Result<bool, Error> {
        let needed = graph.needed_for(graph.roots());
        let is_dead = |results: &[u32]| results.iter().all(|&result| !needed[result as usize]);
        let dead: Vec<bool> = graph.nodes.iter().map(|node| is_dead(&node.results)).collect();
        graph.drop_nodes(&dead);
        Ok(dead.contains(&true))
    }
}
