//! Small neural nets on the autograd tape: layers, initialisers, optimisers, data and training.
//!
//! A model is a generic struct: [`Mlp<Tensor>`](Mlp) is stored and updated, `tape.vars(&model)` gives `Mlp<Var>`,
//! which computes and is differentiated. Everything here uses only what any user of [`autograd`] could use, so a layer
//! or an optimiser of your own stands on the same footing. Losses are expressions of variables:
//! [`Var::cross_entropy`](autograd::Var::cross_entropy) of scores, or [`Var::mse`](autograd::Var::mse), which
//! refuses a target of another shape.
//!
//! ```
//! use nn::data::{Csv, IRIS_CSV, Standardiser};
//! use nn::{Activation, Adam, Dataset, Mlp, Trainer, accuracy};
//!
//! # fn main() -> Result<(), nn::Error> {
//! let data: Dataset = Csv::new("species").parse("iris.csv", IRIS_CSV)?;
//! let (train, test) = data.split_stratified(1.0 / 3.0, 0);
//! let scale = Standardiser::fit(&train);
//! let (train, test) = (scale.apply(&train), scale.apply(&test));
//!
//! let mut net = Mlp::new(&[4, 16, 3], Activation::Tanh, 0);
//! Trainer::new(16, 0).fit(
//!     30,
//!     &mut net,
//!     &mut Adam::new(0.01),
//!     &train,
//!     |net, x, labels| net.forward(x).cross_entropy(labels),
//!     |epoch, loss| println!("epoch {epoch}: {loss:.3}"),
//! )?;
//! assert!(accuracy(&net.predict(test.features()), test.labels()) > 0.9);
//! # Ok(())
//! # }
//! ```

mod any_number;
mod context;
mod random;
pub mod layers;
pub mod losses;
pub mod measure;
pub mod optim;
pub mod data;
pub mod train;
pub mod sweep;
mod error;
mod fault;
mod pattern;
mod replace;
pub mod file;
mod shared;
#[cfg(any(doc, doctest))]
pub mod guide;

pub use context::Context;
pub use data::Dataset;
pub use error::{Error, Kind, shown};
pub use fault::{Fault, Mismatch};
pub use file::{load, save};
pub use layers::{Activation, Init, Linear, Mlp};
pub use measure::{accuracy, classes};
pub use optim::{Adam, Optimiser, Rule, Sgd};
pub use random::{Generator, generator};
pub use train::{Fit, Fitted, Learner, Recipe, Trainer, Trial, fit};
