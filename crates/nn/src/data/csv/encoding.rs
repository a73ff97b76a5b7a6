//! Bytes of other encodings as UTF-8.

use std::io::{self, Read};

/// How bytes are text.
///
/// ```
/// use nn::data::{Encoding, Reading};
/// # fn main() -> Result<(), nn::Error> {
/// let file = std::env::temp_dir().join(format!("nn_latin1_{}.csv", std::process::id()));
/// std::fs::write(&file, b"town,x\nK\xF6ln,1\n").unwrap();
/// assert!(Reading::default().read(&file).unwrap_err().to_string().contains("expected UTF-8 text"));
/// let table = Reading { encoding: Some(Encoding::Windows1252), ..Reading::default() }.read(&file)?;
/// assert_eq!(nn::data::groups(table.column("town").unwrap()), [0]);
/// # std::fs::remove_file(&file).unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// As the web and most programs write it.
    Utf8,
    /// A byte a character, the first 256 of Unicode (ISO 8859-1).
    Latin1,
    /// The same with signs in place of 27 control characters, as old Windows programs write it. The five bytes that it leaves open are
    /// control characters.
    Windows1252,
    /// Two bytes a character, the lower one first.
    Utf16Le,
    /// Two bytes a character, the higher one first.
    Utf16Be,
}

/// The characters of the bytes 0x80 to 0x9F in Windows-1252 (as the WHATWG's standard of encodings lists them).
const WINDOWS: [u16; 32] = [
    0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D,
    0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,
    0x017E, 0x0178,
];

/// A source in another encoding, read as UTF-8.
pub(super) struct Decoded<R> {
    source: R,
    encoding: Encoding,
    /// Bytes that are read and not yet decoded: at most one character and what one reading brings.
    raw: Vec<u8>,
    /// Text that is decoded, and how much of it is given out.
    text: String,
    given: usize,
}

impl<R: Read> Decoded<R> {
    pub(super) fn new(source: R, encoding: Encoding) -> Self {
        Self { source, encoding, raw: Vec::new(), text: String::new(), given: 0 }
    }

    /// Decodes some more; whether there was any.
    fn more(&mut self) -> io::Result<bool> {
        const CHUNK: usize = 1 << 16;
        // What is there, and no more: a source may go on slowly.
        let old = self.raw.len();
        self.raw.resize(old + CHUNK, 0);
        let read = loop {
            match self.source.read(&mut self.raw[old..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                read => break read,
            }
        };
        self.raw.truncate(old + read.as_ref().map_or(0, |read| *read));
        let read = read?;
        self.text.clear();
        self.given = 0;
        let used = match self.encoding {
            Encoding::Latin1 | Encoding::Utf8 => {
                self.text.extend(self.raw.iter().map(|&byte| char::from(byte)));
                self.raw.len()
            }
            Encoding::Windows1252 => {
                let decoded = |&byte: &u8| match byte {
                    0x80..0xA0 => char::from_u32(u32::from(WINDOWS[usize::from(byte - 0x80)])).unwrap_or('\u{fffd}'),
                    _ => char::from(byte),
                };
                self.text.extend(self.raw.iter().map(decoded));
                self.raw.len()
            }
            Encoding::Utf16Le => self.units(u16::from_le_bytes, read == 0)?,
            Encoding::Utf16Be => self.units(u16::from_be_bytes, read == 0)?,
        };
        self.raw.drain(..used);
        Ok(read > 0)
    }

    /// Decodes pairs of bytes; the last ones wait where they are half a character and more may come.
    fn units(&mut self, unit: fn([u8; 2]) -> u16, last: bool) -> io::Result<usize> {
        let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("it is no UTF-16: {what}"));
        let (pairs, odd) = self.raw.as_chunks::<2>();
        let mut units: Vec<u16> = pairs.iter().map(|&pair| unit(pair)).collect();
        if last {
            if !odd.is_empty() {
                return Err(wrong("an odd number of bytes"));
            }
        } else if units.last().is_some_and(|unit| (0xD800..0xDC00).contains(unit)) {
            units.pop();
        }
        for c in char::decode_utf16(units.iter().copied()) {
            self.text.push(c.map_err(|_| wrong("half of a pair stands alone"))?);
        }
        Ok(2 * units.len())
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.given == self.text.len() {
            if !self.more()? {
                return Ok(0);
            }
        }
        let rest = &self.text.as_bytes()[self.given..];
        let count = rest.len().min(to.len());
        to[..count].copy_from_slice(&rest[..count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(bytes: &[u8], encoding: Encoding) -> io::Result<String> {
        let mut text = String::new();
        Decoded::new(bytes, encoding).read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn bytes_become_the_characters_of_their_encoding() {
        assert_eq!(decoded(b"K\xF6ln \x80", Encoding::Latin1).unwrap(), "K\u{f6}ln \u{80}");
        assert_eq!(decoded(b"\x80 5 \x93K\xF6ln\x94", Encoding::Windows1252).unwrap(), "€ 5 “Köln”");
        let text = "Köln, 𝄞\n".repeat(20_000);
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decoded(&le, Encoding::Utf16Le).unwrap(), text);
        assert_eq!(decoded(&be, Encoding::Utf16Be).unwrap(), text);
        // A pair over the end of one reading.
        let shifted = format!("a{}", "𝄞".repeat(40_000));
        let le: Vec<u8> = shifted.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decoded(&le, Encoding::Utf16Le).unwrap(), shifted);
    }

    #[test]
    fn half_a_character_is_an_error() {
        assert!(decoded(b"a\0b", Encoding::Utf16Le).unwrap_err().to_string().contains("odd number"));
        for half in [&b"\x00\xD8"[..], b"\x00\xD8a\0", b"\x00\xDCa\0"] {
            assert!(decoded(half, Encoding::Utf16Le).unwrap_err().to_string().contains("half of a pair"), "{half:?}");
        }
    }
}
