//! What can go wrong with a program: when it is recorded, and when it is given inputs.

use crate::tensor::error::Error;
use crate::tensor::shape::Shape;
use std::fmt;
use std::panic::Location;

/// Why a program could not be recorded or run: in which function, called where. Its state is then what it was.
///
/// ```
/// use autograd::{Program, ProgramErrorKind, Tensor};
/// let mut double = Program::record(&[] as &[Tensor; 0], &Tensor::zeros([2]), |_, _, x| (vec![], vec![x * 2.0]))?;
/// let error = double.run(&Tensor::zeros([3])).err().unwrap();
/// assert_eq!((error.function(), error.location().line()), ("Program::run", line!() - 1));
/// assert!(matches!(error.kind(), ProgramErrorKind::Shape { .. }));
/// assert!(error.to_string().starts_with("Program::run: input 0 must have the shape [2], it has [3]"));
/// # Ok::<(), autograd::ProgramError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramError(Box<Failure>);

/// Behind a pointer, so that a result that is usually `Ok` is small.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Failure {
    kind: ProgramErrorKind,
    call: Call,
    first_read: Option<&'static Location<'static>>,
}

/// A call of a public function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Call {
    function: &'static str,
    location: &'static Location<'static>,
}

impl Call {
    /// Of a function that is called here.
    #[track_caller]
    pub(super) fn of(function: &'static str) -> Self {
        Self { function, location: Location::caller() }
    }

    pub(super) fn location(self) -> &'static Location<'static> {
        self.location
    }

    /// An error of this call.
    pub(super) fn error(self, kind: ProgramErrorKind) -> ProgramError {
        ProgramError(Box::new(Failure { kind, call: self, first_read: None }))
    }
}

impl ProgramError {
    /// What went wrong.
    pub fn kind(&self) -> &ProgramErrorKind {
        &self.0.kind
    }

    /// The function that was called: `Program::run`.
    pub fn function(&self) -> &'static str {
        self.0.call.function
    }

    /// The caller's line.
    pub fn location(&self) -> &'static Location<'static> {
        self.0.call.location
    }

    /// Where an input is wrong: the line that recorded the first operation on it.
    pub fn first_read(&self) -> Option<&'static Location<'static>> {
        self.0.first_read
    }

    /// The same of an input that was first read here.
    pub(super) fn read_at(mut self, first_read: Option<&'static Location<'static>>) -> Self {
        self.0.first_read = first_read;
        self
    }

    /// The same of another function, which called the one that failed.
    pub(super) fn of(mut self, function: &'static str) -> Self {
        self.0.call.function = function;
        self
    }

    /// The same with the label as the user gave it.
    pub(super) fn with_label(mut self, given: impl Fn(usize) -> i128) -> Self {
        if let ProgramErrorKind::Label { position, label, .. } = &mut self.0.kind {
            *label = given(*position);
        }
        self
    }
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failure { kind, call, first_read } = &*self.0;
        write!(f, "{}: {kind}", call.function)?;
        if let Some(first_read) = first_read {
            write!(f, " (first read at {first_read})")?;
        }
        write!(f, ", at {}", call.location)
    }
}

impl std::error::Error for ProgramError {}

