//! Tensors: a shape and a contiguous, row-major buffer that clones share.

pub(crate) mod shape;
pub(crate) mod span;
pub(crate) mod error;
pub(crate) mod memory;
pub(crate) mod apart;
mod ranges;
#[cfg(feature = "ndarray-0_17")]
mod arrays;

use crate::number::Number;
use error::{Error, Reason};
use shape::Shape;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

/// A dense array of any rank, contiguous and row-major. A clone shares the buffer; writing copies it first if it is
/// shared.
///
/// A tensor is a value. Of operations it has arithmetic (`&a + &b`, `a * 2.0`, `w -= dw * rate`, broadcast as on a tape), `t`,
/// `matmul`, `sum` and `mean`; derivatives and all others are those of a [`Var`](crate::Var), which `tape.var(&a)` makes of it,
/// and `y.value()` gives a tensor back.
///
/// ```
/// use autograd::Tensor;
/// let x = Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]);
/// assert_eq!(x.shape()[..], [2, 2]);
/// assert_eq!(x.as_slice(), [1.0, 2.0, 3.0, 4.0]);
/// assert_eq!(x.at([1, 0]), 3.0);
/// assert_eq!(1.0 - &x * 2.0 + Tensor::from([0.5, 0.0]), Tensor::from_rows([[-0.5, -3.0], [-4.5, -7.0]]));
/// ```
#[derive(Clone)]
pub struct Tensor<T: Number = f64> {
    shape: Shape,
    /// At least `shape.numel()` numbers; a recycled buffer may be longer.
    data: Arc<Vec<T>>,
}

impl<T: Number> Tensor<T> {
    /// A tensor of this shape from its elements in row-major order.
    ///
    /// # Panics
    /// Where the number of elements is not the product of the sizes; see [`Tensor::try_new`].
    #[track_caller]
    pub fn new(shape: impl Into<Shape>, data: Vec<T>) -> Self {
        Error::or_raise(Self::try_new(shape, data))
    }

    /// As [`Tensor::new`], for data that comes from outside.
    ///
    /// # Errors
    /// Where the number of elements is not the product of the sizes, or these are too large for any buffer.
    #[track_caller]
    pub fn try_new(shape: impl Into<Shape>, data: Vec<T>) -> Result<Self, Error> {
        let shape = shape.into();
        let reason = match shape.elements() {
            Ok(n) if n == data.len() => return Ok(Self { shape, data: Arc::new(data) }),
            Ok(n) => Reason::shape(format!("{} elements were given, {n} are needed", data.len())),
            Err(reason) => reason,
        };
        Err(Error::new("tensor", reason, vec![shape], Location::caller()))
    }

    /// A tensor of a shape, from what makes its elements, as many as it is told.
    #[track_caller]
    pub(crate) fn made<R: Into<Reason>>(op: &str, shape: Shape, data: impl FnOnce(usize) -> Result<Vec<T>, R>) -> Self {
        Error::or_raise(Self::try_made(op, shape, data))
    }

    #[track_caller]
    fn try_made<R: Into<Reason>>(
        op: &str,
        shape: Shape,
        data: impl FnOnce(usize) -> Result<Vec<T>, R>,
    ) -> Result<Self, Error> {
        match shape.elements().and_then(|n| data(n).map_err(Into::into)) {
            Ok(data) => Ok(Self { shape, data: Arc::new(data) }),
            Err(reason) => Err(Error::new(op, reason, vec![shape], Location::caller())),
        }
    }

    /// A tensor whose elements all have one value.
    ///
    /// # Panics
    /// Where the shape is too large for any buffer, or for the memory.
    #[track_caller]
    pub fn full(shape: impl Into<Shape>, value: T) -> Self {
        Self::made("full", shape.into(), |n| memory::filled(n, value))
    }

    /// A tensor of zeros.
    ///
    /// # Panics
    /// As [`Tensor::full`].
    #[track_caller]
    pub fn zeros(shape: impl Into<Shape>) -> Self {
        Self::made("zeros", shape.into(), memory::zeros)
    }

    /// A tensor of ones.
    ///
    /// # Panics
    /// As [`Tensor::full`].
    #[track_caller]
    pub fn ones(shape: impl Into<Shape>) -> Self {
        Self::made("ones", shape.into(), |n| memory::filled(n, T::ONE))
    }

    /// A scalar: rank 0.
    pub fn scalar(value: T) -> Self {
        Self { shape: Shape::scalar(), data: Arc::new(vec![value]) }
    }

    /// The identity matrix `[n, n]`.
    ///
    /// # Panics
    /// As [`Tensor::full`].
    #[track_caller]
    pub fn eye(n: usize) -> Self {
        let mut eye = Self::made("eye", Shape::from([n, n]), memory::zeros);
        eye.as_mut_slice().iter_mut().step_by(n.saturating_add(1)).for_each(|x| *x = T::ONE);
        eye
    }

