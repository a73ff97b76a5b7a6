//! When and where: the order of the steps, and which values share a buffer.

use super::chain::{Chain, Layout, Register};
use super::fuse::FusedStep;
use super::graph::{Graph, Source};
use super::inputs::Slot;
use super::nets::NetStep;
use super::passes::Passes;
use super::region::{is_element_wise, regions};
use super::segment::{Blocks, Segment, Tasks, segments};
use super::weave::weave;
use super::{Guard, Program, StateSlot};
use crate::float::Float;
use crate::kernels::group::Group;
use crate::kernels::perceptron::Planned;
use crate::ops::table::Kind;
use crate::tape::Tape;
use crate::tensor::error::Error;
use crate::tensor::memory::{self, OutOfMemory};
use crate::tensor::shape::Shape;
use smallvec::SmallVec;
use std::collections::{HashMap, HashSet};
use std::panic::Location;

/// A value in a buffer.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) buffer: usize,
    pub(super) len: usize,
    pub(super) shape: Shape,
}

impl Operand {
    /// Its elements.
    pub(super) fn of<'b, T>(&self, buffers: &'b [Vec<T>]) -> &'b [T] {
        &buffers[self.buffer][..self.len]
    }
}

/// Operands as a listing shows them.
pub(super) fn list<'o>(operands: impl IntoIterator<Item = &'o Operand>) -> String {
    let shown: Vec<String> = operands.into_iter().map(|o| format!("b{} {}", o.buffer, o.shape)).collect();
    shown.join(", ")
}

/// One thing to do.
pub(super) enum Step<T: Float> {
    /// An operation by its own kernel.
    Op { kind: Kind<T>, args: SmallVec<[Operand; 3]>, result: Operand, location: &'static Location<'static> },
    /// Operations that are computed together.
    Fused(FusedStep),
    /// A step of a net of one hidden layer; what it reads and writes is for the listing.
    Net(Planned<T>, NetStep),
    /// Several of them, one after the other; what they are is for the listing.
    Group(Group<T>, Vec<FusedStep>),
    /// Element-wise operations, tile by tile.
    Chain(Chain<T>),
    /// A value that stands for itself in two places.
    Copy { from: Operand, result: Operand },
}

/// A scheduled node: one alone, the last of those that are computed together as a chain, or a copy of another.
enum Work {
    Node,
    /// The nodes in order, and those of them that others read.
    Chain {
        members: Vec<u32>,
        results: Vec<u32>,
    },
    Copy {
        of: u32,
    },
}

/// The order of the work. Values are numbered as the graph's nodes; copies get numbers behind.
pub(super) struct Plan<T: Float> {
    graph: Graph<T>,
    work: Vec<(u32, Work)>,
    guarded: usize,
    /// From here on nothing ends a run.
    sure_from: usize,
    share: bool,
    /// Values that copies make.
    shapes: Vec<Shape>,
    /// The further results of work that has several.
    beside: HashMap<u32, Vec<u32>>,
    segments: Vec<Segment>,
}

