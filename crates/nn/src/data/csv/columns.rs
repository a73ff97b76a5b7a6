//! The columns of a table, as its rows come.

use super::missing::NO_NUMBER;
use super::number::{self, decimal};
use super::plain;
use super::reading::{Layout, Reading};
use super::records::{Record, Records, error};
use super::words::Words;
use super::{grow, words_of};
use crate::data::table::Lines;
use crate::data::{Cells, Column, Table};
use crate::error::{Error, Kind, shown};

/// A column that is being read.
pub(super) enum Growing {
    Numbers(Numbers),
    /// Words, missing ones too, and their places.
    Text(Words, Vec<Option<u32>>),
    /// What was taken for numbers and is to be read again, as words.
    Late,
}

/// Numbers with one mark before the fraction.
pub(super) struct Numbers {
    cells: Vec<f64>,
    point: u8,
    /// How many of them are numbers.
    count: usize,
    /// Whether one of them has the mark; and whether it is no mark between thousands there.
    marked: bool,
    loose: bool,
    /// Whether something stands for a missing number that would be a word elsewhere.
    dashes: bool,
}

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
}

impl<'a> Reader<'a> {
    pub(super) fn new(file: &'a str, reading: &'a Reading, layout: Layout) -> Self {
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
        Self { file, reading, line, names, columns, lines: Lines::default(), rows: 0, broken: (0, None) }
    }

    /// Columns of which nothing is known yet: their cells are kept as they are written until all are there.
    pub(super) fn of_text(file: &'a str, reading: &'a Reading, line: u32, names: Vec<String>) -> Self {
        let columns = names.iter().map(|_| Growing::Text(Words::default(), Vec::new())).collect();
        Self { file, reading, line, names, columns, lines: Lines::default(), rows: 0, broken: (0, None) }
    }

    /// Reads rows as far as they are there without waiting, one at least.
    pub(super) fn read_ready(&mut self, records: &mut Records<'_>, notes: &mut Vec<String>) -> Result<(), Error> {
        self.read_while(records, notes, |reader, records| reader.rows == 0 || records.is_ready())
    }

    /// The mark before a fraction, where the rows tell it: whether it is a comma.
    pub(super) fn comma(&self) -> Option<bool> {
        let marks = words_of::marks(&self.columns, self.reading.decimal_comma);
        (marks.comma != marks.point).then_some(marks.comma)
    }

