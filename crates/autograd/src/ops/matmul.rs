//! Products of matrices, vectors and batches of them.

use crate::diff::forward::plus;
use crate::float::Float;
use crate::kernels::finish::Finish;
use crate::kernels::gemm;
use crate::kernels::product::small_products;
use crate::kernels::strided::{Odometer, collapse};
use crate::tape::attribute::Attributes;
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::{Error, Reason};
use crate::tensor::shape::Shape;

/// `op(a) · op(b)` over the last two dimensions, where `op` transposes if its flag is set; leading dimensions
/// broadcast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MatMul {
    pub(crate) ta: bool,
    pub(crate) tb: bool,
}

/// The batch dimensions, rows and columns of an operand after transposition.
fn split(shape: &Shape, transposed: bool) -> (&[usize], usize, usize) {
    let (batch, matrix) = shape.split_at(shape.rank() - 2);
    if transposed { (batch, matrix[1], matrix[0]) } else { (batch, matrix[0], matrix[1]) }
}

/// Which operands of a product are transposed: `Transposed::LEFT`, or `Transposed { right: true, ..Default::default() }`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Transposed {
    /// The left operand is.
    pub left: bool,
    /// The right operand is.
    pub right: bool,
}

impl Transposed {
    /// The left operand: `aᵀ · b`.
    pub const LEFT: Self = Self { left: true, right: false };
    /// The right operand: `a · bᵀ`.
    pub const RIGHT: Self = Self { left: false, right: true };
    /// Both: `aᵀ · bᵀ`.
    pub const BOTH: Self = Self { left: true, right: true };
}

impl Named for MatMul {
    const NAMES: &'static [&'static str] = &["matmul"];
}

impl<T: Float> Op<T, 2> for MatMul {
    fn name(&self) -> &'static str {
        "matmul"
    }
    fn attributes(&self) -> Attributes {
        vec![("left", self.ta.into()), ("right", self.tb.into())]
    }

    fn shape(&self, [a, b]: [&Shape; 2]) -> Result<Shape, Reason> {
        if a.rank() < 2 || b.rank() < 2 {
            return Err(Reason::shape("both operands need at least two dimensions"));
        }
        let ((a_batch, m, k), (b_batch, k2, n)) = (split(a, self.ta), split(b, self.tb));
        if k != k2 {
            return Err(Reason::shape(format!("inner sizes differ: {k} and {k2}")));
        }
        if a_batch.is_empty() && b_batch.is_empty() {
            return Ok(Shape::from([m, n]));
        }
        let batch = Shape::from(a_batch)
            .broadcast(&Shape::from(b_batch))
            .ok_or_else(|| Reason::shape("the batch dimensions do not broadcast"))?;
        Ok(batch.iter().copied().chain([m, n]).collect())
    }

    fn eval(&self, [a, b]: [View<'_, T>; 2], y: ViewMut<'_, T>) {
        let ((a_batch, m, k), (b_batch, _, n)) = (split(a.shape, self.ta), split(b.shape, self.tb));
        if y.data.is_empty() {
            return;
        }
        // One matrix on the right and untransposed rows on the left are one tall product.
        if b_batch.is_empty() && !self.ta {
            let rows = y.data.len() / n;
            return gemm::matmul((rows, k, n), (a.data, false), (b.data, self.tb), y.data, Finish::Keep);
        }
        let batch = Shape::from(&y.shape[..y.shape.rank() - 2]);
        let a_strides = Shape::from(a_batch).strides_in(&batch);
        let b_strides = Shape::from(b_batch).strides_in(&batch);
        let dims = collapse(&batch, [&a_strides, &b_strides]);
        if small_products((m, k, n), (a.data, self.ta), (b.data, self.tb), &dims, y.data) {
            return;
        }
        let mut at = Odometer::new(&dims);
        for y in y.data.chunks_exact_mut(m * n) {
            let [pa, pb] = at.offsets();
            let (a, b) = (&a.data[pa * m * k..(pa + 1) * m * k], &b.data[pb * k * n..(pb + 1) * k * n]);
            gemm::matmul((m, k, n), (a, self.ta), (b, self.tb), y, Finish::Keep);
            at.step();
        }
    }

    /// `da = dy · op(b)ᵀ` and `db = op(a)ᵀ · dy`, each transposed back where its operand was.
    fn vjp<'t>(&self, arg: usize, [a, b]: [Var<'t, T>; 2], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let Self { ta, tb } = *self;
        // One matrix on the right of many rows: its gradient is one product, not one for each matrix on the left and their sum.
        let (a, dy) = if arg == 1 && !ta && b.rank() == 2 && a.rank() > 2 { (rows(a), rows(dy)) } else { (a, dy) };
        Some(match (arg, ta, tb) {
            (0, false, _) => dy.matmul_with(b, Transposed { left: false, right: !tb }),
            (0, true, _) => b.matmul_with(dy, Transposed { left: tb, right: true }),
            (_, _, false) => a.matmul_with(dy, Transposed { left: !ta, right: false }),
            (_, _, true) => dy.matmul_with(a, Transposed { left: true, right: ta }),
        })
    }

    fn jvp<'t>(&self, [a, b]: [Var<'t, T>; 2], _: Var<'t, T>, [da, db]: [Option<Var<'t, T>>; 2]) -> Option<Var<'t, T>> {
        let from_a = da.map(|da| da.matmul_with(b, Transposed { left: self.ta, right: self.tb }));
        let from_b = db.map(|db| a.matmul_with(db, Transposed { left: self.ta, right: self.tb }));
        plus(from_a, from_b)
    }
}

