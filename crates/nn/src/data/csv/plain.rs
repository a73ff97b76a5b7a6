//! Cells that stand there plainly, read in one pass over their bytes: the others are left to the records.

use super::number::{Decimal, plain};

/// A number and its spelling, and where its cell ends.
pub(super) struct Number<'a> {
    pub(super) decimal: Decimal,
    pub(super) text: &'a [u8],
    pub(super) end: usize,
}

/// The number that begins here, in quotes or not: a sign `-` and fifteen digits at most.
#[inline(always)]
pub(super) fn number(bytes: &[u8], start: usize, point: u8) -> Option<Number<'_>> {
    let quotes = usize::from(bytes.get(start) == Some(&b'"'));
    let (decimal, end) = plain(bytes, start + quotes, point)?;
    if quotes == 1 && bytes.get(end) != Some(&b'"') {
        return None;
    }
    Some(Number { decimal, text: &bytes[start + quotes..end], end: end + quotes })
}

/// The bytes of the cell that begins here, in quotes or not, and where it ends: without control characters in it, or quotes in quotes, or blanks
/// of ASCII around it. An empty one stands there without quotes.
#[inline(always)]
pub(super) fn word(bytes: &[u8], start: usize, delimiter: u8) -> Option<(&[u8], usize)> {
    let rest = bytes.get(start..)?;
    let (word, end) = if rest.first() == Some(&b'"') {
        let inner = &rest[1..];
        let end = run(inner, b'"')?;
        if inner[end] != b'"' || end == 0 {
            return None;
        }
        (&inner[..end], start + end + 2)
    } else {
        let end = run(rest, delimiter)?;
        (&rest[..end], start + end)
    };
    let blank = |byte: Option<&u8>| byte == Some(&b' ');
    if blank(word.first()) || blank(word.last()) {
        return None;
    }
    Some((word, end))
}

/// How many bytes there are before the first that is this one or a control character of ASCII: eight at a time are looked at. Of those flagged by
/// a borrow alone each comes behind one that is flagged rightly (S. E. Anderson, "Bit twiddling hacks").
#[inline(always)]
fn run(bytes: &[u8], end: u8) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let mut at = 0;
    while let Some(eight) = bytes[at..].first_chunk::<8>() {
        let eight = u64::from_le_bytes(*eight);
        let other = eight ^ (ONES * u64::from(end));
        let is_end = other.wrapping_sub(ONES) & !other;
        let is_control = eight.wrapping_sub(ONES * u64::from(b' ')) & !eight;
        let found = (is_end | is_control) & HIGH;
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    bytes[at..].iter().position(|&byte| byte == end || byte < b' ').map(|more| at + more)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_run_ends_at_the_first_separator_or_control_character(bytes in "[a-c,\n\u{e9}\u{1f} !\"]{0,40}") {
            let bytes = bytes.as_bytes();
            for end in *b",\";" {
                let want = bytes.iter().position(|&byte| byte == end || byte < b' ');
                prop_assert_eq!(run(bytes, end), want);
            }
        }
    }
}
