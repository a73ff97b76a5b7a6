//! The linear recurrence behind running products, whose steps may leave the range of a number type and come back.

use super::beside::{Beside, WIDE, walk, walk_rows};
use crate::number::Number;
use crate::number::elementary::select;
use smallvec::SmallVec;
use std::ops::Range;

/// Fewer rows are walked one after the other: as lanes they would fill no vector.
pub(super) const FEW: usize = 4;
/// Steps after which a product of fractions has an exponent that is counted: until then it stays far from the ends of the range.
pub(super) const GROUP: usize = 32;

/// How a recurrence goes: `h_t = b_t + a_t · h_before`, or, where `lagged`, `h_t = b_t + a_before · h_before`, where, if it is
/// `absolute`, an `h` of 0 contributes 0 whatever its factor is.
#[derive(Clone, Copy)]
struct Kind {
    lagged: bool,
    absolute: bool,
}

/// A linear recurrence along the middle of `[outer, n, inner]`, from the front or from the back:
/// see [`Kind`]; nothing comes before the first. An `h` that overflows or vanishes is carried on as what it is, so a later one that
/// is in range again is right.
pub(crate) fn recur<T: Number>(
    (a, b): (&[T], &[T]),
    (n, inner): (usize, usize),
    reverse: bool,
    lagged: bool,
    absolute: bool,
    h: &mut [T],
) {
    let kind = Kind { lagged, absolute };
    let rows = a.len().checked_div(n).unwrap_or(0);
    if rows < FEW {
        for row in 0..rows {
            let places = Places { start: row / inner * n * inner + row % inner, n, step: inner, reverse };
            if !places.walk::<T, Plain<T>>((a, b), kind, h) {
                places.walk::<T, Wide<T>>((a, b), kind, h);
            }
        }
        return;
    }
    let mut beside = Recurrence { h: [T::ZERO; WIDE], before: [T::ZERO; WIDE], kind, odd: Odd::default() };
    walk([a, b], h, (n, inner), reverse, &mut beside);
    let mut wide = WideRows { carried: [[T::ZERO; WIDE]; 3], before: [T::ZERO; WIDE], kind };
    for rows in beside.odd.list {
        walk_rows([a, b], h, (n, inner), rows, reverse, &mut wide);
    }
}

/// What a recurrence carries on from step to step.
pub(super) trait Carried<T>: Copy {
    fn start(b: T) -> Self;
    /// The next step, of so many, and whether it is right.
    fn next(self, t: usize, a: T, b: T, absolute: bool) -> (Self, bool);
    fn number(self) -> T;
}

/// Where the elements of a row lie.
#[derive(Clone, Copy)]
struct Places {
    start: usize,
    n: usize,
    step: usize,
    reverse: bool,
}

impl Places {
    /// Walks along one row until a step is not right; whether there was none.
    #[inline(never)]
    fn walk<T: Number, C: Carried<T>>(self, (a, b): (&[T], &[T]), kind: Kind, h: &mut [T]) -> bool {
        let Self { start, n, step, reverse } = self;
        let at = |t: usize| start + if reverse { n - 1 - t } else { t } * step;
        let mut carried = C::start(b[at(0)]);
        h[at(0)] = b[at(0)];
        for t in 1..n {
            let factor = a[at(if kind.lagged { t - 1 } else { t })];
            let (next, is_right) = carried.next(t, factor, b[at(t)], kind.absolute);
            if !is_right {
                return false;
            }
            carried = next;
            h[at(t)] = carried.number();
        }
        true
    }
}

/// An `h` as it is, as long as no product leaves the range.
#[derive(Clone, Copy)]
pub(super) struct Plain<T>(T);

impl<T: Number> Carried<T> for Plain<T> {
    #[inline(always)]
    fn start(b: T) -> Self {
        Self(b)
    }
    #[inline(always)]
    fn next(self, _: usize, a: T, b: T, absolute: bool) -> (Self, bool) {
        let product = self.0 * a;
        let left = !product.is_finite() | ((product.abs() < T::MIN_POSITIVE) & (self.0 != T::ZERO) & (a != T::ZERO));
        let counts = !absolute | (self.0 != T::ZERO);
        (Self(if counts { b + product } else { b }), !left)
    }
    #[inline(always)]
    fn number(self) -> T {
        self.0
    }
}