    /// A tensor from a function of the row-major position.
    ///
    /// # Panics
    /// As [`Tensor::full`].
    #[track_caller]
    pub fn from_fn(shape: impl Into<Shape>, f: impl FnMut(usize) -> T) -> Self {
        Error::or_raise(Self::try_from_fn(shape, f))
    }

    /// As [`Tensor::from_fn`], for shapes that come from outside.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::try_from_fn([2], |i| i as f64), Ok(Tensor::from([0.0, 1.0])));
    /// assert!(Tensor::try_from_fn([1 << 32, 1 << 32], |i| i as f64).is_err());
    /// ```
    ///
    /// # Errors
    /// Where the shape is too large for any buffer, or for the memory.
    #[track_caller]
    pub fn try_from_fn(shape: impl Into<Shape>, f: impl FnMut(usize) -> T) -> Result<Self, Error> {
        Self::try_made("from_fn", shape.into(), |n| memory::collected(n, (0..n).map(f)))
    }

    /// A matrix from its rows.
    ///
    /// # Panics
    /// As [`Tensor::full`].
    #[track_caller]
    pub fn from_rows<const R: usize, const C: usize>(rows: [[T; C]; R]) -> Self {
        Self::made("from_rows", Shape::from([R, C]), |_| memory::copied(rows.as_flattened()))
    }

    /// A tensor of a node's shape with a copy of its elements.
    #[track_caller]
    pub(crate) fn copied(shape: &Shape, elements: &[T]) -> Self {
        Self::made("tensor", shape.clone(), |_| memory::copied(elements))
    }

    pub(crate) fn from_parts(shape: Shape, data: Arc<Vec<T>>) -> Self {
        debug_assert!(data.len() >= shape.numel());
        Self { shape, data }
    }

    pub(crate) fn buffer(&self) -> &Arc<Vec<T>> {
        &self.data
    }

    /// The sizes of the dimensions.
    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The number of elements.
    pub fn numel(&self) -> usize {
        // What `Shape::numel` gives, without its guard: the shape was checked when the tensor was made.
        self.shape.count()
    }

    /// The elements in row-major order.
    pub fn as_slice(&self) -> &[T] {
        &self.data[..self.shape.count()]
    }

    /// The elements in row-major order, to write; copies the buffer first where it is shared.
    ///
    /// # Panics
    /// Where there is no memory for the copy.
    #[track_caller]
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        let n = self.shape.count();
        // Counting is cheaper than asking for exclusive access twice, which `make_mut` does all the same.
        if Arc::strong_count(&self.data) > 1 {
            self.unshare();
        }
        &mut Arc::make_mut(&mut self.data)[..n]
    }

    #[track_caller]
    #[inline(never)]
    fn unshare(&mut self) {
        *self = Self::made("as_mut_slice", self.shape.clone(), |n| memory::copied(&self.data[..n]));
    }

    /// The elements in row-major order.
    ///
    /// # Panics
    /// Where there is no memory for them.
    #[track_caller]
    pub fn to_vec(&self) -> Vec<T> {
        match memory::copied(self.as_slice()) {
            Ok(copy) => copy,
            Err(lack) => Error::new("to_vec", lack.into(), vec![self.shape.clone()], Location::caller()).raise(),
        }
    }

    /// The elements in row-major order, without a copy where nobody shares them.
    ///
    /// ```
    /// use autograd::Tensor;
    /// assert_eq!(Tensor::from([1.0, 2.0]).into_vec(), [1.0, 2.0]);
    /// ```
    ///
    /// # Panics
    /// Where they are shared and there is no memory for a copy.
    #[track_caller]
    pub fn into_vec(self) -> Vec<T> {
        let n = self.shape.count();
        match Arc::try_unwrap(self.data) {
            Ok(mut elements) => {
                elements.truncate(n);
                elements
            }
            Err(data) => match memory::copied(&data[..n]) {
                Ok(copy) => copy,
                Err(lack) => Error::new("into_vec", lack.into(), vec![self.shape], Location::caller()).raise(),
            },
        }
    }

    /// The one element of a tensor that has one.
    ///
    /// # Panics
    /// Where the tensor has more or fewer.
    #[track_caller]
    pub fn item(&self) -> T {
        match self.as_slice() {
            [x] => *x,
            _ => self.wrong("item", "one element is needed".into()),
        }
    }

    /// The element at these indices.
    ///
    /// # Panics
    /// Where the indices do not name an element.
    #[track_caller]
    pub fn at<const R: usize>(&self, indices: [usize; R]) -> T {
        let inside = R == self.shape.rank() && indices.iter().zip(&*self.shape).all(|(i, n)| i < n);
        if !inside {
            self.wrong("at", format!("{indices:?} is no element"));
        }
        let position: usize = indices.iter().zip(self.shape.strides()).map(|(i, s)| i * s).sum();
        self.as_slice()[position]
    }

    /// The same elements in another shape.
    ///
    /// # Panics
    /// Where the number of elements differs.
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Self {
        let shape = shape.into();
        let reason = match shape.elements() {
            Ok(n) if n == self.numel() => return Self { shape, data: Arc::clone(&self.data) },
            Ok(n) => Reason::shape(format!("{} elements do not fit {shape}, which has {n}", self.numel())),
            Err(reason) => reason,
        };
        Error::new("reshape", reason, vec![self.shape.clone()], Location::caller()).raise()
    }

    #[track_caller]
    #[cold]
    fn wrong(&self, op: &str, text: String) -> ! {
        Error::new(op, Reason::shape(text), vec![self.shape.clone()], Location::caller()).raise()
    }

    /// A function of each element.
    ///
    /// # Panics
    /// Where there is no memory for the results.
    #[track_caller]
    pub fn map<U: Number>(&self, f: impl Fn(T) -> U) -> Tensor<U> {
        self.mapped("map", f)
    }

    /// The same numbers, rounded to another type.
    ///
    /// # Panics
    /// Where there is no memory for them.
    #[track_caller]
    pub fn cast<U: Number>(&self) -> Tensor<U> {
        self.mapped("cast", |x| U::of(x.to_f64()))
    }

    #[track_caller]
    fn mapped<U: Number>(&self, op: &str, f: impl Fn(T) -> U) -> Tensor<U> {
        Tensor::made(op, self.shape.clone(), |n| memory::collected(n, self.as_slice().iter().map(|&x| f(x))))
    }
}

