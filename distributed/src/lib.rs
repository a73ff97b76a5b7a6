//! Data-parallel training of nets of the crate [`nn`] through MPI, to the same bits whatever the number of processes.
//!
//! Each batch is cut into a fixed number of *shards*. The shards are dealt out to the processes that MPI has started (*ranks*); the gradients
//! of all shards come to all ranks, which add them up in the order of the shards and make the same step. So losses and parameters do not
//! depend on how many ranks there are, and a run may go on with more or fewer of them.
//!
//! ```no_run
//! use nn::data::{Batcher, Csv, IRIS_CSV, Standardiser};
//! use nn::{Activation, Adam, Dataset, Mlp};
//! use nn_mpi::{Learner, Ranks};
//! use std::process::ExitCode;
//!
//! fn main() -> ExitCode {
//!     nn_mpi::run(train) // mpirun -n 2 target/release/this
//! }
//!
//! fn train(ranks: &Ranks) -> Result<(), Box<dyn std::error::Error>> {
//!     let iris: Dataset = Csv::new("species").parse("iris.csv", IRIS_CSV)?;
//!     let iris = Standardiser::fit(&iris).apply(&iris);
//!     let mut batches = Batcher::new(&iris, 32, 0);
//!     let net = Mlp::new(&[4, 16, 3], Activation::Tanh, 0);
//!     let mut learner = Learner::new(ranks, net, Adam::new(0.01), |net, batch| batch.loss(net.forward(batch.features)));
//!     for epoch in 0..20 {
//!         let loss = learner.epoch(&mut batches, epoch)?;
//!         if ranks.is_first() {
//!             println!("{epoch} {loss}");
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! Every rank runs the same program: what is the same in [`nn`] for the same seed is the same on all of them. Where they part ways all the
//! same (another batch, another rate, another number of steps), or one of them fails or panics, all are told so by an [`Error`] at their next
//! step, and [`run`] ends each with a status that is not 0. A rank that is killed is noticed by `mpirun`, which ends the others; one that
//! does not answer, by the patience of the others ([`Ranks::set_patience`]). See [`Learner::put`] for going on from a checkpoint.

mod error;
mod ranks;
mod run;
mod shards;
mod print;
mod learner;
mod guard;

pub use error::{Error, Kind};
pub use learner::Learner;
pub use ranks::Ranks;
pub use run::run;
pub use shards::weight;

/// The numbers that a net may have and that MPI sends: `f32` and `f64`.
pub trait Number: autograd::Float + mpi::traits::Equivalence {}
impl<T: autograd::Float + mpi::traits::Equivalence> Number for T {}
