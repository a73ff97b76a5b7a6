//! Walking a buffer by sizes and strides: the reads behind every view (transpose, broadcast, slice, flip, diagonal,
//! windows) and the sums behind their adjoints.

mod overlap;
mod write;

use super::apart;
use super::column_sums::{column_sums, sums_of_blocks};
use super::finish::Finish;
use super::map::copy;
use super::order::{LargeBlocks, ROWS, with_zeros, zeros};
use super::reduce;
use super::short_rows::ShortRows;
use super::spread::Spread;
use super::transpose::transpose;
use crate::number::Number;
use overlap::Overlapping;
use smallvec::SmallVec;
use write::space;
pub(crate) use write::{beside, place};

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

    /// Goes on to the next index. That of the last dimension is all that most steps change.
    #[inline]
    pub(crate) fn step(&mut self) {
        if let (Some(&(n, strides)), Some(i)) = (self.dims.last(), self.index.last_mut())
            && *i + 1 < n
        {
            *i += 1;
            for (offset, stride) in self.offsets.iter_mut().zip(strides) {
                *offset += stride;
            }
            return;
        }
        self.carry();
    }

    #[inline(never)]
    fn carry(&mut self) {
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
pub(crate) fn read<T: Number>(x: &[T], sizes: &[usize], offset: usize, strides: &[isize], out: &mut [T]) {
    if out.is_empty() {
        return;
    }
    let dims = collapse(sizes, [strides]);
    if let Some(spread) = spread(&dims) {
        return spread.fill(&x[offset..], 0, out);
    }
    if read_transposed(x, &dims, offset, out) {
        return;
    }
    let Some((&(n, [step]), outer)) = dims.split_last() else {
        out[0] = x[offset];
        return;
    };
    if let Some(rows) = ShortRows::of(&dims) {
        return rows.read(x, offset, out);
    }
    let mut at = Odometer::new(outer);
    for row in out.chunks_exact_mut(n) {
        let start = offset.wrapping_add_signed(at.offsets()[0]);
        match step {
            1 => copy(&x[start..start + n], row),
            0 => row.fill(x[start]),
            _ => apart::read(x, start, step, row),
        }
        at.step();
    }
}

/// Reads planes of the last dimension and the one whose elements are neighbours in memory, if these are two.
fn read_transposed<T: Number>(x: &[T], dims: &[Dim<isize, 1>], offset: usize, out: &mut [T]) -> bool {
    let Some((&(n, [step]), outer)) = dims.split_last() else { return false };
    let Some(along) = outer.iter().rposition(|&(_, [step])| step == 1) else { return false };
    let rows = outer[along].0;
    if step <= 1 || rows * n < 16 {
        return false;
    }
    let (mut others, mut out_step, mut place): (SmallVec<[Dim<isize, 2>; 4]>, usize, usize) = (SmallVec::new(), n, n);
    for (i, &(n, [step])) in outer.iter().enumerate().rev() {
        if i == along {
            place = out_step;
        } else {
            others.insert(0, (n, [step, out_step as isize]));
        }
        out_step *= n;
    }
    let mut at = Odometer::new(&others);
    for _ in 0..out.len() / (rows * n) {
        let [from, to] = at.offsets();
        transpose(&x[offset.wrapping_add_signed(from)..], step as usize, (n, rows), &mut out[to as usize..], place);
        at.step();
    }
    true
}

/// These dimensions as those of a contiguous operand that is laid over a result, if they are.
fn spread(dims: &[Dim<isize, 1>]) -> Option<Spread> {
    let mut len = 1;
    for &(n, [step]) in dims.iter().rev().filter(|(_, [step])| *step != 0) {
        if step != len {
            return None;
        }
        len *= n as isize;
    }
    let repeats = dims.iter().any(|&(_, [step])| step == 0);
    repeats.then(|| Spread::of(dims.iter().map(|&(n, [step])| (n, [step as usize])).collect()))
}

/// The adjoint of [`read`]: `out` starts at zero, then `out[offset + i · strides] += y[i]`.
pub(crate) fn add<T: Number>(y: &[T], sizes: &[usize], offset: usize, strides: &[isize], out: &mut [T]) {
    if let ([_, n], [0, 1], 0) = (sizes, strides, offset)
        && out.len() == *n
    {
        // The columns of a matrix, summed: the gradient of a bias.
        return column_sums(y, out, Finish::Keep);
    }
    if y.is_empty() {
        return out.fill(T::ZERO);
    }
    let dims = collapse(sizes, [strides]);
    if offset == 0 && is_sum(&dims, out.len()) {
        return sum(&dims, y, out);
    }
    if out.len() == y.len() && are_flipped(sizes, strides) {
        // What is turned twice is as before.
        read(y, sizes, offset, strides, out);
        return out.iter_mut().for_each(|out| *out += T::ZERO);
    }
    out.fill(T::ZERO);
    let [apart, repeated] = repeated(&dims);
    let repeats: usize = repeated.iter().map(|&(n, _)| n).product();
    if repeats > ROWS {
        return add_in_blocks(y, (&apart, &repeated, repeats), offset, out);
    }
    let Some((&(n, [step]), outer)) = dims.split_last() else {
        out[offset] += y[0];
        return;
    };
    if space(y, &dims, offset, true, out) {
        return;
    }
    // Where no two fall on one place, it does not matter in which order they come.
    if repeated.is_empty() && ShortRows::of(&dims).is_some_and(|rows| rows.add(y, offset, out)) {
        return;
    }
    let mut at = Odometer::new(outer);
    for row in y.chunks_exact(n) {
        let start = offset.wrapping_add_signed(at.offsets()[0]);
        if step == 1 {
            for (o, &y) in out[start..start + n].iter_mut().zip(row) {
                *o += y;
            }
        } else {
            for (i, &y) in row.iter().enumerate() {
                out[start.wrapping_add_signed(step * i as isize)] += y;
            }
        }
        at.step();
    }
}

/// Whether these strides are those of a whole with dimensions in their order or from the back.
fn are_flipped(sizes: &[usize], strides: &[isize]) -> bool {
    let mut step = 1;
    sizes.iter().zip(strides).rev().all(|(&n, &stride)| {
        let is_whole = n == 1 || stride.unsigned_abs() == step;
        step *= n;
        is_whole
    })
}

/// Whether each element of a result of `len` is the sum over the dimensions with a stride of 0.
fn is_sum(dims: &[Dim<isize, 1>], len: usize) -> bool {
    let mut step = 1;
    for &(n, [stride]) in dims.iter().rev().filter(|(_, [stride])| *stride != 0) {
        if stride != step as isize {
            return false;
        }
        step *= n;
    }
    step == len
}

/// `(n, inner)` where strides add up the middle of `[outer, n, inner]`, into so many elements.
pub(crate) fn sums_of_middle(sizes: &[usize], offset: usize, strides: &[isize], len: usize) -> Option<(usize, usize)> {
    let dims = collapse(sizes, [strides]);
    match dims[..] {
        _ if offset > 0 || !is_sum(&dims, len) => None,
        [(_, [_]), (n, [0])] => Some((n, 1)),
        [(n, [0]), (inner, [_])] | [(_, [_]), (n, [0]), (inner, [_])] => Some((n, inner)),
        _ => None,
    }
}

/// Sums over the dimensions with a stride of 0, the inner ones first: an outer one has their sums as its rows.
fn sum<T: Number>(dims: &[Dim<isize, 1>], y: &[T], out: &mut [T]) {
    match dims {
        [] => out[0] = T::ZERO + y[0],
        [(_, [0])] => out[0] = T::ZERO + reduce::sum(y),
        [(_, [_])] => out.iter_mut().zip(y).for_each(|(out, &y)| *out = T::ZERO + y),
        [(_, [_]), (n, [0])] => reduce::sums(y, (*n, 1), out),
        [(n, [0]), (inner, [_])] | [(_, [_]), (n, [0]), (inner, [_])] => reduce::sums(y, (*n, *inner), out),
        // The inner sums of all rows at once are the rows of the others.
        [rest @ .., (n, [0])] => with_zeros(y.len() / n, |sums| {
            reduce::sums(y, (*n, 1), sums);
            sum(rest, sums, out);
        }),
        [(n, [0]), rest @ ..] => {
            let (len, frame) = (out.len(), y.len() / n);
            with_zeros(len * ROWS.min(*n), |block| {
                sums_of_blocks(*n, block, out, |rows, block| {
                    for (i, row) in rows.zip(block.chunks_exact_mut(len)) {
                        sum(rest, &y[i * frame..(i + 1) * frame], row);
                    }
                });
            });
        }
        [(n, _), rest @ ..] => {
            let parts = y.chunks_exact(y.len() / n).zip(out.chunks_exact_mut(out.len() / n));
            parts.for_each(|(y, out)| sum(rest, y, out));
        }
    }
}

/// Dimensions of a contiguous operand that is added at strides, with both strides: those whose places are all apart, the
/// longest first, and those that come back to the same places.
fn repeated(dims: &[Dim<isize, 1>]) -> [SmallVec<[Dim<isize, 2>; 4]>; 2] {
    let mut step = 1;
    let mut all: SmallVec<[Dim<isize, 2>; 4]> = SmallVec::new();
    for &(n, [stride]) in dims.iter().rev() {
        all.push((n, [step, stride]));
        step *= n as isize;
    }
    all.sort_by_key(|&(n, _)| std::cmp::Reverse(n));
    let (mut apart, mut repeated) = (SmallVec::new(), SmallVec::new());
    for dim in all {
        apart.push(dim);
        if !are_apart(&apart) {
            repeated.extend(apart.pop());
        }
    }
    [apart, repeated]
}

/// Whether all indices of these dimensions have places of their own, if that is simple to see.
fn are_apart(dims: &[Dim<isize, 2>]) -> bool {
    let mut sorted: SmallVec<[(usize, usize); 4]> = dims.iter().map(|&(n, [_, s])| (s.unsigned_abs(), n - 1)).collect();
    sorted.sort_unstable();
    let mut reach = 0;
    for (stride, last) in sorted {
        if stride <= reach {
            return false;
        }
        reach += stride * last;
    }
    true
}

/// Adds at strides where many terms fall on one place: an index of the dimensions that come back is a term of every sum,
/// and the terms go by blocks as those of sums of rows do.
fn add_in_blocks<T: Number>(
    y: &[T],
    (apart, repeated, repeats): (&[Dim<isize, 2>], &[Dim<isize, 2>], usize),
    offset: usize,
    out: &mut [T],
) {
    let (&(n, [y_step, step]), outer) = apart.split_first().expect("places that many fall on are some");
    let count: usize = outer.iter().map(|&(n, _)| n).product();
    let (mut term, mut blocks) = (Odometer::new(repeated), LargeBlocks::new());
    let overlapping = Overlapping::of(apart, repeated);
    for start in (0..repeats).step_by(ROWS) {
        let mut block = zeros(out.len());
        let terms = start..repeats.min(start + ROWS);
        if let Some(overlapping) = &overlapping {
            overlapping.add(y, terms, offset, &mut block);
            blocks.push(block);
            continue;
        }
        for _ in terms {
            let mut at = Odometer::new(outer);
            for _ in 0..count {
                let (from, to) = (term.offsets()[0] + at.offsets()[0], term.offsets()[1] + at.offsets()[1]);
                for i in 0..n as isize {
                    let y = y[(from + y_step * i) as usize];
                    block[offset.wrapping_add_signed(to + step * i)] += y;
                }
                at.step();
            }
            term.step();
        }
        blocks.push(block);
    }
    copy(&blocks.total(), out);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `add` means, in `f64`.
    fn meaning(y: &[f32], sizes: &[usize], offset: usize, strides: &[isize], len: usize) -> Vec<f64> {
        let mut out = vec![0.0; len];
        let dims: Vec<Dim<isize, 1>> = sizes.iter().zip(strides).map(|(&n, &s)| (n, [s])).collect();
        let mut at = Odometer::new(&dims);
        for &y in y {
            out[offset.wrapping_add_signed(at.offsets()[0])] += f64::from(y);
            at.step();
        }
        out
    }

    #[test]
    fn sums_over_any_axes_are_right_to_a_millionth() {
        for sizes in [&[7, 300, 5][..], &[300, 2, 9], &[300, 1100], &[70, 3, 80, 2], &[2, 200, 3, 100], &[5, 1, 66, 66]]
        {
            let y: Vec<f32> = (0..sizes.iter().product()).map(|i: usize| 0.1 + (i % 13) as f32).collect();
            for kept in 0..1_usize << sizes.len() {
                let (mut step, mut strides) = (1, vec![0; sizes.len()]);
                for i in (0..sizes.len()).rev().filter(|&i| kept >> i & 1 == 1) {
                    strides[i] = step as isize;
                    step *= sizes[i];
                }
                let mut out = vec![f32::NAN; step];
                add(&y, sizes, 0, &strides, &mut out);
                for (sum, want) in out.iter().zip(meaning(&y, sizes, 0, &strides, step)) {
                    assert!((f64::from(*sum) / want - 1.0).abs() < 1e-6, "{sum} not {want}: {sizes:?} {strides:?}");
                }
            }
        }
    }

    #[test]
    fn overlapping_windows_add_up_in_blocks() {
        // Windows of 500 of a row of 2000, and of 20 by 12 of images, once from the back.
        let cases = [
            (&[1501, 500][..], 0, &[1_isize, 1][..], 2000),
            (&[500, 1501], 0, &[1, 1], 2000),
            (&[2, 21, 29, 20, 12], 3, &[1603, 40, 1, 40, 1], 3 + 2 * 1603),
            (&[200, 300], 498, &[-1, -1], 499),
        ];
        for (sizes, offset, strides, len) in cases {
            let y = vec![0.3_f32; sizes.iter().product()];
            let mut out = vec![f32::NAN; len];
            add(&y, sizes, offset, strides, &mut out);
            for (sum, want) in out.iter().zip(meaning(&y, sizes, offset, strides, len)) {
                assert!((f64::from(*sum) - want).abs() <= 1e-6 * want, "{sum} not {want}: {sizes:?}");
            }
        }
    }

    #[test]
    fn rows_that_overlap_add_up() {
        for n in [25, 64, 65, 81, 100, 131, 200] {
            for (count, step) in [(1, 1), (3, 1), (70, 1), (201, 1), (300, 2), (233, 7), (210, 63), (202, 24), (209, n)]
            {
                let span = (count - 1) * step + n;
                // By themselves, with channels between the rows, and with several of each.
                let cases = [
                    (vec![count, n], vec![step as isize, 1], span),
                    (vec![count, 3, n], vec![step as isize, span as isize, 1], 3 * span),
                    (vec![2, count, 3, n], vec![4 * span as isize, step as isize, span as isize + 1, 1], 8 * span + 4),
                ];
                for (sizes, strides, len) in cases {
                    let y: Vec<f32> =
                        (0..sizes.iter().product()).map(|i: usize| (i * 37 % 101) as f32 * 0.01).collect();
                    let mut out = vec![f32::NAN; len + 2];
                    add(&y, &sizes, 1, &strides, &mut out);
                    for (sum, want) in out.iter().zip(meaning(&y, &sizes, 1, &strides, len + 2)) {
                        assert!(
                            (f64::from(*sum) - want).abs() <= 2e-6 * want,
                            "{sum} not {want}: {sizes:?} {strides:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn rows_of_any_lengths_are_written_beside_each_other() {
        for lens in [&[1, 1][..], &[2, 1], &[3, 0, 4], &[1, 5, 2], &[4, 4, 4], &[8, 17], &[1, 5000], &[0, 0]] {
            for rows in [1, 2, 7, 64, 1500] {
                let x: Vec<Vec<f32>> = lens
                    .iter()
                    .enumerate()
                    .map(|(k, n)| (0..rows * n).map(|i| (i * 10 + k) as f32).collect())
                    .collect();
                let len: usize = lens.iter().sum();
                let mut out = vec![f32::NAN; rows * len];
                beside(x.iter().zip(lens).map(|(x, &n)| (&x[..], n)), rows, len, &mut out);
                let row = |i: usize| x.iter().zip(lens).flat_map(move |(x, n)| &x[i * n..(i + 1) * n]);
                assert!(out.iter().eq((0..rows).flat_map(row)), "{rows} rows of {lens:?}");
            }
        }
    }
}
