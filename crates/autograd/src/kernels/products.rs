//! Products along rows, whose factors may leave the range of a number type and come back.

use super::beside::{Beside, WIDE, walk, walk_rows};
use super::map::{LANES, level};
use super::recur::{Carried, FEW, GROUP, Odd, Plain, Wide, each, tell};
use crate::number::Number;
use crate::number::level::Kernel;
use std::ops::Range;

/// Rows of so many elements are products of lanes.
const LONG: usize = 1024;

/// Products along the middle of `[outer, n, inner]`: of all up to each element, or of those before it. One that overflows or vanishes is carried on as what it is, so a later one that is in range again is right.
pub(crate) fn running_products<T: Number>(x: &[T], (n, inner): (usize, usize), exclusive: bool, out: &mut [T]) {
    let rows = x.len().checked_div(n).unwrap_or(0);
    if rows >= FEW {
        return walk_products(x, out, (n, inner), exclusive, None);
    }
    for row in 0..rows {
        let start = row / inner * n * inner + row % inner;
        let at = |t: usize| start + t * inner;
        if along::<T, Plain<T>>(n, exclusive, |t| x[at(t)], |t, y| out[at(t)] = y).is_none() {
            along::<T, Wide<T>>(n, exclusive, |t| x[at(t)], |t, y| out[at(t)] = y);
        }
    }
}

/// The product of each row along the middle of `[outer, n, inner]`, which has elements; see [`running_products`].
pub(crate) fn product<T: Number>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    if inner > 1 || n < LONG {
        return walk_products(x, &mut [], (n, inner), false, Some(out));
    }
    for (x, out) in x.chunks_exact(n).zip(out) {
        let mut found = None;
        level(n).run(LongProduct { x, found: &mut found });
        let whole = found.or_else(|| along::<T, Wide<T>>(n, false, |t| x[t], |_, _| {}));
        *out = whole.unwrap_or(T::ONE);
    }
}

/// Goes along one row until a product is not right. The last product, if there was none.
#[inline(never)]
fn along<T: Number, C: Carried<T>>(
    n: usize,
    exclusive: bool,
    x: impl Fn(usize) -> T,
    mut put: impl FnMut(usize, T),
) -> Option<T> {
    let mut carried = C::start(if exclusive { T::ONE } else { x(0) });
    put(0, carried.number());
    for t in 1..n {
        let (next, is_right) = carried.next(t, x(if exclusive { t - 1 } else { t }), -T::ZERO, false);
        if !is_right {
            return None;
        }
        carried = next;
        put(t, carried.number());
    }
    Some(carried.number())
}

/// The product of one long row, in lanes, if none of them leaves the range.
struct LongProduct<'a, T> {
    x: &'a [T],
    found: &'a mut Option<T>,
}

impl<T: Number> Kernel for LongProduct<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        // Vectors that do not wait for each other.
        const TOGETHER: usize = 4;
        const EACH: usize = TOGETHER * LANES;
        let (chunks, rest) = self.x.as_chunks::<EACH>();
        let mut all = [Plain::start(T::ONE); EACH];
        let mut wrong = [0_u32; EACH];
        for chunk in chunks {
            // As in `map_vectors`.
            let chunk = *chunk;
            for i in 0..EACH {
                let (next, is_right) = all[i].next(1, chunk[i], -T::ZERO, false);
                (all[i], wrong[i]) = (next, wrong[i] | u32::from(!is_right));
            }
        }
        *self.found = of_lanes(all, wrong, rest);
    }
}

/// The product of lanes, if none of them is wrong, and of what did not fill them. Apart, and given copies: lanes that were indexed
/// in the kernel would be kept in memory from chunk to chunk.
#[inline(never)]
fn of_lanes<T: Number, const N: usize>(lanes: [Plain<T>; N], wrong: [u32; N], rest: &[T]) -> Option<T> {
    let factors = |t: usize| if t < N { lanes[t].number() } else { rest[t - N] };
    if wrong == [0; N] { along::<T, Plain<T>>(N + rest.len(), false, factors, |_, _| {}) } else { None }
}

