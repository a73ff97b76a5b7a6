//! Chains of single numbers.

use super::kinds::Kinds;
use super::{Action, Arg, Planned};
use crate::float::Float;
use crate::kernels::numbers::{NO_CELL, NumberOp, Numbers};
use crate::kernels::place::Place;
use crate::program::layout::Layout;

/// The operations of a chain of one element, with their operands where they are, if all of these are elements of something.
pub(in crate::program::lower) fn numbers<T: Float>(
    planned: &Planned<T>,
    mut at: impl FnMut(u32, u32) -> Place,
    cells: Place,
) -> Option<Numbers<T>> {
    let from = |layout: &Layout| match *layout {
        Layout::Full | Layout::Scalar | Layout::Row(_) | Layout::Column(_) => Some(0),
        Layout::From(from) => Some(from),
        Layout::Spread(_) | Layout::Window(_) => None,
    };
    let is_number = planned.len == 1 && planned.sums.is_empty();
    if !is_number || planned.inputs.iter().any(|(_, layout)| from(layout).is_none()) {
        return None;
    }
    let inputs: Vec<Place> =
        planned.inputs.iter().map(|(value, layout)| at(*value, from(layout).unwrap_or(0))).collect();
    let constants = planned.numbers.clone();
    let registers = inputs.len() + constants.len();
    let results = registers + planned.registers;
    let cell = |arg: Arg| {
        let cell = match arg {
            Arg::Input(k) | Arg::Spread(k) => k,
            Arg::Number(k) => inputs.len() + k,
            Arg::Register(r) => registers + r,
            Arg::Result(k) => results + k,
        };
        cell as u32
    };
    let mut kinds = Kinds::default();
    let ops = planned.steps.iter().map(|(action, args, out, second)| {
        let out_cell = |out: Option<Arg>| out.map_or(NO_CELL, cell);
        let out = out_cell(*out);
        if let Action::InTurn(both) = action {
            return NumberOp::InTurn { both: *both, args: [0, 1, 2].map(|k| cell(args[k])), out };
        }
        let args = [0, 1, 2].map(|k| args.get(k).map_or(NO_CELL, |&arg| cell(arg)));
        NumberOp::Op { op: kinds.number(action), args, out, second: out_cell(*second) }
    });
    let ops = ops.collect();
    let count = results + planned.results.len();
    let results = planned.results.iter().zip(results as u32..).map(|(&value, cell)| (cell, at(value, 0))).collect();
    Some(Numbers { inputs, constants, kinds: kinds.list, ops, results, cells, count })
}
