//! How tables come in.

use crate::Failure;
use crate::cli::ReadingFlags;
use nn::data::{Encoding, Reading, Table};
use nn::file::Model;
use serde_json::Value;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// What comes without an end is read so far.
const MOST: u64 = 1 << 30;

/// Whether the table that a model was trained with has decimal commas, among what is told about it.
pub(crate) const DECIMAL_COMMA: &str = "decimal_comma";

/// How standard input is called in messages.
pub(crate) const STANDARD_INPUT: &str = "standard input";

/// Where rows come from.
pub(crate) enum Input {
    /// A file with an end.
    Whole,
    /// Standard input, a pipe, a device.
    Coming(Box<dyn Read + Send>),
}

/// What a path names; `-` is standard input.
pub(crate) fn of(path: &str) -> Result<Input, Failure> {
    if path == "-" {
        return Ok(Input::Coming(Box::new(io::stdin())));
    }
    let unreadable = |error| Failure::from(unreadable(path, error));
    let about = std::fs::metadata(path).map_err(unreadable)?;
    if about.is_dir() {
        return Err(unreadable(io::ErrorKind::IsADirectory.into()));
    }
    if about.is_file() {
        return Ok(Input::Whole);
    }
    Ok(Input::Coming(Box::new(File::open(path).map_err(unreadable)?)))
}

/// How a path is called in messages.
pub(crate) fn name(path: &str) -> &str {
    if path == "-" { STANDARD_INPUT } else { path }
}

/// The whole table of a file or of standard input.
pub(crate) fn table(path: &str, reading: &Reading) -> Result<Table, Failure> {
    match of(path)? {
        Input::Whole => Ok(reading.read(Path::new(path))?),
        Input::Coming(from) => Ok(reading.read_from(name(path), &all(path, from)?[..])?),
    }
}

/// The same, with a hash of its bytes: FNV-1a of 64 bits (Fowler, Noll and Vo), which tells a change, not a forgery.
pub(crate) fn hashed_table(path: &str, reading: &Reading) -> Result<(Table, String), Failure> {
    let mut hash = Hash(0xcbf2_9ce4_8422_2325);
    let table = match of(path)? {
        Input::Whole => {
            let unreadable = |error| Failure::from(unreadable(path, error));
            let mut file = File::open(path).map_err(unreadable)?;
            io::copy(&mut file, &mut hash).map_err(unreadable)?;
            reading.read(Path::new(path))?
        }
        Input::Coming(from) => {
            let bytes = all(path, from)?;
            hash.take(&bytes);
            reading.read_from(name(path), &bytes[..])?
        }
    };
    Ok((table, format!("fnv1a-64:{:016x}", hash.0)))
}

struct Hash(u64);

impl Hash {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

impl io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// All that comes, where it ends.
fn all(path: &str, from: impl Read) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    from.take(MOST).read_to_end(&mut bytes).map_err(|error| unreadable(name(path), error))?;
    if bytes.len() as u64 == MOST {
        return Err(Failure::new(
            format!("{}: expected an end, found none within {} MB", name(path), MOST >> 20),
            "write a part of it to a file, such as by `head -n 100000`; `nn predict -` takes what has no end",
        ));
    }
    Ok(bytes)
}

pub(crate) fn unreadable(file: &str, error: io::Error) -> nn::Error {
    nn::Error { file: file.to_owned(), line: None, column: None, kind: nn::Kind::Unreadable(error) }
}

/// What was said of how a table is written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Written {
    pub(crate) delimiter: Option<char>,
    pub(crate) decimal_comma: Option<bool>,
    pub(crate) header: Option<bool>,
    pub(crate) encoding: Option<Encoding>,
    pub(crate) comment: Option<char>,
    /// What stands for a missing cell, beside what does always.
    pub(crate) missing_marks: Vec<String>,
}

impl Written {
    /// What flags say goes before what was said.
    pub(crate) fn take(&mut self, flags: &ReadingFlags) {
        self.delimiter = flags.delimiter.or(self.delimiter);
        self.decimal_comma = flags.decimal_comma.or(self.decimal_comma);
        self.header = flags.header.or(self.header);
        self.encoding = flags.encoding.or(self.encoding);
        self.comment = flags.comment.or(self.comment);
        if !flags.missing_mark.is_empty() {
            self.missing_marks.clone_from(&flags.missing_mark);
        }
    }

    pub(crate) fn of(flags: &ReadingFlags) -> Self {
        let mut written = Self::default();
        written.take(flags);
        written
    }

    /// The same of a table for a model: where it does not tell of decimal commas, it has what the model's own table had.
    pub(crate) fn reading_for(&self, model: &Model) -> Reading {
        let decimal_comma_in_doubt = model.about.get(DECIMAL_COMMA).and_then(Value::as_bool);
        Reading { decimal_comma_in_doubt, ..self.reading() }
    }

    pub(crate) fn reading(&self) -> Reading {
        let byte = |c: Option<char>| c.and_then(|c| u8::try_from(c).ok());
        let mut reading = Reading {
            delimiter: byte(self.delimiter),
            decimal_comma: self.decimal_comma,
            header: self.header,
            comment: byte(self.comment),
            encoding: self.encoding,
            ..Reading::default()
        };
        reading.missing.extend(self.missing_marks.iter().cloned());
        reading
    }
}

/// The names of encodings.
pub(crate) const ENCODINGS: [(&str, Encoding); 5] = [
    ("utf-8", Encoding::Utf8),
    ("latin1", Encoding::Latin1),
    ("windows-1252", Encoding::Windows1252),
    ("utf-16le", Encoding::Utf16Le),
    ("utf-16be", Encoding::Utf16Be),
];

/// The encoding of a name.
pub(crate) fn encoding(name: &str) -> Result<Encoding, String> {
    let plain = |name: &str| name.to_lowercase().replace(['-', '_'], "");
    let wanted = match &plain(name)[..] {
        "iso88591" => "latin1".to_owned(),
        "cp1252" => "windows1252".to_owned(),
        "utf16" => "utf16le".to_owned(),
        other => other.to_owned(),
    };
    let found = ENCODINGS.iter().find(|(known, _)| plain(known) == wanted);
    found
        .map(|(_, encoding)| *encoding)
        .ok_or_else(|| format!("expected one of {}", ENCODINGS.map(|(name, _)| name).join(", ")))
}

/// A separator of fields: a character of ASCII, `tab` or `space`.
pub(crate) fn delimiter(text: &str) -> Result<char, String> {
    let mut chars = text.chars();
    match (text, chars.next(), chars.next()) {
        ("tab" | "\\t", ..) => Ok('\t'),
        ("space", ..) => Ok(' '),
        ("comma", ..) => Ok(','),
        ("semicolon", ..) => Ok(';'),
        ("pipe", ..) => Ok('|'),
        (_, Some(c), None) if c.is_ascii() && !matches!(c, '"' | '\r' | '\n') => Ok(c),
        _ => Err("expected one character of ASCII, or `tab`, `space`".to_owned()),
    }
}
