//! Products of vectors that are no products of matrices.

use crate::float::Float;
use crate::tape::var::Var;
use crate::tensor::error::Kind;

/// # Products of vectors
///
/// Of three coordinates along an axis, and of each element with each.
impl<'t, T: Float> Var<'t, T> {
    /// The vector product `a × b` along an axis of size 3, as `torch.linalg.cross`; the other axes broadcast, so a vector `[3]` goes
    /// with each row of `[n, 3]`. The axis is one of the operand of more dimensions.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let a = tape.var(&Tensor::from_rows([[1.0, 0.0, 0.0], [1.0, 2.0, 3.0]]));
    /// let b = tape.var(&Tensor::from([0.0, 1.0, 0.0]));
    /// let c = a.cross(b, -1);
    /// assert_eq!(c.value(), Tensor::from_rows([[0.0, 0.0, 1.0], [-3.0, 0.0, 1.0]]));
    /// assert_eq!(grad(c.sum(), &a).value(), Tensor::from_rows([[1.0, 0.0, -1.0], [1.0, 0.0, -1.0]]));
    /// ```
    ///
    /// # Panics
    /// Where the axis does not exist, is not of size 3 in both, or the other axes do not broadcast.
    #[track_caller]
    pub fn cross(self, other: Self, axis: isize) -> Self {
        let _whole = self.tape().composite("cross", [self, other]);
        let whole = if self.rank() < other.rank() { other } else { self }.sizes();
        let from_end = whole.rank() - self.expect("cross", whole.axis(axis));
        for sizes in [self.sizes(), other.sizes()] {
            let size = sizes.rank().checked_sub(from_end).map(|i| sizes[i]);
            self.require("cross", size == Some(3), Kind::Shape, || match size {
                Some(n) => format!("axis {axis} of size 3 is needed, in {sizes} it has {n}"),
                None => format!("axis {axis} of size 3 is needed, {sizes} lacks it"),
            });
        }
        // Element i + 2 of the product is aᵢ bᵢ₊₁ − aᵢ₊₁ bᵢ: each operand is moved once, and so is what they give.
        let along = [-(from_end as isize)];
        (self * other.roll(&[-1], &along) - self.roll(&[-1], &along) * other).roll(&[-1], &along)
    }

    /// The outer product of two vectors, each element of `[n]` times each of `[m]`: `[n, m]`, as `numpy.outer` and `torch.outer`.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let (a, b) = (tape.var(&Tensor::from([1.0, 2.0])), tape.var(&Tensor::from([3.0, 4.0, 5.0])));
    /// let y = a.outer(b);
    /// assert_eq!(y.value(), Tensor::from_rows([[3.0, 4.0, 5.0], [6.0, 8.0, 10.0]]));
    /// assert_eq!(grad(y.sum(), &a).value().as_slice(), [12.0, 12.0]);
    /// ```
    ///
    /// # Panics
    /// Where one of them is no vector.
    #[track_caller]
    pub fn outer(self, other: Self) -> Self {
        let _whole = self.tape().composite("outer", [self, other]);
        self.require("outer", self.rank() == 1 && other.rank() == 1, Kind::Shape, || "two vectors are needed".into());
        self.expand_dims(1) * other
    }
}
