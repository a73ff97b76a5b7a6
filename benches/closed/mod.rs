//! The closed form of a training step by hand, as fast as we can write it: what the tape is measured against.
//!
//! Each form computes the forward pass, the mean softmax cross-entropy, all gradients, and the SGD update, without
//! a tape, and without an allocation after it is made.
#![expect(clippy::inline_always, reason = "a body takes the instruction set of the function it is inlined into")]
#![expect(clippy::needless_range_loop, reason = "loops over constant sizes read as the sums of the derivation")]

pub(crate) mod number;
mod level;
mod softmax;
mod toy;
mod spiral;
mod passes;
mod dense;

use crate::contenders::Contender;
use crate::contenders::problem::Problem;
use dense::Dense;
use number::Number;
use spiral::Spiral;
use toy::ToyNet;

/// The closed form of a problem.
///
/// # Panics
/// Where no form is written for its sizes: a net of two layers that is neither of CS231n's needs 10 classes.
pub(crate) fn closed_form<T: Number>(problem: &Problem<T>) -> Box<dyn Contender<T>> {
    match (problem.workload.batch, problem.workload.sizes) {
        (5, [4, 10, 3]) => Box::new(ToyNet::new(problem)),
        (_, [2, _, 3]) => Box::new(Spiral::<T, 2, 3, 16>::new(problem)),
        _ => Box::new(Dense::<T, 10>::new(problem)),
    }
}
