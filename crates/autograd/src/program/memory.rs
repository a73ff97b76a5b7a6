//! Which values share a buffer, and how large the buffers are.

mod places;
mod ranges;

use super::graph::{Graph, Source};
use super::ids::{IdMap, IdSet};
use super::inputs::Slot;
use super::layout::Layout;
use super::operation::Operation;
use super::schedule::{Blocks, Schedule};
use crate::float::Float;
use crate::kernels::place::Spot;
use crate::ops::table::Kind;
use crate::tape::Tape;
use crate::tensor::error::Error;
use crate::tensor::memory::{self, OutOfMemory};
use places::NOWHERE;
pub(super) use places::Places;
use ranges::Ranges;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// A buffer that is lent for each run, for what is computed.
#[derive(Clone)]
pub(super) struct Borrowed {
    pub(super) buffer: usize,
    pub(super) len: usize,
    /// The node of the tape that is to blame for it.
    pub(super) of: u32,
}

/// What is planned: where each value is, the buffers, and which of them are empty until a run.
pub(super) struct Plan<T> {
    pub(super) places: Places,
    pub(super) buffers: Vec<Vec<T>>,
    pub(super) borrowed: Vec<Borrowed>,
}

/// Gives every value a buffer.
///
/// # Errors
/// Where there is no memory for a buffer.
pub(super) fn plan<T: Float>(
    graph: &Graph<T>,
    schedule: &Schedule,
    share: bool,
    tape: &Tape<T>,
    inputs: &[Slot],
) -> Result<Plan<T>, Error> {
    let mut planner = Planner::new(graph, schedule, share, inputs);
    let fixed = planner.place_fixed();
    let mut alike = schedule.phases.iter().flat_map(|phase| phase.alike.iter().cloned()).peekable();
    let mut time = 0;
    while time < schedule.work.len() {
        // What is one chain reads all before it makes anything, and makes all before anything is given back.
        let at_once = alike.next_if(|alike| alike.start == time).unwrap_or(time..time + 1);
        at_once.clone().for_each(|time| planner.place_results(time));
        at_once.clone().for_each(|time| planner.release(time));
        time = at_once.end;
    }
    let Planner { place, last, ranges, buffers, .. } = planner;
    let (mut made, mut borrowed) = (Vec::with_capacity(buffers.len()), Vec::new());
    for (k, &Buffer { len, of }) in buffers.iter().enumerate() {
        let is_lent = len >= graph.own_below;
        let buffer = match fixed.get(k) {
            Some(_) if is_lent && graph.values[of as usize].source == Source::Input => Ok(Vec::new()),
            Some(values) => begun(tape, values, len),
            None if is_lent => {
                borrowed.push(Borrowed { buffer: k, len, of: graph.on_tape(of) });
                Ok(Vec::new())
            }
            None => memory::zeros(len),
        };
        made.push(buffer.map_err(|lack| tape.nodes.lacks(graph.on_tape(of), lack))?);
    }
    Ok(Plan { places: Places { of: place, last, packed: ranges.packed() }, buffers: made, borrowed })
}

/// A buffer of so many elements that begins with values of the tape, each at its place.
fn begun<T: Float>(tape: &Tape<T>, values: &[(u32, u32)], len: usize) -> Result<Vec<T>, OutOfMemory> {
    if let &[(value, 0)] = values
        && tape.nodes[value].len == len
    {
        return memory::copied(&tape.borrow_value(value));
    }
    let mut buffer = memory::zeros(len)?;
    for &(value, start) in values {
        let (value, start) = (tape.borrow_value(value), start as usize);
        buffer[start..start + value.len()].copy_from_slice(&value);
    }
    Ok(buffer)
}

/// For each value the one whose buffer it shares, since it is another shape of that; itself where it has one of its own. What
/// lives beyond the steps has, and a state is written over: perhaps block by block, while another block reads it as a whole.
fn same_as<T: Float>(graph: &Graph<T>, schedule: &Schedule, pinned: &[bool], share: bool) -> Vec<u32> {
    let mut same_as: Vec<u32> = (0..graph.values.len() as u32).collect();
    for work in schedule.work.iter().filter(|_| share) {
        let &[node] = &work.members[..] else { continue };
        let node = &graph.nodes[node as usize];
        let (Some(Kind::Reshape(_)), result) = (node.kind(), node.results[0]) else { continue };
        let of = same_as[node.args[0] as usize];
        if !pinned[result as usize] && graph.values[of as usize].source != Source::State {
            same_as[result as usize] = of;
        }
    }
    same_as
}

/// A buffer that is planned: its length, and the value that is to blame for it.
#[derive(Clone, Copy)]
struct Buffer {
    len: usize,
    of: u32,
}

