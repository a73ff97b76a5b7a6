//! What a program computes, apart from when and where: values, and nodes that read some and make others.

use super::error::ProgramErrorKind;
use super::inputs::Slot;
use super::operation::Operation;
use crate::float::Float;
use crate::ops::table::Kind;
use crate::tape::Tape;
use crate::tape::recording::Condition;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;
use smallvec::{SmallVec, smallvec};
use std::fmt;

/// Marks a value that no node makes.
pub(super) const NOBODY: u32 = u32::MAX;

/// A value: a node of the tape, by its index there, or behind them one that a pass has added.
#[derive(Clone)]
pub(super) struct Value {
    pub(super) shape: Shape,
    pub(super) source: Source,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// Given to each run.
    Input,
    /// Kept between runs.
    State,
    /// The same for every run: the value of this node of the tape.
    Constant(u32),
    /// A node makes it.
    Computed,
}

/// A node reads values and makes others.
#[derive(Clone)]
pub(super) struct Node<T: Float> {
    pub(super) operation: Operation<T>,
    pub(super) args: SmallVec<[u32; 3]>,
    pub(super) results: SmallVec<[u32; 1]>,
    /// Recorded to be computed anew, so it is not merged with its equal.
    pub(super) keep_apart: bool,
}

impl<T: Float> Node<T> {
    /// The operation of the tape that it is, if it is one.
    pub(super) fn kind(&self) -> Option<&Kind<T>> {
        if let Operation::Single(kind) = &self.operation { Some(kind) } else { None }
    }
}

/// The whole of it.
pub(super) struct Graph<T: Float> {
    pub(super) values: Vec<Value>,
    /// In an order of computation.
    pub(super) nodes: Vec<Node<T>>,
    pub(super) state: Vec<u32>,
    pub(super) next: Vec<u32>,
    pub(super) outputs: Vec<u32>,
    pub(super) guards: Vec<(u32, Condition)>,
    /// Whether every bit must be that of the single operations, also in updates by large products.
    pub(super) exact: bool,
    /// Inputs and computed values of at least so many elements have no memory of the program's: whoever runs it lends them some.
    pub(super) own_below: usize,
    /// The node of the tape that each of the values stands for which were added.
    added: Vec<u32>,
}

/// Who makes and who reads each value.
pub(super) struct Links {
    /// The node that makes a value, or [`NOBODY`].
    pub(super) maker: Vec<u32>,
    /// How often nodes read it; what is asked for outside counts as read twice.
    pub(super) reads: Vec<u32>,
}

