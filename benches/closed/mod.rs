//! Closed forms by hand, as fast as we can write them: what the tape is measured against.
//!
//! Each form of a net computes the forward pass, the mean softmax cross-entropy, all gradients, and the update; the
//! element-wise one a mean and its gradient. They have no tape, and allocate nothing after they are made.
#![expect(clippy::inline_always, reason = "a body takes the instruction set of the function it is inlined into")]
#![expect(clippy::needless_range_loop, reason = "loops over constant sizes read as the sums of the derivation")]

pub(crate) mod number;
mod level;
mod softmax;
mod activation;
mod rule;
mod hidden;
mod toy;
mod deep;
mod spiral;
mod passes;
mod dense;
mod elementwise;

use crate::contenders::Contender;
use crate::contenders::problem::{Activation, Optimiser, Problem};
use activation::{Relu, Sigmoid, Tanh};
use deep::DeepNet;
use dense::Dense;
pub(crate) use elementwise::Elementwise;
use number::Number;
use rule::{Adam, Momentum, Sgd};
use spiral::Spiral;
use toy::ToyNet;

/// The closed form of a net's problem.
///
/// # Panics
/// Where no form is written for it: a net of two layers that is neither of CS231n's needs 10 classes, and only the toy has
/// other activations, penalties and optimisers, one at a time.
pub(crate) fn closed_form<T: Number>(problem: &Problem<T>) -> Box<dyn Contender<T>> {
    let net = problem.net;
    let penalised = net.penalty != 0.0;
    match (net.batch, net.sizes, net.activation, net.optimiser, penalised) {
        (5, [4, 10, 3], Activation::Relu, Optimiser::Sgd, false) => {
            Box::new(ToyNet::<T, Relu, Sgd, false>::new(problem))
        }
        (5, [4, 10, 3], Activation::Relu, Optimiser::Sgd, true) => Box::new(ToyNet::<T, Relu, Sgd, true>::new(problem)),
        (5, [4, 10, 3], Activation::Tanh, Optimiser::Sgd, false) => {
            Box::new(ToyNet::<T, Tanh, Sgd, false>::new(problem))
        }
        (5, [4, 10, 3], Activation::Sigmoid, Optimiser::Sgd, false) => {
            Box::new(ToyNet::<T, Sigmoid, Sgd, false>::new(problem))
        }
        (5, [4, 10, 3], Activation::Relu, Optimiser::Momentum, false) => {
            Box::new(ToyNet::<T, Relu, Momentum, false>::new(problem))
        }
        (5, [4, 10, 3], Activation::Relu, Optimiser::Adam, false) => {
            Box::new(ToyNet::<T, Relu, Adam<T>, false>::new(problem))
        }
        (5, [4, 10, 10, 3], Activation::Relu, Optimiser::Sgd, false) => Box::new(DeepNet::new(problem)),
        (_, [2, _, 3], Activation::Relu, Optimiser::Sgd, false) => Box::new(Spiral::<T, 2, 3, 16>::new(problem)),
        (_, _, Activation::Relu, Optimiser::Sgd, false) => Box::new(Dense::<T, 10>::new(problem)),
        _ => panic!("no closed form is written for {net:?}"),
    }
}
