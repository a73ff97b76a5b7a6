//! From numbers to places along an axis, and the round numbers at which it is labelled.

use crate::text::{number, trimmed};

/// How numbers lie along an axis.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equal distances.
    #[default]
    Linear,
    /// Equal ratios are. Numbers of 0 or less have no place.
    Log,
}

/// An axis that holds the finite ones of some numbers.
#[derive(Clone, Debug)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    log: bool,
    /// Round numbers with their labels.
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Over these numbers. Where it is to be logarithmic and no number is above 0, it is linear.
    pub(crate) fn over(values: impl Iterator<Item = f64>, scale: Scale, most_ticks: usize) -> Self {
        let (mut bounds, mut positive) = (Bounds::new(), Bounds::new());
        for x in values.filter(|x| x.is_finite()) {
            bounds.add(x);
            if x > 0.0 {
                positive.add(x);
            }
        }
        if scale == Scale::Log
            && let Some((low, high)) = positive.get()
        {
            return Self::logarithmic(low.log10(), high.log10(), most_ticks);
        }
        let (low, high) = bounds.get().unwrap_or((0.0, 1.0));
        Self::linear(low, high, most_ticks)
    }

    /// From one number to another.
    pub(crate) fn linear(low: f64, high: f64, most_ticks: usize) -> Self {
        let size = low.abs().max(high.abs());
        // All numbers are the same, or as good as that.
        let (low, high) = if high / 2.0 - low / 2.0 <= (size * 1e-13).max(1e-300) {
            let room = if size == 0.0 { 0.5 } else { (size * 0.1).max(f64::MIN_POSITIVE * 1e10) };
            ((low - room).max(f64::MIN), (high + room).min(f64::MAX))
        } else {
            (low, high)
        };
        // Half of all, since the whole of it may be infinite.
        let step = nice_step((high / 2.0 - low / 2.0) / most_ticks.max(2) as f64 * 2.0);
        let mut axis = Self { low, high, log: false, ticks: Vec::new() };
        let decimals = Decimals::of(size.max(low.abs()).max(high.abs()), step);
        let first = (low / step).ceil();
        for k in 0..=2 * most_ticks.max(2) {
            let tick = (first + k as f64) * step;
            if !tick.is_finite() || tick > high + step * 1e-9 {
                break;
            }
            let tick = if tick.abs() < step * 1e-9 { 0.0 } else { tick };
            axis.ticks.push((tick, decimals.show(tick)));
        }
        axis
    }

    /// By the decimal logarithms of its ends.
    fn logarithmic(low: f64, high: f64, most_ticks: usize) -> Self {
        let (low, high) = if high - low < 0.05 { (low - 0.15, high + 0.15) } else { (low, high) };
        let mut axis = Self { low, high, log: true, ticks: Vec::new() };
        let decades = high.floor() - low.ceil();
        if decades >= 2.0 {
            let every = (decades / most_ticks.max(2) as f64).ceil().max(1.0);
            let mut power = low.ceil();
            while power <= high {
                let tick = 10_f64.powf(power); // powers below 1e-307, too
                if tick > 0.0 && tick.is_finite() {
                    axis.ticks.push((tick, number(tick)));
                }
                power += every;
            }
        } else {
            // Less than some decades: round numbers within.
            let powers = (low.floor() as i32)..=(high.ceil() as i32);
            let parts = powers.flat_map(|power| [1.0, 2.0, 5.0].map(|part| part * 10_f64.powi(power)));
            axis.ticks = parts.filter(|x| (low..=high).contains(&x.log10())).map(|x| (x, number(x))).collect();
            if axis.ticks.len() < 2 {
                axis.ticks = Self::linear(10_f64.powf(low), 10_f64.powf(high), most_ticks).ticks;
                axis.ticks.retain(|(x, _)| *x > 0.0);
            }
        }
        axis
    }

    /// Whether a number has a place here.
    pub(crate) fn holds(&self, x: f64) -> bool {
        x.is_finite() && (!self.log || x > 0.0)
    }

    /// Whether it is logarithmic.
    pub(crate) fn is_log(&self) -> bool {
        self.log
    }

    /// Where a number lies: 0 at the start, 1 at the end; none outside.
    pub(crate) fn place(&self, x: f64) -> f64 {
        let x = if self.log { x.max(f64::MIN_POSITIVE * f64::EPSILON).log10() } else { x };
        let share = (x / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        if share.is_nan() { 0.5 } else { share.clamp(0.0, 1.0) }
    }
}

