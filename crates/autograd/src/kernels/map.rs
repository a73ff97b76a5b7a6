//! Element-wise loops over one operand, compiled for each level of vector instructions.
#![cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "packs are read and written where pointers tell"))]

use crate::number::Number;
use crate::number::formula::Formula;
#[cfg(target_arch = "x86_64")]
use crate::number::formula::Pack;
use crate::number::level::{Kernel, Level, PackKernel};
use crate::tensor::memory;

/// Elements of a vector, or of the few that are worked on together: 512 bits of `f32`, twice that of `f64`.
pub(crate) const LANES: usize = 16;
/// The most that are worked on together.
pub(super) const MOST: usize = 2 * LANES;
/// Elements among which rare arguments are looked for: a multiple of all units.
pub(super) const TILE: usize = 8 * MOST;
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
        _ => memory::copy(from, to),
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

/// `out[i] = f(x[i])` for a function that costs tens of operations and is a formula, which may have several results. What does not fill
/// vectors is filled up: computing 15 elements costs as much as 16, not as 15 single ones.
#[inline]
pub(crate) fn map_formula<T: Number, const N: usize>(x: &[T], mut out: [&mut [T]; N], f: &impl Formula<1, N>) {
    let level = Level::best();
    if is_plain(x.len(), level) {
        each_plain(
            x,
            &mut out,
            #[inline(always)]
            |x| T::of_formula(f, [x]),
        );
    } else {
        in_tiles(x, &mut out, unit::<T>(level), &|x, out| {
            level.run_packs(MapFormula { x, out, f, rare: &|_| false, any: &mut false });
        });
    }
}

/// As [`map_formula`], for a function that `f` is only where an argument is not `rare`: there `whole` is called, which is the
/// function everywhere. A vector in which nothing is rare costs one test more. The value of an element depends on the
/// element alone, if `whole` is `f` wherever that may stand for it.
#[inline]
pub(crate) fn map_formula_but<T: Number, const N: usize>(
    x: &[T],
    mut out: [&mut [T]; N],
    f: &impl Formula<1, N>,
    rare: impl Fn(T) -> bool,
    whole: impl Fn(T) -> [T; N],
) {
    let level = Level::best();
    if is_plain(x.len(), level) {
        each_plain(x, &mut out, whole);
    } else {
        in_tiles(x, &mut out, unit::<T>(level), &|x, out| {
            let mut any = false;
            level.run_packs(MapFormula { x, out, f, rare: &rare, any: &mut any });
            if any {
                each_rare(x, out, &rare, &whole);
            }
        });
    }
}

/// As [`map_formula_but`], for a function that is no formula, but all of which the compiler makes vectors of. It must be `#[inline(always)]`.
#[inline]
pub(crate) fn map_vectors_but<T: Number>(
    x: &[T],
    out: &mut [T],
    f: impl Fn(T) -> T,
    rare: impl Fn(T) -> bool,
    whole: impl Fn(T) -> T,
) {
    let level = Level::best();
    let whole = |x| [whole(x)];
    if is_plain(x.len(), level) {
        each_plain(x, &mut [out], whole);
    } else {
        in_tiles(x, &mut [out], LANES, &|x, out| {
            let mut any = false;
            level.run(MapVectors::new(
                x,
                out,
                #[inline(always)]
                |x| [f(x)],
                &rare,
                &mut any,
            ));
            if any {
                each_rare(x, out, &rare, &whole);
            }
        });
    }
}

/// Whether so many elements are computed one after the other: a few, and all at the baseline, where vectors of a long function gain little.
pub(super) fn is_plain(n: usize, level: Level) -> bool {
    n < QUAD || !level.has_vectors()
}

/// The elements that a formula is computed of side by side.
pub(super) fn unit<T>(level: Level) -> usize {
    if cfg!(target_arch = "x86_64") { 2 * level.vector_bytes() / size_of::<T>() } else { LANES }
}

/// Computes the results of a piece.
type Tile<'f, T, const N: usize> = &'f dyn Fn(&[T], &mut [&mut [T]; N]);

/// Goes through all in pieces of whole units, for each of which `tile` computes the results: what is computed anew for each function, type
/// and level is that alone. The last unit may begin within the one before it.
#[inline(never)]
fn in_tiles<T: Number, const N: usize>(x: &[T], out: &mut [&mut [T]; N], unit: usize, tile: Tile<'_, T, N>) {
    let n = x.len();
    assert!(out.iter().all(|out| out.len() == n), "map: results of {n} elements");
    if n < unit {
        let (mut filled, mut spare) = ([T::ONE; MOST], [[T::ONE; MOST]; N]);
        copy(x, &mut filled[..n]);
        tile(&filled[..unit], &mut spare.each_mut().map(|spare| &mut spare[..unit]));
        for (out, spare) in out.iter_mut().zip(&spare) {
            copy(&spare[..n], out);
        }
        return;
    }
    let mut from = 0;
    while from < n {
        let rest = n - from;
        let len = if rest < unit { unit } else { (rest - rest % unit).min(TILE) };
        let start = from.min(n - len);
        tile(&x[start..start + len], &mut out.each_mut().map(|out| &mut out[start..start + len]));
        from = start + len;
    }
}

