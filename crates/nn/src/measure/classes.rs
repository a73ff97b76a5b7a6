//! Metrics of scores of classes: which is the largest.

use super::rows::{Weighted, Weights, columns};
use autograd::{Float, Tensor};

/// The class of each row of scores `[n, k]`: the place of its largest score, as [`autograd::Var::argmax`] has it: the
/// first of equal ones, and a NaN before all, so that a network that has failed is not seen as one that has learnt.
///
/// ```
/// use autograd::Tensor;
/// let scores = Tensor::from_rows([[0.1, 0.7, 0.2], [5.0, 5.0, 1.0]]);
/// assert_eq!(nn::classes(&scores), [1, 0]);
/// ```
///
/// # Panics
/// Where the scores are not a matrix with at least one column.
#[track_caller]
pub fn classes<T: Float>(scores: &Tensor<T>) -> Vec<usize> {
    let shape = scores.shape();
    assert!(shape.rank() == 2 && shape[1] > 0, "classes: scores [n, k] with k > 0 are needed, the shape is {shape}");
    scores.as_slice().chunks(shape[1]).map(largest).collect()
}

/// The place of the largest of a row.
pub(crate) fn largest<T: Float>(row: &[T]) -> usize {
    let better = |i: usize, best: usize| !row[best].is_nan() && (row[i].is_nan() || row[i] > row[best]);
    (1..row.len()).fold(0, |best, i| if better(i, best) { i } else { best })
}

/// Whether each row's largest score is the label's own. A row with a NaN is not right, whatever its label.
fn right<'a, T: Float>(k: usize, scores: &'a Tensor<T>, labels: &'a [usize]) -> impl Fn(usize) -> f64 + 'a {
    among(k, scores, labels, 1)
}

/// Whether each row's label is among so many largest scores.
fn among<'a, T: Float>(
    k: usize,
    scores: &'a Tensor<T>,
    labels: &'a [usize],
    best: usize,
) -> impl Fn(usize) -> f64 + 'a {
    move |row| {
        let (scores, label) = (&scores.as_slice()[row * k..][..k], labels[row]);
        let own = scores[label];
        let before = |(place, score): (usize, &T)| *score > own || (*score == own && place < label);
        let ahead = scores.iter().enumerate().filter(|&(place, score)| before((place, score))).count();
        f64::from(ahead < best && !scores.iter().any(|score| score.is_nan()))
    }
}

/// The share of rows of scores `[n, k]` whose class ([`classes`]) is the label, from 0 to 1; NaN where there are no
/// rows. A row with a NaN among its scores counts as wrong.
///
/// ```
/// use autograd::Tensor;
/// let scores = Tensor::from_rows([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0], [0.5, 0.1]]);
/// assert_eq!(nn::accuracy(&scores, &[0, 1, 1, 0]), 0.75);
/// assert_eq!(nn::accuracy(&Tensor::full([2, 2], f64::NAN), &[0, 0]), 0.0);
/// ```
///
/// # Panics
/// Where the scores are not a matrix with one row for each label, or a label names no column.
#[track_caller]
pub fn accuracy<T: Float>(scores: &Tensor<T>, labels: &[usize]) -> f64 {
    let k = columns("accuracy", "scores", scores, labels);
    Weights::NONE.mean(labels.len(), right(k, scores, labels))
}

/// The share of rows of scores `[n, k]` whose label is among the `best` largest, from 0 to 1; NaN where there are no rows. A
/// score that is as large as the label's own counts as larger where it comes first, and a row with a NaN counts as wrong.
///
/// ```
/// use autograd::Tensor;
/// let scores = Tensor::from_rows([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]]);
/// assert_eq!(nn::measure::top_k(&scores, &[1, 0], 2), 0.5);
/// ```
///
/// # Panics
/// As [`accuracy`], and where `best` is 0.
#[track_caller]
pub fn top_k<T: Float>(scores: &Tensor<T>, labels: &[usize], best: usize) -> f64 {
    let k = columns("top_k", "scores", scores, labels);
    assert!(best > 0, "top_k: the 1 best or more are needed, not 0");
    Weights::NONE.mean(labels.len(), among(k, scores, labels, best))
}

impl Weighted<'_> {
    /// [`accuracy`] with a weight of each row.
    ///
    /// # Panics
    /// As [`accuracy`], and where the weights are no weights, or not as many.
    #[track_caller]
    pub fn accuracy<T: Float>(self, scores: &Tensor<T>, labels: &[usize]) -> f64 {
        let k = columns("accuracy", "scores", scores, labels);
        Weights::given("accuracy", self, labels.len()).mean(labels.len(), right(k, scores, labels))
    }

    /// [`top_k`] with a weight of each row.
    ///
    /// # Panics
    /// As [`top_k`], and where the weights are no weights, or not as many.
    #[track_caller]
    pub fn top_k<T: Float>(self, scores: &Tensor<T>, labels: &[usize], best: usize) -> f64 {
        let k = columns("top_k", "scores", scores, labels);
        assert!(best > 0, "top_k: the 1 best or more are needed, not 0");
        Weights::given("top_k", self, labels.len()).mean(labels.len(), among(k, scores, labels, best))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_those_of_argmax_at_ties_and_nans_too() {
        let (nan, inf) = (f64::NAN, f64::INFINITY);
        let scores = Tensor::from_rows([
            [nan, -1.0, 5.0],
            [1.0, nan, inf],
            [nan, nan, 0.0],
            [2.0, 2.0, 1.0],
            [-inf, -inf, -inf],
            [0.0, -0.0, inf],
        ]);
        let tape = autograd::Tape::new();
        let argmax: Vec<usize> =
            tape.var(&scores).argmax(1).value().iter().filter_map(|&i| usize::try_from(i).ok()).collect();
        assert_eq!(classes(&scores), argmax);
        assert_eq!(classes(&scores), [0, 1, 0, 0, 0, 2]);
        assert_eq!(accuracy(&scores, &[0, 2, 0, 0, 0, 1]), 2.0 / 6.0); // three rows have a NaN
        assert_eq!(accuracy(&Tensor::full([10, 3], nan), &[0, 0, 0, 0, 0, 0, 0, 0, 1, 2]), 0.0);
        assert_eq!(accuracy(&Tensor::from_rows([[0.5, nan, 0.1], [2.0, 1.0, 0.0]]), &[1, 0]), 0.5);
    }

    #[test]
    #[should_panic(expected = "accuracy: there are 2 rows of scores and 3 labels")]
    fn each_row_needs_a_label() {
        accuracy(&Tensor::<f64>::eye(2), &[0, 1, 1]);
    }
}
