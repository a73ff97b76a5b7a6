//! The records of a text: fields between delimiters, lines between line ends, quotes as RFC 4180 has them.
//!
//! What is more than the RFC: a line ends by `\n`, `\r\n` or `\r`; blanks around a field or its quotes do not count; empty
//! lines are none; a quote within a field that does not begin with one is a character like others. What is not allowed:
//! a quote that is never closed, and text after a closing quote.

use super::Encoding;
use super::source::{Source, at_file, breaks, line_length, text_start};
use crate::error::{Error, Kind};
use std::borrow::Cow;
use std::io::{self, Read};

/// How much is read at once at first, of which is guessed how the text is written.
pub(super) const CHUNK: usize = 1 << 18;

/// A field's bytes, without blanks around it and without its quotes.
#[derive(Clone, Copy)]
pub(super) struct Span {
    start: usize,
    end: usize,
    /// Whether quotes in it are doubled.
    doubled: bool,
}

/// What stands at the begin of some bytes.
pub(super) enum Split {
    /// A record; how many bytes it takes, with its line end, and how many line ends there are in them.
    Record { used: usize, lines: u32 },
    /// A line with nothing in it, of so many bytes.
    Blank { used: usize },
    /// A begin of a record: more bytes are needed.
    Begin,
    /// Nothing.
    End,
    /// A mistake, at a byte in this field, from 0.
    Wrong { at: usize, field: usize, kind: Kind },
}

/// Where the fields of the first record of these bytes are. `all`: whether these are all bytes that there are.
pub(super) fn split(bytes: &[u8], all: bool, delimiter: u8, spans: &mut Vec<Span>) -> Split {
    spans.clear();
    let blanks = delimiter == b' '; // any number of them separates
    let blank = |byte: u8| byte == b' ' || (byte == b'\t' && delimiter != b'\t');
    let ends = |byte: u8| byte == delimiter || byte == b'\n' || byte == b'\r' || (blanks && byte == b'\t');
    // Of most bytes one comparison tells that they end nothing: those that do are few and small, but for some separators.
    let largest = delimiter.max(b'\r');
    if bytes.is_empty() && all {
        return Split::End;
    }
    let (mut i, mut quotes) = (0, false);
    loop {
        while bytes.get(i).copied().is_some_and(blank) {
            i += 1;
        }
        let start = i;
        if bytes.get(i) == Some(&b'"') {
            quotes = true;
            let doubled = match closing(bytes, i + 1, all) {
                Closing::At { quote, doubled } => {
                    i = quote + 1;
                    doubled
                }
                Closing::Begin => return Split::Begin,
                Closing::Never => return Split::Wrong { at: start, field: spans.len(), kind: Kind::UnclosedQuote },
            };
            spans.push(Span { start: start + 1, end: i - 1, doubled });
            let closed = i;
            while bytes.get(i).copied().is_some_and(blank) {
                i += 1;
            }
            if bytes.get(i).is_some_and(|&byte| !ends(byte)) && !(blanks && i > closed) {
                let rest = &bytes[i..bytes.len().min(i + 40)];
                let rest = &rest[..rest.iter().position(|&byte| ends(byte)).unwrap_or(rest.len())];
                let kind = Kind::AfterQuote { found: String::from_utf8_lossy(rest).into_owned() };
                return Split::Wrong { at: i, field: spans.len() - 1, kind };
            }
            if blanks && i > closed && i < bytes.len() {
                i -= 1; // the blank that separates
            }
        } else {
            let rest = &bytes[i..];
            i += rest.iter().position(|&byte| byte <= largest && ends(byte)).unwrap_or(rest.len());
            let mut end = i;
            while end > start && blank(bytes[end - 1]) {
                end -= 1;
            }
            // Blanks at the end of a line separate nothing.
            if !(blanks && end == start && !spans.is_empty()) {
                spans.push(Span { start, end, doubled: false });
            }
        }
        let Some(&byte) = bytes.get(i) else {
            if !all {
                return Split::Begin;
            }
            return line(bytes, i, quotes, spans);
        };
        i += 1;
        match byte {
            b'\n' => return line(bytes, i, quotes, spans),
            b'\r' => {
                match bytes.get(i) {
                    None if !all => return Split::Begin,
                    Some(b'\n') => i += 1,
                    None | Some(_) => (),
                }
                return line(bytes, i, quotes, spans);
            }
            _ => (),
        }
    }
}

/// A line of so many bytes, whose fields are known.
fn line(bytes: &[u8], used: usize, quotes: bool, spans: &[Span]) -> Split {
    match spans {
        [one] if one.start == one.end && !quotes => Split::Blank { used },
        _ if quotes => Split::Record { used, lines: breaks(&bytes[..used]) },
        _ => Split::Record { used, lines: 1 },
    }
}

