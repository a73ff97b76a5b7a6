//! How a file becomes a table.

use super::columns::Reader;
use super::pieces::Threads;
use super::records::{Records, error};
use super::source::{Source, at_file};
use super::{Encoding, guess, lead, missing};
use crate::data::Table;
use crate::error::{Error, Kind, shown};
use std::io::Read;
use std::path::Path;

/// How a text file is written. What is not said is found out, and told in [`Table::notes`].
///
/// ```
/// use nn::data::{Cells, Reading};
/// # fn main() -> Result<(), nn::Error> {
/// let table = Reading { header: Some(false), ..Reading::default() }.parse("flats.csv", "62,7;2\n106,7;4\n")?;
/// let Cells::Numbers(area) = &table.column("column_1").unwrap().cells else { panic!() };
/// assert_eq!(area, &[62.7, 106.7]);
/// assert_eq!(table.notes()[0], "fields are separated by `;`");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The byte between two fields; a space stands for any number of spaces and tabs.
    pub delimiter: Option<u8>,
    /// Whether 1,5 is one and a half.
    pub decimal_comma: Option<bool>,
    /// The same where the text does not tell, as of `1,234` alone: what other texts of the kind have ([`Table::decimal_comma`]).
    pub decimal_comma_in_doubt: Option<bool>,
    /// Whether the first line names the columns. Otherwise they are `column_1`, `column_2` and so on.
    pub header: Option<bool>,
    /// What stands for a missing cell; an empty one always does.
    pub missing: Vec<String>,
    /// Lines that begin with this byte are left out. Without it, those that begin with `#` before the header are.
    pub comment: Option<u8>,
    /// How the bytes of a file are text, where they are not UTF-8. That of text in memory does not count.
    pub encoding: Option<Encoding>,
}

impl Default for Reading {
    /// Everything is found out. What stands for a missing cell is pandas' list (`NA`, `NaN`, `null`, `None` and so on) and `?`;
    /// in a column of numbers dashes and points do, too.
    fn default() -> Self {
        let missing = missing::MISSING.iter().map(|&mark| mark.to_owned()).collect();
        Self {
            delimiter: None,
            decimal_comma: None,
            decimal_comma_in_doubt: None,
            header: None,
            missing,
            comment: None,
            encoding: None,
        }
    }
}

