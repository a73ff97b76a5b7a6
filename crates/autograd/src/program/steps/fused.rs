//! A fused operation in its place.

use super::{Operand, into, list};
use crate::float::Float;
use crate::kernels::map::copy;
use crate::kernels::product::Sizes;
use crate::kernels::take;
use crate::program::operation::{Fused, Then};
use crate::tape::op::View;
use smallvec::SmallVec;
use std::fmt;

#[derive(Clone)]
pub(in crate::program) struct FusedStep {
    fused: Fused,
    args: SmallVec<[Operand; 5]>,
    results: SmallVec<[Operand; 1]>,
    sizes: Sizes,
}

impl FusedStep {
    pub(in crate::program) fn new(fused: Fused, args: SmallVec<[Operand; 5]>, results: SmallVec<[Operand; 1]>) -> Self {
        let sizes = fused.sizes(&args[0].shape, &results[0].shape);
        Self { fused, args, results, sizes }
    }

    pub(super) fn run<T: Float>(&self, buffers: &mut [Vec<T>]) {
        into(buffers, &self.results[0], |buffers, first| match self.results.get(1) {
            Some(second) => into(buffers, second, |buffers, second| self.compute(buffers, first, second)),
            None => self.compute(buffers, first, &mut []),
        });
    }

    fn compute<T: Float>(&self, buffers: &[Vec<T>], result: &mut [T], second: &mut [T]) {
        let slice = |k: usize| self.args[k].of(buffers);
        let (own, then) = (self.fused.own_operands(), self.fused.then());
        if let Then::Descend(_) = then
            && !self.args[own].is_at(&self.results[0])
        {
            copy(slice(own), result);
        }
        let rate = |rate: Option<f64>| rate.map_or_else(|| slice(own + 1)[0], T::of);
        let finish = then.map(|()| slice(own), rate);
        match self.fused {
            Fused::Product { ta, tb, .. } => {
                T::matmul(self.sizes, (slice(0), ta), (slice(1), tb), result, finish);
            }
            Fused::Rows { rate: by } => {
                let inner = result.len() / self.results[0].shape[0];
                take::descend(slice(0), slice(1), inner, rate(by), result);
            }
            Fused::ColumnSums { .. } => T::column_sums(slice(0), result, finish),
            Fused::LossAndGradient(reduction) => {
                let view = |k: usize| View { shape: &self.args[k].shape, data: slice(k) };
                reduction.eval(view(0), view(1), result, Some((slice(2), second)));
            }
            Fused::InRows(op) => op.eval(View { shape: &self.args[0].shape, data: slice(0) }, result, second),
        }
    }
}

impl fmt::Display for FusedStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}({})", list(&self.results), self.fused.name(), list(&self.args))
    }
}
