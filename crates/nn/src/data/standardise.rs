//! Features of one scale.

use crate::data::Dataset;
use crate::data::scale::moments;
use autograd::{Float, Tensor};

/// The map of each feature to mean 0 and variance 1: `(x − mean) / std`, with the mean and the standard deviation
/// `√(1/n Σ (x − mean)²)` of the examples it was fitted to. Held-out examples get the same map, so nothing of them is
/// known when training. A feature that is the same in all examples, but for rounding, is divided by 1.
///
/// ```
/// use autograd::Tensor;
/// use nn::data::{Dataset, Standardiser};
/// let data = Dataset::new(Tensor::from_rows([[1.0, 7.0], [3.0, 7.0]]), vec![0, 0], vec!["one".to_owned()]);
/// let scale = Standardiser::fit(&data);
/// assert_eq!((scale.mean(), scale.std()), (&[2.0, 7.0][..], &[1.0, 1.0][..]));
/// assert_eq!(scale.apply(&data).features().as_slice(), [-1.0, 0.0, 1.0, 0.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Standardiser<T: Float = f64> {
    mean: Vec<T>,
    std: Vec<T>,
}

impl<T: Float> Standardiser<T> {
    /// The means and standard deviations of the features of these examples.
    ///
    /// # Panics
    /// Where there are no examples.
    #[track_caller]
    pub fn fit(data: &Dataset<T>) -> Self {
        assert!(!data.is_empty(), "Standardiser::fit: 1 example or more is needed, there are none");
        let (mean, std) = (0..data.width()).map(|column| column_moments(data, column)).unzip();
        Self { mean, std }
    }

    /// The mean of each feature.
    pub fn mean(&self) -> &[T] {
        &self.mean
    }

    /// What each feature is divided by: its standard deviation, or 1 where that is 0 or no more than rounding.
    pub fn std(&self) -> &[T] {
        &self.std
    }

    /// The same examples with their features mapped.
    ///
    /// # Panics
    /// Where the examples have another number of features than those it was fitted to, or one becomes infinite.
    #[track_caller]
    pub fn apply(&self, data: &Dataset<T>) -> Dataset<T> {
        let features = self.mapped("Standardiser::apply", data.features());
        data.with_features("Standardiser::apply", features)
    }

    /// Features `[n, d]`, mapped.
    ///
    /// # Panics
    /// Where `d` is not the number of features it was fitted to.
    #[track_caller]
    pub fn apply_to(&self, features: &Tensor<T>) -> Tensor<T> {
        self.mapped("Standardiser::apply_to", features)
    }

    #[track_caller]
    #[inline(never)]
    fn mapped(&self, function: &str, features: &Tensor<T>) -> Tensor<T> {
        let (shape, d) = (features.shape(), self.mean.len());
        assert!(shape.rank() == 2 && shape[1] == d, "{function}: it was fitted to {d} features, these are {shape}");
        let x = features.as_slice();
        Tensor::from_fn(shape, |i| (x[i] - self.mean[i % d]) / self.std[i % d])
    }
}

/// The mean and the divisor of a column.
fn column_moments<T: Float>(data: &Dataset<T>, column: usize) -> (T, T) {
    let values = data.features().as_slice().iter().skip(column).step_by(data.width()).map(|x| x.to_f64());
    let (mean, std) = moments(values, T::EPSILON.to_f64());
    let std = T::of(std);
    (T::of(mean), if std > T::ZERO { std } else { T::ONE }) // below the smallest `f32`
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Csv, IRIS_CSV};
    use approx::assert_relative_eq;

    fn dataset(features: Tensor) -> Dataset {
        let n = features.shape()[0];
        Dataset::new(features, vec![0; n], vec!["one".into()])
    }

    #[test]
    fn what_it_was_fitted_to_has_mean_0_and_variance_1() {
        let iris: Dataset = Csv::new("species").parse("iris.csv", IRIS_CSV).unwrap();
        let scale = Standardiser::fit(&iris);
        // The means of Fisher's table over all 150 flowers.
        for (mean, want) in scale.mean().iter().zip([5.843333333333333, 3.057333333333333, 3.758, 1.199333333333333]) {
            assert_relative_eq!(*mean, want, max_relative = 1e-14);
        }
        let again = Standardiser::fit(&scale.apply(&iris));
        for (mean, std) in again.mean().iter().zip(again.std()) {
            assert_relative_eq!(*mean, 0.0, epsilon = 1e-14);
            assert_relative_eq!(*std, 1.0, epsilon = 1e-14);
        }
    }

    #[test]
    fn held_out_examples_get_the_map_of_the_others() {
        let scale = Standardiser::fit(&dataset(Tensor::from_rows([[0.0], [2.0]])));
        let test = dataset(Tensor::from_rows([[5.0]]));
        assert_eq!(scale.apply(&test).features().item(), 4.0);
    }

    #[test]
    fn a_constant_feature_becomes_exactly_0() {
        // Ten times 0.1 sums to 0.9999999999999999.
        let constant = dataset(Tensor::full([10, 1], 0.1));
        let scale = Standardiser::fit(&constant);
        assert_eq!(scale.apply(&constant).features(), &Tensor::zeros([10, 1]));
        assert_eq!(scale.apply_to(&Tensor::from_rows([[1.1]])).item(), 1.0);
    }

    #[test]
    fn squares_stay_in_range() {
        let tiny = dataset(Tensor::from_rows([[0.0], [1e-200]]));
        assert_eq!(Standardiser::fit(&tiny).std(), [5e-201]);
    }

    #[test]
    fn a_large_offset_does_not_cancel() {
        let scale = Standardiser::fit(&dataset(Tensor::from_rows([[1e9], [1e9 + 2.0]])));
        assert_eq!(scale.std(), [1.0]);
    }

    #[test]
    #[should_panic(expected = "Standardiser::apply_to: it was fitted to 1 features, these are [1, 2]")]
    fn widths_must_match() {
        Standardiser::fit(&dataset(Tensor::zeros([1, 1]))).apply_to(&Tensor::zeros([1, 2]));
    }
}
