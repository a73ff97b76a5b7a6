//! Holding out a part of the examples.

use crate::data::parts::hold_share;
use crate::data::{By, Dataset, Lone, Parts, Target};
use crate::error::{Error, Kind};
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
    /// Where the share is not between 0 and 1, a part would be empty, though the share is neither 0 nor 1, or no row of a
    /// class is left to train with. [`Dataset::try_split`] returns the latter as errors.
    #[track_caller]
    pub fn split(&self, held_out: f64, seed: u64) -> (Self, Self) {
        self.split_as("split", By::Rows(self.len()), held_out, seed)
    }

    /// As [`Dataset::split`], with this share of each class, so that both parts have the same mixture of classes: of each class
    /// the share, one more or less, and of all together the share, rounded. Each class keeps a row to train with.
    ///
    /// # Panics
    /// As [`Dataset::split`], and where the target is not classes, or a class has a single row.
    #[track_caller]
    pub fn split_stratified(&self, held_out: f64, seed: u64) -> (Self, Self) {
        let (labels, names) = self.of_classes("split_stratified");
        self.split_as("split_stratified", By::Classes { labels, names, lone: Lone::Refuse }, held_out, seed)
    }

    /// Splits with care for classes, groups or times; see [`By`].
    ///
    /// # Errors
    /// As [`By::split`], and where no row of a class is left to train with.
    ///
    /// # Panics
    /// Where the share is not between 0 and 1, or this is about another number of rows.
    #[track_caller]
    pub fn try_split(&self, by: By<'_>, held_out: f64, seed: u64) -> Result<(Self, Self), Error> {
        hold_share("try_split", held_out);
        let (n, m) = (self.len(), by.len());
        assert!(m == n, "try_split: {m} rows are to be divided, there are {n}");
        let parts = by.parts(held_out, seed).and_then(|parts| self.hold_classes(&parts).map(|()| parts));
        let parts = parts.map_err(|text| Error::of(Kind::Data(text)))?;
        Ok((self.select(&parts.train), self.select(&parts.held_out)))
    }

    /// The examples in another order, at random.
    pub fn shuffle(&self, seed: u64) -> Self {
        let mut rows: Vec<usize> = (0..self.len()).collect();
        rows.shuffle(&mut stream(seed, Purpose::Shuffle));
        self.select(&rows)
    }

    #[track_caller]
    #[inline(never)]
    fn split_as(&self, function: &str, by: By<'_>, held_out: f64, seed: u64) -> (Self, Self) {
        hold_share(function, held_out);
        match by.parts(held_out, seed).and_then(|parts| self.hold_classes(&parts).map(|()| parts)) {
            Ok(parts) => (self.select(&parts.train), self.select(&parts.held_out)),
            Err(text) => panic!("{function}: {text}"),
        }
    }

    /// A class that has rows has some to train with, where there is anything to train with.
    fn hold_classes(&self, parts: &Parts) -> Result<(), String> {
        let Target::Classes { labels, names } = self.target() else { return Ok(()) };
        let mut trained = vec![false; names.len()];
        parts.train.iter().for_each(|&row| trained[labels[row]] = true);
        match parts.held_out.iter().find(|&&row| !trained[labels[row]]) {
            Some(&row) if !parts.train.is_empty() => {
                let class = names[labels[row]].escape_debug();
                Err(format!("no row of class `{class}` is left to train with: `split_stratified` keeps some of each"))
            }
            _ => Ok(()),
        }
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
            labels in prop::collection::vec(0_usize..4, 8..60),
            share in 0.0..=1.0_f64,
            seed: u64,
            stratified: bool,
        ) {
            let data = numbered(labels.clone());
            let by = if stratified { By::Classes { labels: &labels, names: data.classes(), lone: Lone::Train } }
                else { By::Rows(labels.len()) };
            let Ok((train, test)) = data.try_split(by, share, seed) else { return Ok(()) };
            let mut all = [rows(&train), rows(&test)].concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..labels.len()).collect::<Vec<_>>());
            for part in [&train, &test] {
                let want: Vec<_> = rows(part).iter().map(|&row| labels[row]).collect();
                prop_assert_eq!(part.labels(), want);
                prop_assert!(!part.is_empty() || share == 0.0 || share == 1.0);
            }
            let trained = |class: &usize| train.is_empty() || train.labels().contains(class);
            prop_assert!(labels.iter().all(trained));
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

    #[test]
    #[should_panic(expected = "split: no row of class `1` is left to train with")]
    fn a_random_split_does_not_lose_a_class_in_silence() {
        let data = numbered([vec![0; 9], vec![1]].concat());
        (0..20).for_each(|seed| drop(data.split(0.5, seed)));
    }

    #[test]
    fn shuffling_keeps_all_examples() {
        let data = numbered((0..40).map(|i| i % 4).collect());
        let mixed = data.shuffle(1);
        assert!(rows(&mixed) != rows(&data) && data.shuffle(1) == mixed && data.shuffle(2) != mixed);
        let mut all = rows(&mixed);
        all.sort_unstable();
        assert_eq!(all, rows(&data));
    }
}
