//! Reading and adding by index along the middle of `[outer, size, inner]`.

mod descend;
mod lists;

use super::map::{LANES, copy, level};
use super::order::with_zeros;
use crate::number::Number;
use crate::number::elementary::select;
use crate::number::level::Kernel;
use crate::tensor::memory::{OutOfMemory, room};
pub(crate) use descend::descend;
use lists::Lists;
use smallvec::SmallVec;

/// How the index buffer is laid over `[outer, n, inner]`: one list for all rows and columns, or an index for each
/// element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// `index[j]`: the same for every row and column.
    Shared,
    /// `index[o, j, i]`: its own for each element.
    Each,
}

/// An index counted from the front, or from the end where negative, as a row of `[outer, size, inner]`.
fn row<T: Number>(index: T, size: usize) -> usize {
    let i = index.to_index();
    if i < 0 { size.wrapping_add_signed(i as isize) } else { i as usize }
}

/// `out[o, j, i] = x[o, index[…], i]`
pub(crate) fn take<T: Number>(
    x: &[T],
    index: &[T],
    layout: Layout,
    (outer, size, n, inner): (usize, usize, usize, usize),
    out: &mut [T],
) {
    // There may be any number of rows without elements.
    if out.is_empty() {
        return;
    }
    if layout == Layout::Shared && inner == 1 && outer > 1 {
        let places = places(index, size);
        for (x, out) in x.chunks_exact(size).zip(out.chunks_exact_mut(n)) {
            for (out, &place) in out.iter_mut().zip(&places) {
                *out = x[place];
            }
        }
        return;
    }
    for o in 0..outer {
        let (x, out) = (&x[o * size * inner..][..size * inner], &mut out[o * n * inner..][..n * inner]);
        let index = if layout == Layout::Each { &index[o * n * inner..][..n * inner] } else { index };
        if inner == 1 {
            for (out, &index) in out.iter_mut().zip(index) {
                *out = x[row(index, size)];
            }
        } else if layout == Layout::Each {
            for (out, index) in out.chunks_exact_mut(inner).zip(index.chunks_exact(inner)) {
                for (i, (out, &index)) in out.iter_mut().zip(index).enumerate() {
                    *out = x[row(index, size) * inner + i];
                }
            }
        } else {
            level(out.len()).run(TakeRows { x, index, size, inner, out });
        }
    }
}

/// Rows of `inner` elements by index.
struct TakeRows<'a, T> {
    x: &'a [T],
    index: &'a [T],
    size: usize,
    inner: usize,
    out: &'a mut [T],
}

impl<T: Number> Kernel for TakeRows<'_, T> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { x, index, size, inner, out } = self;
        for (out, &index) in out.chunks_exact_mut(inner).zip(index) {
            let x = &x[row(index, size) * inner..][..inner];
            if inner > LONG {
                out.copy_from_slice(x);
                continue;
            }
            // Vector by vector: a call that copies a short row takes as long as the row.
            let ((x, x_rest), (out, out_rest)) = (x.as_chunks::<LANES>(), out.as_chunks_mut::<LANES>());
            for (out, x) in out.iter_mut().zip(x) {
                *out = *x;
            }
            copy(x_rest, out_rest);
        }
    }
}

/// Longer rows are copied by the library.
const LONG: usize = 512;

/// From so many indices on, what falls on one place is added in `f64`: an index may come back any number of times.
const MANY: usize = 64;
/// So many neighbours are worth finding the rows that fall on one place first; fewer are, where there is no room for the sums of all.
const NEIGHBOURS: usize = 8;
/// For so many rows it is worth while to know whether an index comes back.
const SEVERAL: usize = 4;
/// Sums that are kept in `f64` at a time.
const SUMS: usize = 4096;

