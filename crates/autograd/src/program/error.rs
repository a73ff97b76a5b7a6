//! What can go wrong with a program: when it is recorded, and when it is given inputs.

use crate::error::Error;
use crate::shape::Shape;
use std::panic::Location;

/// Why a program could not be recorded or run. Its state is then what it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProgramError {
    /// An input or a part of the state has another shape than the recorded one.
    #[error("{what} must have the shape {expected}, it has {found}")]
    Shape {
        /// Which input, counted from 0, or which part of the state.
        what: String,
        /// The recorded shape.
        expected: Shape,
        /// The shape that came.
        found: Shape,
    },
    /// An input is of another kind than the recorded one: labels for numbers, or the reverse.
    #[error("input {input} must be {expected}")]
    Input {
        /// Which input, counted from 0.
        input: usize,
        /// What was recorded.
        expected: &'static str,
    },
    /// There are fewer or more inputs than were recorded.
    #[error("{expected} inputs were recorded, {found} are given")]
    Count {
        /// How many were recorded.
        expected: usize,
        /// How many came.
        found: usize,
    },
    /// A label or index is out of the range that the recorded operations need.
    #[error("input {input}: label {label} at position {position} is not in {low}..={high}")]
    Label {
        /// Which input, counted from 0.
        input: usize,
        /// Where in the input.
        position: usize,
        /// What came.
        label: i64,
        /// The smallest that fits.
        low: i64,
        /// The largest that fits.
        high: i64,
    },
    /// An input gave fewer or more elements than its shape has.
    #[error("input {input}: {expected} elements are needed, {found} are given")]
    Length {
        /// Which input, counted from 0.
        input: usize,
        /// How many its shape has.
        expected: usize,
        /// How many came.
        found: usize,
    },
    /// A mean would have had nothing to average, since no example counts, or all that do have the weight 0.
    #[error("{op}: the mean over no counted examples does not exist, at {location}")]
    Empty {
        /// The operation that takes the mean.
        op: &'static str,
        /// The line that recorded it.
        location: &'static Location<'static>,
    },
    /// A variable of another tape was given to a program that was recorded.
    #[error("{what} and what is recorded live on different tapes, at {location}")]
    Tape {
        /// Which part of the state, output or input.
        what: String,
        /// The line that recorded the program.
        location: &'static Location<'static>,
    },
    /// A recorded branch would have gone the other way on these inputs.
    #[error("the branch at {location} was recorded where its condition {}", if *.held { "held" } else { "did not hold" })]
    Branch {
        /// Whether the condition held when the program was recorded.
        held: bool,
        /// The line of `holds`.
        location: &'static Location<'static>,
    },
    /// A value was read while recording, on which a run could not depend.
    #[error(
        "the value of {op} was read while recording, at {location}; a run would not notice another one (see Var::holds)"
    )]
    Read {
        /// The operation whose value was read.
        op: &'static str,
        /// The line that recorded it.
        location: &'static Location<'static>,
    },
    /// The state has another number of parts.
    #[error("the state has {expected} parts, {found} are given")]
    State {
        /// How many there are.
        expected: usize,
        /// How many came.
        found: usize,
    },
    /// Memory that a value needs, when it is recorded or in a run, and that cannot be had.
    #[error(transparent)]
    Memory(#[from] Error),
    /// There is no part of the state with this name.
    #[error("there is no state «{name}»")]
    NoState {
        /// The name that was asked for.
        name: String,
    },
}
