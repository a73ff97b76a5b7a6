//! Convolution: windows are a view with overlapping strides, so their adjoint adds up by itself, and a convolution is one matrix product
//! over them. Where each channel has a kernel of its own, it is a sum of shifted images.

use crate::float::Float;
use crate::ops::matmul::Transposed;
use crate::tape::var::Var;
use crate::tensor::error::Kind;
use crate::tensor::shape::Shape;
use smallvec::smallvec;

/// How a kernel moves over its input, in each spatial dimension.
///
/// ```
/// use autograd::Conv;
/// let same = Conv { padding: [1, 1], ..Conv::default() };
/// assert_eq!((same.stride, same.groups), ([1, 1], 1));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conv<const D: usize> {
    /// Steps of the kernel between results.
    pub stride: [usize; D],
    /// Zeros around the input on each side.
    pub padding: [usize; D],
    /// Steps between the elements of the kernel.
    pub dilation: [usize; D],
    /// Independent groups of channels.
    pub groups: usize,
}

impl<const D: usize> Default for Conv<D> {
    fn default() -> Self {
        Self { stride: [1; D], padding: [0; D], dilation: [1; D], groups: 1 }
    }
}

/// The number of places of a kernel that spans `span` in `size` elements.
pub(super) fn places(size: usize, span: usize, stride: usize) -> Option<usize> {
    Some((size.checked_sub(span)? / stride).saturating_add(1))
}

/// A size with padding on both sides. (Sizes of users' numbers saturate, and then no tensor has them.)
pub(super) fn padded(size: usize, padding: usize) -> usize {
    padding.saturating_mul(2).saturating_add(size)
}

/// The distance of neighbours that are `steps` rows of `width` apart. Where it is too large for a number, there is but one of
/// them, and nobody walks it.
pub(super) fn stride(steps: usize, width: usize) -> isize {
    steps.wrapping_mul(width) as isize
}

/// The most elements of a kernel of one channel that an image is shifted by, one after the other.
const FEW_TAPS: usize = 36;

/// # Convolution
///
/// Over windows of signals and images, with PyTorch's conventions.
impl<'t, T: Float> Var<'t, T> {
    /// Convolution (cross-correlation) of a signal `[n, c, w]` with kernels `[o, c/groups, k]`, as PyTorch.
    ///
    /// # Panics
    /// As [`Var::conv2d`].
    #[track_caller]
    pub fn conv1d(self, weight: Self, bias: Option<Self>, conv: Conv<1>) -> Self {
        let _whole = self.tape().composite("conv1d", [Some(self), Some(weight), bias]);
        self.require("conv1d", self.rank() == 3 && weight.rank() == 3, Kind::Shape, || {
            format!("a signal [n, c, w] and kernels [o, c, k] are needed, not {} and {}", self.shape(), weight.shape())
        });
        let conv = Conv {
            stride: [1, conv.stride[0]],
            padding: [0, conv.padding[0]],
            dilation: [1, conv.dilation[0]],
            groups: conv.groups,
        };
        self.expand_dims(2).convolve("conv1d", (weight.expand_dims(2), &weight.shape()), bias, conv).squeeze(2)
    }

    /// Convolution (cross-correlation) of images `[n, c, h, w]` with kernels `[o, c/groups, kh, kw]`, as PyTorch:
    /// `[n, o, h′, w′]` with `h′ = (h + 2·padding − dilation·(kh − 1) − 1) / stride + 1`.
    ///
    /// ```
    /// use autograd::{Conv, Tape, Tensor};
    /// let tape = Tape::new();
    /// let image = tape.var(&Tensor::new([1, 1, 2, 2], vec![1.0, 2.0, 3.0, 4.0]));
    /// let kernel = tape.var(&Tensor::new([1, 1, 1, 2], vec![1.0, -1.0]));
    /// assert_eq!(image.conv2d(kernel, None, Conv::default()).value().as_slice(), [-1.0, -1.0]);
    /// ```
    ///
    /// # Panics
    /// Where the shapes do not fit each other or the groups, a bias is not `[o]`, a stride, a dilation or the kernel's
    /// size is 0, or the kernel is larger than the padded image.
    #[track_caller]
    pub fn conv2d(self, weight: Self, bias: Option<Self>, conv: Conv<2>) -> Self {
        let _whole = self.tape().composite("conv2d", [Some(self), Some(weight), bias]);
        self.require("conv2d", self.rank() == 4 && weight.rank() == 4, Kind::Shape, || {
            let (own, kernel) = (self.shape(), weight.shape());
            format!("images [n, c, h, w] and kernels [o, c, kh, kw] are needed, not {own} and {kernel}")
        });
        self.convolve("conv2d", (weight, &weight.shape()), bias, conv)
    }

