//! What an operation must answer.

use crate::float::Float;
use crate::kernels::spread::Spread;
use crate::ops::table::Kind;
use crate::tape::Tape;
use crate::tape::attribute::Attributes;
use crate::tape::var::Var;
use crate::tensor::error::Reason;
use crate::tensor::memory::OutOfMemory;
use crate::tensor::shape::Shape;
use smallvec::SmallVec;
use std::fmt::Debug;
use std::sync::Arc;

/// An operand as a kernel sees it: its shape and its elements in row-major order.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, T> {
    /// The sizes of the dimensions.
    pub shape: &'a Shape,
    /// `shape.numel()` elements.
    pub data: &'a [T],
}

impl<'a, T> View<'a, T> {
    /// The elements, and how they are laid over a larger result that this is broadcast to.
    pub(crate) fn over(self, result: &Shape) -> (&'a [T], Option<Spread>) {
        let is_full = self.data.len() == result.numel();
        (self.data, (!is_full).then(|| Spread::new(result, &self.shape.strides_in(result))))
    }
}

/// A result as a kernel sees it. The elements hold anything at first; the kernel writes every one.
#[derive(Debug)]
pub struct ViewMut<'a, T> {
    /// The sizes of the dimensions.
    pub shape: &'a Shape,
    /// `shape.numel()` elements.
    pub data: &'a mut [T],
}

/// An operation of `N` operands: the one place that knows its shape rule, its kernel and its derivatives.
///
/// Derivative rules are written in the public methods of [`Var`], so what they record is differentiable again, to any
/// order. Built-in operations and those of users implement the same trait; [`Tape::apply`] records either.
///
/// # Examples
/// ```
/// use autograd::{grad, Float, Op, Reason, Shape, Tape, Tensor, Var, View, ViewMut};
///
/// /// `y = x³`
/// #[derive(Debug)]
/// struct Cube;
///
/// impl<T: Float> Op<T, 1> for Cube {
///     fn name(&self) -> &'static str {
///         "cube"
///     }
///     fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
///         Ok(x.clone())
///     }
///     fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
///         for (y, &x) in y.data.iter_mut().zip(x.data) {
///             *y = x * x * x;
///         }
///     }
///     fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
///         Some(dy * x * x * T::of(3.0))
///     }
/// }
///
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([2.0]));
/// let [dx] = grad(tape.apply(Cube, [x]).sum(), &[x]);
/// let [ddx] = grad(dx.sum(), &[x]);
/// assert_eq!((dx.item(), ddx.item()), (12.0, 12.0));
/// ```
pub trait Op<T: Float, const N: usize>: Debug + Send + Sync + 'static {
    /// The name that errors and listings show.
    fn name(&self) -> &'static str;

    /// What it was told beside its operands, for listings and exports.
    fn attributes(&self) -> Attributes {
        Attributes::new()
    }

    /// The shape of the result.
    ///
    /// # Errors
    /// Where the operands' shapes do not fit the operation. Computing cannot fail, so everything that can be wrong
    /// must show here.
    fn shape(&self, args: [&Shape; N]) -> Result<Shape, Reason>;

    /// Computes the result from the operands, writing every element.
    fn eval(&self, args: [View<'_, T>; N], y: ViewMut<'_, T>);

    /// The first element of the result at which the derivative is one by convention, since there is none: a kink, a tie,
    /// an origin. The rules are local, so a second derivative through such a point is by convention too, even where the
    /// whole function is smooth; [`Tape::first_kink`] tells of it by this. Without an answer of its own an operation
    /// has none.
    fn kink(&self, args: [View<'_, T>; N]) -> Option<usize> {
        let _ = args;
        None
    }

    /// As [`Op::eval`], for an operation that needs memory of its own beside the result. This is the one that is called.
    ///
    /// # Errors
    /// Where that memory cannot be had. Whoever asked for the value is then told the operation and the line that recorded
    /// it.
    fn try_eval(&self, args: [View<'_, T>; N], y: ViewMut<'_, T>) -> Result<(), OutOfMemory> {
        self.eval(args, y);
        Ok(())
    }

    /// The vector-Jacobian product: the cotangent of operand `arg`, given the cotangent `dy` of the result `y`.
    /// `None` is a zero. A result that broadcasts over the operand's shape is summed to it by the sweep.
    ///
    /// A rule may differentiate. Derivatives that it takes are partial: whatever was recorded before the rule, so the
    /// operands, `y` and `dy`, is independent within it, and no sweep of the rule goes through `y` or below the operands. So
    /// an operation that solves `F(y, p) = 0` is differentiated by that equation, `dy/dp = −(∂F/∂p) / (∂F/∂y)`; what
    /// the rule records is differentiated in full by later sweeps, to any order. The same holds in [`Op::jvp`].
    ///
    /// ```
    /// use autograd::{grad, hessian, vjp, Op, Reason, Shape, Tape, Var, View, ViewMut};
    ///
    /// /// The `y` with `y + eʸ = p`.
    /// #[derive(Debug)]
    /// struct Implicit;
    ///
    /// impl Op<f64, 1> for Implicit {
    ///     fn name(&self) -> &'static str {
    ///         "implicit"
    ///     }
    ///     fn shape(&self, [p]: [&Shape; 1]) -> Result<Shape, Reason> {
    ///         Ok(p.clone())
    ///     }
    ///     fn eval(&self, [p]: [View<'_, f64>; 1], y: ViewMut<'_, f64>) {
    ///         for (y, &p) in y.data.iter_mut().zip(p.data) {
    ///             *y = 0.0;
    ///             for _ in 0..50 {
    ///                 *y -= (*y + y.exp() - p) / (1.0 + y.exp()); // Newton
    ///             }
    ///         }
    ///     }
    ///     fn vjp<'t>(&self, _: usize, [p]: [Var<'t>; 1], y: Var<'t>, dy: Var<'t>) -> Option<Var<'t>> {
    ///         let equation = y + y.exp() - p;
    ///         let by_y = vjp(equation, &y, p.tape().full(y.shape(), 1.0));
    ///         Some(-vjp(equation, &p, dy / by_y))
    ///     }
    /// }
    ///
    /// let tape = Tape::new();
    /// let p = tape.scalar(1.0);
    /// let y = tape.apply(Implicit, [p]); // 0, with the derivatives 1/(1 + eʸ) and −eʸ/(1 + eʸ)³
    /// assert_eq!((y.item(), grad(y, &p).item(), hessian(y, p).item()), (0.0, 0.5, -0.125));
    /// ```
    fn vjp<'t>(&self, arg: usize, args: [Var<'t, T>; N], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>>;

    /// The Jacobian-vector product: the tangent of the result, given those of the operands. `None` is a zero.
    ///
    /// Without a rule of its own an operation gets it from [`Op::vjp`], which is linear in `dy`: the VJP of the VJP.
    fn jvp<'t>(&self, args: [Var<'t, T>; N], y: Var<'t, T>, tangents: [Option<Var<'t, T>>; N]) -> Option<Var<'t, T>> {
        crate::diff::forward::jvp_from_vjp(y, &args, &tangents, |arg, dy| self.vjp(arg, args, y, dy))
    }
}

