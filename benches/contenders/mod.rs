//! Who computes the same from the same numbers: what they have in common, and the list of them.

pub(crate) mod problem;
mod net;
mod eager;
mod replay;
mod elementwise;

use crate::closed::number::Number;
use crate::closed::{Elementwise, closed_form};
use problem::{Problem, Task, Workload, points};

/// A workload with its numbers, ready to run: a network that trains, or a function with its gradient alone.
pub(crate) trait Contender<T> {
    /// The mean loss, with all gradients computed.
    fn loss_and_grads(&mut self) -> T;
    /// The gradients of the last `loss_and_grads`, in the order of the parameters.
    fn grads(&mut self) -> Vec<T>;
    /// The whole of the workload, and its mean loss: the parameters of a network take a step.
    fn step(&mut self) -> T {
        self.loss_and_grads()
    }
    /// What steps change: the parameters of a network, layer after layer, each `W` before its `b`.
    fn params(&self) -> Vec<T> {
        Vec::new()
    }
}

/// What each contender is measured against: the first of [`contenders`].
pub(crate) const BASE: &str = "closed";

/// All contenders with their names, the base first; nets are trained at this step size.
pub(crate) fn contenders<T: Number>(workload: Workload, rate: f64) -> Vec<(&'static str, Box<dyn Contender<T>>)> {
    let [closed, eager, replay]: [Box<dyn Contender<T>>; 3] = match workload.task {
        Task::Net(net) => {
            let problem = Problem::new(net, rate);
            [closed_form(&problem), eager::eager(&problem), replay::replay(&problem)]
        }
        Task::Elementwise(elements) => {
            let x = points(elements);
            let (eager, replay) = (elementwise::Eager::new(&x), elementwise::Replay::new(&x));
            [Box::new(Elementwise::new(&x)), Box::new(eager), Box::new(replay)]
        }
    };
    vec![(BASE, closed), ("eager", eager), ("replay", replay)]
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
