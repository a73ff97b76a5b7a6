//! Equal operations on equal operands are computed once, and what stops a gradient is its operand, once gradients are recorded. Leaves
//! are never merged, nor what a user wrote or what is to be computed anew.

use super::Rewrite;
use crate::float::Float;
use crate::ops::table::Kind;
use crate::program::graph::{Graph, Node};
use crate::tape::Tape;
use crate::tensor::error::Error;
use std::collections::HashMap;
use std::fmt::{self, Write};
use std::hash::{DefaultHasher, Hash, Hasher};

pub(super) struct Common;

impl<T: Float> Rewrite<T> for Common {
    fn name(&self) -> &'static str {
        "common"
    }

    fn run(&self, graph: &mut Graph<T>, _: &Tape<T>) -> Result<bool, Error> {
        let mut seen: HashMap<u64, Vec<u32>> = HashMap::new();
        let mut stands_for: Vec<u32> = (0..graph.values.len() as u32).collect();
        let mut dropped = vec![false; graph.nodes.len()];
        for (i, dropped) in dropped.iter_mut().enumerate() {
            for a in &mut graph.nodes[i].args {
                *a = stands_for[*a as usize];
            }
            let node = &graph.nodes[i];
            let Some(kind) = node.kind().filter(|kind| !node.keep_apart && !matches!(kind, Kind::Custom(_))) else {
                continue;
            };
            if matches!(kind, Kind::StopGradient(_)) {
                stands_for[node.results[0] as usize] = node.args[0];
                *dropped = true;
                continue;
            }
            let alike = seen.entry(hash(kind, &node.args)).or_default();
            let same = |&&earlier: &&u32| same(graph, &graph.nodes[earlier as usize], node);
            if let Some(&earlier) = alike.iter().find(same) {
                stands_for[node.results[0] as usize] = graph.nodes[earlier as usize].results[0];
                *dropped = true;
            } else {
                alike.push(i as u32);
            }
        }
        let changed = dropped.contains(&true);
        let replace = |list: &mut Vec<u32>| list.iter_mut().for_each(|i| *i = stands_for[*i as usize]);
        replace(&mut graph.next);
        replace(&mut graph.outputs);
        for guard in &mut graph.guards {
            guard.0 = stands_for[guard.0 as usize];
        }
        graph.drop_nodes(&dropped);
        Ok(changed)
    }
}

fn same<T: Float>(graph: &Graph<T>, a: &Node<T>, b: &Node<T>) -> bool {
    let (Some(kind), Some(other)) = (a.kind(), b.kind()) else { return false };
    a.args == b.args && kind.same(other) && graph.shape(a.results[0]) == graph.shape(b.results[0])
}

/// The same for equal operations. Their debug form shows all of their options.
fn hash<T: Float>(kind: &Kind<T>, args: &[u32]) -> u64 {
    struct Into(DefaultHasher);
    impl Write for Into {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0.write(text.as_bytes());
            Ok(())
        }
    }
    let mut hasher = Into(DefaultHasher::new());
    args.hash(&mut hasher.0);
    write!(hasher, "{kind:?}").expect("writing to a hasher cannot fail");
    hasher.0.finish()
}
