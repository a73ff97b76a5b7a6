//! Reading and adding by index along the middle of `[outer, size, inner]`.

use super::order::zeros;
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

impl Layout {
    fn position(self, (o, j, i): (usize, usize, usize), n: usize, inner: usize) -> usize {
        match self {
            Self::Shared => j,
            Self::Each => (o * n + j) * inner + i,
        }
    }
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
        for j in 0..n {
            let to = (o * n + j) * inner;
            if layout == Layout::Shared {
                let from = (o * size + row(index[j], size)) * inner;
                out[to..to + inner].copy_from_slice(&x[from..from + inner]);
                continue;
            }
            for i in 0..inner {
                let r = row(index[layout.position((o, j, i), n, inner)], size);
                out[to + i] = x[(o * size + r) * inner + i];
            }
        }
    }
}

/// From so many indices on, what falls on one place is added in `f64`: an index may come back any number of times.
const MANY: usize = 64;

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
    if n <= MANY || is_wide {
        out.fill(T::ZERO);
        each(index, layout, (outer, size, n, inner), |to, from| out[to] += y[from]);
    } else {
        let mut sums: Vec<f64> = zeros(out.len());
        each(index, layout, (outer, size, n, inner), |to, from| sums[to] += y[from].to_f64());
        for (out, &sum) in out.iter_mut().zip(&sums) {
            *out = T::of(sum);
        }
    }
}

/// Calls `f(place in [outer, size, inner], place in [outer, n, inner])` for each element.
#[inline(always)]
fn each<T: Number>(
    index: &[T],
    layout: Layout,
    (outer, size, n, inner): (usize, usize, usize, usize),
    mut f: impl FnMut(usize, usize),
) {
    for o in 0..outer {
        for j in 0..n {
            for i in 0..inner {
                let r = row(index[layout.position((o, j, i), n, inner)], size);
                f((o * size + r) * inner + i, (o * n + j) * inner + i);
            }
        }
    }
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
    for o in 0..outer {
        for j in 0..n {
            for i in 0..inner {
                let r = row(index[layout.position((o, j, i), n, inner)], size);
                out[(o * size + r) * inner + i] = y[(o * n + j) * inner + i];
            }
        }
    }
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
    let mut last: Vec<usize> = room(size)?;
    last.resize(size, 0);
    for o in 0..outer {
        for i in 0..inner {
            let at = |j: usize| (o * n + j) * inner + i;
            for j in 0..n {
                last[row(index[at(j)], size)] = j;
            }
            for j in 0..n {
                out[at(j)] = if last[row(index[at(j)], size)] == j { T::ONE } else { T::ZERO };
            }
        }
    }
    Ok(())
}
