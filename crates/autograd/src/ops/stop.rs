//! Values that count as constants for derivatives.

use crate::float::Float;
use crate::kernels::map::copy;
use crate::tape::op::{Arity, Named, Op, View, ViewMut, no_derivative};
use crate::tape::var::Var;
use crate::tensor::error::Reason;
use crate::tensor::shape::Shape;

/// The same value, with derivative 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct StopGradient;

impl Named for StopGradient {
    const NAMES: &'static [&'static str] = &["stop_gradient"];
}

impl<T: Float> Op<T, 1> for StopGradient {
    fn name(&self) -> &'static str {
        "stop_gradient"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        copy(x.data, y.data);
    }
    no_derivative!(1);
}

/// # Constants for derivatives
impl<'t, T: Float> Var<'t, T> {
    /// The same value, constant for derivatives of every order and in both modes; also called `detach`.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::scalar(3.0));
    /// assert_eq!(grad(x * x.stop_gradient(), &x).item(), 3.0);
    /// ```
    #[track_caller]
    pub fn stop_gradient(self) -> Self {
        self.tape().record(Arity(StopGradient), [self])
    }
}
