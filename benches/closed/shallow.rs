//! The toy network with one thing changed: every size is a constant as in the toy's own form, and activation, penalty and
//! optimiser are types and constants too.
//!
//! `W2` is held transposed, which makes every loop over hidden nodes contiguous.

use crate::closed::activation::Activation;
use crate::closed::hidden::{Data, affine, half_squares, scores, start, through};
use crate::closed::layers::Layers;
use crate::closed::level::{Kernel, Level};
use crate::closed::number::Number;
use crate::closed::rule::Rule;
use crate::closed::softmax::{Losses, softmax};
use crate::contenders::Contender;
use crate::contenders::problem::{Layout, Problem};
use std::marker::PhantomData;

/// The network 4-10-3 of CS231n on its five examples.
pub(crate) type ShallowNet<T, A, R, const L2: bool> = Shallow<T, A, R, L2, 5, 4, 10, 3>;

/// A network of one hidden layer with all it reads and writes: `N` examples, `D` features, `H` hidden nodes,
/// `K` classes, and whether there is a penalty.
pub(crate) struct Shallow<T, A, R, const L2: bool, const N: usize, const D: usize, const H: usize, const K: usize> {
    params: Layers<T, D, H, K>,
    grads: Layers<T, D, H, K>,
    /// What the optimiser keeps of former gradients.
    moments: [Layers<T, D, H, K>; 2],
    rule: R,
    data: Data<T, N, D>,
    level: Level,
    activation: PhantomData<A>,
}

impl<T, A, R, const L2: bool, const N: usize, const D: usize, const H: usize, const K: usize>
    Shallow<T, A, R, L2, N, D, H, K>
where
    T: Number,
    R: Rule<T>,
{
    /// The network and the data of a problem of these sizes.
    pub(crate) fn new(problem: &Problem<T>) -> Self {
        assert_eq!(problem.net.sizes, [D, H, K], "the problem has the sizes of the network");
        let params = Layers::new(problem);
        Self {
            params,
            grads: params,
            moments: [Layers::ZEROS; 2],
            rule: R::default(),
            data: Data::new(problem),
            level: Level::detect(),
            activation: PhantomData,
        }
    }
}

impl<T, A, R, const L2: bool, const N: usize, const D: usize, const H: usize, const K: usize> Contender<T>
    for Shallow<T, A, R, L2, N, D, H, K>
where
    T: Number,
    A: Activation,
    R: Rule<T>,
{
    fn loss_and_grads(&mut self) -> T {
        let Self { params, grads, data, level, activation, .. } = self;
        level.run(Backward::<_, A, L2, N, D, H, K> { params, grads, data, activation: *activation })
    }

    fn step(&mut self) -> T {
        let Self { params, moments, rule, data, level, activation, .. } = self;
        level.run(Step::<_, A, R, L2, N, D, H, K> { params, moments, rule, data, activation: *activation })
    }

    fn params(&self) -> Vec<T> {
        self.params.flat(Layout::InOut)
    }

    fn grads(&mut self) -> Vec<T> {
        self.grads.flat(Layout::InOut)
    }
}

/// Forward and backward.
struct Backward<'a, T, A, const L2: bool, const N: usize, const D: usize, const H: usize, const K: usize> {
    params: &'a Layers<T, D, H, K>,
    grads: &'a mut Layers<T, D, H, K>,
    data: &'a Data<T, N, D>,
    activation: PhantomData<A>,
}

impl<T, A, const L2: bool, const N: usize, const D: usize, const H: usize, const K: usize> Kernel
    for Backward<'_, T, A, L2, N, D, H, K>
where
    T: Number,
    A: Activation,
{
    type Output = T;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> T {
        let Self { params: Layers { w1, b1, w2, b2 }, grads, data, .. } = self;
        let Data { x, labels, penalty, .. } = data;
        let o1 = affine::<T, A, N, D, H, FMA>(x, w1, b1);
        let scale = T::ONE / T::of_count(N);
        let mut losses = Losses::default();
        let ds = softmax::<T, N, K, FMA>(scores::<T, N, H, K, FMA>(&o1, w2, b2), labels, scale, &mut losses);
        let mut db2 = [T::ZERO; K];
        let mut dw2 = start::<T, L2, K, H>(w2, *penalty);
        let mut db1 = [T::ZERO; H];
        let mut dw1 = start::<T, L2, D, H>(w1, *penalty);
        for i in 0..N {
            let mut do1 = [T::ZERO; H];
            for k in 0..K {
                db2[k] += ds[k][i];
                for h in 0..H {
                    dw2[k][h] = ds[k][i].multiply_add::<FMA>(o1[i][h], dw2[k][h]);
                    do1[h] = ds[k][i].multiply_add::<FMA>(w2[k][h], do1[h]);
                }
            }
            through::<T, A, D, H, FMA>(&x[i], &o1[i], do1, &mut dw1, &mut db1);
        }
        *grads = Layers { w1: dw1, b1: db1, w2: dw2, b2: db2 };
        let loss = losses.total() * scale;
        if L2 { loss + *penalty * (half_squares::<T, D, H, FMA>(w1) + half_squares::<T, K, H, FMA>(w2)) } else { loss }
    }
}

/// Forward, backward and update.
struct Step<'a, T, A, R, const L2: bool, const N: usize, const D: usize, const H: usize, const K: usize> {
    params: &'a mut Layers<T, D, H, K>,
    moments: &'a mut [Layers<T, D, H, K>; 2],
    rule: &'a mut R,
    data: &'a Data<T, N, D>,
    activation: PhantomData<A>,
}

impl<T, A, R, const L2: bool, const N: usize, const D: usize, const H: usize, const K: usize> Kernel
    for Step<'_, T, A, R, L2, N, D, H, K>
where
    T: Number,
    A: Activation,
    R: Rule<T>,
{
    type Output = T;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> T {
        let Self { params, moments: [m, v], rule, data, activation } = self;
        let mut g = Layers::ZEROS;
        let loss = Backward::<_, A, L2, N, D, H, K> { params, grads: &mut g, data, activation }.run::<FMA>();
        let step = rule.begin::<FMA>(data.rate);
        if R::AS_RANGE {
            let moments = m.as_range().iter_mut().zip(v.as_range());
            for ((p, &mut g), (m, v)) in params.as_range().iter_mut().zip(g.as_range()).zip(moments) {
                R::step::<FMA>(step, p, g, [m, v]);
            }
            return loss;
        }
        for d in 0..D {
            row::<T, R, H, FMA>(step, &mut params.w1[d], &g.w1[d], [&mut m.w1[d], &mut v.w1[d]]);
        }
        row::<T, R, H, FMA>(step, &mut params.b1, &g.b1, [&mut m.b1, &mut v.b1]);
        for k in 0..K {
            row::<T, R, H, FMA>(step, &mut params.w2[k], &g.w2[k], [&mut m.w2[k], &mut v.w2[k]]);
        }
        row::<T, R, K, FMA>(step, &mut params.b2, &g.b2, [&mut m.b2, &mut v.b2]);
        loss
    }
}

/// Moves a row of parameters.
#[inline(always)]
fn row<T: Number, R: Rule<T>, const C: usize, const FMA: bool>(
    step: R::Step,
    p: &mut [T; C],
    g: &[T; C],
    [m, v]: [&mut [T; C]; 2],
) {
    for c in 0..C {
        R::step::<FMA>(step, &mut p[c], g[c], [&mut m[c], &mut v[c]]);
    }
}
