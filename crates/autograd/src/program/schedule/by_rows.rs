//! Whether work goes along rows: what it reads and makes row by row, and what as a whole.

use super::runs::Finder;
use super::{Own, Work, is_sum_of_all, own_kernel};
use crate::float::Float;
use crate::kernels::product;
use crate::program::layout::Layout;
use crate::program::operation::{Fused, Then};
use smallvec::{SmallVec, smallvec};

impl<T: Float> Finder<'_, T> {
    /// How many sums of all elements a chain has.
    fn sums(&self, work: &Work) -> usize {
        work.members.iter().filter(|&&node| is_sum_of_all(self.graph, node)).count()
    }

    /// How a piece of work goes along so many rows, if it does.
    pub(super) fn by_rows(&self, work: &Work, rows: usize) -> Option<Rows> {
        let (fused, sizes) = match own_kernel(self.graph, work)? {
            Own::Chain => return self.chain_by_rows(work, rows),
            Own::Fused(fused, sizes) => (fused, sizes),
            Own::Rows(along) => {
                let node = &self.graph.nodes[work.members[0] as usize];
                let has_rows = |&value: &u32| along.count(self.graph.shape(value)).is_multiple_of(rows);
                let reads: SmallVec<[(u32, bool); 4]> =
                    node.args.iter().enumerate().map(|(k, &arg)| (arg, along.has(k))).collect();
                let moving = reads.iter().filter(|read| read.1).map(|read| &read.0);
                let fits = moving.chain(&node.results).all(has_rows);
                return fits.then(|| Rows { reads, made: SmallVec::from_slice(&node.results), sums: 0 });
            }
        };
        let node = &self.graph.nodes[work.members[0] as usize];
        let (moving, row_by_row) = by_rows(fused, sizes, rows)?;
        let reads = node.args.iter().enumerate().map(|(k, &a)| (a, moving.contains(&k))).collect();
        // The loss itself is a sum; its gradient is row by row.
        let first = usize::from(matches!(fused, Fused::LossAndGradient(_)));
        let made = if row_by_row { SmallVec::from_slice(&node.results[first..]) } else { SmallVec::new() };
        Some(Rows { reads, made, sums: 0 })
    }

    /// Operands of a chain are rows of it, or of parts of a row, or as many in each row, or numbers.
    fn chain_by_rows(&self, work: &Work, rows: usize) -> Option<Rows> {
        let shape = self.graph.shape(work.one_value(self.graph));
        if !shape.numel().is_multiple_of(rows) {
            return None;
        }
        let mut reads = SmallVec::new();
        for &node in &work.members {
            let node = &self.graph.nodes[node as usize];
            for &read in node.args.iter().filter(|read| work.reads.contains(read)) {
                let layout = Layout::of_member(self.graph, node, read)?;
                reads.push((read, layout.by_rows(self.graph.shape(read), shape, rows)?));
            }
        }
        let is_row = |&value: &u32| self.graph.shape(value) == shape;
        Some(Rows { reads, made: work.results.iter().copied().filter(is_row).collect(), sums: self.sums(work) })
    }
}

/// What work reads, and whether row by row (the rest must be there as a whole), and what it makes row by row.
pub(super) struct Rows {
    pub(super) reads: SmallVec<[(u32, bool); 4]>,
    pub(super) made: SmallVec<[u32; 2]>,
    /// The sums of all rows that go on from block to block.
    pub(super) sums: usize,
}

/// Which operands of a fused operation, by their places, are read row by row, if it goes along so many rows, and whether the result
/// is made so.
fn by_rows(fused: Fused, (m, k, _): product::Sizes, rows: usize) -> Option<(SmallVec<[usize; 2]>, bool)> {
    let own = fused.own_operands();
    Some(match fused {
        Fused::Product { ta: false, then, .. } if m == rows => match then {
            Then::Keep | Then::Bias(()) | Then::BiasRelu(()) => (smallvec![0], true),
            Then::Gate(()) => (smallvec![0, own], true),
            Then::Descend(_) => return None,
        },
        Fused::Product { ta: true, tb: false, then } if k == rows && then != Then::Gate(()) => (smallvec![0, 1], false),
        Fused::ColumnSums { .. } if k == rows => (smallvec![0], false),
        Fused::LossAndGradient(_) if m == rows => (smallvec![0, 1], true),
        Fused::Product { .. }
        | Fused::ColumnSums { .. }
        | Fused::Rows { .. }
        | Fused::LossAndGradient(_)
        | Fused::InRows(_) => return None,
    })
}
