//! The result of checking a derivation: a row for each line of it, to test or to read.

use super::Line;
use super::accounts::largest;
use std::fmt;

/// The largest difference between two of the three accounts of a derivative.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The largest `|a − b|` over all entries; NaN where an entry is no number, which passes no tolerance.
    pub absolute: f64,
    /// The same, relative to the largest entry of the closed form.
    pub relative: f64,
}

/// How large the relative differences of a row may be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tolerance {
    /// Between closed form and tape.
    pub tape: f64,
    /// Between either and finite differences.
    pub finite: f64,
}

/// One line of the derivation, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its name in the post, or in what goes beyond it.
    pub name: &'static str,
    /// What it says.
    pub statement: &'static str,
    /// The same as the content of a `<math>` element; nothing where it has none.
    pub mathml: &'static str,
    /// The same in words that can be read out.
    pub spoken: &'static str,
    /// How many numbers were compared.
    pub entries: usize,
    /// For how many of them there are no finite differences, because a kink lies too near.
    pub held_back: usize,
    /// Between closed form and tape.
    pub closed_tape: Difference,
    /// Between closed form and finite differences, where there are any.
    pub closed_finite: Difference,
    /// Between tape and finite differences, where there are any.
    pub tape_finite: Difference,
    /// What is tolerated.
    pub tolerance: Tolerance,
}

/// All lines of the derivation, checked. It prints as a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// The lines in order.
    pub rows: Vec<Row>,
}

impl Difference {
    fn largest(pairs: impl Iterator<Item = (f64, f64)>, scale: f64) -> Self {
        let absolute =
            pairs.map(|(a, b)| (a - b).abs()).fold(0.0, |most: f64, d| if d > most || d.is_nan() { d } else { most });
        Self { absolute, relative: if absolute == 0.0 { 0.0 } else { absolute / scale } }
    }
}

/// Three accounts of the same entries.
pub(super) struct Compared<'a> {
    pub(super) closed: &'a [f64],
    pub(super) tape: &'a [f64],
    pub(super) finite: &'a [Option<f64>],
}

impl Compared<'_> {
    /// A line of the derivation, compared relative to a number of its own, for a closed form that is 0.
    pub(super) fn row(&self, line: &Line, scale: f64) -> Row {
        let &Line { name, statement, mathml, spoken, tolerance, .. } = line;
        Row { mathml, spoken, ..self.titled((name, statement), scale, tolerance) }
    }

    /// A row that has no formula but its statement.
    #[track_caller]
    fn titled(&self, (name, statement): (&'static str, &'static str), scale: f64, tolerance: Tolerance) -> Row {
        let &Self { closed, tape, finite } = self;
        let entries = closed.len();
        assert!(
            entries == tape.len() && entries == finite.len(),
            "Row::compare: three accounts of one length are needed for {name}, not of {entries}, {} and {} entries",
            tape.len(),
            finite.len()
        );
        let with_finite = |of: &[f64]| {
            let pairs: Vec<(f64, f64)> = of.iter().zip(finite).filter_map(|(&a, b)| Some((a, (*b)?))).collect();
            Difference::largest(pairs.into_iter(), scale)
        };
        Row {
            name,
            statement,
            mathml: "",
            spoken: statement,
            entries,
            held_back: finite.iter().filter(|d| d.is_none()).count(),
            closed_tape: Difference::largest(closed.iter().copied().zip(tape.iter().copied()), scale),
            closed_finite: with_finite(closed),
            tape_finite: with_finite(tape),
            tolerance,
        }
    }
}

impl Row {
    /// Compares three accounts of the same derivative, relative to the largest entry of the closed form.
    ///
    /// ```
    /// use softmax_net::derivation::{Row, Tolerance};
    /// let tolerance = Tolerance { tape: 1e-13, finite: 1e-9 };
    /// let row = Row::compare(("slope", "d(3x)/dx = 3"), &[3.0], &[3.0], &[Some(3.0 + 1e-12)], tolerance);
    /// assert!(row.passed());
    /// let wrong = Row::compare(("slope", "d(3x)/dx = 4"), &[4.0], &[3.0], &[Some(3.0)], tolerance);
    /// assert_eq!((wrong.passed(), wrong.closed_tape.relative), (false, 0.25));
    /// ```
    ///
    /// # Panics
    /// Where the three do not have the same number of entries.
    #[track_caller]
    pub fn compare(
        title: (&'static str, &'static str),
        closed: &[f64],
        tape: &[f64],
        finite: &[Option<f64>],
        tolerance: Tolerance,
    ) -> Self {
        Compared { closed, tape, finite }.titled(title, largest(closed), tolerance)
    }

