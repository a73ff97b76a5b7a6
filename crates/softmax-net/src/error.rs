//! What can be wrong with data that comes from outside.

use autograd::Shape;
use std::fmt;

/// Why a network, its examples or a file of data cannot be used.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// An array whose shape does not fit the others.
    Shape {
        /// The array: `X`, `W1`, `b1`, `W2` or `b2`.
        name: &'static str,
        /// What the other arrays ask for.
        expected: String,
        /// What it has.
        actual: Shape,
    },
    /// A slice whose length does not fit the sizes.
    Length {
        /// The array: `X`, `W1`, `b1`, `W2`, `b2` or `labels`.
        name: &'static str,
        /// What the sizes ask for.
        expected: usize,
        /// What it has.
        actual: usize,
    },
    /// A label that names no class.
    Label {
        /// The label.
        label: usize,
        /// Which example has it, counted from 0.
        example: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A mean over no examples.
    EmptyBatch,
    /// The name of no activation.
    Activation(String),
    /// Text that is not JSON.
    Json(serde_json::Error),
    /// A field of JSON data that is missing or of another form.
    Field {
        /// Its path.
        field: String,
        /// What it should be.
        expected: String,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shape { name, expected, actual } => write!(f, "{name} must have shape {expected}, it has {actual}"),
            Self::Length { name, expected, actual } => {
                write!(f, "{name} must have {expected} elements, it has {actual}")
            }
            Self::Label { label, example, classes } => {
                write!(f, "label {label} of example {example} is out of range for {classes} classes")
            }
            Self::EmptyBatch => f.write_str("the mean loss of an empty batch does not exist"),
            Self::Activation(name) => {
                write!(f, "unknown activation {name:?}; there are identity, relu, tanh and sigmoid")
            }
            Self::Json(_) => f.write_str("the data is not JSON"),
            Self::Field { field, expected } => write!(f, "field {field} must be {expected}"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Json(error) = self { Some(error) } else { None }
    }
}

impl From<serde_json::Error> for Error {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}