/// The sibling of [`Op`] for operations of any number of operands, and the form in which the tape keeps every
/// operation.
pub trait DynOp<T: Float>: Debug + Send + Sync + 'static {
    /// As [`Op::name`].
    fn name(&self) -> &'static str;
    /// As [`Op::attributes`].
    fn attributes(&self) -> Attributes {
        Attributes::new()
    }
    /// As [`Op::shape`].
    ///
    /// # Errors
    /// Where the operands' shapes do not fit the operation.
    fn shape(&self, args: &[&Shape]) -> Result<Shape, Reason>;
    /// As [`Op::eval`].
    fn eval(&self, args: &[View<'_, T>], y: ViewMut<'_, T>);
    /// As [`Op::kink`].
    fn kink(&self, args: &[View<'_, T>]) -> Option<usize> {
        let _ = args;
        None
    }
    /// As [`Op::try_eval`].
    ///
    /// # Errors
    /// Where memory that it needs beside the result cannot be had.
    fn try_eval(&self, args: &[View<'_, T>], y: ViewMut<'_, T>) -> Result<(), OutOfMemory> {
        self.eval(args, y);
        Ok(())
    }
    /// As [`Op::vjp`].
    fn vjp<'t>(&self, arg: usize, args: &[Var<'t, T>], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>>;
    /// As [`Op::jvp`].
    fn jvp<'t>(&self, args: &[Var<'t, T>], y: Var<'t, T>, tangents: &[Option<Var<'t, T>>]) -> Option<Var<'t, T>> {
        crate::diff::forward::jvp_from_vjp(y, args, tangents, |arg, dy| self.vjp(arg, args, y, dy))
    }
}

