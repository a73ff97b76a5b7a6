//! Means of the weights of many steps.

use crate::optim::step::key;
use crate::optim::{Memory, Rule, Setting, Step};
use autograd::{Float, Tensor, Tree};

/// What the weights of several steps are weighted by in their mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Weighting {
    /// All alike (stochastic weight averaging: Izmailov et al., 2018), as PyTorch's `AveragedModel` by default.
    Equal,
    /// The mean keeps this share of itself in each step, from 0 to 1 (an exponential moving average: Polyak and Juditsky, 1992), as PyTorch's
    /// `get_ema_avg_fn`; it begins with the first weights.
    Exponential(f64),
}

/// A rule that keeps a mean of the weights that it made, which often does better on new data than the last ones:
/// in its memory, as `average.layers.0.weight`, and by [`Averaged::average`].
///
/// ```
/// use autograd::Tensor;
/// use nn::optim::{Averaged, Optimiser, Sgd, Weighting};
/// let mut rule = Averaged { weighting: Weighting::Equal, after: 1, every: 1, rule: Sgd::new(1.0) };
/// let mut p = Tensor::scalar(0.0);
/// for _ in 0..3 {
///     rule.step(&mut p, &Tensor::scalar(1.0)); // −1, −2, −3
/// }
/// assert_eq!(rule.average(&p).item(), -2.5); // of those after the first step
/// ```
#[derive(Clone, Debug)]
pub struct Averaged<R> {
    /// What the weights of a step count.
    pub weighting: Weighting,
    /// How many steps pass before the first that counts.
    pub after: u32,
    /// Every how many steps one counts; 1 or more.
    pub every: u32,
    /// What moves the parameters.
    pub rule: R,
}

impl<R> Averaged<R> {
    /// The mean of the weights, in the structure of these parameters; the parameters themselves where none counted yet, or where
    /// they are frozen.
    pub fn average<T, P>(&self, params: &P) -> P
    where
        T: Float,
        R: Rule<T>,
        P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
    {
        let memory = self.rule.memory();
        let counted = memory.get("averaged").is_some_and(|count| count.as_slice().iter().any(|n| *n > T::ZERO));
        let names = params.names();
        let mut names = names.iter();
        params.map(&mut |param| {
            let mean = names.next().and_then(|name| memory.get(&key("average", name)));
            mean.filter(|_| counted).unwrap_or(param).clone()
        })
    }
}

impl<T: Float, R: Rule<T>> Rule<T> for Averaged<R> {
    inner!();

    fn settings(&self, each: &mut dyn FnMut(Setting)) {
        each(match self.weighting {
            Weighting::Equal => Setting::within("share", -1.0, -1.0..),
            Weighting::Exponential(share) => Setting::within("share", share, 0.0..=1.0),
        });
        each(Setting::number("after", f64::from(self.after)));
        each(Setting::within("every", f64::from(self.every), 1.0..));
        self.rule.settings(each);
    }

    fn advance<'t>(&self, step: &mut Step<'t, T>) {
        self.rule.advance(step);
        // Steps until the next that counts, from 0; and how many have counted.
        let wait = step.memory.number("average_waits", f64::from(self.after));
        let counts = wait.le(0.0);
        let averaged = step.memory.number("averaged", 0.0);
        // What the mean moves by: all the way at first.
        let share = match self.weighting {
            Weighting::Equal => T::ONE / (averaged + 1.0),
            Weighting::Exponential(share) => averaged.gt(0.0).select(1.0 - share, 1.0),
        };
        let share = counts * share;
        step.each(|leaf, memory| {
            let old = memory.of("average", leaf, 0.0);
            memory.keep("average", leaf, old + share * (leaf.value - old));
        });
        step.memory.keep_number("averaged", averaged + counts);
        step.memory.keep_number("average_waits", counts.select(f64::from(self.every) - 1.0, wait - 1.0));
    }
}
