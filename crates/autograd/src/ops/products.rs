//! Products over axes, and running ones.

use crate::diff::forward::plus;
use crate::float::Float;
use crate::kernels::products::{of_others, product, running_products};
use crate::ops::binary::BinaryRules;
use crate::ops::reduce::Axes;
use crate::ops::scan::Recurrence;
use crate::tape::attribute::Attributes;
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::Reason;
use crate::tensor::shape::Shape;

/// Running products along an axis: `y_t = x_t · y_{t−1}`, or, `exclusive`, those of what is before
/// each element, `y_t = x_{t−1} · y_{t−1}` from 1 on. Derivatives are a [`Recurrence`], exact at zeros, at every order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunningProduct {
    pub(super) axis: usize,
    exclusive: bool,
}

impl RunningProduct {
    /// Those of what is before each element.
    fn exclusive(self) -> Self {
        Self { exclusive: true, ..self }
    }

    /// The product of what is before each element.
    fn before<'t, T: Float>(self, x: Var<'t, T>) -> Var<'t, T> {
        x.tape().record(Arity(self.exclusive()), [x])
    }

    /// The recurrence that tangents obey.
    fn recurrence(self) -> Recurrence {
        Recurrence { axis: self.axis, reverse: false, lagged: self.exclusive, absolute: true }
    }
}

impl Named for RunningProduct {
    const NAMES: &'static [&'static str] = &["cumprod"];
}

impl<T: Float> Op<T, 1> for RunningProduct {
    fn name(&self) -> &'static str {
        "cumprod"
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into()), ("exclusive", self.exclusive.into())]
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.axis);
        running_products(x.data, (n, inner), self.exclusive, y.data);
    }
    /// With the adjoint `λ_t = g_t + x_{t+1} · λ_{t+1}`: `dx_t = λ_t · Π_{s<t} x_s`; where exclusive, `λ_t = g_t + x_t · λ_{t+1}` and
    /// `λ_{t+1}` takes its place.
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let tangents = self.recurrence();
        let lambda = x.tape().record(Arity(tangents.adjoint()), [x, dy]);
        Some(if self.exclusive { tangents.moved(lambda, false).both(y) } else { lambda.both(self.before(x)) })
    }
    /// `ẏ_t = x_t · ẏ_{t−1} + ẋ_t · Π_{s<t} x_s`, or the same of the element before.
    fn jvp<'t>(&self, [x]: [Var<'t, T>; 1], _: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        let tangents = self.recurrence();
        let source = dx?.both(self.before(x));
        let source = if self.exclusive { tangents.moved(source, true) } else { source };
        Some(x.tape().record(Arity(tangents), [x, source]))
    }
}

/// The product along an axis, which is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Product {
    pub(super) axis: usize,
}

impl Product {
    /// The running product of which it is the last.
    fn running(self) -> RunningProduct {
        RunningProduct { axis: self.axis, exclusive: false }
    }
}

impl Named for Product {
    const NAMES: &'static [&'static str] = &["prod"];
}

impl<T: Float> Op<T, 1> for Product {
    fn name(&self) -> &'static str {
        "prod"
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into())]
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.splice(self.axis, &[]))
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.axis);
        product(x.data, (n, inner), y.data);
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        Some(x.tape().record(Arity(ProductOfOthers { axis: self.axis }), [x, y, dy]))
    }
    fn jvp<'t>(&self, [x]: [Var<'t, T>; 1], y: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        // What its derivatives are by `y` counts as of `x`.
        let others = ProductOfOthers { axis: self.axis };
        let others = x.tape().record(Arity(others), [x, y, y.tape().full(y.shape(), T::ONE)]);
        Some(dx?.both(others).sum_axes(self.axis as isize))
    }
}

/// `dy · Π_{s≠t} x_s` along an axis, where `y` is the product: the cotangent of its factors. It is the cotangent of the last running
/// product, `λ_t · Π_{s<t} x_s` with `λ_t = dy · Π_{s>t} x_s`, and its derivatives are derivatives of that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ProductOfOthers {
    pub(super) axis: usize,
}

impl ProductOfOthers {
    fn product(self) -> Product {
        Product { axis: self.axis }
    }