    /// As [`Var::conv2d`], which has checked the ranks, with the shape that the kernels were given in.
    #[track_caller]
    fn convolve(self, op: &str, (weight, given): (Self, &Shape), bias: Option<Self>, conv: Conv<2>) -> Self {
        let (own, kernel) = (self.shape(), weight.shape());
        self.require(op, kernel[2] > 0 && kernel[3] > 0, Kind::Shape, || {
            format!("kernels of size 1 or more are needed, not {given}")
        });
        let Conv { stride, padding, dilation, groups } = conv;
        let positive = groups > 0 && stride.iter().chain(&dilation).all(|&s| s > 0);
        self.require(op, positive, Kind::Option, || {
            format!("strides, dilations and groups are at least 1, not {stride:?}, {dilation:?} and {groups}")
        });
        let (n, channels, outputs, per_group) = (own[0], own[1], kernel[0], kernel[1]);
        let grouped = per_group.checked_mul(groups) == Some(channels) && outputs % groups == 0;
        self.require(op, grouped, Kind::Shape, || {
            format!("{channels} channels do not fit kernels {given} in {groups} groups")
        });
        let spatial: [(usize, Option<usize>); 2] = std::array::from_fn(|i| {
            let span = dilation[i].saturating_mul(kernel[i + 2] - 1).saturating_add(1);
            let size = padded(own[i + 2], padding[i]);
            (size, places(size, span, stride[i]))
        });
        let [(h, Some(out_h)), (w, Some(out_w))] = spatial else {
            self.require(op, false, Kind::Shape, || format!("the kernels {given} are larger than the images"));
            return self;
        };
        if let Some(bias) = bias {
            self.require(op, bias.shape()[..] == [outputs], Kind::Shape, || {
                format!("a bias of shape [{outputs}], one for each kernel, is needed, not {}", bias.shape())
            });
        }
        let image = self.pad(&[(0, 0), (0, 0), (padding[0], padding[0]), (padding[1], padding[1])], 0.0);
        let with_bias = |y: Self| bias.map_or(y, |bias| y + bias.reshape([outputs, 1, 1]));
        if per_group == 1 && outputs == groups && stride == [1, 1] && kernel[2].saturating_mul(kernel[3]) <= FEW_TAPS {
            return with_bias(image.tap_by_tap(weight, dilation, [out_h, out_w]));
        }
        let (of_image, of_channel) = ((channels * h * w) as isize, (h * w) as isize);
        let [down, right] = [self::stride(stride[0], w), self::stride(stride[1], 1)];
        let [kernel_down, kernel_right] = [self::stride(dilation[0], w), self::stride(dilation[1], 1)];
        let of_group = per_group as isize * of_channel;
        let windows = image.windows(
            Shape::from(vec![n, groups, out_h, out_w, per_group, kernel[2], kernel[3]]),
            smallvec![of_image, of_group, down, right, of_channel, kernel_down, kernel_right],
        );
        let span = per_group * kernel[2] * kernel[3];
        let columns = windows.reshape([n, groups, out_h * out_w, span]);
        let kernels = weight.reshape([groups, outputs / groups, span]);
        // [groups, o/groups, span] · [n, groups, span, h′·w′]
        with_bias(kernels.matmul_with(columns, Transposed::RIGHT).reshape([n, outputs, out_h, out_w]))
    }

    /// A convolution of each channel with a kernel of its own, as the sum of shifted images, each times a number of a channel: their views
    /// are links of a chain, where windows would be copied and multiplied as matrices of one row.
    #[track_caller]
    fn tap_by_tap(self, weight: Self, dilation: [usize; 2], [out_h, out_w]: [usize; 2]) -> Self {
        let (kernel, channels) = (weight.shape(), weight.shape()[0]);
        let taps = weight.reshape([channels, kernel[2] * kernel[3]]);
        let shifted = (0..kernel[2] * kernel[3]).map(|tap| {
            let (down, right) = (tap / kernel[3] * dilation[0], tap % kernel[3] * dilation[1]);
            let image = self.narrow(2, down, out_h).narrow(3, right, out_w);
            image * taps.narrow(1, tap, 1).reshape([channels, 1, 1])
        });
        shifted.reduce(|sum, shifted| sum + shifted).expect("a kernel has an element")
    }
}
