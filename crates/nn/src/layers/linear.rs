//! The affine layer.

use crate::layers::Init;
use autograd::{Float, Tensor, Var, tree};
use rand::Rng;

/// An affine layer, `y = x Wᵀ + b`: `Linear<Tensor>` holds its numbers, `Linear<Var>` computes on a tape.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::Linear;
/// let layer = Linear { weight: Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]), bias: Some(Tensor::from([0.5, 0.0])) };
/// let tape = Tape::new();
/// let x = tape.var(&Tensor::from_rows([[1.0, 1.0]]));
/// assert_eq!(tape.vars(&layer).forward(x).value(), Tensor::from_rows([[3.5, 7.0]]));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Linear<V> {
    /// `W`, of shape `[out, in]`.
    pub weight: V,
    /// `b`, of shape `[out]`, if there is one.
    pub bias: Option<V>,
}
tree!(Linear { weight, bias });

impl<T: Float> Linear<Tensor<T>> {
    /// A layer from `[in, out]` with weights from an initialiser and a bias of zeros.
    ///
    /// ```
    /// use nn::{Init, Linear, generator};
    /// let layer = Linear::<autograd::Tensor>::new([4, 3], Init::XavierNormal { gain: 1.0 }, &mut generator(0));
    /// let without_bias = Linear { bias: None, ..layer };
    /// ```
    ///
    /// # Panics
    /// As [`Init::sample`].
    #[track_caller]
    pub fn new(sizes: [usize; 2], init: Init, rng: &mut impl Rng) -> Self {
        match Self::try_new("Linear::new", sizes, init, rng) {
            Ok(layer) => layer,
            Err(error) => panic!("Linear::new: {error}"),
        }
    }

    #[track_caller]
    #[inline(never)]
    pub(crate) fn try_new(
        function: &str,
        sizes: [usize; 2],
        init: Init,
        rng: &mut impl Rng,
    ) -> Result<Self, autograd::Error> {
        let weight = init.try_sample(function, [sizes[1], sizes[0]].into(), rng)?;
        Ok(Self { weight, bias: Some(Tensor::try_from_fn([sizes[1]], |_| T::ZERO)?) })
    }
}

impl<'t, T: Float> Linear<Var<'t, T>> {
    /// `y = x Wᵀ + b`: from a batch `[n, in]` to `[n, out]`, recorded.
    ///
    /// # Panics
    /// Where the rows of `x` do not have `in` elements, at the caller's line.
    #[track_caller]
    #[inline(never)]
    pub fn forward(&self, x: Var<'t, T>) -> Var<'t, T> {
        let _whole = x.tape().composite("Linear::forward", [Some(x), Some(self.weight), self.bias]);
        x.linear(self.weight, self.bias)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::{Tape, Tree, grad};

    #[test]
    fn gradients_are_dy_transposed_times_x_and_its_column_sums() {
        let layer = Linear { weight: Tensor::from_rows([[1.0, 2.0]]), bias: Some(Tensor::from([3.0])) };
        let tape = Tape::new();
        let vars = tape.vars(&layer);
        let x = tape.var(&Tensor::from_rows([[1.0, 10.0], [2.0, 20.0]]));
        let grads = tape.values(&grad(vars.forward(x).sum(), &vars));
        assert_eq!(grads.weight, Tensor::from_rows([[3.0, 30.0]]));
        assert_eq!(grads.bias, Some(Tensor::from([2.0])));
    }

    #[test]
    fn a_layer_may_have_no_bias() {
        let layer = Linear { weight: Tensor::from_rows([[2.0_f32]]), bias: None };
        assert_eq!(layer.names(), ["weight"]);
        let tape = Tape::<f32>::default();
        let x = tape.var(&Tensor::from_rows([[3.0]]));
        assert_eq!(tape.vars(&layer).forward(x).item(), 6.0);
    }
}
