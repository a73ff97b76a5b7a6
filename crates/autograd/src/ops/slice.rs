//! Parts of each dimension, as Python's slices.

use crate::float::Float;
use crate::ops::view::Read;
use crate::tape::op::Arity;
use crate::tape::var::Var;
use crate::tensor::error::Kind;
use crate::tensor::shape::Shape;
use smallvec::{SmallVec, smallvec};

/// One dimension of a slice, as Python's `start:stop:step`: negative bounds count from the end, an absent bound means
/// as far as it goes, and a negative step walks backwards.
///
/// ```
/// use autograd::{Slice, Tape, Tensor};
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([0.0, 1.0, 2.0, 3.0, 4.0]));
/// assert_eq!(x.slice(1..4).value().as_slice(), [1.0, 2.0, 3.0]);
/// assert_eq!(x.slice(..-2).value().as_slice(), [0.0, 1.0, 2.0]);
/// assert_eq!(x.slice(Slice::from(1..).step(2)).value().as_slice(), [1.0, 3.0]);
/// assert_eq!(x.slice(Slice::all().step(-2)).value().as_slice(), [4.0, 2.0, 0.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slice {
    /// The first index; absent: the first in the direction of the step.
    pub start: Option<isize>,
    /// The index to stop before; absent: after the last in the direction of the step.
    pub stop: Option<isize>,
    /// The distance between indices; not 0.
    pub step: isize,
}

impl Slice {
    /// The whole dimension, `:`.
    pub fn all() -> Self {
        Self { start: None, stop: None, step: 1 }
    }

    /// The same bounds with another step. (The last index of a range like `1..=3` is one of it for a step above 0 alone, since what is
    /// kept is the index to stop before.)
    pub fn step(self, step: isize) -> Self {
        Self { step, ..self }
    }

    /// `(first index, number of indices)` in a dimension of `n`, as Python's `slice.indices` gives them.
    pub(super) fn resolve(self, n: usize) -> (usize, usize) {
        let n = n as isize;
        let (low, high) = if self.step < 0 { (-1, n - 1) } else { (0, n) };
        let clip = |i: isize| (if i < 0 { i + n } else { i }).clamp(low, high);
        let (first, last) = if self.step < 0 { (high, low) } else { (low, high) };
        let (start, stop) = (self.start.map_or(first, clip), self.stop.map_or(last, clip));
        let span = if self.step < 0 { start - stop } else { stop - start };
        let count = if span <= 0 { 0 } else { (span as usize).div_ceil(self.step.unsigned_abs()) };
        (if count == 0 { 0 } else { start as usize }, count)
    }
}

/// A bound as a slice keeps it: one beyond its numbers is as far as any.
fn bound(index: impl TryInto<isize>) -> isize {
    index.try_into().unwrap_or(isize::MAX)
}

/// The bound after an index; none after the last of all.
fn after(index: impl TryInto<isize>) -> Option<isize> {
    bound(index).checked_add(1).filter(|&next| next != 0)
}

/// The ranges of a dimension, which alone are a slice of the first.
macro_rules! ranges {
    ($($integer:ty),*) => {$(ranges! {
        std::ops::Range<$integer>, |r| (Some(bound(r.start)), Some(bound(r.end)));
        std::ops::RangeFrom<$integer>, |r| (Some(bound(r.start)), None);
        std::ops::RangeTo<$integer>, |r| (None, Some(bound(r.end)));
        std::ops::RangeInclusive<$integer>, |r| (Some(bound(*r.start())), after(*r.end()));
        std::ops::RangeToInclusive<$integer>, |r| (None, after(r.end));
    })*};
    ($($range:ty, |$r:ident| ($start:expr, $stop:expr);)*) => {$(
        impl From<$range> for Slice {
            fn from($r: $range) -> Self {
                Self { start: $start, stop: $stop, step: 1 }
            }
        }
        impl Slices for $range {
            fn slices(self) -> SmallVec<[Slice; 4]> {
                smallvec![self.into()]
            }
        }
    )*};
}

ranges!(isize, usize, i32);
ranges!(std::ops::RangeFull, |_r| (None, None););

/// What [`Var::slice`] takes of the first dimensions: a range or a [`Slice`] of the first one, a tuple or an array of them for several.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no part of dimensions",
    label = "a part of a dimension is a range of `usize`, `isize` or `i32`, or a `Slice`",
    note = "give one, or a tuple or an array of them: `x.slice((1..3, .., Slice::all().step(2)))`; a part without its dimension is \
            `x.index_axis(axis, index)`"
)]
pub trait Slices {
    /// A slice of each of the first dimensions.
    fn slices(self) -> SmallVec<[Slice; 4]>;
}

