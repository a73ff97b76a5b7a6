//! The sizes of a network with its examples, which the shapes of all arrays must agree on.

use crate::error::Error;
use crate::toy::Toy;
use autograd::{Reduction, Shape};

/// What becomes of the losses `L_i` of single examples. The two conventions differ by the factor `N`, in the loss
/// and in every gradient.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Convention {
    /// `L = Σ_i L_i`, that of the post's text.
    Sum,
    /// `L = 1/N Σ_i L_i`, that of CS231n and, but for its sign, of the post's program. An empty batch has none.
    Mean,
}

impl Convention {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sum, Self::Mean];

    /// The same convention as an option of the engine's cross-entropy.
    pub fn reduction(self) -> Reduction {
        match self {
            Self::Sum => Reduction::Sum,
            Self::Mean => Reduction::Mean,
        }
    }

    /// What the sum of the losses of `n` examples is divided by.
    ///
    /// # Errors
    /// For a mean over no examples.
    pub(crate) fn divisor(self, n: usize) -> Result<usize, Error> {
        match self {
            Self::Sum => Ok(1),
            Self::Mean if n == 0 => Err(Error::EmptyBatch),
            Self::Mean => Ok(n),
        }
    }
}

/// The sizes `N × D → H → K` of a network with its examples.
///
/// ```
/// use softmax_net::{published::Published, Sizes};
/// let Published { net, x, labels, .. } = Published::embedded();
/// assert_eq!(Sizes::of(&net.shapes(), x.shape(), &labels)?, Sizes { n: 5, d: 4, h: 10, k: 3 });
/// # Ok::<(), softmax_net::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// `N`, the number of examples.
    pub n: usize,
    /// `D`, the number of features.
    pub d: usize,
    /// `H`, the number of hidden nodes.
    pub h: usize,
    /// `K`, the number of classes.
    pub k: usize,
}

impl Sizes {
    /// The sizes that the shapes of `X` and of the parameters agree on, with a label in `0..K` for each example.
    ///
    /// # Errors
    /// Where they do not agree, the array and what it should be; or the label that names no class.
    pub fn of(net: &Toy<Shape>, x: &Shape, labels: &[usize]) -> Result<Self, Error> {
        let shape = |name, expected: &str, actual: &Shape| {
            Err(Error::Shape { name, expected: expected.to_owned(), actual: actual.clone() })
        };
        let [n, d] = x[..] else { return shape("X", "[N, D]", x) };
        let [_, h] = net.w1[..] else { return shape("W1", "[D, H]", &net.w1) };
        let [_, k] = net.w2[..] else { return shape("W2", "[H, K]", &net.w2) };
        let expected = Toy {
            w1: Shape::from([d, h]),
            b1: Shape::from([h]),
            w2: Shape::from([h, k]),
            b2: Shape::from([k]),
            f: net.f,
        };
        for ((name, actual), (_, expected)) in net.named().into_iter().zip(expected.named()) {
            if actual != expected {
                return shape(name, &expected.to_string(), actual);
            }
        }
        let sizes = Self { n, d, h, k };
        sizes.check_labels(labels)?;
        Ok(sizes)
    }

    /// Whether slices of parameters and examples have these sizes.
    ///
    /// # Errors
    /// The first that does not, or the label that names no class.
    pub(crate) fn check<T>(self, net: &Toy<&[T]>, x: &[T], labels: &[usize]) -> Result<(), Error> {
        let Self { n, d, h, k } = self;
        // A product that no number holds is no length.
        let lengths = [d.saturating_mul(h), h, h.saturating_mul(k), k];
        let params = net.named().into_iter().map(|(name, slice)| (name, slice.len())).zip(lengths);
        for ((name, actual), expected) in params.chain([(("X", x.len()), n.saturating_mul(d))]) {
            if actual != expected {
                return Err(Error::Length { name, expected, actual });
            }
        }
        self.check_labels(labels)
    }

    fn check_labels(self, labels: &[usize]) -> Result<(), Error> {
        if labels.len() != self.n {
            return Err(Error::Length { name: "labels", expected: self.n, actual: labels.len() });
        }
        match labels.iter().position(|&label| label >= self.k) {
            Some(example) => Err(Error::Label { label: labels[example], example, classes: self.k }),
            None => Ok(()),
        }
    }
}
