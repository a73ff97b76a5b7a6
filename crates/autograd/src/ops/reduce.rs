//! Reductions over axes: sums and means. (A sum is [`AddAt`] with strides of 0.)

use crate::float::Float;
use crate::ops::view::AddAt;
use crate::tape::op::Arity;
use crate::tape::var::Var;
use crate::tensor::error::{Kind, Reason};
use crate::tensor::shape::{AxisSet, Shape};
use crate::tensor::span::Span;
use smallvec::SmallVec;

/// Which axes a reduction runs over, and whether they stay as dimensions of size 1.
///
/// Made from one axis, an array, a slice or a vector of axes (`isize`, `i32` or `usize`; negative ones count from the
/// end), or `..` for all; [`keepdims`] keeps them.
///
/// ```
/// use autograd::{keepdims, Tape, Tensor};
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::<f64>::ones([2, 3, 4]));
/// assert_eq!(x.sum_axes(1).shape()[..], [2, 4]);
/// assert_eq!(x.sum_axes([0, -1]).shape()[..], [3]);
/// assert_eq!(x.sum_axes(keepdims(1)).shape()[..], [2, 1, 4]);
/// assert_eq!(x.sum_axes(keepdims(..)).shape()[..], [1, 1, 1]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Axes {
    axes: Option<SmallVec<[isize; 4]>>,
    keepdims: bool,
}

/// The same axes, kept in the result as dimensions of size 1, so that it broadcasts against the operand.
pub fn keepdims(axes: impl Into<Axes>) -> Axes {
    Axes { keepdims: true, ..axes.into() }
}

/// Axes of an integer type: one, an array, a slice or a vector of them. A literal without a suffix is an `i32`.
macro_rules! axes_from {
    ($($integer:ty)*) => {
        $(
            impl From<$integer> for Axes {
                fn from(axis: $integer) -> Self {
                    Self::from([axis])
                }
            }

            impl<const N: usize> From<[$integer; N]> for Axes {
                fn from(axes: [$integer; N]) -> Self {
                    Self::from(&axes[..])
                }
            }

            impl<const N: usize> From<&[$integer; N]> for Axes {
                fn from(axes: &[$integer; N]) -> Self {
                    Self::from(&axes[..])
                }
            }

            impl From<Vec<$integer>> for Axes {
                fn from(axes: Vec<$integer>) -> Self {
                    Self::from(&axes[..])
                }
            }

            impl From<&[$integer]> for Axes {
                fn from(axes: &[$integer]) -> Self {
                    // One beyond the numbers is beyond the rank, too.
                    let axes = axes.iter().map(|&axis| isize::try_from(axis).unwrap_or(isize::MAX));
                    Self { axes: Some(axes.collect()), keepdims: false }
                }
            }
        )*
    };
}
axes_from!(isize i32 usize);

impl From<Span> for Axes {
    fn from(span: Span) -> Self {
        Self::from(span.axes().collect::<Vec<usize>>())
    }
}

impl From<std::ops::RangeFull> for Axes {
    fn from(_: std::ops::RangeFull) -> Self {
        Self { axes: None, keepdims: false }
    }
}

impl Axes {
    fn resolve(&self, shape: &Shape) -> Result<AxisSet, Reason> {
        self.axes.as_ref().map_or_else(|| AxisSet::all(shape.rank()), |axes| shape.axis_set(axes))
    }

    /// The shape of the reduced tensor.
    fn reduced(&self, shape: &Shape, set: AxisSet) -> Shape {
        let sizes = shape.iter().enumerate();
        sizes
            .filter_map(|(i, &n)| match (set.contains(i), self.keepdims) {
                (false, _) => Some(n),
                (true, true) => Some(1),
                (true, false) => None,
            })
            .collect()
    }
}

/// # Sums and means
///
/// Over one axis, several, or all.
impl<'t, T: Float> Var<'t, T> {
    /// The sum of all elements: a scalar.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// assert_eq!(tape.var(&Tensor::from([1.0, 2.0])).sum().item(), 3.0);
    /// ```
    #[track_caller]
    pub fn sum(self) -> Self {
        self.sum_axes(..)
    }

