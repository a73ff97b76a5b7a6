//! Metrics are those of scikit-learn (1.9.1, on the same made-up rows), and refuse what they cannot measure.

use crate::rows::{Rows, panics};
use approx::assert_relative_eq;
use autograd::Tensor;
use nn::generator;
use nn::measure::{
    Average, Bootstrap, Confusion, Reliability, Temperature, ThresholdGoal, Weighted, average_precision, bootstrap,
    brier, by_column, choose_threshold, curve, explained_variance, log_loss, mae, mse, one_vs_rest, pinball, quantile,
    r2, rmse, roc_auc, softmax, spread, top_k, wilson,
};
use nn::{accuracy, classes};
use rand::RngExt;

const N: usize = 40;

/// Numbers below a bound of a small generator, which Python has computed too.
fn made(n: usize, seed: u64, below: u64) -> Vec<usize> {
    let step = |x: &mut u64| {
        *x = (*x * 1_103_515_245 + 12_345) % (1 << 31);
        Some(((*x >> 16) % below) as usize)
    };
    std::iter::repeat(()).scan(seed, |x, ()| step(x)).take(n).collect()
}

fn weights() -> Vec<f64> {
    let mut weights: Vec<f64> = made(N, 4, 5).iter().map(|&w| w as f64 / 2.0).collect();
    weights[0] = 1.0;
    weights
}

fn labels() -> Vec<usize> {
    made(N, 1, 4)
}

fn probabilities() -> Tensor {
    let raw: Vec<f64> = made(4 * N, 9, 12).iter().map(|&x| x as f64 + 1.0).collect();
    Tensor::from_fn([N, 4], |i| raw[i] / raw[i / 4 * 4..][..4].iter().sum::<f64>())
}

fn ranked() -> (Vec<f64>, Vec<bool>) {
    let positive: Vec<bool> = made(N, 7, 3).iter().map(|&x| x == 0).collect();
    let scores = made(N, 8, 10).iter().zip(&positive).map(|(&x, &p)| x as f64 / 10.0 + 0.3 * f64::from(p)).collect();
    (scores, positive)
}

fn near(found: f64, expected: f64) {
    assert_relative_eq!(found, expected, max_relative = 1e-13, epsilon = 1e-15);
}

fn all_near(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).for_each(|(found, expected)| near(*found, *expected));
}

#[test]
fn metrics_of_values_are_those_of_scikit_learn() {
    let truth: Vec<f64> = made(N, 5, 50).iter().map(|&x| x as f64 / 4.0 - 3.0).collect();
    let guess: Vec<f64> = truth.iter().zip(made(N, 6, 9)).map(|(y, e)| y + e as f64 / 2.0 - 1.5).collect();
    let (p, t, weights) = (&guess[..], &truth[..], weights());
    let weighted = Weighted(&weights);
    all_near(&[mse(p, t), weighted.mse(p, t)], &[2.0, 1.9329268292682926]);
    all_near(&[mae(p, t), weighted.mae(p, t)], &[1.2, 1.1585365853658536]);
    all_near(&[rmse(p, t), weighted.rmse(p, t)], &[2_f64.sqrt(), 1.390297388787123]);
    all_near(&[r2(p, t), weighted.r2(p, t)], &[0.8345055854364916, 0.8508262046950378]);
    let shares = [explained_variance(p, t), weighted.explained_variance(p, t)];
    all_near(&shares, &[0.8531754240794373, 0.8598246085974068]);
    all_near(&[pinball(p, t, 0.2), weighted.pinball(p, t, 0.2)], &[0.7425, 0.6817073170731707]);
    for (share, expected) in [(0.0, -3.0), (0.1, -1.525), (0.37, 1.5), (0.5, 2.25), (1.0, 9.0)] {
        near(quantile(t, share), expected);
    }
}

#[test]
fn where_nothing_varies_the_share_is_that_of_scikit_learn() {
    let two = [2.0, 2.0, 2.0];
    assert_eq!((r2(&two, &two), r2(&[1.0, 2.0, 3.0], &two), explained_variance(&[3.0; 3], &two)), (1.0, 0.0, 1.0));
    assert!(r2(&[1.0], &[1.0]).is_nan() && mse::<f64>(&[], &[]).is_nan() && r2(&[f64::NAN; 3], &two).is_nan());
}

