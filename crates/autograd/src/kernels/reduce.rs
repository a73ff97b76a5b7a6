//! Reductions and scans along the middle of `[outer, n, inner]`.

use super::simd::{Kernel, Level};
use crate::Float;

/// Running sums beside each other: the lanes of a vector, or of two.
const LANES: usize = 16;
/// Elements that the lanes take before they are added up.
const BLOCK: usize = 1024;
/// Sums of `BLOCK · 2^k` elements, for every `k` that a slice can have.
const LEVELS: usize = usize::BITS as usize - BLOCK.ilog2() as usize;

/// A sum that grows piece by piece. Blocks of elements are added in lanes, and sums of equally many blocks to each other,
/// so that the rounding error grows with `log n`, not with `n`. The order depends on the number of elements alone, so a
/// sum over pieces has the bits of one over the whole.
pub(crate) struct Running<T> {
    lanes: [T; LANES],
    /// Elements in the lanes.
    filled: usize,
    /// For each bit of the number of blocks, from the highest on, the sum of as many blocks.
    sums: [T; LEVELS],
    blocks: usize,
}

impl<T: Float> Running<T> {
    pub(crate) fn new() -> Self {
        Self { lanes: [T::ZERO; LANES], filled: 0, sums: [T::ZERO; LEVELS], blocks: 0 }
    }

    /// Adds elements; every piece but the last is a multiple of 64 of them.
    pub(crate) fn add(&mut self, mut x: &[T]) {
        while !x.is_empty() {
            let (now, later) = x.split_at(x.len().min(BLOCK - self.filled));
            let (chunks, rest) = now.as_chunks::<LANES>();
            let level = if now.len() < 4 * LANES { Level::BASELINE } else { Level::best() };
            level.run(AddChunks { chunks, lanes: &mut self.lanes });
            self.filled += now.len();
            if self.filled == BLOCK || !rest.is_empty() {
                self.close(rest);
            }
            x = later;
        }
    }

    /// Adds up the lanes and what did not fill them.
    fn close(&mut self, rest: &[T]) {
        let lanes = &mut self.lanes;
        for width in [8, 4, 2, 1] {
            for i in 0..width {
                lanes[i] += lanes[i + width];
            }
        }
        let mut sum = rest.iter().fold(lanes[0], |total, &x| total + x);
        let mut depth = self.blocks.count_ones() as usize;
        for _ in 0..self.blocks.trailing_ones() {
            depth -= 1;
            sum = self.sums[depth] + sum;
        }
        self.sums[depth] = sum;
        self.blocks += 1;
        self.lanes = [T::ZERO; LANES];
        self.filled = 0;
    }

    pub(crate) fn total(mut self) -> T {
        if self.filled > 0 {
            self.close(&[]);
        }
        let parts = &self.sums[..self.blocks.count_ones() as usize];
        parts.iter().rev().copied().reduce(|right, left| left + right).unwrap_or(T::ZERO)
    }
}

struct AddChunks<'a, T> {
    chunks: &'a [[T; LANES]],
    lanes: &'a mut [T; LANES],
}

impl<T: Float> Kernel for AddChunks<'_, T> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let mut lanes = *self.lanes;
        for chunk in self.chunks {
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane += x;
            }
        }
        *self.lanes = lanes;
    }
}

/// The sum of a row.
pub(crate) fn sum<T: Float>(x: &[T]) -> T {
    let mut sum = Running::new();
    sum.add(x);
    sum.total()
}

/// Folds the middle of `[outer, n, inner]` from `init`: `out[o, i] = f(… f(init, x[o, 0, i]) …, x[o, n−1, i])`.
pub(crate) fn fold<T: Copy>(x: &[T], n: usize, inner: usize, init: T, out: &mut [T], f: impl Fn(T, T) -> T) {
    out.fill(init);
    if inner == 0 {
        return;
    }
    for (o, out) in out.chunks_exact_mut(inner).enumerate() {
        for row in x[o * n * inner..(o + 1) * n * inner].chunks_exact(inner) {
            for (out, &x) in out.iter_mut().zip(row) {
                *out = f(*out, x);
            }
        }
    }
}

/// Running sums along the middle of `[outer, n, inner]`, from the front or from the back.
pub(crate) fn cumsum<T: Float>(x: &[T], (n, inner): (usize, usize), reverse: bool, out: &mut [T]) {
    walk(x.len(), (n, inner), reverse, |at, before| out[at] = before.map_or(x[at], |b| out[b] + x[at]));
}

