//! Reading by index along an axis, and the adjoint, adding by index.

use crate::float::Float;
use crate::kernels::take::{Layout, put, take};
use crate::ops::index_views::{integers_now, parts};
use crate::ops::view::Slice;
use crate::tape::Tape;
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::recording::Limit;
use crate::tape::var::Var;
use crate::tensor::error::{Error, Kind, Reason};
use crate::tensor::memory::collected;
use crate::tensor::shape::Shape;
use std::panic::Location;

/// `y[…, j, …] = x[…, index[j], …]`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Take {
    pub(crate) axis: usize,
    pub(crate) layout: Layout,
}

/// The adjoint of [`Take`]: zero but for `y[…, index[j], …] += x[…, j, …]`; the axis of `y` has this size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Put {
    axis: usize,
    layout: Layout,
    size: usize,
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
        let n = if self.layout == Layout::Shared { index.data.len() } else { index.shape[self.axis] };
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
    fn shape(&self, [y, index]: [&Shape; 2]) -> Result<Shape, Reason> {
        let dims = if self.layout == Layout::Shared { index.rank() } else { 1 };
        let sizes = y[..self.axis].iter().chain([&self.size]).chain(&y[self.axis + dims..]);
        Ok(sizes.copied().collect())
    }
    fn eval(&self, [y, index]: [View<'_, T>; 2], x: ViewMut<'_, T>) {
        let (outer, size, inner) = x.shape.around(self.axis);
        let n = if self.layout == Layout::Shared { index.data.len() } else { index.shape[self.axis] };
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

/// Integers on a tape, to index with: labels, positions, a permutation. They have no derivative.
///
/// ```
/// use autograd::Tape;
/// let tape = Tape::<f64>::new();
/// let index = tape.indices([2, 2], &[0, 3, -1, 1]);
/// assert_eq!((index.shape()[..].to_vec(), index.value()), (vec![2, 2], vec![0, 3, -1, 1]));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct IndexVar<'t, T: Float = f64> {
    var: Var<'t, T>,
    /// The smallest and the largest index, known without computing; `(0, -1)` where there is none. A label that came as
    /// `usize` may be larger than any `i64`.
    bounds: (i128, i128),
    /// Where the integers come from.
    source: Source,
}

/// Where integers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// A leaf, whose integers they are in order.
    Leaf(u32),
    /// Parts of leaves, and perhaps of what operations compute.
    Parts,
    /// An operation.
    Computed,
}

/// The smallest and the largest of integers.
fn bounds_of(integers: impl Iterator<Item = i128>) -> (i128, i128) {
    integers
        .fold(None, |bounds, i| Some(bounds.map_or((i, i), |(low, high)| (i.min(low), i.max(high)))))
        .unwrap_or((0, -1))
}

