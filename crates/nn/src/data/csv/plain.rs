//! Cells that stand there plainly, read in one pass over their bytes: the others are left to the records.

pub(super) use super::number::plain as number;

/// The word that begins here, and where it ends: without a quote before it, blanks around it, or control characters in it.
#[inline(always)]
pub(super) fn word(bytes: &[u8], start: usize, delimiter: u8) -> Option<(&str, usize)> {
    let rest = bytes.get(start..)?;
    let end = rest.iter().position(|&byte| byte == delimiter || byte < b' ')?;
    let word = &rest[..end];
    let edge = |byte: u8| byte > b' ' && byte < 0x7f;
    if !edge(*word.first()?) || !edge(*word.last()?) || word[0] == b'"' {
        return None;
    }
    Some((std::str::from_utf8(word).ok()?, start + end))
}

/// Where the next cell begins behind one that ends here: behind a delimiter, or of the last one of a row, behind a line end.
#[inline(always)]
pub(super) fn behind(bytes: &[u8], end: usize, delimiter: u8, is_last: bool) -> Option<usize> {
    match (*bytes.get(end)?, is_last) {
        (byte, false) => (byte == delimiter).then_some(end + 1),
        (b'\n', true) => Some(end + 1),
        (b'\r', true) => (*bytes.get(end + 1)? == b'\n').then_some(end + 2),
        _ => None,
    }
}
