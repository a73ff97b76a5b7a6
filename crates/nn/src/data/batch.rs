//! Some examples at once, and where they come from.

use crate::data::Target;
use crate::error::Error;
use autograd::{Float, Tensor};

/// Some examples, as a step of training sees them.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch<T: Float = f64> {
    /// `[m, d]`, or `[m, steps, d]` of sequences.
    pub features: Tensor<T>,
    /// What is to be learnt of each; or of each step of sequences: values, or labels of 0 and 1, `[m, steps, k]`, or `m · steps`
    /// classes, those of the first sequence first.
    pub target: Target<T>,
    /// How much each counts, `[m]`.
    pub weights: Option<Tensor<T>>,
    /// Of sequences, `[m, steps]`: 1 where a step is real, 0 where it fills up.
    pub mask: Option<Tensor<T>>,
    /// Integers of each example to index with, row after row and as many for each: the words of a text, the places of categories.
    /// [`BatchVars::indices`](crate::data::BatchVars::indices) is `[m, k]`.
    pub indices: Option<Vec<usize>>,
    /// Which rows of the data these are, where they are counted.
    pub rows: Vec<usize>,
}

impl<T: Float> Batch<T> {
    /// Features and what is to be learnt of them.
    pub fn new(features: Tensor<T>, target: Target<T>) -> Self {
        Self { features, target, weights: None, mask: None, indices: None, rows: Vec::new() }
    }

    /// The same with integers of each example to index with.
    ///
    /// ```
    /// use autograd::{Tape, Tensor, grad};
    /// use nn::data::{Batch, BatchVars, Target};
    /// use nn::generator;
    /// use nn::layers::Embedding;
    /// // Two texts of three words, and no other features.
    /// let target = Target::value("mood", &[1.0, -1.0]);
    /// let batch = Batch::new(Tensor::zeros([2, 0]), target).with_indices(vec![4, 0, 2, 1, 1, 3]);
    /// let words: Embedding<Tensor> = Embedding::new(5, 1, &mut generator(0));
    /// let tape = Tape::new();
    /// let (net, batch) = (tape.vars(&words), BatchVars::new(&tape, &batch));
    /// let outputs = net.forward(&batch.indices()).mean_axes(1);
    /// assert_eq!(grad(batch.loss(outputs), &net).weight.shape()[..], [5, 1]);
    /// ```
    pub fn with_indices(self, indices: Vec<usize>) -> Self {
        Self { indices: Some(indices), ..self }
    }

    /// The number of examples.
    pub fn len(&self) -> usize {
        self.features.shape().first().copied().unwrap_or(0)
    }

    /// How many steps of each sequence are real, by the mask; none where there is no mask.
    ///
    /// ```
    /// use autograd::Tensor;
    /// use nn::data::{Sequences, Target};
    /// let rows = [Tensor::from_rows([[1.0], [2.0]]), Tensor::from_rows([[3.0]])];
    /// assert_eq!(Sequences::new(&rows, Target::value("y", &[0.0, 1.0])).batch(&[1, 0], 0.0).lengths(), [1, 2]);
    /// ```
    pub fn lengths(&self) -> Vec<usize> {
        let Some(mask) = &self.mask else { return Vec::new() };
        let steps = mask.shape().get(1).copied().unwrap_or(0).max(1);
        mask.as_slice().chunks(steps).map(|row| row.iter().filter(|&&real| real != T::ZERO).count()).collect()
    }

    /// Whether there are no examples.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Where batches come from: examples in memory ([`Batcher`](crate::data::Batcher)), or what you have, as large as it may be:
/// [`Stream`] makes a source of any iterator.
pub trait Source<T: Float = f64> {
    /// Goes to the start of an epoch, counted from 0; other epochs may have other orders.
    ///
    /// # Errors
    /// Where the source cannot be read.
    fn start(&mut self, epoch: u32) -> Result<(), Error>;

    /// Puts the next batch in the place of another, whose memory may be used again; `false` where the epoch has ended.
    ///
    /// # Errors
    /// Where the source cannot be read.
    fn next_into(&mut self, batch: &mut Batch<T>) -> Result<bool, Error>;

    /// How many batches an epoch has, where that is known before.
    fn batches(&self) -> Option<usize> {
        None
    }

    /// Passes over batches of this epoch, as they were dealt out before training went on from a checkpoint.
    ///
    /// # Errors
    /// Where the source cannot be read.
    fn skip(&mut self, batches: usize) -> Result<(), Error> {
        let mut batch = empty_batch();
        for _ in 0..batches {
            if !self.next_into(&mut batch)? {
                break;
            }
        }
        Ok(())
    }
}

/// A batch of nothing, to be filled.
///
/// ```
/// assert!(nn::data::empty_batch::<f64>().is_empty());
/// ```
pub fn empty_batch<T: Float>() -> Batch<T> {
    Batch::new(Tensor::zeros([0, 0]), Target::Classes { labels: Vec::new(), names: Vec::new() })
}

/// A source of your own: a function from the number of an epoch to an iterator of its batches.
///
/// ```
/// use autograd::Tensor;
/// use nn::data::{Batch, Source, Stream, Target, empty_batch};
///
/// # fn main() -> Result<(), nn::Error> {
/// // A million batches that are nowhere in memory at once.
/// let mut squares = Stream::new(|epoch| {
///     (0..1_000_000).map(move |i| {
///         let x = f64::from(i + epoch);
///         Ok(Batch::new(Tensor::from_rows([[x]]), Target::value("square", &[x * x])))
///     })
/// });
/// squares.start(1)?;
/// let mut batch = empty_batch();
/// assert!(squares.next_into(&mut batch)? && squares.next_into(&mut batch)?);
/// assert_eq!(batch.target, Target::value("square", &[4.0]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Stream<F, I> {
    epochs: F,
    batches: Option<I>,
}

impl<F, I> Stream<F, I> {
    /// The source whose epochs this function gives.
    pub fn new<T: Float>(epochs: F) -> Self
    where
        F: FnMut(u32) -> I,
        I: Iterator<Item = Result<Batch<T>, Error>>,
    {
        Self { epochs, batches: None }
    }
}

impl<T, F, I> Source<T> for Stream<F, I>
where
    T: Float,
    F: FnMut(u32) -> I,
    I: Iterator<Item = Result<Batch<T>, Error>>,
{
    fn start(&mut self, epoch: u32) -> Result<(), Error> {
        self.batches = Some((self.epochs)(epoch));
        Ok(())
    }

    fn next_into(&mut self, batch: &mut Batch<T>) -> Result<bool, Error> {
        let batches = self.batches.get_or_insert_with(|| (self.epochs)(0));
        match batches.next() {
            Some(next) => {
                *batch = next?;
                Ok(true)
            }
            None => Ok(false),
        }
    }
}
