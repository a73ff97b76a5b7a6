//! What must hold at each instruction set: `.ci/run` runs this binary once for every level that the CPU has.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../shared/random.rs"]
mod random;
#[path = "../shared/nets.rs"]
mod nets;
#[path = "../shared/level.rs"]
mod level;
#[path = "../shared/choices.rs"]
mod choices;
mod sums;
mod edges;
mod regressions;
mod properties;
mod replay;
mod replay_nets;
mod replay_chains;
mod replay_side_by_side;
mod replay_rows;
mod replay_windows;
mod replay_random_nets;
mod replay_random_rows;
mod repeated_steps;
mod questions;
mod random_programs;
mod random_numbers;
