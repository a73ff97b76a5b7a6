//! Running sums and sums of exponentials, and the linear recurrence behind derivatives of these and of products.

use crate::diff::forward::plus;
use crate::float::Float;
use crate::kernels::{cumsum, recur, running};
use crate::ops::binary::BinaryRules;
use crate::tape::attribute::Attributes;
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::Reason;
use crate::tensor::shape::Shape;

/// Running sums along an axis, from the front or from the back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CumSum {
    pub(super) axis: usize,
    reverse: bool,
}

impl Named for CumSum {
    const NAMES: &'static [&'static str] = &["cumsum"];
}

impl<T: Float> Op<T, 1> for CumSum {
    fn name(&self) -> &'static str {
        "cumsum"
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into()), ("reverse", self.reverse.into())]
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.axis);
        cumsum::cumsum(x.data, (n, inner), self.reverse, y.data);
    }
    fn vjp<'t>(&self, _: usize, _: [Var<'t, T>; 1], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        Some(y.tape().record(Arity(Self { reverse: !self.reverse, ..*self }), [dy]))
    }
    fn jvp<'t>(&self, _: [Var<'t, T>; 1], y: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        Some(y.tape().record(Arity(*self), [dx?]))
    }
}

/// The linear recurrence `h_t = b_t + a_t · h_{t−1}` along an axis (with `a_{t−1}` where `lagged`, and `t+1` for `t−1`
/// where `reverse`). Its adjoint is a recurrence of the same kind in the other direction, so products made of it are
/// exact at zeros, at every order; dividing by a factor never is. Derivatives are `absolute`: a zero one stays zero,
/// whatever the factors are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Recurrence {
    pub(super) axis: usize,
    pub(super) reverse: bool,
    pub(super) lagged: bool,
    pub(super) absolute: bool,
}

impl Recurrence {
    /// The recurrence of cotangents, in the other direction.
    pub(super) fn adjoint(self) -> Self {
        Self { reverse: !self.reverse, lagged: !self.lagged, absolute: true, ..self }
    }

    /// `x` moved by one along the axis, in the direction of the recurrence (or against it); 0 moves in.
    pub(super) fn moved<'t, T: Float>(self, x: Var<'t, T>, with: bool) -> Var<'t, T> {
        let n = x.sizes()[self.axis];
        let mut pads = vec![(0, 0); self.axis + 1];
        let axis = self.axis as isize;
        let (start, pad) = if with == self.reverse { (1, (0, 1)) } else { (0, (1, 0)) };
        pads[self.axis] = pad;
        x.narrow(axis, start.min(n), n.saturating_sub(1)).pad(&pads, 0.0)
    }
}

impl Named for Recurrence {
    const NAMES: &'static [&'static str] = &["recurrence"];
}

impl<T: Float> Op<T, 2> for Recurrence {
    fn name(&self) -> &'static str {
        "recurrence"
    }
    fn attributes(&self) -> Attributes {
        vec![
            ("axis", self.axis.into()),
            ("reverse", self.reverse.into()),
            ("lagged", self.lagged.into()),
            ("absolute", self.absolute.into()),
        ]
    }
    fn shape(&self, [a, b]: [&Shape; 2]) -> Result<Shape, Reason> {
        if a == b { Ok(b.clone()) } else { Err(Reason::shape("the shapes must be equal")) }
    }
    fn eval(&self, [a, b]: [View<'_, T>; 2], y: ViewMut<'_, T>) {
        let (_, n, inner) = b.shape.around(self.axis);
        recur::recur((a.data, b.data), (n, inner), self.reverse, self.lagged, self.absolute, y.data);
    }
    /// With the adjoint `λ_t = g_t + a_{t+1} · λ_{t+1}`: `db_t = λ_t` and `da_t = λ_t · h_{t−1}`; where lagged,
    /// `λ_t = g_t + a_t · λ_{t+1}` and `da_t = λ_{t+1} · h_t`.
    fn vjp<'t>(&self, arg: usize, [a, _]: [Var<'t, T>; 2], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let lambda = y.tape().record(Arity(self.adjoint()), [a, dy]);
        Some(match (arg, self.lagged) {
            (0, false) => lambda.both(self.moved(y, true)),
            (0, true) => self.moved(lambda, false).both(y),
            _ => lambda,
        })
    }
    /// The tangent obeys the same recurrence, with `db_t + da_t · h_{t−1}` in the place of `b_t`.
    fn jvp<'t>(&self, [a, _]: [Var<'t, T>; 2], y: Var<'t, T>, [da, db]: [Option<Var<'t, T>>; 2]) -> Option<Var<'t, T>> {
        let from_a = da.map(|da| if self.lagged { self.moved(da.both(y), true) } else { da.both(self.moved(y, true)) });
        let source = plus(from_a, db)?;
        Some(y.tape().record(Arity(Self { absolute: true, ..*self }), [a, source]))
    }
}

