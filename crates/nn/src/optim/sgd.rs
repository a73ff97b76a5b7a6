//! Gradient descent with momentum.

use crate::optim::{Memory, Rule, Setting, Step};
use autograd::Float;

/// Stochastic gradient descent, with momentum (Polyak, 1964), Nesterov's form of it (Sutskever et al., 2013) and
/// weight decay, as PyTorch defines them. For a parameter `p` with gradient `g`:
///
/// ```text
/// g ← g + weight_decay · p
/// v ← g                                        at the first step
/// v ← momentum · v + (1 − dampening) · g       later
/// p ← p − rate · v           or, with Nesterov's form, p − rate · (g + momentum · v)
/// ```
///
/// ```
/// use autograd::Tensor;
/// use nn::{Optimiser, Sgd};
/// let mut sgd = Sgd { momentum: 0.5, ..Sgd::new(0.1) };
/// let mut p = Tensor::scalar(1.0);
/// sgd.step(&mut p, &Tensor::scalar(1.0)); // v = 1
/// sgd.step(&mut p, &Tensor::scalar(1.0)); // v = 1.5
/// assert_eq!(p.item(), 1.0 - 0.1 - 0.1 * 1.5);
/// ```
#[derive(Clone, Debug)]
pub struct Sgd<T: Float = f64> {
    /// The learning rate.
    pub rate: f64,
    /// How much of the velocity is kept from step to step, from 0 to 1; 0 is plain gradient descent.
    pub momentum: f64,
    /// How much of the gradient does not enter the velocity, after the first step.
    pub dampening: f64,
    /// Whether the gradient is looked at ahead, in Nesterov's form; of no effect without momentum.
    pub nesterov: bool,
    /// The factor of the L2 penalty `weight_decay/2 · p²`.
    pub weight_decay: f64,
    /// Whether the function is made large instead of small.
    pub maximize: bool,
    /// The velocities `momentum`, and the number of steps that they are of.
    pub memory: Memory<T>,
}

impl<T: Float> Sgd<T> {
    /// Plain gradient descent: no momentum, no weight decay.
    pub fn new(rate: f64) -> Self {
        Self {
            rate,
            momentum: 0.0,
            dampening: 0.0,
            nesterov: false,
            weight_decay: 0.0,
            maximize: false,
            memory: Memory::default(),
        }
    }
}

impl<T: Float> Rule<T> for Sgd<T> {
    held!("Sgd", momentum);

    fn settings(&self, each: &mut dyn FnMut(Setting)) {
        each(Setting::rate(self.rate));
        each(Setting::momentum(self.momentum));
        each(Setting::flag("momentum", self.momentum != 0.0));
        each(Setting::within("dampening", self.dampening, ..));
        each(Setting::flag("nesterov", self.nesterov));
        each(Setting::number("weight_decay", self.weight_decay));
        each(Setting::flag("maximize", self.maximize));
    }

    #[inline(never)]
    fn advance<'t>(&self, step: &mut Step<'t, T>) {
        step.maximise(self.maximize);
        step.decay(self.weight_decay, false);
        if self.momentum != 0.0 {
            let momentum = step.momentum(self.momentum);
            let later = step.memory.number("steps", 0.0).gt(0.0);
            step.count();
            let fresh = T::ONE - later * self.dampening;
            step.each(|leaf, memory| {
                let g = if self.dampening == 0.0 { leaf.grad } else { fresh * leaf.grad };
                let v = momentum * memory.of("momentum", leaf, 0.0) + g;
                memory.keep("momentum", leaf, v);
                leaf.grad = if self.nesterov { leaf.grad + momentum * v } else { v };
            });
        }
        step.descend(step.rate);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::Optimiser;
    use approx::assert_relative_eq;
    use autograd::Tensor;

    /// PyTorch's recurrence for one number, from its documentation of `torch.optim.SGD`.
    fn reference(options: &Sgd, mut p: f64, grads: &[f64]) -> Vec<f64> {
        let mut buffer = None;
        let mut path = Vec::new();
        for grad in grads {
            let mut g = grad + options.weight_decay * p;
            if options.momentum != 0.0 {
                let b = match buffer {
                    Some(b) => options.momentum * b + g,
                    None => g,
                };
                buffer = Some(b);
                g = if options.nesterov { g + options.momentum * b } else { b };
            }
            p -= options.rate * g;
            path.push(p);
        }
        path
    }

    #[test]
    fn each_option_follows_the_recurrence() {
        let grads = [0.5, -1.0, 2.0, 0.25, -0.75];
        for momentum in [0.0, 0.9] {
            for nesterov in [false, true] {
                for weight_decay in [0.0, 0.1] {
                    let mut sgd = Sgd { momentum, nesterov, weight_decay, ..Sgd::new(0.2) };
                    let want = reference(&sgd, 1.5, &grads);
                    let mut p = Tensor::from([1.5]);
                    for (g, want) in grads.iter().zip(want) {
                        sgd.step(&mut p, &Tensor::from([*g]));
                        assert_relative_eq!(p.as_slice()[0], want, max_relative = 1e-14);
                    }
                }
            }
        }
    }

    #[test]
    fn momentum_is_not_dropped() {
        // With a constant gradient 1, v_k = (1 − μ^k)/(1 − μ); losing v would leave the path of plain descent.
        let mut sgd = Sgd { momentum: 0.9, ..Sgd::new(1.0) };
        let mut p = Tensor::scalar(0.0);
        for _ in 0..200 {
            sgd.step(&mut p, &Tensor::scalar(1.0));
        }
        let want: f64 = (1..=200).map(|k| -(1.0 - 0.9_f64.powi(k)) / 0.1).sum();
        assert_relative_eq!(p.item(), want, max_relative = 1e-12);
    }

    #[test]
    fn momentum_that_is_turned_on_later_starts_with_the_gradient_of_that_step() {
        let mut sgd = Sgd::new(0.1);
        let mut p = Tensor::scalar(0.0);
        sgd.step(&mut p, &Tensor::scalar(1.0));
        sgd.momentum = 0.9;
        sgd.step(&mut p, &Tensor::scalar(1.0));
        assert_relative_eq!(p.item(), -0.2, max_relative = 1e-15);
    }

    #[test]
    #[should_panic(expected = "step: parameter 1 (1) has shape [2], its gradient has [3]")]
    fn a_gradient_of_another_shape_is_named() {
        let mut params = (Tensor::from([1.0]), Tensor::zeros([2]));
        Sgd::new(0.1).step(&mut params, &(Tensor::from([1.0]), Tensor::zeros([3])));
    }

    #[test]
    #[should_panic(expected = "step: there are 2 parameters and 1 gradients")]
    fn each_parameter_needs_a_gradient() {
        let mut params = vec![Tensor::<f64>::zeros([1]); 2];
        Sgd::new(0.1).step(&mut params, &vec![Tensor::zeros([1])]);
    }

    #[test]
    #[should_panic(expected = "made steps on a parameter 0 of 2 elements, one of 3 was given")]
    fn one_optimiser_serves_one_model() {
        let mut sgd = Sgd { momentum: 0.9, ..Sgd::<f64>::new(0.1) };
        sgd.step(&mut Tensor::zeros([2]), &Tensor::zeros([2]));
        sgd.step(&mut Tensor::zeros([3]), &Tensor::zeros([3]));
    }
}
