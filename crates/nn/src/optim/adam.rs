//! Descent with adaptive moments.

use crate::optim::{Memory, Rule, Setting, Step, shortfall, shortfall_by};
use autograd::Float;

/// Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1) with weight decay in the
/// gradient, or decoupled from it (`AdamW`, [`Adam::adam_w`]: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019,
/// algorithm 2), and with the largest `v` of all steps (`AMSGrad`: Reddi et al., "On the convergence of Adam and beyond", 2018), as
/// PyTorch defines them. For a parameter `p` with gradient `g`, at step `t = 1, 2, …`:
///
/// ```text
/// g ← g + weight_decay · p            or, decoupled, p ← p − rate · weight_decay · p
/// m ← β₁ m + (1 − β₁) g,              v ← β₂ v + (1 − β₂) g²
/// p ← p − rate · m̂ / (√v̂ + ε)         with m̂ = m / (1 − β₁^t), v̂ = v / (1 − β₂^t), or v̂ = max v / (1 − β₂^t)
/// ```
///
/// ```
/// use autograd::Tensor;
/// use nn::{Adam, Optimiser};
/// let mut adam_w = Adam { weight_decay: 0.01, decoupled: true, ..Adam::new(1e-3) };
/// let mut p = Tensor::<f64>::scalar(1.0);
/// adam_w.step(&mut p, &Tensor::scalar(1e6));
/// assert!((p.item() - (1.0 - 1e-3 * 0.01 - 1e-3)).abs() < 1e-12); // the size of the gradient does not count
/// ```
#[derive(Clone, Debug)]
pub struct Adam<T: Float = f64> {
    /// The learning rate, which bounds the size of a step.
    pub rate: f64,
    /// `β₁`, how much of the mean of the gradients is kept from step to step.
    pub beta1: f64,
    /// `β₂`, how much of the mean of their squares is kept.
    pub beta2: f64,
    /// `ε`, against division by 0.
    pub epsilon: f64,
    /// How strongly parameters are drawn to 0.
    pub weight_decay: f64,
    /// Whether the decay acts on the parameters themselves (`AdamW`), instead of through the gradient.
    pub decoupled: bool,
    /// Whether the largest `v` of all steps counts, so that no step is longer than the one before for its sake.
    pub amsgrad: bool,
    /// Whether the function is made large instead of small.
    pub maximize: bool,
    /// The moments `mean` and `square`, the `largest` square, and the number of `steps`.
    pub memory: Memory<T>,
}

impl<T: Float> Adam<T> {
    /// Adam with the constants of the paper, `β₁ = 0.9`, `β₂ = 0.999`, `ε = 1e-8`, and no weight decay.
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: 0.0,
            decoupled: false,
            amsgrad: false,
            maximize: false,
            memory: Memory::default(),
        }
    }

    /// `AdamW` with PyTorch's weight decay of 0.01, decoupled from the gradient.
    ///
    /// ```
    /// let adam_w: nn::Adam = nn::Adam::adam_w(1e-3);
    /// assert!(adam_w.decoupled && adam_w.weight_decay == 0.01);
    /// ```
    pub fn adam_w(rate: f64) -> Self {
        Self { weight_decay: 0.01, decoupled: true, ..Self::new(rate) }
    }
}

impl<T: Float> Rule<T> for Adam<T> {
    held!("Adam", beta1);

    fn settings(&self, each: &mut dyn FnMut(Setting)) {
        each(Setting::rate(self.rate));
        each(Setting::share("beta1", self.beta1).moving());
        each(Setting::share("beta2", self.beta2));
        each(Setting::number("epsilon", self.epsilon));
        each(Setting::number("weight_decay", self.weight_decay));
        each(Setting::flag("decoupled", self.decoupled));
        each(Setting::flag("amsgrad", self.amsgrad));
        each(Setting::flag("maximize", self.maximize));
    }

