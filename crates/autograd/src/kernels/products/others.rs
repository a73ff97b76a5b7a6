//! Products of all factors of a row but one: the cotangents of its factors.

use super::{TOGETHER, WideProducts, along, next_run, together};
use crate::kernels::beside::{Beside, WIDE, walk, walk_rows};
use crate::kernels::in_turn::zmul;
use crate::kernels::map::{LANES, level};
use crate::kernels::order::with_zeros;
use crate::kernels::recur::{Carried, FEW, GROUP, Plain, Wide, each, tell};
use crate::number::Number;
use crate::number::elementary::select;
use crate::number::level::Kernel;
use std::ops::Range;

/// `out_t = dy · Π_{s≠t} x_s` along the middle of `[outer, n, inner]`, where `y` is the product of each row: `dy · (y / x_t)` where all of
/// these are within the range; else each product is made on its own.
pub(crate) fn of_others<T: Number>(x: &[T], (n, inner): (usize, usize), [y, dy]: [&[T]; 2], out: &mut [T]) {
    with_zeros(y.len(), |odd| {
        match together(n, inner) {
            _ if inner == 1 && n >= LANES => level(x.len()).run(Others { x, n, y, dy, odd, out }),
            None => beside_others(x, (n, inner), [y, dy], odd, out),
            Some(k) => {
                let blocks = x.chunks_exact(n * inner).zip(out.chunks_exact_mut(n * inner)).enumerate();
                for (o, (x, out)) in blocks {
                    let (own, rest) = (o * inner..(o + 1) * inner, n / k * k * inner);
                    let [mut y_again, mut dy_again, mut odd_again] = [[T::ZERO; TOGETHER]; 3];
                    for at in (0..k * inner).step_by(inner) {
                        y_again[at..at + inner].copy_from_slice(&y[own.clone()]);
                        dy_again[at..at + inner].copy_from_slice(&dy[own.clone()]);
                    }
                    let lanes = k * inner;
                    let repeated = [&y_again[..lanes], &dy_again[..lanes]];
                    let (head, tail) = out.split_at_mut(rest);
                    beside_others(&x[..rest], (n / k, lanes), repeated, &mut odd_again[..lanes], head);
                    beside_others(
                        &x[rest..],
                        (n % k, inner),
                        [&y[own.clone()], &dy[own.clone()]],
                        &mut odd[own.clone()],
                        tail,
                    );
                    for (i, _) in odd_again.iter().enumerate().filter(|(_, odd)| **odd != T::ZERO) {
                        odd[own.start + i % inner] = T::ONE;
                    }
                }
            }
        }
        let mut done = 0;
        while let Some(rows) = next_run(done..odd.len(), inner, |row| odd[row] != T::ZERO) {
            done = rows.end;
            if rows.len() < FEW {
                for row in rows {
                    let places = (row / inner * n * inner + row % inner, n, inner);
                    if !each_of_others::<T, Plain<T>>(x, dy[row], places, out) {
                        each_of_others::<T, Wide<T>>(x, dy[row], places, out);
                    }
                }
            } else {
                let carried = [[T::ONE; WIDE]; 3];
                let mut before = WideProducts { carried, exclusive: true, whole: None, rows: 0..0 };
                walk_rows([x], out, (n, inner), rows.clone(), false, &mut before);
                walk_rows([x], out, (n, inner), rows, true, &mut WideOthers { carried, dy, rows: 0..0 });
            }
        }
    });
}

/// Makes the products of rows beside each other; `odd` are those that are not right.
fn beside_others<T: Number>(x: &[T], (n, inner): (usize, usize), [y, dy]: [&[T]; 2], odd: &mut [T], out: &mut [T]) {
    walk([x], out, (n, inner), false, &mut OthersBeside { y, dy, odd, rows: 0..0, own: [[T::ONE; WIDE]; 3] });
}

/// What stands for one element, and whether it is right: none is where the product, its quotient, or both leave the range, or a
/// factor is 0.
#[inline(always)]
fn other<T: Number>(x: T, y: T, dy: T) -> (T, bool) {
    let quotient = y / x;
    let size = quotient.abs();
    // Not the very ends of the range: what asks for a class of numbers is done one by one.
    (zmul(dy, quotient), (y.abs() > T::MIN_POSITIVE) & (size > T::MIN_POSITIVE) & (size < T::MAX))
}

/// Rows of neighbours of a vector or more.
struct Others<'a, T> {
    x: &'a [T],
    n: usize,
    y: &'a [T],
    dy: &'a [T],
    odd: &'a mut [T],
    out: &'a mut [T],
}

impl<T: Number> Kernel for Others<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { x, n, y, dy, odd, out } = self;
        let rows = x.chunks_exact(n).zip(out.chunks_exact_mut(n)).zip(y).zip(dy).zip(odd);
        for ((((x, out), &y), &dy), odd) in rows {
            let mut wrong = [T::ZERO; LANES];
            for start in (0..n).step_by(LANES) {
                // What fills no vector is done with what is before it.
                let at = start.min(n - LANES);
                let (Some(&x), Some(out)) = (x[at..].first_chunk::<LANES>(), out[at..].first_chunk_mut()) else {
                    break;
                };
                let mut made = [T::ZERO; LANES];
                for i in 0..LANES {
                    let (z, is_right) = other(x[i], y, dy);
                    (made[i], wrong[i]) = (z, select(is_right, wrong[i], T::ONE));
                }
                *out = made;
            }
            if wrong != [T::ZERO; LANES] {
                *odd = T::ONE;
            }
        }
    }
}

