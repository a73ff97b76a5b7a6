//! Reading by index along an axis, and the adjoint, adding by index.

use crate::float::Float;
use crate::kernels::take::{Layout, put, take};
use crate::ops::labels::Labels;
use crate::ops::slice::Slice;
use crate::tape::attribute::Attributes;
use crate::tape::index::{IndexVar, Indices};
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::{Error, Kind, Reason};
use crate::tensor::shape::Shape;

/// `y[…, j, …] = x[…, index[j], …]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Take {
    pub(crate) axis: usize,
    pub(crate) layout: Layout,
}

/// The adjoint of [`Take`]: zero but for `y[…, index[j], …] += x[…, j, …]`; the axis of `y` has this size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Put {
    pub(crate) axis: usize,
    pub(crate) layout: Layout,
    pub(crate) size: usize,
}

/// How many indices there are along an axis.
pub(super) fn indices_along<T>(layout: Layout, index: View<'_, T>, axis: usize) -> usize {
    match layout {
        Layout::Shared => index.data.len(),
        Layout::Each => index.shape[axis],
    }
}

impl Named for Take {
    const NAMES: &'static [&'static str] = &["gather", "take_along_axis"];
}

impl<T: Float> Op<T, 2> for Take {
    fn name(&self) -> &'static str {
        match self.layout {
            Layout::Shared => "gather",
            Layout::Each => "take_along_axis",
        }
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into())]
    }
    fn shape(&self, [x, index]: [&Shape; 2]) -> Result<Shape, Reason> {
        match self.layout {
            Layout::Shared => Ok(x.splice(self.axis, index)),
            Layout::Each if index.rank() == x.rank() && x.with(self.axis, index[self.axis]) == *index => {
                Ok(index.clone())
            }
            Layout::Each => {
                Err(Reason::shape(format!("the indices must have the same sizes but for axis {}", self.axis)))
            }
        }
    }
    fn eval(&self, [x, index]: [View<'_, T>; 2], y: ViewMut<'_, T>) {
        let (outer, size, inner) = x.shape.around(self.axis);
        let n = indices_along(self.layout, index, self.axis);
        take(x.data, index.data, self.layout, (outer, size, n, inner), y.data);
    }
    fn vjp<'t>(&self, arg: usize, [x, index]: [Var<'t, T>; 2], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let size = x.sizes()[self.axis];
        let op = Put { axis: self.axis, layout: self.layout, size };
        (arg == 0).then(|| y.tape().record(Arity(op), [dy, index]))
    }
    fn jvp<'t>(
        &self,
        [_, index]: [Var<'t, T>; 2],
        y: Var<'t, T>,
        [dx, _]: [Option<Var<'t, T>>; 2],
    ) -> Option<Var<'t, T>> {
        Some(y.tape().record(Arity(*self), [dx?, index]))
    }
}

impl Named for Put {
    const NAMES: &'static [&'static str] = &["index_add", "scatter_add"];
}

impl<T: Float> Op<T, 2> for Put {
    fn name(&self) -> &'static str {
        match self.layout {
            Layout::Shared => "index_add",
            Layout::Each => "scatter_add",
        }
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into()), ("size", self.size.into())]
    }
    fn shape(&self, [y, index]: [&Shape; 2]) -> Result<Shape, Reason> {
        let dims = if self.layout == Layout::Shared { index.rank() } else { 1 };
        let sizes = y[..self.axis].iter().chain([&self.size]).chain(&y[self.axis + dims..]);
        Ok(sizes.copied().collect())
    }
    fn eval(&self, [y, index]: [View<'_, T>; 2], x: ViewMut<'_, T>) {
        let (outer, size, inner) = x.shape.around(self.axis);
        let n = indices_along(self.layout, index, self.axis);
        put(y.data, index.data, self.layout, (outer, size, n, inner), x.data);
    }
    fn vjp<'t>(&self, arg: usize, [_, index]: [Var<'t, T>; 2], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let op = Take { axis: self.axis, layout: self.layout };
        (arg == 0).then(|| y.tape().record(Arity(op), [dy, index]))
    }
    fn jvp<'t>(
        &self,
        [_, index]: [Var<'t, T>; 2],
        y: Var<'t, T>,
        [dx, _]: [Option<Var<'t, T>>; 2],
    ) -> Option<Var<'t, T>> {
        Some(y.tape().record(Arity(*self), [dx?, index]))
    }
}

