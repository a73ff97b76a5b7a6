//! Losses that are called with something that does not fit.

use super::row::{Found, Rows, fails, panics};
use super::{panic_of, zeros};
use autograd::{CrossEntropyOptions, GaussianNll, KlTarget, PoissonNll, Reduction, Tape, Tensor, TripletMargin};

const TAPES: [&str; 1] = ["different tapes"];
const MEAN: Reduction = Reduction::Mean;

pub(crate) fn rows(rows: &mut Rows) {
    of_classes(rows);
    of_numbers(rows);
    of_margins_and_distances(rows);
}

fn of_classes(rows: &mut Rows) {
    let (tape, other) = (Tape::new(), Tape::new());
    let (a, e, f) = (zeros(&tape, [2, 3]), zeros(&tape, [0, 3]), zeros(&other, [2, 3]));
    let (s, labels) = (tape.scalar(1.0), other.labels(&[0, 1]));
    let weighted = CrossEntropyOptions { class_weights: Some(Tensor::ones([3])), ..Default::default() };
    let short = CrossEntropyOptions { class_weights: Some(Tensor::ones([2])), ..Default::default() };
    let ignored = CrossEntropyOptions { ignore_index: Some(5), ..Default::default() };
    panics!(rows, "cross_entropy", ["label 3", "3 classes", "[2, 3] and [2]"], a.cross_entropy(&[0, 3]));
    panics!(rows, "cross_entropy", ["label 18446744073709551615"], a.cross_entropy(&[0, usize::MAX]));
    panics!(rows, "cross_entropy_with", ["label 3"], a.cross_entropy_with(&[0, 3], Reduction::Sum));
    fails!(rows, "try_cross_entropy", ["label 3"], a.try_cross_entropy(&[0, 3], MEAN));
    panics!(rows, "cross_entropy_opts", TAPES, a.cross_entropy_opts(&labels, &weighted));
    panics!(rows, "cross_entropy_opts", ["3 class weights", "[2]"], a.cross_entropy_opts(&[0, 1], &short));
    panics!(rows, "cross_entropy_opts", ["label 7"], a.cross_entropy_opts(&[0, 7], &ignored));
    panics!(rows, "nll", ["3 class weights", "[2]"], a.nll(&[0, 1], &short));
    panics!(rows, "nll", ["no counted examples"], a.nll(&[5, 5], &ignored));
    panics!(rows, "nll", ["no counted examples"], e.nll(&[] as &[usize; 0], &CrossEntropyOptions::default()));
    panics!(rows, "nll", TAPES, a.nll(&labels, &CrossEntropyOptions::default()));
    panics!(rows, "nll", TAPES, a.nll(&labels, &weighted));
    panics!(rows, "soft_cross_entropy", TAPES, a.soft_cross_entropy(f, MEAN));
    panics!(rows, "soft_cross_entropy", ["no elements", "[0, 3]"], e.soft_cross_entropy(e, MEAN));
    panics!(rows, "soft_cross_entropy", ["rank 0"], s.soft_cross_entropy(s, Reduction::Sum));
}