impl<'t, T: Float> IndexVar<'t, T> {
    pub(crate) fn var(&self) -> Var<'t, T> {
        self.var
    }

    /// An index that an operation computes: one of `n` places, whatever the values are.
    pub(crate) fn computed(var: Var<'t, T>, n: usize) -> Self {
        Self::computed_within(var, (0, n as i64 - 1))
    }

    /// As [`IndexVar::computed`], of these and what is between them.
    pub(crate) fn computed_within(var: Var<'t, T>, (low, high): (i64, i64)) -> Self {
        Self { var, bounds: (low.into(), high.into()), source: Source::Computed }
    }

    /// The same integers in the same order, of another shape.
    pub(crate) fn reordered(&self, var: Var<'t, T>) -> Self {
        Self { var, ..*self }
    }

    /// Some of these integers.
    pub(crate) fn viewed(&self, var: Var<'t, T>) -> Self {
        if self.source == Source::Computed {
            return Self { var, ..*self };
        }
        let bounds = match integers_now(var.tape(), var.index()) {
            Some(integers) => bounds_of(integers.into_iter().map(|i| self.as_given(i))),
            None => self.bounds,
        };
        Self { var, bounds, source: Source::Parts }
    }

    /// All of the integers of these.
    pub(crate) fn joined(var: Var<'t, T>, parts: &[Self]) -> Self {
        let computed = parts.iter().all(|part| part.source == Source::Computed);
        let source = if computed { Source::Computed } else { Source::Parts };
        let some = parts.iter().filter(|part| part.var.numel() > 0);
        Self { var, bounds: bounds_of(some.flat_map(|part| [part.bounds.0, part.bounds.1])), source }
    }

    /// The sizes of its dimensions.
    pub fn shape(&self) -> Shape {
        self.var.shape()
    }

    /// The same integers in another shape.
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Self {
        self.reordered(self.var.reshape(shape))
    }

    /// A new dimension of size 1 before `axis`.
    #[track_caller]
    pub fn expand_dims(&self, axis: isize) -> Self {
        self.reordered(self.var.expand_dims(axis))
    }

    /// The integers in row-major order.
    #[track_caller]
    pub fn value(&self) -> Vec<i64> {
        let bits = self.var.value();
        let integers = collected(bits.numel(), bits.as_slice().iter().map(|b| b.to_index()));
        self.var.expect("value", integers.map_err(Reason::from))
    }

    /// Notes, for a program, the range that integers from outside must lie in, and one that they may be beside it.
    #[track_caller]
    pub(crate) fn limit(&self, op: &'static str, axis: Option<usize>, (low, high): (i64, i64), but: Option<i64>) {
        let (tape, location) = (self.var.tape(), Location::caller());
        if self.source == Source::Computed {
            return;
        }
        tape.note(|recording| {
            let reader = Some(tape.reader(op, axis, location));
            let limit = |part| Limit { low, high, but, reader, part };
            match self.source {
                Source::Leaf(leaf) => recording.limits.push((leaf, limit(None))),
                Source::Parts | Source::Computed => {
                    let parts = parts(tape, self.var.index()).into_iter().flatten();
                    recording.limits.extend(parts.map(|(leaf, part)| (leaf, limit(Some(part.into())))));
                }
            }
        });
    }

    /// An integer as the user gave it: what does not fit the bits of the type is kept as the nearest that does.
    pub(crate) fn as_given(&self, kept: i64) -> i128 {
        match kept {
            i if i == T::MAX_INDEX => self.bounds.1,
            i if i == -T::MAX_INDEX => self.bounds.0,
            i => i128::from(i),
        }
    }

    /// The first of the integers, as they are now, of which this holds, for a check; what depends on them must not depend on
    /// what is read here.
    #[track_caller]
    pub(crate) fn find_now(&self, mut holds: impl FnMut(i64) -> bool) -> Option<i64> {
        let (tape, index) = (self.var.tape(), self.var.index());
        // A view of a leaf has its integers in the same order, so nothing is computed for it.
        let index = if let Source::Leaf(leaf) = self.source {
            leaf
        } else {
            tape.compute_unnoted(index);
            index
        };
        tape.borrow_value(index).iter().map(|b| b.to_index()).find(|&i| holds(i))
    }

    /// Whether every index names one of `n` elements, `−n` to `n − 1`.
    #[track_caller]
    pub(crate) fn check(&self, op: &'static str, axis: usize, n: usize) -> Result<(), Reason> {
        let (low, high) = self.bounds;
        self.limit(op, Some(axis), (-(n as i64), n as i64 - 1), None);
        let n = n as i128;
        let wrong = if high >= n { high } else { low };
        if high >= n || low < -n {
            return Err(Reason::new(Kind::Index, format!("index {wrong} is out of range for size {n}")));
        }
        Ok(())
    }

    /// Whether every label names one of `n` classes, `0` to `n − 1`.
    #[track_caller]
    pub(crate) fn check_labels(&self, op: &'static str, n: usize) -> Result<(), Reason> {
        let (low, high) = self.bounds;
        self.limit(op, None, (0, n as i64 - 1), None);
        let wrong = if high >= n as i128 { high } else { low };
        if high >= n as i128 || low < 0 {
            return Err(Reason::new(Kind::Index, format!("label {wrong} is out of range for {n} classes")));
        }
        Ok(())
    }
}

impl<T: Float> Tape<T> {
    /// Integers as a variable to index with, row-major. Negative ones count from the end, where they index.
    ///
    /// # Panics
    /// Where their number is not the product of the sizes.
    #[track_caller]
    pub fn indices(&self, shape: impl Into<Shape>, indices: &[i64]) -> IndexVar<'_, T> {
        let shape = shape.into();
        let reason = match shape.elements() {
            Ok(n) if n == indices.len() => return self.index_var("indices", &shape, |i| i128::from(indices[i])),
            Ok(n) => Reason::shape(format!("{} indices were given, {n} are needed for {shape}", indices.len())),
            Err(reason) => reason,
        };
        self.error("indices", reason, &[]).raise()
    }

    /// Labels or positions, one for each row.
    #[track_caller]
    pub fn labels(&self, labels: &[usize]) -> IndexVar<'_, T> {
        let most = T::MAX_INDEX as usize;
        // As those of `index_var`, without numbers of 128 bits.
        let (mut least, mut largest) = (usize::MAX, 0);
        let var = self.index_leaf("labels", &Shape::from([labels.len()]), |i| {
            (least, largest) = (least.min(labels[i]), largest.max(labels[i]));
            labels[i].min(most) as i64
        });
        let bounds = if labels.is_empty() { (0, -1) } else { (least as i128, largest as i128) };
        IndexVar { var, bounds, source: Source::Leaf(var.index()) }
    }

    #[track_caller]
    fn index_var(&self, op: &str, shape: &Shape, index: impl Fn(usize) -> i128) -> IndexVar<'_, T> {
        let mut bounds: Option<(i128, i128)> = None;
        let var = self.index_leaf(op, shape, |i| {
            let index = index(i);
            bounds = Some(bounds.map_or((index, index), |(low, high)| (low.min(index), high.max(index))));
            // An index beyond the bits of the type is out of the range of any operation, whose check names it.
            index.clamp(-i128::from(T::MAX_INDEX), i128::from(T::MAX_INDEX)) as i64
        });
        let bounds = bounds.unwrap_or((0, -1));
        IndexVar { var, bounds, source: Source::Leaf(var.index()) }
    }
}

