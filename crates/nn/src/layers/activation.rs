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
    /// `x · Φ(x)` with the normal distribution function `Φ` (Hendrycks and Gimpel, 2016).
    Gelu,
    /// `x · σ(x)`
    Silu,
    /// `ln(1 + e^x)`
    Softplus,
    /// `tanh x`
    Tanh,
    /// `σ(x) = 1 / (1 + e^−x)`
    Sigmoid,
}

impl Activation {
    /// The function of each element of `x`, recorded.
    #[track_caller]
    pub fn apply<'t, T: Float>(self, x: Var<'t, T>) -> Var<'t, T> {
        match self {
            Self::Identity => x,
            Self::Relu => x.relu(),
            Self::LeakyRelu { slope } => x.leaky_relu(slope),
            Self::Elu { alpha } => x.elu(alpha),
            Self::Gelu => x.gelu(),
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
            Self::Identity | Self::Tanh | Self::Sigmoid => Init::XavierUniform { gain: 1.0 },
            Self::LeakyRelu { slope } => Init::KaimingNormal { gain: (2.0 / (1.0 + slope * slope)).sqrt() },
            Self::Relu | Self::Elu { .. } | Self::Gelu | Self::Silu | Self::Softplus => {
                Init::KaimingNormal { gain: 2_f64.sqrt() }
            }
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
        let rows: [Row; 8] = [
            (Activation::Identity, Box::new(|x| x)),
            (Activation::Relu, Box::new(|x| x.max(0.0))),
            (Activation::LeakyRelu { slope: 0.2 }, Box::new(|x| if x > 0.0 { x } else { 0.2 * x })),
            (Activation::Elu { alpha: 1.5 }, Box::new(|x| if x > 0.0 { x } else { 1.5 * (x.exp() - 1.0) })),
            (Activation::Silu, Box::new(move |x| x * sigmoid(x))),
            (Activation::Softplus, Box::new(|x| (1.0 + x.exp()).ln())),
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