/// The adjoint of [`take`]: `out` starts at zero, then `out[o, index[…], i] += y[o, j, i]`; repeated indices add up.
pub(crate) fn put<T: Number>(
    y: &[T],
    index: &[T],
    layout: Layout,
    (outer, size, n, inner): (usize, usize, usize, usize),
    out: &mut [T],
) {
    if y.is_empty() {
        return out.fill(T::ZERO);
    }
    let is_wide = size_of::<T>() == size_of::<f64>();
    let is_many = n > MANY && !is_wide;
    let is_long = inner >= NEIGHBOURS || inner > 1 && size * inner > SUMS;
    if is_many && is_long && layout == Layout::Shared && u32::try_from(n).is_ok() {
        let lists = Lists::new(index, size);
        return level(y.len()).run(PutRows { y, lists, inner, out });
    }
    let is_listed = layout == Layout::Shared && (is_many || inner == 1 && outer > 1);
    let places = if is_listed { places(index, size) } else { SmallVec::new() };
    // Of several rows it is worth while to know that nothing falls on one place.
    if is_many && (layout == Layout::Each || inner > 1 || outer < SEVERAL || !are_distinct(&places, size)) {
        return put_wide(y, (index, &places), layout, (outer, size, n, inner), out);
    }
    out.fill(T::ZERO);
    if is_listed {
        for (y, out) in y.chunks_exact(n).zip(out.chunks_exact_mut(size)) {
            for (&y, &place) in y.iter().zip(&places) {
                out[place] += y;
            }
        }
        return;
    }
    let sizes = (outer, size, n, inner);
    level(y.len()).run(Onto { y, index, layout, sizes, out, put: |out, y| out + y });
}

/// `out[o, index[…], i] = put(out[o, index[…], i], y[o, j, i])`, one after the other.
struct Onto<'a, T, F> {
    y: &'a [T],
    index: &'a [T],
    layout: Layout,
    sizes: (usize, usize, usize, usize),
    out: &'a mut [T],
    put: F,
}

impl<T: Number, F: Fn(T, T) -> T> Kernel for Onto<'_, T, F> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { y, index, layout, sizes: (outer, size, n, inner), out, put } = self;
        for o in 0..outer {
            let (y, out) = (&y[o * n * inner..][..n * inner], &mut out[o * size * inner..][..size * inner]);
            for (j, y) in y.chunks_exact(inner).enumerate() {
                if layout == Layout::Shared {
                    each_of_row(&mut out[row(index[j], size) * inner..][..inner], y, &put);
                    continue;
                }
                let index = &index[(o * n + j) * inner..][..inner];
                for (i, (&index, &y)) in index.iter().zip(y).enumerate() {
                    let out = &mut out[row(index, size) * inner + i];
                    *out = put(*out, y);
                }
            }
        }
    }
}

/// [`put`] of whole rows, where the rows that fall on each place are known. Rows that nothing falls on are zeros, and where one
/// falls it is copied.
struct PutRows<'a, T> {
    y: &'a [T],
    lists: Lists,
    inner: usize,
    out: &'a mut [T],
}

impl<T: Number> Kernel for PutRows<'_, T> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { y, lists, inner, out } = self;
        let mut sums = [0.0_f64; WIDE];
        for (y, out) in y.chunks_exact(lists.count() * inner).zip(out.chunks_exact_mut(lists.size * inner)) {
            for (r, out) in out.chunks_exact_mut(inner).enumerate() {
                let Some(first) = lists.first(r) else {
                    out.fill(T::ZERO);
                    continue;
                };
                let row = |j: usize| &y[j * inner..][..inner];
                if lists.after(first).is_none() {
                    each_of_row(out, row(first), |_, y| T::ZERO + y);
                    continue;
                }
                for (part, out) in out.chunks_mut(WIDE).enumerate() {
                    let (sums, part) = (&mut sums[..out.len()], part * WIDE..part * WIDE + out.len());
                    sums.fill(0.0);
                    let mut next = Some(first);
                    while let Some(j) = next {
                        each_of_row(sums, &row(j)[part.clone()], |sum, y| sum + y.to_f64());
                        next = lists.after(j);
                    }
                    each_of_row(out, sums, |_, sum| T::of(sum));
                }
            }
        }
    }
}

/// `out[i] = f(out[i], y[i])`
#[inline(always)]
fn each_of_row<S: Copy, T: Copy>(out: &mut [S], y: &[T], f: impl Fn(S, T) -> S) {
    for (out, &y) in out.iter_mut().zip(y) {
        *out = f(*out, y);
    }
}

/// Sums in `f64` beside each other.
const WIDE: usize = 128;

