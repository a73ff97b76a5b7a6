//! Products of all factors of a row but one: the cotangents of its factors.

use super::{along, next_run, times, together};
use crate::kernels::beside::{Beside, NARROW, WIDE, fold, walk, walk_rows};
use crate::kernels::in_turn::zmul;
use crate::kernels::map::{LANES, level};
use crate::kernels::order::with_zeros;
use crate::kernels::recur::{Carried, GROUP, Wide, each, join, quotients, tell};
use crate::number::Number;
use crate::number::elementary::select;
use crate::number::level::Kernel;
use std::ops::Range;

/// `out_t = dy · Π_{s≠t} x_s` along the middle of `[outer, n, inner]`, where `y` is the product of each row: `dy · (y / x_t)` where all of
/// these are within the range; else by products that carry an exponent of their own.
pub(crate) fn of_others<T: Number>(x: &[T], (n, inner): (usize, usize), [y, dy]: [&[T]; 2], out: &mut [T]) {
    with_zeros(3 * y.len(), |own| {
        let (odd, near) = own.split_at_mut(y.len());
        let (z, zeros) = near.split_at_mut(y.len());
        match together(n, inner) {
            _ if inner == 1 && n >= LANES => level(x.len()).run(Others { x, n, y, dy, odd, out }),
            None => {
                let others = OthersBeside { y, dy, odd, rows: 0..0, own: [[T::ONE; WIDE]; 3] };
                if y.contains(&T::ZERO) {
                    fold(x, (n, inner), T::ONE, z, |z, x| times(z, or_one(x)));
                    fold(x, (n, inner), T::ZERO, zeros, |zeros, x| zeros + is_zero(x));
                    let mut beside = OthersOfZeros { others, near: [z, zeros], own: [[T::ONE; WIDE]; 2] };
                    walk([x], out, (n, inner), false, &mut beside);
                } else {
                    walk([x], out, (n, inner), false, &mut { others });
                }
            }
            Some(k) => {
                for start in (0..y.len()).step_by(inner) {
                    let block = start * n..(start + inner) * n;
                    let own = repeated([y, dy, odd], start..start + inner, k);
                    let beside = OthersBeside { y: &[], dy: &[], odd: &mut [], rows: 0..0, own };
                    let (x, out) = (&x[block.clone()], &mut out[block]);
                    let made = level(x.len()).run(InSteps { x, out, lanes: k * inner, beside });
                    let [.., wrong] = made.own;
                    let is_wrong = |row: usize| wrong[row..k * inner].iter().step_by(inner).any(|&odd| odd != T::ZERO);
                    for row in (0..inner).filter(|&row| is_wrong(row)) {
                        odd[start + row] = T::ONE;
                    }
                }
            }
        }
        let mut done = 0;
        while let Some(rows) = next_run(done..odd.len(), inner, |row| odd[row] != T::ZERO) {
            done = rows.end;
            far_others(x, (n, inner), rows, [y, dy, odd, z, zeros], out);
        }
    });
}

