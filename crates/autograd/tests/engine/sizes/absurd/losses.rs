//! Calls of losses, distances and normalisations.

use super::draw::Draw;
use autograd::{CrossEntropyOptions, GaussianNll, KlTarget, PoissonNll, Tensor, TripletMargin, Var};

/// Labels for scores, most often of their classes.
fn labels(d: &mut Draw<'_>, rows: usize, classes: usize) -> Vec<usize> {
    let rows = if d.below(6) == 0 { d.below(4) } else { rows.min(1000) };
    let wild = d.below(4) == 0;
    (0..rows).map(|_| if wild { d.size() } else { d.below(classes.clamp(1, 1000)) }).collect()
}

/// One call, and the variable that its derivative is asked for.
pub(crate) fn call<'t>(d: &mut Draw<'t>, x: Var<'t>) -> Var<'t> {
    let rank = x.rank();
    let y = d.twin(x);
    match d.below(27) {
        0..=2 => {
            let options = CrossEntropyOptions {
                reduction: d.reduction(),
                class_weights: (d.below(3) == 0).then(|| Tensor::full([d.below(4)], d.number())),
                label_smoothing: if d.flag() { 0.0 } else { d.number() },
                ignore_index: d.flag().then(|| d.step() as i64),
            };
            let (shape, scores) = (x.shape(), d.of_rank(2));
            if d.flag() {
                let classes = shape.get(1).or(shape.first()).copied().unwrap_or(0);
                // Labels of all axes but that of the classes.
                let sizes: Vec<usize> =
                    shape.iter().enumerate().filter(|&(i, _)| i != usize::from(rank > 1)).map(|(_, &n)| n).collect();
                let n = autograd::Shape::from(&sizes[..]).numel();
                let list: Vec<i64> = labels(d, n, classes).into_iter().map(|i| i as i64).collect();
                let list = d.tape.indices(sizes, &list);
                if d.flag() { x.cross_entropy_opts(&list, &options) } else { x.nll(&list, &options) }
            } else {
                let list = labels(d, scores.shape()[0], scores.shape()[1]);
                match d.below(3) {
                    0 => scores.nll(&list, &options),
                    1 => scores.cross_entropy_with(&list, options.reduction),
                    _ => scores.cross_entropy(&list),
                }
            }
        }
        3 => x.soft_cross_entropy(y, d.reduction()),
        4 => x.mse(y, d.reduction()) + x.l1(y, d.reduction()),
        5 => x.huber(y, d.number(), d.reduction()),
        6 => {
            let weight = d.twin(x);
            x.bce_with_logits(y, d.flag().then_some(weight), d.reduction())
        }
        7 => x.kl_div(y, [KlTarget::Probabilities, KlTarget::Logarithms][usize::from(d.flag())], d.reduction()),
        8 => {
            let weight = d.twin(x);
            x.bce(y, d.flag().then_some(weight), d.reduction())
        }
        9 => {
            let alpha = d.number();
            x.sigmoid_focal(y, d.flag().then_some(alpha), d.number(), d.reduction())
        }
        10 => {
            let options = PoissonNll { log_input: d.flag(), full: d.flag(), eps: d.number(), reduction: d.reduction() };
            x.poisson_nll(y, &options)
        }
        11 => {
            let variance = d.twin(x);
            x.gaussian_nll(y, variance, &GaussianNll { full: d.flag(), eps: d.number(), reduction: d.reduction() })
        }
        12 => x.hinge(y, d.reduction()) + x.soft_margin(y, d.reduction()),
        13 => x.hinge_embedding(y, d.number(), d.reduction()),
        14..=16 => {
            let scores = d.of_rank(1 + rank % 3);
            let shape = scores.shape();
            let list = labels(d, shape[0], shape.get(1).copied().unwrap_or(1));
            let weights =
                Tensor::full([shape.get(1).copied().unwrap_or(1).min(9)], if d.flag() { 1.0 } else { d.number() });
            let p = [0, 1, 2, 3, u32::MAX][d.below(5)];
            scores.multi_margin(&list, p, d.number(), d.flag().then_some(&weights), d.reduction())
        }
        17 => {
            let target = d.twin(x);
            x.margin_ranking(y, target, d.number(), d.reduction())
        }
        18 => x.cosine_similarity(y, d.axis(rank), d.number()),
        19 => {
            let target = d.twin(x.sum_axes(&(rank > 0).then_some(-1_isize).into_iter().collect::<Vec<_>>()[..]));
            x.cosine_embedding(y, target, d.number(), d.reduction())
        }
        20 => x.pairwise_distance(y, d.number(), d.number()),
        21 | 22 => {
            let (a, b) = (d.of_rank(2 + rank % 2), d.of_rank(2));
            if d.flag() { a.cdist(b, d.number()) } else { x.cdist(y, d.number()) }
        }
        23 => {
            let negative = d.twin(x);
            let (margin, p, eps) = (d.number(), d.number(), d.number());
            x.triplet_margin(y, negative, &TripletMargin { margin, p, eps, swap: d.flag(), reduction: d.reduction() })
        }
        24 => x.norm(d.number(), &d.axes(rank)[..]),
        25 => {
            let weight = d.of_rank(1);
            x.layer_norm(d.below(3), d.flag().then_some(weight), None, d.number())
        }
        _ => {
            let weight = d.of_rank(1);
            x.rms_norm(d.flag().then_some(weight), d.number())
        }
    }
}