impl<T: Number> PartialEq for Tensor<T> {
    /// Equal shapes and equal elements, as IEEE compares them: NaN equals nothing.
    fn eq(&self, other: &Self) -> bool {
        self.shape == other.shape && self.as_slice() == other.as_slice()
    }
}

impl<T: Number> From<T> for Tensor<T> {
    fn from(value: T) -> Self {
        Self::scalar(value)
    }
}

impl<T: Number, const N: usize> From<[T; N]> for Tensor<T> {
    fn from(values: [T; N]) -> Self {
        Self { shape: Shape::from([N]), data: Arc::new(values.to_vec()) }
    }
}

impl<T: Number> From<Vec<T>> for Tensor<T> {
    fn from(values: Vec<T>) -> Self {
        Self { shape: Shape::from([values.len()]), data: Arc::new(values) }
    }
}

impl<T: Number> From<&Tensor<T>> for Tensor<T> {
    fn from(tensor: &Tensor<T>) -> Self {
        tensor.clone()
    }
}

impl<T: Number> fmt::Debug for Tensor<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tensor {} {} {:?}", T::NAME, self.shape, self.as_slice())
    }
}

impl<T: Number> fmt::Display for Tensor<T> {
    /// Nested rows, as NumPy prints them; the formatter's precision applies to each number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // There may be any number of rows that have no elements.
        const MOST_EMPTY: usize = 100;
        fn rows<T: Number>(f: &mut fmt::Formatter<'_>, shape: &[usize], data: &[T], indent: usize) -> fmt::Result {
            let Some((&n, inner)) = shape.split_first() else {
                return fmt::Display::fmt(&data[0], f);
            };
            let step: usize = inner.iter().product();
            write!(f, "[")?;
            if step == 0 && n > MOST_EMPTY {
                return write!(f, "{n} without elements]");
            }
            for i in 0..n {
                match (i, inner.len()) {
                    (0, _) => {}
                    (_, 0) => write!(f, ", ")?,
                    _ => write!(f, ",\n{:indent$}", "")?,
                }
                rows(f, inner, &data[i * step..(i + 1) * step], indent + 1)?;
            }
            write!(f, "]")
        }
        rows(f, &self.shape, self.as_slice(), 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_to_a_clone_leaves_the_original() {
        let a = Tensor::from([1.0, 2.0]);
        let mut b = a.clone();
        b.as_mut_slice()[0] = 5.0;
        assert_eq!((a.as_slice(), b.as_slice()), (&[1.0, 2.0][..], &[5.0, 2.0][..]));
    }

    #[test]
    fn prints_nested_rows() {
        let x = Tensor::from_rows([[1.0, 2.5], [3.0, 4.0]]);
        assert_eq!(format!("{x:.1}"), "[[1.0, 2.5],\n [3.0, 4.0]]");
        assert_eq!(Tensor::scalar(2.0_f32).to_string(), "2");
        assert_eq!(Tensor::<f64>::zeros([2, 0]).to_string(), "[[],\n []]");
        assert_eq!(
            Tensor::<f64>::zeros([2, 1 << 40, 0]).to_string().lines().next(),
            Some("[[1099511627776 without elements],")
        );
    }

    #[test]
    fn a_wrong_number_of_elements_is_named() {
        let error = Tensor::try_new([2, 3], vec![1.0; 5]).unwrap_err();
        assert!(error.to_string().starts_with("tensor: 5 elements were given, 6 are needed (shape [2, 3])"));
    }
}
