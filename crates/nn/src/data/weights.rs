//! How much classes and examples count.

use crate::data::Dataset;
use autograd::Float;

/// Weights of classes by which each class counts alike, as scikit-learn's `balanced`: `n / (k · nₖ)`, with `nₖ` of `n` rows in
/// a class and `k` classes that have rows; a class without rows gets 0. Their mean over the rows is 1.
///
/// ```
/// assert_eq!(nn::data::balanced(&[0, 0, 0, 1], 2), [2.0 / 3.0, 2.0]);
/// ```
///
/// # Panics
/// Where a label is not below the number of classes.
#[track_caller]
pub fn balanced(labels: &[usize], classes: usize) -> Vec<f64> {
    let mut counts = vec![0_usize; classes];
    for &label in labels {
        assert!(label < classes, "balanced: label {label} names none of {classes} classes");
        counts[label] += 1;
    }
    let (n, k) = (labels.len() as f64, counts.iter().filter(|&&count| count > 0).count() as f64);
    counts.iter().map(|&count| if count == 0 { 0.0 } else { n / (k * count as f64) }).collect()
}

impl<T: Float> Dataset<T> {
    /// The same examples with weights by which each class counts alike; see [`balanced`]. Weights that were there are
    /// multiplied.
    ///
    /// # Panics
    /// Where the target is not classes.
    #[track_caller]
    pub fn with_balanced_weights(self) -> Self {
        let (labels, names) = self.of_classes("with_balanced_weights");
        let of_class = balanced(labels, names.len());
        let before = |row: usize| self.weights().map_or(1.0, |weights| weights[row]);
        let weights = labels.iter().enumerate().map(|(row, &label)| of_class[label] * before(row)).collect();
        self.with_weights(weights)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Target;
    use autograd::Tensor;

    #[test]
    fn each_class_weighs_the_same() {
        // scikit-learn: compute_class_weight("balanced", classes=[0, 1, 2], y=[0, 0, 0, 0, 1, 2])
        assert_eq!(balanced(&[0, 0, 0, 0, 1, 2], 3), [0.5, 2.0, 2.0]);
        assert_eq!(balanced(&[2, 2], 3), [0.0, 0.0, 1.0]);
        assert!(balanced(&[], 1) == [0.0]);
        let data = Dataset::<f64>::with(Tensor::zeros([3, 1]), Target::classes_of(&["a", "a", "b"]));
        assert_eq!(data.clone().with_balanced_weights().weights(), Some(&[0.75, 0.75, 1.5][..]));
        let twice = data.with_weights(vec![2.0; 3]).with_balanced_weights();
        assert_eq!(twice.weights(), Some(&[1.5, 1.5, 3.0][..]));
    }
}
