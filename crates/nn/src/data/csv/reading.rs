//! How a file becomes a table.

use super::{Records, number};
use crate::data::{Cells, Column, Table};
use crate::error::{Error, Kind};
use std::collections::BTreeMap;
use std::path::Path;

/// How a text file is written. What is not said is found out, and told in [`Table::notes`].
#[derive(Clone, Debug)]
pub struct Reading {
    /// The byte between two fields; a space stands for any number of spaces and tabs.
    pub delimiter: Option<u8>,
    /// Whether 1,5 is one and a half.
    pub decimal_comma: Option<bool>,
    /// Whether the first line names the columns. Otherwise they are `column_1`, `column_2` and so on.
    pub header: Option<bool>,
    /// What stands for a missing cell; an empty one always does.
    pub missing: Vec<String>,
}

impl Default for Reading {
    /// Everything is found out; what stands for a missing cell is pandas' list and `?`.
    fn default() -> Self {
        let missing = ["NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?", "<NA>", "#N/A"];
        Self { delimiter: None, decimal_comma: None, header: None, missing: missing.map(str::to_owned).to_vec() }
    }
}

impl Reading {
    /// Reads a file.
    ///
    /// # Errors
    /// Where the file cannot be read, or is no table; the error names the file, the line and the column.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Table, Error> {
        let (file, text) = super::text_of(path.as_ref())?;
        self.parse(&file, &text)
    }

    /// Reads text; errors call it `file`.
    ///
    /// # Errors
    /// Where the text is no table; the error names the file, the line and the column.
    pub fn parse(&self, file: &str, text: &str) -> Result<Table, Error> {
        let error = |line, column, kind| Error { file: file.to_owned(), line, column, kind };
        let mut records = Records::new(text);
        let Some((_, header)) = records.next() else { return Err(error(None, None, Kind::Empty)) };
        let mut cells = vec![Vec::new(); header.len()];
        let mut lines = Vec::new();
        for (line, record) in records {
            let (expected, found) = (header.len(), record.len());
            if found != expected {
                let column = found.min(expected) as u32 + 1;
                return Err(error(Some(line), Some(column), Kind::Ragged { expected, found }));
            }
            for (cells, field) in cells.iter_mut().zip(&record) {
                let missing = field.is_empty() || self.missing.iter().any(|mark| mark == field);
                cells.push(if missing { None } else { Some(field.to_owned()) });
            }
            lines.push(line);
        }
        let fields = header.iter().zip(1..).map(|(name, at)| (name.to_owned(), at)).collect();
        let columns = header.iter().zip(cells).map(|(name, cells)| column(name, cells)).collect();
        Ok(Table { columns, file: file.to_owned(), lines, fields, notes: Vec::new() })
    }
}

fn column(name: &str, cells: Vec<Option<String>>) -> Column {
    let as_number = |cell: &Option<String>| match cell {
        Some(cell) => number::<f64>(name, cell).ok(),
        None => Some(f64::NAN),
    };
    let cells = match cells.iter().map(as_number).collect() {
        Some(numbers) => Cells::Numbers(numbers),
        None => {
            let (mut words, mut places) = (Vec::new(), BTreeMap::new());
            let mut place = |cell: String| {
                *places.entry(cell).or_insert_with_key(|cell| {
                    words.push(cell.clone());
                    words.len() as u32 - 1
                })
            };
            let rows = cells.into_iter().map(|cell| cell.map(&mut place)).collect();
            Cells::Text { words, rows }
        }
    };
    Column { name: name.to_owned(), cells }
}
