//! The map of numbers to one scale.

/// The mean and the divisor of some finite numbers, for `(x − mean) / divisor` with variance 1: the standard deviation
/// `√(1/n Σ (x − mean)²)`, or 1 where that is no more than what rounding makes of equal numbers. The rule is scikit-learn's
/// (`StandardScaler`): `σ² ≤ n ε σ² + (n ε mean)²`; numbers that were kept in fewer digits count with their own `epsilon` too.
///
/// Sums are made of numbers scaled by a power of two, so that squares stay in range, and around the mean, so that they do
/// not cancel.
pub(crate) fn moments(values: impl Iterator<Item = f64> + Clone, epsilon: f64) -> (f64, f64) {
    let Some(first) = values.clone().next() else { return (0.0, 1.0) };
    // The mean of equal numbers may round to another one.
    if values.clone().all(|x| x == first) {
        return (first, 1.0);
    }
    let n = values.clone().count() as f64;
    let unit = power_above(values.clone().fold(0.0, |largest, x| x.abs().max(largest)));
    let centre = values.clone().map(|x| x / unit).sum::<f64>() / n;
    let spread = power_above(values.clone().fold(0.0, |largest, x| (x / unit - centre).abs().max(largest)));
    let squares = values.map(|x| ((x / unit - centre) / spread).powi(2)).sum::<f64>();
    let (mean, std) = (centre * unit, (squares / n).sqrt() * spread * unit);
    let share = n * f64::EPSILON;
    let level = mean.abs() * share.max(2.0 * if epsilon > f64::EPSILON { epsilon } else { 0.0 });
    let rounding = level / (1.0 - share).max(f64::EPSILON).sqrt();
    if std > rounding && std.is_finite() && std > 0.0 { (mean, std) } else { (mean, 1.0) }
}

/// The power of two above a positive number, one for 0; so that `x / power` is exact and at most 1.
fn power_above(largest: f64) -> f64 {
    if largest == 0.0 {
        return 1.0;
    }
    let (_, exponent) = libm::frexp(largest);
    libm::ldexp(1.0, exponent.min(1023))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[f64]) -> (f64, f64) {
        moments(values.iter().copied(), f64::EPSILON)
    }

    #[test]
    fn the_whole_range_has_a_spread() {
        for unit in [1.0, 1e-180, 1e190, 1e-300, 1e307, 5e-324] {
            let (mean, std) = of(&[unit, 3.0 * unit, 5.0 * unit, 7.0 * unit]);
            let rounding = if unit < 1e-320 { 0.2 } else { 1e-15 };
            assert!((mean / unit - 4.0).abs() < 1e-14, "{unit:e}: {mean:e}");
            assert!((std / unit / 5_f64.sqrt() - 1.0).abs() < rounding, "{unit:e}: {std:e}");
        }
        let (mean, std) = of(&[f64::MAX, -f64::MAX]);
        assert_eq!((mean, std), (0.0, f64::MAX));
    }

    #[test]
    fn rounding_is_no_spread() {
        assert_eq!(of(&[0.1 + 0.2, 0.3, 0.3, 0.3]).1, 1.0);
        assert_eq!(of(&[0.1; 10]), (0.1, 1.0));
        let single = [0.1_f32 + 0.2, 0.3, 0.3].map(f64::from);
        assert_eq!(moments(single.iter().copied(), f64::from(f32::EPSILON)).1, 1.0);
        // But small numbers on a large level are.
        let (_, std) = of(&[1e9, 1e9 + 2.0]);
        assert_eq!(std, 1.0);
        assert!(of(&[1e9, 1e9 + 0.5]).1 == 0.25);
    }
}
