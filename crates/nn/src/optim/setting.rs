//! The numbers that a rule is set by, and what they must be.

use std::ops::{Bound, RangeBounds};

/// A number that a rule is set by.
///
/// ```
/// use nn::optim::Setting;
/// assert!(Setting::share("beta", 0.9).holds() && !Setting::share("beta", 1.0).holds());
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Setting {
    /// The name of the field.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
    /// What it must be: a finite number in this range.
    pub range: (Bound<f64>, Bound<f64>),
    /// Whether it may change from step to step, as a schedule moves it: a program takes it as an input.
    pub moves: bool,
}

impl Setting {
    /// A number of 0 or more.
    pub fn number(name: &'static str, value: f64) -> Self {
        Self::within(name, value, 0.0..)
    }

    /// The learning rate: a number of 0 or more, that moves.
    pub fn rate(value: f64) -> Self {
        Self { moves: true, ..Self::number("rate", value) }
    }

    /// A number of 0 or more, and less than 1.
    pub fn share(name: &'static str, value: f64) -> Self {
        Self::within(name, value, 0.0..1.0)
    }

    /// A momentum: a number from 0 to 1, that moves.
    pub fn momentum(value: f64) -> Self {
        Self { moves: true, ..Self::within("momentum", value, 0.0..=1.0) }
    }

    /// A choice, which is 0 or 1.
    pub fn flag(name: &'static str, value: bool) -> Self {
        Self::within(name, f64::from(value), 0.0..=1.0)
    }

    /// A finite number in a range.
    pub fn within(name: &'static str, value: f64, range: impl RangeBounds<f64>) -> Self {
        let range = (range.start_bound().cloned(), range.end_bound().cloned());
        Self { name, value, range, moves: false }
    }

    /// The same, which a schedule moves.
    pub fn moving(self) -> Self {
        Self { moves: true, ..self }
    }

    /// Whether it is what it must be.
    pub fn holds(self) -> bool {
        self.value.is_finite() && self.range.contains(&self.value)
    }

    /// What is wrong with it, where something is.
    pub(crate) fn complaint(self, rule: &str) -> String {
        let Self { name, value, range, .. } = self;
        let low = match range.0 {
            Bound::Included(low) => format!(" of {low} or more"),
            Bound::Excluded(low) => format!(" above {low}"),
            Bound::Unbounded => String::new(),
        };
        let high = match range.1 {
            Bound::Included(high) => format!(" and {high} at most"),
            Bound::Excluded(high) => format!(" and below {high}"),
            Bound::Unbounded => String::new(),
        };
        format!("{rule} needs a finite {name}{low}{high}, not {value}")
    }
}
