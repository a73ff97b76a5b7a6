//! Runs: work that our own kernels compute one after the other, without a step of the program between them, and in blocks of
//! rows where all of it is row by row or sums over the rows.

use super::Work;
use crate::float::Float;
use crate::kernels::group::{FEW_CLASSES, MOST_BUFFERS};
use crate::kernels::machine::BLOCK_BYTES;
use crate::kernels::product;
use crate::ops::cross_entropy::Reduction;
use crate::program::graph::{Graph, Links};
use crate::program::ids::{IdMap, IdSet};
use crate::program::operation::{Fused, Operation, Then};
use smallvec::{SmallVec, smallvec};
use std::ops::Range;

/// Blocks are whole numbers of these rows, which the softmax takes at a time.
const BLOCK_ROWS: usize = 16;

/// A run of work, by its place in the order.
#[derive(Debug)]
pub(in crate::program) struct Run {
    pub(in crate::program) range: Range<usize>,
    pub(in crate::program) blocks: Option<Blocks>,
}

/// How a run is computed block by block.
#[derive(Debug)]
pub(in crate::program) struct Blocks {
    pub(in crate::program) rows: usize,
    pub(in crate::program) block: usize,
    /// Values of which an element belongs to a row.
    pub(in crate::program) by_row: IdSet,
    /// Those that only the run reads: they need the memory of one block.
    local: IdSet,
}

impl Blocks {
    /// The elements of a value that must be in memory at a time.
    pub(in crate::program) fn elements(&self, value: u32, numel: usize) -> usize {
        if self.local.contains(&value) { numel / self.rows * self.block } else { numel }
    }

    pub(in crate::program) fn is_local(&self, value: u32) -> bool {
        self.local.contains(&value)
    }
}

/// Whether our own kernels compute a node, and which, with its sizes.
pub(in crate::program) fn own_kernel<T: Float>(graph: &Graph<T>, node: u32) -> Option<(Fused, product::Sizes)> {
    let node = &graph.nodes[node as usize];
    let Operation::Fused(fused) = node.operation else { return None };
    let (m, k, n) = fused.sizes(graph.shape(node.args[0]), graph.shape(node.results[0]));
    let own = match fused {
        Fused::Product { ta, tb, .. } => {
            m > 0 && k > 0 && n > 0 && product::Shape::of::<T>((m, k, n), ta, tb).is_some()
        }
        Fused::ColumnSums { .. } => k > 0 && n > 0,
        Fused::LossAndGradient(reduction) => m > 0 && n < FEW_CLASSES && reduction != Reduction::None,
    };
    own.then_some((fused, (m, k, n)))
}

/// The runs of an order of work; work that starts at `guarded` does not join what comes before.
pub(super) fn runs<T: Float>(
    graph: &Graph<T>,
    links: &Links,
    work: &[Work],
    guarded: usize,
    in_blocks: bool,
) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut start = 0;
    while start < work.len() {
        let (mut end, mut values, mut losses) = (start, IdSet::default(), 0);
        while let Some(Work { members, .. }) = work.get(end).filter(|_| (start < guarded) == (end < guarded)) {
            let Some((fused, _)) = own_kernel(graph, members[0]) else { break };
            let node = &graph.nodes[members[0] as usize];
            losses += usize::from(matches!(fused, Fused::LossAndGradient(_)));
            values.extend(node.args.iter().chain(&node.results).copied());
            // Each piece of work may bring two more buffers, for what it turns and for its sums.
            if losses > 1 || values.len() + 2 * (end + 1 - start) > MOST_BUFFERS {
                break;
            }
            end += 1;
        }
        if end > start {
            let nodes: Vec<u32> = work[start..end].iter().map(|work| work.members[0]).collect();
            let blocks = if in_blocks { blocks(graph, links, &nodes) } else { None };
            runs.push(Run { range: start..end, blocks });
        }
        start = end.max(start + 1);
    }
    runs
}

/// How a run can be done in blocks of rows, if it can, and if it is too much for the cache as a whole.
fn blocks<T: Float>(graph: &Graph<T>, links: &Links, nodes: &[u32]) -> Option<Blocks> {
    let rows = nodes.iter().find_map(|&node| match own_kernel(graph, node)? {
        (Fused::Product { ta: false, .. }, (m, _, _)) => Some(m),
        (Fused::Product { .. } | Fused::ColumnSums { .. } | Fused::LossAndGradient(_), _) => None,
    })?;
    let mut by_row: IdSet = IdSet::default();
    let mut made: IdSet = IdSet::default();
    let mut sums: IdSet = IdSet::default();
    for &node in nodes {
        let (fused, sizes) = own_kernel(graph, node)?;
        let args = &graph.nodes[node as usize].args;
        let Rows { moving, row_by_row } = by_rows(fused, sizes, rows)?;
        // One value may be two operands, of which one is read row by row and the other as a whole.
        let too_early = |(k, a): (usize, &u32)| sums.contains(a) || (made.contains(a) && !moving.contains(&k));
        if args.iter().enumerate().any(too_early) {
            return None;
        }
        by_row.extend(moving.iter().map(|&k| args[k]));
        // The loss itself is a sum; its gradient is row by row.
        for (k, &result) in graph.nodes[node as usize].results.iter().enumerate() {
            if row_by_row && (k > 0 || !matches!(fused, Fused::LossAndGradient(_))) {
                made.insert(result);
                by_row.insert(result);
            } else {
                sums.insert(result);
            }
        }
    }
    let bytes_per_row: usize = by_row.iter().map(|&i| graph.numel(i) / rows * size_of::<T>()).sum();
    let block = BLOCK_BYTES / bytes_per_row.max(1) / BLOCK_ROWS * BLOCK_ROWS;
    if block == 0 || block >= rows {
        return None;
    }
    let mut reads: IdMap<u32> = IdMap::default();
    for &a in nodes.iter().flat_map(|&node| &graph.nodes[node as usize].args) {
        *reads.entry(a).or_default() += 1;
    }
    let all_here = |value: &u32| links.reads[*value as usize] == reads.get(value).copied().unwrap_or(0);
    let local = made.iter().copied().filter(all_here).collect();
    Some(Blocks { rows, block, by_row, local })
}

/// Which operands, by their places, are read row by row (the others must be there as a whole), and whether the result is made so.
struct Rows {
    moving: SmallVec<[usize; 2]>,
    row_by_row: bool,
}

/// How a node goes along so many rows, if it does.
fn by_rows(fused: Fused, (m, k, _): product::Sizes, rows: usize) -> Option<Rows> {
    let own = fused.own_operands();
    let (moving, row_by_row) = match fused {
        Fused::Product { ta: false, then, .. } if m == rows => match then {
            Then::Keep | Then::Bias(()) | Then::BiasRelu(()) => (smallvec![0], true),
            Then::Gate(()) => (smallvec![0, own], true),
            Then::Descend(_) => return None,
        },
        Fused::Product { ta: true, tb: false, then } if k == rows && then != Then::Gate(()) => (smallvec![0, 1], false),
        Fused::ColumnSums { .. } if k == rows => (smallvec![0], false),
        Fused::LossAndGradient(_) if m == rows => (smallvec![0, 1], true),
        Fused::Product { .. } | Fused::ColumnSums { .. } | Fused::LossAndGradient(_) => return None,
    };
    Some(Rows { moving, row_by_row })
}
