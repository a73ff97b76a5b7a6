//! Orders: sorting, the largest and their places. An order is an index, and its derivative is that of reading by it.

use crate::float::Float;
use crate::kernels::{extreme, sort};
use crate::tape::attribute::Attributes;
use crate::tape::index::IndexVar;
use crate::tape::op::{Arity, Named, Op, View, ViewMut, no_derivative};
use crate::tape::var::Var;
use crate::tensor::error::{Kind, Reason};
use crate::tensor::memory::OutOfMemory;
use crate::tensor::shape::Shape;

/// The places of the first elements along an axis in order, or of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Argsort {
    // A node's operation is small: an axis is, too.
    axis: u32,
    descending: bool,
    /// How many.
    first: usize,
}

/// The place of the largest (or smallest) element along an axis, which is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ArgExtreme {
    pub(super) axis: usize,
    largest: bool,
}

/// The place of the largest (or smallest) element so far along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RunningArgExtreme {
    pub(super) axis: usize,
    largest: bool,
}

impl Named for Argsort {
    const NAMES: &'static [&'static str] = &["argsort"];
}

impl<T: Float> Op<T, 1> for Argsort {
    fn name(&self) -> &'static str {
        "argsort"
    }
    fn attributes(&self) -> Attributes {
        vec![
            ("axis", (self.axis as usize).into()),
            ("descending", self.descending.into()),
            ("first", self.first.into()),
        ]
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.with(self.axis as usize, self.first))
    }
    fn eval(&self, args: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        self.try_eval(args, y).expect("there is memory for the order of a row");
    }
    fn try_eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) -> Result<(), OutOfMemory> {
        let (_, n, inner) = x.shape.around(self.axis as usize);
        sort::argsort(x.data, (n, inner), (self.descending, self.first), y.data)
    }
    no_derivative!(1);
}

impl Named for ArgExtreme {
    const NAMES: &'static [&'static str] = &["argmax", "argmin"];
}

impl<T: Float> Op<T, 1> for ArgExtreme {
    fn name(&self) -> &'static str {
        if self.largest { "argmax" } else { "argmin" }
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into())]
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        if x[self.axis] == 0 {
            return Err(Reason::new(Kind::Empty, "an extreme of no elements does not exist"));
        }
        Ok(x.splice(self.axis, &[]))
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.axis);
        extreme::arg_extreme(x.data, (n, inner), self.largest, y.data);
    }
    no_derivative!(1);
}

impl Named for RunningArgExtreme {
    const NAMES: &'static [&'static str] = &["cumargmax", "cumargmin"];
}

impl<T: Float> Op<T, 1> for RunningArgExtreme {
    fn name(&self) -> &'static str {
        if self.largest { "cumargmax" } else { "cumargmin" }
    }
    fn attributes(&self) -> Attributes {
        vec![("axis", self.axis.into())]
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let (_, n, inner) = x.shape.around(self.axis);
        extreme::running_arg_extreme(x.data, (n, inner), self.largest, y.data);
    }
    no_derivative!(1);
}

/// The order of the elements along an axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// The smallest first.
    #[default]
    Ascending,
    /// The largest first.
    Descending,
}

