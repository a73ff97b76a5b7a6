//! Reading labelled examples from CSV.

mod reading;

pub use reading::Reading;

use crate::data::Dataset;
use crate::error::{Error, Kind};
use autograd::{Float, Tensor};
use csv::{ReaderBuilder, StringRecord, Trim};
use std::path::Path;

/// How a CSV file becomes a [`Dataset`]: a header names the columns, one of them holds the labels as text, all others
/// are numbers. Spaces around fields and empty lines do not count.
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
#[derive(Clone, Copy, Debug)]
pub struct Csv<'a> {
    /// The name of the column of labels.
    pub label: &'a str,
    /// The classes, where they are known. Otherwise they are the names found, sorted, so that they do not depend on the
    /// order of the rows.
    pub classes: Option<&'a [String]>,
}

impl<'a> Csv<'a> {
    /// With labels in the column of this name, and the classes that are found.
    pub fn new(label: &'a str) -> Self {
        Self { label, classes: None }
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Where the file cannot be read, or is not as expected; the error names the file, the line and the column.
    pub fn read<T: Float>(&self, path: impl AsRef<Path>) -> Result<Dataset<T>, Error> {
        let (file, text) = text_of(path.as_ref())?;
        self.parse(&file, &text)
    }

    /// Reads text; errors call it `file`.
    ///
    /// # Errors
    /// Where the text is not as expected; the error names the file, the line and the column.
    pub fn parse<T: Float>(&self, file: &str, text: &str) -> Result<Dataset<T>, Error> {
        let error = |line, column, kind| Error { file: file.to_owned(), line, column, kind };
        let mut records = Records::new(text);
        let Some((line, header)) = records.next() else { return Err(error(None, None, Kind::Empty)) };
        let label_column = self.label_column(&header).map_err(|kind| error(Some(line), None, kind))?;
        let (mut features, mut names) = (Vec::new(), Vec::new());
        for (line, record) in records {
            let at = |column: usize, kind| error(Some(line), Some(column as u32 + 1), kind);
            let (expected, found) = (header.len(), record.len());
            if found != expected {
                // The first field that is missing, or too many.
                return Err(at(found.min(expected), Kind::Ragged { expected, found }));
            }
            for (column, (name, field)) in header.iter().zip(&record).enumerate() {
                if column == label_column {
                    names.push(self.class(name, field).map_err(|kind| at(column, kind))?);
                } else {
                    features.push(number::<T>(name, field).map_err(|kind| at(column, kind))?);
                }
            }
        }
        if names.is_empty() {
            return Err(error(None, None, Kind::NoRows));
        }
        let classes = self.classes.map_or_else(|| distinct(&names), <[String]>::to_vec);
        let label = |name: &String| classes.iter().position(|class| class == name).expect("each name is a class");
        let labels = names.iter().map(label).collect();
        Ok(Dataset::new(Tensor::new([names.len(), header.len() - 1], features), labels, classes))
    }

    fn label_column(&self, header: &StringRecord) -> Result<usize, Kind> {
        let mut columns = header.iter().enumerate().filter(|(_, name)| *name == self.label);
        match (columns.next(), columns.count()) {
            (Some(_), 0) if header.len() == 1 => Err(Kind::NoFeatures),
            (Some((column, _)), 0) => Ok(column),
            (first, others) => Err(Kind::LabelColumn {
                expected: self.label.to_owned(),
                count: others + usize::from(first.is_some()),
                header: header.iter().map(str::to_owned).collect(),
            }),
        }
    }

    fn class(&self, name: &str, field: &str) -> Result<String, Kind> {
        let known = self.classes.unwrap_or_default();
        if field.is_empty() || (self.classes.is_some() && !known.iter().any(|class| class == field)) {
            return Err(Kind::Label { name: name.to_owned(), found: field.to_owned(), known: known.into() });
        }
        Ok(field.to_owned())
    }
}

/// A file's name for errors, and its text.
fn text_of(path: &Path) -> Result<(String, String), Error> {
    let file = path.display().to_string();
    let error = |line, kind| Error { file: file.clone(), line, column: None, kind };
    let bytes = std::fs::read(path).map_err(|io| error(None, Kind::Unreadable(io)))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok((file, text)),
        Err(utf8) => {
            let line = line_of(utf8.as_bytes(), utf8.utf8_error().valid_up_to());
            Err(error(Some(line), Kind::Encoding))
        }
    }
}

fn number<T: Float>(name: &str, field: &str) -> Result<T, Kind> {
    let (name, found) = (name.to_owned(), field.to_owned());
    match field.parse().map(T::of) {
        Ok(number) if number.is_finite() => Ok(number),
        Ok(_) => Err(Kind::NotFinite { name, found, number: T::NAME }),
        Err(_) => Err(Kind::NotANumber { name, found }),
    }
}

fn distinct(names: &[String]) -> Vec<String> {
    let mut classes = names.to_vec();
    classes.sort_unstable();
    classes.dedup();
    classes
}

/// The records of a text, each with the line that it starts on.
struct Records<'a> {
    text: &'a str,
    reader: csv::Reader<&'a [u8]>,
}