    /// What `λ` is the recurrence of: the cotangent of the last running product.
    fn last<'t, T: Float>(self, x: Var<'t, T>, dy: Var<'t, T>) -> Var<'t, T> {
        let mut pads = vec![(0, 0); self.axis + 1];
        pads[self.axis] = (x.sizes()[self.axis] - 1, 0);
        dy.expand_dims(self.axis as isize).pad(&pads, 0.0)
    }
}

impl Named for ProductOfOthers {
    const NAMES: &'static [&'static str] = &["prod_others"];
}

impl<T: Float> Op<T, 3> for ProductOfOthers {
    fn name(&self) -> &'static str {
        "prod_others"
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into())]
    }
    fn shape(&self, [x, ..]: [&Shape; 3]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x, y, dy]: [View<'_, T>; 3], out: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.axis);
        of_others(x.data, (n, inner), [y.data, dy.data], out.data);
    }
    /// With the cotangent `w`, it is that of the product's tangent `Σ_t w_t · Π_{s≠t} x_s`. What depends on `y` counts as of `x`.
    fn vjp<'t>(&self, arg: usize, [x, y, dy]: [Var<'t, T>; 3], _: Var<'t, T>, w: Var<'t, T>) -> Option<Var<'t, T>> {
        match arg {
            0 => {
                let running = self.product().running();
                let (before, last, tangents) = (running.before(x), self.last(x, dy), running.recurrence());
                let behind = x.tape().record(Arity(tangents.adjoint()), [x, last]);
                let source = w.both(before);
                let moved = x.tape().record(Arity(tangents), [x, source]);
                let from_factors = tangents.vjp(0, [x, source], moved, last);
                plus(from_factors, running.exclusive().vjp(0, [x], before, behind.both(w)))
            }
            2 => self.product().jvp([x], y, [Some(w)]),
            _ => None,
        }
    }
    fn jvp<'t>(
        &self,
        [x, y, dy]: [Var<'t, T>; 3],
        _: Var<'t, T>,
        [dx, _, ddy]: [Option<Var<'t, T>>; 3],
    ) -> Option<Var<'t, T>> {
        let from_factors = dx.and_then(|dx| {
            let running = self.product().running();
            let (before, last, adjoint) = (running.before(x), self.last(x, dy), running.recurrence().adjoint());
            let behind = x.tape().record(Arity(adjoint), [x, last]);
            let moved = adjoint.jvp([x, last], behind, [Some(dx), None]).map(|behind| behind.both(before));
            plus(moved, running.exclusive().jvp([x], before, [Some(dx)]).map(|before| behind.both(before)))
        });
        plus(from_factors, ddy.map(|ddy| x.tape().record(Arity(*self), [x, y, ddy])))
    }
}

/// # Products
///
/// Over axes, and of all elements up to each one.
impl<'t, T: Float> Var<'t, T> {
    /// Running products along an axis; the derivatives are exact at zeros, at every order.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([2.0, 0.0, 3.0]));
    /// assert_eq!(x.cumprod(0).value().as_slice(), [2.0, 0.0, 0.0]);
    /// assert_eq!(grad(x.cumprod(0).sum(), &x).value().as_slice(), [1.0, 8.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn cumprod(self, axis: isize) -> Self {
        let axis = self.expect("cumprod", self.sizes().axis(axis));
        if self.numel() == 0 {
            return self;
        }
        self.tape().record(Arity(RunningProduct { axis, exclusive: false }), [self])
    }

    /// The product of all elements: a scalar, 1 where there are none.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([2.0, 0.0, 3.0]));
    /// assert_eq!(grad(x.prod(), &x).value().as_slice(), [0.0, 6.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn prod(self) -> Self {
        self.prod_axes(..)
    }

    /// The product over axes; see [`Axes`] and [`Var::prod`].
    #[track_caller]
    pub fn prod_axes(self, axes: impl Into<Axes>) -> Self {
        let (x, axis, shape) = self.merge_axes("prod", &axes.into());
        if x.sizes()[axis] == 0 {
            return self.tape().full(shape, T::ONE);
        }
        x.tape().record(Arity(Product { axis }), [x]).reshape(shape)
    }
}
