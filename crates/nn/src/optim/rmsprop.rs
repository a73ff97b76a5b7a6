//! Gradients divided by the root of their mean square.

use crate::optim::{Memory, Rule, Setting, Step};
use autograd::Float;

/// `RMSprop` (Tieleman and Hinton, lecture 6.5 of "Neural networks for machine learning", 2012), centred (Graves, "Generating
/// sequences with recurrent neural networks", 2013) and with momentum, as PyTorch defines them. For a parameter `p` with gradient `g`:
///
/// ```text
/// g ← g + weight_decay · p
/// v ← α v + (1 − α) g²
/// d = √v + ε          or, centred, √(v − m²) + ε      with m ← α m + (1 − α) g
/// b ← momentum · b + g / d
/// p ← p − rate · b    or, without momentum, p − rate · g / d
/// ```
///
/// ```
/// use autograd::Tensor;
/// use nn::optim::{RmsProp, Optimiser};
/// let (mut p, mut rule) = (Tensor::<f64>::from([3.0, -2.0]), RmsProp::new(0.05));
/// for _ in 0..500 {
///     let gradient = p.map(|p| 2.0 * p); // of Σ p²
///     rule.step(&mut p, &gradient);
/// }
/// assert!(p.as_slice().iter().all(|p| p.abs() < 0.2), "{p:?}");
/// ```
#[derive(Clone, Debug)]
pub struct RmsProp<T: Float = f64> {
    /// The learning rate.
    pub rate: f64,
    /// `α`, how much of the mean square is kept from step to step, from 0 to 1.
    pub alpha: f64,
    /// `ε`, against division by 0.
    pub epsilon: f64,
    /// How strongly parameters are drawn to 0.
    pub weight_decay: f64,
    /// How much of the step before is kept, from 0 to 1.
    pub momentum: f64,
    /// Whether the variance of the gradients counts instead of their mean square.
    pub centred: bool,
    /// Whether the function is made large instead of small.
    pub maximize: bool,
    /// The mean `square`, the `mean` where it is centred, and the `momentum`.
    pub memory: Memory<T>,
}

impl<T: Float> RmsProp<T> {
    /// With PyTorch's constants, `α = 0.99`, `ε = 1e-8`, no momentum and no weight decay; its rate is 0.01.
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            alpha: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.0,
            momentum: 0.0,
            centred: false,
            maximize: false,
            memory: Memory::default(),
        }
    }
}

impl<T: Float> Rule<T> for RmsProp<T> {
    held!("RmsProp", momentum);

    fn settings(&self, each: &mut dyn FnMut(Setting)) {
        each(Setting::rate(self.rate));
        each(Setting::within("alpha", self.alpha, 0.0..=1.0));
        each(Setting::number("epsilon", self.epsilon));
        each(Setting::number("weight_decay", self.weight_decay));
        each(Setting::momentum(self.momentum));
        each(Setting::flag("momentum", self.momentum != 0.0));
        each(Setting::flag("centred", self.centred));
        each(Setting::flag("maximize", self.maximize));
    }

    fn advance<'t>(&self, step: &mut Step<'t, T>) {
        step.maximise(self.maximize);
        step.decay(self.weight_decay, false);
        let momentum = (self.momentum != 0.0).then(|| step.momentum(self.momentum));
        step.each(|leaf, memory| {
            let mut square = memory.average("square", leaf, leaf.grad.square(), self.alpha);
            if self.centred {
                // Of equal gradients rounding may leave less than 0.
                let mean = memory.average("mean", leaf, leaf.grad, self.alpha);
                square = (square - mean.square()).maximum(0.0);
            }
            leaf.grad /= square.sqrt() + self.epsilon;
            if let Some(momentum) = momentum {
                leaf.grad = momentum * memory.of("momentum", leaf, 0.0) + leaf.grad;
                memory.keep("momentum", leaf, leaf.grad);
            }
        });
        step.descend(step.rate);
    }
}
