//! Cheap element-wise operations of a chain, one or two in one loop: what the first makes stays in a register of the CPU.
#![expect(unsafe_code, reason = "tiles are read and written by pointers")]

use super::chain::copy_elements;
use super::jit::formula::{Formula, Term};
use super::map::LANES;
use crate::number::Number;
use crate::number::elementary::select;
use smallvec::{SmallVec, smallvec};
use std::mem::MaybeUninit;

/// An operation on `a` and `b`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum First {
    Add,
    Sub,
    Mul,
    Zmul,
    Div,
    /// `−a`
    Neg,
    /// `√(a + 0)`, which is not −0.
    Sqrt,
}

/// What follows, on the first's result `y` and `c`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// Nothing.
    Keep,
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
    fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Zmul => "zmul",
            Self::Div => "div",
            Self::Neg => "neg",
            Self::Sqrt => "sqrt",
        }
    }
}

impl Then {
    /// The name of the operation, for listings, if it is one.
    fn name(self) -> Option<&'static str> {
        Some(match self {
            Self::Keep => return None,
            Self::Add => "add",
            Self::Sub | Self::SubFrom => "sub",
            Self::Mul => "mul",
            Self::Zmul | Self::ZmulOf => "zmul",
            Self::Neg => "neg",
        })
    }
}

/// One operation on tiles and what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct InTurn(pub(crate) First, pub(crate) Then);

impl InTurn {
    /// The operations that it is, for a listing.
    pub(super) fn names(self) -> SmallVec<[&'static str; 2]> {
        let mut names = smallvec![self.0.name()];
        names.extend(self.1.name());
        names
    }

    /// What code does instead.
    pub(super) fn formula(self) -> Formula {
        let mut f = Formula::default();
        let [a, b, c] = [0, 1, 2].map(Term::Arg);
        let y = match self.0 {
            First::Add => f.add(a, b),
            First::Sub => f.sub(a, b),
            First::Mul => f.mul(a, b),
            First::Zmul => f.zmul(a, b),
            First::Div => f.div(a, b),
            First::Neg => f.neg(a),
            First::Sqrt => f.sqrt(a),
        };
        match self.1 {
            Then::Keep => y,
            Then::Add => f.add(y, c),
            Then::Sub => f.sub(y, c),
            Then::SubFrom => f.sub(c, y),
            Then::Mul => f.mul(y, c),
            Then::Zmul => f.zmul(y, c),
            Then::ZmulOf => f.zmul(c, y),
            Then::Neg => f.neg(y),
        };
        f
    }
}

/// `g · p`, but exactly 0 where `g` is 0. A choice, not a branch: of two in a row the compiler would make loops without vectors.
#[inline(always)]
pub(crate) fn zmul<T: Number>(g: T, p: T) -> T {
    select(g == T::ZERO, T::ZERO, g * p)
}

/// Elements that an operation reads.
#[derive(Clone, Copy)]
pub(super) struct Source<T> {
    pub(super) data: *const T,
    /// How far it goes on for each element: 1, or 0 where [`LANES`] elements stand for all.
    pub(super) step: usize,
}

impl<T> Source<T> {
    /// The same from an element on.
    #[inline(always)]
    pub(super) fn from(self, n: usize) -> Self {
        Self { data: self.data.wrapping_add(self.step * n), ..self }
    }
}

/// `out[i] = then(first(a[i], b[i]), c[i])` for `len` elements; if `padded`, for whole vectors of them.
///
/// # Safety
/// All are there with so many elements, and the target is none of the sources but element by element in its own place.
#[inline(always)]
pub(super) unsafe fn in_turn<T: Number>(
    InTurn(first, then): InTurn,
    mut abc: [Source<T>; 3],
    out: *mut T,
    (len, padded): (usize, bool),
) {
    if len == 1 {
        // SAFETY: the caller promises an element.
        return unsafe { *out = one(first, then, [*abc[0].data, *abc[1].data, *abc[2].data]) };
    }
    let mut left = if padded { 0 } else { len % LANES };
    let whole = if padded { len.next_multiple_of(LANES) } else { len - left };
    let (mut to, mut count) = (out, whole);
    // What does not fill a vector is done with what comes before it, unless that would read what was written; else it is filled up,
    // and only then is any of it written.
    let overlaps = len > LANES && abc.iter().all(|source| source.step == 0 || source.data != out.cast_const());
    let mut ends = MaybeUninit::<[[T; LANES]; 4]>::uninit();
    loop {
        if count > 0 {
            // SAFETY: the caller promises the elements; the ends are whole vectors.
            unsafe { of_first::<T, LANES>(first, then, count, abc, to) };
        }
        if left == 0 {
            return;
        }
        if overlaps {
            let last = len - LANES;
            for source in &mut abc {
                source.data = source.data.wrapping_add(source.step * last);
            }
            (to, count, left) = (out.wrapping_add(last), LANES, 0);
            continue;
        }
        let end = ends.as_mut_ptr().cast::<T>();
        if to == end {
            // SAFETY: the caller promises the elements that are left.
            return unsafe { copy_elements(end, out.add(whole), left) };
        }
        ends.write([[T::ONE; LANES]; 4]);
        for (k, Source { data, step }) in abc.iter_mut().enumerate() {
            if *step == 0 {
                continue;
            }
            let end = end.wrapping_add((k + 1) * LANES);
            // SAFETY: as above.
            unsafe { copy_elements(data.add(whole), end, left) };
            *data = end;
        }
        (to, count) = (end, LANES);
    }
}

