//! Reading a zip archive.

use super::{CENTRAL, ELSEWHERE, END, END_64, LOCAL, LOCATOR_64, MOST};
use crate::fault::{Fault, shown};
use flate2::Crc;
use flate2::read::DeflateDecoder;
use std::io::Read;

/// A file in the archive.
pub(super) struct Member<'a> {
    pub(super) name: String,
    /// Whether it is deflated.
    packed: bool,
    crc: u32,
    size: usize,
    data: &'a [u8],
}

impl Member<'_> {
    /// Its bytes, of which no more are made than it claims to have, and than are left of what is allowed.
    pub(super) fn inflated(&self, left: &mut usize) -> Result<Vec<u8>, Fault> {
        let wrong = |what: String| Fault::Damaged(format!("in `{}`, {what}", shown(&self.name)));
        if self.size > *left {
            return Err(Fault::Unsupported(format!("expected at most {MOST} bytes after inflation, found more")));
        }
        let mut found = Vec::new();
        if self.packed {
            let mut reader = DeflateDecoder::new(self.data).take(self.size as u64 + 1);
            reader.read_to_end(&mut found).map_err(|error| wrong(format!("it cannot be inflated: {error}")))?;
        } else {
            found.extend_from_slice(self.data);
        }
        if found.len() != self.size {
            return Err(wrong(format!("{} bytes are declared, there are others", self.size)));
        }
        *left -= found.len();
        let mut crc = Crc::new();
        crc.update(&found);
        if crc.sum() != self.crc {
            return Err(wrong("its checksum is another".into()));
        }
        Ok(found)
    }
}

/// The files of an archive, by its directory.
pub(super) fn members(bytes: &[u8]) -> Result<Vec<Member<'_>>, Fault> {
    let wrong = |what: &str| Fault::Damaged(what.to_owned());
    let (mut directory, count) =
        directory(bytes).ok_or_else(|| wrong("the archive has no directory; perhaps it is cut off"))?;
    let mut members = Vec::new();
    let mut places = Vec::new();
    for _ in 0..count {
        let (member, place) = next(bytes, &mut directory)?;
        places.push(place);
        members.push(member);
    }
    // Files within each other make a small archive inflate to a very large one.
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        return Err(wrong("files of the archive lie within each other"));
    }
    Ok(members)
}

/// What of the bytes is the directory, and how many files it has.
fn directory(bytes: &[u8]) -> Option<(Reader<'_>, u64)> {
    // A comment of up to 65,535 bytes may follow.
    let from = bytes.len().saturating_sub(22 + 65_535);
    let at = from + bytes[from..].windows(4).rposition(|window| window == END)?;
    let mut end = Reader(&bytes[at + 4..]);
    end.take(6)?;
    let (mut count, mut size, mut start) = (end.number(2)?, end.number(4)?, end.number(4)?);
    if end.number(2)? != end.0.len() as u64 {
        return None;
    }
    if count == 0xffff || size == ELSEWHERE || start == ELSEWHERE {
        let mut locator = Reader(bytes.get(at.checked_sub(20)?..at)?);
        if locator.take(4)? != LOCATOR_64 {
            return None;
        }
        locator.take(4)?;
        let mut end = Reader(bytes.get(usize::try_from(locator.number(8)?).ok()?..at)?);
        if end.take(4)? != END_64 {
            return None;
        }
        end.take(8 + 2 + 2 + 4 + 4 + 8)?;
        (count, size, start) = (end.number(8)?, end.number(8)?, end.number(8)?);
    }
    let start = usize::try_from(start).ok()?;
    let directory = bytes.get(start..start.checked_add(usize::try_from(size).ok()?)?)?;
    // Each entry has 46 bytes or more.
    (count <= size / 46).then_some((Reader(directory), count))
}

/// The next file of the directory, and from where to where it lies.
fn next<'a>(bytes: &'a [u8], directory: &mut Reader<'a>) -> Result<(Member<'a>, (usize, usize)), Fault> {
    let entry = Entry::read(directory).ok_or_else(|| Fault::Damaged("the archive's directory is cut off".into()))?;
    let name =
        std::str::from_utf8(entry.name).map_err(|_| Fault::Damaged("a name in the archive is no text".into()))?;
    if entry.flags & 1 != 0 {
        return Err(Fault::Unsupported(format!("expected a readable archive, found `{}` encrypted", shown(name))));
    }
    let packed = match entry.method {
        0 => false,
        8 => true,
        other => {
            return Err(Fault::Unsupported(format!(
                "expected files that are stored or deflated, found `{}` compressed by method {other}",
                shown(name)
            )));
        }
    };
    let (data, place) =
        entry.data(bytes).ok_or_else(|| Fault::Damaged(format!("`{}` is not where it is told to be", shown(name))))?;
    Ok((Member { name: name.to_owned(), packed, crc: entry.crc, size: entry.size, data }, place))
}

/// A file as the directory tells of it.
struct Entry<'a> {
    flags: u64,
    method: u64,
    crc: u32,
    packed_size: usize,
    size: usize,
    start: usize,
    name: &'a [u8],
}

impl<'a> Entry<'a> {
    fn read(directory: &mut Reader<'a>) -> Option<Self> {
        if directory.take(4)? != CENTRAL {
            return None;
        }
        directory.take(4)?;
        let (flags, method) = (directory.number(2)?, directory.number(2)?);
        directory.take(4)?;
        let crc = directory.number(4)? as u32;
        let (mut packed_size, mut size) = (directory.number(4)?, directory.number(4)?);
        let (name, extra, comment) = (directory.number(2)?, directory.number(2)?, directory.number(2)?);
        directory.take(8)?;
        let mut start = directory.number(4)?;
        let name = directory.take(name as usize)?;
        let mut extra = Reader(directory.take(extra as usize)?);
        directory.take(comment as usize)?;
        while let (Some(id), Some(length)) = (extra.number(2), extra.number(2)) {
            let mut field = Reader(extra.take(length as usize)?);
            if id == 1 {
                for value in [&mut size, &mut packed_size, &mut start] {
                    if *value == ELSEWHERE {
                        *value = field.number(8)?;
                    }
                }
            }
        }
        let [packed_size, size, start] = [packed_size, size, start].map(|n| usize::try_from(n).ok());
        Some(Self { flags, method, crc, packed_size: packed_size?, size: size?, start: start?, name })
    }

    /// Its bytes in the archive, and from where to where it lies.
    fn data(&self, bytes: &'a [u8]) -> Option<(&'a [u8], (usize, usize))> {
        let mut local = Reader(bytes.get(self.start..)?);
        if local.take(4)? != LOCAL {
            return None;
        }
        local.take(22)?;
        let (name, extra) = (local.number(2)?, local.number(2)?);
        if local.take(name as usize)? != self.name {
            return None;
        }
        local.take(extra as usize)?;
        let data = local.take(self.packed_size)?;
        Some((data, (self.start, bytes.len() - local.0.len())))
    }
}

/// Bytes that are taken one part after the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number of some bytes, little end first.
    fn number(&mut self, bytes: usize) -> Option<u64> {
        Some(self.take(bytes)?.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }
}
