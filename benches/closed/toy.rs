//! The toy network with every size a constant: arrays alone, no allocation, no length known at run time only.
//!
//! `W2` is held transposed, which makes every loop over hidden nodes contiguous; so it is where the problem's weights are
//! stored `[out, in]`, and `W1` is not.

use crate::closed::layers::Layers;
use crate::closed::level::{Kernel, Level};
use crate::closed::number::Number;
use crate::closed::softmax::{Losses, softmax, sum};
use crate::contenders::Contender;
use crate::contenders::problem::{Layout, Problem};

/// The network 4-10-3 of CS231n on its five examples.
pub(crate) type ToyNet<T> = Toy<T, 5, 4, 10, 3>;

/// A network of one hidden layer with all it reads and writes: `N` examples, `D` features, `H` hidden nodes,
/// `K` classes.
pub(crate) struct Toy<T, const N: usize, const D: usize, const H: usize, const K: usize> {
    params: Layers<T, D, H, K>,
    grads: Layers<T, D, H, K>,
    x: [[T; D]; N],
    labels: [usize; N],
    rate: T,
    level: Level,
    layout: Layout,
}

impl<T: Number, const N: usize, const D: usize, const H: usize, const K: usize> Toy<T, N, D, H, K> {
    /// The network and the data of a problem of these sizes.
    pub(crate) fn new(problem: &Problem<T>) -> Self {
        let sizes = (problem.net.batch, problem.net.sizes);
        assert_eq!(sizes, (N, &[D, H, K][..]), "the problem has the sizes of the network");
        let params = Layers::new(problem);
        Self {
            params,
            grads: params,
            x: std::array::from_fn(|i| std::array::from_fn(|d| problem.x[i * D + d])),
            labels: std::array::from_fn(|i| problem.labels[i]),
            rate: problem.rate,
            level: Level::detect(),
            layout: problem.net.layout,
        }
    }
}

impl<T: Number, const N: usize, const D: usize, const H: usize, const K: usize> Contender<T> for Toy<T, N, D, H, K> {
    fn loss_and_grads(&mut self) -> T {
        let Self { params, grads, x, labels, level, .. } = self;
        level.run(Backward { params, grads, x, labels })
    }

    fn step(&mut self) -> T {
        self.level.run(Step { params: &mut self.params, x: &self.x, labels: &self.labels, rate: self.rate })
    }

    fn params(&self) -> Vec<T> {
        self.params.flat(self.layout)
    }

    fn grads(&mut self) -> Vec<T> {
        self.grads.flat(self.layout)
    }
}

/// Forward and backward.
struct Backward<'a, T, const N: usize, const D: usize, const H: usize, const K: usize> {
    params: &'a Layers<T, D, H, K>,
    grads: &'a mut Layers<T, D, H, K>,
    x: &'a [[T; D]; N],
    labels: &'a [usize; N],
}

impl<T: Number, const N: usize, const D: usize, const H: usize, const K: usize> Kernel for Backward<'_, T, N, D, H, K> {
    type Output = T;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> Self::Output {
        let Self { params: Layers { w1, b1, w2, b2 }, grads: out, x, labels } = self;
        let mut o1 = [[T::ZERO; H]; N];
        let mut s = [[T::ZERO; N]; K];
        for i in 0..N {
            let mut z = *b1;
            for d in 0..D {
                for h in 0..H {
                    z[h] = x[i][d].multiply_add::<FMA>(w1[d][h], z[h]);
                }
            }
            for h in 0..H {
                o1[i][h] = if z[h] > T::ZERO { z[h] } else { T::ZERO };
            }
            for k in 0..K {
                let mut products = [T::ZERO; H];
                for h in 0..H {
                    products[h] = o1[i][h] * w2[k][h];
                }
                s[k][i] = b2[k] + sum(products);
            }
        }
        let scale = T::ONE / T::of_count(N);
        let mut losses = Losses::default();
        let ds = softmax::<T, N, K, FMA>(s, labels, scale, &mut losses);
        let mut grads = Layers { w1: [[T::ZERO; H]; D], b1: [T::ZERO; H], w2: [[T::ZERO; H]; K], b2: [T::ZERO; K] };
        for i in 0..N {
            let mut dz = [T::ZERO; H];
            for k in 0..K {
                grads.b2[k] += ds[k][i];
                for h in 0..H {
                    grads.w2[k][h] = ds[k][i].multiply_add::<FMA>(o1[i][h], grads.w2[k][h]);
                    dz[h] = ds[k][i].multiply_add::<FMA>(w2[k][h], dz[h]);
                }
            }
            for h in 0..H {
                dz[h] = if o1[i][h] > T::ZERO { dz[h] } else { T::ZERO };
                grads.b1[h] += dz[h];
            }
            for d in 0..D {
                for h in 0..H {
                    grads.w1[d][h] = x[i][d].multiply_add::<FMA>(dz[h], grads.w1[d][h]);
                }
            }
        }
        *out = grads;
        losses.total() * scale
    }
}

/// Forward, backward and update.
struct Step<'a, T, const N: usize, const D: usize, const H: usize, const K: usize> {
    params: &'a mut Layers<T, D, H, K>,
    x: &'a [[T; D]; N],
    labels: &'a [usize; N],
    rate: T,
}

impl<T: Number, const N: usize, const D: usize, const H: usize, const K: usize> Kernel for Step<'_, T, N, D, H, K> {
    type Output = T;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> T {
        let Self { params, x, labels, rate } = self;
        let mut grads = *params;
        let loss = Backward { params, grads: &mut grads, x, labels }.run::<FMA>();
        for h in 0..H {
            for d in 0..D {
                params.w1[d][h] = (-rate).multiply_add::<FMA>(grads.w1[d][h], params.w1[d][h]);
            }
            params.b1[h] = (-rate).multiply_add::<FMA>(grads.b1[h], params.b1[h]);
            for k in 0..K {
                params.w2[k][h] = (-rate).multiply_add::<FMA>(grads.w2[k][h], params.w2[k][h]);
            }
        }
        for k in 0..K {
            params.b2[k] = (-rate).multiply_add::<FMA>(grads.b2[k], params.b2[k]);
        }
        loss
    }
}
