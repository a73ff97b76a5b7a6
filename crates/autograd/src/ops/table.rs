//! The table of the operations that are built in.

use crate::float::Float;
use crate::ops;
use crate::scan::op::Loop;
use crate::tape::op::{Arity, DynOp, Named};
use std::sync::Arc;

/// What the tape records: an operation of the table, by itself or as the kind of a node.
pub(crate) trait BuiltIn<T: Float>: Into<Kind<T>> {
    /// Whether this is what made a node.
    fn is_kind(&self, kind: &Kind<T>) -> bool;
}

impl<T: Float> BuiltIn<T> for Kind<T> {
    fn is_kind(&self, kind: &Kind<T>) -> bool {
        self.same(kind)
    }
}

/// The table of built-in operations. A row is a variant and the operation it holds; the enum keeps nodes free of
/// allocation, and `op` is the one way to ask a question of whichever it is. Those that are large are in a box, so that all nodes are
/// small: reading them is most of what a long tape costs.
macro_rules! builtin {
    ({ $($variant:ident($op:ty),)* } boxed { $($boxed:ident($large:ty),)* }) => {
        /// What made a node: the user, or an operation.
        #[derive(Clone, Debug)]
        pub(crate) enum Kind<T: Float> {
            /// A value that came from outside.
            Leaf,
            /// Integers that came from outside, in the bits of floats.
            Index,
            /// The cotangent that a gradient starts from: ones.
            Ones,
            /// What each step of a loop fills: a place in its body.
            Slot,
            $($variant($op),)*
            $($boxed(Box<$large>),)*
            /// A loop.
            Loop(Loop<T>),
            /// An operation of a user.
            Custom(Arc<dyn DynOp<T>>),
        }

        /// The names of the built-in primitives, which every other operation is made of.
        ///
        /// ```
        /// assert!(autograd::primitives().contains(&"matmul"));
        /// ```
        pub fn primitives() -> Vec<&'static str> {
            [$(<$op>::NAMES,)* $(<$large>::NAMES,)* &["scan"]].concat()
        }

        impl<T: Float> Kind<T> {
            /// As [`Kind::op`], which is the one to call.
            pub(crate) fn operation(&self) -> Option<&dyn DynOp<T>> {
                match self {
                    Self::Leaf | Self::Index | Self::Ones | Self::Slot => None,
                    $(Self::$variant(op) => Some(op),)*
                    $(Self::$boxed(op) => Some(&**op),)*
                    Self::Loop(scan) => Some(scan),
                    Self::Custom(op) => Some(&**op),
                }
            }

            /// Whether two do the same for certain. Of operations of users nobody knows.
            pub(crate) fn same(&self, other: &Self) -> bool {
                match (self, other) {
                    $((Self::$variant(a), Self::$variant(b)) => a == b,)*
                    $((Self::$boxed(a), Self::$boxed(b)) => a == b,)*
                    (Self::Loop(a), Self::Loop(b)) => a == b,
                    _ => false,
                }
            }
        }

        $(
            impl<T: Float> From<$op> for Kind<T> {
                fn from(op: $op) -> Self {
                    Self::$variant(op)
                }
            }

            impl<T: Float> BuiltIn<T> for $op {
                #[inline]
                fn is_kind(&self, kind: &Kind<T>) -> bool {
                    if let Kind::$variant(op) = kind { self == op } else { false }
                }
            }
        )*

        $(
            impl<T: Float> From<$large> for Kind<T> {
                fn from(op: $large) -> Self {
                    Self::$boxed(Box::new(op))
                }
            }

            impl<T: Float> BuiltIn<T> for $large {
                #[inline]
                fn is_kind(&self, kind: &Kind<T>) -> bool {
                    if let Kind::$boxed(op) = kind { *self == **op } else { false }
                }
            }
        )*
    };
}

