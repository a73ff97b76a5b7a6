//! Examples in random order, some at a time.

use crate::data::{Batch, Dataset, Source};
use crate::error::{Error, Kind};
use crate::random::{Purpose, stream};
use autograd::{Float, Tensor};
use rand::seq::SliceRandom;

/// The batches of an epoch; see [`Dataset::batches`].
#[derive(Clone, Debug)]
pub struct Batches<'a, T: Float = f64> {
    data: &'a Dataset<T>,
    /// The rows in the order of the epoch.
    order: Vec<usize>,
    /// How many of them were dealt out.
    done: usize,
    size: usize,
}

impl<T: Float> Dataset<T> {
    /// All examples, each once, in an order that depends on the seed and the epoch, dealt out in batches of this size:
    /// features `[size, d]` with their labels. The last batch has what is left.
    ///
    /// ```
    /// use nn::data::{Csv, IRIS_CSV};
    /// # fn main() -> Result<(), nn::Error> {
    /// let iris = Csv::new("species").parse::<f64>("iris.csv", IRIS_CSV)?;
    /// let sizes: Vec<usize> = iris.batches(64, 0, 0).map(|(_x, labels)| labels.len()).collect();
    /// assert_eq!(sizes, [64, 64, 22]);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Where the size is 0, or the target is not classes, of which a [`Batcher`] deals out any.
    #[track_caller]
    pub fn batches(&self, size: usize, seed: u64, epoch: u32) -> Batches<'_, T> {
        self.of_classes("batches");
        assert!(size > 0, "batches: batches of 1 example or more are needed, not of 0");
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(&mut stream(seed, Purpose::Epoch(epoch)));
        Batches { data: self, order, done: 0, size }
    }
}

impl<T: Float> Iterator for Batches<'_, T> {
    type Item = (Tensor<T>, Vec<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = &self.order[self.done..];
        if rest.is_empty() {
            return None;
        }
        let rows = &rest[..self.size.min(rest.len())];
        self.done += rows.len();
        Some(self.data.rows(rows))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.order.len() - self.done).div_ceil(self.size);
        (left, Some(left))
    }
}

impl<T: Float> ExactSizeIterator for Batches<'_, T> {}

/// Examples in memory as a [`Source`] of batches, in an order that depends on the seed and the epoch: that of
/// [`Dataset::batches`], of any target.
///
/// ```
/// use nn::data::{Batcher, Csv, IRIS_CSV, Source, empty_batch};
/// # fn main() -> Result<(), nn::Error> {
/// let iris = Csv::new("species").parse::<f64>("iris.csv", IRIS_CSV)?;
/// let mut source = Batcher::new(&iris, 64, 0);
/// source.drop_last = true;
/// let (mut batch, mut sizes) = (empty_batch(), vec![]);
/// source.start(0)?;
/// while source.next_into(&mut batch)? {
///     sizes.push(batch.len());
/// }
/// assert_eq!(sizes, [64, 64]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Batcher<'a, T: Float = f64> {
    /// The examples.
    pub data: &'a Dataset<T>,
    /// How many a batch has.
    pub size: usize,
    /// Decides the order.
    pub seed: u64,
    /// Whether the order is random, else it is that of the rows.
    pub shuffled: bool,
    /// Whether a last batch that is smaller than the others is left out.
    pub drop_last: bool,
    order: Vec<usize>,
    done: usize,
}

impl<'a, T: Float> Batcher<'a, T> {
    /// All examples, shuffled; the last batch has what is left.
    ///
    /// # Panics
    /// Where the size is 0.
    #[track_caller]
    pub fn new(data: &'a Dataset<T>, size: usize, seed: u64) -> Self {
        assert!(size > 0, "Batcher::new: batches of 1 example or more are needed, not of 0");
        let order: Vec<usize> = Vec::new();
        let mut batcher = Self { data, size, seed, shuffled: true, drop_last: false, order, done: 0 };
        batcher.arrange(0);
        batcher
    }

    pub(crate) fn arrange(&mut self, epoch: u32) {
        self.done = 0;
        self.order.clear();
        self.order.extend(0..self.data.len());
        if self.shuffled {
            self.order.shuffle(&mut stream(self.seed, Purpose::Epoch(epoch)));
        }
    }

    /// Puts the next batch in the place of another, unless the epoch has ended.
    pub(crate) fn deal(&mut self, batch: &mut Batch<T>) -> bool {
        let rest = &self.order[self.done..];
        let count = self.size.min(rest.len());
        if count == 0 || (self.drop_last && count < self.size) {
            return false;
        }
        self.data.gather_into(&rest[..count], batch);
        self.done += count;
        true
    }

    /// How many batches an epoch has.
    pub fn batches(&self) -> usize {
        let n = self.data.len();
        if self.drop_last { n / self.size.max(1) } else { n.div_ceil(self.size.max(1)) }
    }
}

