//! What is reported of scores.

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
    classes_for("classes", scores)
}

/// As [`classes`], for a function whose errors have its own name.
#[track_caller]
fn classes_for<T: Float>(name: &str, scores: &Tensor<T>) -> Vec<usize> {
    let shape = scores.shape();
    assert!(shape.rank() == 2 && shape[1] > 0, "{name}: scores [n, k] with k > 0 are needed, the shape is {shape}");
    scores.as_slice().chunks(shape[1]).map(largest).collect()
}

fn largest<T: Float>(row: &[T]) -> usize {
    let better = |i: usize, best: usize| !row[best].is_nan() && (row[i].is_nan() || row[i] > row[best]);
    (1..row.len()).fold(0, |best, i| if better(i, best) { i } else { best })
}

/// The share of rows of scores `[n, k]` whose class ([`classes`]) is the label, from 0 to 1; NaN where there are no
/// rows.
///
/// ```
/// use autograd::Tensor;
/// let scores = Tensor::from_rows([[2.0, 1.0], [0.0, 1.0], [3.0, 0.0], [0.5, 0.1]]);
/// assert_eq!(nn::accuracy(&scores, &[0, 1, 1, 0]), 0.75);
/// ```
///
/// # Panics
/// Where the scores are not a matrix with one row for each label, or a label names no column.
#[track_caller]
pub fn accuracy<T: Float>(scores: &Tensor<T>, labels: &[usize]) -> f64 {
    let classes = classes_for("accuracy", scores);
    assert!(
        classes.len() == labels.len(),
        "accuracy: there are {} rows of scores and {} labels",
        classes.len(),
        labels.len()
    );
    let k = scores.shape()[1];
    if let Some((row, label)) = labels.iter().enumerate().find(|&(_, &label)| label >= k) {
        panic!("accuracy: label {label} of row {row} is out of range for {k} classes");
    }
    let right = classes.iter().zip(labels).filter(|(class, label)| class == label).count();
    right as f64 / labels.len() as f64
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
        assert_eq!(accuracy(&scores, &[0, 0, 2, 0, 0, 2]), 4.0 / 6.0);
    }

    #[test]
    #[should_panic(expected = "accuracy: there are 2 rows of scores and 3 labels")]
    fn each_row_needs_a_label() {
        accuracy(&Tensor::<f64>::eye(2), &[0, 1, 1]);
    }
}
