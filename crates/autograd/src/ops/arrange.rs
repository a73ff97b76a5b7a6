//! Padding, flipping, rolling, splitting, triangles and diagonals: made of views.

use crate::error::Kind;
use crate::float::Float;
use crate::op::Arity;
use crate::ops::binary::BinaryRules;
use crate::ops::concat::concat;
use crate::ops::view::{AddAt, Read, Slice};
use crate::shape::Shape;
use crate::var::Var;
use smallvec::SmallVec;

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
        let pad = |i: usize| pads.get(i).copied().unwrap_or((0, 0));
        let size = |(i, &n): (usize, &usize)| pad(i).0.saturating_add(n).saturating_add(pad(i).1);
        let shape: Shape = own.iter().enumerate().map(size).collect();
        let strides = shape.strides();
        // Where this wraps, there is no such shape, and it is not recorded.
        let offset = (0..own.rank()).fold(0_usize, |at, i| at.wrapping_add(pad(i).0.wrapping_mul(strides[i])));
        let inside = |position: usize| {
            (0..own.rank()).all(|i| {
                let at = position / strides[i] % shape[i];
                (pad(i).0..pad(i).0 + own[i]).contains(&at)
            })
        };
        let strides = strides.iter().map(|&s| s as isize).collect();
        let op = AddAt { name: "pad", shape: shape.clone(), offset, strides };
        let padded = self.tape().record(Arity(op), [self]);
        if value == 0.0 && value.is_sign_positive() {
            return padded;
        }
        let is_inside = |position| if inside(position) { T::ONE } else { T::ZERO };
        self.tape().leaf_from_fn("pad", &shape, is_inside).select(padded, self.tape().scalar(T::of(value)))
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
            if shift > 0 {
                let (front, back) = (x.narrow(axis, 0, n - shift), x.narrow(axis, n - shift, shift));
                x = concat(&[back, front], i as isize);
            }
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
        let mask = |at: usize| if inside((at / n) as isize, (at % n) as isize) { T::ONE } else { T::ZERO };
        if self.numel() == 0 {
            // The matrices may be large where there are none.
            return self;
        }
        self.keep(self.tape().leaf_from_fn(op, &Shape::from([m, n]), mask))
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
        let own = self.shape();
        self.expect("diagonal", own.axis_set(&[axis1, axis2]));
        let (i, j) = (self.expect("diagonal", own.axis(axis1)), self.expect("diagonal", own.axis(axis2)));
        let strides = own.strides();
        let kept = || (0..own.rank()).filter(|&k| k != i && k != j);
        let shape = kept().map(|k| own[k]).chain([own[i].min(own[j])]).collect();
        let strides = kept().map(|k| strides[k] as isize).chain([(strides[i] + strides[j]) as isize]).collect();
        self.tape().record(Arity(Read { name: "diagonal", shape, offset: 0, strides }), [self])
    }

    /// A view by shape and strides, unchecked but for what the caller knows; windows may overlap.
    #[track_caller]
    pub(crate) fn windows(self, shape: Shape, strides: SmallVec<[isize; 4]>) -> Self {
        self.tape().record(Arity(Read { name: "windows", shape, offset: 0, strides }), [self])
    }
}