/// Computes an operation on `n` operands, gathered without allocation up to four.
#[inline]
pub(crate) fn eval<'a, T: Float>(
    op: &dyn DynOp<T>,
    n: usize,
    view: impl Fn(usize) -> View<'a, T>,
    y: ViewMut<'_, T>,
) -> Result<(), OutOfMemory> {
    match n {
        1 => op.try_eval(&[view(0)], y),
        2 => op.try_eval(&[view(0), view(1)], y),
        3 => op.try_eval(&[view(0), view(1), view(2)], y),
        n => op.try_eval(&(0..n).map(view).collect::<SmallVec<[View<'_, T>; 4]>>(), y),
    }
}

/// An [`Op`] of `N` operands in the form of a [`DynOp`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Arity<const N: usize, O>(pub(crate) O);

/// The names that an operation goes by, for listings of the whole vocabulary.
pub(crate) trait Named {
    const NAMES: &'static [&'static str];
}

impl<const N: usize, O: Named> Named for Arity<N, O> {
    const NAMES: &'static [&'static str] = O::NAMES;
}

/// The rules of an operation of `N` operands that is piecewise constant, or counts as a constant: all derivatives are zero.
macro_rules! no_derivative {
    ($n:literal) => {
        fn vjp<'t>(&self, _: usize, _: [Var<'t, T>; $n], _: Var<'t, T>, _: Var<'t, T>) -> Option<Var<'t, T>> {
            None
        }
        fn jvp<'t>(&self, _: [Var<'t, T>; $n], _: Var<'t, T>, _: [Option<Var<'t, T>>; $n]) -> Option<Var<'t, T>> {
            None
        }
    };
}
pub(crate) use no_derivative;

/// The tape passes as many operands as were recorded, and recording took an array of `N`.
fn array<A: Copy, const N: usize>(args: &[A]) -> [A; N] {
    *args.first_chunk().expect("a node has as many operands as its operation takes")
}

impl<T: Float, const N: usize, O: Op<T, N>> DynOp<T> for Arity<N, O> {
    fn name(&self) -> &'static str {
        self.0.name()
    }
    fn attributes(&self) -> Attributes {
        self.0.attributes()
    }
    fn shape(&self, args: &[&Shape]) -> Result<Shape, Reason> {
        self.0.shape(array(args))
    }
    fn eval(&self, args: &[View<'_, T>], y: ViewMut<'_, T>) {
        self.0.eval(array(args), y);
    }
    fn kink(&self, args: &[View<'_, T>]) -> Option<usize> {
        self.0.kink(array(args))
    }
    fn try_eval(&self, args: &[View<'_, T>], y: ViewMut<'_, T>) -> Result<(), OutOfMemory> {
        self.0.try_eval(array(args), y)
    }
    fn vjp<'t>(&self, arg: usize, args: &[Var<'t, T>], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        self.0.vjp(arg, array(args), y, dy)
    }
    fn jvp<'t>(&self, args: &[Var<'t, T>], y: Var<'t, T>, tangents: &[Option<Var<'t, T>>]) -> Option<Var<'t, T>> {
        self.0.jvp(array(args), y, array(tangents))
    }
}

impl<T: Float> Tape<T> {
    /// Records an operation of one's own.
    ///
    /// # Panics
    /// Where the shapes do not fit the operation, or the operands live on another tape.
    #[track_caller]
    pub fn apply<'t, const N: usize>(&'t self, op: impl Op<T, N>, args: [Var<'t, T>; N]) -> Var<'t, T> {
        self.record_slice(Kind::Custom(Arc::new(Arity(op))), &args)
    }

    /// Records an operation of one's own that takes any number of operands.
    ///
    /// # Panics
    /// Where the shapes do not fit the operation, or the operands live on another tape.
    #[track_caller]
    pub fn apply_slice<'t>(&'t self, op: impl DynOp<T>, args: &[Var<'t, T>]) -> Var<'t, T> {
        self.record_slice(Kind::Custom(Arc::new(op)), args)
    }
}
