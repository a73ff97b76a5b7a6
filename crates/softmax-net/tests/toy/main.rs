//! What the crate promises to whoever uses it. `.ci/run` runs this once for every instruction set that the CPU has.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../nn/tests/net/rows.rs"]
mod rows;
mod published;
mod derivation;
mod slips;
mod agreement;
mod errors;
