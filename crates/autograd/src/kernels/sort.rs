//! Orders along the middle of `[outer, n, inner]`.

use super::memory::{OutOfMemory, room};
use crate::Float;
use std::cmp::Ordering;

/// Ascending, NaN last, as NumPy sorts; zeros of either sign are equal.
fn ascending<T: Float>(a: T, b: T) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// `out[o, r, i]`: where in the middle the element of rank `r` stands. Stable in both directions; NaN comes last when
/// ascending, first when descending.
///
/// # Errors
/// Where there is no memory for the order of a row.
pub(crate) fn argsort<T: Float>(
    x: &[T],
    (n, inner): (usize, usize),
    descending: bool,
    out: &mut [T],
) -> Result<(), OutOfMemory> {
    if x.is_empty() {
        return Ok(());
    }
    let mut order: Vec<usize> = room(n)?;
    for o in 0..x.len().checked_div(n * inner).unwrap_or(0) {
        for i in 0..inner {
            let at = |j: usize| (o * n + j) * inner + i;
            order.clear();
            order.extend(0..n);
            // Equal elements are told apart by their place, since a stable sort would ask for memory.
            if descending {
                order.sort_unstable_by(|&a, &b| ascending(x[at(b)], x[at(a)]).then(a.cmp(&b)));
            } else {
                order.sort_unstable_by(|&a, &b| ascending(x[at(a)], x[at(b)]).then(a.cmp(&b)));
            }
            for (rank, &j) in order.iter().enumerate() {
                out[at(rank)] = T::from_index(j as i64);
            }
        }
    }
    Ok(())
}

/// Where in the middle the largest (or smallest) element stands: the first of equal ones, a NaN before all.
pub(crate) fn arg_extreme<T: Float>(x: &[T], (n, inner): (usize, usize), largest: bool, out: &mut [T]) {
    for (r, out) in out.iter_mut().enumerate() {
        let (o, i) = (r / inner, r % inner);
        let at = |j: usize| x[(o * n + j) * inner + i];
        let better = |a: T, b: T| !b.is_nan() && (a.is_nan() || if largest { a > b } else { a < b });
        let best = (1..n).fold(0, |best, j| if better(at(j), at(best)) { j } else { best });
        *out = T::from_index(best as i64);
    }
}
