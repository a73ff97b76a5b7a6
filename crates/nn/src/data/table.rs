//! Columns as a file holds them, before anything is said about what they mean.

use crate::data::Reading;
use crate::error::{Error, Kind};
use std::collections::BTreeMap;
use std::path::Path;

/// Columns as they were read, all of one length, and where each row stands in its file.
///
/// ```
/// use nn::data::{Cells, Table};
/// # fn main() -> Result<(), nn::Error> {
/// let table = Table::parse("pets.csv", "weight,kind\n4.1,cat\n,dog\n3.8,cat\n")?;
/// assert_eq!(table.len(), 3);
/// let Cells::Numbers(weight) = &table.columns[0].cells else { panic!() };
/// assert_eq!((weight[0], weight[1].is_nan()), (4.1, true)); // a missing number is NaN
/// let Cells::Text { words, rows } = &table.column("kind").unwrap().cells else { panic!() };
/// assert_eq!((&words[..], &rows[..]), (&["cat".to_owned(), "dog".to_owned()][..], &[Some(0), Some(1), Some(0)][..]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// The columns in the order of the file.
    pub columns: Vec<Column>,
    /// The file, as the caller named it; empty where there is none.
    pub(super) file: String,
    /// The line of each row, where there is a file.
    pub(super) lines: Lines,
    /// The field of a record, from 1, of each column by its name.
    pub(super) fields: BTreeMap<String, u32>,
    /// Whether 1,5 is one and a half, where columns of numbers tell it.
    pub(super) comma: Option<bool>,
    /// What was guessed.
    pub(super) notes: Vec<String>,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name in the header.
    pub name: String,
    /// What it holds.
    pub cells: Cells,
}

/// The cells of a column, one for each row.
#[derive(Clone, Debug)]
pub enum Cells {
    /// Numbers; a missing one is NaN (a NaN or an infinity is never read as a number).
    Numbers(Vec<f64>),
    /// Text: each row a place among the words, or `None` where the cell is missing.
    Text {
        /// Each word once, in the order in which they come first.
        words: Vec<String>,
        /// The word of each row.
        rows: Vec<Option<u32>>,
    },
}