/// All rows, as lanes; products of whole rows go to `whole`.
fn walk_products<T: Number>(
    x: &[T],
    out: &mut [T],
    (n, inner): (usize, usize),
    exclusive: bool,
    mut whole: Option<&mut [T]>,
) {
    let whole_too = whole.as_deref_mut();
    let mut beside = Products { h: [T::ONE; WIDE], exclusive, whole: whole_too, odd: Odd::default() };
    walk([x], out, (n, inner), false, &mut beside);
    let odd = beside.odd;
    let mut wide = WideProducts { carried: [[T::ONE; WIDE]; 3], exclusive, whole, rows: 0..0 };
    for rows in odd.list {
        walk_rows([x], out, (n, inner), rows, false, &mut wide);
    }
}

/// Products of rows beside each other, as long as nothing leaves the range.
struct Products<'a, T> {
    h: [T; WIDE],
    exclusive: bool,
    whole: Option<&'a mut [T]>,
    odd: Odd,
}

impl<T: Number> Beside<T, 1> for Products<'_, T> {
    #[inline(always)]
    fn start(&mut self, rows: Range<usize>) {
        self.odd.start(rows);
    }

    #[inline(always)]
    fn step(&mut self, t: usize, [x]: [&[T]; 1], y: &mut [T]) {
        let Self { h, exclusive, odd, .. } = self;
        if odd.left {
            return;
        }
        if t == 0 {
            h[..x.len()].fill(T::ONE);
        }
        if *exclusive {
            y.copy_from_slice(&h[..y.len()]);
        }
        if t == 0 {
            h[..x.len()].copy_from_slice(x);
        } else {
            let mut all = true;
            for (h, &x) in h.iter_mut().zip(x) {
                let (next, is_right) = Plain::start(*h).next(t, x, -T::ZERO, false);
                all &= is_right;
                *h = next.number();
            }
            odd.left = !all;
        }
        if !*exclusive {
            y.copy_from_slice(&h[..y.len()]);
        }
    }

    #[inline(always)]
    fn finish(&mut self) {
        let rows = self.odd.rows.clone();
        if let Some(whole) = &mut self.whole {
            whole[rows.clone()].copy_from_slice(&self.h[..rows.len()]);
        }
        self.odd.finish();
    }
}

/// The same of rows of which one leaves the range.
struct WideProducts<'a, T> {
    /// `x`, `e` and `far` of each row.
    carried: [[T; WIDE]; 3],
    exclusive: bool,
    whole: Option<&'a mut [T]>,
    rows: Range<usize>,
}