/// The recurrences of rows beside each other, as long as nothing leaves the range.
struct Recurrence<T> {
    h: [T; WIDE],
    /// The factors of the step before.
    before: [T; WIDE],
    kind: Kind,
    odd: Odd,
}

/// Rows of which one left the range, which are walked once more.
#[derive(Default)]
pub(super) struct Odd {
    /// Those that are walked.
    pub(super) rows: Range<usize>,
    /// Whether a product of these overflowed or vanished.
    pub(super) left: bool,
    /// Those that were, and perhaps some between them.
    pub(super) list: SmallVec<[Range<usize>; 4]>,
}

impl Odd {
    #[inline(always)]
    pub(super) fn start(&mut self, rows: Range<usize>) {
        (self.rows, self.left) = (rows, false);
    }

    #[inline(always)]
    pub(super) fn finish(&mut self) {
        if !self.left {
            return;
        }
        let is_full = self.list.len() == self.list.inline_size();
        match self.list.last_mut() {
            Some(last) if last.end == self.rows.start || is_full => last.end = self.rows.end,
            _ => self.list.push(self.rows.clone()),
        }
    }
}

impl<T: Number> Beside<T, 2> for Recurrence<T> {
    #[inline(always)]
    fn start(&mut self, rows: Range<usize>) {
        self.odd.start(rows);
    }

    #[inline(always)]
    fn step(&mut self, t: usize, [a, b]: [&[T]; 2], y: &mut [T]) {
        let Self { h, before, kind, odd } = self;
        // They are walked once more, and what vanishes gradually is slow.
        if odd.left {
            return;
        }
        let n = a.len();
        if t == 0 {
            h[..n].copy_from_slice(b);
        } else {
            let factors = if kind.lagged { &before[..n] } else { a };
            let mut all = true;
            for ((h, &a), &b) in h.iter_mut().zip(factors).zip(b) {
                let (next, is_right) = Plain(*h).next(t, a, b, kind.absolute);
                all &= is_right;
                *h = next.0;
            }
            odd.left = !all;
        }
        if kind.lagged {
            before[..n].copy_from_slice(a);
        }
        y.copy_from_slice(&h[..n]);
    }

    #[inline(always)]
    fn finish(&mut self) {
        self.odd.finish();
    }
}

/// The number `x · 2^(e + FAR·far)`, with all the room for its exponent. Its `x` is 0, infinite, NaN, or within `2^±GROUP`; it has
/// the digits, and is rounded, as if the range had no end.
#[derive(Clone, Copy)]
pub(super) struct Wide<T> {
    x: T,
    e: T,
    far: T,
}

/// More than `e` changes in a group of steps; `far` counts exactly what `e` alone, as an `f32`, would not.
const FAR: f64 = 65536.0;
/// What stands for the exponent of 0, which no sum is measured by.
const LEAST: f64 = -1e6;
/// A term that is smaller by this exponent changes no digit.
const BEYOND: f64 = 100.0;

impl<T: Number> Wide<T> {
    /// The exponent; nothing depends on its digits where it is too large to have all.
    #[inline(always)]
    fn exponent(self) -> T {
        self.e + self.far * T::of(FAR)
    }

    /// `GROUP` of these may follow each other.
    #[inline(always)]
    fn times(self, a: T) -> Self {
        let [fraction, exponent] = a.fraction_and_exponent();
        Self { x: self.x * fraction, e: self.e + exponent, ..self }
    }

    /// The same number with an `x` near 1 and a small `e`.
    #[inline(always)]
    fn settled(self) -> Self {
        let [x, more] = self.x.fraction_and_exponent();
        let e = self.e + more;
        let steps = (e * T::of(1.0 / FAR)).round_ties_even();
        Self { x, e: e - steps * T::of(FAR), far: self.far + steps }
    }

    /// The next step; `settles` in every group of steps, and wherever a term is no zero.
    #[inline(always)]
    pub(super) fn stepped(self, a: T, b: T, absolute: bool, settles: bool) -> Self {
        let ignored = absolute & (self.x == T::ZERO);
        if settles {
            let product = self.times(select(ignored, T::ONE, a)).settled();
            // With the sign of `b`, where that is a zero, too.
            let x = select(ignored, T::ZERO.copysign(b), product.x);
            Self { x, ..product }.plus(b)
        } else {
            let product = self.times(a);
            // A sum of zeros may have another sign.
            Self { x: select(ignored, b, product.x + b), ..product }
        }
    }

