//! Pooling: images become smaller.

use autograd::{Float, Padding, Pool, Pooling, Slice, Tensor, Var, stack};

/// How a window of a pooling moves, as `torch.nn.MaxPool2d` and `AvgPool2d` are told. Along one axis of an input `[n, channels, length]` it is a
/// window with the height 1.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::layers::Window;
/// let tape = Tape::new();
/// let image = tape.var(&Tensor::from_fn([1, 1, 2, 4], |i| i as f64));
/// let window = Window::new([2, 2]);
/// assert_eq!(window.max(image).value().as_slice(), [5.0, 7.0]);
/// assert_eq!(window.mean(image).value().as_slice(), [2.5, 4.5]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Height and width.
    pub kernel: [usize; 2],
    /// Steps between results.
    pub stride: [usize; 2],
    /// Elements added on each side, which are never the largest, and 0 in a mean.
    pub padding: [usize; 2],
    /// Steps between the elements of a window, of a maximum.
    pub dilation: [usize; 2],
    /// One more window where elements are left at the end (`ceil_mode`).
    pub to_the_end: bool,
    /// Whether added elements count in a mean (`count_include_pad`).
    pub counts_padding: bool,
    /// What a sum is divided by in place of the number of elements (`divisor_override`).
    pub divisor: Option<usize>,
}

impl Window {
    /// Of this size, which steps by its own size, without padding.
    pub fn new(kernel: [usize; 2]) -> Self {
        Self {
            kernel,
            stride: kernel,
            padding: [0, 0],
            dilation: [1, 1],
            to_the_end: false,
            counts_padding: true,
            divisor: None,
        }
    }

    fn pooling(&self) -> Pooling {
        let Self { kernel, stride, padding, .. } = *self;
        let pool = Pool { stride, padding, ..Pool::new(kernel) };
        if self.to_the_end { pool.ceil_mode() } else { pool.into() }
    }

    /// The largest element of each window of images `[n, channels, height, width]`, recorded.
    ///
    /// # Panics
    /// Where the input has another rank, or no window fits.
    #[track_caller]
    pub fn max<'t, T: Float>(&self, x: Var<'t, T>) -> Var<'t, T> {
        let _whole = x.tape().composite("Window::max", [x]);
        if self.dilation == [1, 1] {
            return x.max_pool2d(self.pooling());
        }
        let places = self.places(x, self.dilation);
        let [before, after] = [0, 1].map(|i| self.around(x.shape()[2 + i], i, places[i]));
        let padded = x.pad(&[(0, 0), (0, 0), before, after], f64::NEG_INFINITY);
        let ([kh, kw], [sh, sw], [dh, dw]) = (self.kernel, self.stride, self.dilation);
        let of = |i: usize| {
            let (row, column) = (i / kw * dh, i % kw * dw);
            let along = |start: usize, step: usize, count: usize| {
                Slice::from(start as isize..(start + step * (count - 1) + 1) as isize).step(step as isize)
            };
            padded.slice([Slice::all(), Slice::all(), along(row, sh, places[0]), along(column, sw, places[1])])
        };
        let all: Vec<Var<'t, T>> = (0..kh * kw).map(of).collect();
        stack(&all, 0).max_axes(0)
    }

    /// The mean of each window of images `[n, channels, height, width]`, recorded.
    ///
    /// # Panics
    /// Where the input has another rank, no window fits, or the divisor is 0.
    #[track_caller]
    pub fn mean<'t, T: Float>(&self, x: Var<'t, T>) -> Var<'t, T> {
        let _whole = x.tape().composite("Window::mean", [x]);
        let Some(divisor) = self.divisor else {
            let padding = if self.counts_padding { Padding::Counts } else { Padding::IsLeftOut };
            return x.avg_pool2d(self.pooling(), padding);
        };
        assert!(divisor > 0, "Window::mean: a divisor of 1 or more is needed, not 0");
        let means = x.avg_pool2d(self.pooling(), Padding::Counts);
        // Each mean is of as many elements as its window has within the padded image.
        let shape = means.shape();
        let count = |axis: usize, place: usize| {
            let end = x.shape()[2 + axis] + 2 * self.padding[axis];
            end.saturating_sub(place * self.stride[axis]).min(self.kernel[axis])
        };
        let (height, width) = (shape[2], shape[3]);
        let factor = |i: usize| T::of((count(0, i / width) * count(1, i % width)) as f64 / divisor as f64);
        means * x.tape().var(&Tensor::from_fn([height, width], factor))
    }

    /// As [`Window::max`], along the last axis of an input `[n, channels, length]`; the window has the height 1.
    ///
    /// # Panics
    /// As [`Window::max`].
    #[track_caller]
    pub fn max_along<'t, T: Float>(&self, x: Var<'t, T>) -> Var<'t, T> {
        let y = self.max(image("Window::max_along", x));
        y.squeeze(2)
    }

    /// As [`Window::mean`], along the last axis of an input `[n, channels, length]`; the window has the height 1.
    ///
    /// # Panics
    /// As [`Window::mean`].
    #[track_caller]
    pub fn mean_along<'t, T: Float>(&self, x: Var<'t, T>) -> Var<'t, T> {
        let y = self.mean(image("Window::mean_along", x));
        y.squeeze(2)
    }

    /// How many windows there are along each axis.
    #[track_caller]
    fn places<'t, T: Float>(&self, x: Var<'t, T>, dilation: [usize; 2]) -> [usize; 2] {
        let shape = x.shape();
        assert!(shape.rank() == 4, "Window: images [n, channels, height, width] are needed, not of shape {shape}");
        std::array::from_fn(|i| {
            let (size, stride) = (shape[2 + i] + 2 * self.padding[i], self.stride[i].max(1));
            let reach = dilation[i] * self.kernel[i].saturating_sub(1) + 1;
            assert!(size >= reach, "Window: no window of {:?} fits into shape {shape}", self.kernel);
            let steps = size - reach;
            let places = if self.to_the_end { steps.div_ceil(stride) } else { steps / stride } + 1;
            // One that would begin behind the image and its padding in front is none.
            if (places - 1) * stride >= shape[2 + i] + self.padding[i] { places - 1 } else { places }
        })
    }

    /// The elements that stand before and after an axis so that all windows are whole.
    fn around(&self, size: usize, axis: usize, places: usize) -> (usize, usize) {
        let reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
        let end = (places - 1) * self.stride[axis] + reach;
        (self.padding[axis], end.saturating_sub(size + self.padding[axis]))
    }
}

