//! Softmax, log-softmax and log-sum-exp, from shifted scores.

use crate::float::Float;
use crate::kernels::softmax;
use crate::ops::reduce::{Axes, keepdims};
use crate::tape::attribute::Attributes;
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::Reason;
use crate::tensor::shape::Shape;

/// `exp x / Σ exp x` along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Softmax {
    pub(super) axis: usize,
    /// Gives rows that have no softmax the weights that the gradient of log-sum-exp needs; see the kernel.
    total: bool,
}

impl Softmax {
    /// `p ∘ (g − Σ p ∘ g)`: the Jacobian `diag(p) − p pᵀ` is symmetric, so it serves both directions.
    fn rule<'t, T: Float>(self, p: Var<'t, T>, g: Var<'t, T>) -> Var<'t, T> {
        let g = g.about_likely(p, self.axis);
        (g - g.zmul(p).sum_axes(keepdims(self.axis as isize))).zmul(p)
    }
}

/// With probabilities `p` along an axis: `x − x[t]`, where `t` is the class of a probability above ½, else `x`; or the adjoint,
/// `x` with `−Σ x` of the other classes at `t`.
///
/// The Jacobian of softmax takes equal numbers to 0, as does that of log-softmax, and the columns of either sum to 0. So they
/// stay what they are with the former before them, and with the latter behind. But what is multiplied by `1 − p[t]`, where
/// `p[t]` has rounded to 1, is then a sum over the other classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Likely {
    pub(super) axis: usize,
    adjoint: bool,
}

impl Named for Likely {
    const NAMES: &'static [&'static str] = &["about_likely", "balance_likely"];
}

impl<T: Float> Op<T, 2> for Likely {
    fn name(&self) -> &'static str {
        if self.adjoint { "balance_likely" } else { "about_likely" }
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into())]
    }
    fn shape(&self, [x, _]: [&Shape; 2]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x, p]: [View<'_, T>; 2], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.axis);
        let kernel = if self.adjoint { softmax::balance_likely } else { softmax::about_likely };
        kernel(x.data, p.data, (n, inner), y.data);
    }
    fn vjp<'t>(&self, arg: usize, [_, p]: [Var<'t, T>; 2], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        (arg == 0).then(|| y.tape().record(Arity(Self { adjoint: !self.adjoint, ..*self }), [dy, p]))
    }
    fn jvp<'t>(&self, [_, p]: [Var<'t, T>; 2], y: Var<'t, T>, [dx, _]: [Option<Var<'t, T>>; 2]) -> Option<Var<'t, T>> {
        Some(y.tape().record(Arity(*self), [dx?, p]))
    }
}

impl Named for Softmax {
    const NAMES: &'static [&'static str] = &["softmax"];
}

impl<T: Float> Op<T, 1> for Softmax {
    fn name(&self) -> &'static str {
        "softmax"
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into()), ("total", self.total.into())]
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
    pub(super) axis: usize,
}

impl Named for LogSoftmax {
    const NAMES: &'static [&'static str] = &["log_softmax"];
}

impl<T: Float> Op<T, 1> for LogSoftmax {
    fn name(&self) -> &'static str {
        "log_softmax"
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into())]
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
        let p = x.softmax(axis);
        Some((dy - dy.sum_axes(keepdims(axis)).zmul(p)).balance_likely(p, self.axis))
    }
    fn jvp<'t>(&self, [x]: [Var<'t, T>; 1], _: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        let axis = self.axis as isize;
        let p = x.softmax(axis);
        let dx = dx?.about_likely(p, self.axis);
        Some(dx - dx.zmul(p).sum_axes(keepdims(axis)))
    }
}

/// `ln Σ exp x` along an axis, which is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogSumExp {
    pub(super) axis: usize,
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
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into())]
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

/// # Softmax
///
/// And its logarithm, from shifted scores: no overflow.
impl<'t, T: Float> Var<'t, T> {
    /// See [`Likely`].
    #[track_caller]
    pub(crate) fn about_likely(self, p: Self, axis: usize) -> Self {
        self.tape().record(Arity(Likely { axis, adjoint: false }), [self, p])
    }

    /// The adjoint of [`Var::about_likely`].
    #[track_caller]
    pub(crate) fn balance_likely(self, p: Self, axis: usize) -> Self {
        self.tape().record(Arity(Likely { axis, adjoint: true }), [self, p])
    }

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
