//! From a run to tasks on buffers.

use super::chains;
use super::rows::AlongRows;
use crate::float::Float;
use crate::kernels::finish::Rate;
use crate::kernels::group::{self, Along, Group, OfRows, PlaceFinish, Task};
use crate::kernels::place::{Place, Spot};
use crate::kernels::product;
use crate::ops::cross_entropy::Reduction;
use crate::ops::rows::Rows;
use crate::ops::table::Kind;
use crate::program::graph::{Graph, Node};
use crate::program::ids::{SpotMap, SpotSet};
use crate::program::layout::Layout;
use crate::program::memory::Places;
use crate::program::operation::{Fused, Operation, Then};
use crate::program::schedule::{Blocks, Own, Phase, Work, own_kernel};
use crate::program::steps::{Listed, Operand, What};
use crate::tensor::memory::{self, OutOfMemory};
use crate::tensor::shape::Shape;
use smallvec::SmallVec;
use std::ops::Range;
use std::sync::Arc;

/// The group of a run of work in phases; what it needs beside the values gets buffers behind those that there are. Tiles of chains
/// are in one of them, for all groups of a program.
pub(super) fn group<T: Float>(
    graph: &Graph<T>,
    places: &Places,
    (work, phases): (&[Work], &[&Phase]),
    tiles: &mut Tiles,
    buffers: &mut Vec<Vec<T>>,
) -> Result<(Group<T>, Vec<Listed>), OutOfMemory> {
    let mut list = Builder {
        blocks: None,
        used: Vec::new(),
        number: SpotMap::default(),
        at_first: Vec::new(),
        before: Vec::new(),
        tasks: Vec::new(),
        running: 0,
        written: SpotSet::default(),
        turned: SpotMap::default(),
        tiles,
        buffers,
    };
    let (mut made, mut listed) = (Vec::new(), Vec::new());
    let mut left = work;
    for phase in phases {
        let now;
        (now, left) = left.split_at(phase.range.len());
        list.blocks = phase.blocks.as_ref();
        let tasks = Tasks { graph, places };
        let mut alike = phase.alike.iter().peekable();
        let mut time = 0;
        while time < now.len() {
            let count = alike.next_if(|alike| alike.start == phase.range.start + time).map_or(1, Range::len);
            if count > 1 {
                listed.push(tasks.chain(&now[time..time + count], &mut list));
            } else {
                listed.extend(tasks.add(&now[time], &mut list)?);
            }
            time += count;
        }
        let (rows, block) = phase.blocks.as_ref().map_or((1, 1), |blocks| (blocks.rows, blocks.block));
        let (before, tasks) = (std::mem::take(&mut list.before), std::mem::take(&mut list.tasks));
        list.running = 0;
        made.push(group::Phase { before, tasks, rows, block });
    }
    if let Some(first) = made.first_mut() {
        first.before.splice(0..0, list.at_first);
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

    /// Adds work, unless all of it is that a value has another shape where it is.
    fn add(&self, work: &Work, list: &mut Builder<'_, T>) -> Result<Option<Listed>, OutOfMemory> {
        match own_kernel(self.graph, work).expect("runs are of our own kernels") {
            Own::Chain => Ok(Some(self.chain(std::slice::from_ref(work), list))),
            Own::Rows(rows) => Ok(self.rows(work.members[0], rows, list)),
            Own::Fused(fused, sizes) => {
                let Node { args, results, .. } = &self.graph.nodes[work.members[0] as usize];
                self.fused(work.members[0], fused, sizes, list)?;
                let operand = |&value: &u32| self.operand(value);
                let (operands, results) = (args.iter().map(operand).collect(), results.iter().map(operand).collect());
                Ok(Some(Listed { what: What::Fused(fused), operands, results }))
            }
        }
    }

    fn rows(&self, node: u32, rows: Rows, list: &mut Builder<'_, T>) -> Option<Listed> {
        let Node { operation, args, results, .. } = &self.graph.nodes[node as usize];
        if matches!(operation, Operation::Single(Kind::Reshape(_)))
            && self.places.spot(args[0]) == self.places.spot(results[0])
        {
            return None;
        }
        let (all, block) = list.blocks.map_or((1, 1), |blocks| (blocks.rows, blocks.block));
        let shapes = |values: &[u32]| values.iter().map(|&value| self.graph.shape(value)).collect();
        let (arg_shapes, result_shapes): (SmallVec<[&Shape; 3]>, SmallVec<[&Shape; 3]>) =
            (shapes(args), shapes(results));
        let op = Arc::new(AlongRows::new(operation, rows, (&arg_shapes, &result_shapes), (all, block)));
        let mut elements = |value: u32, moves: bool| {
            let numel = self.graph.numel(value);
            let place = list.moving(value, self.places.spot(value), numel);
            if moves { OfRows::Each(place, numel / all) } else { OfRows::All(place, numel) }
        };
        let places = args.iter().enumerate().map(|(k, &arg)| elements(arg, rows.has(k))).collect();
        let outs = results.iter().map(|&result| elements(result, true)).collect();
        list.push(Task::Rows { op, args: places, outs });
        let operand = |&value: &u32| self.operand(value);
        let (operands, results) = (args.iter().map(operand).collect(), results.iter().map(operand).collect());
        let what = match operation {
            Operation::Fused(fused) => What::Fused(*fused),
            Operation::Single(kind) => What::Rows(kind.name()),
            Operation::HiddenLayer(_) | Operation::Copy => unreachable!("these do not go along rows"),
        };
        Some(Listed { what, operands, results })
    }

    /// A chain, or several that are alike as one.
    fn chain(&self, alike: &[Work], list: &mut Builder<'_, T>) -> Listed {
        let planned: Vec<_> = alike.iter().map(|work| chains::plan(self.graph, work)).collect();
        let inputs = planned.iter().flat_map(|planned| planned.inputs.iter().cloned());
        let (values, layouts): (Vec<u32>, Vec<Layout>) = inputs.unzip();
        let registers = list.tiles();
        let (rows, is_whole) = (list.blocks.map_or(1, |blocks| blocks.rows), list.blocks.is_none());
        let mut place = |value: u32, from: u32| {
            let spot = self.places.spot(value);
            if from == 0 {
                return list.moving(value, spot, self.graph.numel(value));
            }
            list.whole(Spot { start: spot.start + from, ..spot })
        };
        let numbers = match &planned[..] {
            [one] if is_whole => chains::numbers(one, &mut place, registers),
            _ => None,
        };
        let names = if let Some(numbers) = numbers {
            list.tiles.len = numbers.memory().max(list.tiles.len);
            let names = numbers.names().collect();
            list.push(Task::Numbers(Box::new(numbers)));
            names
        } else {
            let chain = chains::placed(&planned, self.graph, self.places, place, (registers, rows));
            list.tiles.len = chain.memory().max(list.tiles.len);
            let names = chain.names().collect();
            let (per_row, in_blocks) = (chain.len / rows, list.blocks.is_some());
            let behind = chain.has_sums_that_go_on(in_blocks).then_some(list.running);
            list.running += if in_blocks { chain.sums.len() } else { 0 };
            list.push(Task::Chain { chain: Box::new(chain), per_row, behind });
            names
        };
        alike.iter().flat_map(|work| &work.results).for_each(|&value| list.mark_spot(self.places.spot(value)));
        let operands = values.into_iter().map(|value| self.operand(value)).collect();
        let results = alike.iter().flat_map(|work| &work.results).map(|&value| self.operand(value)).collect();
        Listed { what: What::Chain { names, layouts }, operands, results }
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
        let spot = |value: u32| self.places.spot(value);
        let whole = |list: &mut Builder<'_, T>, value: u32| list.whole(spot(value));
        let moving = |list: &mut Builder<'_, T>, value: u32| list.moving(value, spot(value), self.graph.numel(value));
        let own = fused.own_operands();
        if let Then::Descend(_) = fused.then()
            && spot(args[own]) != spot(result)
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
                let steps = [product::steps((m, k), ta), product::steps((k, n), tb_then)];
                let out = moving(list, result);
                list.push(Task::Product { shape, sizes, steps, along, a, b, out, after, memory });
            }
            Fused::ColumnSums { .. } => {
                let (_, rows, n) = sizes;
                let along = list.along_sums();
                let memory = list.for_sums(group::memory_of_columns(rows, n, along == Along::Sums))?;
                let (x, out) = (moving(list, args[0]), whole(list, result));
                list.push(Task::ColumnSums { rows, n, along, x, out, after, memory });
            }
            Fused::Rows { .. } | Fused::InRows(_) => {
                unreachable!("these are no products, sums of columns or losses")
            }
            Fused::LossAndGradient(reduction) => {
                let (rows, _, n) = sizes;
                let (scores, labels) = (moving(list, args[0]), moving(list, args[1]));
                let (cotangent, loss) = (whole(list, args[2]), whole(list, result));
                let (gradient, mean) = (moving(list, results[1]), reduction == Reduction::Mean);
                let along = list.along_rows();
                list.push(Task::Loss { rows, n, along, mean, scores, labels, cotangent, loss, gradient });
            }
        }
        Ok(())
    }
}

