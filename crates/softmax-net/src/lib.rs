//! The CS231n toy network on the tape, its closed form, and the derivation checked line by line.
//!
//! The derivation is that of the post "Backpropogating Softmax Layer of a Neural Network" (20 May 2017): a network
//! of one hidden layer, scores, softmax and cross-entropy, differentiated by hand. Three accounts of it stand here
//! side by side:
//!
//! - [`toy`]: the network as an expression on a tape, which the engine differentiates;
//! - [`closed_form`]: the post's formulas, and those beyond it, on plain slices without a tape;
//! - [`finite_differences`]: derivatives from values alone.
//!
//! [`derivation`] compares the three, equation by equation, and names the post's slips. [`published`] holds the data
//! that the numbers of CS231n come from, and [`printed`] compares what the assignment prints with what is computed here.
//!
//! ```
//! use softmax_net::{derivation, published::Published};
//! let Published { net, x, labels, .. } = Published::embedded();
//! let report = derivation::check(&net, &x, &labels)?;
//! assert!(report.passed(), "{report}");
//! # Ok::<(), softmax_net::Error>(())
//! ```
//!
//! # Names
//! For `N` examples, `D` features, `H` hidden nodes, `K` classes, and any activation `f`:
//!
//! | name | formula | shape |
//! |---|---|---|
//! | `Z1` | `X W1 + b1` | `N × H` |
//! | `O1` | `f(Z1)` | `N × H` |
//! | `S` | `O1 W2 + b2`, the scores | `N × K` |
//! | `U` | `exp(S)`, probabilities before they are normalised | `N × K` |
//! | `O2` | `U[i,k] / Σ_p U[i,p]`, the probabilities | `N × K` |
//! | `L_i` | `−ln O2[i, y_i]` | `N` |
//! | `L` | `Σ_i L_i`, or their mean; see [`Convention`] | scalar |

mod error;
mod activation;
mod sizes;
pub mod toy;
pub mod closed_form;
pub mod finite_differences;
pub mod derivation;
pub mod published;
pub mod printed;

pub use activation::Activation;
pub use error::Error;
pub use sizes::{Convention, Sizes};
pub use toy::{Forward, Gradients, Toy};
