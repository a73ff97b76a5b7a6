//! CS231n's spiral network, blocked by rows: one sweep over the batch takes each block of examples forward and backward
//! while its activations are in the first-level cache, and adds to the gradients of the parameters.
//!
//! Hidden nodes are in groups of `L`, a register or two, and the last group is filled up with nodes whose parameters are
//! zero; they stay zero.

use crate::closed::level::{Kernel, Level};
use crate::closed::number::Number;
use crate::closed::softmax::{Losses, softmax, sum};
use crate::contenders::Contender;
use crate::contenders::problem::Problem;

/// Rows that go forward and backward together; 300 is a multiple.
const BLOCK: usize = 30;

/// Rows whose scores are summed in registers at a time.
const ROWS: usize = 2;

/// A network of one hidden layer on `D` features with `K` classes.
pub(crate) struct Spiral<T, const D: usize, const K: usize, const L: usize> {
    hidden: usize,
    params: Layers<T, D, K, L>,
    grads: Layers<T, D, K, L>,
    /// The hidden layer of a block, group after group.
    o1: Vec<Hidden<T, L>>,
    x: Vec<[[T; D]; BLOCK]>,
    labels: Vec<[usize; BLOCK]>,
    rate: T,
    level: Level,
}

/// The parameters, or their gradients.
#[derive(Clone)]
struct Layers<T, const D: usize, const K: usize, const L: usize> {
    groups: Vec<Group<T, D, K, L>>,
    b2: [T; K],
}

/// The parameters around `L` hidden nodes, aligned to cache lines.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Group<T, const D: usize, const K: usize, const L: usize> {
    w1: [[T; L]; D],
    b1: [T; L],
    /// Of the transpose of `W2`.
    w2: [[T; L]; K],
}

impl<T: Number, const D: usize, const K: usize, const L: usize> Spiral<T, D, K, L> {
    /// The network and the data of a problem of `D` features and `K` classes, whose batch is a whole number of blocks.
    pub(crate) fn new(problem: &Problem<T>) -> Self {
        let &[features, hidden, classes] = problem.net.sizes else { panic!("there is one hidden layer") };
        assert_eq!((features, classes), (D, K), "the problem has the sizes of the network");
        let [(w1, b1), (w2, b2)] = &problem.layers[..] else { unreachable!("three sizes make two layers") };
        let group = |g: usize| {
            let row = |f: &dyn Fn(usize) -> T| {
                std::array::from_fn(|l| if g * L + l < hidden { f(g * L + l) } else { T::ZERO })
            };
            Group {
                w1: std::array::from_fn(|d| row(&|h| w1[d * hidden + h])),
                b1: row(&|h| b1[h]),
                w2: std::array::from_fn(|k| row(&|h| w2[h * K + k])),
            }
        };
        let groups: Vec<_> = (0..hidden.div_ceil(L)).map(group).collect();
        let params = Layers { groups, b2: std::array::from_fn(|k| b2[k]) };
        let (x, rest) = problem.x.as_chunks::<D>().0.as_chunks();
        assert!(rest.is_empty(), "the batch is a whole number of blocks");
        Self {
            hidden,
            grads: params.clone(),
            o1: vec![Hidden([[T::ZERO; L]; BLOCK]); params.groups.len()],
            params,
            x: x.to_vec(),
            labels: problem.labels.as_chunks().0.to_vec(),
            rate: problem.rate,
            level: Level::detect(),
        }
    }

    /// Layer after layer, without what fills up the last group.
    fn flat(&self, layers: &Layers<T, D, K, L>) -> Vec<T> {
        let at = |h: usize| (&layers.groups[h / L], h % L);
        let nodes = 0..self.hidden;
        let w1 = (0..D).flat_map(|d| nodes.clone().map(move |h| at(h).0.w1[d][at(h).1]));
        let b1 = nodes.clone().map(|h| at(h).0.b1[at(h).1]);
        let w2 = nodes.clone().flat_map(|h| (0..K).map(move |k| at(h).0.w2[k][at(h).1]));
        w1.chain(b1).chain(w2).chain(layers.b2).collect()
    }

    #[inline(always)]
    fn backward(&mut self) -> Backward<'_, T, D, K, L> {
        let Self { params, grads, o1, x, labels, .. } = self;
        Backward { params, grads, o1, x, labels }
    }
}

impl<T: Number, const D: usize, const K: usize, const L: usize> Contender<T> for Spiral<T, D, K, L> {
    fn loss_and_grads(&mut self) -> T {
        self.level.run(self.backward())
    }

    fn step(&mut self) -> T {
        let (level, rate) = (self.level, self.rate);
        let loss = level.run(self.backward());
        level.run(Descend { params: &mut self.params, grads: &self.grads, rate });
        loss
    }

    fn params(&self) -> Vec<T> {
        self.flat(&self.params)
    }

    fn grads(&mut self) -> Vec<T> {
        self.flat(&self.grads)
    }
}

/// The hidden layer of a block at `L` nodes, aligned to cache lines.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Hidden<T, const L: usize>([[T; L]; BLOCK]);

