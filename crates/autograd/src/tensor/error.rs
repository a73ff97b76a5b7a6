//! One error type: what went wrong, in which operation, with which shapes, at which line of the caller.

use crate::tensor::memory::OutOfMemory;
use crate::tensor::shape::Shape;
use std::fmt;
use std::panic::Location;

/// Why an expression could not be recorded.
///
/// The methods of [`Var`](crate::Var) panic with this text at the caller's own line; their `try_` twins return it.
///
/// ```
/// use autograd::{Tape, Tensor};
/// let tape = Tape::new();
/// let a = tape.var(&Tensor::<f64>::zeros([5, 4]));
/// let b = tape.var(&Tensor::<f64>::zeros([3, 2]));
/// let error = a.try_matmul(b).unwrap_err();
/// assert_eq!(error.op(), "matmul");
/// assert!(error.to_string().starts_with("matmul: inner sizes differ: 4 and 3 (shapes [5, 4] and [3, 2])"));
/// assert!(error.location().file().ends_with(".rs"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    op: String,
    reason: Reason,
    shapes: Vec<Shape>,
    location: &'static Location<'static>,
}

impl Error {
    pub(crate) fn new(op: &str, reason: Reason, shapes: Vec<Shape>, location: &'static Location<'static>) -> Self {
        Self { op: op.to_owned(), reason, shapes, location }
    }

    /// An error of a function that has no operands on a tape, at the caller's line.
    #[track_caller]
    pub(crate) fn of_call(op: &str, kind: Kind, text: impl Into<String>) -> Self {
        Self::new(op, Reason::new(kind, text), Vec::new(), Location::caller())
    }

    /// The operation that was asked for.
    pub fn op(&self) -> &str {
        &self.op
    }

    /// What kind of mistake it is.
    pub fn kind(&self) -> Kind {
        self.reason.kind
    }

    /// The shapes of the operands, in order.
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// The caller's line.
    pub fn location(&self) -> &'static Location<'static> {
        self.location
    }

    /// The value, or a panic at the caller's line. (A closure in `unwrap_or_else` would panic at its own.)
    #[track_caller]
    pub(crate) fn or_raise<R>(result: Result<R, Self>) -> R {
        match result {
            Ok(value) => value,
            Err(error) => error.raise(),
        }
    }

    /// Panics at the caller's line, which the panic message then shows.
    #[track_caller]
    pub(crate) fn raise(self) -> ! {
        panic!("{self}")
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.op, self.reason.text)?;
        match &self.shapes[..] {
            [] => {}
            [one] => write!(f, " (shape {one})")?,
            [first @ .., last] => {
                let first: Vec<_> = first.iter().map(ToString::to_string).collect();
                write!(f, " (shapes {} and {last})", first.join(", "))?;
            }
        }
        write!(f, ", at {}", self.location)
    }
}

/// The kinds of mistake that recording an expression can show, and what its value may lack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Shapes that do not fit each other or the operation.
    Shape,
    /// An axis that does not exist, or is named twice.
    Axis,
    /// An index or label out of range.
    Index,
    /// Nothing to take a mean or maximum of.
    Empty,
    /// Variables of two tapes in one expression.
    Tape,
    /// An option whose value makes no sense.
    Option,
    /// Memory that cannot be had.
    Memory,
}

/// An operation's own account of what is wrong; the tape adds the operation, the shapes and the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    kind: Kind,
    text: String,
}

impl Reason {
    /// A reason of this kind, told in words: what was expected, and what came.
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into() }
    }

    /// A reason of kind [`Kind::Shape`].
    pub fn shape(text: impl Into<String>) -> Self {
        Self::new(Kind::Shape, text)
    }
}

impl From<OutOfMemory> for Reason {
    fn from(memory: OutOfMemory) -> Self {
        Self::new(Kind::Memory, memory.to_string())
    }
}

impl OutOfMemory {
    /// The reason why there is no tensor of a shape.
    pub(crate) fn for_shape(self, shape: &Shape) -> Reason {
        Reason::new(Kind::Memory, format!("{self} for {shape}"))
    }
}
