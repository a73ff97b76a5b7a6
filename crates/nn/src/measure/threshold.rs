//! From which score on a row is taken for positive.

use super::ranking::{CurvePoint, points};
use super::rows::Weights;
use autograd::Float;

/// What a threshold is to make best.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ThresholdGoal {
    /// The share of rows that are right.
    Accuracy,
    /// The harmonic mean of precision and recall.
    F1,
    /// The rate of true positives less that of false ones (Youden, 1950); with it, the balanced accuracy.
    Youden,
    /// The least cost, of a false positive and of a false negative.
    Cost {
        /// What a false positive costs.
        false_positive: f64,
        /// What a false negative costs.
        false_negative: f64,
    },
    /// The largest recall at a precision of at least this.
    RecallAtPrecision(f64),
    /// The largest precision at a recall of at least this.
    PrecisionAtRecall(f64),
}

/// A threshold that was chosen: rows with this score or more are taken for positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Threshold {
    /// Half-way between two scores that occur; infinite where nothing, or all, is best taken for positive.
    pub threshold: f64,
    /// What was made best, on the rows that it was chosen on; a cost is the mean of a row.
    pub value: f64,
    /// The share of positive rows that are found.
    pub recall: f64,
    /// The share of found rows that are positive; 0 where none is found.
    pub precision: f64,
}

/// The threshold that is best for a goal on these rows, which should have been held out; of equal ones the largest. `None` where a
/// score is NaN, rows of one kind are missing, or no threshold reaches the goal's bound.
///
/// ```
/// use nn::measure::{ThresholdGoal, choose_threshold};
/// let (scores, positive) = ([0.1, 0.3, 0.4, 0.8], [false, true, false, true]);
/// let chosen = choose_threshold(&scores, &positive, ThresholdGoal::F1).unwrap();
/// assert_eq!((chosen.threshold, chosen.value), (0.2, 0.8));
/// let costly = ThresholdGoal::Cost { false_positive: 10.0, false_negative: 1.0 };
/// assert_eq!(choose_threshold(&scores, &positive, costly).unwrap().threshold, 0.6000000000000001);
/// ```
///
/// # Panics
/// Where there are not as many scores as rows.
#[track_caller]
pub fn choose_threshold<T: Float>(scores: &[T], positive: &[bool], goal: ThresholdGoal) -> Option<Threshold> {
    let points = points("choose_threshold", Weights::NONE, scores, positive);
    let all = *points.last()?;
    if all.true_positives == 0.0 || all.false_positives == 0.0 {
        return None;
    }
    let none = CurvePoint { threshold: f64::INFINITY, true_positives: 0.0, false_positives: 0.0 };
    let candidates = || std::iter::once(&none).chain(&points);
    let mut best: Option<(f64, Threshold)> = None;
    for (place, point) in candidates().enumerate() {
        let Some((merit, value)) = merit(goal, point, &all) else { continue };
        if best.is_none_or(|(most, _)| merit > most) {
            let next = candidates().nth(place + 1).map_or(f64::NEG_INFINITY, |next| next.threshold);
            // Between infinity and a number there is no middle: infinity says what is meant.
            let threshold = if place == 0 { f64::INFINITY } else { f64::midpoint(point.threshold, next) };
            let (recall, precision) = (recall(point, &all), precision(point));
            best = Some((merit, Threshold { threshold, value, recall, precision }));
        }
    }
    best.map(|(_, threshold)| threshold)
}

fn recall(point: &CurvePoint, all: &CurvePoint) -> f64 {
    point.true_positives / all.true_positives
}

fn precision(point: &CurvePoint) -> f64 {
    let found = point.true_positives + point.false_positives;
    if found > 0.0 { point.true_positives / found } else { 0.0 }
}

/// How good a point is, more being better, and the goal's own number; nothing where it does not reach the goal's bound.
fn merit(goal: ThresholdGoal, point: &CurvePoint, all: &CurvePoint) -> Option<(f64, f64)> {
    let (found, wrong) = (point.true_positives, point.false_positives);
    let rows = all.true_positives + all.false_positives;
    let missed = all.true_positives - found;
    let value = match goal {
        ThresholdGoal::Accuracy => (rows - missed - wrong) / rows,
        ThresholdGoal::F1 => 2.0 * found / (2.0 * found + wrong + missed),
        ThresholdGoal::Youden => recall(point, all) - wrong / all.false_positives,
        ThresholdGoal::Cost { false_positive, false_negative } => {
            let cost = (wrong * false_positive + missed * false_negative) / rows;
            return Some((-cost, cost));
        }
        ThresholdGoal::RecallAtPrecision(bound) => (precision(point) >= bound).then(|| recall(point, all))?,
        ThresholdGoal::PrecisionAtRecall(bound) => (recall(point, all) >= bound).then(|| precision(point))?,
    };
    Some((value, value))
}
