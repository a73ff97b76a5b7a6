//! Adam that waits until its mean square is one of enough gradients.

use crate::optim::{Memory, Rule, Setting, Step, shortfall, shortfall_by};
use autograd::Float;

/// `RAdam` (Liu et al., "On the variance of the adaptive learning rate and beyond", 2020, algorithm 2), as PyTorch defines it.
/// For a parameter `p` with gradient `g`, at step `t = 1, 2, …`:
///
/// ```text
/// g ← g + weight_decay · p            or, decoupled, p ← p − rate · weight_decay · p
/// m ← β₁ m + (1 − β₁) g,              v ← β₂ v + (1 − β₂) g²
/// ρ_∞ = 2 / (1 − β₂) − 1,             ρ_t = ρ_∞ − 2 t β₂^t / (1 − β₂^t)
/// p ← p − rate · m̂ · r √(1 − β₂^t) / (√v + ε)    where ρ_t > 5, or else p − rate · m̂
///     with m̂ = m / (1 − β₁^t), r = √((ρ_t − 4) (ρ_t − 2) ρ_∞ / ((ρ_∞ − 4) (ρ_∞ − 2) ρ_t))
/// ```
///
/// ```
/// use autograd::Tensor;
/// use nn::optim::{RAdam, Optimiser};
/// let (mut p, mut rule) = (Tensor::<f64>::from([3.0, -2.0]), RAdam::new(0.1));
/// for _ in 0..500 {
///     let gradient = p.map(|p| 2.0 * p); // of Σ p²
///     rule.step(&mut p, &gradient);
/// }
/// assert!(p.as_slice().iter().all(|p| p.abs() < 0.2), "{p:?}");
/// ```
#[derive(Clone, Debug)]
pub struct RAdam<T: Float = f64> {
    /// The learning rate.
    pub rate: f64,
    /// `β₁`, how much of the mean of the gradients is kept from step to step.
    pub beta1: f64,
    /// `β₂`, how much of the mean of their squares is kept.
    pub beta2: f64,
    /// `ε`, against division by 0.
    pub epsilon: f64,
    /// How strongly parameters are drawn to 0.
    pub weight_decay: f64,
    /// Whether the decay acts on the parameters themselves, instead of through the gradient.
    pub decoupled: bool,
    /// Whether the function is made large instead of small.
    pub maximize: bool,
    /// The moments `mean` and `square`, and the number of `steps`.
    pub memory: Memory<T>,
}

impl<T: Float> RAdam<T> {
    /// With PyTorch's constants, `β₁ = 0.9`, `β₂ = 0.999`, `ε = 1e-8`, and no weight decay; its rate is 0.001.
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            decoupled: false,
            maximize: false,
            memory: Memory::default(),
        }
    }
}

impl<T: Float> Rule<T> for RAdam<T> {
    held!("RAdam", beta1);

    fn settings(&self, each: &mut dyn FnMut(Setting)) {
        each(Setting::rate(self.rate));
        each(Setting::share("beta1", self.beta1).moving());
        each(Setting::share("beta2", self.beta2));
        each(Setting::number("epsilon", self.epsilon));
        each(Setting::number("weight_decay", self.weight_decay));
        each(Setting::flag("decoupled", self.decoupled));
        each(Setting::flag("maximize", self.maximize));
    }

    fn advance<'t>(&self, step: &mut Step<'t, T>) {
        step.maximise(self.maximize);
        step.decay(self.weight_decay, self.decoupled);
        let (t, beta1) = (step.count(), step.momentum(self.beta1));
        let rate = step.rate / shortfall_by(beta1, t);
        let short = shortfall(self.beta2, t);
        let limit = 2.0 / (1.0 - self.beta2) - 1.0;
        let length = T::of(limit) - t * (T::ONE - short) * 2.0 / short;
        let adapts = length.gt(5.0);
        // Below 5 it does not count, and has no root.
        let length = length.maximum(5.0);
        let rectified = ((length - 4.0) * (length - 2.0) * limit / (length * ((limit - 4.0) * (limit - 2.0)))).sqrt();
        let scale = rectified * short.sqrt();
        // With so small a β₂ the length never grows to 5.
        let ever = limit > 5.0;
        step.each(|leaf, memory| {
            let mean = memory.average_by("mean", leaf, leaf.grad, beta1);
            let square = memory.average("square", leaf, leaf.grad.square(), self.beta2);
            leaf.grad = if ever { mean * adapts.select(scale / (square.sqrt() + self.epsilon), 1.0) } else { mean };
        });
        step.descend(rate);
    }
}