/// A transpose that is there, and of how many rows and columns of what.
struct Turned {
    of: (Place, usize, usize),
    to: Place,
}

/// Tasks as they are added.
struct Builder<'a, T> {
    blocks: Option<&'a Blocks>,
    /// The spots in use.
    used: Vec<Spot>,
    /// Their places in that list.
    number: SpotMap<usize>,
    /// What is done before all else.
    at_first: Vec<Task<T>>,
    before: Vec<Task<T>>,
    tasks: Vec<Task<T>>,
    /// How many sums of chains go on from block to block.
    running: usize,
    /// The spots of values that tasks have written so far.
    written: SpotSet,
    /// Transposes that are there, by the spots of what was turned.
    turned: SpotMap<SmallVec<[Turned; 1]>>,
    tiles: &'a mut Tiles,
    buffers: &'a mut Vec<Vec<T>>,
}

impl<T: Float> Builder<'_, T> {
    /// A place that does not move from block to block.
    fn whole(&mut self, spot: Spot) -> Place {
        let used = &mut self.used;
        let spot = *self.number.entry(spot).or_insert_with(|| {
            used.push(spot);
            used.len() - 1
        });
        Place::of_spot(spot)
    }

    /// The start of one of the program's buffers.
    fn start_of(&mut self, buffer: usize) -> Place {
        self.whole(Spot::from(buffer as u32))
    }

    /// The place of a value, which moves if the value is row by row, and not just of one block.
    fn moving(&mut self, value: u32, spot: Spot, numel: usize) -> Place {
        let place = self.whole(spot);
        match self.blocks {
            Some(blocks) if blocks.by_row.contains(&value) && !blocks.is_local(value) => {
                place.moving(numel / blocks.rows)
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
        self.start_of(buffer)
    }

    fn memory(&mut self, len: usize) -> Result<Place, OutOfMemory> {
        self.buffers.push(memory::zeros(len)?);
        Ok(self.start_of(self.buffers.len() - 1))
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
        self.mark(&task);
        if self.blocks.is_some() { &mut self.before } else { &mut self.tasks }.push(task);
    }

    /// A task for each block.
    fn push(&mut self, task: Task<T>) {
        self.mark(&task);
        self.tasks.push(task);
    }

    /// What a task writes was not there before, and is another matrix than the one that was turned.
    fn mark(&mut self, task: &Task<T>) {
        for place in task.written(self.block()) {
            self.mark_spot(self.used[place.spot()]);
        }
    }

    fn mark_spot(&mut self, spot: Spot) {
        self.written.insert(spot);
        self.turned.remove(&spot);
    }

    /// The transpose of what is at a place. What was there before is turned before all else: vectors that are read soon after they
    /// were written in pieces have to wait. Within blocks it does not change, and is made once.
    fn turned(&mut self, from: Place, rows: usize, cols: usize) -> Result<Place, OutOfMemory> {
        let (spot, of) = (self.used[from.spot()], (from, rows, cols));
        if let Some(known) = self.turned.get(&spot).and_then(|list| list.iter().find(|turned| turned.of == of)) {
            return Ok(known.to);
        }
        let to = self.memory(rows * cols)?;
        let task = Task::Turn { rows, cols, from, to };
        if self.written.contains(&spot) {
            self.once(task);
        } else {
            self.at_first.push(task);
        }
        self.turned.entry(spot).or_default().push(Turned { of, to });
        Ok(to)
    }
}
