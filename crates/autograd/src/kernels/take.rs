//! Reading and adding by index along the middle of `[outer, size, inner]`.

mod descend;
mod lists;
mod put;

use super::map::{LANES, copy, level};
use crate::number::Number;
use crate::number::elementary::select;
use crate::number::level::Kernel;
use crate::tensor::memory::{OutOfMemory, room};
pub(crate) use descend::descend;
use put::{MANY, SUMS};
pub(crate) use put::{put, put_extreme, set};
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
        match self.inner {
            2 => self.of_width::<2>(),
            4 => self.of_width::<4>(),
            8 => self.of_width::<8>(),
            16 => self.of_width::<16>(),
            _ => self.of_any_width(),
        }
    }
}

impl<T: Number> TakeRows<'_, T> {
    #[inline(always)]
    fn of_width<const W: usize>(self) {
        let (x, _) = self.x.as_chunks::<W>();
        let (out, _) = self.out.as_chunks_mut::<W>();
        for (out, &index) in out.iter_mut().zip(self.index) {
            *out = x[row(index, self.size)];
        }
    }

    #[inline(always)]
    fn of_any_width(self) {
        let Self { x, index, size, inner, out } = self;
        for (out, &index) in out.chunks_exact_mut(inner).zip(index) {
            let x = &x[row(index, size) * inner..][..inner];
            if inner > LONG {
                copy(x, out);
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

/// An empty list with room for so many.
fn list<E>(len: usize) -> Vec<E> {
    room(len).unwrap_or_else(|refused| panic!("sums of repeated indices: {refused}"))
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
                let few = [(1, 5), (7, 7), (70, 64), (70, 65), (70, 70), (300, 200), (5000, 100)];
                let wide = [(7, 65), (70, 600)]
                    .into_iter()
                    .flat_map(|sizes| [4, 8, 16, 24, 32, 33].map(|inner| (sizes, inner)));
                let all = few.into_iter().flat_map(|sizes| [1, 2, 7, 9].map(|inner| (sizes, inner))).chain(wide);
                all.map(move |((size, n), inner)| (outer, size, n, inner))
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
            for (size, n, inner) in [
                (3, 5000, 1),
                (900, 2000, 1),
                (90, 200, 1),
                (70, 60, 1),
                (3, 200, 3),
                (7, 64, 2),
                (5, 900, 8),
                (2000, 100, 9),
            ] {
                let outer = 11;
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
