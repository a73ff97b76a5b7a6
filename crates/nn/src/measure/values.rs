//! Metrics of measured values.

use super::rows::{Weighted, Weights, same_length};
use autograd::{Float, Tensor};

/// Predictions beside what is true, in `f64`.
#[derive(Clone, Copy)]
struct Pairs<'a, T> {
    prediction: &'a [T],
    truth: &'a [T],
    weights: Weights<'a>,
}

impl<'a, T: Float> Pairs<'a, T> {
    #[track_caller]
    fn new(function: &str, prediction: &'a [T], truth: &'a [T]) -> Self {
        same_length(function, [("predictions", prediction.len()), ("true values", truth.len())]);
        Self { prediction, truth, weights: Weights::NONE }
    }

    #[track_caller]
    fn weighted(function: &str, weights: Weighted<'a>, prediction: &'a [T], truth: &'a [T]) -> Self {
        let weights = Weights::given(function, weights, truth.len());
        Self { weights, ..Self::new(function, prediction, truth) }
    }

    fn truth(self, row: usize) -> f64 {
        self.truth[row].to_f64()
    }

    /// What is true less what is predicted.
    fn residual(self, row: usize) -> f64 {
        self.truth(row) - self.prediction[row].to_f64()
    }

    fn mean(self, of: impl Fn(usize) -> f64) -> f64 {
        self.weights.mean(self.truth.len(), of)
    }

    fn mse(self) -> f64 {
        self.mean(|row| self.residual(row).powi(2))
    }

    fn mae(self) -> f64 {
        self.mean(|row| self.residual(row).abs())
    }

    /// How much of the variance of what is true is not left over: 1 where nothing is left, and 0 where nothing varies and
    /// something is left, as scikit-learn has it.
    fn share(self, left: f64) -> f64 {
        let middle = self.mean(|row| self.truth(row));
        let whole = self.mean(|row| (self.truth(row) - middle).powi(2));
        if self.truth.len() < 2 || left.is_nan() || whole.is_nan() {
            f64::NAN
        } else if whole == 0.0 {
            f64::from(left == 0.0)
        } else {
            1.0 - left / whole
        }
    }

    fn explained_variance(self) -> f64 {
        let bias = self.mean(|row| self.residual(row));
        self.share(self.mean(|row| (self.residual(row) - bias).powi(2)))
    }

    fn pinball(self, quantile: f64) -> f64 {
        self.mean(|row| {
            let residual = self.residual(row);
            if residual >= 0.0 { quantile * residual } else { (quantile - 1.0) * residual }
        })
    }
}

#[track_caller]
fn check_quantile(quantile: f64) -> f64 {
    assert!((0.0..=1.0).contains(&quantile), "pinball: a quantile between 0 and 1 is needed, not {quantile}");
    quantile
}

