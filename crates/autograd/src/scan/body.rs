//! What a loop does in each step, as a list of nodes of its own.

mod at_once;
mod earlier;
mod later;

pub(crate) use earlier::Shortened;

use crate::float::{Engine, Float};
use crate::ops::table::Kind;
use crate::tape::nodes::Args;
use crate::tape::var::Var;
use crate::tape::{Restore, Tape};
use crate::tensor::memory::OutOfMemory;
use crate::tensor::shape::Shape;
use smallvec::SmallVec;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::panic::Location;
use std::sync::{Mutex, PoisonError};

/// One operation of a body, on values that are numbered: the ports first, then the nodes.
#[derive(Clone)]
struct Node<T: Float> {
    kind: Kind<T>,
    args: Args,
    shape: Shape,
    /// How many calls of `no_grad` within the body it was recorded in.
    depth: u32,
    /// Whether it belongs to a checkpoint, and is computed anew where a reverse sweep reads it.
    again: bool,
    /// The line that recorded it.
    location: &'static Location<'static>,
}

/// The values that a body begins with, in this order: what is carried from step to step, what each step has its own slice of,
/// and what is the same in all steps.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Ports {
    pub(crate) carries: Vec<Shape>,
    pub(crate) slices: Vec<Shape>,
    pub(crate) constants: Vec<Shape>,
}

impl Ports {
    pub(crate) fn count(&self) -> usize {
        self.carries.len() + self.slices.len() + self.constants.len()
    }

    fn shapes(&self) -> impl Iterator<Item = &Shape> {
        self.carries.iter().chain(&self.slices).chain(&self.constants)
    }
}

/// What comes out of a step, by the numbers of the values: the next carries, what is added up over the steps, and what is put
/// beside that of the other steps.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Results {
    pub(crate) next: Vec<u32>,
    pub(crate) sums: Vec<u32>,
    pub(crate) stacked: Vec<u32>,
}

impl Results {
    pub(crate) fn all(&self) -> impl Iterator<Item = u32> + '_ {
        self.next.iter().chain(&self.sums).chain(&self.stacked).copied()
    }

    fn map(&self, f: impl Fn(u32) -> u32) -> Self {
        let list = |values: &Vec<u32>| values.iter().map(|&value| f(value)).collect();
        Self { next: list(&self.next), sums: list(&self.sums), stacked: list(&self.stacked) }
    }
}

/// A step of a loop.
pub(crate) struct Body<T: Float> {
    pub(crate) ports: Ports,
    nodes: Vec<Node<T>>,
    pub(crate) results: Results,
    /// What runs it, as many as have run at once.
    ready: Mutex<Vec<<T as Engine>::Running>>,
}

impl<T: Float> fmt::Debug for Body<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:?}", self.ports)?;
        for (k, node) in (self.ports.count()..).zip(&self.nodes) {
            writeln!(f, "#{k} {} {:?} {}", node.kind.name(), &node.args[..], node.shape)?;
        }
        writeln!(f, "{:?}", self.results)
    }
}

impl<T: Float> PartialEq for Body<T> {
    /// Whether two do the same for certain.
    fn eq(&self, other: &Self) -> bool {
        self.results == other.results && self.computes_as(other)
    }
}

/// Where a body was recorded, and which nodes there are its ports.
pub(crate) struct Recorded<'a, 't, T: Float> {
    pub(crate) tape: &'t Tape<T>,
    /// The first node of it; all before is the same in each step.
    pub(crate) start: u32,
    /// How many calls of `no_grad` it was recorded within.
    pub(crate) depth: u32,
    pub(crate) carries: &'a [u32],
    /// Slices, whatever made these nodes.
    pub(crate) slices: &'a [u32],
}

/// A body, and what of the tape goes into it.
pub(crate) struct Closed<T: Float> {
    pub(crate) body: Body<T>,
    /// Which of the slices it reads.
    pub(crate) slices: Vec<usize>,
    /// The nodes that are the same in each step.
    pub(crate) constants: Vec<u32>,
}

impl<T: Float> Recorded<'_, '_, T> {
    /// The nodes that are not the same in each step, by their places behind the start.
    pub(crate) fn varying(&self) -> Vec<bool> {
        let mut varies = vec![false; self.tape.len() - self.start as usize];
        for &port in self.carries.iter().chain(self.slices) {
            varies[(port - self.start) as usize] = true;
        }
        for index in self.start..self.tape.len() as u32 {
            let reads = |&a: &u32| a.checked_sub(self.start).is_some_and(|i| varies[i as usize]);
            let varying = self.tape.nodes[index].args.iter().any(reads);
            varies[(index - self.start) as usize] |= varying;
        }
        varies
    }

