//! Linear algebra on batches of small square matrices.

use crate::diff::forward::plus;
use crate::float::Float;
use crate::kernels::linalg::{self, Triangle, Work};
use crate::kernels::strided::{Odometer, collapse};
use crate::ops::determinant::Determinant;
use crate::ops::matmul::Transposed;
use crate::tape::attribute::Attributes;
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::Reason;
use crate::tensor::memory::OutOfMemory;
use crate::tensor::shape::Shape;

/// The size of each matrix, or why they are not square.
pub(super) fn square(shape: &Shape) -> Result<usize, Reason> {
    match shape[..] {
        [.., m, n] if m == n => Ok(n),
        _ => Err(Reason::shape("square matrices are needed")),
    }
}

/// The shape of `op(A)⁻¹ B`; batches broadcast.
fn solution(a: &Shape, b: &Shape) -> Result<Shape, Reason> {
    let n = square(a)?;
    let [b_batch @ .., rows, columns] = &b[..] else {
        return Err(Reason::shape("the right side needs rows and columns"));
    };
    if *rows != n {
        return Err(Reason::shape(format!("the right side needs {n} rows, it has {rows}")));
    }
    let batch = Shape::from(&a[..a.rank() - 2])
        .broadcast(&Shape::from(b_batch))
        .ok_or_else(|| Reason::shape("the batch dimensions do not broadcast"))?;
    Ok(batch.iter().copied().chain([n, *columns]).collect())
}

/// Calls `f` with each matrix, its right side and its solution; what broadcasts comes again and again.
fn each_pair<T: Float>(
    a: View<'_, T>,
    b: View<'_, T>,
    y: ViewMut<'_, T>,
    mut f: impl FnMut(&[T], usize, &[T], &mut [T]),
) {
    let rank = y.shape.rank();
    let (n, per_result) = (y.shape[rank - 2], y.shape[rank - 2] * y.shape[rank - 1]);
    if y.data.is_empty() {
        return;
    }
    let batch = Shape::from(&y.shape[..rank - 2]);
    let strides = [a, b].map(|x| Shape::from(&x.shape[..x.shape.rank() - 2]).strides_in(&batch));
    let dims = collapse(&batch, [&strides[0], &strides[1]]);
    let mut at = Odometer::new(&dims);
    for y in y.data.chunks_exact_mut(per_result) {
        let [i, j] = at.offsets();
        f(&a.data[i * n * n..(i + 1) * n * n], n, &b.data[j * per_result..(j + 1) * per_result], y);
        at.step();
    }
}

/// Calls `f` with the matrices of a batch one by one.
pub(super) fn each<'a, T: Float>(
    a: View<'a, T>,
    y: ViewMut<'a, T>,
    per_result: usize,
    mut f: impl FnMut(&[T], &mut [T]),
) {
    let n = a.shape[a.shape.rank() - 1];
    // Where there are no matrices, their sizes may multiply to more than a number holds.
    if a.data.is_empty() || per_result == 0 {
        return;
    }
    for (a, y) in a.data.chunks_exact(n * n).zip(y.data.chunks_exact_mut(per_result)) {
        f(a, y);
    }
}

/// The lower triangular `L` with `L Lᵀ = A`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cholesky;

impl Named for Cholesky {
    const NAMES: &'static [&'static str] = &["cholesky"];
}

impl<T: Float> Op<T, 1> for Cholesky {
    fn name(&self) -> &'static str {
        "cholesky"
    }
    fn shape(&self, [a]: [&Shape; 1]) -> Result<Shape, Reason> {
        square(a).map(|_| a.clone())
    }
    fn eval(&self, [a]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let n = a.shape[a.shape.rank() - 1];
        each(a, y, n * n, |a, l| linalg::cholesky(a, n, l));
    }
    /// `Ā = sym(L⁻ᵀ Φ(Lᵀ L̄) L⁻¹)` with `Φ` the lower triangle, its diagonal halved (Murray, 2016, arXiv:1602.07527).
    fn vjp<'t>(&self, _: usize, _: [Var<'t, T>; 1], l: Var<'t, T>, dl: Var<'t, T>) -> Option<Var<'t, T>> {
        let phi = l.matmul_with(dl, Transposed::LEFT).halved_lower();
        let left = l.triangular_solve(phi, TRANSPOSED);
        let da = l.triangular_solve(left.t(), TRANSPOSED);
        Some((da + da.t()).mul_scalar(0.5))
    }
    /// `L̇ = L Φ(L⁻¹ Ȧ L⁻ᵀ)`
    fn jvp<'t>(&self, _: [Var<'t, T>; 1], l: Var<'t, T>, [da]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        let da = da?;
        let left = l.triangular_solve((da + da.t()).mul_scalar(0.5), Triangular::default());
        let both = l.triangular_solve(left.t(), Triangular::default());
        Some(l.matmul(both.halved_lower()))
    }
}

/// `op(A)⁻¹ B` for a triangular `A`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TriangularSolve(Triangle);

