//! Softmax, log-softmax and log-sum-exp, from shifted scores.

use crate::float::Float;
use crate::kernels::softmax::{self, By};
use crate::ops::binary::BinaryRules;
use crate::ops::reduce::{Axes, keepdims};
use crate::ops::table::Kind;
use crate::tape::attribute::{Attributes, along};
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::Reason;
use crate::tensor::shape::Shape;
use crate::tensor::span::Span;

/// `exp x / Σ exp x` along axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Softmax {
    pub(super) along: Span,
    /// Gives rows that have no softmax the weights that the gradient of log-sum-exp needs; see the kernel.
    total: bool,
}

/// Numbers and probabilities along axes, by the class of a probability above ½; see [`By`].
///
/// The Jacobian of softmax takes equal numbers to 0, as does that of log-softmax, and the columns of either sum to 0. So they
/// stay what they are with the scores about that class, and with what comes of them balanced. But what is multiplied by `1 − p[t]`,
/// where `p[t]` has rounded to 1, is then a sum over the other classes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Likely {
    pub(super) along: Span,
    by: By,
}

impl Likely {
    /// The derivative of the gradient of softmax, or of that of its logarithm, with respect to the probabilities, in this direction;
    /// the class is the same.
    fn along_p<'t, T: Float>(self, [x, p]: [Var<'t, T>; 2], dp: Var<'t, T>) -> Var<'t, T> {
        let sum = |x: Var<'t, T>| x.sum_axes(keepdims(self.along));
        if self.by == By::LogSoftmax {
            return sum(x).zmul(dp).neg().by_likely(By::Balance, p, self.along);
        }
        let about = x.by_likely(By::About, p, self.along);
        dp.both(about - sum(about.zmul(p))) - sum(dp.both(about)).zmul(p)
    }

    /// The adjoint of [`Likely::along_p`].
    fn adjoint_of_p<'t, T: Float>(self, [x, p]: [Var<'t, T>; 2], dy: Var<'t, T>) -> Var<'t, T> {
        let sum = |x: Var<'t, T>| x.sum_axes(keepdims(self.along));
        if self.by == By::LogSoftmax {
            return dy.by_likely(By::About, p, self.along).both(sum(x)).neg();
        }
        let about = x.by_likely(By::About, p, self.along);
        dy.both(about - sum(about.zmul(p))) - sum(dy.zmul(p)).both(about)
    }
}

impl Named for Likely {
    const NAMES: &'static [&'static str] = &["about_likely", "balance_likely", "softmax_grad", "log_softmax_grad"];
}

impl<T: Float> Op<T, 2> for Likely {
    fn name(&self) -> &'static str {
        match self.by {
            By::About => "about_likely",
            By::Balance => "balance_likely",
            By::Softmax => "softmax_grad",
            By::LogSoftmax => "log_softmax_grad",
        }
    }
    fn attributes(&self) -> Attributes {
        along(self.along)
    }
    fn shape(&self, [x, _]: [&Shape; 2]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x, p]: [View<'_, T>; 2], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.along);
        softmax::by_likely(self.by, x.data, p.data, (n, inner), y.data);
    }
    fn vjp<'t>(&self, arg: usize, [x, p]: [Var<'t, T>; 2], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let by = |by| dy.by_likely(by, p, self.along);
        match self.by {
            By::About => (arg == 0).then(|| by(By::Balance)),
            By::Balance => (arg == 0).then(|| by(By::About)),
            By::Softmax if arg == 0 => Some(by(By::Softmax)),
            By::LogSoftmax if arg == 0 => {
                let about = by(By::About);
                Some(about - about.zmul(p).sum_axes(keepdims(self.along)))
            }
            By::Softmax | By::LogSoftmax => Some(self.adjoint_of_p([x, p], dy)),
        }
    }
    fn jvp<'t>(&self, [x, p]: [Var<'t, T>; 2], _: Var<'t, T>, [dx, dp]: [Option<Var<'t, T>>; 2]) -> Option<Var<'t, T>> {
        let along_x = dx.map(|dx| dx.by_likely(self.by, p, self.along));
        let along_p = dp.filter(|_| matches!(self.by, By::Softmax | By::LogSoftmax));
        match (along_x, along_p.map(|dp| self.along_p([x, p], dp))) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        }
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
        along(self.along).into_iter().chain([("total", self.total.into())]).collect()
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.along);
        softmax::softmax(x.data, (n, inner), self.total, y.data);
    }
    fn vjp<'t>(&self, _: usize, _: [Var<'t, T>; 1], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        Some(dy.by_likely(By::Softmax, y, self.along))
    }
    fn jvp<'t>(&self, _: [Var<'t, T>; 1], y: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        Some(dx?.by_likely(By::Softmax, y, self.along))
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
        softmax::log_softmax(x.data, (n, inner), y.data, &mut []);
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let axis = self.axis as isize;
        let p = x.softmax(axis);
        Some(dy.by_likely(By::LogSoftmax, p, self.axis))
    }
    fn jvp<'t>(&self, [x]: [Var<'t, T>; 1], _: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        let axis = self.axis as isize;
        let p = x.softmax(axis);
        let dx = dx?.by_likely(By::About, p, self.axis);
        Some(dx - dx.zmul(p).sum_axes(keepdims(axis)))
    }
}

