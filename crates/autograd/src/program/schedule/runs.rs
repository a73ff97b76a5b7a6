//! Runs: work that our own kernels compute one after the other, without a step of the program between them, and in blocks of
//! rows where all of it is row by row or sums over the rows. So do operations along rows, as softmax and its kin.

use super::{Own, Work, alike, is_window, own_kernel};
use crate::float::Float;
use crate::kernels::group::MOST_RUNNING;
use crate::kernels::machine::{BLOCK_BYTES, SWEEP_BYTES};
use crate::ops::rows::Rows as Along;
use crate::ops::table::Kind;
use crate::program::graph::{Graph, Links};
use crate::program::ids::{IdMap, IdSet};
use crate::program::operation::Fused;
use crate::program::passes::Optimisations;
use smallvec::SmallVec;
use std::ops::Range;

/// Blocks with products or losses are whole numbers of these rows, which the softmax takes at a time.
const BLOCK_ROWS: usize = 16;
/// Sums of columns of fewer rows are no reason for blocks: what they keep between these, some rows, would be much beside all.
const MANY_ROWS: usize = 128;
/// So many numbers of rows are tried.
const MOST_TRIED: usize = 4;

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

/// How the first work of a run is split into what is done before blocks of rows, in them, and after them.
struct Split {
    part: Vec<Part>,
    blocks: Blocks,
}

impl Split {
    /// How much work is done in blocks.
    fn inside(&self) -> usize {
        self.part.iter().filter(|&&part| part == Part::Inside).count()
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Before,
    Inside,
    After,
}

/// So much work is looked over for how many rows it has, and as much after blocks of rows for more of what goes along with them:
/// without a bound, finding the phases of a long program would be quadratic.
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
        // One operation alone is a step.
        let is_chain = work.get(start).is_some_and(|work| work.is_chain);
        let is_operation = |work: &Work| matches!(own_kernel(graph, work), Some(Own::Rows(_)));
        let is_own = is_chain || (with.has("runs") && !(end == start + 1 && is_operation(&work[start])));
        if end > start && is_own {
            let finder = Finder { graph, links };
            finder.phases(&mut work[start..end], start, with, &mut phases);
            runs.push(start..end);
        }
        start = end.max(start + 1);
    }
    (runs, phases)
}

pub(super) struct Finder<'g, T: Float> {
    pub(super) graph: &'g Graph<T>,
    links: &'g Links,
}