impl Table {
    /// Reads a file, and finds out how it is written; see [`Reading`] to say it instead.
    ///
    /// # Errors
    /// Where the file cannot be read, or is no table; the error names the file, the line and the column.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        Reading::default().read(path)
    }

    /// Whether 1,5 is one and a half in the text that it was read from; `None` where nothing tells.
    ///
    /// ```
    /// use nn::data::Table;
    /// # fn main() -> Result<(), nn::Error> {
    /// let of = |text| Ok::<_, nn::Error>(Table::parse("a.csv", text)?.decimal_comma());
    /// assert_eq!((of("x;y\n1,5;2\n")?, of("x,y\n1.5,2\n")?, of("x,y\n1,2\n")?), (Some(true), Some(false), None));
    /// # Ok(())
    /// # }
    /// ```
    pub fn decimal_comma(&self) -> Option<bool> {
        self.comma
    }

    /// Reads text; errors call it `file`.
    ///
    /// # Errors
    /// Where the text is no table; the error names the file, the line and the column.
    pub fn parse(file: &str, text: &str) -> Result<Self, Error> {
        Reading::default().parse(file, text)
    }

    /// A table of numbers in memory. NaN stands for a missing one.
    ///
    /// ```
    /// use nn::data::Table;
    /// let table = Table::from_columns([("width", &[1.0, 2.0][..]), ("height", &[3.0, f64::NAN])]);
    /// assert_eq!((table.len(), table.columns.len()), (2, 2));
    /// ```
    ///
    /// # Panics
    /// Where columns have different lengths, or one name, or hold an infinity.
    #[track_caller]
    pub fn from_columns<'a, N: Into<String>>(columns: impl IntoIterator<Item = (N, &'a [f64])>) -> Self {
        let mut table = Self::default();
        for (place, (name, numbers)) in columns.into_iter().enumerate() {
            let name = name.into();
            if let Some(first) = table.columns.first() {
                let (n, first) = (first.cells.len(), &first.name);
                let found = numbers.len();
                assert!(n == found, "Table::from_columns: `{name}` has {found} rows, `{first}` has {n}");
            }
            let field = u32::try_from(place + 1).unwrap_or(u32::MAX);
            let is_new = table.fields.insert(name.clone(), field).is_none();
            assert!(is_new, "Table::from_columns: two columns are called `{name}`");
            if let Some(row) = numbers.iter().position(|x| x.is_infinite()) {
                panic!("Table::from_columns: `{name}` holds {} in row {row}", numbers[row]);
            }
            table.columns.push(Column { name, cells: Cells::Numbers(numbers.to_vec()) });
        }
        table
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, |column| column.cells.len())
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        // Nearly always it stands where its field did: a table may have ten thousand columns, each of which is asked for.
        let guess = self.fields.get(name).and_then(|&field| self.columns.get(field as usize - 1));
        guess.filter(|column| column.name == name).or_else(|| self.columns.iter().find(|column| column.name == name))
    }

    /// The rows of these places, from 0, in this order. Words stay as they are, also those that no row has any more.
    ///
    /// # Panics
    /// Where a row does not exist.
    #[track_caller]
    pub fn select(&self, rows: &[usize]) -> Self {
        let n = self.len();
        if let Some(row) = rows.iter().find(|&&row| row >= n) {
            panic!("Table::select: row {row} is not one of {n}");
        }
        let columns = self.columns.iter().map(|Column { name, cells }| {
            let cells = match cells {
                Cells::Numbers(numbers) => Cells::Numbers(rows.iter().map(|&row| numbers[row]).collect()),
                Cells::Text { words, rows: all } => {
                    Cells::Text { words: words.clone(), rows: rows.iter().map(|&row| all[row]).collect() }
                }
            };
            Column { name: name.clone(), cells }
        });
        let lines = self.lines.select(rows);
        let (file, fields, notes) = (self.file.clone(), self.fields.clone(), self.notes.clone());
        Self { columns: columns.collect(), file, lines, fields, comma: self.comma, notes }
    }

    /// Writes the rows below a header, with quotes where a cell needs them, numbers in the fewest digits that are read as them, and
    /// missing cells empty.
    ///
    /// ```
    /// let table = nn::data::Table::parse("a.csv", "x,note\n0.1,\"a, b\"\n,c\n").unwrap();
    /// let mut text = Vec::new();
    /// table.write_csv(&mut text).unwrap();
    /// assert_eq!(text, b"x,note\n0.1,\"a, b\"\n,c\n");
    /// ```
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write_csv(&self, to: impl std::io::Write) -> std::io::Result<()> {
        self.write(to, true)
    }

    /// As [`Table::write_csv`], without the header, to go on below others.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write_csv_rows(&self, to: impl std::io::Write) -> std::io::Result<()> {
        self.write(to, false)
    }

    fn write(&self, to: impl std::io::Write, header: bool) -> std::io::Result<()> {
        self.written(csv::Writer::from_writer(to), header).map_err(|error| {
            // An error of writing as it is: its kind tells a closed pipe.
            let text = error.to_string();
            if let csv::ErrorKind::Io(error) = error.into_kind() { error } else { std::io::Error::other(text) }
        })
    }

    fn written(&self, mut csv: csv::Writer<impl std::io::Write>, header: bool) -> csv::Result<()> {
        if header {
            csv.write_record(self.columns.iter().map(|column| &column.name))?;
        }
        for row in 0..self.len() {
            for Column { cells, .. } in &self.columns {
                match cells {
                    Cells::Numbers(numbers) if numbers[row].is_nan() => csv.write_field("")?,
                    Cells::Numbers(numbers) => csv.write_field(numbers[row].to_string())?,
                    Cells::Text { words, rows } => {
                        csv.write_field(rows[row].map_or("", |word| &words[word as usize]))?;
                    }
                }
            }
            csv.write_record(None::<&[u8]>)?;
        }
        Ok(csv.flush()?)
    }

    /// What was guessed about the file as it was read, a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Where a cell stands: the file, its line and its field, both from 1. A table that was not read from a file has a
    /// file without a name, and the row, from 1, for a line.
    pub fn place(&self, row: usize, column: &str) -> (&str, u32, u32) {
        let line = self.lines.of(row);
        let field = self
            .fields
            .get(column)
            .copied()
            .or_else(|| self.columns.iter().position(|known| known.name == column).map(|at| at as u32 + 1));
        (&self.file, line, field.unwrap_or(0))
    }

    /// An error in a cell of this table.
    pub(crate) fn error(&self, row: usize, column: &str, kind: Kind) -> Error {
        let (file, line, column) = self.place(row, column);
        Error { file: file.to_owned(), line: Some(line), column: Some(column), kind }
    }
}

