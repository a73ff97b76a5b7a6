//! Two cheap element-wise operations in one loop: what the first makes stays in a register of the CPU.

use super::chain::TileOp;
use super::map;
use crate::number::Number;
use crate::number::level::Kernel;
use smallvec::{SmallVec, smallvec};

/// An operation on `a` and `b` that costs no more than reading them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    Add,
    Sub,
    Mul,
    Zmul,
    /// `−a`
    Neg,
}

/// What follows, on the first's result `y` and `c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    Add,
    Sub,
    /// `c − y`
    SubFrom,
    Mul,
    Zmul,
    /// `c` as the factor that may be an absolute zero.
    ZmulOf,
    /// `−y`
    Neg,
}

impl First {
    /// The name of the operation, for listings.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Zmul => "zmul",
            Self::Neg => "neg",
        }
    }
}

impl Then {
    /// The name of the operation, for listings.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Sub | Self::SubFrom => "sub",
            Self::Mul => "mul",
            Self::Zmul | Self::ZmulOf => "zmul",
            Self::Neg => "neg",
        }
    }
}

/// Both, on tiles.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InTurn(pub(crate) First, pub(crate) Then);

impl<T: Number> TileOp<T> for InTurn {
    fn names(&self) -> SmallVec<[&'static str; 2]> {
        smallvec![self.0.name(), self.1.name()]
    }
    fn run(&self, args: [&[T]; 3], out: &mut [T], _: &mut [T]) {
        in_turn(self.0, self.1, args, out);
    }
}

/// `g · p`, but exactly 0 where `g` is 0.
#[inline(always)]
pub(crate) fn zmul<T: Number>(g: T, p: T) -> T {
    if g == T::ZERO { T::ZERO } else { g * p }
}

/// `out[i] = then(first(a[i], b[i]), c[i])`
pub(crate) fn in_turn<T: Number>(first: First, then: Then, abc: [&[T]; 3], out: &mut [T]) {
    // Each closure is a type of its own, so that each pair of operations gets its own loop.
    match first {
        First::Add => follow(
            then,
            abc,
            out,
            #[inline(always)]
            |a, b| a + b,
        ),
        First::Sub => follow(
            then,
            abc,
            out,
            #[inline(always)]
            |a, b| a - b,
        ),
        First::Mul => follow(
            then,
            abc,
            out,
            #[inline(always)]
            |a, b| a * b,
        ),
        First::Zmul => follow(then, abc, out, zmul::<T>),
        First::Neg => follow(
            then,
            abc,
            out,
            #[inline(always)]
            |a: T, _| -a,
        ),
    }
}

#[inline(always)]
fn follow<T: Number>(then: Then, abc: [&[T]; 3], out: &mut [T], f: impl Fn(T, T) -> T) {
    match then {
        Then::Add => run(
            abc,
            out,
            #[inline(always)]
            |a, b, c| f(a, b) + c,
        ),
        Then::Sub => run(
            abc,
            out,
            #[inline(always)]
            |a, b, c| f(a, b) - c,
        ),
        Then::SubFrom => run(
            abc,
            out,
            #[inline(always)]
            |a, b, c| c - f(a, b),
        ),
        Then::Mul => run(
            abc,
            out,
            #[inline(always)]
            |a, b, c| f(a, b) * c,
        ),
        Then::Zmul => run(
            abc,
            out,
            #[inline(always)]
            |a, b, c| zmul(f(a, b), c),
        ),
        Then::ZmulOf => run(
            abc,
            out,
            #[inline(always)]
            |a, b, c| zmul(c, f(a, b)),
        ),
        Then::Neg => run(
            abc,
            out,
            #[inline(always)]
            |a, b, _| -f(a, b),
        ),
    }
}

fn run<T: Number>([a, b, c]: [&[T]; 3], out: &mut [T], f: impl Fn(T, T, T) -> T) {
    map::level(out.len()).run(Loop { a, b, c, out, f });
}

struct Loop<'a, T, F> {
    a: &'a [T],
    b: &'a [T],
    c: &'a [T],
    out: &'a mut [T],
    f: F,
}

impl<T: Number, F: Fn(T, T, T) -> T> Kernel for Loop<'_, T, F> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { a, b, c, out, f } = self;
        for (((o, &a), &b), &c) in out.iter_mut().zip(a).zip(b).zip(c) {
            *o = f(a, b, c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::level::tests::at_every_level;

    #[test]
    fn two_operations_in_turn_have_the_bits_of_one_after_the_other() {
        let x = |k: usize| -> Vec<f32> {
            (0..101)
                .map(|i| if (i + k).is_multiple_of(7) { 0.0 } else { ((i * 37 + k * 11) % 101) as f32 * 0.31 - 15.0 })
                .collect()
        };
        let (a, b, c) = (x(1), x(2), x(3));
        let first = |first: First, a: f32, b: f32| match first {
            First::Add => a + b,
            First::Sub => a - b,
            First::Mul => a * b,
            First::Zmul => zmul(a, b),
            First::Neg => -a,
        };
        let second = |then: Then, y: f32, c: f32| match then {
            Then::Add => y + c,
            Then::Sub => y - c,
            Then::SubFrom => c - y,
            Then::Mul => y * c,
            Then::Zmul => zmul(y, c),
            Then::ZmulOf => zmul(c, y),
            Then::Neg => -y,
        };
        at_every_level(|level| {
            for f in [First::Add, First::Sub, First::Mul, First::Zmul, First::Neg] {
                for g in [Then::Add, Then::Sub, Then::SubFrom, Then::Mul, Then::Zmul, Then::ZmulOf, Then::Neg] {
                    for n in [0, 1, 17, 64, 101] {
                        let mut out = vec![f32::NAN; n];
                        in_turn(f, g, [&a[..n], &b[..n], &c[..n]], &mut out);
                        for i in 0..n {
                            let want = second(g, first(f, a[i], b[i]), c[i]);
                            assert_eq!(out[i].to_bits(), want.to_bits(), "{f:?} {g:?} at {i} of {n}, {level:?}");
                        }
                    }
                }
            }
        });
    }
}
