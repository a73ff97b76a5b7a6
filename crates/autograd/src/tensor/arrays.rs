//! Conversions with arrays of the crate `ndarray`, without a copy where the memory is laid out alike.

use crate::number::Number;
use crate::tensor::Tensor;
use crate::tensor::shape::Shape;
use ndarray::{
    Array, ArrayD, ArrayView, ArrayViewD, ArrayViewMutD, Dimension, Ix0, Ix1, Ix2, Ix3, Ix4, Ix5, Ix6, IxDyn,
    ShapeError,
};

impl<T: Number, D: Dimension> From<Array<T, D>> for Tensor<T> {
    /// Without a copy where the elements stand in row-major order.
    ///
    /// # Panics
    /// Where there is no memory for a copy that is needed.
    #[track_caller]
    fn from(array: Array<T, D>) -> Self {
        if !array.is_standard_layout() {
            return Self::from(array.view());
        }
        let (shape, n) = (Shape::from(array.shape()), array.len());
        let (mut elements, offset) = array.into_raw_vec_and_offset();
        elements.truncate(offset.unwrap_or(0) + n);
        elements.drain(..elements.len() - n);
        Self::new(shape, elements)
    }
}

impl<T: Number, D: Dimension> From<&Array<T, D>> for Tensor<T> {
    /// # Panics
    /// Where there is no memory for the copy.
    #[track_caller]
    fn from(array: &Array<T, D>) -> Self {
        Self::from(array.view())
    }
}

impl<T: Number, D: Dimension> From<ArrayView<'_, T, D>> for Tensor<T> {
    /// # Panics
    /// Where there is no memory for the copy.
    #[track_caller]
    fn from(view: ArrayView<'_, T, D>) -> Self {
        let mut elements = view.iter();
        Self::from_fn(view.shape(), |_| *elements.next().expect("a view has as many elements as its sizes multiply to"))
    }
}

impl<T: Number> From<Tensor<T>> for ArrayD<T> {
    /// Without a copy where nobody shares the elements.
    ///
    /// # Panics
    /// Where they are shared and there is no memory for a copy.
    #[track_caller]
    fn from(tensor: Tensor<T>) -> Self {
        let sizes = IxDyn(tensor.shape());
        ArrayD::from_shape_vec(sizes, tensor.into_vec())
            .expect("a tensor has as many elements as its sizes multiply to")
    }
}

impl<'a, T: Number> From<&'a Tensor<T>> for ArrayViewD<'a, T> {
    fn from(tensor: &'a Tensor<T>) -> Self {
        tensor.as_array()
    }
}

/// Arrays whose number of dimensions their type knows.
macro_rules! ranks {
    ($($rank:ident)*) => {
        $(
            impl<T: Number> TryFrom<Tensor<T>> for Array<T, $rank> {
                type Error = ShapeError;
                #[track_caller]
                fn try_from(tensor: Tensor<T>) -> Result<Self, ShapeError> {
                    ArrayD::from(tensor).into_dimensionality()
                }
            }
        )*
    };
}
ranks!(Ix0 Ix1 Ix2 Ix3 Ix4 Ix5 Ix6);

impl<T: Number> Tensor<T> {
    /// The elements as an array of `ndarray`, without a copy.
    ///
    /// ```
    /// use autograd::Tensor;
    /// use ndarray::{Array2, Axis, array};
    /// let x = Tensor::from(array![[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.as_array().sum_axis(Axis(0)), array![4.0, 6.0].into_dyn());
    /// assert_eq!(Array2::try_from(x), Ok(array![[1.0, 2.0], [3.0, 4.0]]));
    /// ```
    pub fn as_array(&self) -> ArrayViewD<'_, T> {
        let view = ArrayViewD::from_shape(IxDyn(self.shape()), self.as_slice());
        view.expect("a tensor has as many elements as its sizes multiply to")
    }

    /// The elements as an array of `ndarray`, to write; copies them first where they are shared.
    ///
    /// # Panics
    /// Where there is no memory for the copy.
    #[track_caller]
    pub fn as_array_mut(&mut self) -> ArrayViewMutD<'_, T> {
        let sizes = IxDyn(self.shape());
        let view = ArrayViewMutD::from_shape(sizes, self.as_mut_slice());
        view.expect("a tensor has as many elements as its sizes multiply to")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, Array2, Axis, array, s};

    #[test]
    fn arrays_and_tensors_become_each_other_without_a_copy_where_they_are_laid_out_alike() {
        let rows = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]];
        let place = rows.as_ptr();
        let tensor = Tensor::from(rows.clone());
        assert_eq!(tensor, Tensor::from_rows([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]));
        let tensor = Tensor::from(rows);
        assert_eq!(tensor.as_slice().as_ptr(), place);
        assert_eq!(tensor.as_array().as_ptr(), place);
        let back = Array2::try_from(tensor).unwrap();
        assert_eq!(back.as_ptr(), place);
        // Columns, parts and views are in another order, or not alone.
        assert_eq!(Tensor::from(back.clone().reversed_axes()), Tensor::from(&back).t());
        assert_eq!(Tensor::from(back.slice(s![1.., ..;2])), Tensor::from_rows([[4.0, 6.0]]));
        assert_eq!(Tensor::from(back.slice_move(s![1.., ..])), Tensor::from_rows([[4.0, 5.0, 6.0]]));
        assert!(Array1::try_from(Tensor::from_rows([[1.0_f32]])).is_err());
        assert_eq!(ArrayD::from(Tensor::scalar(2.0)).ndim(), 0);
        assert_eq!(Tensor::from(Array2::<f64>::zeros((3, 0))), Tensor::zeros([3, 0]));
    }

    #[test]
    fn writing_to_an_array_leaves_a_clone_of_its_tensor() {
        let a = Tensor::from([1.0_f32, 2.0]);
        let mut b = a.clone();
        b.as_array_mut().index_axis_mut(Axis(0), 0).fill(7.0);
        assert_eq!((a, b), (Tensor::from([1.0, 2.0]), Tensor::from([7.0, 2.0])));
    }
}