#[test]
fn what_is_counted_of_classes_is_that_of_scikit_learn() {
    let (truth, other, wrong) = (labels(), made(N, 3, 4), made(N, 2, 3));
    let guess: Vec<usize> = (0..N).map(|i| if wrong[i] == 0 { other[i] } else { truth[i] }).collect();
    let plain = Confusion::of(4, &guess, &truth);
    assert_eq!(plain.to_string(), " 5  0  0  1\n 1  8  0  0\n 0  2 10  0\n 1  0  1 11\n");
    all_near(&plain.precision(), &[0.7142857142857143, 0.8, 0.9090909090909091, 0.9166666666666666]);
    all_near(&plain.recall(), &[0.8333333333333334, 0.8888888888888888, 0.8333333333333334, 0.8461538461538461]);
    all_near(&plain.f1(), &[0.7692307692307693, 0.8421052631578947, 0.8695652173913043, 0.88]);
    all_near(&plain.f_beta(2.0), &[0.8064516129032258, 0.8695652173913043, 0.847457627118644, 0.859375]);
    near(plain.average(&plain.precision(), Average::Macro), 0.8350108225108225);
    near(plain.average(&plain.recall(), Average::Macro), 0.8504273504273505);
    near(plain.average(&plain.f1(), Average::Macro), 0.840225312444992);
    near(plain.average(&plain.precision(), Average::Weighted), 0.8577867965367965);
    near(plain.average(&plain.f1(), Average::Weighted), 0.851727864812533);
    near(plain.accuracy(), 0.85);
    near(plain.balanced_accuracy(), 0.8504273504273505);

    let weighted = Confusion::weighted(Weighted(&weights()), 4, &guess, &truth);
    assert_eq!(weighted.counts[2], [0.0, 3.5, 10.5, 0.0]);
    near(weighted.average(&weighted.precision(), Average::Macro), 0.8321548821548822);
    near(weighted.average(&weighted.recall(), Average::Weighted), 0.8292682926829268);
    near(weighted.average(&weighted.f1(), Average::Weighted), 0.8297274031563844);
}

#[test]
fn a_class_that_is_never_predicted_has_precision_0_and_one_that_never_occurs_does_not_count() {
    let confusion = Confusion::of(4, &[0, 0, 0], &[0, 1, 1]);
    near(confusion.average(&confusion.precision(), Average::Macro), 0.5 / 3.0);
    near(confusion.average(&confusion.recall(), Average::Macro), 0.5);
    near(confusion.average(&confusion.f1(), Average::Macro), 0.25);
    near(confusion.average(&confusion.f1(), Average::Weighted), 0.5 / 3.0);
    assert!(Confusion::of(2, &[], &[]).accuracy().is_nan());
}

#[test]
fn areas_are_those_of_scikit_learn_where_scores_tie_too() {
    let ((scores, positive), weights) = (ranked(), weights());
    let (scores, positive, weighted) = (&scores[..], &positive[..], Weighted(&weights));
    all_near(&[roc_auc(scores, positive), weighted.roc_auc(scores, positive)], &[0.62109375, 0.6268939393939394]);
    all_near(
        &[average_precision(scores, positive), weighted.average_precision(scores, positive)],
        &[0.4352547211242863, 0.36167883180478333],
    );
    let (p, labels) = (probabilities(), labels());
    let areas = one_vs_rest(&p, &labels, roc_auc);
    all_near(&areas, &[0.7254901960784315, 0.7060931899641577, 0.44494047619047616, 0.46723646723646733]);
    near(areas.iter().sum::<f64>() / 4.0, 0.5859400823673833);
    let precisions = one_vs_rest(&p, &labels, average_precision);
    all_near(&precisions, &[0.47208216619981325, 0.42540945318515516, 0.29829340823291217, 0.4136263809057927]);
    // Rows of one kind have no area, and a net that has failed has none.
    assert!(roc_auc(&[0.1, 0.2], &[true, true]).is_nan() && average_precision(&[0.1, 0.2], &[false, false]) == 0.0);
    assert!(roc_auc(&[f64::NAN, 0.2], &[false, true]).is_nan());
    assert_eq!(roc_auc(&[0.0, -0.0], &[false, true]), 0.5);
}

