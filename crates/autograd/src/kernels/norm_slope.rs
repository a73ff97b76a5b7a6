//! The slope of a norm along the middle of `[outer, n, inner]`, times a cotangent: one division for each row, not for each element.

use super::map::level;
use super::order::with_zeros;
use super::spread::{repeat, stretch};
use crate::number::Number;
use crate::number::elementary::select;
use crate::number::level::Kernel;

/// Rows of fewer elements go several at a time.
const LONG: usize = 64;
/// The elements of these, and the columns that go at a time.
const TILE: usize = 512;

/// `a / n` for a norm `n`, 0 where that is 0; ±1 where both are infinite, as if `a` alone were.
#[inline(always)]
pub(crate) fn over_norm<T: Number>(a: T, n: T) -> T {
    select(n == T::ZERO, T::ZERO, select(n == a.abs(), T::ONE.copysign(a), a / n))
}

/// `out[o, j, i] = g[o, i] · x[o, j, i] / y[o, i]`, where `y` is the norm of `x`: exactly 0 where `g`, `x` or the norm is. `x` is
/// multiplied by `g/y` where that is a normal number, else the quotient `x/y` by `g`: neither leaves the range where the slope does not.
pub(crate) fn norm_slope<T: Number>([x, y, g]: [&[T]; 3], (n, inner): (usize, usize), out: &mut [T]) {
    if out.is_empty() {
        return;
    }
    with_zeros(2 * TILE.min(out.len()), |memory: &mut [T]| {
        let (factors, tile) = memory.split_at_mut(memory.len() / 2);
        level(out.len()).run(Slopes { x, y, g, n, inner, factors, tile, out });
    });
}

struct Slopes<'a, T> {
    x: &'a [T],
    y: &'a [T],
    g: &'a [T],
    n: usize,
    inner: usize,
    factors: &'a mut [T],
    tile: &'a mut [T],
    out: &'a mut [T],
}

impl<T: Number> Kernel for Slopes<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let Self { x, y, g, n, inner, factors, tile, out } = self;
        if inner == 1 {
            // As many rows as a tile has, or one.
            let rows = if n < LONG { (tile.len() / n).max(1) } else { 1 };
            let parts = x.chunks(rows * n).zip(out.chunks_mut(rows * n));
            for ((x, out), (y, g)) in parts.zip(y.chunks(rows).zip(g.chunks(rows))) {
                if !fill_factors(y, g, factors) {
                    for ((x, out), (&y, &g)) in x.chunks(n).zip(out.chunks_mut(n)).zip(y.iter().zip(g)) {
                        each(x, out, |x| alone(x, y, g));
                    }
                } else if rows == 1 {
                    let factor = factors[0];
                    each(x, out, |x| x * factor);
                } else {
                    let tile = &mut tile[..x.len()];
                    stretch(factors, n, 0, tile);
                    times(x, tile, out);
                }
            }
            return;
        }
        let outer = x.chunks_exact(n * inner).zip(out.chunks_exact_mut(n * inner));
        for ((x, out), (y, g)) in outer.zip(y.chunks_exact(inner).zip(g.chunks_exact(inner))) {
            for from in (0..inner).step_by(factors.len()) {
                let columns = from..inner.min(from + factors.len());
                let (y, g) = (&y[columns.clone()], &g[columns.clone()]);
                let are_usual = fill_factors(y, g, factors);
                if are_usual && inner < LONG {
                    // The same factors for as many rows as a tile has.
                    let len = (tile.len() / inner).max(1) * inner;
                    let tile = &mut tile[..len];
                    repeat(&factors[..inner], 0, tile);
                    for (x, out) in x.chunks(tile.len()).zip(out.chunks_mut(tile.len())) {
                        times(x, &tile[..x.len()], out);
                    }
                    continue;
                }
                for (x, out) in x.chunks_exact(inner).zip(out.chunks_exact_mut(inner)) {
                    let (x, out) = (&x[columns.clone()], &mut out[columns.clone()]);
                    if are_usual {
                        times(x, &factors[..x.len()], out);
                        continue;
                    }
                    for ((out, &x), (&y, &g)) in out.iter_mut().zip(x).zip(y.iter().zip(g)) {
                        *out = alone(x, y, g);
                    }
                }
            }
        }
    }
}

