//! Layers one after the other.

use crate::context::Context;
use crate::layers::{
    Activation, BatchNorm, Conv1d, Conv2d, ConvTranspose2d, Dropout, GroupNorm, InstanceNorm, LayerNorm, Linear, PRelu,
    RmsNorm, Window, adaptive_mean,
};
use autograd::{Float, Tape, Tensor, Tree, Var};

/// Layers one after the other: `torch.nn.Sequential`, with its names, `0.weight`, `0.bias`, `2.weight`, …
///
/// ```
/// use autograd::{Tensor, Tree};
/// use nn::layers::{Conv2d, Layer, Sequential, Window};
/// use nn::{Activation, Init, Linear, generator};
/// let rng = &mut generator(0);
/// let net: Sequential<Tensor> = Sequential::new([
///     Conv2d::new([1, 4], [3, 3], rng).same().into(),
///     Activation::Relu.into(),
///     Layer::MaxPool(Window::new([2, 2])),
///     Layer::Flatten,
///     Linear::new([4 * 4 * 4, 10], Init::XavierUniform { gain: 1.0 }, rng).into(),
/// ]);
/// assert_eq!(net.names(), ["0.weight", "0.bias", "4.weight", "4.bias"]);
/// assert_eq!(net.predict(&Tensor::ones([2, 1, 8, 8])).shape()[..], [2, 10]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Sequential<V> {
    /// The layers, from the input on.
    pub layers: Vec<Layer<V>>,
}

/// A layer of [`Sequential`]: from one value to another one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Layer<V> {
    /// An affine layer.
    Linear(Linear<V>),
    /// A convolution along one axis.
    Conv1d(Conv1d<V>),
    /// A convolution of images.
    Conv2d(Conv2d<V>),
    /// Its transpose.
    ConvTranspose2d(ConvTranspose2d<V>),
    /// Normalisation by the batch.
    BatchNorm(BatchNorm<V>),
    /// Normalisation over the last axes.
    LayerNorm(LayerNorm<V>),
    /// Division by the root of the mean square over the last axes.
    RmsNorm(RmsNorm<V>),
    /// Normalisation by groups of channels.
    GroupNorm(GroupNorm<V>),
    /// Normalisation of each image by itself.
    InstanceNorm(InstanceNorm<V>),
    /// A rectifier whose slope is learnt.
    PRelu(PRelu<V>),
    /// An element-wise function.
    Activation(Activation),
    /// Elements that are left out in training.
    Dropout(Dropout),
    /// From `[n, …]` to `[n, all]`.
    Flatten,
    /// The largest element of each window of images, or of `[n, channels, length]` by a window of height 1.
    MaxPool(Window),
    /// The mean of each window of images, or of `[n, channels, length]` by a window of height 1.
    AvgPool(Window),
    /// Means over windows that are as many as asked for.
    AdaptiveAvgPool([Option<usize>; 2]),
    /// From `[n, …]` to `[n, …]` of these sizes.
    Reshape(Vec<usize>),
    /// What comes in plus what these layers make of it (He et al., "Deep residual learning", 2016).
    Residual(Sequential<V>),
}

/// For each layer with parameters, how one is made of it.
macro_rules! of_layers {
    ($($name:ident),*) => {
        $(
            impl<V> From<$name<V>> for Layer<V> {
                fn from(layer: $name<V>) -> Self {
                    Self::$name(layer)
                }
            }
        )*
        of_layers!(@tree [T: Float] Tensor<T>; $($name),*);
        of_layers!(@tree ['t, T: Float] Var<'t, T>; $($name),*);
    };
    (@tree [$($parameter:tt)*] $leaf:ty; $($name:ident),*) => {
        /// The names of leaves are those within the layer.
        impl<$($parameter)*> Tree for Layer<$leaf> {
            type Leaf = $leaf;
            type With<U> = Layer<U>;

            fn map<U>(&self, f: &mut dyn FnMut(&$leaf) -> U) -> Layer<U> {
                match self {
                    $(Self::$name(layer) => Layer::$name(layer.map(f)),)*
                    Self::Residual(layers) => Layer::Residual(layers.map(f)),
                    Self::Activation(activation) => Layer::Activation(*activation),
                    Self::Dropout(dropout) => Layer::Dropout(*dropout),
                    Self::Flatten => Layer::Flatten,
                    Self::MaxPool(window) => Layer::MaxPool(*window),
                    Self::AvgPool(window) => Layer::AvgPool(*window),
                    Self::AdaptiveAvgPool(sizes) => Layer::AdaptiveAvgPool(*sizes),
                    Self::Reshape(sizes) => Layer::Reshape(sizes.clone()),
                }
            }
            fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a $leaf)) {
                match self {
                    $(Self::$name(layer) => layer.visit(f),)*
                    Self::Residual(layers) => layers.visit(f),
                    _ => {}
                }
            }
            fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(&'a mut $leaf)) {
                match self {
                    $(Self::$name(layer) => layer.visit_mut(f),)*
                    Self::Residual(layers) => layers.visit_mut(f),
                    _ => {}
                }
            }
            fn paths(&self, prefix: &str, f: &mut dyn FnMut(&str)) {
                match self {
                    $(Self::$name(layer) => layer.paths(prefix, f),)*
                    Self::Residual(layers) => layers.paths(prefix, f),
                    _ => {}
                }
            }
            fn form(&self, f: &mut dyn FnMut(u64)) {
                match self {
                    $(Self::$name(layer) => layer.form(f),)*
                    Self::Residual(layers) => layers.form(f),
                    _ => f(0),
                }
            }
        }

        impl<$($parameter)*> Tree for Sequential<$leaf> {
            type Leaf = $leaf;
            type With<U> = Sequential<U>;

            fn map<U>(&self, f: &mut dyn FnMut(&$leaf) -> U) -> Sequential<U> {
                Sequential { layers: self.layers.map(f) }
            }
            fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a $leaf)) {
                self.layers.visit(f);
            }
            fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(&'a mut $leaf)) {
                self.layers.visit_mut(f);
            }
            fn paths(&self, prefix: &str, f: &mut dyn FnMut(&str)) {
                self.layers.paths(prefix, f);
            }
            fn form(&self, f: &mut dyn FnMut(u64)) {
                self.layers.form(f);
            }
        }
    };
}
of_layers!(Linear, Conv1d, Conv2d, ConvTranspose2d, BatchNorm, LayerNorm, RmsNorm, GroupNorm, InstanceNorm, PRelu);

