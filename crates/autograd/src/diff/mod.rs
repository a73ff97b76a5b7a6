//! Derivatives: sweeps over a tape that record on it what they find, so that it can be differentiated again.

pub(crate) mod marks;
pub(crate) mod reverse;
pub(crate) mod forward;
pub(crate) mod jacobian;
pub(crate) mod checkpoint;
