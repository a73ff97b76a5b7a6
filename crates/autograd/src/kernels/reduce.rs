//! Sums and norms along the middle of `[outer, n, inner]`.

use super::beside;
use super::column_sums::{column_sums, sums_of_blocks};
use super::finish::Finish;
use super::map::level;
use super::order::{Blocks, NEIGHBOURS, ROWS};
use crate::number::Number;
use crate::number::level::Kernel;
use std::ops::Range;

/// Running sums beside each other: the lanes of a vector, or of two.
const LANES: usize = 16;

/// A sum of neighbours that grows piece by piece, in the order that [`order`](super::order) tells. The lanes of a block are
/// added up in pairs, and then what did not fill them.
pub(crate) struct Running<T> {
    lanes: [T; LANES],
    /// Elements in the lanes.
    filled: usize,
    /// So many elements that come next, which are too few for the lanes.
    waiting: ([T; LANES], usize),
    blocks: Blocks<T>,
}

impl<T: Number> Running<T> {
    pub(crate) fn new() -> Self {
        Self { lanes: [T::ZERO; LANES], filled: 0, waiting: ([T::ZERO; LANES], 0), blocks: Blocks::new() }
    }

    /// Adds elements.
    pub(crate) fn add(&mut self, mut x: &[T]) {
        let (mut full, count) = self.waiting;
        if count > 0 {
            let (now, later) = x.split_at(x.len().min(LANES - count));
            full[count..count + now.len()].copy_from_slice(now);
            self.waiting = (full, count + now.len());
            if self.waiting.1 < LANES {
                return;
            }
            self.waiting.1 = 0;
            self.add(&full);
            x = later;
        }
        while !x.is_empty() {
            let (now, later) = x.split_at(x.len().min(NEIGHBOURS - self.filled));
            let (chunks, rest) = now.as_chunks::<LANES>();
            level(now.len()).run(AddChunks { chunks, lanes: &mut self.lanes, f: |x| x });
            self.filled += now.len() - rest.len();
            self.waiting.0[..rest.len()].copy_from_slice(rest);
            self.waiting.1 = rest.len();
            if self.filled == NEIGHBOURS {
                self.close();
            }
            x = later;
        }
    }

    fn close(&mut self) {
        let (rest, count) = self.waiting;
        self.blocks.push(add_up(&mut self.lanes, &rest[..count], |x| x));
        (self.lanes, self.filled, self.waiting.1) = ([T::ZERO; LANES], 0, 0);
    }

    /// The sum of all; nothing is added behind it.
    pub(crate) fn total(&mut self) -> T {
        if self.filled + self.waiting.1 > 0 {
            self.close();
        }
        self.blocks.total()
    }
}

/// Adds up the lanes of a block and what did not fill them.
#[inline(always)]
pub(super) fn add_up<T: Number>(lanes: &mut [T; LANES], rest: &[T], f: impl Fn(T) -> T) -> T {
    for width in [8, 4, 2, 1] {
        for i in 0..width {
            lanes[i] += lanes[i + width];
        }
    }
    rest.iter().fold(lanes[0], |total, &x| total + f(x))
}

struct AddChunks<'a, T, F> {
    chunks: &'a [[T; LANES]],
    lanes: &'a mut [T; LANES],
    f: F,
}

impl<T: Number, F: Fn(T) -> T> Kernel for AddChunks<'_, T, F> {
    type Output = ();
    #[inline(always)]
    fn run(self) {
        let mut lanes = *self.lanes;
        for chunk in self.chunks {
            for (lane, &x) in lanes.iter_mut().zip(chunk) {
                *lane += (self.f)(x);
            }
        }
        *self.lanes = lanes;
    }
}

