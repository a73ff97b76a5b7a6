//! Bodies of loops, which are recorded once for all steps: their values are none outside.

use super::Tape;
use super::nodes::Node;
use crate::float::Float;
use crate::ops::table::Kind as NodeKind;
use crate::tensor::error::{Error, Kind, Reason};

impl<T: Float> Tape<T> {
    /// Whether a value is there to be computed: not one that differs from step to step of a loop that is being recorded.
    pub(crate) fn is_known(&self, index: u32) -> bool {
        let needed = self.nodes.needed(&[index], 0);
        !self.nodes.iter().zip(needed).any(|(node, needed)| needed && matches!(node.kind, NodeKind::Slot))
    }

    /// Whether a value means something here: not if it depends on one that differed from step to step of a loop's body.
    pub(crate) fn means_something(&self, index: u32) -> Result<(), Error> {
        let bodies = self.bodies.borrow();
        if bodies.is_empty() {
            return Ok(());
        }
        let needed = self.nodes.needed(&[index], 0);
        let slots = self
            .nodes
            .iter()
            .zip(needed)
            .zip(0..)
            .filter(|((node, needed), _)| *needed && matches!(node.kind, NodeKind::Slot));
        let mut left = slots.filter(|(_, slot)| bodies.iter().any(|body| body.contains(slot)));
        left.next().map_or(Ok(()), |((slot, _), _)| Err(in_body(slot)))
    }
}

/// What is wrong where a value of a loop's body is asked for.
#[cold]
pub(super) fn in_body<T: Float>(slot: &Node<T>) -> Error {
    let text = "a value of the body is asked for, which differs from step to step: a body is recorded once for all steps, \
                so that it can neither read a value nor branch on one, and what it records means nothing outside";
    Error::new("scan", Reason::new(Kind::Option, text), Vec::new(), slot.origin.location)
}
