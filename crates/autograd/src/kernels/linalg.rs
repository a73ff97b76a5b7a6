//! Factorisations and solves of small dense matrices, row-major, one at a time.

use super::map::level;
use crate::number::Number;
use crate::number::level::Kernel;
use crate::tensor::memory::{OutOfMemory, room};

/// The Cholesky factor `L`, lower triangular, of a symmetric positive definite matrix, of which the lower triangle is
/// read. NaN from the first pivot on that is not positive.
pub(crate) fn cholesky<T: Number>(a: &[T], n: usize, l: &mut [T]) {
    l.fill(T::ZERO);
    level(n * n).run(Cholesky { a, n, l });
}

/// Row by row of `Lᵀ`, whose elements are neighbours.
struct Cholesky<'a, T> {
    a: &'a [T],
    n: usize,
    l: &'a mut [T],
}

impl<T: Number> Kernel for Cholesky<'_, T> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { a, n, l: u } = self;
        for j in 0..n {
            let (above, rest) = u.split_at_mut(j * n);
            let row = &mut rest[j..n];
            for above in above.chunks_exact(n) {
                let factor = above[j];
                row.iter_mut().zip(&above[j..]).for_each(|(sum, &x)| *sum += factor * x);
            }
            let pivot = a[j * n + j] - row[0];
            let root = if pivot > T::ZERO { pivot.sqrt() } else { T::NAN };
            for (i, sum) in (j..n).zip(&mut *row) {
                *sum = (a[i * n + j] - *sum) / root;
            }
            row[0] = root;
        }
        for i in 0..n {
            for j in 0..i {
                u[i * n + j] = std::mem::replace(&mut u[j * n + i], T::ZERO);
            }
        }
    }
}

/// Which triangle of a matrix a solve reads, whether it is transposed first, and whether its diagonal counts as ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Triangle {
    pub(crate) lower: bool,
    pub(crate) transpose: bool,
    pub(crate) unit_diagonal: bool,
}

/// Solves `op(A) X = B` in place for a triangular `A` `[n, n]` and `B` `[n, m]`.
pub(crate) fn solve_triangular<T: Number>(a: &[T], n: usize, triangle: Triangle, x: &mut [T]) {
    if let Some(m) = x.len().checked_div(n).filter(|&m| m > 0) {
        level(x.len()).run(SolveTriangular { a, n, m, triangle, x });
    }
}

struct SolveTriangular<'a, T> {
    a: &'a [T],
    n: usize,
    m: usize,
    triangle: Triangle,
    x: &'a mut [T],
}

impl<T: Number> Kernel for SolveTriangular<'_, T> {
    type Output = ();
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) {
        let Self { a, n, m, triangle, x } = self;
        let at = |i: usize, j: usize| if triangle.transpose { a[j * n + i] } else { a[i * n + j] };
        let forward = triangle.lower != triangle.transpose;
        for step in 0..n {
            let i = if forward { step } else { n - 1 - step };
            let (before, rest) = x.split_at_mut(i * m);
            let (row, after) = rest.split_at_mut(m);
            let (known, first) = if forward { (before, 0) } else { (after, i + 1) };
            for (k, known) in (first..).zip(known.chunks_exact(m)) {
                subtract(row, at(i, k), known);
            }
            if !triangle.unit_diagonal {
                let pivot = at(i, i);
                for x in row {
                    *x /= pivot;
                }
            }
        }
    }
}

/// `row −= factor · other`
#[inline(always)]
fn subtract<T: Number>(row: &mut [T], factor: T, other: &[T]) {
    row.iter_mut().zip(other).for_each(|(x, &other)| *x -= factor * other);
}

/// `P A = L U` by partial pivoting, in place: `L` below the diagonal (ones on it), `U` on and above. `rows[i]` is the
/// row of `A` that came to stand at `i`. Returns whether the permutation is odd.
pub(crate) fn lu<T: Number>(a: &mut [T], n: usize, rows: &mut Vec<usize>) -> bool {
    rows.clear();
    rows.extend(0..n);
    level(n * n).run(Lu { a, n, rows })
}

struct Lu<'a, T> {
    a: &'a mut [T],
    n: usize,
    rows: &'a mut [usize],
}

impl<T: Number> Kernel for Lu<'_, T> {
    type Output = bool;
    const WIDEST: bool = false;
    #[inline(always)]
    fn run(self) -> bool {
        let Self { a, n, rows } = self;
        let mut odd = false;
        for k in 0..n {
            let better = |p: usize, i: usize| if a[i * n + k].abs() > a[p * n + k].abs() { i } else { p };
            let pivot = (k + 1..n).fold(k, better);
            let (upper, lower) = a.split_at_mut((k + 1) * n);
            let upper = &mut upper[k * n..];
            if pivot != k {
                upper.swap_with_slice(&mut lower[(pivot - k - 1) * n..][..n]);
                rows.swap(k, pivot);
                odd = !odd;
            }
            for row in lower.chunks_exact_mut(n) {
                let factor = if row[k] == T::ZERO { T::ZERO } else { row[k] / upper[k] };
                row[k] = factor;
                subtract(&mut row[k + 1..], factor, &upper[k + 1..]);
            }
        }
        odd
    }
}

