//! Chains of a few numbers.

use super::kinds::Kinds;
use super::{Action, Arg, Planned};
use crate::float::Float;
use crate::kernels::numbers::{NO_CELL, NumberOp, Numbers, are_few};
use crate::kernels::place::Place;
use crate::program::layout::Layout;

/// The operations of a chain of a few elements, with their operands where they are, if all of these are single numbers, or have an
/// element for each.
pub(in crate::program::lower) fn numbers<T: Float>(
    planned: &Planned<T>,
    mut at: impl FnMut(u32, u32) -> Place,
    cells: Place,
) -> Option<Numbers<T>> {
    let len = planned.len;
    if !are_few::<T>(len) {
        return None;
    }
    let from = |layout: &Layout| match *layout {
        Layout::Scalar => Some((0, true)),
        Layout::Full => Some((0, len == 1)),
        Layout::From(from) => Some((from, len == 1)),
        Layout::Row(_) | Layout::Column(_) if len == 1 => Some((0, true)),
        Layout::Row(_) | Layout::Column(_) | Layout::Spread(_) | Layout::Window(_) => None,
    };
    let starts: Option<Vec<(u32, bool)>> = planned.inputs.iter().map(|(_, layout)| from(layout)).collect();
    let inputs = planned.inputs.iter().zip(starts?).map(|((value, _), (from, is_one))| (at(*value, from), is_one));
    let inputs: Vec<(Place, bool)> = inputs.collect();
    let constants = planned.numbers.clone();
    let registers = inputs.len() + constants.len();
    let results = registers + planned.registers;
    let sums = results + planned.results.len();
    let cell = |arg: Arg| {
        let cell = match arg {
            Arg::Input(k) | Arg::Spread(k) | Arg::Window(k) => k,
            Arg::Number(k) => inputs.len() + k,
            Arg::Register(r) => registers + r,
            Arg::Result(k) => results + k,
        };
        cell as u32
    };
    let mut kinds = Kinds::default();
    let ops = planned.steps.iter().map(|(action, args, out, second)| {
        let cell_or_none = |arg: Option<Arg>| arg.map_or(NO_CELL, cell);
        let out = cell_or_none(*out);
        match action {
            Action::InTurn(both) => NumberOp::InTurn { both: *both, args: [0, 1, 2].map(|k| cell(args[k])), out },
            // Products are summed by themselves only where there are more.
            Action::Sum(sum) => NumberOp::Sum { of: cell(args[0]), out: (sums + sum) as u32 },
            Action::Op(_) | Action::Both(_) => {
                let args = [0, 1, 2].map(|k| cell_or_none(args.get(k).copied()));
                NumberOp::Op { op: kinds.number(action), args, out, second: cell_or_none(*second) }
            }
        }
    });
    let ops = ops.collect();
    let lens = std::iter::repeat_n(len, planned.results.len()).chain(std::iter::repeat(1));
    let values = planned.results.iter().chain(&planned.sums).zip(lens).zip(results as u32..);
    let results = values.map(|((&value, len), cell)| (cell, at(value, 0), len)).collect();
    let count = sums + planned.sums.len();
    let Kinds { list: kinds, formulas, .. } = kinds;
    Some(Numbers { len, inputs, constants, kinds, formulas, codes: Vec::new(), ops, results, cells, count })
}
