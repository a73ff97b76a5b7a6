//! Rows of a text that comes bit by bit, and may go on for ever.

use super::columns::Reader;
use super::reading::Reading;
use super::records::{Records, Split, split};
use super::source::{decoded, line_length};
use super::{Encoding, guess, lead};
use crate::data::Table;
use crate::error::Error;
use std::io::Read;

/// A row is of so many bytes at most.
const LONGEST: usize = 1 << 26;

/// Tables of rows as they come, one after another: each of those that are there without waiting, one at least. An error is the last.
///
/// ```
/// use nn::data::Reading;
/// # fn main() -> Result<(), nn::Error> {
/// let coming = &b"x;kind\n1,5;a\n2,5;b\n"[..]; // standard input, a socket, …
/// let mut rows = Reading::default().rows("standard input", coming)?;
/// assert_eq!(rows.names(), ["x", "kind"]);
/// let table = rows.next().unwrap()?;
/// assert_eq!((table.len(), table.place(1, "kind")), (2, ("standard input", 3, 2)));
/// assert!(rows.next().is_none());
/// # Ok(())
/// # }
/// ```
pub struct Rows<'a> {
    file: &'a str,
    reading: Reading,
    records: Records<'a>,
    line: u32,
    names: Vec<String>,
    notes: Vec<String>,
    /// Whether a table has come.
    begun: bool,
    ended: bool,
}

impl Reading {
    /// Rows as they come from a source, which errors call `file`. What is not said of how it is written is found out by what comes first,
    /// the header and a row at least.
    ///
    /// # Errors
    /// Where the source cannot be read, or does not begin as a table.
    pub fn rows<'a>(&self, file: &'a str, from: impl Read + 'a) -> Result<Rows<'a>, Error> {
        let mut notes = Vec::new();
        let mut records = Records::coming(file, Box::new(from), self.encoding, LONGEST)?;
        let layout = self.layout(file, &mut records, &mut notes)?;
        let (line, names) = (layout.line, layout.names);
        Ok(Rows { file, reading: self.clone(), records, line, names, notes, begun: false, ended: false })
    }
}

impl Rows<'_> {
    /// The names of the columns.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// What was guessed of how it is written, a sentence each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    fn table(&mut self) -> Result<Table, Error> {
        let mut reader = Reader::of_text(self.file, &self.reading, self.line, self.names.clone());
        let mut notes = Vec::new();
        reader.read_ready(&mut self.records, &mut notes)?;
        // What one row tells of the mark before a fraction holds for those to come.
        let comma = reader.comma();
        let table = reader.finish(notes)?;
        self.reading.decimal_comma = self.reading.decimal_comma.or(comma);
        Ok(table)
    }
}

impl Iterator for Rows<'_> {
    type Item = Result<Table, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ended || (self.begun && self.records.is_ready() && self.records.is_done()) {
            return None;
        }
        let table = self.table();
        // Waiting for a row has met the end, and nothing came before it.
        let over = self.begun && table.as_ref().is_err_and(|error| matches!(error.kind, crate::error::Kind::NoRows));
        self.begun = true;
        self.ended = table.is_err();
        (!over).then_some(table)
    }
}

impl<'a> Records<'a> {
    /// Begins to read what comes bit by bit, as soon as two records are there. A record is of so many bytes at most.
    pub(super) fn coming(
        file: &'a str,
        source: Box<dyn Read + 'a>,
        encoding: Option<Encoding>,
        longest: usize,
    ) -> Result<Self, Error> {
        let mut records = Self::of(file, decoded(source, encoding), b',', longest);
        loop {
            records.more()?;
            records.start_text()?;
            if records.all || two_records(&records.buffer[records.start..records.end]) {
                return Ok(records);
            }
        }
    }

    /// Whether the next record, a mistake, or the end is there without any more being read.
    pub(super) fn is_ready(&mut self) -> bool {
        loop {
            let bytes = &self.buffer[self.start..self.end];
            if self.comment.is_some() && bytes.first() == self.comment.as_ref() {
                let Some(used) = line_length(bytes, self.all) else { return false };
                self.skip(used);
                continue;
            }
            match split(bytes, self.all, self.delimiter, &mut self.spans) {
                Split::Blank { used } => {
                    self.start += used;
                    self.line = self.line.saturating_add(1);
                }
                Split::Begin => return false,
                Split::Record { .. } | Split::Wrong { .. } | Split::End => return true,
            }
        }
    }

    /// Whether the end is there.
    pub(super) fn is_done(&mut self) -> bool {
        self.all && self.is_ready() && self.start == self.end
    }
}

/// Whether two records, remarks aside, are there as a whole, whatever separates their fields.
fn two_records(head: &[u8]) -> bool {
    let start = lead::remarks(head, false).last().copied().unwrap_or(0);
    guess::sample(&head[start..], false, b',', None).0.len() >= 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    /// Gives what it holds in pieces.
    struct Pieces<'a>(Vec<&'a [u8]>);

    impl Read for Pieces<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let piece = self.0.remove(0);
            to[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    fn text(tables: &[Table]) -> String {
        let mut all = Vec::new();
        for table in tables {
            table.write_csv(&mut all).unwrap();
        }
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn rows_come_as_soon_as_they_are_whole() {
        let pieces: Vec<&[u8]> = vec![b"# made\nx,no", b"te\n1.5,\"a", b"\nb\"\n", b"\n2.", b"5,c\n,d\n3", b".5,e"];
        let mut rows = Reading::default().rows("in", Pieces(pieces)).unwrap();
        let tables: Vec<Table> = rows.by_ref().collect::<Result<_, _>>().unwrap();
        assert_eq!(text(&tables), "x,note\n1.5,\"a\nb\"\nx,note\n2.5,c\n,d\nx,note\n3.5,e\n");
        let places: Vec<u32> = tables.iter().map(|table| table.place(0, "x").1).collect();
        assert_eq!(places, [3, 6, 8]);
        assert!(rows.next().is_none());
    }

    #[test]
    fn what_was_told_of_numbers_holds_for_later_rows() {
        let pieces: Vec<&[u8]> = vec![b"x;y\n1,5;2\n", b"1,234;3\n"];
        let tables: Vec<Table> =
            Reading::default().rows("in", Pieces(pieces)).unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(text(&tables[1..]), "x,y\n1.234,3\n");
    }

    #[test]
    fn mistakes_name_their_line_and_end_it() {
        let pieces: Vec<&[u8]> = vec![b"x,y\n1,2\n", b"3,4\n5,6,7\n", b"8,9\n"];
        let mut rows = Reading::default().rows("in", Pieces(pieces)).unwrap();
        assert!(rows.next().unwrap().is_ok());
        let error = rows.next().unwrap().unwrap_err().to_string();
        assert!(error.starts_with("in, line 4"), "{error}");
        assert!(rows.next().is_none());
        let none = Reading::default().rows("in", &b"x,y\n"[..]).unwrap().next().unwrap().unwrap_err();
        assert!(none.to_string().contains("expected rows below the header"), "{none}");
        assert!(Reading::default().rows("in", &b""[..]).is_err());
    }

    #[test]
    fn a_row_without_end_and_bytes_that_are_no_text_are_mistakes() {
        let endless = (&b"x,y\n1,2\n\""[..]).chain(io::repeat(b'a'));
        let mut rows = Reading::default().rows("in", endless).unwrap();
        let error = rows.by_ref().find_map(Result::err).unwrap().to_string();
        assert!(error.contains("is a quote not closed?"), "{error}");
        assert!(Reading::default().rows("in", io::repeat(0)).is_err());
    }
}
