//! What derivatives, tapes and programs mean where they meet: recomputed parts, rules that differentiate, `no_grad`,
//! several tapes, operations that panic. Each case once gave another value, which its test names.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "random/mod.rs"]
mod random;
#[path = "semantics/operations.rs"]
mod operations;
#[path = "semantics/checkpoints.rs"]
mod checkpoints;
#[path = "semantics/rules.rs"]
mod rules;
#[path = "semantics/constants.rs"]
mod constants;
#[path = "semantics/tapes.rs"]
mod tapes;
#[path = "semantics/programs.rs"]
mod programs;
#[path = "semantics/finite.rs"]
mod finite;
#[path = "semantics/structures.rs"]
mod structures;
#[path = "semantics/arithmetic.rs"]
mod arithmetic;
