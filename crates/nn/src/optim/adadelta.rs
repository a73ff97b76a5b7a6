//! Steps as large as the last ones were, in the measure of the gradients.

use crate::optim::{Memory, Rule, Setting, Step};
use autograd::Float;

/// Adadelta (Zeiler, "ADADELTA: an adaptive learning rate method", 2012, algorithm 1), as PyTorch defines it. For a parameter `p`
/// with gradient `g`:
///
/// ```text
/// g ← g + weight_decay · p
/// v ← ρ v + (1 − ρ) g²
/// d = √(u + ε) / √(v + ε) · g,        u ← ρ u + (1 − ρ) d²
/// p ← p − rate · d
/// ```
///
/// ```
/// use autograd::Tensor;
/// use nn::optim::{Adadelta, Optimiser};
/// let (mut p, mut rule) = (Tensor::<f64>::scalar(1.0), Adadelta::new(1.0));
/// rule.step(&mut p, &Tensor::scalar(5.0));
/// let d = 1e-3 / 2.500001_f64.sqrt() * 5.0;
/// assert!((p.item() - (1.0 - d)).abs() < 1e-15);
/// ```
#[derive(Clone, Debug)]
pub struct Adadelta<T: Float = f64> {
    /// The learning rate.
    pub rate: f64,
    /// `ρ`, how much of the mean squares is kept from step to step, from 0 to 1.
    pub rho: f64,
    /// `ε`, which the first step is made of.
    pub epsilon: f64,
    /// How strongly parameters are drawn to 0.
    pub weight_decay: f64,
    /// Whether the function is made large instead of small.
    pub maximize: bool,
    /// The mean `square` of the gradients, and that of the steps, `step`.
    pub memory: Memory<T>,
}

impl<T: Float> Adadelta<T> {
    /// With PyTorch's constants, `ρ = 0.9`, `ε = 1e-6`, and no weight decay; its rate is 1.
    pub fn new(rate: f64) -> Self {
        Self { rate, rho: 0.9, epsilon: 1e-6, weight_decay: 0.0, maximize: false, memory: Memory::default() }
    }
}

impl<T: Float> Rule<T> for Adadelta<T> {
    held!("Adadelta");

    fn settings(&self, each: &mut dyn FnMut(Setting)) {
        each(Setting::rate(self.rate));
        each(Setting::within("rho", self.rho, 0.0..=1.0));
        each(Setting::number("epsilon", self.epsilon));
        each(Setting::number("weight_decay", self.weight_decay));
        each(Setting::flag("maximize", self.maximize));
    }

    fn advance<'t>(&self, step: &mut Step<'t, T>) {
        step.maximise(self.maximize);
        step.decay(self.weight_decay, false);
        step.each(|leaf, memory| {
            let square = memory.average("square", leaf, leaf.grad.square(), self.rho);
            let last = memory.of("step", leaf, 0.0);
            leaf.grad = (last + self.epsilon).sqrt() / (square + self.epsilon).sqrt() * leaf.grad;
            memory.average("step", leaf, leaf.grad.square(), self.rho);
        });
        step.descend(step.rate);
    }
}
