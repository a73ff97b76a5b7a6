//! Integers from integers and from numbers, element by element, when computing: labels of which some do not count, so that they may
//! be inputs of a program, and the places that numbers name.

use crate::float::Float;
use crate::kernels::map::map;
use crate::number::elementary::select;
use crate::tape::attribute::Attributes;
use crate::tape::index::IndexVar;
use crate::tape::op::{Arity, Named, Op, View, ViewMut, no_derivative};
use crate::tape::var::Var;
use crate::tensor::error::{Kind, Reason};
use crate::tensor::shape::Shape;

/// What becomes of each label, or number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Labels {
    /// The label, or 0 where it is this one.
    Without(i64),
    /// The number 1, or 0 where it is this one.
    DifferFrom(i64),
    /// The label as a number.
    Number,
    /// The number as one of so many places.
    Place(usize),
}

impl Named for Labels {
    const NAMES: &'static [&'static str] = &["labels_without", "labels_differ", "numbers", "to_index"];
}

impl<T: Float> Op<T, 1> for Labels {
    fn name(&self) -> &'static str {
        match self {
            Self::Without(_) => "labels_without",
            Self::DifferFrom(_) => "labels_differ",
            Self::Number => "numbers",
            Self::Place(_) => "to_index",
        }
    }
    fn attributes(&self) -> Attributes {
        match *self {
            Self::Without(label) | Self::DifferFrom(label) => vec![("label", label.into())],
            Self::Number => Attributes::new(),
            Self::Place(places) => vec![("places", places.into())],
        }
    }
    fn shape(&self, [labels]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(labels.clone())
    }
    fn eval(&self, [labels]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        let (x, y) = (labels.data, y.data);
        let kept = |label: i64| T::from_index(label.clamp(-T::MAX_INDEX, T::MAX_INDEX));
        match *self {
            Self::Without(ignored) => {
                let (ignored, first) = (kept(ignored), T::from_index(0));
                map(x, y, |label| if label.same_bits(ignored) { first } else { label });
            }
            Self::DifferFrom(ignored) => {
                let ignored = kept(ignored);
                map(x, y, |label| if label.same_bits(ignored) { T::ZERO } else { T::ONE });
            }
            Self::Number => map(x, y, T::index_to_number),
            Self::Place(places) => {
                // The last place, or the nearest number below it that there is.
                let last = T::of(places as f64 - 1.0);
                let last =
                    if last.to_f64() < places as f64 { last } else { last * T::of(1.0 - 0.5 * T::EPSILON.to_f64()) };
                // A comparison with NaN does not hold.
                let within = |x: T| select(x < last, x, last);
                map(x, y, |x| select(x > T::ZERO, within(x.floor()), T::ZERO).number_to_index());
            }
        }
    }
    no_derivative!(1);
}

impl<'t, T: Float> IndexVar<'t, T> {
    /// The integers as numbers, to compute with or to give out of a program; they have no derivative.
    ///
    /// ```
    /// use autograd::{Program, Tensor};
    /// let mut class = Program::record(&(), &Tensor::from([3.0, 5.0]), |_, (), scores| {
    ///     (vec![], vec![scores.argmax(0).numbers()])
    /// })?;
    /// assert_eq!(class.run(&Tensor::from([2.0, 1.0]))?.item(0), 0.0);
    /// # Ok::<(), autograd::ProgramError>(())
    /// ```
    #[track_caller]
    pub fn numbers(&self) -> Var<'t, T> {
        self.require_kept("numbers");
        self.var().tape().record(Arity(Labels::Number), [self.var()])
    }

    /// A row for each label, 1 at its class and 0 at the others, as `torch.nn.functional.one_hot`: the shape of the labels, then
    /// `classes`. The labels may be an input of a program.
    ///
    /// ```
    /// use autograd::{Program, Tape, Tensor};
    /// let tape = Tape::<f64>::new();
    /// assert_eq!(tape.labels(&[2, 0]).one_hot(3).value(), Tensor::from_rows([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]));
    /// let mut rows = Program::<f64>::record(&(), &[0_usize, 0], |_, (), labels| (vec![], vec![labels.one_hot(2)]))?;
    /// assert_eq!(rows.run(&[1_usize, 0])?.tensor(0), Tensor::from_rows([[0.0, 1.0], [1.0, 0.0]]));
    /// # Ok::<(), autograd::ProgramError>(())
    /// ```
    ///
    /// # Panics
    /// Where a label is not one of the classes, which are counted from 0, or where there are more classes than the type counts.
    #[track_caller]
    pub fn one_hot(&self, classes: usize) -> Var<'t, T> {
        let (labels, tape) = (self.var(), self.var().tape());
        let _whole = tape.composite("one_hot", [labels]);
        // As numbers, since a comparison is one of a chain, and goes into what is exported.
        let counts = 2.0 / T::EPSILON.to_f64();
        labels.require("one_hot", classes as f64 <= counts, Kind::Option, || {
            format!("{classes} classes are more than the {counts} that {} tells apart", T::NAME)
        });
        labels.expect("one_hot", self.check_labels("one_hot", classes));
        let all = tape.leaf_from_fn("one_hot", &Shape::from([classes]), |i| T::of(i as f64));
        self.numbers().expand_dims(-1).eq(all)
    }

    /// Whether every label names one of `n` classes or is this one.
    #[track_caller]
    pub(crate) fn check_labels_but(&self, op: &'static str, n: usize, ignored: i64) -> Result<(), Reason> {
        self.limit(op, None, (0, n as i64 - 1), Some(ignored));
        self.check_computed_labels(n, ignored)?;
        if self.is_computed() {
            return Ok(());
        }
        let kept = ignored.clamp(-T::MAX_INDEX, T::MAX_INDEX);
        let wrong = self.find_now(|label| label != kept && !(0..n as i64).contains(&label));
        wrong.map_or(Ok(()), |label| {
            let label = self.as_given(label);
            Err(Reason::new(Kind::Index, format!("label {label} is out of range for {n} classes")))
        })
    }

    /// These labels, all of `n` classes, with 0 in the place of an ignored one.
    #[track_caller]
    pub(crate) fn without(&self, ignored: i64, n: usize) -> Self {
        Self::computed(self.var().tape().record(Arity(Labels::Without(ignored)), [self.var()]), n.max(1))
    }

    /// 1 where a label counts, 0 where it is the ignored one.
    #[track_caller]
    pub(crate) fn differs_from(&self, ignored: i64) -> Var<'t, T> {
        self.var().tape().record(Arity(Labels::DifferFrom(ignored)), [self.var()])
    }
}
