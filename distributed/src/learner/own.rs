//! What the shards of this rank give: cut off, and computed by programs.

use super::{Learner, Loss};
use crate::Number;
use crate::error::Error;
use crate::shards::{complaint, cut, part, shares, weight_of};
use autograd::{Key, Programs, Tensor, Tree, Var, grad};
use nn::data::Batch;
use nn::{Context, Rule};
use std::ops::Range;
use std::sync::Arc;

/// The shards of a batch: their rows, and their shares in it.
pub(super) struct Cut {
    pub(super) rows: Vec<Range<usize>>,
    pub(super) shares: Vec<f64>,
}

/// The program of a shard.
pub(super) type Gradient<T> = Programs<Vec<Tensor<T>>, (Batch<T>, Tensor<T>, Key), T>;

impl<T, P, R> Learner<'_, P, R, T>
where
    T: Number,
    P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P> + Send + Sync + 'static,
    R: Rule<T>,
{
    #[track_caller]
    pub(super) fn cut(&self, batch: &Batch<T>) -> Result<Cut, Error> {
        assert!(self.shards > 0, "Learner: 1 shard or more is needed, not 0");
        if let Some(wrong) = complaint(batch) {
            let kind = nn::Kind::Data(format!("Learner: {wrong}"));
            return Err(nn::Error { file: String::new(), line: None, column: None, kind }.into());
        }
        let rows = cut(batch.len(), self.shards);
        let weights: Vec<f64> = rows.iter().map(|rows| self.weight_of(batch, rows.clone())).collect();
        let shares = shares(&weights, &rows);
        Ok(Cut { rows, shares })
    }

    pub(super) fn weight_of(&self, batch: &Batch<T>, rows: Range<usize>) -> f64 {
        self.weigh.map_or_else(|| weight_of(batch, rows.clone()), |weigh| weigh(&part(batch, rows.clone())))
    }

    /// The shards that a rank computes.
    pub(super) fn dealt(&self, rank: usize) -> Range<usize> {
        let bound = |rank: usize| rank * self.shards / self.ranks.size();
        bound(rank)..bound(rank + 1)
    }

    /// Puts loss and gradient of each shard of this rank in its place.
    #[track_caller]
    pub(super) fn gradients(&mut self, batch: &Batch<T>, cut: &Cut, length: usize) -> Result<(), nn::Error> {
        self.begin(length);
        if let Some(programs) = &mut self.gradient {
            programs.set_state_numbers(&self.now).map_err(of_program)?;
        }
        let step = Key::new(self.seed).fold_in(self.steps);
        for shard in self.dealt(self.ranks.rank()) {
            if cut.shares[shard] == 0.0 {
                self.given[shard * length..][..length].fill(T::ZERO);
                continue;
            }
            let (part, share) = (part(batch, cut.rows[shard].clone()), Tensor::scalar(T::of(cut.shares[shard])));
            let key = step.fold_in(shard as u64);
            if self.gradient.is_none() {
                self.gradient = Some(record_gradient(&self.net, &self.loss, (&part, &share, key))?);
            }
            let programs = self.gradient.as_mut().expect("it was recorded");
            let outputs = programs.run(&(&part, &share, key)).map_err(of_program)?;
            let mut place = &mut self.given[shard * length..][..length];
            for output in 0..outputs.len() {
                let numbers = outputs.slice(output);
                let (these, rest) = place.split_at_mut(numbers.len());
                these.copy_from_slice(numbers);
                place = rest;
            }
        }
        Ok(())
    }

    /// Puts the loss of each shard of this rank in its place.
    #[track_caller]
    pub(super) fn losses(&mut self, batch: &Batch<T>, cut: &Cut) -> Result<(), nn::Error> {
        self.begin(1);
        if let Some(programs) = &mut self.measure {
            programs.set_state_numbers(&self.now).map_err(of_program)?;
        }
        for shard in self.dealt(self.ranks.rank()) {
            if cut.shares[shard] == 0.0 {
                self.given[shard] = T::ZERO;
                continue;
            }
            let part = part(batch, cut.rows[shard].clone());
            if self.measure.is_none() {
                let (loss, skeleton) = (Arc::clone(&self.loss), self.net.map(&mut Tensor::clone));
                let programs = Programs::record(leaves(&self.net), &part, move |_, params, batch| {
                    (Vec::new(), vec![one_number(loss(&rebuilt(&skeleton, &params), &batch))])
                });
                self.measure = Some(programs.map_err(of_program)?);
            }
            let programs = self.measure.as_mut().expect("it was recorded");
            self.given[shard] = programs.run(&part).map_err(of_program)?.item(0);
        }
        Ok(())
    }

    /// Makes room for what the shards give, and takes the numbers of the net.
    fn begin(&mut self, length: usize) {
        self.given.resize(length * self.shards, T::ZERO);
        self.now.clear();
        self.net.visit(&mut |leaf| self.now.extend_from_slice(leaf.as_slice()));
    }
}

/// The program of a shard: of the shard, its share in the batch and its key, to the loss, for each leaf whether it is a buffer, and for each
/// leaf its gradient, or its next numbers.
#[track_caller]
fn record_gradient<T: Number, P>(
    net: &P,
    loss: &Arc<Loss<P, T>>,
    given: (&Batch<T>, &Tensor<T>, Key),
) -> Result<Gradient<T>, nn::Error>
where
    P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P> + Send + Sync + 'static,
{
    let (loss, skeleton) = (Arc::clone(loss), net.map(&mut Tensor::clone));
    let programs =
        Programs::record(leaves(net), &given, move |tape, params: Vec<Var<'_, T>>, (mut batch, share, key)| {
            batch.context = Context::training(key);
            let loss = one_number(loss(&rebuilt(&skeleton, &params), &batch));
            let kept: Vec<_> = params.iter().map(|param| batch.context.kept(*param)).collect();
            let grads = grad(loss * share, &params);
            let flags = kept.iter().map(|kept| tape.scalar(if kept.is_some() { T::ONE } else { T::ZERO }));
            let numbers = kept.iter().zip(grads).map(|(kept, grad)| kept.unwrap_or(grad));
            (Vec::new(), std::iter::once(loss).chain(flags).chain(numbers).collect())
        });
    programs.map_err(of_program)
}

fn of_program(error: autograd::ProgramError) -> nn::Error {
    nn::Error { file: String::new(), line: None, column: None, kind: nn::Kind::Program(error) }
}

fn leaves<T: Number>(net: &impl Tree<Leaf = Tensor<T>>) -> Vec<Tensor<T>> {
    net.leaves().into_iter().cloned().collect()
}

/// A structure like another with these variables as its leaves.
fn rebuilt<'t, T: Number, P: Tree<Leaf = Tensor<T>>>(like: &P, leaves: &[Var<'t, T>]) -> P::With<Var<'t, T>> {
    let mut rest = leaves.iter();
    like.map(&mut |_| *rest.next().expect("there is a variable for each leaf"))
}

fn one_number<T: Number>(loss: Var<'_, T>) -> Var<'_, T> {
    assert!(loss.numel() == 1, "Learner: a loss of one number is needed, its shape is {}", loss.shape());
    loss
}