/// The sum of a block.
#[inline(always)]
fn block<T: Number>(x: &[T], f: impl Fn(T) -> T + Copy) -> T {
    let (chunks, rest) = x.as_chunks::<LANES>();
    if chunks.is_empty() {
        return rest.iter().fold(T::ZERO, |total, &x| total + f(x));
    }
    let mut lanes = [T::ZERO; LANES];
    AddChunks { chunks, lanes: &mut lanes, f }.run();
    add_up(&mut lanes, rest, f)
}

/// The sum of a row.
#[inline]
pub(crate) fn sum<T: Number>(x: &[T]) -> T {
    sum_of(x, |x| x)
}

/// `Σ f(x)` of a row.
#[inline]
fn sum_of<T: Number>(x: &[T], f: impl Fn(T) -> T + Copy) -> T {
    let mut total = [T::ZERO];
    level(x.len()).run(SumRows { x, n: x.len(), out: &mut total, f });
    total[0]
}

/// The sums along rows of `n` that lie one after the other, in the order of each.
struct SumRows<'a, T, F> {
    x: &'a [T],
    n: usize,
    out: &'a mut [T],
    f: F,
}

impl<T: Number, F: Fn(T) -> T + Copy> Kernel for SumRows<'_, T, F> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { x, n, out, f } = self;
        for (r, out) in out.iter_mut().enumerate() {
            let x = &x[r * n..(r + 1) * n];
            if n <= NEIGHBOURS {
                *out = block(x, f);
                continue;
            }
            let mut blocks = Blocks::new();
            x.chunks(NEIGHBOURS).for_each(|x| blocks.push(block(x, f)));
            *out = blocks.total();
        }
    }
}

/// `out[o, i] = Σ_j f(x[o, j, i])` along the middle of `[outer, n, inner]`, each sum in the order that
/// [`order`](super::order) tells. Terms that do not fill a block of rows are added one after the other, many sums beside each
/// other.
fn sums_of<T: Number>(x: &[T], (n, inner): (usize, usize), out: &mut [T], f: impl Fn(T) -> T + Copy) {
    if inner == 1 && n >= LANES {
        return level(x.len()).run(SumRows { x, n, out, f });
    }
    out.fill(T::ZERO);
    if n <= ROWS {
        return beside::fold(
            x,
            (n, inner),
            out,
            #[inline(always)]
            |sum, x| sum + f(x),
        );
    }
    // Blocks of rows, as many columns as fit the stack.
    let mut block = [[T::ZERO; BESIDE]; ROWS];
    for o in 0..x.len().checked_div(n * inner).unwrap_or(0) {
        for i in (0..inner).step_by(BESIDE) {
            let width = BESIDE.min(inner - i);
            let out = &mut out[o * inner + i..][..width];
            let x = |j: usize| &x[(o * n + j) * inner + i..][..width];
            let fill = |rows: Range<usize>, block: &mut [T]| {
                for (j, block) in rows.zip(block.chunks_exact_mut(width)) {
                    for (block, &x) in block.iter_mut().zip(x(j)) {
                        *block = f(x);
                    }
                }
            };
            sums_of_blocks(n, block.as_flattened_mut(), out, fill);
        }
    }
}

/// The sums along the middle of `[outer, n, inner]`.
pub(super) fn sums<T: Number>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    if inner == 1 || n <= ROWS || x.is_empty() {
        return sums_of(x, (n, inner), out, |x| x);
    }
    for (x, out) in x.chunks_exact(n * inner).zip(out.chunks_exact_mut(inner)) {
        column_sums(x, out, Finish::Keep);
    }
}

/// Columns that are worked on together.
const BESIDE: usize = 64;

