//! One training on all examples at once, and several of which the mean is taken.

use super::joined::joined;
use super::watched::Watch;
use super::{Recipe, Trial, usual};
use crate::Mlp;
use crate::data::{Batch, BatchVars, Dataset};
use crate::optim::Lbfgs;
use crate::train::History;
use crate::train::pieces::penalised;
use autograd::{Float, Tape, Tensor};

/// So often the loss is evaluated for a net that is kept, also where an end was asked for.
const ENOUGH: usize = 50;

/// One training on all examples at once.
#[derive(Clone, Copy)]
pub(super) struct Training<'a, T: Float> {
    pub(super) trial: &'a Trial,
    pub(super) tried: &'a [Trial],
    /// Which of the nets, from 0.
    pub(super) net: u64,
    /// Other rows, whose loss goes to the history, too.
    pub(super) held_out: Option<&'a Batch<T>>,
    /// Whether its iterations go to the history.
    pub(super) told: bool,
    /// Whether it makes some steps, whatever is asked for.
    pub(super) kept: bool,
}

impl Recipe {
    /// The mean of several nets, all of them trained on all examples; where an end was asked for, of those that were trained to theirs, the first
    /// at least, which then is as far as it came.
    pub(super) fn mean_of_nets<T: Float>(
        &self,
        (trial, tried): (&Trial, &[Trial]),
        data: &Dataset<T>,
        held_out: Option<&Batch<T>>,
        watch: &mut Watch,
        at: u64,
    ) -> Mlp<Tensor<T>> {
        let count = if trial.hidden.is_empty() { 1 } else { self.nets.max(1) };
        let whole = data.whole();
        watch.history = History::default();
        let mut nets: Vec<Mlp<Tensor<T>>> = Vec::new();
        for net in 0..count {
            watch.starts(at + self.steps(net), self.steps(1));
            let training = Training { trial, tried, net: net as u64, held_out, told: true, kept: net == 0 };
            let trained = self.minimised(training, &whole, watch);
            if watch.ended && net > 0 {
                break;
            }
            nets.push(trained);
            if watch.ended {
                break;
            }
        }
        joined(&nets)
    }

    /// Trained on all examples at once.
    pub(super) fn minimised<T: Float>(
        &self,
        training: Training<T>,
        data: &Batch<T>,
        watch: &mut Watch,
    ) -> Mlp<Tensor<T>> {
        let Training { trial, tried, net: number, held_out, told, kept } = training;
        let mut net = self.start(trial, data.features.shape()[1], data.target.names().len(), number);
        let settings = Lbfgs {
            max_iterations: self.max_iterations,
            tolerance_change: 1e-7,
            tolerance_gradient: 1e-5,
            ..Lbfgs::default()
        };
        let (mut tape, mut evaluations, mut iteration, mut least) = (Tape::default(), 0, 0.0, f64::INFINITY);
        let of = |layer: usize| (format!("weights of layers.{layer}"), format!("gradient of layers.{layer}"));
        let names: Vec<(String, String)> = (0..net.layers.len()).map(of).collect();
        { settings }.step(&mut net, |net| {
            evaluations += 1;
            // After a loss that is no number the net is what it was at the last good one.
            let goes_on = watch.goes_on(trial, tried) || (kept && evaluations <= ENOUGH);
            if !goes_on {
                return (T::of(f64::NAN), net.clone());
            }
            let (loss, gradient) = tape.value_and_grad(net, |tape, net| {
                let batch = BatchVars::new(tape, data);
                let weights: Vec<_> = net.layers.iter().map(|layer| layer.weight).collect();
                penalised(batch.loss(net.forward(batch.features)), &weights, trial.penalty)
            });
            // A search along a line goes too far sometimes, and back.
            if told && loss.to_f64() < least {
                least = loss.to_f64();
                iteration += 1.0;
                let weights = net.layers.iter().flat_map(|layer| layer.weight.as_slice());
                let squares: f64 = weights.map(|weight| weight.to_f64().powi(2)).sum();
                let plain = least - 0.5 * trial.penalty * squares;
                let held_out = held_out.map(|batch| usual(&net.predict(&batch.features), batch));
                let mut numbers = vec![("net", number as f64 + 1.0), ("iteration", iteration), ("loss", plain)];
                numbers.extend(held_out.map(|loss| ("held_out_loss", loss)));
                numbers.extend(names.iter().map(|(name, _)| &name[..]).zip(norms(net)));
                numbers.extend(names.iter().map(|(_, name)| &name[..]).zip(norms(&gradient)));
                watch.history.push(&numbers);
            }
            (loss, gradient)
        });
        net
    }
}

/// The Euclidean norm of each matrix of weights.
fn norms<T: Float>(net: &Mlp<Tensor<T>>) -> Vec<f64> {
    let norm = |weight: &Tensor<T>| weight.as_slice().iter().map(|x| x.to_f64().powi(2)).sum::<f64>().sqrt();
    net.layers.iter().map(|layer| norm(&layer.weight)).collect()
}