fn of_numbers(rows: &mut Rows) {
    let (tape, other) = (Tape::new(), Tape::new());
    let (a, b, e) = (zeros(&tape, [2, 3]), zeros(&tape, [2, 2]), zeros(&tape, [0, 3]));
    let f = zeros(&other, [2, 3]);
    panics!(rows, "mse", TAPES, a.mse(f, MEAN));
    panics!(rows, "mse", ["no elements"], e.mse(e, MEAN));
    panics!(rows, "l1", TAPES, a.l1(f, MEAN));
    panics!(rows, "l1", ["no elements"], e.l1(e, MEAN));
    panics!(rows, "huber", TAPES, a.huber(f, 1.0, MEAN));
    panics!(rows, "huber", ["no elements"], e.huber(e, 1.0, MEAN));
    panics!(rows, "bce_with_logits", TAPES, a.bce_with_logits(f, None, MEAN));
    panics!(rows, "bce_with_logits", ["no elements"], e.bce_with_logits(e, None, MEAN));
    panics!(rows, "kl_div", TAPES, a.kl_div(f, KlTarget::Probabilities, MEAN));
    panics!(rows, "kl_div", ["no elements"], e.kl_div(e, KlTarget::Probabilities, MEAN));
    panics!(rows, "bce", TAPES, a.bce(f, None, MEAN));
    panics!(rows, "bce", TAPES, a.bce(a, Some(f), MEAN));
    panics!(rows, "bce", ["prediction's shape [2, 3]", "not [2, 2]"], a.bce(b, None, MEAN));
    panics!(rows, "bce", ["the weight of shape [2, 2]", "to [2, 3]"], a.bce(a, Some(b), MEAN));
    panics!(rows, "bce", ["no elements"], e.bce(e, None, MEAN));
    panics!(rows, "bce", ["empty batch"], e.bce(e, None, Reduction::BatchMean));
    panics!(rows, "sigmoid_focal", TAPES, a.sigmoid_focal(f, None, 2.0, MEAN));
    panics!(rows, "sigmoid_focal", ["not [2, 2]"], a.sigmoid_focal(b, None, 2.0, MEAN));
    panics!(rows, "sigmoid_focal", ["alpha between 0 and 1", "not 1.5"], a.sigmoid_focal(a, Some(1.5), 2.0, MEAN));
    panics!(rows, "sigmoid_focal", ["alpha", "NaN"], a.sigmoid_focal(a, Some(f64::NAN), 2.0, MEAN));
    panics!(rows, "sigmoid_focal", ["gamma of at least 0", "not -1"], a.sigmoid_focal(a, None, -1.0, MEAN));
    panics!(rows, "sigmoid_focal", ["no elements"], e.sigmoid_focal(e, None, 2.0, MEAN));
    let (counts, normal) = (PoissonNll::default(), GaussianNll::default());
    panics!(rows, "poisson_nll", TAPES, a.poisson_nll(f, &counts));
    panics!(rows, "poisson_nll", ["not [2, 2]", "[2, 3] and [2, 2]"], a.poisson_nll(b, &counts));
    panics!(rows, "poisson_nll", ["eps", "not -1"], a.poisson_nll(a, &PoissonNll { eps: -1.0, ..counts }));
    panics!(rows, "poisson_nll", ["no elements"], e.poisson_nll(e, &counts));
    panics!(rows, "gaussian_nll", TAPES, a.gaussian_nll(f, a, &normal));
    panics!(rows, "gaussian_nll", TAPES, a.gaussian_nll(a, f, &normal));
    panics!(rows, "gaussian_nll", ["not [2, 2]"], a.gaussian_nll(b, a, &normal));
    panics!(rows, "gaussian_nll", ["the variance of shape [2, 2]", "to [2, 3]"], a.gaussian_nll(a, b, &normal));
    panics!(rows, "gaussian_nll", ["eps", "NaN"], a.gaussian_nll(a, a, &GaussianNll { eps: f64::NAN, ..normal }));
    panics!(rows, "gaussian_nll", ["no elements"], e.gaussian_nll(e, e, &normal));
}