impl Named for TriangularSolve {
    const NAMES: &'static [&'static str] = &["triangular_solve"];
}

impl<T: Float> Op<T, 2> for TriangularSolve {
    fn name(&self) -> &'static str {
        "triangular_solve"
    }
    fn attributes(&self) -> Attributes {
        vec![
            ("upper", (!self.0.lower).into()),
            ("transposed", self.0.transpose.into()),
            ("unit_diagonal", self.0.unit_diagonal.into()),
        ]
    }
    fn shape(&self, [a, b]: [&Shape; 2]) -> Result<Shape, Reason> {
        solution(a, b)
    }
    fn eval(&self, [a, b]: [View<'_, T>; 2], y: ViewMut<'_, T>) {
        each_pair(a, b, y, |a, n, b, x| {
            x.copy_from_slice(b);
            linalg::solve_triangular(a, n, self.0, x);
        });
    }
    /// `B̄ = op(A)⁻ᵀ X̄` and, on the triangle that is read, `Ā = −B̄ Xᵀ` (transposed where `op` is).
    fn vjp<'t>(&self, arg: usize, [a, _]: [Var<'t, T>; 2], x: Var<'t, T>, dx: Var<'t, T>) -> Option<Var<'t, T>> {
        let adjoint = Triangle { transpose: !self.0.transpose, ..self.0 };
        let db = x.tape().record(Arity(Self(adjoint)), [a, dx]);
        if arg == 1 {
            return Some(db);
        }
        let da =
            if self.0.transpose { x.matmul_with(db, Transposed::RIGHT) } else { db.matmul_with(x, Transposed::RIGHT) };
        Some(self.triangle_of(da.neg()))
    }
    /// `Ẋ = op(A)⁻¹ (Ḃ − op(Ȧ) X)`
    fn jvp<'t>(&self, [a, _]: [Var<'t, T>; 2], x: Var<'t, T>, [da, db]: [Option<Var<'t, T>>; 2]) -> Option<Var<'t, T>> {
        let change =
            da.map(|da| self.triangle_of(da).matmul_with(x, Transposed { left: self.0.transpose, right: false }).neg());
        Some(x.tape().record(Arity(*self), [a, plus(db, change)?]))
    }
}

impl TriangularSolve {
    /// The part of a matrix that the solve reads.
    fn triangle_of<'t, T: Float>(self, a: Var<'t, T>) -> Var<'t, T> {
        let strict = isize::from(self.0.unit_diagonal);
        if self.0.lower { a.tril(-strict) } else { a.triu(strict) }
    }
}

/// `op(A)⁻¹ B` for any regular `A`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Solve {
    transpose: bool,
}

impl Named for Solve {
    const NAMES: &'static [&'static str] = &["solve"];
}

impl<T: Float> Op<T, 2> for Solve {
    fn name(&self) -> &'static str {
        "solve"
    }
    fn attributes(&self) -> Attributes {
        vec![("transposed", self.transpose.into())]
    }
    fn shape(&self, [a, b]: [&Shape; 2]) -> Result<Shape, Reason> {
        solution(a, b)
    }
    fn eval(&self, args: [View<'_, T>; 2], y: ViewMut<'_, T>) {
        self.try_eval(args, y).expect("there is memory for the factors");
    }
    fn try_eval(&self, [a, b]: [View<'_, T>; 2], y: ViewMut<'_, T>) -> Result<(), OutOfMemory> {
        if y.data.is_empty() {
            return Ok(());
        }
        let (n, columns) = (a.shape[a.shape.rank() - 1], b.shape[b.shape.rank() - 1]);
        let mut work = Work::new(n, if self.transpose { n * columns } else { 0 })?;
        each_pair(a, b, y, |a, n, b, x| linalg::solve(&mut work, a, n, self.transpose, b, x));
        Ok(())
    }
    /// `B̄ = op(A)⁻ᵀ X̄` and `Ā = −B̄ Xᵀ` (transposed where `op` is).
    fn vjp<'t>(&self, arg: usize, [a, _]: [Var<'t, T>; 2], x: Var<'t, T>, dx: Var<'t, T>) -> Option<Var<'t, T>> {
        let db = x.tape().record(Arity(Self { transpose: !self.transpose }), [a, dx]);
        if arg == 1 {
            return Some(db);
        }
        let da =
            if self.transpose { x.matmul_with(db, Transposed::RIGHT) } else { db.matmul_with(x, Transposed::RIGHT) };
        Some(da.neg())
    }
    /// `Ẋ = op(A)⁻¹ (Ḃ − op(Ȧ) X)`
    fn jvp<'t>(&self, [a, _]: [Var<'t, T>; 2], x: Var<'t, T>, [da, db]: [Option<Var<'t, T>>; 2]) -> Option<Var<'t, T>> {
        let change = da.map(|da| da.matmul_with(x, Transposed { left: self.transpose, right: false }).neg());
        Some(x.tape().record(Arity(*self), [a, plus(db, change)?]))
    }
}

