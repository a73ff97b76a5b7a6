//! Arithmetic of tensors without a tape, by the operations of the tape.

use crate::float::Float;
use crate::number::Number;
use crate::ops::binary::Binary;
use crate::ops::table::Kind;
use crate::ops::unary::Unary;
use crate::tape::Tape;
use crate::tape::op::{Arity, View, ViewMut};
use crate::tensor::Tensor;
use crate::tensor::error::{Error, Reason};
use crate::tensor::memory;
use crate::tensor::shape::Shape;
use smallvec::SmallVec;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};
use std::panic::Location;
use std::sync::Arc;

/// What may stand beside a tensor of numbers `T`: a tensor, also by reference, an `f64`, which is rounded to `T`, or a `T`.
///
/// ```
/// use autograd::{Float, Tensor};
///
/// fn mixed<T: Float>(a: &Tensor<T>, b: &Tensor<T>, share: T) -> Tensor<T> {
///     a * share + b * (T::ONE - share) - 0.5
/// }
///
/// let (a, b) = (Tensor::from([1.0, 2.0]), Tensor::from([3.0, 4.0]));
/// assert_eq!(mixed(&a, &b, 0.5), Tensor::from([1.5, 2.5]));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand beside a tensor of `{T}`",
    label = "this is no tensor of `{T}`, and no number that becomes one",
    note = "beside a tensor stand tensors and numbers, `f64` or the type of the tensor; a variable stands beside \
            `tape.var(&tensor)`, another number is converted: `n as f64`"
)]
pub trait TensorOperand<T: Float> {
    /// Which it is.
    #[doc(hidden)]
    fn given(&self) -> GivenTensor<'_, T>;
}

/// An operand, as an operation takes it.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum GivenTensor<'a, T: Float> {
    Tensor(&'a Tensor<T>),
    Number(f64),
}

impl<T: Float> TensorOperand<T> for Tensor<T> {
    fn given(&self) -> GivenTensor<'_, T> {
        GivenTensor::Tensor(self)
    }
}

impl<T: Float> TensorOperand<T> for &Tensor<T> {
    fn given(&self) -> GivenTensor<'_, T> {
        GivenTensor::Tensor(self)
    }
}

impl<T: Float> TensorOperand<T> for f64 {
    fn given(&self) -> GivenTensor<'_, T> {
        GivenTensor::Number(*self)
    }
}

impl TensorOperand<f32> for f32 {
    fn given(&self) -> GivenTensor<'_, f32> {
        GivenTensor::Number(f64::from(*self))
    }
}

