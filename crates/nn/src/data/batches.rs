//! Examples in random order, some at a time.

use crate::data::Dataset;
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
    /// Where the size is 0.
    #[track_caller]
    pub fn batches(&self, size: usize, seed: u64, epoch: u32) -> Batches<'_, T> {
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
    #[should_panic(expected = "batches: batches of 1 example or more are needed, not of 0")]
    fn a_batch_has_examples() {
        numbered(1).batches(0, 0, 0);
    }
}
