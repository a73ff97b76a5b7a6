//! The slope of a norm along the middle of `[outer, n, inner]`, times a cotangent: one division for each row, not for each element.

use super::by_row::{TILE, by_row};
use super::map::level;
use super::order::with_zeros;
use crate::number::Number;
use crate::number::elementary::select;
use crate::number::level::Kernel;

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
    if n == 1 {
        // The quotient is ±1, and second derivatives vanish exactly.
        return by_row(x, [y, g], (n, inner), out, |x, [y, g]| alone(x, y, g));
    }
    // So many rows have their factors at a time.
    let rows = if inner == 1 { TILE.min(y.len()) } else { inner };
    with_zeros(rows, |factors: &mut [T]| {
        let parts = x.chunks(rows * n).zip(out.chunks_mut(rows * n));
        for ((x, out), (y, g)) in parts.zip(y.chunks(rows).zip(g.chunks(rows))) {
            let factors = &mut factors[..y.len()];
            if level(y.len()).run(Quotients { y, g, factors }) {
                by_row(x, [factors], (n, inner), out, |x, [factor]| x * factor);
            } else {
                by_row(x, [y, g, factors], (n, inner), out, |x, [y, g, factor]| {
                    select(factor.is_nan(), alone(x, y, g), x * factor)
                });
            }
        }
    });
}

/// The quotient of each cotangent and its norm, or NaN where that may not be multiplied by; whether there is none such.
struct Quotients<'a, T> {
    y: &'a [T],
    g: &'a [T],
    factors: &'a mut [T],
}

impl<T: Number> Kernel for Quotients<'_, T> {
    type Output = bool;
    #[inline(always)]
    fn run(self) -> bool {
        let is_normal = |x: T| (x >= T::MIN_POSITIVE) & (x < T::INFINITY);
        let mut all = true;
        for ((factor, &y), &g) in self.factors.iter_mut().zip(self.y).zip(self.g) {
            let quotient = g / y;
            let is_usual = is_normal(y) & (is_normal(quotient.abs()) | (g == T::ZERO));
            all &= is_usual;
            *factor = select(is_usual, quotient, T::NAN);
        }
        all
    }
}

/// The slope of one element.
#[inline(always)]
fn alone<T: Number>(x: T, y: T, g: T) -> T {
    let quotient = over_norm(x, y);
    select((g == T::ZERO) | (quotient == T::ZERO), T::ZERO, g * quotient)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::reduce::norm;

    /// Rows of usual numbers, of zeros, of numbers at both ends of the range and of infinite ones, beside each other.
    #[test]
    fn slopes_of_norms_are_the_quotients_at_both_ends_of_the_range() {
        fn check<T: Number>() {
            for (outer, n, inner) in
                [(1, 1, 1), (9, 3, 1), (1300, 7, 1), (5, 63, 1), (4, 100, 1), (2, 5, 600), (3, 4, 7)]
            {
                let large = T::MAX.to_f64() / 4.0;
                let scales = [1.0, 0.0, large, 1.0, 1.0, T::MIN_POSITIVE.to_f64() / 8.0, f64::INFINITY, 1e-3];
                let row = |e: usize| e / (n * inner) * inner + e % inner;
                let x = |e: usize| {
                    let (x, scale) =
                        ((e * 37 % 101) as f64 / 50.0 - 1.0, scales[row(e) % if outer == 5 { 1 } else { 8 }]);
                    T::of(if scale.is_infinite() && x > 0.9 { scale } else { x * scale.min(large) })
                };
                let x: Vec<T> = (0..outer * n * inner).map(x).collect();
                let g: Vec<T> = (0..outer * inner).map(|r| T::of([0.7, -2.0, 0.0, 1e-30, 1e30][r % 5])).collect();
                let mut y = vec![T::ZERO; g.len()];
                norm(&x, (n, inner), &mut y);
                let mut out = vec![T::NAN; x.len()];
                norm_slope([&x, &y, &g], (n, inner), &mut out);
                for (e, &got) in out.iter().enumerate() {
                    let want = alone(x[e], y[row(e)], g[row(e)]).to_f64();
                    let most = 3.0 * T::EPSILON.to_f64() * want.abs().max(T::MIN_POSITIVE.to_f64());
                    assert!((got.to_f64() - want).abs() <= most || got.to_f64() == want, "{e}: {got:e}, not {want:e}");
                }
                for (r, x) in x.chunks(n * inner).enumerate() {
                    let (rows, mut by_itself) = (r * inner..(r + 1) * inner, vec![T::NAN; n * inner]);
                    norm_slope([x, &y[rows.clone()], &g[rows]], (n, inner), &mut by_itself);
                    let beside_others = &out[r * n * inner..][..n * inner];
                    assert!(by_itself.iter().zip(beside_others).all(|(a, b)| a.same_bits(*b)), "{r} of {outer}");
                }
            }
        }
        check::<f32>();
        check::<f64>();
    }
}
