//! Cross-entropy as PyTorch rounds it.
//!
//! The gradient of [`Var::cross_entropy`] is exact to its last digits also for a row that is named with certainty. PyTorch's is
//! `exp(log p) − 1` there, which rounds to 0 or to noise. A rule that looks at the signs of gradients alone, as Rprop, goes another way by
//! that. Here optimisers are compared, not losses, so the loss is written with PyTorch's rounding.

use autograd::{Indices, Op, Reason, Shape, Var, View, ViewMut, keepdims};

/// `x − ln Σ exp x` along the rows of `[n, k]`, with a derivative of its result: `dx = dy − exp(y) Σ dy`.
#[derive(Debug)]
struct LogSoftmax;

impl Op<f64, 1> for LogSoftmax {
    fn name(&self) -> &'static str {
        "log_softmax_by_result"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        if x.rank() == 2 && x[1] > 0 { Ok(x.clone()) } else { Err(Reason::shape("scores [n, k] are needed")) }
    }
    fn eval(&self, [x]: [View<'_, f64>; 1], y: ViewMut<'_, f64>) {
        let k = x.shape[1];
        for (x, y) in x.data.chunks_exact(k).zip(y.data.chunks_exact_mut(k)) {
            let top = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let log_sum = x.iter().map(|x| (x - top).exp()).sum::<f64>().ln();
            x.iter().zip(y).for_each(|(x, y)| *y = (x - top) - log_sum);
        }
    }
    fn vjp<'t>(&self, _: usize, _: [Var<'t>; 1], y: Var<'t>, dy: Var<'t>) -> Option<Var<'t>> {
        Some(dy - y.exp() * dy.sum_axes(keepdims(1)))
    }
}

/// The mean cross-entropy of scores `[n, k]` against `n` labels.
#[track_caller]
pub(crate) fn cross_entropy<'t>(scores: Var<'t>, labels: &(impl Indices<'t, f64> + ?Sized)) -> Var<'t> {
    let labels = labels.on(scores.tape());
    let log_p = scores.tape().apply(LogSoftmax, [scores]);
    log_p.take_along_axis(1, &labels.expand_dims(1)).mean().neg()
}