/// `y_t = ln(e^{y_{t−1}} + e^{x_t})` along an axis. Its tangent is the recurrence `ẏ_t = σ(y_{t−1} − x_t) ẏ_{t−1} +
/// σ(x_t − y_{t−1}) ẋ_t`, whose weights are small where they should be, not differences from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogCumSumExp {
    pub(super) axis: usize,
}

impl LogCumSumExp {
    /// The shares of the sum so far and of the new term in the sum: 0 and 1 at the beginning.
    fn shares<'t, T: Float>(self, x: Var<'t, T>, y: Var<'t, T>) -> [Var<'t, T>; 2] {
        let mut pads = vec![(0, 0); self.axis + 1];
        pads[self.axis] = (1, 0);
        let before = y.narrow(self.axis as isize, 0, y.sizes()[self.axis] - 1).pad(&pads, f64::NEG_INFINITY);
        [before.logistic_share(x), x.logistic_share(before)]
    }

    /// The recurrence of tangents.
    fn recurrence(self) -> Recurrence {
        Recurrence { axis: self.axis, reverse: false, lagged: false, absolute: true }
    }
}

impl Named for LogCumSumExp {
    const NAMES: &'static [&'static str] = &["logcumsumexp"];
}

impl<T: Float> Op<T, 1> for LogCumSumExp {
    fn name(&self) -> &'static str {
        "logcumsumexp"
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into())]
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.axis);
        running::log_cumulative_sum_exp(x.data, (n, inner), y.data);
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let [kept, new] = self.shares(x, y);
        Some(y.tape().record(Arity(self.recurrence().adjoint()), [kept, dy]).zmul(new))
    }
    fn jvp<'t>(&self, [x]: [Var<'t, T>; 1], y: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        let [kept, new] = self.shares(x, y);
        Some(y.tape().record(Arity(self.recurrence()), [kept, dx?.zmul(new)]))
    }
}

/// # Running sums
///
/// What comes of all elements up to each one.
impl<'t, T: Float> Var<'t, T> {
    /// The logarithm of the running sum of exponentials along an axis, without overflow, as `torch.logcumsumexp`.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1000.0, 1000.0]));
    /// assert_eq!(x.logcumsumexp(0).value().as_slice(), [1000.0, 1000.0 + 2_f64.ln()]);
    /// ```
    #[track_caller]
    pub fn logcumsumexp(self, axis: isize) -> Self {
        let axis = self.expect("logcumsumexp", self.sizes().axis(axis));
        if self.numel() == 0 {
            return self;
        }
        self.tape().record(Arity(LogCumSumExp { axis }), [self])
    }

    /// Running sums along an axis; from its end on, see [`Var::cumsum_reverse`]. Their inverse are [`diff`](Var::diff).
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// assert_eq!(x.cumsum(0).value().as_slice(), [1.0, 3.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn cumsum(self, axis: isize) -> Self {
        let axis = self.expect("cumsum", self.sizes().axis(axis));
        self.tape().record(Arity(CumSum { axis, reverse: false }), [self])
    }

    /// Running sums along an axis that begin at its end: each element and all after it, as `lax.cumsum(reverse=True)`.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let rewards = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// let still_to_come = rewards.cumsum_reverse(0);
    /// assert_eq!(still_to_come.value().as_slice(), [6.0, 5.0, 3.0]);
    /// assert_eq!(grad(still_to_come.sum(), &rewards).value().as_slice(), [1.0, 2.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// Where the axis does not exist.
    #[track_caller]
    pub fn cumsum_reverse(self, axis: isize) -> Self {
        let axis = self.expect("cumsum_reverse", self.sizes().axis(axis));
        self.tape().record(Arity(CumSum { axis, reverse: true }), [self])
    }

    /// The differences of neighbours along an axis, each less the one before, and `order` times so, as `numpy.diff`: the axis gets shorter
    /// by the order, down to 0.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 4.0, 9.0, 16.0]));
    /// assert_eq!(x.diff(1, 0).value().as_slice(), [3.0, 5.0, 7.0]);
    /// assert_eq!(x.diff(2, 0).value().as_slice(), [2.0, 2.0]);
    /// assert_eq!(grad(x.diff(1, 0).square().sum(), &x).value().as_slice(), [-6.0, -4.0, -4.0, 14.0]);
    /// ```
    ///
    /// # Panics
    /// Where the axis does not exist.
    #[track_caller]
    pub fn diff(self, order: usize, axis: isize) -> Self {
        let _whole = self.tape().composite("diff", [self]);
        let i = self.expect("diff", self.sizes().axis(axis));
        let n = self.sizes()[i];
        if order >= n || self.numel() == 0 {
            return self.narrow(axis, 0, n.saturating_sub(order));
        }
        let mut differences = self;
        for rest in (n - order..n).rev() {
            differences = differences.narrow(axis, 1, rest) - differences.narrow(axis, 0, rest);
        }
        differences
    }
}
