//! Steps of several batches.

use crate::optim::{Memory, Rule, Setting, Step};
use autograd::Float;

/// A rule that moves parameters once in several steps, by the mean of their gradients: micro-batches that are one batch together.
///
/// ```
/// use autograd::Tensor;
/// use nn::optim::{Accumulated, Optimiser, Sgd};
/// let mut rule = Accumulated { every: 2, rule: Sgd::new(1.0) };
/// let mut p = Tensor::scalar(0.0);
/// rule.step(&mut p, &Tensor::scalar(1.0));
/// assert_eq!(p.item(), 0.0);
/// rule.step(&mut p, &Tensor::scalar(3.0));
/// assert_eq!(p.item(), -2.0);
/// ```
#[derive(Clone, Debug)]
pub struct Accumulated<R> {
    /// How many gradients are a step; 1 or more.
    pub every: u32,
    /// What moves the parameters.
    pub rule: R,
}

impl<T: Float, R: Rule<T>> Rule<T> for Accumulated<R> {
    inner!();

    fn settings(&self, each: &mut dyn FnMut(Setting)) {
        each(Setting::within("every", f64::from(self.every), 1.0..));
        self.rule.settings(each);
    }

    fn advance<'t>(&self, step: &mut Step<'t, T>) {
        if self.every == 1 {
            return self.rule.advance(step);
        }
        let values: Vec<_> = step.leaves.iter().map(|leaf| leaf.value).collect();
        let count = step.memory.number("accumulated", 0.0) + 1.0;
        let moves = count.ge(f64::from(self.every));
        let mut sums = Vec::new();
        step.each(|leaf, memory| {
            leaf.grad = memory.of("gradients", leaf, 0.0) + leaf.grad;
            sums.push(leaf.grad);
            leaf.grad /= f64::from(self.every);
        });
        self.rule.advance(step);
        // In the other steps nothing has happened but that the gradients are remembered.
        step.memory.unless(moves);
        for (leaf, old) in step.leaves.iter_mut().zip(values) {
            if leaf.value.index() != old.index() {
                leaf.value = moves.select(leaf.value, old);
            }
        }
        let mut sums = sums.into_iter();
        step.each(|leaf, memory| {
            if let Some(sum) = sums.next() {
                memory.keep("gradients", leaf, moves.select(0.0, sum));
            }
        });
        step.memory.keep_number("accumulated", moves.select(0.0, count));
    }
}
