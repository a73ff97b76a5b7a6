//! The activation `f` of the hidden layer; the derivation holds for any.

use crate::error::Error;
use autograd::{Float, Var};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The activation `f` in `O1 = f(Z1)`, applied to each element.
///
/// ```
/// use softmax_net::Activation;
/// let f: Activation = "tanh".parse()?;
/// assert_eq!((f.value(0.0), f.derivative(0.0)), (0.0, 1.0));
/// # Ok::<(), softmax_net::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Activation {
    /// `f(z) = z`
    Identity,
    /// `f(z) = max(z, 0)`, that of CS231n. The derivative at 0 is 0.
    #[default]
    Relu,
    /// `f(z) = tanh z`
    Tanh,
    /// `f(z) = 1 / (1 + e^−z)`
    Sigmoid,
}

impl Activation {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Identity, Self::Relu, Self::Tanh, Self::Sigmoid];

    /// `f(z)`
    pub fn value<T: Float>(self, z: T) -> T {
        match self {
            Self::Identity => z,
            Self::Relu => z.larger(T::ZERO),
            Self::Tanh => z.tanh(),
            Self::Sigmoid => z.sigmoid(),
        }
    }

    /// `f′(z)`, in forms that do not cancel where `f` saturates: `1/cosh² z` for tanh, `σ(z) σ(−z)` for the sigmoid.
    pub fn derivative<T: Float>(self, z: T) -> T {
        match self {
            Self::Identity => T::ONE,
            Self::Relu if z > T::ZERO => T::ONE,
            Self::Relu => T::ZERO,
            Self::Tanh => {
                let sech = z.cosh().recip();
                sech * sech
            }
            Self::Sigmoid => z.sigmoid() * (-z).sigmoid(),
        }
    }

    /// Records `f(z)` on the tape.
    #[track_caller]
    pub fn record<'t, T: Float>(self, z: Var<'t, T>) -> Var<'t, T> {
        match self {
            Self::Identity => z,
            Self::Relu => z.relu(),
            Self::Tanh => z.tanh(),
            Self::Sigmoid => z.sigmoid(),
        }
    }

    /// Which smooth piece of `f` a number lies on: for `ReLU` its side of the kink at 0, otherwise there is one piece.
    /// Finite differences hold within a piece only.
    pub fn piece<T: Float>(self, z: T) -> Option<Ordering> {
        if self == Self::Relu { z.partial_cmp(&T::ZERO) } else { None }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Relu => "relu",
            Self::Tanh => "tanh",
            Self::Sigmoid => "sigmoid",
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Activation {
    type Err = Error;
    fn from_str(name: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|f| f.name() == name).ok_or_else(|| Error::Activation(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for f in Activation::ALL {
            assert_eq!(f.to_string().parse::<Activation>().unwrap(), f);
        }
        let error = "swish".parse::<Activation>().unwrap_err().to_string();
        assert_eq!(error, "unknown activation \"swish\"; there are identity, relu, tanh and sigmoid");
    }

    #[test]
    fn derivatives_keep_their_accuracy_where_the_function_saturates() {
        // 1 − tanh²(20) is 0 in f64; the derivative is 4 e^−40 to all digits.
        let want = 4.0 * (-40.0_f64).exp();
        assert!((Activation::Tanh.derivative(20.0) / want - 1.0).abs() < 1e-15);
        assert!((Activation::Sigmoid.derivative(40.0) / (-40.0_f64).exp() - 1.0).abs() < 1e-15);
        assert_eq!(Activation::Tanh.derivative(1e4), 0.0);
    }

    #[test]
    fn the_derivative_of_relu_at_the_kink_is_zero() {
        assert_eq!([-1.0, 0.0, 1.0].map(|z| Activation::Relu.derivative(z)), [0.0, 0.0, 1.0]);
    }
}
