//! Products of many small matrices in one call: to choose a kernel for each would take longer than to multiply them. Sums have the
//! order, and so the bits, that `Shape::Rows` gives them.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]

use super::{Left, Operand, Shape, Sizes, abreast, steps, turn};
use crate::kernels::strided::{Dim, Odometer};
use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::number::level::{LaneKernel, Level};
use std::mem::MaybeUninit;

/// The most rows and columns of a small matrix that is multiplied row by row.
const SMALL: usize = 16;
const _: () = assert!(SMALL * SMALL <= abreast::ELEMENTS, "a matrix of either kind is turned in as much memory");

/// Whether matrices may be multiplied row by row, one after the other.
pub(super) fn is_small((m, k, n): Sizes) -> bool {
    m.max(k).max(n) <= SMALL
}

/// Many matrices `op(a) · op(b)`.
pub(super) struct Each<'d, T> {
    pub(super) sizes: Sizes,
    pub(super) data: [&'d [T]; 2],
    /// Whether an operand is stored transposed.
    pub(super) transposed: [bool; 2],
    /// How many matrices on from one to the next of each operand.
    pub(super) dims: &'d [Dim<usize, 2>],
}

impl<T> Each<'_, T> {
    fn count(&self) -> usize {
        self.dims.iter().map(|&(n, _)| n).product()
    }

    /// Whether the matrices of an operand lie one behind the other, in the order in which they are multiplied.
    pub(super) fn is_in_row(&self, operand: usize) -> bool {
        let mut next = 1;
        self.dims.iter().rev().all(|&(n, steps)| {
            let follows = steps[operand] == next;
            next *= n;
            follows
        })
    }
}

/// Products of matrices of these sizes, whose operands are found by `dims`, if they are small; whether they are. How they are added up
/// depends on the sizes alone, not on how many there are.
///
/// # Panics
/// Where an operand is too short.
pub(crate) fn products<T: Number>(
    sizes: Sizes,
    (a, ta): Operand<'_, T>,
    (b, tb): Operand<'_, T>,
    dims: &[Dim<usize, 2>],
    out: &mut [T],
) -> bool {
    let (m, k, n) = sizes;
    if m.min(k).min(n) == 0 {
        return false;
    }
    let shape = Shape::of::<T>(sizes, ta, tb);
    let turned = abreast::is_faster::<T>(sizes, shape, tb);
    let row_by_row = is_small(sizes) && shape == Some(Shape::Rows);
    if !(turned || row_by_row) {
        return false;
    }
    let each = Each { sizes, data: [a, b], transposed: [ta, tb], dims };
    let reach = |operand: usize| dims.iter().map(|&(n, steps)| (n - 1) * steps[operand]).sum::<usize>() + 1;
    let fit = a.len() >= reach(0) * m * k && b.len() >= reach(1) * k * n && out.len() == each.count() * m * n;
    assert!(fit, "products of small matrices: an operand is too short");
    if turned && abreast::are_many(each.count()) {
        abreast::products(&each, out);
    } else {
        Level::best().run_lanes(InTurn { each, out });
    }
    true
}

/// `out = op(a) · op(b)` for each matrix, which are as many as `out` has room for, row by row.
struct InTurn<'d, T> {
    each: Each<'d, T>,
    out: &'d mut [T],
}

