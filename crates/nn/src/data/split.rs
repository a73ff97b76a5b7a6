//! Holding out a part of the examples.

use crate::data::Dataset;
use crate::random::{Purpose, stream};
use autograd::Float;
use rand::seq::SliceRandom;

impl<T: Float> Dataset<T> {
    /// Splits at random into examples to train with and held-out ones, which are this share of all, rounded. Both keep
    /// the order of the rows.
    ///
    /// ```
    /// use nn::data::{Csv, IRIS_CSV};
    /// # fn main() -> Result<(), nn::Error> {
    /// let iris = Csv::new("species").parse::<f64>("iris.csv", IRIS_CSV)?;
    /// let (train, test) = iris.split(0.2, 0);
    /// assert_eq!((train.len(), test.len()), (120, 30));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Where the share is not between 0 and 1.
    #[track_caller]
    pub fn split(&self, held_out: f64, seed: u64) -> (Self, Self) {
        self.split_groups("split", vec![(0..self.len()).collect()], held_out, seed)
    }

    /// As [`Dataset::split`], with this share of each class, rounded, so that both parts have the same mixture of
    /// classes.
    ///
    /// # Panics
    /// Where the share is not between 0 and 1.
    #[track_caller]
    pub fn split_stratified(&self, held_out: f64, seed: u64) -> (Self, Self) {
        let mut groups = vec![Vec::new(); self.classes().len()];
        for (row, &label) in self.labels().iter().enumerate() {
            groups[label].push(row);
        }
        self.split_groups("split_stratified", groups, held_out, seed)
    }

    /// Holds out a share of each group of rows.
    #[track_caller]
    fn split_groups(&self, name: &str, groups: Vec<Vec<usize>>, held_out: f64, seed: u64) -> (Self, Self) {
        assert!((0.0..=1.0).contains(&held_out), "{name}: a share between 0 and 1 is needed, not {held_out}");
        let rng = &mut stream(seed, Purpose::Split);
        let (mut train, mut test) = (Vec::new(), Vec::new());
        for mut rows in groups {
            rows.shuffle(rng);
            let kept = rows.split_off((rows.len() as f64 * held_out).round() as usize);
            test.extend(rows);
            train.extend(kept);
        }
        train.sort_unstable();
        test.sort_unstable();
        (self.select(&train), self.select(&test))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use autograd::Tensor;
    use proptest::prelude::*;

    /// Examples whose only feature is their row.
    fn numbered(labels: Vec<usize>) -> Dataset {
        let features = Tensor::from_fn([labels.len(), 1], |row| row as f64);
        Dataset::new(features, labels, (0..4).map(|class| class.to_string()).collect())
    }

    fn rows(data: &Dataset) -> Vec<usize> {
        data.features().as_slice().iter().map(|&row| row as usize).collect()
    }

    proptest! {
        #[test]
        fn each_example_is_in_one_part_with_its_label(
            labels in prop::collection::vec(0_usize..4, 0..60),
            share in 0.0..=1.0_f64,
            seed: u64,
            stratified: bool,
        ) {
            let data = numbered(labels.clone());
            let (train, test) =
                if stratified { data.split_stratified(share, seed) } else { data.split(share, seed) };
            let mut all = [rows(&train), rows(&test)].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
            for part in [&train, &test] {
                let want: Vec<_> = rows(part).iter().map(|&row| labels[row]).collect();
                prop_assert_eq!(part.labels(), want);
            }
        }

        #[test]
        fn a_stratified_split_holds_out_the_share_of_each_class(
            labels in prop::collection::vec(0_usize..4, 0..60),
            share in 0.0..=1.0_f64,
            seed: u64,
        ) {
            let (_, test) = numbered(labels.clone()).split_stratified(share, seed);
            for class in 0..4 {
                let count = |labels: &[usize]| labels.iter().filter(|&&label| label == class).count() as f64;
                prop_assert_eq!(count(test.labels()), (count(&labels) * share).round());
            }
        }
    }

    #[test]
    fn the_seed_decides() {
        let data = numbered(vec![0; 50]);
        assert_eq!(data.split(0.5, 1), data.split(0.5, 1));
        assert_ne!(data.split(0.5, 1), data.split(0.5, 2));
    }

    #[test]
    #[should_panic(expected = "split: a share between 0 and 1 is needed, not NaN")]
    fn a_share_is_a_share() {
        let _ = numbered(vec![0]).split(f64::NAN, 0);
    }
}