/// Calls `f(position, position before it)` along the middle of `[outer, n, inner]`, for each row.
pub(super) fn walk(len: usize, (n, inner): (usize, usize), reverse: bool, mut f: impl FnMut(usize, Option<usize>)) {
    for o in 0..len.checked_div(n * inner).unwrap_or(0) {
        for i in 0..inner {
            let mut before = None;
            for t in 0..n {
                let t = if reverse { n - 1 - t } else { t };
                let at = (o * n + t) * inner + i;
                f(at, before);
                before = Some(at);
            }
        }
    }
}

/// The Euclidean norm along the middle of `[outer, n, inner]`, without overflow or underflow: rows whose sum of squares
/// leaves the normal range are scaled by a power of two first, which rounds nothing.
pub(crate) fn norm<T: Float>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    // 2^-563 in f64, 2^-86 in f32: squares of the largest numbers stay finite, those of the smallest, divided, normal.
    let down = T::MIN_POSITIVE.sqrt() * T::EPSILON;
    for (r, out) in out.iter_mut().enumerate() {
        let (o, i) = (r / inner, r % inner);
        let row = || (0..n).map(move |j| x[(o * n + j) * inner + i]);
        let squares = row().map(|x| x * x).sum::<T>();
        let scaled = |by: T| row().map(|x| (x * by) * (x * by)).sum::<T>().sqrt() / by;
        *out = if squares > T::MIN_POSITIVE / T::EPSILON && squares.is_finite() {
            squares.sqrt()
        } else if squares == T::INFINITY {
            scaled(down)
        } else {
            scaled(down.recip())
        };
    }
}

/// Each element's share of a maximum (or minimum) over the middle of `[outer, n, inner]`: `1/k` for `k` tied
/// elements, 0 for the others; the NaNs share it where there are any.
pub(crate) fn extreme_share<T: Float>(x: &[T], extreme: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    for o in 0..x.len().checked_div(n * inner).unwrap_or(0) {
        for i in 0..inner {
            let top = extreme[o * inner + i];
            let wins = |x: T| if top.is_nan() { x.is_nan() } else { x == top };
            let at = |j: usize| (o * n + j) * inner + i;
            let ties = (0..n).filter(|&j| wins(x[at(j)])).count();
            let share = T::of(1.0 / ties as f64);
            for j in 0..n {
                out[at(j)] = if wins(x[at(j)]) { share } else { T::ZERO };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order of the sum, as it is meant: left of the split are as many blocks as the highest bit of their number says.
    fn by_halves(x: &[f32]) -> f32 {
        if x.len() <= BLOCK {
            let mut lanes = [0.0; LANES];
            let (chunks, rest) = x.as_chunks::<LANES>();
            for chunk in chunks {
                for i in 0..LANES {
                    lanes[i] += chunk[i];
                }
            }
            for width in [8, 4, 2, 1] {
                for i in 0..width {
                    lanes[i] += lanes[i + width];
                }
            }
            return rest.iter().fold(lanes[0], |total, &x| total + x);
        }
        let blocks = x.len().div_ceil(BLOCK);
        let (left, right) = x.split_at(BLOCK * (blocks.next_power_of_two() / 2));
        by_halves(left) + by_halves(right)
    }

    #[test]
    fn a_sum_has_the_same_bits_in_one_piece_and_in_tiles() {
        let x: Vec<f32> = (0..20_000).map(|i| ((i * 7919 % 1001) as f32 - 300.0) * 0.37).collect();
        for n in [0, 1, 15, 16, 17, 63, 64, 1000, 1023, 1024, 1025, 1039, 2048, 3000, 4096, 5121, 20_000] {
            let whole = sum(&x[..n]);
            assert_eq!(whole.to_bits(), by_halves(&x[..n]).to_bits(), "{n}");
            for tile in [64, 192, 256, 512, 1024, 2048] {
                let mut running = Running::new();
                x[..n].chunks(tile).for_each(|tile| running.add(tile));
                assert_eq!(running.total().to_bits(), whole.to_bits(), "{n} in tiles of {tile}");
            }
        }
    }

    #[test]
    fn the_error_of_a_sum_does_not_grow_with_its_length() {
        let x = vec![0.1_f32; 1 << 20];
        let want = f64::from(0.1_f32) * x.len() as f64;
        assert!((f64::from(sum(&x)) - want).abs() < 16.0 * f64::from(f32::EPSILON) * want);
    }
}