/// The result of an operation on tensors.
#[track_caller]
#[inline(never)]
pub(crate) fn computed<T: Float>(kind: Kind<T>, args: &[&Tensor<T>]) -> Tensor<T> {
    let op = kind.op().expect("a leaf is not computed");
    let shapes: SmallVec<[&Shape; 2]> = args.iter().map(|x| x.shape()).collect();
    let compute = || {
        let shape = op.shape(&shapes)?;
        let mut data = memory::zeros(shape.elements()?).map_err(|lack| lack.for_shape(&shape))?;
        let views: SmallVec<[View<'_, T>; 2]> =
            args.iter().map(|x| View { shape: x.shape(), data: x.as_slice() }).collect();
        op.try_eval(&views, ViewMut { shape: &shape, data: &mut data })?;
        Ok(Tensor::from_parts(shape, Arc::new(data)))
    };
    match compute() {
        Ok(result) => result,
        Err(reason) => wrong(op.name(), reason, args),
    }
}

#[track_caller]
#[cold]
#[inline(never)]
fn wrong<T: Float>(op: &str, reason: Reason, args: &[&Tensor<T>]) -> ! {
    let shapes = args.iter().map(|x| x.shape().clone()).collect();
    Error::new(op, reason, shapes, Location::caller()).raise()
}

/// A row is an operator, its assigning sibling, and what stands for it beside a number `c` on the right and on the left.
macro_rules! operators {
    ($(
        $trait:ident, $method:ident, $assign:ident, $assign_method:ident,
        |$x:ident, $c:ident| $right:expr, $left:expr;
    )*) => {
        $(
            impl<T: Float, R: TensorOperand<T>> $trait<R> for &Tensor<T> {
                type Output = Tensor<T>;
                #[track_caller]
                fn $method(self, other: R) -> Tensor<T> {
                    match other.given() {
                        GivenTensor::Tensor(other) => computed(Arity(Binary::$trait).into(), &[self, other]),
                        GivenTensor::Number($c) => {
                            let $x = self;
                            $right
                        }
                    }
                }
            }
            impl<T: Float, R: TensorOperand<T>> $trait<R> for Tensor<T> {
                type Output = Self;
                #[track_caller]
                fn $method(self, other: R) -> Self {
                    $trait::$method(&self, other)
                }
            }
            impl<T: Float, R: TensorOperand<T>> $assign<R> for Tensor<T> {
                /// # Panics
                /// Where the other does not broadcast to the shape of this.
                #[track_caller]
                fn $assign_method(&mut self, other: R) {
                    if let GivenTensor::Tensor(other) = other.given()
                        && !other.shape().broadcasts_to(self.shape())
                    {
                        let text = "the operand does not broadcast to the tensor that is changed";
                        wrong(stringify!($method), Reason::shape(text), &[self, other]);
                    }
                    *self = $trait::$method(&*self, other);
                }
            }
            operators!(@left f32, $trait, $method, $x, $c, $left);
            operators!(@left f64, $trait, $method, $x, $c, $left);
        )*
    };
    (@left $t:ident, $trait:ident, $method:ident, $x:ident, $c:ident, $left:expr) => {
        impl $trait<&Tensor<$t>> for $t {
            type Output = Tensor<$t>;
            #[track_caller]
            fn $method(self, $x: &Tensor<$t>) -> Tensor<$t> {
                let $c = f64::from(self);
                $left
            }
        }
        impl $trait<Tensor<$t>> for $t {
            type Output = Tensor<$t>;
            #[track_caller]
            fn $method(self, tensor: Tensor<$t>) -> Tensor<$t> {
                $trait::$method(self, &tensor)
            }
        }
    };
}

operators! {
    Add, add, AddAssign, add_assign, |x, c| x.unary(Unary::AddScalar { offset: c }), x.unary(Unary::AddScalar { offset: c });
    Sub, sub, SubAssign, sub_assign,
        |x, c| x.unary(Unary::AddScalar { offset: -c }), (-x).unary(Unary::AddScalar { offset: c });
    Mul, mul, MulAssign, mul_assign, |x, c| x.unary(Unary::MulScalar { factor: c }), x.unary(Unary::MulScalar { factor: c });
    Div, div, DivAssign, div_assign, |x, c| x.unary(Unary::DivScalar { divisor: c }), Tensor::scalar(Number::of(c)) / x;
}

impl<T: Float> Neg for &Tensor<T> {
    type Output = Tensor<T>;
    #[track_caller]
    fn neg(self) -> Tensor<T> {
        self.unary(Unary::Neg {})
    }
}

impl<T: Float> Neg for Tensor<T> {
    type Output = Self;
    #[track_caller]
    fn neg(self) -> Self {
        -&self
    }
}

impl<T: Float> Tensor<T> {
    #[track_caller]
    #[inline(never)]
    fn unary(&self, op: Unary) -> Self {
        computed(Arity(op).into(), &[self])
    }

    /// The last two dimensions exchanged: the transpose of a matrix, or of each matrix of a batch.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from_rows([[1.0, 2.0]]).t(), Tensor::from_rows([[1.0], [2.0]]));
    /// ```
    ///
    /// # Panics
    /// Where there are fewer than two dimensions.
    #[track_caller]
    pub fn t(&self) -> Self {
        let tape = Tape::default();
        tape.var(self).t().value()
    }

    /// The product of matrices, as [`Var::matmul`](crate::Var::matmul).
    ///
    /// ```
    /// use autograd::Tensor;
    /// let a = Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(a.matmul(&Tensor::from([1.0, 1.0])), Tensor::from([3.0, 7.0]));
    /// ```
    ///
    /// # Panics
    /// Where the inner sizes differ.
    #[track_caller]
    pub fn matmul(&self, other: &Self) -> Self {
        let tape = Tape::default();
        tape.var(self).matmul(tape.var(other)).value()
    }

    /// The sum of all elements.
    ///
    /// ```
    /// use autograd::Tensor;
    /// let x = Tensor::from([1.0, 2.0, 6.0]);
    /// assert_eq!((x.sum(), x.mean()), (9.0, 3.0));
    /// ```
    #[track_caller]
    pub fn sum(&self) -> T {
        let tape = Tape::default();
        tape.var(self).sum().item()
    }

    /// The mean of all elements.
    ///
    /// # Panics
    /// Where there are none.
    #[track_caller]
    pub fn mean(&self) -> T {
        let tape = Tape::default();
        tape.var(self).mean().item()
    }
}