impl<T: Number> Beside<T, 1> for WideProducts<'_, T> {
    #[inline(always)]
    fn start(&mut self, rows: Range<usize>) {
        self.rows = rows;
        self.carried = [[T::ONE; WIDE], [T::ZERO; WIDE], [T::ZERO; WIDE]];
    }

    #[inline(always)]
    fn step(&mut self, t: usize, [x]: [&[T]; 1], y: &mut [T]) {
        if self.exclusive {
            tell(&self.carried, y);
        }
        if t == 0 {
            each(&mut self.carried, (x, x), |_, x, _| Wide::start(x));
        } else if t.is_multiple_of(GROUP) {
            each(&mut self.carried, (x, x), |h, x, _| h.stepped(x, -T::ZERO, false, true));
        } else {
            each(&mut self.carried, (x, x), |h, x, _| h.stepped(x, -T::ZERO, false, false));
        }
        if !self.exclusive {
            tell(&self.carried, y);
        }
    }

    #[inline(always)]
    fn finish(&mut self) {
        if let Some(whole) = &mut self.whole {
            tell(&self.carried, &mut whole[self.rows.clone()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::beside::tests::SHAPES;
    use crate::kernels::recur::recur;
    use crate::number::level::tests::at_every_level;

    /// Factors near 1, some of them 0 or negative; or such that products leave the range and come back.
    fn factors<T: Number>(len: usize, far: bool) -> Vec<T> {
        let near = |i: usize| 0.6 + (i * 7 % 11) as f64 * 0.08;
        let sign = |i: usize| if i.is_multiple_of(3) { -1.0 } else { 1.0 };
        let large = T::MAX.sqrt() * T::of(0.4);
        let factor = |i: usize| match i % 5 {
            _ if i % 97 == 96 => T::ZERO,
            0 | 1 if far => large,
            2 | 3 if far => T::ONE / large,
            _ => T::of(sign(i) * near(i)),
        };
        (0..len).map(factor).collect()
    }

    fn same<T: Number>(x: T, y: T) -> bool {
        x.same_bits(y) || (x == T::ZERO && y == T::ZERO)
    }

    /// As the recurrence of each row on its own: at the baseline, where rows are few.
    fn check<T: Number>() {
        for [outer, n, inner] in SHAPES {
            for far in [false, true] {
                let x = factors::<T>(outer * n * inner, far);
                let begins = |i: usize| (i / inner).is_multiple_of(n);
                let first = |i: usize| if begins(i) { x[i] } else { T::ZERO };
                let one = |i: usize| if begins(i) { T::ONE } else { T::ZERO };
                let [mut up_to, mut before] = [vec![T::NAN; x.len()], vec![T::NAN; x.len()]];
                let begin = |of: &dyn Fn(usize) -> T| -> Vec<T> { (0..x.len()).map(of).collect() };
                recur((&x, &begin(&first)), (n, inner), false, false, false, &mut up_to);
                recur((&x, &begin(&one)), (n, inner), false, true, false, &mut before);
                at_every_level(|level| {
                    let mut y = vec![T::NAN; x.len()];
                    running_products(&x, (n, inner), false, &mut y);
                    assert!(y.iter().zip(&up_to).all(|(&a, &b)| same(a, b)), "{outer} {n} {inner} {far} {level:?}");
                    running_products(&x, (n, inner), true, &mut y);
                    assert!(y.iter().zip(&before).all(|(&a, &b)| same(a, b)), "{outer} {n} {inner} {far} {level:?}");
                    let mut whole = vec![T::NAN; outer * inner];
                    product(&x, (n, inner), &mut whole);
                    for (r, &y) in whole.iter().enumerate() {
                        let want = up_to[(r / inner * n + n - 1) * inner + r % inner];
                        assert!(same(y, want), "{outer} {n} {inner} {far} {level:?}: {y} {want}");
                    }
                });
            }
        }
    }

    #[test]
    fn products_are_those_of_a_recurrence_at_every_level() {
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn a_long_row_in_lanes_has_the_product_of_its_factors() {
        for n in [LONG, LONG + 1, 5 * LONG + 63] {
            let close = |y: f64, want: f64| (y - want).abs() <= 1e-13 * n as f64 * want.abs();
            let mut y = [f64::NAN];
            let signs: Vec<f64> = (0..n).map(|i| if i % 3 == 0 { -1.25 } else { 0.8 }).collect();
            let [minus, plus] = [true, false].map(|minus| (0..n).filter(|i| (i % 3 == 0) == minus).count());
            let log = minus as f64 * 1.25_f64.ln() + plus as f64 * 0.8_f64.ln();
            let want = log.exp() * if minus % 2 == 1 { -1.0 } else { 1.0 };
            at_every_level(|level| {
                product(&signs, (n, 1), &mut y);
                assert!(close(y[0], want), "{n} {level:?}: {} {want}", y[0]);
            });
            // Lanes that leave the range, one up and one down.
            let far: Vec<f64> = (0..n).map(|i| [1e300, 1e-300][i % 2]).collect();
            product(&far, (n, 1), &mut y);
            assert!(close(y[0], if n % 2 == 1 { 1e300 } else { 1.0 }), "{n}: {}", y[0]);
            let zero: Vec<f64> = (0..n).map(|i| if i == 700 { 0.0 } else { 1.5 }).collect();
            product(&zero, (n, 1), &mut y);
            assert_eq!(y[0], 0.0);
        }
    }
}
