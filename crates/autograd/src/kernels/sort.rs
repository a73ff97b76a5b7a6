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

/// Windows that move over planes of `h · w` elements, beyond their borders too.
#[derive(Clone, Copy)]
pub(crate) struct Windows {
    pub(crate) plane: [usize; 2],
    pub(crate) kernel: [usize; 2],
    pub(crate) stride: [usize; 2],
    pub(crate) padding: [usize; 2],
    /// How many there are.
    pub(crate) places: [usize; 2],
}

/// Where in each window the largest element of the plane stands: the first of equal ones, a NaN before all. What lies beyond
/// the border is no element.
pub(crate) fn largest_in_windows<T: Number>(x: &[T], windows: Windows, out: &mut [T]) {
    let Windows { plane: [h, w], kernel, stride, padding, places } = windows;
    // The first place of a window, and the one behind its last, that lie in the plane.
    let within = |place: usize, axis: usize, size: usize| {
        let start = place * stride[axis];
        let first = padding[axis].saturating_sub(start);
        first..(padding[axis] + size).saturating_sub(start).min(kernel[axis]).max(first)
    };
    for (plane, out) in x.chunks_exact(h * w).zip(out.chunks_exact_mut(places[0] * places[1])) {
        for (place, out) in out.iter_mut().enumerate() {
            let (top, left) = (place / places[1], place % places[1]);
            let mut best: Option<(T, usize)> = None;
            for i in within(top, 0, h) {
                for j in within(left, 1, w) {
                    let x = plane[(top * stride[0] + i - padding[0]) * w + left * stride[1] + j - padding[1]];
                    if best.is_none_or(|(most, _)| !most.is_nan() && (x.is_nan() || x > most)) {
                        best = Some((x, i * kernel[1] + j));
                    }
                }
            }
            *out = T::from_index(best.map_or(0, |(_, at)| at as i64));
        }
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
