//! The linear recurrence behind running products, whose steps may leave the range of a number type and come back.

use super::beside::{Beside, WIDE, walk, walk_rows};
use crate::number::Number;
use smallvec::SmallVec;
use std::ops::Range;

/// A linear recurrence along the middle of `[outer, n, inner]`, from the front or from the back:
/// `h_t = b_t + a_t · h_before`, or, where `lagged`, `h_t = b_t + a_before · h_before`; nothing comes before the first.
/// Where `absolute`, an `h` of 0 contributes 0 whatever its factor is. An `h` that overflows or vanishes is carried on as what
/// it is, so a later one that is in range again is right.
pub(crate) fn recur<T: Number>(
    (a, b): (&[T], &[T]),
    (n, inner): (usize, usize),
    reverse: bool,
    lagged: bool,
    absolute: bool,
    h: &mut [T],
) {
    let zeros = [T::ZERO; WIDE];
    let (rows, odd) = (0..0, SmallVec::new());
    let mut beside = Recurrence { h: zeros, before: zeros, lagged, absolute, rows, left_range: false, odd };
    walk([a, b], h, (n, inner), reverse, &mut beside);
    let mut wide = Wide { x: zeros, steps: zeros, before: zeros, lagged, absolute };
    for rows in beside.odd {
        walk_rows([a, b], h, (n, inner), rows, reverse, &mut wide);
    }
}

/// The recurrences of rows beside each other, as long as nothing leaves the range.
struct Recurrence<T> {
    h: [T; WIDE],
    /// The factors of the step before.
    before: [T; WIDE],
    lagged: bool,
    absolute: bool,
    rows: Range<usize>,
    /// Whether a product of these rows overflowed or vanished.
    left_range: bool,
    /// Rows of which one left the range, and perhaps some between them.
    odd: SmallVec<[Range<usize>; 4]>,
}

impl<T: Number> Beside<T, 2> for Recurrence<T> {
    #[inline(always)]
    fn start(&mut self, rows: Range<usize>) {
        (self.rows, self.left_range) = (rows, false);
    }

    #[inline(always)]
    fn step(&mut self, t: usize, [a, b]: [&[T]; 2], y: &mut [T]) {
        let Self { h, before, lagged, absolute, .. } = self;
        let n = a.len();
        if t == 0 {
            h[..n].copy_from_slice(b);
        } else {
            let factors = if *lagged { &before[..n] } else { a };
            let mut left = false;
            for ((h, &a), &b) in h.iter_mut().zip(factors).zip(b) {
                let product = *h * a;
                let left_range =
                    !product.is_finite() | ((product.abs() < T::MIN_POSITIVE) & (*h != T::ZERO) & (a != T::ZERO));
                left |= left_range;
                let counts = !*absolute | (*h != T::ZERO);
                *h = if counts { b + product } else { b };
            }
            self.left_range |= left;
        }
        if self.lagged {
            self.before[..n].copy_from_slice(a);
        }
        y.copy_from_slice(&self.h[..n]);
    }

    #[inline(always)]
    fn finish(&mut self) {
        if !self.left_range {
            return;
        }
        let is_full = self.odd.len() == self.odd.inline_size();
        match self.odd.last_mut() {
            Some(last) if last.end == self.rows.start || is_full => last.end = self.rows.end,
            _ => self.odd.push(self.rows.clone()),
        }
    }
}

/// The same of rows of which one leaves the range: each `h` is `x · 2^(k·steps)`, with more room for its exponent. While all is in
/// the range there are no steps, and computing with it is computing with `x`.
struct Wide<T> {
    x: [T; WIDE],
    steps: [T; WIDE],
    /// The factors of the step before.
    before: [T; WIDE],
    lagged: bool,
    absolute: bool,
}

impl<T: Number> Beside<T, 2> for Wide<T> {
    #[inline(always)]
    fn start(&mut self, _: Range<usize>) {}

    #[inline(always)]
    fn step(&mut self, t: usize, [a, b]: [&[T]; 2], y: &mut [T]) {
        let Self { x, steps, before, lagged, absolute } = self;
        let n = a.len();
        let scales = scales::<T>();
        if t == 0 {
            x[..n].copy_from_slice(b);
            steps[..n].fill(T::ZERO);
            y.copy_from_slice(b);
        } else {
            let factors = if *lagged { &before[..n] } else { a };
            for ((((x, steps), &a), &b), y) in x.iter_mut().zip(steps).zip(factors).zip(b).zip(y) {
                let counts = !*absolute | (*x != T::ZERO);
                let next = plus(times((*x, *steps), a, scales), b, scales);
                (*x, *steps) = if counts { next } else { (b, T::ZERO) };
                *y = number((*x, *steps), scales);
            }
        }
        if *lagged {
            before[..n].copy_from_slice(a);
        }
    }
}

/// What a step multiplies by, a power of two, and its inverse.
#[inline(always)]
fn scales<T: Number>() -> [T; 2] {
    let step = T::of(2.0) / T::MIN_POSITIVE.sqrt();
    [step, T::ONE / step]
}

#[inline(always)]
fn times<T: Number>((x, steps): (T, T), a: T, [up, down]: [T; 2]) -> (T, T) {
    let product = x * a;
    // Nothing overflows or vanishes where one of the factors is infinite, NaN or 0.
    let is_exact = !x.is_finite() | !a.is_finite() | (x == T::ZERO) | (a == T::ZERO);
    // Both are above 1, or far below the largest number.
    let overflows = !is_exact & !product.is_finite();
    let vanishes = !is_exact & (product.abs() < T::MIN_POSITIVE);
    let two = T::of(2.0);
    let larger = if vanishes { ((x * up) * (a * up), steps - two) } else { (product, steps) };
    let inside = if overflows { ((x * down) * (a * down), steps + two) } else { larger };
    let (settled, fewer) = settled(inside, [up, down]);
    if is_exact { (product, T::ZERO) } else { (settled, fewer) }
}

#[inline(always)]
fn plus<T: Number>((x, steps): (T, T), b: T, scales: [T; 2]) -> (T, T) {
    let scaled = number((b, -steps), scales);
    let (sum, fewer) = settled((x + scaled, steps), scales);
    let is_plain = steps == T::ZERO;
    // What cannot be scaled up to this is far larger.
    let far = if scaled.is_finite() { (sum, fewer) } else { (b, T::ZERO) };
    if is_plain { (b + x, T::ZERO) } else { far }
}

/// With a step less where that is possible.
#[inline(always)]
fn settled<T: Number>((x, steps): (T, T), [up, down]: [T; 2]) -> (T, T) {
    let rises = (steps > T::ZERO) & (x.abs() < T::ONE);
    let falls = (steps < T::ZERO) & (x.abs() >= T::ONE);
    let (higher, fewer) = if rises { (x * up, steps - T::ONE) } else { (x, steps) };
    if falls { (x * down, steps + T::ONE) } else { (higher, fewer) }
}

/// As a float: infinite, gradually vanishing or 0 where it leaves the range.
#[inline(always)]
fn number<T: Number>((x, steps): (T, T), [up, down]: [T; 2]) -> T {
    let mut number = x;
    // Four steps lead from one end of the range beyond the other.
    for k in 1..=4 {
        let k = T::of(f64::from(k));
        let factor = if steps >= k { up } else { T::ONE };
        number *= if steps <= -k { down } else { factor };
    }
    number
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
    }
}
