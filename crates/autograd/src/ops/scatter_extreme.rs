//! Maxima and minima by index along an axis: of an element and all that fall on its place.

use crate::diff::forward::plus;
use crate::float::Float;
use crate::kernels::map::copy;
use crate::kernels::take::{Layout, put, put_extreme, take};
use crate::ops::binary::BinaryRules;
use crate::ops::take::{Put, Take, indices_along};
use crate::tape::attribute::Attributes;
use crate::tape::index::{IndexVar, Indices};
use crate::tape::op::{Arity, Named, Op, View, ViewMut};
use crate::tape::var::Var;
use crate::tensor::error::Reason;
use crate::tensor::shape::Shape;

/// `x`, but for the largest (or smallest) of `x[…, i, …]` and of all `source[…, j, …]` with `index[j] = i`; NaN where one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ScatterExtreme {
    axis: usize,
    layout: Layout,
    largest: bool,
}

impl ScatterExtreme {
    /// 1 for each element of `x` and of `source` that its place has in the result, else 0; and the share of each place that such an
    /// element has: `1/k` where `k` are tied.
    fn shares<'t, T: Float>(self, [x, source, index]: [Var<'t, T>; 3], y: Var<'t, T>) -> [Var<'t, T>; 3] {
        let (own, others) = (x.attains(y), source.attains(self.taken(y, index)));
        [own, others, (own + self.added(others, index, x.sizes())).reciprocal()]
    }

    /// Rows, the places of each, how many indices it has, and neighbours.
    fn sizes<T>(self, x: View<'_, T>, index: View<'_, T>) -> (usize, usize, usize, usize) {
        let (outer, size, inner) = x.shape.around(self.axis);
        (outer, size, indices_along(self.layout, index, self.axis), inner)
    }

    fn taken<'t, T: Float>(self, y: Var<'t, T>, index: Var<'t, T>) -> Var<'t, T> {
        y.tape().record(Arity(Take { axis: self.axis, layout: self.layout }), [y, index])
    }

    fn added<'t, T: Float>(self, source: Var<'t, T>, index: Var<'t, T>, shape: &Shape) -> Var<'t, T> {
        source
            .tape()
            .record(Arity(Put { axis: self.axis, layout: self.layout, size: shape[self.axis] }), [source, index])
    }
}

impl Named for ScatterExtreme {
    const NAMES: &'static [&'static str] = &["index_max", "index_min", "scatter_max", "scatter_min"];
}

impl<T: Float> Op<T, 3> for ScatterExtreme {
    fn name(&self) -> &'static str {
        match (self.layout, self.largest) {
            (Layout::Shared, true) => "index_max",
            (Layout::Shared, false) => "index_min",
            (Layout::Each, true) => "scatter_max",
            (Layout::Each, false) => "scatter_min",
        }
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into())]
    }
    fn shape(&self, [x, ..]: [&Shape; 3]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x, source, index]: [View<'_, T>; 3], y: ViewMut<'_, T>) {
        copy(x.data, y.data);
        put_extreme(source.data, index.data, self.layout, self.sizes(x, index), self.largest, y.data);
    }
    fn kink(&self, [x, source, index]: [View<'_, T>; 3]) -> Option<usize> {
        let mut y = x.data.to_vec();
        self.eval([x, source, index], ViewMut { shape: x.shape, data: &mut y });
        let sizes = self.sizes(x, index);
        // How many elements of the source each place has, beside that of `x`.
        let mut others = vec![T::ZERO; source.data.len()];
        take(&y, index.data, self.layout, sizes, &mut others);
        others.iter_mut().zip(source.data).for_each(|(y, &source)| *y = if source == *y { T::ONE } else { T::ZERO });
        let mut counts = vec![T::ZERO; y.len()];
        put(&others, index.data, self.layout, sizes, &mut counts);
        let own = x.data.iter().zip(&y).map(|(x, y)| if x == y { T::ONE } else { T::ZERO });
        own.zip(counts).position(|(own, others)| own + others > T::ONE)
    }
    fn vjp<'t>(&self, arg: usize, args: [Var<'t, T>; 3], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let [own, others, share] = self.shares(args, y);
        let each = dy.weigh(share);
        match arg {
            0 => Some(each.keep(own)),
            1 => Some(self.taken(each, args[2]).keep(others)),
            _ => None,
        }
    }
    fn jvp<'t>(
        &self,
        args: [Var<'t, T>; 3],
        y: Var<'t, T>,
        [dx, dsource, _]: [Option<Var<'t, T>>; 3],
    ) -> Option<Var<'t, T>> {
        let [own, others, share] = self.shares(args, y);
        let of_source = dsource.map(|d| self.added(d.keep(others), args[2], y.sizes()));
        let sum = plus(dx.map(|d| d.keep(own)), of_source)?;
        Some(sum.weigh(share))
    }
}

