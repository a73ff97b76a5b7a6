//! Rows whose elements are moved on, those that leave at one end entering at the other.

use super::map::copy;

/// Elements of a row for which two calls of a copy cost more than the elements themselves.
const SHORT: usize = 64;
/// So many elements of each of these are worth writing one by one.
const FEW: usize = 4;

/// [`roll`] of short rows: all of them are copied as one, and what then stands in a neighbour's row, the
/// fewer of what enters at either end, is written in its place.
fn turn_together<T: Copy>(x: &[T], width: usize, shift: usize, y: &mut [T]) {
    // Some rows at a time, so that they are still there for the second pass.
    let block = 4096 / width * width;
    let back = width - shift;
    for (y, x) in y.chunks_mut(block).zip(x.chunks(block)) {
        if shift <= back {
            copy(&x[..x.len() - shift], &mut y[shift..]);
            (0..shift).for_each(|j| each_row(&x[back + j..], &mut y[j..], width));
        } else {
            {
                let end = x.len() - back;
                copy(&x[back..], &mut y[..end]);
            }
            (0..back).for_each(|j| each_row(&x[j..], &mut y[shift + j..], width));
        }
    }
}

/// The first element of each row.
fn each_row<T: Copy>(x: &[T], y: &mut [T], width: usize) {
    y.iter_mut().step_by(width).zip(x.iter().step_by(width)).for_each(|(y, x)| *y = *x);
}

/// Rows of this width, each with its elements moved on by so many.
pub(crate) fn roll<T: Copy>(x: &[T], width: usize, shift: usize, y: &mut [T]) {
    if width <= SHORT && shift.min(width - shift) <= FEW {
        return turn_together(x, width, shift, y);
    }
    for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
        let (front, back) = x.split_at(width - shift);
        let (from_back, from_front) = y.split_at_mut(back.len());
        copy(back, from_back);
        copy(front, from_front);
    }
}
