//! Variables: `Copy` handles to nodes of a tape, with operators and named methods.
//!
//! Methods that record panic at the caller's own line where shapes do not fit, and say which operation and which
//! shapes. Where a caller may want to recover, a `try_` twin returns the error instead. Each method stands with its
//! operation, in a file below `ops`.

use crate::float::Float;
use crate::tape::Tape;
use crate::tape::nodes::Node;
use crate::tape::recording::Condition;
use crate::tensor::Tensor;
use crate::tensor::error::{Error, Kind as ErrorKind, Reason};
use crate::tensor::shape::Shape;
use std::fmt;
use std::panic::Location;

/// A node of a [`Tape`]: a value that is computed when it is asked for, and can be differentiated.
///
/// What is written otherwise than with numbers and arrays: `x.lt(y)` for `x < y`, a mask of 0 and 1, and
/// `x.lt(y).holds()` for a condition; `x.gather(0, &[0])` or [`Var::slice`] for `x[0]`. A number may stand beside a variable in
/// operators and in methods of two operands (`x * 2.0`, `x.maximum(0.0)`, `x.lt(1.0)`), as an [`Operand`](crate::Operand): an
/// `f64`, or one of the tape's type, also in generic code; on the left it has the tape's type (`T::ONE - x`). A variable stays on
/// the thread of its tape.
///
/// The methods stand under headings: [value, shape and place](#value-shape-and-place);
/// [element-wise functions](#element-wise-functions); [more element-wise functions](#more-element-wise-functions);
/// [activations](#activations);
/// [element-wise functions of two operands](#element-wise-functions-of-two-operands);
/// [choosing between two operands](#choosing-between-two-operands); [products of matrices](#products-of-matrices);
/// [shapes](#shapes); [slices](#slices); [sums and means](#sums-and-means); [maxima and minima](#maxima-and-minima);
/// [products](#products), [running sums](#running-sums);
/// [norms, variances and normalisation](#norms-variances-and-normalisation);
/// [reading and adding by index](#reading-and-adding-by-index); [writing by index](#writing-by-index); [maxima and minima by index](#maxima-and-minima-by-index); [masks](#masks);
/// [orders](#orders); [medians and quantiles](#medians-and-quantiles);
/// [padding, parts and diagonals](#padding-parts-and-diagonals); [copies and parts](#copies-and-parts); [products of vectors](#products-of-vectors); [convolution](#convolution); [pooling](#pooling);
/// [linear algebra](#linear-algebra); [softmax](#softmax); [cross-entropy of labels](#cross-entropy-of-labels);
/// [losses](#losses); [losses: likelihoods](#losses-likelihoods); [losses: margins](#losses-margins);
/// [distances and angles](#distances-and-angles); [constants for derivatives](#constants-for-derivatives);
/// [dropout](#dropout).
///
/// ```
/// use autograd::{Tape, Tensor};
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([1.0, 4.0]));
/// let y = 1.0 - 2.0 * x.sqrt() / (x + 3.0);
/// assert_eq!(y.value().as_slice(), [0.5, 1.0 - 4.0 / 7.0]);
/// assert_eq!(format!("{:?}", x.sqrt()), "Var#7 sqrt [2]");
/// ```
#[derive(Clone, Copy)]
pub struct Var<'t, T: Float = f64> {
    tape: &'t Tape<T>,
    index: u32,
}

/// # Value, shape and place
///
/// What a variable is, and what it comes to.
impl<'t, T: Float> Var<'t, T> {
    pub(crate) fn new(tape: &'t Tape<T>, index: u32) -> Self {
        Self { tape, index }
    }

