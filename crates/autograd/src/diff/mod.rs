//! Derivatives: sweeps over a tape that record on it what they find, so that it can be differentiated again.

pub(crate) mod marks;
mod parts;
pub(crate) mod reverse;
pub(crate) mod forward;
pub(crate) mod jacobian;
pub(crate) mod checkpoint;
