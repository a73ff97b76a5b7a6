//! The slope of a norm along the middle of `[outer, n, inner]`, times a cotangent.

use super::by_row::by_row;
use crate::number::Number;
use crate::number::elementary::select;

/// `a / n` for a norm `n`, 0 where that is 0; ±1 where both are infinite, as if `a` alone were.
#[inline(always)]
pub(crate) fn over_norm<T: Number>(a: T, n: T) -> T {
    select(n == T::ZERO, T::ZERO, select(n == a.abs(), T::ONE.copysign(a), a / n))
}

/// `out[o, j, i] = g[o, i] · (x[o, j, i] / y[o, i])`, where `y` is the norm of `x`: exactly 0 where `g` or the quotient is. A quotient for each
/// element, not for each row: it never leaves the range, and 3 of 5 is 0.6.
pub(crate) fn norm_slope<T: Number>([x, y, g]: [&[T]; 3], (n, inner): (usize, usize), out: &mut [T]) {
    by_row(x, [y, g], (n, inner), out, |x, [y, g]| {
        let quotient = over_norm(x, y);
        select((g == T::ZERO) | (quotient == T::ZERO), T::ZERO, g * quotient)
    });
}
