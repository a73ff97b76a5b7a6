//! What stands on a tape, as plain data: for pictures and tables of it.

use crate::float::Float;
use crate::ops::index_views::integers_now;
use crate::ops::table::Kind;
use crate::tape::Tape;
use crate::tape::attribute::Attributes;
use crate::tape::finite::holds_integers;
use crate::tape::nodes::{Mode, NONE};
use crate::tape::op::DynOp;
use crate::tape::var::Var;
use crate::tensor::shape::Shape;
use std::panic::Location;

/// A node of a tape, as it was recorded.
#[derive(Clone, Debug)]
pub struct Recorded<'t, T: Float = f64> {
    /// Its place on the tape.
    pub index: u32,
    /// The name of its operation; `leaf` for a value from outside.
    pub op: &'static str,
    /// What the operation was told beside its operands.
    pub attributes: Attributes,
    /// Whether the operation is a user's own, whatever its name.
    pub custom: bool,
    /// The places of its operands, all of them before its own.
    pub operands: &'t [u32],
    /// The sizes of its dimensions.
    pub shape: Shape,
    /// The user's line that recorded it, or that recorded the operation whose derivative it belongs to.
    pub location: &'static Location<'static>,
    /// Whether it belongs to the user's expression, a cotangent or a tangent.
    pub pass: Mode,
    /// The place of the operation whose derivative rule recorded it, where one did.
    pub rule_of: Option<u32>,
    /// The variable, to ask for its value or for derivatives with respect to it; `None` for integers, such as labels, and in the
    /// body of a loop, where each step has values of its own.
    pub var: Option<Var<'t, T>>,
    tape: &'t Tape<T>,
}

impl<T: Float> Recorded<'_, T> {
    /// The integers of a leaf of them; `None` for all else.
    ///
    /// ```
    /// use autograd::Tape;
    /// let tape = Tape::<f64>::new();
    /// let _ = tape.indices([2], &[5, -1]);
    /// assert_eq!(tape.recorded().last().unwrap().integers(), Some(vec![5, -1]));
    /// ```
    pub fn integers(&self) -> Option<Vec<i64>> {
        matches!(self.tape.nodes[self.index].kind, Kind::Index).then(|| integers_now(self.tape, self.index)).flatten()
    }
}

impl<T: Float> Tape<T> {
    /// All nodes in the order in which they were recorded.
    ///
    /// ```
    /// use autograd::{Tape, Tensor, grad};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([3.0]));
    /// let y = (x * x).sum();
    /// let nodes: Vec<_> = tape.recorded().collect();
    /// let names: Vec<_> = nodes.iter().map(|node| (node.op, node.operands)).collect();
    /// assert_eq!(names, [("leaf", &[][..]), ("mul", &[0, 0]), ("sum", &[1])]);
    ///
    /// let vars: Vec<_> = nodes.iter().filter_map(|node| node.var).collect();
    /// let cotangents: Vec<f64> = grad(y, &vars).iter().map(|of| of.item()).collect();
    /// assert_eq!(cotangents, [6.0, 1.0, 1.0]);
    /// ```
    pub fn recorded(&self) -> impl Iterator<Item = Recorded<'_, T>> {
        let mut in_body = Vec::with_capacity(self.len());
        self.nodes.iter().enumerate().map(move |(index, node)| {
            let (index, rule_of) = (index as u32, node.origin.rule_of);
            let varies = matches!(node.kind, Kind::Slot) || node.args.iter().any(|&a| in_body[a as usize]);
            in_body.push(varies);
            Recorded {
                index,
                op: node.kind.name(),
                attributes: node.kind.op().map(DynOp::attributes).unwrap_or_default(),
                custom: matches!(node.kind, Kind::Custom(_)),
                operands: &node.args,
                shape: node.shape.clone(),
                location: node.origin.location,
                pass: node.origin.pass(),
                rule_of: (rule_of != NONE).then_some(rule_of),
                tape: self,
                var: (!varies && !holds_integers(&self.nodes, index)).then(|| Var::new(self, index)),
            }
        })
    }
}
