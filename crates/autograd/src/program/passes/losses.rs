//! A cross-entropy and its gradient share their exponentials.

use super::Rewrite;
use crate::float::Float;
use crate::ops::table::Kind;
use crate::program::graph::{Graph, Source};
use crate::program::operation::{Fused, Operation};
use crate::tape::Tape;
use crate::tape::op::Arity;
use crate::tensor::error::Error;
use std::collections::HashMap;

pub(super) struct Losses;

impl<T: Float> Rewrite<T> for Losses {
    fn name(&self) -> &'static str {
        "losses"
    }

    /// Computes a gradient with the loss that it is the gradient of, where the cotangent is there in time.
    fn run(&self, graph: &mut Graph<T>, _: &Tape<T>) -> Result<bool, Error> {
        let mut losses: HashMap<[u32; 2], Vec<usize>> = HashMap::new();
        let mut dropped = vec![false; graph.nodes.len()];
        for (i, dropped) in dropped.iter_mut().enumerate() {
            let args = graph.nodes[i].args.clone();
            #[allow(clippy::wildcard_enum_match_arm, reason = "two of a large table")]
            match graph.nodes[i].kind() {
                Some(Kind::CrossEntropy(_)) => losses.entry([args[0], args[1]]).or_default().push(i),
                Some(Kind::CrossEntropyGrad(Arity(grad))) => {
                    let reduction = grad.reduction();
                    let is_loss = |&&j: &&usize| match graph.nodes[j].kind() {
                        Some(Kind::CrossEntropy(Arity(loss))) => loss.reduction() == reduction,
                        _ => false,
                    };
                    let early = graph.values[args[2] as usize].source != Source::Computed;
                    let loss = losses.get(&[args[0], args[1]]).and_then(|list| list.iter().find(is_loss).copied());
                    if let Some(loss) = loss.filter(|_| early) {
                        *dropped = true;
                        let gradient = graph.nodes[i].results[0];
                        let loss = &mut graph.nodes[loss];
                        loss.operation = Operation::Fused(Fused::LossAndGradient(reduction));
                        loss.args = args;
                        loss.results.push(gradient);
                    }
                }
                _ => {}
            }
        }
        graph.drop_nodes(&dropped);
        Ok(dropped.contains(&true))
    }
}
