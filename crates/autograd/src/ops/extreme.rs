//! Maxima and minima over axes.

use crate::float::Float;
use crate::kernels::extreme;
use crate::ops::binary::BinaryRules;
use crate::ops::reduce::Axes;
use crate::tape::attribute::{Attributes, along};
use crate::tape::op::{Arity, Named, Op, View, ViewMut, no_derivative};
use crate::tape::var::Var;
use crate::tensor::error::{Kind, Reason};
use crate::tensor::shape::Shape;
use crate::tensor::span::Span;

/// The largest (or smallest) element along axes, which are dropped; NaN where there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Extreme {
    pub(super) along: Span,
    largest: bool,
}

impl Named for Extreme {
    const NAMES: &'static [&'static str] = &["max", "min"];
}

impl<T: Float> Op<T, 1> for Extreme {
    fn name(&self) -> &'static str {
        if self.largest { "max" } else { "min" }
    }
    fn attributes(&self) -> Attributes {
        along(self.along)
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        if x.around(self.along).1 == 0 {
            return Err(Reason::new(Kind::Empty, "an extreme of no elements does not exist"));
        }
        Ok(x.splice(self.along, &[]))
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.along);
        extreme::extreme(x.data, (n, inner), self.largest, y.data);
    }
    fn kink(&self, [x]: [View<'_, T>; 1]) -> Option<usize> {
        let (_, n, inner) = x.shape.around(self.along);
        let shape = x.shape.splice(self.along, &[]);
        let (mut extremes, mut shares) = (vec![T::ZERO; shape.numel()], vec![T::ZERO; shape.numel()]);
        Op::<T, 1>::eval(self, [x], ViewMut { shape: &shape, data: &mut extremes });
        extreme::extreme_share(x.data, &extremes, (n, inner), &mut shares);
        shares.iter().position(|&share| share < T::ONE)
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let share = y.tape().record(Arity(ExtremeShare { along: self.along }), [x, y]);
        Some(y.tape().record(Arity(AtExtreme { along: self.along }), [x, y, dy.weigh(share)]))
    }
    fn jvp<'t>(&self, [x]: [Var<'t, T>; 1], y: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        let share = y.tape().record(Arity(ExtremeShare { along: self.along }), [x, y]);
        Some(at_extreme(self.along, x, y, dx?).weigh(share))
    }
}

/// The sum of those elements along axes which stand where `x` has its extreme `y`.
fn at_extreme<'t, T: Float>(along: Span, x: Var<'t, T>, y: Var<'t, T>, dx: Var<'t, T>) -> Var<'t, T> {
    dx.keep(x.attains(y.expand_span(along))).sum_axes(along)
}

/// The number of a row where the extreme of `x` along axes stands, 0 elsewhere. Piecewise constant but for that number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AtExtreme {
    pub(crate) along: Span,
}

impl Named for AtExtreme {
    const NAMES: &'static [&'static str] = &["at_extreme"];
}

impl<T: Float> Op<T, 3> for AtExtreme {
    fn name(&self) -> &'static str {
        "at_extreme"
    }
    fn attributes(&self) -> Attributes {
        along(self.along)
    }
    fn shape(&self, [x, ..]: [&Shape; 3]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x, extreme, number]: [View<'_, T>; 3], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.along);
        extreme::at_extreme([x.data, extreme.data, number.data], (n, inner), y.data);
    }
    fn vjp<'t>(
        &self,
        arg: usize,
        [x, extreme, _]: [Var<'t, T>; 3],
        _: Var<'t, T>,
        dy: Var<'t, T>,
    ) -> Option<Var<'t, T>> {
        (arg == 2).then(|| at_extreme(self.along, x, extreme, dy))
    }
    fn jvp<'t>(
        &self,
        [x, extreme, _]: [Var<'t, T>; 3],
        y: Var<'t, T>,
        [_, _, number]: [Option<Var<'t, T>>; 3],
    ) -> Option<Var<'t, T>> {
        Some(y.tape().record(Arity(*self), [x, extreme, number?]))
    }
}

/// The share that each extreme element has along axes, which are dropped: `1/k` where `k` are tied. Piecewise constant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ExtremeShare {
    pub(super) along: Span,
}

impl Named for ExtremeShare {
    const NAMES: &'static [&'static str] = &["extreme_share"];
}

impl<T: Float> Op<T, 2> for ExtremeShare {
    fn name(&self) -> &'static str {
        "extreme_share"
    }
    fn attributes(&self) -> Attributes {
        along(self.along)
    }
    fn shape(&self, [_, extreme]: [&Shape; 2]) -> Result<Shape, Reason> {
        Ok(extreme.clone())
    }
    fn eval(&self, [x, extreme]: [View<'_, T>; 2], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.along);
        extreme::extreme_share(x.data, extreme.data, (n, inner), y.data);
    }
    no_derivative!(2);
}

/// # Maxima and minima
///
/// Over one axis, several, or all.
impl<'t, T: Float> Var<'t, T> {
    /// The largest element: a scalar. Tied elements share the cotangent equally; a NaN wins.
    ///
    /// # Panics
    /// Where there are no elements.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 3.0, 3.0]));
    /// assert_eq!(grad(x.max(), &x).value().as_slice(), [0.0, 0.5, 0.5]);
    /// ```
    #[track_caller]
    pub fn max(self) -> Self {
        self.max_axes(..)
    }

    /// The largest element over axes; see [`Axes`] and [`Var::max`].
    ///
    /// # Panics
    /// Where there are no elements.
    #[track_caller]
    pub fn max_axes(self, axes: impl Into<Axes>) -> Self {
        self.extreme("max", axes.into(), true)
    }

    /// The smallest element: a scalar. Tied elements share the cotangent equally; a NaN wins.
    ///
    /// # Panics
    /// Where there are no elements.
    #[track_caller]
    pub fn min(self) -> Self {
        self.min_axes(..)
    }

    /// The smallest element over axes; see [`Axes`] and [`Var::min`].
    ///
    /// # Panics
    /// Where there are no elements.
    #[track_caller]
    pub fn min_axes(self, axes: impl Into<Axes>) -> Self {
        self.extreme("min", axes.into(), false)
    }

    #[track_caller]
    fn extreme(self, op: &'static str, axes: Axes, largest: bool) -> Self {
        let _whole = self.tape().composite(op, [self]);
        let (x, along, shape) = self.gather_axes(op, &axes);
        x.tape().record(Arity(Extreme { along, largest }), [x]).reshape(shape)
    }
}
