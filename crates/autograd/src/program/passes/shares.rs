//! Logarithms of softmax, or of sums of exponentials, and the shares that their gradients read are made of one set of exponentials.

use super::Rewrite;
use crate::float::Float;
use crate::ops::softmax::WithShares;
use crate::program::graph::Graph;
use crate::program::operation::{Fused, InRows, Operation};
use crate::tape::Tape;
use crate::tensor::error::Error;
use std::collections::HashMap;

pub(super) struct Shares;

impl<T: Float> Rewrite<T> for Shares {
    fn name(&self) -> &'static str {
        "shares"
    }

    /// Computes the second half of a pair with the first. What is to be computed anew stays apart.
    fn run(&self, graph: &mut Graph<T>, _: &Tape<T>) -> Result<bool, Error> {
        let mut halves: HashMap<u32, Vec<(WithShares, bool, usize)>> = HashMap::new();
        let mut dropped = vec![false; graph.nodes.len()];
        for (i, dropped) in dropped.iter_mut().enumerate() {
            let node = &graph.nodes[i];
            let Some((pair, is_log)) = node.kind().filter(|_| !node.keep_apart).and_then(WithShares::half) else {
                continue;
            };
            let (x, result) = (node.args[0], node.results[0]);
            let known = halves.entry(x).or_default();
            let Some(k) = known.iter().position(|&(other, log, _)| other == pair && log != is_log) else {
                known.push((pair, is_log, i));
                continue;
            };
            *dropped = true;
            let node = &mut graph.nodes[known.swap_remove(k).2];
            node.operation = Operation::Fused(Fused::InRows(InRows::WithShares(pair)));
            node.results.insert(usize::from(!is_log), result);
        }
        graph.drop_nodes(&dropped);
        Ok(dropped.contains(&true))
    }
}
