//! Sums and norms along the middle of `[outer, n, inner]`.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]

mod abreast;
mod running;

pub(crate) use running::Running;

use super::beside;
use super::column_sums::column_sums_of;
use super::finish::Finish;
use super::map::level;
use super::order::{Blocks, NEIGHBOURS, ROWS};
use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::number::level::{Kernel, LaneKernel};

/// Running sums beside each other: the lanes of a vector, or of two.
const LANES: usize = 16;

/// What is added: the elements, or their squares.
#[inline(always)]
fn term<T: Number, const SQUARED: bool>(x: T) -> T {
    if SQUARED { x * x } else { x }
}

/// Adds up lanes that are columns beside each other: the first is their sum then.
#[inline(always)]
pub(super) fn add_up_columns<T: Number, const W: usize>(lanes: &mut [[T; W]]) {
    for width in [8, 4, 2, 1] {
        let (low, high) = lanes.split_at_mut(width);
        for (low, high) in low.iter_mut().zip(high) {
            plus(low, high);
        }
    }
}

#[inline(always)]
fn plus<T: Number, const W: usize>(sums: &mut [T; W], x: &[T; W]) {
    for i in 0..W {
        sums[i] += x[i];
    }
}

/// Adds chunks, or their products with others, to running sums, of `R` rows that lie `apart`. By hand: of a loop over these the
/// compiler makes vectors of two lanes, since they are added up in halves later.
#[derive(Clone, Copy)]
struct AddChunks<T, const PRODUCT: bool, const R: usize = 1> {
    x: *const T,
    y: *const T,
    apart: usize,
    chunks: usize,
    lanes: *mut T,
}

impl<T: Number, const PRODUCT: bool, const R: usize> LaneKernel<T> for AddChunks<T, PRODUCT, R> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(self) {
        // As many as lanes take at most; of wide ones some are left out.
        const VECTORS: usize = 4;
        // SAFETY: whoever made this promises the chunks and the lanes, and that the CPU has the set.
        unsafe {
            let all = L::first(L::COUNT);
            let mut sums = [[L::splat(T::ZERO); VECTORS]; R];
            for (r, sums) in sums.iter_mut().enumerate() {
                for (k, sum) in sums[..LANES / L::COUNT].iter_mut().enumerate() {
                    *sum = L::load(self.lanes.add(r * LANES + k * L::COUNT), all);
                }
            }
            for c in 0..self.chunks {
                for (r, sums) in sums.iter_mut().enumerate() {
                    for (k, sum) in sums[..LANES / L::COUNT].iter_mut().enumerate() {
                        let i = r * self.apart + c * LANES + k * L::COUNT;
                        let x = L::load(self.x.add(i), all);
                        *sum = L::add(*sum, if PRODUCT { L::mul(x, L::load(self.y.add(i), all)) } else { x });
                    }
                }
            }
            for (r, sums) in sums.iter().enumerate() {
                for (k, &sum) in sums[..LANES / L::COUNT].iter().enumerate() {
                    L::store(self.lanes.add(r * LANES + k * L::COUNT), all, sum);
                }
            }
        }
    }
}

/// The sum of a block, or of the products of two.
///
/// # Safety
/// The CPU has the set of the lanes.
#[inline(always)]
unsafe fn block_of<T: Number, L: Lanes<T>, const PRODUCT: bool>(x: &[T], y: &[T]) -> T {
    let ((x_chunks, x_rest), (y_chunks, y_rest)) = (x.as_chunks::<LANES>(), y.as_chunks::<LANES>());
    let add = |total: T, (&x, &y): (&T, &T)| total + if PRODUCT { x * y } else { x };
    let rest = x_rest.iter().zip(y_rest);
    if x_chunks.is_empty() {
        return rest.fold(T::ZERO, add);
    }
    // SAFETY: the vectors are those of the chunks; the caller promises the set.
    let total = unsafe {
        let all = L::first(L::COUNT);
        let mut sums = [L::splat(T::ZERO); 4];
        for (x, y) in x_chunks.iter().zip(y_chunks) {
            for (k, sum) in sums[..LANES / L::COUNT].iter_mut().enumerate() {
                let x = L::load(x.as_ptr().add(k * L::COUNT), all);
                *sum = L::add(*sum, if PRODUCT { L::mul(x, L::load(y.as_ptr().add(k * L::COUNT), all)) } else { x });
            }
        }
        sum_of_lanes::<T, L>(sums)
    };
    rest.fold(total, add)
}

/// The sum of a block, or of its squares.
///
/// # Safety
/// The CPU has the set of the lanes.
#[inline(always)]
pub(super) unsafe fn block<T: Number, L: Lanes<T>, const SQUARED: bool>(x: &[T]) -> T {
    // SAFETY: as the caller promises.
    unsafe { block_of::<T, L, SQUARED>(x, x) }
}

