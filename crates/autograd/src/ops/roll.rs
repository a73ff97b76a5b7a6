//! Moving elements along an axis, those that leave at one end entering at the other.

use crate::float::Float;
use crate::kernels::window::Window;
use crate::tape::attribute::Attributes;
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::Reason;
use crate::tensor::shape::Shape;

/// `y[i] = x[i − shift]` along an axis, round its ends; its adjoint moves back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Roll {
    pub(crate) axis: usize,
    /// More than 0, less than the size of the axis.
    shift: usize,
}

impl Roll {
    /// A variable moved along an axis by less than its size.
    #[track_caller]
    pub(super) fn along<T: Float>(x: Var<'_, T>, axis: usize, shift: usize) -> Var<'_, T> {
        if shift == 0 || x.sizes().numel() == 0 {
            return x;
        }
        x.tape().record(Arity(Self { axis, shift }), [x])
    }

    /// The part of an operand of this shape that a chain sees, if its rows are long enough.
    pub(crate) fn window(&self, shape: &Shape) -> Option<Window> {
        let (_, n, inner) = shape.around(self.axis);
        Window::rolled(shape.numel() / (n * inner), n * inner, self.shift * inner)
    }
}

impl Named for Roll {
    const NAMES: &'static [&'static str] = &["roll"];
}

impl<T: Float> Op<T, 1> for Roll {
    fn name(&self) -> &'static str {
        "roll"
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into()), ("shift", self.shift.into())]
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.axis);
        let rows = y.data.chunks_exact_mut(n * inner).zip(x.data.chunks_exact(n * inner));
        for (y, x) in rows {
            let (front, back) = x.split_at((n - self.shift) * inner);
            let (from_back, from_front) = y.split_at_mut(back.len());
            from_back.copy_from_slice(back);
            from_front.copy_from_slice(front);
        }
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        Some(Self::along(dy, self.axis, x.sizes()[self.axis] - self.shift))
    }
    fn jvp<'t>(&self, _: [Var<'t, T>; 1], _: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        Some(Self::along(dx?, self.axis, self.shift))
    }
}
