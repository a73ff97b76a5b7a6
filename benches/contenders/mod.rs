//! Who trains the same nets from the same numbers: what they have in common, and the list of them.

pub(crate) mod problem;
mod eager;
mod replay;

use crate::closed::closed_form;
use crate::closed::number::Number;
use problem::{Problem, Workload};

/// A network with its data, ready to train.
pub(crate) trait Contender<T> {
    /// The mean loss, with all gradients computed.
    fn loss_and_grads(&mut self) -> T;
    /// The mean loss; the parameters take a step of SGD.
    fn step(&mut self) -> T;
    /// The parameters, layer after layer, each `W` before its `b`.
    fn params(&self) -> Vec<T>;
    /// The gradients of the last `loss_and_grads`, in the order of the parameters.
    fn grads(&self) -> Vec<T>;
}

/// What each contender is measured against: the first of [`contenders`].
pub(crate) const BASE: &str = "closed";

/// All contenders with their names, the base first.
pub(crate) fn contenders<T: Number>(workload: Workload) -> Vec<(&'static str, Box<dyn Contender<T>>)> {
    let problem = Problem::new(workload);
    vec![(BASE, closed_form(&problem)), ("eager", eager::eager(&problem)), ("replay", replay::replay(&problem))]
}

/// Takes one step with two contenders; gives the largest difference between their losses, gradients and parameters
/// after it, in units of the largest number of each.
pub(crate) fn disagreement<T: Number>(a: &mut dyn Contender<T>, b: &mut dyn Contender<T>) -> f64 {
    let losses = difference(&[a.loss_and_grads()], &[b.loss_and_grads()]);
    let grads = difference(&a.grads(), &b.grads());
    let losses = losses.max(difference(&[a.step()], &[b.step()]));
    losses.max(grads).max(difference(&a.params(), &b.params()))
}

/// The largest `|a − b|` over the largest `|a|`; infinite where a number is NaN or the lengths differ.
fn difference<T: Number>(a: &[T], b: &[T]) -> f64 {
    let largest = |numbers: &mut dyn Iterator<Item = f64>| {
        numbers.fold(0.0, |top, x| if x.is_nan() { f64::INFINITY } else { f64::max(top, x.abs()) })
    };
    if a.len() != b.len() {
        return f64::INFINITY;
    }
    let apart = largest(&mut a.iter().zip(b).map(|(a, b)| a.to_f64() - b.to_f64()));
    if apart == 0.0 { 0.0 } else { apart / largest(&mut a.iter().map(|a| a.to_f64())) }
}
