//! Runs: work that our own kernels compute one after the other, without a step of the program between them, and in blocks of
//! rows where all of it is row by row or sums over the rows.

use super::{Work, alike};
use crate::float::Float;
use crate::kernels::group::FEW_CLASSES;
use crate::kernels::machine::BLOCK_BYTES;
use crate::kernels::product;
use crate::ops::cross_entropy::Reduction;
use crate::ops::table::Kind;
use crate::program::graph::{Graph, Links};
use crate::program::ids::{IdMap, IdSet};
use crate::program::layout::Layout;
use crate::program::operation::{Fused, Operation, Then};
use crate::program::passes::Optimisations;
use smallvec::{SmallVec, smallvec};
use std::ops::Range;

/// Blocks are whole numbers of these rows, which the softmax takes at a time.
const BLOCK_ROWS: usize = 16;

/// Work that is done together: by its place in the order.
#[derive(Debug)]
pub(in crate::program) struct Phase {
    pub(in crate::program) range: Range<usize>,
    pub(in crate::program) blocks: Option<Blocks>,
    /// Chains that are one over the elements of all.
    pub(in crate::program) alike: Vec<Range<usize>>,
}

/// How a phase is computed block by block.
#[derive(Debug)]
pub(in crate::program) struct Blocks {
    pub(in crate::program) rows: usize,
    pub(in crate::program) block: usize,
    /// Values of which an element belongs to a row.
    pub(in crate::program) by_row: IdSet,
    /// Those that only the phase reads: they need the memory of one block.
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

/// Work that our own kernels do: a chain, or a fused operation with its sizes.
#[derive(Clone, Copy, Debug)]
pub(in crate::program) enum Own {
    Chain,
    Fused(Fused, product::Sizes),
}

/// Whether our own kernels do a piece of work, and which.
pub(in crate::program) fn own_kernel<T: Float>(graph: &Graph<T>, work: &Work) -> Option<Own> {
    if work.is_chain {
        return Some(Own::Chain);
    }
    let node = &graph.nodes[work.members[0] as usize];
    let Operation::Fused(fused) = node.operation else { return None };
    let (m, k, n) = fused.sizes(graph.shape(node.args[0]), graph.shape(node.results[0]));
    let own = match fused {
        Fused::Product { ta, tb, .. } => {
            m > 0 && k > 0 && n > 0 && product::Shape::of::<T>((m, k, n), ta, tb).is_some()
        }
        Fused::ColumnSums { .. } => k > 0 && n > 0,
        Fused::LossAndGradient(reduction) => m > 0 && n < FEW_CLASSES && reduction != Reduction::None,
    };
    own.then_some(Own::Fused(fused, (m, k, n)))
}

/// How the first work of a run is split into what is done before blocks of rows, in them, and after them.
struct Split {
    part: Vec<Part>,
    blocks: Blocks,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Before,
    Inside,
    After,
}

/// So much work after blocks of rows is looked over for more of what goes along with them: without a bound, finding the phases of a
/// long program would be quadratic.
const MOST_AFTER: usize = 64;

/// The runs of an order of work, and the phases of each; work that starts at `guarded` does not join what comes before. Within a
/// run, work moves to where it is in nobody's way.
pub(super) fn runs<T: Float>(
    graph: &Graph<T>,
    links: &Links,
    work: &mut [Work],
    guarded: usize,
    with: Optimisations,
) -> (Vec<Range<usize>>, Vec<Phase>) {
    let (mut runs, mut phases) = (Vec::new(), Vec::new());
    let mut start = 0;
    while start < work.len() {
        let (mut end, mut losses) = (start, 0);
        while let Some(next) = work.get(end).filter(|_| (start < guarded) == (end < guarded)) {
            let Some(own) = own_kernel(graph, next) else { break };
            losses += usize::from(matches!(own, Own::Fused(Fused::LossAndGradient(_), _)));
            // One alone is a step that says what it is, unless there is no other for it.
            let alone = end > start && !with.has("runs");
            if losses > 1 || alone {
                break;
            }
            end += 1;
        }
        let is_own = with.has("runs") || work.get(start).is_some_and(|work| work.is_chain);
        if end > start && is_own {
            let finder = Finder { graph, links };
            finder.phases(&mut work[start..end], start, with, &mut phases);
            runs.push(start..end);
        }
        start = end.max(start + 1);
    }
    (runs, phases)
}

struct Finder<'g, T: Float> {
    graph: &'g Graph<T>,
    links: &'g Links,
}

