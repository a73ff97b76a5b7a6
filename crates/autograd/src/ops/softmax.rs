//! Softmax, log-softmax and log-sum-exp, from shifted scores.

use crate::error::Reason;
use crate::float::Float;
use crate::kernels::softmax;
use crate::op::{Arity, Named, Op, View, ViewMut};
use crate::ops::reduce::Axes;
use crate::shape::Shape;
use crate::var::Var;

/// `exp x / Σ exp x` along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Softmax {
    axis: usize,
    /// Gives rows that have no softmax the weights that the gradient of log-sum-exp needs; see the kernel.
    total: bool,
}

impl Softmax {
    /// `p ∘ (g − Σ p ∘ g)`: the Jacobian `diag(p) − p pᵀ` is symmetric, so it serves both directions.
    fn rule<'t, T: Float>(self, p: Var<'t, T>, g: Var<'t, T>) -> Var<'t, T> {
        (g - g.zmul(p).sum_axes(crate::keepdims(self.axis as isize))).zmul(p)
    }
}

impl Named for Softmax {
    const NAMES: &'static [&'static str] = &["softmax"];
}

impl<T: Float> Op<T, 1> for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.axis);
        softmax::softmax(x.data, (n, inner), self.total, y.data);
    }
    fn vjp<'t>(&self, _: usize, _: [Var<'t, T>; 1], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        Some(self.rule(y, dy))
    }
    fn jvp<'t>(&self, _: [Var<'t, T>; 1], y: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        Some(self.rule(y, dx?))
    }
}

/// `x − ln Σ exp x` along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogSoftmax {
    axis: usize,
}

impl Named for LogSoftmax {
    const NAMES: &'static [&'static str] = &["log_softmax"];
}

impl<T: Float> Op<T, 1> for LogSoftmax {
    fn name(&self) -> &'static str {
        "log_softmax"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.axis);
        softmax::log_softmax(x.data, (n, inner), y.data);
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let axis = self.axis as isize;
        Some(dy - dy.sum_axes(crate::keepdims(axis)).zmul(x.softmax(axis)))
    }
    fn jvp<'t>(&self, [x]: [Var<'t, T>; 1], _: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        let axis = self.axis as isize;
        let dx = dx?;
        Some(dx - dx.zmul(x.softmax(axis)).sum_axes(crate::keepdims(axis)))
    }
}

/// `ln Σ exp x` along an axis, which is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogSumExp {
    axis: usize,
}

impl LogSumExp {
    fn weights<'t, T: Float>(self, x: Var<'t, T>) -> Var<'t, T> {
        x.tape().record(Arity(Softmax { axis: self.axis, total: true }), [x])
    }
}

impl Named for LogSumExp {
    const NAMES: &'static [&'static str] = &["logsumexp"];
}

impl<T: Float> Op<T, 1> for LogSumExp {
    fn name(&self) -> &'static str {
        "logsumexp"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.splice(self.axis, &[]))
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.axis);
        softmax::log_sum_exp(x.data, (n, inner), y.data);
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        Some(dy.expand_dims(self.axis as isize).zmul(self.weights(x)))
    }
    fn jvp<'t>(&self, [x]: [Var<'t, T>; 1], _: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        Some(dx?.zmul(self.weights(x)).sum_axes(self.axis as isize))
    }
}

impl<'t, T: Float> Var<'t, T> {
    /// `exp x / Σ exp x` along an axis. A row of −∞ alone, or with a +∞, has no softmax and gives NaN.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let scores = tape.var(&Tensor::from([1e4, 0.0]));
    /// assert_eq!(scores.softmax(0).value().as_slice(), [1.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn softmax(self, axis: isize) -> Self {
        let axis = self.expect("softmax", self.sizes().axis(axis));
        self.tape().record(Arity(Softmax { axis, total: false }), [self])
    }

    /// `x − ln Σ exp x` along an axis: the logarithm of the softmax, without its underflow.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let scores = tape.var(&Tensor::from([1e4, 0.0]));
    /// assert_eq!(scores.log_softmax(0).value().as_slice(), [0.0, -1e4]);
    /// ```
    #[track_caller]
    pub fn log_softmax(self, axis: isize) -> Self {
        let axis = self.expect("log_softmax", self.sizes().axis(axis));
        self.tape().record(Arity(LogSoftmax { axis }), [self])
    }

    /// `ln Σ exp x` over axes; see [`Axes`]. −∞ for a row of −∞ alone (with derivative 0) or an empty one; scores of
    /// +∞ share the derivative.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1000.0, 1000.0]));
    /// assert_eq!(x.logsumexp(0).item(), 1000.0 + 2_f64.ln());
    /// ```
    #[track_caller]
    pub fn logsumexp(self, axes: impl Into<Axes>) -> Self {
        let (x, axis, shape) = self.merge_axes("logsumexp", &axes.into());
        x.tape().record(Arity(LogSumExp { axis }), [x]).reshape(shape)
    }
}