/// The quotient of each cotangent and its norm, and whether all of them may be multiplied by.
#[inline(always)]
fn fill_factors<T: Number>(y: &[T], g: &[T], factors: &mut [T]) -> bool {
    let mut all = true;
    for ((factor, &y), &g) in factors.iter_mut().zip(y).zip(g) {
        *factor = g / y;
        let is_normal = |x: T| (x >= T::MIN_POSITIVE) & (x < T::INFINITY);
        all &= is_normal(y) & (is_normal(factor.abs()) | (g == T::ZERO));
    }
    all
}

/// The slope of one element.
#[inline(always)]
fn alone<T: Number>(x: T, y: T, g: T) -> T {
    let quotient = over_norm(x, y);
    select((g == T::ZERO) | (quotient == T::ZERO), T::ZERO, g * quotient)
}

#[inline(always)]
fn each<T: Number>(x: &[T], out: &mut [T], f: impl Fn(T) -> T) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = f(x);
    }
}

#[inline(always)]
fn times<T: Number>(x: &[T], factors: &[T], out: &mut [T]) {
    for ((out, &x), &factor) in out.iter_mut().zip(x).zip(factors) {
        *out = x * factor;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reduce::norm;
    use crate::number::level::tests::at_every_level;

    /// Rows of usual numbers, of zeros, of numbers at both ends of the range and of infinite ones, beside each other.
    #[test]
    fn slopes_of_norms_are_the_quotients_at_both_ends_of_the_range() {
        fn check<T: Number>() {
            at_every_level(|level| {
                for (outer, n, inner) in
                    [(1, 1, 1), (9, 3, 1), (300, 7, 1), (5, 63, 1), (4, 100, 1), (2, 5, 600), (3, 4, 7)]
                {
                    let large = (T::MAX.sqrt() * T::MAX.sqrt()).to_f64() / 4.0;
                    let scales = [1.0, 0.0, large, 1.0, 1.0, T::MIN_POSITIVE.to_f64() / 8.0, f64::INFINITY, 1e-3];
                    let at = |e: usize| e / (n * inner) * inner + e % inner;
                    let x = |e: usize| {
                        let (x, scale) =
                            ((e * 37 % 101) as f64 / 50.0 - 1.0, scales[at(e) % if outer == 5 { 1 } else { 8 }]);
                        T::of(if scale.is_infinite() && x > 0.9 { scale } else { x * scale.min(large) })
                    };
                    let x: Vec<T> = (0..outer * n * inner).map(x).collect();
                    let g: Vec<T> = (0..outer * inner).map(|r| T::of([0.7, -2.0, 0.0, 1e-30, 1e30][r % 5])).collect();
                    let mut y = vec![T::ZERO; g.len()];
                    norm(&x, (n, inner), &mut y);
                    let mut out = vec![T::NAN; x.len()];
                    let (mut factors, mut tile) = (vec![T::ZERO; TILE], vec![T::ZERO; TILE]);
                    let (factors, tile) = (&mut factors[..], &mut tile[..]);
                    level.run(Slopes { x: &x, y: &y, g: &g, n, inner, factors, tile, out: &mut out });
                    for (e, &got) in out.iter().enumerate() {
                        let (y, g) = (y[at(e)], g[at(e)]);
                        let want = alone(x[e], y, g).to_f64();
                        let most = 3.0 * T::EPSILON.to_f64() * want.abs().max(T::MIN_POSITIVE.to_f64());
                        assert!(
                            (got.to_f64() - want).abs() <= most || got.to_f64() == want,
                            "{e}: {got:e} {want:e} {level:?}"
                        );
                    }
                }
            });
        }
        check::<f32>();
        check::<f64>();
    }
}
