//! Pooling: the largest elements, and means, of windows.

use crate::float::Float;
use crate::kernels::pooling::{Windows, largest_in_windows};
use crate::ops::conv::{padded, places, stride};
use crate::tape::attribute::Attributes;
use crate::tape::index::IndexVar;
use crate::tape::op::{Arity, Named, Op, View, ViewMut, no_derivative};
use crate::tape::var::Var;
use crate::tensor::error::{Kind, Reason};
use crate::tensor::memory::OutOfMemory;
use crate::tensor::shape::Shape;
use smallvec::SmallVec;

/// How a pooling window moves over its input; a window that is not told to steps by its own size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Height and width of the window.
    pub kernel: [usize; 2],
    /// Steps of the window between results.
    pub stride: [usize; 2],
    /// Elements added around the input on each side: never the largest, and 0 for a mean.
    pub padding: [usize; 2],
}

impl Pool {
    /// A window that steps by its own size.
    pub fn new(kernel: [usize; 2]) -> Self {
        Self { kernel, stride: kernel, padding: [0, 0] }
    }

    /// The same windows, and one more where elements are left at the end of a row or column, as `ceil_mode` in PyTorch.
    ///
    /// ```
    /// use autograd::{Pool, Tape, Tensor};
    /// let tape = Tape::new();
    /// let image = tape.var(&Tensor::from_fn([1, 1, 3, 3], |i| i as f64));
    /// assert_eq!(image.max_pool2d(Pool::new([2, 2])).value().as_slice(), [4.0]);
    /// assert_eq!(image.max_pool2d(Pool::new([2, 2]).ceil_mode()).value().as_slice(), [4.0, 5.0, 7.0, 8.0]);
    /// ```
    pub fn ceil_mode(self) -> Pooling {
        Pooling { pool: self, ceil: true }
    }
}

/// Whether the zeros of a padding count in a mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// A window is divided by all its places.
    Counts,
    /// A window is divided by its places within the image.
    IsLeftOut,
}

/// A pooling window, and whether it goes on to the last element: made from a [`Pool`], or by [`Pool::ceil_mode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pooling {
    pool: Pool,
    ceil: bool,
}

impl From<Pool> for Pooling {
    fn from(pool: Pool) -> Self {
        Self { pool, ceil: false }
    }
}

impl Pooling {
    /// The number of places of the window along an axis of images of this size. One that goes on to the last element
    /// begins in the image or in the padding before it.
    fn places(self, axis: usize, size: usize) -> Option<usize> {
        let Pool { kernel, stride, padding } = self.pool;
        let whole = padded(size, padding[axis]);
        if !self.ceil {
            return places(whole, kernel[axis], stride[axis]);
        }
        let count = places(whole.saturating_add(stride[axis] - 1), kernel[axis], stride[axis])?;
        let begins_behind = (count - 1).saturating_mul(stride[axis]) >= size.saturating_add(padding[axis]);
        Some(count - usize::from(begins_behind)).filter(|&count| count > 0)
    }

    /// How far the last window reaches beyond the padding.
    fn beyond(self, axis: usize, size: usize, places: usize) -> usize {
        let last = (places - 1).saturating_mul(self.pool.stride[axis]);
        last.saturating_add(self.pool.kernel[axis]).saturating_sub(padded(size, self.pool.padding[axis]))
    }
}

/// Where the largest element of each window of images `[n, c, h, w]` stands in its plane `[h, w]`. The padding is never it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PoolArgmax {
    pool: Pool,
    /// How many windows there are.
    places: [usize; 2],
}

impl Named for PoolArgmax {
    const NAMES: &'static [&'static str] = &["pool_argmax"];
}

