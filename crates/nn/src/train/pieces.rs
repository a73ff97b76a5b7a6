//! What loops over a net and its batches are made of.

use crate::data::Batch;
use autograd::{Float, Tensor, Tree, Var};

/// A loss with `½ Σ w²` of all leaves of two axes or more, times a factor.
pub(super) fn penalised<'t, T: Float>(loss: Var<'t, T>, leaves: &[Var<'t, T>], factor: f64) -> Var<'t, T> {
    let weights = leaves.iter().filter(|leaf| factor > 0.0 && leaf.shape().rank() >= 2);
    weights.fold(loss, |total, weight| total + weight.square().sum() * (0.5 * factor))
}

/// The mean over examples of the means over batches, by weights where examples have some.
#[derive(Default)]
pub(super) struct Mean {
    sum: f64,
    count: f64,
}

impl Mean {
    pub(super) fn add<T: Float>(&mut self, mean: f64, batch: &Batch<T>) {
        let weigh = |weights: &Tensor<T>| weights.as_slice().iter().map(|w| w.to_f64()).sum::<f64>();
        let count = batch.weights.as_ref().map_or(batch.len() as f64, weigh);
        self.sum += mean * count;
        self.count += count;
    }

    pub(super) fn value(&self) -> f64 {
        self.sum / self.count
    }
}

/// A structure like another with these variables as its leaves.
pub(super) fn rebuilt<'t, T: Float, P: Tree<Leaf = Tensor<T>>>(like: &P, leaves: &[Var<'t, T>]) -> P::With<Var<'t, T>> {
    let mut rest = leaves.iter();
    like.map(&mut |_| *rest.next().expect("there is a variable for each leaf"))
}

/// The first feature of a batch that is not finite.
pub(super) fn broken_feature<T: Float>(batch: &Batch<T>) -> Option<(usize, usize)> {
    let features = batch.features.as_slice();
    let place = features.iter().position(|x| !x.is_finite())?;
    let width = features.len() / batch.len().max(1);
    Some((batch.rows.get(place / width).copied().unwrap_or(place / width), place % width))
}

/// Fills a tensor from the start of a list; what is left of that.
pub(super) fn filled<'a, T: Float>(tensor: &mut Tensor<T>, numbers: &'a [T]) -> &'a [T] {
    let (these, rest) = numbers.split_at(tensor.numel());
    tensor.as_mut_slice().copy_from_slice(these);
    rest
}

pub(super) fn one_number<T: Float>(loss: Var<'_, T>) -> Var<'_, T> {
    assert!(loss.numel() == 1, "Learner: a loss of one number is needed, its shape is {}", loss.shape());
    loss
}