/// # Maxima and minima by index
///
/// Of each element and of those that fall on its place; tied elements share the cotangent equally, and a NaN wins, as in [`Var::max`].
impl<'t, T: Float> Var<'t, T> {
    /// This, with the parts of `source` along an axis where they are larger than what is at these indices, as
    /// `torch.index_reduce(…, "amax")`; shapes as in [`Var::index_add`]. Maxima of segments are those beside −∞, or another number for
    /// segments without elements.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([3.0, 8.0, 5.0, 1.0]));
    /// let none = tape.full([3], f64::NEG_INFINITY);
    /// let largest = none.index_max(0, &[0, 2, 2, 0], x);
    /// assert_eq!(largest.value().as_slice(), [3.0, f64::NEG_INFINITY, 8.0]);
    /// assert_eq!(grad(largest.sum(), &x).value().as_slice(), [1.0, 1.0, 0.0, 0.0]);
    /// ```
    ///
    /// # Panics
    /// Where the axis does not exist, an index is out of range, or `source` does not have the shape that [`Var::gather`] with these
    /// indices gives.
    #[track_caller]
    pub fn index_max<I: Indices<'t, T> + ?Sized>(self, axis: isize, indices: &I, source: Self) -> Self {
        self.index_extreme("index_max", axis, &indices.on(self.tape()), source, true)
    }

    /// As [`Var::index_max`], where they are smaller.
    ///
    /// # Panics
    /// As [`Var::index_max`].
    #[track_caller]
    pub fn index_min<I: Indices<'t, T> + ?Sized>(self, axis: isize, indices: &I, source: Self) -> Self {
        self.index_extreme("index_min", axis, &indices.on(self.tape()), source, false)
    }

    /// This, with each element of `source` where it is larger than what is at its own index along an axis, as
    /// `torch.scatter_reduce(…, "amax")`; shapes as in [`Var::scatter_add`].
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    /// let source = tape.var(&Tensor::from([5.0, 7.0, 0.0]));
    /// let y = x.scatter_max(0, &tape.indices([3], &[1, 1, 2]), source);
    /// assert_eq!(y.value().as_slice(), [1.0, 7.0, 3.0]);
    /// ```
    ///
    /// # Panics
    /// Where the axis does not exist, an index is out of range, or the shapes do not fit.
    #[track_caller]
    pub fn scatter_max(self, axis: isize, indices: &IndexVar<'t, T>, source: Self) -> Self {
        self.scatter_extreme("scatter_max", axis, indices, source, true)
    }

    /// As [`Var::scatter_max`], where it is smaller.
    ///
    /// # Panics
    /// As [`Var::scatter_max`].
    #[track_caller]
    pub fn scatter_min(self, axis: isize, indices: &IndexVar<'t, T>, source: Self) -> Self {
        self.scatter_extreme("scatter_min", axis, indices, source, false)
    }

    #[track_caller]
    fn index_extreme(
        self,
        op: &'static str,
        axis: isize,
        indices: &IndexVar<'t, T>,
        source: Self,
        largest: bool,
    ) -> Self {
        let _whole = self.tape().composite(op, [self, indices.var(), source]);
        let axis = self.parts_by_index(op, axis, indices, source);
        let op = ScatterExtreme { axis, layout: Layout::Shared, largest };
        self.tape().record(Arity(op), [self, source, indices.var()])
    }

    #[track_caller]
    fn scatter_extreme(
        self,
        op: &'static str,
        axis: isize,
        indices: &IndexVar<'t, T>,
        source: Self,
        largest: bool,
    ) -> Self {
        let own = self.shape();
        let _whole = self.tape().composite(op, [self, indices.var(), source]);
        let axis = self.expect(op, own.axis(axis));
        let source = self.scattered(op, axis, indices, source);
        let part = self.corner(&source.sizes().with(axis, own[axis]));
        let extreme = ScatterExtreme { axis, layout: Layout::Each, largest };
        self.with_corner(op, part.tape().record(Arity(extreme), [part, source, indices.var()]))
    }
}