/// Forward and backward.
struct Backward<'a, T, const D: usize, const K: usize, const L: usize> {
    params: &'a Layers<T, D, K, L>,
    grads: &'a mut Layers<T, D, K, L>,
    o1: &'a mut [Hidden<T, L>],
    x: &'a [[[T; D]; BLOCK]],
    labels: &'a [[usize; BLOCK]],
}

impl<T: Number, const D: usize, const K: usize, const L: usize> Kernel for Backward<'_, T, D, K, L> {
    type Output = T;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> T {
        let Self { params, grads, o1, x, labels } = self;
        let scale = T::ONE / T::of_count(x.len() * BLOCK);
        let mut losses = Losses::default();
        for dg in &mut grads.groups {
            *dg = Group { w1: [[T::ZERO; L]; D], b1: [T::ZERO; L], w2: [[T::ZERO; L]; K] };
        }
        grads.b2 = [T::ZERO; K];
        for (x, labels) in x.iter().zip(labels) {
            let mut s = [[T::ZERO; BLOCK]; K];
            for from in (0..BLOCK).step_by(ROWS) {
                let sums = scores::<T, D, K, L, FMA>(&params.groups, x, o1, from);
                for r in 0..ROWS {
                    for k in 0..K {
                        s[k][from + r] = sum(sums[r][k]) + params.b2[k];
                    }
                }
            }
            let ds = softmax::<T, BLOCK, K, FMA>(s, labels, scale, &mut losses);
            for k in 0..K {
                grads.b2[k] += sum(ds[k]);
            }
            for ((g, dg), o1) in params.groups.iter().zip(&mut grads.groups).zip(&*o1) {
                *dg = accumulate::<T, D, K, L, FMA>(g, *dg, x, o1, &ds);
            }
        }
        losses.total() * scale
    }
}

/// The hidden layer of `ROWS` rows, into the block, and its products with `W2`, to be summed over the `L` lanes.
#[inline(always)]
fn scores<T: Number, const D: usize, const K: usize, const L: usize, const FMA: bool>(
    groups: &[Group<T, D, K, L>],
    x: &[[T; D]; BLOCK],
    o1: &mut [Hidden<T, L>],
    from: usize,
) -> [[[T; L]; K]; ROWS] {
    let mut sums = [[[T::ZERO; L]; K]; ROWS];
    for (g, o1) in groups.iter().zip(o1) {
        for r in 0..ROWS {
            let mut z = g.b1;
            for d in 0..D {
                for l in 0..L {
                    z[l] = x[from + r][d].multiply_add::<FMA>(g.w1[d][l], z[l]);
                }
            }
            for l in 0..L {
                z[l] = if z[l] > T::ZERO { z[l] } else { T::ZERO };
            }
            o1.0[from + r] = z;
            for k in 0..K {
                for l in 0..L {
                    sums[r][k][l] = z[l].multiply_add::<FMA>(g.w2[k][l], sums[r][k][l]);
                }
            }
        }
    }
    sums
}

/// What a block adds to the gradients of a group, whose sums stay in registers over the block.
#[inline(always)]
fn accumulate<T: Number, const D: usize, const K: usize, const L: usize, const FMA: bool>(
    g: &Group<T, D, K, L>,
    mut dg: Group<T, D, K, L>,
    x: &[[T; D]; BLOCK],
    Hidden(o1): &Hidden<T, L>,
    ds: &[[T; BLOCK]; K],
) -> Group<T, D, K, L> {
    for i in 0..BLOCK {
        let mut dz = [T::ZERO; L];
        for k in 0..K {
            for l in 0..L {
                dz[l] = ds[k][i].multiply_add::<FMA>(g.w2[k][l], dz[l]);
                dg.w2[k][l] = ds[k][i].multiply_add::<FMA>(o1[i][l], dg.w2[k][l]);
            }
        }
        for l in 0..L {
            dz[l] = if o1[i][l] > T::ZERO { dz[l] } else { T::ZERO };
            dg.b1[l] += dz[l];
        }
        for d in 0..D {
            for l in 0..L {
                dg.w1[d][l] = x[i][d].multiply_add::<FMA>(dz[l], dg.w1[d][l]);
            }
        }
    }
    dg
}

/// The update.
struct Descend<'a, T, const D: usize, const K: usize, const L: usize> {
    params: &'a mut Layers<T, D, K, L>,
    grads: &'a Layers<T, D, K, L>,
    rate: T,
}

impl<T: Number, const D: usize, const K: usize, const L: usize> Kernel for Descend<'_, T, D, K, L> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let Self { params, grads, rate } = self;
        for (g, dg) in params.groups.iter_mut().zip(&grads.groups) {
            for l in 0..L {
                for d in 0..D {
                    g.w1[d][l] = (-rate).multiply_add::<FMA>(dg.w1[d][l], g.w1[d][l]);
                }
                g.b1[l] = (-rate).multiply_add::<FMA>(dg.b1[l], g.b1[l]);
                for k in 0..K {
                    g.w2[k][l] = (-rate).multiply_add::<FMA>(dg.w2[k][l], g.w2[k][l]);
                }
            }
        }
        for k in 0..K {
            params.b2[k] = (-rate).multiply_add::<FMA>(grads.b2[k], params.b2[k]);
        }
    }
}
