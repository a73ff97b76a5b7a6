//! Closed forms by hand, as fast as we can write them: what the tape is measured against.
//!
//! Each form of a net computes the forward pass, the mean softmax cross-entropy, all gradients, and the SGD update; the
//! element-wise one a mean and its gradient. They have no tape, and allocate nothing after they are made.
#![expect(clippy::inline_always, reason = "a body takes the instruction set of the function it is inlined into")]
#![expect(clippy::needless_range_loop, reason = "loops over constant sizes read as the sums of the derivation")]

pub(crate) mod number;
mod level;
mod softmax;
mod toy;
mod spiral;
mod passes;
mod dense;
mod elementwise;

use crate::contenders::Contender;
use crate::contenders::problem::Problem;
use dense::Dense;
pub(crate) use elementwise::Elementwise;
use number::Number;
use spiral::Spiral;
use toy::ToyNet;

/// The closed form of a net's problem.
///
/// # Panics
/// Where no form is written for its sizes: a net of two layers that is neither of CS231n's needs 10 classes.
pub(crate) fn closed_form<T: Number>(problem: &Problem<T>) -> Box<dyn Contender<T>> {
    match (problem.net.batch, problem.net.sizes) {
        (5, [4, 10, 3]) => Box::new(ToyNet::new(problem)),
        (_, [2, _, 3]) => Box::new(Spiral::<T, 2, 3, 16>::new(problem)),
        _ => Box::new(Dense::<T, 10>::new(problem)),
    }
}
