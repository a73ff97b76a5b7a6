//! The toy network with a second hidden layer, every size a constant.
//!
//! `W3` is held transposed, as `W2` of the toy is. `W2` is transposed in each step for the backward pass, whose loops over
//! nodes are contiguous then too.

use crate::closed::activation::{Activation, Relu};
use crate::closed::hidden::{Data, affine, columns, matrix, scores, through};
use crate::closed::level::{Kernel, Level};
use crate::closed::number::Number;
use crate::closed::softmax::{Losses, softmax};
use crate::contenders::Contender;
use crate::contenders::problem::Problem;

/// The toy network 4-10-10-3.
pub(crate) type DeepNet<T> = Deep<T, 5, 4, 10, 10, 3>;

/// A network of two hidden layers of `G` and `H` nodes with all it reads and writes.
pub(crate) struct Deep<T, const N: usize, const D: usize, const G: usize, const H: usize, const K: usize> {
    params: Layers<T, D, G, H, K>,
    grads: Layers<T, D, G, H, K>,
    data: Data<T, N, D>,
    level: Level,
}

/// The parameters, or their gradients.
#[derive(Clone, Copy)]
struct Layers<T, const D: usize, const G: usize, const H: usize, const K: usize> {
    w1: [[T; G]; D],
    b1: [T; G],
    w2: [[T; H]; G],
    b2: [T; H],
    /// The transpose of `W3`.
    w3: [[T; H]; K],
    b3: [T; K],
}

impl<T: Number, const D: usize, const G: usize, const H: usize, const K: usize> Layers<T, D, G, H, K> {
    const ZEROS: Self = Self {
        w1: [[T::ZERO; G]; D],
        b1: [T::ZERO; G],
        w2: [[T::ZERO; H]; G],
        b2: [T::ZERO; H],
        w3: [[T::ZERO; H]; K],
        b3: [T::ZERO; K],
    };

    /// Layer after layer, weights as they are written in the derivation.
    fn flat(&self) -> Vec<T> {
        let Self { w1, b1, w2, b2, w3, b3, .. } = self;
        [w1.as_flattened(), b1, w2.as_flattened(), b2, &columns(w3), b3].concat()
    }
}

impl<T: Number, const N: usize, const D: usize, const G: usize, const H: usize, const K: usize> Deep<T, N, D, G, H, K> {
    /// The network and the data of a problem of these sizes, of ReLU and plain SGD.
    pub(crate) fn new(problem: &Problem<T>) -> Self {
        assert_eq!(problem.net.sizes, [D, G, H, K], "the problem has the sizes of the network");
        let [(w1, b1), (w2, b2), (w3, b3)] = &problem.layers[..] else { unreachable!("four sizes make three layers") };
        let params = Layers {
            w1: matrix(w1, true),
            b1: std::array::from_fn(|g| b1[g]),
            w2: matrix(w2, true),
            b2: std::array::from_fn(|h| b2[h]),
            w3: matrix(w3, false),
            b3: std::array::from_fn(|k| b3[k]),
        };
        Self { params, grads: params, data: Data::new(problem), level: Level::detect() }
    }
}

impl<T: Number, const N: usize, const D: usize, const G: usize, const H: usize, const K: usize> Contender<T>
    for Deep<T, N, D, G, H, K>
{
    fn loss_and_grads(&mut self) -> T {
        let Self { params, grads, data, level } = self;
        level.run(Backward { params, grads, data })
    }

    fn step(&mut self) -> T {
        let Self { params, data, level, .. } = self;
        level.run(Step { params, data })
    }

    fn params(&self) -> Vec<T> {
        self.params.flat()
    }

    fn grads(&mut self) -> Vec<T> {
        self.grads.flat()
    }
}

/// Forward and backward.
struct Backward<'a, T, const N: usize, const D: usize, const G: usize, const H: usize, const K: usize> {
    params: &'a Layers<T, D, G, H, K>,
    grads: &'a mut Layers<T, D, G, H, K>,
    data: &'a Data<T, N, D>,
}