impl<V> From<Activation> for Layer<V> {
    fn from(activation: Activation) -> Self {
        Self::Activation(activation)
    }
}

impl<V> From<Dropout> for Layer<V> {
    fn from(dropout: Dropout) -> Self {
        Self::Dropout(dropout)
    }
}

impl<V> Sequential<V> {
    /// These layers, from the input on.
    pub fn new(layers: impl IntoIterator<Item = Layer<V>>) -> Self {
        Self { layers: layers.into_iter().collect() }
    }

    /// The same as a layer whose input is added to its output.
    pub fn residual(self) -> Layer<V> {
        Layer::Residual(self)
    }
}

impl<T: Float> Sequential<Tensor<T>> {
    /// Affine layers of these sizes, from the inputs to the outputs, with an activation, and what else is asked for, between each two.
    ///
    /// ```
    /// use autograd::{Tensor, Tree};
    /// use nn::Activation;
    /// use nn::layers::{Between, Sequential};
    /// let between = Between { dropout: 0.1, layer_norm: true, ..Between::default() };
    /// let net: Sequential<Tensor> = Sequential::mlp(&[4, 32, 3], Activation::Relu, between, 0);
    /// assert_eq!(net.names(), ["0.weight", "0.bias", "1.weight", "1.bias", "4.weight", "4.bias"]);
    /// ```
    ///
    /// # Panics
    /// As [`Mlp::new`](crate::Mlp::new), or where the share that is left out is not between 0 and 1.
    #[track_caller]
    pub fn mlp(sizes: &[usize], activation: Activation, between: Between, seed: u64) -> Self {
        let net = crate::Mlp::new(sizes, activation, seed);
        let dropout = Dropout::new(between.dropout);
        let last = net.layers.len() - 1;
        let mut layers: Vec<Layer<Tensor<T>>> = Vec::new();
        for (i, linear) in net.layers.into_iter().enumerate() {
            let size = linear.weight.shape()[0];
            layers.push(linear.into());
            if i == last {
                break;
            }
            if between.batch_norm {
                layers.push(BatchNorm::new(size).into());
            }
            if between.layer_norm {
                layers.push(LayerNorm::new([size]).into());
            }
            layers.push(activation.into());
            if between.dropout > 0.0 {
                layers.push(dropout.into());
            }
        }
        Self { layers }
    }

    /// The outputs for an input, not in training, on a tape of its own.
    ///
    /// # Panics
    /// Where a shape does not fit, at the caller's line.
    #[track_caller]
    pub fn predict(&self, x: &Tensor<T>) -> Tensor<T> {
        let tape = Tape::default();
        let x = tape.var(x);
        let _whole = tape.composite("Sequential::predict", [x]);
        tape.values(&tape.vars(self).forward(x, &Context::evaluating()))
    }
}

/// What stands between the affine layers of [`Sequential::mlp`] beside the activation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Between {
    /// A share of elements that is left out in training, behind the activation.
    pub dropout: f64,
    /// Normalisation by the batch, before the activation.
    pub batch_norm: bool,
    /// Normalisation of each example, before the activation.
    pub layer_norm: bool,
}

