//! Products of all factors of a row but one: the cotangents of its factors.

use super::{MANY, TOGETHER, along, next_run, together};
use crate::kernels::beside::{Beside, NARROW, WIDE, walk, walk_rows};
use crate::kernels::in_turn::zmul;
use crate::kernels::map::{LANES, level};
use crate::kernels::order::with_zeros;
use crate::kernels::recur::{Carried, GROUP, Wide, each, join, quotients, tell};
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
            far_others(x, (n, inner), rows, dy, out);
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

/// The same of rows that leave the range or have factors of 0: from products that carry an exponent of their own, of all factors that
/// are not 0.
fn far_others<T: Number>(x: &[T], (n, inner): (usize, usize), rows: Range<usize>, dy: &[T], out: &mut [T]) {
    let long = together(n, inner).filter(|_| rows.len() < MANY);
    let mut start = rows.start;
    while start < rows.end {
        // So many go through a walk together, however long they are, if their neighbours do.
        let end = match long {
            Some(_) => start + inner,
            None if inner < NARROW => start + MANY / inner * inner,
            None => (start + MANY).min(start - start % inner + inner),
        };
        let part = start..end.min(rows.end);
        let odd = if let Some(k) = long {
            let block = part.start * n..part.end * n;
            far_block(&x[block.clone()], (n, inner), k, &dy[part.clone()], &mut out[block])
        } else {
            let products = FarProducts::of(x, (n, inner), part.clone());
            products.others(x, (n, inner), part.clone(), &dy[part.clone()], out);
            products.odd
        };
        for (row, _) in part.zip(&odd).filter(|(_, odd)| **odd != T::ZERO) {
            each_of_others(x, dy[row], (row / inner * n * inner + row % inner, n, inner), out);
        }
        start = end;
    }
}

/// The same of a block of long rows, `k` of whose steps go together; gives which rows are odd.
fn far_block<T: Number>(x: &[T], (n, inner): (usize, usize), k: usize, dy: &[T], out: &mut [T]) -> [T; WIDE] {
    let (lanes, head) = (k * inner, n / k * k * inner);
    let mut products = FarProducts::of_block(x, (n, inner), k);
    products.repeat(inner, lanes);
    let mut dy_again = [T::ZERO; TOGETHER];
    dy_again[..lanes].chunks_exact_mut(inner).for_each(|again| again.copy_from_slice(dy));
    let (out, rest) = out.split_at_mut(head);
    products.others(&x[..head], (n / k, lanes), 0..lanes, &dy_again[..lanes], out);
    products.others(&x[head..], (n % k, inner), 0..inner, dy, rest);
    products.odd
}

/// The products of a block of long rows, `k` of whose steps go together; gives which rows have infinite factors or NaN, whose products
/// are left as they were.
pub(super) fn far_products<T: Number>(x: &[T], shape: (usize, usize), k: usize, out: &mut [T]) -> [T; WIDE] {
    let products = FarProducts::of_block(x, shape, k);
    let mut all = [T::ZERO; WIDE];
    tell(&products.carried, &mut all);
    for (((out, all), zeros), odd) in out.iter_mut().zip(all).zip(products.zeros).zip(products.odd) {
        *out = select(odd == T::ZERO, select(zeros == T::ZERO, all, T::ZERO), *out);
    }
    products.odd
}

/// Products of the factors of rows that are not 0, and how many are.
struct FarProducts<T> {
    carried: [[T; WIDE]; 3],
    zeros: [T; WIDE],
    /// Whether a factor is infinite or NaN.
    odd: [T; WIDE],
}

impl<T: Number> FarProducts<T> {
    /// Of so many rows as go through a walk together.
    fn of(x: &[T], shape: (usize, usize), rows: Range<usize>) -> Self {
        let mut all = Self { carried: [[T::ONE; WIDE]; 3], zeros: [T::ZERO; WIDE], odd: [T::ZERO; WIDE] };
        walk_rows([x], &mut [], shape, rows, false, &mut all);
        all
    }

    /// Of a block of long rows, `k` of whose steps go together.
    fn of_block(x: &[T], (n, inner): (usize, usize), k: usize) -> Self {
        let (lanes, head) = (k * inner, n / k * k * inner);
        let mut products = Self::of(&x[..head], (n / k, lanes), 0..lanes);
        for lane in inner..lanes {
            products.join((lane % inner, lane));
        }
        if n % k > 0 {
            products.take_in(&Self::of(&x[head..], (n % k, inner), 0..inner), inner);
        }
        products
    }

    /// What stands for each factor of these rows.
    fn others(&self, x: &[T], shape: (usize, usize), rows: Range<usize>, dy: &[T], out: &mut [T]) {
        if !x.is_empty() {
            walk_rows([x], out, shape, rows, false, &mut FarOthers { of: self, dy });
        }
    }

