//! Padding, flipping, rolling, splitting, triangles and diagonals: made of views.

use crate::float::Float;
use crate::ops::binary::BinaryRules;
use crate::ops::roll::Roll;
use crate::ops::slice::Slice;
use crate::ops::view::{AddAt, Read};
use crate::tape::op::Arity;
use crate::tape::var::Var;
use crate::tensor::error::Kind;
use crate::tensor::shape::Shape;
use smallvec::SmallVec;

/// # Padding, parts and diagonals
///
/// Elements in another arrangement, with zeros or other values between and around.
impl<'t, T: Float> Var<'t, T> {
    /// This, with `(before, after)` elements of a value around each dimension; dimensions that are not named get none.
    /// Nothing is recorded where there is nothing to add.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// assert_eq!(x.pad(&[(1, 2)], 9.0).value().as_slice(), [9.0, 1.0, 2.0, 9.0, 9.0]);
    /// ```
    #[track_caller]
    pub fn pad(self, pads: &[(usize, usize)], value: f64) -> Self {
        let own = self.shape();
        self.require("pad", pads.len() <= own.rank(), Kind::Axis, || {
            format!("{} pairs for rank {}", pads.len(), own.rank())
        });
        if pads.iter().all(|&pad| pad == (0, 0)) {
            return self;
        }
        if value != 0.0 || value.is_sign_negative() {
            let (_whole, tape) = (self.tape().composite("pad", [self]), self.tape());
            let inside = tape.scalar(T::ONE).broadcast_to(own).pad(pads, 0.0);
            return inside.select(self.pad(pads, 0.0), tape.scalar(T::of(value)));
        }
        let pad = |i: usize| pads.get(i).copied().unwrap_or((0, 0));
        let size = |(i, &n): (usize, &usize)| pad(i).0.saturating_add(n).saturating_add(pad(i).1);
        let shape: Shape = own.iter().enumerate().map(size).collect();
        let strides = shape.strides();
        // Where this wraps, there is no such shape, and it is not recorded.
        let offset = (0..own.rank()).fold(0_usize, |at, i| at.wrapping_add(pad(i).0.wrapping_mul(strides[i])));
        let strides = strides.iter().map(|&s| s as isize).collect();
        self.tape().record(Arity(AddAt { name: "pad", shape, offset, strides }), [self])
    }