    #[inline(always)]
    fn plus(self, b: T) -> Self {
        let [fraction, exponent] = b.fraction_and_exponent();
        let own = select(self.x == T::ZERO, T::of(LEAST), self.exponent());
        let top = select(own > exponent, own, exponent);
        let sum = self.x.times_power_of_two(own - top) + fraction.times_power_of_two(exponent - top);
        let [x, more] = sum.fraction_and_exponent();
        let is_alone = select(b == T::ZERO, self.x != T::ZERO, b.is_finite() & (own > exponent + T::of(BEYOND)));
        Self {
            x: select(is_alone, self.x, x),
            e: select(is_alone, self.e, top + more),
            far: select(is_alone, self.far, T::ZERO),
        }
    }
}

impl<T: Number> Carried<T> for Wide<T> {
    #[inline(always)]
    fn start(b: T) -> Self {
        let [x, e] = b.fraction_and_exponent();
        Self { x, e, far: T::ZERO }
    }
    #[inline(always)]
    fn next(self, t: usize, a: T, b: T, absolute: bool) -> (Self, bool) {
        (self.stepped(a, b, absolute, t.is_multiple_of(GROUP) || b != T::ZERO), true)
    }
    /// As a float: infinite, gradually vanishing or 0 where it leaves the range.
    #[inline(always)]
    fn number(self) -> T {
        self.x.times_power_of_two(self.exponent())
    }
}

/// The same of rows beside each other of which one leaves the range.
struct WideRows<T> {
    /// `x`, `e` and `far` of each row.
    carried: [[T; WIDE]; 3],
    /// The factors of the step before.
    before: [T; WIDE],
    kind: Kind,
}

/// Goes on with each of the first rows.
#[inline(always)]
pub(super) fn each<T: Number>(
    [x, e, far]: &mut [[T; WIDE]; 3],
    (a, b): (&[T], &[T]),
    next: impl Fn(Wide<T>, T, T) -> Wide<T>,
) {
    for ((((x, e), far), &a), &b) in x.iter_mut().zip(e).zip(far).zip(a).zip(b) {
        let h = next(Wide { x: *x, e: *e, far: *far }, a, b);
        (*x, *e, *far) = (h.x, h.e, h.far);
    }
}

/// Multiplies the first rows by as many others, from one on, all of them settled.
#[inline(always)]
pub(super) fn join<T: Number>(all: &mut [[T; WIDE]; 3], rows: usize, others: usize) {
    let [(xs, x), (es, e), (fars, far)] = all.each_mut().map(|all| all.split_at_mut(others));
    let (firsts, others) = (xs.iter_mut().zip(es).zip(fars), x.iter().zip(e).zip(far));
    for (((x, e), far), ((by, more), further)) in firsts.zip(others).take(rows) {
        let product = Wide { x: *x * *by, e: *e + *more, far: *far + *further }.settled();
        (*x, *e, *far) = (product.x, product.e, product.far);
    }
}

/// `g · h / x` for the first rows, of an `h` that is settled, as floats.
#[inline(always)]
pub(super) fn quotients<T: Number>([h, e, far]: &[[T; WIDE]; 3], (g, x): (&[T], &[T]), out: &mut [T]) {
    for (((((&h, &e), &far), &g), &x), out) in h.iter().zip(e).zip(far).zip(g).zip(x).zip(out) {
        let ([g, more], [x, less]) = (g.fraction_and_exponent(), x.fraction_and_exponent());
        *out = (g * h / x).times_power_of_two(Wide { x: h, e, far }.exponent() + (more - less));
    }
}

/// The first rows as floats.
#[inline(always)]
pub(super) fn tell<T: Number>([x, e, far]: &[[T; WIDE]; 3], y: &mut [T]) {
    for (((&x, &e), &far), y) in x.iter().zip(e).zip(far).zip(y) {
        *y = Wide { x, e, far }.number();
    }
}

impl<T: Number> Beside<T, 2> for WideRows<T> {
    #[inline(always)]
    fn start(&mut self, _: Range<usize>) {}

