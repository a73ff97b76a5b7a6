//! Integers on a tape, which index and name classes.

use crate::float::Float;
use crate::ops::index_views::{integers_now, parts};
use crate::tape::Tape;
use crate::tape::recording::Limit;
use crate::tape::var::Var;
use crate::tensor::error::{Kind, Reason};
use crate::tensor::memory::collected;
use crate::tensor::shape::Shape;
use std::panic::Location;

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
    /// The smallest and the largest index, known without computing; [`NONE`] where there is none. A label that came as
    /// `usize` may be larger than any `i64`.
    bounds: (i128, i128),
    /// The same of those that operations compute, whatever they will be.
    computed: (i128, i128),
    /// Where the integers come from.
    source: Source,
}

/// Where integers come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// A leaf, whose integers they are in order.
    Leaf(u32),
    /// Parts of leaves, and perhaps of what operations compute: all that this node has of them.
    Parts(u32),
    /// An operation.
    Computed,
}

/// The bounds of no integers.
const NONE: (i128, i128) = (0, -1);

/// The smallest and the largest of integers.
fn bounds_of(integers: impl Iterator<Item = i128>) -> (i128, i128) {
    integers
        .fold(None, |bounds, i| Some(bounds.map_or((i, i), |(low, high)| (i.min(low), i.max(high)))))
        .unwrap_or(NONE)
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
        let bounds = if var.numel() == 0 { NONE } else { (low.into(), high.into()) };
        Self { var, bounds, computed: bounds, source: Source::Computed }
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
        Self { var, bounds, source: Source::Parts(var.index()), ..*self }
    }

    /// All of the integers of these.
    pub(crate) fn joined(var: Var<'t, T>, parts: &[Self]) -> Self {
        let computed = parts.iter().all(|part| part.source == Source::Computed);
        let source = if computed { Source::Computed } else { Source::Parts(var.index()) };
        let all = |bounds: fn(&Self) -> (i128, i128)| {
            let some = parts.iter().map(bounds).filter(|(low, high)| low <= high);
            bounds_of(some.flat_map(|(low, high)| [low, high]))
        };
        Self { var, bounds: all(|part| part.bounds), computed: all(|part| part.computed), source }
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
    ///
    /// # Panics
    /// Where the number type has no room for one.
    #[track_caller]
    pub fn value(&self) -> Vec<i64> {
        self.require_kept("value");
        let bits = self.var.value();
        let integers = collected(bits.numel(), bits.as_slice().iter().map(|b| b.to_index()));
        self.var.expect("value", integers.map_err(Reason::from))
    }

    /// Whether all are as they were given, for what no range limits: one that the number type has no room for is another here.
    #[track_caller]
    pub(crate) fn require_kept(&self, op: &str) {
        let most = i128::from(T::MAX_INDEX);
        let (low, high) = self.bounds;
        self.var.require(op, low > high || low >= -most && high <= most, Kind::Index, || {
            let other = if high > most { high } else { low };
            format!(
                "the integer {other} is out of range for {}, which has room for those from -{most} to {most}",
                T::NAME
            )
        });
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
                Source::Computed => {}
                Source::Parts(of) => {
                    let parts = parts(tape, of).into_iter().flatten();
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
    /// what is read here. What differs from step to step of a loop may be any of those that it is chosen from.
    #[track_caller]
    pub(crate) fn find_now(&self, mut holds: impl FnMut(i64) -> bool) -> Option<i64> {
        let (tape, index) = (self.var.tape(), self.var.index());
        // A view of a leaf has its integers in the same order, so nothing is computed for it.
        let all = match self.source {
            Source::Leaf(leaf) => leaf,
            Source::Parts(_) | Source::Computed if tape.is_known(index) => {
                tape.compute_unnoted(index);
                index
            }
            Source::Computed => return None,
            Source::Parts(of) => {
                return parts(tape, of).into_iter().flatten().find_map(|(leaf, places)| {
                    let integers = tape.borrow_value(leaf);
                    places.iter().map(|&place| integers[place as usize].to_index()).find(|&i| holds(i))
                });
            }
        };
        tape.borrow_value(all).iter().map(|b| b.to_index()).find(|&i| holds(i))
    }

    /// Whether this holds of one of the integers now, or may of one that differs from step to step of a loop.
    #[track_caller]
    pub(crate) fn may_have(&self, holds: impl FnMut(i64) -> bool) -> bool {
        let has_computed = self.computed.0 <= self.computed.1;
        (has_computed && !self.var.tape().is_known(self.var.index())) || self.find_now(holds).is_some()
    }

    /// Whether all of them are computed by an operation, so that nobody knows them when recording.
    pub(crate) fn is_computed(&self) -> bool {
        self.source == Source::Computed
    }

    /// Whether every index names one of `n` elements, `−n` to `n − 1`.
    #[track_caller]
    pub(crate) fn check(&self, op: &'static str, axis: usize, n: usize) -> Result<(), Reason> {
        self.limit(op, Some(axis), (-(n as i64), n as i64 - 1), None);
        self.within("index", (-(n as i128), n as i128 - 1), self.bounds, || format!("size {n}"))
    }

    /// Whether every label names one of `n` classes, `0` to `n − 1`.
    #[track_caller]
    pub(crate) fn check_labels(&self, op: &'static str, n: usize) -> Result<(), Reason> {
        self.limit(op, None, (0, n as i64 - 1), None);
        self.within("label", (0, n as i128 - 1), self.bounds, || format!("{n} classes"))
    }

    /// Whether those labels that operations compute name one of `n` classes, or are the ignored one, whatever they will be.
    pub(crate) fn check_computed_labels(&self, n: usize, ignored: i64) -> Result<(), Reason> {
        let ((low, high), ignored) = (self.computed, i128::from(ignored));
        let others = (low + i128::from(low == ignored), high - i128::from(high == ignored));
        self.within("label", (0, n as i128 - 1), others, || format!("{n} classes"))
    }

    /// Whether bounds are within others.
    fn within(
        &self,
        what: &str,
        (least, most): (i128, i128),
        (low, high): (i128, i128),
        range: impl Fn() -> String,
    ) -> Result<(), Reason> {
        if low > high || low >= least && high <= most {
            return Ok(());
        }
        let (wrong, range) = (if high > most { high } else { low }, range());
        let text = if (low, high) == self.computed || self.is_computed() {
            format!("a computed {what} may be {wrong}, which is out of range for {range}")
        } else {
            format!("{what} {wrong} is out of range for {range}")
        };
        Err(Reason::new(Kind::Index, text))
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
        let bounds = if labels.is_empty() { NONE } else { (least as i128, largest as i128) };
        IndexVar { var, bounds, computed: NONE, source: Source::Leaf(var.index()) }
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
        let bounds = bounds.unwrap_or(NONE);
        IndexVar { var, bounds, computed: NONE, source: Source::Leaf(var.index()) }
    }
}

/// Labels or positions in whatever form a caller has them: an array, a slice or a vector of integers, or an [`IndexVar`]. Negative
/// positions count from the end.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of labels or positions",
    label = "labels and positions are integers, or an `IndexVar`",
    note = "give an array, a slice or a vector of integers of any type, such as `usize`; integers in more dimensions go on the tape by \
            `tape.indices(shape, &integers)`, numbers by `numbers.to_index(places)`"
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

/// Lists of other integers.
macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl<'t, T: Float> Indices<'t, T> for [$integer] {
            #[track_caller]
            fn on(&self, tape: &'t Tape<T>) -> IndexVar<'t, T> {
                tape.index_var("indices", &Shape::from([self.len()]), |i| {
                    #[allow(clippy::cast_lossless, reason = "`isize` is not made one by `From`")]
                    let index = self[i] as i128;
                    index
                })
            }
        }
    )*};
}
integers!(isize, i64, i32, i16, u64, u32, u16, u8);

impl<'t, T: Float, I> Indices<'t, T> for Vec<I>
where
    [I]: Indices<'t, T>,
{
    #[track_caller]
    fn on(&self, tape: &'t Tape<T>) -> IndexVar<'t, T> {
        self.as_slice().on(tape)
    }
}
impl<'t, T: Float, I, const N: usize> Indices<'t, T> for [I; N]
where
    [I]: Indices<'t, T>,
{
    #[track_caller]
    fn on(&self, tape: &'t Tape<T>) -> IndexVar<'t, T> {
        self.as_slice().on(tape)
    }
}
