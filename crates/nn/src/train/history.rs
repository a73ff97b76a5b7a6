//! What came of each epoch.

use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::io::{self, Write};

/// Numbers of each epoch, or of each step, by name: plain data, which is written as CSV or as lines of JSON.
///
/// ```
/// use nn::train::History;
/// let mut history = History::default();
/// history.push(&[("epoch", 1.0), ("loss", 0.5)]);
/// history.push(&[("epoch", 2.0), ("loss", 0.25), ("accuracy", 0.9)]);
/// assert_eq!(history.column("loss"), Some(vec![0.5, 0.25]));
/// assert_eq!(history.last("accuracy"), Some(0.9));
///
/// let (mut csv, mut json) = (Vec::new(), Vec::new());
/// history.write_csv(&mut csv)?;
/// history.write_json_lines(&mut json)?;
/// assert_eq!(String::from_utf8_lossy(&csv), "epoch,loss,accuracy\n1,0.5,\n2,0.25,0.9\n");
/// assert_eq!(String::from_utf8_lossy(&json).lines().next(), Some(r#"{"epoch":1,"loss":0.5,"accuracy":null}"#));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The names of the numbers, in the order in which they came first.
    pub names: Vec<String>,
    /// A number for each name, for each call; NaN where none was given.
    #[serde(with = "crate::any_number::rows")]
    pub rows: Vec<Vec<f64>>,
}

impl History {
    /// Appends a row. A name that is new becomes a column.
    pub fn push(&mut self, numbers: &[(&str, f64)]) {
        let mut row = vec![f64::NAN; self.names.len()];
        for (name, number) in numbers {
            if let Some(place) = self.names.iter().position(|known| known == name) {
                row[place] = *number;
            } else {
                self.names.push((*name).to_owned());
                self.rows.iter_mut().for_each(|row| row.push(f64::NAN));
                row.push(*number);
            }
        }
        self.rows.push(row);
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The numbers of a name, one for each row; NaN where none was given.
    pub fn column(&self, name: &str) -> Option<Vec<f64>> {
        let place = self.names.iter().position(|known| known == name)?;
        Some(self.rows.iter().map(|row| row.get(place).copied().unwrap_or(f64::NAN)).collect())
    }

    /// The last number of a name that is not NaN.
    pub fn last(&self, name: &str) -> Option<f64> {
        self.column(name)?.into_iter().rev().find(|number| !number.is_nan())
    }

    /// Writes a header and a line for each row, numbers with all their digits; a cell without a number is empty.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write_csv(&self, to: impl Write) -> io::Result<()> {
        let mut csv = csv::Writer::from_writer(to);
        csv.write_record(&self.names)?;
        for row in &self.rows {
            let cell = |number: &f64| if number.is_nan() { String::new() } else { number.to_string() };
            csv.write_record(row.iter().map(cell))?;
        }
        csv.flush()
    }

    /// Writes a JSON object for each row, a line each; what is not finite is `null`, as JSON has no such numbers.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write_json_lines(&self, mut to: impl Write) -> io::Result<()> {
        for row in &self.rows {
            let mut line = String::from("{");
            for (name, number) in self.names.iter().zip(row) {
                if line.len() > 1 {
                    line.push(',');
                }
                push_json_string(&mut line, name);
                line.push(':');
                let shown = if number.is_finite() { number.to_string() } else { "null".to_owned() };
                line.push_str(&shown);
            }
            line.push_str("}\n");
            to.write_all(line.as_bytes())?;
        }
        Ok(())
    }
}

/// Appends a string in quotes, as JSON escapes it.
fn push_json_string(line: &mut String, text: &str) {
    line.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => line.extend(['\\', c]),
            c if c.is_control() => {
                // Writing to a string does not fail.
                let _ = write!(line, "\\u{:04x}", u32::from(c));
            }
            c => line.push(c),
        }
    }
    line.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_of_every_kind_are_written_so_that_they_can_be_read() {
        let mut history = History::default();
        history.push(&[("a,\"b\"\n", 1e-300), ("c", f64::INFINITY)]);
        let (mut csv, mut json) = (Vec::new(), Vec::new());
        history.write_csv(&mut csv).unwrap();
        history.write_json_lines(&mut json).unwrap();
        let mut read = csv::Reader::from_reader(&csv[..]);
        assert_eq!(read.headers().unwrap(), vec!["a,\"b\"\n", "c"]);
        let row = read.records().next().unwrap().unwrap();
        assert_eq!(row[0].parse::<f64>().unwrap(), 1e-300);
        assert_eq!(row[1].parse::<f64>().unwrap(), f64::INFINITY);
        let json = String::from_utf8(json).unwrap();
        assert!(json.starts_with(r#"{"a,\"b\"\u000a":0.0000"#) && json.ends_with(",\"c\":null}\n"), "{json}");
    }
}