/// Labels or positions in whatever form a caller has them: a slice of `usize`, or an [`IndexVar`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of labels or positions",
    label = "labels and positions are `usize`, or an `IndexVar`",
    note = "give an array, a slice or a vector of `usize`; signed integers, also in more dimensions, go on the tape by \
            `tape.indices(shape, &integers)`"
)]
pub trait Indices<'t, T: Float> {
    /// The indices on a tape.
    #[track_caller]
    fn on(&self, tape: &'t Tape<T>) -> IndexVar<'t, T>;
}

impl<'t, T: Float> Indices<'t, T> for IndexVar<'t, T> {
    fn on(&self, _: &'t Tape<T>) -> IndexVar<'t, T> {
        *self
    }
}
impl<'t, T: Float> Indices<'t, T> for [usize] {
    #[track_caller]
    fn on(&self, tape: &'t Tape<T>) -> IndexVar<'t, T> {
        tape.labels(self)
    }
}
impl<'t, T: Float> Indices<'t, T> for Vec<usize> {
    #[track_caller]
    fn on(&self, tape: &'t Tape<T>) -> IndexVar<'t, T> {
        tape.labels(self)
    }
}
impl<'t, T: Float, const N: usize> Indices<'t, T> for [usize; N] {
    #[track_caller]
    fn on(&self, tape: &'t Tape<T>) -> IndexVar<'t, T> {
        tape.labels(self)
    }
}

impl<'t, T: Float> Var<'t, T> {
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
        let _whole = self.tape().composite("index_select", [self, indices.var]);
        self.require("index_select", indices.shape().rank() == 1, Kind::Shape, || {
            format!("a list of indices is needed, not shape {}", indices.shape())
        });
        self.gather(axis, &indices)
    }

    /// Rows of a table `[n, d]` by index: the indices' dimensions, then `d`. Cotangents of repeated rows add up.
    #[track_caller]
    pub fn embedding<I: Indices<'t, T> + ?Sized>(self, indices: &I) -> Self {
        let indices = indices.on(self.tape());
        let _whole = self.tape().composite("embedding", [self, indices.var]);
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
        let shape = self.shape();
        let i = self.expect("index_add", shape.axis(axis));
        let indices = indices.on(self.tape());
        let expected = shape.splice(i, &indices.shape());
        self.expect("index_add", indices.check("index_add", i, shape[i]));
        self.require("index_add", source.shape() == expected, Kind::Shape, || {
            format!("the source needs the shape {expected}, it has {}", source.shape())
        });
        self + self.tape().record(Arity(Put { axis: i, layout: Layout::Shared, size: shape[i] }), [source, indices.var])
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
        let _whole = self.tape().composite("scatter_add", [self, indices.var, source]);
        let i = self.expect("scatter_add", own.axis(axis));
        let source = self.scattered("scatter_add", i, indices, source);
        let op = Put { axis: i, layout: Layout::Each, size: own[i] };
        self + self.tape().record(Arity(op), [source, indices.var]).grown(&own)
    }

    /// The source that an operation scatters along an axis, cut to the shape of the indices, which are checked.
    #[track_caller]
    pub(crate) fn scattered(self, op: &'static str, axis: usize, indices: &IndexVar<'t, T>, source: Self) -> Self {
        let (own, index, given) = (self.sizes(), indices.var.sizes(), source.sizes());
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
        self.slice(&sizes.iter().map(|&n| Slice::from(..n as isize)).collect::<Vec<_>>())
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
            return self.tape().try_record(Arity(Take { axis, layout }), [self, indices.var]);
        }
        let _whole = self.tape().try_composite(op, [self, indices.var])?;
        let index = indices.var.sizes();
        let fits = index.rank() == shape.rank() && (0..shape.rank()).all(|d| d == axis || index[d] <= shape[d]);
        if !fits {
            let text = format!("indices of at most the sizes of {shape}, but for axis {axis}, are needed, not {index}");
            return Err(self.error(op, Reason::shape(text)));
        }
        let rows = self.corner(&index.with(axis, shape[axis]));
        self.tape().try_record(Arity(Take { axis, layout }), [rows, indices.var])
    }
}
