//! Values that lie one behind the other in one buffer: those that chains that are alike read or make at one place of their formula,
//! such as the parameters that one rule updates, their gradients, their moments. So all of them are one operand of one chain. And
//! those that are joined, which are made in their places of the whole.

use super::{NOWHERE, Planner};
use crate::float::Float;
use crate::kernels::map::{LANES, QUAD};
use crate::ops::table::Kind;
use crate::program::graph::{Graph, Node, Source};
use crate::program::ids::{IdMap, IdSet};
use crate::program::operation::Operation;
use smallvec::SmallVec;

/// More than so many values are copied where they are joined: a range looks through all of its own for each of them.
const MOST_JOINED: usize = 256;

/// What belongs to one chain each, in their order.
type Column = SmallVec<[u32; 8]>;

/// Which value is where in which range.
#[derive(Default)]
pub(super) struct Ranges {
    of: IdMap<(usize, u32)>,
    list: Vec<Range>,
    packed: IdSet,
}

/// Values one behind the other, each from a multiple of so few elements on that hardly any lie idle.
pub(super) struct Range {
    /// Its elements, which fill vectors.
    pub(super) len: usize,
    /// Whether one of its values lives beyond the steps.
    pub(super) pinned: bool,
    pub(super) buffer: Option<u32>,
    pub(super) last: Option<u32>,
    /// The values that are still needed.
    needed: Column,
}

impl Ranges {
    /// What chains that are alike have in common, where it may lie so.
    pub(super) fn of<T: Float>(planner: &Planner<'_, T>) -> Self {
        let mut ranges = Self::default();
        let Planner { graph, schedule, .. } = planner;
        let mut alike = schedule.phases.iter().flat_map(|phase| &phase.alike).peekable();
        let mut joins = schedule.work.iter().filter_map(|work| joined(graph, work.members[0])).peekable();
        if alike.peek().is_none() && joins.peek().is_none() {
            return ranges;
        }
        let homes = Homes::new(planner);
        for times in alike {
            let work = &planner.schedule.work[times.clone()];
            for k in 0..work[0].reads.len() {
                ranges.add(&homes, work.iter().map(|work| homes.of(work.reads[k])).collect());
            }
            for k in 0..work[0].results.len() {
                ranges.add(&homes, work.iter().map(|work| homes.of(work.results[k])).collect());
            }
        }
        joins.for_each(|node| ranges.join(&homes, node));
        ranges.leave_out(&homes);
        ranges
    }

    /// Makes a range of what is joined, and of the whole, if all of it may lie in one and nothing does already.
    fn join<T: Float>(&mut self, homes: &Homes<'_, '_, T>, node: &Node<T>) {
        let (graph, whole) = (homes.planner.graph, node.results[0]);
        if node.args.len() > MOST_JOINED {
            return;
        }
        let parts: Column = node.args.iter().map(|&part| homes.of(part)).chain([whole]).collect();
        let may_lie = |(k, value): (usize, &u32)| {
            let is_new = !parts[..k].contains(value) && !self.of.contains_key(value);
            is_new && graph.numel(*value) > 0 && graph.is_computed(*value) && homes.may_move(*value)
        };
        let len = graph.numel(whole);
        if len >= graph.own_below || homes.of(whole) != whole || !parts.iter().enumerate().all(may_lie) {
            return;
        }
        let mut start = 0;
        for &part in &parts[..node.args.len()] {
            self.of.insert(part, (self.list.len(), start));
            start += graph.numel(part) as u32;
        }
        self.of.insert(whole, (self.list.len(), 0));
        let pinned = parts.iter().any(|&part| homes.planner.pinned[part as usize]);
        self.packed.extend(parts.iter().copied());
        self.list.push(Range { len, pinned, buffer: None, last: None, needed: parts });
    }

    /// Whether a value is a whole whose parts lie in their places of it.
    fn is_join(&self, value: u32) -> bool {
        let range = self.of.get(&value).map(|&(range, _)| &self.list[range]);
        range.is_some_and(|range| self.packed.contains(&value) && range.needed.last() == Some(&value))
    }

    /// What lies in its place of a whole, without room behind it.
    pub(super) fn packed(self) -> IdSet {
        self.packed
    }