    /// Whether all three agree within the tolerance. A row that has entries, but finite differences of none of them,
    /// has not been checked and does not pass.
    pub fn passed(&self) -> bool {
        self.closed_tape.relative <= self.tolerance.tape
            && self.closed_finite.relative <= self.tolerance.finite
            && self.tape_finite.relative <= self.tolerance.finite
            && (self.entries == 0 || self.held_back < self.entries)
    }
}

impl Report {
    /// Whether every row passes.
    pub fn passed(&self) -> bool {
        self.rows.iter().all(Row::passed)
    }

    /// The row of this name.
    pub fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }
}

impl fmt::Display for Difference {
    /// The absolute and the relative difference in two columns.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |d: f64| if d == 0.0 { "0".to_owned() } else { format!("{d:.0e}") };
        write!(f, " {:>6}{:>6}", short(self.absolute), short(self.relative))
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, statement, entries, closed_tape, closed_finite, tape_finite, .. } = self;
        let verdict = if self.passed() { "ok" } else { "FAILED" };
        write!(f, "{name:<14} {statement:<51}{entries:>4}{closed_tape}{closed_finite}{tape_finite} {verdict}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pairs = ["closed-tape", "closed-diff", "tape-diff"].map(|pair| format!("{pair:>13}")).concat();
        writeln!(f, "{:<14} {:<51}{:>4}{pairs}", "line", "statement", "n")?;
        writeln!(f, "{:70}{}", "", "    abs   rel".repeat(3))?;
        for row in &self.rows {
            writeln!(f, "{row}")?;
        }
        writeln!(f, "Largest differences over n entries, relative to the largest entry of the closed form.")?;
        for row in self.rows.iter().filter(|row| row.held_back > 0) {
            let Row { name, held_back, entries, .. } = row;
            writeln!(f, "{name}: {held_back} of {entries} finite differences are held back at a kink.")?;
        }
        let failed: Vec<_> = self.rows.iter().filter(|row| !row.passed()).collect();
        for row in &failed {
            let Row { name, tolerance, .. } = row;
            writeln!(f, "{name} failed: tolerated are {:.0e} and {:.0e} (diff).", tolerance.tape, tolerance.finite)?;
        }
        write!(f, "{} of {} lines hold.", self.rows.len() - failed.len(), self.rows.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: Tolerance = Tolerance { tape: 1e-13, finite: 1e-9 };

    fn row(closed: &[f64], tape: &[f64], finite: &[Option<f64>]) -> Row {
        Row::compare(("row", "a = b"), closed, tape, finite, TOLERANCE)
    }

    #[test]
    fn each_pair_can_fail_a_row() {
        assert!(row(&[1.0], &[1.0], &[Some(1.0)]).passed());
        assert!(!row(&[1.0], &[1.001], &[Some(1.0)]).passed());
        assert!(!row(&[1.0], &[1.0], &[Some(1.001)]).passed());
        assert!(!row(&[0.0], &[1e-300], &[Some(0.0)]).passed());
        let half = Tolerance { tape: 0.5, finite: 0.5 };
        let apart = Row::compare(("row", "a = b"), &[1.0], &[0.6], &[Some(1.4)], half);
        assert!(!apart.passed(), "tape and differences, each near the closed form, are far from each other");
    }

    #[test]
    fn no_number_fails_a_row() {
        let nan = f64::NAN;
        assert!(!row(&[1.0, nan], &[1.0, nan], &[Some(1.0), Some(nan)]).passed());
        assert!(!row(&[nan, 1.0], &[1.0, 1.0], &[Some(1.0), Some(1.0)]).passed());
        assert!(!row(&[1.0, 1.0], &[1.0, 1.0], &[Some(nan), Some(1.0)]).passed());
        assert!(!row(&[f64::INFINITY], &[f64::INFINITY], &[Some(f64::INFINITY)]).passed());
    }

    #[test]
    fn what_was_not_compared_has_not_passed() {
        assert!(!row(&[1.0], &[1.0], &[None]).passed());
        let half = row(&[1.0, 2.0], &[1.0, 2.0], &[None, Some(2.0)]);
        assert!(half.passed() && half.held_back == 1);
        assert!(row(&[], &[], &[]).passed(), "nothing was to be compared");
        let report = Report { rows: vec![half] }.to_string();
        assert!(report.contains("row: 1 of 2 finite differences are held back at a kink."), "{report}");
    }

    #[test]
    fn a_failed_row_is_named_with_its_tolerance() {
        let report = Report { rows: vec![row(&[1.0], &[2.0], &[Some(1.0)])] };
        let text = report.to_string();
        assert!(!report.passed() && text.contains("FAILED") && text.ends_with("0 of 1 lines hold."), "{text}");
        assert!(text.contains("row failed: tolerated are 1e-13 and 1e-9 (diff)."), "{text}");
    }
}
