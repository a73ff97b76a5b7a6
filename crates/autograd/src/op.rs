//! What an operation must answer, and the table of those that are built in.

use crate::error::Reason;
use crate::float::Float;
use crate::kernels::memory::OutOfMemory;
use crate::ops;
use crate::shape::Shape;
use crate::tape::Tape;
use crate::var::Var;
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
        crate::forward::jvp_from_vjp(y, &args, &tangents, |arg, dy| self.vjp(arg, args, y, dy))
    }
}

/// The sibling of [`Op`] for operations of any number of operands, and the form in which the tape keeps every
/// operation.
pub trait SliceOp<T: Float>: Debug + Send + Sync + 'static {
    /// As [`Op::name`].
    fn name(&self) -> &'static str;
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
        crate::forward::jvp_from_vjp(y, args, tangents, |arg, dy| self.vjp(arg, args, y, dy))
    }
}

/// Computes an operation on `n` operands, gathered without allocation up to four.
#[inline]
pub(crate) fn eval<'a, T: Float>(
    op: &dyn SliceOp<T>,
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

/// An [`Op`] of `N` operands in the form of a [`SliceOp`].
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

impl<T: Float, const N: usize, O: Op<T, N>> SliceOp<T> for Arity<N, O> {
    fn name(&self) -> &'static str {
        self.0.name()
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

/// An operation of the table.
pub(crate) trait BuiltIn<T: Float>: Into<Kind<T>> {
    /// Whether this is what made a node.
    fn is_kind(&self, kind: &Kind<T>) -> bool;
}

/// The table of built-in operations. A row is a variant and the operation it holds; the enum keeps nodes free of
/// allocation, and `op` is the one way to ask a question of whichever it is.
macro_rules! builtin {
    ($($variant:ident($op:ty)),* $(,)?) => {
        /// What made a node: the user, or an operation.
        #[derive(Clone, Debug)]
        pub(crate) enum Kind<T: Float> {
            /// A value that came from outside.
            Leaf,
            /// Integers that came from outside, in the bits of floats.
            Index,
            $($variant($op),)*
            /// An operation of a user.
            Custom(Arc<dyn SliceOp<T>>),
        }

        /// The names of the built-in primitives, which every other operation is made of.
        ///
        /// ```
        /// assert!(autograd::primitives().contains(&"matmul"));
        /// ```
        pub fn primitives() -> Vec<&'static str> {
            [$(<$op>::NAMES),*].concat()
        }

        impl<T: Float> Kind<T> {
            /// As [`Kind::op`], which is the one to call.
            pub(crate) fn operation(&self) -> Option<&dyn SliceOp<T>> {
                match self {
                    Self::Leaf | Self::Index => None,
                    $(Self::$variant(op) => Some(op),)*
                    Self::Custom(op) => Some(&**op),
                }
            }

            /// Whether two do the same for certain. Of operations of users nobody knows.
            pub(crate) fn same(&self, other: &Self) -> bool {
                match (self, other) {
                    $((Self::$variant(a), Self::$variant(b)) => a == b,)*
                    _ => false,
                }
            }
        }

        $(
            impl<T: Float> From<$op> for Kind<T> {
                fn from(op: $op) -> Self {
                    Self::$variant(op)
                }
            }

            impl<T: Float> BuiltIn<T> for $op {
                #[inline]
                fn is_kind(&self, kind: &Kind<T>) -> bool {
                    if let Kind::$variant(op) = kind { self == op } else { false }
                }
            }
        )*
    };
}

builtin! {
    Unary(Arity<1, ops::unary::Unary>),
    Binary(Arity<2, ops::binary::Binary>),
    Select(Arity<3, ops::select::Select>),
    MatMul(Arity<2, ops::matmul::MatMul>),
    Read(Arity<1, ops::view::Read>),
    AddAt(Arity<1, ops::view::AddAt>),
    Transpose(Arity<1, ops::view::Transpose>),
    Reshape(Arity<1, ops::view::Reshape>),
    Concat(ops::concat::Concat),
    Take(Arity<2, ops::take::Take>),
    Put(Arity<2, ops::take::Put>),
    Scatter(Arity<3, ops::scatter::Scatter>),
    Winners(Arity<1, ops::scatter::Winners>),
    Extreme(Arity<1, ops::extreme::Extreme>),
    ExtremeShare(Arity<2, ops::extreme::ExtremeShare>),
    CumSum(Arity<1, ops::scan::CumSum>),
    Recurrence(Arity<2, ops::scan::Recurrence>),
    LogCumSumExp(Arity<1, ops::scan::LogCumSumExp>),
    Norm2(Arity<1, ops::norm::Norm2>),
    Argsort(Arity<1, ops::sort::Argsort>),
    ArgExtreme(Arity<1, ops::sort::ArgExtreme>),
    PoolArgmax(Arity<1, ops::conv::PoolArgmax>),
    RunningArgExtreme(Arity<1, ops::sort::RunningArgExtreme>),
    Ranked(Arity<1, ops::quantile::Ranked>),
    Cholesky(Arity<1, ops::linalg::Cholesky>),
    TriangularSolve(Arity<2, ops::linalg::TriangularSolve>),
    Solve(Arity<2, ops::linalg::Solve>),
    Determinant(Arity<1, ops::linalg::Determinant>),
    Labels(Arity<1, ops::labels::Labels>),
    Checkpoint(crate::checkpoint::Recompute),
    StopGradient(Arity<1, ops::stop::StopGradient>),
    Softmax(Arity<1, ops::softmax::Softmax>),
    Likely(Arity<2, ops::softmax::Likely>),
    LogSoftmax(Arity<1, ops::softmax::LogSoftmax>),
    LogSumExp(Arity<1, ops::softmax::LogSumExp>),
    CrossEntropy(Arity<2, ops::cross_entropy::CrossEntropy>),
    CrossEntropyGrad(Arity<3, ops::cross_entropy::CrossEntropyGrad>),
}

impl<T: Float> Kind<T> {
    /// The operation, or `None` for a leaf.
    #[inline]
    pub(crate) fn op(&self) -> Option<&dyn SliceOp<T>> {
        T::op(self)
    }

    /// Whether a node that is recorded later can be the same for certain; see [`Kind::same`].
    pub(crate) fn can_repeat(&self) -> bool {
        !matches!(self, Self::Custom(_) | Self::Checkpoint(_))
    }

    /// Whether computing it may end otherwise than with a value: what a user wrote may panic, and an operation that needs
    /// memory of its own may lack it.
    pub(crate) fn may_fail(&self) -> bool {
        matches!(
            self,
            Self::Custom(_)
                | Self::Argsort(_)
                | Self::Ranked(_)
                | Self::Winners(_)
                | Self::Solve(_)
                | Self::Determinant(_)
        )
    }

    /// The operation's name as listings show it: `matmul`, or `leaf`, or `index`.
    pub(crate) fn name(&self) -> &'static str {
        let leaf = if matches!(self, Self::Index) { "index" } else { "leaf" };
        self.op().map_or(leaf, SliceOp::name)
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
    pub fn apply_slice<'t>(&'t self, op: impl SliceOp<T>, args: &[Var<'t, T>]) -> Var<'t, T> {
        self.record_slice(Kind::Custom(Arc::new(op)), args)
    }
}
