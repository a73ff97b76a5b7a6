//! The bytes of a file, and whether they are text.

use super::encoding::{Decoded, Encoding};
use crate::error::{Error, Kind};
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where a text comes from. It can be opened again, and is then the same.
pub(super) enum Source<'a> {
    Held(&'a [u8]),
    /// What cannot be read twice: a pipe, a terminal.
    Read(Vec<u8>),
    File(PathBuf),
}

impl Source<'_> {
    /// What a path names.
    pub(super) fn of(path: &Path) -> Result<Self, Error> {
        let unreadable = |error| at_file(&path.display().to_string(), Kind::Unreadable(error));
        if std::fs::metadata(path).map_err(unreadable)?.is_file() {
            return Ok(Self::File(path.to_owned()));
        }
        let mut bytes = Vec::new();
        File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).map_err(unreadable)?;
        Ok(Self::Read(bytes))
    }

    /// How many bytes there are, where that is known.
    pub(super) fn size(&self) -> Option<u64> {
        match self {
            Self::Held(bytes) => Some(bytes.len() as u64),
            Self::Read(bytes) => Some(bytes.len() as u64),
            Self::File(path) => std::fs::metadata(path).ok().map(|about| about.len()),
        }
    }

    /// The bytes, as UTF-8 where their encoding is known.
    pub(super) fn open(&self, encoding: Option<Encoding>) -> io::Result<Box<dyn Read + '_>> {
        let bytes: Box<dyn Read + '_> = match self {
            // It is UTF-8 already.
            Self::Held(bytes) => return Ok(Box::new(*bytes)),
            Self::Read(bytes) => Box::new(&bytes[..]),
            Self::File(path) => Box::new(File::open(path)?),
        };
        Ok(decoded(bytes, encoding))
    }
}

/// Bytes as UTF-8, where their encoding is known.
pub(super) fn decoded<'a>(bytes: Box<dyn Read + 'a>, encoding: Option<Encoding>) -> Box<dyn Read + 'a> {
    match encoding {
        None | Some(Encoding::Utf8) => bytes,
        Some(encoding) => Box::new(Decoded::new(bytes, encoding)),
    }
}

pub(super) fn at_file(file: &str, kind: Kind) -> Error {
    Error { file: file.to_owned(), line: None, column: None, kind }
}

/// The length of a mark of UTF-8 before the text, where the first bytes of a file are of a text.
pub(super) fn text_start(head: &[u8]) -> Result<usize, Kind> {
    const FOREIGN: [(&[u8], &str); 16] = [
        (&[0, 0, 0xFE, 0xFF], "text in UTF-32 (the mark 00 00 FE FF)"),
        (&[0xFF, 0xFE, 0, 0], "text in UTF-32 (the mark FF FE 00 00)"),
        (&[0xFF, 0xFE], "text in UTF-16 (the mark FF FE)"),
        (&[0xFE, 0xFF], "text in UTF-16 (the mark FE FF)"),
        (b"PK\x03\x04", "a zip archive, as .xlsx and .ods files are"),
        (b"\x1f\x8b", "data compressed by gzip"),
        (b"BZh", "data compressed by bzip2"),
        (b"\xfd7zXZ\0", "data compressed by xz"),
        (b"\x28\xb5\x2f\xfd", "data compressed by zstd"),
        (b"\xd0\xcf\x11\xe0", "an old spreadsheet or document (.xls, .doc)"),
        (b"%PDF-", "a PDF document"),
        (b"PAR1", "a Parquet file"),
        (b"ARROW1", "an Arrow file"),
        (b"\x93NUMPY", "an array of NumPy (.npy)"),
        (b"SQLite format 3\0", "a database of SQLite"),
        (b"\x89HDF\r\n", "an HDF5 file"),
    ];
    let foreign = FOREIGN.iter().find(|(mark, what)| {
        head.starts_with(mark)
            && (*what != FOREIGN[6].1
                || head.get(3).is_some_and(u8::is_ascii_digit) && head.get(4..10) == Some(b"1AY&SY"))
    });
    if let Some((_, found)) = foreign {
        return Err(Kind::NotText { found });
    }
    // The length of a header of JSON, in eight bytes, of which the higher ones are 0, and its begin.
    if head.len() > 9 && head[5..9] == [0, 0, 0, b'{'] {
        return Err(Kind::NotText { found: "a file of tensors (safetensors), as models are" });
    }
    let start = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let text = head[start..].trim_ascii_start();
    let begins = |word: &[u8]| text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
    if [&b"<!doctype"[..], b"<html", b"<head", b"<?xml"].into_iter().any(begins) {
        return Err(Kind::NotText { found: "a page of HTML or XML, as servers send it in place of a file" });
    }
    // Letters of ASCII in UTF-16 have a zero byte each; one or the other zero is told where it stands.
    let first = &head[..head.len().min(1000)];
    let zeros = first.split(|&byte| byte == 0).count() - 1;
    if zeros * 4 > first.len() {
        return Err(Kind::NotText { found: "NUL bytes, as text in UTF-16 has them" });
    }
    Ok(start)
}

/// The number of line ends in a text: `\n`, `\r\n`, or `\r` alone.
pub(super) fn breaks(text: &[u8]) -> u32 {
    let lf = text.split(|&byte| byte == b'\n').count() - 1;
    let mut cr = 0;
    if text.contains(&b'\r') {
        cr = text.iter().zip(text[1..].iter().chain(&[0])).filter(|&pair| *pair.0 == b'\r' && *pair.1 != b'\n').count();
    }
    u32::try_from(lf + cr).unwrap_or(u32::MAX)
}

/// The length of the line at the begin of these bytes, with its end, where the end is known.
pub(super) fn line_length(bytes: &[u8], all: bool) -> Option<usize> {
    match bytes.iter().position(|&byte| byte == b'\n' || byte == b'\r') {
        None => all.then_some(bytes.len()),
        Some(at) if bytes[at] == b'\n' => Some(at + 1),
        Some(at) => match bytes.get(at + 1) {
            Some(b'\n') => Some(at + 2),
            Some(_) => Some(at + 1),
            None => all.then_some(at + 1),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_ends_by_either_sign_or_both() {
        for (text, n) in [("", 0), ("a\nb", 1), ("a\r\nb\r", 2), ("\r\r\n\n", 3), ("\n\r", 2)] {
            assert_eq!(breaks(text.as_bytes()), n, "{text:?}");
        }
    }

    #[test]
    fn other_files_are_told_by_their_first_bytes() {
        for (head, found) in [
            (&b"\x1f\x8b\x08\0"[..], "gzip"),
            (b"  <!DOCTYPE html>", "HTML"),
            (b"\xff\xfea\0", "UTF-16"),
            (b"a\0,\0b\0\n\0", "UTF-16"),
            (b"\0a\0,\0b\0\n", "UTF-16"),
            (b"PK\x03\x04", "zip"),
            (b"\x40\x01\0\0\0\0\0\0{\"__metadata__\":{", "safetensors"),
        ] {
            assert!(text_start(head).unwrap_err().to_string().contains(found), "{head:?}");
        }
        for head in [&b"BZh,kind\n"[..], b"PK,x\n", b"a<html", b"", b"x,kind\n1,a\0\n"] {
            assert!(text_start(head).is_ok(), "{head:?}");
        }
        assert!(matches!(text_start(b"\xef\xbb\xbfx"), Ok(3)));
    }
}
