//! Arrays in npy files, NumPy's format (NEP 1).

use crate::data::array::{Array, Numbers, Stored, bytes_of, decode, encode};
use crate::error::Error;
use crate::fault::{Fault, shown};
use crate::replace::replace;
use std::path::Path;

const MAGIC: &[u8] = b"\x93NUMPY";
/// No header of a plain array is longer; NumPy itself refuses more than 10,000 characters.
const LONGEST_HEADER: usize = 65_535;

/// Reads an array: floating-point numbers of 2, 4 and 8 bytes, integers and truth values, of either byte order, in C order or
/// Fortran's.
///
/// ```
/// use nn::data::{Array, Numbers, npy};
/// let array = Array { shape: vec![2], numbers: Numbers::F64(vec![0.5, -1.0]) };
/// assert_eq!(npy::parse("a.npy", &npy::bytes(&array))?, array);
/// # Ok::<(), nn::Error>(())
/// ```
///
/// # Errors
/// Where the file cannot be read, is damaged, or holds something else, such as objects.
pub fn read(path: impl AsRef<Path>) -> Result<Array, Error> {
    let path = path.as_ref();
    parse(&path.display().to_string(), &Error::bytes_of(path)?)
}

/// As [`read()`], of the bytes of a file, which errors call `file`.
///
/// # Errors
/// As [`read()`].
pub fn parse(file: &str, bytes: &[u8]) -> Result<Array, Error> {
    array(bytes).map_err(|fault| Error::stored(file, fault))
}

/// Writes an array, in C order; a file of the name is replaced as a whole.
///
/// # Errors
/// Where the file cannot be written.
///
/// # Panics
/// As [`bytes`].
#[track_caller]
pub fn write(path: impl AsRef<Path>, array: &Array) -> Result<(), Error> {
    replace(path.as_ref(), &bytes(array))
}