builtin! {
    {
        Unary(Arity<1, ops::unary::Unary>),
        Binary(Arity<2, ops::binary::Binary>),
        Select(Arity<3, ops::select::Select>),
        MatMul(Arity<2, ops::matmul::MatMul>),
        Concat(ops::concat::Concat),
        Roll(Arity<1, ops::roll::Roll>),
        Take(Arity<2, ops::take::Take>),
        Scatter(Arity<3, ops::scatter::Scatter>),
        ScatterExtreme(Arity<3, ops::scatter_extreme::ScatterExtreme>),
        Winners(Arity<1, ops::scatter::Winners>),
        Extreme(Arity<1, ops::extreme::Extreme>),
        ExtremeShare(Arity<2, ops::extreme::ExtremeShare>),
        AtExtreme(Arity<3, ops::extreme::AtExtreme>),
        RunningProduct(Arity<1, ops::products::RunningProduct>),
        Product(Arity<1, ops::products::Product>),
        ProductOfOthers(Arity<3, ops::products::ProductOfOthers>),
        CumSum(Arity<1, ops::scan::CumSum>),
        Recurrence(Arity<2, ops::scan::Recurrence>),
        LogCumSumExp(Arity<1, ops::scan::LogCumSumExp>),
        Norm2(Arity<1, ops::norm::Norm2>),
        NormSlope(Arity<3, ops::norm::NormSlope>),
        Argsort(Arity<1, ops::sort::Argsort>),
        ArgExtreme(Arity<1, ops::sort::ArgExtreme>),
        RunningArgExtreme(Arity<1, ops::sort::RunningArgExtreme>),
        Cholesky(Arity<1, ops::linalg::Cholesky>),
        TriangularSolve(Arity<2, ops::linalg::TriangularSolve>),
        Solve(Arity<2, ops::linalg::Solve>),
        Determinant(Arity<1, ops::determinant::Determinant>),
        Labels(Arity<1, ops::labels::Labels>),
        Checkpoint(crate::diff::checkpoint::Recompute),
        StopGradient(Arity<1, ops::stop::StopGradient>),
        FoldIn(Arity<2, ops::random::FoldIn>),
        Softmax(Arity<1, ops::softmax::Softmax>),
        Likely(Arity<2, ops::softmax::Likely>),
        LogSoftmax(Arity<1, ops::softmax::LogSoftmax>),
        LogSumExp(Arity<1, ops::softmax::LogSumExp>),
        CrossEntropy(Arity<2, ops::cross_entropy::CrossEntropy>),
        CrossEntropyGrad(Arity<3, ops::cross_entropy::CrossEntropyGrad>),
    }
    boxed {
        Put(Arity<2, ops::take::Put>),
        Read(Arity<1, ops::view::Read>),
        AddAt(Arity<1, ops::view::AddAt>),
        Transpose(Arity<1, ops::view::Transpose>),
        Reshape(Arity<1, ops::view::Reshape>),
        PoolArgmax(Arity<1, ops::pooling::PoolArgmax>),
        Ranked(Arity<1, ops::quantile::Ranked>),
        Random(Arity<1, ops::random::Random>),
    }
}

impl<T: Float> Kind<T> {
    /// The operation, or `None` for a leaf.
    #[inline]
    pub(crate) fn op(&self) -> Option<&dyn DynOp<T>> {
        T::op(self)
    }

    /// Whether a node that is recorded later can be the same for certain; see [`Kind::same`].
    pub(crate) fn can_repeat(&self) -> bool {
        if let Self::Loop(scan) = self {
            return scan.body.can_repeat();
        }
        !matches!(self, Self::Custom(_) | Self::Checkpoint(_))
    }

    /// Whether computing it may end otherwise than with a value: what a user wrote may panic, and an operation that needs
    /// memory of its own may lack it.
    pub(crate) fn may_fail(&self) -> bool {
        matches!(
            self,
            Self::Custom(_)
                | Self::Loop(_)
                | Self::Argsort(_)
                | Self::Ranked(_)
                | Self::PoolArgmax(_)
                | Self::Winners(_)
                | Self::Solve(_)
                | Self::Determinant(_)
        )
    }

    /// The operation's name as listings show it: `matmul`, or `leaf`, or `index`.
    pub(crate) fn name(&self) -> &'static str {
        let leaf = if matches!(self, Self::Index) { "index" } else { "leaf" };
        let without = if matches!(self, Self::Slot) { "slot" } else { leaf };
        self.op().map_or(without, DynOp::name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_made_a_node_is_small() {
        assert!(size_of::<Kind<f32>>() <= 24 && size_of::<Kind<f64>>() <= 24, "a larger operation belongs in a box");
    }
}