/// What can be wrong with a program, when it is recorded or run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProgramErrorKind {
    /// An input or a part of the state has another shape than the recorded one.
    Shape {
        /// Which input, counted from 0, or which part of the state.
        what: String,
        /// The recorded shape.
        expected: Shape,
        /// The shape that came.
        found: Shape,
    },
    /// An input is of another kind than the recorded one: labels for numbers, or the reverse.
    Input {
        /// Which input, counted from 0.
        input: usize,
        /// What was recorded.
        expected: &'static str,
    },
    /// A structure among the inputs has another length, variant or key than the recorded one.
    Structure {
        /// The first of its inputs, counted from 0.
        input: usize,
    },
    /// There are fewer or more inputs than were recorded.
    Count {
        /// How many were recorded.
        expected: usize,
        /// How many came.
        found: usize,
    },
    /// A label or index is out of the range that the recorded operations need.
    Label {
        /// Which input, counted from 0.
        input: usize,
        /// Where in the input.
        position: usize,
        /// What came.
        label: i128,
        /// The smallest that fits.
        low: i64,
        /// The largest that fits.
        high: i64,
        /// The operation that reads it, in words: `gather on axis 0 of size 2, recorded at …`.
        reader: String,
    },
    /// An input gave fewer or more elements than its shape has.
    Length {
        /// Which input, counted from 0.
        input: usize,
        /// How many its shape has.
        expected: usize,
        /// How many came.
        found: usize,
    },
    /// A mean would have had nothing to average, since no example counts, or all that do have the weight 0.
    Empty {
        /// The operation that takes the mean.
        op: &'static str,
        /// The line that recorded it.
        location: &'static Location<'static>,
    },
    /// A variable of another tape was given to a program that was recorded.
    Tape {
        /// Which part of the state, output or input.
        what: String,
    },
    /// A recorded branch would have gone the other way on these inputs.
    Branch {
        /// Whether the condition held when the program was recorded.
        held: bool,
        /// The line of `holds`.
        location: &'static Location<'static>,
    },
    /// A value was read while recording, on which a run could not depend.
    Read {
        /// The operation whose value was read.
        op: &'static str,
        /// The line that read it.
        location: &'static Location<'static>,
    },
    /// The state has another number of parts.
    State {
        /// How many there are.
        expected: usize,
        /// How many came.
        found: usize,
    },
    /// The state has another number of elements.
    StateNumbers {
        /// How many there are.
        expected: usize,
        /// How many came.
        found: usize,
    },
    /// Memory that a value needs, when it is recorded or in a run, and that cannot be had.
    Memory(Error),
    /// There is no part of the state with this name.
    NoState {
        /// The name that was asked for.
        name: String,
    },
}

impl From<Error> for ProgramErrorKind {
    fn from(error: Error) -> Self {
        Self::Memory(error)
    }
}

impl std::error::Error for ProgramErrorKind {}

impl fmt::Display for ProgramErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { what, expected, found } => write!(f, "{what} must have the shape {expected}, it has {found}"),
            Self::Input { input, expected } => write!(f, "input {input} must be {expected}"),
            Self::Structure { input } => write!(
                f,
                "the structure with input {input} must have the lengths, variants and keys that were recorded"
            ),
            Self::Count { expected, found } => write!(f, "{expected} inputs were recorded, {found} are given"),
            Self::Label { input, position, label, low, reader, high: _ } => {
                let what = if *low < 0 { "index" } else { "label" };
                write!(f, "input {input}: {what} {label} at position {position} is out of range for {reader}")
            }
            Self::Length { input, expected, found } => {
                write!(f, "input {input}: {expected} elements are needed, {found} are given")
            }
            Self::Empty { op, location } => {
                write!(f, "the mean over no counted examples does not exist, of {op} recorded at {location}")
            }
            Self::Tape { what } => write!(f, "{what} and what is recorded live on different tapes"),
            Self::Branch { held, location } => {
                let went = if *held { "held" } else { "did not hold" };
                write!(f, "the branch at {location} was recorded where its condition {went}")
            }
            Self::Read { op, location } => write!(
                f,
                "the value of {op} was read while recording, at {location}: each later run would go on with this one; \
                 compute with the variable, or branch on it by Var::holds"
            ),
            Self::State { expected, found } => write!(f, "the state has {expected} parts, {found} are given"),
            Self::StateNumbers { expected, found } => {
                write!(f, "the state has {expected} numbers, {found} are given")
            }
            Self::Memory(error) => error.fmt(f),
            Self::NoState { name } => write!(f, "there is no state «{name}»"),
        }
    }
}
