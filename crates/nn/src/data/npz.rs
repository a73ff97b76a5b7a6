//! Arrays by name in npz files: zip archives of npy files, stored or deflated, as NumPy writes them.

mod archive;

use crate::data::array::Array;
use crate::data::npy;
use crate::error::Error;
use crate::fault::{Fault, kind_of, shown};
use crate::replace::replace;
use archive::members;
use flate2::Crc;
use std::collections::BTreeMap;
use std::path::Path;

/// The most that all arrays of a file may have after inflation, in bytes: a file of a few megabytes could hold much more.
pub const MOST: usize = match 1_usize.checked_shl(32) {
    Some(most) => most,
    None => usize::MAX,
};

/// Reads all arrays, by name.
///
/// ```
/// use nn::data::{Array, Numbers, npz};
/// let x = Array { shape: vec![2], numbers: Numbers::F64(vec![0.5, -1.0]) };
/// let bytes = npz::bytes([("x", &x)]);
/// assert_eq!(npz::parse("a.npz", &bytes)?["x"], x);
/// # Ok::<(), nn::Error>(())
/// ```
///
/// # Errors
/// Where the file cannot be read or is damaged, an array is not one of numbers, or they have more than [`MOST`] bytes.
pub fn read(path: impl AsRef<Path>) -> Result<BTreeMap<String, Array>, Error> {
    let path = path.as_ref();
    parse(&path.display().to_string(), &Error::bytes_of(path)?)
}

/// As [`read()`], of the bytes of a file, which errors call `file`.
///
/// # Errors
/// As [`read()`].
pub fn parse(file: &str, bytes: &[u8]) -> Result<BTreeMap<String, Array>, Error> {
    arrays(bytes).map_err(|fault| Error::stored(file, fault))
}

/// Writes arrays by name, not compressed; a file of the name is replaced as a whole.
///
/// # Errors
/// Where the file cannot be written.
///
/// # Panics
/// As [`bytes`].
#[track_caller]
pub fn write<'a>(path: impl AsRef<Path>, arrays: impl IntoIterator<Item = (&'a str, &'a Array)>) -> Result<(), Error> {
    replace(path.as_ref(), &bytes(arrays))
}

const LOCAL: &[u8; 4] = b"PK\x03\x04";
const CENTRAL: &[u8; 4] = b"PK\x01\x02";
const END: &[u8; 4] = b"PK\x05\x06";
const END_64: &[u8; 4] = b"PK\x06\x06";
const LOCATOR_64: &[u8; 4] = b"PK\x06\x07";
/// Stands for a size or a place that is told in 64 bits elsewhere.
const ELSEWHERE: u64 = 0xffff_ffff;

