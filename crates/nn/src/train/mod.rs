//! Training: pieces for a loop of your own, and loops that are made of them.
//!
//! Each piece is a plain value that can be printed, cloned and saved; none of them owns the loop:
//!
//! ```
//! use autograd::{Tape, Tensor};
//! use nn::train::{Best, Better, EarlyStop, History};
//! use nn::{Optimiser, Sgd};
//!
//! let (mut tape, mut w, mut sgd) = (Tape::new(), Tensor::from([4.0, -2.0]), Sgd::new(0.1));
//! let (mut history, mut stop, mut best) = (History::default(), EarlyStop::new(5), Best::new(Better::Lower));
//! for epoch in 1..=1000 {
//!     let (loss, grads) = tape.value_and_grad(&w, |_, w| w.square().sum().sqrt()); // the norm: it ends in a zigzag
//!     history.push(&[("epoch", f64::from(epoch)), ("loss", loss)]);
//!     best.offer(loss, &w);
//!     if stop.stop(loss) {
//!         break;
//!     }
//!     sgd.step(&mut w, &grads);
//! }
//! let w = best.params.expect("a loss was a number");
//! assert!(history.len() < 100 && w.as_slice().iter().all(|w| w.abs() < 0.1));
//! ```

mod better;
mod history;
mod events;
mod early_stop;
mod best;
mod progress;
mod guard;
mod summary;
mod range_test;
mod pieces;
mod learner;
mod watch;
mod fit;
mod recipe;
mod trainer;

pub use best::Best;
pub use better::Better;
pub use early_stop::EarlyStop;
pub use events::Events;
pub use fit::{Fit, fit};
pub use guard::{Diverged, NanGuard};
pub use history::History;
pub use learner::Learner;
pub use progress::{Progress, Report};
pub use range_test::{RangeTest, range_test};
pub use recipe::{Fitted, Recipe, Trial, Trying, Watched};
pub use summary::{Part, Summary, summary};
pub use trainer::Trainer;
pub use watch::{Answer, Ended, Fitting, Moment};
