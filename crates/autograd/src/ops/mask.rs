//! Selecting by truth values.

use crate::float::Float;
use crate::tape::var::Var;
use crate::tensor::Tensor;
use crate::tensor::error::{Kind, Reason};
use crate::tensor::memory;
use crate::tensor::shape::Shape;

impl<T: Float> Tensor<T> {
    /// A mask from truth values in row-major order: 1 where one holds, else 0.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::mask([3], &[true, false, true]), Tensor::from([1.0, 0.0, 1.0]));
    /// ```
    ///
    /// # Panics
    /// Where their number is not the product of the sizes.
    #[track_caller]
    pub fn mask(shape: impl Into<Shape>, holds: &[bool]) -> Self {
        let shape = shape.into();
        let given = |n: usize| match holds.len() {
            len if len == n => {
                Ok(memory::collected(n, holds.iter().map(|&holds| if holds { T::ONE } else { T::ZERO }))?)
            }
            len => Err(Reason::shape(format!("{len} truth values were given, {n} are needed"))),
        };
        Self::made("mask", shape, given)
    }
}

/// The places where a mask holds.
fn places(mask: &[bool]) -> Vec<usize> {
    mask.iter().enumerate().filter(|(_, holds)| **holds).map(|(i, _)| i).collect()
}

/// # Masks
///
/// Elements where a truth value holds.
impl<'t, T: Float> Var<'t, T> {
    /// This, with a number wherever the mask is not 0; the mask broadcasts to the shape of this. What is filled gets a
    /// cotangent of exactly 0. To fill with a variable, [`Var::select`].
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// let y = x.masked_fill(tape.var(&Tensor::mask([3], &[false, true, false])), f64::NEG_INFINITY);
    /// assert_eq!(y.value().as_slice(), [1.0, f64::NEG_INFINITY, 3.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [1.0, 0.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// Where the mask does not broadcast to the shape of this.
    #[track_caller]
    pub fn masked_fill(self, mask: Self, value: f64) -> Self {
        let _whole = self.tape().composite("masked_fill", [self, mask]);
        mask.fitting("masked_fill", "a mask", self).select(self.tape().scalar(T::of(value)), self)
    }

    /// The elements where the mask holds, in row-major order, as `x[mask]` in NumPy; the mask has a truth value for each
    /// element.
    ///
    /// The shape of the result depends on the mask, so the mask is known when this is recorded, and a
    /// [`Program`](crate::Program) keeps it. Where it comes from values, [`Var::select`] and [`Var::masked_fill`] keep the
    /// shape.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]));
    /// let y = x.masked_select(&[true, false, false, true]);
    /// assert_eq!(y.value().as_slice(), [1.0, 4.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [1.0, 0.0, 0.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// Where the mask has another number of truth values than this has elements.
    #[track_caller]
    pub fn masked_select(self, mask: &[bool]) -> Self {
        let n = self.numel();
        let _whole = self.tape().composite("masked_select", [self]);
        self.require("masked_select", mask.len() == n, Kind::Shape, || {
            format!("a mask of {n} truth values, one for each element, is needed, not of {}", mask.len())
        });
        self.reshape([n]).gather(0, &places(mask))
    }

    /// The parts along an axis for which the mask holds, as `numpy.compress`; see [`Var::masked_select`].
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.compress(0, &[false, true]).value(), Tensor::from_rows([[3.0, 4.0]]));
    /// ```
    ///
    /// # Panics
    /// Where the axis does not exist or has another size than the mask.
    #[track_caller]
    pub fn compress(self, axis: isize, mask: &[bool]) -> Self {
        let _whole = self.tape().composite("compress", [self]);
        let i = self.expect("compress", self.sizes().axis(axis));
        let n = self.sizes()[i];
        self.require("compress", mask.len() == n, Kind::Shape, || {
            format!("a mask of {n} truth values, one for each part, is needed, not of {}", mask.len())
        });
        self.gather(axis, &places(mask))
    }
}
