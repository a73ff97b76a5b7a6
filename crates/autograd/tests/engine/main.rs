//! What the engine means and says, whichever instruction set its kernels take.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../shared/random.rs"]
mod random;
#[path = "../shared/outcome.rs"]
mod outcome;
mod derivatives;
mod third_order;
mod scan;
mod semantics;
mod errors;
mod sizes;
mod by_shape;
mod chain;
mod review;
mod replay_fuzz;
mod replay_elements;
