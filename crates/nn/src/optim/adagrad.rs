//! Gradients divided by the root of the sum of their squares.

use crate::optim::{Memory, Rule, Setting, Step};
use autograd::Float;

/// Adagrad (Duchi et al., "Adaptive subgradient methods for online learning and stochastic optimization", 2011), as PyTorch defines it.
/// For a parameter `p` with gradient `g`, at step `t = 1, 2, …`:
///
/// ```text
/// g ← g + weight_decay · p
/// s ← s + g²,         from initial_accumulator_value on
/// p ← p − rate / (1 + (t − 1) · rate_decay) · g / (√s + ε)
/// ```
///
/// ```
/// use autograd::Tensor;
/// use nn::optim::{Adagrad, Optimiser};
/// let (mut p, mut rule) = (Tensor::<f64>::from([3.0, -2.0]), Adagrad::new(0.5));
/// for _ in 0..500 {
///     let gradient = p.map(|p| 2.0 * p); // of Σ p²
///     rule.step(&mut p, &gradient);
/// }
/// assert!(p.as_slice().iter().all(|p| p.abs() < 0.2), "{p:?}");
/// ```
#[derive(Clone, Debug)]
pub struct Adagrad<T: Float = f64> {
    /// The learning rate.
    pub rate: f64,
    /// How fast the rate falls.
    pub rate_decay: f64,
    /// How strongly parameters are drawn to 0.
    pub weight_decay: f64,
    /// What the sums begin with.
    pub initial_accumulator_value: f64,
    /// `ε`, against division by 0.
    pub epsilon: f64,
    /// Whether the function is made large instead of small.
    pub maximize: bool,
    /// The `sum` of squares, and the number of `steps`.
    pub memory: Memory<T>,
}

impl<T: Float> Adagrad<T> {
    /// With PyTorch's constants, `ε = 1e-10`, no decay, and sums from 0 on; its rate is 0.01.
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            rate_decay: 0.0,
            weight_decay: 0.0,
            initial_accumulator_value: 0.0,
            epsilon: 1e-10,
            maximize: false,
            memory: Memory::default(),
        }
    }
}

impl<T: Float> Rule<T> for Adagrad<T> {
    held!("Adagrad");

    fn settings(&self, each: &mut dyn FnMut(Setting)) {
        each(Setting::rate(self.rate));
        each(Setting::number("rate_decay", self.rate_decay));
        each(Setting::number("weight_decay", self.weight_decay));
        each(Setting::number("initial_accumulator_value", self.initial_accumulator_value));
        each(Setting::number("epsilon", self.epsilon));
        each(Setting::flag("maximize", self.maximize));
    }

    fn advance<'t>(&self, step: &mut Step<'t, T>) {
        step.maximise(self.maximize);
        step.decay(self.weight_decay, false);
        let rate = step.rate / ((step.count() - 1.0) * self.rate_decay + 1.0);
        step.each(|leaf, memory| {
            let sum = memory.of("sum", leaf, self.initial_accumulator_value) + leaf.grad.square();
            memory.keep("sum", leaf, sum);
            leaf.grad /= sum.sqrt() + self.epsilon;
        });
        step.descend(rate);
    }
}