/// The rows of all matrices as those of one.
fn rows<T: Float>(x: Var<'_, T>) -> Var<'_, T> {
    let [before @ .., n] = &x.sizes()[..] else { return x };
    x.reshape([before.iter().product(), *n])
}

/// # Products of matrices
///
/// Of matrices, vectors, and batches of them; for sums over any axes there is [`einsum`](crate::einsum).
impl<'t, T: Float> Var<'t, T> {
    /// The product over the last dimension of `self` and the last but one of `other`, as `@` in NumPy and PyTorch:
    /// matrices `[m, k] · [k, n] = [m, n]`; leading batch dimensions broadcast; a vector on the left is a row, on the
    /// right a column, and its dimension of 1 is dropped from the result.
    ///
    /// Cotangents: `da = dy · bᵀ`, `db = aᵀ · dy`.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]));
    /// let x = tape.var(&Tensor::from([1.0, -1.0]));
    /// assert_eq!(a.matmul(x).value(), Tensor::from([-1.0, -1.0]));
    /// assert_eq!(x.matmul(x).item(), 2.0);
    /// ```
    #[track_caller]
    pub fn matmul(self, other: Self) -> Self {
        Error::or_raise(self.try_matmul(other))
    }

    /// As [`Var::matmul`], for shapes that come from outside.
    ///
    /// # Errors
    /// Where the inner sizes differ, an operand is a scalar, batches do not broadcast, or the tapes differ.
    #[track_caller]
    pub fn try_matmul(self, other: Self) -> Result<Self, Error> {
        self.product("matmul", other, MatMul { ta: false, tb: false })
    }

    /// As [`Var::try_matmul`], each operand transposed where its flag is set, which changes nothing of a vector.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn product(self, name: &'static str, other: Self, MatMul { ta, tb }: MatMul) -> Result<Self, Error> {
        let (ra, rb) = (self.rank(), other.rank());
        let op = Arity(MatMul { ta: ta && ra > 1, tb: tb && rb > 1 });
        if (ra >= 2 && rb >= 2) || !std::ptr::eq(self.tape(), other.tape()) {
            return self.tape().try_record_as(name, op, [self, other]);
        }
        let _whole = self.tape().try_composite(name, [self, other])?;
        if ra == 0 || rb == 0 {
            return Err(self.error(name, Reason::shape("a scalar has no inner dimension")));
        }
        let (sa, sb) = (self.shape(), other.shape());
        let k = if op.0.ta { sa[ra - 2] } else { sa[ra - 1] };
        let k2 = if rb == 1 || op.0.tb { sb[rb - 1] } else { sb[rb - 2] };
        if k != k2 {
            return Err(self.error(name, Reason::shape(format!("inner sizes differ: {k} and {k2}"))));
        }
        let a = if ra == 1 { self.reshape([1, k]) } else { self };
        let b = if rb == 1 { other.reshape([k, 1]) } else { other };
        let y = self.tape().try_record(op, [a, b])?;
        let mut shape = y.shape().to_vec();
        if ra == 1 {
            shape.remove(shape.len() - 2);
        }
        if rb == 1 {
            shape.pop();
        }
        Ok(y.reshape(shape))
    }

    /// `op(self) · op(other)` over the last two dimensions, each transposed where that is said, without a copy. Vectors
    /// are as in [`Var::matmul`]: the transpose of one is itself, as in NumPy.
    ///
    /// ```
    /// use autograd::{Tape, Tensor, Transposed};
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from_rows([[1.0, 2.0, 3.0]]));
    /// assert_eq!(a.matmul_with(a, Transposed::LEFT).shape()[..], [3, 3]);
    /// assert_eq!(a.matmul_with(a, Transposed::RIGHT).item(), 14.0);
    /// ```
    #[track_caller]
    pub fn matmul_with(self, other: Self, transposed: Transposed) -> Self {
        let op = MatMul { ta: transposed.left, tb: transposed.right };
        if self.rank() >= 2 && other.rank() >= 2 {
            return self.tape().record_as("matmul_with", Arity(op), [self, other]);
        }
        Error::or_raise(self.product("matmul_with", other, op))
    }

    /// `x · Wᵀ + b` with `W` `[out, in]`, the layout of PyTorch. Leading dimensions are rows; a vector `[in]` is one row and
    /// gives `[out]`.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let w = tape.var(&Tensor::from_rows([[1.0, 0.0, 2.0], [0.0, 3.0, 0.0]]));
    /// let (x, b) = (tape.var(&Tensor::from([1.0, 2.0, 3.0])), tape.var(&Tensor::from([0.5, 0.0])));
    /// assert_eq!(x.linear(w, Some(b)).value().as_slice(), [7.5, 6.0]);
    /// ```
    ///
    /// # Panics
    /// Where the inner sizes differ, or the bias does not broadcast to the result.
    #[track_caller]
    #[inline(never)]
    pub fn linear(self, weight: Self, bias: Option<Self>) -> Self {
        let _whole = self.tape().composite("linear", [Some(self), Some(weight), bias]);
        let y = self.matmul_with(weight, Transposed::RIGHT);
        match bias {
            Some(bias) => y + bias.fitting("linear", "the bias", y),
            None => y,
        }
    }
}