/// # Reading and adding by index
///
/// By integers that are no variables to differentiate by: derivatives go through the elements.
impl<'t, T: Float> Var<'t, T> {
    /// The place, of `n`, that each number names, rounded down: a number below 0 names the first, one beyond the last names that, and so
    /// does NaN the first. It has no derivative; what is between two places is the number less its `floor()`.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let table = tape.var(&Tensor::from([0.0, 10.0, 40.0, 90.0]));
    /// let x = tape.var(&Tensor::from([1.25, 2.5]));
    /// let (low, high) = (table.gather(0, &x.to_index(4)), table.gather(0, &(x + 1.0).to_index(4)));
    /// let y = low + (high - low) * (x - x.floor()); // by straight lines between the numbers of a table
    /// assert_eq!(y.value().as_slice(), [17.5, 65.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [30.0, 50.0]);
    /// assert_eq!(grad(y.sum(), &table).value().as_slice(), [0.0, 0.75, 0.75, 0.5]);
    /// ```
    ///
    /// # Panics
    /// Where there are no places, but numbers.
    #[track_caller]
    pub fn to_index(self, n: usize) -> IndexVar<'t, T> {
        let most = T::MAX_INDEX as usize;
        let fits = if n == 0 && self.numel() > 0 {
            Err(Reason::new(Kind::Empty, "there are no places to name"))
        } else if n > most {
            Err(Reason::new(Kind::Index, format!("{n} places: expected at most {most}, as an index has bits")))
        } else {
            Ok(())
        };
        self.expect("to_index", fits);
        IndexVar::computed(self.tape().record(Arity(Labels::Place(n)), [self]), n)
    }

    /// The elements of one axis at these indices, as `numpy.take`: the axis is replaced by the indices' dimensions.
    /// The cotangents of repeated indices add up.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([5.0, 7.0]));
    /// let y = x.gather(0, &[0, 0, 1]);
    /// assert_eq!(y.value().as_slice(), [5.0, 5.0, 7.0]);
    /// assert_eq!(grad(y.sum(), &x).value().as_slice(), [2.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn gather<I: Indices<'t, T> + ?Sized>(self, axis: isize, indices: &I) -> Self {
        Error::or_raise(self.try_gather(axis, indices))
    }

    /// As [`Var::gather`], for indices that come from outside.
    ///
    /// # Errors
    /// Where the axis does not exist, an index is out of range, or the tapes differ.
    #[track_caller]
    pub fn try_gather<I: Indices<'t, T> + ?Sized>(self, axis: isize, indices: &I) -> Result<Self, Error> {
        self.take("gather", axis, indices, Layout::Shared)
    }

    /// The elements of one axis at indices of their own, as `torch.gather`: the indices have the rank of this, and along
    /// other axes at most its size; where they have less, they name places of the first rows and columns. (In
    /// `numpy.take_along_axis` a size of 1 there stretches; here it does not.)
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]));
    /// let index = tape.indices([2, 1], &[1, 0]);
    /// assert_eq!(x.take_along_axis(1, &index).value().as_slice(), [2.0, 3.0]);
    /// ```
    #[track_caller]
    pub fn take_along_axis(self, axis: isize, indices: &IndexVar<'t, T>) -> Self {
        Error::or_raise(self.take("take_along_axis", axis, indices, Layout::Each))
    }

    /// As [`Var::gather`] with a list of indices: the axis keeps its place and gets the list's length.
    #[track_caller]
    pub fn index_select<I: Indices<'t, T> + ?Sized>(self, axis: isize, indices: &I) -> Self {
        let indices = indices.on(self.tape());
        let _whole = self.tape().composite("index_select", [self, indices.var()]);
        self.require("index_select", indices.shape().rank() == 1, Kind::Shape, || {
            format!("a list of indices is needed, not shape {}", indices.shape())
        });
        self.gather(axis, &indices)
    }

    /// Rows of a table `[n, d]` by index: the indices' dimensions, then `d`. Cotangents of repeated rows add up.
    #[track_caller]
    pub fn embedding<I: Indices<'t, T> + ?Sized>(self, indices: &I) -> Self {
        let indices = indices.on(self.tape());
        let _whole = self.tape().composite("embedding", [self, indices.var()]);
        self.gather(0, &indices)
    }

    /// This, with the parts of `source` along an axis added at these indices; repeated indices add up, as
    /// `torch.index_add`.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 1.0]));
    /// let source = tape.var(&Tensor::from([5.0, 7.0, 9.0]));
    /// assert_eq!(x.index_add(0, &[0, 0, 1], source).value().as_slice(), [13.0, 10.0]);
    /// ```
    #[track_caller]
    pub fn index_add<I: Indices<'t, T> + ?Sized>(self, axis: isize, indices: &I, source: Self) -> Self {
        let indices = indices.on(self.tape());
        let axis = self.parts_by_index("index_add", axis, &indices, source);
        let op = Put { axis, layout: Layout::Shared, size: self.sizes()[axis] };
        self + self.tape().record(Arity(op), [source, indices.var()])
    }

    /// The axis along which an operation puts parts of a source at indices, which are checked, as is the shape of the source.
    #[track_caller]
    pub(super) fn parts_by_index(
        self,
        op: &'static str,
        axis: isize,
        indices: &IndexVar<'t, T>,
        source: Self,
    ) -> usize {
        let own = self.shape();
        let axis = self.expect(op, own.axis(axis));
        self.expect(op, indices.check(op, axis, own[axis]));
        let expected = own.splice(axis, &indices.shape());
        self.require(op, source.shape() == expected, Kind::Shape, || {
            format!("the source needs the shape {expected}, it has {}", source.shape())
        });
        axis
    }

    /// This, with each element of `source` added at its own index along an axis; repeated indices add up, as
    /// `torch.scatter_add`. The indices have the rank of both, along each axis at most the size of `source`, and along the
    /// other axes at most that of this; where they have less, the rest of `source` is not added.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::zeros([3, 2]));
    /// let source = tape.var(&Tensor::from_rows([[1.0], [2.0]]));
    /// let y = x.scatter_add(0, &tape.indices([2, 1], &[2, 2]), source);
    /// assert_eq!(y.value().as_slice(), [0.0, 0.0, 0.0, 0.0, 3.0, 0.0]);
    /// ```
    #[track_caller]
    pub fn scatter_add(self, axis: isize, indices: &IndexVar<'t, T>, source: Self) -> Self {
        let own = self.shape();
        let _whole = self.tape().composite("scatter_add", [self, indices.var(), source]);
        let i = self.expect("scatter_add", own.axis(axis));
        let source = self.scattered("scatter_add", i, indices, source);
        let op = Put { axis: i, layout: Layout::Each, size: own[i] };
        self + self.tape().record(Arity(op), [source, indices.var()]).grown(&own)
    }

    /// The source that an operation scatters along an axis, cut to the shape of the indices, which are checked.
    #[track_caller]
    pub(crate) fn scattered(self, op: &'static str, axis: usize, indices: &IndexVar<'t, T>, source: Self) -> Self {
        let (own, index, given) = (self.sizes(), indices.var().sizes(), source.sizes());
        let fits = index.rank() == own.rank()
            && index.rank() == given.rank()
            && (0..index.rank()).all(|d| index[d] <= given[d] && (d == axis || index[d] <= own[d]));
        if !fits {
            let text = format!(
                "indices of at most the sizes of the source, {given}, and but for axis {axis} of {own}, are needed, not {index}"
            );
            self.error(op, Reason::shape(text)).raise();
        }
        self.expect(op, indices.check(op, axis, own[axis]));
        source.corner(index)
    }

    /// The first elements along each dimension, in these numbers.
    #[track_caller]
    pub(crate) fn corner(self, sizes: &Shape) -> Self {
        if self.sizes() == sizes {
            return self;
        }
        self.slice(&sizes.iter().map(|&n| Slice::from(..n)).collect::<Vec<_>>())
    }

    /// This as the first elements along each dimension of a larger shape, zeros elsewhere: the adjoint of [`Var::corner`].
    #[track_caller]
    pub(crate) fn grown(self, shape: &Shape) -> Self {
        let missing = |(&n, &own): (&usize, &usize)| (0, n - own);
        self.pad(&shape.iter().zip(&**self.sizes()).map(missing).collect::<Vec<_>>(), 0.0)
    }

    #[track_caller]
    fn take<I: Indices<'t, T> + ?Sized>(
        self,
        op: &'static str,
        axis: isize,
        indices: &I,
        layout: Layout,
    ) -> Result<Self, Error> {
        let shape = self.shape();
        let axis = self.check(op, shape.axis(axis))?;
        let indices = indices.on(self.tape());
        self.check(op, indices.check(op, axis, shape[axis]))?;
        if layout == Layout::Shared {
            return self.tape().try_record(Arity(Take { axis, layout }), [self, indices.var()]);
        }
        let _whole = self.tape().try_composite(op, [self, indices.var()])?;
        let index = indices.var().sizes();
        let fits = index.rank() == shape.rank() && (0..shape.rank()).all(|d| d == axis || index[d] <= shape[d]);
        if !fits {
            let text = format!("indices of at most the sizes of {shape}, but for axis {axis}, are needed, not {index}");
            return Err(self.error(op, Reason::shape(text)));
        }
        let rows = self.corner(&index.with(axis, shape[axis]));
        self.tape().try_record(Arity(Take { axis, layout }), [rows, indices.var()])
    }
}
