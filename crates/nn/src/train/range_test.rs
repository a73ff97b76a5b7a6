//! Which rates are worth trying.

/// A learning-rate range test (Smith, "Cyclical learning rates for training neural networks", 2017): what the loss does while the rate
/// grows from step to step.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeTest {
    /// The rate of each step.
    pub rates: Vec<f64>,
    /// The loss of each step, before it was made.
    pub losses: Vec<f64>,
    /// The losses, each averaged with those before it (by 0.9, corrected for the start).
    pub smoothed: Vec<f64>,
}

/// Makes steps at rates that grow by one factor from the first to the last, and ends early once the smoothed loss is not finite or four
/// times the lowest. The function makes a step at a rate and gives the loss of before; it changes the net, so give it a copy.
///
/// ```
/// use autograd::Tensor;
/// use nn::train::range_test;
/// use nn::{Optimiser, Sgd};
/// let (mut w, mut sgd) = (Tensor::from([1.0, -3.0]), Sgd::new(0.0));
/// let test = range_test(1e-4, 10.0, 100, |rate| {
///     let loss = w.as_slice().iter().map(|w| w * w).sum();
///     sgd.rate = rate;
///     let gradient = w.map(|w| 2.0 * w);
///     sgd.step(&mut w, &gradient);
///     loss
/// });
/// let rate = test.suggestion().unwrap();
/// assert!(0.01 < rate && rate < 0.5, "{rate}"); // 0.5 leads to the minimum at once, from 1 on it diverges
/// ```
///
/// # Panics
/// Where the rates are not finite, above 0 and growing, or there are less than two steps.
#[track_caller]
pub fn range_test(from: f64, to: f64, steps: usize, mut step: impl FnMut(f64) -> f64) -> RangeTest {
    assert!(
        from > 0.0 && from < to && to.is_finite(),
        "range_test: finite rates above 0 that grow are needed, not {from} to {to}"
    );
    assert!(steps > 1, "range_test: 2 steps or more are needed, not {steps}");
    let mut test = RangeTest { rates: Vec::new(), losses: Vec::new(), smoothed: Vec::new() };
    let (mut mean, mut weight, mut lowest) = (0.0, 0.0, f64::INFINITY);
    for k in 0..steps {
        let rate = from * (to / from).powf(k as f64 / (steps - 1) as f64);
        let loss = step(rate);
        mean = 0.9 * mean + 0.1 * loss;
        weight = 0.9 * weight + 0.1;
        let smoothed = mean / weight;
        if !smoothed.is_finite() || smoothed > 4.0 * lowest {
            break;
        }
        lowest = lowest.min(smoothed);
        test.rates.push(rate);
        test.losses.push(loss);
        test.smoothed.push(smoothed);
    }
    test
}

impl RangeTest {
    /// The rate at which the smoothed loss falls most steeply, over the logarithm of the rate, before it is lowest: one to begin with.
    /// `None` where it never falls.
    pub fn suggestion(&self) -> Option<f64> {
        let lowest = (0..self.smoothed.len()).min_by(|&a, &b| self.smoothed[a].total_cmp(&self.smoothed[b]))?;
        let slope = |k: usize| self.smoothed[k + 1] - self.smoothed[k]; // the steps are alike in the logarithm
        let steepest = (0..lowest).min_by(|&a, &b| slope(a).total_cmp(&slope(b)))?;
        (slope(steepest) < 0.0).then(|| self.rates[steepest])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_where_the_loss_runs_away() {
        let test = range_test(1e-3, 1e3, 61, |rate| if rate < 1.0 { 2.0 - rate } else { 1e3 * rate });
        assert!((29..=32).contains(&test.rates.len()), "{}", test.rates.len()); // at the 31st, the rate is 1
        assert!(test.suggestion().is_some_and(|rate| rate < 1.0));
        assert_eq!(range_test(1e-3, 1.0, 9, |_| f64::NAN).rates.len(), 0);
        assert_eq!(range_test(1e-3, 1.0, 9, |rate| rate).suggestion(), None);
    }

    #[test]
    #[should_panic(expected = "range_test: finite rates above 0 that grow are needed, not 1 to 0.1")]
    fn rates_grow() {
        range_test(1.0, 0.1, 9, |_| 0.0);
    }
}
