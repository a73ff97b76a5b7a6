//! Optimisers: they change parameters in place, given gradients of the same structure.
//!
//! Options are public fields, which may change between steps; a schedule of the rate is an assignment:
//!
//! ```
//! use autograd::Tensor;
//! use nn::{Optimiser, Sgd};
//! let mut w = Tensor::from([1.0, 2.0]);
//! let mut sgd = Sgd { momentum: 0.9, ..Sgd::new(0.1) };
//! for step in 0..10 {
//!     sgd.rate = 0.1 / f64::from(1 + step);
//!     let gradient = w.map(|w| 2.0 * w); // of Σ w²
//!     sgd.step(&mut w, &gradient);
//! }
//! ```

mod state;
mod sgd;
mod adam;
mod second;

pub use adam::Adam;
pub use second::{Lbfgs, LineSearch, Report, Stopped};
pub use sgd::Sgd;
pub use state::State;

use autograd::{Float, Tensor, Tree};

/// A rule that improves parameters step by step.
pub trait Optimiser<T: Float> {
    /// Changes the parameters in place, given gradients of the same structure. After the first step this allocates
    /// nothing, as long as no one else holds the parameters' buffers. Both are tensors: of gradients that are variables,
    /// `tape.values(&grads)` gives them.
    ///
    /// # Panics
    /// Where the structures of parameters and gradients differ, or the optimiser has made steps on parameters of
    /// another structure. Nothing is changed then.
    #[track_caller]
    fn step(&mut self, params: &mut impl Tree<Leaf = Tensor<T>>, grads: &impl Tree<Leaf = Tensor<T>>);
}