impl<T: Float> Plan<T> {
    pub(super) fn new(mut graph: Graph<T>, passes: Passes) -> Self {
        let needed = if passes.dead { graph.needed() } else { vec![true; graph.nodes.len()] };
        let is_computed = |graph: &Graph<T>, i: u32| graph.nodes[i as usize].source.is_computed();
        let is_beside = |graph: &Graph<T>, i: u32| matches!(graph.nodes[i as usize].source, Source::Beside);
        let order: Vec<u32> = (0..graph.nodes.len() as u32)
            .filter(|&i| needed[i as usize] && is_computed(&graph, i) && !is_beside(&graph, i))
            .collect();
        let guard_needs = graph.reached_from(graph.guards.iter().map(|guard| guard.0));
        let (together, guarded) = regions(&graph, &order, &guard_needs, passes.chains);
        let results = graph.read_by_others(&together, &order);
        let mut work: Vec<(u32, Work)> = Vec::new();
        for (members, results) in together.into_iter().zip(results) {
            let last = *members.last().expect("a group of nodes has a last one");
            let is_chain = members.len() > 1 || is_element_wise(&graph, last);
            work.push((last, if is_chain { Work::Chain { members, results } } else { Work::Node }));
        }
        // A state's next value and an output must have a buffer of their own: where they are leaves, or one value is
        // wanted twice, they are copied.
        let mut shapes = Vec::new();
        let mut taken: HashSet<u32> = HashSet::new();
        let base = graph.nodes.len() as u32;
        let mut own = |graph: &Graph<T>, list: &[u32], unchanged: &[u32]| -> Vec<u32> {
            let mut result = Vec::new();
            for (k, &i) in list.iter().enumerate() {
                if unchanged.get(k) == Some(&i) || (is_computed(graph, i) && !taken.contains(&i)) {
                    taken.insert(i);
                    result.push(i);
                } else {
                    work.push((base + shapes.len() as u32, Work::Copy { of: i }));
                    result.push(base + shapes.len() as u32);
                    shapes.push(graph.nodes[i as usize].shape.clone());
                }
            }
            result
        };
        let next = own(&graph, &graph.next, &graph.state);
        let outputs = own(&graph, &graph.outputs, &[]);
        graph.next = next;
        graph.outputs = outputs;
        let mut beside: HashMap<u32, Vec<u32>> = HashMap::new();
        for (i, node) in graph.nodes.iter().enumerate().filter(|&(i, _)| needed[i] && is_beside(&graph, i as u32)) {
            beside.entry(node.args[0]).or_default().push(i as u32);
        }
        let order: Vec<u32> = work.iter().map(|(value, _)| *value).collect();
        let segments =
            if passes.fusion { segments(&graph, &order, guarded, passes.blocks, &beside) } else { Vec::new() };
        let may_fail =
            |&(value, _): &(u32, Work)| graph.nodes.get(value as usize).is_some_and(|node| node.source.may_fail());
        let sure_from = work.iter().rposition(may_fail).map_or(guarded, |last| guarded.max(last + 1));
        Self { graph, work, guarded, sure_from, share: passes.memory, shapes, beside, segments }
    }

    fn shape(&self, value: u32) -> &Shape {
        let i = value as usize;
        self.graph.nodes.get(i).map_or_else(|| &self.shapes[i - self.graph.nodes.len()], |node| &node.shape)
    }

    /// The node whose value it is, or that it is a copy of.
    fn node(&self, value: u32) -> u32 {
        let copied = || self.work.iter().find(|(copy, _)| *copy == value);
        if let Some((_, Work::Copy { of })) = copied() { *of } else { value }
    }

    /// What a piece of work reads.
    fn reads(&self, value: u32, work: &Work) -> Vec<u32> {
        match work {
            Work::Copy { of } => vec![*of],
            Work::Node => self.graph.nodes[value as usize].args.to_vec(),
            Work::Chain { members, .. } => self.graph.outside(members).collect(),
        }
    }

    /// What a piece of work leaves for others.
    fn results(&self, value: u32, work: &Work) -> SmallVec<[u32; 2]> {
        match work {
            Work::Chain { results, .. } => SmallVec::from_slice(results),
            Work::Node | Work::Copy { .. } => {
                std::iter::once(value).chain(self.beside.get(&value).into_iter().flatten().copied()).collect()
            }
        }
    }

