//! Largest and smallest elements along the middle of `[outer, n, inner]`: their values, places and shares.

use super::beside::{self, Beside, Folded, NARROW, WIDE, walk};
use super::by_row::by_row;
use super::map::level;
use crate::number::Number;
use crate::number::elementary::select;
use crate::number::level::Kernel;
use std::ops::Range;

/// Rows from this length on are worked on one by one, in lanes along the row: beside each other there might be too few.
const LONG: usize = 128;
/// Those lanes.
const LANES: usize = 32;

/// The largest (or smallest) element; NaN if there is one.
pub(crate) fn extreme<T: Number>(x: &[T], (n, inner): (usize, usize), largest: bool, out: &mut [T]) {
    if largest {
        fold(x, (n, inner), -T::INFINITY, out, T::larger);
    } else {
        fold(x, (n, inner), T::INFINITY, out, T::smaller);
    }
}

/// Folds by a function that does not care for the order.
fn fold<T: Number>(x: &[T], (n, inner): (usize, usize), init: T, out: &mut [T], f: impl Fn(T, T) -> T + Copy) {
    if n < LONG || !LANES.is_multiple_of(inner.max(1)) || x.is_empty() {
        return beside::fold(x, (n, inner), init, out, f);
    }
    level(x.len()).run(FoldLong(Folded { x, n, inner, init, out, f }));
}

/// Long rows along the middle of `[outer, n, inner]`, where the rows of several steps are the lanes of one.
struct FoldLong<'a, T, F>(Folded<'a, T, F>);

impl<T: Number, F: Fn(T, T) -> T> Kernel for FoldLong<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Folded { x, n, inner, init, out, f } = self.0;
        for (x, out) in x.chunks_exact(n * inner).zip(out.chunks_exact_mut(inner)) {
            let (chunks, rest) = x.as_chunks::<LANES>();
            let mut all = [init; LANES];
            for chunk in chunks {
                // As in `map.rs`: lanes that had an address would be kept in memory from step to step.
                let chunk = *chunk;
                for i in 0..LANES {
                    all[i] = f(all[i], chunk[i]);
                }
            }
            fold_lanes(all, rest, &f, out);
        }
    }
}

/// Folds lanes by halves, and what did not fill them. Apart from the loop before, of which the compiler would make vectors of two
/// lanes.
#[inline(never)]
fn fold_lanes<T: Number>(mut lanes: [T; LANES], rest: &[T], f: &impl Fn(T, T) -> T, out: &mut [T]) {
    lanes.iter_mut().zip(rest).for_each(|(a, &b)| *a = f(*a, b));
    let mut width = LANES;
    while width > out.len() {
        width /= 2;
        let (first, second) = lanes.split_at_mut(width);
        first.iter_mut().zip(second).for_each(|(a, &mut b)| *a = f(*a, b));
    }
    out.copy_from_slice(&lanes[..width]);
}

/// Where the largest (or smallest) element stands: the first of equal ones, a NaN before all.
pub(crate) fn arg_extreme<T: Number>(x: &[T], (n, inner): (usize, usize), largest: bool, out: &mut [T]) {
    if largest {
        first_best(x, (n, inner), -T::INFINITY, out, (|a, b| a > b, T::larger));
    } else {
        first_best(x, (n, inner), T::INFINITY, out, (|a, b| a < b, T::smaller));
    }
}

/// Whether `a` is to be preferred to `b`, which came before it.
#[inline(always)]
pub(super) fn wins<T: Number>(a: T, b: T, better: impl Fn(T, T) -> bool) -> bool {
    !b.is_nan() & (a.is_nan() | better(a, b))
}

fn first_best<T: Number>(
    x: &[T],
    (n, inner): (usize, usize),
    worst: T,
    out: &mut [T],
    (better, of): (impl Fn(T, T) -> bool + Copy, impl Fn(T, T) -> T + Copy),
) {
    out.fill(T::from_index(0));
    if n < LONG || inner >= NARROW || x.is_empty() {
        let mut first = First { out, rows: 0..0, best: [worst; WIDE], worst, better, of };
        return walk([x], &mut [], (n, inner), false, &mut first);
    }
    let lanes = LANES / inner * inner;
    for (x, out) in x.chunks_exact(n * inner).zip(out.chunks_exact_mut(inner)) {
        let (whole, rest) = x.split_at(x.len() / lanes * lanes);
        let mut places = [T::from_index(0); LANES];
        let mut first = First { out: &mut places[..lanes], rows: 0..0, best: [worst; WIDE], worst, better, of };
        walk([whole], &mut [], (whole.len() / lanes, lanes), false, &mut first);
        // Of lanes that are equal the one counts whose place comes first.
        for (i, out) in out.iter_mut().enumerate() {
            let at = |lane: usize| (places[lane].to_index() as usize * lanes + lane) / inner;
            let (mut best, mut place) = (x[at(i) * inner + i], at(i));
            for lane in (i + inner..lanes).step_by(inner) {
                let other = x[at(lane) * inner + i];
                let is_equal = other == best || (other.is_nan() && best.is_nan());
                if wins(other, best, better) || (is_equal && at(lane) < place) {
                    (best, place) = (other, at(lane));
                }
            }
            for (t, row) in (whole.len() / inner..).zip(rest.chunks_exact(inner)) {
                if wins(row[i], best, better) {
                    (best, place) = (row[i], t);
                }
            }
            *out = T::from_index(place as i64);
        }
    }
}