    /// The tape it is recorded on.
    #[inline]
    pub fn tape(&self) -> &'t Tape<T> {
        self.tape
    }

    /// Its place on the tape.
    #[inline]
    pub fn index(&self) -> u32 {
        self.index
    }

    #[inline]
    pub(crate) fn index_ref(&self) -> &u32 {
        &self.index
    }

    fn node(self) -> &'t Node<T> {
        &self.tape.nodes[self.index]
    }

    /// The sizes of its dimensions, known as soon as it is recorded.
    #[inline]
    pub fn shape(&self) -> Shape {
        self.sizes().clone()
    }

    /// As [`Var::shape`], without a copy.
    #[inline]
    pub(crate) fn sizes(self) -> &'t Shape {
        &self.node().shape
    }

    /// The number of dimensions.
    pub fn rank(&self) -> usize {
        self.sizes().rank()
    }

    /// The number of elements.
    pub fn numel(&self) -> usize {
        self.node().len
    }

    /// The value. What it depends on is computed first and kept, so asking again, here or further on, costs nothing.
    ///
    /// To compute several values once, in the least memory, ask [`Tape::values`].
    #[track_caller]
    pub fn value(&self) -> Tensor<T> {
        self.tape.compute(self, true);
        self.tape.share(self.index)
    }

    /// The one element of a variable that has one.
    ///
    /// # Panics
    /// Where it has more or fewer.
    #[track_caller]
    pub fn item(&self) -> T {
        self.require("item", self.numel() == 1, ErrorKind::Shape, || "one element is needed".into());
        self.tape.compute(self, true);
        self.tape.borrow_value(self.index)[0]
    }

    /// Gives the computed value to a function, without a copy.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 5.0])) * 2.0;
    /// assert_eq!(x.with_value(|x| x[1]), 10.0);
    /// ```
    #[track_caller]
    pub fn with_value<R>(&self, f: impl FnOnce(&[T]) -> R) -> R {
        self.tape.compute(self, true);
        // Shared, not borrowed: the function may use the tape.
        f(self.tape.share(self.index).as_slice())
    }

    /// Whether a variable of one element is not 0: a condition to branch on. Unlike reading the value, this may be
    /// asked while a [`Program`](crate::Program) is recorded, which then checks at each run that the answer is the same.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.scalar(2.0);
    /// assert!(x.gt(tape.scalar(1.0)).holds());
    /// ```
    ///
    /// # Panics
    /// Where it has more or fewer elements than one.
    #[track_caller]
    pub fn holds(&self) -> bool {
        self.require("holds", self.numel() == 1, ErrorKind::Shape, || "one element is needed".into());
        self.tape.compute_unnoted(self.index);
        let holds = self.tape.borrow_value(self.index)[0] != T::ZERO;
        let location = Location::caller();
        let condition = Condition { held: holds, location, mean: None };
        self.tape.note(|recording| recording.guards.push((self.index, condition)));
        holds
    }

    /// Notes, for a program, that an operation takes a mean by this weight, of one element, which is not 0.
    #[track_caller]
    pub(crate) fn divides_mean(self, op: &'static str) {
        let condition = Condition { held: true, location: Location::caller(), mean: Some(op) };
        self.tape.note(|recording| recording.guards.push((self.index, condition)));
    }

    /// The line of the user's program that recorded it.
    pub fn location(&self) -> &'static Location<'static> {
        self.node().origin.location
    }

    /// The name of the operation that made it, `leaf` for a value from outside.
    pub fn op_name(&self) -> &'static str {
        self.node().kind.name()
    }

    /// An error of an operation on this variable, at the caller's line.
    #[track_caller]
    pub(crate) fn error(&self, op: &str, reason: Reason) -> Error {
        self.tape.error(op, reason, &[*self])
    }

    /// A reason as an error of an operation on this variable, at the caller's line.
    #[track_caller]
    pub(crate) fn check<R>(&self, op: &str, result: Result<R, Reason>) -> Result<R, Error> {
        match result {
            Ok(value) => Ok(value),
            Err(reason) => Err(self.error(op, reason)),
        }
    }

    /// As [`Var::check`], raised at the caller's line.
    #[track_caller]
    pub(crate) fn expect<R>(&self, op: &str, result: Result<R, Reason>) -> R {
        Error::or_raise(self.check(op, result))
    }

    #[track_caller]
    pub(crate) fn require(&self, op: &str, holds: bool, kind: ErrorKind, text: impl FnOnce() -> String) {
        if !holds {
            self.error(op, Reason::new(kind, text())).raise();
        }
    }
}

impl<T: Float> fmt::Debug for Var<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Var#{} {} {}", self.index, self.op_name(), self.shape())
    }
}