    /// What a node stands for: a checkpoint for the result of its part.
    fn resolved(&self, mut index: u32) -> u32 {
        while let (Kind::Checkpoint(_), true) = (&self.tape.nodes[index].kind, index >= self.start) {
            index = self.tape.nodes[index].args[0];
        }
        index
    }

    /// The body with these results, of what they need.
    pub(crate) fn close(&self, results: &Results) -> Closed<T> {
        let (tape, start) = (self.tape, self.start);
        let results = results.map(|value| self.resolved(value));
        let again: Vec<Range<u32>> = (start..tape.len() as u32)
            .filter_map(
                |index| {
                    if let Kind::Checkpoint(part) = &tape.nodes[index].kind { Some(part.part()) } else { None }
                },
            )
            .collect();
        let varies = self.varying();
        let varies = |index: u32| index.checked_sub(start).is_some_and(|i| varies[i as usize]);
        let is_port = |index: u32| self.carries.contains(&index) || self.slices.contains(&index);
        let mut needed = vec![false; tape.len()];
        results.all().for_each(|root| needed[root as usize] = true);
        for index in (start..tape.len() as u32).rev() {
            if needed[index as usize] && varies(index) && !is_port(index) {
                tape.nodes[index].args.iter().for_each(|&a| needed[self.resolved(a) as usize] = true);
            }
        }
        let used: Vec<usize> = (0..self.slices.len()).filter(|&k| needed[self.slices[k] as usize]).collect();
        let needed: Vec<u32> = (0..tape.len() as u32).filter(|&index| needed[index as usize]).collect();
        let constants: Vec<u32> = needed.iter().copied().filter(|&index| !varies(index)).collect();
        let inner: Vec<u32> = needed.into_iter().filter(|&index| varies(index) && !is_port(index)).collect();
        let slices = used.iter().map(|&k| self.slices[k]);
        let values = self.carries.iter().copied().chain(slices).chain(constants.iter().copied());
        let numbers: BTreeMap<u32, u32> = values.chain(inner.iter().copied()).zip(0..).collect();
        let number = |value: u32| numbers[&value];
        let shapes = |nodes: &[u32]| nodes.iter().map(|&index| tape.nodes[index].shape.clone()).collect();
        let node = |&index: &u32| {
            let node = &tape.nodes[index];
            let args: SmallVec<[u32; 4]> = node.args.iter().map(|&a| number(self.resolved(a))).collect();
            let again = again.iter().any(|part| part.contains(&index));
            let depth = node.origin.depth().saturating_sub(self.depth);
            let location = node.origin.location;
            Node {
                kind: node.kind.clone(),
                args: Args::from(&args[..]),
                shape: node.shape.clone(),
                depth,
                again,
                location,
            }
        };
        let body = Body {
            ports: Ports {
                carries: shapes(self.carries),
                slices: used.iter().map(|&k| tape.nodes[self.slices[k]].shape.clone()).collect(),
                constants: shapes(&constants),
            },
            nodes: inner.iter().map(node).collect(),
            results: results.map(number),
            ready: Mutex::default(),
        };
        Closed { body, slices: used, constants }
    }
}

impl<T: Float> Body<T> {
    /// Whether another one computes the same values for certain.
    fn computes_as(&self, other: &Self) -> bool {
        let same = |(a, b): (&Node<T>, &Node<T>)| {
            let flags = (a.depth, a.again) == (b.depth, b.again);
            a.kind.same(&b.kind) && a.args[..] == b.args[..] && a.shape == b.shape && flags
        };
        let nodes = || self.nodes.iter().zip(&other.nodes).all(same);
        self.ports == other.ports && self.nodes.len() == other.nodes.len() && nodes()
    }

    /// Whether another one is this, but that each step may leave more.
    pub(crate) fn is_part_of(&self, other: &Self) -> bool {
        let (own, others) = (&self.results, &other.results);
        let results = own.next == others.next && own.sums == others.sums && others.stacked.starts_with(&own.stacked);
        results && self.computes_as(other)
    }

    /// The shape of a value.
    pub(crate) fn shape(&self, value: u32) -> &Shape {
        let nodes = || &self.nodes[value as usize - self.ports.count()].shape;
        self.ports.shapes().nth(value as usize).unwrap_or_else(nodes)
    }

    /// Whether a value is one of the ports.
    pub(crate) fn is_port(&self, value: u32) -> bool {
        (value as usize) < self.ports.count()
    }

    /// The value that a value only shows in another way, and so on: a reading of a whole step's worth, not a result of
    /// arithmetic.
    pub(crate) fn seen_through(&self, mut value: u32) -> u32 {
        while let Some(node) = (value as usize).checked_sub(self.ports.count()).map(|k| &self.nodes[k])
            && matches!(node.kind, Kind::Read(_) | Kind::Reshape(_) | Kind::Transpose(_))
        {
            value = node.args[0];
        }
        value
    }

