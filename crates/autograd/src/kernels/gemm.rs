//! Matrix products: the GEMM crate for large ones, our own loops where both sides are small.
#![expect(unsafe_code, reason = "the GEMM crate takes raw pointers")]

use crate::Float;

/// Up to this many columns, a product with a transposed left side is asked for as it is.
const FEW: usize = 16;

/// A matrix in memory: its elements, and the strides of its rows and columns.
#[derive(Clone, Copy)]
pub struct Strided<'a, T> {
    data: &'a [T],
    row: usize,
    col: usize,
}

impl<'a, T> Strided<'a, T> {
    /// `rows × cols`, row-major, or stored transposed.
    fn new(data: &'a [T], rows: usize, cols: usize, transposed: bool) -> Self {
        assert!(data.len() >= rows * cols, "matmul kernel: an operand is too short");
        if transposed { Self { data, row: 1, col: rows } } else { Self { data, row: cols, col: 1 } }
    }

    fn transposed(self) -> Self {
        Self { data: self.data, row: self.col, col: self.row }
    }
}

/// `out = a · b` by the GEMM crate, `out` `[m, n]` row-major.
macro_rules! gemm {
    ($name:ident, $t:ty, $get:path) => {
        pub(crate) fn $name(
            (m, k, n): (usize, usize, usize),
            a: &Strided<'_, $t>,
            b: &Strided<'_, $t>,
            out: &mut [$t],
        ) {
            assert!(out.len() >= m * n, "matmul kernel: the result is too short");
            let stride = |s: usize| s as isize;
            // The crate's kernels write columns, so they are asked for outᵀ = bᵀ aᵀ, which is up to six times as fast;
            // but for few columns and a transposed `a`, measured on Zen 5: 256×128×10 in 3.2 µs instead of 7.9.
            let swap = n > FEW || a.col == 1;
            let (left, right) = if swap { (b.transposed(), a.transposed()) } else { (*a, *b) };
            let (rows, cols) = if swap { (n, m) } else { (m, n) };
            let (out_row, out_col) = if swap { (1, n) } else { (n, 1) };
            // SAFETY: the operands hold m·k and k·n elements (asserted where they were made) and `out` m·n (asserted
            // above), which is what these strides reach; `out` is a unique borrow, so it overlaps neither operand;
            // `read_dst` is false, so what `out` holds is not read.
            unsafe {
                $get()(
                    rows,
                    cols,
                    k,
                    out.as_mut_ptr(),
                    stride(out_col),
                    stride(out_row),
                    false,
                    left.data.as_ptr(),
                    stride(left.col),
                    stride(left.row),
                    right.data.as_ptr(),
                    stride(right.col),
                    stride(right.row),
                    0.0,
                    1.0,
                    false,
                    false,
                    false,
                    gemm_common::Parallelism::None,
                );
            }
        }
    };
}
gemm!(gemm_f32, f32, gemm_f32::gemm::f32::get_gemm_fn);
gemm!(gemm_f64, f64, gemm_f64::gemm::f64::get_gemm_fn);

/// Below this many multiply-adds our own loops win: the GEMM crate's fixed cost is about 160 ns, measured on Zen 5.
const SMALL: usize = 4096;

/// `out = op(a) · op(b)` with `out` `[m, n]`, all row-major; `op(a)` is `[m, k]`, stored transposed where `ta`.
pub(crate) fn matmul<T: Float>(
    (m, k, n): (usize, usize, usize),
    (a, ta): (&[T], bool),
    (b, tb): (&[T], bool),
    out: &mut [T],
) {
    if m * k * n <= SMALL {
        small((m, k, n), (a, ta), (b, tb), out);
    } else {
        T::gemm((m, k, n), &Strided::new(a, m, k, ta), &Strided::new(b, k, n, tb), out);
    }
}

/// Up to this many elements of a transposed `b` are turned on the stack first.
const TURNED: usize = 256;

