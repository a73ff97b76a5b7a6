//! When to stop.

use super::Better;
use serde::{Deserialize, Serialize};

/// Stops training once a number that is watched, as the loss on held-out rows, has not improved for some epochs; as Keras'
/// `EarlyStopping`. A NaN is no improvement. What it remembers is public, so that a checkpoint can hold it.
///
/// ```
/// use nn::train::EarlyStop;
/// let mut stop = EarlyStop { min_delta: 0.01, ..EarlyStop::new(2) };
/// let losses = [1.0, 0.8, 0.795, 0.79, 0.5];
/// let asked: Vec<bool> = losses.iter().map(|&loss| stop.stop(loss)).collect();
/// assert_eq!(asked, [false, false, false, true, false]); // the third and the fourth are better by too little
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EarlyStop {
    /// How many epochs without improvement are too many; with 0, the first one is.
    pub patience: u32,
    /// An improvement is better than the best by more than this.
    pub min_delta: f64,
    /// Whether lower is better, or higher.
    pub mode: Better,
    /// The best so far.
    #[serde(with = "crate::any_number::option")]
    pub best: Option<f64>,
    /// How many epochs ago that was.
    pub waited: u32,
}

impl EarlyStop {
    /// With this patience, where lower is better, by however little.
    pub fn new(patience: u32) -> Self {
        Self { patience, min_delta: 0.0, mode: Better::Lower, best: None, waited: 0 }
    }

    /// Takes the number of an epoch, and tells whether to stop.
    pub fn stop(&mut self, value: f64) -> bool {
        if self.mode.than(value, self.best, self.min_delta) {
            (self.best, self.waited) = (Some(value), 0);
            return false;
        }
        self.waited = self.waited.saturating_add(1);
        self.waited >= self.patience
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(mut stop: EarlyStop, values: &[f64]) -> Option<usize> {
        values.iter().position(|&value| stop.stop(value))
    }

    #[test]
    fn it_waits_as_long_as_it_was_told_since_the_best() {
        let falling = [5.0, 4.0, 4.0, 4.1, 3.9, 4.0, 4.0, 4.0];
        assert_eq!(epochs(EarlyStop::new(3), &falling), Some(7));
        assert_eq!(epochs(EarlyStop::new(0), &falling), Some(2));
        assert_eq!(epochs(EarlyStop { mode: Better::Higher, ..EarlyStop::new(2) }, &falling), Some(2));
        assert_eq!(epochs(EarlyStop::new(2), &[f64::NAN, f64::NAN, 1.0]), Some(1));
    }
}
