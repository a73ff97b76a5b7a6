//! Medians and quantiles: elements of given ranks, and what lies between two of them.

use crate::float::Float;
use crate::kernels::sort;
use crate::ops::binary::BinaryRules;
use crate::ops::reduce::Axes;
use crate::tape::attribute::Attributes;
use crate::tape::index::IndexVar;
use crate::tape::op::{Arity, Named, Op, View, ViewMut, no_derivative};
use crate::tape::var::Var;
use crate::tensor::error::{Kind, Reason};
use crate::tensor::memory::OutOfMemory;
use crate::tensor::shape::Shape;
use smallvec::SmallVec;

/// Where the elements of these ranks stand along an axis; all at the first NaN where there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ranked {
    axis: usize,
    ranks: SmallVec<[usize; 4]>,
}

impl Named for Ranked {
    const NAMES: &'static [&'static str] = &["ranked"];
}

impl<T: Float> Op<T, 1> for Ranked {
    fn name(&self) -> &'static str {
        "ranked"
    }
    fn attributes(&self) -> Attributes {
        let ranks: Vec<isize> = self.ranks.iter().map(|&rank| rank as isize).collect();
        vec![("axis", self.axis.into()), ("ranks", ranks[..].into())]
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.with(self.axis, self.ranks.len()))
    }
    fn eval(&self, args: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        self.try_eval(args, y).expect("there is memory for the order of a row");
    }
    fn try_eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) -> Result<(), OutOfMemory> {
        let (_, n, inner) = x.shape.around(self.axis);
        sort::ranked(x.data, (n, inner), &self.ranks, y.data)
    }
    no_derivative!(1);
}

/// One fraction or several, from 0 for the smallest element to 1 for the largest; see [`Var::quantile`].
///
/// Made from a number, or from an array, a slice or a vector of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantiles {
    fractions: SmallVec<[f64; 4]>,
    /// Whether it is a number, for which the result has no dimension.
    is_number: bool,
}

impl From<f64> for Quantiles {
    fn from(fraction: f64) -> Self {
        Self { fractions: SmallVec::from_slice(&[fraction]), is_number: true }
    }
}

impl From<&[f64]> for Quantiles {
    fn from(fractions: &[f64]) -> Self {
        Self { fractions: SmallVec::from_slice(fractions), is_number: false }
    }
}

impl<const N: usize> From<[f64; N]> for Quantiles {
    fn from(fractions: [f64; N]) -> Self {
        Self::from(&fractions[..])
    }
}

impl<const N: usize> From<&[f64; N]> for Quantiles {
    fn from(fractions: &[f64; N]) -> Self {
        Self::from(&fractions[..])
    }
}

impl From<Vec<f64>> for Quantiles {
    fn from(fractions: Vec<f64>) -> Self {
        Self::from(&fractions[..])
    }
}

/// The rank at or below a fraction of `n` elements, and how far it is to the next one.
fn rank(fraction: f64, n: usize) -> (usize, f64) {
    let position = fraction * (n - 1) as f64;
    let below = position.floor();
    (below as usize, position - below)
}

/// # Medians and quantiles
///
/// Along an axis, or of all elements.
impl<'t, T: Float> Var<'t, T> {
    /// The median over axes: the element in the middle, or the mean of the two in the middle, as `numpy.median`. NaN where
    /// there is one. See [`Var::quantile`] for the derivative, and [`Axes`].
    ///
    /// (`torch.median` gives the lower of the two: `x.sort(axis, Order::Ascending).narrow(axis, (n - 1) / 2, 1)`.)
    ///
    /// ```
    /// use autograd::{grad, Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([5.0, 1.0, 2.0, 9.0]));
    /// assert_eq!(x.median(..).item(), 3.5);
    /// assert_eq!(grad(x.median(..), &x).value().as_slice(), [0.5, 0.0, 0.5, 0.0]);
    /// ```
    ///
    /// # Panics
    /// Where an axis does not exist, or there are no elements.
    #[track_caller]
    pub fn median(self, axes: impl Into<Axes>) -> Self {
        self.ranked("median", &Quantiles::from(0.5), &axes.into())
    }

    /// The quantiles over axes, with linear interpolation between neighbours, as `numpy.quantile`: of one fraction, or of
    /// several along a new first dimension. NaN where there is a NaN.
    ///
    /// A fraction `q` of `n` elements lies at `q · (n − 1)` in their order. The derivative goes to the elements next to it,
    /// by their weights; of equal elements to those that a stable sort brings there; of NaNs to the first.
    ///
    /// ```
    /// use autograd::{Tape, Tensor};
    /// let tape = Tape::new();
    /// let x = tape.var(&Tensor::from([30.0, 10.0, 20.0]));
    /// assert_eq!(x.quantile(0.25, ..).item(), 15.0);
    /// assert_eq!(x.quantile([0.0, 0.5, 1.0], 0).value().as_slice(), [10.0, 20.0, 30.0]);
    /// ```
    ///
    /// # Panics
    /// Where a fraction is not from 0 to 1, an axis does not exist, or there are no elements.
    #[track_caller]
    pub fn quantile(self, fractions: impl Into<Quantiles>, axes: impl Into<Axes>) -> Self {
        self.ranked("quantile", &fractions.into(), &axes.into())
    }

    #[track_caller]
    fn ranked(self, op: &'static str, quantiles: &Quantiles, axes: &Axes) -> Self {
        let _whole = self.tape().composite(op, [self]);
        let fractions = &quantiles.fractions;
        let wrong = fractions.iter().find(|q| !(0.0..=1.0).contains(*q));
        self.require(op, wrong.is_none(), Kind::Option, || {
            format!("a fraction from 0 to 1 is needed, not {}", wrong.unwrap_or(&0.0))
        });
        let (x, axis, shape) = self.merge_axes(op, axes);
        let n = x.sizes()[axis];
        self.require(op, n > 0, Kind::Empty, || format!("the {op} of no elements does not exist"));
        let places: SmallVec<[(usize, f64); 4]> = fractions.iter().map(|&q| rank(q, n)).collect();
        let count = places.len();
        let exact = places.iter().all(|&(_, beyond)| beyond == 0.0);
        let mut ranks: SmallVec<[usize; 4]> = places.iter().map(|&(below, _)| below).collect();
        if !exact {
            ranks.extend(places.iter().map(|&(below, _)| (below + 1).min(n - 1)));
        }
        let places_of = IndexVar::computed(x.tape().record(Arity(Ranked { axis, ranks }), [x]), n);
        let elements = x.take_along_axis(axis as isize, &places_of);
        let y = if exact {
            elements
        } else {
            let low = elements.narrow(axis as isize, 0, count);
            let high = elements.narrow(axis as isize, count, count);
            let along: Shape = [count].into_iter().chain(vec![1; x.rank() - 1 - axis]).collect();
            let below = x.tape().leaf_from_fn(op, &along, |i| T::of(1.0 - places[i].1));
            let above = x.tape().leaf_from_fn(op, &along, |i| T::of(places[i].1));
            low.weigh(below) + high.weigh(above)
        };
        if quantiles.is_number {
            return y.reshape(shape);
        }
        let mut order: SmallVec<[isize; 4]> = (0..y.rank() as isize).filter(|&i| i != axis as isize).collect();
        order.insert(0, axis as isize);
        let first = if axis == 0 { y } else { y.transpose(&order) };
        first.reshape([count].iter().chain(&*shape).copied().collect::<Shape>())
    }
}