    #[inline(always)]
    fn step(&mut self, t: usize, [a, b]: [&[T]; 2], y: &mut [T]) {
        let Self { carried, before, kind: Kind { lagged, absolute } } = self;
        let n = a.len();
        let factors = if *lagged { &before[..n] } else { a };
        if t == 0 {
            each(carried, (b, b), |_, _, b| Wide::start(b));
        } else if t.is_multiple_of(GROUP) || b.iter().fold(false, |any, &b| any | (b != T::ZERO)) {
            each(carried, (factors, b), |h, a, b| h.stepped(a, b, *absolute, true));
        } else {
            each(carried, (factors, b), |h, a, b| h.stepped(a, b, *absolute, false));
        }
        tell(carried, y);
        if *lagged {
            before[..n].copy_from_slice(a);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::level::tests::at_every_level;

    /// The recurrence of one row, in the whole range, as it is meant.
    fn recur_one<T: Number>(
        (a, b): (&[T], &[T]),
        row: usize,
        (n, inner): (usize, usize),
        reverse: bool,
        lagged: bool,
        absolute: bool,
        h: &mut [T],
    ) {
        let step = T::of(2.0) / T::MIN_POSITIVE.sqrt();
        let start = row / inner * n * inner + row % inner;
        let mut carried = One::of(T::ZERO);
        let mut before = None;
        for t in 0..n {
            let at = start + if reverse { n - 1 - t } else { t } * inner;
            carried = match before {
                Some(before) if !absolute || carried.x != T::ZERO => {
                    carried.times(a[if lagged { before } else { at }], step).plus(b[at], step)
                }
                _ => One::of(b[at]),
            };
            h[at] = carried.number(step);
            before = Some(at);
        }
    }

    /// The number `x · step^steps`: a float with more room for its exponent. While all is in the range of the type there are no
    /// steps, and computing with it is computing with `x`.
    #[derive(Clone, Copy)]
    struct One<T> {
        x: T,
        steps: i32,
    }

    impl<T: Number> One<T> {
        fn of(x: T) -> Self {
            Self { x, steps: 0 }
        }

        fn times(self, a: T, step: T) -> Self {
            let x = self.x * a;
            let is_exact = !self.x.is_finite() || !a.is_finite() || self.x == T::ZERO || a == T::ZERO;
            if is_exact {
                // Nothing overflowed or vanished: one of the factors is infinite, NaN or 0.
                Self::of(x)
            } else if !x.is_finite() {
                // Both are above 1.
                Self { x: (self.x / step) * (a / step), steps: self.steps + 2 }.settled(step)
            } else if x.abs() < T::MIN_POSITIVE {
                // Both are far below the largest number.
                Self { x: (self.x * step) * (a * step), steps: self.steps - 2 }.settled(step)
            } else {
                Self { x, ..self }.settled(step)
            }
        }

        fn plus(self, b: T, step: T) -> Self {
            if self.steps == 0 {
                return Self::of(b + self.x);
            }
            let scaled = Self { x: b, steps: -self.steps }.number(step);
            // What cannot be scaled up to this is far larger.
            if scaled.is_finite() { Self { x: self.x + scaled, ..self }.settled(step) } else { Self::of(b) }
        }

        /// With a step less where that is possible.
        fn settled(self, step: T) -> Self {
            if self.steps > 0 && self.x.abs() < T::ONE {
                Self { x: self.x * step, steps: self.steps - 1 }
            } else if self.steps < 0 && self.x.abs() >= T::ONE {
                Self { x: self.x / step, steps: self.steps + 1 }
            } else {
                self
            }
        }

        /// As a float: infinite, gradually vanishing or 0 where it leaves the range.
        fn number(self, step: T) -> T {
            // Four steps lead from one end of the range beyond the other.
            let (up, down) = (self.steps.clamp(0, 4), (-self.steps).clamp(0, 4));
            let x = (0..up).fold(self.x, |x, _| x * step);
            (0..down).fold(x, |x, _| x / step)
        }
    }

    fn products<T: Number>(a: &[f64]) -> Vec<f64> {
        let a: Vec<T> = a.iter().map(|&a| T::of(a)).collect();
        let mut b = vec![T::ZERO; a.len()];
        b[0] = a[0];
        let mut h = vec![T::NAN; a.len()];
        recur((&a, &b), (a.len(), 1), false, false, false, &mut h);
        h.iter().map(|h| h.to_f64()).collect()
    }

    #[test]
    fn a_product_that_overflows_or_vanishes_and_comes_back_is_right() {
        let inf = f64::INFINITY;
        let near = |got: &[f64], want: &[f64], tolerance: f64| {
            let close = |(g, w): (&f64, &f64)| g == w || (g - w).abs() <= tolerance * w.abs();
            assert!(got.iter().zip(want).all(close), "{got:?} not {want:?}");
        };
        near(&products::<f64>(&[1e250, 1e100, 1e-300, 1e3]), &[1e250, inf, 1e50, 1e53], 1e-14);
        near(&products::<f64>(&[1e-180, -1e-180, 1e250, 1e250]), &[1e-180, -0.0, -1e-110, -1e140], 1e-14);
        near(
            &products::<f64>(&[1e300, 1e300, 1e300, 1e-300, 1e-300, 1e-300]),
            &[1e300, inf, inf, inf, 1e300, 1.0],
            1e-14,
        );
        near(&products::<f64>(&[1e-320, 1e-10, 1e308, 1e20]), &[1e-320, 0.0, 1e-22, 1e-2], 2e-4);
        assert_eq!(products::<f64>(&[1e200, 1e200, 0.0, 5.0]), [1e200, inf, 0.0, 0.0]);
        assert!(products::<f64>(&[0.0, inf, 2.0])[1..].iter().all(|h| h.is_nan()));
        near(&products::<f32>(&[1e30, 1e30, 1e-35, 1e-20]), &[1e30, inf, 1e25, 1e5], 1e-5);
        near(&products::<f32>(&[1e-30, 1e-30, 1e35, 1e30]), &[1e-30, 0.0, 1e-25, 1e5], 1e-5);
    }

    #[test]
    fn rows_that_leave_the_range_are_right_beside_others_in_both_directions() {
        for (outer, n, inner) in [(600, 4, 1), (3, 5, 20), (1, 6, 300), (2, 70, 3)] {
            let len = outer * n * inner;
            let odd = |row: usize| row % 7 == 3 || row % 130 == 1;
            let row = |at: usize| at / (n * inner) * inner + at % inner;
            let a: Vec<f64> = (0..len)
                .map(|at| match (odd(row(at)), at / inner % n % 4) {
                    (false, _) => 1.0 + (at % 5) as f64 * 0.25,
                    (true, 0 | 1) => 1e200,
                    (true, _) => 1e-200,
                })
                .collect();
            let b: Vec<f64> = (0..len).map(|at| if at / inner % n == 0 { a[at] } else { 0.0 }).collect();
            for (reverse, lagged) in [(false, false), (true, false), (false, true), (true, true)] {
                let mut one = vec![f64::NAN; len];
                (0..outer * inner)
                    .for_each(|row| recur_one((&a, &b), row, (n, inner), reverse, lagged, false, &mut one));
                at_every_level(|level| {
                    let mut all = vec![f64::NAN; len];
                    recur((&a, &b), (n, inner), reverse, lagged, false, &mut all);
                    assert_eq!(all, one, "{outer} {n} {inner} {reverse} {lagged} {level:?}");
                });
            }
        }
    }

    /// Rows of factors and terms of all magnitudes, with zeros of both signs, denormal numbers, infinities and NaNs among them.
    fn rows_of_any_numbers<T: Number>(largest: f64) {
        for (outer, n, inner) in [(1, 300, 1), (3, 70, 1), (40, 150, 1), (1, 100, 2), (2, 90, 20), (1, 200, 150)] {
            let draw = |seed: usize, at: usize| ((at * 7919 + seed * 104_729) % 10_007) as f64 / 10_007.0;
            let number = |seed: usize, at: usize, odd: bool| match (odd, (draw(seed, at) * 600.0) as usize) {
                (true, 0) => T::ZERO,
                (true, 1) => -T::ZERO,
                (true, 2) => T::MIN_POSITIVE * T::of(0.37),
                (true, 3) if at.is_multiple_of(3) => -T::INFINITY,
                (true, 4) if at.is_multiple_of(3) => T::NAN,
                _ => {
                    let magnitude = ((draw(seed + 1, at) - 0.5) * largest * draw(seed + 2, at).powi(4)).exp();
                    T::of(magnitude).copysign(T::of(draw(seed + 3, at) - 0.4))
                }
            };
            let len = outer * n * inner;
            for (odd, terms) in [(false, 0), (true, 0), (false, 7), (true, 2)] {
                let a: Vec<T> = (0..len).map(|at| number(1, at, odd)).collect();
                let has_term =
                    |at: usize| (at / inner).is_multiple_of(n) || (terms > 0 && (at * 31 / 7).is_multiple_of(terms));
                let b: Vec<T> = (0..len).map(|at| if has_term(at) { number(9, at, odd) } else { T::ZERO }).collect();
                for kind in 0..8 {
                    let [reverse, lagged, absolute] = [1, 2, 4].map(|bit| kind & bit != 0);
                    let mut one = vec![T::NAN; len];
                    (0..outer * inner)
                        .for_each(|row| recur_one((&a, &b), row, (n, inner), reverse, lagged, absolute, &mut one));
                    at_every_level(|level| {
                        let mut all = vec![T::NAN; len];
                        recur((&a, &b), (n, inner), reverse, lagged, absolute, &mut all);
                        for (at, (&all, &one)) in all.iter().zip(&one).enumerate() {
                            let same = all.same_bits(one) || (all.is_nan() && one.is_nan());
                            assert!(
                                same,
                                "{outer} {n} {inner} {odd} {terms} {kind} at {at}: {all:e}, not {one:e}, {level:?}"
                            );
                        }
                    });
                }
            }
        }
    }

    #[test]
    fn rows_of_any_numbers_have_the_bits_of_the_whole_range() {
        rows_of_any_numbers::<f32>(80.0);
        rows_of_any_numbers::<f64>(600.0);
    }

    #[test]
    fn an_exponent_is_exact_however_far_it_is_from_the_range() {
        // 2^−17,000,000 on the way, where `f32` has no odd numbers.
        let n = 140_000;
        let a: Vec<f32> = (0..2 * n).map(|t| if t < n { 1e-37 } else { 1e37 }).collect();
        let mut b = vec![0.0; 2 * n];
        b[0] = a[0];
        let mut one = vec![0.0; 2 * n];
        recur_one((&a, &b), 0, (2 * n, 1), false, false, false, &mut one);
        assert!(one[n] == 0.0 && one[2 * n - 1] != 0.0 && one[2 * n - 1].is_finite());
        for rows in [1, FEW] {
            let (a, b) = (a.repeat(rows), b.repeat(rows));
            let mut h = vec![0.0; a.len()];
            recur((&a, &b), (2 * n, 1), false, false, false, &mut h);
            assert!(h.chunks(2 * n).all(|row| row == one), "{rows}");
        }
    }

    #[test]
    fn sums_on_the_way_are_those_of_the_whole_range() {
        // h = 1e300, then 1e600 + 1, then 1e300 + 1e300, then 1e600·0 + 7.
        let (a, b) = ([1.0, 1e300, 1e-300, 0.0], [1e300, 1.0, 1e300, 7.0]);
        let mut h = [0.0; 4];
        recur((&a, &b), (4, 1), false, false, false, &mut h);
        assert_eq!(h[3], 7.0);
        assert!(h[1] == f64::INFINITY && (h[2] / 2e300 - 1.0).abs() < 1e-15, "{h:?}");
        // What vanished is not seen beside what is in range.
        let (a, b) = ([1.0, 1e-300, 1e-300, 1e300], [1e-300, 0.0, 3.0, 0.0]);
        recur((&a, &b), (4, 1), false, false, true, &mut h);
        assert!(h[1] == 0.0 && h[2] == 3.0 && (h[3] / 3e300 - 1.0).abs() < 1e-15, "{h:?}");
        // A sum that overflows is carried on, too.
        let (a, b) = ([1.0, 1.0, 1e-10, 2.0], [1.7e308, 1.7e308, 0.0, 0.0]);
        recur((&a, &b), (4, 1), false, false, false, &mut h);
        assert!(h[1] == f64::INFINITY && (h[3] / 6.8e298 - 1.0).abs() < 1e-15, "{h:?}");
    }
}
