//! Orders along the middle of `[outer, n, inner]`.

use crate::number::Number;
use crate::tensor::memory::{OutOfMemory, room};
use std::cmp::Ordering;

/// Ascending, NaN last, as NumPy sorts; zeros of either sign are equal.
fn ascending<T: Number>(a: T, b: T) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

/// Calls `f` with the order of each row of the middle: which it is, `[o, i]`, and where its elements stand, ranked by a
/// comparison, equal ones in the order of their places.
///
/// # Errors
/// Where there is no memory for the order of a row.
fn orders<T: Number>(
    x: &[T],
    (n, inner): (usize, usize),
    compare: impl Fn(T, T) -> Ordering,
    mut f: impl FnMut([usize; 2], &[usize]),
) -> Result<(), OutOfMemory> {
    if x.is_empty() {
        return Ok(());
    }
    let mut order: Vec<usize> = room(n)?;
    for o in 0..x.len() / (n * inner) {
        for i in 0..inner {
            let at = |j: usize| x[(o * n + j) * inner + i];
            order.clear();
            order.extend(0..n);
            // Equal elements are told apart by their place, since a stable sort would ask for memory.
            order.sort_unstable_by(|&a, &b| compare(at(a), at(b)).then(a.cmp(&b)));
            f([o, i], &order);
        }
    }
    Ok(())
}

/// `out[o, r, i]`: where in the middle the element of rank `r` stands. Stable in both directions; NaN comes last when
/// ascending, first when descending.
///
/// # Errors
/// As [`orders`].
pub(crate) fn argsort<T: Number>(
    x: &[T],
    (n, inner): (usize, usize),
    descending: bool,
    out: &mut [T],
) -> Result<(), OutOfMemory> {
    let write = |[o, i]: [usize; 2], order: &[usize]| {
        for (rank, &j) in order.iter().enumerate() {
            out[(o * n + rank) * inner + i] = T::from_index(j as i64);
        }
    };
    if descending {
        orders(x, (n, inner), |a, b| ascending(b, a), write)
    } else {
        orders(x, (n, inner), ascending, write)
    }
}

/// `out[o, k, i]`: where in the middle the element of rank `ranks[k]` stands, ascending and stable; where the first NaN
/// stands if there is one.
///
/// # Errors
/// As [`orders`].
pub(crate) fn ranked<T: Number>(
    x: &[T],
    (n, inner): (usize, usize),
    ranks: &[usize],
    out: &mut [T],
) -> Result<(), OutOfMemory> {
    orders(x, (n, inner), ascending, |[o, i], order| {
        let nan = order.iter().find(|&&j| x[(o * n + j) * inner + i].is_nan());
        for (k, &rank) in ranks.iter().enumerate() {
            let place = nan.copied().unwrap_or_else(|| order[rank]);
            out[(o * ranks.len() + k) * inner + i] = T::from_index(place as i64);
        }
    })
}
