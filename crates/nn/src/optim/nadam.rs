//! Adam with Nesterov's momentum.

use crate::optim::{Memory, Rule, Setting, Step, shortfall};
use autograd::{Float, Var};

/// `NAdam` (Dozat, "Incorporating Nesterov momentum into Adam", 2016), as PyTorch defines it. For a parameter `p` with
/// gradient `g`, at step `t = 1, 2, …`:
///
/// ```text
/// g ← g + weight_decay · p            or, decoupled, p ← p − rate · weight_decay · p
/// μ_t = β₁ (1 − ½ · 0.96^(t · momentum_decay)),       M ← μ_t M, from 1 on
/// m ← β₁ m + (1 − β₁) g,              v ← β₂ v + (1 − β₂) g²
/// p ← p − rate · ((1 − μ_t) / (1 − M) · g + μ_t+1 / (1 − μ_t+1 M) · m) / (√(v / (1 − β₂^t)) + ε)
/// ```
///
/// ```
/// use autograd::Tensor;
/// use nn::optim::{NAdam, Optimiser};
/// let (mut p, mut rule) = (Tensor::<f64>::from([3.0, -2.0]), NAdam::new(0.1));
/// for _ in 0..500 {
///     let gradient = p.map(|p| 2.0 * p); // of Σ p²
///     rule.step(&mut p, &gradient);
/// }
/// assert!(p.as_slice().iter().all(|p| p.abs() < 0.2), "{p:?}");
/// ```
#[derive(Clone, Debug)]
pub struct NAdam<T: Float = f64> {
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
    /// How fast the momentum grows to its full size.
    pub momentum_decay: f64,
    /// Whether the decay acts on the parameters themselves, instead of through the gradient.
    pub decoupled: bool,
    /// Whether the function is made large instead of small.
    pub maximize: bool,
    /// The moments `mean` and `square`, the product of the momenta, and the number of `steps`.
    pub memory: Memory<T>,
}

impl<T: Float> NAdam<T> {
    /// With PyTorch's constants, `β₁ = 0.9`, `β₂ = 0.999`, `ε = 1e-8`, a momentum decay of 0.004, and no weight decay; its rate is 0.002.
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            momentum_decay: 4e-3,
            decoupled: false,
            maximize: false,
            memory: Memory::default(),
        }
    }
}

impl<T: Float> Rule<T> for NAdam<T> {
    held!("NAdam", beta1);

    fn settings(&self, each: &mut dyn FnMut(Setting)) {
        each(Setting::rate(self.rate));
        each(Setting::share("beta1", self.beta1).moving());
        each(Setting::share("beta2", self.beta2));
        each(Setting::number("epsilon", self.epsilon));
        each(Setting::number("weight_decay", self.weight_decay));
        each(Setting::number("momentum_decay", self.momentum_decay));
        each(Setting::flag("decoupled", self.decoupled));
        each(Setting::flag("maximize", self.maximize));
    }

    fn advance<'t>(&self, step: &mut Step<'t, T>) {
        step.maximise(self.maximize);
        step.decay(self.weight_decay, self.decoupled);
        let (t, beta1) = (step.count(), step.momentum(self.beta1));
        let decay = 0.96_f64.ln() * self.momentum_decay;
        let momentum_at = |t: Var<'t, T>| beta1 * (T::ONE - (t * decay).exp() * 0.5);
        let (now, next) = (momentum_at(t), momentum_at(t + 1.0));
        let product = step.memory.number("momentum_product", 1.0) * now;
        step.memory.keep_number("momentum_product", product);
        let fresh = step.rate * (T::ONE - now) / (T::ONE - product);
        let kept = step.rate * next / (T::ONE - product * next);
        // Multiplied by: each element is divided once.
        let scale = shortfall(self.beta2, t).sqrt().reciprocal();
        step.each(|leaf, memory| {
            let mean = memory.average_by("mean", leaf, leaf.grad, beta1);
            let square = memory.average("square", leaf, leaf.grad.square(), self.beta2);
            let ahead = leaf.scaled(fresh) * leaf.grad + leaf.scaled(kept) * mean;
            leaf.value -= ahead / (square.sqrt() * scale + self.epsilon);
        });
    }
}
