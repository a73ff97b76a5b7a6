//! The parts of small networks whose sizes are constants: data, hidden layers, forward and backward, and the penalty.

use crate::closed::activation::Activation;
use crate::closed::number::Number;
use crate::closed::softmax::sum;
use crate::contenders::problem::Problem;

/// What steps read only.
pub(crate) struct Data<T, const N: usize, const D: usize> {
    pub(crate) x: [[T; D]; N],
    pub(crate) labels: [usize; N],
    pub(crate) rate: T,
    /// `λ` of the penalty `λ/2 · Σ W²`.
    pub(crate) penalty: T,
}

impl<T: Number, const N: usize, const D: usize> Data<T, N, D> {
    /// Those of a problem of `N` examples.
    pub(crate) fn new(problem: &Problem<T>) -> Self {
        assert_eq!(problem.net.batch, N, "the problem has as many examples");
        Self {
            x: std::array::from_fn(|i| std::array::from_fn(|d| problem.x[i * D + d])),
            labels: std::array::from_fn(|i| problem.labels[i]),
            rate: problem.rate,
            penalty: T::of(problem.net.penalty),
        }
    }
}

/// The numbers of a matrix, column after column.
pub(crate) fn columns<T: Copy, const R: usize, const C: usize>(matrix: &[[T; C]; R]) -> Vec<T> {
    (0..C).flat_map(|c| matrix.iter().map(move |row| row[c])).collect()
}

/// A matrix of `R` rows from its numbers, row after row or column after column.
pub(crate) fn matrix<T: Copy, const R: usize, const C: usize>(numbers: &[T], by_rows: bool) -> [[T; C]; R] {
    assert_eq!(numbers.len(), R * C, "the problem has the sizes of the network");
    std::array::from_fn(|r| std::array::from_fn(|c| numbers[if by_rows { r * C + c } else { c * R + r }]))
}

/// `f(X W + b)`
#[inline(always)]
pub(crate) fn affine<T: Number, A: Activation, const N: usize, const D: usize, const H: usize, const FMA: bool>(
    x: &[[T; D]; N],
    w: &[[T; H]; D],
    b: &[T; H],
) -> [[T; H]; N] {
    let mut o = [[T::ZERO; H]; N];
    for i in 0..N {
        let mut z = *b;
        for d in 0..D {
            for h in 0..H {
                z[h] = x[i][d].multiply_add::<FMA>(w[d][h], z[h]);
            }
        }
        for h in 0..H {
            o[i][h] = if A::CHEAP { A::value::<T, FMA>(z[h]) } else { z[h] };
        }
    }
    if !A::CHEAP {
        for z in o.as_flattened_mut() {
            *z = A::value::<T, FMA>(*z);
        }
    }
    o
}

/// The transpose of `O W + b`, from the transpose of `W`.
#[inline(always)]
pub(crate) fn scores<T: Number, const N: usize, const H: usize, const K: usize, const FMA: bool>(
    o: &[[T; H]; N],
    w: &[[T; H]; K],
    b: &[T; K],
) -> [[T; N]; K] {
    let mut s = [[T::ZERO; N]; K];
    for i in 0..N {
        for k in 0..K {
            let mut products = [T::ZERO; H];
            for h in 0..H {
                products[h] = o[i][h] * w[k][h];
            }
            s[k][i] = b[k] + sum(products);
        }
    }
    s
}

/// What one example adds to the gradients of a hidden layer, from the gradient `dy` of the layer's output `y`.
#[inline(always)]
pub(crate) fn through<T: Number, A: Activation, const D: usize, const H: usize, const FMA: bool>(
    x: &[T; D],
    y: &[T; H],
    dy: [T; H],
    dw: &mut [[T; H]; D],
    db: &mut [T; H],
) -> [T; H] {
    let mut dz = dy;
    for h in 0..H {
        dz[h] = A::slope::<T, FMA>(y[h], dy[h]);
        db[h] += dz[h];
    }
    for d in 0..D {
        for h in 0..H {
            dw[d][h] = x[d].multiply_add::<FMA>(dz[h], dw[d][h]);
        }
    }
    dz
}

/// What the gradient of a weight matrix starts from: that of the penalty, `λ W`, where there is one.
#[inline(always)]
pub(crate) fn start<T: Number, const L2: bool, const R: usize, const C: usize>(
    w: &[[T; C]; R],
    penalty: T,
) -> [[T; C]; R] {
    let mut dw = [[T::ZERO; C]; R];
    if L2 {
        for r in 0..R {
            for c in 0..C {
                dw[r][c] = penalty * w[r][c];
            }
        }
    }
    dw
}

/// `Σ W² / 2`
#[inline(always)]
pub(crate) fn half_squares<T: Number, const R: usize, const C: usize, const FMA: bool>(w: &[[T; C]; R]) -> T {
    let mut squares = [T::ZERO; C];
    for r in 0..R {
        for c in 0..C {
            squares[c] = w[r][c].multiply_add::<FMA>(w[r][c], squares[c]);
        }
    }
    T::of(0.5) * sum(squares)
}