impl<T: Float> Source<T> for Batcher<'_, T> {
    fn start(&mut self, epoch: u32) -> Result<(), Error> {
        self.arrange(epoch);
        Ok(())
    }

    fn next_into(&mut self, batch: &mut Batch<T>) -> Result<bool, Error> {
        hold_size("Batcher", self.size)?;
        Ok(self.deal(batch))
    }

    fn batches(&self) -> Option<usize> {
        Some(Batcher::batches(self))
    }

    fn skip(&mut self, batches: usize) -> Result<(), Error> {
        self.done = batches.saturating_mul(self.size).min(self.order.len());
        Ok(())
    }
}

/// A size that was set to 0 would end each epoch before it began.
pub(super) fn hold_size(of: &str, size: usize) -> Result<(), Error> {
    match size {
        0 => Err(Error::of(Kind::Data(format!("{of}: batches of 1 example or more are needed, not of 0")))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Examples whose feature is their row, and whose label is its remainder by 3.
    fn numbered(n: usize) -> Dataset {
        let classes = (0..3).map(|class| class.to_string()).collect();
        Dataset::new(Tensor::from_fn([n, 1], |row| row as f64), (0..n).map(|row| row % 3).collect(), classes)
    }

    fn order(data: &Dataset, seed: u64, epoch: u32) -> Vec<usize> {
        data.batches(7, seed, epoch).flat_map(|(x, _)| x.map(|row| row).to_vec()).map(|row| row as usize).collect()
    }

    proptest! {
        #[test]
        fn each_example_comes_once_with_its_label(n in 0_usize..80, size in 1_usize..100, seed: u64, epoch: u32) {
            let data = numbered(n);
            let batches = data.batches(size, seed, epoch);
            prop_assert_eq!(batches.len(), n.div_ceil(size));
            let mut rows = Vec::new();
            for (i, (x, labels)) in batches.enumerate() {
                prop_assert_eq!(labels.len(), size.min(n - i * size));
                prop_assert_eq!(&x.shape()[..], &[labels.len(), 1]);
                for (row, label) in x.as_slice().iter().zip(labels) {
                    prop_assert_eq!(*row as usize % 3, label);
                    rows.push(*row as usize);
                }
            }
            rows.sort_unstable();
            prop_assert_eq!(rows, (0..n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn seed_and_epoch_decide_the_order() {
        let data = numbered(40);
        assert_eq!(order(&data, 1, 2), order(&data, 1, 2));
        assert_ne!(order(&data, 1, 2), order(&data, 1, 3));
        assert_ne!(order(&data, 1, 2), order(&data, 2, 2));
        assert_ne!(order(&data, 1, 2), (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn a_batcher_deals_out_the_same_batches_and_goes_on_anywhere() {
        let data = numbered(40);
        let mut source = Batcher::new(&data, 7, 3);
        let mut batch = crate::data::empty_batch();
        for epoch in [0, 5] {
            source.start(epoch).unwrap();
            for (x, labels) in data.batches(7, 3, epoch) {
                assert!(source.next_into(&mut batch).unwrap());
                assert_eq!(batch.features, x);
                assert_eq!(batch.target, crate::data::Target::Classes { labels, names: data.classes().to_vec() });
            }
            assert!(!source.next_into(&mut batch).unwrap());
        }
        let want = data.batches(7, 3, 5).nth(4).unwrap();
        source.start(5).unwrap();
        source.skip(4).unwrap();
        assert!(source.next_into(&mut batch).unwrap() && batch.features == want.0);
        let mut plain = Batcher { shuffled: false, drop_last: true, ..Batcher::new(&data, 16, 0) };
        plain.start(0).unwrap();
        assert_eq!(plain.batches(), 2);
        assert!(plain.next_into(&mut batch).unwrap() && batch.rows == (0..16).collect::<Vec<_>>());
        assert!(plain.next_into(&mut batch).unwrap() && !plain.next_into(&mut batch).unwrap());
    }

    #[test]
    fn a_size_of_none_is_an_error_and_one_beyond_the_examples_takes_all() {
        let (data, mut batch) = (numbered(3), crate::data::empty_batch());
        let mut none = Batcher { size: 0, ..Batcher::new(&data, 1, 0) };
        assert!(none.next_into(&mut batch).unwrap_err().to_string().contains("not of 0"));
        let mut all = Batcher::new(&data, 9, 0);
        assert!(all.next_into(&mut batch).unwrap() && batch.len() == 3 && !all.next_into(&mut batch).unwrap());
        let nothing = numbered(0);
        assert!(!Batcher::new(&nothing, 9, 0).next_into(&mut batch).unwrap());
    }

    #[test]
    #[should_panic(expected = "batches: batches of 1 example or more are needed, not of 0")]
    fn a_batch_has_examples() {
        numbered(1).batches(0, 0, 0);
    }
}
