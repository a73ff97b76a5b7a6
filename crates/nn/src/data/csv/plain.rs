//! Cells that stand there plainly, read in one pass over their bytes: the others are left to the records.

use super::number::Decimal;

/// The number of digits that begins here, with a sign and one point at most, and where it ends; none of more digits than `f64` holds exactly.
#[inline(always)]
pub(super) fn number(bytes: &[u8], mut at: usize, point: u8) -> Option<(Decimal, usize)> {
    let negative = *bytes.get(at)? == b'-';
    at += usize::from(negative);
    let mut digits = 0_u64;
    let mut run = |at: &mut usize| {
        let start = *at;
        while let Some(digit) = bytes.get(*at).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10) {
            digits = digits.wrapping_mul(10).wrapping_add(u64::from(digit));
            *at += 1;
        }
        *at - start
    };
    let whole = run(&mut at);
    let mut fraction = 0;
    if *bytes.get(at)? == point {
        at += 1;
        fraction = run(&mut at);
    }
    let few = (1..=15).contains(&(whole + fraction));
    few.then(|| (Decimal::plain(negative, digits, whole, fraction), at))
}

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