    /// The sum over axes; see [`Axes`].
    #[track_caller]
    pub fn sum_axes(self, axes: impl Into<Axes>) -> Self {
        self.summed(axes.into())
    }

    #[track_caller]
    #[inline(never)]
    pub(crate) fn summed(self, axes: Axes) -> Self {
        let own = self.shape();
        let set = self.expect("sum", axes.resolve(&own));
        let mut strides: SmallVec<[isize; 4]> = smallvec::smallvec![0; own.rank()];
        let mut step = 1;
        for i in (0..own.rank()).rev().filter(|&i| !set.contains(i)) {
            strides[i] = step;
            step *= own[i] as isize;
        }
        let op = AddAt { name: "sum", shape: axes.reduced(&own, set), offset: 0, strides };
        self.tape().record(Arity(op), [self])
    }

    /// The mean of all elements: a scalar.
    ///
    /// # Panics
    /// Where there are no elements.
    #[track_caller]
    pub fn mean(self) -> Self {
        self.mean_axes(..)
    }

    /// The mean over axes; see [`Axes`].
    ///
    /// # Panics
    /// Where an axis does not exist, or there is nothing to take a mean of.
    #[track_caller]
    pub fn mean_axes(self, axes: impl Into<Axes>) -> Self {
        self.averaged(axes.into())
    }

    #[track_caller]
    #[inline(never)]
    pub(crate) fn averaged(self, axes: Axes) -> Self {
        let n = self.count_along("mean", &axes);
        self.require("mean", n > 0, Kind::Empty, || "the mean of no elements does not exist".into());
        self.summed(axes).div_scalar(n as f64)
    }

    /// How many elements a reduction folds into one.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn count_along(self, op: &str, axes: &Axes) -> usize {
        let shape = self.shape();
        let set = self.expect(op, axes.resolve(&shape));
        set.iter().map(|i| shape[i]).product()
    }

    /// Prepares a reduction over several axes for an operation that reduces one: [`Var::gather_axes`], and merges them, where they
    /// are more than one.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn merge_axes(self, op: &str, axes: &Axes) -> (Self, usize, Shape) {
        let (x, span, shape) = self.gather_axes(op, axes);
        let own = x.shape();
        let (_, n, _) = own.around(span);
        let merged = if span.count() == 1 { x } else { x.reshape(own.splice(span, &[n])) };
        (merged, span.first(), shape)
    }

    /// Prepares a reduction over several axes for an operation that reduces neighbours: moves them to the end where they are not,
    /// or makes one where there are none. Returns the operand, the axes to reduce, and the shape of the result.
    #[track_caller]
    #[inline(never)]
    pub(crate) fn gather_axes(self, op: &str, axes: &Axes) -> (Self, Span, Shape) {
        let own = self.shape();
        let set = self.expect(op, axes.resolve(&own));
        let reduced: SmallVec<[isize; 4]> = set.iter().map(|i| i as isize).collect();
        let shape = axes.reduced(&own, set);
        let Some(&first) = reduced.first() else {
            return (self.expand_dims(-1), own.rank().into(), shape);
        };
        let span = Span::new(first as usize..first as usize + reduced.len());
        if span.axes().zip(&reduced).all(|(i, &axis)| i as isize == axis) {
            return (self, span, shape);
        }
        let kept: SmallVec<[isize; 4]> = (0..own.rank()).filter(|&i| !set.contains(i)).map(|i| i as isize).collect();
        let order: SmallVec<[isize; 4]> = kept.iter().chain(&reduced).copied().collect();
        (self.transpose(&order), Span::new(kept.len()..own.rank()), shape)
    }

    /// With dimensions of size 1 where a reduction has dropped these.
    #[track_caller]
    pub(crate) fn expand_span(self, span: Span) -> Self {
        self.reshape(self.shape().with_ones(span))
    }
}