    /// What a value is computed from where that happens anew in each sweep.
    pub(crate) fn computed_again(&self, value: u32) -> Option<&[u32]> {
        let node = &self.nodes[(value as usize).checked_sub(self.ports.count())?];
        node.again.then_some(&node.args[..])
    }

    /// Whether another body that is recorded later can be the same for certain.
    pub(crate) fn can_repeat(&self) -> bool {
        self.nodes.iter().all(|node| node.kind.can_repeat())
    }

    /// Records the nodes on a tape, on these ports, and returns the variables of all values.
    pub(crate) fn replay<'t>(&self, tape: &'t Tape<T>, ports: &[Var<'t, T>]) -> Vec<Var<'t, T>> {
        let mut values = ports.to_vec();
        let depth = tape.depth.get();
        for node in &self.nodes {
            let _depth = Restore::set(&tape.depth, depth + node.depth);
            let _line = tape.at_line(node.location);
            let args: SmallVec<[Var<'t, T>; 4]> = node.args.iter().map(|&a| values[a as usize]).collect();
            values.push(tape.record_slice(node.kind.clone(), &args));
        }
        values
    }

    /// Which values these are, or are computed from, step by step through those that a function allows.
    fn needed(&self, roots: impl Iterator<Item = u32>, may_be: impl Fn(u32) -> bool) -> Vec<bool> {
        let ports = self.ports.count();
        let mut needed = vec![false; ports + self.nodes.len()];
        roots.filter(|&root| may_be(root)).for_each(|root| needed[root as usize] = true);
        for (k, node) in self.nodes.iter().enumerate().rev() {
            if needed[ports + k] {
                node.args.iter().filter(|&&a| may_be(a)).for_each(|&a| needed[a as usize] = true);
            }
        }
        needed
    }

    /// This with a part of what is added up and put beside each other, and which slices and constants that reads.
    pub(crate) fn with_results(&self, results: &Results) -> (Self, Vec<usize>, Vec<usize>) {
        self.with_slices(results, &BTreeSet::new())
    }

    /// The same with these values as slices, behind those that there are, and without what is needed for them alone.
    fn with_slices(&self, results: &Results, given: &BTreeSet<u32>) -> (Self, Vec<usize>, Vec<usize>) {
        let (count, carries, slices) = (self.ports.count(), self.ports.carries.len(), self.ports.slices.len());
        let mut needed = self.needed(results.all(), |value| !given.contains(&value));
        needed[..carries].fill(true);
        let kept = |values: Range<usize>| values.filter(|&value| needed[value]).map(|value| value as u32);
        let ports = kept(0..carries + slices).chain(given.iter().copied());
        let mut numbers = vec![u32::MAX; needed.len()];
        for (value, number) in ports.chain(kept(carries + slices..needed.len())).zip(0..) {
            numbers[value as usize] = number;
        }
        let number = |value: u32| numbers[value as usize];
        let used = |from: usize, len: usize| (0..len).filter(|k| needed[from + k]).collect::<Vec<usize>>();
        let (used_slices, used_constants) = (used(carries, slices), used(carries + slices, self.ports.constants.len()));
        let renumbered = |node: &Node<T>| {
            let args: SmallVec<[u32; 4]> = node.args.iter().map(|&a| number(a)).collect();
            Node { args: Args::from(&args[..]), ..node.clone() }
        };
        let nodes = self.nodes.iter().enumerate().filter(|&(k, _)| needed[count + k]);
        let of_slices = used_slices.iter().map(|&k| &self.ports.slices[k]);
        let of_given = given.iter().map(|&value| self.shape(value));
        let body = Self {
            ports: Ports {
                carries: self.ports.carries.clone(),
                slices: of_slices.chain(of_given).cloned().collect(),
                constants: used_constants.iter().map(|&k| self.ports.constants[k].clone()).collect(),
            },
            nodes: nodes.map(|(_, node)| renumbered(node)).collect(),
            results: results.map(number),
            ready: Mutex::default(),
        };
        (body, used_slices, used_constants)
    }

    /// Lets a function use what runs this, and keeps that for the next time.
    pub(crate) fn run(
        &self,
        f: impl FnOnce(&mut <T as Engine>::Running) -> Result<(), OutOfMemory>,
    ) -> Result<(), OutOfMemory> {
        let ready = || self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let free = ready().pop();
        let mut running = match free {
            Some(free) => free,
            None => T::prepare(self)?,
        };
        f(&mut running)?;
        ready().push(running);
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use crate::ops::table::Kind;
    use crate::tape::Tape;

    /// The listings of the bodies of all loops on a tape.
    pub(in crate::scan) fn bodies(tape: &Tape) -> Vec<String> {
        let loops = (0..tape.len() as u32).filter_map(|i| {
            let Kind::Loop(scan) = &tape.nodes[i].kind else { return None };
            Some(format!("{:?}", scan.body))
        });
        loops.collect()
    }
}
