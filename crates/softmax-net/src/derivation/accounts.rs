//! What the table of lines is made of: the tape's account and that of finite differences.

use super::Derivation;
use crate::activation::Activation;
use crate::closed_form;
use crate::finite_differences::{jacobian as by_differences, second};
use crate::toy::{Forward, Gradients};
use autograd::{Tensor, Var, grad, hessian, hvp, jacobian};
use std::cmp::Ordering;
use std::ops::Range;

/// One piece: a function without kinks.
pub(super) fn smooth(_: &[f64]) {}

fn pieces(f: Activation, z1: &[f64]) -> Vec<Option<Ordering>> {
    z1.iter().map(|&z| f.piece(z)).collect()
}

/// The elements of a variable.
pub(super) fn read(var: Var<'_>) -> Vec<f64> {
    var.value().to_vec()
}

/// The sum of losses, as the one result of a function.
pub(super) fn one(losses: Vec<f64>) -> Vec<f64> {
    vec![total(&losses)]
}

fn total(losses: &[f64]) -> f64 {
    losses.iter().sum()
}

/// The largest size of an entry.
pub(super) fn largest(entries: &[f64]) -> f64 {
    entries.iter().fold(0.0, |most: f64, c| most.max(c.abs()))
}

/// Differences, none of which is held back.
pub(super) fn measured(d: Vec<f64>) -> Vec<Option<f64>> {
    d.into_iter().map(Some).collect()
}

/// The sums of rows of `k`.
pub(super) fn row_sums(d: &[f64], k: usize) -> Vec<f64> {
    d.chunks_exact(k.max(1)).map(|row| row.iter().sum()).collect()
}

/// The blocks `[N, K, K]` on the diagonal of `[N, K, N, K]`: each example's own.
fn blocks<D: Copy>(whole: &[D], n: usize, k: usize) -> Vec<D> {
    (0..n * k * k).map(|e| whole[(e / k) * n * k + e / (k * k) * k + e % k]).collect()
}

/// `L_i = −ln O2[i, y_i]` from the engine's softmax, for scores whose `U` is not finite.
pub(super) fn through_probabilities<'a>(forward: &Forward<Var<'a>>, labels: &[usize]) -> Forward<Var<'a>> {
    let index: Vec<i64> = labels.iter().map(|&label| label as i64).collect();
    let at_label = forward.o2.take_along_axis(1, &forward.o2.tape().indices([labels.len(), 1], &index));
    let l_i = -at_label.log().reshape([labels.len()]);
    Forward { l_i, l: l_i.sum(), ..forward.clone() }
}

/// The forward pass from each intermediate result on, for finite differences.
impl Derivation<'_> {
    /// `N`, `H` and `K`: the sizes of the output layer.
    pub(super) fn layer_2(&self) -> [usize; 3] {
        [self.sizes.n, self.sizes.h, self.sizes.k]
    }

    pub(super) fn scores_of(&self, o1: &[f64]) -> Vec<f64> {
        closed_form::affine(self.layer_2(), o1, self.net.w2, self.net.b2)
    }

    pub(super) fn losses_of_scores(&self, s: &[f64]) -> Vec<f64> {
        closed_form::losses(s, self.labels, self.sizes.k)
    }

    pub(super) fn scores_with(&self, w2: &[f64], b2: &[f64]) -> Vec<f64> {
        closed_form::affine(self.layer_2(), &self.forward.o1, w2, b2)
    }

    pub(super) fn losses_with(&self, w2: &[f64], b2: &[f64]) -> Vec<f64> {
        self.losses_of_scores(&self.scores_with(w2, b2))
    }

    pub(super) fn z1_with(&self, x: &[f64], w1: &[f64], b1: &[f64]) -> Vec<f64> {
        closed_form::affine([self.sizes.n, self.sizes.d, self.sizes.h], x, w1, b1)
    }
}