enum Closing {
    At { quote: usize, doubled: bool },
    Begin,
    Never,
}

/// The quote that closes a field of which the text begins here.
fn closing(bytes: &[u8], mut i: usize, all: bool) -> Closing {
    let mut doubled = false;
    loop {
        let Some(quote) = bytes[i..].iter().position(|&byte| byte == b'"').map(|at| i + at) else {
            return if all { Closing::Never } else { Closing::Begin };
        };
        match bytes.get(quote + 1) {
            Some(b'"') => doubled = true,
            None if !all => return Closing::Begin,
            None | Some(_) => return Closing::At { quote, doubled },
        }
        i = quote + 2;
    }
}

/// A record, as it stands in its file.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    /// The line that it begins on, from 1.
    pub(super) line: u32,
    /// Whether it goes over several lines, by quotes.
    pub(super) several: bool,
    text: &'a str,
    spans: &'a [Span],
}

impl<'a> Record<'a> {
    pub(super) fn new(line: u32, text: &'a str, spans: &'a [Span]) -> Self {
        Self { line, several: true, text, spans }
    }

    /// The number of fields.
    pub(super) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether every field is empty.
    pub(super) fn hollow(&self) -> bool {
        self.spans.iter().all(|span| span.start == span.end)
    }

    /// The bytes of a field, quotes in it still doubled.
    #[inline]
    pub(super) fn bytes(&self, field: usize) -> &'a [u8] {
        let span = self.spans[field];
        &self.text.as_bytes()[span.start..span.end]
    }

    /// The text of a field, without blanks around it.
    #[inline]
    pub(super) fn text(&self, field: usize) -> Cow<'a, str> {
        let Span { start, end, doubled } = self.spans[field];
        let text = self.text[start..end].trim();
        if doubled { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) }
    }

    /// The texts of all fields.
    pub(super) fn texts(&self) -> Vec<String> {
        (0..self.len()).map(|field| self.text(field).into_owned()).collect()
    }

    /// The line on which a field begins.
    pub(super) fn line_of(&self, field: usize) -> u32 {
        let start = self.spans.get(field).map_or(0, |span| span.start);
        self.line.saturating_add(breaks(&self.text.as_bytes()[..start]))
    }
}

/// The records of a source, one after another, in memory of a chunk.
pub(super) struct Records<'a> {
    file: &'a str,
    source: Box<dyn Read + 'a>,
    pub(super) buffer: Vec<u8>,
    /// What of the buffer is read from the source and not yet given out.
    pub(super) start: usize,
    pub(super) end: usize,
    /// Whether there is no more.
    pub(super) all: bool,
    /// The line at the start.
    pub(super) line: u32,
    pub(super) delimiter: u8,
    /// Lines that begin with this byte are left out.
    pub(super) comment: Option<u8>,
    /// Of how many bytes a record is at most.
    longest: usize,
    /// How much is read at once.
    pub(super) block: usize,
    /// Of how many bytes the whole source is, where that is known, and how many of them were given out before the buffer.
    size: Option<u64>,
    given: u64,
    pub(super) spans: Vec<Span>,
}

impl<'a> Records<'a> {
    /// Begins to read a source, which errors call `file`.
    pub(super) fn open(
        file: &'a str,
        source: &'a Source<'_>,
        delimiter: u8,
        encoding: Option<Encoding>,
    ) -> Result<Self, Error> {
        let size = source.size().filter(|_| matches!(encoding, None | Some(Encoding::Utf8)));
        let source = source.open(encoding).map_err(|error| at_file(file, Kind::Unreadable(error)))?;
        let mut records = Self::of(file, source, delimiter, usize::MAX);
        records.size = size;
        while (records.end < CHUNK || !records.begun()) && !records.all {
            records.more()?;
        }
        records.start_text()?;
        Ok(records)
    }

    pub(super) fn of(file: &'a str, source: Box<dyn Read + 'a>, delimiter: u8, longest: usize) -> Self {
        let (buffer, spans) = (Vec::new(), Vec::new());
        let (start, end, all, line, comment) = (0, 0, false, 1, None);
        let (size, given) = (None, 0);
        Self {
            file,
            source,
            buffer,
            start,
            end,
            all,
            line,
            delimiter,
            comment,
            longest,
            block: CHUNK,
            size,
            given,
            spans,
        }
    }

    /// The text begins behind the mark of its encoding.
    pub(super) fn start_text(&mut self) -> Result<(), Error> {
        if self.start == 0 {
            self.start = text_start(&self.buffer[..self.end]).map_err(|kind| self.error(1, None, kind))?;
        }
        Ok(())
    }

