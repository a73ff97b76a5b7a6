//! What can be wrong with data that comes from outside.

use autograd::Shape;

/// Why a network, its examples or a file of data cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An array whose shape does not fit the others.
    #[error("{name} must have shape {expected}, it has {actual}")]
    Shape {
        /// The array: `X`, `W1`, `b1`, `W2` or `b2`.
        name: &'static str,
        /// What the other arrays ask for.
        expected: String,
        /// What it has.
        actual: Shape,
    },
    /// A slice whose length does not fit the sizes.
    #[error("{name} must have {expected} elements, it has {actual}")]
    Length {
        /// The array: `X`, `W1`, `b1`, `W2`, `b2` or `labels`.
        name: &'static str,
        /// What the sizes ask for.
        expected: usize,
        /// What it has.
        actual: usize,
    },
    /// A label that names no class.
    #[error("label {label} of example {example} is out of range for {classes} classes")]
    Label {
        /// The label.
        label: usize,
        /// Which example has it, counted from 0.
        example: usize,
        /// How many classes there are.
        classes: usize,
    },
    /// A mean over no examples.
    #[error("the mean loss of an empty batch does not exist")]
    EmptyBatch,
    /// The name of no activation.
    #[error("unknown activation {0:?}; there are identity, relu, tanh and sigmoid")]
    Activation(String),
    /// Text that is not JSON.
    #[error("the data is not JSON")]
    Json(#[from] serde_json::Error),
    /// A field of JSON data that is missing or of another form.
    #[error("field {field} must be {expected}")]
    Field {
        /// Its path.
        field: String,
        /// What it should be.
        expected: String,
    },
}
