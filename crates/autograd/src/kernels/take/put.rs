//! Adding by index, and setting and comparing what is there: the adjoints of reading by index.

use super::lists::Lists;
use super::{Layout, list, places, row};
use crate::kernels::machine::TABLE_BYTES;
use crate::kernels::map::level;
use crate::kernels::order::with_zeros;
use crate::kernels::transpose::transpose;
use crate::number::Number;
use crate::number::elementary::select;
use crate::number::level::Kernel;
use smallvec::SmallVec;

/// From so many indices on, what falls on one place is added in `f64`: an index may come back any number of times.
pub(super) const MANY: usize = 64;
/// So many neighbours are worth finding the rows that fall on one place first; fewer are, where there is no room for the sums of all.
const NEIGHBOURS: usize = 8;
/// For so many rows it is worth while to know whether an index comes back.
const SEVERAL: usize = 4;
/// Sums that are kept in `f64` at a time.
pub(super) const SUMS: usize = 4096;
/// Elements of rows that are turned, and of their sums: they stay in the second-level cache.
const TURNED: usize = 32 * 1024;
/// The most rows that are turned together, and the fewest that are worth it.
const MOST_TURNED: usize = 64;
const LEAST_TURNED: usize = 8;
/// Rows of so many are added one by one to the sums of all; longer ones are worth finding those that fall on one place first.
const MOST_SHORT: usize = 32;
/// So many are kept where they are read and written row by row: they fit the second-level cache.
const TABLE: usize = TABLE_BYTES / size_of::<f64>();

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
    // Numbers of the wide type are added where they fall, which is as quick.
    if let Some(rows) = rows_together(layout, (outer, size, n, inner)).filter(|_| !is_wide) {
        return put_turned(y, index, (outer, size, n), rows, out);
    }
    let is_many = n > MANY && !is_wide;
    // Of several rows it is worth while to know that nothing falls on one place.
    let is_short = if inner == 1 { outer < SEVERAL } else { inner <= MOST_SHORT };
    // All sums are set to 0 and read at the end, which many rows are to be worth.
    if n > MANY && is_short && layout == Layout::Shared && size * inner <= TABLE.min(4 * n) {
        return with_zeros(size * inner, |sums: &mut [f64]| {
            level(y.len()).run(PutRowsWide { y, index, size, inner, sums, out });
        });
    }
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

/// How many rows whose elements share their places are worth turning, so that an element of each lies beside those of the others.
fn rows_together(layout: Layout, (outer, size, n, inner): (usize, usize, usize, usize)) -> Option<usize> {
    let rows = (TURNED / (size.saturating_add(n)).max(1)).min(MOST_TURNED).min(outer);
    (layout == Layout::Shared && inner == 1 && rows >= LEAST_TURNED).then_some(rows)
}

/// [`put`] of rows whose elements share their places, so many of which are turned together: the same sums in the same order.
fn put_turned<T: Number>(y: &[T], index: &[T], (outer, size, n): (usize, usize, usize), rows: usize, out: &mut [T]) {
    with_zeros((size + n) * rows, |memory: &mut [T]| {
        for start in (0..outer).step_by(rows) {
            let rows = rows.min(outer - start);
            let (turned, sums) = memory[..(size + n) * rows].split_at_mut(n * rows);
            transpose(&y[start * n..], n, (rows, n), turned, rows);
            put(turned, index, Layout::Shared, (1, size, n, rows), sums);
            transpose(sums, rows, (size, rows), &mut out[start * size..], size);
        }
    });
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

/// [`put`] of whole rows that come back often, whose sums are all kept in `f64`.
struct PutRowsWide<'a, T> {
    y: &'a [T],
    index: &'a [T],
    size: usize,
    inner: usize,
    sums: &'a mut [f64],
    out: &'a mut [T],
}

impl<T: Number> Kernel for PutRowsWide<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        match self.inner {
            1 => self.of_width::<1>(),
            2 => self.of_width::<2>(),
            4 => self.of_width::<4>(),
            8 => self.of_width::<8>(),
            16 => self.of_width::<16>(),
            32 => self.of_width::<32>(),
            _ => self.of_any_width(),
        }
    }
}

impl<T: Number> PutRowsWide<'_, T> {
    #[inline(always)]
    fn of_width<const W: usize>(self) {
        let Self { y, index, size, sums, out, .. } = self;
        for (y, out) in y.chunks_exact(index.len() * W).zip(out.chunks_exact_mut(size * W)) {
            sums.fill(0.0);
            let (places, _) = sums.as_chunks_mut::<W>();
            for (&y, &index) in y.as_chunks::<W>().0.iter().zip(index) {
                let place = &mut places[row(index, size)];
                // All are read before one is written, so that they are a vector.
                let mut sums = *place;
                for i in 0..W {
                    sums[i] += y[i].to_f64();
                }
                *place = sums;
            }
            each_of_row(out, sums, |_, sum| T::of(sum));
        }
    }

    #[inline(always)]
    fn of_any_width(self) {
        let Self { y, index, size, inner, sums, out } = self;
        for (y, out) in y.chunks_exact(index.len() * inner).zip(out.chunks_exact_mut(size * inner)) {
            sums.fill(0.0);
            for (y, &index) in y.chunks_exact(inner).zip(index) {
                each_of_row(&mut sums[row(index, size) * inner..][..inner], y, |sum, y| sum + y.to_f64());
            }
            each_of_row(out, sums, |_, sum| T::of(sum));
        }
    }
}

/// `out[i] = f(out[i], y[i])`
#[inline(always)]
pub(super) fn each_of_row<S: Copy, T: Copy>(out: &mut [S], y: &[T], f: impl Fn(S, T) -> S) {
    for (out, &y) in out.iter_mut().zip(y) {
        *out = f(*out, y);
    }
}

/// Sums in `f64` beside each other.
pub(super) const WIDE: usize = 128;

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
        level(y.len()).run(PutWide { y, index, shared, layout, sizes: (outer, size, n, inner), columns, sums, out });
    });
}

struct PutWide<'a, T> {
    y: &'a [T],
    index: &'a [T],
    shared: &'a [usize],
    layout: Layout,
    sizes: (usize, usize, usize, usize),
    columns: usize,
    sums: &'a mut [f64],
    out: &'a mut [T],
}

impl<T: Number> Kernel for PutWide<'_, T> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { y, index, shared, layout, sizes: (outer, size, n, inner), columns, sums, out } = self;
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
                if columns == inner {
                    each_of_row(&mut out[o * size * inner..][..size * inner], sums, |_, sum| T::of(sum));
                    continue;
                }
                for (r, sums) in sums.chunks_exact(columns).enumerate() {
                    each_of_row(&mut out[(o * size + r) * inner + from..][..width], sums, |_, sum| T::of(sum));
                }
            }
        }
    }
}

/// Whether each of these places comes once at most.
fn are_distinct(places: &[usize], size: usize) -> bool {
    let mut named: Vec<bool> = list(size);
    named.resize(size, false);
    places.iter().all(|&place| !std::mem::replace(&mut named[place], true))
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