    #[inline(never)]
    fn advance<'t>(&self, step: &mut Step<'t, T>) {
        step.maximise(self.maximize);
        step.decay(self.weight_decay, self.decoupled);
        let (t, beta1) = (step.count(), step.momentum(self.beta1));
        // Corrections are numbers of the step, so they stand before the parameters' own formulas.
        let rate = step.rate / shortfall_by(beta1, t);
        // Multiplied by: each element is divided once.
        let scale = shortfall(self.beta2, t).sqrt().reciprocal();
        step.each(|leaf, memory| {
            let mean = memory.average_by("mean", leaf, leaf.grad, beta1);
            let mut square = memory.average("square", leaf, leaf.grad.square(), self.beta2);
            if self.amsgrad {
                square = memory.of("largest", leaf, 0.0).maximum(square);
                memory.keep("largest", leaf, square);
            }
            leaf.grad = mean / (square.sqrt() * scale + self.epsilon);
        });
        step.descend(rate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::Optimiser;
    use approx::assert_relative_eq;
    use autograd::Tensor;

    /// The recurrence of the paper for one number, with the corrected moments written out.
    fn reference(options: &Adam, mut p: f64, grads: &[f64]) -> Vec<f64> {
        let (mut m, mut v) = (0.0, 0.0);
        let mut path = Vec::new();
        for (k, grad) in grads.iter().enumerate() {
            let t = k as i32 + 1;
            let mut g = *grad;
            if options.decoupled {
                p *= 1.0 - options.rate * options.weight_decay;
            } else {
                g += options.weight_decay * p;
            }
            m = options.beta1 * m + (1.0 - options.beta1) * g;
            v = options.beta2 * v + (1.0 - options.beta2) * g.powi(2);
            let m_hat = m / (1.0 - options.beta1.powi(t));
            let v_hat = v / (1.0 - options.beta2.powi(t));
            p -= options.rate * m_hat / (v_hat.sqrt() + options.epsilon);
            path.push(p);
        }
        path
    }

    #[test]
    fn each_option_follows_the_recurrence() {
        let grads = [0.5, -1.0, 2.0, 0.25, -0.75, 0.0, 1e-9];
        for (beta1, beta2, epsilon) in [(0.9, 0.999, 1e-8), (0.5, 0.9, 1e-2), (0.0, 0.99, 1e-8)] {
            for (weight_decay, decoupled) in [(0.0, false), (0.1, false), (0.1, true)] {
                let mut adam = Adam { beta1, beta2, epsilon, weight_decay, decoupled, ..Adam::new(0.05) };
                let want = reference(&adam, 1.5, &grads);
                let mut p = Tensor::from([1.5]);
                for (g, want) in grads.iter().zip(want) {
                    adam.step(&mut p, &Tensor::from([*g]));
                    assert_relative_eq!(p.as_slice()[0], want, max_relative = 1e-12);
                }
                assert_eq!(adam.memory["steps"].item(), 7.0);
            }
        }
    }

    #[test]
    fn the_first_step_has_the_size_of_the_rate() {
        // t counts from 1: m̂ = g and √v̂ = |g|, whatever the betas. From 0, the correction would divide by 0.
        for g in [1e-3, 1.0, 1e5] {
            let mut p = Tensor::scalar(0.0);
            Adam::new(0.1).step(&mut p, &Tensor::scalar(g));
            assert_relative_eq!(p.item(), -0.1, max_relative = 2e-5);
        }
    }

    #[test]
    fn one_precision_follows_the_other() {
        let (mut narrow, mut wide) = (Tensor::from([0.5_f32, -2.0]), Tensor::from([0.5_f64, -2.0]));
        let (mut a, mut b) = (Adam::new(0.01), Adam::new(0.01));
        for _ in 0..100 {
            let (g, h) = (narrow.map(|p| p * p), wide.map(|p| p * p));
            a.step(&mut narrow, &g);
            b.step(&mut wide, &h);
        }
        for (x, y) in narrow.as_slice().iter().zip(wide.as_slice()) {
            assert_relative_eq!(f64::from(*x), *y, max_relative = 1e-4);
        }
    }

    #[test]
    fn steps_are_in_place() {
        let mut params = vec![Tensor::from([1.0, 2.0]), Tensor::from([3.0])];
        let mut adam = Adam::new(0.1);
        let grads = params.clone().iter().map(|p| p.map(|p| 2.0 * p)).collect::<Vec<_>>();
        adam.step(&mut params, &grads);
        let addresses = |params: &[Tensor], adam: &Adam| {
            params.iter().chain(adam.memory.values()).map(|p| p.as_slice().as_ptr()).collect::<Vec<_>>()
        };
        let before = addresses(&params, &adam);
        for _ in 0..10 {
            adam.step(&mut params, &grads);
        }
        assert_eq!(addresses(&params, &adam), before);
    }
}