impl<T: Float> Finder<'_, T> {
    /// The phases of a run of work that starts at a place of the order: what can go through in blocks of rows does, after what it
    /// needs, and before all else.
    fn phases(&self, work: &mut [Work], place: usize, with: Optimisations, phases: &mut Vec<Phase>) {
        let found = if with.has("blocks") { self.first_in_blocks(work) } else { None };
        let Some((skipped, Split { part, blocks })) = found else {
            return phases.push(self.whole(work, place));
        };
        if skipped > 0 {
            phases.push(self.whole(&mut work[..skipped], place));
        }
        let (work, place) = (&mut work[skipped..], place + skipped);
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

    /// What of a run can be done in blocks, behind so much work that has rows, but nothing that goes along with it.
    fn first_in_blocks(&self, work: &[Work]) -> Option<(usize, Split)> {
        let mut skipped = 0;
        for _ in 0..MOST_TRIED {
            let rest = &work[skipped..];
            if let Some(split) = self.in_blocks(rest) {
                return Some((skipped, split));
            }
            skipped += 1 + rest.iter().position(|work| self.rows_of(work).is_some())?;
        }
        None
    }

    /// What of a run can be done in blocks of rows, if that is something, and too much for the cache as a whole.
    fn in_blocks(&self, work: &[Work]) -> Option<Split> {
        self.numbers_of_rows(work).into_iter().find_map(|rows| self.in_blocks_of(work, rows))
    }

    /// How many rows a product, an operation or sums of columns have, and whether it is no product.
    fn rows_of(&self, work: &Work) -> Option<(bool, usize)> {
        match own_kernel(self.graph, work)? {
            Own::Fused(Fused::Product { ta: false, .. }, (m, _, _)) => Some((false, m)),
            Own::Rows(along @ (Along::Leading(_) | Along::LeadingOfRest(_))) => {
                Some((true, along.count(self.graph.shape(work.results[0]))))
            }
            Own::Fused(Fused::ColumnSums { .. }, (_, rows, _)) if rows >= MANY_ROWS => Some((true, rows)),
            Own::Rows(Along::Elements) | Own::Chain | Own::Fused(..) => None,
        }
    }

    /// How many rows the first of these have; products first.
    fn numbers_of_rows(&self, work: &[Work]) -> SmallVec<[usize; MOST_TRIED]> {
        let first = work.iter().position(|work| self.rows_of(work).is_some()).unwrap_or(work.len());
        let near = work[first..].iter().take(MOST_AFTER);
        let mut found: SmallVec<[(bool, usize); 8]> = near.filter_map(|work| self.rows_of(work)).collect();
        found.sort_by_key(|&(is_operation, _)| is_operation);
        let mut numbers = SmallVec::new();
        for (_, rows) in found {
            if numbers.len() < MOST_TRIED && !numbers.contains(&rows) {
                numbers.push(rows);
            }
        }
        numbers
    }

    /// The same, of so many rows. A value of as many elements may be a column, and made along with the rows, or a row that each of them
    /// reads as a whole, so that it is made before: what has more done in blocks.
    fn in_blocks_of(&self, work: &[Work], rows: usize) -> Option<Split> {
        let mut outside: SmallVec<[usize; MOST_TRIED]> = SmallVec::new();
        let (mut most, mut best) = (0, None);
        loop {
            let (split, whole) = self.split(work, rows, &outside);
            let inside = split.as_ref().map_or(0, Split::inside);
            if inside > most {
                (most, best) = (inside, split);
            }
            match whole {
                Some(piece) if outside.len() < MOST_TRIED => outside.push(piece),
                _ => return best,
            }
        }
    }

    /// The work in blocks of so many rows, but for some, if that is something; and what made one value of an element for each row
    /// that more work would read as a whole.
    fn split(&self, work: &[Work], rows: usize, outside: &[usize]) -> (Option<Split>, Option<usize>) {
        let mut by_row: IdSet = IdSet::default();
        // What is read as it is in each block.
        let mut whole: IdSet = IdSet::default();
        let mut running = 0;
        let mut made: IdMap<usize> = IdMap::default();
        let mut read_whole = None;
        // What is there when all blocks are done.
        let mut late: IdSet = IdSet::default();
        let (mut part, mut after) = (Vec::new(), 0);
        for (k, piece) in work.iter().enumerate() {
            if after > MOST_AFTER {
                break;
            }
            let along = self.by_rows(piece, rows).filter(|along| {
                let too_early =
                    |&(value, moves): &(u32, bool)| late.contains(&value) || (made.contains_key(&value) && !moves);
                // One value may be two operands, of which one is read row by row and the other as a whole.
                let both = |&(value, moves): &(u32, bool)| {
                    let other = along.reads.iter().any(|&(other, moves_too)| other == value && moves_too != moves);
                    other || if moves { whole.contains(&value) } else { by_row.contains(&value) }
                };
                let early = along.reads.iter().find(|read| too_early(read));
                if let Some((value, false)) = early
                    && self.graph.numel(*value) == rows
                {
                    read_whole = read_whole.or(made.get(value).copied());
                }
                let fits = running + along.sums <= MOST_RUNNING && !outside.contains(&k);
                fits && early.is_none() && !along.reads.iter().any(both)
            });
            if let Some(along) = along {
                running += along.sums;
                by_row.extend(along.reads.iter().filter(|read| read.1).map(|read| read.0));
                whole.extend(along.reads.iter().filter(|read| !read.1).map(|read| read.0));
                by_row.extend(along.made.iter().copied());
                late.extend(piece.results.iter().copied().filter(|result| !along.made.contains(result)));
                made.extend(along.made.into_iter().map(|value| (value, k)));
                part.push(Part::Inside);
            } else if piece.reads.iter().any(|read| made.contains_key(read) || late.contains(read)) {
                late.extend(piece.results.iter().copied());
                part.push(Part::After);
                after += 1;
            } else {
                part.push(Part::Before);
            }
        }
        let inside = || work.iter().zip(&part).filter(|(_, part)| **part == Part::Inside).map(|(work, _)| work);
        let Some(block) = self.block(inside(), &by_row, rows) else { return (None, read_whole) };
        let local = self.local(inside(), &made.keys().copied().collect());
        (Some(Split { part, blocks: Blocks { rows, block, by_row, local } }), read_whole)
    }

    /// The rows of a block of this work, which has these values, if that are not all.
    fn block<'w>(&self, inside: impl Iterator<Item = &'w Work>, by_row: &IdSet, rows: usize) -> Option<usize> {
        let (mut step, mut bytes, mut pieces, mut sums) = (1, BLOCK_BYTES, 0, false);
        for work in inside {
            pieces += 1;
            match own_kernel(self.graph, work)? {
                Own::Fused(Fused::Product { .. } | Fused::LossAndGradient(_), _) => step = BLOCK_ROWS,
                Own::Rows(_) => bytes = SWEEP_BYTES,
                Own::Fused(Fused::ColumnSums { .. }, _) => sums = true,
                Own::Chain | Own::Fused(Fused::Rows { .. } | Fused::InRows(_), _) => {}
            }
        }
        // What is between chains and sums alone need not be in the first-level cache.
        bytes = if sums && step == 1 { SWEEP_BYTES } else { bytes };
        let bytes_per_row: usize = by_row.iter().map(|&i| self.graph.numel(i) / rows * size_of::<T>()).sum();
        let block = bytes / bytes_per_row.max(1) / step * step;
        (pieces > 1 && block > 0 && block < rows).then_some(block)
    }

    /// Which of the values that this work makes row by row nobody else reads, so that they need the memory of one block. What is
    /// the same in another shape has the same memory.
    fn local<'w>(&self, inside: impl Iterator<Item = &'w Work>, made: &IdSet) -> IdSet {
        let mut reads: IdMap<u32> = IdMap::default();
        let mut same: Vec<(u32, u32)> = Vec::new();
        let mut windows: Vec<u32> = Vec::new();
        for (work, &node) in inside.flat_map(|work| work.members.iter().map(move |node| (work, node))) {
            if work.is_chain && is_window(self.graph, node) {
                windows.push(node);
                continue;
            }
            let node = &self.graph.nodes[node as usize];
            node.args.iter().for_each(|&a| *reads.entry(a).or_default() += 1);
            if let Some(Kind::Reshape(_)) = node.kind() {
                same.push((node.args[0], node.results[0]));
            }
        }
        // What all look through from here is read here.
        windows.sort_unstable();
        windows.dedup();
        for node in windows.iter().map(|&node| &self.graph.nodes[node as usize]) {
            let here = reads.get(&node.results[0]).copied() == Some(self.links.reads[node.results[0] as usize]);
            *reads.entry(node.args[0]).or_default() += u32::from(here);
        }
        let all_here = |value: &u32| self.links.reads[*value as usize] == reads.get(value).copied().unwrap_or(0);
        let mut local: IdSet = made.iter().copied().filter(all_here).collect();
        // From the last shape to the first, and back to all of that.
        for (from, to) in same.iter().rev() {
            if !local.contains(to) {
                local.remove(from);
            }
        }
        for (from, to) in &same {
            if !local.contains(from) {
                local.remove(to);
            }
        }
        local
    }
}
