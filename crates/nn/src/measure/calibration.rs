//! Whether probabilities are as frequent as they say, and how to make them so.

use super::rows::{columns, same_length};
use autograd::{Float, Tensor};

/// Rows whose probabilities lie in one interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// The interval, without its lower end but for the first.
    pub from: f64,
    /// The upper end, which belongs to it.
    pub to: f64,
    /// How many rows there are.
    pub rows: usize,
    /// The mean of their probabilities; NaN without rows.
    pub probability: f64,
    /// The share of them that came true; NaN without rows.
    pub frequency: f64,
}

/// Probabilities in bins of equal width beside what came true: the data of a reliability diagram.
///
/// ```
/// use nn::measure::Reliability;
/// let reliability = Reliability::of(&[0.1, 0.3, 0.9, 0.7], &[false, true, true, true], 2);
/// assert_eq!((reliability.bins[0].rows, reliability.bins[0].probability, reliability.bins[0].frequency), (2, 0.2, 0.5));
/// assert!((reliability.expected_error() - 0.25).abs() < 1e-15);
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Reliability {
    /// From 0 to 1, empty ones too.
    pub bins: Vec<Bin>,
}

impl Reliability {
    /// Of probabilities, and whether each came true: of the predicted class, or of one class.
    ///
    /// # Panics
    /// Where there are not as many probabilities as rows, one is not between 0 and 1, or there is no bin.
    #[track_caller]
    pub fn of<T: Float>(probabilities: &[T], came_true: &[bool], bins: usize) -> Self {
        same_length("Reliability::of", [("probabilities", probabilities.len()), ("rows", came_true.len())]);
        assert!(bins > 0, "Reliability::of: 1 bin or more is needed, not 0");
        let mut sums = vec![(0, 0.0, 0.0); bins];
        for (row, p) in probabilities.iter().enumerate() {
            let p = p.to_f64();
            assert!(
                (0.0..=1.0).contains(&p),
                "Reliability::of: a probability between 0 and 1 is needed, row {row} has {p}"
            );
            let bin = ((p * bins as f64).ceil() as usize).clamp(1, bins) - 1;
            let (rows, sum, hits) = &mut sums[bin];
            *rows += 1;
            *sum += p;
            *hits += f64::from(came_true[row]);
        }
        let bin = |(place, (rows, sum, hits)): (usize, (usize, f64, f64))| Bin {
            from: place as f64 / bins as f64,
            to: (place + 1) as f64 / bins as f64,
            rows,
            probability: sum / rows as f64,
            frequency: hits / rows as f64,
        };
        Self { bins: sums.into_iter().enumerate().map(bin).collect() }
    }

    /// Of the predicted classes of probabilities `[n, k]`: how sure, and whether right.
    ///
    /// # Panics
    /// As [`Reliability::of`]; where the probabilities are not a matrix with one row for each label, or a label names no column.
    #[track_caller]
    pub fn of_classes<T: Float>(probabilities: &Tensor<T>, labels: &[usize], bins: usize) -> Self {
        let k = columns("Reliability::of_classes", "probabilities", probabilities, labels);
        let classes = super::classes(probabilities);
        let sure: Vec<T> =
            classes.iter().enumerate().map(|(row, class)| probabilities.as_slice()[row * k + class]).collect();
        let right: Vec<bool> = classes.iter().zip(labels).map(|(class, label)| class == label).collect();
        Self::of(&sure, &right, bins)
    }

    /// The expected calibration error: the mean over rows of the distance of their bin's frequency from its probability (Guo et al.,
    /// "On calibration of modern neural networks", 2017); NaN without rows.
    pub fn expected_error(&self) -> f64 {
        let rows: usize = self.bins.iter().map(|bin| bin.rows).sum();
        self.gaps().map(|(n, gap)| n as f64 * gap).sum::<f64>() / rows as f64
    }

    /// The largest such distance; 0 without rows.
    pub fn largest_error(&self) -> f64 {
        self.gaps().map(|(_, gap)| gap).fold(0.0, f64::max)
    }

    fn gaps(&self) -> impl Iterator<Item = (usize, f64)> {
        let filled = self.bins.iter().filter(|bin| bin.rows > 0);
        filled.map(|bin| (bin.rows, (bin.frequency - bin.probability).abs()))
    }
}

/// Temperature scaling (Guo et al., 2017): scores are divided by one number, found on held-out rows, so that their softmax is as sure
/// as it is right. Which class is largest does not change.
///
/// ```
/// use autograd::Tensor;
/// use nn::measure::Temperature;
/// // Sure at odds of e⁴, and right in three of four: the right odds are 3.
/// let scores = Tensor::from_rows([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [4.0, 0.0]]);
/// let temperature = Temperature::fit(&scores, &[0, 0, 0, 1]);
/// assert!((temperature.0 - 4.0 / 3_f64.ln()).abs() < 1e-9);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Temperature(pub f64);

impl Temperature {
    /// The hottest and the coldest that is looked for: where all rows are right no matter how sure, no temperature is best.
    const RANGE: (f64, f64) = (1e-3, 1e3);

    /// The temperature, between 0.001 and 1000, at which the scores `[n, k]` have the least [`log_loss`](super::log_loss).
    ///
    /// # Panics
    /// Where there are no rows, a score is not finite, the scores are not a matrix with one row for each label, or a label names no
    /// column.
    #[track_caller]
    pub fn fit<T: Float>(scores: &Tensor<T>, labels: &[usize]) -> Self {
        let k = columns("Temperature::fit", "scores", scores, labels);
        assert!(!labels.is_empty(), "Temperature::fit: 1 row or more is needed, there is none");
        let finite = scores.as_slice().iter().position(|score| !score.is_finite());
        if let Some(place) = finite {
            let (row, score) = (place / k, scores.as_slice()[place]);
            panic!("Temperature::fit: finite scores are needed, row {row} has {score:?}");
        }
        // The loss is convex in 1 / temperature, and this is its slope there: the expected score less that of the label.
        let slope = |cold: f64| -> f64 {
            let of_row = |(row, &label): (&[T], &usize)| {
                let largest = row.iter().fold(f64::NEG_INFINITY, |most, score| most.max(score.to_f64()));
                let weights: Vec<f64> = row.iter().map(|score| (cold * (score.to_f64() - largest)).exp()).collect();
                let below = weights.iter().zip(row).map(|(weight, score)| weight * (score.to_f64() - largest));
                below.sum::<f64>() / weights.iter().sum::<f64>() - (row[label].to_f64() - largest)
            };
            scores.as_slice().chunks(k).zip(labels).map(of_row).sum()
        };
        let (mut low, mut high) = (Self::RANGE.0.ln(), Self::RANGE.1.ln());
        for _ in 0..64 {
            let middle = f64::midpoint(low, high);
            *if slope((-middle).exp()) > 0.0 { &mut low } else { &mut high } = middle;
        }
        Self(f64::midpoint(low, high).exp())
    }

    /// The scores divided by the temperature.
    pub fn apply<T: Float>(self, scores: &Tensor<T>) -> Tensor<T> {
        scores.map(|score| T::of(score.to_f64() / self.0))
    }
}
