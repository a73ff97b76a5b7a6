//! Which of two numbers is better.

use serde::{Deserialize, Serialize};

/// Whether a number that is watched is to become lower, as a loss, or higher, as an accuracy.
///
/// ```
/// use nn::train::Better;
/// assert!(Better::Lower.than(0.1, Some(0.2), 0.0) && !Better::Higher.than(0.1, Some(0.2), 0.0));
/// assert!(Better::Lower.than(0.1, None, 0.0) && !Better::Lower.than(f64::NAN, None, 0.0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Better {
    /// Lower is better, as PyTorch's `min`.
    #[default]
    Lower,
    /// Higher is better, as PyTorch's `max`.
    Higher,
}

impl Better {
    /// Whether a number is better than the best so far by more than a difference. A NaN never is; any number is better than none.
    pub fn than(self, value: f64, best: Option<f64>, by: f64) -> bool {
        match (self, best) {
            (_, None) => !value.is_nan(),
            (Self::Lower, Some(best)) => value < best - by,
            (Self::Higher, Some(best)) => value > best + by,
        }
    }
}
