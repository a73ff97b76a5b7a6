//! Adam with the largest gradient in place of the mean square.

use crate::optim::{Memory, Rule, Setting, Step, shortfall_by};
use autograd::Float;

/// `Adamax` (Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 2), as PyTorch defines it. For a
/// parameter `p` with gradient `g`, at step `t = 1, 2, …`:
///
/// ```text
/// g ← g + weight_decay · p
/// m ← β₁ m + (1 − β₁) g,              u ← max(β₂ u, |g| + ε)
/// p ← p − rate / (1 − β₁^t) · m / u
/// ```
///
/// ```
/// use autograd::Tensor;
/// use nn::optim::{Adamax, Optimiser};
/// let (mut p, mut rule) = (Tensor::<f64>::from([3.0, -2.0]), Adamax::new(0.1));
/// for _ in 0..500 {
///     let gradient = p.map(|p| 2.0 * p); // of Σ p²
///     rule.step(&mut p, &gradient);
/// }
/// assert!(p.as_slice().iter().all(|p| p.abs() < 0.2), "{p:?}");
/// ```
#[derive(Clone, Debug)]
pub struct Adamax<T: Float = f64> {
    /// The learning rate.
    pub rate: f64,
    /// `β₁`, how much of the mean of the gradients is kept from step to step.
    pub beta1: f64,
    /// `β₂`, how much of the largest gradient is kept.
    pub beta2: f64,
    /// `ε`, against division by 0.
    pub epsilon: f64,
    /// How strongly parameters are drawn to 0.
    pub weight_decay: f64,
    /// Whether the function is made large instead of small.
    pub maximize: bool,
    /// The `mean` and the `largest` gradient, and the number of `steps`.
    pub memory: Memory<T>,
}

impl<T: Float> Adamax<T> {
    /// With PyTorch's constants, `β₁ = 0.9`, `β₂ = 0.999`, `ε = 1e-8`, and no weight decay; its rate is 0.002.
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            maximize: false,
            memory: Memory::default(),
        }
    }
}

impl<T: Float> Rule<T> for Adamax<T> {
    held!("Adamax", beta1);

    fn settings(&self, each: &mut dyn FnMut(Setting)) {
        each(Setting::rate(self.rate));
        each(Setting::share("beta1", self.beta1).moving());
        each(Setting::share("beta2", self.beta2));
        each(Setting::number("epsilon", self.epsilon));
        each(Setting::number("weight_decay", self.weight_decay));
        each(Setting::flag("maximize", self.maximize));
    }

    fn advance<'t>(&self, step: &mut Step<'t, T>) {
        step.maximise(self.maximize);
        step.decay(self.weight_decay, false);
        let (t, beta1) = (step.count(), step.momentum(self.beta1));
        let rate = step.rate / shortfall_by(beta1, t);
        step.each(|leaf, memory| {
            let mean = memory.average_by("mean", leaf, leaf.grad, beta1);
            let largest = (memory.of("largest", leaf, 0.0) * self.beta2).maximum(leaf.grad.abs() + self.epsilon);
            memory.keep("largest", leaf, largest);
            leaf.grad = mean / largest;
        });
        step.descend(rate);
    }
}
