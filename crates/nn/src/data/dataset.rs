//! Labelled examples.

use autograd::{Float, Tensor};

/// Labelled examples: a matrix of features, one row for each, and a class for each row.
///
/// ```
/// use autograd::Tensor;
/// use nn::Dataset;
/// let classes = ["no", "yes"].map(String::from).to_vec();
/// let data = Dataset::new(Tensor::from_rows([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), vec![0, 1, 0], classes);
/// assert_eq!((data.len(), data.width()), (3, 2));
/// assert_eq!(data.select(&[2, 1]).features().as_slice(), [5.0, 6.0, 3.0, 4.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset<T: Float = f64> {
    features: Tensor<T>,
    labels: Vec<usize>,
    classes: Vec<String>,
}

impl<T: Float> Dataset<T> {
    /// Features `[n, d]`, `n` labels, and the names of the classes that the labels count.
    ///
    /// # Panics
    /// Where the features are not a matrix, there is not one label for each row, or a label names no class.
    #[track_caller]
    pub fn new(features: Tensor<T>, labels: Vec<usize>, classes: Vec<String>) -> Self {
        let (shape, n, k) = (features.shape(), labels.len(), classes.len());
        assert!(shape.rank() == 2 && shape[0] == n, "Dataset::new: features of shape {shape} do not fit {n} labels");
        if let Some(label) = labels.iter().find(|&&label| label >= k) {
            panic!("Dataset::new: label {label} names none of {k} classes");
        }
        Self { features, labels, classes }
    }

    /// The features, `[n, d]`.
    pub fn features(&self) -> &Tensor<T> {
        &self.features
    }

    /// The class of each row.
    pub fn labels(&self) -> &[usize] {
        &self.labels
    }

    /// The names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// The number of examples, `n`.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The number of features of an example, `d`.
    pub fn width(&self) -> usize {
        self.features.shape()[1]
    }

    /// The examples of these rows, in this order.
    ///
    /// # Panics
    /// Where a row does not exist.
    #[track_caller]
    pub fn select(&self, rows: &[usize]) -> Self {
        let (features, labels) = self.rows(rows);
        Self { features, labels, classes: self.classes.clone() }
    }

    /// The features and labels of these rows.
    #[track_caller]
    pub(crate) fn rows(&self, rows: &[usize]) -> (Tensor<T>, Vec<usize>) {
        let (n, d) = (self.len(), self.width());
        if let Some(row) = rows.iter().find(|&&row| row >= n) {
            panic!("select: row {row} is not one of {n}");
        }
        let all = self.features.as_slice();
        let mut features = Vec::new();
        let reserved = features.try_reserve_exact(rows.len().saturating_mul(d));
        assert!(reserved.is_ok(), "select: there is no memory for {} rows of {d}", rows.len());
        for &row in rows {
            features.extend_from_slice(&all[row * d..(row + 1) * d]);
        }
        (Tensor::new([rows.len(), d], features), rows.iter().map(|&row| self.labels[row]).collect())
    }

    /// The same labels with other features.
    #[track_caller]
    pub(crate) fn with_features(&self, features: Tensor<T>) -> Self {
        Self::new(features, self.labels.clone(), self.classes.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "features of shape [2, 1] do not fit 3 labels")]
    fn each_row_needs_a_label() {
        Dataset::new(Tensor::<f64>::zeros([2, 1]), vec![0; 3], vec!["a".into()]);
    }

    #[test]
    #[should_panic(expected = "label 1 names none of 1 classes")]
    fn each_label_needs_a_class() {
        Dataset::new(Tensor::<f64>::zeros([2, 1]), vec![0, 1], vec!["a".into()]);
    }

    #[test]
    #[should_panic(expected = "select: row 2 is not one of 2")]
    fn rows_exist() {
        Dataset::new(Tensor::<f64>::zeros([2, 1]), vec![0, 0], vec!["a".into()]).select(&[0, 2]);
    }
}