/// The accounts of first derivatives.
impl Derivation<'_> {
    fn at_label(&self, i: usize) -> usize {
        i * self.sizes.k + self.labels[i]
    }

    pub(super) fn tape_1_1(&self) -> Vec<f64> {
        let dl_do2 = read(grad(self.on_tape.written.l, &self.on_tape.written.o2));
        (0..self.sizes.n).map(|i| dl_do2[self.at_label(i)]).collect()
    }

    pub(super) fn finite_1_1(&self) -> Vec<Option<f64>> {
        let (n, o2) = (self.sizes.n, closed_form::probabilities(&self.forward.s, self.sizes.k));
        // Probabilities are positive, and a step must not come near the pole of the logarithm.
        let half = |p: &[f64]| (0..n).all(|i| p[self.at_label(i)] > 0.5 * o2[self.at_label(i)]);
        let loss = |p: &[f64]| vec![-(0..n).map(|i| p[self.at_label(i)].ln()).sum::<f64>()];
        let d = by_differences(&o2, loss, half);
        (0..n).map(|i| d[self.at_label(i)]).collect()
    }

    pub(super) fn tape_1_2(&self) -> Vec<f64> {
        let written = &self.on_tape.written;
        blocks(&read(jacobian(written.o2, written.s)), self.sizes.n, self.sizes.k)
    }

    pub(super) fn finite_1_2(&self) -> Vec<Option<f64>> {
        let (n, k) = (self.sizes.n, self.sizes.k);
        blocks(&by_differences(&self.forward.s, |s| closed_form::probabilities(s, k), smooth), n, k)
    }

    /// The entries `[i, k]` where `k` is the label, or where it is not.
    fn label_entries(&self, is_label: bool) -> impl Iterator<Item = usize> {
        let k = self.sizes.k;
        (0..self.sizes.n * k).filter(move |e| (e % k == self.labels[e / k]) == is_label)
    }

    /// Those entries of `[N, K]`.
    pub(super) fn of_label(&self, is_label: bool, rows: &[f64]) -> Vec<f64> {
        self.label_entries(is_label).map(|e| rows[e]).collect()
    }

    /// Those entries `[i, y_i, k]` of blocks `[N, K, K]`.
    pub(super) fn in_blocks<D: Copy>(&self, is_label: bool, blocks: &[D]) -> Vec<D> {
        let k = self.sizes.k;
        self.label_entries(is_label).map(|e| blocks[self.at_label(e / k) * k + e % k]).collect()
    }

    pub(super) fn finite_scores(&self) -> Vec<Option<f64>> {
        by_differences(&self.forward.s, |s| one(self.losses_of_scores(s)), smooth)
    }

    pub(super) fn finite_dw2(&self) -> Vec<Option<f64>> {
        by_differences(self.net.w2, |w2| one(self.losses_with(w2, self.net.b2)), smooth)
    }

    pub(super) fn gradients_on_tape(&self) -> Gradients<Var<'_>> {
        self.on_tape.net.gradients(self.on_tape.x, &self.on_tape.forward)
    }

    /// Z1 is affine along each coordinate, so both ends on one side of a kink have all between them there too.
    pub(super) fn finite_hidden(&self, at: &[f64], z1: impl Fn(&[f64]) -> Vec<f64>) -> Vec<Option<f64>> {
        let f = self.net.f;
        let loss = |z1: &[f64]| {
            let o1: Vec<f64> = z1.iter().map(|&z| f.value(z)).collect();
            one(self.losses_of_scores(&self.scores_of(&o1)))
        };
        by_differences(at, |p| loss(&z1(p)), |p| pieces(f, &z1(p)))
    }
}

/// The accounts of second derivatives, of some entries each.
impl Derivation<'_> {
    pub(super) fn tape_2nd_s(&self, part: Range<usize>) -> Vec<f64> {
        let forward = &self.on_tape.forward;
        blocks(&read(hessian(forward.l, forward.s)), self.sizes.n, self.sizes.k)[part].to_vec()
    }

    pub(super) fn finite_2nd_blocks(&self, part: Range<usize>) -> Vec<f64> {
        let k = self.sizes.k;
        let loss = |s: &[f64]| total(&self.losses_of_scores(s));
        part.map(|e| second(&self.forward.s, loss, e / k, e / (k * k) * k + e % k)).collect()
    }

    pub(super) fn finite_2nd_s(&self, part: Range<usize>) -> Vec<Option<f64>> {
        measured(self.finite_2nd_blocks(part))
    }

    /// The class index as a direction: v[i,k] = k.
    pub(super) fn direction(&self) -> Vec<f64> {
        (0..self.sizes.k).map(|k| k as f64).collect()
    }

    pub(super) fn tape_along(&self, part: Range<usize>) -> Vec<f64> {
        let (forward, v) = (&self.on_tape.forward, self.direction());
        let direction = Tensor::from_fn([self.sizes.n, v.len()], |e| v[e % v.len()]);
        let direction = forward.s.tape().var(&direction);
        let [along] = hvp(forward.l, &[forward.s], &[direction])[..] else { return vec![] };
        read((along * direction).sum_axes(1))[part].to_vec()
    }

    pub(super) fn finite_along(&self, part: Range<usize>) -> Vec<Option<f64>> {
        let (k, v) = (self.sizes.k, self.direction());
        let blocks = self.finite_2nd_blocks(part.start * k * k..part.end * k * k);
        let along = |block: &[f64]| block.iter().enumerate().map(|(e, d)| v[e / k] * d * v[e % k]).sum();
        measured(blocks.chunks_exact((k * k).max(1)).map(along).collect())
    }

    /// One product with the Hessian for each of its rows that the entries lie in.
    pub(super) fn tape_2nd_w2(&self, part: Range<usize>) -> Vec<f64> {
        let (w2, l) = (self.on_tape.net.w2, self.on_tape.forward.l);
        let (shape, len) = (w2.shape(), w2.numel());
        let row = |r: usize| {
            let unit = Tensor::from_fn(shape.clone(), |e| if e == r { 1.0 } else { 0.0 });
            hvp(l, &[w2], &[w2.tape().var(&unit)]).into_iter().flat_map(read)
        };
        let first = part.start / len.max(1);
        let rows: Vec<f64> = (first..part.end.div_ceil(len.max(1))).flat_map(row).collect();
        rows[part.start - first * len..part.end - first * len].to_vec()
    }

    pub(super) fn finite_2nd_w2(&self, part: Range<usize>) -> Vec<Option<f64>> {
        let len = self.net.w2.len();
        let loss = |w2: &[f64]| total(&self.losses_with(w2, self.net.b2));
        measured(part.map(|e| second(self.net.w2, loss, e / len, e % len)).collect())
    }
}
