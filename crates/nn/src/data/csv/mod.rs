//! Reading CSV: records, numbers and words, and the labelled examples that they make.

mod classes;
mod columns;
mod edges;
mod encoding;
mod growing;
mod guess;
mod lead;
mod missing;
mod number;
mod pieces;
mod plain;
mod reading;
mod records;
mod rows;
mod source;
mod twins;
mod words;
mod words_of;

pub use encoding::Encoding;
pub(super) use missing::is_missing;
pub(super) use number::{Grouped, grouped, number as spelled};
pub use reading::Reading;
pub use rows::Rows;

use crate::data::Dataset;
use crate::data::index::{Naming, index, naming};
use crate::error::{Error, Kind};
use autograd::{Float, Tensor};
use classes::Labels;
use records::{Record, Records, Split, error, split};
use source::{Source, at_file};
use std::path::Path;

/// How a CSV file becomes a [`Dataset`]: a header names the columns, one of them holds the labels as text, all others
/// are numbers, separated by commas. Blanks around fields and empty lines do not count. For files with other separators, missing
/// cells, categories or a target to measure there is [`Table`](crate::data::Table).
///
/// ```
/// use nn::data::Csv;
/// # fn main() -> Result<(), nn::Error> {
/// let data = Csv::new("kind").parse::<f64>("pets.csv", "weight,kind\n4.1,cat\n30,dog\n3.8,cat\n")?;
/// assert_eq!(data.features().as_slice(), [4.1, 30.0, 3.8]);
/// assert_eq!((data.classes(), data.labels()), (&["cat".to_owned(), "dog".to_owned()][..], &[0, 1, 0][..]));
///
/// // Further data with the same classes, where another one is an error:
/// let csv = Csv { classes: Some(data.classes()), ..Csv::new("kind") };
/// let error = csv.parse::<f64>("more.csv", "weight,kind\n2,dog\n1.5,rat\n").unwrap_err();
/// let message = "more.csv, line 3, column 2: expected a class for `kind` among `cat`, `dog`, found `rat`";
/// assert_eq!(error.to_string(), message);
/// # Ok(())
/// # }
/// ```
///
/// A column that numbers the rows (one without a name at the begin, `Id`, `index`, `rownames`, whose numbers are integers, no two
/// the same) is left out: where rows are sorted by their class, it tells the class.
///
/// Classes that are numbers come in the order of the numbers, and `2` and `2.0` are one. Labels that differ in upper and lower case
/// only, or look the same, are an error, as is one that stands for a missing value (`NA`, `?`), and a column of measured numbers;
/// labels that are meant so can be listed in `classes`.
#[derive(Clone, Copy, Debug)]
pub struct Csv<'a> {
    /// The name of the column of labels.
    pub label: &'a str,
    /// The classes, where they are known. Otherwise they are the names found, sorted, so that they do not depend on the
    /// order of the rows.
    pub classes: Option<&'a [String]>,
}

/// A [`Csv`] whose features are known; see [`Csv::columns`].
#[derive(Clone, Copy, Debug)]
pub struct CsvColumns<'a, S> {
    csv: Csv<'a>,
    names: &'a [S],
}

impl<'a> Csv<'a> {
    /// With labels in the column of this name, and the classes that are found.
    pub fn new(label: &'a str) -> Self {
        Self { label, classes: None }
    }

