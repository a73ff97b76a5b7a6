//! Steps whose sizes follow the signs of the gradients.

use crate::optim::{Memory, Rule, Setting, Step};
use autograd::Float;
use std::ops::Bound;

/// Rprop (Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning", 1993), as PyTorch defines it: for
/// gradients of all examples, not of batches. For a parameter `p` with gradient `g` and a step size `s`, which is the rate at first:
///
/// ```text
/// s ← grow · s        where g has the sign of the step before; shrink · s where it has the other; within least and most
/// g ← 0               where it has the other
/// p ← p − s · sign g
/// ```
///
/// Only signs count, also of gradients that are next to nothing: those of a class whose rows are all named with certainty are what
/// they are here, where PyTorch's are what rounding `p − 1` leaves of them, so that its steps may part from these.
///
/// ```
/// use autograd::Tensor;
/// use nn::optim::{Optimiser, Rprop};
/// let (mut p, mut rule) = (Tensor::<f64>::scalar(1.0), Rprop::new(0.1));
/// for gradient in [3.0, 0.2, -5.0, -1.0] {
///     rule.step(&mut p, &Tensor::scalar(gradient)); // steps of 0.1, 0.12, none, 0.06 back
/// }
/// assert!((p.item() - 0.84).abs() < 1e-15);
/// ```
#[derive(Clone, Debug)]
pub struct Rprop<T: Float = f64> {
    /// The size of the first step, as a schedule has it then; later ones it does not reach.
    pub rate: f64,
    /// The factor of a step size where the sign changes, between 0 and 1: PyTorch's first `eta`.
    pub shrink: f64,
    /// The factor of a step size where the sign stays, above 1: PyTorch's second `eta`.
    pub grow: f64,
    /// The smallest step size.
    pub least: f64,
    /// The largest step size.
    pub most: f64,
    /// Whether the function is made large instead of small.
    pub maximize: bool,
    /// The last `gradient`, and the `size` of the steps.
    pub memory: Memory<T>,
}

impl<T: Float> Rprop<T> {
    /// With PyTorch's constants: factors 0.5 and 1.2, step sizes from 1e-6 to 50; its rate is 0.01.
    pub fn new(rate: f64) -> Self {
        Self { rate, shrink: 0.5, grow: 1.2, least: 1e-6, most: 50.0, maximize: false, memory: Memory::default() }
    }
}

impl<T: Float> Rule<T> for Rprop<T> {
    held!("Rprop");

    fn settings(&self, each: &mut dyn FnMut(Setting)) {
        each(Setting::rate(self.rate));
        each(Setting::within("shrink", self.shrink, (Bound::Excluded(0.0), Bound::Excluded(1.0))));
        each(Setting::within("grow", self.grow, (Bound::Excluded(1.0), Bound::Unbounded)));
        each(Setting::number("least", self.least));
        each(Setting::within("most", self.most, self.least..));
        each(Setting::flag("maximize", self.maximize));
    }

    fn advance<'t>(&self, step: &mut Step<'t, T>) {
        step.maximise(self.maximize);
        let rate = step.rate;
        step.each(|leaf, memory| {
            let same = leaf.grad * memory.of("gradient", leaf, 0.0);
            let (turned, stays) = (same.lt(0.0), same.gt(0.0));
            let factor = turned.select(self.shrink, stays.select(self.grow, 1.0));
            // A size of 0 is that of no step yet.
            let size = memory.of("size", leaf, 0.0);
            let size = size.gt(0.0).select(size, leaf.scaled(rate)) * factor;
            let size = size.maximum(self.least).minimum(self.most);
            let grad = turned.select(0.0, leaf.grad);
            memory.keep("size", leaf, size);
            memory.keep("gradient", leaf, grad);
            leaf.value -= grad.sign() * size;
        });
    }
}