#[test]
fn metrics_of_probabilities_are_those_of_scikit_learn() {
    let (p, labels, weights) = (probabilities(), labels(), weights());
    all_near(
        &[log_loss(&p, &labels), Weighted(&weights).log_loss(&p, &labels)],
        &[1.449034462955293, 1.3868865508668764],
    );
    all_near(&[brier(&p, &labels), Weighted(&weights).brier(&p, &labels)], &[0.7550409555132027, 0.7144415887943041]);
    near(log_loss(&Tensor::from_rows([[1.0, 0.0], [1.0, 0.0]]), &[0, 1]), 18.021826694558577);
    let narrow = log_loss(&Tensor::<f32>::from_rows([[1.0, 0.0], [1.0, 0.0]]), &[0, 1]);
    assert_relative_eq!(narrow, 7.971192359924316, max_relative = 1e-6);
    all_near(&[top_k(&p, &labels, 2), accuracy(&p, &labels)], &[0.55, 0.275]);
    assert_eq!(top_k(&Tensor::full([2, 3], f64::NAN), &[0, 1], 3), 0.0);
    assert!(log_loss(&Tensor::from_rows([[f64::NAN, 1.0]]), &[1]).is_nan());

    let (scores, positive) = ranked();
    let clipped: Vec<f64> = scores.iter().map(|s| s.min(1.0)).collect();
    near(
        brier(
            &Tensor::from_fn([N, 2], |i| if i % 2 == 1 { clipped[i / 2] } else { 1.0 - clipped[i / 2] }),
            &positive.iter().map(|&p| usize::from(p)).collect::<Vec<_>>(),
        ),
        0.28325,
    );
    let bins = Reliability::of(&clipped, &positive, 5).bins;
    let frequencies: Vec<f64> = bins.iter().map(|bin| bin.frequency).collect();
    all_near(&frequencies, &[0.0, 0.3, 2.0 / 11.0, 1.0 / 7.0, 0.4]);
    near(bins[1].probability, 0.37);
}

#[test]
fn wilsons_interval_is_that_of_scipy() {
    for (right, rows, level, low, high) in [
        (9, 10, 0.95, 0.5958499732047615, 0.9821237869049271),
        (0, 5, 0.9, 0.0, 0.35111650076510126),
        (150, 150, 0.99, 0.9576410062827728, 1.0),
        (37, 80, 0.95, 0.3574799356278525, 0.5709564240873121),
    ] {
        let interval = wilson(right, rows, level);
        assert_relative_eq!(interval.low, low, max_relative = 1e-12, epsilon = 1e-15);
        assert_relative_eq!(interval.high, high, max_relative = 1e-12);
    }
}

#[test]
fn a_bootstrap_interval_holds_the_mean_as_often_as_it_says() {
    let mut rng = generator(3);
    let options = Bootstrap { resamples: 200, level: 0.9, seed: 0 };
    let held = (0..200).filter(|_| {
        let values: Vec<f64> = (0..30).map(|_| rng.random::<f64>()).collect();
        let mean = |rows: &[usize]| rows.iter().map(|&row| values[row]).sum::<f64>() / rows.len() as f64;
        let interval = bootstrap(values.len(), &options, mean);
        interval.low <= 0.5 && 0.5 <= interval.high
    });
    // 180 are expected, with a spread of 4; such intervals of few rows are somewhat short.
    assert!((160..=194).contains(&held.count()));
    let first = |seed| bootstrap(N, &Bootstrap { seed, ..options }, |rows| rows[0] as f64);
    assert_eq!(first(1), first(1));
    assert_ne!(first(1), first(2));
    let nothing = bootstrap(3, &options, |_| f64::NAN);
    assert!(nothing.low.is_nan() && nothing.high.is_nan());
}

/// A goal, its score at a threshold, and the threshold that is best.
type Goal<'a> = (ThresholdGoal, &'a dyn Fn(f64) -> f64, f64);