    /// With these columns as the features, in this order, wherever they stand in a file. Others are left out, and one that is not
    /// there is an error. So a net gets its features as in training:
    ///
    /// ```
    /// use nn::data::Csv;
    /// # fn main() -> Result<(), nn::Error> {
    /// let known = ["length", "width"];
    /// let data = Csv::new("kind").columns(&known).parse::<f64>("new.csv", "width,kind,length\n1,pike,10.5\n")?;
    /// assert_eq!(data.features().as_slice(), [10.5, 1.0]);
    ///
    /// let error = Csv::new("kind").columns(&known).parse::<f64>("new.csv", "length,breadth,kind\n10.5,1,pike\n").unwrap_err();
    /// assert_eq!(error.to_string(), "new.csv, line 1, column 2: expected the column `width`, found `breadth`");
    /// # Ok(())
    /// # }
    /// ```
    pub fn columns<S: AsRef<str>>(self, names: &'a [S]) -> CsvColumns<'a, S> {
        CsvColumns { csv: self, names }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Where the file cannot be read, or is not as expected; the error names the file, the line and the column.
    pub fn read<T: Float>(&self, path: impl AsRef<Path>) -> Result<Dataset<T>, Error> {
        let path = path.as_ref();
        self.load(&path.display().to_string(), &Source::of(path)?, None)
    }

    /// Reads text; errors call it `file`.
    ///
    /// # Errors
    /// Where the text is not as expected; the error names the file, the line and the column.
    pub fn parse<T: Float>(&self, file: &str, text: &str) -> Result<Dataset<T>, Error> {
        self.load(file, &Source::Held(text.as_bytes()), None)
    }

    #[inline(never)]
    fn load<T: Float>(&self, file: &str, source: &Source<'_>, names: Option<&[&str]>) -> Result<Dataset<T>, Error> {
        let mut labels = Labels::new(self.label, self.classes).map_err(|kind| at_file(file, kind))?;
        let mut records = Records::open(file, source, b',', None)?;
        let header = self.header(file, &mut records, names)?;
        let mut features = Vec::new();
        let mut row = vec![T::ZERO; header.width];
        // The rows of nothing but commas that spreadsheets write below a table are none.
        let mut hollow = None;
        loop {
            if hollow.is_none() {
                header.plain_rows(&mut records, &mut row, &mut features, &mut labels);
            }
            let Some(record) = records.next()? else { break };
            let read = header.row(file, record, &mut row, &mut labels);
            if record.hollow() && record.len() > 1 {
                hollow = hollow.or(read.err());
                continue;
            }
            if let Some(error) = hollow {
                return Err(error);
            }
            read?;
            grow(&mut features, row.len());
            features.extend_from_slice(&row);
        }
        let n = labels.len();
        if n == 0 {
            return Err(hollow.unwrap_or_else(|| at_file(file, Kind::NoRows)));
        }
        let (labels, classes) = labels
            .finish()
            .map_err(|(line, kind)| error(file, line.unwrap_or(header.line), Some(header.label), kind))?;
        let width = header.without_index(file, &mut features)?;
        Ok(Dataset::new(Tensor::new([n, width], features), labels, classes))
    }

    /// The columns that a file has.
    fn header(&self, file: &str, records: &mut Records<'_>, wanted: Option<&[&str]>) -> Result<Header, Error> {
        let named = lead::separator(records).filter(|&byte| byte != b',');
        let lead = lead::skip_remarks(records);
        let (head, all) = records.head();
        let first = head[..head.len().min(1 << 14)].to_vec();
        let all = all && first.len() == head.len();
        let separators = |names: &[String]| {
            let separates = |&byte: &u8| separates(&first, all, byte, self.label, names);
            named.or_else(|| [b';', b'\t', b'|'].into_iter().find(separates))
        };
        let wrong =
            |line, found: u8| error(file, line, None, Kind::Separator { expected: ',', found: char::from(found) });
        let (line, mut names) = match records.next() {
            Ok(Some(record)) => (record.line, record.texts()),
            Ok(None) => return Err(at_file(file, Kind::Empty)),
            Err(error) => {
                let separator = matches!(error.kind, Kind::AfterQuote { .. }).then(|| separators(&[])).flatten();
                return Err(separator.map_or(error, |found| wrong(1, found)));
            }
        };
        if lead.marked {
            let marks = names[0].len() - lead::unmarked(&names[0]).len();
            names[0].drain(..marks);
        }
        for name in &mut names {
            *name = name.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        if let Some(found) = separators(&names) {
            return Err(wrong(line, found));
        }
        Header::new(line, names, self.label, wanted).map_err(|(column, kind)| error(file, line, column, kind))
    }
}

impl<S: AsRef<str>> CsvColumns<'_, S> {
    /// As [`Csv::read`].
    ///
    /// # Errors
    /// As [`Csv::read`], and where a column is not there.
    pub fn read<T: Float>(&self, path: impl AsRef<Path>) -> Result<Dataset<T>, Error> {
        let path = path.as_ref();
        self.csv.load(&path.display().to_string(), &Source::of(path)?, Some(&self.names()))
    }

    /// As [`Csv::parse`].
    ///
    /// # Errors
    /// As [`Csv::parse`], and where a column is not there.
    pub fn parse<T: Float>(&self, file: &str, text: &str) -> Result<Dataset<T>, Error> {
        self.csv.load(file, &Source::Held(text.as_bytes()), Some(&self.names()))
    }

    fn names(&self) -> Vec<&str> {
        self.names.iter().map(AsRef::as_ref).collect()
    }
}

/// Whether the first record is one of fields separated by this byte, in place of commas.
fn separates(head: &[u8], all: bool, byte: u8, label: &str, names: &[String]) -> bool {
    if names.iter().any(|name| name == label) {
        return false;
    }
    let mut spans = Vec::new();
    let Split::Record { used, .. } = split(head, all, byte, &mut spans) else { return false };
    let Ok(text) = std::str::from_utf8(&head[..used]) else { return false };
    let record = Record::new(1, text, &spans);
    let labelled = (0..record.len()).any(|field| record.text(field) == label);
    record.len() > 1 && (labelled || names.len() <= 1)
}

/// What each column of a file is for.
struct Header {
    line: u32,
    names: Vec<String>,
    label: usize,
    uses: Vec<Use>,
    /// The number of features.
    width: usize,
    /// Whether columns that number the rows are left out.
    guess: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Use {
    Label,
    /// The feature of this place.
    Feature(usize),
    /// A column without a name, which must be empty.
    Empty,
    None,
}

impl Header {
    fn new(line: u32, names: Vec<String>, label: &str, wanted: Option<&[&str]>) -> Result<Self, (Option<usize>, Kind)> {
        let places: Vec<usize> = (0..names.len()).filter(|&column| names[column] == label).collect();
        let [label] = places[..] else {
            return Err((None, Kind::LabelColumn { expected: label.to_owned(), count: places.len(), header: names }));
        };
        if let Some(column) = names.iter().position(|name| name.contains(char::is_control)) {
            let name = names[column].clone();
            return Err((Some(column), Kind::Control { name: name.clone(), found: name }));
        }
        let mut sorted: Vec<usize> = (0..names.len()).filter(|&column| !names[column].is_empty()).collect();
        sorted.sort_by(|&a, &b| names[a].cmp(&names[b]));
        let twice = sorted.windows(2).filter(|pair| names[pair[0]] == names[pair[1]]).map(|pair| pair[1]).min();
        if let Some(column) = twice {
            return Err((Some(column), Kind::NameTwice { name: names[column].clone() }));
        }
        if names.len() == 1 {
            return Err((None, Kind::NoFeatures));
        }
        let (mut uses, mut width) = (vec![Use::None; names.len()], 0);
        uses[label] = Use::Label;
        let mut set = |column: usize, uses: &mut Vec<Use>| {
            uses[column] = Use::Feature(width);
            width += 1;
        };
        match wanted {
            Some(wanted) => {
                for (place, &name) in wanted.iter().enumerate() {
                    let column =
                        names.iter().position(|known| known == name).filter(|&column| uses[column] == Use::None);
                    let Some(column) = column else {
                        // What stands where it stood.
                        let column = place + usize::from(place >= label);
                        let found = names.get(column).cloned();
                        let at = found.is_some().then_some(column);
                        return Err((at, Kind::ColumnName { expected: name.to_owned(), found }));
                    };
                    set(column, &mut uses);
                }
            }
            None => {
                for column in (0..names.len()).filter(|&column| column != label) {
                    if column > 0 && names[column].is_empty() {
                        uses[column] = Use::Empty;
                    } else {
                        set(column, &mut uses);
                    }
                }
            }
        }
        Ok(Self { line, names, label, uses, width, guess: wanted.is_none() })
    }

    /// Reads a row: its features, and its label.
    fn row<T: Float>(
        &self,
        file: &str,
        record: Record<'_>,
        row: &mut [T],
        labels: &mut Labels<'_>,
    ) -> Result<(), Error> {
        let (expected, found) = (self.uses.len(), record.len());
        if found != expected {
            // The first field that is missing, or too many.
            return Err(error(file, record.line, Some(found.min(expected)), Kind::Ragged { expected, found }));
        }
        let mut label = None;
        for (column, &what) in self.uses.iter().enumerate() {
            let at = |kind| error(file, record.line_of(column), Some(column), kind);
            match what {
                Use::Feature(place) => {
                    // Nearly all numbers stand there as they are.
                    row[place] = match number::number_as::<T>(record.bytes(column)) {
                        Some(number) if number.is_finite() => number,
                        Some(_) | None => feature(&self.names[column], &record.text(column)).map_err(at)?,
                    };
                }
                Use::Label => label = Some(column),
                Use::Empty if !record.bytes(column).is_empty() => {
                    return Err(error(file, self.line, Some(column), Kind::Nameless));
                }
                Use::Empty | Use::None => (),
            }
        }
        let column = label.unwrap_or(self.label);
        let line = record.line_of(column);
        labels.push(&record.text(column), line).map_err(|kind| error(file, line, Some(column), kind))
    }

    /// Reads rows as far as they are plain, with labels that are known already; all else, and each mistake, is left to the records.
    fn plain_rows<T: Float>(
        &self,
        records: &mut Records<'_>,
        row: &mut [T],
        features: &mut Vec<T>,
        labels: &mut Labels<'_>,
    ) {
        let Some((bytes, _)) = records.ahead() else { return };
        let (delimiter, count) = (records.delimiter, self.uses.len());
        let (mut start, mut rows) = (0, 0);
        'rows: loop {
            let (mut at, mut label) = (start, None);
            for (place, &what) in self.uses.iter().enumerate() {
                let read = match what {
                    Use::Feature(place) => match number::short(bytes, at, b'.') {
                        // In f32 a quotient of f64 would be rounded twice.
                        Some(short) if T::NAME == "f64" => {
                            row[place] = T::of(short.value);
                            Some(short.end)
                        }
                        Some(_) | None => plain::number(bytes, at, b'.').map(|number| {
                            row[place] = number.decimal.nearest_as(number.text);
                            number.end
                        }),
                    },
                    Use::Label => plain::word(bytes, at, delimiter).map(|(word, end)| {
                        label = Some(word);
                        end
                    }),
                    Use::None => plain::word(bytes, at, delimiter)
                        .and_then(|(word, end)| std::str::from_utf8(word).is_ok().then_some(end)),
                    Use::Empty => None,
                };
                let next = read.and_then(|end| plain::behind(bytes, end, delimiter, place + 1 == count));
                let Some(next) = next else { break 'rows };
                at = next;
            }
            if !label.is_some_and(|label| labels.push_known(label)) {
                break;
            }
            if features.capacity() - features.len() < row.len() && labels.len() >= KNOWN {
                // What is expected may be wrong by much: it is asked for, and not needed.
                let more = records.rows_to_come(labels.len(), start).saturating_mul(row.len());
                let _ = features.try_reserve_exact(more);
            }
            grow(features, row.len());
            features.extend_from_slice(row);
            (start, rows) = (at, rows + 1);
        }
        records.pass(start, rows);
    }

    /// Takes the columns that number the rows out of features of all rows, and tells how many are left.
    fn without_index<T: Float>(&self, file: &str, features: &mut Vec<T>) -> Result<usize, Error> {
        let mut kept = vec![true; self.width];
        for (column, &what) in self.uses.iter().enumerate() {
            let (name, Use::Feature(place)) = (&self.names[column], what) else { continue };
            if !self.guess || naming(name, column) == Naming::Plain {
                continue;
            }
            let numbers = features.iter().skip(place).step_by(self.width).map(|number| number.to_f64());
            if index(name, column, numbers).is_some() {
                kept[place] = false;
            } else if name.is_empty() {
                return Err(error(file, self.line, Some(column), Kind::Nameless));
            }
        }
        let width = kept.iter().filter(|&&kept| kept).count();
        if width == 0 {
            return Err(error(file, self.line, None, Kind::NoFeatures));
        }
        if width < self.width {
            let mut place = 0;
            features.retain(|_| {
                place = if place == self.width { 1 } else { place + 1 };
                kept[place - 1]
            });
        }
        Ok(width)
    }
}

/// A feature that does not stand there as a plain number.
fn feature<T: Float>(name: &str, text: &str) -> Result<T, Kind> {
    let (name, found) = (name.to_owned(), text.to_owned());
    match number::number_as::<T>(text.as_bytes()) {
        Some(number) if number.is_finite() => Ok(number),
        None if !number::not_finite(text) => Err(Kind::NotANumber { name, found }),
        Some(_) | None => Err(Kind::NotFinite { name, found, number: T::NAME }),
    }
}

/// Of so many rows the length of the others is guessed.
const KNOWN: usize = 1024;

/// Makes room for some more, by half of what there is: the room that is left free is paid for in memory.
fn grow<T>(numbers: &mut Vec<T>, more: usize) {
    if numbers.capacity() - numbers.len() < more {
        numbers.reserve_exact(more.max(numbers.len() / 2).max(1024));
    }
}

#[cfg(test)]
mod tests;
