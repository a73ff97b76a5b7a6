//! Convolutions.

use crate::layers::Init;
use autograd::{Conv, Float, Tensor, Var, tree, vjp};
use rand::Rng;

/// What stands around an input beyond its edges, as `padding_mode` in PyTorch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Edges {
    /// Zeros.
    #[default]
    Zeros,
    /// The input again, mirrored at its first and last element, which are not repeated.
    Reflect,
    /// The first and the last element.
    Replicate,
    /// The input from its other end on.
    Circular,
}

impl Edges {
    /// Adds so many elements before and after each of the last axes, for a layer of this name.
    ///
    /// # Panics
    /// Where there are more than the input has.
    #[track_caller]
    fn pad<'t, T: Float>(self, layer: &str, x: Var<'t, T>, pads: &[(usize, usize)]) -> Var<'t, T> {
        let (shape, first) = (x.shape(), x.shape().rank() - pads.len());
        if self == Self::Zeros {
            let all: Vec<(usize, usize)> = (0..first).map(|_| (0, 0)).chain(pads.iter().copied()).collect();
            return x.pad(&all, 0.0);
        }
        let mut padded = x;
        // In a closure, a panic would be told at its line.
        for (axis, &(before, after)) in (first..).zip(pads) {
            let (n, most) = (shape[axis], before.max(after));
            let enough = match self {
                Self::Reflect => most < n,
                Self::Circular => most <= n,
                Self::Zeros | Self::Replicate => n > 0,
            };
            assert!(enough, "{layer}::forward: {most} elements around an axis of size {n} are too many for {self:?}");
            if most > 0 {
                let n = n as i64;
                let places = -(before as i64)..n + after as i64;
                let indices: Vec<usize> = places.map(|at| self.place(at, n) as usize).collect();
                padded = padded.index_select(axis as isize, &indices);
            }
        }
        padded
    }

    /// Which of `n` elements stands at a place, that may be beyond them.
    fn place(self, at: i64, n: i64) -> i64 {
        match self {
            Self::Reflect if at < 0 => -at,
            Self::Reflect if at >= n => 2 * (n - 1) - at,
            Self::Circular => at.rem_euclid(n),
            Self::Zeros | Self::Reflect | Self::Replicate => at.clamp(0, n - 1),
        }
    }
}

/// Zeros, or other elements, before and after an axis so that the results of a kernel with step 1 are as many as the inputs
/// (`padding = "same"`): one more behind where they are odd in number.
fn same(kernel: usize, dilation: usize) -> (usize, usize) {
    let total = dilation * kernel.saturating_sub(1);
    (total / 2, total - total / 2)
}

