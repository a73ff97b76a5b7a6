//! What an operation was told beside its operands, as plain data: for listings, and for what is exported.

use crate::tensor::span::Span;

/// What an operation was told beside its operands.
///
/// ```
/// use autograd::{Attribute, Tape, Tensor};
/// let tape = Tape::new();
/// let _ = tape.var(&Tensor::from([1.0, -2.0])).leaky_relu(0.1);
/// let last = tape.recorded().last().unwrap();
/// assert_eq!(last.attributes, [("negative_slope", Attribute::Number(0.1))]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Attribute {
    /// Whether something is so.
    Flag(bool),
    /// A number.
    Number(f64),
    /// An axis, a size, a label.
    Integer(i64),
    /// Sizes, strides, a permutation.
    Integers(Vec<i64>),
}

/// Attributes by their names.
pub type Attributes = Vec<(&'static str, Attribute)>;

/// Of an operation that goes along one axis, or several next to each other.
pub(crate) fn along(span: Span) -> Attributes {
    if span.count() == 1 {
        return vec![("axis", span.first().into())];
    }
    let axes: Vec<i64> = span.axes().map(|axis| axis as i64).collect();
    vec![("axes", Attribute::Integers(axes))]
}

impl From<bool> for Attribute {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<usize> for Attribute {
    fn from(size: usize) -> Self {
        Self::Integer(size as i64)
    }
}

impl From<f64> for Attribute {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Attribute {
    fn from(number: u32) -> Self {
        Self::Integer(number.into())
    }
}

impl From<i64> for Attribute {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<&[isize]> for Attribute {
    fn from(integers: &[isize]) -> Self {
        Self::Integers(integers.iter().map(|&i| i as i64).collect())
    }
}
