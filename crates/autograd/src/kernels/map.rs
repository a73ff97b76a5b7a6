//! Element-wise loops over one operand, compiled for each level of vector instructions.

use crate::number::Number;
use crate::number::level::{Kernel, Level};

/// Elements of a vector, or of the few that are worked on together: 512 bits of `f32`, twice that of `f64`.
pub(crate) const LANES: usize = 16;
/// The unit in which lanes are filled.
pub(crate) const QUAD: usize = 4;
/// Shorter loops over cheap functions gain nothing from wide vectors.
const SHORT: usize = 4 * LANES;

/// Copies a slice into one of the same length. A few elements are not worth the call that copies slices: two parts of known
/// length that may overlap make up any length between.
#[inline]
pub(crate) fn copy<T: Copy>(from: &[T], to: &mut [T]) {
    assert!(from.len() == to.len(), "copy: {} elements do not fit {}", from.len(), to.len());
    match from.len() {
        0 => {}
        1 => to[0] = from[0],
        2..=4 => both_ends::<T, 2>(from, to),
        5..=8 => both_ends::<T, 4>(from, to),
        9..=16 => both_ends::<T, 8>(from, to),
        _ => to.copy_from_slice(from),
    }
}

/// Copies the first `N` elements and the last of slices of `N` to `2N` elements.
#[inline(always)]
fn both_ends<T: Copy, const N: usize>(from: &[T], to: &mut [T]) {
    let rest = to.len() - N;
    to[..N].copy_from_slice(&from[..N]);
    to[rest..].copy_from_slice(&from[rest..]);
}

/// The level for a loop of `n` cheap operations.
pub(super) fn level(n: usize) -> Level {
    if n < SHORT { Level::BASELINE } else { Level::best() }
}

/// `out[i] = f(x[i])`
#[inline]
pub(crate) fn map<T: Number>(x: &[T], out: &mut [T], f: impl Fn(T) -> T) {
    level(x.len()).run(Map { x, out, f });
}

struct Map<'a, T, F> {
    x: &'a [T],
    out: &'a mut [T],
    f: F,
}

impl<T: Number, F: Fn(T) -> T> Kernel for Map<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        each(self.x, self.out, self.f);
    }
}

#[inline(always)]
fn each<T: Number>(x: &[T], out: &mut [T], f: impl Fn(T) -> T) {
    for (o, &x) in out.iter_mut().zip(x) {
        *o = f(x);
    }
}

/// `out[i] = f(x[i])` for a function that the compiler does not make vectors of, such as one of a library: compiled once.
#[inline(never)]
pub(crate) fn map_numbers<T: Number>(x: &[T], out: &mut [T], f: impl Fn(T) -> T) {
    each(x, out, f);
}

/// `out[i] = f(x[i])` for a function that costs tens of operations, all of which become vectors. It must be
/// `#[inline(always)]`. What does not fill a vector is filled up: computing 15 elements costs as much as 16, not as 15
/// single ones.
#[inline]
pub(crate) fn map_vectors<T: Number>(x: &[T], out: &mut [T], f: impl Fn(T) -> T + Copy) {
    map_vectors_but(x, out, f, |_| false, f);
}

/// As [`map_vectors`], for a function that `f` is only where an argument is not `rare`: there `whole` is called, which is the
/// function everywhere. A vector in which nothing is rare costs one test more. The value of an element depends on the
/// element alone, if `whole` is `f` wherever that may stand for it.
#[inline]
pub(crate) fn map_vectors_but<T: Number>(
    x: &[T],
    out: &mut [T],
    f: impl Fn(T) -> T,
    rare: impl Fn(T) -> bool,
    whole: impl Fn(T) -> T,
) {
    map_vectors_to_but(
        x,
        [out],
        #[inline(always)]
        |x| [f(x)],
        rare,
        #[inline(always)]
        |x| [whole(x)],
    );
}

