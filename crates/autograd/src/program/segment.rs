//! Segments: runs of work that our own kernels compute one after the other, without a step of the program between them, and
//! in blocks of rows where all of it is row by row or sums over the rows.

use super::fuse::{Fused, Then};
use super::graph::{Graph, Source};
use crate::float::Float;
use crate::kernels::finish::Rate;
use crate::kernels::group::{self, After, Along, FEW_CLASSES, Group, MOST_BUFFERS, Place, Task};
use crate::kernels::product;
use crate::ops::cross_entropy::Reduction;
use crate::tensor::memory::{self, OutOfMemory};
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// What a block's operands and results should fit. Measured on Zen 5, with 48 KB of first-level cache: 32 and 96 KB are a
/// twentieth slower.
const BLOCK_BYTES: usize = 64 * 1024;

/// Blocks are whole numbers of these rows, which the softmax takes at a time.
const BLOCK_ROWS: usize = 16;

/// A run of work, by its place in the order.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) range: Range<usize>,
    pub(super) blocks: Option<Blocks>,
}

/// How a segment is computed block by block.
#[derive(Debug)]
pub(super) struct Blocks {
    rows: usize,
    block: usize,
    /// Values of which an element belongs to a row.
    by_row: HashSet<u32>,
    /// Those that only the segment reads: they need the memory of one block.
    local: HashSet<u32>,
}

impl Blocks {
    /// The elements of a value that must be in memory at a time.
    pub(super) fn elements(&self, value: u32, numel: usize) -> usize {
        if self.local.contains(&value) { numel / self.rows * self.block } else { numel }
    }

    pub(super) fn is_local(&self, value: u32) -> bool {
        self.local.contains(&value)
    }
}

/// `(m, k, n)` of a product, `(1, rows, n)` of sums of columns.
fn sizes<T: Float>(graph: &Graph<T>, node: u32, fused: Fused) -> product::Sizes {
    let shape = |i: u32| &graph.nodes[i as usize].shape;
    let first = shape(graph.nodes[node as usize].args[0]);
    let n = shape(node).last().copied().unwrap_or(1);
    match fused {
        Fused::Product { ta: true, .. } => (shape(node).numel() / n.max(1), first[0], n),
        Fused::Product { ta: false, .. } => (shape(node).numel() / n.max(1), first.last().copied().unwrap_or(1), n),
        Fused::ColumnSums { .. } => (1, first[0], n),
        Fused::LossAndGradient(_) => (first[0], 0, first[1]),
    }
}

/// Whether our own kernels compute a node, and which.
fn own_kernel<T: Float>(graph: &Graph<T>, node: u32) -> Option<Fused> {
    let Source::Fused(fused) = graph.nodes[node as usize].source else { return None };
    let (m, k, n) = sizes(graph, node, fused);
    let own = match fused {
        Fused::Product { ta, tb, .. } => {
            m > 0 && k > 0 && n > 0 && product::Shape::of::<T>((m, k, n), ta, tb).is_some()
        }
        Fused::ColumnSums { .. } => k > 0 && n > 0,
        Fused::LossAndGradient(reduction) => m > 0 && n < FEW_CLASSES && reduction != Reduction::None,
    };
    own.then_some(fused)
}

/// The segments of an order of work; work that starts at `guarded` does not join what comes before.
pub(super) fn segments<T: Float>(
    graph: &Graph<T>,
    order: &[u32],
    guarded: usize,
    in_blocks: bool,
    beside: &HashMap<u32, Vec<u32>>,
) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut start = 0;
    while start < order.len() {
        let (mut end, mut values, mut losses) = (start, HashSet::new(), 0);
        while let Some(&node) = order.get(end) {
            if (start < guarded) != (end < guarded) || (node as usize) >= graph.nodes.len() {
                break;
            }
            let Some(fused) = own_kernel(graph, node) else { break };
            losses += usize::from(matches!(fused, Fused::LossAndGradient(_)));
            values.extend(graph.nodes[node as usize].args.iter().copied());
            values.insert(node);
            values.extend(beside.get(&node).into_iter().flatten());
            // Each piece of work may bring two more buffers, for what it turns and for its sums.
            if losses > 1 || values.len() + 2 * (end + 1 - start) > MOST_BUFFERS {
                break;
            }
            end += 1;
        }
        if end > start {
            let blocks = if in_blocks { blocks(graph, &order[start..end], beside) } else { None };
            segments.push(Segment { range: start..end, blocks });
        }
        start = end.max(start + 1);
    }
    segments
}

