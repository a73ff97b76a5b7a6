//! The element-wise functions between layers.

use crate::layers::Init;
use autograd::{Float, Var};
use serde::{Deserialize, Serialize};

/// An element-wise function between layers, chosen by value.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::Activation;
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from([-2.0, 3.0]));
/// assert_eq!(Activation::Relu.apply(x).value().as_slice(), [0.0, 3.0]);
/// assert_eq!(Activation::LeakyRelu { slope: 0.1 }.apply(x).value().as_slice(), [-0.2, 3.0]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Activation {
    /// `x`
    Identity,
    /// `max(x, 0)`
    Relu,
    /// `x` above 0, `slope · x` below.
    LeakyRelu {
        /// The derivative below 0.
        slope: f64,
    },
    /// `x` above 0, `alpha · (e^x − 1)` below (Clevert et al., 2015).
    Elu {
        /// The negative of the limit at −∞.
        alpha: f64,
    },
    /// `x` above 0, `alpha · (e^(x / alpha) − 1)` below (Barron, 2017).
    Celu {
        /// The negative of the limit at −∞.
        alpha: f64,
    },
    /// Elu with a scale by which mean and variance stay 0 and 1 from layer to layer (Klambauer et al., 2017).
    Selu,
    /// `x · Φ(x)` with the normal distribution function `Φ` (Hendrycks and Gimpel, 2016).
    Gelu,
    /// Gelu by a tanh: `x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
    GeluTanh,
    /// `x · tanh(ln(1 + e^x))` (Misra, 2019).
    Mish,
    /// `x · σ(x)`
    Silu,
    /// `ln(1 + e^x)`
    Softplus,
    /// `tanh x`
    Tanh,
    /// `x` held between two numbers.
    Hardtanh {
        /// The smallest result.
        low: f64,
        /// The largest result.
        high: f64,
    },
    /// `x · min(max(x + 3, 0), 6) / 6` (Howard et al., 2019).
    Hardswish,
    /// `x` moved towards 0 by `lambda`, and 0 within.
    Softshrink {
        /// How far, 0 or more.
        lambda: f64,
    },
    /// `x / (1 + |x|)`
    Softsign,
    /// `σ(x) = 1 / (1 + e^−x)`
    Sigmoid,
}

/// The first half along an axis, times the sigmoid of the second (Dauphin et al., "Language modeling with gated convolutional
/// networks", 2017): `torch.nn.GLU`.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::layers::glu;
/// let tape = Tape::new();
/// assert_eq!(glu(tape.var(&Tensor::from([3.0, 0.0])), 0).value().as_slice(), [1.5]);
/// ```
///
/// # Panics
/// Where the axis does not exist, or is of no even size.
#[track_caller]
pub fn glu<'t, T: Float>(x: Var<'t, T>, axis: isize) -> Var<'t, T> {
    let shape = x.shape();
    let _whole = x.tape().composite("glu", [x]);
    let place = if axis < 0 { axis + shape.rank() as isize } else { axis };
    let size = usize::try_from(place).ok().and_then(|place| shape.get(place).copied());
    let Some(half) = size.filter(|size| size.is_multiple_of(2)).map(|size| size / 2) else {
        panic!("glu: an axis of even size is needed, not axis {axis} of shape {shape}");
    };
    x.narrow(axis, 0, half) * x.narrow(axis, half, half).sigmoid()
}

