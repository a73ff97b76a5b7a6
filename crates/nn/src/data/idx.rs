//! Arrays in IDX files, the format of MNIST of 1998, plain or compressed by gzip.

use crate::data::array::{Array, Stored, bytes_of, decode};
use crate::data::npz::MOST;
use crate::error::Error;
use crate::fault::{Fault, kind_of};
use flate2::read::MultiGzDecoder;
use std::io::Read;
use std::path::Path;

/// Reads an array: images `[n, rows, columns]` or labels `[n]`.
///
/// ```
/// use nn::data::{Numbers, idx};
/// let labels = idx::parse("labels.idx", &[0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9])?;
/// assert_eq!((labels.shape, labels.numbers), (vec![3], Numbers::U8(vec![7, 0, 9])));
/// # Ok::<(), nn::Error>(())
/// ```
///
/// # Errors
/// Where the file cannot be read, or is damaged or of another kind, or has more than [`MOST`] bytes after inflation.
pub fn read(path: impl AsRef<Path>) -> Result<Array, Error> {
    let path = path.as_ref();
    parse(&path.display().to_string(), &Error::bytes_of(path)?)
}

/// As [`read()`], of the bytes of a file, which errors call `file`.
///
/// # Errors
/// As [`read()`].
pub fn parse(file: &str, bytes: &[u8]) -> Result<Array, Error> {
    let array = if bytes.starts_with(&[0x1f, 0x8b]) {
        array(MultiGzDecoder::new(bytes), MOST)
    } else {
        array(bytes, usize::MAX)
    };
    array.map_err(|fault| Error::stored(file, fault))
}

/// Of a stream: no more is inflated than what the header tells, and one byte to see that there is no more.
fn array(mut bytes: impl Read, most: usize) -> Result<Array, Fault> {
    let start = some(&mut bytes, 4)?;
    let [0, 0, kind, rank] = start[..] else {
        return Err(if start.len() < 4 { short() } else { foreign(&start) });
    };
    let kind = match kind {
        0x08 => Stored::U8,
        0x09 => Stored::I8,
        0x0b => Stored::I16,
        0x0c => Stored::I32,
        0x0d => Stored::F32,
        0x0e => Stored::F64,
        _ => return Err(foreign(&start)),
    };
    let sizes = some(&mut bytes, 4 * usize::from(rank))?;
    if sizes.len() < 4 * usize::from(rank) {
        return Err(short());
    }
    let size = |chunk: &[u8]| chunk.iter().fold(0, |size, &byte| size << 8 | usize::from(byte));
    let shape: Vec<usize> = sizes.chunks_exact(4).map(size).collect();
    let needed = bytes_of(&shape, kind.size())
        .ok_or_else(|| Fault::Damaged(format!("no memory holds an array of the shape {shape:?}")))?;
    if needed > most {
        return Err(Fault::Unsupported(format!("expected at most {most} bytes after inflation, found {needed}")));
    }
    let data = some(&mut bytes, needed.saturating_add(1))?;
    if data.len() != needed {
        let more = if data.len() > needed { "more" } else { "fewer" };
        return Err(Fault::Damaged(format!(
            "an array of the shape {shape:?} has {needed} bytes, the file holds {more}"
        )));
    }
    Ok(Array { shape, numbers: decode(kind, true, &data) })
}

/// At most so many bytes; memory grows with those that come.
fn some(bytes: &mut impl Read, most: usize) -> Result<Vec<u8>, Fault> {
    let mut found = Vec::new();
    match bytes.take(most as u64).read_to_end(&mut found) {
        Ok(_) => Ok(found),
        Err(error) => Err(Fault::Damaged(format!("it cannot be inflated: {error}"))),
    }
}

fn short() -> Fault {
    Fault::Damaged("it ends within its header".into())
}

fn foreign(start: &[u8]) -> Fault {
    Fault::Foreign { expected: "an IDX file", found: kind_of(start) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::array::Numbers;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn the_big_end_comes_first_packed_or_not() {
        let bytes = [0, 0, 0x0b, 2, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0xff, 0xfe];
        let want = Array { shape: vec![1, 2], numbers: Numbers::I32(vec![256, -2]) };
        assert_eq!(parse("a", &bytes).unwrap(), want);
        assert_eq!(parse("a", &packed(&bytes)).unwrap(), want);
    }

    #[test]
    fn what_does_not_fit_is_an_error_before_memory_is_asked_for() {
        let whole = [0, 0, 8, 1, 0, 0, 0, 3, 7, 0, 9];
        for end in 0..whole.len() {
            assert!(parse("a", &whole[..end]).is_err(), "{end}");
        }
        let text = |bytes: &[u8]| parse("a", bytes).unwrap_err().to_string();
        assert_eq!(
            text(&[&whole[..], &[1]].concat()),
            "a: is damaged: an array of the shape [3] has 3 bytes, the file holds more"
        );
        assert!(
            text(&[0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255]).contains("no memory holds")
        );
        assert!(text(&[0, 0, 8, 1, 127, 255, 255, 255, 1]).contains("holds fewer"));
        assert!(text(&packed(&whole)[..12]).contains("cannot be inflated"));
        assert!(text(b"PK\x03\x04....").contains("expected an IDX file, found a zip archive"));
        let large = packed(&[0, 0, 8, 2, 0, 1, 0, 0, 0, 1, 0, 1]);
        assert!(text(&large).contains("at most 4294967296 bytes after inflation, found 4295032832"));
        // A gibibyte of zeros in a megabyte: no more than three bytes and one are inflated.
        assert!(text(&packed(&[&whole[..], &vec![0; 1 << 24]].concat())).contains("holds more"));
    }
}
