//! What a check found, for a person and for a test.

use std::fmt;

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every entry was measured and agrees.
    Pass,
    /// At least one entry is wrong.
    Fail,
    /// Nothing is shown to be wrong, but something could not be measured.
    Inconclusive(Unsure),
}

/// Why a check could not decide.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unsure {
    /// The function has a kink within the steps: its slopes on both sides disagree. Or a derivative of a higher order went
    /// through the kink of an operation, where it is one by convention (see [`Tape::first_kink`](crate::Tape::first_kink)).
    Kink,
    /// The differences are less accurate than the tolerance.
    Noise,
    /// There was nothing to check: the whole Jacobian is zero, or no path leads from an input to the result.
    Vacuous,
}

/// One entry that does not agree, or that could not be measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// The order and mode, or the property.
    pub what: String,
    /// Which input.
    pub input: usize,
    /// Which element of the input, row-major.
    pub index: usize,
    /// Which element of the result, row-major.
    pub output: usize,
    /// The entry as the rules give it.
    pub analytic: f64,
    /// The entry as differences give it.
    pub numeric: f64,
    /// The estimated error of the numeric value.
    pub error: f64,
    /// The step that the numeric value comes from.
    pub step: f64,
}

/// What a check found. It prints as a list that a person can act on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Report {
    wrong: Vec<Finding>,
    unsure: Vec<(Unsure, Finding)>,
    entries: usize,
    /// What the inputs are called, where they have names.
    names: Vec<String>,
}

impl Report {
    pub(crate) fn with_names(self, names: Vec<String>) -> Self {
        Self { names, ..self }
    }

    /// An input, as a finding tells it. Of two inputs as one, the numbers are others.
    fn input(&self, finding: &Finding) -> String {
        let name = self.names.get(finding.input).filter(|name| !name.is_empty() && !finding.what.contains(" as one: "));
        name.map_or_else(|| format!("input {}", finding.input), |name| format!("`{name}`"))
    }

    /// Wrong before unsure before right.
    pub fn verdict(&self) -> Verdict {
        if !self.wrong.is_empty() {
            return Verdict::Fail;
        }
        // A kink or noise hides an entry; that a block is all zero hides nothing that was measured elsewhere.
        let first = |unsure| self.unsure.iter().any(|(u, _)| *u == unsure).then_some(Verdict::Inconclusive(unsure));
        first(Unsure::Kink).or(first(Unsure::Noise)).or(first(Unsure::Vacuous)).unwrap_or(if self.entries == 0 {
            Verdict::Inconclusive(Unsure::Vacuous)
        } else {
            Verdict::Pass
        })
    }

    /// The entries that are wrong.
    pub fn wrong(&self) -> &[Finding] {
        &self.wrong
    }

    /// The entries that could not be measured, and why.
    pub fn unsure(&self) -> &[(Unsure, Finding)] {
        &self.unsure
    }

    /// How many entries were compared.
    pub fn entries(&self) -> usize {
        self.entries
    }

    /// Files a block that is zero as far as can be measured; `vacuous` names an input that nothing depends on.
    pub(crate) fn zero(&mut self, entries: usize, vacuous: Option<usize>) {
        self.entries += entries;
        if let Some(input) = vacuous {
            let what = "the whole Jacobian is zero".to_owned();
            let (index, output, analytic, numeric, error, step) = (0, 0, 0.0, 0.0, 0.0, 0.0);
            self.unsure.push((Unsure::Vacuous, Finding { what, input, index, output, analytic, numeric, error, step }));
        }
    }

    /// Files a comparison with differences.
    pub(crate) fn entry(&mut self, finding: Finding, allowed: f64, kink: bool) {
        self.entries += 1;
        let off = (finding.analytic - finding.numeric).abs();
        if off <= allowed || off == 0.0 {
            return;
        }
        if kink {
            self.unsure.push((Unsure::Kink, finding));
        } else if off.is_finite() && off <= 10.0 * finding.error || !finding.numeric.is_finite() {
            self.unsure.push((Unsure::Noise, finding));
        } else {
            self.wrong.push(finding);
        }
    }

    /// Files a comparison that must be exact.
    pub(crate) fn exact(&mut self, what: &str, input: usize, index: usize, value: f64, expected: f64) {
        self.entries += 1;
        if value != expected && !(value.is_nan() && expected.is_nan()) {
            let what = format!("{what} must give exactly {expected:e}");
            self.wrong.push(Finding {
                what,
                input,
                index,
                output: 0,
                analytic: value,
                numeric: expected,
                error: 0.0,
                step: 0.0,
            });
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 10;
        writeln!(
            f,
            "{:?}: {} entries, {} wrong, {} unsure",
            self.verdict(),
            self.entries,
            self.wrong.len(),
            self.unsure.len()
        )?;
        let wrong = self.wrong.iter().map(|finding| ("wrong".to_owned(), finding));
        let unsure = self.unsure.iter().map(|(why, finding)| (format!("{why:?}").to_lowercase(), finding));
        for (label, x) in wrong.chain(unsure).take(SHOWN) {
            writeln!(
                f,
                "  {label}: {}: d output[{}] / d {}[{}]: analytic {:e}, numeric {:e} ± {:.0e}, step {:.0e}",
                x.what,
                x.output,
                self.input(x),
                x.index,
                x.analytic,
                x.numeric,
                x.error,
                x.step
            )?;
        }
        let rest = (self.wrong.len() + self.unsure.len()).saturating_sub(SHOWN);
        if rest > 0 {
            writeln!(f, "  and {rest} more")?;
        }
        Ok(())
    }
}