#[test]
fn a_chosen_threshold_is_the_best_of_all() {
    let (scores, positive) = ranked();
    let positives = positive.iter().filter(|&&p| p).count();
    let counts = |threshold: f64| {
        let found = |wanted: bool| (0..N).filter(|&i| positive[i] == wanted && scores[i] >= threshold).count() as f64;
        (found(true), found(false), positives as f64, (N - positives) as f64)
    };
    let grid: Vec<f64> = (-1..=150).map(|i| f64::from(i) / 100.0 + 0.005).collect();
    let f1 = |t: f64| {
        let (found, wrong, p, _) = counts(t);
        2.0 * found / (found + wrong + p)
    };
    let youden = |t: f64| {
        let (found, wrong, p, n) = counts(t);
        found / p - wrong / n
    };
    let cost = |t: f64| {
        let (found, wrong, p, _) = counts(t);
        -(wrong + 3.0 * (p - found)) / N as f64
    };
    let costs = ThresholdGoal::Cost { false_positive: 1.0, false_negative: 3.0 };
    let goals: [Goal<'_>; 3] =
        [(ThresholdGoal::F1, &f1, 1.0), (ThresholdGoal::Youden, &youden, 1.0), (costs, &cost, -1.0)];
    for (goal, value, sign) in goals {
        let chosen = choose_threshold(&scores, &positive, goal).unwrap();
        let best = grid.iter().map(|&t| value(t)).fold(f64::NEG_INFINITY, f64::max);
        near(sign * chosen.value, best);
        near(value(chosen.threshold), best);
        let (found, wrong, p, _) = counts(chosen.threshold);
        all_near(&[chosen.recall, chosen.precision], &[found / p, found / (found + wrong)]);
    }
    let sure = choose_threshold(&scores, &positive, ThresholdGoal::RecallAtPrecision(0.5)).unwrap();
    assert!(sure.precision >= 0.5);
    assert!(choose_threshold(&scores, &positive, ThresholdGoal::RecallAtPrecision(1.01)).is_none());
    assert!(choose_threshold(&scores, &[true; N], ThresholdGoal::F1).is_none());
}

#[test]
fn a_temperature_makes_probabilities_as_frequent_as_they_say() {
    // Scores from a known softmax, made three times as sure.
    let mut rng = generator(1);
    let scores = Tensor::from_fn([600, 3], |_| 4.0 * rng.random::<f64>() - 2.0);
    let p = softmax(&scores);
    let draw = |p: &[f64], u: f64| if u < p[0] { 0 } else { usize::from(u >= p[0] + p[1]) + 1 };
    let labels: Vec<usize> = p.as_slice().chunks(3).map(|p| draw(p, rng.random())).collect();
    let sure = scores.map(|x| 3.0 * x);
    let temperature = Temperature::fit(&sure, &labels);
    assert!((2.5..3.6).contains(&temperature.0), "{temperature:?}");
    let (before, after) = (softmax(&sure), softmax(&temperature.apply(&sure)));
    let error = |p: &Tensor| Reliability::of_classes(p, &labels, 10).expected_error();
    assert!(error(&after) < 0.5 * error(&before));
    for other in [temperature.0 * 0.99, temperature.0 * 1.01] {
        assert!(log_loss(&softmax(&Temperature(other).apply(&sure)), &labels) > log_loss(&after, &labels));
    }
    // Where all is right, colder is better without end; where nothing is told, hotter.
    let right = Temperature::fit(&Tensor::from_rows([[1.0, 0.0], [0.0, 1.0]]), &[0, 1]);
    assert_relative_eq!(right.0, 1e-3, max_relative = 1e-9);
}

#[test]
fn what_cannot_be_measured_is_named_at_the_callers_line() {
    let (two, three) = ([1.0, 2.0], [1.0, 2.0, 3.0]);
    let (p, flat) = (Tensor::from_rows([[0.5, 0.5], [0.1, 0.9]]), Tensor::<f64>::zeros([3]));
    let (yes, some) = ([true, false], Weighted(&[1.0, -1.0]));
    let plain = Bootstrap::default();
    let mut rows = Rows::default();
    panics!(rows, "classes", ["[n, k] with k > 0", "[3]"], classes(&flat));
    panics!(rows, "accuracy", ["label 2 of row 1", "2 classes"], accuracy(&p, &[0, 2]));
    panics!(rows, "accuracy", ["row 1 has -1"], some.accuracy(&p, &[0, 1]));
    panics!(rows, "top_k", ["2 rows of scores and 1 labels"], top_k(&p, &[0], 1));
    panics!(rows, "top_k", ["1 best or more", "not 0"], top_k(&p, &[0, 1], 0));
    panics!(rows, "mse", ["2 predictions and 3 true values"], mse(&two, &three));
    panics!(rows, "mse", ["2 rows and 1 weights"], Weighted(&[1.0]).mse(&two, &two));
    panics!(rows, "mae", ["3 predictions and 2 true values"], mae(&three, &two));
    panics!(rows, "rmse", ["2 predictions and 3 true values"], rmse(&two, &three));
    panics!(rows, "r2", ["all 2 are 0"], Weighted(&[0.0, 0.0]).r2(&two, &two));
    panics!(rows, "explained_variance", ["2 predictions and 3 true values"], explained_variance(&two, &three));
    panics!(rows, "pinball", ["between 0 and 1", "not 1.5"], pinball(&two, &two, 1.5));
    panics!(rows, "by_column", ["one shape", "[2, 2] and [3]"], by_column(&p, &flat, mse));
    panics!(rows, "Confusion::of", ["the prediction 2 of row 0", "2 classes"], Confusion::of(2, &[2], &[0]));
    panics!(rows, "Confusion::weighted", ["row 1 has -1"], Confusion::weighted(some, 2, &[0, 1], &[0, 1]));
    panics!(rows, "average", ["1 numbers and 2 classes"], Confusion::of(2, &[], &[]).average(&[1.0], Average::Macro));
    panics!(rows, "f_beta", ["0 or more", "NaN"], Confusion::of(2, &[], &[]).f_beta(f64::NAN));
    panics!(rows, "curve", ["3 scores and 2 rows"], curve(&three, &yes));
    panics!(rows, "roc_auc", ["3 scores and 2 rows"], roc_auc(&three, &yes));
    panics!(rows, "average_precision", ["3 scores and 2 rows"], average_precision(&three, &yes));
    panics!(rows, "one_vs_rest", ["2 rows of scores and 0 labels"], one_vs_rest(&p, &[], roc_auc));
    panics!(rows, "choose_threshold", ["3 scores and 2 rows"], choose_threshold(&three, &yes, ThresholdGoal::F1));
    panics!(rows, "softmax", ["[n, k] with k > 0", "[3]"], softmax(&flat));
    panics!(rows, "log_loss", ["probabilities [n, k]", "[3]"], log_loss(&flat, &[0, 0, 0]));
    panics!(rows, "brier", ["label 5 of row 0"], brier(&p, &[5, 0]));
    panics!(rows, "Reliability::of", ["row 1 has 2"], Reliability::of(&two, &yes, 5));
    panics!(rows, "Reliability::of", ["1 bin or more"], Reliability::of(&[0.5], &[true], 0));
    panics!(rows, "Reliability::of_classes", ["2 rows", "3 labels"], Reliability::of_classes(&p, &[0, 0, 0], 5));
    panics!(rows, "Temperature::fit", ["1 row or more"], Temperature::fit(&Tensor::<f64>::zeros([0, 2]), &[]));
    panics!(rows, "Temperature::fit", ["row 0 has NaN"], Temperature::fit(&Tensor::full([1, 2], f64::NAN), &[0]));
    panics!(rows, "bootstrap", ["1 row or more"], bootstrap(0, &plain, |_| 0.0));
    panics!(rows, "bootstrap", ["level", "not 1"], bootstrap(1, &Bootstrap { level: 1.0, ..plain }, |_| 0.0));
    panics!(rows, "bootstrap", ["resample", "not 0"], bootstrap(1, &Bootstrap { resamples: 0, ..plain }, |_| 0.0));
    panics!(rows, "quantile", ["between 0 and 1", "not -1"], quantile(&two, -1.0));
    panics!(rows, "spread", ["level between 0 and 1", "not 1"], spread(&two, 1.0));
    panics!(rows, "wilson", ["3 of 2 rows"], wilson(3, 2, 0.9));
    rows.hold_all(&["measure"], NO_ROW);
}

/// Functions that no caller can give anything wrong.
const NO_ROW: &[&str] = &[
    "", // what a macro writes: each has a row above
    "support",
    "predicted",
    "precision",
    "recall",
    "f1",
    "balanced_accuracy",
    "expected_error",
    "largest_error",
    "apply",
];