/// The places of the best elements so far, which are in `out`.
struct First<'a, T, F, G> {
    out: &'a mut [T],
    rows: Range<usize>,
    best: [T; WIDE],
    worst: T,
    better: F,
    /// The better of two.
    of: G,
}

impl<T: Number, F: Fn(T, T) -> bool, G: Fn(T, T) -> T> Beside<T, 1> for First<'_, T, F, G> {
    #[inline(always)]
    fn start(&mut self, rows: Range<usize>) {
        self.best[..rows.len()].fill(self.worst);
        self.rows = rows;
    }
    #[inline(always)]
    fn step(&mut self, t: usize, [x]: [&[T]; 1], _: &mut [T]) {
        let t = T::from_index(t as i64);
        for ((place, best), &x) in self.out[self.rows.clone()].iter_mut().zip(&mut self.best).zip(x) {
            let wins = wins(x, *best, &self.better);
            *best = (self.of)(*best, x);
            *place = if wins { t } else { *place };
        }
    }
}

/// `out[o, j, i]`: where in the middle the largest (or smallest) of the first `j + 1` elements stands: the last of equal
/// ones, a NaN before all.
pub(crate) fn running_arg_extreme<T: Number>(x: &[T], (n, inner): (usize, usize), largest: bool, out: &mut [T]) {
    let places = [T::from_index(0); WIDE];
    if largest {
        let (worst, better, of) = (-T::INFINITY, |a, b| a >= b, T::larger);
        walk([x], out, (n, inner), false, &mut Last { places, best: [worst; WIDE], worst, better, of });
    } else {
        let (worst, better, of) = (T::INFINITY, |a, b| a <= b, T::smaller);
        walk([x], out, (n, inner), false, &mut Last { places, best: [worst; WIDE], worst, better, of });
    }
}

struct Last<T, F, G> {
    places: [T; WIDE],
    best: [T; WIDE],
    worst: T,
    better: F,
    /// The better of two.
    of: G,
}

impl<T: Number, F: Fn(T, T) -> bool, G: Fn(T, T) -> T> Beside<T, 1> for Last<T, F, G> {
    #[inline(always)]
    fn start(&mut self, rows: Range<usize>) {
        self.best[..rows.len()].fill(self.worst);
        self.places[..rows.len()].fill(T::from_index(0));
    }
    #[inline(always)]
    fn step(&mut self, t: usize, [x]: [&[T]; 1], y: &mut [T]) {
        let t = T::from_index(t as i64);
        for (((place, best), &x), y) in self.places.iter_mut().zip(&mut self.best).zip(x).zip(y) {
            let wins = x.is_nan() | (!best.is_nan() & (self.better)(x, *best));
            *best = (self.of)(*best, x);
            *place = if wins { t } else { *place };
            *y = *place;
        }
    }
}

/// Whether an element is the extreme one of its row, which is NaN where one element is.
#[inline(always)]
pub(crate) fn is_top<T: Number>(x: T, top: T) -> bool {
    (x == top) | x.is_nan()
}

/// `out[o, j, i]`: the number `w[o, i]` where `x[o, j, i]` is the extreme one of its row, which is given, else 0.
pub(crate) fn at_extreme<T: Number>([x, top, w]: [&[T]; 3], (n, inner): (usize, usize), out: &mut [T]) {
    by_row(x, [top, w], (n, inner), out, |x, [top, w]| select(is_top(x, top), w, T::ZERO));
}

/// The share of each element that is the maximum (or minimum) over the middle of `[outer, n, inner]`: `1/k` where `k` are tied; the
/// NaNs share it where there are any.
pub(crate) fn extreme_share<T: Number>(x: &[T], extreme: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    if !x.is_empty() {
        level(x.len()).run(Shares { x, extreme, n, inner, out });
    }
}

struct Shares<'a, T> {
    x: &'a [T],
    extreme: &'a [T],
    n: usize,
    inner: usize,
    out: &'a mut [T],
}

