//! The sweep against the kernels of its single operations, bit by bit.

use super::*;
use crate::kernels::chain::TileOp;
use crate::kernels::column_sums::column_sums;
use crate::kernels::compiled::Compiled;
use crate::kernels::cross_entropy::{Losses, Weight, cross_entropy};
use crate::kernels::finish::Finish;
use crate::kernels::gemm::matmul;
use crate::kernels::in_turn::zmul;
use crate::number::level::tests::at_every_level;
use smallvec::{SmallVec, smallvec};
use std::sync::Arc;

fn numbers<T: Compiled>(n: usize, seed: usize) -> Vec<T> {
    (0..n).map(|i| T::of(((i * 37 + seed * 101) % 211) as f64 / 80.0 - 1.3)).collect()
}

/// Parameters or their gradients.
type Params<T> = [Vec<T>; 4];

/// `1 / x`, which is infinite where there are no hidden nodes, and as if it were its slope `1 / x − 1`, which may be 0; only the
/// second, or both.
#[derive(Debug)]
struct Reciprocal {
    second: bool,
}

impl<T: Compiled> TileOp<T> for Reciprocal {
    fn names(&self) -> SmallVec<[&'static str; 2]> {
        smallvec!["reciprocal"]
    }
    fn run(&self, [x, ..]: [&[T]; 3], out: &mut [T], second: &mut [T]) {
        let slope = |x: &T| T::ONE / *x - T::ONE;
        for (y, x) in out.iter_mut().zip(x) {
            *y = if self.second { slope(x) } else { T::ONE / *x };
        }
        for (y, x) in second.iter_mut().zip(x) {
            *y = slope(x);
        }
    }
}

/// The sum of the losses and the gradients, operation by operation.
fn one_by_one<T: Compiled>(
    s: Sizes,
    activation: Option<&Activation<T>>,
    x: &[T],
    p: &Params<T>,
    (labels, weight): (&[T], T),
) -> (f64, Params<T>) {
    let Sizes { rows: n, features: d, hidden: h, classes: k } = s;
    let zeros = |n: usize| vec![T::ZERO; n];
    let (mut o1, mut scores, mut ds, mut dz) = (zeros(n * h), zeros(n * k), zeros(n * k), zeros(n * h));
    let mut grads = s.params().map(zeros);
    let mut slopes = zeros(n * h);
    if let Some(activation) = activation {
        matmul((n, d, h), (x, false), (&p[0], false), &mut dz, Finish::Bias(&p[1]));
        activation.kernels.run(&dz, &mut o1, &mut slopes);
    } else {
        matmul((n, d, h), (x, false), (&p[0], false), &mut o1, Finish::BiasRelu(&p[1]));
    }
    matmul((n, h, k), (&o1, false), (&p[2], false), &mut scores, Finish::Bias(&p[3]));
    let mut sums = LaneSums::default();
    cross_entropy(&scores, labels, k, Losses::Sum(&mut sums), Some((Weight::All(weight), &mut ds)));
    if let Some(activation) = activation {
        matmul((n, k, h), (&ds, false), (&p[2], true), &mut dz, Finish::Keep);
        dz.iter_mut().zip(&slopes).for_each(|(dz, &slope)| {
            *dz = if activation.selects && slope == T::ZERO { T::ZERO } else { zmul(*dz, slope) }
        });
    } else {
        matmul((n, k, h), (&ds, false), (&p[2], true), &mut dz, Finish::Gate(&o1));
    }
    matmul((d, n, h), (x, true), (&dz, false), &mut grads[0], Finish::Keep);
    column_sums(&dz, &mut grads[1], Finish::Keep);
    matmul((h, n, k), (&o1, true), (&ds, false), &mut grads[2], Finish::Keep);
    column_sums(&ds, &mut grads[3], Finish::Keep);
    (sums.total(), grads)
}

