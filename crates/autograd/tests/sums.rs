//! The order of sums: long sums are right in `f32` too, whatever they run over, and have the same bits in whatever way
//! they are computed.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod nets;
#[path = "sums/drift.rs"]
mod drift;
#[path = "sums/levels.rs"]
mod levels;
#[path = "sums/replay.rs"]
mod replay;