/// As [`map_vectors`], for a function that has several results.
#[inline]
pub(crate) fn map_vectors_to<T: Number, const N: usize>(x: &[T], out: [&mut [T]; N], f: impl Fn(T) -> [T; N] + Copy) {
    map_vectors_to_but(x, out, f, |_| false, f);
}

/// As [`map_vectors_but`], for a function that has several results.
#[inline]
pub(crate) fn map_vectors_to_but<T: Number, const N: usize>(
    x: &[T],
    out: [&mut [T]; N],
    f: impl Fn(T) -> [T; N],
    rare: impl Fn(T) -> bool,
    whole: impl Fn(T) -> [T; N],
) {
    assert!(out.iter().all(|out| out.len() == x.len()), "map_vectors: results of {} elements", x.len());
    let kernel = MapVectors { x, out, f, rare, whole };
    if kernel.x.len() < QUAD { kernel.run_plain() } else { Level::best().run(kernel) }
}

struct MapVectors<'a, T, F, R, W, const N: usize> {
    x: &'a [T],
    out: [&'a mut [T]; N],
    f: F,
    rare: R,
    whole: W,
}

impl<T, F, R, W, const N: usize> Kernel for MapVectors<'_, T, F, R, W, N>
where
    T: Number,
    F: Fn(T) -> [T; N],
    R: Fn(T) -> bool,
    W: Fn(T) -> [T; N],
{
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { x, mut out, f, rare, whole } = self;
        let (mut last, mut spare) = ([T::ONE; LANES], [[T::ONE; LANES]; N]);
        // The function stands here once, since it is long.
        for (k, x) in x.chunks(LANES).enumerate() {
            let n = x.len();
            let x = if let Some(x) = x.first_chunk() {
                x
            } else {
                copy(x, &mut last[..n]);
                &last
            };
            // Vectors stay in registers if they have no address but that of where they belong: a loop from one place in memory to
            // another would be there once more, without vectors, for where the two overlap.
            let vector = *x;
            let mut to = spare.each_mut();
            for (to, out) in to.iter_mut().zip(&mut out) {
                if let Some(out) = out[k * LANES..].first_chunk_mut() {
                    *to = out;
                }
            }
            let y = vectors(&vector, &f);
            for (to, y) in to.iter_mut().zip(y) {
                **to = y;
            }
            if vector.iter().fold(false, |any, &x| any | rare(x)) {
                each_rare(x, to, &rare, &whole);
            }
        }
        let filled = x.len() / LANES * LANES;
        for (out, spare) in out.iter_mut().zip(&spare) {
            copy(&spare[..x.len() - filled], &mut out[filled..]);
        }
    }
    #[inline(always)]
    fn run_plain(self) {
        each_plain(self.x, self.out, None, &self.whole);
    }
}

/// The loop has a constant length, so that it becomes vectors without a rest. The function comes as a plain reference:
/// a call through `impl Fn for &F` would not be inlined for certain.
#[inline(always)]
fn vectors<T: Number, const N: usize>(x: &[T; LANES], f: &impl Fn(T) -> [T; N]) -> [[T; LANES]; N] {
    let mut y = [[T::ONE; LANES]; N];
    for i in 0..LANES {
        let results = f(x[i]);
        for k in 0..N {
            y[k][i] = results[k];
        }
    }
    y
}

/// The elements of a vector whose arguments are rare.
#[cold]
#[inline(never)]
fn each_rare<T: Number, const N: usize>(
    x: &[T; LANES],
    out: [&mut [T; LANES]; N],
    rare: &impl Fn(T) -> bool,
    whole: &impl Fn(T) -> [T; N],
) {
    let mut chosen = [false; LANES];
    for (chosen, &x) in chosen.iter_mut().zip(x) {
        *chosen = rare(x);
    }
    each_plain(x, out.map(|out| &mut out[..]), Some(&chosen), whole);
}