/// The same in one sweep; with a rate, in place of the parameters.
fn sweep<T: Compiled>(
    s: Sizes,
    activation: Option<&Activation<T>>,
    x: &[T],
    p: &Params<T>,
    (labels, weight): (&[T], T),
    rate: Option<T>,
) -> (f64, Params<T>) {
    let mut results = if rate.is_some() { p.clone() } else { s.params().map(|n| vec![T::NAN; n]) };
    let mut scratch = vec![T::NAN; s.scratch(activation)];
    let places = results.each_mut().map(Vec::as_mut_ptr);
    let mut step = Perceptron {
        sizes: s,
        activation,
        layout: s.layout(activation),
        x: x.as_ptr(),
        params: if rate.is_some() { places.map(<*mut T>::cast_const) } else { p.each_ref().map(Vec::as_ptr) },
        labels: labels.as_ptr(),
        weight,
        results: places,
        rate: rate.unwrap_or(T::ZERO),
        descends: [rate.is_some(); 4],
        turned: false,
        scratch: scratch.as_mut_ptr(),
        keeps: false,
    };
    // SAFETY: all have the elements that the sizes say; results are apart from operands but for parameters in place.
    let loss = unsafe { step.run(Level::best()) };
    if rate.is_some() {
        // From here on, steps that keep their copy are steps that do not.
        let (mut kept, mut fresh) = (results.clone(), results.clone());
        for keeps in [true, false] {
            let place = if keeps { &mut kept } else { &mut fresh };
            step.results = place.each_mut().map(Vec::as_mut_ptr);
            step.params = step.results.map(<*mut T>::cast_const);
            step.keeps = keeps;
            for _ in 0..3 {
                // SAFETY: as above.
                unsafe { step.run(Level::best()) };
            }
        }
        let bits = |p: &Params<T>| -> Vec<i64> { p.iter().flatten().map(|p| p.to_index()).collect() };
        let is_finite = x.iter().all(|x| x.is_finite());
        assert!(!is_finite || bits(&kept) == bits(&fresh), "{s:?}");
    }
    (loss, results)
}

fn equals_its_operations<T: Compiled>() {
    let sizes = [
        (5, 4, 10, 3),
        (1, 1, 8, 2),
        (16, 2, 16, 4),
        (16, 2, 16, 3),
        (17, 2, 16, 3),
        (16, 3, 17, 2),
        (17, 3, 33, 3),
        (64, 4, 100, 3),
        (300, 2, 100, 3),
        (257, 2, 8, 3),
        (128, 3, 20, 2),
        (129, 3, 130, 2),
        (1100, 2, 8, 2),
        (131, 1, 9, 4),
    ];
    for (rows, features, hidden, classes) in sizes {
        let s = Sizes { rows, features, hidden, classes };
        assert!(s.fit());
        let (mut x, labels): (Vec<T>, Vec<T>) =
            (numbers(rows * features, 3), (0..rows).map(|i| T::from_index(((i * 7) % classes) as i64)).collect());
        let params: Params<T> = s.params().map(|n| numbers(n, n));
        let weight = T::of(1.0 / rows as f64);
        at_every_level(|level| {
            if !level.has_vectors() {
                return;
            }
            let each = [false, true].map(|second| Arc::new(Reciprocal { second }) as _);
            let both = Kernels::Both(Arc::new(Reciprocal { second: false }));
            let activations = [
                None,
                Some(Activation { kernels: both, selects: false }),
                Some(Activation { kernels: Kernels::Each(each), selects: true }),
            ];
            for (k, activation) in (0..9).zip(activations.iter().cycle()) {
                let poison = [None, Some(T::INFINITY), Some(T::NAN)][k / 3];
                let activation = activation.as_ref();
                if let Some(poison) = poison {
                    x[rows * features / 2] = poison;
                }
                let what = format!("{s:?} {activation:?} {poison:?} {level:?} {}", T::NAME);
                let same = |a: &[T], b: &[T]| a.iter().zip(b).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()));
                let (loss, grads) = one_by_one(s, activation, &x, &params, (&labels, weight));
                let (swept, found) = sweep(s, activation, &x, &params, (&labels, weight), None);
                assert!(loss == swept || (loss.is_nan() && swept.is_nan()), "{loss} {swept} {what}");
                let rate = T::of(0.3);
                let (_, stepped) = sweep(s, activation, &x, &params, (&labels, weight), Some(rate));
                for k in 0..4 {
                    assert!(same(&grads[k], &found[k]), "gradient {k}: {what}\n{:?}\n{:?}", grads[k], found[k]);
                    let want: Vec<T> = params[k].iter().zip(&grads[k]).map(|(&p, &dp)| p - dp * rate).collect();
                    assert!(same(&want, &stepped[k]), "step of {k}: {what}");
                }
            }
            x = numbers(rows * features, 3);
        });
    }
}

#[test]
fn a_sweep_has_the_bits_of_its_operations_at_every_level() {
    equals_its_operations::<f32>();
    equals_its_operations::<f64>();
}