/// `ln Σ exp x` along axes, which are dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogSumExp {
    pub(super) along: Span,
}

impl LogSumExp {
    fn weights<'t, T: Float>(self, x: Var<'t, T>) -> Var<'t, T> {
        x.tape().record(Arity(Softmax { along: self.along, total: true }), [x])
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
        along(self.along)
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.splice(self.along, &[]))
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.along);
        softmax::log_sum_exp(x.data, (n, inner), y.data, &mut []);
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        Some(dy.expand_span(self.along).zmul(self.weights(x)))
    }
    fn jvp<'t>(&self, [x]: [Var<'t, T>; 1], _: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        Some(dx?.zmul(self.weights(x)).sum_axes(self.along))
    }
}

/// A logarithm of softmax, or of the sum of exponentials, together with the shares that its gradient reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WithShares {
    pub(crate) along: Span,
    /// Whether it is the logarithm of the sum.
    is_sum: bool,
}

impl WithShares {
    /// Of which kind and axis an operation is a half, and whether that is the logarithm.
    pub(crate) fn half<T: Float>(kind: &Kind<T>) -> Option<(Self, bool)> {
        #[allow(clippy::wildcard_enum_match_arm, reason = "three of a large table")]
        Some(match kind {
            Kind::Softmax(Arity(op)) => (Self { along: op.along, is_sum: op.total }, false),
            Kind::LogSoftmax(Arity(op)) => (Self { along: op.axis.into(), is_sum: false }, true),
            Kind::LogSumExp(Arity(op)) => (Self { along: op.along, is_sum: true }, true),
            _ => return None,
        })
    }

    pub(crate) fn eval<T: Float>(self, x: View<'_, T>, log: &mut [T], shares: &mut [T]) {
        let (_, n, inner) = x.shape.around(self.along);
        let kernel = if self.is_sum { softmax::log_sum_exp } else { softmax::log_softmax };
        kernel(x.data, (n, inner), log, shares);
    }

    /// The operations that it is, for a listing.
    pub(crate) fn name(self) -> &'static str {
        if self.is_sum { "logsumexp · softmax" } else { "log_softmax · softmax" }
    }
}

/// # Softmax
///
/// And its logarithm, from shifted scores: no overflow.
impl<'t, T: Float> Var<'t, T> {
    /// See [`Likely`].
    #[track_caller]
    pub(crate) fn by_likely(self, by: By, p: Self, along: impl Into<Span>) -> Self {
        self.tape().record(Arity(Likely { along: along.into(), by }), [self, p])
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
        self.tape().record(Arity(Softmax { along: axis.into(), total: false }), [self])
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
        let (x, along, shape) = self.gather_axes("logsumexp", &axes.into());
        x.tape().record(Arity(LogSumExp { along }), [x]).reshape(shape)
    }
}
