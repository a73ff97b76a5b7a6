//! Products of many small matrices, one after the other in one call: to choose a kernel for each would take longer than to multiply
//! them. Sums have the order, and so the bits, that `Shape::Rows` gives them.
#![expect(unsafe_code, reason = "vectors by hand take raw pointers")]

use super::{Left, Operand, Shape, Sizes, steps, turn};
use crate::kernels::strided::{Dim, Odometer};
use crate::number::Number;
use crate::number::lanes::Lanes;
use crate::number::level::{LaneKernel, Level};
use std::mem::MaybeUninit;

/// The most rows and columns of a small matrix.
const SMALL: usize = 16;

/// `y = op(a) · op(b)` for each of many matrices.
struct Small<'d, T> {
    sizes: Sizes,
    a: Left<T>,
    b: *const T,
    /// Whether the right operand is stored transposed.
    turns: bool,
    out: *mut T,
    count: usize,
    /// How many matrices on from one to the next of each operand.
    dims: &'d [Dim<usize, 2>],
}

/// Products of matrices of these sizes, whose operands are found by `dims`, if they are small; whether they are.
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
    let is_small = m.max(k).max(n) <= SMALL && m.min(k).min(n) > 0;
    if !is_small || Shape::of::<T>(sizes, ta, tb) != Some(Shape::Rows) {
        return false;
    }
    let count: usize = dims.iter().map(|&(n, _)| n).product();
    let reach = |operand: usize| dims.iter().map(|&(n, steps)| (n - 1) * steps[operand]).sum::<usize>() + 1;
    let fit = a.len() >= reach(0) * m * k && b.len() >= reach(1) * k * n && out.len() == count * m * n;
    assert!(fit, "products of small matrices: an operand is too short");
    let a = Left::with(a.as_ptr(), steps((m, k), ta));
    // A single row or column lies the same way turned.
    let turns = tb && k > 1 && n > 1;
    Level::best().run_lanes(Small { sizes, a, b: b.as_ptr(), turns, out: out.as_mut_ptr(), count, dims });
    true
}

impl<T: Number> LaneKernel<T> for Small<'_, T> {
    #[inline(always)]
    unsafe fn run<L: Lanes<T>>(self) {
        let Self { sizes: (m, k, n), a: all_a, b: all_b, turns, mut out, count, dims } = self;
        let (mut at, mut turned) = (Odometer::new(dims), MaybeUninit::<[T; SMALL * SMALL]>::uninit());
        for _ in 0..count {
            let [pa, pb] = at.offsets();
            let a = Left { data: all_a.data.wrapping_add(pa * m * k), ..all_a };
            let mut b = all_b.wrapping_add(pb * k * n);
            // SAFETY: the operands and the result have all matrices, as was asserted where this was made; a small one fits `turned`;
            // the masks end at `n`, and the caller promises the set of the lanes.
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
                        L::store(out.wrapping_add(i * n + j), mask, sum);
                    }
                }
            }
            out = out.wrapping_add(m * n);
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

    #[test]
    fn many_small_products_have_the_bits_of_single_ones_at_every_level() {
        let numbers = |len: usize, by: f32| -> Vec<f32> { (0..len).map(|i| (i as f32 * by).sin()).collect() };
        at_every_level(|_| {
            for (m, k, n) in
                [(1, 1, 1), (3, 3, 1), (3, 1, 3), (1, 6, 1), (4, 4, 4), (5, 7, 9), (16, 16, 16), (2, 16, 11)]
            {
                for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
                    // Pairs, of which the left operand is the same in each row, and the right one in each column.
                    let dims: [Dim<usize, 2>; 2] = [(3, [1, 0]), (4, [0, 1])];
                    let (a, b) = (numbers(3 * m * k, 0.7), numbers(4 * k * n, 1.3));
                    let mut out = vec![f32::NAN; 12 * m * n];
                    let is_small = products((m, k, n), (&a, ta), (&b, tb), &dims, &mut out);
                    assert_eq!(is_small, Shape::of::<f32>((m, k, n), ta, tb) == Some(Shape::Rows));
                    for (i, found) in out.chunks_exact(m * n).enumerate().filter(|_| is_small) {
                        let (a, b) = (&a[i / 4 * m * k..][..m * k], &b[i % 4 * k * n..][..k * n]);
                        let mut single = vec![f32::NAN; m * n];
                        matmul((m, k, n), (a, ta), (b, tb), &mut single, Finish::Keep);
                        assert_eq!(found, single, "{m} {k} {n} {ta} {tb}");
                    }
                }
            }
        });
    }
}
