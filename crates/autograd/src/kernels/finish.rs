//! What becomes of the elements of a product while they are at hand: the operation that follows it, done before the
//! result is stored.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]

use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::number::level::{LaneKernel, Level};

/// What becomes of each element `x` of a result of rows, before it is stored. Operands are a `P`, by whatever is known of them:
/// that there is one, a place in a buffer, a slice, a pointer; a step size is an `R`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Finish<P, R> {
    /// `x`
    Keep,
    /// `x + row[j]`
    Bias(P),
    /// `relu(x + row[j])`
    BiasRelu(P),
    /// `x` where the element of an operand in its place is positive, else 0.
    Gate(P),
    /// `p − x · rate`, where `p` is what the result held before: a step of gradient descent.
    Descend(R),
}

/// A [`Finish`] by slices.
pub(crate) type SliceFinish<'a, T> = Finish<&'a [T], T>;
/// A [`Finish`] by pointers, as the inner loops read it.
pub(super) type Raw<T> = Finish<*const T, T>;

/// The step size of gradient descent: a number, or a place where it is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Rate<T, P> {
    Number(T),
    At(P),
}

impl<T: Number, P> Rate<T, P> {
    /// A number, or else the place that is found for it.
    pub(crate) fn new(number: Option<f64>, place: impl FnOnce() -> P) -> Self {
        number.map_or_else(|| Self::At(place()), |number| Self::Number(T::of(number)))
    }
}

impl<P, R> Finish<P, R> {
    /// The same of other operands, and another step size.
    #[inline(always)]
    pub(crate) fn map<Q, S>(self, operand: impl FnOnce(P) -> Q, rate: impl FnOnce(R) -> S) -> Finish<Q, S> {
        match self {
            Self::Keep => Finish::Keep,
            Self::Bias(row) => Finish::Bias(operand(row)),
            Self::BiasRelu(row) => Finish::BiasRelu(operand(row)),
            Self::Gate(by) => Finish::Gate(operand(by)),
            Self::Descend(by) => Finish::Descend(rate(by)),
        }
    }
}

impl<T: Number> SliceFinish<'_, T> {
    /// Its pointers, for a result of `len` elements in rows of `n`.
    pub(super) fn raw(&self, len: usize, n: usize) -> Raw<T> {
        match self {
            Self::Keep | Self::Descend(_) => {}
            Self::Bias(row) | Self::BiasRelu(row) => {
                assert!(row.len() == n, "finish: a row of {n} is needed, not of {}", row.len());
            }
            Self::Gate(by) => assert!(by.len() == len, "finish: {len} elements are needed, not {}", by.len()),
        }
        self.map(<[T]>::as_ptr, |rate| rate)
    }
}

/// One kind of finish, so that loops over it are compiled for it alone.
pub(super) trait Apply<T: Number>: Copy {
    /// What becomes of `x` at `out[at]`, which is column `j`.
    ///
    /// # Safety
    /// The CPU has the set of the lanes, and the elements of the mask from `at` on lie in the result (an empty mask may
    /// come with a place beyond it).
    unsafe fn apply<L: Lanes<T>>(self, x: L::Vector, out: *mut T, at: usize, j: usize, mask: L::Mask) -> L::Vector;
}

macro_rules! apply {
    ($($name:ident($field:ty), |$self:ident, $l:ident, $x:ident, $out:ident, $at:ident, $j:ident, $mask:ident| $y:expr;)*) => {
        $(
            #[derive(Clone, Copy)]
            pub(super) struct $name<T>(pub(super) $field);
            impl<T: Number> Apply<T> for $name<T> {
                #[inline(always)]
                #[allow(unused_variables, unused_unsafe, reason = "not every kind reads all")]
                unsafe fn apply<$l: Lanes<T>>(
                    $self,
                    $x: $l::Vector,
                    $out: *mut T,
                    $at: usize,
                    $j: usize,
                    $mask: $l::Mask,
                ) -> $l::Vector {
                    // SAFETY: the caller promises the set and the elements; `raw` checked the lengths of what is read.
                    unsafe { $y }
                }
            }
        )*
    };
}

apply! {
    Keep(std::marker::PhantomData<T>), |self, L, x, out, at, j, mask| x;
    Bias(*const T), |self, L, x, out, at, j, mask| L::add(x, L::load(self.0.wrapping_add(j), mask));
    BiasRelu(*const T), |self, L, x, out, at, j, mask| L::relu(L::add(x, L::load(self.0.wrapping_add(j), mask)));
    Gate(*const T), |self, L, x, out, at, j, mask| L::gate(x, L::load(self.0.wrapping_add(at), mask));
    Descend(T), |self, L, x, out, at, j, mask| L::sub(L::load(out.wrapping_add(at), mask), L::mul(x, L::splat(self.0)));
}

/// Runs an expression with `$f` bound to the kind that a [`Raw`] is.
macro_rules! each_kind {
    ($raw:expr, |$f:ident| $body:expr) => {
        match $raw {
            Raw::Keep => {
                let $f = $crate::kernels::finish::Keep(std::marker::PhantomData);
                $body
            }
            Raw::Bias(row) => {
                let $f = $crate::kernels::finish::Bias(row);
                $body
            }
            Raw::BiasRelu(row) => {
                let $f = $crate::kernels::finish::BiasRelu(row);
                $body
            }
            Raw::Gate(by) => {
                let $f = $crate::kernels::finish::Gate(by);
                $body
            }
            Raw::Descend(rate) => {
                let $f = $crate::kernels::finish::Descend(rate);
                $body
            }
        }
    };
}
pub(super) use each_kind;

/// Finishes `rows · n` elements of rows that were stored before, in place.
pub(crate) fn in_place<T: Number>(data: &mut [T], n: usize, finish: SliceFinish<'_, T>) {
    if data.is_empty() || matches!(finish, Finish::Keep) {
        return;
    }
    assert!(data.len().is_multiple_of(n), "finish: {} elements are not rows of {n}", data.len());
    let raw = finish.raw(data.len(), n);
    Level::best().run_lanes(InPlace { out: data.as_mut_ptr(), rows: data.len() / n, n, raw });
}

struct InPlace<T> {
    out: *mut T,
    rows: usize,
    n: usize,
    raw: Raw<T>,
}

impl<T: Number> LaneKernel<T> for InPlace<T> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(self) {
        let Self { out, rows, n, raw } = self;
        each_kind!(raw, |finish| {
            for i in 0..rows {
                let mut j = 0;
                while j < n {
                    // SAFETY: the caller promises the set; `out` has `rows · n` elements, checked where this
                    // was made, and the mask ends at `n`.
                    unsafe {
                        let (at, mask) = (i * n + j, L::first(n - j));
                        let y = finish.apply::<L>(L::load(out.add(at), mask), out, at, j, mask);
                        L::store(out.add(at), mask, y);
                    }
                    j += L::COUNT;
                }
            }
        });
    }
}