    /// Whether some whole lines are there, of which a guess can be made; lines beyond all measure are not waited for.
    fn begun(&self) -> bool {
        let ends = self.buffer[..self.end].iter().filter(|&&byte| matches!(byte, b'\n' | b'\r'));
        self.end >= 64 * CHUNK || ends.take(8).count() == 8
    }

    /// The first bytes, before any record was read, and whether these are all.
    pub(super) fn head(&self) -> (&[u8], bool) {
        (&self.buffer[self.start..self.end], self.all)
    }

    /// Leaves out so many bytes of the head, which are whole lines.
    pub(super) fn skip(&mut self, bytes: usize) {
        self.line = self.line.saturating_add(breaks(&self.buffer[self.start..self.start + bytes]));
        self.start += bytes;
    }

    /// The bytes that are read and not yet given out, and their line; none where lines may be left out, or blanks separate.
    pub(super) fn ahead(&self) -> Option<(&[u8], u32)> {
        let plain = self.comment.is_none() && self.delimiter > b' ';
        plain.then(|| (&self.buffer[self.start..self.end], self.line))
    }

    /// How many bytes stand before those that are not given out yet.
    pub(super) fn passed(&self) -> u64 {
        self.given + self.start as u64
    }

    /// Leaves out so many bytes, which are so many lines.
    pub(super) fn pass(&mut self, bytes: usize, lines: usize) {
        self.start += bytes;
        self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
    }

    /// An error in a line, at a field from 0.
    pub(super) fn error(&self, line: u32, field: Option<usize>, kind: Kind) -> Error {
        error(self.file, line, field, kind)
    }

    /// How many more rows are to be expected, where so many take the bytes up to so many behind the start.
    pub(super) fn rows_to_come(&self, rows: usize, bytes: usize) -> usize {
        let passed = self.passed() + bytes as u64;
        let rest = self.size.map_or(0, |size| size.saturating_sub(passed));
        // A few more: rows are not all of one length.
        let rows = u128::from(rest) * rows as u128 * 33 / (32 * u128::from(passed.max(1)));
        usize::try_from(rows).unwrap_or(0)
    }

    /// The next record.
    pub(super) fn next(&mut self) -> Result<Option<Record<'_>>, Error> {
        loop {
            let bytes = &self.buffer[self.start..self.end];
            if self.comment.is_some() && bytes.first() == self.comment.as_ref() {
                if let Some(used) = line_length(bytes, self.all) {
                    self.skip(used);
                } else {
                    self.more()?;
                }
                continue;
            }
            match split(bytes, self.all, self.delimiter, &mut self.spans) {
                Split::Record { used, lines } => {
                    let (start, line) = (self.start, self.line);
                    self.start += used;
                    self.line = line.saturating_add(lines);
                    let bytes = &self.buffer[start..start + used];
                    return match std::str::from_utf8(bytes) {
                        Ok(text) => Ok(Some(Record { line, several: lines > 1, text, spans: &self.spans })),
                        Err(wrong) => {
                            let line = line.saturating_add(breaks(&bytes[..wrong.valid_up_to()]));
                            Err(self.error(line, None, Kind::Encoding))
                        }
                    };
                }
                Split::Blank { used } => {
                    self.start += used;
                    self.line = self.line.saturating_add(1);
                }
                Split::Begin => self.more()?,
                Split::End => return Ok(None),
                Split::Wrong { at, field, kind } => {
                    let line = self.line.saturating_add(breaks(&bytes[..at]));
                    return Err(self.error(line, Some(field), kind));
                }
            }
        }
    }

    pub(super) fn more(&mut self) -> Result<(), Error> {
        if self.end - self.start >= self.longest {
            let text =
                format!("expected a row of less than {} MB, found no end: is a quote not closed?", self.longest >> 20);
            return Err(self.error(self.line, None, Kind::Data(text)));
        }
        self.fill().map_err(|error| at_file(self.file, Kind::Unreadable(error)))
    }

    /// Reads some more, into twice the room where what is there does not end.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.copy_within(self.start..self.end, 0);
        self.given += self.start as u64;
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < self.end + self.block / 2 {
            self.buffer.resize((2 * self.end).max(self.block), 0);
        }
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => self.all = true,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            return Ok(());
        }
    }
}

/// An error in a line of a file, at a field from 0.
pub(super) fn error(file: &str, line: u32, field: Option<usize>, kind: Kind) -> Error {
    Error { file: file.to_owned(), line: Some(line), column: field.map(|field| field as u32 + 1), kind }
}