/// A formula of a whole number of packs.
struct MapFormula<'a, 'o, T, F, R, const N: usize> {
    x: &'a [T],
    out: &'a mut [&'o mut [T]; N],
    f: &'a F,
    rare: &'a R,
    /// Is set where an argument is rare.
    any: &'a mut bool,
}

impl<T, F, R, const N: usize> PackKernel<T> for MapFormula<'_, '_, T, F, R, N>
where
    T: Number,
    F: Formula<1, N>,
    R: Fn(T) -> bool,
{
    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    unsafe fn run<P: Pack<T>>(self) {
        let Self { x, out, f, rare, any } = self;
        let n = x.len();
        for out in &*out {
            assert!(out.len() == n && n.is_multiple_of(P::COUNT), "tiles are packs");
        }
        let mut is_any = false;
        for (i, x) in x.chunks_exact(P::COUNT).enumerate() {
            // SAFETY: the caller promises the set; operand and results have so many elements.
            unsafe {
                let y = f.of([P::load(x.as_ptr())]);
                for k in 0..N {
                    y[k].store(out[k].as_mut_ptr().add(i * P::COUNT));
                }
            }
            for &x in x {
                is_any |= (*rare)(x);
            }
        }
        *any = is_any;
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[inline(always)]
    fn run(self) {
        let Self { x, out, f, rare, any } = self;
        let map = MapVectors::new(
            x,
            out,
            #[inline(always)]
            |x| T::of_formula(f, [x]),
            rare,
            any,
        );
        map.run();
    }
}

/// A function that the compiler makes vectors of, of a whole number of them.
struct MapVectors<'a, 'o, T, F, R, const N: usize> {
    x: &'a [T],
    out: &'a mut [&'o mut [T]; N],
    f: F,
    rare: &'a R,
    any: &'a mut bool,
}

impl<'a, 'o, T, F: Fn(T) -> [T; N], R, const N: usize> MapVectors<'a, 'o, T, F, R, N> {
    #[inline(always)]
    fn new(x: &'a [T], out: &'a mut [&'o mut [T]; N], f: F, rare: &'a R, any: &'a mut bool) -> Self {
        Self { x, out, f, rare, any }
    }
}

impl<T, F, R, const N: usize> Kernel for MapVectors<'_, '_, T, F, R, N>
where
    T: Number,
    F: Fn(T) -> [T; N],
    R: Fn(T) -> bool,
{
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { x, out, f, rare, any } = self;
        let mut is_any = false;
        for (i, x) in x.as_chunks().0.iter().enumerate() {
            // Vectors stay in registers if they have no address but that of where they belong: a loop from one place in memory to
            // another would be there once more, without vectors, for where the two overlap.
            let y = vectors(x, &f);
            for k in 0..N {
                out[k][i * LANES..(i + 1) * LANES].copy_from_slice(&y[k]);
            }
            for &x in x {
                is_any |= (*rare)(x);
            }
        }
        *any = is_any;
    }
}

/// The loop has a constant length, so that it becomes vectors without a rest. The function comes as a plain reference:
/// a call through `impl Fn for &F` would not be inlined for certain.
#[inline(always)]
fn vectors<T: Number, const N: usize>(x: &[T; LANES], f: &impl Fn(T) -> [T; N]) -> [[T; LANES]; N] {
    let (x, mut y) = (*x, [[T::ONE; LANES]; N]);
    for i in 0..LANES {
        let results = f(x[i]);
        for k in 0..N {
            y[k][i] = results[k];
        }
    }
    y
}

/// The elements of a chunk whose arguments are rare.
#[cold]
#[inline(never)]
fn each_rare<T: Number, const N: usize>(
    x: &[T],
    out: &mut [&mut [T]; N],
    rare: &impl Fn(T) -> bool,
    whole: &impl Fn(T) -> [T; N],
) {
    for (i, &x) in x.iter().enumerate().filter(|&(_, &x)| rare(x)) {
        let y = whole(x);
        for k in 0..N {
            out[k][i] = y[k];
        }
    }
}

#[inline(never)]
fn each_plain<T: Number, const N: usize>(x: &[T], out: &mut [&mut [T]; N], f: impl Fn(T) -> [T; N]) {
    for out in &*out {
        assert!(out.len() == x.len(), "map: results of {} elements", x.len());
    }
    for (i, &x) in x.iter().enumerate() {
        let y = f(x);
        for k in 0..N {
            out[k][i] = y[k];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::elementary::tanh;
    use crate::number::formula::Functions;
    use crate::number::level::tests::at_every_level;

    struct Tanh;

    impl Formula<1, 1> for Tanh {
        #[inline(always)]
        fn of<R: Functions>(&self, [x]: [R; 1]) -> [R; 1] {
            [tanh(x)]
        }
    }

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
                        map_formula(&x[range.clone()], [&mut y], &Tanh);
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
                        map_formula_but(&x[range.clone()], [&mut y], &Tanh, rare, |x| [whole(x)]);
                        assert_eq!(bits(&y), bits(&alone[range.clone()]), "{range:?} at {level:?}");
                    }
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
