//! What may stand beside a variable in an operation: a variable, or a number.

use crate::float::Float;
use crate::tape::Tape;
use crate::tape::var::Var;

/// What may stand beside a variable of numbers `T`: a variable, also by reference, an `f64`, which is rounded to `T`, or a `T`.
///
/// So in generic code `x * 2.0`, `x * rate` of a `rate: T`, `x.maximum(0.0)` and `x.lt(1.0)` are written as they are for
/// `f64`. On the left stands a number of the tape's type: `T::ONE - x`, `T::of(2.0) / x`.
///
/// ```
/// use autograd::{grad, Float, Tape, Tensor, Var};
///
/// fn smoothed<'t, T: Float>(x: Var<'t, T>, rate: T) -> Var<'t, T> {
///     let inside = x.abs().lt(1.0);
///     inside.select(x * x * 0.5, x.abs() - 0.5).maximum(0.0) * rate + (T::ONE - x).minimum(0.0)
/// }
///
/// let (tape, small) = (Tape::new(), Tape::<f32>::default());
/// let x = tape.var(&Tensor::from([0.5, -3.0]));
/// assert_eq!(smoothed(x, 2.0).value().as_slice(), [0.25, 5.0]);
/// assert_eq!(grad(smoothed(x, 2.0).sum(), &x).value().as_slice(), [1.0, -2.0]);
/// assert_eq!(smoothed(small.scalar(2.0), 2.0).item(), 2.0_f32);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand beside a variable of `{T}`",
    label = "this is no variable of `{T}`, and no number that becomes one",
    note = "beside a variable stand variables of the same tape and numbers, `f64` or the type of the tape; a tensor goes on the \
            tape by `tape.var(&x)`, another number is converted: `n as f64`"
)]
pub trait Operand<'t, T: Float>: Copy {
    /// Which it is.
    #[doc(hidden)]
    fn given(self) -> Given<'t, T>;
}

/// An operand, as an operation takes it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum Given<'t, T: Float> {
    Var(Var<'t, T>),
    Number(f64),
}

impl<'t, T: Float> Given<'t, T> {
    /// As a variable of a tape.
    #[track_caller]
    #[inline]
    pub(crate) fn on(self, tape: &'t Tape<T>) -> Var<'t, T> {
        match self {
            Self::Var(var) => var,
            Self::Number(number) => tape.scalar(T::of(number)),
        }
    }
}

impl<'t, T: Float> Operand<'t, T> for Var<'t, T> {
    #[inline]
    fn given(self) -> Given<'t, T> {
        Given::Var(self)
    }
}

impl<'t, T: Float> Operand<'t, T> for &Var<'t, T> {
    #[inline]
    fn given(self) -> Given<'t, T> {
        Given::Var(*self)
    }
}

impl<'t, T: Float> Operand<'t, T> for f64 {
    #[inline]
    fn given(self) -> Given<'t, T> {
        Given::Number(self)
    }
}

impl<'t> Operand<'t, f32> for f32 {
    #[inline]
    fn given(self) -> Given<'t, f32> {
        Given::Number(f64::from(self))
    }
}
