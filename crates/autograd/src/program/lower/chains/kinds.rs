//! What the operations of a chain are that go by slices.

use super::Action;
use super::formula::formula;
use crate::float::Float;
use crate::kernels::chain::TileOp;
use crate::kernels::jit::formula::Formula;
use std::sync::Arc;

/// The operations of a chain by slices, each kind of them once, and what they are.
pub(super) struct Kinds<'a, T: Float> {
    pub(super) list: Vec<Arc<dyn TileOp<T>>>,
    /// What they consist of, where that is known.
    pub(super) formulas: Vec<Option<Formula>>,
    actions: Vec<&'a Action<T>>,
}

impl<T: Float> Default for Kinds<'_, T> {
    fn default() -> Self {
        Self { list: Vec::new(), formulas: Vec::new(), actions: Vec::new() }
    }
}

/// So many kinds are looked at before one is taken for new.
const NEAR: usize = 16;

impl<'a, T: Float> Kinds<'a, T> {
    /// The number of what an action is.
    pub(super) fn number(&mut self, action: &'a Action<T>) -> u32 {
        let is_same = |known: &&Action<T>| match (known, action) {
            (Action::Op(known), Action::Op(kind)) => known.same(kind),
            (Action::Both(known), Action::Both(pair)) => known == pair,
            _ => false,
        };
        let near = self.actions.len().saturating_sub(NEAR);
        let known = self.actions[near..].iter().position(is_same);
        let number = known.map_or(self.list.len(), |known| near + known);
        if number == self.list.len() {
            self.actions.push(action);
            self.formulas.push(if let Action::Op(kind) = action { formula(kind) } else { None });
            self.list.push(match action {
                Action::Op(kind) => T::tile_op(kind).expect("chains are made of element-wise operations"),
                Action::Both(pair) => T::pair(*pair),
                Action::InTurn(_) | Action::Sum(_) => unreachable!("they are no operations by slices"),
            });
        }
        number as u32
    }
}
