//! Copies along axes, single parts, and constants of a variable's shape.

use crate::float::Float;
use crate::tape::var::Var;
use crate::tensor::error::{Kind, Reason};
use crate::tensor::memory;
use crate::tensor::shape::Shape;

/// # Copies and parts
///
/// Elements several times, the parts along an axis without it, and constants of the same shape.
impl<'t, T: Float> Var<'t, T> {
    /// Zeros of this shape, which take no memory before they are computed.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, f64::NAN]));
    /// assert_eq!(x.zeros_like().value().as_slice(), [0.0, 0.0]);
    /// assert_eq!(grad((x * x.zeros_like()).sum(), &x).value().as_slice(), [0.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn zeros_like(self) -> Self {
        let _whole = self.tape().composite("zeros_like", [self]);
        self.zeros()
    }

    /// Ones of this shape, which take no memory before they are computed.
    ///
    /// ```
    /// use autograd::{vjp, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 3.0]));
    /// assert_eq!(vjp(x.square(), &x, x.ones_like()).value().as_slice(), [2.0, 6.0]);
    /// ```
    #[track_caller]
    pub fn ones_like(self) -> Self {
        let _whole = self.tape().composite("ones_like", [self]);
        self.tape().scalar(T::ONE).broadcast_to(self.sizes())
    }

    /// The part at an index of an axis, without that axis, as `x[:, index]` in NumPy and `torch.select`; a negative index counts from
    /// the end.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]));
    /// let last = x.index_axis(1, -1);
    /// assert_eq!(last.value(), Tensor::from([2.0, 4.0]));
    /// assert_eq!(grad(last.sum(), &x).value(), Tensor::from_rows([[0.0, 1.0], [0.0, 1.0]]));
    /// ```
    ///
    /// # Panics
    /// Where the axis does not exist, or has no such index.
    #[track_caller]
    pub fn index_axis(self, axis: isize, index: isize) -> Self {
        let _whole = self.tape().composite("index_axis", [self]);
        let i = self.expect("index_axis", self.sizes().axis(axis));
        let n = self.sizes()[i];
        let at = if index < 0 { index.saturating_add(n as isize) } else { index };
        self.require("index_axis", (0..n as isize).contains(&at), Kind::Index, || {
            format!("index {index} is out of range for axis {axis} of size {n}")
        });
        self.part(i, at as usize)
    }

    /// The parts along an axis, without that axis: what [`stack`](crate::stack) joins. As `torch.unbind`.
    ///
    /// ```
    /// use autograd::{grad, stack, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]));
    /// let columns = x.unstack(1);
    /// assert_eq!(columns[1].value(), Tensor::from([2.0, 4.0]));
    /// assert_eq!(stack(&columns, 1).value(), x.value());
    /// assert_eq!(grad(columns[0].sum(), &x).value(), Tensor::from_rows([[1.0, 0.0], [1.0, 0.0]]));
    /// ```
    ///
    /// # Panics
    /// Where the axis does not exist, or has more parts than fit memory.
    #[track_caller]
    pub fn unstack(self, axis: isize) -> Vec<Self> {
        let _whole = self.tape().composite("unstack", [self]);
        let i = self.expect("unstack", self.sizes().axis(axis));
        // In a closure, a panic would be told at its line.
        let n = self.sizes()[i];
        let mut parts = self.expect("unstack", memory::room(n).map_err(Reason::from));
        for at in 0..n {
            parts.push(self.part(i, at));
        }
        parts
    }

    /// One part, whose index is known to be there.
    #[track_caller]
    pub(crate) fn part(self, axis: usize, at: usize) -> Self {
        self.narrow(axis as isize, at, 1).reshape(self.sizes().splice(axis, &[]))
    }

    /// Each part along an axis `count` times in a row, as `numpy.repeat` and `torch.repeat_interleave`.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// let y = x.repeat(3, 0);
    /// assert_eq!(y.value().as_slice(), [1.0, 1.0, 1.0, 2.0, 2.0, 2.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [3.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// Where the axis does not exist.
    #[track_caller]
    pub fn repeat(self, count: usize, axis: isize) -> Self {
        let _whole = self.tape().composite("repeat", [self]);
        let own = self.sizes();
        let i = self.expect("repeat", own.axis(axis));
        let [apart, repeated] = [1, count].map(|times| own.splice(i, &[own[i], times]));
        let whole = own.with(i, own[i].saturating_mul(count));
        self.reshape(apart).broadcast_to(repeated).reshape(whole)
    }

    /// The whole so many times along each axis, as `numpy.tile`: where there are more counts than axes, new ones come first; where
    /// there are fewer, they are those of the last axes.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0]));
    /// let y = x.tile(&[2, 2]);
    /// assert_eq!(y.value(), Tensor::from_rows([[1.0, 2.0, 1.0, 2.0], [1.0, 2.0, 1.0, 2.0]]));
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [4.0, 4.0]);
    /// ```
    #[track_caller]
    pub fn tile(self, counts: &[usize]) -> Self {
        let _whole = self.tape().composite("tile", [self]);
        let own = self.sizes();
        let rank = own.rank().max(counts.len());
        let size = |i: usize| (i + own.rank()).checked_sub(rank).map_or(1, |i| own[i]);
        let count = |i: usize| (i + counts.len()).checked_sub(rank).map_or(1, |i| counts[i]);
        // Before each axis one that repeats it.
        let [apart, repeated] = [false, true].map(|is_repeated| {
            (0..rank).flat_map(|i| [if is_repeated { count(i) } else { 1 }, size(i)]).collect::<Shape>()
        });
        let whole: Shape = (0..rank).map(|i| count(i).saturating_mul(size(i))).collect();
        self.reshape(apart).broadcast_to(repeated).reshape(whole)
    }
}