impl Activation {
    /// The function of each element of `x`, recorded.
    #[track_caller]
    #[inline(never)]
    pub fn apply<'t, T: Float>(self, x: Var<'t, T>) -> Var<'t, T> {
        match self {
            Self::Identity => x,
            Self::Relu => x.relu(),
            Self::LeakyRelu { slope } => x.leaky_relu(slope),
            Self::Elu { alpha } => x.elu(alpha),
            Self::Celu { alpha } => x.celu(alpha),
            Self::Selu => x.selu(),
            Self::Gelu => x.gelu(),
            Self::GeluTanh => x.gelu_tanh(),
            Self::Mish => x.mish(),
            Self::Hardtanh { low, high } => x.hardtanh(low, high),
            Self::Hardswish => x.hardswish(),
            Self::Softshrink { lambda } => x.softshrink(lambda),
            Self::Softsign => x.softsign(),
            Self::Silu => x.silu(),
            Self::Softplus => x.softplus(),
            Self::Tanh => x.tanh(),
            Self::Sigmoid => x.sigmoid(),
        }
    }

    /// An initialiser for the weights before it: He's for the rectifiers, with ReLU's gain for its smooth relatives,
    /// and Glorot's for the others.
    pub fn init(self) -> Init {
        match self {
            Self::Identity
            | Self::Tanh
            | Self::Sigmoid
            | Self::Hardtanh { .. }
            | Self::Softshrink { .. }
            | Self::Softsign => Init::XavierUniform { gain: 1.0 },
            Self::LeakyRelu { slope } => Init::KaimingNormal { gain: (2.0 / (1.0 + slope * slope)).sqrt() },
            // That of its paper: the variance stays 1.
            Self::Selu => Init::KaimingNormal { gain: 1.0 },
            Self::Relu
            | Self::Elu { .. }
            | Self::Celu { .. }
            | Self::Gelu
            | Self::GeluTanh
            | Self::Silu
            | Self::Mish
            | Self::Hardswish
            | Self::Softplus => Init::KaimingNormal { gain: 2_f64.sqrt() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use approx::assert_relative_eq;
    use autograd::{Tape, Tensor};

    type Row = (Activation, Box<dyn Fn(f64) -> f64>);

    #[test]
    fn each_is_its_formula() {
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let rows: [Row; 14] = [
            (Activation::Identity, Box::new(|x| x)),
            (Activation::Relu, Box::new(|x| x.max(0.0))),
            (Activation::LeakyRelu { slope: 0.2 }, Box::new(|x| if x > 0.0 { x } else { 0.2 * x })),
            (Activation::Elu { alpha: 1.5 }, Box::new(|x| if x > 0.0 { x } else { 1.5 * (x.exp() - 1.0) })),
            (Activation::Silu, Box::new(move |x| x * sigmoid(x))),
            (Activation::Softplus, Box::new(|x| (1.0 + x.exp()).ln())),
            (Activation::Celu { alpha: 2.0 }, Box::new(|x| x.max(0.0) + (2.0 * ((x / 2.0).exp() - 1.0)).min(0.0))),
            (Activation::Mish, Box::new(|x| x * (1.0 + x.exp()).ln().tanh())),
            (Activation::Hardtanh { low: -1.0, high: 0.3 }, Box::new(|x| x.clamp(-1.0, 0.3))),
            (Activation::Hardswish, Box::new(|x| x * (x + 3.0).clamp(0.0, 6.0) / 6.0)),
            (Activation::Softshrink { lambda: 0.5 }, Box::new(|x| x.signum() * (x.abs() - 0.5).max(0.0))),
            (Activation::Softsign, Box::new(|x| x / (1.0 + x.abs()))),
            (Activation::Tanh, Box::new(f64::tanh)),
            (Activation::Sigmoid, Box::new(sigmoid)),
        ];
        let tape = Tape::new();
        for (activation, formula) in rows {
            for x in [-1.7, -0.3, 0.0, 0.4, 2.1] {
                let y = activation.apply(tape.scalar(x)).item();
                assert_relative_eq!(y, formula(x), max_relative = 1e-14, epsilon = 1e-16);
            }
        }
        // Φ(1) = 0.841344746068543 (standard tables).
        let gelu = Activation::Gelu.apply(tape.var(&Tensor::from([1.0, -1.0]))).value();
        assert_relative_eq!(gelu.at([0]), 0.841344746068543, max_relative = 1e-14);
        assert_relative_eq!(gelu.at([1]), 0.841344746068543 - 1.0, max_relative = 1e-14);
    }
}
