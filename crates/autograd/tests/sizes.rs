//! Sizes that no tensor can have, options that no shape can follow, and memory that cannot be had: a value or an error by
//! name, the same in debug and release builds, never another panic, an abort, or a wrong number of elements.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod random;
mod outcome;
#[path = "sizes/rows.rs"]
mod rows;
#[path = "sizes/memory.rs"]
mod memory;
#[path = "sizes/absurd.rs"]
mod absurd;