struct Planner<'a, T: Float> {
    graph: &'a Graph<T>,
    schedule: &'a Schedule,
    share: bool,
    /// The work that reads each value last.
    last_read: Vec<u32>,
    /// What lives beyond the steps has a buffer of its own.
    pinned: Vec<bool>,
    is_read: Vec<bool>,
    /// The state that each next value moves on, and those that someone outside reads.
    state_of: IdMap<u32>,
    asked: Vec<u32>,
    /// The value whose elements each value has: its own, or those of what it is another shape of.
    same_as: Vec<u32>,
    place: Vec<Spot>,
    last: IdSet,
    /// Which values lie one behind the other.
    ranges: Ranges,
    buffers: Vec<Buffer>,
    free: Free,
    /// Within blocks, what a later block reads or adds to must stay; only what belongs to one block is reused in it.
    free_in_block: Free,
    free_after: Vec<u32>,
    /// The phase that a time belongs to, or is next.
    phase: usize,
}

/// Buffers that may be used again, by their length.
#[derive(Default)]
struct Free {
    by_len: BTreeMap<usize, Vec<u32>>,
}

impl Free {
    fn give(&mut self, len: usize, buffer: u32) {
        self.by_len.entry(len).or_default().push(buffer);
    }

    /// The smallest that is large enough, else the largest, to be grown.
    fn take(&mut self, len: usize) -> Option<u32> {
        let enough = self.by_len.range(len..).next().map(|(&len, _)| len);
        let len = enough.or_else(|| self.by_len.keys().next_back().copied())?;
        let list = self.by_len.get_mut(&len)?;
        let buffer = list.pop();
        if list.is_empty() {
            self.by_len.remove(&len);
        }
        buffer
    }

    fn is_empty(&self) -> bool {
        self.by_len.is_empty()
    }

    fn append(&mut self, other: &mut Self) {
        for (len, mut list) in std::mem::take(&mut other.by_len) {
            self.by_len.entry(len).or_default().append(&mut list);
        }
    }
}

impl<'a, T: Float> Planner<'a, T> {
    fn new(graph: &'a Graph<T>, schedule: &'a Schedule, share: bool, inputs: &[Slot]) -> Self {
        let count = graph.values.len();
        let mut last_read = vec![0; count];
        let mut pinned = vec![false; count];
        let outside = graph.roots().chain(graph.state.iter().copied()).chain(inputs.iter().map(|slot| slot.node));
        outside.for_each(|value| pinned[value as usize] = true);
        let same_as = same_as(graph, schedule, &pinned, share);
        let mut is_read = pinned.clone();
        for (time, work) in (0..).zip(&schedule.work) {
            for &value in &work.reads {
                last_read[value as usize] = time;
                last_read[same_as[value as usize] as usize] = time;
                is_read[value as usize] = true;
            }
        }
        let asked = graph.outputs.iter().copied().chain(graph.guards.iter().map(|guard| guard.0));
        let mut planner = Self {
            graph,
            schedule,
            share,
            last_read,
            pinned,
            is_read,
            state_of: graph.next.iter().copied().zip(graph.state.iter().copied()).collect(),
            asked: asked.collect(),
            same_as,
            place: vec![NOWHERE; count],
            last: IdSet::default(),
            ranges: Ranges::default(),
            buffers: Vec::new(),
            free: Free::default(),
            free_in_block: Free::default(),
            free_after: Vec::new(),
            phase: 0,
        };
        if share {
            planner.ranges = Ranges::of(&planner);
        }
        planner
    }

    /// Places inputs, state and constants, and returns the nodes of the tape whose values they begin with, and where, by buffer.
    fn place_fixed(&mut self) -> Vec<SmallVec<[(u32, u32); 1]>> {
        let mut fixed: Vec<SmallVec<[(u32, u32); 1]>> = Vec::new();
        for (i, value) in (0..).zip(&self.graph.values) {
            let from = match value.source {
                Source::Constant(of) => of,
                Source::Input | Source::State => i,
                Source::Computed => continue,
            };
            if !self.is_read[i as usize] {
                continue;
            }
            let spot = self.place_in_range(i).unwrap_or_else(|| self.new_buffer(value.shape.numel(), i).into());
            self.place[i as usize] = spot;
            fixed.resize(self.buffers.len(), SmallVec::new());
            fixed[spot.buffer as usize].push((from, spot.start));
        }
        fixed
    }

    /// The spot of a value in its range, which gets a buffer with the first of its values.
    fn place_in_range(&mut self, value: u32) -> Option<Spot> {
        let (range, start) = self.ranges.part(value)?;
        let &ranges::Range { buffer, len, last, .. } = self.ranges.get(range);
        if last == Some(value) {
            self.last.insert(value);
        }
        let buffer = buffer.unwrap_or_else(|| {
            let buffer = self.buffer_of(len, value, self.ranges.get(range).pinned, false);
            self.ranges.place(range, buffer);
            buffer
        });
        Some(Spot { buffer, start })
    }

