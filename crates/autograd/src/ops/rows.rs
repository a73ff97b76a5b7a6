//! Operations that go along rows: what they make of some rows depends on these rows alone.

use crate::float::Float;
use crate::kernels::take::Layout;
use crate::ops::table::Kind;
use crate::ops::view::AddAt;
use crate::tape::op::Arity;
use crate::tensor::shape::Shape;

/// What the rows of an operation are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rows {
    /// Any parts of all elements, in their order.
    Elements,
    /// The indices of so many leading dimensions, at least one, which all operands and the result share.
    Leading(usize),
    /// The same of all but the first operand, which is read anywhere for each row.
    LeadingOfRest(usize),
}

/// How an operation that cannot fail goes along rows of these operands, if it does. Elementwise operations are not asked.
#[allow(clippy::wildcard_enum_match_arm, reason = "those of a large table that have an axis")]
pub(crate) fn rows<T: Float>(kind: &Kind<T>, args: &[&Shape], result: &Shape) -> Option<Rows> {
    let leading = match kind {
        Kind::Reshape(_) | Kind::Labels(_) => return Some(Rows::Elements),
        Kind::AddAt(op) => op.0.kept_before_sums(args[0]),
        Kind::Take(Arity(op)) if op.layout == Layout::Each => op.axis,
        Kind::Take(Arity(op)) if op.axis == 0 => {
            let leading = args[1].rank();
            return (leading > 0).then_some(Rows::LeadingOfRest(leading));
        }
        Kind::Put(op) if op.0.layout == Layout::Each => op.0.axis,
        Kind::Extreme(Arity(op)) => op.along.first(),
        Kind::ExtremeShare(Arity(op)) => op.along.first(),
        Kind::AtExtreme(Arity(op)) => op.along.first(),
        Kind::RunningProduct(Arity(op)) => op.axis,
        Kind::Product(Arity(op)) => op.axis,
        Kind::ProductOfOthers(Arity(op)) => op.axis,
        Kind::CumSum(Arity(op)) => op.axis,
        Kind::Roll(Arity(op)) => op.axis,
        Kind::Recurrence(Arity(op)) => op.axis,
        Kind::LogCumSumExp(Arity(op)) => op.axis,
        Kind::Norm2(Arity(op)) => op.along.first(),
        Kind::NormSlope(Arity(op)) => op.along.first(),
        Kind::ArgExtreme(Arity(op)) => op.axis,
        Kind::RunningArgExtreme(Arity(op)) => op.axis,
        Kind::Softmax(Arity(op)) => op.along.first(),
        Kind::Likely(Arity(op)) => op.along.first(),
        Kind::LogSoftmax(Arity(op)) => op.axis,
        Kind::LogSumExp(Arity(op)) => op.along.first(),
        _ => return None,
    };
    debug_assert!(
        args.iter().all(|arg| arg.get(..leading).is_some_and(|dims| result.get(..leading) == Some(dims))),
        "{kind:?} {args:?} {result:?}"
    );
    (leading > 0).then_some(Rows::Leading(leading))
}

impl AddAt {
    /// How many leading dimensions an operand of this shape shares with the result, where all behind them or some of these are
    /// summed; else none.
    pub(crate) fn kept_before_sums(&self, operand: &Shape) -> usize {
        let mut step = 1;
        let in_order = (0..operand.rank()).rev().all(|i| {
            let (is_next, is_summed) = (self.strides[i] == step as isize, self.strides[i] == 0);
            step *= if is_summed { 1 } else { operand[i] };
            is_next || is_summed
        });
        if self.offset > 0 || !in_order || step != self.shape.numel() {
            return 0;
        }
        let first_summed = (0..operand.rank()).find(|&i| self.strides[i] == 0 && operand[i] > 1).unwrap_or(0);
        // A leading axis of one element may be summed, too: those behind it have other places in the result.
        let shared = operand.iter().zip(self.shape.iter()).take_while(|(size, of_result)| size == of_result).count();
        // The last of those before it that has a step: rows are counted by it.
        (0..first_summed.min(shared)).rfind(|&i| self.strides[i] != 0).map_or(0, |i| i + 1)
    }
}

impl Rows {
    /// Whether an operand goes along, by its place.
    pub(crate) fn has(self, operand: usize) -> bool {
        operand > 0 || !matches!(self, Self::LeadingOfRest(_))
    }

    /// How many rows there are of an operand or result.
    pub(crate) fn count(self, shape: &Shape) -> usize {
        match self {
            Self::Elements => shape.numel(),
            Self::Leading(leading) | Self::LeadingOfRest(leading) => shape[..leading].iter().product(),
        }
    }

    /// The shape of so many rows of an operand or result.
    pub(crate) fn part(self, shape: &Shape, rows: usize) -> Shape {
        match self {
            Self::Elements => Shape::from([rows]),
            Self::Leading(leading) | Self::LeadingOfRest(leading) => {
                let ones = std::iter::repeat_n(1, leading - 1);
                ones.chain([rows]).chain(shape[leading..].iter().copied()).collect()
            }
        }
    }
}