impl<T: Float> Graph<T> {
    /// The graph of what was recorded.
    ///
    /// # Errors
    /// Where a value was read that depends on an input or on the state.
    pub(super) fn new(
        tape: &Tape<T>,
        inputs: &[Slot],
        state: &[u32],
        next: &[Var<'_, T>],
        outputs: &[Var<'_, T>],
    ) -> Result<Self, ProgramErrorKind> {
        let mut graph = Self {
            values: Vec::with_capacity(tape.len()),
            nodes: Vec::with_capacity(tape.len()),
            state: state.to_vec(),
            next: next.iter().map(Var::index).collect(),
            outputs: outputs.iter().map(Var::index).collect(),
            guards: tape.recording().guards.clone(),
            exact: false,
            own_below: usize::MAX,
            added: Vec::new(),
        };
        for (i, node) in (0..).zip(tape.nodes.iter()) {
            let source = if node.kind.op().is_some() { Source::Computed } else { Source::Constant(i) };
            graph.values.push(Value { shape: node.shape.clone(), source });
        }
        for slot in inputs {
            graph.values[slot.node as usize].source = Source::Input;
        }
        for &i in state {
            graph.values[i as usize].source = Source::State;
        }
        // What belongs to the body of a loop is in that loop.
        let mut in_body = vec![false; tape.len()];
        for (i, node) in (0..).zip(tape.nodes.iter()) {
            in_body[i as usize] = matches!(node.kind, Kind::Slot) || node.args.iter().any(|&a| in_body[a as usize]);
            // The result of an operation may be an input, too.
            if graph.values[i as usize].source == Source::Computed && !in_body[i as usize] {
                let (operation, args) = (Operation::Single(node.kind.clone()), SmallVec::from_slice(&node.args));
                graph.nodes.push(Node { operation, args, results: smallvec![i], keep_apart: node.origin.again() });
            }
        }
        let reads = &tape.recording().reads;
        if !reads.is_empty() {
            let dynamic = graph.dynamic();
            if let Some(&(index, location)) = reads.iter().find(|&&(index, _)| dynamic[index as usize]) {
                return Err(ProgramErrorKind::Read { op: tape.nodes[index].kind.name(), location });
            }
        }
        Ok(graph)
    }

    pub(super) fn shape(&self, value: u32) -> &Shape {
        &self.values[value as usize].shape
    }

    pub(super) fn numel(&self, value: u32) -> usize {
        self.shape(value).numel()
    }

    pub(super) fn is_computed(&self, value: u32) -> bool {
        self.values[value as usize].source == Source::Computed
    }

    /// The node of the tape that a value is, or stands for.
    pub(super) fn on_tape(&self, value: u32) -> u32 {
        let recorded = self.values.len() - self.added.len();
        (value as usize).checked_sub(recorded).map_or(value, |added| self.added[added])
    }

    /// A new value of the shape of another, for which it stands where errors are told.
    pub(super) fn value_like(&mut self, other: u32) -> u32 {
        self.value_of(self.shape(other).clone(), other)
    }

    /// A new value of a shape, which stands for another where errors are told.
    pub(super) fn value_of(&mut self, shape: Shape, other: u32) -> u32 {
        let value = self.values.len() as u32;
        self.added.push(self.on_tape(other));
        self.values.push(Value { shape, source: Source::Computed });
        value
    }

    /// Puts an operation with one result last, and gives that.
    pub(super) fn push(&mut self, kind: Kind<T>, args: &[u32], result: u32) -> u32 {
        let (operation, args) = (Operation::Single(kind), args.iter().copied().collect());
        self.nodes.push(Node { operation, args, results: smallvec![result], keep_apart: false });
        result
    }

    /// A new value that is the copy of another, made by the last node.
    pub(super) fn copy(&mut self, of: u32) -> u32 {
        let result = self.value_like(of);
        let (args, results) = (smallvec![of], smallvec![result]);
        self.nodes.push(Node { operation: Operation::Copy, args, results, keep_apart: true });
        result
    }

    /// What someone outside asks for.
    pub(super) fn roots(&self) -> impl Iterator<Item = u32> + '_ {
        let guards = self.guards.iter().map(|guard| guard.0);
        self.next.iter().chain(&self.outputs).copied().chain(guards)
    }

    /// Whether each value depends on an input or on the state.
    pub(super) fn dynamic(&self) -> Vec<bool> {
        let given = |value: &Value| matches!(value.source, Source::Input | Source::State);
        let mut dynamic: Vec<bool> = self.values.iter().map(given).collect();
        for node in &self.nodes {
            let depends = node.args.iter().any(|&a| dynamic[a as usize]);
            node.results.iter().for_each(|&result| dynamic[result as usize] = depends);
        }
        dynamic
    }

    /// Which values are asked for, or needed for others that are.
    pub(super) fn needed_for(&self, roots: impl Iterator<Item = u32>) -> Vec<bool> {
        let mut needed = vec![false; self.values.len()];
        roots.for_each(|root| needed[root as usize] = true);
        for node in self.nodes.iter().rev() {
            if node.results.iter().any(|&result| needed[result as usize]) {
                node.args.iter().for_each(|&a| needed[a as usize] = true);
            }
        }
        needed
    }

    pub(super) fn links(&self) -> Links {
        let (mut maker, mut reads) = (vec![NOBODY; self.values.len()], vec![0; self.values.len()]);
        for (i, node) in (0..).zip(&self.nodes) {
            node.results.iter().for_each(|&result| maker[result as usize] = i);
            node.args.iter().for_each(|&a| reads[a as usize] += 1);
        }
        self.roots().for_each(|root| reads[root as usize] += 2);
        Links { maker, reads }
    }

    /// Keeps the marks of nodes that these readers read, in the shape that they have, and nobody else.
    pub(super) fn keep_read_by(&self, links: &Links, marks: &mut [bool], is_reader: impl Fn(u32) -> bool) {
        let mut reads = vec![0; self.nodes.len()];
        for (i, node) in (0..).zip(&self.nodes) {
            let shape = self.shape(node.results[0]);
            let makers =
                node.args.iter().filter(|&&a| self.shape(a) == shape).map(|&a| links.maker[a as usize] as usize);
            let mut marked = makers.filter(|&maker| marks.get(maker) == Some(&true)).peekable();
            if marked.peek().is_some() && is_reader(i) {
                marked.for_each(|maker| reads[maker] += 1);
            }
        }
        for ((mark, reads), node) in marks.iter_mut().zip(reads).zip(&self.nodes) {
            // What is asked for outside has more readers.
            *mark &= reads > 0 && reads == links.reads[node.results[0] as usize];
        }
    }

    /// Drops nodes, by their marks.
    pub(super) fn drop_nodes(&mut self, dropped: &[bool]) {
        let mut dropped = dropped.iter();
        self.nodes.retain(|_| !dropped.next().is_some_and(|&dropped| dropped));
    }

    /// What is wrong with the graph, if anything is: each value has one source, and stands before what reads it; shapes are
    /// those that the operations give.
    pub(super) fn verify(&self) -> Result<(), String> {
        let mut ready: Vec<bool> = self.values.iter().map(|value| value.source != Source::Computed).collect();
        for node in &self.nodes {
            let what = || format!("{} of {:?}", node.operation.name(), node.results);
            if let Some(a) = node.args.iter().find(|&&a| !ready[a as usize]) {
                return Err(format!("{} reads {a}, which is not there", what()));
            }
            for &result in &node.results {
                if std::mem::replace(&mut ready[result as usize], true) {
                    return Err(format!("{} makes {result}, which is there", what()));
                }
            }
            if let Operation::Single(kind) = &node.operation {
                let shapes: SmallVec<[&Shape; 4]> = node.args.iter().map(|&a| self.shape(a)).collect();
                let shape = kind.op().expect("nodes are operations").shape(&shapes);
                if shape.as_ref().ok() != Some(self.shape(node.results[0])) {
                    return Err(format!("{} has the shape {}, not {shape:?}", what(), self.shape(node.results[0])));
                }
            }
        }
        match self.roots().find(|&root| !ready[root as usize]) {
            Some(root) => Err(format!("{root} is asked for and not there")),
            None => Ok(()),
        }
    }
}

impl<T: Float> fmt::Display for Graph<T> {
    /// A line for each node.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |values: &[u32]| -> String {
            let shown: Vec<String> = values.iter().map(|&v| format!("#{v} {}", self.shape(v))).collect();
            shown.join(", ")
        };
        for node in &self.nodes {
            writeln!(f, "{} = {}({})", list(&node.results), node.operation.name(), list(&node.args))?;
        }
        Ok(())
    }
}