/// The bytes of an npz file: an archive in which nothing is compressed, with no dates.
///
/// # Panics
/// Where a name comes twice or is longer than 65,531 bytes, or the shape of an array does not fit its numbers.
#[track_caller]
pub fn bytes<'a>(arrays: impl IntoIterator<Item = (&'a str, &'a Array)>) -> Vec<u8> {
    let (mut all, mut directory) = (Vec::new(), Vec::new());
    let mut names = std::collections::BTreeSet::new();
    for (name, array) in arrays {
        assert!(names.insert(name), "npz::bytes: different names are needed, `{}` came twice", shown(name));
        let data = npy::bytes(array);
        // 65,535 bytes are the most that the format has room for.
        let long = name.len() > 65_535 - 4;
        assert!(!long, "npz::bytes: a name of 65531 bytes at most is needed, not of {}", name.len());
        let (start, size, name) = (all.len() as u64, data.len() as u64, format!("{name}.npy"));
        let mut crc = Crc::new();
        crc.update(&data);
        // Sizes and places in 64 bits stand in an extra field, of which 32 ones are a sign.
        let mut common = vec![45, 0, 0, 8, 0, 0, 0, 0, 0x21, 0]; // version 4.5; names in UTF-8; stored; 1 January 1980
        common.extend(crc.sum().to_le_bytes());
        common.extend([0xff; 8]);
        common.extend((name.len() as u16).to_le_bytes());
        all.extend(LOCAL);
        all.extend(&common);
        all.extend([20, 0]);
        all.extend(name.as_bytes());
        let sizes = [size.to_le_bytes(), size.to_le_bytes()].concat();
        all.extend([1, 0, 16, 0]);
        all.extend(&sizes);
        all.extend(&data);
        directory.extend(CENTRAL);
        directory.extend([45, 0]);
        directory.extend(&common);
        directory.extend([28, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        directory.extend([0xff; 4]);
        directory.extend(name.as_bytes());
        directory.extend([1, 0, 24, 0]);
        directory.extend(&sizes);
        directory.extend(start.to_le_bytes());
    }
    let (start, size, count) = (all.len() as u64, directory.len() as u64, names.len() as u64);
    let end = start + size;
    all.extend(directory);
    all.extend(END_64);
    all.extend(44_u64.to_le_bytes());
    all.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    all.extend([count, count, size, start].map(u64::to_le_bytes).concat());
    all.extend(LOCATOR_64);
    all.extend([0; 4]);
    all.extend(end.to_le_bytes());
    all.extend([1, 0, 0, 0]);
    all.extend(END);
    all.extend([0; 4]);
    all.extend([0xff; 12]);
    all.extend([0; 2]);
    all
}

/// The arrays of an archive.
pub(crate) fn arrays(bytes: &[u8]) -> Result<BTreeMap<String, Array>, Fault> {
    if !bytes.starts_with(LOCAL) && !bytes.starts_with(END) && !bytes.starts_with(END_64) {
        return Err(Fault::Foreign { expected: "an npz file", found: kind_of(bytes) });
    }
    let members = members(bytes)?;
    if members.iter().any(|member| Path::new(&member.name).extension().is_some_and(|end| end == "pkl")) {
        return Err(Fault::Foreign { expected: "an npz file of NumPy", found: kind_of(LOCAL) });
    }
    let mut arrays = BTreeMap::new();
    let mut left = MOST;
    for member in members {
        let data = member.inflated(&mut left)?;
        let name = member.name.strip_suffix(".npy").unwrap_or(&member.name);
        let array = npy::array(&data).map_err(|fault| within(name, fault))?;
        if arrays.insert(name.to_owned(), array).is_some() {
            return Err(Fault::Damaged(format!("two arrays are called `{}`", shown(name))));
        }
    }
    Ok(arrays)
}

/// What is wrong with one array.
fn within(name: &str, fault: Fault) -> Fault {
    let name = shown(name);
    match fault {
        Fault::Damaged(what) => Fault::Damaged(format!("in `{name}`, {what}")),
        Fault::Unsupported(what) => Fault::Unsupported(format!("in `{name}`, {what}")),
        other @ (Fault::Foreign { .. }
        | Fault::TooNew { .. }
        | Fault::Mismatch(_)
        | Fault::Value { .. }
        | Fault::Changed(_)
        | Fault::Unwritable(_)) => Fault::Damaged(format!("in `{name}`, {other}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::array::Numbers;

    fn two() -> [(&'static str, Array); 2] {
        let x = Array { shape: vec![2, 2], numbers: Numbers::F32(vec![1.0, 2.0, 3.0, 4.0]) };
        let y = Array { shape: vec![], numbers: Numbers::I64(vec![-7]) };
        [("x", x), ("net/ü:0", y)]
    }

    fn packed() -> Vec<u8> {
        bytes(two().each_ref().map(|(name, array)| (*name, array)))
    }

    #[test]
    fn what_is_written_is_read_again() {
        let arrays = parse("a.npz", &packed()).unwrap();
        assert_eq!(arrays.len(), 2);
        for (name, array) in two() {
            assert_eq!(arrays[name], array);
        }
        assert!(parse("a.npz", &bytes([])).unwrap().is_empty());
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_an_error_or_changes_no_number() {
        let whole = packed();
        for end in 0..whole.len() {
            assert!(parse("a.npz", &whole[..end]).is_err(), "{end}");
        }
        let want = parse("a.npz", &whole).unwrap();
        for i in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[i] ^= 0x11;
            if let Ok(found) = parse("a.npz", &bytes) {
                assert!(found.values().eq(want.values()), "byte {i}");
            }
        }
    }

    #[test]
    fn files_that_share_their_bytes_are_refused() {
        // Both entries of the directory lead to the first file.
        let mut whole = packed();
        let entries: Vec<usize> = (0..whole.len()).filter(|&i| whole[i..].starts_with(CENTRAL)).collect();
        let first = whole[entries[0]..entries[1]].to_vec();
        let end = whole.iter().rposition(|_| true).unwrap() + 1 - 98;
        whole.splice(entries[1]..end, first.iter().copied());
        let size = (2 * first.len()) as u64;
        let at = (0..whole.len()).find(|&i| whole[i..].starts_with(END_64)).unwrap();
        whole[at + 40..at + 48].copy_from_slice(&size.to_le_bytes());
        let place = (at as u64).to_le_bytes();
        let locator = (0..whole.len()).find(|&i| whole[i..].starts_with(LOCATOR_64)).unwrap();
        whole[locator + 8..locator + 16].copy_from_slice(&place);
        let text = parse("a.npz", &whole).unwrap_err().to_string();
        assert!(text.contains("within each other"), "{text}");
    }

    #[test]
    fn other_archives_are_named() {
        let text = parse("net.h5", b"\x89HDF\r\n\x1a\n").unwrap_err().to_string();
        assert!(text.contains("expected an npz file, found an HDF5 file"), "{text}");
    }
}
