//! Nodes of a body for all steps at once.

use super::{Body, Node};
use crate::float::Float;
use crate::ops::table::Kind;
use crate::ops::view::Read;
use crate::scan::op::{of_all, region};
use crate::tape::Tape;
use crate::tape::op::Arity;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;
use smallvec::SmallVec;
use std::collections::BTreeMap;

/// To begin with element-wise work on so many elements takes a step longer than to do it.
const FEW: usize = 64;

/// What a loop was given beside its first carries: what its slices are parts of, each from an element on, and what is the same in
/// all steps.
pub(crate) type Given<'g, 't, T> = (&'g [(Var<'t, T>, usize)], &'g [Var<'t, T>]);

impl<T: Float> Node<T> {
    /// Whether it is better done for all steps at once, if it can be: element-wise work of a few elements.
    pub(super) fn is_for_all(&self) -> bool {
        matches!(self.kind, Kind::Unary(_) | Kind::Binary(_) | Kind::Select(_)) && self.is_small()
    }

    /// Whether it reads a few elements of something.
    pub(super) fn is_part(&self) -> bool {
        matches!(self.kind, Kind::Read(_)) && self.is_small()
    }

    fn is_small(&self) -> bool {
        !self.again && self.depth == 0 && self.shape.numel() <= FEW
    }
}

impl<T: Float> Body<T> {
    /// Records nodes for all steps at once: the numbers of the steps stand along the first axis of all that is not the same in each.
    /// What they read is given, or among the values, where their results come, too.
    pub(super) fn at_once<'t>(
        &self,
        values: &mut BTreeMap<u32, Var<'t, T>>,
        nodes: &[u32],
        (tape, steps): (&'t Tape<T>, usize),
        (sources, constants): Given<'_, 't, T>,
    ) {
        let (ports, carries) = (self.ports.count(), self.ports.carries.len());
        let source = |a: u32| sources.get((a as usize).checked_sub(carries)?).copied();
        let constant = |a: u32| constants.get((a as usize).checked_sub(carries + sources.len())?).copied();
        for &value in nodes {
            let node = &self.nodes[value as usize - ports];
            if let Kind::Read(op) = &node.kind {
                let read = &op.0;
                let of = node.args[0];
                let (from, offset) = source(of).unwrap_or_else(|| (values[&of], 0));
                let from_step_to_step = self.shape(of).numel() as isize;
                let read = Read {
                    name: read.name,
                    shape: of_all(steps, &read.shape),
                    offset: offset + read.offset,
                    strides: std::iter::once(from_step_to_step).chain(read.strides.iter().copied()).collect(),
                };
                values.insert(value, tape.record(Arity(read), [from]));
                continue;
            }
            let mut args: SmallVec<[Var<'t, T>; 4]> = SmallVec::new();
            for &a in &*node.args {
                if let Some(constant) = constant(a) {
                    args.push(constant);
                    continue;
                }
                if let Some((of, offset)) = source(a) {
                    values.entry(a).or_insert_with(|| region(of, offset, of_all(steps, self.shape(a))));
                }
                args.push(with_rank(values[&a], node.shape.rank() + 1));
            }
            values.insert(value, tape.record_slice(node.kind.clone(), &args));
        }
    }
}

/// A variable with axes of one element behind its first one, so that it has as many as another.
fn with_rank<T: Float>(x: Var<'_, T>, rank: usize) -> Var<'_, T> {
    let own = x.sizes();
    if own.rank() >= rank {
        return x;
    }
    let ones = std::iter::repeat_n(1, rank - own.rank());
    x.reshape(own[..1].iter().copied().chain(ones).chain(own[1..].iter().copied()).collect::<Shape>())
}
