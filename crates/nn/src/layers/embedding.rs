//! Rows of a table that are learnt.

use crate::layers::Init;
use autograd::{Float, Indices, Tensor, Var, tree};
use rand::Rng;

/// A row of numbers for each of `n` things, by their number: `torch.nn.Embedding`.
///
/// ```
/// use autograd::{Tape, Tensor, grad};
/// use nn::layers::Embedding;
/// let words = Embedding { weight: Tensor::from_rows([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]]), padding: Some(0) };
/// let tape = Tape::new();
/// let words = tape.vars(&words);
/// let rows = words.forward(&[2, 0, 2]);
/// assert_eq!(rows.value(), Tensor::from_rows([[3.0, 4.0], [0.0, 0.0], [3.0, 4.0]]));
/// assert_eq!(grad(rows.sum(), &words).weight.value(), Tensor::from_rows([[0.0, 0.0], [0.0, 0.0], [2.0, 2.0]]));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Embedding<V> {
    /// `[n, width]`
    pub weight: V,
    /// A thing that fills up: its row has no gradient.
    pub padding: Option<usize>,
}
tree!(Embedding { weight, ..padding });

impl<T: Float> Embedding<Tensor<T>> {
    /// Rows of this width for `n` things, of normal numbers as PyTorch's; see [`Embedding::padding`].
    ///
    /// # Panics
    /// As [`Init::sample`].
    #[track_caller]
    pub fn new(n: usize, width: usize, rng: &mut impl Rng) -> Self {
        Self { weight: Init::Normal { mean: 0.0, std: 1.0 }.sample([n, width], rng), padding: None }
    }

    /// The same with a thing that fills up, whose row is 0 and has no gradient.
    ///
    /// # Panics
    /// Where there is no such thing.
    #[track_caller]
    pub fn with_padding(mut self, padding: usize) -> Self {
        let [n, width] = [self.weight.shape()[0], self.weight.shape()[1]];
        assert!(padding < n, "with_padding: {padding} is not one of {n}");
        self.weight.as_mut_slice()[padding * width..][..width].fill(T::ZERO);
        self.padding = Some(padding);
        self
    }
}

impl<'t, T: Float> Embedding<Var<'t, T>> {
    /// The rows of these things: of indices of any shape, one axis more, recorded.
    ///
    /// # Panics
    /// Where a number is not one of those of the rows.
    #[track_caller]
    pub fn forward<I: Indices<'t, T> + ?Sized>(&self, indices: &I) -> Var<'t, T> {
        let weight = match self.padding {
            None => self.weight,
            Some(padding) => {
                let n = self.weight.shape()[0];
                let learnt = self.weight.tape().var(&Tensor::from_fn([n, 1], |row| T::of(f64::from(row != padding))));
                learnt.select(self.weight, self.weight.stop_gradient())
            }
        };
        weight.gather(0, indices)
    }
}
