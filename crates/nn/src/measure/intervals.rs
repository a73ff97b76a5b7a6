//! How sure a metric is of so few rows.

use crate::random::generator;
use autograd::Tape;
use rand::RngExt;

/// A metric, and where it lies with a probability.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The metric of the rows themselves.
    pub estimate: f64,
    /// The upper end.
    pub high: f64,
}

/// Options of [`bootstrap`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bootstrap {
    /// How often rows are drawn.
    pub resamples: usize,
    /// The probability that the interval is to hold the metric with.
    pub level: f64,
    /// Decides which rows are drawn.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 1000, level: 0.95, seed: 0 }
    }
}

/// The percentile interval of a metric (Efron, 1979): as many rows as there are, drawn with replacement, again and again. The metric
/// is a function of the places of rows; where it is NaN, as an area is of rows of one class, the resample does not count.
///
/// ```
/// use nn::measure::{Bootstrap, bootstrap};
/// let errors = [0.3, 0.1, 0.5, 0.2, 0.4, 0.1, 0.2, 0.6];
/// let mean = |rows: &[usize]| rows.iter().map(|&row| errors[row]).sum::<f64>() / rows.len() as f64;
/// let interval = bootstrap(errors.len(), &Bootstrap::default(), mean);
/// assert!((interval.estimate - 0.3).abs() < 1e-15);
/// assert!(0.15 < interval.low && interval.low < 0.25 && 0.35 < interval.high && interval.high < 0.45);
/// ```
///
/// # Panics
/// Where there are no rows or resamples, or the level is not between 0 and 1.
#[track_caller]
pub fn bootstrap(rows: usize, options: &Bootstrap, mut metric: impl FnMut(&[usize]) -> f64) -> Interval {
    let &Bootstrap { resamples, level, seed } = options;
    assert!(rows > 0, "bootstrap: 1 row or more is needed, there is none");
    assert!(resamples > 0, "bootstrap: 1 resample or more is needed, not 0");
    assert!(level > 0.0 && level < 1.0, "bootstrap: a level between 0 and 1 is needed, not {level}");
    let mut drawn: Vec<usize> = (0..rows).collect();
    let estimate = metric(&drawn);
    let mut rng = generator(seed);
    let mut found = Vec::with_capacity(resamples);
    for _ in 0..resamples {
        for row in &mut drawn {
            *row = rng.random_range(0..rows as u64) as usize; // the same on machines of 32 bits
        }
        found.push(metric(&drawn));
    }
    found.retain(|value| !value.is_nan());
    found.sort_by(f64::total_cmp);
    let outside = (1.0 - level) / 2.0;
    Interval { low: place(&found, outside), estimate, high: place(&found, 1.0 - outside) }
}

/// The quantile of numbers, with straight lines between two that are neighbours, as NumPy has it; NaN where there are none, or one is
/// NaN.
///
/// ```
/// assert_eq!(nn::measure::quantile(&[4.0, 1.0, 3.0, 2.0], 0.5), 2.5);
/// ```
///
/// # Panics
/// Where the share is not between 0 and 1.
#[track_caller]
pub fn quantile(values: &[f64], share: f64) -> f64 {
    assert!((0.0..=1.0).contains(&share), "quantile: a share between 0 and 1 is needed, not {share}");
    if values.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    place(&sorted, share)
}

/// Between which numbers a further one lies with a probability, by those that there are: on each side `(n + 1)(1 − level) / 2` of them
/// are beyond (split conformal prediction; Papadopoulos and others, "Inductive confidence machines for regression", 2002), with
/// straight lines between neighbours. Of fewer than that needs, it is from the least to the greatest, which is less probable. NaN where there
/// are none, or one is NaN.
///
/// ```
/// let residuals: Vec<f64> = (1..=19).map(f64::from).collect();
/// assert_eq!(nn::measure::spread(&residuals, 0.9), [1.0, 19.0]);
/// let [low, high] = nn::measure::spread(&residuals, 0.8);
/// assert!((low - 2.0).abs() < 1e-12 && (high - 18.0).abs() < 1e-12);
/// ```
///
/// # Panics
/// Where the level is not between 0 and 1.
#[track_caller]
pub fn spread(values: &[f64], level: f64) -> [f64; 2] {
    assert!(level > 0.0 && level < 1.0, "spread: a level between 0 and 1 is needed, not {level}");
    let n = values.len() as f64;
    let beyond = (((n + 1.0) * (1.0 - level) / 2.0 - 1.0) / (n - 1.0).max(1.0)).max(0.0);
    // Rounding is no reason to go further in.
    let beyond = if beyond < 1e-12 { 0.0 } else { beyond };
    [quantile(values, beyond), quantile(values, 1.0 - beyond)]
}

/// The quantile of sorted numbers.
fn place(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    if low == high { low } else { low + (high - low) * place.fract() }
}

/// The interval of a share of rows by Wilson's score (1927), which stays between 0 and 1 and is right for few rows: 9 of 10 at 0.95 are
/// 0.60 to 0.98.
///
/// ```
/// let interval = nn::measure::wilson(9, 10, 0.95);
/// assert!((interval.low - 0.595_849_973_2).abs() < 1e-9 && (interval.high - 0.982_123_786_9).abs() < 1e-9);
/// ```
///
/// # Panics
/// Where there are no rows, more are right than there are, or the level is not between 0 and 1.
#[track_caller]
pub fn wilson(right: usize, rows: usize, level: f64) -> Interval {
    assert!(rows > 0, "wilson: 1 row or more is needed, there is none");
    assert!(right <= rows, "wilson: {right} of {rows} rows cannot be right");
    assert!(level > 0.0 && level < 1.0, "wilson: a level between 0 and 1 is needed, not {level}");
    let (n, share) = (rows as f64, right as f64 / rows as f64);
    let tape = Tape::<f64>::new();
    let z = tape.scalar(level).erfinv().item() * 2_f64.sqrt(); // the normal distribution's quantile at (1 + level) / 2
    let square = z * z / n;
    let middle = (share + square / 2.0) / (1.0 + square);
    let half = z / (1.0 + square) * (share * (1.0 - share) / n + square / (4.0 * n)).sqrt();
    let low = if right == 0 { 0.0 } else { middle - half };
    let high = if right == rows { 1.0 } else { middle + half };
    Interval { low, estimate: share, high }
}