/// [`put`] of a few columns at a time, whose sums are kept in `f64`.
fn put_wide<T: Number>(
    y: &[T],
    (index, shared): (&[T], &[usize]),
    layout: Layout,
    (outer, size, n, inner): (usize, usize, usize, usize),
    out: &mut [T],
) {
    let columns = (SUMS / size.max(1)).clamp(1, inner);
    with_zeros(size * columns, |sums: &mut [f64]| {
        for o in 0..outer {
            for from in (0..inner).step_by(columns) {
                let width = columns.min(inner - from);
                sums.fill(0.0);
                let all = &y[o * n * inner..][..n * inner];
                match layout {
                    Layout::Shared if inner == 1 => {
                        for (&place, y) in shared.iter().zip(all) {
                            sums[place] += y.to_f64();
                        }
                    }
                    Layout::Shared => {
                        for (&place, y) in shared.iter().zip(all.chunks_exact(inner)) {
                            let sums = &mut sums[place * columns..][..width];
                            each_of_row(sums, &y[from..from + width], |sum, y| sum + y.to_f64());
                        }
                    }
                    Layout::Each => {
                        for j in 0..n {
                            let at = (o * n + j) * inner + from;
                            for (i, (&y, &index)) in y[at..at + width].iter().zip(&index[at..at + width]).enumerate() {
                                sums[row(index, size) * columns + i] += y.to_f64();
                            }
                        }
                    }
                }
                for (r, sums) in sums.chunks_exact(columns).enumerate() {
                    let out = &mut out[(o * size + r) * inner + from..][..width];
                    out.iter_mut().zip(sums).for_each(|(out, &sum)| *out = T::of(sum));
                }
            }
        }
    });
}

/// An empty list with room for so many.
fn list<E>(len: usize) -> Vec<E> {
    room(len).unwrap_or_else(|refused| panic!("sums of repeated indices: {refused}"))
}

/// Whether each of these places comes once at most.
fn are_distinct(places: &[usize], size: usize) -> bool {
    let mut named: Vec<bool> = list(size);
    named.resize(size, false);
    places.iter().all(|&place| !std::mem::replace(&mut named[place], true))
}

/// The places that indices name.
fn places<T: Number>(index: &[T], size: usize) -> SmallVec<[usize; MANY]> {
    let places = index.iter().map(|&index| row(index, size));
    if index.len() <= MANY {
        return places.collect();
    }
    let mut many = list(index.len());
    many.extend(places);
    many.into()
}

/// `out[o, index[…], i] = y[o, j, i]`; of repeated indices the last stays.
pub(crate) fn set<T: Number>(
    y: &[T],
    index: &[T],
    layout: Layout,
    (outer, size, n, inner): (usize, usize, usize, usize),
    out: &mut [T],
) {
    // There may be any number of rows without elements.
    if y.is_empty() {
        return;
    }
    let sizes = (outer, size, n, inner);
    level(y.len()).run(Onto { y, index, layout, sizes, out, put: |_, y| y });
}

/// `out[o, index[…], i]` where that is larger than `y[o, j, i]` (or smaller), else this; NaN where one is.
pub(crate) fn put_extreme<T: Number>(
    y: &[T],
    index: &[T],
    layout: Layout,
    sizes: (usize, usize, usize, usize),
    largest: bool,
    out: &mut [T],
) {
    if y.is_empty() {
        return;
    }
    let level = level(y.len());
    if largest {
        level.run(Onto { y, index, layout, sizes, out, put: |out: T, y| extreme_of(out, y, out > y) });
    } else {
        level.run(Onto { y, index, layout, sizes, out, put: |out: T, y| extreme_of(out, y, out < y) });
    }
}

/// `a` where it wins, else `b`; a NaN wins.
#[inline(always)]
fn extreme_of<T: Number>(a: T, b: T, wins: bool) -> T {
    select(wins | a.is_nan(), a, b)
}

