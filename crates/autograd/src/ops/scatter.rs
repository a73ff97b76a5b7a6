//! Writing by index along an axis: of several elements for one place the last wins, and the derivative follows it.

use crate::float::Float;
use crate::kernels::map::copy;
use crate::kernels::take::{Layout, set, winners};
use crate::ops::binary::BinaryRules;
use crate::ops::take::{Take, indices_along};
use crate::tape::attribute::Attributes;
use crate::tape::index::{IndexVar, Indices};
use crate::tape::op::{Arity, Named, Op, View, ViewMut, no_derivative};
use crate::tape::var::Var;
use crate::tensor::error::Reason;
use crate::tensor::memory::OutOfMemory;
use crate::tensor::shape::Shape;

/// `x` but for `y[…, index[j], …] = source[…, j, …]`, the last `j` for each place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scatter {
    axis: usize,
    layout: Layout,
}

impl Named for Scatter {
    const NAMES: &'static [&'static str] = &["index_copy", "scatter"];
}

impl<T: Float> Op<T, 3> for Scatter {
    fn name(&self) -> &'static str {
        match self.layout {
            Layout::Shared => "index_copy",
            Layout::Each => "scatter",
        }
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into())]
    }
    fn shape(&self, [x, ..]: [&Shape; 3]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x, source, index]: [View<'_, T>; 3], y: ViewMut<'_, T>) {
        let (outer, size, inner) = x.shape.around(self.axis);
        let n = indices_along(self.layout, index, self.axis);
        copy(x.data, y.data);
        set(source.data, index.data, self.layout, (outer, size, n, inner), y.data);
    }
    /// Places that are written give `x` nothing; a loser gets nothing, whatever the cotangent is.
    fn vjp<'t>(
        &self,
        arg: usize,
        [x, source, index]: [Var<'t, T>; 3],
        y: Var<'t, T>,
        dy: Var<'t, T>,
    ) -> Option<Var<'t, T>> {
        let tape = y.tape();
        match arg {
            0 => Some(tape.record(Arity(*self), [dy, source.zeros(), index])),
            1 => {
                let taken = tape.record(Arity(Take { axis: self.axis, layout: self.layout }), [dy, index]);
                Some(taken.keep(self.winners(x, index)))
            }
            _ => None,
        }
    }
    fn jvp<'t>(
        &self,
        [x, source, index]: [Var<'t, T>; 3],
        y: Var<'t, T>,
        [dx, dsource, _]: [Option<Var<'t, T>>; 3],
    ) -> Option<Var<'t, T>> {
        if dx.is_none() && dsource.is_none() {
            return None;
        }
        let tape = y.tape();
        let (dx, dsource) = (dx.unwrap_or_else(|| x.zeros()), dsource.unwrap_or_else(|| source.zeros()));
        Some(tape.record(Arity(*self), [dx, dsource, index]))
    }
}

impl Scatter {
    /// 1 for each element of the source that stays, 0 for one that a later one overwrites.
    fn winners<'t, T: Float>(self, x: Var<'t, T>, index: Var<'t, T>) -> Var<'t, T> {
        let size = x.sizes()[self.axis];
        match self.layout {
            Layout::Each => index.tape().record(Arity(Winners { axis: self.axis, size }), [index]),
            // One list for all: the same elements stay in each row and column.
            Layout::Shared => {
                let list = index.reshape([index.numel()]);
                let stay = index.tape().record(Arity(Winners { axis: 0, size }), [list]);
                let ones = vec![1; x.rank() - 1 - self.axis];
                stay.reshape(index.sizes().iter().copied().chain(ones).collect::<Shape>())
            }
        }
    }
}

/// 1 where an index is the last to name its place along an axis of this size, else 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Winners {
    axis: usize,
    size: usize,
}

impl Named for Winners {
    const NAMES: &'static [&'static str] = &["winners"];
}