/// How a run of work can be done in blocks of rows, if it can, and if it is too much for the cache as a whole.
fn blocks<T: Float>(graph: &Graph<T>, order: &[u32], beside: &HashMap<u32, Vec<u32>>) -> Option<Blocks> {
    let shape = |i: u32| &graph.nodes[i as usize].shape;
    let rows = order.iter().find_map(|&node| match own_kernel(graph, node)? {
        fused @ Fused::Product { ta: false, .. } => Some(sizes(graph, node, fused).0),
        Fused::Product { .. } | Fused::ColumnSums { .. } | Fused::LossAndGradient(_) => None,
    })?;
    let mut by_row: HashSet<u32> = HashSet::new();
    let mut made: HashSet<u32> = HashSet::new();
    let mut sums: HashSet<u32> = HashSet::new();
    for &node in order {
        let fused = own_kernel(graph, node)?;
        let args = &graph.nodes[node as usize].args[..];
        let (m, k, _) = sizes(graph, node, fused);
        if args.iter().any(|a| sums.contains(a)) {
            return None;
        }
        let own = fused.own_operands();
        // Which operands are read row by row; the others must be there as a whole.
        let (moving, row_by_row): (Vec<u32>, bool) = match fused {
            Fused::Product { ta: false, then, .. } if m == rows => match then {
                Then::Nothing | Then::Bias | Then::BiasRelu => (vec![args[0]], true),
                Then::Gate => (vec![args[0], args[own]], true),
                Then::Descend { .. } => return None,
            },
            Fused::Product { ta: true, tb: false, then } if k == rows && then != Then::Gate => {
                (vec![args[0], args[1]], false)
            }
            Fused::ColumnSums { .. } if k == rows => (vec![args[0]], false),
            Fused::LossAndGradient(_) if m == rows => (vec![args[0], args[1]], true),
            Fused::Product { .. } | Fused::ColumnSums { .. } | Fused::LossAndGradient(_) => return None,
        };
        if args.iter().any(|a| made.contains(a) && !moving.contains(a)) {
            return None;
        }
        by_row.extend(&moving);
        // The loss itself is a sum; its gradient is row by row.
        let result = if matches!(fused, Fused::LossAndGradient(_)) { *beside.get(&node)?.first()? } else { node };
        if row_by_row {
            made.insert(result);
            by_row.insert(result);
        }
        if !row_by_row || result != node {
            sums.insert(node);
        }
    }
    let bytes_per_row: usize = by_row.iter().map(|&i| shape(i).numel() / rows * size_of::<T>()).sum();
    let block = BLOCK_BYTES / bytes_per_row.max(1) / BLOCK_ROWS * BLOCK_ROWS;
    if block == 0 || block >= rows {
        return None;
    }
    let read_elsewhere: HashSet<u32> = (0..graph.nodes.len() as u32)
        .filter(|i| !order.contains(i))
        .flat_map(|i| graph.nodes[i as usize].args.iter().copied())
        .chain(graph.roots())
        .collect();
    let local = made.iter().copied().filter(|value| !read_elsewhere.contains(value)).collect();
    Some(Blocks { rows, block, by_row, local })
}

/// Turns a segment into tasks.
pub(super) struct Tasks<'a, T: Float> {
    pub(super) graph: &'a Graph<T>,
    /// The buffer of each value.
    pub(super) place: &'a [Option<usize>],
    pub(super) beside: &'a HashMap<u32, Vec<u32>>,
}

