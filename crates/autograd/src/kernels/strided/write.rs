//! Writing by sizes and strides: into zeros, and beside each other.

use super::{Dim, Odometer, are_apart, collapse};
use crate::kernels::apart;
use crate::kernels::map::copy;
use crate::kernels::short_rows::ShortRows;
use crate::number::Number;
use smallvec::SmallVec;

/// Rows of operands that are written beside each other go by so many elements of the result, which the first-level cache holds.
const BESIDE: usize = 4096;
/// Rows of at most so many elements cost less to write than to look for.
const SHORT: usize = 4;

/// `out[offset + i · strides] = x[i]`, and 0 elsewhere: what [`add`](super::add) is where no two fall on one place, but a zero keeps its
/// sign.
pub(crate) fn place<T: Number>(x: &[T], sizes: &[usize], offset: usize, strides: &[isize], out: &mut [T]) {
    out.fill(T::ZERO);
    if !space(x, &collapse(sizes, [strides]), offset, false, out) {
        write(x, sizes, offset, strides, out);
    }
}

/// `out[offset + i · strides] = x[i]` in rows of zeros that lie apart, or the sums with these zeros; whether they do, and go in vectors.
pub(super) fn space<T: Number>(x: &[T], dims: &[Dim<isize, 1>], offset: usize, is_sum: bool, out: &mut [T]) -> bool {
    let Some((&(n, [step]), outer)) = dims.split_last().filter(|_| !x.is_empty()) else { return false };
    if !apart::can_space(step) {
        return false;
    }
    let span = (n - 1) * step as usize + 1;
    let spans: SmallVec<[Dim<isize, 2>; 4]> =
        outer.iter().map(|&(n, [stride])| (n, [0, stride])).chain([(span, [0, 1])]).collect();
    if !are_apart(&spans) {
        return false;
    }
    let mut at = Odometer::new(outer);
    for row in x.chunks_exact(n) {
        let start = offset.wrapping_add_signed(at.offsets()[0]);
        apart::space(row, step, is_sum, &mut out[start..start + span]);
        at.step();
    }
    true
}

/// `out[offset + i · strides] = x[i]`, and nothing elsewhere.
pub(crate) fn write<T: Number>(x: &[T], sizes: &[usize], offset: usize, strides: &[isize], out: &mut [T]) {
    if x.is_empty() {
        return;
    }
    let dims = collapse(sizes, [strides]);
    let Some((&(n, [step]), outer)) = dims.split_last() else {
        out[offset] = x[0];
        return;
    };
    if ShortRows::of(&dims).is_some_and(|rows| rows.write(x, offset, out)) {
        return;
    }
    let mut at = Odometer::new(outer);
    for row in x.chunks_exact(n) {
        let start = offset.wrapping_add_signed(at.offsets()[0]);
        if step == 1 {
            copy(row, &mut out[start..start + n]);
        } else {
            for (i, &x) in row.iter().enumerate() {
                out[start.wrapping_add_signed(step * i as isize)] = x;
            }
        }
        at.step();
    }
}

/// Writes rows of operands after each other, for each of so many rows of a result of this length: what comes is each operand and the
/// length of its rows.
pub(crate) fn beside<'a, T: Number>(
    operands: impl Iterator<Item = (&'a [T], usize)> + Clone,
    rows: usize,
    len: usize,
    out: &mut [T],
) {
    if out.is_empty() {
        return;
    }
    if rows == 1 || operands.clone().all(|(_, n)| n > SHORT) {
        for (i, row) in out.chunks_exact_mut(len).enumerate() {
            let mut at = 0;
            for (x, n) in operands.clone() {
                copy(&x[i * n..(i + 1) * n], &mut row[at..at + n]);
                at += n;
            }
        }
        return;
    }
    if len <= SHORT && operands.clone().all(|(_, n)| n == 1) {
        let columns: SmallVec<[&[T]; SHORT]> = operands.clone().map(|(x, _)| x).collect();
        if apart::join(&columns, out) {
            return;
        }
    }
    // What is written between the rows of one operand is in the cache yet when the next one comes.
    let together = (BESIDE / len).clamp(1, rows);
    for (first, out) in (0..rows).step_by(together).zip(out.chunks_mut(together * len)) {
        let (count, mut at) = (out.len() / len, 0);
        for (x, n) in operands.clone() {
            write(&x[first * n..(first + count) * n], &[count, n], at, &[len as isize, 1], out);
            at += n;
        }
    }
}