impl<T: Float> Op<T, 1> for Winners {
    fn name(&self) -> &'static str {
        "winners"
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into()), ("size", self.size.into())]
    }
    fn shape(&self, [index]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(index.clone())
    }
    fn eval(&self, args: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        self.try_eval(args, y).expect("there is memory for a number for each row");
    }
    fn try_eval(&self, [index]: [View<'_, T>; 1], y: ViewMut<'_, T>) -> Result<(), OutOfMemory> {
        let (outer, n, inner) = index.shape.around(self.axis);
        winners(index.data, (outer, self.size, n, inner), y.data)
    }
    no_derivative!(1);
}

/// # Writing by index
///
/// Of several elements for one place the last wins.
impl<'t, T: Float> Var<'t, T> {
    /// This, with each element of `source` in the place of the element at its own index along an axis, as `torch.scatter`;
    /// shapes as in [`Var::scatter_add`].
    ///
    /// Where an index is repeated, the last element of `source`, in the order of the indices along the axis, wins. What is
    /// overwritten, here or in `source`, gets a cotangent of exactly 0.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// let source = tape.var(&Tensor::from([5.0, 7.0]));
    /// let y = x.scatter(0, &tape.indices([2], &[2, 2]), source);
    /// assert_eq!(y.value().as_slice(), [1.0, 2.0, 7.0]);
    /// let [dx, ds] = grad(y.sum(), &[x, source]);
    /// assert_eq!(dx.value().as_slice(), [1.0, 1.0, 0.0]);
    /// assert_eq!(ds.value().as_slice(), [0.0, 1.0]);
    /// ```
    ///
    /// # Panics
    /// Where the axis does not exist, an index is out of range, or the shapes do not fit.
    #[track_caller]
    pub fn scatter(self, axis: isize, indices: &IndexVar<'t, T>, source: Self) -> Self {
        let own = self.shape();
        let _whole = self.tape().composite("scatter", [self, indices.var(), source]);
        let axis = self.expect("scatter", own.axis(axis));
        let source = self.scattered("scatter", axis, indices, source);
        let rows = source.sizes().with(axis, own[axis]);
        let op = Arity(Scatter { axis, layout: Layout::Each });
        self.with_corner("scatter", self.tape().record(op, [self.corner(&rows), source, indices.var()]))
    }

    /// This, with these as the first elements along each dimension.
    #[track_caller]
    pub(super) fn with_corner(self, op: &str, first: Self) -> Self {
        let (own, rows) = (self.shape(), first.shape());
        if rows == own {
            return first;
        }
        let strides = own.strides();
        let inside = move |at: usize| (0..own.rank()).all(|d| at / strides[d] % own[d] < rows[d]);
        let corner = self.tape().leaf_from_fn(op, self.sizes(), |at| if inside(at) { T::ONE } else { T::ZERO });
        corner.select(first.grown(self.sizes()), self)
    }

    /// This, with the parts of `source` along an axis in the place of those at these indices, as `torch.index_copy` and as
    /// `x[indices] = source` in NumPy. Where an index is repeated, the last part wins, and derivatives follow it, as in
    /// [`Var::scatter`].
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::zeros([3, 2]));
    /// let source = tape.var(&Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.index_copy(0, &[2, 0], source).value().as_slice(), [3.0, 4.0, 0.0, 0.0, 1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// Where the axis does not exist, an index is out of range, or `source` does not have the shape that
    /// [`Var::gather`] with these indices gives.
    #[track_caller]
    pub fn index_copy<I: Indices<'t, T> + ?Sized>(self, axis: isize, indices: &I, source: Self) -> Self {
        let indices = indices.on(self.tape());
        let _whole = self.tape().composite("index_copy", [self, indices.var(), source]);
        let axis = self.parts_by_index("index_copy", axis, &indices, source);
        self.tape().record(Arity(Scatter { axis, layout: Layout::Shared }), [self, source, indices.var()])
    }
}