impl<T: Float> Tasks<'_, T> {
    /// The group of a segment; what it needs beside the values gets buffers behind those that there are.
    pub(super) fn group(
        &self,
        nodes: &[u32],
        blocks: Option<&Blocks>,
        buffers: &mut Vec<Vec<T>>,
    ) -> Result<Group<T>, OutOfMemory> {
        let mut list = Builder { blocks, used: Vec::new(), before: Vec::new(), tasks: Vec::new(), buffers };
        for &node in nodes {
            self.add(node, &mut list)?;
        }
        let size = blocks.map_or((1, 1), |blocks| (blocks.rows, blocks.block));
        Ok(Group::new(list.used, list.before, list.tasks, size))
    }

    fn add(&self, node: u32, list: &mut Builder<'_, T>) -> Result<(), OutOfMemory> {
        let fused = own_kernel(self.graph, node).expect("segments are of our own kernels");
        let args = &self.graph.nodes[node as usize].args[..];
        let sizes = sizes(self.graph, node, fused);
        let numel = |value: u32| self.graph.nodes[value as usize].shape.numel();
        let buffer = |value: u32| self.place[value as usize].expect("what is read has a place");
        let whole = |list: &mut Builder<'_, T>, value: u32| list.whole(buffer(value));
        let moving = |list: &mut Builder<'_, T>, value: u32| list.moving(value, buffer(value), numel(value));
        let own = fused.own_operands();
        let after = match fused.then() {
            Then::Nothing => After::Nothing,
            Then::Bias => After::Bias(whole(list, args[own])),
            Then::BiasRelu => After::BiasRelu(whole(list, args[own])),
            Then::Gate => After::Gate(moving(list, args[own])),
            Then::Descend { rate } => {
                if buffer(args[own]) != buffer(node) {
                    let (from, to) = (whole(list, args[own]), whole(list, node));
                    list.once(Task::Copy { len: numel(node), from, to });
                }
                After::Descend(Rate::new(rate, || whole(list, args[own + 1])))
            }
        };
        match fused {
            Fused::Product { ta, tb, .. } => {
                let (m, k, n) = sizes;
                let shape = product::Shape::of::<T>(sizes, ta, tb).expect("segments are of our own kernels");
                let along = if ta { list.along_sums() } else { list.along_rows() };
                let (rows, in_pieces) =
                    if along == Along::Rows { (list.block(), false) } else { (m, along == Along::Sums) };
                let memory = list.for_sums(shape.memory((rows, k, n), in_pieces))?;
                let a = moving(list, args[0]);
                let mut b = if ta { moving(list, args[1]) } else { whole(list, args[1]) };
                let (turns, tb_then) = shape.turns(n, tb);
                if turns {
                    let (rows, cols) = if tb { (n, k) } else { (k, n) };
                    b = list.turned(b, rows, cols)?;
                }
                let (out, transposed) = (moving(list, node), (ta, tb_then));
                list.tasks.push(Task::Product { shape, sizes, transposed, along, a, b, out, after, memory });
            }
            Fused::ColumnSums { .. } => {
                let (_, rows, n) = sizes;
                let along = list.along_sums();
                let memory = list.for_sums(group::memory_of_columns(rows, n, along == Along::Sums))?;
                let (x, out) = (moving(list, args[0]), whole(list, node));
                list.tasks.push(Task::ColumnSums { rows, n, along, x, out, after, memory });
            }
            Fused::LossAndGradient(reduction) => {
                let second = self.beside[&node][0];
                let (rows, _, n) = sizes;
                let (scores, labels) = (moving(list, args[0]), moving(list, args[1]));
                let (cotangent, loss) = (whole(list, args[2]), whole(list, node));
                let (gradient, mean) = (moving(list, second), reduction == Reduction::Mean);
                let along = list.along_rows();
                list.tasks.push(Task::Loss { rows, n, along, mean, scores, labels, cotangent, loss, gradient });
            }
        }
        Ok(())
    }
}

/// Tasks as they are added.
struct Builder<'a, T> {
    blocks: Option<&'a Blocks>,
    /// The buffers in use, by their number in the program.
    used: Vec<usize>,
    before: Vec<Task<T>>,
    tasks: Vec<Task<T>>,
    buffers: &'a mut Vec<Vec<T>>,
}

impl<T: Float> Builder<'_, T> {
    /// A place that does not move from block to block.
    fn whole(&mut self, buffer: usize) -> Place {
        let known = self.used.iter().position(|&used| used == buffer);
        let buffer = known.unwrap_or_else(|| {
            self.used.push(buffer);
            self.used.len() - 1
        });
        Place { buffer, per_row: 0 }
    }

    /// The place of a value, which moves if the value is row by row, and not just of one block.
    fn moving(&mut self, value: u32, buffer: usize, numel: usize) -> Place {
        let place = self.whole(buffer);
        match self.blocks {
            Some(blocks) if blocks.by_row.contains(&value) && !blocks.is_local(value) => {
                Place { per_row: numel / blocks.rows, ..place }
            }
            _ => place,
        }
    }

    fn memory(&mut self, len: usize) -> Result<Place, OutOfMemory> {
        self.buffers.push(memory::zeros(len)?);
        Ok(self.whole(self.buffers.len() - 1))
    }

    fn along_rows(&self) -> Along {
        if self.blocks.is_some() { Along::Rows } else { Along::Whole }
    }

    fn along_sums(&self) -> Along {
        if self.blocks.is_some() { Along::Sums } else { Along::Whole }
    }

    /// The rows of a block.
    fn block(&self) -> usize {
        self.blocks.map_or(1, |blocks| blocks.block)
    }

    /// Where sums are kept between pieces, if they need elements for that.
    fn for_sums(&mut self, len: usize) -> Result<Option<(Place, usize)>, OutOfMemory> {
        Ok(if len > 0 { Some((self.memory(len)?, len)) } else { None })
    }

    /// Something to do before what reads it; once, not for each block.
    fn once(&mut self, task: Task<T>) {
        if self.blocks.is_some() { &mut self.before } else { &mut self.tasks }.push(task);
    }

    /// The transpose of what is at a place. Within blocks it does not change, and is made once.
    fn turned(&mut self, from: Place, rows: usize, cols: usize) -> Result<Place, OutOfMemory> {
        let same = |task: &Task<T>| match *task {
            Task::Turn { rows: r, cols: c, from: f, to } => ((r, c, f) == (rows, cols, from)).then_some(to),
            Task::Product { .. } | Task::ColumnSums { .. } | Task::Loss { .. } | Task::Copy { .. } => None,
        };
        if let Some(to) = self.before.iter().find_map(same) {
            return Ok(to);
        }
        let to = self.memory(rows * cols)?;
        self.once(Task::Turn { rows, cols, from, to });
        Ok(to)
    }
}
