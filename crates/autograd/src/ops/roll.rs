//! Moving elements along an axis, those that leave at one end entering at the other.

use crate::float::Float;
use crate::kernels::roll::roll;
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
        let (width, shift) = (n * inner, self.shift * inner);
        roll(x.data, width, shift, y.data);
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        Some(Self::along(dy, self.axis, x.sizes()[self.axis] - self.shift))
    }
    fn jvp<'t>(&self, _: [Var<'t, T>; 1], _: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        Some(Self::along(dx?, self.axis, self.shift))
    }
}

#[cfg(test)]
mod tests {
    use crate::tape::Tape;
    use crate::tensor::Tensor;

    #[test]
    fn rows_of_every_width_are_moved_by_every_shift() {
        for (rows, n, inner) in
            [(5, 3, 1), (3000, 3, 1), (7, 2, 3), (1, 1, 1), (900, 9, 1), (130, 64, 1), (3, 65, 1), (70, 8, 8)]
        {
            let tape = Tape::new();
            let x = Tensor::from_fn([rows, n, inner], |i| i as f64);
            for shift in 0..n {
                let y = tape.var(&x).roll(&[shift as isize], &[1]).value();
                let expected = Tensor::from_fn([rows, n, inner], |i| {
                    let (row, at, within) = (i / (n * inner), i / inner % n, i % inner);
                    (row * n * inner + (at + n - shift) % n * inner + within) as f64
                });
                assert_eq!(y, expected, "{rows} {n} {inner} {shift}");
            }
        }
    }
}