/// 1 where `index[o, j, i]` is the last along `j` to name its row, else 0.
///
/// # Errors
/// Where there is no memory for a number for each row.
pub(crate) fn winners<T: Number>(
    index: &[T],
    (outer, size, n, inner): (usize, usize, usize, usize),
    out: &mut [T],
) -> Result<(), OutOfMemory> {
    if index.is_empty() {
        return Ok(());
    }
    // A few columns at a time, so that rows are read as they lie; from the last row on, since the first to name a place wins then.
    let columns = (SUMS / size.max(1)).clamp(1, inner);
    let mut named: Vec<bool> = room(size * columns)?;
    named.resize(size * columns, false);
    for o in 0..outer {
        for from in (0..inner).step_by(columns) {
            named.fill(false);
            for j in (0..n).rev() {
                let part = (o * n + j) * inner + from..(o * n + j) * inner + inner.min(from + columns);
                for (i, (out, &index)) in out[part.clone()].iter_mut().zip(&index[part]).enumerate() {
                    let is_named = std::mem::replace(&mut named[row(index, size) * columns + i], true);
                    *out = select(is_named, T::ZERO, T::ONE);
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows, places, indices and neighbours of which some are few and some many, with indices that come back and not.
    #[test]
    fn what_is_taken_and_put_is_what_the_definition_says() {
        fn check<T: Number>() {
            for (outer, size, n, inner) in [1, 3, 9].into_iter().flat_map(|outer| {
                [(1, 5), (7, 7), (70, 64), (70, 65), (70, 70), (300, 200), (5000, 100)]
                    .into_iter()
                    .flat_map(move |(size, n)| [1, 2, 7, 9].map(|inner| (outer, size, n, inner)))
            }) {
                for step in [1, 3, size] {
                    let place = |j: usize| (j * step + j / size) % size;
                    // Every other one is counted from the end.
                    let counted = |j: usize| place(j) as i64 - if j.is_multiple_of(2) { 0 } else { size as i64 };
                    let index: Vec<T> = (0..n).map(|j| T::from_index(counted(j))).collect();
                    let x: Vec<T> = (0..outer * size * inner).map(|i| T::of(i as f64 % 89.0)).collect();
                    let y: Vec<T> = (0..outer * n * inner).map(|i| T::of(i as f64 % 13.0 - 6.0)).collect();
                    let (mut taken, mut added) = (vec![T::ZERO; y.len()], vec![T::of(9.0); x.len()]);
                    take(&x, &index, Layout::Shared, (outer, size, n, inner), &mut taken);
                    put(&y, &index, Layout::Shared, (outer, size, n, inner), &mut added);
                    let mut want = vec![T::ZERO; x.len()];
                    for (i, &y) in y.iter().enumerate() {
                        let (o, j, e) = (i / (n * inner), i / inner % n, i % inner);
                        let at = (o * size + place(j)) * inner + e;
                        assert!(taken[i] == x[at], "{i} of {:?}", (outer, size, n, inner));
                        want[at] += y;
                    }
                    // Whole numbers are added exactly in any order.
                    assert!(added == want, "{:?} in steps of {step}", (outer, size, n, inner));
                }
            }
        }
        check::<f32>();
        check::<f64>();
    }

    /// What falls on a place more often than once is added up in the same way, however many rows there are.
    #[test]
    fn sums_do_not_depend_on_the_rows_beside_them() {
        fn places<T: Number>(len: usize, size: usize) -> Vec<T> {
            (0..len).map(|i| T::from_index((i * 7919 % size) as i64)).collect()
        }
        for layout in [Layout::Shared, Layout::Each] {
            for (size, n, inner) in [(3, 5000, 1), (900, 2000, 1), (3, 200, 3), (7, 64, 2), (2000, 100, 9)] {
                let outer = 6;
                let len = if layout == Layout::Shared { n } else { outer * n * inner };
                let index: Vec<f32> = places(len, size);
                let y: Vec<f32> = (0..outer * n * inner).map(|i| 0.1 + (i * 31 % 997) as f32 * 1e-3).collect();
                let mut all = vec![0.0_f32; outer * size * inner];
                put(&y, &index, layout, (outer, size, n, inner), &mut all);
                for (o, all) in all.chunks_exact(size * inner).enumerate() {
                    let (row, mut alone) = (o * n * inner..(o + 1) * n * inner, vec![0.0_f32; size * inner]);
                    let index = if layout == Layout::Shared { &index } else { &index[row.clone()] };
                    put(&y[row], index, layout, (1, size, n, inner), &mut alone);
                    assert_eq!(all, alone, "row {o} of {:?} {layout:?}", (size, n, inner));
                }
            }
        }
    }
}
