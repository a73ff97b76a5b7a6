//! Reductions and scans along the middle of `[outer, n, inner]`.

use super::column_sums::sums_of_blocks;
use super::order::{Blocks, NEIGHBOURS, ROWS};
use crate::number::Number;
use crate::number::level::{Kernel, Level};
use std::ops::Range;

/// Running sums beside each other: the lanes of a vector, or of two.
const LANES: usize = 16;

/// A sum of neighbours that grows piece by piece, in the order that [`order`](super::order) tells. The lanes of a block are
/// added up in pairs, and then what did not fill them.
pub(crate) struct Running<T> {
    lanes: [T; LANES],
    /// Elements in the lanes.
    filled: usize,
    blocks: Blocks<T>,
}

impl<T: Number> Running<T> {
    pub(crate) fn new() -> Self {
        Self { lanes: [T::ZERO; LANES], filled: 0, blocks: Blocks::new() }
    }

    /// Adds elements; every piece but the last is a multiple of 64 of them.
    pub(crate) fn add(&mut self, mut x: &[T]) {
        while !x.is_empty() {
            let (now, later) = x.split_at(x.len().min(NEIGHBOURS - self.filled));
            let (chunks, rest) = now.as_chunks::<LANES>();
            level(now.len()).run(AddChunks { chunks, lanes: &mut self.lanes, f: |x| x });
            self.filled += now.len();
            if self.filled == NEIGHBOURS || !rest.is_empty() {
                self.close(rest);
            }
            x = later;
        }
    }

    fn close(&mut self, rest: &[T]) {
        self.blocks.push(add_up(&mut self.lanes, rest, |x| x));
        self.lanes = [T::ZERO; LANES];
        self.filled = 0;
    }

    pub(crate) fn total(mut self) -> T {
        if self.filled > 0 {
            self.close(&[]);
        }
        self.blocks.total()
    }
}

