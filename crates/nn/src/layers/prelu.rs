//! A rectifier whose slope is learnt.

use autograd::{Float, Tensor, Var, tree};

/// `x` above 0, `slope · x` below, with one slope, or one for each channel (axis 1), that is learnt (He et al., 2015): `torch.nn.PReLU`.
///
/// ```
/// use autograd::{Tape, Tensor};
/// use nn::layers::PRelu;
/// let tape = Tape::new();
/// let layer = tape.vars(&PRelu::<Tensor>::new(1));
/// assert_eq!(layer.forward(tape.var(&Tensor::from([-4.0, 3.0]))).value().as_slice(), [-1.0, 3.0]);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PRelu<V> {
    /// `[1]`, or `[c]`.
    pub weight: V,
}
tree!(PRelu { weight });

impl<T: Float> PRelu<Tensor<T>> {
    /// One slope, or one for each of so many channels, of ¼ at first.
    pub fn new(slopes: usize) -> Self {
        Self { weight: Tensor::full([slopes], T::of(0.25)) }
    }
}

impl<'t, T: Float> PRelu<Var<'t, T>> {
    /// The function of each element, recorded.
    ///
    /// # Panics
    /// Where there are several slopes, and the input has no axis of so many channels.
    #[track_caller]
    pub fn forward(&self, x: Var<'t, T>) -> Var<'t, T> {
        let (shape, slopes) = (x.shape(), self.weight.numel());
        let _whole = x.tape().composite("PRelu::forward", [x, self.weight]);
        assert!(
            slopes == 1 || (shape.rank() >= 2 && shape[1] == slopes),
            "PRelu::forward: an input [n, {slopes}, …] is needed, not of shape {shape}"
        );
        let mut broadcast = vec![1; shape.rank().max(1)];
        if slopes > 1 {
            broadcast[1] = slopes;
        }
        x.relu() + self.weight.reshape(broadcast) * x.minimum(0.0)
    }
}