impl Slices for Slice {
    fn slices(self) -> SmallVec<[Slice; 4]> {
        smallvec![self]
    }
}
impl Slices for &[Slice] {
    fn slices(self) -> SmallVec<[Slice; 4]> {
        SmallVec::from_slice(self)
    }
}
impl Slices for &Vec<Slice> {
    fn slices(self) -> SmallVec<[Slice; 4]> {
        SmallVec::from_slice(self)
    }
}
impl<S: Into<Slice>, const N: usize> Slices for [S; N] {
    fn slices(self) -> SmallVec<[Slice; 4]> {
        self.into_iter().map(S::into).collect()
    }
}
impl<S: Clone + Into<Slice>, const N: usize> Slices for &[S; N] {
    fn slices(self) -> SmallVec<[Slice; 4]> {
        self.iter().cloned().map(S::into).collect()
    }
}

macro_rules! tuples {
    ($(($($s:ident)*))*) => {$(
        impl<$($s: Into<Slice>),*> Slices for ($($s,)*) {
            #[allow(non_snake_case, reason = "a name for a type and its value")]
            fn slices(self) -> SmallVec<[Slice; 4]> {
                let ($($s,)*) = self;
                smallvec![$($s.into()),*]
            }
        }
    )*};
}

tuples! { (A) (A B) (A B C) (A B C D) (A B C D E) (A B C D E F) (A B C D E F G) (A B C D E F G H) }

/// # Slices
///
/// Parts of dimensions, as ranges.
impl<'t, T: Float> Var<'t, T> {
    /// A part of each dimension, as `x[a:b:c, …]` in NumPy; dimensions that are not named are taken whole. A range or a [`Slice`] is
    /// for the first dimension, a tuple or an array of them for several.
    ///
    /// ```
    /// use autograd::{grad, Slice, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from_rows([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
    /// assert_eq!(x.slice((.., 1..)).value(), Tensor::from_rows([[2.0, 3.0], [5.0, 6.0]]));
    /// assert_eq!(x.slice((-1.., Slice::all().step(-2))).value(), Tensor::from_rows([[6.0, 4.0]]));
    /// assert_eq!(grad(x.slice(..1).sum(), &x).value(), Tensor::from_rows([[1.0; 3], [0.0; 3]]));
    /// ```
    ///
    /// # Panics
    /// Where there are more slices than dimensions, or a step is 0. Bounds beyond the ends are clipped, as in Python.
    #[track_caller]
    pub fn slice(self, slices: impl Slices) -> Self {
        self.sliced(&slices.slices())
    }

    #[track_caller]
    fn sliced(self, slices: &[Slice]) -> Self {
        let own = self.shape();
        self.require("slice", slices.len() <= own.rank(), Kind::Axis, || {
            format!("{} slices for rank {}", slices.len(), own.rank())
        });
        self.require("slice", slices.iter().all(|s| s.step != 0), Kind::Option, || "a step is 0".into());
        let mut offset = 0;
        let mut shape = own.to_vec();
        let mut strides: SmallVec<[isize; 4]> = own.signed_strides_in(&own);
        for (i, slice) in slices.iter().enumerate() {
            let (start, count) = slice.resolve(own[i]);
            offset += start * strides[i] as usize;
            shape[i] = count;
            // Where this wraps, one element is left at most, and nobody walks the step.
            strides[i] = strides[i].wrapping_mul(slice.step);
        }
        self.tape().record(Arity(Read { name: "slice", shape: Shape::from(shape), offset, strides }), [self])
    }

    /// `count` neighbours along one axis, from `start` on.
    ///
    /// # Panics
    /// Where they reach beyond the end.
    #[track_caller]
    pub fn narrow(self, axis: isize, start: usize, count: usize) -> Self {
        let shape = self.shape();
        let i = self.expect("narrow", shape.axis(axis));
        // Beyond the numbers, too, is an end beyond the axis.
        let end = start as u128 + count as u128;
        self.require("narrow", end <= shape[i] as u128, Kind::Index, || {
            format!("{start}..{end} reaches beyond axis {axis} of size {}", shape[i])
        });
        let mut slices = vec![Slice::all(); i];
        slices.push(Slice::from(start as isize..end as isize));
        self.sliced(&slices)
    }
}