    fn new_buffer(&mut self, len: usize, of: u32) -> u32 {
        self.buffers.push(Buffer { len, of });
        self.buffers.len() as u32 - 1
    }

    /// The blocks of the phase that the work at a time belongs to.
    fn blocks_at(&self, time: usize) -> Option<&'a Blocks> {
        let phase = self.schedule.phases.get(self.phase).filter(|phase| phase.range.contains(&time))?;
        phase.blocks.as_ref()
    }

    fn place_results(&mut self, time: usize) {
        let schedule = self.schedule;
        let work = &schedule.work[time];
        for &result in &work.results {
            let same = self.in_place(time, result).unwrap_or(self.same_as[result as usize]);
            if same != result {
                self.place[result as usize] = self.place[same as usize];
                if self.last.contains(&same) {
                    self.last.insert(result);
                }
                continue;
            }
            let blocks = self.blocks_at(time);
            let is_local = blocks.is_some_and(|blocks| blocks.is_local(result));
            let numel = self.graph.numel(result);
            let len = blocks.map_or(numel, |blocks| blocks.elements(result, numel));
            let pinned = self.pinned[result as usize];
            let in_range = self.place_in_range(result);
            self.place[result as usize] =
                in_range.unwrap_or_else(|| self.buffer_of(len, result, pinned, is_local).into());
        }
    }

    /// A buffer of so many elements that is free, or a new one.
    fn buffer_of(&mut self, len: usize, of: u32, pinned: bool, is_local: bool) -> u32 {
        let free = if is_local && !self.free_in_block.is_empty() { &mut self.free_in_block } else { &mut self.free };
        let reuse = if pinned || !self.share { None } else { free.take(len) };
        let buffer = reuse.unwrap_or_else(|| self.new_buffer(len, of));
        let planned = &mut self.buffers[buffer as usize];
        if planned.len < len {
            *planned = Buffer { len, of };
        }
        buffer
    }

    /// Gives back what nothing reads after a time.
    fn release(&mut self, time: usize) {
        let work = &self.schedule.work[time];
        let mut done = work.reads.clone();
        done.extend(work.results.iter().copied());
        done.iter_mut().for_each(|value| *value = self.same_as[*value as usize]);
        done.sort_unstable();
        done.dedup();
        for value in done {
            let v = value as usize;
            let is_temporary = !self.pinned[v] && self.graph.is_computed(value);
            if is_temporary && self.last_read[v] as usize <= time && self.share && self.ranges.is_done_with(value) {
                let buffer = self.place[v].buffer;
                let len = self.buffers[buffer as usize].len;
                match self.blocks_at(time) {
                    Some(blocks) if blocks.is_local(value) => self.free_in_block.give(len, buffer),
                    Some(_) => self.free_after.push(buffer),
                    None => self.free.give(len, buffer),
                }
            }
        }
        if self.schedule.phases.get(self.phase).is_some_and(|phase| phase.range.end == time + 1) {
            self.phase += 1;
            self.free.append(&mut self.free_in_block);
            for buffer in std::mem::take(&mut self.free_after) {
                self.free.give(self.buffers[buffer as usize].len, buffer);
            }
        }
    }

    /// The state whose next value is computed element by element from it, if that may be written over the state itself:
    /// nothing reads the state afterwards, nobody outside asks for it, all branches are checked before, and nothing is
    /// computed later that may end the run.
    fn in_place(&self, time: usize, value: u32) -> Option<u32> {
        let state = *self.state_of.get(&value)?;
        let late = time >= self.schedule.sure_from && self.last_read[state as usize] as usize == time;
        if !self.share || !late || self.asked.contains(&state) {
            return None;
        }
        let work = &self.schedule.work[time];
        let reads = &work.reads;
        let maker = work.members.iter().map(|&node| &self.graph.nodes[node as usize]);
        let node = maker.into_iter().find(|node| node.results.contains(&value))?;
        // The one operand that is read element by element, and no other.
        let updates = |operand: Option<usize>| {
            let once = reads.iter().filter(|&&read| read == state).count() == 1;
            once && operand.is_some_and(|k| node.args[k] == state)
        };
        let fits = match &node.operation {
            Operation::Fused(fused) => updates(fused.updates()),
            Operation::HiddenLayer(net) => updates(net.updates(node.results.iter().position(|&r| r == value)?)),
            Operation::Single(Kind::Unary(_) | Kind::Binary(_) | Kind::Select(_)) => {
                let full = Layout::of(self.graph.shape(state), self.graph.shape(value)) == Some(Layout::Full);
                work.is_chain && reads.contains(&state) && full && !work.sees_through_window(self.graph, state)
            }
            Operation::Single(_) | Operation::Copy => false,
        };
        fits.then_some(state)
    }
}
