//! Numbers that are not finite: where they come from, and what was before them.

use crate::Number;
use autograd::{Tape, Tensor, Tree, Var};
use nn::Rule;
use nn::data::Batch;
use nn::train::{Diverged, NanGuard};

/// The numbers of the last finite loss: those of a net, and of the memory that belongs to them.
pub(crate) struct Good<T> {
    net: Vec<T>,
    memory: Vec<T>,
    is_there: bool,
}

impl<T> Default for Good<T> {
    fn default() -> Self {
        Self { net: Vec::new(), memory: Vec::new(), is_there: false }
    }
}

impl<T: Number> Good<T> {
    /// Takes a copy of them.
    pub(crate) fn keep(&mut self, net: &impl Tree<Leaf = Tensor<T>>, rule: &impl Rule<T>) {
        self.is_there = true;
        self.net.clear();
        net.visit(&mut |leaf| self.net.extend_from_slice(leaf.as_slice()));
        self.memory.clear();
        rule.memory().values().for_each(|tensor| self.memory.extend_from_slice(tensor.as_slice()));
    }

    /// Gives them back; whether there were any.
    fn give(&mut self, net: &mut impl Tree<Leaf = Tensor<T>>, rule: &mut impl Rule<T>) -> bool {
        if !std::mem::take(&mut self.is_there) {
            return false;
        }
        let mut rest = &self.net[..];
        let mut fill = |tensor: &mut Tensor<T>| {
            let (these, others) = rest.split_at(tensor.numel());
            tensor.as_mut_slice().copy_from_slice(these);
            rest = others;
        };
        net.visit_mut(&mut fill);
        let memory = rule.memory_mut();
        if self.memory.is_empty() {
            memory.clear(); // before the first step
            return true;
        }
        rest = &self.memory;
        memory.values_mut().for_each(|tensor| {
            let (these, others) = rest.split_at(tensor.numel());
            tensor.as_mut_slice().copy_from_slice(these);
            rest = others;
        });
        true
    }
}

/// Whether all numbers of a net are finite.
pub(crate) fn is_finite<T: Number>(net: &impl Tree<Leaf = Tensor<T>>) -> bool {
    let mut finite = true;
    // Without a branch, so that it takes vectors.
    net.visit(&mut |leaf| finite = leaf.as_slice().iter().fold(finite, |finite, x| finite & x.is_finite()));
    finite
}

/// Tells why a step led to numbers that are not finite, and goes back to those of the last finite loss. Where the loss is finite, the step has
/// broken the net.
pub(crate) fn explain<T: Number, P>(
    net: &mut P,
    rule: &mut impl Rule<T>,
    good: &mut Good<T>,
    (part, loss): (&Batch<T>, f64),
    again: impl for<'t> Fn(&'t Tape<T>, &P::With<Var<'t, T>>) -> Var<'t, T>,
) -> Diverged
where
    P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P>,
{
    let broken = net.leaves().iter().position(|leaf| leaf.as_slice().iter().any(|x| !x.is_finite()));
    let parameter = broken.map(|place| net.names().swap_remove(place));
    let is_step = loss.is_finite();
    let mut restored = is_step && good.give(net, rule);
    let told = NanGuard::default().check(f64::NAN, net, (0, 0, &part.rows), |tape, net, _| again(tape, net));
    if !is_step {
        restored = good.give(net, rule);
    }
    let origin = told.err().and_then(|diverged| diverged.origin);
    let feature = broken_feature(part);
    Diverged { epoch: 0, batch: 0, loss, rows: part.rows.clone(), feature, parameter, origin, restored }
}

/// The first feature of a batch that is not finite.
fn broken_feature<T: Number>(batch: &Batch<T>) -> Option<(usize, usize)> {
    let place = batch.features.as_slice().iter().position(|x| !x.is_finite())?;
    let width = batch.features.numel() / batch.len().max(1);
    Some((batch.rows.get(place / width).copied().unwrap_or(place / width), place % width))
}