    /// Makes two rows one, which is the first of them.
    fn join(&mut self, (to, from): (usize, usize)) {
        join(&mut self.carried, (to, from));
        self.zeros[to] += self.zeros[from];
        self.odd[to] += self.odd[from];
    }

    /// Joins the first rows of others to these.
    fn take_in(&mut self, others: &Self, rows: usize) {
        let last = WIDE - rows;
        let both = self.carried.iter_mut().zip(&others.carried);
        both.for_each(|(own, other)| own[last..].copy_from_slice(&other[..rows]));
        self.zeros[last..].copy_from_slice(&others.zeros[..rows]);
        self.odd[last..].copy_from_slice(&others.odd[..rows]);
        (0..rows).for_each(|row| self.join((row, last + row)));
    }

    /// Repeats the first rows in so many.
    fn repeat(&mut self, rows: usize, lanes: usize) {
        for all in self.carried.iter_mut().chain([&mut self.zeros, &mut self.odd]) {
            (rows..lanes).for_each(|lane| all[lane] = all[lane % rows]);
        }
    }
}

impl<T: Number> Beside<T, 1> for FarProducts<T> {
    #[inline(always)]
    fn start(&mut self, _: Range<usize>) {
        self.zeros = [T::ZERO; WIDE];
        self.odd = [T::ZERO; WIDE];
    }
    #[inline(always)]
    fn step(&mut self, t: usize, [x]: [&[T]; 1], _: &mut [T]) {
        let mut factors = [T::ONE; WIDE];
        for (((factor, &x), zeros), odd) in factors.iter_mut().zip(x).zip(&mut self.zeros).zip(&mut self.odd) {
            let is_zero = x == T::ZERO;
            *factor = select(is_zero, T::ONE, x);
            *zeros += select(is_zero, T::ONE, T::ZERO);
            *odd = select(x.abs() <= T::MAX, *odd, T::ONE);
        }
        let factors = &factors[..x.len()];
        if t == 0 {
            each(&mut self.carried, (factors, factors), |_, x, _| Wide::start(x));
        } else if t.is_multiple_of(GROUP) {
            each(&mut self.carried, (factors, factors), |h, x, _| h.stepped(x, -T::ZERO, false, true));
        } else {
            each(&mut self.carried, (factors, factors), |h, x, _| h.stepped(x, -T::ZERO, false, false));
        }
    }
    #[inline(always)]
    fn finish(&mut self) {
        let ones = [T::ONE; WIDE];
        each(&mut self.carried, (&ones, &ones), |h, one, _| h.stepped(one, -T::ZERO, false, true));
    }
}

/// What stands for each factor, by the products of all.
struct FarOthers<'a, T> {
    of: &'a FarProducts<T>,
    /// Of these rows.
    dy: &'a [T],
}

impl<T: Number> Beside<T, 1> for FarOthers<'_, T> {
    #[inline(always)]
    fn start(&mut self, rows: Range<usize>) {
        assert_eq!(rows.len(), self.dy.len(), "rows go through a walk together");
    }
    #[inline(always)]
    fn step(&mut self, _: usize, [x]: [&[T]; 1], out: &mut [T]) {
        let (mut factors, mut dy) = ([T::ONE; WIDE], [T::ZERO; WIDE]);
        dy[..self.dy.len()].copy_from_slice(self.dy);
        for (factor, &x) in factors.iter_mut().zip(x) {
            *factor = select(x == T::ZERO, T::ONE, x);
        }
        quotients(&self.of.carried, (&dy, &factors), out);
        for (((out, &x), &zeros), &dy) in out.iter_mut().zip(x).zip(&self.of.zeros).zip(&dy) {
            let others = select(x == T::ZERO, zeros - T::ONE, zeros);
            *out = select((others == T::ZERO) & (dy != T::ZERO), *out, T::ZERO);
        }
    }
}

/// The same of one row, from the products before each element and `dy` times those behind it.
#[inline(never)]
fn each_of_others<T: Number>(x: &[T], dy: T, (start, n, inner): (usize, usize, usize), out: &mut [T]) {
    let at = |t: usize| start + t * inner;
    along::<T, Wide<T>>(n, true, |t| x[at(t)], |t, before| out[at(t)] = before);
    let mut behind = Wide::start(dy);
    for t in (0..n).rev() {
        let (out, factor) = (&mut out[at(t)], behind.number());
        *out = select((factor == T::ZERO) | (*out == T::ZERO), T::ZERO, factor * *out);
        (behind, _) = behind.next(n - t, x[at(t)], T::ZERO, true);
    }
}

#[cfg(test)]
mod tests {
    use super::super::product;
    use super::super::tests::{factors, same};
    use super::*;
    use crate::kernels::beside::tests::SHAPES;
    use crate::number::level::tests::at_every_level;

