//! Sizes of which some go with the batch.

use crate::Error;
use crate::forward::{Forward, Node};
use autograd::{Attribute, Attributes};

/// A size: a number, or so many times that of the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dim {
    Fixed(usize),
    Batch(usize),
}

impl Dim {
    /// As ONNX tells it.
    pub(super) fn told(self) -> Result<usize, String> {
        match self {
            Self::Fixed(size) => Ok(size),
            Self::Batch(1) => Err("batch".to_owned()),
            Self::Batch(times) => Err(format!("{times}*batch")),
        }
    }
}

/// The sizes of each node, from two recordings.
pub(super) fn dims(forward: &Forward) -> Result<Vec<Vec<Dim>>, Error> {
    let [_, five, seven] = &forward.recordings;
    let differ = |node: &Node, what: &str| Err(Error::Batch { location: node.location, what: what.to_owned() });
    let (m, n) = (five.batch, seven.batch);
    let mut all = Vec::with_capacity(five.nodes.len());
    for (a, b) in five.nodes.iter().zip(&seven.nodes) {
        if (a.op, &a.operands, a.shape.len()) != (b.op, &b.operands, b.shape.len()) {
            return differ(a, "which operations there are");
        }
        // Where elements lie may go with the batch, and is held to it where it is used.
        let is_strided = a.attributes.iter().any(|(name, _)| *name == "strides");
        if !is_strided && !alike(&a.attributes, &b.attributes) {
            return differ(a, &format!("what `{}` is told", a.op));
        }
        let mut sizes = Vec::with_capacity(a.shape.len());
        for (&p, &q) in a.shape.iter().zip(&b.shape) {
            sizes.push(match p / m {
                _ if p == q => Dim::Fixed(p),
                times if times * m == p && times * n == q => Dim::Batch(times),
                _ => return differ(a, "a size"),
            });
        }
        all.push(sizes);
    }
    match five.nodes.last().filter(|_| five.nodes.len() != seven.nodes.len()) {
        Some(last) => differ(last, "how many operations there are"),
        None => Ok(all),
    }
}

/// Whether two operations were told the same, of numbers to the bit.
fn alike(a: &Attributes, b: &Attributes) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).all(|((_, a), (_, b))| match (a, b) {
            (Attribute::Number(a), Attribute::Number(b)) => a.to_bits() == b.to_bits(),
            (a, b) => a == b,
        })
}