/// # Orders
///
/// Sorted elements, their places, and the largest so far.
impl<'t, T: Float> Var<'t, T> {
    /// The places of the elements along an axis in order: stable, NaN last (first where descending).
    #[track_caller]
    pub fn argsort(self, axis: isize, order: Order) -> IndexVar<'t, T> {
        let shape = self.shape();
        let axis = self.expect("argsort", shape.axis(axis));
        self.first_in_order(axis, shape[axis], order)
    }

    /// The places of the first elements along an axis.
    #[track_caller]
    fn first_in_order(self, axis: usize, first: usize, order: Order) -> IndexVar<'t, T> {
        let descending = order == Order::Descending;
        let op = Argsort { axis: axis as u32, descending, first };
        IndexVar::computed(self.tape().record(Arity(op), [self]), self.sizes()[axis])
    }

    /// The elements along an axis in order: stable, NaN last (first where descending).
    ///
    /// ```
    /// use autograd::{vjp, Order, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([3.0, 1.0, 2.0]));
    /// let y = x.sort(0, Order::Ascending);
    /// assert_eq!(y.value().as_slice(), [1.0, 2.0, 3.0]);
    /// let dy = tape.var(&Tensor::from([10.0, 20.0, 30.0]));
    /// assert_eq!(vjp(y, &x, dy).value().as_slice(), [30.0, 10.0, 20.0]);
    /// ```
    #[track_caller]
    pub fn sort(self, axis: isize, order: Order) -> Self {
        let _whole = self.tape().composite("sort", [self]);
        self.take_along_axis(axis, &self.argsort(axis, order))
    }

    /// The first `k` elements along an axis in an order, and their places: the largest where it is descending.
    ///
    /// ```
    /// use autograd::{Order, Tape, Tensor};
    /// let tape = Tape::new();
    /// let (largest, places) = tape.var(&Tensor::from([3.0, 1.0, 5.0])).topk(2, 0, Order::Descending);
    /// assert_eq!((largest.value().as_slice(), places.value()), (&[5.0, 3.0][..], vec![2, 0]));
    /// ```
    ///
    /// # Panics
    /// Where the axis has fewer.
    #[track_caller]
    pub fn topk(self, k: usize, axis: isize, order: Order) -> (Self, IndexVar<'t, T>) {
        let _whole = self.tape().composite("topk", [self]);
        let shape = self.shape();
        let i = self.expect("topk", shape.axis(axis));
        self.require("topk", k <= shape[i], Kind::Index, || format!("{k} of {} elements are asked", shape[i]));
        let places = self.first_in_order(i, k, order);
        (self.take_along_axis(axis, &places), places)
    }

    /// The place of the largest element along an axis, which is dropped: the first of equal ones, a NaN before all.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([3.0, 5.0, 5.0]));
    /// assert_eq!(x.argmax(0).value(), [1]);
    /// ```
    ///
    /// # Panics
    /// Where there are no elements.
    #[track_caller]
    pub fn argmax(self, axis: isize) -> IndexVar<'t, T> {
        self.arg_extreme("argmax", axis, true)
    }

    /// The place of the smallest element along an axis, as [`Var::argmax`].
    ///
    /// # Panics
    /// Where there are no elements.
    #[track_caller]
    pub fn argmin(self, axis: isize) -> IndexVar<'t, T> {
        self.arg_extreme("argmin", axis, false)
    }

    #[track_caller]
    fn arg_extreme(self, op: &str, axis: isize, largest: bool) -> IndexVar<'t, T> {
        let shape = self.shape();
        let axis = self.expect(op, shape.axis(axis));
        let place = self.tape().record(Arity(ArgExtreme { axis, largest }), [self]);
        IndexVar::computed(place, shape[axis])
    }

    /// The largest element so far along an axis, as `torch.cummax`. Each takes its cotangent to the element that it is: of
    /// equal ones the last; a NaN stays.
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 3.0, 2.0, 3.0]));
    /// assert_eq!(x.cummax(0).value().as_slice(), [1.0, 3.0, 3.0, 3.0]);
    /// assert_eq!(grad(x.cummax(0).sum(), &x).value().as_slice(), [1.0, 2.0, 0.0, 1.0]);
    /// ```
    #[track_caller]
    pub fn cummax(self, axis: isize) -> Self {
        let _whole = self.tape().composite("cummax", [self]);
        let places = self.running("cummax", axis, true);
        self.take_along_axis(axis, &places)
    }

    /// The smallest element so far along an axis, as [`Var::cummax`].
    #[track_caller]
    pub fn cummin(self, axis: isize) -> Self {
        let _whole = self.tape().composite("cummin", [self]);
        let places = self.running("cummin", axis, false);
        self.take_along_axis(axis, &places)
    }

    /// The places of [`Var::cummax`].
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([1.0, 3.0, 2.0, 3.0]));
    /// assert_eq!(x.cumargmax(0).value(), [0, 1, 1, 3]);
    /// ```
    #[track_caller]
    pub fn cumargmax(self, axis: isize) -> IndexVar<'t, T> {
        self.running("cumargmax", axis, true)
    }

    /// The places of [`Var::cummin`].
    #[track_caller]
    pub fn cumargmin(self, axis: isize) -> IndexVar<'t, T> {
        self.running("cumargmin", axis, false)
    }

    #[track_caller]
    fn running(self, op: &str, axis: isize, largest: bool) -> IndexVar<'t, T> {
        let shape = self.shape();
        let axis = self.expect(op, shape.axis(axis));
        let places = self.tape().record(Arity(RunningArgExtreme { axis, largest }), [self]);
        IndexVar::computed(places, shape[axis])
    }
}