/// What stands for these rows, `k` times.
fn repeated<T: Number, const K: usize>(all: [&[T]; K], rows: Range<usize>, k: usize) -> [[T; WIDE]; K] {
    let mut own = [[T::ONE; WIDE]; K];
    for (own, all) in own.iter_mut().zip(all) {
        own[..k * rows.len()].chunks_exact_mut(rows.len()).for_each(|own| own.copy_from_slice(&all[rows.clone()]));
    }
    own
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

/// The same of a row with so many factors of 0, where `z` is the product of the others: a zero alone has that of them, all else 0.
#[inline(always)]
fn other_of_zeros<T: Number>(x: T, [z, zeros]: [T; 2], dy: T) -> (T, bool) {
    let is_near = (z.abs() > T::MIN_POSITIVE) & (z.abs() <= T::MAX);
    (select((x == T::ZERO) & (zeros == T::ONE), zmul(dy, z), T::ZERO), (zeros > T::ONE) | is_near)
}

/// What stands for one element of a row with factors of 0 or without, as above.
#[inline(always)]
fn near<T: Number>(x: T, y: T, [z, zeros]: [T; 2], dy: T) -> (T, bool) {
    let has_zeros = (y == T::ZERO) & (zeros > T::ZERO);
    let (of_zeros, are_right) = other_of_zeros(x, [z, zeros], dy);
    let (made, is_right) = other(x, y, dy);
    (select(has_zeros, of_zeros, made), (has_zeros & are_right) | (!has_zeros & is_right))
}

/// A factor, or 1 where it is 0.
#[inline(always)]
fn or_one<T: Number>(x: T) -> T {
    select(x == T::ZERO, T::ONE, x)
}

#[inline(always)]
fn is_zero<T: Number>(x: T) -> T {
    select(x == T::ZERO, T::ONE, T::ZERO)
}

/// The product of the factors of a row that are not 0, and how many others there are.
#[inline(always)]
fn without_zeros<T: Number>(x: &[T]) -> [T; 2] {
    let (mut z, mut zeros) = ([T::ONE; LANES], [T::ZERO; LANES]);
    let (chunks, rest) = x.as_chunks::<LANES>();
    for chunk in chunks {
        for i in 0..LANES {
            (z[i], zeros[i]) = (times(z[i], or_one(chunk[i])), zeros[i] + is_zero(chunk[i]));
        }
    }
    let all = z.iter().chain(rest).fold(T::ONE, |z, &x| times(z, or_one(x)));
    let zeros = zeros.iter().fold(T::ZERO, |sum, &zeros| sum + zeros);
    [all, rest.iter().fold(zeros, |sum, &x| sum + is_zero(x))]
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
            let near = (y == T::ZERO).then(|| without_zeros(x)).filter(|[_, zeros]| *zeros > T::ZERO);
            for start in (0..n).step_by(LANES) {
                // What fills no vector is done with what is before it.
                let at = start.min(n - LANES);
                let (Some(&x), Some(out)) = (x[at..].first_chunk::<LANES>(), out[at..].first_chunk_mut()) else {
                    break;
                };
                let mut made = [T::ZERO; LANES];
                for i in 0..LANES {
                    let (z, is_right) = match near {
                        Some(near) => other_of_zeros(x[i], near, dy),
                        None => other(x[i], y, dy),
                    };
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

/// The same of rows of which some have factors of 0.
struct OthersOfZeros<'a, T> {
    others: OthersBeside<'a, T>,
    /// Of each row, the product of its factors that are not 0, and how many are.
    near: [&'a [T]; 2],
    own: [[T; WIDE]; 2],
}

impl<T: Number> Beside<T, 1> for OthersOfZeros<'_, T> {
    #[inline(always)]
    fn start(&mut self, rows: Range<usize>) {
        for (own, near) in self.own.iter_mut().zip(self.near) {
            own[..rows.len()].copy_from_slice(&near[rows.clone()]);
        }
        self.others.start(rows);
    }
    #[inline(always)]
    fn step(&mut self, _: usize, [x]: [&[T]; 1], out: &mut [T]) {
        let ([y, dy, odd], [z, zeros]) = (&mut self.others.own, &self.own);
        let rows = y.iter().zip(dy.iter()).zip(odd).zip(z).zip(zeros);
        for ((&x, out), ((((&y, &dy), odd), &z), &zeros)) in x.iter().zip(out).zip(rows) {
            let (made, is_right) = near(x, y, [z, zeros], dy);
            (*out, *odd) = (made, select(is_right, *odd, T::ONE));
        }
    }
    #[inline(always)]
    fn finish(&mut self) {
        self.others.finish();
    }
}

/// The same of rows of which some leave the range or have factors of 0: of these from products that carry an exponent of their own, of
/// all factors that are not 0.
fn far_others<T: Number>(x: &[T], (n, inner): (usize, usize), rows: Range<usize>, of: [&[T]; 5], out: &mut [T]) {
    // So many go through a walk together, however long they are, if their neighbours do.
    const AT_ONCE: usize = 2 * LANES;
    let long = together(n, inner);
    let mut start = rows.start;
    while start < rows.end {
        let end = match long {
            Some(_) => start + inner,
            None if inner < NARROW => start + AT_ONCE / inner * inner,
            None => (start + AT_ONCE).min(start - start % inner + inner),
        };
        let part = start..end.min(rows.end);
        let mut products = FarProducts::NONE;
        if let Some(k) = long {
            let block = part.start * n..part.end * n;
            let (x, out) = (&x[block.clone()], &mut out[block]);
            products = FarProducts::of_block(x, (k, inner));
            products.repeat(inner, k * inner);
            let others = FarOthers { of: &products, own: repeated(of, part.clone(), k), count: part.len() };
            level(x.len()).run(InSteps { x, out, lanes: k * inner, beside: others });
        } else {
            walk_rows([x], &mut [], (n, inner), part.clone(), false, &mut products);
            let own = repeated(of, part.clone(), 1);
            let mut others = FarOthers { of: &products, own, count: part.len() };
            walk_rows([x], out, (n, inner), part.clone(), false, &mut others);
        }
        for (row, _) in part.zip(&products.odd).filter(|(_, odd)| **odd != T::ZERO) {
            each_of_others(x, of[1][row], (row / inner * n * inner + row % inner, n, inner), out);
        }
        start = end;
    }
}

/// The products of a block of long rows, `k` of whose steps go together, but of such as have infinite factors or NaN.
pub(super) fn far_products<T: Number>(x: &[T], shape: (usize, usize)) -> impl Iterator<Item = Option<T>> {
    let products = FarProducts::of_block(x, shape);
    let mut all = [T::ZERO; WIDE];
    tell(&products.carried, &mut all);
    let products = all.into_iter().zip(products.zeros).zip(products.odd);
    products.map(|((all, zeros), odd)| {
        (odd == T::ZERO).then_some(if zeros == T::ZERO { all } else { T::ZERO.copysign(all) })
    })
}

/// Goes along a block of long rows, so many neighbouring elements in each step; the last one may have fewer.
struct InSteps<'a, T, B> {
    x: &'a [T],
    out: &'a mut [T],
    lanes: usize,
    beside: B,
}

impl<T: Number, B: Beside<T, 1>> Kernel for InSteps<'_, T, B> {
    type Output = B;
    #[inline(always)]
    fn run(self) -> B {
        let Self { x, out, lanes, mut beside } = self;
        let has_out = !out.is_empty();
        for (t, x) in x.chunks(lanes).enumerate() {
            let out = if has_out { &mut out[t * lanes..][..x.len()] } else { &mut [] };
            beside.step(t, [x], out);
        }
        beside.finish();
        beside
    }
}

/// Products of the factors of rows that are not 0, with the signs of those that are, and how many these are.
struct FarProducts<T> {
    carried: [[T; WIDE]; 3],
    zeros: [T; WIDE],
    /// Whether a factor is infinite or NaN.
    odd: [T; WIDE],
}

impl<T: Number> FarProducts<T> {
    const NONE: Self = Self { carried: [[T::ONE; WIDE]; 3], zeros: [T::ZERO; WIDE], odd: [T::ZERO; WIDE] };

    /// Of a block of long rows, `k` of whose steps go together.
    fn of_block(x: &[T], (mut k, inner): (usize, usize)) -> Self {
        let lanes = k * inner;
        let mut all = level(x.len()).run(InSteps { x, out: &mut [], lanes, beside: Self::NONE });
        while k > 1 {
            let half = k / 2;
            let (rows, others) = (half * inner, (k - half) * inner);
            join(&mut all.carried, rows, others);
            for sums in [&mut all.zeros, &mut all.odd] {
                (0..rows).for_each(|row| sums[row] += sums[others + row]);
            }
            k -= half;
        }
        all
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
            *factor = select(is_zero, T::ONE.copysign(x), x);
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

/// What stands for each factor, by the products of all; of rows that need none, as of others.
struct FarOthers<'a, T> {
    of: &'a FarProducts<T>,
    /// `y`, `dy` and whether they are odd, and what is known of zeros where they are not, of so many rows.
    own: [[T; WIDE]; 5],
    count: usize,
}

impl<T: Number> Beside<T, 1> for FarOthers<'_, T> {
    #[inline(always)]
    fn start(&mut self, rows: Range<usize>) {
        assert_eq!(rows.len(), self.count, "rows go through a walk together");
    }
    #[inline(always)]
    fn step(&mut self, _: usize, [x]: [&[T]; 1], out: &mut [T]) {
        let (mut factors, [y, dy, odd, z, zeros]) = ([T::ONE; WIDE], &self.own);
        for (factor, &x) in factors.iter_mut().zip(x) {
            *factor = select(x == T::ZERO, T::ONE.copysign(x), x);
        }
        quotients(&self.of.carried, (dy, &factors), out);
        let rows = y.iter().zip(dy).zip(odd).zip(z.iter().zip(zeros)).zip(&self.of.zeros);
        for ((out, &x), ((((&y, &dy), &odd), (&z, &zeros)), &all)) in out.iter_mut().zip(x).zip(rows) {
            let others = select(x == T::ZERO, all - T::ONE, all);
            let far = select((others == T::ZERO) & (dy != T::ZERO), *out, T::ZERO);
            *out = select(odd == T::ZERO, near(x, y, [z, zeros], dy).0, far);
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
        let long = [[1, 513, 1], [2, 600, 3], [1, 520, 15], [3, 520, 2], [2, 600, 0]];
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

    /// A program takes rows in blocks, and the tape all of them.
    #[test]
    fn a_block_has_the_bits_that_it_has_among_others() {
        for [outer, n, inner] in [[70, 600, 1], [7, 530, 3], [90, 20, 1], [40, 31, 4], [5, 40, 20]] {
            let mut x = factors::<f32>(outer * n * inner, true);
            // Some rows stay within the range.
            x.chunks_exact_mut(n * inner).skip(1).step_by(3).for_each(|block| block.fill(1.001));
            let dy: Vec<f32> = (0..outer * inner).map(|i| i as f32 - 3.0).collect();
            let run = |x: &[f32], dy: &[f32]| {
                let (mut y, mut out) = (vec![f32::NAN; dy.len()], vec![f32::NAN; x.len()]);
                product(x, (n, inner), &mut y);
                of_others(x, (n, inner), [&y, dy], &mut out);
                (y, out)
            };
            let (y, out) = run(&x, &dy);
            for o in 0..outer {
                let (rows, block) = (o * inner..(o + 1) * inner, o * n * inner..(o + 1) * n * inner);
                let alone = run(&x[block.clone()], &dy[rows.clone()]);
                let bits = |x: &[f32]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert_eq!(
                    (bits(&y[rows]), bits(&out[block])),
                    (bits(&alone.0), bits(&alone.1)),
                    "{outer} {n} {inner} {o}"
                );
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
