//! What derivatives, tapes and programs mean where they meet: recomputed parts, rules that differentiate, `no_grad`,
//! several tapes, operations that panic. Each case once gave another value, which its test names.

mod operations;
mod checkpoints;
mod rules;
mod constants;
mod tapes;
mod programs;
mod shared_inputs;
mod finite;
mod structures;
mod arithmetic;
mod convolutions;
mod indices;