/// The bytes of an npy file, version 1.0.
///
/// # Panics
/// Where the shape does not fit the numbers, or has more than 64 axes, which NumPy does not read.
#[track_caller]
pub fn bytes(array: &Array) -> Vec<u8> {
    array.hold("npy::bytes");
    let shape = &array.shape;
    assert!(shape.len() <= 64, "npy::bytes: 64 axes at most are needed, not {}", shape.len());
    let descr = match array.numbers {
        Numbers::F64(_) => "<f8",
        Numbers::F32(_) => "<f4",
        Numbers::I64(_) => "<i8",
        Numbers::I32(_) => "<i4",
        Numbers::U64(_) => "<u8",
        Numbers::U8(_) => "|u1",
    };
    // Python writes a tuple of one with a comma.
    let sizes = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
    let sizes = if shape.len() == 1 { sizes + "," } else { sizes };
    let mut header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({sizes}), }}");
    // The numbers begin at a multiple of 64, after a line end.
    let start = (MAGIC.len() + 4 + header.len() + 1).next_multiple_of(64);
    let length = start - MAGIC.len() - 4;
    header.push_str(&" ".repeat(length - header.len() - 1));
    header.push('\n');
    let mut bytes = MAGIC.to_vec();
    bytes.extend([1, 0]);
    bytes.extend((length as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    encode(&array.numbers, &mut bytes);
    bytes
}

/// The array of a file.
pub(crate) fn array(bytes: &[u8]) -> Result<Array, Fault> {
    let (header, data) = split(bytes)?;
    let Header { kind, big, fortran, mut shape } = Header::parse(header)?;
    let needed = bytes_of(&shape, kind.size())
        .ok_or_else(|| Fault::Damaged(format!("no memory holds an array of the shape {shape:?}")))?;
    if data.len() != needed {
        return Err(Fault::Damaged(format!(
            "an array of the shape {shape:?} has {needed} bytes, found {}",
            data.len()
        )));
    }
    let numbers = decode(kind, big, data);
    if fortran && shape.len() > 1 {
        // Read with its axes in reverse, such an array is in C order.
        shape.reverse();
        return Ok(Array { shape, numbers }.transposed());
    }
    Ok(Array { shape, numbers })
}

/// The header's text and what follows it.
fn split(bytes: &[u8]) -> Result<(&str, &[u8]), Fault> {
    let Some(rest) = bytes.strip_prefix(MAGIC) else {
        return Err(Fault::Foreign { expected: "an npy file", found: crate::fault::kind_of(bytes) });
    };
    let short = || Fault::Damaged("it ends within its header".into());
    let (&[major, _], rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (length, rest) = match major {
        1 => rest.split_first_chunk().map(|(n, rest)| (usize::from(u16::from_le_bytes(*n)), rest)),
        2 | 3 => rest.split_first_chunk().map(|(n, rest)| (u32::from_le_bytes(*n) as usize, rest)),
        _ => return Err(Fault::TooNew { what: "an npy file", found: major.into(), known: 3 }),
    }
    .ok_or_else(short)?;
    if length > LONGEST_HEADER {
        return Err(Fault::Damaged(format!("a header of {length} bytes; {LONGEST_HEADER} are the most that is read")));
    }
    let (header, data) = rest.split_at_checked(length).ok_or_else(short)?;
    let header = std::str::from_utf8(header).map_err(|_| Fault::Damaged("its header is no text".into()))?;
    Ok((header, data))
}

#[derive(Debug, PartialEq)]
struct Header {
    kind: Stored,
    big: bool,
    fortran: bool,
    shape: Vec<usize>,
}

impl Header {
    /// Of a dictionary as Python writes it: `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }`.
    fn parse(text: &str) -> Result<Self, Fault> {
        let wrong = || Fault::Damaged(format!("its header is not one of an array: `{}`", shown(text.trim())));
        let mut text = text.trim().strip_prefix('{').ok_or_else(wrong)?.trim_start();
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        while !text.starts_with('}') {
            let (key, rest) = quoted(text).ok_or_else(wrong)?;
            let value = rest.trim_start().strip_prefix(':').ok_or_else(wrong)?.trim_start();
            let rest = match key {
                "descr" if descr.is_none() => {
                    let Some((found, rest)) = quoted(value) else {
                        // A list describes the fields of a record.
                        return Err(Fault::Unsupported(format!(
                            "expected an array of numbers, found records: `{}`",
                            shown(value)
                        )));
                    };
                    descr = Some(found);
                    rest
                }
                "fortran_order" if fortran.is_none() => {
                    fortran = Some(value.starts_with("True"));
                    value.strip_prefix("True").or_else(|| value.strip_prefix("False")).ok_or_else(wrong)?
                }
                "shape" if shape.is_none() => {
                    let (sizes, rest) = sizes(value).ok_or_else(wrong)?;
                    shape = Some(sizes);
                    rest
                }
                _ => return Err(wrong()),
            };
            let rest = rest.trim_start();
            text = match rest.strip_prefix(',') {
                Some(rest) => rest.trim_start(),
                None if rest.starts_with('}') => rest,
                None => return Err(wrong()),
            };
        }
        let (Some(descr), Some(fortran), Some(shape), "}") = (descr, fortran, shape, text) else { return Err(wrong()) };
        let (kind, big) = number_type(descr)?;
        Ok(Self { kind, big, fortran, shape })
    }
}

/// The type of numbers that NumPy calls so, and whether their big end comes first.
fn number_type(descr: &str) -> Result<(Stored, bool), Fault> {
    let unsupported = |what: &str| {
        let descr = shown(descr);
        Err(Fault::Unsupported(format!("expected an array of numbers, found {what} (`{descr}`)")))
    };
    let (big, name) = match descr.as_bytes() {
        [b'>', ..] => (true, &descr[1..]),
        [b'<' | b'|' | b'=', ..] => (false, &descr[1..]),
        _ => (false, descr),
    };
    let kind = match name {
        "f8" => Stored::F64,
        "f4" => Stored::F32,
        "f2" => Stored::F16,
        "i8" => Stored::I64,
        "i4" => Stored::I32,
        "i2" => Stored::I16,
        "i1" => Stored::I8,
        "u8" => Stored::U64,
        "u4" => Stored::U32,
        "u2" => Stored::U16,
        "u1" | "b1" => Stored::U8,
        _ => {
            return match name.as_bytes().first() {
                Some(b'O') => unsupported("Python objects, which run code when they are read: save it as numbers"),
                Some(b'c') => unsupported("complex numbers: save `real` and `imag`"),
                Some(b'U' | b'S' | b'a') => unsupported("text: save it as CSV"),
                Some(b'M' | b'm') => unsupported("dates: save them as CSV, or as numbers by `astype`"),
                Some(b'V') => unsupported("records: save each field as numbers"),
                _ => unsupported("another type"),
            };
        }
    };
    Ok((kind, big))
}

/// A text in quotes, which has no escapes here, and the rest.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}

/// A tuple of sizes, `(3, 4)`, `(3,)` or `()`, and the rest. Python 2 wrote `3L`.
fn sizes(text: &str) -> Option<(Vec<usize>, &str)> {
    let (inner, rest) = text.strip_prefix('(')?.split_once(')')?;
    let mut sizes = Vec::new();
    let mut parts = inner.split(',').map(str::trim).peekable();
    while let Some(part) = parts.next() {
        if part.is_empty() && parts.peek().is_none() {
            break;
        }
        let digits = part.strip_suffix('L').unwrap_or(part);
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        sizes.push(digits.parse().ok()?);
    }
    Some((sizes, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> Result<Header, String> {
        Header::parse(text).map_err(|fault| fault.to_string())
    }

    #[test]
    fn headers_are_read_as_python_writes_them() {
        let want = Header { kind: Stored::F64, big: false, fortran: false, shape: vec![3, 4] };
        assert_eq!(header("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }   \n").unwrap(), want);
        assert_eq!(header("{\"shape\":(3L,4L),'fortran_order':False,\"descr\":\"<f8\"}").unwrap(), want);
        assert_eq!(header("{'descr': '>i2', 'fortran_order': True, 'shape': (), }").unwrap().shape, [0; 0]);
        assert_eq!(header("{'descr': '|b1', 'fortran_order': True, 'shape': (7,), }").unwrap().shape, [7]);
    }

    #[test]
    fn what_is_no_array_of_numbers_is_named() {
        for (text, word) in [
            ("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", "Python objects"),
            ("{'descr': '<U5', 'fortran_order': False, 'shape': (3,), }", "text"),
            ("{'descr': '<c16', 'fortran_order': False, 'shape': (3,), }", "complex"),
            ("{'descr': '<M8[ns]', 'fortran_order': False, 'shape': (3,), }", "dates"),
            ("{'descr': '<f16', 'fortran_order': False, 'shape': (3,), }", "another type (`<f16`)"),
            ("{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (3,), }", "records"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (-3,), }", "not one of an array"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (3 4), }", "not one of an array"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }", "not one of an array"),
            ("{'descr': '<f8', 'fortran_order': False}", "not one of an array"),
            ("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': ()}", "not one of an array"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': ()} x", "not one of an array"),
            ("__import__('os')", "not one of an array"),
        ] {
            let error = header(text).unwrap_err();
            assert!(error.contains(word), "{text}: {error}");
        }
    }

    #[test]
    fn the_order_of_fortran_becomes_that_of_c() {
        let mut bytes = MAGIC.to_vec();
        let header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n";
        bytes.extend([1, 0, header.len() as u8, 0]);
        bytes.extend(header.as_bytes());
        bytes.extend([1, 4, 2, 5, 3, 6]);
        let array = parse("a.npy", &bytes).unwrap();
        assert_eq!(array, Array { shape: vec![2, 3], numbers: Numbers::U8(vec![1, 2, 3, 4, 5, 6]) });
    }

    #[test]
    fn a_file_that_is_cut_off_or_too_long_is_an_error() {
        let whole = bytes(&Array { shape: vec![2, 1], numbers: Numbers::F32(vec![0.5, 2.0]) });
        assert_eq!(whole.len() % 64, 8);
        for end in 0..whole.len() {
            assert!(parse("a.npy", &whole[..end]).is_err(), "{end}");
        }
        let text = parse("a.npy", &[&whole[..], b"x"].concat()).unwrap_err().to_string();
        assert_eq!(text, "a.npy: is damaged: an array of the shape [2, 1] has 8 bytes, found 9");
        let huge = "{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776, 1099511627776), }";
        let huge = [MAGIC, &[1, 0, huge.len() as u8, 0], huge.as_bytes()].concat();
        assert!(parse("a.npy", &huge).unwrap_err().to_string().contains("no memory holds"));
    }
}
