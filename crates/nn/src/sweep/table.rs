//! What came of a sweep as a table, as CSV and as JSON.

use super::settings::told;
use super::{Failed, Outcome, Ran, Tried};
use crate::error::{counted, shown};
use serde_json::{Map, Value, json};
use std::fmt;
use std::io::{self, Write};

impl Outcome {
    /// Writes a line for each of what was tried, in the order in which it was asked for: its settings, budget, how many runs are
    /// finished and have failed, and the mean and the standard error of each number, with all digits. A cell without a value is empty.
    ///
    /// ```
    /// use nn::sweep::{Space, Sweep};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let sweep = Sweep { seeds: vec![0, 2], ..Sweep::default() };
    /// let outcome = sweep.run(Space::new().choice("x", [3, 1]).grid()?, |run| Ok(run.settings.number("x") + run.seed as f64))?;
    /// let mut csv = Vec::new();
    /// outcome.write_csv(&mut csv)?;
    /// assert_eq!(String::from_utf8(csv)?, "x,budget,runs,failed,score,score_error\n3,1,2,0,4,1\n1,1,2,0,2,1\n");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write_csv(&self, to: impl Write) -> io::Result<()> {
        let (names, numbers) = (self.names(), self.numbers());
        let mut header: Vec<String> = ["budget", "runs", "failed"].map(String::from).to_vec();
        header.extend(numbers.iter().flat_map(|name| [(*name).to_owned(), format!("{name}_error")]));
        let mut csv = csv::Writer::from_writer(to);
        csv.write_record(apart(&names, header))?;
        for tried in &self.tried {
            let mut cells: Vec<String> = names.iter().map(|name| cell(tried.settings.get(name))).collect();
            cells.extend([tried.budget as usize, tried.runs.len(), tried.failed()].map(|count| count.to_string()));
            cells.extend(numbers.iter().flat_map(|name| [tried.mean(name), tried.standard_error(name)].map(digits)));
            csv.write_record(cells)?;
        }
        csv.flush()
    }

    /// Writes a line for each run: its settings, budget, seed and fold, its numbers with all digits, and why it has failed.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write_runs_csv(&self, to: impl Write) -> io::Result<()> {
        let (names, numbers) = (self.names(), self.numbers());
        let mut header: Vec<String> = ["budget", "seed", "fold"].map(String::from).to_vec();
        header.extend(numbers.iter().copied().chain(["failure"]).map(String::from));
        let mut csv = csv::Writer::from_writer(to);
        csv.write_record(apart(&names, header))?;
        for (tried, run) in self.tried.iter().flat_map(|tried| tried.runs.iter().map(move |run| (tried, run))) {
            let mut cells: Vec<String> = names.iter().map(|name| cell(tried.settings.get(name))).collect();
            cells.extend([tried.budget.to_string(), run.seed.to_string(), run.fold.to_string()]);
            let number = |name: &&str| digits(run.result.as_ref().ok().and_then(|scores| scores.get(name)));
            cells.extend(numbers.iter().map(number));
            cells.push(run.result.as_ref().err().map(Failed::to_string).unwrap_or_default());
            csv.write_record(cells)?;
        }
        csv.flush()
    }

    /// All of it as a JSON value; a number that is not finite is `null`, as JSON has no such numbers.
    ///
    /// ```
    /// use nn::sweep::{Space, Sweep};
    /// # fn main() -> Result<(), nn::Error> {
    /// let outcome = Sweep::default().run(Space::new().choice("x", [3, 1]).grid()?, |run| Ok(run.settings.number("x")))?;
    /// let json = outcome.to_json();
    /// assert_eq!(json["best"], 1); // its place among
    /// assert_eq!(json["tried"][1]["settings"]["x"], 1);
    /// assert_eq!(json["tried"][1]["numbers"]["score"]["mean"], 1.0);
    /// assert_eq!(json["tried"][1]["runs"][0]["numbers"]["score"], 1.0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_json(&self) -> Value {
        let numbers = self.numbers();
        let run = |run: &Ran| {
            let mut object =
                Map::from_iter([("seed".to_owned(), run.seed.into()), ("fold".to_owned(), run.fold.into())]);
            let (name, value) = match &run.result {
                Ok(scores) => ("numbers", scores.numbers.iter().map(|(name, x)| (name.clone(), json!(x))).collect()),
                Err(Failed::Error(text)) => ("error", json!(text)),
                Err(Failed::Panic(text)) => ("panic", json!(text)),
            };
            object.insert(name.to_owned(), value);
            Value::Object(object)
        };
        let tried = |tried: &Tried| {
            let of = |name: &&str| {
                let both = json!({ "mean": tried.mean(name), "standard_error": tried.standard_error(name) });
                ((*name).to_owned(), both)
            };
            json!({
                "settings": tried.settings, "budget": tried.budget, "score": tried.score, "asked": tried.asked,
                "failed": tried.failed(), "numbers": numbers.iter().map(of).collect::<Map<_, _>>(),
                "runs": tried.runs.iter().map(run).collect::<Vec<_>>(),
            })
        };
        let best = self.best().and_then(|best| self.tried.iter().position(|tried| std::ptr::eq(tried, best)));
        json!({
            "score": self.score, "better": self.better, "stopped": self.stopped, "best": best,
            "tried": self.tried.iter().map(tried).collect::<Vec<_>>(),
        })
    }
}

