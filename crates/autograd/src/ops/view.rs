//! Reading a tensor by strides (broadcast, slice, flip, diagonal, windows) and the adjoint, adding by strides (sums);
//! transposition and reshaping.

use crate::float::Float;
use crate::kernels::map::copy;
use crate::kernels::strided;
use crate::tape::attribute::Attributes;
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::{Error, Kind, Reason};
use crate::tensor::shape::Shape;
use smallvec::SmallVec;

/// `y[i] = x[offset + i · strides]` for every index `i` of `shape`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Read {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) offset: usize,
    pub(crate) strides: SmallVec<[isize; 4]>,
}

/// The adjoint of [`Read`]: `y`, of this shape, is zero but for `y[offset + i · strides] += x[i]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AddAt {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) offset: usize,
    pub(crate) strides: SmallVec<[isize; 4]>,
}

impl Named for Read {
    const NAMES: &'static [&'static str] = &["broadcast_to", "slice", "diagonal", "windows", "read"];
}

impl<T: Float> Op<T, 1> for Read {
    fn name(&self) -> &'static str {
        self.name
    }
    fn attributes(&self) -> Attributes {
        vec![("offset", self.offset.into()), ("strides", self.strides[..].into())]
    }
    fn shape(&self, _: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(self.shape.clone())
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        strided::read(x.data, y.shape, self.offset, &self.strides, y.data);
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let name = if self.name == "broadcast_to" { "sum" } else { "add_at" };
        let op = AddAt { name, shape: x.shape(), offset: self.offset, strides: self.strides.clone() };
        Some(y.tape().record(Arity(op), [dy]))
    }
    fn jvp<'t>(&self, _: [Var<'t, T>; 1], y: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        Some(y.tape().record(Arity(self.clone()), [dx?]))
    }
}

impl Read {
    /// Whether this broadcasts an operand of this shape by NumPy's rule; the stride of a dimension of one does not matter.
    pub(crate) fn is_broadcast_of(&self, operand: &Shape) -> bool {
        let strides = || self.strides.iter().zip(operand.signed_strides_in(&self.shape)).zip(self.shape.iter());
        let fits = self.offset == 0 && operand.broadcasts_to(&self.shape);
        fits && strides().all(|((&own, stride), &n)| n == 1 || own == stride)
    }

    /// An operand with a size of 1 for each dimension that repeats it, if this is then a broadcast by NumPy's rule.
    fn with_ones<'t, T: Float>(&self, x: Var<'t, T>) -> Var<'t, T> {
        let kept = |(&n, &stride): (&usize, &isize)| if stride == 0 { 1 } else { n };
        let kept: Shape = self.shape.iter().zip(&self.strides).map(kept).collect();
        let helps = !self.is_broadcast_of(x.sizes()) && self.is_broadcast_of(&kept);
        if helps && kept.numel() == x.sizes().numel() { x.reshape(kept) } else { x }
    }
}

impl AddAt {
    /// Whether this adds up all elements of its operand, in one sum.
    pub(crate) fn sums_all(&self) -> bool {
        self.shape.numel() == 1 && self.offset == 0 && self.strides.iter().all(|&stride| stride == 0)
    }

    /// Whether this sums the columns of an operand of this shape.
    pub(crate) fn is_column_sums(&self, operand: &Shape) -> bool {
        operand.rank() == 2
            && self.offset == 0
            && self.strides[..] == [0, 1]
            && self.shape.numel() == operand[1]
            && self.shape.last() == operand.last()
    }
}

impl Named for AddAt {
    const NAMES: &'static [&'static str] = &["sum", "pad", "diag", "add_at"];
}

impl<T: Float> Op<T, 1> for AddAt {
    fn name(&self) -> &'static str {
        self.name
    }
    fn attributes(&self) -> Attributes {
        vec![("offset", self.offset.into()), ("strides", self.strides[..].into())]
    }
    fn shape(&self, _: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(self.shape.clone())
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        if self.name == "pad" {
            return strided::place(x.data, x.shape, self.offset, &self.strides, y.data);
        }
        strided::add(x.data, x.shape, self.offset, &self.strides, y.data);
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let name = if self.name == "sum" { "broadcast_to" } else { "read" };
        let op = Read { name, shape: x.shape(), offset: self.offset, strides: self.strides.clone() };
        let dy = op.with_ones(dy);
        Some(y.tape().record(Arity(op), [dy]))
    }
    fn jvp<'t>(&self, _: [Var<'t, T>; 1], y: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        Some(y.tape().record(Arity(self.clone()), [dx?]))
    }
}