    /// Gives every value a buffer, and makes the program.
    ///
    /// # Errors
    /// Where there is no memory for a buffer.
    pub(super) fn into_program(
        self,
        tape: &Tape<T>,
        inputs: Vec<Slot>,
        names: Vec<String>,
    ) -> Result<Program<T>, Error> {
        let count = self.graph.nodes.len() + self.shapes.len();
        let mut last_read = vec![0_usize; count];
        for (time, (value, work)) in self.work.iter().enumerate() {
            for value in self.reads(*value, work) {
                last_read[value as usize] = time;
            }
        }
        // What lives beyond the steps has a buffer of its own.
        let mut pinned = vec![false; count];
        for value in self.graph.roots().chain(self.graph.state.iter().copied()).chain(inputs.iter().map(|s| s.node)) {
            pinned[value as usize] = true;
        }
        let mut is_read = pinned.clone();
        for value in self.work.iter().flat_map(|(value, work)| self.reads(*value, work)) {
            is_read[value as usize] = true;
        }
        let mut buffers: Vec<Vec<T>> = Vec::new();
        let mut place: Vec<Option<usize>> = vec![None; count];
        for (i, node) in self.graph.nodes.iter().enumerate() {
            let constant = match node.source {
                Source::Constant(of) => of,
                Source::Input | Source::State => i as u32,
                Source::Op(_) | Source::Fused(_) | Source::Net(_) | Source::Beside => continue,
            };
            if is_read[i] {
                place[i] = Some(buffers.len());
                let copy = memory::copied(&tape.borrow_value(constant));
                buffers.push(copy.map_err(|lack| tape.nodes.lacks(constant, lack))?);
            }
        }
        let mut free: Vec<usize> = Vec::new();
        // Within blocks, what a later block reads or adds to must stay; only what belongs to one block is reused in it.
        let (mut free_in_block, mut free_after): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
        for (time, (value, work)) in self.work.iter().enumerate() {
            let (reads, results) = (self.reads(*value, work), self.results(*value, work));
            for &result in &results {
                if let Some(state) = self.in_place(time, result, &reads, &last_read) {
                    place[result as usize] = place[state as usize];
                    continue;
                }
                let blocks = self.blocks_at(time);
                let is_local = blocks.is_some_and(|blocks| blocks.is_local(result));
                let numel = self.shape(result).numel();
                let (i, len) = (result as usize, blocks.map_or(numel, |blocks| blocks.elements(result, numel)));
                let free = if is_local && !free_in_block.is_empty() { &mut free_in_block } else { &mut free };
                // The smallest free buffer that is large enough, else the largest, grown.
                let reuse = if pinned[i] || !self.share {
                    None
                } else {
                    let fits = |b: &&usize| buffers[**b].len() >= len;
                    let smallest = free.iter().filter(fits).min_by_key(|b| buffers[**b].len()).copied();
                    smallest.or_else(|| free.iter().max_by_key(|b| buffers[**b].len()).copied())
                };
                let buffer = reuse.unwrap_or(buffers.len());
                if buffer == buffers.len() {
                    buffers.push(Vec::new());
                } else {
                    free.retain(|&b| b != buffer);
                }
                if buffers[buffer].len() < len {
                    // Nothing is in it yet that counts.
                    buffers[buffer] = Vec::new();
                    buffers[buffer] = memory::zeros(len).map_err(|lack| tape.nodes.lacks(self.node(result), lack))?;
                }
                place[i] = Some(buffer);
            }
            let mut done = reads;
            done.extend(results);
            done.sort_unstable();
            done.dedup();
            for v in done.into_iter().map(|v| v as usize) {
                let is_temporary = !pinned[v] && self.graph.nodes.get(v).is_none_or(|n| n.source.is_computed());
                if is_temporary && last_read[v] <= time && self.share {
                    let list = match self.blocks_at(time) {
                        Some(blocks) if blocks.is_local(v as u32) => &mut free_in_block,
                        Some(_) => &mut free_after,
                        None => &mut free,
                    };
                    list.extend(place[v]);
                }
            }
            if self.segments.iter().any(|segment| segment.range.end == time + 1) {
                free.append(&mut free_in_block);
                free.append(&mut free_after);
            }
        }
        self.assemble(&place, buffers, tape, inputs, names)
    }

    /// The blocks of the segment that the work at a time belongs to.
    fn blocks_at(&self, time: usize) -> Option<&Blocks> {
        self.segments.iter().find(|segment| segment.range.contains(&time))?.blocks.as_ref()
    }

    /// The state whose next value is computed element by element from it, if that may be written over the state itself:
    /// nothing reads the state afterwards, nobody outside asks for it, all branches are checked before, and nothing is
    /// computed later that may end the run.
    fn in_place(&self, time: usize, value: u32, reads: &[u32], last_read: &[usize]) -> Option<u32> {
        let k = self.graph.next.iter().position(|&next| next == value)?;
        let state = self.graph.state[k];
        let asked = self.graph.outputs.contains(&state) || self.graph.guards.iter().any(|guard| guard.0 == state);
        if asked || !self.share || time < self.sure_from || last_read[state as usize] != time {
            return None;
        }
        let mut node = self.graph.nodes.get(value as usize)?;
        if let Source::Beside = node.source {
            node = &self.graph.nodes[node.args[0] as usize];
        }
        // The one operand that is read element by element, and no other.
        let updates = |operand: Option<usize>| {
            let once = reads.iter().filter(|&&read| read == state).count() == 1;
            once && operand.is_some_and(|k| node.args[k] == state)
        };
        let fits = match node.source {
            Source::Fused(fused) => updates(fused.updates()),
            Source::Net(net) => updates(net.updates(value)),
            Source::Op(_) => {
                let full = Layout::of(self.shape(state), &node.shape) == Some(Layout::Full);
                is_element_wise(&self.graph, value) && reads.contains(&state) && full
            }
            Source::Input | Source::State | Source::Constant(_) | Source::Beside => false,
        };
        fits.then_some(state)
    }