    /// The elements in reverse order along these axes.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// assert_eq!(x.flip(&[0]).value().as_slice(), [3.0, 2.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn flip(self, axes: &[isize]) -> Self {
        let shape = self.shape();
        let set = self.expect("flip", shape.axis_set(axes));
        let mut slices = vec![Slice::all(); shape.rank()];
        for axis in set.iter() {
            slices[axis].step = -1;
        }
        self.slice(&slices)
    }

    /// The elements moved along axes, those that leave at one end entering at the other, as `numpy.roll`.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// assert_eq!(x.roll(&[1], &[0]).value().as_slice(), [3.0, 1.0, 2.0]);
    /// ```
    #[track_caller]
    pub fn roll(self, shifts: &[isize], axes: &[isize]) -> Self {
        self.require("roll", shifts.len() == axes.len(), Kind::Option, || {
            format!("{} shifts for {} axes", shifts.len(), axes.len())
        });
        let mut x = self;
        for (&shift, &axis) in shifts.iter().zip(axes) {
            let i = self.expect("roll", self.sizes().axis(axis));
            let n = self.sizes()[i];
            let shift = if n == 0 { 0 } else { shift.rem_euclid(n as isize) as usize };
            x = Roll::along(x, i, shift);
        }
        x
    }

    /// Consecutive parts of these sizes along an axis.
    ///
    /// # Panics
    /// Where the sizes do not add up to that of the axis.
    #[track_caller]
    pub fn split(self, sizes: &[usize], axis: isize) -> Vec<Self> {
        let i = self.expect("split", self.sizes().axis(axis));
        let n = self.sizes()[i];
        self.require(
            "split",
            sizes.iter().try_fold(0_usize, |sum, &size| sum.checked_add(size)) == Some(n),
            Kind::Shape,
            || format!("the sizes {sizes:?} do not add up to {n}"),
        );
        let mut parts = Vec::with_capacity(sizes.len());
        let mut start = 0;
        for &size in sizes {
            parts.push(self.narrow(axis, start, size));
            start += size;
        }
        parts
    }

    /// The lower triangle of each matrix, zeros above the `k`-th diagonal.
    #[track_caller]
    pub fn tril(self, k: isize) -> Self {
        self.triangle("tril", |i, j| j - i <= k)
    }

    /// The upper triangle of each matrix, zeros below the `k`-th diagonal.
    #[track_caller]
    pub fn triu(self, k: isize) -> Self {
        self.triangle("triu", |i, j| j - i >= k)
    }

    #[track_caller]
    fn triangle(self, op: &str, inside: impl Fn(isize, isize) -> bool) -> Self {
        let shape = self.shape();
        self.require(op, shape.rank() >= 2, Kind::Shape, || "a matrix is needed".into());
        let (m, n) = (shape[shape.rank() - 2], shape[shape.rank() - 1]);
        let mask = |i: isize, j: isize| if inside(i, j) { T::ONE } else { T::ZERO };
        if self.numel() == 0 {
            // The matrices may be large where there are none.
            return self;
        }
        self.keep(self.tape().leaf_of_matrices(op, &Shape::from([m, n]), mask))
    }

    /// The diagonal along two axes, which are replaced by one at the end.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.diagonal(0, 1).value().as_slice(), [1.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn diagonal(self, axis1: isize, axis2: isize) -> Self {
        self.diagonal_of("diagonal", 0, axis1, axis2)
    }

    /// As [`Var::diagonal`], the `k`-th above the main one, or the `−k`-th below it: empty where there is none.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from_rows([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
    /// assert_eq!(x.diagonal_at(1, 0, 1).value().as_slice(), [2.0, 6.0]);
    /// assert_eq!(x.diagonal_at(-1, 0, 1).value().as_slice(), [4.0]);
    /// ```
    #[track_caller]
    pub fn diagonal_at(self, k: isize, axis1: isize, axis2: isize) -> Self {
        self.diagonal_of("diagonal_at", k, axis1, axis2)
    }

    /// The sum of the diagonal of each matrix of the last two axes, as `torch.trace` in batches.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from_rows([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
    /// assert_eq!(x.trace().item(), 6.0);
    /// assert_eq!(grad(x.trace(), &x).value(), Tensor::from_rows([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]));
    /// ```
    ///
    /// # Panics
    /// Where this has fewer than two dimensions.
    #[track_caller]
    pub fn trace(self) -> Self {
        let _whole = self.tape().composite("trace", [self]);
        self.require("trace", self.rank() >= 2, Kind::Shape, || "a matrix is needed".into());
        self.diagonal(-2, -1).sum_axes(-1)
    }

    #[track_caller]
    fn diagonal_of(self, op: &'static str, k: isize, axis1: isize, axis2: isize) -> Self {
        let own = self.shape();
        self.expect(op, own.axis_set(&[axis1, axis2]));
        let (i, j) = (self.expect(op, own.axis(axis1)), self.expect(op, own.axis(axis2)));
        let strides = own.strides();
        let (down, right) = if k < 0 { (k.unsigned_abs(), 0) } else { (0, k.unsigned_abs()) };
        let count = own[i].saturating_sub(down).min(own[j].saturating_sub(right));
        let offset = if count == 0 { 0 } else { down * strides[i] + right * strides[j] };
        let kept = || (0..own.rank()).filter(|&k| k != i && k != j);
        let shape = kept().map(|k| own[k]).chain([count]).collect();
        let strides = kept().map(|k| strides[k] as isize).chain([(strides[i] + strides[j]) as isize]).collect();
        self.tape().record(Arity(Read { name: "diagonal", shape, offset, strides }), [self])
    }

    /// As `numpy.diag`: the matrix with this vector on its `k`-th diagonal and zeros elsewhere, or the `k`-th diagonal of
    /// this matrix. For batches, [`Var::diag_embed`] and [`Var::diagonal_at`].
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// assert_eq!(x.diag(0).value(), Tensor::from_rows([[1.0, 0.0], [0.0, 2.0]]));
    /// assert_eq!(x.diag(-1).diag(-1).value(), x.value());
    /// ```
    ///
    /// # Panics
    /// Where this is neither a vector nor a matrix.
    #[track_caller]
    pub fn diag(self, k: isize) -> Self {
        let rank = self.rank();
        let _whole = self.tape().composite("diag", [self]);
        self.require("diag", rank == 1 || rank == 2, Kind::Shape, || "a vector or a matrix is needed".into());
        if rank == 1 { self.embedded(k) } else { self.diagonal_at(k, 0, 1) }
    }

    /// The matrices with the vectors of the last axis on their `k`-th diagonals, as `torch.diag_embed`.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::<f64>::ones([5, 2]));
    /// assert_eq!(x.diag_embed(1).shape()[..], [5, 3, 3]);
    /// ```
    ///
    /// # Panics
    /// Where this is a scalar.
    #[track_caller]
    pub fn diag_embed(self, k: isize) -> Self {
        let _whole = self.tape().composite("diag_embed", [self]);
        self.require("diag_embed", self.rank() > 0, Kind::Shape, || "a vector is needed".into());
        self.embedded(k)
    }

    #[track_caller]
    fn embedded(self, k: isize) -> Self {
        let own = self.sizes();
        let (batch, n) = (&own[..own.rank() - 1], own[own.rank() - 1]);
        // Where one of these wraps, there is no such shape, and it is not recorded.
        let m = n.saturating_add(k.unsigned_abs());
        let shape: Shape = batch.iter().copied().chain([m, m]).collect();
        let mut strides: SmallVec<[isize; 4]> = shape.strides().iter().map(|&s| s as isize).collect();
        let step = strides.pop().zip(strides.pop()).map_or(0, |(right, down)| right.wrapping_add(down));
        strides.push(step);
        let offset = if n == 0 {
            0
        } else if k < 0 {
            k.unsigned_abs().wrapping_mul(m)
        } else {
            k.unsigned_abs()
        };
        self.tape().record(Arity(AddAt { name: "diag", shape, offset, strides }), [self])
    }

    /// A view by shape and strides, unchecked but for what the caller knows; windows may overlap.
    #[track_caller]
    pub(crate) fn windows(self, shape: Shape, strides: SmallVec<[isize; 4]>) -> Self {
        self.tape().record(Arity(Read { name: "windows", shape, offset: 0, strides }), [self])
    }
}
