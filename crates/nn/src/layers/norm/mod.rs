//! Layers that give numbers the mean 0 and the variance 1.

mod batch_norm;
mod group_norm;
mod instance_norm;
mod layer_norm;

pub use batch_norm::BatchNorm;
pub use group_norm::GroupNorm;
pub use instance_norm::InstanceNorm;
pub use layer_norm::{LayerNorm, RmsNorm};

use autograd::{Float, Var, keepdims};

/// The mean, the variance (divided by the number), and `(x − mean) / √(variance + ε)`, along axes that stay with the size 1.
#[track_caller]
fn normalised<'t, T: Float>(x: Var<'t, T>, axes: &[isize], epsilon: f64) -> [Var<'t, T>; 3] {
    let mean = x.mean_axes(keepdims(axes));
    let centred = x - mean;
    let variance = centred.square().mean_axes(keepdims(axes));
    [mean, variance, centred * (variance + epsilon).rsqrt()]
}

/// One number for each channel, which is axis 1 of a shape of this rank.
#[track_caller]
fn of_channels<'t, T: Float>(numbers: Var<'t, T>, rank: usize) -> Var<'t, T> {
    let mut shape = vec![1; rank];
    shape[1] = numbers.numel();
    numbers.reshape(shape)
}

/// `x · weight + bias`, both one number for each channel.
#[track_caller]
fn affine<'t, T: Float>(x: Var<'t, T>, weight: Option<Var<'t, T>>, bias: Option<Var<'t, T>>) -> Var<'t, T> {
    let rank = x.shape().rank();
    let x = weight.map_or(x, |weight| x * of_channels(weight, rank));
    bias.map_or(x, |bias| x + of_channels(bias, rank))
}

/// An input normalised by running values, which are constants.
#[track_caller]
fn by_running<'t, T: Float>(x: Var<'t, T>, running: [Var<'t, T>; 2], epsilon: f64) -> Var<'t, T> {
    let rank = x.shape().rank();
    let [mean, variance] = running.map(|buffer| of_channels(buffer.stop_gradient(), rank));
    (x - mean) * (variance + epsilon).rsqrt()
}

/// A running mean, `(1 − m) · running + m · new`.
fn moved<'t, T: Float>(running: Var<'t, T>, new: Var<'t, T>, momentum: Var<'t, T>) -> Var<'t, T> {
    running + (new - running) * momentum
}
