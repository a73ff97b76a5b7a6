//! Products of many small matrices, each of which has a lane of its own: their elements are turned, so that neighbours are those of
//! different matrices. Row by row, a matrix times a vector would fill one lane of each vector.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]

use super::small::{Each, is_small};
use super::{Shape, Sizes, Steps, steps};
use crate::kernels::map::copy;
use crate::kernels::order::with_zeros;
use crate::kernels::strided::Odometer;
use crate::kernels::transpose::transpose;
use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::number::level::{LaneKernel, Level};

/// So many matrices fill the vectors of each level.
const LEAST: usize = 16;
/// The elements of all that is turned at a time: they stay in the first-level cache, and on the stack.
const TOGETHER: usize = 4096;
/// Those of two operands and their product, at most. A sum of so many terms is one block of the [`order`](crate::kernels::order).
pub(super) const ELEMENTS: usize = TOGETHER / LEAST;
/// So many matrices are turned at a time, at most.
const MOST: usize = 8 * LEAST;

/// Whether matrices of these sizes are faster turned than one by one, as [`Shape`] or rows of them are multiplied.
///
/// The times are hundredths of a nanosecond, fitted to fifty sizes on Zen 3, where vectors that are stored in part are slow.
pub(super) fn is_faster<T>((m, k, n): Sizes, shape: Option<Shape>, tb: bool) -> bool {
    let elements = m * k + k * n + m * n;
    if elements > ELEMENTS {
        return false;
    }
    let (terms, lanes) = (m * k * n, 32 / size_of::<T>());
    let turned = (25 * elements + 5 * terms) * size_of::<T>() / 4;
    // What it takes to choose how to multiply each.
    let choice = if is_small((m, k, n)) && shape == Some(Shape::Rows) { 400 } else { 4000 };
    if shape == Some(Shape::Dots) {
        return turned < choice + 8 * terms + if tb || n == 1 { 0 } else { 40 * k * n };
    }
    let row = n.div_ceil(lanes) * (200 + 35 * k) + if n.is_multiple_of(lanes) { 0 } else { 300 };
    turned < choice + m * row + if tb && k > 1 && n > 1 { 40 * k * n } else { 0 }
}

/// Whether so many of them fill vectors.
pub(super) fn are_many(count: usize) -> bool {
    count >= LEAST / 2
}

/// `out = op(a) · op(b)` for each of many matrices.
pub(super) fn products<T: Number>(each: &Each<'_, T>, out: &mut [T]) {
    let (m, k, n) = each.sizes;
    let lens = [m * k, k * n, m * n];
    let in_row = [0, 1].map(|operand| each.is_in_row(operand));
    // Matrices that lie apart are put beside each other first.
    let staged = if in_row == [true; 2] { 0 } else { lens[0].max(lens[1]) };
    let elements = lens.iter().sum::<usize>() + staged;
    let together = (TOGETHER / elements / LEAST * LEAST).clamp(LEAST, MOST);
    with_zeros(elements * together, |memory: &mut [T]| {
        let (a, rest) = memory.split_at_mut(lens[0] * together);
        let (b, rest) = rest.split_at_mut(lens[1] * together);
        let (y, staged) = rest.split_at_mut(lens[2] * together);
        let (mut at, mut places) = (Odometer::new(each.dims), [[0; 2]; MOST]);
        for out in out.chunks_mut(together * lens[2]) {
            let places = &mut places[..out.len() / lens[2]];
            for place in &mut *places {
                *place = at.offsets();
                at.step();
            }
            for (operand, turned) in [&mut *a, &mut *b].into_iter().enumerate() {
                let (data, len) = (each.data[operand], lens[operand]);
                let matrices = if in_row[operand] {
                    &data[places[0][operand] * len..]
                } else {
                    for (to, place) in staged.chunks_exact_mut(len).zip(&*places) {
                        copy(&data[place[operand] * len..][..len], to);
                    }
                    &*staged
                };
                transpose(matrices, len, (places.len(), len), turned, together);
            }
            let operands = [(&*a, steps((m, k), each.transposed[0])), (&*b, steps((k, n), each.transposed[1]))];
            Level::best().run_lanes(Turned::new(each.sizes, operands, y, together));
            transpose(y, together, (lens[2], places.len()), out, lens[2]);
        }
    });
}

/// `y = a · b`, whose elements are rows of so many, one of each matrix.
struct Turned<'a, T> {
    /// `(m, k, n)`, where `m` is at most `n`.
    sizes: Sizes,
    a: &'a [T],
    b: &'a [T],
    y: &'a mut [T],
    /// From a row of each of the three to the next, and from a column to the next.
    steps: [Steps; 3],
    together: usize,
}

impl<'a, T: Number> Turned<'a, T> {
    fn new((m, k, n): Sizes, [(a, of_a), (b, of_b)]: [(&'a [T], Steps); 2], y: &'a mut [T], together: usize) -> Self {
        let fit = a.len() == m * k * together && b.len() == k * n * together && y.len() == m * n * together;
        assert!(fit && together.is_multiple_of(LEAST), "products of turned matrices: an operand is too short");
        if m > n {
            // Its transpose, to have more columns, which share what is read of a row.
            let [of_a, of_b] = [of_b, of_a].map(|(row, col)| (col, row));
            return Self { sizes: (n, k, m), a: b, b: a, y, steps: [of_a, of_b, (1, n)], together };
        }
        Self { sizes: (m, k, n), a, b, y, steps: [of_a, of_b, (n, 1)], together }
    }

    /// Columns `j..j + C` of row `i`, of a vector's matrices from `lane` on.
    ///
    /// # Safety
    /// The CPU has the set; the row and the columns are there, and the lanes.
    #[inline(always)]
    unsafe fn columns<L: Lanes<T>, const C: usize>(&mut self, (i, j): (usize, usize), lane: usize) {
        let [of_a, of_b, of_y] = self.steps.map(|(row, col)| (row * self.together, col * self.together));
        // SAFETY: operands and result have the elements of all matrices, which were asserted to be whole vectors.
        unsafe {
            let all = L::first(L::COUNT);
            let mut a = self.a.as_ptr().add(i * of_a.0 + lane);
            let mut b = self.b.as_ptr().add(j * of_b.1 + lane);
            let mut sums = [L::splat(T::ZERO); C];
            for _ in 0..self.sizes.1 {
                let of_row = L::load(a, all);
                for (c, sum) in sums.iter_mut().enumerate() {
                    *sum = L::mul_add(of_row, L::load(b.add(c * of_b.1), all), *sum);
                }
                (a, b) = (a.wrapping_add(of_a.1), b.wrapping_add(of_b.0));
            }
            let y = self.y.as_mut_ptr().add(i * of_y.0 + j * of_y.1 + lane);
            for (c, sum) in sums.into_iter().enumerate() {
                L::store(y.add(c * of_y.1), all, sum);
            }
        }
    }
}

impl<T: Number> LaneKernel<T> for Turned<'_, T> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(mut self) {
        let (m, _, n) = self.sizes;
        for lane in (0..self.together).step_by(L::COUNT) {
            for i in 0..m {
                // SAFETY: the caller promises the set; rows, columns and lanes are within those that there are.
                unsafe {
                    for j in 0..n / 4 {
                        self.columns::<L, 4>((i, 4 * j), lane);
                    }
                    match n % 4 {
                        1 => self.columns::<L, 1>((i, n - 1), lane),
                        2 => self.columns::<L, 2>((i, n - 2), lane),
                        3 => self.columns::<L, 3>((i, n - 3), lane),
                        _ => {}
                    }
                }
            }
        }
    }
}