/// The same of one element.
#[inline(always)]
pub(super) fn one<T: Number>(first: First, then: Then, [a, b, c]: [T; 3]) -> T {
    let y = match first {
        First::Add => a + b,
        First::Sub => a - b,
        First::Mul => a * b,
        First::Zmul => zmul(a, b),
        First::Div => a / b,
        First::Neg => -a,
        First::Sqrt => (a + T::ZERO).sqrt(),
    };
    match then {
        Then::Keep => y,
        Then::Add => y + c,
        Then::Sub => y - c,
        Then::SubFrom => c - y,
        Then::Mul => y * c,
        Then::Zmul => zmul(y, c),
        Then::ZmulOf => zmul(c, y),
        Then::Neg => -y,
    }
}

/// Each closure is a type of its own, so that each pair of operations gets its own loop.
///
/// # Safety
/// As of [`in_turn`], of whole vectors of `N`; sources that are not there for each element have as many.
#[inline(always)]
pub(super) unsafe fn of_first<T: Number, const N: usize>(
    first: First,
    then: Then,
    len: usize,
    abc: [Source<T>; 3],
    out: *mut T,
) {
    macro_rules! follow {
        ($f:expr) => {
            // SAFETY: the caller promises the elements.
            unsafe {
                follow::<T, N>(
                    then,
                    len,
                    abc,
                    out,
                    #[inline(always)]
                    $f,
                )
            }
        };
    }
    match first {
        First::Add => follow!(|a, b| a + b),
        First::Sub => follow!(|a, b| a - b),
        First::Mul => follow!(|a, b| a * b),
        First::Zmul => follow!(|a, b| zmul(a, b)),
        First::Div => follow!(|a, b| a / b),
        First::Neg => follow!(|a: T, _| -a),
        First::Sqrt => follow!(|a: T, _| (a + T::ZERO).sqrt()),
    }
}

/// # Safety
/// As of [`of_first`].
#[inline(always)]
unsafe fn follow<T: Number, const N: usize>(
    then: Then,
    len: usize,
    abc: [Source<T>; 3],
    out: *mut T,
    f: impl Fn(T, T) -> T,
) {
    macro_rules! each {
        ($g:expr) => {
            // SAFETY: the caller promises the elements.
            unsafe {
                each::<T, N>(
                    len,
                    abc,
                    out,
                    #[inline(always)]
                    $g,
                )
            }
        };
    }
    match then {
        Then::Keep => each!(|a, b, _| f(a, b)),
        Then::Add => each!(|a, b, c| f(a, b) + c),
        Then::Sub => each!(|a, b, c| f(a, b) - c),
        Then::SubFrom => each!(|a, b, c| c - f(a, b)),
        Then::Mul => each!(|a, b, c| f(a, b) * c),
        Then::Zmul => each!(|a, b, c| zmul(f(a, b), c)),
        Then::ZmulOf => each!(|a, b, c| zmul(c, f(a, b))),
        Then::Neg => each!(|a, b, _| -f(a, b)),
    }
}

