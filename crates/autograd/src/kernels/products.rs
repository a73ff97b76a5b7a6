//! Products along rows, whose factors may leave the range of a number type and come back.

mod others;

pub(crate) use others::of_others;

use super::beside::{Beside, NARROW, WIDE, fold, walk, walk_rows};
use super::map::LANES;
use super::recur::{Carried, FEW, GROUP, Odd, Plain, Wide, each, tell};
use crate::number::Number;
use crate::number::elementary::select;
use others::far_products;
use std::ops::Range;

/// Rows of so many elements, of few neighbours, are worked on in parts beside each other.
const LONG: usize = 512;
/// At most so many elements of such parts.
const TOGETHER: usize = 4 * LANES;

/// How many neighbouring steps of long rows are worked on as if these were steps of rows of their own, so that vectors are full and
/// wait less for each other.
fn together(n: usize, inner: usize) -> Option<usize> {
    (n >= LONG && (1..NARROW).contains(&inner)).then(|| TOGETHER / inner)
}

/// Products along the middle of `[outer, n, inner]`: of all up to each element, or of those before it. One that overflows or vanishes is carried on as what it is, so a later one that is in range again is right.
pub(crate) fn running_products<T: Number>(x: &[T], (n, inner): (usize, usize), exclusive: bool, out: &mut [T]) {
    let rows = x.len().checked_div(n).unwrap_or(0);
    if rows >= FEW {
        return walk_products(x, out, (n, inner), exclusive);
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
    if let Some(k) = together(n, inner) {
        let blocks = x.chunks_exact(n * inner).zip(out.chunks_exact_mut(inner));
        return blocks.for_each(|(x, out)| product_of_block(x, (n, inner), k, out));
    }
    fold(x, (n, inner), T::ONE, out, times);
    let mut done = 0;
    while let Some(rows) = next_run(done..out.len(), inner, |row| !out[row].is_finite()) {
        done = rows.end;
        let carried = [[T::ONE; WIDE]; 3];
        let mut wide = WideProducts { carried, exclusive: false, whole: Some(&mut *out), rows: 0..0 };
        walk_rows([x], &mut [], (n, inner), rows, false, &mut wide);
    }
}

/// The products of a block of long rows, `k` of whose steps go together.
fn product_of_block<T: Number>(x: &[T], (n, inner): (usize, usize), k: usize, out: &mut [T]) {
    let (lanes, rest) = (&mut [T::ONE; TOGETHER][..k * inner], n / k * k * inner);
    fold(&x[..rest], (n / k, k * inner), T::ONE, lanes, times);
    out.fill(T::ONE);
    for row in lanes.chunks_exact(inner).chain(x[rest..].chunks_exact(inner)) {
        for (y, &x) in out.iter_mut().zip(row) {
            *y = times(*y, x);
        }
    }
    if out.iter().all(|y| y.is_finite()) {
        return;
    }
    let far = far_products(x, (k, inner));
    for (row, (out, far)) in out.iter_mut().zip(far).enumerate().filter(|(_, (out, _))| !out.is_finite()) {
        // Of infinite factors and NaN, what a walk makes of them.
        let walked = || along::<T, Wide<T>>(n, false, |t| x[row + t * inner], |_, _| {});
        *out = far.or_else(walked).unwrap_or(T::NAN);
    }
}

/// `a · x`, or NaN where the product leaves the range gradually, as it is no number any more where it leaves it at once.
#[inline(always)]
fn times<T: Number>(a: T, x: T) -> T {
    let product = a * x;
    let vanishes = (product.abs() <= T::MIN_POSITIVE) & (a != T::ZERO) & (x != T::ZERO);
    select(vanishes, T::NAN, product)
}

/// The next of these rows, of `inner` neighbours, that hold such; and of few neighbours, which are walked beside each other, all.
fn next_run(rows: Range<usize>, inner: usize, holds: impl Fn(usize) -> bool) -> Option<Range<usize>> {
    let start = rows.clone().find(|&row| holds(row))?;
    let end = (start..rows.end).find(|&row| !holds(row)).unwrap_or(rows.end);
    let whole = if inner < NARROW { inner } else { 1 };
    Some(start / whole * whole..end.next_multiple_of(whole))
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

/// The running products of all rows, as lanes.
fn walk_products<T: Number>(x: &[T], out: &mut [T], (n, inner): (usize, usize), exclusive: bool) {
    let mut beside = Products { h: [T::ONE; WIDE], exclusive, odd: Odd::default() };
    walk([x], out, (n, inner), false, &mut beside);
    let odd = beside.odd;
    let mut wide = WideProducts { carried: [[T::ONE; WIDE]; 3], exclusive, whole: None, rows: 0..0 };
    for rows in odd.list {
        walk_rows([x], out, (n, inner), rows, false, &mut wide);
    }
}

/// Products of rows beside each other, as long as nothing leaves the range.
struct Products<T> {
    h: [T; WIDE],
    exclusive: bool,
    odd: Odd,
}

impl<T: Number> Beside<T, 1> for Products<T> {
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
        self.odd.finish();
    }
}

/// The same of rows of which one leaves the range.
struct WideProducts<'a, T> {
    /// `x`, `e` and `far` of each row.
    carried: [[T; WIDE]; 3],
    exclusive: bool,
    /// Where the products of whole rows go.
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
pub(super) mod tests {
    use super::*;
    use crate::kernels::beside::tests::SHAPES;
    use crate::kernels::recur::recur;
    use crate::number::level::tests::at_every_level;

    /// Factors near 1, some of them 0 or negative; or such that products leave the range and come back.
    pub(super) fn factors<T: Number>(len: usize, far: bool) -> Vec<T> {
        let near = |i: usize| 0.6 + (i * 7 % 11) as f64 * 0.08;
        let sign = |i: usize| if i.is_multiple_of(3) { -1.0 } else { 1.0 };
        let large = T::MAX.sqrt() * T::of(0.4);
        let factor = |i: usize| match i % 5 {
            _ if i % 97 == 96 || (i / 40).is_multiple_of(3) && i % 7 == 3 => T::ZERO.copysign(T::of(sign(i / 7))),
            0 | 1 if far => large,
            2 | 3 if far => T::ONE / large,
            _ => T::of(sign(i) * near(i)),
        };
        (0..len).map(factor).collect()
    }

    pub(super) fn same<T: Number>(x: T, y: T) -> bool {
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
            let zero: Vec<f64> = (0..n).map(|i| if i == 500 { 0.0 } else { 1.5 }).collect();
            product(&zero, (n, 1), &mut y);
            assert_eq!(y[0], 0.0);
        }
    }

    #[test]
    fn a_zero_product_has_the_sign_of_all_factors_in_short_and_in_long_rows() {
        for n in [5, LONG - 1, LONG, 3 * LONG + 7] {
            for (signs, inner) in (0..8_usize).flat_map(|signs| [(signs, 1), (signs, 3)]) {
                let mut x = vec![1.0_f64; n * inner];
                let sign = |k: usize| if signs >> k & 1 == 1 { -1.0 } else { 1.0 };
                for row in 0..inner {
                    // Gradually out of the range, and a zero.
                    for (j, factor) in [(0, 1e-200), (1, 1e-200 * sign(0)), (2, sign(1)), (n - 1, 0.0 * sign(2))] {
                        x[j * inner + row] = factor;
                    }
                }
                let mut y = vec![f64::NAN; inner];
                product(&x, (n, inner), &mut y);
                let want: f64 = 0.0 * sign(0) * sign(1) * sign(2);
                assert!(y.iter().all(|y| y.to_bits() == want.to_bits()), "{y:?}, not {want}, of {n} {inner}");
            }
        }
    }
}
