//! What can be wrong with data from outside.

use crate::fault::Fault;
use std::fmt;
use std::path::Path;

/// What is wrong with a data file, and where.
///
/// ```
/// use nn::data::Csv;
/// let error = Csv::new("kind").parse::<f64>("pets.csv", "weight,kind\n4.1,cat\n4l,cat\n").unwrap_err();
/// assert_eq!(error.to_string(), "pets.csv, line 3, column 1: expected a number for `weight`, found `4l`");
/// assert_eq!((error.line, error.column), (Some(3), Some(1)));
/// ```
#[derive(Debug)]
pub struct Error {
    /// The file, as the caller named it; empty where the data are in no file.
    pub file: String,
    /// The line of the file, from 1.
    pub line: Option<u32>,
    /// The field of the record, from 1.
    pub column: Option<u32>,
    /// What was expected, and what was found.
    pub kind: Kind,
}

/// The kinds of mistake in a data file.
#[derive(Debug)]
#[non_exhaustive]
pub enum Kind {
    /// The file could not be read.
    Unreadable(std::io::Error),
    /// A file of numbers (safetensors, npy, npz, IDX, a checkpoint, a model) is not as expected.
    Stored(Fault),
    /// The file holds bytes that are no text.
    Encoding,
    /// There is no header.
    Empty,
    /// There is a header, but nothing below it.
    NoRows,
    /// The header does not name the column of labels once.
    LabelColumn {
        /// The column asked for.
        expected: String,
        /// How many columns have this name.
        count: usize,
        /// The columns that are there.
        header: Vec<String>,
    },
    /// There is no column beside the labels.
    NoFeatures,
    /// A row has more or fewer fields than the header.
    Ragged {
        /// The number of fields in the header.
        expected: usize,
        /// The number of fields in the row.
        found: usize,
    },
    /// A field is not a number.
    NotANumber {
        /// The column's name.
        name: String,
        /// The field's text.
        found: String,
    },
    /// A field is infinite, NaN, or too large for the number type.
    NotFinite {
        /// The column's name.
        name: String,
        /// The field's text.
        found: String,
        /// The number type, `f32` or `f64`.
        number: &'static str,
    },
    /// The file is no text, but this.
    NotText {
        /// What it is.
        found: &'static str,
    },
    /// A quote is opened and never closed.
    UnclosedQuote,
    /// There is text after a closing quote.
    AfterQuote {
        /// That text.
        found: String,
    },
    /// A name or a label goes over several lines, as one does behind a quote that should not be there.
    LineBreak {
        /// The column's name.
        name: String,
        /// The field's text.
        found: String,
    },
    /// A field holds control characters.
    Control {
        /// The column's name.
        name: String,
        /// The field's text.
        found: String,
    },
    /// A field stands for a missing value where one is needed.
    Missing {
        /// The column's name.
        name: String,
        /// The field's text.
        found: String,
    },
    /// Fields are separated by another character.
    Separator {
        /// The separator that was expected.
        expected: char,
        /// The one that was found.
        found: char,
    },
    /// A column has no name.
    Nameless,
    /// Two columns have one name.
    NameTwice {
        /// The name.
        name: String,
    },
    /// A column that is needed is not there.
    ColumnName {
        /// The name that was expected.
        expected: String,
        /// The name in its place; none where there are fewer columns.
        found: Option<String>,
    },
    /// The list of known classes holds this name twice, or an empty one.
    Class {
        /// The name.
        name: String,
    },
    /// Two labels differ in their spelling and are one to the eye.
    Spelling {
        /// The column's name.
        name: String,
        /// The label that came later, and the one that came first.
        found: Box<[String; 2]>,
        /// In what they differ.
        why: String,
    },
    /// The column of labels holds measured numbers.
    Measured {
        /// The column's name.
        name: String,
        /// How many different numbers there are.
        values: usize,
        /// In how many rows.
        rows: usize,
    },
    /// A number may be meant in two ways.
    Ambiguous {
        /// The column's name.
        name: String,
        /// The field's text.
        found: String,
        /// The two ways, and how one is chosen.
        why: String,
    },
    /// A label is not one of the known classes, or is empty.
    Label {
        /// The column's name.
        name: String,
        /// The field's text.
        found: String,
        /// The known classes; empty where any name would do.
        known: Box<[String]>,
    },
    /// There is no column of a name.
    NoColumn {
        /// The column asked for.
        name: String,
        /// The columns that are there.
        header: Vec<String>,
        /// The one whose name is next to that.
        closest: Option<String>,
    },
    /// A cell is missing, or not what its column holds.
    Cell {
        /// The column's name.
        name: String,
        /// What would fit.
        expected: String,
        /// The cell's text; `None` where it is missing.
        found: Option<String>,
    },
    /// Examples that do not fit together, or cannot be divided as asked: what is wrong.
    Data(String),
    /// A loss was not finite.
    Diverged(Box<crate::train::Diverged>),
    /// A program could not be recorded or run on a batch.
    Program(autograd::ProgramError),
}