/// Axis `i` of the result is axis `permutation[i]` of the operand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Transpose {
    pub(crate) permutation: SmallVec<[u8; 8]>,
}

impl Named for Transpose {
    const NAMES: &'static [&'static str] = &["transpose"];
}

impl<T: Float> Op<T, 1> for Transpose {
    fn name(&self) -> &'static str {
        "transpose"
    }
    fn attributes(&self) -> Attributes {
        let axes: Vec<isize> = self.permutation.iter().map(|&axis| axis.into()).collect();
        vec![("permutation", axes[..].into())]
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(self.permutation.iter().map(|&axis| x[usize::from(axis)]).collect())
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let strides = x.shape.strides();
        let strides: SmallVec<[isize; 4]> =
            self.permutation.iter().map(|&axis| strides[usize::from(axis)] as isize).collect();
        strided::read(x.data, y.shape, 0, &strides, y.data);
    }
    fn vjp<'t>(&self, _: usize, _: [Var<'t, T>; 1], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let mut permutation = self.permutation.clone();
        for (i, &axis) in self.permutation.iter().enumerate() {
            permutation[usize::from(axis)] = i as u8;
        }
        Some(y.tape().record(Arity(Self { permutation }), [dy]))
    }
    fn jvp<'t>(&self, _: [Var<'t, T>; 1], y: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        Some(y.tape().record(Arity(self.clone()), [dx?]))
    }
}

/// The same elements in row-major order, in another shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reshape {
    pub(crate) shape: Shape,
}

impl Named for Reshape {
    const NAMES: &'static [&'static str] = &["reshape"];
}

impl<T: Float> Op<T, 1> for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        let (n, m) = (x.numel(), self.shape.elements()?);
        if n == m {
            Ok(self.shape.clone())
        } else {
            Err(Reason::shape(format!("{n} elements do not fit {}, which has {m}", self.shape)))
        }
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        copy(x.data, y.data);
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        Some(dy.reshape(x.shape()))
    }
    fn jvp<'t>(&self, _: [Var<'t, T>; 1], y: Var<'t, T>, [dx]: [Option<Var<'t, T>>; 1]) -> Option<Var<'t, T>> {
        Some(dx?.reshape(y.shape()))
    }
}

/// # Shapes
///
/// The same elements in another shape or order, some of them, or sums that bring a broadcast back.
impl<'t, T: Float> Var<'t, T> {
    /// The same elements in row-major order, in another shape.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0, 4.0]));
    /// assert_eq!(x.reshape([2, 2]).value(), Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]));
    /// ```
    #[track_caller]
    pub fn reshape(self, shape: impl Into<Shape>) -> Self {
        self.reshaped(shape.into())
    }

    #[track_caller]
    #[inline(never)]
    pub(crate) fn reshaped(self, shape: Shape) -> Self {
        if *self.sizes() == shape {
            return self;
        }
        self.tape().record(Arity(Reshape { shape }), [self])
    }

    /// As [`Var::reshape`], for shapes that come from outside.
    ///
    /// # Errors
    /// Where the number of elements differs.
    #[track_caller]
    pub fn try_reshape(self, shape: impl Into<Shape>) -> Result<Self, Error> {
        self.tape().try_record(Arity(Reshape { shape: shape.into() }), [self])
    }

    /// A new dimension of size 1 before `axis` (which may be one past the last).
    #[track_caller]
    pub fn expand_dims(self, axis: isize) -> Self {
        let shape = self.shape();
        let i = if axis < 0 { axis + shape.rank() as isize + 1 } else { axis };
        self.require("expand_dims", (0..=shape.rank() as isize).contains(&i), Kind::Axis, || {
            format!("axis {axis} is out of range for a result of rank {}", shape.rank() + 1)
        });
        let i = i as usize;
        self.reshape(shape[..i].iter().chain(&[1]).chain(&shape[i..]).copied().collect::<Shape>())
    }

    /// Drops a dimension of size 1.
    #[track_caller]
    pub fn squeeze(self, axis: isize) -> Self {
        let shape = self.shape();
        let i = self.expect("squeeze", shape.axis(axis));
        self.require("squeeze", shape[i] == 1, Kind::Shape, || {
            format!("axis {axis} has size {}, only a size of 1 can be dropped", shape[i])
        });
        self.reshape(shape.splice(i, &[]))
    }

