//! Elements that are left out by chance.

use crate::context::Context;
use autograd::{Float, Var};

/// Leaves out each element with a probability in training, and divides the others by the rest of it, so that the mean stays
/// (Srivastava et al., "Dropout", 2014); as `torch.nn.Dropout`. It needs a name of its own, `context.at(name)`; see [`Context`].
///
/// ```
/// use autograd::{Key, Tape, Tensor};
/// use nn::Context;
/// use nn::layers::Dropout;
/// let tape = Tape::new();
/// let context = Context::training(tape.key(Key::new(0)));
/// let y = Dropout::new(0.25).forward(tape.var(&Tensor::from([3.0; 100])), &context);
/// assert!(y.value().as_slice().iter().all(|&y| y == 0.0 || y == 4.0));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    /// The share of elements that are left out, from 0 to 1.
    pub probability: f64,
}

impl Dropout {
    /// Leaves out this share.
    ///
    /// # Panics
    /// Where it is not between 0 and 1.
    #[track_caller]
    pub fn new(probability: f64) -> Self {
        assert!(
            (0.0..=1.0).contains(&probability),
            "Dropout::new: a probability between 0 and 1 is needed, not {probability}"
        );
        Self { probability }
    }

    /// The elements that are kept; all of them where the net is not in training.
    ///
    /// # Panics
    /// As [`Context::key`].
    #[track_caller]
    pub fn forward<'t, T: Float>(&self, x: Var<'t, T>, context: &Context<'t, T>) -> Var<'t, T> {
        if !context.is_training() || self.probability == 0.0 {
            return x;
        }
        x.dropout(self.probability, context.key())
    }
}
