//! The best parameters so far.

use super::Better;
use autograd::{Float, Tensor, Tree};
use serde::{Deserialize, Serialize};

/// Keeps a copy of the parameters with the best number, as the loss on held-out rows. The copy's memory is used again.
///
/// ```
/// use autograd::Tensor;
/// use nn::train::{Best, Better};
/// let mut best = Best::new(Better::Higher);
/// let mut net = Tensor::scalar(0.0);
/// for (epoch, accuracy) in [0.5, 0.9, f64::NAN, 0.7].into_iter().enumerate() {
///     net = Tensor::scalar(epoch as f64);
///     best.offer(accuracy, &net);
/// }
/// assert_eq!((best.value, best.offer), (Some(0.9), 2));
/// best.restore(&mut net);
/// assert_eq!(net.item(), 1.0);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Best<P> {
    /// Whether lower is better, or higher.
    pub mode: Better,
    /// The best number; of equal ones the first.
    #[serde(with = "crate::any_number::option")]
    pub value: Option<f64>,
    /// Which offer it was, from 1.
    pub offer: u64,
    /// How many there were.
    pub offers: u64,
    /// The parameters that had it. They are no part of the value that a [`Checkpoint`](crate::file::Checkpoint) holds: `put` keeps them as a tree.
    #[serde(skip)]
    pub params: Option<P>,
}

impl<P> Best<P> {
    /// Of nothing yet.
    pub fn new(mode: Better) -> Self {
        Self { mode, value: None, offer: 0, offers: 0, params: None }
    }

    /// Takes parameters and their number; whether it is the best so far, and a copy was kept. A NaN never is.
    pub fn offer<T: Float>(&mut self, value: f64, params: &P) -> bool
    where
        P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
    {
        self.offers += 1;
        let better = self.mode.than(value, self.value, 0.0);
        if better {
            (self.value, self.offer) = (Some(value), self.offers);
            keep(&mut self.params, params);
        }
        better
    }

    /// Puts the best parameters back in their place; where nothing was kept, they stay.
    pub fn restore<T: Float>(&self, params: &mut P)
    where
        P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
    {
        if let Some(best) = &self.params {
            copy_into(params, best);
        }
    }
}

/// A copy with memory of its own, which the next one takes over.
pub(super) fn keep<T: Float, P>(kept: &mut Option<P>, params: &P)
where
    P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
{
    match kept {
        Some(kept) => copy_into(kept, params),
        None => *kept = Some(params.map(&mut |value| Tensor::new(value.shape().clone(), value.to_vec()))),
    }
}

/// Copies the numbers of one structure into another, where they have the same shapes; else it becomes a copy.
pub(super) fn copy_into<T: Float, P>(to: &mut P, from: &P)
where
    P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
{
    let (old, new) = (to.leaves(), from.leaves());
    if old.len() != new.len() || old.iter().zip(&new).any(|(old, new)| old.shape() != new.shape()) {
        *to = from.map(&mut Tensor::clone);
        return;
    }
    let mut from = new.into_iter();
    to.visit_mut(&mut |leaf| {
        if let Some(value) = from.next() {
            leaf.as_mut_slice().copy_from_slice(value.as_slice());
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_does_not_move_on_with_the_parameters_and_its_memory_is_used_again() {
        let mut best = Best::new(Better::Lower);
        let mut params = vec![Tensor::from([1.0, 2.0])];
        assert!(best.offer(1.0, &params));
        params[0].as_mut_slice()[0] = 5.0;
        assert_eq!(best.params.as_ref().unwrap()[0].as_slice(), [1.0, 2.0]);
        let address = best.params.as_ref().unwrap()[0].as_slice().as_ptr();
        assert!(best.offer(0.5, &params) && !best.offer(0.5, &params) && !best.offer(f64::NAN, &params));
        assert_eq!(best.params.as_ref().unwrap()[0].as_slice().as_ptr(), address);
        assert_eq!((best.offer, best.offers), (2, 4));
        params.push(Tensor::scalar(1.0));
        best.restore(&mut params);
        assert_eq!(params, vec![Tensor::from([5.0, 2.0])]);
    }
}