/// Our own loops: tiles of a few rows and a constant number of columns, whose sums stay in registers while `k` runs in
/// ascending order.
fn small<T: Float>((m, k, n): (usize, usize, usize), (a, ta): (&[T], bool), (b, tb): (&[T], bool), out: &mut [T]) {
    let a = Lhs { data: a, row: if ta { 1 } else { k }, col: if ta { m } else { 1 } };
    if !tb {
        return columns((m, k, n), &a, b, out);
    }
    if k * n <= TURNED {
        let mut turned = [T::ZERO; TURNED];
        for (j, row) in b.chunks_exact(k.max(1)).take(n).enumerate() {
            for (p, &x) in row.iter().enumerate() {
                turned[p * n + j] = x;
            }
        }
        return columns((m, k, n), &a, &turned[..k * n], out);
    }
    for i in 0..m {
        for (j, row) in b.chunks_exact(k).take(n).enumerate() {
            out[i * n + j] = row.iter().enumerate().fold(T::ZERO, |sum, (p, &b)| sum + a.at(i, p) * b);
        }
    }
}

/// The left operand by its strides.
struct Lhs<'a, T> {
    data: &'a [T],
    row: usize,
    col: usize,
}

impl<T: Copy> Lhs<'_, T> {
    #[inline(always)]
    fn at(&self, i: usize, p: usize) -> T {
        self.data[i * self.row + p * self.col]
    }
}

/// `out = a · b` for a row-major `b`, in column blocks of the widest constant width that fits.
fn columns<T: Float>((m, k, n): (usize, usize, usize), a: &Lhs<'_, T>, b: &[T], out: &mut [T]) {
    let mut j = 0;
    while j < n {
        j += match n - j {
            16.. => rows::<T, 16>((m, k, n), j, a, b, out),
            8.. => rows::<T, 8>((m, k, n), j, a, b, out),
            4.. => rows::<T, 4>((m, k, n), j, a, b, out),
            3 => rows::<T, 3>((m, k, n), j, a, b, out),
            2 => rows::<T, 2>((m, k, n), j, a, b, out),
            _ => rows::<T, 1>((m, k, n), j, a, b, out),
        };
    }
}

/// `W` columns from `j` on, four rows at a time. Returns `W`.
#[inline(always)]
fn rows<T: Float, const W: usize>(
    (m, k, n): (usize, usize, usize),
    j: usize,
    a: &Lhs<'_, T>,
    b: &[T],
    out: &mut [T],
) -> usize {
    let mut i = 0;
    while i + 4 <= m {
        tile::<T, 4, W>((k, n), (i, j), a, b, out);
        i += 4;
    }
    while i < m {
        tile::<T, 1, W>((k, n), (i, j), a, b, out);
        i += 1;
    }
    W
}

#[inline(always)]
fn tile<T: Float, const R: usize, const W: usize>(
    (k, n): (usize, usize),
    (i, j): (usize, usize),
    a: &Lhs<'_, T>,
    b: &[T],
    out: &mut [T],
) {
    let mut sums = [[T::ZERO; W]; R];
    for p in 0..k {
        let b: &[T; W] = b[p * n + j..].first_chunk().expect("the block lies within the row");
        for (r, sums) in sums.iter_mut().enumerate() {
            let a = a.at(i + r, p);
            for (sum, &b) in sums.iter_mut().zip(b) {
                *sum += a * b;
            }
        }
    }
    for (r, sums) in sums.iter().enumerate() {
        out[(i + r) * n + j..][..W].copy_from_slice(sums);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition, element by element.
    fn reference((m, k, n): (usize, usize, usize), (a, ta): (&[f64], bool), (b, tb): (&[f64], bool)) -> Vec<f64> {
        let a = |i: usize, p: usize| if ta { a[p * m + i] } else { a[i * k + p] };
        let b = |p: usize, j: usize| if tb { b[j * k + p] } else { b[p * n + j] };
        (0..m * n).map(|e| (0..k).map(|p| a(e / n, p) * b(p, e % n)).sum()).collect()
    }

    #[test]
    fn both_paths_equal_the_definition_for_all_transpositions() {
        for (m, k, n) in [(0, 2, 3), (2, 0, 3), (1, 1, 1), (5, 4, 10), (3, 17, 2), (33, 20, 41), (64, 65, 3)] {
            let a: Vec<f64> = (0..m * k).map(|i| ((i * 7 + 3) % 11) as f64 - 5.0).collect();
            let b: Vec<f64> = (0..k * n).map(|i| ((i * 5 + 1) % 13) as f64 - 6.0).collect();
            for (ta, tb) in [(false, false), (false, true), (true, false), (true, true)] {
                let mut out = vec![f64::NAN; m * n];
                matmul((m, k, n), (&a, ta), (&b, tb), &mut out);
                assert_eq!(out, reference((m, k, n), (&a, ta), (&b, tb)), "{m}x{k}x{n} {ta} {tb}");
            }
        }
    }
}
