//! The toy network with every size a constant: arrays alone, no allocation, no length known at run time only. Its
//! activation, penalty and optimiser are types and constants too.
//!
//! `W2` is held transposed, which makes every loop over hidden nodes contiguous.

use crate::closed::activation::Activation;
use crate::closed::hidden::{affine, half_squares, scores, start, through};
use crate::closed::level::{Kernel, Level};
use crate::closed::number::Number;
use crate::closed::rule::Rule;
use crate::closed::softmax::{Losses, softmax};
use crate::contenders::Contender;
use crate::contenders::problem::{Layout, Problem};
use std::marker::PhantomData;

/// The network 4-10-3 of CS231n on its five examples.
pub(crate) type ToyNet<T, A, R, const L2: bool> = Toy<T, A, R, L2, 5, 4, 10, 3>;

/// A network of one hidden layer with all it reads and writes: `N` examples, `D` features, `H` hidden nodes,
/// `K` classes, and whether there is a penalty.
pub(crate) struct Toy<T, A, R, const L2: bool, const N: usize, const D: usize, const H: usize, const K: usize> {
    params: Layers<T, D, H, K>,
    grads: Layers<T, D, H, K>,
    /// What the optimiser keeps of former gradients.
    moments: [Layers<T, D, H, K>; 2],
    rule: R,
    data: Data<T, N, D>,
    level: Level,
    layout: Layout,
    activation: PhantomData<A>,
}

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

/// The parameters, or their gradients.
#[derive(Clone, Copy)]
struct Layers<T, const D: usize, const H: usize, const K: usize> {
    w1: [[T; H]; D],
    b1: [T; H],
    /// The transpose of `W2`.
    w2: [[T; H]; K],
    b2: [T; K],
}

impl<T: Number, const D: usize, const H: usize, const K: usize> Layers<T, D, H, K> {
    const ZEROS: Self = Self { w1: [[T::ZERO; H]; D], b1: [T::ZERO; H], w2: [[T::ZERO; H]; K], b2: [T::ZERO; K] };

    /// Layer after layer, weights in the problem's layout.
    fn flat(&self, layout: Layout) -> Vec<T> {
        let Self { w1, b1, w2, b2 } = self;
        let (w1, w2) = match layout {
            Layout::InOut => (w1.concat(), columns(w2)),
            Layout::OutIn => (columns(w1), w2.concat()),
        };
        [&w1[..], b1, &w2, b2].concat()
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

impl<T, A, R, const L2: bool, const N: usize, const D: usize, const H: usize, const K: usize>
    Toy<T, A, R, L2, N, D, H, K>
where
    T: Number,
    R: Rule<T>,
{
    /// The network and the data of a problem of these sizes.
    pub(crate) fn new(problem: &Problem<T>) -> Self {
        assert_eq!(problem.net.sizes, [D, H, K], "the problem has the sizes of the network");
        let [(w1, b1), (w2, b2)] = &problem.layers[..] else { unreachable!("three sizes make two layers") };
        let layout = problem.net.layout;
        let by_inputs = layout == Layout::InOut;
        let params = Layers {
            w1: matrix(w1, by_inputs),
            b1: std::array::from_fn(|h| b1[h]),
            w2: matrix(w2, !by_inputs),
            b2: std::array::from_fn(|k| b2[k]),
        };
        Self {
            params,
            grads: params,
            moments: [Layers::ZEROS; 2],
            rule: R::default(),
            data: Data::new(problem),
            level: Level::detect(),
            layout,
            activation: PhantomData,
        }
    }
}

impl<T, A, R, const L2: bool, const N: usize, const D: usize, const H: usize, const K: usize> Contender<T>
    for Toy<T, A, R, L2, N, D, H, K>
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
        self.params.flat(self.layout)
    }

    fn grads(&mut self) -> Vec<T> {
        self.grads.flat(self.layout)
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
        for d in 0..D {
            R::row::<H, FMA>(step, &mut params.w1[d], &g.w1[d], [&mut m.w1[d], &mut v.w1[d]]);
        }
        R::row::<H, FMA>(step, &mut params.b1, &g.b1, [&mut m.b1, &mut v.b1]);
        for k in 0..K {
            R::row::<H, FMA>(step, &mut params.w2[k], &g.w2[k], [&mut m.w2[k], &mut v.w2[k]]);
        }
        R::row::<K, FMA>(step, &mut params.b2, &g.b2, [&mut m.b2, &mut v.b2]);
        loss
    }
}