impl<'a> Records<'a> {
    fn new(text: &'a str) -> Self {
        let reader =
            ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(text.as_bytes());
        Self { text, reader }
    }
}

impl Iterator for Records<'_> {
    type Item = (u32, StringRecord);

    fn next(&mut self) -> Option<(u32, StringRecord)> {
        let start = self.reader.position().byte() as usize;
        let mut record = StringRecord::new();
        let more = self.reader.read_record(&mut record).expect("text in memory of any number of fields is valid CSV");
        // The reader counts the empty lines before a record to the record.
        let blank = self.text[start..].bytes().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        more.then(|| (line_of(self.text.as_bytes(), start + blank), record))
    }
}

/// The line of a byte, from 1.
fn line_of(text: &[u8], byte: usize) -> u32 {
    text[..byte].split(|&byte| byte == b'\n').count() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::IRIS_CSV;

    fn message(text: &str) -> String {
        Csv::new("kind").parse::<f32>("a.csv", text).unwrap_err().to_string()
    }

    #[test]
    fn iris_is_complete() {
        let iris: Dataset = Csv::new("species").parse("iris.csv", IRIS_CSV).unwrap();
        assert_eq!((iris.len(), iris.width()), (150, 4));
        assert_eq!(iris.classes(), ["setosa", "versicolor", "virginica"]);
        assert_eq!(iris.select(&[149]).features().as_slice(), [5.9, 3.0, 5.1, 1.8]);
        for class in 0..3 {
            assert_eq!(iris.labels().iter().filter(|&&label| label == class).count(), 50);
        }
    }

    #[test]
    fn the_label_may_stand_in_any_column_and_classes_are_sorted() {
        let data: Dataset = Csv::new("kind").parse("", "x,kind,y\n1, b ,2\n\n3,a,4").unwrap();
        assert_eq!(data.features(), &Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]));
        assert_eq!((data.labels(), data.classes()), (&[1, 0][..], &["a".to_owned(), "b".to_owned()][..]));
    }

    #[test]
    fn errors_name_line_and_column_and_what_came() {
        let rows = [
            ("", "a.csv: expected a header with the names of the columns, found an empty file"),
            ("\n\n", "a.csv: expected a header with the names of the columns, found an empty file"),
            ("x,kind\n", "a.csv: expected rows below the header, found none"),
            ("x,y\n1,a\n", "a.csv, line 1: expected one column `kind`, found none in the header: `x`, `y`"),
            ("kind,x,kind\n", "a.csv, line 1: expected one column `kind`, found 2 in the header: `kind`, `x`, `kind`"),
            ("kind\na\n", "a.csv, line 1: expected a column of numbers beside the labels, found none"),
            ("x,kind\n1,a\n2\n", "a.csv, line 3, column 2: expected 2 fields as in the header, found 1"),
            ("x,kind\n1,a,\n", "a.csv, line 2, column 3: expected 2 fields as in the header, found 3"),
            ("x,kind\n1,a\n1.2.3,b\n", "a.csv, line 3, column 1: expected a number for `x`, found `1.2.3`"),
            ("x,kind\n,a\n", "a.csv, line 2, column 1: expected a number for `x`, found ``"),
            ("kind,x\na,NaN\n", "a.csv, line 2, column 2: expected a finite f32 for `x`, found `NaN`"),
            ("kind,x\na,-inf\n", "a.csv, line 2, column 2: expected a finite f32 for `x`, found `-inf`"),
            ("kind,x\na,1e39\n", "a.csv, line 2, column 2: expected a finite f32 for `x`, found `1e39`"),
            ("x,kind\n1,\n", "a.csv, line 2, column 2: expected a class for `kind`, found ``"),
        ];
        for (text, want) in rows {
            assert_eq!(message(text), want, "{text:?}");
        }
    }

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        for (text, line) in [
            ("x,kind\n1,a\n\n\nz,b\n", 5),
            ("\n\nx,kind\n1,a\nz,b\n", 5),
            ("x,kind\r\n1,a\r\nz,b\r\n", 3),
            ("x,kind\r\n1,a\r\n\r\nz,b\r\n", 4),
            ("x,kind\n1,\"a\nb\"\nz,b", 4),
            ("\u{feff}x,kind\n1,a\nz,b", 3),
        ] {
            assert!(
                message(text).starts_with(&format!("a.csv, line {line}, column 1: ")),
                "{text:?}: {}",
                message(text)
            );
        }
    }

    #[test]
    fn files_that_cannot_be_read_are_named() {
        let error = Csv::new("kind").read::<f64>("no/such/file.csv").unwrap_err();
        assert!(error.to_string().starts_with("no/such/file.csv: cannot be read: "), "{error}");
    }

    #[test]
    fn files_that_are_not_text_are_an_error_with_a_line() {
        let path = std::env::temp_dir().join(format!("nn-encoding-{}.csv", std::process::id()));
        std::fs::write(&path, b"x,kind\n1,a\n2,\xff\n").unwrap();
        let result = Csv::new("kind").read::<f64>(&path);
        std::fs::remove_file(&path).unwrap();
        let error = result.unwrap_err();
        assert!(matches!(error.kind, Kind::Encoding));
        assert_eq!(error.line, Some(3));
    }
}
