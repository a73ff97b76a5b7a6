//! Bodies of loops, which are recorded once for all steps: their values are none outside.

use super::Tape;
use super::nodes::Node;
use crate::float::Float;
use crate::ops::table::Kind as NodeKind;
use crate::tensor::error::{Error, Kind, Reason};
use std::ops::Range;

impl<T: Float> Tape<T> {
    /// Whether a value is there to be computed: not one that differs from step to step of a loop that is being recorded.
    pub(crate) fn is_known(&self, index: u32) -> bool {
        let needed = self.nodes.needed(&[index], 0);
        !self.nodes.iter().zip(needed).any(|(node, needed)| needed && matches!(node.kind, NodeKind::Slot))
    }

    /// Begins a body of a loop, until what this gives is dropped.
    pub(crate) fn body(&self) -> Open<'_, T> {
        Open { tape: self, start: self.len() as u32 }
    }

    /// Whether values mean something here: not if one depends on what differed from step to step of a body that has ended.
    pub(crate) fn mean_something(&self, indices: impl IntoIterator<Item = u32>) -> Result<(), Error> {
        let Bodies { ended, vary } = &mut *self.bodies.borrow_mut();
        if ended.is_empty() {
            return Ok(());
        }
        for index in indices {
            for node in vary.len()..=index as usize {
                let Node { kind, args, .. } = &self.nodes[node as u32];
                let is_slot = || ended.iter().any(|body| body.contains(&(node as u32)));
                let varies = matches!(kind, NodeKind::Slot) && is_slot() || args.iter().any(|&a| vary[a as usize]);
                vary.push(varies);
            }
            if vary[index as usize] {
                return Err(in_body(&self.nodes[self.slot_of(index, ended)]));
            }
        }
        Ok(())
    }

    /// The first place of a body that a value depends on.
    fn slot_of(&self, index: u32, bodies: &[Range<u32>]) -> u32 {
        let needed = self.nodes.needed(&[index], 0);
        let nodes = (0..).zip(self.nodes.iter().zip(needed)).filter(|(_, (_, needed))| *needed);
        let mut slots = nodes.filter(|(_, (node, _))| matches!(node.kind, NodeKind::Slot)).map(|(slot, _)| slot);
        slots.find(|slot| bodies.iter().any(|body| body.contains(slot))).unwrap_or(index)
    }
}

/// The bodies of a tape's loops that have ended.
#[derive(Default)]
pub(crate) struct Bodies {
    /// Their nodes.
    ended: Vec<Range<u32>>,
    /// Of the first nodes of the tape, as many as were asked for, whether they depend on what differs from step to step.
    vary: Vec<bool>,
}

impl Bodies {
    pub(crate) fn clear(&mut self) {
        self.ended.clear();
        self.vary.clear();
    }
}

/// A body that is being recorded. It ends where this is dropped, also by a panic.
pub(crate) struct Open<'t, T: Float> {
    tape: &'t Tape<T>,
    start: u32,
}

impl<T: Float> Drop for Open<'_, T> {
    fn drop(&mut self) {
        let mut bodies = self.tape.bodies.borrow_mut();
        bodies.ended.push(self.start..self.tape.len() as u32);
        // Derivatives within it asked for some of its nodes before.
        bodies.vary.truncate(self.start as usize);
    }
}

/// What is wrong where a value of a loop's body is asked for.
#[cold]
pub(super) fn in_body<T: Float>(slot: &Node<T>) -> Error {
    let text = "a value of the body is asked for, which differs from step to step: a body is recorded once for all steps, \
                so that it can neither read a value nor branch on one, and what it records means nothing outside";
    Error::new("scan", Reason::new(Kind::Option, text), Vec::new(), slot.origin.location)
}