/// Memory for the factors of one matrix after the other, and for a right side.
pub(crate) struct Work<T> {
    factors: Vec<T>,
    rows: Vec<usize>,
    right: Vec<T>,
}

impl<T: Number> Work<T> {
    /// For matrices `[n, n]`, and right sides of so many elements.
    pub(crate) fn new(n: usize, right: usize) -> Result<Self, OutOfMemory> {
        Ok(Self { factors: room(n.saturating_mul(n))?, rows: room(n)?, right: room(right)? })
    }

    /// Factors a matrix; returns whether the permutation is odd.
    fn lu(&mut self, a: &[T], n: usize) -> bool {
        self.factors.clear();
        self.factors.extend_from_slice(a);
        lu(&mut self.factors, n, &mut self.rows)
    }
}

/// Solves `op(A) X = B` for a square `A` `[n, n]` and `B` `[n, m]`. A singular matrix gives infinities or NaN. Where
/// transposed, the work has a right side.
pub(crate) fn solve<T: Number>(work: &mut Work<T>, a: &[T], n: usize, transpose: bool, b: &[T], x: &mut [T]) {
    let m = x.len().checked_div(n).unwrap_or(0);
    work.lu(a, n);
    let Work { factors, rows, right: y } = work;
    let lower = Triangle { lower: true, transpose, unit_diagonal: true };
    let upper = Triangle { lower: false, transpose, unit_diagonal: false };
    if transpose {
        // Aᵀ = Uᵀ Lᵀ P, so X = Pᵀ L⁻ᵀ U⁻ᵀ B.
        y.clear();
        y.extend_from_slice(b);
        solve_triangular(factors, n, upper, y);
        solve_triangular(factors, n, lower, y);
        for (i, &row) in rows.iter().enumerate() {
            x[row * m..(row + 1) * m].copy_from_slice(&y[i * m..(i + 1) * m]);
        }
    } else {
        for (i, &row) in rows.iter().enumerate() {
            x[i * m..(i + 1) * m].copy_from_slice(&b[row * m..(row + 1) * m]);
        }
        solve_triangular(factors, n, lower, x);
        solve_triangular(factors, n, upper, x);
    }
}

/// `(ln |det A|, sign of det A)`; `(−∞, 0)` for a singular matrix.
pub(crate) fn log_abs_det<T: Number>(work: &mut Work<T>, a: &[T], n: usize) -> (T, T) {
    let odd = work.lu(a, n);
    let mut sign = if odd { -T::ONE } else { T::ONE };
    let mut sum = T::ZERO;
    for i in 0..n {
        let pivot = work.factors[i * n + i];
        if pivot == T::ZERO {
            return (-T::INFINITY, T::ZERO);
        }
        sum += pivot.abs().ln();
        if pivot < T::ZERO {
            sign = -sign;
        }
    }
    (sum, sign)
}

/// `det A`, the signed product of the pivots.
pub(crate) fn det<T: Number>(work: &mut Work<T>, a: &[T], n: usize) -> T {
    let odd = work.lu(a, n);
    let sign = if odd { -T::ONE } else { T::ONE };
    // A zero pivot makes what follows it meaningless, and the product zero.
    let pivots = (0..n).map(|i| work.factors[i * n + i]);
    pivots.clone().find(|&p| p == T::ZERO).unwrap_or_else(|| pivots.fold(sign, |product, p| product * p))
}

/// The adjugate of a square matrix, the transpose of its cofactors: `det A · A⁻¹` where that is finite, else minor by
/// minor. The work has a right side of `[n, n]`.
pub(crate) fn adjugate<T: Number>(work: &mut Work<T>, a: &[T], n: usize, out: &mut [T]) {
    let volume = det(work, a, n);
    let mut other = std::mem::take(&mut work.right);
    other.clear();
    other.extend((0..n * n).map(|i| if i / n == i % n { T::ONE } else { T::ZERO }));
    solve(work, a, n, false, &other, out);
    for o in &mut *out {
        *o *= volume;
    }
    if volume == T::ZERO || !out.iter().all(|o| o.is_finite()) {
        for (at, o) in out.iter_mut().enumerate() {
            let (column, row) = (at / n, at % n);
            other.clear();
            other.extend((0..n * n).filter(|i| i / n != row && i % n != column).map(|i| a[i]));
            let cofactor = det(work, &other, n - 1);
            *o = if (row + column) % 2 == 0 { cofactor } else { -cofactor };
        }
    }
    work.right = other;
}