/// The same of rows beside each other, with copies of what stands for them: fewer places that might overlap.
struct OthersBeside<'a, T> {
    y: &'a [T],
    dy: &'a [T],
    odd: &'a mut [T],
    rows: Range<usize>,
    /// `y`, `dy` and `odd` of these rows.
    own: [[T; WIDE]; 3],
}

impl<T: Number> Beside<T, 1> for OthersBeside<'_, T> {
    #[inline(always)]
    fn start(&mut self, rows: Range<usize>) {
        let [y, dy, odd] = &mut self.own;
        y[..rows.len()].copy_from_slice(&self.y[rows.clone()]);
        dy[..rows.len()].copy_from_slice(&self.dy[rows.clone()]);
        odd[..rows.len()].fill(T::ZERO);
        self.rows = rows;
    }
    #[inline(always)]
    fn step(&mut self, _: usize, [x]: [&[T]; 1], out: &mut [T]) {
        let [y, dy, odd] = &mut self.own;
        let rows = y.iter().zip(dy.iter()).zip(odd);
        for ((&x, out), ((&y, &dy), odd)) in x.iter().zip(out).zip(rows) {
            let (z, is_right) = other(x, y, dy);
            (*out, *odd) = (z, select(is_right, *odd, T::ONE));
        }
    }
    #[inline(always)]
    fn finish(&mut self) {
        self.odd[self.rows.clone()].copy_from_slice(&self.own[2][..self.rows.len()]);
    }
}

/// The same of rows of which one leaves the range: `dy` times the factors behind each element, times those before it, which are there.
struct WideOthers<'a, T> {
    carried: [[T; WIDE]; 3],
    dy: &'a [T],
    rows: Range<usize>,
}

impl<T: Number> Beside<T, 1> for WideOthers<'_, T> {
    const READS_RESULT: bool = true;
    #[inline(always)]
    fn start(&mut self, rows: Range<usize>) {
        self.rows = rows;
    }
    #[inline(always)]
    fn step(&mut self, t: usize, [x]: [&[T]; 1], y: &mut [T]) {
        if t == 0 {
            let dy = &self.dy[self.rows.clone()];
            each(&mut self.carried, (dy, dy), |_, dy, _| Wide::start(dy));
        }
        let mut behind = [T::ZERO; WIDE];
        tell(&self.carried, &mut behind[..y.len()]);
        for (y, &behind) in y.iter_mut().zip(&behind) {
            *y = both(behind, *y);
        }
        if (t + 1).is_multiple_of(GROUP) {
            each(&mut self.carried, (x, x), |h, x, _| h.stepped(x, T::ZERO, true, true));
        } else {
            each(&mut self.carried, (x, x), |h, x, _| h.stepped(x, T::ZERO, true, false));
        }
    }
}

/// `g · w`, but exactly 0 where either is 0.
#[inline(always)]
fn both<T: Number>(g: T, w: T) -> T {
    select((g == T::ZERO) | (w == T::ZERO), T::ZERO, g * w)
}

/// The same of one row, from the products before each element and `dy` times those behind it; whether all of them are right.
#[inline(never)]
fn each_of_others<T: Number, C: Carried<T>>(
    x: &[T],
    dy: T,
    (start, n, inner): (usize, usize, usize),
    out: &mut [T],
) -> bool {
    let at = |t: usize| start + t * inner;
    if along::<T, C>(n, true, |t| x[at(t)], |t, before| out[at(t)] = before).is_none() {
        return false;
    }
    let mut behind = C::start(dy);
    for t in (0..n).rev() {
        let (out, factor) = (&mut out[at(t)], behind.number());
        *out = both(factor, *out);
        let (next, is_right) = behind.next(n - t, x[at(t)], T::ZERO, true);
        if !is_right && t > 0 {
            return false;
        }
        behind = next;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::product;
    use super::super::tests::{factors, same};
    use super::*;
    use crate::kernels::beside::tests::SHAPES;
    use crate::number::level::tests::at_every_level;

    /// Close to those that are made one by one, and the same where factors are 0 or the range is left.
    fn check_others<T: Number>() {
        let long = [[1, 513, 1], [2, 1100, 3], [1, 600, 15], [3, 520, 2]];
        for [outer, n, inner] in SHAPES.into_iter().chain(long) {
            for far in [false, true] {
                let x = factors::<T>(outer * n * inner, far);
                let dy: Vec<T> = (0..outer * inner).map(|i| T::of([1.5, -0.25, 0.0, 1.0][i % 4])).collect();
                let [mut y, mut want] = [vec![T::NAN; outer * inner], vec![T::NAN; x.len()]];
                product(&x, (n, inner), &mut y);
                for (row, &dy) in dy.iter().enumerate() {
                    let places = (row / inner * n * inner + row % inner, n, inner);
                    assert!(each_of_others::<T, Wide<T>>(&x, dy, places, &mut want));
                }
                at_every_level(|level| {
                    let mut out = vec![T::NAN; x.len()];
                    of_others(&x, (n, inner), [&y, &dy], &mut out);
                    for (i, (&out, &want)) in out.iter().zip(&want).enumerate() {
                        let near = (out - want).abs() <= T::of(n as f64 + 4.0) * T::EPSILON * want.abs();
                        assert!(near || same(out, want), "{outer} {n} {inner} {far} {i} {level:?}: {out} {want}");
                    }
                });
            }
        }
    }

    #[test]
    fn products_of_all_others_are_right_where_factors_vanish_or_leave_the_range() {
        check_others::<f32>();
        check_others::<f64>();
    }
}
