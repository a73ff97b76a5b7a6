//! What the nodes of a graph do, beside the operations of the tape.

use crate::float::Float;
use crate::kernels::finish::Finish;
use crate::kernels::product::Sizes;
use crate::kernels::reduce::sums_of_squares;
use crate::ops::cross_entropy::Reduction;
use crate::ops::softmax::WithShares;
use crate::ops::table::Kind;
use crate::ops::unary::Unary;
use crate::tape::op::View;
use crate::tensor::shape::Shape;

/// What a node does. One that is to hold a body, as a loop, would be a variant with a graph of its own.
#[derive(Clone, Debug)]
pub(super) enum Operation<T: Float> {
    /// An operation of the tape.
    Single(Kind<T>),
    /// Several that are computed together.
    Fused(Fused),
    /// A step of a net of one hidden layer, of `x`, `W1`, `b1`, `W2`, `b2`, labels, the cotangent of the loss, and a rate; its
    /// results are the loss, and the gradients or next values of the four parameters.
    HiddenLayer(HiddenLayer),
    /// Its operand once more, in a buffer of its own.
    Copy,
}

/// An operation that is several of the tape's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Fused {
    /// `op(a) · op(b)`, of operands `a`, `b` and those of what follows.
    Product { ta: bool, tb: bool, then: Then },
    /// The sums of the columns of the first operand.
    ColumnSums { then: Then },
    /// A step of gradient descent of rows that were read by index: of their cotangents, the indices, and what it starts from.
    Rows { rate: Option<f64> },
    /// The loss of scores and labels, and its gradient for the cotangent that is the third operand: two results.
    LossAndGradient(Reduction),
    /// What goes along rows of its operand.
    InRows(InRows),
}

/// Several operations of one operand that go along its rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum InRows {
    /// Logarithms and shares of exponentials: two results.
    WithShares(WithShares),
    /// Sums of squares along the middle of `[outer, n, inner]`; the outer ones are so many leading dimensions.
    SumOfSquares { n: usize, inner: usize, leading: usize },
}

/// What follows a product, with its operands behind those of the product: of a step of gradient descent that which it starts
/// from, and its rate if that is no number.
pub(super) type Then = Finish<(), Option<f64>>;

/// A step of a net of one hidden layer.
#[derive(Clone, Copy, Debug)]
pub(super) struct HiddenLayer {
    /// Whether the loss is the mean of the losses of the rows, or their sum.
    pub(super) mean: bool,
    /// What the hidden nodes do, where that is not relu.
    pub(super) activation: Option<Function>,
    /// Whether each matrix of parameters is stored transposed, `[out, in]`.
    pub(super) turned: bool,
    /// What becomes of the gradients of these parameters: a step of gradient descent of this size, or of that which is the last
    /// operand. All others are results themselves.
    pub(super) descends: [bool; 4],
    pub(super) rate: Option<f64>,
}

/// A function of one number and its slope; whether what comes back is 0 where the slope is, too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Function {
    pub(super) value: Unary,
    pub(super) slope: Unary,
    pub(super) selects: bool,
}

impl Fused {
    pub(super) fn with(self, following: Then) -> Self {
        match self {
            Self::Product { ta, tb, .. } => Self::Product { ta, tb, then: following },
            Self::ColumnSums { .. } => Self::ColumnSums { then: following },
            Self::Rows { .. } | Self::LossAndGradient(_) | Self::InRows(_) => self,
        }
    }

    /// How many operands come before those of what follows.
    pub(super) fn own_operands(self) -> usize {
        match self {
            Self::Product { .. } | Self::Rows { .. } => 2,
            Self::ColumnSums { .. } | Self::InRows(_) => 1,
            Self::LossAndGradient(_) => 3,
        }
    }

    pub(super) fn then(self) -> Then {
        match self {
            Self::Product { then, .. } | Self::ColumnSums { then } => then,
            Self::Rows { rate } => Then::Descend(rate),
            Self::LossAndGradient(_) | Self::InRows(_) => Then::Keep,
        }
    }

    /// The operand that the result may be written over: the one that a step of gradient descent starts from.
    pub(super) fn updates(self) -> Option<usize> {
        matches!(self.then(), Then::Descend(_)).then(|| self.own_operands())
    }

    /// `(m, k, n)` of a product by the shapes of its first operand and its result, `(1, rows, n)` of sums of columns, and
    /// `(rows, 0, classes)` of a loss; rows by index and shares have none.
    pub(super) fn sizes(self, first: &Shape, result: &Shape) -> Sizes {
        let n = result.last().copied().unwrap_or(1);
        let m = result.numel().checked_div(n).unwrap_or(0);
        match self {
            Self::Product { ta: true, .. } => (m, first[0], n),
            Self::Product { ta: false, .. } => (m, first.last().copied().unwrap_or(1), n),
            Self::ColumnSums { .. } => (1, first[0], n),
            Self::LossAndGradient(_) => (first[0], 0, first[1]),
            Self::Rows { .. } | Self::InRows(_) => (m, 0, n),
        }
    }

    /// The operations that it is made of, for a listing.
    pub(super) fn name(self) -> String {
        let first = match self {
            Self::Product { .. } => "matmul",
            Self::ColumnSums { .. } => "sum",
            Self::Rows { .. } => "gather",
            Self::LossAndGradient(_) => "cross_entropy · cross_entropy_grad",
            Self::InRows(op) => op.name(),
        };
        let then = match self.then() {
            Then::Keep => "",
            Then::Bias(()) => " · add",
            Then::BiasRelu(()) => " · add · relu",
            Then::Gate(()) => " · gate",
            Then::Descend(_) => " · mul · sub",
        };
        format!("{first}{then}")
    }
}

impl InRows {
    /// How many leading dimensions count the rows.
    pub(super) fn leading(self) -> usize {
        match self {
            Self::WithShares(op) => op.along.first(),
            Self::SumOfSquares { leading, .. } => leading,
        }
    }

    pub(super) fn eval<T: Float>(self, x: View<'_, T>, first: &mut [T], second: &mut [T]) {
        match self {
            Self::WithShares(op) => op.eval(x, first, second),
            Self::SumOfSquares { n, inner, .. } => sums_of_squares(x.data, (n, inner), first),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::WithShares(op) => op.name(),
            Self::SumOfSquares { .. } => "square · sum",
        }
    }
}

impl HiddenLayer {
    /// The operand that a result may be written over: the one that its step of gradient descent starts from.
    pub(super) fn updates(self, result: usize) -> Option<usize> {
        // Parameters stand behind `x`, and their next values behind the loss.
        (result > 0 && self.descends[result - 1]).then_some(result)
    }

    pub(super) fn name(self) -> &'static str {
        if self.descends.contains(&true) {
            "one hidden layer, forward and backward · mul · sub"
        } else {
            "one hidden layer, forward and backward"
        }
    }
}

impl<T: Float> Operation<T> {
    /// Whether computing it may end a run.
    pub(super) fn may_fail(&self) -> bool {
        matches!(self, Self::Single(kind) if kind.may_fail())
    }

    pub(super) fn name(&self) -> String {
        match self {
            Self::Single(kind) => kind.name().to_owned(),
            Self::Fused(fused) => fused.name(),
            Self::HiddenLayer(net) => net.name().to_owned(),
            Self::Copy => "copy".to_owned(),
        }
    }
}
