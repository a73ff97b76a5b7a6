//! A node of a tape: an operation, its operands, and who asked for it.

use crate::float::Float;
use crate::ops::table::Kind;
use crate::tensor::shape::Shape;
use std::ops::Deref;
use std::panic::Location;

/// Marks the absence of a node.
pub(crate) const NONE: u32 = u32::MAX;

/// One recorded operation. Its operands have smaller indices than itself.
#[derive(Clone)]
pub(crate) struct Node<T: Float> {
    pub(crate) kind: Kind<T>,
    pub(crate) args: Args,
    pub(crate) shape: Shape,
    /// The number of elements of the shape.
    pub(crate) len: usize,
    pub(crate) origin: Origin,
}

const INLINE: usize = 3;

/// The indices of a node's operands; up to three are inline.
#[derive(Clone)]
pub(crate) enum Args {
    Inline { count: u8, indices: [u32; INLINE] },
    Heap(Box<[u32]>),
}

impl Args {
    pub(crate) const NONE: Self = Self::Inline { count: 0, indices: [NONE; INLINE] };
}

impl Deref for Args {
    type Target = [u32];
    #[inline]
    fn deref(&self) -> &[u32] {
        match self {
            Self::Inline { count, indices } => &indices[..usize::from(*count)],
            Self::Heap(indices) => indices,
        }
    }
}

impl From<&[u32]> for Args {
    #[inline]
    fn from(args: &[u32]) -> Self {
        if args.len() > INLINE {
            return Self::Heap(args.into());
        }
        let indices = std::array::from_fn(|k| args.get(k).copied().unwrap_or(NONE));
        Self::Inline { count: args.len() as u8, indices }
    }
}

/// Who asked for a node: a line of the user's, and, where a derivative rule recorded it, the node whose rule it was.
#[derive(Clone, Copy)]
pub(crate) struct Origin {
    pub(crate) location: &'static Location<'static>,
    /// The node whose rule recorded this one, in a derivative's pass.
    pub(crate) rule_of: u32,
    /// The pass, whether it is computed again, and how deep in `no_grad` it is, in one number: what is written byte by byte and
    /// read together at once makes a CPU wait.
    flags: u32,
}

/// Which pass recorded a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The user's own expression.
    Primal,
    /// A reverse sweep: the node is, or leads to, a cotangent.
    Reverse,
    /// A forward sweep: the node is, or leads to, a tangent.
    Forward,
}

impl Origin {
    const REVERSE: u32 = 1;
    const FORWARD: u32 = 2;
    const AGAIN: u32 = 4;
    /// The depth comes above the other flags.
    const DEPTH: u32 = 8;

    /// Of a node that was recorded within so many calls of `no_grad` (`depth`), or by a checkpoint, to be computed anew
    /// (`again`).
    #[inline]
    pub(crate) fn new(location: &'static Location<'static>, pass: Mode, rule_of: u32, depth: u32, again: bool) -> Self {
        let pass = match pass {
            Mode::Primal => 0,
            Mode::Reverse => Self::REVERSE,
            Mode::Forward => Self::FORWARD,
        };
        let flags = depth * Self::DEPTH + u32::from(again) * Self::AGAIN;
        Self { location, rule_of, flags: pass | flags }
    }

    pub(crate) fn pass(&self) -> Mode {
        match self.flags & (Self::REVERSE | Self::FORWARD) {
            Self::REVERSE => Mode::Reverse,
            Self::FORWARD => Mode::Forward,
            _ => Mode::Primal,
        }
    }

    /// How many calls of `no_grad` it was recorded within.
    #[inline]
    pub(crate) fn depth(&self) -> u32 {
        self.flags / Self::DEPTH
    }

    /// Whether a checkpoint recorded it, to be computed anew.
    pub(crate) fn again(&self) -> bool {
        self.flags & Self::AGAIN != 0
    }

    /// Whether two stand for the same line in the same pass.
    #[inline]
    pub(crate) fn same(&self, other: &Self) -> bool {
        std::ptr::eq(self.location, other.location) && self.rule_of == other.rule_of && self.flags == other.flags
    }
}
