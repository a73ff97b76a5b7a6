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

#[cfg(test)]
mod tests {
    use crate::ops::concat::stack;
    use crate::tape::Tape;
    use crate::tape::var::Var;
    use crate::tensor::Tensor;

    /// By the formula of each coordinate.
    fn by_coordinates<'t>(a: Var<'t>, b: Var<'t>, axis: isize) -> Var<'t> {
        let (a, b) = (a.unstack(axis), b.unstack(axis));
        stack(&[a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]], axis)
    }

    #[test]
    fn vector_products_go_along_any_axis_and_broadcast_along_the_others() {
        let tape = Tape::new();
        let of = |shape: &[usize], of: f64| tape.var(&Tensor::from_fn(shape, |i| (i as f64 * of).sin()));
        for (a, b, axis) in [
            (&[3][..], &[3][..], 0),
            (&[4, 3], &[4, 3], 1),
            (&[3, 4], &[3, 1], 0),
            (&[2, 3, 4], &[1, 3, 4], 1),
            (&[2, 3, 4], &[2, 3, 1], -2),
            (&[3, 2, 3], &[3, 1, 3], 0),
            (&[0, 3], &[1, 3], 1),
        ] {
            let (a, b) = (of(a, 0.7), of(b, 1.3));
            let y = a.cross(b, axis).value();
            assert_eq!(y, by_coordinates(a, b, axis).value());
            assert_eq!(b.cross(a, axis).value(), y.map(|y| 0.0 - y));
        }
        // Axes are counted in the operand of more dimensions.
        let (rows, row, columns) = (of(&[5, 3], 0.4), of(&[3], 0.9), of(&[2, 3, 5], 0.2));
        assert_eq!(rows.cross(row, 1).value(), by_coordinates(rows, row.broadcast_to([5, 3]), 1).value());
        assert_eq!(row.cross(rows, 1).value(), rows.cross(row, -1).value().map(|y| 0.0 - y));
        let one = of(&[3, 1], 0.6);
        assert_eq!(one.cross(columns, 1).value(), by_coordinates(one.broadcast_to([2, 3, 5]), columns, 1).value());
    }

    #[test]
    fn a_trace_is_that_of_each_matrix_whatever_its_sizes() {
        let tape = Tape::new();
        let x = tape.var(&Tensor::arange(12).reshape([2, 2, 3]));
        assert_eq!(x.trace().value().as_slice(), [4.0, 16.0]);
        assert_eq!(x.t().trace().value().as_slice(), [4.0, 16.0]);
        assert_eq!(tape.var(&Tensor::zeros([3, 0, 2])).trace().value().as_slice(), [0.0; 3]);
        let (a, b) = (tape.var(&Tensor::arange(0)), tape.var(&Tensor::arange(3)));
        assert_eq!(a.outer(b).value().shape()[..], [0, 3]);
    }
}
