//! What our own kernels do of a program: the work that runs are made of.

use super::Work;
use crate::float::Float;
use crate::kernels::group::FEW_CLASSES;
use crate::kernels::product;
use crate::ops::cross_entropy::Reduction;
use crate::ops::rows::{Rows as Along, rows};
use crate::program::graph::Graph;
use crate::program::operation::{Fused, Operation};
use crate::tensor::shape::Shape;
use smallvec::SmallVec;

/// Work that our own kernels do: a chain, or a fused operation with its sizes.
#[derive(Clone, Copy, Debug)]
pub(in crate::program) enum Own {
    Chain,
    Fused(Fused, product::Sizes),
    /// An operation along rows.
    Rows(Along),
}

/// Whether our own kernels do a piece of work, and which.
pub(in crate::program) fn own_kernel<T: Float>(graph: &Graph<T>, work: &Work) -> Option<Own> {
    if work.is_chain {
        return Some(Own::Chain);
    }
    let node = &graph.nodes[work.members[0] as usize];
    if let Some(kind) = node.kind() {
        let shapes: SmallVec<[&Shape; 3]> = node.args.iter().map(|&arg| graph.shape(arg)).collect();
        let some = node.args.iter().chain(&node.results).all(|&value| graph.numel(value) > 0);
        return rows(kind, &shapes, graph.shape(node.results[0])).filter(|_| some).map(Own::Rows);
    }
    let Operation::Fused(fused) = node.operation else { return None };
    if let Fused::InRows(op) = fused {
        let has_rows = op.leading() > 0 && graph.numel(node.args[0]) > 0;
        return has_rows.then_some(Own::Rows(Along::Leading(op.leading())));
    }
    let (m, k, n) = fused.sizes(graph.shape(node.args[0]), graph.shape(node.results[0]));
    let own = match fused {
        Fused::Product { ta, tb, .. } => {
            m > 0 && k > 0 && n > 0 && product::Shape::of::<T>((m, k, n), ta, tb).is_some()
        }
        Fused::ColumnSums { .. } => k > 0 && n > 0,
        Fused::Rows { .. } | Fused::InRows(_) => false,
        Fused::LossAndGradient(reduction) => m > 0 && n <= FEW_CLASSES && reduction != Reduction::None,
    };
    own.then_some(Own::Fused(fused, (m, k, n)))
}