    /// A number as `m · 2^e` with `m` from ½ to 1.
    fn split((m, e): (f64, i64)) -> (f64, i64) {
        if m == 0.0 || !m.is_finite() {
            return (m, 0);
        }
        let by = if m.abs() < f64::MIN_POSITIVE { 1i64 << 6 } else { 0 };
        let m = m * 2f64.powi(by as i32);
        let exponent = (m.to_bits() >> 52 & 0x7ff) as i64 - 1022;
        (m / 2f64.powi(exponent as i32), e + exponent - by)
    }

    fn times_split(a: (f64, i64), x: f64) -> (f64, i64) {
        split((a.0 * split((x, 0)).0, a.1 + split((x, 0)).1))
    }

    /// The product of `dy` and all others, whatever range it takes on the way.
    fn wanted<T: Number>(x: &[T], t: usize, dy: T) -> T {
        let others = x.iter().enumerate().filter(|&(s, _)| s != t).map(|(_, x)| x.to_f64());
        let (m, e) = others.fold(split((dy.to_f64(), 0)), times_split);
        let half = e.clamp(-3000, 3000) as i32 / 2;
        let rest = e.clamp(-3000, 3000) as i32 - half;
        T::of(m * 2f64.powi(half) * 2f64.powi(rest))
    }

    /// Close to the product of the others, also where factors are 0 or the range is left.
    fn check_others<T: Number>() {
        let long = [[1, 513, 1], [2, 600, 3], [1, 520, 15], [3, 520, 2]];
        for [outer, n, inner] in SHAPES.into_iter().chain(long) {
            for far in [false, true] {
                let x = factors::<T>(outer * n * inner, far);
                let dy: Vec<T> = (0..outer * inner).map(|i| T::of([1.5, -0.25, 0.0, 1.0][i % 4])).collect();
                let mut y = vec![T::NAN; outer * inner];
                product(&x, (n, inner), &mut y);
                let row = |row: usize| (0..n).map(move |t| row / inner * n * inner + row % inner + t * inner);
                let mut want = vec![T::NAN; x.len()];
                for (r, &dy) in dy.iter().enumerate() {
                    let factors: Vec<T> = row(r).map(|i| x[i]).collect();
                    row(r).enumerate().for_each(|(t, i)| want[i] = wanted(&factors, t, dy));
                }
                at_every_level(|level| {
                    let mut out = vec![T::NAN; x.len()];
                    of_others(&x, (n, inner), [&y, &dy], &mut out);
                    for (i, (&out, &want)) in out.iter().zip(&want).enumerate() {
                        let slack = T::of(2.0 * n as f64 + 4.0) * T::EPSILON * want.abs().larger(T::MIN_POSITIVE);
                        let near = (out - want).abs() <= slack;
                        assert!(near || same(out, want), "{outer} {n} {inner} {far} {i} {level:?}: {out} {want}");
                    }
                });
            }
        }
    }

    #[test]
    fn products_that_leave_the_range_on_the_way_come_back() {
        let x = [1e30_f32, 1e30, 1e30, 1e-30, 1e-30, 1e-30, 1e-30, 1e-10];
        let mut y = [f32::NAN];
        product(&x, (8, 1), &mut y);
        let mut out = [f32::NAN; 8];
        of_others(&x, (8, 1), [&y, &[2.0]], &mut out);
        assert!((out[3] / 2e-10 - 1.0).abs() < 1e-5 && (out[7] / 2e-30 - 1.0).abs() < 1e-5, "{out:?}");
        // So they do in a long row, whose parts leave it one by one.
        let long: Vec<f64> = (0..3000).map(|i| if i < 1500 { 1e9 } else { 1e-9 }).chain([1e-300, 3.0]).collect();
        let (mut y, mut out) = ([f64::NAN], vec![f64::NAN; 3002]);
        product(&long, (3002, 1), &mut y);
        of_others(&long, (3002, 1), [&y, &[2.0]], &mut out);
        let near = |out: f64, want: f64| (out / want - 1.0).abs() < 1e-11;
        assert!(near(out[3000], 6.0) && near(out[3001], 2e-300) && near(out[2000], 6e-291), "{:?}", &out[2999..]);
        // Infinite and NaN factors go where they do in a product from both ends.
        let odd = [2.0, f64::INFINITY, 3.0, 0.0];
        let mut out = [0.0; 4];
        of_others(&odd, (4, 1), [&[f64::NAN], &[1.0]], &mut out);
        assert_eq!((out[3], out[0].to_bits() << 1, out[1]), (f64::INFINITY, 0, 0.0), "{out:?}");
    }

    #[test]
    fn products_of_all_others_are_right_where_factors_vanish_or_leave_the_range() {
        check_others::<f32>();
        check_others::<f64>();
    }
}