macro_rules! convolution {
    ($name:ident, $d:literal, $conv:ident, $torch:literal, $shape:literal, $kernel:literal, $example:literal) => {
        #[doc = concat!("A convolution of an input ", $shape, ": `torch.nn.", $torch, "`, which does not turn the kernel round.")]
        #[doc = ""]
        #[doc = $example]
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name<V> {
            #[doc = concat!("`[out, in / groups, ", $kernel, "]`")]
            pub weight: V,
            /// `[out]`, if there is one.
            pub bias: Option<V>,
            /// Strides, dilation, groups; its padding stays 0, since this layer pads.
            pub conv: Conv<$d>,
            /// How many elements stand before and after each axis.
            pub padding: [(usize, usize); $d],
            /// Which elements they are.
            pub edges: Edges,
        }
        tree!($name { weight, bias, ..conv, ..padding, ..edges });

        impl<T: Float> $name<Tensor<T>> {
            /// From `[in, out]` channels by a kernel of this size, with uniform weights and biases between `±1/√(in · kernel)` as
            /// PyTorch's, and no padding.
            ///
            /// # Panics
            /// As [`Init::sample`].
            #[track_caller]
            pub fn new(channels: [usize; 2], kernel: [usize; $d], rng: &mut impl Rng) -> Self {
                Self::with(channels, kernel, Conv::default(), rng)
            }

            /// The same with strides, dilation, groups, and the padding on each side.
            ///
            /// # Panics
            /// As [`Init::sample`], or where the channels are not groups of one size.
            #[track_caller]
            pub fn with(channels: [usize; 2], kernel: [usize; $d], conv: Conv<$d>, rng: &mut impl Rng) -> Self {
                let ([inputs, outputs], groups) = (channels, conv.groups);
                assert!(
                    groups > 0 && inputs.is_multiple_of(groups) && outputs.is_multiple_of(groups),
                    concat!(stringify!($name), "::with: channels {:?} are not {} groups of one size"),
                    channels,
                    groups
                );
                let mut shape = vec![outputs, inputs / groups];
                shape.extend(kernel);
                let fan = (shape[1..].iter().product::<usize>()).max(1);
                let high = 1.0 / (fan as f64).sqrt();
                let init = Init::Uniform { low: -high, high };
                Self {
                    weight: init.sample(shape, rng),
                    bias: Some(init.sample([outputs], rng)),
                    padding: conv.padding.map(|pad| (pad, pad)),
                    conv: Conv { padding: [0; $d], ..conv },
                    edges: Edges::Zeros,
                }
            }

            /// The same with as many results as inputs along each axis (`padding = "same"`).
            ///
            /// # Panics
            /// Where a stride is not 1.
            #[track_caller]
            pub fn same(self) -> Self {
                let Conv { stride, dilation, .. } = self.conv;
                assert!(stride == [1; $d], "same: strides of 1 are needed, not {stride:?}");
                let kernel = &self.weight.shape()[2..];
                let padding = std::array::from_fn(|i| same(kernel[i], dilation[i]));
                Self { padding, ..self }
            }
        }

        impl<'t, T: Float> $name<Var<'t, T>> {
            #[doc = concat!("From ", $shape, " to results with other channels, recorded.")]
            ///
            /// # Panics
            /// Where the shapes do not fit.
            #[track_caller]
            pub fn forward(&self, x: Var<'t, T>) -> Var<'t, T> {
                let shape = x.shape();
                let _whole = x.tape().composite(concat!(stringify!($name), "::forward"), [x, self.weight]);
                assert!(
                    shape.rank() == $d + 2,
                    concat!(stringify!($name), "::forward: an input ", $shape, " is needed, not of shape {}"),
                    shape
                );
                let evenly = self.padding.iter().all(|(before, after)| before == after);
                if self.edges == Edges::Zeros && evenly {
                    let padding = self.padding.map(|(before, _)| before);
                    return x.$conv(self.weight, self.bias, Conv { padding, ..self.conv });
                }
                let padded = self.edges.pad(stringify!($name), x, &self.padding);
                padded.$conv(self.weight, self.bias, self.conv)
            }
        }
    };
}

convolution!(
    Conv1d,
    1,
    conv1d,
    "Conv1d",
    "`[n, channels, length]`",
    "kernel",
    "```
use autograd::{Tape, Tensor};
use nn::layers::Conv1d;
let layer = Conv1d::<Tensor>::new([2, 4], [3], &mut nn::generator(0)).same();
let tape = Tape::new();
let y = tape.vars(&layer).forward(tape.var(&Tensor::ones([1, 2, 10])));
assert_eq!(y.shape()[..], [1, 4, 10]);
```"
);
convolution!(
    Conv2d,
    2,
    conv2d,
    "Conv2d",
    "`[n, channels, height, width]`",
    "height, width",
    "```
use autograd::{Conv, Tape, Tensor};
use nn::layers::Conv2d;
let conv = Conv { stride: [2, 2], padding: [1, 1], ..Conv::default() };
let layer = Conv2d::<Tensor>::with([1, 8], [3, 3], conv, &mut nn::generator(0));
let tape = Tape::new();
let y = tape.vars(&layer).forward(tape.var(&Tensor::ones([5, 1, 8, 8])));
assert_eq!(y.shape()[..], [5, 8, 4, 4]);
```"
);

/// What a convolution of images does to a gradient, as a layer: images become larger, by their stride. `torch.nn.ConvTranspose2d`.
///
/// ```
/// use autograd::{Conv, Tape, Tensor};
/// use nn::layers::ConvTranspose2d;
/// let conv = Conv { stride: [2, 2], ..Conv::default() };
/// let layer = ConvTranspose2d::<Tensor>::new([4, 1], [2, 2], conv, &mut nn::generator(0));
/// let tape = Tape::new();
/// let y = tape.vars(&layer).forward(tape.var(&Tensor::ones([1, 4, 8, 8])));
/// assert_eq!(y.shape()[..], [1, 1, 16, 16]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ConvTranspose2d<V> {
    /// `[in, out / groups, height, width]`
    pub weight: V,
    /// `[out]`, if there is one.
    pub bias: Option<V>,
    /// Strides, padding, dilation and groups of the convolution whose gradient it is.
    pub conv: Conv<2>,
    /// How many rows and columns more there are at the end, less than a stride.
    pub output_padding: [usize; 2],
}
tree!(ConvTranspose2d { weight, bias, ..conv, ..output_padding });

impl<T: Float> ConvTranspose2d<Tensor<T>> {
    /// From `[in, out]` channels by a kernel of this size, with uniform weights and biases between `±1/√(out · kernel)` as PyTorch's.
    ///
    /// # Panics
    /// As [`Init::sample`], or where the channels are not groups of one size.
    #[track_caller]
    pub fn new(channels: [usize; 2], kernel: [usize; 2], conv: Conv<2>, rng: &mut impl Rng) -> Self {
        let ([inputs, outputs], groups) = (channels, conv.groups);
        assert!(
            groups > 0 && inputs.is_multiple_of(groups) && outputs.is_multiple_of(groups),
            "ConvTranspose2d::new: channels {channels:?} are not {groups} groups of one size"
        );
        let shape = [inputs, outputs / groups, kernel[0], kernel[1]];
        let fan = shape[1..].iter().product::<usize>().max(1);
        let high = 1.0 / (fan as f64).sqrt();
        let init = Init::Uniform { low: -high, high };
        let bias = Some(init.sample([outputs], rng));
        Self { weight: init.sample(shape, rng), bias, conv, output_padding: [0, 0] }
    }
}

impl<'t, T: Float> ConvTranspose2d<Var<'t, T>> {
    /// From `[n, in, height, width]` to `[n, out, …]` with `(size − 1) · stride − 2 · padding + dilation · (kernel − 1) + output_padding + 1`
    /// rows and columns, recorded.
    ///
    /// # Panics
    /// Where the shapes do not fit, or there would be no rows or columns.
    #[track_caller]
    pub fn forward(&self, x: Var<'t, T>) -> Var<'t, T> {
        let (shape, weight) = (x.shape(), self.weight.shape());
        let _whole = x.tape().composite("ConvTranspose2d::forward", [x, self.weight]);
        assert!(
            shape.rank() == 4 && weight.rank() == 4 && shape[1] == weight[0],
            "ConvTranspose2d::forward: an input [n, {}, height, width] is needed, not of shape {shape}",
            weight.first().copied().unwrap_or(0)
        );
        let Conv { stride, padding, dilation, groups } = self.conv;
        let size = |i: usize| {
            let spread =
                (shape[2 + i] - 1) * stride[i] + dilation[i] * (weight[2 + i] - 1) + self.output_padding[i] + 1;
            spread.checked_sub(2 * padding[i]).filter(|&size| size > 0)
        };
        let (Some(height), Some(width), true) = (size(0), size(1), shape[2] > 0 && shape[3] > 0) else {
            panic!("ConvTranspose2d::forward: nothing is left of shape {shape} within a padding of {padding:?}");
        };
        // The convolution is linear: its gradient does not depend on where it is taken.
        let image = x.tape().full([shape[0], weight[1] * groups, height, width], T::ZERO);
        let y = vjp(image.conv2d(self.weight, None, self.conv), &image, x);
        self.bias.map_or(y, |bias| y + bias.reshape([1, bias.numel(), 1, 1]))
    }
}