/// Adds up the lanes of a block and what did not fill them.
#[inline(always)]
fn add_up<T: Number>(lanes: &mut [T; LANES], rest: &[T], f: impl Fn(T) -> T) -> T {
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

/// The level for adding so many elements.
fn level(n: usize) -> Level {
    if n < 4 * LANES { Level::BASELINE } else { Level::best() }
}

/// The sum of a block.
#[inline]
fn block<T: Number>(x: &[T], f: impl Fn(T) -> T + Copy) -> T {
    let (chunks, rest) = x.as_chunks::<LANES>();
    if chunks.is_empty() {
        return rest.iter().fold(T::ZERO, |total, &x| total + f(x));
    }
    let mut lanes = [T::ZERO; LANES];
    level(x.len()).run(AddChunks { chunks, lanes: &mut lanes, f });
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
    if x.len() <= NEIGHBOURS {
        return block(x, f);
    }
    let mut blocks = Blocks::new();
    x.chunks(NEIGHBOURS).for_each(|x| blocks.push(block(x, f)));
    blocks.total()
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

/// Terms that a running sum takes before it counts what its roundings lost: sixteen are off by less than 3e-7 in `f32`.
const COUNTED: usize = 16;
/// Columns that are worked on together.
const BESIDE: usize = 64;

/// Running sums along the middle of `[outer, n, inner]`, from the front or from the back.
///
/// `y_t = high + (low + Σ x)`, with the sum of the terms of `t`'s block of [`COUNTED`] up to `t`; `high` is `y` at the end of
/// the block before, and `low` what was rounded off it. So each element is right to a few roundings, however many came
/// before, and sums of positive terms never fall.
pub(crate) fn cumsum<T: Number>(x: &[T], (n, inner): (usize, usize), reverse: bool, y: &mut [T]) {
    for o in 0..x.len().checked_div(n * inner).unwrap_or(0) {
        for i in (0..inner).step_by(BESIDE) {
            let width = BESIDE.min(inner - i);
            let mut sums = [RunningSum::new(); BESIDE];
            for t in 0..n {
                let at = (o * n + if reverse { n - 1 - t } else { t }) * inner + i;
                let (x, y) = (&x[at..at + width], &mut y[at..at + width]);
                for ((sum, &x), y) in sums.iter_mut().zip(x).zip(y) {
                    *y = sum.add(x, t);
                }
            }
        }
    }
}

#[derive(Clone, Copy)]
struct RunningSum<T> {
    high: T,
    low: T,
    /// Since `high`.
    sum: T,
    last: T,
}

impl<T: Number> RunningSum<T> {
    fn new() -> Self {
        Self { high: T::ZERO, low: T::ZERO, sum: T::ZERO, last: T::ZERO }
    }

    /// The sum with term `t`.
    #[inline(always)]
    fn add(&mut self, x: T, t: usize) -> T {
        self.sum = if t.is_multiple_of(COUNTED) { x } else { self.sum + x };
        let since = self.low + self.sum;
        self.last = if t < COUNTED {
            self.sum
        } else if since.is_finite() {
            self.high + since
        } else {
            // Large terms of one sign may follow a large sum of the other.
            self.last + x
        };
        if t % COUNTED == COUNTED - 1 {
            self.low = rounded_off(self.high, since, self.last);
            self.high = self.last;
        }
        self.last
    }
}

/// `a + b − sum`, which is what rounding `sum` lost (Knuth, 1969); 0 where that is not a number.
#[inline(always)]
fn rounded_off<T: Number>(a: T, b: T, sum: T) -> T {
    let b_part = sum - a;
    let lost = (a - (sum - b_part)) + (b - b_part);
    if lost.is_finite() { lost } else { T::ZERO }
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
pub(crate) fn norm<T: Number>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    // 2^-563 in f64, 2^-86 in f32: squares of the largest numbers stay finite, those of the smallest, divided, normal.
    let down = T::MIN_POSITIVE.sqrt() * T::EPSILON;
    squares(x, (n, inner), out);
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

/// The sums of squares along the middle of `[outer, n, inner]`.
fn squares<T: Number>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    if inner == 1 {
        for (x, out) in x.chunks_exact(n).zip(out) {
            *out = sum_of(x, |x| x * x);
        }
        return;
    }
    // Squares of a block of rows, as many columns as fit the stack.
    let mut block = [[T::ZERO; BESIDE]; ROWS];
    for o in 0..x.len().checked_div(n * inner).unwrap_or(0) {
        for i in (0..inner).step_by(BESIDE) {
            let width = BESIDE.min(inner - i);
            let out = &mut out[o * inner + i..][..width];
            let x = |j: usize| &x[(o * n + j) * inner + i..][..width];
            let fill = |rows: Range<usize>, block: &mut [T]| {
                for (j, block) in rows.zip(block.chunks_exact_mut(width)) {
                    for (block, &x) in block.iter_mut().zip(x(j)) {
                        *block = x * x;
                    }
                }
            };
            sums_of_blocks(n, block.as_flattened_mut(), out, fill);
        }
    }
}

/// Each element's share of a maximum (or minimum) over the middle of `[outer, n, inner]`: `1/k` for `k` tied
/// elements, 0 for the others; the NaNs share it where there are any.
pub(crate) fn extreme_share<T: Number>(x: &[T], extreme: &[T], (n, inner): (usize, usize), out: &mut [T]) {
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

    #[test]
    fn running_sums_are_right_to_a_millionth_at_each_element_and_never_fall() {
        for value in [0.7_f32, 0.1, 0.3, 1.0e-3] {
            for inner in [1, 3, 70] {
                let n = 200_000 / inner;
                let x = vec![value; n * inner];
                let (mut y, mut back) = (x.clone(), x.clone());
                cumsum(&x, (n, inner), false, &mut y);
                cumsum(&x, (n, inner), true, &mut back);
                for i in 0..inner {
                    let mut last = 0.0;
                    for t in 0..n {
                        let (y, want) = (y[t * inner + i], (t + 1) as f64 * f64::from(value));
                        assert!((f64::from(y) / want - 1.0).abs() < 5e-7 && y >= last, "{y} for {want}");
                        assert_eq!(back[(n - 1 - t) * inner + i], y);
                        last = y;
                    }
                }
            }
        }
    }

    #[test]
    fn running_sums_are_plain_where_nothing_is_rounded_and_follow_infinities() {
        let x: Vec<f64> = (0..100).map(|i| f64::from(i % 7) - 2.0).collect();
        let mut y = x.clone();
        cumsum(&x, (100, 1), false, &mut y);
        let mut sum = 0.0;
        for (x, y) in x.iter().zip(&y) {
            sum += x;
            assert_eq!(*y, sum);
        }
        let mut x = vec![0.0_f32; 60];
        (x[20], x[21], x[22], x[50]) = (-3e38, 3e38, 3e38, f32::INFINITY);
        let mut y = x.clone();
        cumsum(&x, (60, 1), false, &mut y);
        assert_eq!((y[20], y[21], y[22], y[49], y[50], y[59]), (-3e38, 0.0, 3e38, 3e38, f32::INFINITY, f32::INFINITY));
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