/// One after the other, all or those of a vector that are chosen: at the baseline, and where arguments are rare, since the
/// function is long.
#[inline(never)]
fn each_plain<T: Number, const N: usize>(
    x: &[T],
    out: [&mut [T]; N],
    chosen: Option<&[bool; LANES]>,
    f: &impl Fn(T) -> [T; N],
) {
    for (i, &x) in x.iter().enumerate() {
        if chosen.is_none_or(|chosen| chosen[i]) {
            let y = f(x);
            for k in 0..N {
                out[k][i] = y[k];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::level::tests::at_every_level;

    #[test]
    fn an_element_has_the_same_value_alone_and_at_every_place_of_an_array_of_any_length() {
        fn check<T: Number>() {
            let x: Vec<T> = (0..150).map(|i| T::of(0.37 * f64::from(i) - 20.0)).collect();
            let alone: Vec<T> = x.iter().map(|&x| x.tanh()).collect();
            at_every_level(|level| {
                for n in 0..80 {
                    for start in [0, 1, 2, 3, 5, 17] {
                        let range = start..start + n;
                        let mut y = vec![T::NAN; n];
                        map_vectors(&x[range.clone()], &mut y, T::tanh);
                        assert_eq!(y, alone[range.clone()], "{n} from {start} at {level:?}");
                        map(&x[range.clone()], &mut y, T::tanh);
                        assert_eq!(y, alone[range], "{n} from {start} at {level:?}");
                    }
                }
            });
        }
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn rare_arguments_are_computed_as_the_function_itself_does_at_every_place() {
        fn check<T: Number>() {
            let rare = |x: T| x.abs() > T::of(9.0);
            let whole = |x: T| if rare(x) { x.sqrt() } else { x.tanh() };
            let x: Vec<T> = (0..150).map(|i| T::of(f64::from(i * 37 % 101) * 0.2 - 10.0)).collect();
            let bits = |x: &[T]| -> Vec<i64> { x.iter().map(|x| x.to_index()).collect() };
            let alone: Vec<T> = x.iter().map(|&x| whole(x)).collect();
            assert!(x.iter().any(|&x| rare(x)) && !x.iter().all(|&x| rare(x)));
            at_every_level(|level| {
                for n in 0..80 {
                    for range in [0..n, 5..n + 5, 40..n + 40] {
                        let mut y = vec![T::ONE; n];
                        map_vectors_but(&x[range.clone()], &mut y, T::tanh, rare, whole);
                        assert_eq!(bits(&y), bits(&alone[range.clone()]), "{range:?} at {level:?}");
                    }
                }
            });
        }
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn a_function_and_its_slope_have_the_bits_that_each_has_alone() {
        fn check<T: Number>() {
            let x: Vec<T> = (0..100).map(|i| T::of(0.61 * f64::from(i) - 30.0)).chain([T::INFINITY, T::ZERO]).collect();
            at_every_level(|level| {
                for n in [0, 1, 15, 16, 17, 48, 102] {
                    let (mut y, mut slope) = (vec![T::NAN; n], vec![T::NAN; n]);
                    map_vectors_to(&x[..n], [&mut y, &mut slope], |x| [x.sigmoid(), x.sigmoid_slope()]);
                    assert!((0..n).all(|i| y[i] == x[i].sigmoid() && slope[i] == x[i].sigmoid_slope()), "{level:?}");
                    map_vectors_to(&x[..n], [&mut y, &mut slope], |x| [x.tanh(), x.sech2()]);
                    assert!((0..n).all(|i| y[i] == x[i].tanh() && slope[i] == x[i].sech2()), "{level:?}");
                }
            });
        }
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn copies_of_any_length_are_whole() {
        for n in 0..70 {
            let from: Vec<usize> = (1..=n).collect();
            let mut to = vec![0; n];
            copy(&from, &mut to);
            assert_eq!(from, to);
        }
    }
}
