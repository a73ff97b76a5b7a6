//! What all metrics ask of their rows.

use autograd::{Float, Tensor};

/// Metrics in which each row counts with a weight: finite numbers of 0 or more, one for each row, not all 0. As
/// scikit-learn's `sample_weight`; a row of weight 2 counts as two rows.
///
/// ```
/// use nn::measure::{Weighted, mse};
/// let weighted = Weighted(&[2.0, 1.0]).mse(&[1.0, 4.0], &[0.0, 1.0]);
/// assert_eq!(weighted, mse(&[1.0, 1.0, 4.0], &[0.0, 0.0, 1.0]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weighted<'a>(pub &'a [f64]);

/// The weights of rows, 1 where none are given.
#[derive(Clone, Copy)]
pub(super) struct Weights<'a>(Option<&'a [f64]>);

impl<'a> Weights<'a> {
    pub(super) const NONE: Weights<'static> = Weights(None);

    /// Checked weights for so many rows.
    #[track_caller]
    pub(super) fn given(function: &str, Weighted(weights): Weighted<'a>, rows: usize) -> Self {
        let given = weights.len();
        assert!(given == rows, "{function}: there are {rows} rows and {given} weights");
        if let Some((row, weight)) = weights.iter().enumerate().find(|(_, w)| !(w.is_finite() && **w >= 0.0)) {
            panic!("{function}: a finite weight of 0 or more is needed, row {row} has {weight}");
        }
        let all_zero = rows > 0 && weights.iter().all(|weight| *weight == 0.0);
        assert!(!all_zero, "{function}: a weight above 0 is needed, all {rows} are 0");
        Self(Some(weights))
    }

    pub(super) fn of(self, row: usize) -> f64 {
        self.0.map_or(1.0, |weights| weights[row])
    }

    /// The weighted mean of a number of each row; NaN without rows.
    pub(super) fn mean(self, rows: usize, of: impl Fn(usize) -> f64) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for row in (0..rows).filter(|&row| self.of(row) > 0.0) {
            sum += self.of(row) * of(row);
            total += self.of(row);
        }
        sum / total
    }
}

/// Holds two lists to one length.
#[track_caller]
pub(super) fn same_length(function: &str, [first, second]: [(&str, usize); 2]) {
    let ((a, m), (b, n)) = (first, second);
    assert!(m == n, "{function}: there are {m} {a} and {n} {b}");
}

/// The number of columns of a matrix with a row for each label, which names one of them.
#[track_caller]
#[inline(never)]
pub(super) fn columns<T: Float>(function: &str, what: &str, matrix: &Tensor<T>, labels: &[usize]) -> usize {
    let shape = matrix.shape();
    assert!(shape.rank() == 2 && shape[1] > 0, "{function}: {what} [n, k] with k > 0 are needed, the shape is {shape}");
    let (rows, k, n) = (shape[0], shape[1], labels.len());
    assert!(rows == n, "{function}: there are {rows} rows of {what} and {n} labels");
    if let Some((row, label)) = labels.iter().enumerate().find(|&(_, &label)| label >= k) {
        panic!("{function}: label {label} of row {row} is out of range for {k} classes");
    }
    k
}