impl<T: Number, const N: usize, const D: usize, const G: usize, const H: usize, const K: usize> Kernel
    for Backward<'_, T, N, D, G, H, K>
{
    type Output = T;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> T {
        let Self { params: Layers { w1, b1, w2, b2, w3, b3 }, grads, data: Data { x, labels, .. } } = self;
        let mut w2_transposed = [[T::ZERO; G]; H];
        for g in 0..G {
            for h in 0..H {
                w2_transposed[h][g] = w2[g][h];
            }
        }
        let o1 = affine::<T, Relu, N, D, G, FMA>(x, w1, b1);
        let o2 = affine::<T, Relu, N, G, H, FMA>(&o1, w2, b2);
        let scale = T::ONE / T::of_count(N);
        let mut losses = Losses::default();
        let ds = softmax::<T, N, K, FMA>(scores::<T, N, H, K, FMA>(&o2, w3, b3), labels, scale, &mut losses);
        let mut d = Layers::ZEROS;
        let mut dz2 = [[T::ZERO; H]; N];
        for i in 0..N {
            let mut do2 = [T::ZERO; H];
            for k in 0..K {
                d.b3[k] += ds[k][i];
                for h in 0..H {
                    d.w3[k][h] = ds[k][i].multiply_add::<FMA>(o2[i][h], d.w3[k][h]);
                    do2[h] = ds[k][i].multiply_add::<FMA>(w3[k][h], do2[h]);
                }
            }
            for h in 0..H {
                dz2[i][h] = Relu::slope::<T, FMA>(o2[i][h], do2[h]);
                d.b2[h] += dz2[i][h];
            }
        }
        for i in 0..N {
            let mut do1 = [T::ZERO; G];
            for h in 0..H {
                for g in 0..G {
                    do1[g] = dz2[i][h].multiply_add::<FMA>(w2_transposed[h][g], do1[g]);
                }
            }
            through::<T, Relu, D, G, FMA>(&x[i], &o1[i], do1, &mut d.w1, &mut d.b1);
        }
        d.w2 = products::<T, N, G, H, FMA>(&o1, &dz2);
        *grads = d;
        losses.total() * scale
    }
}

/// `Aᵀ B`, a row in registers at a time.
#[inline(always)]
fn products<T: Number, const N: usize, const R: usize, const C: usize, const FMA: bool>(
    a: &[[T; R]; N],
    b: &[[T; C]; N],
) -> [[T; C]; R] {
    let mut out = [[T::ZERO; C]; R];
    for r in 0..R {
        for i in 0..N {
            for c in 0..C {
                out[r][c] = a[i][r].multiply_add::<FMA>(b[i][c], out[r][c]);
            }
        }
    }
    out
}

/// Forward, backward and update.
struct Step<'a, T, const N: usize, const D: usize, const G: usize, const H: usize, const K: usize> {
    params: &'a mut Layers<T, D, G, H, K>,
    data: &'a Data<T, N, D>,
}

impl<T: Number, const N: usize, const D: usize, const G: usize, const H: usize, const K: usize> Kernel
    for Step<'_, T, N, D, G, H, K>
{
    type Output = T;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> T {
        let Self { params, data } = self;
        let mut d = Layers::ZEROS;
        let loss = Backward { params, grads: &mut d, data }.run::<FMA>();
        let rate = data.rate;
        descend::<T, D, G, FMA>(rate, &mut params.w1, &d.w1);
        descend::<T, G, H, FMA>(rate, &mut params.w2, &d.w2);
        descend::<T, K, H, FMA>(rate, &mut params.w3, &d.w3);
        descend::<T, 1, G, FMA>(rate, std::array::from_mut(&mut params.b1), std::array::from_ref(&d.b1));
        descend::<T, 1, H, FMA>(rate, std::array::from_mut(&mut params.b2), std::array::from_ref(&d.b2));
        descend::<T, 1, K, FMA>(rate, std::array::from_mut(&mut params.b3), std::array::from_ref(&d.b3));
        loss
    }
}

/// `p ← p − rate · g`
#[inline(always)]
fn descend<T: Number, const R: usize, const C: usize, const FMA: bool>(rate: T, p: &mut [[T; C]; R], g: &[[T; C]; R]) {
    for r in 0..R {
        for c in 0..C {
            p[r][c] = (-rate).multiply_add::<FMA>(g[r][c], p[r][c]);
        }
    }
}
