//! Metrics of scores of one class against the rest: how well they rank.

use super::rows::{Weighted, Weights, same_length};
use autograd::{Float, Tensor};

/// What a threshold finds: rows whose score is at least the threshold are taken for positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CurvePoint {
    /// The threshold, one of the scores.
    pub threshold: f64,
    /// The weight of positive rows that are found.
    pub true_positives: f64,
    /// The weight of other rows that are taken for positive.
    pub false_positives: f64,
}

/// A point for each score that occurs, from the largest on; equal scores are one point. With the numbers of positive and other rows,
/// which the last point holds, it is the ROC curve (rates of true and false positives) and that of precision and recall. Empty where
/// a score is NaN.
///
/// ```
/// use nn::measure::curve;
/// let points = curve(&[0.1, 0.4, 0.4, 0.8], &[false, true, false, true]);
/// let found: Vec<_> = points.iter().map(|p| (p.threshold, p.true_positives, p.false_positives)).collect();
/// assert_eq!(found, [(0.8, 1.0, 0.0), (0.4, 2.0, 1.0), (0.1, 2.0, 2.0)]);
/// ```
///
/// # Panics
/// Where there are not as many scores as rows.
#[track_caller]
pub fn curve<T: Float>(scores: &[T], positive: &[bool]) -> Vec<CurvePoint> {
    points("curve", Weights::NONE, scores, positive)
}

#[track_caller]
pub(super) fn points<T: Float>(
    function: &str,
    weights: Weights<'_>,
    scores: &[T],
    positive: &[bool],
) -> Vec<CurvePoint> {
    same_length(function, [("scores", scores.len()), ("rows", positive.len())]);
    if scores.iter().any(|score| score.is_nan()) {
        return Vec::new();
    }
    // An addition of 0 makes one zero of both.
    let score = |row: usize| scores[row].to_f64() + 0.0;
    let mut order: Vec<usize> = (0..scores.len()).filter(|&row| weights.of(row) > 0.0).collect();
    order.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
    let mut points: Vec<CurvePoint> = Vec::new();
    let (mut true_positives, mut false_positives) = (0.0, 0.0);
    for row in order {
        *if positive[row] { &mut true_positives } else { &mut false_positives } += weights.of(row);
        if points.last().is_some_and(|point| point.threshold == score(row)) {
            points.pop();
        }
        points.push(CurvePoint { threshold: score(row), true_positives, false_positives });
    }
    points
}

/// The area under the ROC curve: how probably a positive row has a larger score than another one, equal scores counted as half. NaN
/// where rows of one kind are missing, or a score is NaN.
///
/// ```
/// use nn::measure::roc_auc;
/// assert_eq!(roc_auc(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]), 0.75);
/// assert_eq!(roc_auc(&[0.5, 0.5], &[false, true]), 0.5);
/// ```
///
/// # Panics
/// Where there are not as many scores as rows.
#[track_caller]
pub fn roc_auc<T: Float>(scores: &[T], positive: &[bool]) -> f64 {
    area(&points("roc_auc", Weights::NONE, scores, positive))
}

fn area(points: &[CurvePoint]) -> f64 {
    let Some(&CurvePoint { true_positives, false_positives, .. }) = points.last() else { return f64::NAN };
    let (mut sum, mut last) = (0.0, (0.0, 0.0));
    for point in points {
        sum += (point.false_positives - last.1) * (point.true_positives + last.0) / 2.0;
        last = (point.true_positives, point.false_positives);
    }
    sum / (true_positives * false_positives)
}

/// The area under the curve of precision over recall, as a sum of steps: `Σ (Rₙ − Rₙ₋₁) Pₙ` over thresholds, scikit-learn's
/// `average_precision_score` (straight lines between the points would be too good). 0 where no row is positive; NaN where there is no
/// row, or a score is NaN.
///
/// ```
/// use nn::measure::average_precision;
/// let ap = average_precision(&[0.1, 0.4, 0.35, 0.8], &[false, false, true, true]);
/// assert!((ap - 5.0 / 6.0).abs() < 1e-15);
/// ```
///
/// # Panics
/// Where there are not as many scores as rows.
#[track_caller]
pub fn average_precision<T: Float>(scores: &[T], positive: &[bool]) -> f64 {
    steps(&points("average_precision", Weights::NONE, scores, positive))
}

fn steps(points: &[CurvePoint]) -> f64 {
    let Some(all) = points.last().map(|point| point.true_positives) else { return f64::NAN };
    if all == 0.0 {
        return 0.0;
    }
    let (mut sum, mut last) = (0.0, 0.0);
    for point in points {
        let precision = point.true_positives / (point.true_positives + point.false_positives);
        sum += (point.true_positives - last) * precision;
        last = point.true_positives;
    }
    sum / all
}

impl Weighted<'_> {
    /// [`roc_auc`] with a weight of each row.
    ///
    /// # Panics
    /// As [`roc_auc`], and where the weights are no weights, or not as many.
    #[track_caller]
    pub fn roc_auc<T: Float>(self, scores: &[T], positive: &[bool]) -> f64 {
        area(&points("roc_auc", Weights::given("roc_auc", self, positive.len()), scores, positive))
    }

    /// [`average_precision`] with a weight of each row.
    ///
    /// # Panics
    /// As [`average_precision`], and where the weights are no weights, or not as many.
    #[track_caller]
    pub fn average_precision<T: Float>(self, scores: &[T], positive: &[bool]) -> f64 {
        let weights = Weights::given("average_precision", self, positive.len());
        steps(&points("average_precision", weights, scores, positive))
    }
}

/// A metric of each class against all others, of probabilities or scores `[n, k]`: `one_vs_rest(&p, &labels, roc_auc)`. Their mean is
/// scikit-learn's `multi_class="ovr"` with `average="macro"`.
///
/// ```
/// use autograd::Tensor;
/// use nn::measure::{one_vs_rest, roc_auc};
/// let p = Tensor::from_rows([[0.8, 0.1, 0.1], [0.3, 0.4, 0.3], [0.4, 0.5, 0.1], [0.2, 0.2, 0.6]]);
/// assert_eq!(one_vs_rest(&p, &[0, 1, 0, 2], roc_auc), [1.0, 2.0 / 3.0, 1.0]);
/// ```
///
/// # Panics
/// Where the scores are not a matrix with one row for each label, or a label names no column.
#[track_caller]
pub fn one_vs_rest<T: Float>(
    scores: &Tensor<T>,
    labels: &[usize],
    mut metric: impl FnMut(&[T], &[bool]) -> f64,
) -> Vec<f64> {
    let k = super::rows::columns("one_vs_rest", "scores", scores, labels);
    let mut metrics = Vec::with_capacity(k);
    for class in 0..k {
        let column: Vec<T> = scores.as_slice().iter().skip(class).step_by(k).copied().collect();
        let positive: Vec<bool> = labels.iter().map(|&label| label == class).collect();
        metrics.push(metric(&column, &positive));
    }
    metrics
}