impl Error {
    /// What is wrong with a program.
    pub(crate) fn program(error: autograd::ProgramError) -> Self {
        Self::of(Kind::Program(error))
    }

    /// The same of a batch of an epoch, both counted from 1.
    pub(crate) fn in_batch(mut self, epoch: u32, batch: usize) -> Self {
        if let Kind::Diverged(diverged) = &mut self.kind {
            (diverged.epoch, diverged.batch) = (epoch, batch);
        }
        self
    }

    /// What is wrong with data that are in no file.
    pub(crate) fn of(kind: Kind) -> Self {
        Self { file: String::new(), line: None, column: None, kind }
    }
}

impl From<crate::train::Diverged> for Error {
    fn from(diverged: crate::train::Diverged) -> Self {
        Self::of(Kind::Diverged(Box::new(diverged)))
    }
}

impl Error {
    /// What is wrong with a file of numbers.
    pub(crate) fn stored(file: &str, fault: Fault) -> Self {
        Self { file: file.to_owned(), line: None, column: None, kind: Kind::Stored(fault) }
    }

    /// The bytes of a file, or why it cannot be read.
    pub(crate) fn bytes_of(path: &Path) -> Result<Vec<u8>, Self> {
        std::fs::read(path).map_err(|error| Self::unreadable(&path.display().to_string(), error))
    }

    pub(crate) fn unreadable(file: &str, error: std::io::Error) -> Self {
        Self { file: file.to_owned(), line: None, column: None, kind: Kind::Unreadable(error) }
    }
}

impl std::error::Error for Error {}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut place = Vec::new();
        if !self.file.is_empty() {
            place.push(escaped(&self.file));
        }
        // Data that are in no file have rows.
        let line = if self.file.is_empty() { "row" } else { "line" };
        place.extend(self.line.map(|number| format!("{line} {number}")));
        place.extend(self.column.map(|number| format!("column {number}")));
        if !place.is_empty() {
            write!(f, "{}: ", place.join(", "))?;
        }
        write!(f, "{}", self.kind)
    }
}