/// The smallest and the largest of numbers.
struct Bounds(f64, f64);

impl Bounds {
    fn new() -> Self {
        Self(f64::INFINITY, f64::NEG_INFINITY)
    }

    fn add(&mut self, x: f64) {
        *self = Self(self.0.min(x), self.1.max(x));
    }

    fn get(&self) -> Option<(f64, f64)> {
        (self.0 <= self.1).then_some((self.0, self.1))
    }
}

/// The least of 1, 2 and 5 times a power of ten that is not below.
fn nice_step(rough: f64) -> f64 {
    let power = 10_f64.powi((rough.log10().floor() as i32).max(-307));
    let part = rough / power;
    // A thousandth more for what rounding has done.
    let nice = [1.0, 2.0, 5.0].into_iter().find(|nice| part <= nice * 1.001).unwrap_or(10.0);
    (nice * power).min(f64::MAX / 4.0)
}

/// How many digits tell ticks apart.
enum Decimals {
    Fixed(usize),
    Exponent(usize),
}

impl Decimals {
    fn of(size: f64, step: f64) -> Self {
        let power = step.log10().floor();
        if size < 1e6 && power >= -4.0 {
            return Self::Fixed((-power).max(0.0) as usize);
        }
        Self::Exponent((size.log10().floor() - power).clamp(0.0, 14.0) as usize)
    }

    fn show(&self, x: f64) -> String {
        match self {
            Self::Fixed(digits) => format!("{x:.digits$}"),
            Self::Exponent(_) if x == 0.0 => "0".to_owned(),
            Self::Exponent(digits) => {
                let text = format!("{x:.digits$e}");
                let (head, tail) = text.split_once('e').unwrap_or((&text, "0"));
                format!("{}e{tail}", trimmed(head))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[f64], scale: Scale) -> Vec<String> {
        Axis::over(values.iter().copied(), scale, 5).ticks.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(labels(&[0.0, 1.0], Scale::Linear), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&[-3.0, 47.0], Scale::Linear), ["0", "10", "20", "30", "40"]);
        assert_eq!(labels(&[1e-3, 20.0], Scale::Log), ["0.001", "0.01", "0.1", "1", "10"]);
        assert_eq!(labels(&[0.3, 2.5], Scale::Log), ["0.5", "1", "2"]);
    }

    #[test]
    fn any_numbers_have_an_axis_with_different_labels() {
        let hard = [
            &[][..],
            &[0.0],
            &[7.0, 7.0],
            &[f64::NAN, f64::INFINITY],
            &[f64::MAX, f64::MIN],
            &[f64::MAX],
            &[5e-324],
            &[5e-324, 1e-320],
            &[1e9, 1e9 + 1e-3],
            &[1.0, 1.0 + f64::EPSILON],
            &[-1.0, 0.0],
            &[1e-300, 1e300],
            &[0.999, 1.001],
        ];
        for values in hard {
            for scale in [Scale::Linear, Scale::Log] {
                let axis = Axis::over(values.iter().copied(), scale, 5);
                for &x in values {
                    assert!((0.0..=1.0).contains(&axis.place(x)), "{values:?}: {x}");
                }
                let labels = labels(values, scale);
                let mut distinct = labels.clone();
                distinct.dedup();
                assert_eq!(distinct, labels, "{values:?}");
                assert!((1..=12).contains(&labels.len()), "{values:?}: {labels:?}");
            }
        }
    }
}