impl<T: Float> Finder<'_, T> {
    /// The phases of a run of work that starts at a place of the order: what can go through in blocks of rows does, after what it
    /// needs, and before all else.
    fn phases(&self, work: &mut [Work], place: usize, with: Optimisations, phases: &mut Vec<Phase>) {
        let found = if with.has("blocks") { self.in_blocks(work) } else { None };
        let Some(Split { part, blocks }) = found else {
            return phases.push(self.whole(work, place));
        };
        let mut keys: Vec<(Part, usize)> = part.iter().copied().zip(0..).collect();
        keys.sort_unstable();
        let mut sorted: Vec<Work> = keys.iter().map(|&(_, k)| std::mem::take(&mut work[k])).collect();
        work[..sorted.len()].swap_with_slice(&mut sorted);
        let first = keys.partition_point(|key| key.0 < Part::Inside);
        let last = keys.partition_point(|key| key.0 < Part::After);
        if first > 0 {
            phases.push(self.whole(&mut work[..first], place));
        }
        phases.push(Phase { range: place + first..place + last, blocks: Some(blocks), alike: Vec::new() });
        if last < work.len() {
            self.phases(&mut work[last..], place + last, with, phases);
        }
    }

    /// A phase of all rows at once.
    fn whole(&self, work: &mut [Work], place: usize) -> Phase {
        let alike = alike::gather(self.graph, self.links, work);
        let alike = alike.into_iter().map(|range| place + range.start..place + range.end).collect();
        Phase { range: place..place + work.len(), blocks: None, alike }
    }

    /// What of a run can be done in blocks of rows, if that is something, and too much for the cache as a whole.
    fn in_blocks(&self, work: &[Work]) -> Option<Split> {
        let rows = work.iter().find_map(|work| match own_kernel(self.graph, work)? {
            Own::Fused(Fused::Product { ta: false, .. }, (m, _, _)) => Some(m),
            Own::Chain | Own::Fused(..) => None,
        })?;
        let mut by_row: IdSet = IdSet::default();
        let mut made: IdSet = IdSet::default();
        // What is there when all blocks are done.
        let mut late: IdSet = IdSet::default();
        let (mut part, mut after) = (Vec::new(), 0);
        for piece in work {
            if after > MOST_AFTER {
                break;
            }
            let along = self.by_rows(piece, rows).filter(|along| {
                // One value may be two operands, of which one is read row by row and the other as a whole.
                let too_early =
                    |&(value, moves): &(u32, bool)| late.contains(&value) || (made.contains(&value) && !moves);
                !along.reads.iter().any(too_early)
            });
            if let Some(along) = along {
                by_row.extend(along.reads.iter().filter(|read| read.1).map(|read| read.0));
                by_row.extend(along.made.iter().copied());
                late.extend(piece.results.iter().copied().filter(|result| !along.made.contains(result)));
                made.extend(along.made);
                part.push(Part::Inside);
            } else if piece.reads.iter().any(|read| made.contains(read) || late.contains(read)) {
                late.extend(piece.results.iter().copied());
                part.push(Part::After);
                after += 1;
            } else {
                part.push(Part::Before);
            }
        }
        let bytes_per_row: usize = by_row.iter().map(|&i| self.graph.numel(i) / rows * size_of::<T>()).sum();
        let block = BLOCK_BYTES / bytes_per_row.max(1) / BLOCK_ROWS * BLOCK_ROWS;
        if block == 0 || block >= rows {
            return None;
        }
        let mut reads: IdMap<u32> = IdMap::default();
        let inside = work.iter().zip(&part).filter(|(_, part)| **part == Part::Inside);
        let nodes = inside.flat_map(|(work, _)| &work.members).map(|&node| &self.graph.nodes[node as usize]);
        for &a in nodes.flat_map(|node| &node.args) {
            *reads.entry(a).or_default() += 1;
        }
        let all_here = |value: &u32| self.links.reads[*value as usize] == reads.get(value).copied().unwrap_or(0);
        let local = made.iter().copied().filter(all_here).collect();
        Some(Split { part, blocks: Blocks { rows, block, by_row, local } })
    }

    /// How a piece of work goes along so many rows, if it does.
    fn by_rows(&self, work: &Work, rows: usize) -> Option<Rows> {
        let (fused, sizes) = match own_kernel(self.graph, work)? {
            Own::Chain => return self.chain_by_rows(work, rows),
            Own::Fused(fused, sizes) => (fused, sizes),
        };
        let node = &self.graph.nodes[work.members[0] as usize];
        let (moving, row_by_row) = by_rows(fused, sizes, rows)?;
        let reads = node.args.iter().enumerate().map(|(k, &a)| (a, moving.contains(&k))).collect();
        // The loss itself is a sum; its gradient is row by row.
        let first = usize::from(matches!(fused, Fused::LossAndGradient(_)));
        let made = if row_by_row { SmallVec::from_slice(&node.results[first..]) } else { SmallVec::new() };
        Some(Rows { reads, made })
    }

    /// Operands of a chain are rows of it, or of parts of a row, or as many in each row, or numbers. One that sums takes its tiles
    /// from one end to the other.
    fn chain_by_rows(&self, work: &Work, rows: usize) -> Option<Rows> {
        let shape = self.graph.shape(work.results[0]);
        let members = || work.members.iter().map(|&node| &self.graph.nodes[node as usize]);
        let sums = members().any(|node| matches!(node.kind(), Some(Kind::AddAt(_))));
        if sums || shape.first() != Some(&rows) {
            return None;
        }
        let width = shape.numel() / rows;
        let row = |&read: &u32| match Layout::of(self.graph.shape(read), shape)? {
            Layout::Full => Some((read, true)),
            Layout::Scalar => Some((read, false)),
            Layout::Row(n) => width.is_multiple_of(n).then_some((read, false)),
            Layout::Column(n) => width.is_multiple_of(n).then_some((read, true)),
            Layout::Spread(_) => None,
        };
        let reads: Option<_> = work.reads.iter().map(row).collect();
        Some(Rows { reads: reads?, made: work.results.iter().copied().collect() })
    }
}

/// What work reads, and whether row by row (the rest must be there as a whole), and what it makes row by row.
struct Rows {
    reads: SmallVec<[(u32, bool); 4]>,
    made: SmallVec<[u32; 2]>,
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
        Fused::Product { .. } | Fused::ColumnSums { .. } | Fused::LossAndGradient(_) => return None,
    })
}
