//! Walking a buffer by sizes and strides: the reads behind every view (transpose, broadcast, slice, flip, diagonal,
//! windows) and the sums behind their adjoints.

use super::column_sums::column_sums;
use super::finish::Finish;
use crate::Float;
use smallvec::SmallVec;

/// A dimension: its size, and a stride for each of `K` operands.
pub(crate) type Dim<S, const K: usize> = (usize, [S; K]);

/// Drops dimensions of size 1 and merges neighbours that every operand walks in one stride.
pub(crate) fn collapse<S, const K: usize>(sizes: &[usize], strides: [&[S]; K]) -> SmallVec<[Dim<S, K>; 4]>
where
    S: Copy + PartialEq + std::ops::Mul<Output = S> + TryFrom<usize>,
    S::Error: std::fmt::Debug,
{
    let mut dims: SmallVec<[Dim<S, K>; 4]> = SmallVec::new();
    for (i, &n) in sizes.iter().enumerate().filter(|&(_, &n)| n != 1) {
        let step: [S; K] = std::array::from_fn(|k| strides[k][i]);
        let size = S::try_from(n).expect("sizes fit in isize");
        match dims.last_mut() {
            Some((m, outer)) if (0..K).all(|k| outer[k] == step[k] * size) => {
                *m *= n;
                *outer = step;
            }
            _ => dims.push((n, step)),
        }
    }
    dims
}

/// Counts through dimensions, last fastest, and keeps the offset of each operand.
pub(crate) struct Odometer<'a, S, const K: usize> {
    dims: &'a [Dim<S, K>],
    index: SmallVec<[usize; 4]>,
    offsets: [S; K],
}

impl<'a, S, const K: usize> Odometer<'a, S, K>
where
    S: Copy + Default + std::ops::AddAssign + std::ops::SubAssign + std::ops::Mul<Output = S> + TryFrom<usize>,
    S::Error: std::fmt::Debug,
{
    pub(crate) fn new(dims: &'a [Dim<S, K>]) -> Self {
        Self { dims, index: smallvec::smallvec![0; dims.len()], offsets: [S::default(); K] }
    }

    pub(crate) fn offsets(&self) -> [S; K] {
        self.offsets
    }

    pub(crate) fn step(&mut self) {
        for (&(n, strides), i) in self.dims.iter().zip(&mut self.index).rev() {
            *i += 1;
            for (offset, stride) in self.offsets.iter_mut().zip(strides) {
                *offset += stride;
            }
            if *i < n {
                return;
            }
            *i = 0;
            let size = S::try_from(n).expect("sizes fit in isize");
            for (offset, stride) in self.offsets.iter_mut().zip(strides) {
                *offset -= stride * size;
            }
        }
    }
}

/// `out[i] = x[offset + i · strides]` for every index `i` below `sizes`.
pub(crate) fn read<T: Copy>(x: &[T], sizes: &[usize], offset: usize, strides: &[isize], out: &mut [T]) {
    if out.is_empty() {
        return;
    }
    let dims = collapse(sizes, [strides]);
    let Some((&(n, [step]), outer)) = dims.split_last() else {
        out[0] = x[offset];
        return;
    };
    let mut at = Odometer::new(outer);
    for row in out.chunks_exact_mut(n) {
        let start = offset.wrapping_add_signed(at.offsets()[0]);
        match step {
            1 => row.copy_from_slice(&x[start..start + n]),
            0 => row.fill(x[start]),
            _ => {
                for (i, o) in row.iter_mut().enumerate() {
                    *o = x[start.wrapping_add_signed(step * i as isize)];
                }
            }
        }
        at.step();
    }
}

/// `out[offset + i · strides] = x[i]`, and 0 elsewhere: what [`add`] is where no two fall on one place, but a zero keeps its
/// sign.
pub(crate) fn place<T: Float>(x: &[T], sizes: &[usize], offset: usize, strides: &[isize], out: &mut [T]) {
    out.fill(T::ZERO);
    if x.is_empty() {
        return;
    }
    let dims = collapse(sizes, [strides]);
    let Some((&(n, [step]), outer)) = dims.split_last() else {
        out[offset] = x[0];
        return;
    };
    let mut at = Odometer::new(outer);
    for row in x.chunks_exact(n) {
        let start = offset.wrapping_add_signed(at.offsets()[0]);
        if step == 1 {
            out[start..start + n].copy_from_slice(row);
        } else {
            for (i, &x) in row.iter().enumerate() {
                out[start.wrapping_add_signed(step * i as isize)] = x;
            }
        }
        at.step();
    }
}

/// The adjoint of [`read`]: `out` starts at zero, then `out[offset + i · strides] += y[i]`.
pub(crate) fn add<T: Float>(y: &[T], sizes: &[usize], offset: usize, strides: &[isize], out: &mut [T]) {
    if let ([_, n], [0, 1], 0) = (sizes, strides, offset)
        && out.len() == *n
    {
        // The columns of a matrix, summed: the gradient of a bias.
        return column_sums(y, out, Finish::Keep);
    }
    out.fill(T::ZERO);
    if y.is_empty() {
        return;
    }
    let dims = collapse(sizes, [strides]);
    let Some((&(n, [step]), outer)) = dims.split_last() else {
        out[offset] += y[0];
        return;
    };
    let mut at = Odometer::new(outer);
    for row in y.chunks_exact(n) {
        let start = offset.wrapping_add_signed(at.offsets()[0]);
        match step {
            1 => {
                for (o, &y) in out[start..start + n].iter_mut().zip(row) {
                    *o += y;
                }
            }
            0 => out[start] += super::reduce::sum(row),
            _ => {
                for (i, &y) in row.iter().enumerate() {
                    out[start.wrapping_add_signed(step * i as isize)] += y;
                }
            }
        }
        at.step();
    }
}
