//! Reading and adding by index along the middle of `[outer, size, inner]`.

use super::map::copy;
use super::order::with_zeros;
use crate::number::Number;
use crate::tensor::memory::{OutOfMemory, room};

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
            for (out, &index) in out.chunks_exact_mut(inner).zip(index) {
                copy(&x[row(index, size) * inner..][..inner], out);
            }
        }
    }
}

/// From so many indices on, what falls on one place is added in `f64`: an index may come back any number of times.
const MANY: usize = 64;
/// So many neighbours are worth finding the rows that fall on one place first.
const NEIGHBOURS: usize = 8;
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
    if n > MANY && !is_wide {
        let lists = layout == Layout::Shared && inner >= NEIGHBOURS && u32::try_from(n).is_ok();
        if lists {
            put_rows(y, index, (size, n, inner), out);
        } else {
            put_wide(y, index, layout, (outer, size, n, inner), out);
        }
        return;
    }
    out.fill(T::ZERO);
    onto(y, index, layout, (outer, size, n, inner), out, |out, y| *out += y);
}

/// `put(out[o, index[…], i], y[o, j, i])`, one after the other.
fn onto<T: Number>(
    y: &[T],
    index: &[T],
    layout: Layout,
    (outer, size, n, inner): (usize, usize, usize, usize),
    out: &mut [T],
    put: impl Fn(&mut T, T),
) {
    for o in 0..outer {
        let (y, out) = (&y[o * n * inner..][..n * inner], &mut out[o * size * inner..][..size * inner]);
        for (j, y) in y.chunks_exact(inner).enumerate() {
            if layout == Layout::Shared {
                let out = &mut out[row(index[j], size) * inner..][..inner];
                out.iter_mut().zip(y).for_each(|(out, &y)| put(out, y));
                continue;
            }
            let index = &index[(o * n + j) * inner..][..inner];
            for (i, (&index, &y)) in index.iter().zip(y).enumerate() {
                put(&mut out[row(index, size) * inner + i], y);
            }
        }
    }
}

/// [`put`] of whole rows: for each place the rows that fall on it are found first. Rows that nothing falls on are zeros, and
/// where one falls it is copied.
fn put_rows<T: Number>(y: &[T], index: &[T], (size, n, inner): (usize, usize, usize), out: &mut [T]) {
    let lists = Lists::new(index, size);
    for (y, out) in y.chunks_exact(n * inner).zip(out.chunks_exact_mut(size * inner)) {
        for (r, out) in out.chunks_exact_mut(inner).enumerate() {
            let rows = lists.of(r);
            let row = |j: usize| &y[j * inner..][..inner];
            match (rows.clone().next(), rows.clone().nth(1)) {
                (None, _) => out.fill(T::ZERO),
                (Some(j), None) => out.iter_mut().zip(row(j)).for_each(|(out, &y)| *out = T::ZERO + y),
                (Some(_), Some(_)) => {
                    for (part, out) in out.chunks_mut(WIDE).enumerate() {
                        let mut sums = [0.0_f64; WIDE];
                        for j in rows.clone() {
                            let y = &row(j)[part * WIDE..][..out.len()];
                            sums.iter_mut().zip(y).for_each(|(sum, &y)| *sum += y.to_f64());
                        }
                        out.iter_mut().zip(&sums).for_each(|(out, &sum)| *out = T::of(sum));
                    }
                }
            }
        }
    }
}

/// Which rows fall on each of so many places: the first one, and behind these the next one after each row; as many as there are
/// indices stands for none.
struct Lists {
    next: Vec<u32>,
    size: usize,
}

impl Lists {
    fn new<T: Number>(index: &[T], size: usize) -> Self {
        let n = index.len();
        let mut next: Vec<u32> = room(size + n).unwrap_or_else(|refused| panic!("sums of repeated indices: {refused}"));
        next.resize(size + n, n as u32);
        for (j, &index) in index.iter().enumerate().rev() {
            let r = row(index, size);
            next[size + j] = std::mem::replace(&mut next[r], j as u32);
        }
        Self { next, size }
    }

    /// The rows that fall on a place, in their order.
    fn of(&self, place: usize) -> impl Iterator<Item = usize> + Clone {
        let n = self.next.len() - self.size;
        let at = move |j: usize| Some(self.next[j] as usize).filter(|&j| j < n);
        std::iter::successors(at(place), move |&j| at(self.size + j))
    }
}

/// Sums in `f64` beside each other.
const WIDE: usize = 128;

/// `out[r, i] −= rate · Σ y[j, i]` over the rows that fall on place `r`, added up as [`put`] does: a step of gradient descent of what
/// [`take`] read rows of. Rows that nothing falls on are left as they are, where taking 0 times the rate away does that.
pub(crate) fn descend<T: Number>(y: &[T], index: &[T], inner: usize, rate: T, out: &mut [T]) {
    let (n, size) = (index.len(), out.len() / inner);
    assert!(u32::try_from(n).is_ok() && y.len() == n * inner, "descend: {n} indices of rows of {inner}");
    let lists = Lists::new(index, size);
    let nothing = T::ZERO * rate;
    for (r, out) in out.chunks_exact_mut(inner).enumerate() {
        let rows = lists.of(r);
        if rows.clone().next().is_none() {
            if !nothing.same_bits(T::ZERO) {
                for out in out.iter_mut() {
                    *out -= nothing;
                }
            }
            continue;
        }
        for (part, out) in out.chunks_mut(WIDE).enumerate() {
            let (mut sums, mut wide) = ([T::ZERO; WIDE], [0.0_f64; WIDE]);
            for j in rows.clone() {
                let y = &y[j * inner + part * WIDE..][..out.len()];
                if n > MANY {
                    wide.iter_mut().zip(y).for_each(|(sum, &y)| *sum += y.to_f64());
                } else {
                    sums.iter_mut().zip(y).for_each(|(sum, &y)| *sum += y);
                }
            }
            for ((out, &sum), &wide) in out.iter_mut().zip(&sums).zip(&wide) {
                *out -= if n > MANY { T::of(wide) } else { sum } * rate;
            }
        }
    }
}

/// [`put`] of a few columns at a time, whose sums are kept in `f64`.
fn put_wide<T: Number>(
    y: &[T],
    index: &[T],
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
                for j in 0..n {
                    let at = (o * n + j) * inner + from;
                    for (i, &y) in y[at..at + width].iter().enumerate() {
                        let index = if layout == Layout::Shared { index[j] } else { index[at + i] };
                        sums[row(index, size) * columns + i] += y.to_f64();
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
    onto(y, index, layout, (outer, size, n, inner), out, |out, y| *out = y);
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
    // A few columns at a time, so that rows are read as they lie.
    let columns = (SUMS / size.max(1)).clamp(1, inner);
    let mut last: Vec<usize> = room(size * columns)?;
    last.resize(size * columns, 0);
    for o in 0..outer {
        for from in (0..inner).step_by(columns) {
            let part = |j: usize| (o * n + j) * inner + from..(o * n + j) * inner + inner.min(from + columns);
            for j in 0..n {
                for (i, &index) in index[part(j)].iter().enumerate() {
                    last[row(index, size) * columns + i] = j;
                }
            }
            for j in 0..n {
                for (i, (out, &index)) in out[part(j)].iter_mut().zip(&index[part(j)]).enumerate() {
                    let wins = last[row(index, size) * columns + i] == j;
                    *out = if wins { T::ONE } else { T::ZERO };
                }
            }
        }
    }
    Ok(())
}