/// # Safety
/// As of [`of_first`].
#[inline(always)]
unsafe fn each<T: Number, const N: usize>(len: usize, abc: [Source<T>; 3], out: *mut T, f: impl Fn(T, T, T) -> T) {
    // One by one: `map` of an array is eight functions more for each pair of operations.
    let [
        Source { data: mut a, step: step_a },
        Source { data: mut b, step: step_b },
        Source { data: mut c, step: step_c },
    ] = abc;
    let (step_a, step_b, step_c) = (step_a * N, step_b * N, step_c * N);
    let mut i = 0;
    while i < len {
        // SAFETY: the caller promises the elements.
        unsafe {
            let load = |data: *const T| data.cast::<[T; N]>().read_unaligned();
            let (xa, xb, xc) = (load(a), load(b), load(c));
            let mut y = xa;
            for k in 0..N {
                y[k] = f(xa[k], xb[k], xc[k]);
            }
            out.add(i).cast::<[T; N]>().write_unaligned(y);
        }
        (a, b, c) = (a.wrapping_add(step_a), b.wrapping_add(step_b), c.wrapping_add(step_c));
        i += N;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::jit::tests::run_formula;
    use crate::number::level::Kernel;
    use crate::number::level::tests::at_every_level;

    struct Once<'a>(InTurn, [Source<f32>; 3], &'a mut [f32]);
    impl Kernel for Once<'_> {
        type Output = ();
        #[inline(always)]
        fn run(self) {
            // SAFETY: the sources are as long as the target, or repeat a vector.
            unsafe { in_turn(self.0, self.1, self.2.as_mut_ptr(), (self.2.len(), false)) };
        }
    }

    #[test]
    fn code_of_two_operations_in_turn_has_the_bits_of_the_loop() {
        let some: Vec<f32> = [0.0, 1.0, 0.3, 2.5, 1e30, 1e-30, f32::INFINITY, f32::NAN, f32::MIN_POSITIVE, 1e-45]
            .into_iter()
            .flat_map(|x: f32| [x, -x])
            .collect();
        let n = some.len();
        let column = |k: usize| -> Vec<f32> { (0..n * n).map(|i| some[[i % n, i / n, (i + i / n) % n][k]]).collect() };
        let (a, b, c) = (column(0), column(1), column(2));
        at_every_level(|level| {
            for f in [First::Add, First::Sub, First::Mul, First::Zmul, First::Div, First::Neg, First::Sqrt] {
                for g in
                    [Then::Keep, Then::Add, Then::Sub, Then::SubFrom, Then::Mul, Then::Zmul, Then::ZmulOf, Then::Neg]
                {
                    let Some(y) = run_formula(level, &InTurn(f, g).formula(), [&a, &b, &c]) else { return };
                    for i in 0..n * n {
                        let want = one(f, g, [a[i], b[i], c[i]]);
                        let same = y[i].to_bits() == want.to_bits() || (y[i].is_nan() && want.is_nan());
                        assert!(same, "{f:?} {g:?} of {:?}: {} {want}, {level:?}", [a[i], b[i], c[i]], y[i]);
                    }
                }
            }
        });
    }

    #[test]
    fn two_operations_in_turn_have_the_bits_of_one_after_the_other() {
        let x = |k: usize| -> Vec<f32> {
            (0..101)
                .map(|i| if (i + k).is_multiple_of(7) { 0.0 } else { ((i * 37 + k * 11) % 101) as f32 * 0.31 - 15.0 })
                .collect()
        };
        let (a, b, c) = (x(1), x(2), x(3));
        let number = [0.7_f32; LANES];
        let first = |first: First, a: f32, b: f32| match first {
            First::Add => a + b,
            First::Sub => a - b,
            First::Mul => a * b,
            First::Zmul => zmul(a, b),
            First::Div => a / b,
            First::Neg => -a,
            First::Sqrt => (a + 0.0).sqrt(),
        };
        let second = |then: Then, y: f32, c: f32| match then {
            Then::Keep => y,
            Then::Add => y + c,
            Then::Sub => y - c,
            Then::SubFrom => c - y,
            Then::Mul => y * c,
            Then::Zmul => zmul(y, c),
            Then::ZmulOf => zmul(c, y),
            Then::Neg => -y,
        };
        let full = |x: &[f32]| Source { data: x.as_ptr(), step: 1 };
        let same = |x: f32, y: f32| x.to_bits() == y.to_bits() || (x.is_nan() && y.is_nan());
        at_every_level(|level| {
            for f in [First::Add, First::Sub, First::Mul, First::Zmul, First::Div, First::Neg, First::Sqrt] {
                for g in
                    [Then::Keep, Then::Add, Then::Sub, Then::SubFrom, Then::Mul, Then::Zmul, Then::ZmulOf, Then::Neg]
                {
                    for n in [0, 1, 2, 15, 16, 17, 64, 101] {
                        for repeats in [false, true] {
                            let mut out = vec![f32::NAN; n];
                            let second_operand =
                                if repeats { Source { data: number.as_ptr(), step: 0 } } else { full(&b[..n]) };
                            level.run(Once(InTurn(f, g), [full(&a[..n]), second_operand, full(&c[..n])], &mut out));
                            for i in 0..n {
                                let b = if repeats { number[0] } else { b[i] };
                                let want = second(g, first(f, a[i], b), c[i]);
                                assert!(same(out[i], want), "{f:?} {g:?} at {i} of {n}, {level:?}: {} {want}", out[i]);
                            }
                        }
                    }
                }
            }
        });
    }
}
