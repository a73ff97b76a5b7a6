//! Closed forms by hand, as fast as we can write them: what the tape is measured against.
//!
//! Each form of a net computes the forward pass, the mean softmax cross-entropy, all gradients, and the update; the
//! element-wise one a mean and its gradient. They have no tape, and allocate nothing after they are made.
#![expect(clippy::inline_always, reason = "a body takes the instruction set of the function it is inlined into")]
#![expect(clippy::needless_range_loop, reason = "loops over constant sizes read as the sums of the derivation")]

pub(crate) mod number;
mod level;
mod softmax;
mod hidden;
mod layers;
mod toy;
mod activation;
mod rule;
mod shallow;
mod deep;
mod spiral;
mod passes;
mod dense;
mod elementwise;

use crate::contenders::Contender;
use crate::contenders::problem::{Activation, Net, Optimiser, Problem};
use activation::{Relu, Sigmoid, Tanh};
use deep::DeepNet;
use dense::Dense;
pub(crate) use elementwise::Elementwise;
use number::Number;
use rule::{Adam, Momentum, Sgd};
use shallow::ShallowNet;
use spiral::Spiral;
use toy::ToyNet;

/// The closed form of a net's problem.
///
/// # Panics
/// Where no form is written for it: a net of two layers that is neither of CS231n's needs 10 classes, and only the toy has
/// variants, with one thing changed.
pub(crate) fn closed_form<T: Number>(problem: &Problem<T>) -> Box<dyn Contender<T>> {
    let net = problem.net;
    let plain = net == Net::new(net.batch, net.sizes);
    match (net.batch, net.sizes, plain) {
        (5, [4, 10, 3], true) => Box::new(ToyNet::new(problem)),
        (5, [4, 10, 3], false) => variant(problem),
        (5, [4, 10, 10, 3], true) => Box::new(DeepNet::new(problem)),
        (_, [2, _, 3], true) => Box::new(Spiral::<T, 2, 3, 16>::new(problem)),
        (_, _, true) => Box::new(Dense::<T, 10>::new(problem)),
        (_, _, false) => panic!("no closed form is written for {net:?}"),
    }
}

/// The toy network with one thing changed.
fn variant<T: Number>(problem: &Problem<T>) -> Box<dyn Contender<T>> {
    let Net { activation, penalty, optimiser, .. } = problem.net;
    match (activation, penalty != 0.0, optimiser) {
        (Activation::Relu, false, Optimiser::Sgd) => Box::new(ToyNet::new(problem)), // of another layout
        (Activation::Relu, true, Optimiser::Sgd) => Box::new(ShallowNet::<T, Relu, Sgd, true>::new(problem)),
        (Activation::Tanh, false, Optimiser::Sgd) => Box::new(ShallowNet::<T, Tanh, Sgd, false>::new(problem)),
        (Activation::Sigmoid, false, Optimiser::Sgd) => Box::new(ShallowNet::<T, Sigmoid, Sgd, false>::new(problem)),
        (Activation::Relu, false, Optimiser::Momentum) => {
            Box::new(ShallowNet::<T, Relu, Momentum, false>::new(problem))
        }
        (Activation::Relu, false, Optimiser::Adam) => Box::new(ShallowNet::<T, Relu, Adam<T>, false>::new(problem)),
        _ => panic!("no closed form is written for {:?}", problem.net),
    }
}
