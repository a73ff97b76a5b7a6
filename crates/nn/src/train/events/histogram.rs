//! How numbers are spread.

/// In how many parts of equal width.
const PARTS: usize = 30;

/// Finite numbers, counted in parts of equal width from the least to the most.
#[derive(Debug, PartialEq)]
pub(super) struct Histogram {
    pub(super) least: f64,
    pub(super) most: f64,
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) squares: f64,
    /// Where each part ends, and how many are in it.
    pub(super) buckets: Vec<(f64, f64)>,
}

impl Histogram {
    pub(super) fn of(numbers: impl Iterator<Item = f64>) -> Self {
        let numbers: Vec<f64> = numbers.filter(|number| number.is_finite()).collect();
        let (least, most) = numbers
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), &number| (least.min(number), most.max(number)));
        let (least, most) = if numbers.is_empty() { (0.0, 0.0) } else { (least, most) };
        // Halved first: the difference of two numbers may be infinite.
        let end = |part: usize| {
            let share = part as f64 / PARTS as f64;
            (least * (1.0 - share) + most * share).clamp(least, most)
        };
        let mut counts = [0.0; PARTS];
        let width = most / 2.0 - least / 2.0;
        for number in &numbers {
            let share = (number / 2.0 - least / 2.0) / width;
            counts[((share * PARTS as f64) as usize).min(PARTS - 1)] += 1.0;
        }
        Self {
            least,
            most,
            count: numbers.len() as f64,
            sum: numbers.iter().sum(),
            squares: numbers.iter().map(|number| number * number).sum(),
            buckets: counts.iter().enumerate().map(|(part, count)| (end(part + 1), *count)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_number_is_in_the_part_that_it_lies_in() {
        let numbers: Vec<f64> = (0..=60).map(|i| f64::from(i) / 2.0 - 5.0).chain([f64::NAN, f64::INFINITY]).collect();
        let histogram = Histogram::of(numbers.into_iter());
        assert_eq!((histogram.least, histogram.most, histogram.count, histogram.sum), (-5.0, 25.0, 61.0, 610.0));
        let (ends, counts): (Vec<f64>, Vec<f64>) = histogram.buckets.into_iter().unzip();
        for (part, end) in ends.iter().enumerate() {
            approx::assert_relative_eq!(*end, part as f64 - 4.0, epsilon = 1e-12);
        }
        assert_eq!((&counts[..29], counts[29]), (&[2.0; 29][..], 3.0));
    }

    #[test]
    fn numbers_of_every_size_are_counted() {
        for numbers in [vec![], vec![0.0], vec![7.0, 7.0], vec![-f64::MAX, f64::MAX, 0.0], vec![5e-324, 0.0]] {
            let histogram = Histogram::of(numbers.iter().copied());
            let count: f64 = histogram.buckets.iter().map(|(_, count)| count).sum();
            assert_eq!(count, numbers.len() as f64, "{numbers:?}");
            assert!(histogram.buckets.is_sorted_by_key(|(end, _)| *end), "{histogram:?}");
            assert_eq!(histogram.buckets[29].0, histogram.most);
        }
    }
}