impl Reading {
    /// Reads a file.
    ///
    /// # Errors
    /// Where the file cannot be read, or is no table; the error names the file, the line and the column.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<Table, Error> {
        let path = path.as_ref();
        self.load(&path.display().to_string(), &Source::of(path)?)
    }

    /// Reads text; errors call it `file`.
    ///
    /// # Errors
    /// Where the text is no table; the error names the file, the line and the column.
    pub fn parse(&self, file: &str, text: &str) -> Result<Table, Error> {
        self.load(file, &Source::Held(text.as_bytes()))
    }

    /// Reads all bytes that come, such as those of standard input; errors call them `file`.
    ///
    /// # Errors
    /// Where they cannot be read, or are no table.
    pub fn read_from(&self, file: &str, mut from: impl Read) -> Result<Table, Error> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).map_err(|error| at_file(file, Kind::Unreadable(error)))?;
        self.load(file, &Source::Read(bytes))
    }

    fn load(&self, file: &str, source: &Source<'_>) -> Result<Table, Error> {
        self.load_by(file, source, Threads::of_size(source.size()))
    }

    /// Reads a source by threads, of which no result depends.
    pub(super) fn load_by(&self, file: &str, source: &Source<'_>, threads: Threads) -> Result<Table, Error> {
        let mut notes = Vec::new();
        let (mut records, layout) = self.open(file, source, threads, &mut notes)?;
        let mut reader = Reader::new(file, self, layout, threads);
        reader.read(&mut records, &mut notes)?;
        drop(records);
        // What was taken for numbers and is text after all is read again: the spelling of the first rows is not kept.
        while reader.late() {
            let (mut records, _) = self.open(file, source, threads, &mut Vec::new())?;
            reader.read_late(&mut records, threads)?;
        }
        reader.finish(notes)
    }

    /// A source at its first row, and its columns.
    fn open<'a>(
        &self,
        file: &'a str,
        source: &'a Source<'_>,
        threads: Threads,
        notes: &mut Vec<String>,
    ) -> Result<(Records<'a>, Layout), Error> {
        let mut records = Records::open(file, source, b',', self.encoding)?;
        let layout = self.layout(file, &mut records, notes)?;
        records.block = threads.block;
        Ok((records, layout))
    }

    /// Finds out how records that are at their begin are written, and leads them to the first row.
    pub(super) fn layout(
        &self,
        file: &str,
        records: &mut Records<'_>,
        notes: &mut Vec<String>,
    ) -> Result<Layout, Error> {
        let named = lead::separator(records);
        let (head, all) = records.head();
        let delimiter = self.delimiter.or(named).unwrap_or_else(|| {
            let commas = self.decimal_comma.or(self.decimal_comma_in_doubt) == Some(true);
            guess::delimiter(head, all, self.comment, commas)
        });
        // A field is cut between bytes of ASCII, so that it stays text; `named` comes from the file.
        if !delimiter.is_ascii() || matches!(delimiter, b'"' | b'\r' | b'\n') {
            let found = char::from(delimiter).escape_default();
            let text =
                format!("expected a separator of fields in ASCII, neither a quote nor a line end, found `{found}`");
            return Err(Error { file: file.to_owned(), line: None, column: None, kind: Kind::Data(text) });
        }
        if let Some(comment) = self.comment.filter(|byte| *byte == delimiter || matches!(byte, b'"' | b'\r' | b'\n')) {
            let found = char::from(comment).escape_default();
            let text = format!("expected a mark of remarks that is no separator, quote or line end, found `{found}`");
            return Err(at_file(file, Kind::Data(text)));
        }
        match delimiter {
            b',' => (),
            // There is one column.
            b';' if !head.contains(&b';') => (),
            b'\t' => notes.push("fields are separated by tabs".to_owned()),
            b' ' => notes.push("fields are separated by blanks".to_owned()),
            other => notes.push(format!("fields are separated by `{}`", shown(&char::from(other).to_string()))),
        }
        records.delimiter = delimiter;
        records.comment = self.comment;
        let lead = if self.comment.is_none() { lead::skip_remarks(records) } else { lead::Lead::default() };
        if lead.remarks > 0 {
            notes.push(format!("{} lines that begin with `#` before the header are left out", lead.remarks));
        }
        let (head, all) = records.head();
        let (mut sample, _) = guess::sample(head, all, delimiter, self.comment);
        let titles = guess::titles(&sample);
        if titles > 0 && self.header != Some(false) && !lead.marked {
            notes.extend(lead::skip_titles(records, &sample[..titles]));
            sample.drain(..titles);
        }
        let (guessed, note) = if lead.marked { (true, None) } else { guess::header(&sample) };
        if self.header.is_none() {
            notes.extend(note.map(str::to_owned));
        }
        if !self.header.unwrap_or(guessed) {
            let Some(first) = sample.first() else {
                // Nothing, or a mistake.
                return Err(records.next().err().unwrap_or_else(|| at_file(file, Kind::Empty)));
            };
            let names = (1..=first.len()).map(|at| format!("column_{at}")).collect();
            return Ok(Layout { line: 1, names, sample });
        }
        let (line, mut names) = match records.next()? {
            Some(record) => (record.line, record.texts()),
            None => return Err(at_file(file, Kind::Empty)),
        };
        let header = names.clone();
        if lead.marked {
            let marks = names[0].len() - lead::unmarked(&names[0]).len();
            names[0].drain(..marks);
        }
        let first = sample.len().min(1);
        sample.drain(..first);
        let further =
            |row: &Vec<String>| row.len() == names.len() + 1 && row.last().is_some_and(|last| !last.is_empty());
        if !sample.is_empty() && sample.iter().all(further) {
            notes.push("the header has no name for the first column".to_owned());
            names.insert(0, String::new());
        }
        let names = checked(names, notes).map_err(|(column, kind)| error(file, line, Some(column), kind))?;
        sample.retain(|row| *row != header);
        Ok(Layout { line, names, sample })
    }
}

/// The columns of a file.
pub(super) struct Layout {
    /// The line of the header.
    pub(super) line: u32,
    pub(super) names: Vec<String>,
    /// The first rows.
    pub(super) sample: Vec<Vec<String>>,
}

/// Names of columns, none of them twice.
fn checked(names: Vec<String>, notes: &mut Vec<String>) -> Result<Vec<String>, (usize, Kind)> {
    let mut known = super::words::Words::default();
    let mut checked = Vec::new();
    for (column, found) in names.into_iter().enumerate() {
        let name = found.split_whitespace().collect::<Vec<_>>().join(" ");
        if found.contains(['\n', '\r']) {
            notes.push(format!("the name of column {} goes over several lines: `{}`", column + 1, shown(&name)));
        }
        if name.contains(char::is_control) {
            return Err((column, Kind::Control { name: name.clone(), found: name }));
        }
        if !name.is_empty() && !known.place(&name).1 {
            return Err((column, Kind::NameTwice { name }));
        }
        checked.push(name);
    }
    Ok(checked)
}