#[inline(always)]
fn share_of<T: Number>(ties: u32) -> T {
    if ties == 1 { T::ONE } else { T::of(1.0 / f64::from(ties)) }
}

/// How many elements of a row are extreme.
#[inline(always)]
fn ties<T: Number>(x: &[T], is_top: impl Fn(T) -> bool) -> u32 {
    x.iter().fold(0, |ties, &x| ties + u32::from(is_top(x)))
}

impl<T: Number> Kernel for Shares<'_, T> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { x, extreme, n, inner, out } = self;
        if inner == 1 {
            for ((x, out), &top) in x.chunks_exact(n).zip(out).zip(extreme) {
                *out = share_of(if top.is_nan() { ties(x, T::is_nan) } else { ties(x, |x| x == top) });
            }
            return;
        }
        out.fill(T::ZERO);
        for ((x, out), top) in
            x.chunks_exact(n * inner).zip(out.chunks_exact_mut(inner)).zip(extreme.chunks_exact(inner))
        {
            for x in x.chunks_exact(inner) {
                for ((ties, &x), &top) in out.iter_mut().zip(x).zip(top) {
                    *ties += if is_top(x, top) { T::ONE } else { T::ZERO };
                }
            }
        }
        for ties in out {
            *ties = T::ONE / *ties;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::beside::tests::SHAPES;
    use crate::number::level::tests::at_every_level;

    /// Arrays with ties, zeros of both signs, infinities and NaNs.
    fn arrays<T: Number>(len: usize) -> [Vec<T>; 3] {
        let plain = |i: usize| T::of(((i * 7919) % 37) as f64 - 18.0);
        let flat = |i: usize| T::of([0.0, -0.0, 1.0, 1.0][i % 3] * f64::from(u8::from(!i.is_multiple_of(5))));
        let odd = |i: usize| match i % 23 {
            3 => T::INFINITY,
            5 => -T::INFINITY,
            11 if i.is_multiple_of(2) => T::NAN,
            _ => plain(i),
        };
        [(0..len).map(plain).collect(), (0..len).map(flat).collect(), (0..len).map(odd).collect()]
    }

    /// The place of the best of a row, and the best places so far, as they are meant.
    fn places<T: Number>(row: &[T], largest: bool) -> (usize, Vec<usize>) {
        let above = |a: T, b: T| if largest { a > b } else { a < b };
        let first = |best: usize, j: usize| {
            let wins = !row[best].is_nan() && (row[j].is_nan() || above(row[j], row[best]));
            if wins { j } else { best }
        };
        let mut last = 0;
        let running = (0..row.len()).map(|j| {
            if row[j].is_nan() || !row[last].is_nan() && !above(row[last], row[j]) {
                last = j;
            }
            last
        });
        let running = running.collect();
        ((1..row.len()).fold(0, first), running)
    }

    fn check<T: Number>() {
        for [outer, n, inner] in
            SHAPES.into_iter().chain([[3, 300, 1], [2, 129, 7], [1, 1000, 15], [2, 200, 0], [0, 200, 3]])
        {
            for x in arrays::<T>(outer * n * inner) {
                for largest in [true, false] {
                    at_every_level(|level| {
                        let what = format!("{outer} {n} {inner} {largest} {level:?}");
                        let (mut tops, mut args) = (vec![T::ZERO; outer * inner], vec![T::ZERO; outer * inner]);
                        let (mut running, mut shares) = (x.clone(), vec![T::of(7.0); outer * inner]);
                        extreme(&x, (n, inner), largest, &mut tops);
                        arg_extreme(&x, (n, inner), largest, &mut args);
                        running_arg_extreme(&x, (n, inner), largest, &mut running);
                        extreme_share(&x, &tops, (n, inner), &mut shares);
                        for (r, &top) in tops.iter().enumerate() {
                            let at = |j: usize| (r / inner * n + j) * inner + r % inner;
                            let row: Vec<T> = (0..n).map(|j| x[at(j)]).collect();
                            let (place, so_far) = places(&row, largest);
                            assert!(is_top(row[place], top), "{what}");
                            assert_eq!(args[r].to_index() as usize, place, "{what}");
                            let ties = row.iter().filter(|&&x| is_top(x, top)).count();
                            assert_eq!(shares[r], T::of(1.0 / ties as f64), "{what}");
                            for (j, &so_far) in so_far.iter().enumerate() {
                                assert_eq!(running[at(j)].to_index() as usize, so_far, "{what}");
                            }
                        }
                    });
                }
            }
        }
    }

    #[test]
    fn extremes_their_places_and_their_shares_are_what_is_meant_along_rows_of_every_shape() {
        check::<f32>();
        check::<f64>();
    }
}
