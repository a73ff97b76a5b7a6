//! Choosing between two operands by a mask.

use crate::float::Float;
use crate::kernels::chain::TileOp;
use crate::kernels::choose::choose;
use crate::ops::binary::BinaryRules;
use crate::ops::operand::Operand;
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::{Error, Reason};
use crate::tensor::shape::Shape;
use smallvec::{SmallVec, smallvec};

/// `mask ≠ 0 ? a : b`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Select;

impl Named for Select {
    const NAMES: &'static [&'static str] = &["where"];
}

impl<T: Float> Op<T, 3> for Select {
    fn name(&self) -> &'static str {
        "where"
    }
    fn shape(&self, [mask, a, b]: [&Shape; 3]) -> Result<Shape, Reason> {
        let shape = mask.broadcast(a).and_then(|shape| shape.broadcast(b));
        shape.ok_or_else(|| Reason::shape("the shapes do not broadcast"))
    }
    fn eval(&self, args: [View<'_, T>; 3], y: ViewMut<'_, T>) {
        let n = y.data.len();
        if args.iter().all(|a| a.data.len() == n || a.data.len() == 1) {
            return self.run(args.map(|a| a.data), y.data, &mut []);
        }
        let strides = args.map(|a| a.shape.strides_in(y.shape));
        choose(y.shape, std::array::from_fn(|k| (args[k].data, &strides[k][..])), y.data);
    }
    fn vjp<'t>(&self, arg: usize, [mask, ..]: [Var<'t, T>; 3], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        [None, Some(dy.keep(mask)), Some(dy.discard(mask))][arg]
    }
    fn jvp<'t>(
        &self,
        [mask, ..]: [Var<'t, T>; 3],
        y: Var<'t, T>,
        [_, da, db]: [Option<Var<'t, T>>; 3],
    ) -> Option<Var<'t, T>> {
        match (da, db) {
            (None, None) => None,
            (Some(da), None) => Some(da.keep(mask)),
            (None, Some(db)) => Some(db.discard(mask)),
            (Some(da), Some(db)) => Some(y.tape().record(Arity(Self), [mask, da, db])),
        }
    }
}

impl<T: Float> TileOp<T> for Select {
    fn names(&self) -> SmallVec<[&'static str; 2]> {
        smallvec!["where"]
    }
    fn run(&self, args: [&[T]; 3], y: &mut [T], _: &mut [T]) {
        let n = y.len();
        let strides = args.map(|a| [usize::from(a.len() == n && n > 1)]);
        choose(&[n], std::array::from_fn(|k| (args[k], &strides[k][..])), y);
    }
}

/// # Choosing between two operands
///
/// Element by element.
impl<'t, T: Float> Var<'t, T> {
    /// `a` where this mask is not 0, `b` elsewhere, all three broadcast. The branch that is not taken contributes
    /// exactly nothing to the derivative, not even where its own derivative is infinite or NaN.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([-1.0, 0.0, 4.0]));
    /// let y = x.gt(0.0).select(x.sqrt(), 0.0);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [0.0, 0.0, 0.25]);
    /// ```
    #[track_caller]
    pub fn select(self, a: impl Operand<'t, T>, b: impl Operand<'t, T>) -> Self {
        let tape = self.tape();
        tape.record_as("select", Arity(Select), [self, a.given().on(tape), b.given().on(tape)])
    }

    /// As [`Var::select`], for shapes that come from outside.
    ///
    /// # Errors
    /// Where the shapes do not broadcast, or the operands live on different tapes.
    #[track_caller]
    pub fn try_select(self, a: impl Operand<'t, T>, b: impl Operand<'t, T>) -> Result<Self, Error> {
        let tape = self.tape();
        tape.try_record_as("select", Arity(Select), [self, a.given().on(tape), b.given().on(tape)])
    }
}