/// A metric of one name as a function and as a method of [`Weighted`].
macro_rules! metrics {
    ($($(#[doc = $doc:literal])* $name:ident => |$pairs:ident| $value:expr;)*) => {
        $(
            $(#[doc = $doc])*
            ///
            /// # Panics
            /// Where there are not as many predictions as true values.
            #[track_caller]
            pub fn $name<T: Float>(prediction: &[T], truth: &[T]) -> f64 {
                let $pairs = Pairs::new(stringify!($name), prediction, truth);
                $value
            }
        )*

        impl Weighted<'_> {
            $(
                #[doc = concat!("[`", stringify!($name), "`] with a weight of each row.")]
                ///
                /// # Panics
                /// Where there are not as many predictions, or weights, as true values, or the weights are no weights.
                #[track_caller]
                pub fn $name<T: Float>(self, prediction: &[T], truth: &[T]) -> f64 {
                    let $pairs = Pairs::weighted(stringify!($name), self, prediction, truth);
                    $value
                }
            )*
        }
    };
}

metrics! {
    /// The mean of the squared errors; NaN without rows.
    ///
    /// ```
    /// assert_eq!(nn::measure::mse(&[2.5, 0.0, 2.0, 8.0], &[3.0, -0.5, 2.0, 7.0]), 0.375);
    /// ```
    mse => |pairs| pairs.mse();
    /// The mean of the absolute errors; NaN without rows.
    ///
    /// ```
    /// assert_eq!(nn::measure::mae(&[2.5, 0.0, 2.0, 8.0], &[3.0, -0.5, 2.0, 7.0]), 0.5);
    /// ```
    mae => |pairs| pairs.mae();
    /// The root of the mean of the squared errors, in the unit of the values; NaN without rows.
    ///
    /// ```
    /// assert_eq!(nn::measure::rmse(&[3.0, 3.0], &[0.0, 0.0]), 3.0);
    /// ```
    rmse => |pairs| pairs.mse().sqrt();
    /// The coefficient of determination: the share of the variance of what is true that the prediction accounts for. 1 is
    /// perfect, 0 as good as the mean, and worse ones are negative. Where nothing varies it is 1 for no error and 0 otherwise; NaN
    /// for fewer than two rows.
    ///
    /// ```
    /// use nn::measure::r2;
    /// assert_eq!(r2(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0]), 1.0);
    /// assert_eq!(r2(&[2.0, 2.0, 2.0], &[1.0, 2.0, 3.0]), 0.0);
    /// ```
    r2 => |pairs| pairs.share(pairs.mse());
    /// As [`r2`], of the errors less their mean: a constant error does not count.
    ///
    /// ```
    /// assert_eq!(nn::measure::explained_variance(&[11.0, 12.0, 13.0], &[1.0, 2.0, 3.0]), 1.0);
    /// ```
    explained_variance => |pairs| pairs.explained_variance();
}

/// The pinball loss of predictions of a quantile: an error costs `quantile` where too little is predicted, `1 − quantile` where too
/// much is. A prediction of the median costs half of [`mae`].
///
/// ```
/// assert_eq!(nn::measure::pinball(&[0.0, 2.0], &[1.0, 1.0], 0.75), 0.5);
/// ```
///
/// # Panics
/// Where there are not as many predictions as true values, or the quantile is not between 0 and 1.
#[track_caller]
pub fn pinball<T: Float>(prediction: &[T], truth: &[T], quantile: f64) -> f64 {
    Pairs::new("pinball", prediction, truth).pinball(check_quantile(quantile))
}

impl Weighted<'_> {
    /// [`pinball`] with a weight of each row.
    ///
    /// # Panics
    /// As [`pinball`], and where the weights are no weights, or not as many.
    #[track_caller]
    pub fn pinball<T: Float>(self, prediction: &[T], truth: &[T], quantile: f64) -> f64 {
        Pairs::weighted("pinball", self, prediction, truth).pinball(check_quantile(quantile))
    }
}

/// A metric of each column of predictions `[n, k]` and true values `[n, k]`: `by_column(&p, &t, r2)`.
///
/// ```
/// use autograd::Tensor;
/// use nn::measure::{by_column, mae};
/// let (p, t) = (Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]), Tensor::from_rows([[1.0, 0.0], [3.0, 0.0]]));
/// assert_eq!(by_column(&p, &t, mae), [0.0, 3.0]);
/// ```
///
/// # Panics
/// Where the two are not matrices of one shape.
#[track_caller]
pub fn by_column<T: Float>(
    prediction: &Tensor<T>,
    truth: &Tensor<T>,
    mut metric: impl FnMut(&[T], &[T]) -> f64,
) -> Vec<f64> {
    let (p, t) = (prediction.shape(), truth.shape());
    assert!(p.rank() == 2 && p == t, "by_column: two matrices of one shape are needed, the shapes are {p} and {t}");
    let k = p[1];
    let column =
        |matrix: &Tensor<T>, j: usize| matrix.as_slice().iter().skip(j).step_by(k).copied().collect::<Vec<T>>();
    (0..k).map(|j| metric(&column(prediction, j), &column(truth, j))).collect()
}