/// The line of each row: one after another from the first, as nearly always, or each its own.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    first: u32,
    rows: usize,
    each: Vec<u32>,
}

impl Default for Lines {
    fn default() -> Self {
        Self { first: 1, rows: 0, each: Vec::new() }
    }
}

impl Lines {
    pub(super) fn push(&mut self, line: u32) {
        if self.rows == 0 {
            self.first = line;
        } else if self.each.is_empty() && line != self.of(self.rows) {
            self.each = (0..self.rows).map(|row| self.of(row)).collect();
        }
        if !self.each.is_empty() {
            self.each.push(line);
        }
        self.rows += 1;
    }

    /// The lines of so many rows, each on one, from a first.
    pub(super) fn push_each(&mut self, first: u32, rows: usize) {
        let Some(more) = rows.checked_sub(1) else { return };
        self.push(first);
        if self.each.is_empty() {
            self.rows += more;
        } else {
            (1..rows).for_each(|row| self.push(first.saturating_add(row as u32)));
        }
    }

    pub(super) fn of(&self, row: usize) -> u32 {
        self.each.get(row).copied().unwrap_or_else(|| self.first.saturating_add(row as u32))
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.rows = rows;
        self.each.truncate(rows);
    }

    fn select(&self, rows: &[usize]) -> Self {
        Self { first: self.first, rows: rows.len(), each: rows.iter().map(|&row| self.of(row)).collect() }
    }
}

impl Cells {
    /// The number of cells, missing ones too.
    pub fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Text { rows, .. } => rows.len(),
        }
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many cells are missing.
    pub fn missing(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.iter().filter(|number| number.is_nan()).count(),
            Self::Text { rows, .. } => rows.iter().filter(|row| row.is_none()).count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selected_rows_keep_their_lines() {
        let table = Table::parse("a.csv", "x,kind\n1,a\n\n2,b\n3,a\n").unwrap().select(&[2, 1]);
        assert_eq!(table.place(0, "x"), ("a.csv", 5, 1));
        assert_eq!(table.place(1, "kind"), ("a.csv", 4, 2));
        assert_eq!(table.len(), 2);
    }

    #[test]
    fn a_pipe_that_is_closed_is_told_as_such() {
        struct Closed;
        impl std::io::Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }
        let error = Table::from_columns([("x", &[1.0, 2.0][..])]).write_csv(Closed).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::BrokenPipe);
    }

    #[test]
    #[should_panic(expected = "Table::select: row 2 is not one of 2")]
    fn rows_exist() {
        Table::from_columns([("x", &[1.0, 2.0][..])]).select(&[2]);
    }

    #[test]
    #[should_panic(expected = "Table::from_columns: `y` has 1 rows, `x` has 2")]
    fn columns_have_one_length() {
        Table::from_columns([("x", &[1.0, 2.0][..]), ("y", &[1.0])]);
    }
}