fn of_margins_and_distances(rows: &mut Rows) {
    let (tape, other) = (Tape::new(), Tape::new());
    let (a, b, e) = (zeros(&tape, [2, 3]), zeros(&tape, [2, 2]), zeros(&tape, [0, 3]));
    let (s, v, f) = (tape.scalar(1.0), zeros(&tape, [2]), zeros(&other, [2, 3]));

    panics!(rows, "hinge", TAPES, a.hinge(f, MEAN));
    panics!(rows, "hinge", ["prediction's shape [2, 3]", "not [2, 2]"], a.hinge(b, MEAN));
    panics!(rows, "hinge", ["no elements", "[0, 3]"], e.hinge(e, MEAN));
    panics!(rows, "hinge_embedding", TAPES, a.hinge_embedding(f, 1.0, MEAN));
    panics!(rows, "hinge_embedding", ["not [2, 2]"], a.hinge_embedding(b, 1.0, MEAN));
    panics!(rows, "hinge_embedding", ["margin", "not inf"], a.hinge_embedding(a, f64::INFINITY, MEAN));
    panics!(rows, "hinge_embedding", ["no elements"], e.hinge_embedding(e, 1.0, MEAN));
    panics!(rows, "soft_margin", TAPES, a.soft_margin(f, MEAN));
    panics!(rows, "soft_margin", ["not [2, 2]"], a.soft_margin(b, MEAN));
    panics!(rows, "soft_margin", ["no elements"], e.soft_margin(e, MEAN));
    let weights = Tensor::ones([2]);
    let negative = Tensor::from([1.0, -2.0, 1.0]);
    panics!(rows, "multi_margin", TAPES, a.multi_margin(&other.labels(&[0, 1]), 1, 1.0, None, MEAN));
    panics!(rows, "multi_margin", ["label 3", "3 classes"], a.multi_margin(&[0, 3], 1, 1.0, None, MEAN));
    panics!(rows, "multi_margin", ["labels of shape [2]", "not [1]"], a.multi_margin(&[0], 1, 1.0, None, MEAN));
    panics!(rows, "multi_margin", ["power of 1 or 2", "not 3"], a.multi_margin(&[0, 1], 3, 1.0, None, MEAN));
    panics!(rows, "multi_margin", ["margin", "NaN"], a.multi_margin(&[0, 1], 1, f64::NAN, None, MEAN));
    panics!(rows, "multi_margin", ["3 class weights", "[2]"], a.multi_margin(&[0, 1], 1, 1.0, Some(&weights), MEAN));
    panics!(rows, "multi_margin", ["class 1 is -2"], a.multi_margin(&[0, 1], 1, 1.0, Some(&negative), MEAN));
    panics!(rows, "multi_margin", ["dimension of classes"], s.multi_margin(&[0], 1, 1.0, None, MEAN));
    panics!(rows, "multi_margin", ["no elements"], e.multi_margin(&[] as &[usize; 0], 1, 1.0, None, MEAN));
    panics!(rows, "margin_ranking", TAPES, a.margin_ranking(a, f, 1.0, MEAN));
    panics!(rows, "margin_ranking", TAPES, a.margin_ranking(f, a, 1.0, MEAN));
    panics!(rows, "margin_ranking", ["another score", "not [2, 2]"], a.margin_ranking(b, a, 1.0, MEAN));
    panics!(rows, "margin_ranking", ["a target", "not [2, 2]"], a.margin_ranking(a, b, 1.0, MEAN));
    panics!(rows, "margin_ranking", ["margin", "NaN"], a.margin_ranking(a, a, f64::NAN, MEAN));
    panics!(rows, "margin_ranking", ["no elements"], e.margin_ranking(e, e, 1.0, MEAN));

    panics!(rows, "cosine_similarity", TAPES, a.cosine_similarity(f, 1, 1e-8));
    panics!(rows, "cosine_similarity", ["broadcast", "[2, 3] and [2, 2]"], a.cosine_similarity(b, 1, 1e-8));
    panics!(rows, "cosine_similarity", ["axis 2", "rank 2"], a.cosine_similarity(a, 2, 1e-8));
    panics!(rows, "cosine_similarity", ["eps", "not -1"], a.cosine_similarity(a, 1, -1.0));
    panics!(rows, "pairwise_distance", TAPES, a.pairwise_distance(f, 2.0, 0.0));
    panics!(rows, "pairwise_distance", ["broadcast", "[2, 3] and [2, 2]"], a.pairwise_distance(b, 2.0, 0.0));
    panics!(rows, "pairwise_distance", ["vectors", "[] and []"], s.pairwise_distance(s, 2.0, 0.0));
    panics!(rows, "pairwise_distance", ["order", "not -1"], a.pairwise_distance(a, -1.0, 0.0));
    panics!(rows, "pairwise_distance", ["order", "NaN"], a.pairwise_distance(a, f64::NAN, 0.0));
    panics!(rows, "pairwise_distance", ["eps", "not -1"], a.pairwise_distance(a, 2.0, -1.0));
    panics!(rows, "cdist", TAPES, a.cdist(f, 2.0));
    panics!(rows, "cdist", ["one length", "[2, 3] and [2, 2]"], a.cdist(b, 2.0));
    panics!(rows, "cdist", ["[.., n, d]", "[2] and [2, 2]"], v.cdist(b, 2.0));
    panics!(rows, "cdist", ["order", "NaN"], a.cdist(a, f64::NAN));
    let far = zeros(&tape, [1 << 31, 0]);
    panics!(rows, "cdist", ["too large"], far.cdist(far, 2.0));
    let triplet = TripletMargin::default();
    panics!(rows, "triplet_margin", TAPES, a.triplet_margin(a, f, &triplet));
    panics!(rows, "triplet_margin", ["a positive", "not [2, 2]"], a.triplet_margin(b, a, &triplet));
    panics!(rows, "triplet_margin", ["a negative", "not [2, 2]"], a.triplet_margin(a, b, &triplet));
    let wrong = TripletMargin { margin: f64::NAN, ..triplet };
    panics!(rows, "triplet_margin", ["margin", "NaN"], a.triplet_margin(a, a, &wrong));
    panics!(rows, "triplet_margin", ["order", "-1"], a.triplet_margin(a, a, &TripletMargin { p: -1.0, ..triplet }));
    panics!(rows, "triplet_margin", ["eps", "-1"], a.triplet_margin(a, a, &TripletMargin { eps: -1.0, ..triplet }));
    panics!(rows, "triplet_margin", ["vectors"], s.triplet_margin(s, s, &triplet));
    panics!(rows, "triplet_margin", ["no elements"], e.triplet_margin(e, e, &triplet));
    panics!(rows, "cosine_embedding", TAPES, a.cosine_embedding(a, zeros(&other, [2]), 0.0, MEAN));
    panics!(rows, "cosine_embedding", ["another vector", "not [2, 2]"], a.cosine_embedding(b, v, 0.0, MEAN));
    panics!(rows, "cosine_embedding", ["targets [..]", "[2, 3] and [2, 2]"], a.cosine_embedding(a, b, 0.0, MEAN));
    panics!(rows, "cosine_embedding", ["targets [..]"], s.cosine_embedding(s, s, 0.0, MEAN));
    panics!(rows, "cosine_embedding", ["margin", "inf"], a.cosine_embedding(a, v, f64::INFINITY, MEAN));
    panics!(rows, "cosine_embedding", ["no elements"], e.cosine_embedding(e, zeros(&tape, [0]), 0.0, MEAN));
}
