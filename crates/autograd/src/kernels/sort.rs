//! Orders along the middle of `[outer, n, inner]`.

use crate::number::Number;
use crate::tensor::memory::{OutOfMemory, room};

/// Calls `f` with which row of the middle it is, `[o, i]`, and its elements with their places, to be brought in order.
///
/// # Errors
/// Where there is no memory for the elements of a row.
fn each_row<T: Number>(
    x: &[T],
    (n, inner): (usize, usize),
    descending: bool,
    mut f: impl FnMut([usize; 2], &mut [T::Ranked]),
) -> Result<(), OutOfMemory> {
    if x.is_empty() {
        return Ok(());
    }
    let mut row: Vec<T::Ranked> = room(n)?;
    for (o, x) in x.chunks_exact(n * inner).enumerate() {
        for i in 0..inner {
            row.clear();
            row.extend(x[i..].iter().step_by(inner).enumerate().map(|(j, x)| x.ranked(j, descending)));
            f([o, i], &mut row);
        }
    }
    Ok(())
}

/// `out[o, r, i]`: where in the middle the element of rank `r` stands, for the first so many ranks. Stable in both directions; NaN
/// comes last when ascending, first when descending.
///
/// # Errors
/// As [`each_row`].
pub(crate) fn argsort<T: Number>(
    x: &[T],
    (n, inner): (usize, usize),
    (descending, first): (bool, usize),
    out: &mut [T],
) -> Result<(), OutOfMemory> {
    if first == 0 {
        return Ok(());
    }
    each_row(x, (n, inner), descending, |[o, i], row| {
        // Places tell equal elements apart, so that no order is but one.
        if first < n && n > SHORT {
            row.select_nth_unstable(first);
            row[..first].sort_unstable();
        } else {
            row.sort_unstable();
        }
        for (rank, &element) in row[..first].iter().enumerate() {
            out[(o * first + rank) * inner + i] = T::from_index(T::place(element) as i64);
        }
    })
}

/// `out[o, k, i]`: where in the middle the element of rank `ranks[k]` stands, ascending and stable; where the first NaN
/// stands if there is one.
///
/// # Errors
/// As [`each_row`].
pub(crate) fn ranked<T: Number>(
    x: &[T],
    (n, inner): (usize, usize),
    ranks: &[usize],
    out: &mut [T],
) -> Result<(), OutOfMemory> {
    each_row(x, (n, inner), false, |[o, i], row| {
        let nan = (0..n).find(|&j| x[(o * n + j) * inner + i].is_nan());
        let is_sorted = ranks.len() > FEW || n <= SHORT;
        if is_sorted {
            row.sort_unstable();
        }
        for (k, &rank) in ranks.iter().enumerate() {
            let element = if is_sorted { row[rank] } else { *row.select_nth_unstable(rank).1 };
            let place = nan.unwrap_or_else(|| T::place(element));
            out[(o * ranks.len() + k) * inner + i] = T::from_index(place as i64);
        }
    })
}

/// More ranks than these are quicker found in a sorted row.
const FEW: usize = 6;
/// Shorter rows are sorted as fast as one element of them is found.
const SHORT: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    /// The order of a row as it is meant: ascending, NaN last, zeros of either sign equal; or turned round; stable.
    fn meant<T: Number>(row: &[T], descending: bool) -> Vec<i64> {
        let ascending = |a: T, b: T| a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()));
        let mut order: Vec<usize> = (0..row.len()).collect();
        order.sort_by(|&a, &b| if descending { ascending(row[b], row[a]) } else { ascending(row[a], row[b]) });
        order.into_iter().map(|j| j as i64).collect()
    }

    fn check<T: Number>() {
        let odd =
            [T::NAN, -T::NAN, T::INFINITY, -T::INFINITY, T::ZERO, -T::ZERO, T::MIN_POSITIVE * T::EPSILON, -T::MAX];
        for (outer, n, inner) in [(1, 1, 1), (3, 7, 1), (2, 40, 3), (1, 300, 2), (2, 9, 0)] {
            let value = |i: usize| match i * i * 13 % 29 {
                k @ 0..8 => odd[k],
                k => T::of((k % 7) as f64 * 0.3 - 0.9),
            };
            let x: Vec<T> = (0..outer * n * inner).map(value).collect();
            for row in 0..outer * inner {
                let (o, i) = (row / inner, row % inner);
                let own: Vec<T> = (0..n).map(|j| x[(o * n + j) * inner + i]).collect();
                for descending in [false, true] {
                    let all = meant(&own, descending);
                    for first in [0, 1, n / 2, n] {
                        let mut places = vec![T::ZERO; outer * first * inner];
                        argsort(&x, (n, inner), (descending, first), &mut places).expect("there is memory");
                        let at = |rank: usize| places[(o * first + rank) * inner + i].to_index();
                        let places: Vec<i64> = (0..first).map(at).collect();
                        assert_eq!(places, all[..first], "{first} of {own:?}, descending: {descending}");
                    }
                }
                let nan = own.iter().position(|x| x.is_nan());
                for ranks in [vec![n / 2], vec![n - 1, 0], (0..n).rev().collect()] {
                    let mut places = vec![T::ZERO; outer * ranks.len() * inner];
                    ranked(&x, (n, inner), &ranks, &mut places).expect("there is memory");
                    for (k, &rank) in ranks.iter().enumerate() {
                        let place = places[(o * ranks.len() + k) * inner + i].to_index();
                        assert_eq!(place, nan.map_or(meant(&own, false)[rank], |nan| nan as i64), "{rank} of {own:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn orders_are_stable_in_both_directions_whatever_the_numbers() {
        check::<f32>();
        check::<f64>();
    }
}