/// The sum of the lanes of a row's chunks, in the order of [`Running`], from the vectors that they fill.
///
/// # Safety
/// The CPU has the set of the lanes.
#[inline(always)]
pub(super) unsafe fn sum_of_lanes<T: Number, L: Lanes<T>>(x: [L::Vector; 4]) -> T {
    // SAFETY: the caller promises the set.
    unsafe { L::total(halved::<T, L>(x)) }
}

/// The vectors that a row's lanes fill, added up by halves until one is left.
///
/// # Safety
/// The CPU has the set of the lanes.
#[inline(always)]
unsafe fn halved<T: Number, L: Lanes<T>>(x: [L::Vector; 4]) -> L::Vector {
    // SAFETY: the caller promises the set.
    unsafe {
        match LANES / L::COUNT {
            1 => x[0],
            2 => L::add(x[0], x[1]),
            _ => L::add(L::add(x[0], x[2]), L::add(x[1], x[3])),
        }
    }
}

/// The same of lanes in memory.
///
/// # Safety
/// The CPU has the set of the lanes, of which there are [`LANES`].
#[inline(always)]
unsafe fn one_vector<T: Number, L: Lanes<T>>(lanes: *const T) -> L::Vector {
    // SAFETY: the caller promises the set and the lanes.
    unsafe {
        let mut x = [L::splat(T::ZERO); 4];
        for (k, x) in x[..LANES / L::COUNT].iter_mut().enumerate() {
            *x = L::load(lanes.add(k * L::COUNT), L::first(L::COUNT));
        }
        halved::<T, L>(x)
    }
}

/// The sum of a row.
#[inline]
pub(crate) fn sum<T: Number>(x: &[T]) -> T {
    sum_of::<T, false>(x)
}

/// The sum of a row, or of its squares.
#[inline]
fn sum_of<T: Number, const SQUARED: bool>(x: &[T]) -> T {
    let mut total = [T::ZERO];
    level(x.len()).run_lanes(SumRows::<T, SQUARED> { x, n: x.len(), out: &mut total });
    total[0]
}

/// The sums along rows of `n` that lie one after the other, or of their squares, in the order of each.
struct SumRows<'a, T, const SQUARED: bool> {
    x: &'a [T],
    n: usize,
    out: &'a mut [T],
}

impl<T: Number, const SQUARED: bool> LaneKernel<T> for SumRows<'_, T, SQUARED> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(self) {
        let Self { x, n, out } = self;
        for (r, out) in out.iter_mut().enumerate() {
            let x = &x[r * n..(r + 1) * n];
            // SAFETY: the caller promises the set.
            *out = unsafe { row_of::<T, L, SQUARED>(x, x) };
        }
    }
}

/// The sum of a row, or of the products of two of one length.
///
/// # Safety
/// The CPU has the set of the lanes.
#[inline(always)]
unsafe fn row_of<T: Number, L: Lanes<T>, const PRODUCT: bool>(mut x: &[T], mut y: &[T]) -> T {
    let mut blocks = Blocks::new();
    let is_one = x.len() <= NEIGHBOURS;
    while x.len() > NEIGHBOURS {
        // SAFETY: the caller promises the set.
        blocks.push(unsafe { block_of::<T, L, PRODUCT>(&x[..NEIGHBOURS], &y[..NEIGHBOURS]) });
        (x, y) = (&x[NEIGHBOURS..], &y[NEIGHBOURS..]);
    }
    // SAFETY: as above.
    let last = unsafe { block_of::<T, L, PRODUCT>(x, y) };
    if is_one {
        return last;
    }
    blocks.push(last);
    blocks.total()
}

/// The sum of the products of elements of two slices of one length.
pub(crate) fn sum_of_products<T: Number>(x: &[T], y: &[T]) -> T {
    assert_eq!(x.len(), y.len(), "products are of as many elements");
    let mut total = T::ZERO;
    level(x.len()).run_lanes(SumProducts { x, y, out: &mut total });
    total
}

struct SumProducts<'a, T> {
    x: &'a [T],
    y: &'a [T],
    out: &'a mut T,
}

impl<T: Number> LaneKernel<T> for SumProducts<'_, T> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(self) {
        // SAFETY: the caller promises the set.
        *self.out = unsafe { row_of::<T, L, true>(self.x, self.y) };
    }
}

