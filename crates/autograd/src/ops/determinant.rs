//! Determinants of batches of small square matrices.

use crate::float::Float;
use crate::kernels::linalg::{self, Work};
use crate::ops::binary::BinaryRules;
use crate::ops::linalg::{each, square};
use crate::ops::reduce::keepdims;
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::Reason;
use crate::tensor::memory::OutOfMemory;
use crate::tensor::shape::Shape;

/// The determinant of each matrix, the logarithm of its magnitude, or its adjugate: `det A · A⁻¹`, of cofactors where
/// there is no inverse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Determinant {
    Value,
    LogAbs,
    Adjugate,
}

impl Determinant {
    #[track_caller]
    pub(super) fn of<'t, T: Float>(self, a: Var<'t, T>) -> Var<'t, T> {
        a.tape().record(Arity(self), [a])
    }

    /// `d det A / dA = adj(A)ᵀ`, also where `A` is singular, and `d ln|det A| / dA = A⁻ᵀ`.
    fn slope<'t, T: Float>(self, a: Var<'t, T>, g: Var<'t, T>) -> Var<'t, T> {
        let inverse = if self == Self::LogAbs { a.inv() } else { Self::Adjugate.of(a) };
        g.expand_dims(-1).expand_dims(-1).zmul(inverse.t())
    }

    /// With `Y = adj A`, `(⟨G, Yᵀ⟩·Y − Y G Y) / det A`: the tangent along `G`, and, of transposes, the cotangent. NaN
    /// where `A` is singular, but for the adjugate of a 2 × 2 matrix, which is linear, and of a number, which is 1.
    fn adjugate_rule<'t, T: Float>(a: Var<'t, T>, y: Var<'t, T>, g: Var<'t, T>) -> Option<Var<'t, T>> {
        match a.sizes()[a.rank() - 1] {
            0 | 1 => None,
            2 => Some(Self::Adjugate.of(g)),
            _ => {
                let g = g.zdiv(Self::Value.of(a).expand_dims(-1).expand_dims(-1));
                let along = (g * y.t()).sum_axes(keepdims([-2, -1]));
                Some(along * y - y.matmul(g).matmul(y))
            }
        }
    }
}

impl Named for Determinant {
    const NAMES: &'static [&'static str] = &["det", "logabsdet", "adjugate"];
}

impl<T: Float> Op<T, 1> for Determinant {
    fn name(&self) -> &'static str {
        match self {
            Self::Value => "det",
            Self::LogAbs => "logabsdet",
            Self::Adjugate => "adjugate",
        }
    }
    fn shape(&self, [a]: [&Shape; 1]) -> Result<Shape, Reason> {
        square(a).map(|_| if *self == Self::Adjugate { a.clone() } else { Shape::from(&a[..a.rank() - 2]) })
    }
    fn eval(&self, args: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        self.try_eval(args, y).expect("there is memory for the factors");
    }
    fn try_eval(&self, [a]: [View<'_, T>; 1], y: ViewMut<'_, T>) -> Result<(), OutOfMemory> {
        let n = a.shape[a.shape.rank() - 1];
        if n == 0 {
            y.data.fill(if *self == Self::LogAbs { T::ZERO } else { T::ONE });
        }
        if a.data.is_empty() {
            return Ok(());
        }
        let mut work = Work::new(n, if *self == Self::Adjugate { n * n } else { 0 })?;
        match self {
            Self::Value => each(a, y, 1, |a, y| y[0] = linalg::det(&mut work, a, n)),
            Self::LogAbs => each(a, y, 1, |a, y| y[0] = linalg::log_abs_det(&mut work, a, n).0),
            Self::Adjugate => each(a, y, n * n, |a, y| linalg::adjugate(&mut work, a, n, y)),
        }
        Ok(())
    }
    fn vjp<'t>(&self, _: usize, [a]: [Var<'t, T>; 1], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        match self {
            Self::Value | Self::LogAbs => Some(self.slope(a, dy)),
            Self::Adjugate => Some(Self::adjugate_rule(a, y, dy.t())?.t()),
        }
    }
    fn jvp<'t>(&self, [a]: [Var<'t, T>; 1], y: Var<'t, T>, [da]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        match self {
            Self::Value | Self::LogAbs => {
                let one = y.tape().full(y.shape(), T::ONE);
                Some(da?.zmul(self.slope(a, one)).sum_axes([-2, -1]))
            }
            Self::Adjugate => Self::adjugate_rule(a, y, da?),
        }
    }
}
