//! Activations of hidden nodes, in vectors: the value, and the slope from the value.

use crate::closed::number::Number;

/// A function of each hidden node, whose slope follows from its value.
pub(crate) trait Activation {
    /// Whether a value is but an instruction or two, so that it is taken row by row, and not of all rows as one range.
    const CHEAP: bool;

    /// `f(z)`, without a branch or a call.
    fn value<T: Number, const FMA: bool>(z: T) -> T;

    /// `dy · f′(z)`, where `y = f(z)`.
    fn slope<T: Number, const FMA: bool>(y: T, dy: T) -> T;
}

/// `max(z, 0)`
pub(crate) struct Relu;

impl Activation for Relu {
    const CHEAP: bool = true;

    #[inline(always)]
    fn value<T: Number, const FMA: bool>(z: T) -> T {
        if z > T::ZERO { z } else { T::ZERO }
    }

    #[inline(always)]
    fn slope<T: Number, const FMA: bool>(y: T, dy: T) -> T {
        if y > T::ZERO { dy } else { T::ZERO }
    }
}

/// `tanh z = (1 − u)/(1 + u)` for `u = e^(−2|z|)`, with the sign of `z`; `tanh′ = 1 − tanh²`.
pub(crate) struct Tanh;

impl Activation for Tanh {
    const CHEAP: bool = false;

    #[inline(always)]
    fn value<T: Number, const FMA: bool>(z: T) -> T {
        let u = (T::of(-2.0) * z.abs()).fast_exp::<FMA>();
        ((T::ONE - u) / (T::ONE + u)).copysign(z)
    }

    #[inline(always)]
    fn slope<T: Number, const FMA: bool>(y: T, dy: T) -> T {
        dy * (-y).multiply_add::<FMA>(y, T::ONE)
    }
}

/// `σ(z) = 1/(1 + u)` or `u/(1 + u)` for `u = e^(−|z|)`; `σ′ = σ (1 − σ)`.
pub(crate) struct Sigmoid;

impl Activation for Sigmoid {
    const CHEAP: bool = false;

    #[inline(always)]
    fn value<T: Number, const FMA: bool>(z: T) -> T {
        let u = (-z.abs()).fast_exp::<FMA>();
        (if z < T::ZERO { u } else { T::ONE }) / (T::ONE + u)
    }

    #[inline(always)]
    fn slope<T: Number, const FMA: bool>(y: T, dy: T) -> T {
        dy * (-y).multiply_add::<FMA>(y, y)
    }
}
