//! The parts of small networks whose sizes are constants: hidden layers, forward and backward, and the penalty.

use crate::closed::activation::Activation;
use crate::closed::number::Number;
use crate::closed::softmax::sum;

/// `f(X W + b)`
#[inline(always)]
pub(crate) fn affine<T: Number, A: Activation, const N: usize, const D: usize, const H: usize, const FMA: bool>(
    x: &[[T; D]; N],
    w: &[[T; H]; D],
    b: &[T; H],
) -> [[T; H]; N] {
    let mut o = [*b; N];
    for i in 0..N {
        for d in 0..D {
            for h in 0..H {
                o[i][h] = x[i][d].multiply_add::<FMA>(w[d][h], o[i][h]);
            }
        }
    }
    for z in o.as_flattened_mut() {
        *z = A::value::<T, FMA>(*z);
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