impl<T: Number> LaneKernel<T> for InTurn<'_, T> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(self) {
        let Each { sizes: (m, k, n), data: [all_a, all_b], transposed: [ta, tb], dims } = self.each;
        let (mut at, mut turned) = (Odometer::new(dims), MaybeUninit::<[T; abreast::ELEMENTS]>::uninit());
        // A single row or column lies the same way turned.
        let turns = tb && k > 1 && n > 1;
        for out in self.out.chunks_exact_mut(m * n) {
            let [pa, pb] = at.offsets();
            let a = Left::with(all_a.as_ptr().wrapping_add(pa * m * k), steps((m, k), ta));
            let mut b = all_b.as_ptr().wrapping_add(pb * k * n);
            // SAFETY: the operands have all matrices, as was asserted where this was made; a small one fits `turned`; the masks end
            // at `n`, and the caller promises the set of the lanes.
            unsafe {
                if turns {
                    let to = turned.as_mut_ptr().cast::<T>();
                    turn(b, (n, k), to);
                    b = to;
                }
                for j in (0..n).step_by(L::COUNT) {
                    let mask = L::first(n - j);
                    for i in 0..m {
                        let mut sum = L::splat(T::ZERO);
                        for p in 0..k {
                            sum = L::mul_add(L::splat(a.at(i, p)), L::load(b.wrapping_add(p * n + j), mask), sum);
                        }
                        L::store(out.as_mut_ptr().wrapping_add(i * n + j), mask, sum);
                    }
                }
            }
            at.step();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::finish::Finish;
    use crate::kernels::gemm::matmul;
    use crate::number::level::tests::at_every_level;

    fn numbers(len: usize, by: f32) -> Vec<f32> {
        (0..len).map(|i| (i as f32 * by).sin()).collect()
    }

    const TRANSPOSED: [(bool, bool); 4] = [(false, false), (false, true), (true, false), (true, true)];

    /// Pairs, of which the left operand is the same in each row, and the right one in each column.
    fn pairs(rows: usize, columns: usize) -> [Dim<usize, 2>; 2] {
        [(rows, [1, 0]), (columns, [0, 1])]
    }

    #[test]
    fn many_small_products_have_the_bits_of_single_ones_at_every_level() {
        let sizes =
            [(1, 1, 1), (3, 3, 1), (3, 1, 3), (1, 6, 1), (4, 4, 4), (5, 7, 9), (16, 16, 16), (2, 16, 11), (9, 7, 2)];
        at_every_level(|_| {
            for ((m, k, n), (ta, tb)) in sizes.into_iter().flat_map(|sizes| TRANSPOSED.map(|t| (sizes, t))) {
                for (rows, columns) in [(3, 4), (1, 1), (7, 1), (20, 13)] {
                    let (a, b) = (numbers(rows * m * k, 0.7), numbers(columns * k * n, 1.3));
                    let mut out = vec![f32::NAN; rows * columns * m * n];
                    let dims = pairs(rows, columns);
                    assert!(products((m, k, n), (&a, ta), (&b, tb), &dims, &mut out), "{m} {k} {n} {ta} {tb}");
                    for (i, found) in out.chunks_exact(m * n).enumerate() {
                        let (a, b) = (&a[i / columns * m * k..][..m * k], &b[i % columns * k * n..][..k * n]);
                        let mut single = vec![f32::NAN; m * n];
                        matmul((m, k, n), (a, ta), (b, tb), &mut single, Finish::Keep);
                        assert_eq!(found, single, "{m} {k} {n} {ta} {tb} of {rows} and {columns}");
                    }
                }
            }
        });
    }

    #[test]
    fn how_a_small_product_is_added_up_does_not_depend_on_how_many_there_are() {
        let sizes = [(2, 33, 1), (1, 8, 1), (7, 12, 1), (1, 60, 1), (33, 5, 1)];
        at_every_level(|level| {
            for ((m, k, n), (ta, tb)) in sizes.into_iter().flat_map(|sizes| TRANSPOSED.map(|t| (sizes, t))) {
                let count = 150;
                let (a, b) = (numbers(count * m * k, 0.7), numbers(count * k * n, 1.3));
                let run = |from: usize, count: usize| {
                    let mut out = vec![f32::NAN; count * m * n];
                    let (a, b) = (&a[from * m * k..], &b[from * k * n..]);
                    assert!(products((m, k, n), (a, ta), (b, tb), &[(count, [1, 1])], &mut out), "{m} {k} {n}");
                    out
                };
                let all = run(0, count);
                for (i, found) in all.chunks_exact(m * n).enumerate() {
                    assert_eq!(found, run(i, 1), "{m} {k} {n} {ta} {tb} {level:?}");
                    let at = |operand: &[f32], (row, col): (usize, usize), steps: super::super::Steps| {
                        f64::from(operand[row * steps.0 + col * steps.1])
                    };
                    for (e, &y) in found.iter().enumerate() {
                        let term = |p: usize| {
                            let a = at(&a[i * m * k..], (e / n, p), steps((m, k), ta));
                            a * at(&b[i * k * n..], (p, e % n), steps((k, n), tb))
                        };
                        let want: f64 = (0..k).map(term).sum();
                        assert!((f64::from(y) - want).abs() < 1e-5, "{m} {k} {n} {ta} {tb}: {y} {want}");
                    }
                }
            }
        });
    }
}
