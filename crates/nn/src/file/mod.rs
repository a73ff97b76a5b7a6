//! One file: weights, checkpoints and models in safetensors.
//!
//! | | |
//! |---|---|
//! | [`save()`], [`load()`] | the tensors of a net, under their paths: `layers.0.weight` |
//! | [`Loading`], [`Rename`] | a part of them, other number types, names and layouts of other frameworks |
//! | [`Stored`] | what a file holds, as plain values |
//! | [`Model`] | a net that predicts rows as they come; [`Predictor`] for one of your own |
//! | [`Checkpoint`] | all that the next step of training depends on |
//!
//! The format is that of the `safetensors` crate: PyTorch reads it by `safetensors.torch.load_file`. Weights are stored as they
//! are in memory, which is PyTorch's layout: `Linear.weight` is `[out, in]`. Keras has `[in, out]`: see [`Rename::Transpose`].
//!
//! A file is written to a temporary name beside it, synced and renamed, so that at every moment the old one or the new one is
//! there as a whole. A file that does not fit is told with all that differs, and nothing in the net is replaced then.

mod header;
mod stored;
mod names;
mod weights;
mod versioned;
mod checkpoint;
mod predictor;
mod model;

pub use checkpoint::{Checkpoint, GeneratorState};
pub use model::{Model, Prediction};
pub use names::Rename;
pub use predictor::{Predictor, RowVars};
pub use stored::Stored;
pub use weights::{Loaded, Loading, Saving, load, save};
