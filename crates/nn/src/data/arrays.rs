//! Examples from and to arrays of the crate `ndarray`.

use crate::data::{Dataset, Target};
use autograd::{Float, Tensor};
use ndarray::{ArrayView1, ArrayView2, Ix2};

impl<T: Float> Dataset<T> {
    /// Examples of an array `[n, d]` of any layout, which is copied, and a target.
    ///
    /// ```
    /// use ndarray::array;
    /// use nn::data::{Dataset, Target};
    /// let (x, y) = (array![[62.0, 3.0], [38.0, 1.0]], array![1200.0, 480.0]);
    /// let flats = Dataset::from_array(x.view(), Target::from_array("rent", y.view()));
    /// assert_eq!((flats.len(), flats.as_array()), (2, x.view()));
    /// assert_eq!(flats.target().as_array().unwrap().column(0), y);
    /// ```
    ///
    /// # Panics
    /// As [`Dataset::with`].
    #[track_caller]
    pub fn from_array(features: ArrayView2<'_, T>, target: Target<T>) -> Self {
        super::dataset::or_panic("Dataset::from_array", Self::try_with(Tensor::from(features), target))
    }

    /// The features, `[n, d]`, without a copy.
    pub fn as_array(&self) -> ArrayView2<'_, T> {
        two(self.features())
    }
}

impl<T: Float> Target<T> {
    /// One value for each example.
    pub fn from_array(name: &str, values: ArrayView1<'_, T>) -> Self {
        Self::value(name, &values.to_vec())
    }

    /// The class of each example, a place among the names.
    ///
    /// ```
    /// use ndarray::array;
    /// use nn::data::Target;
    /// let names = ["no", "yes"].map(String::from).to_vec();
    /// assert_eq!(Target::<f64>::classes_from_array(array![1, 0].view(), names).len(), 2);
    /// ```
    pub fn classes_from_array(labels: ArrayView1<'_, usize>, names: Vec<String>) -> Self {
        Self::Classes { labels: labels.to_vec(), names }
    }

    /// The values, or the labels as 0 and 1, `[n, k]`, without a copy; none of classes.
    pub fn as_array(&self) -> Option<ArrayView2<'_, T>> {
        match self {
            Self::Classes { .. } => None,
            Self::Labels { values, .. } | Self::Values { values, .. } => {
                (values.shape().rank() == 2).then(|| two(values))
            }
        }
    }
}

/// A matrix as an array.
fn two<T: Float>(matrix: &Tensor<T>) -> ArrayView2<'_, T> {
    matrix.as_array().into_dimensionality::<Ix2>().expect("a matrix has two axes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array2, s};

    #[test]
    fn arrays_of_any_layout_come_and_go() {
        let all = Array2::from_shape_fn((4, 3), |(i, j)| (10 * i + j) as f32);
        for view in [all.view(), all.slice(s![..;2, ..2]), all.slice(s![1.., ..;-1]), all.slice(s![..0, ..]), all.t()] {
            let y = ndarray::Array1::from_shape_fn(view.nrows(), |i| i as f32);
            let data = Dataset::from_array(view, Target::from_array("y", y.view()));
            assert_eq!(data.as_array(), view);
            assert_eq!(data.target().as_array().unwrap().column(0), y);
        }
        let labels =
            Target::<f32>::classes_from_array(ndarray::array![0, 1, 1].slice(s![..;-1]), vec!["a".into(), "b".into()]);
        assert!(labels.as_array().is_none());
        assert_eq!(Dataset::from_array(all.slice(s![..3, ..]), labels).labels(), [1, 1, 0]);
    }

    #[test]
    #[should_panic(expected = "Dataset::from_array: features of shape [2, 1] do not fit 3 targets")]
    fn rows_and_targets_are_as_many() {
        let y = ndarray::array![1.0, 2.0, 3.0];
        Dataset::from_array(ndarray::array![[1.0], [2.0]].view(), Target::from_array("y", y.view()));
    }
}
