//! Loops leave nothing that nobody reads: not what a reverse sweep would need that does not come, nor cotangents that nobody
//! asked for, nor what is computed for those alone.

use super::Rewrite;
use crate::float::Float;
use crate::ops::table::Kind;
use crate::ops::view::Read;
use crate::program::graph::Graph;
use crate::program::operation::Operation;
use crate::scan::op::{Loop, Shorter};
use crate::tape::Tape;
use crate::tape::op::Arity;
use crate::tensor::error::Error;

pub(super) struct Loops;

impl<T: Float> Rewrite<T> for Loops {
    fn name(&self) -> &'static str {
        "loops"
    }

    fn run(&self, graph: &mut Graph<T>, _: &Tape<T>) -> Result<bool, Error> {
        let mut needed = vec![false; graph.values.len()];
        let roots: Vec<u32> = graph.roots().collect();
        for &root in &roots {
            needed[root as usize] = true;
        }
        let mut dead = vec![false; graph.nodes.len()];
        let mut changed = false;
        // From the back, so that a loop which reads less leaves more of those before it unread.
        for i in (0..graph.nodes.len()).rev() {
            dead[i] = graph.nodes[i].results.iter().all(|&result| !needed[result as usize]);
            if dead[i] {
                continue;
            }
            let result = graph.nodes[i].results[0];
            if let Some(Kind::Loop(scan)) = graph.nodes[i].kind()
                && !roots.contains(&result)
            {
                let scan = scan.clone();
                changed |= shorten(graph, (i, &scan, result), &dead);
            }
            graph.nodes[i].args.iter().for_each(|&a| needed[a as usize] = true);
        }
        if changed {
            graph.drop_nodes(&dead);
        }
        Ok(changed)
    }
}

/// Which part of a loop a node reads by one of its operands; `None` where that cannot be told.
fn part_read<T: Float>(kind: Option<&Kind<T>>, k: usize, scan: &Loop<T>) -> Option<usize> {
    #[allow(clippy::wildcard_enum_match_arm, reason = "two of a large table")]
    let (offset, len) = match kind? {
        Kind::Read(read) => {
            let Read { shape, offset, strides, .. } = &read.0;
            (*strides == shape.signed_strides_in(shape)).then_some((*offset, shape.numel()))?
        }
        Kind::Loop(reader) => {
            let slice = k.checked_sub(reader.body.ports.carries.len())?;
            (*reader.offsets.get(slice)?, reader.body.ports.slices[slice].numel() * reader.how.steps)
        }
        _ => return None,
    };
    scan.part_at(offset, len)
}

/// Drops the parts of a loop that none of the nodes reads which are alive behind it.
fn shorten<T: Float>(graph: &mut Graph<T>, (i, scan, result): (usize, &Loop<T>, u32), dead: &[bool]) -> bool {
    let mut wanted = vec![false; scan.parts.len()];
    let mut readers: Vec<(usize, usize, usize)> = Vec::new();
    for (j, node) in graph.nodes.iter().enumerate().skip(i + 1).filter(|&(j, _)| !dead[j]) {
        for k in (0..node.args.len()).filter(|&k| node.args[k] == result) {
            let Some(part) = part_read(node.kind(), k, scan) else { return false };
            wanted[part] = true;
            readers.push((j, k, part));
        }
    }
    if wanted[scan.body.results.next.len()..].iter().all(|&is| is) {
        return false;
    }
    let Ok(Shorter { scan: shorter, args, parts }) = scan.with_parts(&wanted) else { return false };
    for (j, k, part) in readers {
        let Some(offset) = parts[part].map(|part| shorter.parts[part].offset) else { continue };
        #[allow(clippy::wildcard_enum_match_arm, reason = "two of a large table")]
        let kind = match graph.nodes[j].kind() {
            Some(Kind::Read(read)) => Arity(Read { offset, ..read.0.clone() }).into(),
            Some(Kind::Loop(reader)) => {
                let mut offsets = reader.offsets.clone();
                offsets[k - reader.body.ports.carries.len()] = offset;
                Kind::Loop(reader.with_offsets(offsets))
            }
            _ => continue,
        };
        graph.nodes[j].operation = Operation::Single(kind);
    }
    let node = &mut graph.nodes[i];
    node.args = args.into_iter().map(|k| node.args[k]).collect();
    graph.values[result as usize].shape = shorter.total().clone();
    node.operation = Operation::Single(Kind::Loop(shorter));
    true
}
