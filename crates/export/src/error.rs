//! Why something cannot be taken elsewhere.

use std::fmt;
use std::panic::Location;

/// Why something cannot be taken elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// An operation has no counterpart there.
    Operation {
        /// Its name.
        op: String,
        /// The line that recorded it.
        location: &'static Location<'static>,
        /// Where it was to go.
        target: &'static str,
        /// Why not.
        why: String,
    },
    /// What is recorded is not the same for each size of the batch.
    Batch {
        /// The line that recorded what differs.
        location: &'static Location<'static>,
        /// What differs.
        what: String,
    },
    /// Inputs, outputs or a name that cannot be.
    Port(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operation { op, location, target, why } => {
                write!(f, "`{op}`, recorded at {location}, cannot be taken to {target}: {why}")
            }
            Self::Batch { location, what } => {
                write!(f, "a batch of any size cannot be exported: {what}, recorded at {location}, depends on the size")
            }
            Self::Port(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}
