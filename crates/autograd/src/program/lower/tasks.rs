//! From a run to tasks on buffers.

use super::chains;
use crate::float::Float;
use crate::kernels::finish::Rate;
use crate::kernels::group::{self, Along, Group, PlaceFinish, Task};
use crate::kernels::place::Place;
use crate::kernels::product;
use crate::ops::cross_entropy::Reduction;
use crate::program::graph::{Graph, Node};
use crate::program::layout::Layout;
use crate::program::memory::Places;
use crate::program::operation::{Fused, Then};
use crate::program::schedule::{Blocks, Own, Phase, Work, own_kernel};
use crate::program::steps::{Listed, Operand};
use crate::tensor::memory::{self, OutOfMemory};
use smallvec::SmallVec;

/// The group of a run of work in phases; what it needs beside the values gets buffers behind those that there are. Tiles of chains
/// are in one of them, for all groups of a program.
pub(super) fn group<T: Float>(
    graph: &Graph<T>,
    places: &Places,
    (work, phases): (&[Work], &[&Phase]),
    tiles: &mut Tiles,
    buffers: &mut Vec<Vec<T>>,
) -> Result<(Group<T>, Vec<Listed>), OutOfMemory> {
    let mut list = Builder { blocks: None, used: Vec::new(), before: Vec::new(), tasks: Vec::new(), tiles, buffers };
    let (mut made, mut listed) = (Vec::new(), Vec::new());
    let mut left = work;
    for phase in phases {
        let now;
        (now, left) = left.split_at(phase.range.len());
        list.blocks = phase.blocks.as_ref();
        for work in now {
            listed.push(Tasks { graph, places }.add(work, &mut list)?);
        }
        let (rows, block) = phase.blocks.as_ref().map_or((1, 1), |blocks| (blocks.rows, blocks.block));
        let (before, tasks) = (std::mem::take(&mut list.before), std::mem::take(&mut list.tasks));
        made.push(group::Phase { before, tasks, rows, block });
    }
    Ok((Group::new(list.used, made), listed))
}

/// The buffer for tiles of chains, and how much of it they take.
#[derive(Default)]
pub(super) struct Tiles {
    pub(super) buffer: Option<usize>,
    pub(super) len: usize,
}

struct Tasks<'a, T: Float> {
    graph: &'a Graph<T>,
    places: &'a Places,
}

impl<T: Float> Tasks<'_, T> {
    fn operand(&self, value: u32) -> Operand {
        Operand::new(self.graph, self.places, value)
    }

    fn add(&self, work: &Work, list: &mut Builder<'_, T>) -> Result<Listed, OutOfMemory> {
        match own_kernel(self.graph, work).expect("runs are of our own kernels") {
            Own::Chain => Ok(self.chain(work, list)),
            Own::Fused(fused, sizes) => {
                let Node { args, results, .. } = &self.graph.nodes[work.members[0] as usize];
                self.fused(work.members[0], fused, sizes, list)?;
                let operand = |&value: &u32| self.operand(value);
                let (operands, results) = (args.iter().map(operand).collect(), results.iter().map(operand).collect());
                Ok(Listed { name: fused.name(), operands, layouts: SmallVec::new(), results })
            }
        }
    }

    fn chain(&self, work: &Work, list: &mut Builder<'_, T>) -> Listed {
        let planned = chains::plan(self.graph, work);
        let (values, layouts): (Vec<u32>, SmallVec<[Layout; 4]>) = planned.inputs().iter().copied().unzip();
        let registers = list.tiles();
        let place = |value: u32| list.moving(value, self.places.buffer(value), self.graph.numel(value));
        let chain = planned.placed(self.graph, place, registers);
        list.tiles.len = chain.memory().max(list.tiles.len);
        let name = chain.to_string();
        let along = list.along_rows();
        let per_row = list.blocks.map_or(0, |blocks| chain.len / blocks.rows);
        list.tasks.push(Task::Chain { chain: Box::new(chain), along, per_row });
        let operands = values.into_iter().map(|value| self.operand(value)).collect();
        Listed { name, operands, layouts, results: work.results.iter().map(|&value| self.operand(value)).collect() }
    }

    fn fused(
        &self,
        node: u32,
        fused: Fused,
        sizes: product::Sizes,
        list: &mut Builder<'_, T>,
    ) -> Result<(), OutOfMemory> {
        let Node { args, results, .. } = &self.graph.nodes[node as usize];
        let result = results[0];
        let buffer = |value: u32| self.places.buffer(value);
        let whole = |list: &mut Builder<'_, T>, value: u32| list.whole(buffer(value));
        let moving = |list: &mut Builder<'_, T>, value: u32| list.moving(value, buffer(value), self.graph.numel(value));
        let own = fused.own_operands();
        if let Then::Descend(_) = fused.then()
            && buffer(args[own]) != buffer(result)
        {
            let (from, to) = (whole(list, args[own]), whole(list, result));
            list.once(Task::Copy { len: self.graph.numel(result), from, to });
        }
        let after = match fused.then() {
            Then::Keep => PlaceFinish::Keep,
            Then::Bias(()) => PlaceFinish::Bias(whole(list, args[own])),
            Then::BiasRelu(()) => PlaceFinish::BiasRelu(whole(list, args[own])),
            Then::Gate(()) => PlaceFinish::Gate(moving(list, args[own])),
            Then::Descend(rate) => PlaceFinish::Descend(Rate::new(rate, || whole(list, args[own + 1]))),
        };
        match fused {
            Fused::Product { ta, tb, .. } => {
                let (m, k, n) = sizes;
                let shape = product::Shape::of::<T>(sizes, ta, tb).expect("runs are of our own kernels");
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
                let (out, transposed) = (moving(list, result), (ta, tb_then));
                list.tasks.push(Task::Product { shape, sizes, transposed, along, a, b, out, after, memory });
            }
            Fused::ColumnSums { .. } => {
                let (_, rows, n) = sizes;
                let along = list.along_sums();
                let memory = list.for_sums(group::memory_of_columns(rows, n, along == Along::Sums))?;
                let (x, out) = (moving(list, args[0]), whole(list, result));
                list.tasks.push(Task::ColumnSums { rows, n, along, x, out, after, memory });
            }
            Fused::LossAndGradient(reduction) => {
                let (rows, _, n) = sizes;
                let (scores, labels) = (moving(list, args[0]), moving(list, args[1]));
                let (cotangent, loss) = (whole(list, args[2]), whole(list, result));
                let (gradient, mean) = (moving(list, results[1]), reduction == Reduction::Mean);
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
    tiles: &'a mut Tiles,
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

    /// Where the tiles of chains are. How many they are is known when all chains are.
    fn tiles(&mut self) -> Place {
        let buffer = *self.tiles.buffer.get_or_insert_with(|| {
            self.buffers.push(Vec::new());
            self.buffers.len() - 1
        });
        self.whole(buffer)
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
            Task::Product { .. }
            | Task::ColumnSums { .. }
            | Task::Loss { .. }
            | Task::Copy { .. }
            | Task::Chain { .. } => None,
        };
        if let Some(to) = self.before.iter().find_map(same) {
            return Ok(to);
        }
        let to = self.memory(rows * cols)?;
        self.once(Task::Turn { rows, cols, from, to });
        Ok(to)
    }
}