    fn assemble(
        self,
        place: &[Option<usize>],
        mut buffers: Vec<Vec<T>>,
        tape: &Tape<T>,
        mut inputs: Vec<Slot>,
        names: Vec<String>,
    ) -> Result<Program<T>, Error> {
        let operand = |value: u32| {
            let shape = self.shape(value).clone();
            let buffer = place[value as usize].expect("what is read has a place");
            Operand { buffer, len: shape.numel(), shape }
        };
        let step = |(value, work): &(u32, Work), buffers: &mut Vec<Vec<T>>| {
            Ok(match work {
                Work::Copy { of } => Step::Copy { from: operand(*of), result: operand(*value) },
                Work::Node => {
                    let node = &self.graph.nodes[*value as usize];
                    let args = node.args.iter().map(|&a| operand(a));
                    match &node.source {
                        Source::Op(kind) => {
                            let location = tape.nodes[*value].origin.location;
                            Step::Op { kind: kind.clone(), args: args.collect(), result: operand(*value), location }
                        }
                        Source::Fused(fused) => {
                            let beside = self.beside.get(value).into_iter().flatten().map(|&result| operand(result));
                            Step::Fused(FusedStep::new(*fused, args.collect(), operand(*value), beside.collect()))
                        }
                        Source::Net(net) => {
                            let results = net.results.iter().map(|&result| operand(result));
                            let planned = self.graph.plan_net(*net, &node.args, place, buffers);
                            let planned = planned.map_err(|lack| tape.nodes.lacks(*value, lack))?;
                            Step::Net(planned, NetStep::new(*net, args.collect(), results.collect()))
                        }
                        Source::Input | Source::State | Source::Constant(_) | Source::Beside => {
                            unreachable!("work is operations")
                        }
                    }
                }
                Work::Chain { members, results } => Step::Chain(weave(&self.graph, members, results, &operand)),
            })
        };
        let (mut steps, mut guarded): (Vec<Step<T>>, usize) = (Vec::new(), 0);
        let tasks = Tasks { graph: &self.graph, place, beside: &self.beside };
        let mut time = 0;
        while time < self.work.len() {
            if time == self.guarded {
                guarded = steps.len();
            }
            if let Some(segment) = self.segments.iter().find(|segment| segment.range.start == time) {
                let nodes: Vec<u32> = self.work[segment.range.clone()].iter().map(|(value, _)| *value).collect();
                let group = tasks.group(&nodes, segment.blocks.as_ref(), &mut buffers);
                let group = group.map_err(|lack| tape.nodes.lacks(nodes[0], lack))?;
                let mut listing = Vec::new();
                for work in &self.work[segment.range.clone()] {
                    let Step::Fused(fused) = step(work, &mut buffers)? else {
                        unreachable!("segments are of fused work")
                    };
                    listing.push(fused);
                }
                steps.push(Step::Group(group, listing));
                time = segment.range.end;
            } else {
                steps.push(step(&self.work[time], &mut buffers)?);
                time += 1;
            }
        }
        if time == self.guarded {
            guarded = steps.len();
        }
        let limits = tape.recording();
        for slot in &mut inputs {
            slot.buffer = place[slot.node as usize].expect("inputs have a place");
            if let Some(labels) = &mut slot.labels {
                labels.extend(limits.limits.iter().filter(|limit| limit.0 == slot.node).map(|limit| limit.1.clone()));
            }
        }
        let state = names.into_iter().enumerate().map(|(k, name)| {
            let now = operand(self.graph.state[k]);
            let next = self.graph.next.get(k).copied().map(operand).filter(|next| next.buffer != now.buffer);
            StateSlot { name, now, next }
        });
        let guards = self.graph.guards.iter().map(|&(i, condition)| Guard { value: operand(i), condition });
        let chains = || steps.iter().filter_map(|step| if let Step::Chain(chain) = step { Some(chain) } else { None });
        let registers = chains().map(Chain::all_registers).max().unwrap_or(0);
        let tile = chains().map(|chain| chain.tile.min(chain.len)).max().unwrap_or(0);
        let registers: Result<_, OutOfMemory> = (0..registers).map(|_| Register::new(tile)).collect();
        let last = self.work.last().map_or(0, |&(value, _)| self.node(value));
        Ok(Program {
            inputs,
            state: state.collect(),
            outputs: self.graph.outputs.iter().map(|&i| operand(i)).collect(),
            guards: guards.collect(),
            guarded,
            registers: registers.map_err(|lack| tape.nodes.lacks(last, lack))?,
            steps,
            buffers,
        })
    }
}