    /// Axis `i` of the result is axis `permutation[i]` of this.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::<f64>::zeros([2, 3, 4]));
    /// assert_eq!(x.transpose(&[2, 0, 1]).shape()[..], [4, 2, 3]);
    /// ```
    #[track_caller]
    pub fn transpose(self, permutation: &[isize]) -> Self {
        let shape = self.shape();
        let set = self.expect("transpose", shape.axis_set(permutation));
        self.require("transpose", set.len() == shape.rank(), Kind::Axis, || {
            format!("{permutation:?} does not name each of the {} axes", shape.rank())
        });
        let axis = |&a: &isize| (if a < 0 { a + shape.rank() as isize } else { a }) as u8;
        self.tape().record(Arity(Transpose { permutation: permutation.iter().map(axis).collect() }), [self])
    }

    /// The last two dimensions exchanged: the transpose of a matrix, or of each matrix of a batch.
    #[track_caller]
    pub fn t(self) -> Self {
        let rank = self.rank();
        self.require("t", rank >= 2, Kind::Shape, || "a matrix is needed".into());
        let mut permutation: SmallVec<[isize; 4]> = (0..rank as isize).collect();
        permutation.swap(rank - 1, rank - 2);
        self.transpose(&permutation)
    }

    /// This, repeated along new leading dimensions and dimensions of size 1 until it has the shape.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// assert_eq!(x.broadcast_to([2, 2]).value(), Tensor::from_rows([[1.0, 2.0], [1.0, 2.0]]));
    /// ```
    #[track_caller]
    pub fn broadcast_to(self, shape: impl Into<Shape>) -> Self {
        Error::or_raise(self.try_broadcast_to(shape))
    }

    /// As [`Var::broadcast_to`], for shapes that come from outside.
    ///
    /// # Errors
    /// Where the shapes do not fit.
    #[track_caller]
    pub fn try_broadcast_to(self, shape: impl Into<Shape>) -> Result<Self, Error> {
        self.try_repeated(shape.into())
    }

    #[track_caller]
    #[inline(never)]
    pub(crate) fn try_repeated(self, shape: Shape) -> Result<Self, Error> {
        let own = self.sizes();
        if !own.broadcasts_to(&shape) {
            return Err(self.error("broadcast_to", Reason::shape(format!("it does not broadcast to {shape}"))));
        }
        if *own == shape {
            return Ok(self);
        }
        let strides = own.signed_strides_in(&shape);
        self.tape().try_record(Arity(Read { name: "broadcast_to", shape, offset: 0, strides }), [self])
    }

    /// Zeros of the shape of this, for a rule: they take memory where they are computed, not where they are recorded, so an
    /// error names the operation that wants it, and what is traced only takes none.
    pub(crate) fn zeros(self) -> Self {
        let zero = self.tape().scalar(T::ZERO);
        if self.rank() == 0 { zero } else { zero.broadcast_to(self.sizes()) }
    }

    /// This, after a check that it broadcasts to the shape of `other`, for an operand like a bias that must not make a
    /// result larger.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn fitting(self, op: &str, what: &str, other: Self) -> Self {
        let (own, shape) = (self.sizes(), other.sizes());
        if !own.broadcasts_to(shape) {
            let reason = Reason::shape(format!("{what} of shape {own} does not broadcast to {shape}"));
            self.tape().error(op, reason, &[other, self]).raise();
        }
        self
    }

    /// The sum over the dimensions along which `shape` would be broadcast to this: the adjoint of
    /// [`Var::broadcast_to`].
    #[track_caller]
    pub fn sum_to(self, shape: impl Into<Shape>) -> Self {
        Error::or_raise(self.try_sum_to(shape))
    }

    /// As [`Var::sum_to`], for shapes that come from outside.
    ///
    /// # Errors
    /// Where the shapes do not fit.
    #[track_caller]
    pub fn try_sum_to(self, shape: impl Into<Shape>) -> Result<Self, Error> {
        let (own, shape) = (self.sizes(), shape.into());
        if !shape.broadcasts_to(own) {
            return Err(self.error("sum_to", Reason::shape(format!("{shape} does not broadcast to it"))));
        }
        let strides = shape.signed_strides_in(own);
        self.tape().try_record(Arity(AddAt { name: "sum", shape, offset: 0, strides }), [self])
    }
}
