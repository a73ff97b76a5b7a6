//! Takes a trained net elsewhere: ONNX for runtimes of all languages, C and Rust source that needs no allocation, and JSON.
//!
//! A [`Forward`] is any pass that was recorded on a tape: layers of one's own, convolutions, attention. A [`Model`](nn::file::Model) brings
//! its columns with it: what is exported takes rows as they come, words and missing cells and all, and gives classes with their
//! probabilities, or values in their own unit; see [`model`].

mod error;
mod formula;
mod forward;
mod strided;
mod onnx;
mod source;
pub mod model;

pub use error::Error;
pub use forward::{Forward, Number, Recorder};
pub use source::identifier;
