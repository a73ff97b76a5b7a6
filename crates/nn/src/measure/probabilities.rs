//! Metrics of probabilities of classes.

use super::rows::{Weighted, Weights, columns};
use autograd::{Float, Tape, Tensor};

/// The probabilities of scores `[n, k]`: those of each row sum up to 1.
///
/// ```
/// use autograd::Tensor;
/// let p = nn::measure::softmax(&Tensor::from_rows([[0.0, 3_f64.ln()]]));
/// assert_eq!(p, Tensor::from_rows([[0.25, 0.75]]));
/// ```
///
/// # Panics
/// Where the scores are not a matrix with at least one column.
#[track_caller]
pub fn softmax<T: Float>(scores: &Tensor<T>) -> Tensor<T> {
    let shape = scores.shape();
    assert!(shape.rank() == 2 && shape[1] > 0, "softmax: scores [n, k] with k > 0 are needed, the shape is {shape}");
    let tape = Tape::default();
    tape.var(scores).softmax(1).value()
}

/// The mean of `−ln p` for the probability `p` of the label, `[n, k]` of which are given, clipped to `[ε, 1 − ε]` with the number type's
/// `ε`, as scikit-learn does: a wrong certainty costs 36.04 in `f64`, not ∞. NaN without rows.
///
/// ```
/// use autograd::Tensor;
/// let p = Tensor::from_rows([[0.1, 0.9], [0.9, 0.1], [0.8, 0.2], [0.35, 0.65]]);
/// assert!((nn::measure::log_loss(&p, &[1, 0, 0, 1]) - 0.216_161_874_680_579_1).abs() < 1e-15);
/// ```
///
/// # Panics
/// Where the probabilities are not a matrix with one row for each label, or a label names no column.
#[track_caller]
pub fn log_loss<T: Float>(probabilities: &Tensor<T>, labels: &[usize]) -> f64 {
    let k = columns("log_loss", "probabilities", probabilities, labels);
    Weights::NONE.mean(labels.len(), |row| surprise(probabilities, k, row, labels[row]))
}

fn surprise<T: Float>(probabilities: &Tensor<T>, k: usize, row: usize, label: usize) -> f64 {
    let epsilon = if size_of::<T>() == 4 { f64::from(f32::EPSILON) } else { f64::EPSILON };
    let row = &probabilities.as_slice()[row * k..][..k];
    if row.iter().any(|p| p.is_nan()) {
        return f64::NAN;
    }
    -row[label].to_f64().clamp(epsilon, 1.0 - epsilon).ln()
}

/// Brier's score of probabilities `[n, k]`: the mean over rows of `Σ (p − y)²`, with `y` 1 for the label and 0 else, halved for two
/// classes, where it is the squared error of the second one's probability. 0 is perfect; NaN without rows.
///
/// ```
/// use autograd::Tensor;
/// let p = Tensor::from_rows([[0.9_f64, 0.1], [0.1, 0.9], [0.2, 0.8], [0.7, 0.3]]);
/// assert!((nn::measure::brier(&p, &[0, 1, 1, 0]) - 0.0375).abs() < 1e-15);
/// ```
///
/// # Panics
/// As [`log_loss`].
#[track_caller]
pub fn brier<T: Float>(probabilities: &Tensor<T>, labels: &[usize]) -> f64 {
    let k = columns("brier", "probabilities", probabilities, labels);
    Weights::NONE.mean(labels.len(), |row| squares(probabilities, k, row, labels[row]))
}

fn squares<T: Float>(probabilities: &Tensor<T>, k: usize, row: usize, label: usize) -> f64 {
    let row = probabilities.as_slice()[row * k..][..k].iter().enumerate();
    let sum: f64 = row.map(|(class, p)| (p.to_f64() - f64::from(class == label)).powi(2)).sum();
    if k < 3 { sum / 2.0 } else { sum }
}

impl Weighted<'_> {
    /// [`log_loss`] with a weight of each row.
    ///
    /// # Panics
    /// As [`log_loss`], and where the weights are no weights, or not as many.
    #[track_caller]
    pub fn log_loss<T: Float>(self, probabilities: &Tensor<T>, labels: &[usize]) -> f64 {
        let k = columns("log_loss", "probabilities", probabilities, labels);
        let weights = Weights::given("log_loss", self, labels.len());
        weights.mean(labels.len(), |row| surprise(probabilities, k, row, labels[row]))
    }

    /// [`brier`] with a weight of each row.
    ///
    /// # Panics
    /// As [`brier`], and where the weights are no weights, or not as many.
    #[track_caller]
    pub fn brier<T: Float>(self, probabilities: &Tensor<T>, labels: &[usize]) -> f64 {
        let k = columns("brier", "probabilities", probabilities, labels);
        let weights = Weights::given("brier", self, labels.len());
        weights.mean(labels.len(), |row| squares(probabilities, k, row, labels[row]))
    }
}