#[track_caller]
fn image<'t, T: Float>(function: &str, x: Var<'t, T>) -> Var<'t, T> {
    let shape = x.shape();
    assert!(shape.rank() == 3, "{function}: an input [n, channels, length] is needed, not of shape {shape}");
    x.reshape([shape[0], shape[1], 1, shape[2]])
}

/// Means over windows that are as many as asked for, of about one size, and cover the image: window `i` goes from `⌊i · in / out⌋` to
/// `⌈(i + 1) · in / out⌉`. `torch.nn.AdaptiveAvgPool2d`; an axis without a number keeps its size.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::layers::adaptive_mean;
/// let tape = Tape::new();
/// let image = tape.var(&Tensor::from_fn([1, 1, 2, 4], |i| i as f64));
/// assert_eq!(adaptive_mean(image, [Some(1), None]).value().as_slice(), [2.0, 3.0, 4.0, 5.0]);
/// ```
///
/// # Panics
/// Where the input is not `[n, channels, height, width]`.
#[track_caller]
pub fn adaptive_mean<'t, T: Float>(x: Var<'t, T>, sizes: [Option<usize>; 2]) -> Var<'t, T> {
    let shape = x.shape();
    let _whole = x.tape().composite("adaptive_mean", [x]);
    assert!(shape.rank() == 4, "adaptive_mean: images [n, channels, height, width] are needed, not of shape {shape}");
    // Means along an axis are a product with a matrix.
    let means = |axis: usize| {
        let (from, to) = (shape[2 + axis], sizes[axis]?);
        Some(x.tape().var(&Tensor::from_fn([to, from], |i| {
            let (window, place) = (i / from, i % from);
            let (start, end) = (window * from / to, ((window + 1) * from).div_ceil(to));
            if (start..end).contains(&place) { T::of(1.0 / (end - start) as f64) } else { T::ZERO }
        })))
    };
    let x = means(0).map_or(x, |means| means.matmul(x));
    means(1).map_or(x, |means| x.matmul(means.t()))
}