impl<T: Float> Op<T, 1> for PoolArgmax {
    fn name(&self) -> &'static str {
        "pool_argmax"
    }
    fn attributes(&self) -> Attributes {
        let pair = |sizes: [usize; 2]| sizes.map(|size| size as isize)[..].into();
        vec![
            ("kernel", pair(self.pool.kernel)),
            ("stride", pair(self.pool.stride)),
            ("padding", pair(self.pool.padding)),
        ]
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(Shape::from([x[0], x[1], self.places[0], self.places[1]]))
    }
    fn eval(&self, args: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        self.try_eval(args, y).expect("there is memory for the places of the windows");
    }
    fn try_eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) -> Result<(), OutOfMemory> {
        let Pool { kernel, stride, padding } = self.pool;
        let windows = Windows { plane: [x.shape[2], x.shape[3]], kernel, stride, padding, places: self.places };
        largest_in_windows(x.data, windows, y.data)
    }
    no_derivative!(1);
}

/// # Pooling
///
/// Over windows of images, with PyTorch's conventions.
impl<'t, T: Float> Var<'t, T> {
    /// The largest element of each window of images `[n, c, h, w]`; the first of equal ones gets the cotangent, as in
    /// PyTorch. The padding is never the largest, also where all elements are −∞.
    ///
    /// # Panics
    /// Where this has another rank, the window does not fit, a size or stride is 0, the padding is more than half the
    /// window, or the images have no elements.
    #[track_caller]
    pub fn max_pool2d(self, pool: impl Into<Pooling>) -> Self {
        let pool = pool.into();
        let _whole = self.tape().composite("max_pool2d", [self]);
        let places = self.pool_places("max_pool2d", pool);
        self.require_elements("max_pool2d", "largest element");
        let first = self.tape().record(Arity(PoolArgmax { pool: pool.pool, places }), [self]);
        let (own, pooled) = (self.shape(), first.shape());
        let plane = own[2] * own[3];
        let first = IndexVar::computed(first, plane).reshape([own[0], own[1], places[0] * places[1]]);
        self.reshape([own[0], own[1], plane]).take_along_axis(2, &first).reshape(pooled)
    }

    /// The mean of each window of images `[n, c, h, w]`; the zeros of the padding count where that is said, and what lies
    /// beyond the padding ([`Pool::ceil_mode`]) never does.
    ///
    /// ```
    /// use autograd::{Padding, Pool, Tape, Tensor};
    /// let tape = Tape::new();
    /// let image = tape.var(&Tensor::from_fn([1, 1, 1, 2], |_| 4.0));
    /// let pool = Pool { padding: [0, 1], ..Pool::new([1, 2]) };
    /// assert_eq!(image.avg_pool2d(pool, Padding::Counts).value().as_slice(), [2.0, 2.0]);
    /// assert_eq!(image.avg_pool2d(pool, Padding::IsLeftOut).value().as_slice(), [4.0, 4.0]);
    /// ```
    ///
    /// # Panics
    /// Where this has another rank, the window does not fit, a size or stride is 0, the padding is more than half the
    /// window, or it does not count and the images have no elements.
    #[track_caller]
    pub fn avg_pool2d(self, pool: impl Into<Pooling>, padding: Padding) -> Self {
        let (pool, count_padding) = (pool.into(), padding == Padding::Counts);
        let _whole = self.tape().composite("avg_pool2d", [self]);
        let sum = self.window_sums("avg_pool2d", pool);
        if !count_padding {
            self.require_elements("avg_pool2d", "mean");
        }
        let (own, out) = (self.shape(), sum.shape());
        let is_inside = (0..2).all(|axis| pool.beyond(axis, own[axis + 2], out[axis + 2]) == 0);
        let Pooling { pool, .. } = pool;
        if is_inside && (count_padding || pool.padding == [0, 0]) {
            return sum.div_scalar((pool.kernel[0] * pool.kernel[1]) as f64);
        }
        let inside = |place: usize, axis: usize| {
            let (start, before, size) = (place * pool.stride[axis], pool.padding[axis], own[axis + 2]);
            let (first, behind) = if count_padding { (0, padded(size, before)) } else { (before, before + size) };
            start.saturating_add(pool.kernel[axis]).min(behind).saturating_sub(start.max(first))
        };
        let w = out[3];
        let count = |i: usize| T::of_count(inside(i / w, 0) * inside(i % w, 1));
        sum / self.tape().leaf_from_fn("avg_pool2d", &Shape::from([out[2], w]), count)
    }

