//! The rows of a table, as they come.

use super::edges::{Totals, repeats};
use super::growing::{Growing, Numbers, missing, push};
use super::missing::NO_NUMBER;
use super::pieces::{Pieces, Plain, Threads};
use super::reading::{Layout, Reading};
use super::records::{Record, Records, error};
use super::words::Words;
use super::{number, words_of};
use crate::data::table::Lines;
use crate::data::{Cells, Column, Table};
use crate::error::{Error, Kind, counted, shown};

pub(super) struct Reader<'a> {
    file: &'a str,
    reading: &'a Reading,
    line: u32,
    names: Vec<String>,
    columns: Vec<Growing>,
    lines: Lines,
    rows: usize,
    /// Cells over several lines: how many, and the first line and name.
    broken: (usize, Option<(u32, usize)>),
    /// Rows that repeat the header: how many, and the first line.
    repeated: (usize, u32),
    totals: Totals,
    pieces: Pieces,
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a str, reading: &'a Reading, layout: Layout, threads: Threads) -> Self {
        let Layout { line, names, sample } = layout;
        let mut columns = Vec::new();
        for column in 0..names.len() {
            let cells = || sample.iter().filter_map(|row| row.get(column)).filter(|cell| !missing(reading, cell));
            let numbers = |point: u8| {
                cells().all(|cell| number::number(cell.as_bytes(), point).is_some() || NO_NUMBER.contains(&&cell[..]))
            };
            let comma = reading.decimal_comma.unwrap_or_else(|| !numbers(b'.'));
            let point = if comma { b',' } else { b'.' };
            columns.push(if numbers(point) {
                Growing::Numbers(Numbers::new(point))
            } else {
                Growing::Text(Words::default(), Vec::new())
            });
        }
        Self { columns, pieces: Pieces::new(threads), ..Self::of_text(file, reading, line, names) }
    }

    /// Columns of which nothing is known yet: their cells are kept as they are written until all are there.
    pub(super) fn of_text(file: &'a str, reading: &'a Reading, line: u32, names: Vec<String>) -> Self {
        let columns = names.iter().map(|_| Growing::Text(Words::default(), Vec::new())).collect();
        let (lines, totals) = (Lines::default(), Totals::default());
        let (rows, broken, repeated, pieces) = (0, (0, None), (0, 0), Pieces::new(Threads::ONE));
        Self { file, reading, line, names, columns, lines, rows, broken, repeated, totals, pieces }
    }

    /// Reads rows as far as they are there without waiting, one at least.
    pub(super) fn read_ready(&mut self, records: &mut Records<'_>, notes: &mut Vec<String>) -> Result<(), Error> {
        self.read_while(records, notes, |reader, records| reader.rows == 0 || records.is_ready())
    }

    /// The mark before a fraction, where the rows tell it: whether it is a comma.
    pub(super) fn comma(&self) -> Option<bool> {
        let marks = words_of::marks(&self.columns, self.reading);
        (marks.comma != marks.point).then_some(marks.comma)
    }

    /// Reads all rows.
    pub(super) fn read(&mut self, records: &mut Records<'_>, notes: &mut Vec<String>) -> Result<(), Error> {
        self.read_while(records, notes, |_, _| true)?;
        let (rows, note) = self.totals.sums(&self.columns, &self.lines, self.rows);
        notes.extend(note);
        self.truncate(rows);
        self.unsettle();
        Ok(())
    }

    /// Reads rows to the end, or as long as one more is asked for.
    fn read_while(
        &mut self,
        records: &mut Records<'_>,
        notes: &mut Vec<String>,
        mut more: impl FnMut(&Self, &mut Records<'_>) -> bool,
    ) -> Result<(), Error> {
        // Rows of nothing but separators are missing cells, but for those that spreadsheets write below a table.
        let (mut hollow, mut further) = (0_usize, 0_usize);
        loop {
            if hollow == 0 {
                self.plain_rows(records);
            }
            if !more(self, records) {
                break;
            }
            let Some(record) = records.next()? else { break };
            let (expected, found) = (self.columns.len(), record.len());
            if found != expected {
                if found < expected || (expected..found).any(|field| !record.bytes(field).is_empty()) {
                    return Err(error(
                        self.file,
                        record.line,
                        Some(found.min(expected)),
                        Kind::Ragged { expected, found },
                    ));
                }
                further += 1;
            }
            if repeats(&record, &self.names) {
                self.repeated = (self.repeated.0 + 1, if self.repeated.0 == 0 { record.line } else { self.repeated.1 });
                continue;
            }
            hollow = if expected > 1 && record.hollow() { hollow + 1 } else { 0 };
            self.totals.see(&record, self.rows);
            for column in 0..expected {
                push(&mut self.columns[column], self.reading, record, column)
                    .map_err(|found| self.control(record, column, found))?;
                if record.several && record.bytes(column).iter().any(|byte| matches!(byte, b'\n' | b'\r')) {
                    self.broken.0 += 1;
                    self.broken.1.get_or_insert((record.line_of(column), column));
                }
            }
            self.lines.push(record.line);
            self.rows += 1;
        }
        if hollow > 0 && records.is_done() {
            notes.push(format!("{hollow} rows of nothing but separators at the end are left out"));
            self.truncate(self.rows - hollow);
        }
        if let (count @ 1.., line) = self.repeated {
            let rows = counted(count, "row repeats the header and is", "rows repeat the header and are");
            notes.push(format!("{rows} left out, the first in line {line}"));
        }
        if further > 0 {
            notes.push(format!("{further} rows end with separators and nothing behind them"));
        }
        if self.rows == 0 {
            return Err(Error { file: self.file.to_owned(), line: None, column: None, kind: Kind::NoRows });
        }
        Ok(())
    }

    /// Reads rows as far as they are plain: cells of digits in columns of numbers, words without blanks around them in the others, empty cells in
    /// both. One pass over the bytes is enough for them; all else, and each mistake, is left to the records.
    fn plain_rows(&mut self, records: &mut Records<'_>) {
        let Some((bytes, line)) = records.ahead() else { return };
        let (delimiter, known) = (records.delimiter, self.rows);
        if self.columns.iter().any(|column| matches!(column, Growing::Numbers(numbers) if numbers.point == delimiter)) {
            return;
        }
        let plain = Plain { bytes, delimiter, missing: &self.reading.missing, first_name: &self.names[0] };
        let expected = |rows: usize, start: usize| records.rows_to_come(known + rows, start);
        let (used, rows) = self.pieces.rows(records.passed(), plain, &mut self.columns, known, expected);
        self.lines.push_each(line, rows);
        self.rows += rows;
        records.pass(used, rows);
    }

    fn truncate(&mut self, rows: usize) {
        self.rows = rows;
        self.lines.truncate(rows);
        self.columns.iter_mut().for_each(|column| column.truncate(rows));
    }

    fn control(&self, record: Record<'_>, column: usize, found: String) -> Error {
        error(
            self.file,
            record.line_of(column),
            Some(column),
            Kind::Control { name: self.names[column].clone(), found },
        )
    }

    /// Whether columns are to be read again.
    pub(super) fn late(&self) -> bool {
        self.columns.iter().any(|column| matches!(column, Growing::Late))
    }

    /// Reads these columns again, as words, and no others.
    pub(super) fn read_late(&mut self, records: &mut Records<'_>, threads: Threads) -> Result<(), Error> {
        let mut again = Self::of_text(self.file, self.reading, self.line, self.names.clone());
        again.pieces = Pieces::new(threads);
        for (column, other) in self.columns.iter().zip(&mut again.columns) {
            if !matches!(column, Growing::Late) {
                *other = Growing::Late;
            }
        }
        again.read_while(records, &mut Vec::new(), |_, _| true)?;
        if again.rows < self.rows {
            let kind = Kind::Unreadable(std::io::Error::other("it has changed while it was read"));
            return Err(Error { file: self.file.to_owned(), line: None, column: None, kind });
        }
        again.truncate(self.rows);
        for (column, other) in self.columns.iter_mut().zip(again.columns) {
            if matches!(column, Growing::Late) {
                *column = other;
            }
        }
        self.unsettle();
        Ok(())
    }

    /// Marks columns of numbers that must be read again: those where the mark before the fraction may be one between thousands, as
    /// far as other columns do not tell; those that hold dashes and no number.
    fn unsettle(&mut self) {
        let marks = words_of::marks(&self.columns, self.reading);
        for column in &mut self.columns {
            let Growing::Numbers(numbers) = column else { continue };
            let comma = numbers.point == b',';
            let settled = if comma { marks.comma && !marks.point } else { !marks.comma };
            let doubtful = numbers.marked && !numbers.loose && !settled;
            if doubtful || numbers.may_be_codes() || (numbers.dashes && numbers.is_hollow()) {
                *column = Growing::Late;
            }
        }
    }

    /// The table.
    pub(super) fn finish(self, mut notes: Vec<String>) -> Result<Table, Error> {
        let Self { file, reading, line, names, columns, lines, .. } = self;
        if let (count, Some((line, column))) = self.broken {
            let name = shown(&names[column]);
            notes.push(format!(
                "{count} cells hold line breaks, the first in line {line}, `{name}`: is each quote closed?"
            ));
        }
        let marks = words_of::marks(&columns, reading);
        let comma = (marks.comma != marks.point).then_some(marks.comma);
        let mut table = Table { file: file.to_owned(), lines, comma, ..Table::default() };
        for (place, (name, column)) in names.into_iter().zip(columns).enumerate() {
            let at = |row: Option<usize>, kind| {
                let line = row.map_or(line, |row| table.lines.of(row));
                error(file, line, Some(place), kind)
            };
            let cells = match column {
                Growing::Numbers(mut numbers) => {
                    numbers.cells.shrink_to_fit();
                    for mark in reading.missing.iter().filter_map(|mark| number::number(mark.as_bytes(), numbers.point))
                    {
                        numbers.cells.iter_mut().filter(|cell| **cell == mark).for_each(|cell| *cell = f64::NAN);
                    }
                    if numbers.point == b',' && numbers.marked {
                        notes.push(format!("`{}` has decimal commas", shown(&name)));
                    }
                    Cells::Numbers(numbers.cells)
                }
                Growing::Text(words, rows) => {
                    words_of::cells(&name, words, rows, reading, marks, &table.lines, &mut notes)
                        .map_err(|(row, kind)| at(Some(row), kind))?
                }
                Growing::Late => unreachable!("late columns are read before"),
            };
            let missing = cells.missing();
            if name.is_empty() && missing == cells.len() {
                continue;
            }
            if name.is_empty() && place > 0 {
                return Err(at(None, Kind::Nameless));
            }
            if missing > 0 {
                notes.push(format!("`{}`: {missing} of {} cells are missing", shown(&name), cells.len()));
            }
            table.fields.insert(name.clone(), place as u32 + 1);
            table.columns.push(Column { name, cells });
        }
        if table.columns.is_empty() {
            return Err(error(file, line, Some(0), Kind::Nameless));
        }
        table.notes = notes;
        Ok(table)
    }
}
