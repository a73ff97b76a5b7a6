//! Steps of one size, against the sign of a mean of gradients.

use crate::optim::{Memory, Rule, Setting, Step};
use autograd::Float;

/// Lion (Chen et al., "Symbolic discovery of optimization algorithms", 2023, algorithm 2), with decoupled weight decay. For a
/// parameter `p` with gradient `g`:
///
/// ```text
/// p ← p − rate · weight_decay · p
/// p ← p − rate · sign(β₁ m + (1 − β₁) g)
/// m ← β₂ m + (1 − β₂) g
/// ```
///
/// ```
/// use autograd::Tensor;
/// use nn::optim::{Lion, Optimiser};
/// let (mut p, mut rule) = (Tensor::from([1.0, 2.0]), Lion::new(0.25));
/// rule.step(&mut p, &Tensor::from([1e-9, -7.0]));
/// assert_eq!(p.as_slice(), [0.75, 2.25]);
/// ```
#[derive(Clone, Debug)]
pub struct Lion<T: Float = f64> {
    /// The learning rate, which is the size of a step.
    pub rate: f64,
    /// `β₁`, how much the mean counts beside the gradient in a step.
    pub beta1: f64,
    /// `β₂`, how much of the mean is kept from step to step.
    pub beta2: f64,
    /// How strongly parameters are drawn to 0.
    pub weight_decay: f64,
    /// Whether the function is made large instead of small.
    pub maximize: bool,
    /// The `mean` of the gradients.
    pub memory: Memory<T>,
}

impl<T: Float> Lion<T> {
    /// With the constants of the paper, `β₁ = 0.9`, `β₂ = 0.99`, and no weight decay; its rate is 1e-4.
    pub fn new(rate: f64) -> Self {
        Self { rate, beta1: 0.9, beta2: 0.99, weight_decay: 0.0, maximize: false, memory: Memory::default() }
    }
}

impl<T: Float> Rule<T> for Lion<T> {
    held!("Lion", beta1);

    fn settings(&self, each: &mut dyn FnMut(Setting)) {
        each(Setting::rate(self.rate));
        each(Setting::share("beta1", self.beta1).moving());
        each(Setting::share("beta2", self.beta2));
        each(Setting::number("weight_decay", self.weight_decay));
        each(Setting::flag("maximize", self.maximize));
    }

    fn advance<'t>(&self, step: &mut Step<'t, T>) {
        step.maximise(self.maximize);
        step.decay(self.weight_decay, true);
        let beta1 = step.momentum(self.beta1);
        step.each(|leaf, memory| {
            let ahead = beta1 * memory.of("mean", leaf, 0.0) + (T::ONE - beta1) * leaf.grad;
            memory.average("mean", leaf, leaf.grad, self.beta2);
            leaf.grad = ahead.sign();
        });
        step.descend(step.rate);
    }
}