/// The names of settings before other columns; one that is another column's, too, is told apart.
fn apart(names: &[&str], columns: Vec<String>) -> Vec<String> {
    let mut header: Vec<String> = Vec::new();
    for name in names {
        let mut name = (*name).to_owned();
        while columns.contains(&name) || header.contains(&name) {
            name.insert_str(0, "setting_");
        }
        header.push(name);
    }
    header.extend(columns);
    header
}

/// A setting as a cell of CSV.
fn cell(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    }
}

/// A number with all its digits; nothing where there is none.
fn digits(number: Option<f64>) -> String {
    number.filter(|number| !number.is_nan()).map_or_else(String::new, |number| number.to_string())
}

/// A number as the table shows it.
fn five(number: Option<f64>) -> String {
    let Some(x) = number else { return String::new() };
    if x == 0.0 || !x.is_finite() {
        return x.to_string();
    }
    let rounded: f64 = format!("{x:.4e}").parse().unwrap_or(x);
    if (1e-4..1e7).contains(&rounded.abs()) { format!("{rounded}") } else { format!("{rounded:e}") }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (names, numbers) = (self.names(), self.numbers());
        let with_budget = self.tried.iter().any(|tried| tried.budget != self.tried[0].budget);
        let mut rows = vec![header(&names, &numbers, with_budget)];
        let most = f.precision().unwrap_or(self.tried.len());
        rows.extend(self.ranked().into_iter().take(most).map(|tried| {
            let mut row: Vec<String> =
                names.iter().map(|name| tried.settings.get(name).map(told).unwrap_or_default()).collect();
            row.extend(with_budget.then(|| tried.budget.to_string()));
            for (place, name) in numbers.iter().enumerate() {
                row.push(five(tried.mean(name)));
                row.extend((place == 0).then(|| five(tried.standard_error(name))));
            }
            row.push(runs(tried));
            row
        }));
        aligned(f, &rows, names.len())?;
        match self.tried.len().saturating_sub(most) {
            0 => writeln!(f)?,
            left => writeln!(f, "and {left} more\n")?,
        }
        match self.best() {
            Some(best) => {
                let Tried { settings, runs, .. } = best;
                let (settings, score) = (settings.to_string(), shown(&self.score));
                let error = best.standard_error(&self.score).map_or(String::new(), |x| format!(" ± {}", five(Some(x))));
                let colon = if settings.is_empty() { "" } else { ": " };
                let (mean, count) = (five(best.score), counted(runs.len(), "run", "runs"));
                writeln!(f, "best: {settings}{colon}{score} {mean}{error} ({count})")?;
            }
            None => writeln!(f, "best: none, as no settings have a finite score in all of their runs")?,
        }
        if self.stopped {
            writeln!(f, "stopped before all was done")?;
        }
        self.write_failures(f)
    }
}

impl Outcome {
    fn write_failures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 5;
        let count = self.failures().count();
        if count == 0 {
            return Ok(());
        }
        writeln!(f, "{} failed:", counted(count, "run has", "runs have"))?;
        for (tried, run, failed) in self.failures().take(MOST) {
            let settings = tried.settings.to_string();
            let comma = if settings.is_empty() { "" } else { ", " };
            writeln!(f, "  {settings}{comma}seed {}, fold {}: {failed}", run.seed, run.fold)?;
        }
        if count > MOST { writeln!(f, "  and {} more", count - MOST) } else { Ok(()) }
    }
}

/// The first line of the table.
fn header(names: &[&str], numbers: &[&str], with_budget: bool) -> Vec<String> {
    let mut header: Vec<String> = names.iter().map(|name| shown(name)).collect();
    header.extend(with_budget.then(|| "budget".to_owned()));
    for (place, name) in numbers.iter().enumerate() {
        header.push(shown(name));
        header.extend((place == 0).then(|| "± error".to_owned()));
    }
    header.push("runs".to_owned());
    header
}

fn runs(tried: &Tried) -> String {
    let (failed, asked) = (tried.failed(), tried.asked);
    match () {
        () if failed > 0 => format!("{failed} of {asked} failed"),
        () if tried.runs.len() < asked => format!("{} of {asked}", tried.runs.len()),
        () => asked.to_string(),
    }
}

/// Columns of one width each: settings and the last column to the left, numbers to the right.
fn aligned(f: &mut fmt::Formatter<'_>, rows: &[Vec<String>], left: usize) -> fmt::Result {
    let columns = rows.first().map_or(0, Vec::len);
    let wide = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(wide).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
            let to_left = column < left || column + 1 == columns;
            if to_left { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        writeln!(f, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_the_table_have_five_digits() {
        let shown = [0.123456789, 1234567.0, 1e-9, f64::NAN, 0.0, -2.5].map(|x| five(Some(x)));
        assert_eq!(shown, ["0.12346", "1234600", "1e-9", "NaN", "0", "-2.5"]);
    }

    #[test]
    fn a_setting_with_the_name_of_another_column_is_told_apart() {
        let header = apart(&["runs", "x", "setting_runs"], vec!["budget".to_owned(), "runs".to_owned()]);
        assert_eq!(header, ["setting_runs", "x", "setting_setting_runs", "budget", "runs"]);
    }
}
