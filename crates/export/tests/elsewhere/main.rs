//! What is exported, compiled and run elsewhere: by a C compiler, by cargo without a standard library, by a runtime of ONNX.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod models;
mod passes;
mod random;
mod source;
mod onnx;
mod refused;