/// The Euclidean norm along the middle of `[outer, n, inner]`, without overflow or underflow: rows whose sum of squares
/// leaves the normal range are scaled by a power of two first, which rounds nothing.
pub(crate) fn norm<T: Number>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    // 2^-563 in f64, 2^-86 in f32: squares of the largest numbers stay finite, those of the smallest, divided, normal.
    let down = T::MIN_POSITIVE.sqrt() * T::EPSILON;
    sums_of(x, (n, inner), out, |x| x * x);
    for (r, out) in out.iter_mut().enumerate() {
        let squares = *out;
        let scale = if squares > T::MIN_POSITIVE / T::EPSILON && squares.is_finite() {
            *out = squares.sqrt();
            continue;
        } else if squares == T::INFINITY {
            down
        } else {
            down.recip()
        };
        let start = r / inner * n * inner + r % inner;
        // The sum of a row that lies together, in its order, in memory that is there.
        let (mut block, mut blocks) = ([T::ZERO; NEIGHBOURS], Blocks::new());
        for from in (0..n).step_by(NEIGHBOURS) {
            let block = &mut block[..NEIGHBOURS.min(n - from)];
            block.iter_mut().enumerate().for_each(|(j, b)| *b = x[start + (from + j) * inner] * scale);
            blocks.push(sum_of(block, |x| x * x));
        }
        *out = blocks.total().sqrt() / scale;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The order of the sum, as it is meant.
    fn by_halves(x: &[f32]) -> f32 {
        crate::kernels::order::tests::by_halves(x.len(), NEIGHBOURS, &|block| {
            let mut lanes = [0.0; LANES];
            let (chunks, rest) = x[block].as_chunks::<LANES>();
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
            rest.iter().fold(lanes[0], |total, &x| total + x)
        })
    }

    #[test]
    fn a_sum_has_the_same_bits_in_one_piece_and_in_tiles() {
        let x: Vec<f32> = (0..20_000).map(|i| ((i * 7919 % 1001) as f32 - 300.0) * 0.37).collect();
        for n in [0, 1, 15, 16, 17, 63, 64, 1000, 1023, 1024, 1025, 1039, 2048, 3000, 4096, 5121, 20_000] {
            let whole = sum(&x[..n]);
            assert_eq!(whole.to_bits(), by_halves(&x[..n]).to_bits(), "{n}");
            for tile in [1, 7, 16, 64, 100, 192, 256, 512, 1024, 1500, 2048] {
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

    #[test]
    fn the_squares_of_a_norm_are_added_in_the_order_of_sums() {
        fn check<T: Number>(tolerance: f64) {
            for (n, inner) in [(1, 1), (5, 3), (64, 65), (65, 64), (129, 130), (1025, 1), (3000, 2)] {
                let x: Vec<T> = (0..2 * n * inner).map(|i| T::of(((i * 37) % 101) as f64 / 30.0 - 1.5)).collect();
                let mut y = vec![T::NAN; 2 * inner];
                norm(&x, (n, inner), &mut y);
                for (r, y) in y.iter().enumerate() {
                    let squares = (0..n).map(|j| x[(r / inner * n + j) * inner + r % inner].to_f64().powi(2));
                    let want = squares.sum::<f64>().sqrt();
                    assert!((y.to_f64() - want).abs() <= tolerance * want, "{n} {inner}");
                }
            }
        }
        check::<f32>(1e-6);
        check::<f64>(1e-14);
    }

    #[test]
    fn a_norm_that_is_scaled_has_the_digits_of_one_that_is_not() {
        for (n, inner) in [(1, 1), (1024, 1), (1025, 1), (3000, 2)] {
            let x: Vec<f64> = (0..2 * n * inner).map(|i| ((i * 37) % 101) as f64 / 30.0 - 1.5).collect();
            let (mut plain, mut scaled) = (vec![f64::NAN; 2 * inner], vec![f64::NAN; 2 * inner]);
            norm(&x, (n, inner), &mut plain);
            for scale in [2_f64.powi(600), 2_f64.powi(-600)] {
                let x: Vec<f64> = x.iter().map(|x| x * scale).collect();
                norm(&x, (n, inner), &mut scaled);
                for (scaled, plain) in scaled.iter().zip(&plain) {
                    assert!((scaled / scale - plain).abs() <= 1e-15 * plain, "{n} {inner}");
                }
            }
        }
    }
}