/// `out[o, i] = Σ_j x[o, j, i]`, or of its squares, along the middle of `[outer, n, inner]`, each sum in the order that
/// [`order`](super::order) tells. Terms that do not fill a block of rows are added one after the other, many sums beside each
/// other.
fn sums_of<T: Number, const SQUARED: bool>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    if inner == 1 && n >= LANES {
        // By themselves: rows one after the other are a smaller kernel, which is asked for one row, too.
        let done = abreast::sums::<T, SQUARED>(x, n, out);
        return level(x.len()).run_lanes(SumRows::<T, SQUARED> { x: &x[done * n..], n, out: &mut out[done..] });
    }
    if n <= ROWS {
        return beside::fold(
            x,
            (n, inner),
            T::ZERO,
            out,
            #[inline(always)]
            |sum, x| sum + term::<T, SQUARED>(x),
        );
    }
    for (x, out) in x.chunks_exact((n * inner).max(1)).zip(out.chunks_exact_mut(inner.max(1))) {
        column_sums_of::<T, SQUARED>(x, out, Finish::Keep);
    }
}

/// The sums along the middle of `[outer, n, inner]`.
pub(super) fn sums<T: Number>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    sums_of::<T, false>(x, (n, inner), out);
}

/// The sums of squares along the middle of `[outer, n, inner]`, each with the bits of that of the squares.
pub(crate) fn sums_of_squares<T: Number>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    sums_of::<T, true>(x, (n, inner), out);
}

/// The Euclidean norm along the middle of `[outer, n, inner]`, without overflow or underflow: rows whose sum of squares
/// leaves the normal range are scaled by a power of two first, which rounds nothing.
pub(crate) fn norm<T: Number>(x: &[T], (n, inner): (usize, usize), out: &mut [T]) {
    // 2^-563 in f64, 2^-86 in f32: squares of the largest numbers stay finite, those of the smallest, divided, normal.
    let down = T::MIN_POSITIVE.sqrt() * T::EPSILON;
    sums_of::<T, true>(x, (n, inner), out);
    if level(out.len()).run(Roots(out)) {
        return;
    }
    for (r, out) in out.iter_mut().enumerate() {
        let squares = *out;
        let scale = if keeps_digits(squares) {
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
            blocks.push(sum_of::<T, true>(block));
        }
        *out = blocks.total().sqrt() / scale;
    }
}

/// Whether a sum of squares is within the range, as is what made it.
#[inline(always)]
fn keeps_digits<T: Number>(squares: T) -> bool {
    (squares > T::MIN_POSITIVE / T::EPSILON) & (squares < T::INFINITY)
}

/// The roots of sums of squares, unless one of these has lost digits: whether they were taken.
struct Roots<'a, T>(&'a mut [T]);

impl<T: Number> Kernel for Roots<'_, T> {
    type Output = bool;
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) -> bool {
        let all = self.0.iter().fold(true, |all, &squares| all & keeps_digits(squares));
        if all {
            self.0.iter_mut().for_each(|y| *y = y.sqrt());
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::level::Level;
    use crate::number::level::tests::at_every_level;

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
        let y: Vec<f32> = x.iter().rev().map(|x| x * 0.3 + 1.0).collect();
        let products: Vec<f32> = x.iter().zip(&y).map(|(x, y)| x * y).collect();
        for n in [0, 1, 15, 16, 17, 63, 64, 1000, 1023, 1024, 1025, 1039, 2048, 3000, 4096, 5121, 20_000] {
            let whole = sum(&x[..n]);
            assert_eq!(whole.to_bits(), by_halves(&x[..n]).to_bits(), "{n}");
            for tile in [1, 7, 16, 64, 100, 192, 256, 512, 1024, 1500, 2048] {
                let mut running = Running::new();
                x[..n].chunks(tile).for_each(|tile| running.add(tile));
                assert_eq!(running.total().to_bits(), whole.to_bits(), "{n} in tiles of {tile}");
                let mut running = Running::new();
                x[..n].chunks(tile).zip(y[..n].chunks(tile)).for_each(|(x, y)| running.add_products(x, y));
                assert_eq!(running.total().to_bits(), sum(&products[..n]).to_bits(), "{n} in tiles of {tile}");
            }
        }
    }

    #[test]
    fn a_row_among_others_has_the_sum_that_it_has_alone() {
        fn check<T: Number>(level: Level) {
            for n in [1, 15, 16, 17, 31, 32, 47, 64, 65, 100, 1023, 1024, 1025, 2100] {
                let rows = if n > 100 { 17 } else { 35 };
                let mut x: Vec<T> = (0..rows * n).map(|i| T::of((i * 7919 % 1001) as f64 * 0.37 - 111.0)).collect();
                x[n..2 * n].fill(-T::ZERO);
                let (mut sums, mut squares) = (vec![T::NAN; rows], vec![T::NAN; rows]);
                super::sums(&x, (n, 1), &mut sums);
                sums_of_squares(&x, (n, 1), &mut squares);
                for (r, x) in x.chunks(n).enumerate() {
                    assert!(sums[r].same_bits(sum(x)), "{level:?}: row {r} of {n}");
                    assert!(squares[r].same_bits(sum_of::<T, true>(x)), "{level:?}: squares of row {r} of {n}");
                }
            }
        }
        at_every_level(|level| {
            check::<f32>(level);
            check::<f64>(level);
        });
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
