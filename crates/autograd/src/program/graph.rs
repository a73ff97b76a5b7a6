//! What a program computes, apart from when and where: nodes that read earlier nodes.

use super::error::ProgramErrorKind;
use super::fuse::Fused;
use super::inputs::Slot;
use super::nets::Net;
use super::passes::Passes;
use crate::float::Float;
use crate::ops::table::Kind;
use crate::tape::Tape;
use crate::tape::recording::Condition;
use crate::tape::var::Var;
use crate::tensor::error::Error;
use crate::tensor::shape::Shape;
use smallvec::SmallVec;

/// A node of the graph.
#[derive(Clone)]
pub(super) struct GraphNode<T: Float> {
    pub(super) source: Source<T>,
    pub(super) args: SmallVec<[u32; 3]>,
    pub(super) shape: Shape,
    /// Recorded to be computed anew, so it is not merged with its equal.
    pub(super) keep_apart: bool,
}

/// Where a node's value comes from.
#[derive(Clone)]
pub(super) enum Source<T: Float> {
    /// Given to each run.
    Input,
    /// Kept between runs.
    State,
    /// The same for every run: the value of this node of the tape.
    Constant(u32),
    /// Computed.
    Op(Kind<T>),
    /// Computed together with what it follows.
    Fused(Fused),
    /// A step of a net of one hidden layer, of `x`, `W1`, `b1`, `W2`, `b2`, labels, the cotangent of the loss, and a rate.
    Net(Net),
    /// A further result of the node that is its operand.
    Beside,
}

impl<T: Float> Source<T> {
    /// Whether a run computes it.
    pub(super) fn is_computed(&self) -> bool {
        match self {
            Self::Input | Self::State | Self::Constant(_) => false,
            Self::Op(_) | Self::Fused(_) | Self::Net(_) | Self::Beside => true,
        }
    }

    /// Whether computing it may end a run.
    pub(super) fn may_fail(&self) -> bool {
        matches!(self, Self::Op(kind) if kind.may_fail())
    }
}

/// The whole of it. Node indices are those of the tape.
pub(super) struct Graph<T: Float> {
    pub(super) nodes: Vec<GraphNode<T>>,
    pub(super) state: Vec<u32>,
    pub(super) next: Vec<u32>,
    pub(super) outputs: Vec<u32>,
    pub(super) guards: Vec<(u32, Condition)>,
    /// Whether every bit must be that of the single operations, also in updates by large products.
    pub(super) exact: bool,
}

impl<T: Float> Graph<T> {
    /// The graph of what was recorded.
    pub(super) fn new(
        tape: &Tape<T>,
        inputs: &[Slot],
        state: &[u32],
        next: &[Var<'_, T>],
        outputs: &[Var<'_, T>],
    ) -> Result<Self, ProgramErrorKind> {
        let nodes: Vec<GraphNode<T>> = tape
            .nodes
            .iter()
            .enumerate()
            .map(|(i, node)| {
                let i = i as u32;
                let source = if inputs.iter().any(|slot| slot.node == i) {
                    Source::Input
                } else if state.contains(&i) {
                    Source::State
                } else if node.kind.op().is_some() {
                    Source::Op(node.kind.clone())
                } else {
                    Source::Constant(i)
                };
                let keep_apart = node.origin.again();
                GraphNode { source, args: SmallVec::from_slice(&node.args), shape: node.shape.clone(), keep_apart }
            })
            .collect();
        let recording = tape.recording();
        let graph = Self {
            nodes,
            state: state.to_vec(),
            next: next.iter().map(Var::index).collect(),
            outputs: outputs.iter().map(Var::index).collect(),
            guards: recording.guards.clone(),
            exact: false,
        };
        let dynamic = graph.dynamic();
        match recording.reads.iter().find(|&&(index, _)| dynamic[index as usize]) {
            Some(&(index, location)) => Err(ProgramErrorKind::Read { op: tape.nodes[index].kind.name(), location }),
            None => Ok(graph),
        }
    }

    /// What someone outside asks for.
    pub(super) fn roots(&self) -> impl Iterator<Item = u32> + '_ {
        let guards = self.guards.iter().map(|guard| guard.0);
        self.next.iter().chain(&self.outputs).copied().chain(guards)
    }

    /// Whether each node depends on an input or on the state; asked before nets are fused, while operands stand before
    /// their readers.
    pub(super) fn dynamic(&self) -> Vec<bool> {
        let mut dynamic = vec![false; self.nodes.len()];
        for (i, node) in self.nodes.iter().enumerate() {
            dynamic[i] = match node.source {
                Source::Input | Source::State => true,
                Source::Constant(_) => false,
                Source::Op(_) | Source::Fused(_) | Source::Net(_) | Source::Beside => {
                    node.args.iter().any(|&a| dynamic[a as usize])
                }
            };
        }
        dynamic
    }

    /// Runs the passes in order.
    ///
    /// # Errors
    /// Where there is no memory for a constant.
    pub(super) fn optimise(mut self, passes: Passes, tape: &Tape<T>) -> Result<Self, Error> {
        if passes.chains {
            self.see_through_broadcasts();
        }
        if passes.constants {
            self.fold_constants(tape)?;
        }
        if passes.common {
            self.merge_common();
        }
        if passes.fusion {
            self.fuse();
        }
        // What is between the operations of a net is dropped.
        if passes.fusion && passes.nets && passes.dead {
            self.fuse_nets();
        }
        Ok(self)
    }
}
