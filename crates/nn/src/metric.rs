//! What is reported of scores.

use autograd::{Float, Tensor};

/// The class of each row of scores `[n, k]`: the index of its largest score, the first one at a tie. A NaN counts as
/// less than any score.
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

fn largest<T: Float>(row: &[T]) -> usize {
    let better = |best: usize, i: usize| if row[i] > row[best] || row[best].is_nan() { i } else { best };
    (0..row.len()).fold(0, better)
}

/// The share of rows of scores `[n, k]` whose class is the label, from 0 to 1; NaN where there are no rows.
///
/// ```
/// use autograd::Tensor;
/// let scores = Tensor::from_rows([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0], [0.5, 0.1]]);
/// assert_eq!(nn::accuracy(&scores, &[0, 1, 1, 0]), 0.75);
/// ```
///
/// # Panics
/// Where the scores are not a matrix with one row for each label.
#[track_caller]
pub fn accuracy<T: Float>(scores: &Tensor<T>, labels: &[usize]) -> f64 {
    let classes = classes(scores);
    assert!(
        classes.len() == labels.len(),
        "accuracy: there are {} rows of scores and {} labels",
        classes.len(),
        labels.len()
    );
    let right = classes.iter().zip(labels).filter(|(class, label)| class == label).count();
    right as f64 / labels.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_is_less_than_any_score() {
        let scores = Tensor::from_rows([[f64::NAN, -1.0], [1.0, f64::NAN]]);
        assert_eq!(classes(&scores)[..2], [1, 0]);
    }

    #[test]
    #[should_panic(expected = "accuracy: there are 2 rows of scores and 3 labels")]
    fn each_row_needs_a_label() {
        accuracy(&Tensor::<f64>::eye(2), &[0, 1, 1]);
    }
}
