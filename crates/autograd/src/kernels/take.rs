//! Reading and adding by index along the middle of `[outer, size, inner]`.

mod lists;

use super::map::{LANES, copy, level};
use super::order::with_zeros;
use crate::number::Number;
use crate::number::elementary::select;
use crate::number::level::Kernel;
use crate::tensor::memory::{OutOfMemory, room};
use lists::Lists;

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
        let is_long = inner >= NEIGHBOURS || inner > 1 && size * inner > SUMS;
        let lists = layout == Layout::Shared && is_long && u32::try_from(n).is_ok();
        if lists {
            let lists = Lists::new(index, size);
            level(y.len()).run(PutRows { y, lists, inner, out });
        } else {
            put_wide(y, index, layout, (outer, size, n, inner), out);
        }
        return;
    }
    out.fill(T::ZERO);
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

/// `out[r, i] −= rate · Σ y[j, i]` over the rows that fall on place `r`, added up as [`put`] does: a step of gradient descent of what
/// [`take`] read rows of. Rows that nothing falls on are left as they are, where taking 0 times the rate away does that.
pub(crate) fn descend<T: Number>(y: &[T], index: &[T], inner: usize, rate: T, out: &mut [T]) {
    let (n, size) = (index.len(), out.len() / inner);
    assert!(u32::try_from(n).is_ok() && y.len() == n * inner, "descend: {n} indices of rows of {inner}");
    level(y.len()).run(Descend { y, lists: Lists::new(index, size), inner, rate, out });
}

struct Descend<'a, T> {
    y: &'a [T],
    lists: Lists,
    inner: usize,
    rate: T,
    out: &'a mut [T],
}

impl<T: Number> Kernel for Descend<'_, T> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { y, lists, inner, rate, out } = self;
        let nothing = T::ZERO * rate;
        let (mut sums, mut wide) = ([T::ZERO; WIDE], [0.0_f64; WIDE]);
        for (r, out) in out.chunks_exact_mut(inner).enumerate() {
            let Some(first) = lists.first(r) else {
                if !nothing.same_bits(T::ZERO) {
                    for out in out.iter_mut() {
                        *out -= nothing;
                    }
                }
                continue;
            };
            for (part, out) in out.chunks_mut(WIDE).enumerate() {
                let (sums, wide) = (&mut sums[..out.len()], &mut wide[..out.len()]);
                sums.fill(T::ZERO);
                wide.fill(0.0);
                let mut next = Some(first);
                while let Some(j) = next {
                    let y = &y[j * inner + part * WIDE..][..out.len()];
                    if lists.count() > MANY {
                        each_of_row(wide, y, |sum, y| sum + y.to_f64());
                    } else {
                        each_of_row(sums, y, |sum, y| sum + y);
                    }
                    next = lists.after(j);
                }
                if lists.count() > MANY {
                    each_of_row(out, wide, |out, sum| out - T::of(sum) * rate);
                } else {
                    each_of_row(out, sums, |out, sum| out - sum * rate);
                }
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
    let shared = if layout == Layout::Shared { places(index, size) } else { Vec::new() };
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

/// The places that indices name.
fn places<T: Number>(index: &[T], size: usize) -> Vec<usize> {
    let mut places = list(index.len());
    places.extend(index.iter().map(|&index| row(index, size)));
    places
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