    /// Reads all rows.
    pub(super) fn read(&mut self, records: &mut Records<'_>, notes: &mut Vec<String>) -> Result<(), Error> {
        self.read_while(records, notes, |_, _| true)?;
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
            hollow = if expected > 1 && record.hollow() { hollow + 1 } else { 0 };
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
            self.rows -= hollow;
            self.lines.truncate(self.rows);
            for column in &mut self.columns {
                column.truncate(self.rows);
            }
        }
        if further > 0 {
            notes.push(format!("{further} rows end with separators and nothing behind them"));
        }
        if self.rows == 0 {
            return Err(Error { file: self.file.to_owned(), line: None, column: None, kind: Kind::NoRows });
        }
        Ok(())
    }

    /// Reads rows as far as they are plain: cells of digits in columns of numbers, words without quotes and blanks in the others. One pass over
    /// the bytes is enough for them; all else, and each mistake, is left to the records.
    fn plain_rows(&mut self, records: &mut Records<'_>) {
        let Some((bytes, mut line)) = records.ahead() else { return };
        let (delimiter, count) = (records.delimiter, self.columns.len());
        if self.columns.iter().any(|column| matches!(column, Growing::Numbers(numbers) if numbers.point == delimiter)) {
            return;
        }
        let (mut start, first) = (0, self.rows);
        'rows: loop {
            let mut at = start;
            for place in 0..count {
                let behind = |end: usize| plain::behind(bytes, end, delimiter, place + 1 == count);
                // A cell is taken where it is known to end as it must.
                let next = match &mut self.columns[place] {
                    Growing::Numbers(numbers) => plain::number(bytes, at, numbers.point).and_then(|(number, end)| {
                        let next = behind(end)?;
                        numbers.take(
                            number.nearest(&bytes[at..end], numbers.point),
                            number.whole,
                            number.fraction,
                            bytes[at] == b'0',
                        );
                        Some(next)
                    }),
                    Growing::Text(words, rows) => plain::word(bytes, at, delimiter).and_then(|(word, end)| {
                        let next = behind(end)?;
                        rows.push(Some(words.place(word).0));
                        Some(next)
                    }),
                    Growing::Late => plain::word(bytes, at, delimiter).and_then(|(_, end)| behind(end)),
                };
                let Some(next) = next else {
                    // The cells of this row that were taken go again.
                    self.columns[..place].iter_mut().for_each(|column| column.undo(self.rows));
                    break 'rows;
                };
                at = next;
            }
            self.lines.push(line);
            line = line.saturating_add(1);
            self.rows += 1;
            start = at;
        }
        records.pass(start, self.rows - first);
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

    /// Reads these columns again, as words.
    pub(super) fn read_late(&mut self, records: &mut Records<'_>) -> Result<(), Error> {
        let late: Vec<usize> =
            (0..self.columns.len()).filter(|&at| matches!(self.columns[at], Growing::Late)).collect();
        for &column in &late {
            self.columns[column] = Growing::Text(Words::default(), Vec::new());
        }
        for _ in 0..self.rows {
            let whole = records.next()?.filter(|record| record.len() >= self.columns.len());
            let Some(record) = whole else {
                let kind = Kind::Unreadable(std::io::Error::other("it has changed while it was read"));
                return Err(Error { file: self.file.to_owned(), line: None, column: None, kind });
            };
            for &column in &late {
                push(&mut self.columns[column], self.reading, record, column)
                    .map_err(|found| self.control(record, column, found))?;
            }
        }
        self.unsettle();
        Ok(())
    }

    /// Marks columns of numbers that must be read again: those where the mark before the fraction may be one between thousands, as
    /// far as other columns do not tell; those that hold dashes and no number.
    fn unsettle(&mut self) {
        let marks = words_of::marks(&self.columns, self.reading.decimal_comma);
        for column in &mut self.columns {
            let Growing::Numbers(numbers) = column else { continue };
            let comma = numbers.point == b',';
            let settled = if comma { marks.comma && !marks.point } else { !marks.comma };
            let doubtful = numbers.marked && !numbers.loose && !settled;
            if doubtful || (numbers.count == 0 && numbers.dashes) {
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
        let marks = words_of::marks(&columns, reading.decimal_comma);
        let mut table = Table { file: file.to_owned(), lines, ..Table::default() };
        for (place, (name, column)) in names.into_iter().zip(columns).enumerate() {
            let at = |row: Option<usize>, kind| {
                let line = row.map_or(line, |row| table.lines.of(row));
                error(file, line, Some(place), kind)
            };
            let cells = match column {
                Growing::Numbers(mut numbers) => {
                    numbers.cells.shrink_to_fit();
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

impl Numbers {
    fn new(point: u8) -> Self {
        Self { cells: Vec::new(), point, count: 0, marked: false, loose: false, dashes: false }
    }

    pub(super) fn comma(&self) -> bool {
        self.point == b',' && self.loose
    }

    pub(super) fn point(&self) -> bool {
        self.point == b'.' && self.loose
    }

    /// The next number, with so many digits before and behind the mark.
    #[inline]
    fn take(&mut self, number: f64, whole: usize, fraction: usize, zero_first: bool) {
        if fraction > 0 {
            self.marked = true;
            self.loose |= fraction != 3 || whole == 0 || whole > 3 || zero_first;
        }
        self.count += 1;
        self.add(number);
    }

    #[inline]
    fn add(&mut self, cell: f64) {
        grow(&mut self.cells, 1);
        self.cells.push(cell);
    }

    /// The next cell; whether it may be one of numbers.
    #[inline]
    fn push(&mut self, bytes: &[u8], reading: &Reading, text: impl FnOnce() -> String) -> bool {
        if let Some(decimal) = decimal(bytes, self.point) {
            let number = decimal.nearest(bytes, self.point);
            if !number.is_finite() {
                return false;
            }
            self.take(number, decimal.whole, decimal.fraction, bytes.first() == Some(&b'0'));
            return true;
        }
        if !bytes.is_empty() {
            let text = text();
            if !missing(reading, &text) {
                if !NO_NUMBER.contains(&&text[..]) {
                    return false;
                }
                self.dashes = true;
            }
        }
        self.add(f64::NAN);
        true
    }
}

impl Growing {
    /// Takes the last cell away, where there are more than so many.
    fn undo(&mut self, rows: usize) {
        if let Self::Numbers(numbers) = self {
            numbers.count -= numbers.cells.len() - rows;
        }
        self.truncate(rows);
    }

    fn truncate(&mut self, rows: usize) {
        match self {
            Self::Numbers(numbers) => numbers.cells.truncate(rows),
            Self::Text(_, places) => places.truncate(rows),
            Self::Late => (),
        }
    }
}

/// Takes the next cell of a column. An error is a cell that no table may hold.
#[inline]
fn push(column: &mut Growing, reading: &Reading, record: Record<'_>, field: usize) -> Result<(), String> {
    match column {
        Growing::Numbers(numbers) => {
            if !numbers.push(record.bytes(field), reading, || record.text(field).into_owned()) {
                *column = Growing::Late;
            }
        }
        Growing::Text(words, rows) => {
            let text = record.text(field);
            let (place, new) = words.place(&text);
            if new && text.contains('\0') {
                return Err(text.into_owned());
            }
            rows.push(Some(place));
        }
        Growing::Late => (),
    }
    Ok(())
}

pub(super) fn missing(reading: &Reading, cell: &str) -> bool {
    cell.is_empty() || reading.missing.iter().any(|mark| mark == cell)
}