/// Which triangular matrix is meant; the default is the lower triangle as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Triangular {
    /// The upper triangle is read, not the lower.
    pub upper: bool,
    /// The transpose of the triangle is meant.
    pub transposed: bool,
    /// The diagonal counts as ones and is not read.
    pub unit_diagonal: bool,
}

/// The transpose of a lower triangle.
const TRANSPOSED: Triangular = Triangular { upper: false, transposed: true, unit_diagonal: false };

/// # Linear algebra
///
/// Of batches of small square matrices.
impl<'t, T: Float> Var<'t, T> {
    /// The lower triangle with its diagonal halved, `Φ` in the rules of Cholesky.
    fn halved_lower(self) -> Self {
        (self.tril(0) + self.tril(-1)).mul_scalar(0.5)
    }

    /// The Cholesky factor of symmetric positive definite matrices: lower triangular `L` with `L Lᵀ = A`. Reads the
    /// lower triangle; NaN where the matrix is not positive definite. Tangents are symmetric, and so are cotangents.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from_rows([[4.0, 2.0], [2.0, 5.0]]));
    /// assert_eq!(a.cholesky().value(), Tensor::from_rows([[2.0, 0.0], [1.0, 2.0]]));
    /// ```
    #[track_caller]
    pub fn cholesky(self) -> Self {
        self.tape().record(Arity(Cholesky), [self])
    }

    /// `op(A)⁻¹ B` for triangular matrices, this. Only the named triangle is read; `b` and batches as in [`Var::solve`].
    ///
    /// ```
    /// use autograd::{Tape, Tensor, Triangular};
    /// let tape = Tape::new();
    /// let l = tape.var(&Tensor::from_rows([[2.0, 0.0], [1.0, 4.0]]));
    /// let b = tape.var(&Tensor::from([4.0, 10.0]));
    /// assert_eq!(l.triangular_solve(b, Triangular::default()).value().as_slice(), [2.0, 2.0]);
    /// let transposed = Triangular { transposed: true, ..Default::default() };
    /// assert_eq!(l.triangular_solve(b, transposed).value().as_slice(), [0.75, 2.5]);
    /// ```
    #[track_caller]
    pub fn triangular_solve(self, b: Self, options: Triangular) -> Self {
        let Triangular { upper, transposed, unit_diagonal } = options;
        let op = TriangularSolve(Triangle { lower: !upper, transpose: transposed, unit_diagonal });
        let _whole = self.tape().composite("triangular_solve", [self, b]);
        let (columns, is_vector) = self.right_side(b);
        let x = self.tape().record(Arity(op), [self, columns]);
        if is_vector { x.squeeze(-1) } else { x }
    }

    /// `A⁻¹ B` for regular matrices, this. A singular matrix gives infinities or NaN.
    ///
    /// As in PyTorch, `b` is a vector, one for all matrices; or a vector for each, where it has the shape of `A` without its
    /// last dimension; or it has columns. Leading dimensions are batches and broadcast.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from_rows([[2.0, 1.0], [0.0, 4.0]]));
    /// let b = tape.var(&Tensor::from([4.0, 8.0]));
    /// assert_eq!(a.solve(b).value().as_slice(), [1.0, 2.0]);
    /// let columns = tape.var(&Tensor::from_fn([3, 2, 1], |i| [4.0, 8.0][i % 2]));
    /// assert_eq!(a.solve(columns).value(), Tensor::from_fn([3, 2, 1], |i| [1.0, 2.0][i % 2]));
    /// ```
    #[track_caller]
    pub fn solve(self, b: Self) -> Self {
        let _whole = self.tape().composite("solve", [self, b]);
        let (columns, is_vector) = self.right_side(b);
        let x = self.tape().record(Arity(Solve { transpose: false }), [self, columns]);
        if is_vector { x.squeeze(-1) } else { x }
    }

    /// The right side of a solve with columns, and whether it had none: a vector, or a vector for each matrix.
    #[track_caller]
    fn right_side(self, b: Self) -> (Self, bool) {
        let (own, sizes) = (self.sizes(), b.sizes());
        let is_vector = sizes.rank() == 1 || own.rank() > 0 && sizes[..] == own[..own.rank() - 1];
        (if is_vector { b.expand_dims(-1) } else { b }, is_vector)
    }

    /// The inverse of each matrix.
    #[track_caller]
    pub fn inv(self) -> Self {
        let shape = self.shape();
        let _whole = self.tape().composite("inv", [self]);
        self.expect("inv", square(&shape));
        let eye = self.tape().leaf_of_matrices("inv", &shape, |i, j| if i == j { T::ONE } else { T::ZERO });
        self.solve(eye)
    }

    /// The determinant of each matrix. The derivative is exact at singular matrices too; the second is NaN there from
    /// three dimensions on.
    #[track_caller]
    pub fn det(self) -> Self {
        Determinant::Value.of(self)
    }

    /// `ln |det A|` of each matrix, without overflow; −∞ where it is singular.
    #[track_caller]
    pub fn logabsdet(self) -> Self {
        Determinant::LogAbs.of(self)
    }
}