impl<'t, T: Float> Sequential<Var<'t, T>> {
    /// What the layers make of an input, recorded. The layer with the number `i` is `context.at(i)`.
    ///
    /// # Panics
    /// Where a shape does not fit, at the caller's line.
    #[track_caller]
    pub fn forward(&self, x: Var<'t, T>, context: &Context<'t, T>) -> Var<'t, T> {
        let _whole = x.tape().composite("Sequential::forward", [x]);
        let mut x = x;
        for (i, layer) in self.layers.iter().enumerate() {
            x = layer.forward(x, &context.at(i));
        }
        x
    }
}

impl<'t, T: Float> Layer<Var<'t, T>> {
    /// What the layer makes of an input, recorded.
    ///
    /// # Panics
    /// Where a shape does not fit, at the caller's line.
    #[track_caller]
    pub fn forward(&self, x: Var<'t, T>, context: &Context<'t, T>) -> Var<'t, T> {
        let (shape, along) = (x.shape(), x.shape().rank() == 3);
        match self {
            Self::Linear(layer) => layer.forward(x),
            Self::Conv1d(layer) => layer.forward(x),
            Self::Conv2d(layer) => layer.forward(x),
            Self::ConvTranspose2d(layer) => layer.forward(x),
            Self::BatchNorm(layer) => layer.forward(x, context),
            Self::LayerNorm(layer) => layer.forward(x),
            Self::RmsNorm(layer) => layer.forward(x),
            Self::GroupNorm(layer) => layer.forward(x),
            Self::InstanceNorm(layer) => layer.forward(x, context),
            Self::PRelu(layer) => layer.forward(x),
            Self::Activation(activation) => activation.apply(x),
            Self::Dropout(dropout) => dropout.forward(x, context),
            Self::Flatten => {
                let n = shape.first().copied().unwrap_or(1);
                x.reshape([n, shape.numel() / n.max(1)])
            }
            Self::MaxPool(window) if along => window.max_along(x),
            Self::MaxPool(window) => window.max(x),
            Self::AvgPool(window) if along => window.mean_along(x),
            Self::AvgPool(window) => window.mean(x),
            Self::AdaptiveAvgPool(sizes) => adaptive_mean(x, *sizes),
            Self::Reshape(sizes) => x.reshape([&[shape.first().copied().unwrap_or(1)], &sizes[..]].concat()),
            Self::Residual(layers) => x + layers.forward(x, context),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layers::Init;
    use crate::random::generator;
    use autograd::Key;

    fn net() -> Sequential<Tensor> {
        let rng = &mut generator(0);
        let init = Init::XavierUniform { gain: 1.0 };
        let inner = Sequential::new([Linear::new([4, 4], init, rng).into(), Activation::Tanh.into()]);
        Sequential::new([
            Linear::new([2, 4], init, rng).into(),
            inner.residual(),
            Dropout::new(0.5).into(),
            PRelu::new(1).into(),
            Linear::new([4, 1], init, rng).into(),
        ])
    }

    #[test]
    fn it_is_its_layers_one_after_the_other_and_noise_is_that_of_the_place() {
        let net = net();
        assert_eq!(net.names(), ["0.weight", "0.bias", "1.0.weight", "1.0.bias", "3.weight", "4.weight", "4.bias"]);
        let tape = Tape::new();
        let (vars, x) = (tape.vars(&net), tape.var(&Tensor::from_rows([[0.3, -1.0], [2.0, 0.5]])));
        let [Layer::Linear(a), Layer::Residual(b), _, Layer::PRelu(c), Layer::Linear(d)] = &vars.layers[..] else {
            panic!("the structure stays")
        };
        let Layer::Linear(inner) = &b.layers[0] else { panic!("the structure stays") };
        let y = a.forward(x);
        let y = y + inner.forward(y).tanh();
        assert_eq!(net.predict(&x.value()), d.forward(c.forward(y)).value());
        let key = tape.key(Key::new(3));
        let dropped = Dropout::new(0.5).forward(y, &Context::training(key).at(2));
        let want = d.forward(c.forward(dropped)).value();
        assert_eq!(vars.forward(x, &Context::training(key)).value(), want);
    }

    #[test]
    fn a_net_of_sizes_is_the_mlp_with_what_is_asked_for_between() {
        let (x, plain) = (Tensor::from_rows([[0.3, -1.0]]), crate::Mlp::new(&[2, 5, 3], Activation::Gelu, 4));
        let net: Sequential<Tensor> = Sequential::mlp(&[2, 5, 3], Activation::Gelu, Between::default(), 4);
        assert_eq!(net.predict(&x), plain.predict(&x));
        let between = Between { dropout: 0.2, batch_norm: true, layer_norm: true };
        let net: Sequential<Tensor> = Sequential::mlp(&[2, 5, 3], Activation::Gelu, between, 4);
        let kinds: Vec<String> =
            net.layers.iter().map(|layer| format!("{layer:?}").split('(').next().unwrap().to_owned()).collect();
        assert_eq!(kinds, ["Linear", "BatchNorm", "LayerNorm", "Activation", "Dropout", "Linear"]);
    }
}