    /// Makes a range of values, if all may lie in one and none does already.
    fn add<T: Float>(&mut self, homes: &Homes<'_, '_, T>, values: Column) {
        let graph = homes.planner.graph;
        let is_new = |(k, value): (usize, &u32)| {
            !values[..k].contains(value) && !self.of.contains_key(value) && homes.may_move(*value)
        };
        let padded = |value: u32| graph.numel(value).next_multiple_of(QUAD);
        let len = values.iter().map(|&value| padded(value)).sum::<usize>().next_multiple_of(LANES);
        let is_sum = graph.numel(values[0]) == 1;
        if is_sum || len >= graph.own_below || !values.iter().enumerate().all(is_new) {
            return;
        }
        let mut start = 0;
        for &value in &values {
            self.of.insert(value, (self.list.len(), start));
            start += padded(value) as u32;
        }
        let pinned = values.iter().any(|&value| homes.planner.pinned[value as usize]);
        self.list.push(Range { len, pinned, buffer: None, last: values.last().copied(), needed: values });
    }

    /// Leaves out the ranges of which a step would read some and write others: such a step takes away the whole buffer that it
    /// writes. Steps that go by pointers do not.
    fn leave_out<T: Float>(&mut self, homes: &Homes<'_, '_, T>) {
        let Planner { graph, schedule, .. } = homes.planner;
        let mut runs = schedule.runs.iter().peekable();
        let mut bad: Vec<usize> = Vec::new();
        for (time, work) in schedule.work.iter().enumerate() {
            while runs.next_if(|run| run.end <= time).is_some() {}
            let by_pointers = matches!(graph.nodes[work.members[0] as usize].operation, Operation::HiddenLayer(_));
            if by_pointers || self.is_join(work.results[0]) || runs.peek().is_some_and(|run| run.contains(&time)) {
                continue;
            }
            let range = |&value: &u32| self.of.get(&homes.of(value)).map(|part| part.0);
            let written: SmallVec<[usize; 2]> = work.results.iter().filter_map(range).collect();
            let read = work.reads.iter().filter_map(range);
            bad.extend(read.chain(written[1.min(written.len())..].iter().copied()).filter(|k| written.contains(k)));
        }
        self.of.retain(|_, part| !bad.contains(&part.0));
    }

    /// The range of a value, and where it starts there.
    pub(super) fn part(&self, value: u32) -> Option<(usize, u32)> {
        self.of.get(&value).copied()
    }

    pub(super) fn get(&self, range: usize) -> &Range {
        &self.list[range]
    }

    /// Gives a range its buffer.
    pub(super) fn place(&mut self, range: usize, buffer: u32) {
        self.list[range].buffer = Some(buffer);
    }

    /// Whether nothing of the buffer of a value is needed any more when this value is not.
    pub(super) fn is_done_with(&mut self, value: u32) -> bool {
        let Some(&(range, _)) = self.of.get(&value) else { return true };
        let Range { pinned, needed, .. } = &mut self.list[range];
        needed.retain(|other| *other != value);
        needed.is_empty() && !*pinned
    }
}

/// A node that joins its operands one behind the other.
fn joined<T: Float>(graph: &Graph<T>, node: u32) -> Option<&Node<T>> {
    let node = &graph.nodes[node as usize];
    let Some(Kind::Concat(concat)) = node.kind() else { return None };
    concat.joins_wholes(graph.shape(node.results[0])).then_some(node)
}

/// Which value each lies in the place of.
struct Homes<'p, 'a, T: Float> {
    planner: &'p Planner<'a, T>,
    /// The next value of each part of the state.
    next: IdMap<u32>,
    /// When each value is made.
    made: Vec<usize>,
}

impl<'p, 'a, T: Float> Homes<'p, 'a, T> {
    fn new(planner: &'p Planner<'a, T>) -> Self {
        let mut made = vec![usize::MAX; planner.place.len()];
        debug_assert!(planner.place.iter().all(|&spot| spot == NOWHERE), "nothing has its place yet");
        for (time, work) in planner.schedule.work.iter().enumerate() {
            work.results.iter().for_each(|&result| made[result as usize] = time);
        }
        Self {
            planner,
            next: planner.graph.state.iter().copied().zip(planner.graph.next.iter().copied()).collect(),
            made,
        }
    }

    /// The state that a value is written over, or what it is another shape of, or the value itself.
    fn of(&self, value: u32) -> u32 {
        let value = self.planner.same_as[value as usize];
        match self.made[value as usize] {
            usize::MAX => value,
            time => self.planner.in_place(time, value).unwrap_or(value),
        }
    }

    /// Whether a value may lie in a range: nobody puts another buffer in the place of its own.
    fn may_move(&self, value: u32) -> bool {
        let graph = self.planner.graph;
        match graph.values[value as usize].source {
            Source::State => self.next.get(&value).is_none_or(|&next| next == value || self.of(next) == value),
            Source::Computed => {
                let is_next = self.planner.state_of.contains_key(&value);
                !is_next && (!graph.exact || !self.planner.pinned[value as usize])
            }
            Source::Input | Source::Constant(_) => false,
        }
    }
}