    /// Whether images are more than their border.
    #[track_caller]
    fn require_elements(self, op: &str, what: &str) {
        let own = self.shape();
        self.require(op, own[2] > 0 && own[3] > 0, Kind::Empty, || {
            format!("the {what} of images without rows or columns does not exist")
        });
    }

    /// How many windows there are along the rows and columns of images.
    #[track_caller]
    fn pool_places(self, op: &str, pool: Pooling) -> [usize; 2] {
        let own = self.shape();
        self.require(op, own.rank() == 4, Kind::Shape, || "images [n, c, h, w] are needed".into());
        let Pool { kernel, stride, padding: [ph, pw] } = pool.pool;
        let positive = stride.iter().chain(&kernel).all(|&s| s > 0);
        self.require(op, positive, Kind::Option, || {
            format!("strides and windows are at least 1, not {stride:?} and {kernel:?}")
        });
        // More would make windows of padding alone.
        self.require(op, ph <= kernel[0] / 2 && pw <= kernel[1] / 2, Kind::Option, || {
            format!("a padding of at most half the window {kernel:?} is needed, not {:?}", [ph, pw])
        });
        let places = [0, 1].map(|axis| pool.places(axis, own[axis + 2]));
        self.require(op, places.iter().all(Option::is_some), Kind::Shape, || {
            format!("the window {kernel:?} is larger than the images")
        });
        places.map(Option::unwrap_or_default)
    }

    /// The sums of the windows of images, `[n, c, h′, w′]`, with zeros for the padding: along rows of sums along columns, so that
    /// what windows share is not read anew for each.
    #[track_caller]
    fn window_sums(self, op: &str, pool: Pooling) -> Self {
        let out = self.pool_places(op, pool);
        let (own, padding) = (self.shape(), pool.pool.padding);
        let beyond = [0, 1].map(|axis| pool.beyond(axis, own[axis + 2], out[axis]));
        let around = |axis: usize| (padding[axis], padding[axis].saturating_add(beyond[axis]));
        let image = self.pad(&[(0, 0), (0, 0), around(0), around(1)], 0.0);
        // What lies between windows is left out first.
        let order = if pool.pool.stride[1] > pool.pool.kernel[1] { [1, 0] } else { [0, 1] };
        order.into_iter().fold(image, |image, axis| image.sums_along(axis, pool.pool, out[axis]))
    }

    /// The sums of so many parts of the rows or columns of images.
    #[track_caller]
    fn sums_along(self, axis: usize, Pool { kernel, stride, .. }: Pool, out: usize) -> Self {
        let (own, kernel, step) = (self.shape(), kernel[axis], stride[axis]);
        if kernel == 1 && step == 1 {
            return self;
        }
        if step == kernel && own[axis + 2] == out * kernel {
            // Each element is in one window.
            return self.reshape(own.splice(axis + 2, &[out, kernel])).sum_axes(axis as isize + 3);
        }
        let apart = own.strides()[axis + 2];
        // Neighbours stay neighbours where they can.
        let part = if axis == 1 && step > 1 { 4 } else { axis + 2 };
        let mut sizes: SmallVec<[usize; 5]> = own.iter().copied().collect();
        let mut strides: SmallVec<[isize; 4]> = own.strides().iter().map(|&step| step as isize).collect();
        (sizes[axis + 2], strides[axis + 2]) = (out, self::stride(step, apart));
        sizes.insert(part, kernel);
        strides.insert(part, apart as isize);
        self.windows(sizes.iter().copied().collect(), strides).sum_axes(part as isize)
    }
}