impl std::error::Error for Kind {}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stored(fault) => fault.fmt(f),
            Self::Unreadable(error) => write!(f, "cannot be read: {error}"),
            Self::Encoding => f.write_str("expected UTF-8 text, found other bytes (of Latin-1 or Windows-1252?)"),
            Self::Empty => f.write_str("expected a header with the names of the columns, found an empty file"),
            Self::NoRows => f.write_str("expected rows below the header, found none"),
            Self::LabelColumn { expected, count, header } => {
                let (times, header) = (times(*count), list(header));
                write!(f, "expected one column `{}`, found {times} in the header: {header}", shown(expected))
            }
            Self::NoFeatures => f.write_str("expected a column of numbers beside the labels, found none"),
            Self::Ragged { expected, found } => {
                write!(f, "expected {expected} fields as in the header, found {found}")
            }
            Self::NotANumber { name, found } => {
                write!(f, "expected a number for `{}`, found `{}`", shown(name), shown(found))
            }
            Self::NotFinite { name, found, number } => {
                write!(f, "expected a finite {number} for `{}`, found `{}`", shown(name), shown(found))
            }
            Self::NotText { found } => write!(f, "expected a table as text in UTF-8, found {found}"),
            Self::UnclosedQuote => f.write_str("expected a quote that is closed, found one that is not"),
            Self::AfterQuote { found } => {
                write!(f, "expected the end of the field after its closing quote, found `{}`", shown(found))
            }
            Self::LineBreak { name, found } => {
                let (name, found) = (shown(name), shown(found));
                write!(f, "expected `{name}` on one line, found a line break in `{found}`: is a quote not closed?")
            }
            Self::Control { name, found } => {
                write!(f, "expected `{}` without control characters, found `{}`", shown(name), shown(found))
            }
            Self::Missing { name, found } => {
                write!(
                    f,
                    "expected a value for `{}`, found `{}`, which stands for a missing one",
                    shown(name),
                    shown(found)
                )
            }
            Self::Separator { expected, found } => {
                let name = |separator: char| match separator {
                    '\t' => "tabs".to_owned(),
                    separator => format!("`{separator}`"),
                };
                write!(
                    f,
                    "expected fields separated by {}, found fields separated by {}",
                    name(*expected),
                    name(*found)
                )
            }
            Self::Nameless => f.write_str("expected a name for each column, found a column without a name"),
            Self::NameTwice { name } => {
                write!(f, "expected a name for each column, found `{}` a second time", shown(name))
            }
            Self::ColumnName { expected, found: Some(found) } => {
                write!(f, "expected the column `{}`, found `{}`", shown(expected), shown(found))
            }
            Self::ColumnName { expected, found: None } => {
                write!(f, "expected the column `{}`, found no column of this name", shown(expected))
            }
            Self::Class { name } if name.is_empty() => {
                f.write_str("expected classes with names, found an empty name, which is no class")
            }
            Self::Class { name } => write!(f, "expected each class once, found `{}` twice among them", shown(name)),
            Self::Spelling { name, found, why } => {
                let (name, [found, other]) = (shown(name), [shown(&found[0]), shown(&found[1])]);
                write!(f, "expected one spelling of each class for `{name}`, found `{found}` and `{other}`: {why}")?;
                f.write_str(" (classes that are meant so can be listed)")
            }
            Self::Measured { name, values, rows } => {
                let name = shown(name);
                write!(
                    f,
                    "expected classes for `{name}`, found measured numbers: {values} different ones in {rows} rows"
                )
            }
            Self::Ambiguous { name, found, why } => {
                write!(f, "expected a number for `{}`, found `{}`, which {why}", shown(name), shown(found))
            }
            Self::Label { name, found, known } => {
                write!(f, "expected a class for `{}`{}, found `{}`", shown(name), among(known), shown(found))
            }
            Self::NoColumn { name, header, closest } => {
                write!(f, "expected a column `{}`, found {}", shown(name), list(header))?;
                closest.as_ref().map_or(Ok(()), |near| write!(f, "; is it `{}`?", shown(near)))
            }
            Self::Cell { name, expected, found } => {
                write!(f, "expected {expected} for `{}`, found ", shown(name))?;
                match found {
                    Some(found) => write!(f, "`{}`", shown(found)),
                    None => f.write_str("a missing cell"),
                }
            }
            Self::Data(text) => f.write_str(text),
            Self::Diverged(diverged) => diverged.fmt(f),
            Self::Program(error) => error.fmt(f),
        }
    }
}

/// Text from outside as messages show it: control and invisible characters escaped, a long one cut.
///
/// ```
/// assert_eq!(nn::shown("red\u{202e}\n"), "red\\u{202e}\\n");
/// assert_eq!(nn::shown(&"x".repeat(100)).chars().count(), 61);
/// ```
pub fn shown(text: &str) -> String {
    cut(text, 60)
}

/// How many, with the words for one and for several: `1 cell is`, `3 cells are`.
pub(crate) fn counted(count: usize, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

/// As [`shown`], with so many characters at most.
pub(crate) fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => escaped(&text[..end]) + "…",
        None => escaped(text),
    }
}

/// Text with control and invisible characters escaped.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        if hidden(c) { escaped.extend(c.escape_debug()) } else { escaped.push(c) }
    }
    escaped
}

/// Whether a character is not seen, or changes how others are.
pub(crate) fn hidden(c: char) -> bool {
    c.is_control() || unseen(c)
}

/// Characters that take no room, or turn the direction of what follows.
pub(crate) fn unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0000}'..='\u{e0fff}')
}

fn times(count: usize) -> String {
    if count == 0 { "none".to_owned() } else { count.to_string() }
}

/// Names as a message lists them; of many the first.
fn list(names: &[String]) -> String {
    const MOST: usize = 30;
    if names.len() > MOST {
        return format!("{} and {} more", list(&names[..MOST]), names.len() - MOST);
    }
    names.iter().map(|name| format!("`{}`", shown(name))).collect::<Vec<_>>().join(", ")
}

fn among(known: &[String]) -> String {
    if known.is_empty() { String::new() } else { format!(" among {}", list(known)) }
}
