//! What all ranks do together: meet, bring what the shards gave to all, add it up, and tell where it is not finite.

use super::Learner;
use super::own::Cut;
use crate::Number;
use crate::error::{Error, Kind};
use crate::guard::explain;
use crate::print::{self, Print};
use crate::ranks::Purpose;
use crate::shards::part;
use autograd::{Key, Tensor, Tree};
use nn::data::{Batch, BatchVars};
use nn::train::Diverged;
use nn::{Context, Rule};
use std::sync::Arc;

impl<T, P, R> Learner<'_, P, R, T>
where
    T: Number,
    P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P> + Send + Sync + 'static,
    R: Rule<T>,
{
    pub(super) fn meet(&self, purpose: Purpose, batch: &Batch<T>, done: Result<(), nn::Error>) -> Result<(), Error> {
        let mut settings = Print::new();
        self.rule.name().bytes().for_each(|byte| settings.word(u64::from(byte)));
        self.rule.settings(&mut |setting| settings.word(setting.value.to_bits()));
        settings.word(self.rule.momentum().unwrap_or(0.0).to_bits());
        let mut noise = Print::new();
        noise.word(self.seed);
        noise.word(self.shards as u64);
        let facts = [
            ("number of steps", self.steps),
            ("seed or number of shards", noise.value()),
            ("batch", print::of_batch(batch)),
            ("rule", settings.value()),
            ("net", print::of_net(&self.net)),
        ];
        self.ranks.meet(purpose, &facts, &done.map_err(|error| error.to_string()))
    }

    /// Brings what each shard has given to all ranks.
    pub(super) fn gather(&mut self, length: usize) {
        let mut given = std::mem::take(&mut self.given);
        self.ranks.gather(&mut given, |rank| {
            let shards = self.dealt(rank);
            shards.start * length..shards.end * length
        });
        self.given = given;
    }

    /// Adds up the gradients of the shards, in their order; the next numbers of the leaves that are buffers.
    pub(super) fn add_up(&mut self, length: usize, sizes: &[usize], shares: &[f64]) -> Vec<(usize, Vec<T>)> {
        let count = sizes.len();
        let there: Vec<(&[T], T)> = self
            .given
            .chunks(length)
            .zip(shares)
            .filter(|(_, share)| **share != 0.0)
            .map(|(given, share)| (given, T::of(*share)))
            .collect();
        let (mut buffers, mut start, mut place) = (Vec::new(), 1 + count, 0);
        self.grads.visit_mut(&mut |leaf| {
            let sum = leaf.as_mut_slice();
            let own = start..start + sum.len();
            sum.fill(T::ZERO);
            if there.iter().any(|(given, _)| given[1 + place] != T::ZERO) {
                let next = there.iter().map(|(given, share)| (&given[own.clone()], *share));
                buffers.push((place, middle(&next.collect::<Vec<_>>())));
            } else {
                for (given, _) in &there {
                    sum.iter_mut().zip(&given[own.clone()]).for_each(|(sum, x)| *sum += *x);
                }
            }
            (start, place) = (own.end, place + 1);
        });
        buffers
    }

    /// Tells why a step led to numbers that are not finite, and goes back to those of the last finite loss. All ranks come to the same.
    #[cold]
    pub(super) fn diverged(&mut self, batch: &Batch<T>, cut: &Cut, shard: usize, loss: f64) -> Error {
        let part = part(batch, cut.rows[shard].clone());
        let key = Key::new(self.seed).fold_in(self.steps.saturating_sub(1)).fold_in(shard as u64);
        let loss_of = Arc::clone(&self.loss);
        let mut diverged: Diverged =
            explain(&mut self.net, &mut self.rule, &mut self.good, (&part, loss), |tape, net| {
                let mut batch = BatchVars::new(tape, &part);
                batch.context = Context::training(tape.key(key));
                loss_of(net, &batch)
            });
        diverged.batch = self.steps as usize;
        Error::of_all(Kind::Diverged { shard, shards: self.shards, diverged: Box::new(diverged) })
    }
}

/// The mean of the losses of shards, by their shares.
pub(super) fn mean(losses: &[f64], shares: &[f64]) -> f64 {
    losses.iter().zip(shares).filter(|(_, share)| **share != 0.0).map(|(loss, share)| loss * share).sum()
}

/// The mean of lists by shares; where all have the same number, that one: counts stay whole.
fn middle<T: Number>(lists: &[(&[T], T)]) -> Vec<T> {
    let Some(&(first, _)) = lists.first() else { return Vec::new() };
    let mean = |place: usize| {
        let alike = lists.iter().all(|(list, _)| list[place] == first[place]);
        if alike { first[place] } else { lists.iter().fold(T::ZERO, |sum, (list, share)| sum + list[place] * *share) }
    };
    (0..first.len()).map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_leave_out_what_has_no_share_and_keep_what_all_have() {
        assert_eq!(mean(&[1.0, f64::NAN, 3.0], &[0.25, 0.0, 0.75]), 2.5);
        assert_eq!(middle(&[(&[7.0, 1.0][..], 0.1), (&[7.0, 2.0], 0.3), (&[7.0, 4.0], 0.6)])[0], 7.0);
        assert_eq!(middle(&[(&[1.0][..], 0.25), (&[3.0], 0.75)]), [2.5]);
    }
}
