//! Numbers as texts spell them.

use autograd::Float;
use std::borrow::Cow;

/// A number in the grammar `[+-] digits [. digits] [e [+-] digits]`, as an integer times a power of ten.
#[derive(Clone, Copy)]
pub(super) struct Decimal {
    negative: bool,
    /// The digits as an integer, where there are at most 19 of them.
    digits: u64,
    /// How many digits there are before the point, and after it.
    pub(super) whole: usize,
    pub(super) fraction: usize,
    /// The power of ten.
    exponent: i32,
}

/// Takes a text apart; `point` is the byte before the fraction.
#[inline]
pub(super) fn decimal(text: &[u8], point: u8) -> Option<Decimal> {
    let negative = text.first() == Some(&b'-');
    let mut i = usize::from(negative || text.first() == Some(&b'+'));
    let (digits, [whole, fraction]) = digits(text, &mut i, point)?;
    let mut exponent = 0_i32;
    if let Some(b'e' | b'E') = text.get(i) {
        i += 1;
        let below = text.get(i) == Some(&b'-');
        i += usize::from(below || text.get(i) == Some(&b'+'));
        let start = i;
        while let Some(digit) = text.get(i).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10) {
            exponent = exponent.saturating_mul(10).saturating_add(i32::from(digit));
            i += 1;
        }
        if i == start {
            return None;
        }
        exponent = if below { -exponent } else { exponent };
    }
    let exponent = exponent.saturating_sub(i32::try_from(fraction).unwrap_or(i32::MAX));
    (i == text.len()).then_some(Decimal { negative, digits, whole, fraction, exponent })
}

/// The digits from a place on, with one point among them at most, as an integer, and how many there are before the point and after it: one
/// or more. The place is moved behind them.
#[inline(always)]
fn digits(text: &[u8], at: &mut usize, point: u8) -> Option<(u64, [usize; 2])> {
    let mut digits = 0_u64;
    let mut run = |at: &mut usize| {
        let start = *at;
        while let Some(digit) = text.get(*at).map(|byte| byte.wrapping_sub(b'0')).filter(|&digit| digit < 10) {
            digits = digits.wrapping_mul(10).wrapping_add(u64::from(digit));
            *at += 1;
        }
        *at - start
    };
    let whole = run(at);
    let mut fraction = 0;
    if text.get(*at) == Some(&point) {
        *at += 1;
        fraction = run(at);
    }
    (whole + fraction > 0).then_some((digits, [whole, fraction]))
}

/// The number that begins at a place and is plain, a sign `-` and fifteen digits at most with a point among them, and where it ends.
#[inline(always)]
pub(super) fn plain(text: &[u8], mut at: usize, point: u8) -> Option<(Decimal, usize)> {
    let negative = text.get(at) == Some(&b'-');
    at += usize::from(negative);
    let (digits, [whole, fraction]) = digits(text, &mut at, point)?;
    let decimal = Decimal { negative, digits, whole, fraction, exponent: -(fraction as i32) };
    (!decimal.long()).then_some((decimal, at))
}

/// A number of few digits.
pub(super) struct Short {
    pub(super) value: f64,
    /// How many digits there are before the point, and after it.
    pub(super) whole: usize,
    pub(super) fraction: usize,
    pub(super) zero_first: bool,
    /// Where it ends, and the byte there.
    pub(super) end: usize,
    pub(super) behind: u8,
}

/// The number that begins at a place, where it has seven bytes at most behind a sign `-`, or up to seven digits on both sides of the point: eight
/// bytes at once, as one integer.
#[inline(always)]
pub(super) fn short(text: &[u8], at: usize, point: u8) -> Option<Short> {
    let rest = text.get(at..)?;
    let negative = rest.first() == Some(&b'-');
    let rest = &rest[usize::from(negative)..];
    let (bytes, digits, other) = eight(rest)?;
    let whole = other.trailing_zeros() as usize / 8;
    let byte = |place: usize| (bytes >> (8 * place)) as u8;
    let (number, fraction, length, behind) = if whole < 8 && byte(whole) == point {
        let end = (other & (other - 1)).trailing_zeros() as usize / 8;
        if end < 8 {
            let (below, fraction) = (digits & ((1 << (8 * whole)) - 1), end - whole - 1);
            // The point is taken out.
            let joined = below | (digits >> (8 * whole) >> 8) << (8 * whole);
            if whole + fraction == 0 {
                return None;
            }
            (eight_digits(joined, whole + fraction), fraction, end, byte(end))
        } else {
            let (bytes, below, other) = eight(&rest[whole + 1..])?;
            let fraction = other.trailing_zeros() as usize / 8;
            if fraction == 8 || fraction == 0 || whole == 0 {
                return None;
            }
            let number = eight_digits(digits, whole) * POWERS[fraction] + eight_digits(below, fraction);
            (number, fraction, whole + 1 + fraction, (bytes >> (8 * fraction)) as u8)
        }
    } else if (1..8).contains(&whole) {
        (eight_digits(digits, whole), 0, whole, byte(whole))
    } else {
        return None;
    };
    let size = number as f64 / TENS[fraction];
    Some(Short {
        value: if negative { -size } else { size },
        whole,
        fraction,
        zero_first: digits.trailing_zeros() >= 8,
        end: at + usize::from(negative) + length,
        behind,
    })
}

/// Powers of ten.
const POWERS: [u64; 8] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000];

/// Eight bytes, their digits, and the high bit of each byte that is none: those above 9, which 0x76 carries there, and those beyond ASCII.
#[inline(always)]
fn eight(text: &[u8]) -> Option<(u64, u64, u64)> {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let bytes = u64::from_le_bytes(*text.first_chunk::<8>()?);
    let digits = bytes ^ 0x3030_3030_3030_3030;
    let other = (((digits & !HIGH) + 0x7676_7676_7676_7676) | digits) & HIGH;
    Some((bytes, digits, other))
}

/// The integer of so many digits, one at least, of which the first stand in the lowest bytes: pairs of digits, pairs of pairs, and both halves
/// are put together at once (D. Lemire, "Number parsing at a gigabyte per second", 2021).
#[inline(always)]
fn eight_digits(digits: u64, count: usize) -> u64 {
    let digits = digits << (64 - 8 * count);
    let pairs = digits.wrapping_mul(10) + (digits >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(0x000f_4240_0000_0064);
    let high = (pairs >> 16 & 0x0000_00ff_0000_00ff).wrapping_mul(0x0000_2710_0000_0001);
    low.wrapping_add(high) >> 32
}

/// Powers of ten that are numbers exactly.
const TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

impl Decimal {
    /// The nearest number of this type, with a point as the mark; `text` is what this was made of.
    #[inline(always)]
    pub(super) fn nearest_as<T: Float>(&self, text: &[u8]) -> T {
        T::of(if T::NAME == "f32" { f64::from(self.nearest_f32(text)) } else { self.nearest(text, b'.') })
    }

    /// Whether there are more digits than `f64` tells apart.
    #[inline(always)]
    pub(super) fn long(&self) -> bool {
        self.whole + self.fraction > 15
    }

    /// The nearest `f64`; `text` is what this was made of. Where the integer and the power are numbers exactly, their
    /// product or quotient is rounded once (W. D. Clinger, "How to read floating point numbers accurately", 1990).
    #[inline(always)]
    pub(super) fn nearest(&self, text: &[u8], point: u8) -> f64 {
        let power = self.exponent.unsigned_abs() as usize;
        if self.whole + self.fraction <= 19 && self.digits <= 1 << 53 && power < TENS.len() {
            let (digits, ten) = (self.digits as f64, TENS[power]);
            let size = if self.exponent < 0 { digits / ten } else { digits * ten };
            return if self.negative { -size } else { size };
        }
        with_point(text, point, |text| text.parse().ok()).unwrap_or(f64::NAN)
    }

    /// The same to `f32`, not by way of `f64`, which would round twice.
    fn nearest_f32(&self, text: &[u8]) -> f32 {
        const EXACT: u32 = 10;
        let power = self.exponent.unsigned_abs();
        if self.whole + self.fraction <= 19 && self.digits <= 1 << 24 && power <= EXACT {
            let (digits, ten) = (self.digits as f32, TENS[power as usize] as f32);
            let size = if self.exponent < 0 { digits / ten } else { digits * ten };
            return if self.negative { -size } else { size };
        }
        with_point(text, b'.', |text| text.parse().ok()).unwrap_or(f32::NAN)
    }
}

fn with_point<R>(text: &[u8], point: u8, parse: impl Fn(&str) -> Option<R>) -> Option<R> {
    let text = std::str::from_utf8(text).ok()?;
    if point == b'.' { parse(text) } else { parse(&text.replace(char::from(point), ".")) }
}

/// The number that a text spells, which may be too large and infinite.
#[inline]
pub(in crate::data) fn number(text: &[u8], point: u8) -> Option<f64> {
    decimal(text, point).map(|decimal| decimal.nearest(text, point))
}

/// The number of this type that a text spells, which may be too large and infinite.
#[inline]
pub(super) fn number_as<T: Float>(text: &[u8]) -> Option<T> {
    decimal(text, b'.').map(|decimal| decimal.nearest_as(text))
}

/// Whether a text spells an infinity or NaN.
pub(super) fn not_finite(text: &str) -> bool {
    let text = text.trim_start_matches(['+', '-']);
    ["nan", "inf", "infinity"].iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// A number of an integer with marks between its thousands, in any of the ways in which people write them.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::data) struct Grouped {
    pub(in crate::data) value: f64,
    /// Whether there are marks between thousands.
    pub(super) marks: bool,
    /// Whether there is a point.
    pub(super) point: bool,
}

/// The number that a text spells where `point` is before the fraction and another mark may be between thousands: `,` where the
/// point is `.`, `.` where it is `,`, or a space, or an apostrophe.
pub(in crate::data) fn grouped(text: &str, point: u8) -> Option<Grouped> {
    // Most words have a letter, or no digit.
    let letter = |byte: u8| byte.is_ascii_alphabetic() && !matches!(byte, b'e' | b'E');
    if text.bytes().any(letter) || !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let text = if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(text.replace('\u{2212}', "-")) };
    let has_point = text.bytes().any(|byte| byte == point);
    if let Some(value) = number(text.as_bytes(), point) {
        return Some(Grouped { value, marks: false, point: has_point });
    }
    let body = text.trim_start_matches(['+', '-']);
    let whole = body.split(char::from(point)).next()?;
    let comma = if point == b',' { '.' } else { ',' };
    let mark = whole.chars().find(|c| [comma, ' ', '\u{a0}', '\u{202f}', '\u{2009}', '\'', '\u{2019}'].contains(c))?;
    let groups: Vec<&str> = whole.split(mark).collect();
    let digits = |group: &&str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
    let (first, rest) = groups.split_first()?;
    if !(first.len() <= 3 && rest.iter().all(|group| group.len() == 3) && groups.iter().all(digits)) {
        return None;
    }
    let sign = &text[..text.len() - body.len()];
    let plain = format!("{sign}{}{}", groups.concat(), &body[whole.len()..]);
    number(plain.as_bytes(), point).map(|value| Grouped { value, marks: true, point: has_point })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_are_the_nearest_ones(text in "[+-]?[0-9]{0,22}(\\.[0-9]{0,22})?([eE][+-]?[0-9]{1,3})?") {
            let want = text.parse::<f64>().ok();
            let found = number(text.as_bytes(), b'.');
            prop_assert_eq!(found.map(f64::to_bits), want.map(f64::to_bits));
            let single = number_as::<f32>(text.as_bytes());
            prop_assert_eq!(single.map(f32::to_bits), text.parse::<f32>().ok().map(f32::to_bits));
        }

        #[test]
        fn a_number_is_read_back_from_its_shortest_spelling(bits: u64, single: u32) {
            let (x, y) = (f64::from_bits(bits), f32::from_bits(single));
            prop_assume!(x.is_finite() && y.is_finite());
            prop_assert_eq!(number(format!("{x:e}").as_bytes(), b'.').unwrap().to_bits(), x.to_bits());
            prop_assert_eq!(number(x.to_string().replace('.', ",").as_bytes(), b',').unwrap().to_bits(), x.to_bits());
            prop_assert_eq!(number_as::<f32>(y.to_string().as_bytes()).unwrap().to_bits(), y.to_bits());
        }
    }

    proptest! {
        #[test]
        fn plain_numbers_end_where_their_digits_do(text in "-?[0-9]{0,9}(\\.[0-9]{0,9})?[,;\n\u{e9} .x][0-9a]{0,9}") {
            let bytes = text.as_bytes();
            let end = text.len() - text.trim_start_matches('-').trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let rest = text[end..].strip_prefix('.').map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
            let end = rest.map_or(end, |rest| text.len() - rest.len());
            let digits = text[..end].bytes().filter(u8::is_ascii_digit).count();
            let want = (1..=15).contains(&digits).then(|| text[..end].parse::<f64>().unwrap().to_bits());
            let want = want.map(|want| (want, end));
            let found = plain(bytes, 0, b'.').map(|(decimal, end)| (decimal.nearest(&bytes[..end], b'.').to_bits(), end));
            prop_assert_eq!(found, want);
            if let Some(short) = short(bytes, 0, b'.') {
                prop_assert_eq!(Some((short.value.to_bits(), short.end)), want);
                prop_assert_eq!(Some((short.whole + short.fraction, short.behind)), Some((digits, bytes[end])));
                prop_assert_eq!(short.zero_first, text.trim_start_matches('-').starts_with('0'));
            } else {
                prop_assert!(end > 7 || want.is_none() || text.len() < end + 8, "{}", text);
            }
        }
    }

    #[test]
    fn what_is_no_decimal_number_is_none() {
        for text in [
            "", "+", ".", "-.", "e5", "1e", "1e+", "1.2.3", "0x10", "1_000", "nan", "inf", "1 ", " 1", "1,5", "--1",
            "1f",
        ] {
            assert_eq!(number(text.as_bytes(), b'.'), None, "{text}");
        }
        for (text, want) in [("5.", 5.0), (".5", 0.5), ("+1e2", 100.0), ("007", 7.0), ("1e-400", 0.0)] {
            assert_eq!(number(text.as_bytes(), b'.'), Some(want), "{text}");
        }
    }

    #[test]
    fn short_numbers_may_have_seven_digits_on_either_side() {
        for (text, want) in [
            ("1234567,........", Some((1234567.0, 7))),
            ("1234567.,.......", None),
            ("-1234567.7654321,", Some((-1234567.7654321, 16))),
            ("0.123456,.......", Some((0.123456, 8))),
            ("12345678,.......", None),
            (".1234567,.......", None),
            ("1.12345678,.......", None),
            (".,..............", None),
            ("-,..............", None),
        ] {
            let found = short(text.as_bytes(), 0, b'.').map(|short| (short.value, short.end));
            assert_eq!(found, want, "{text}");
        }
    }

    #[test]
    fn thousands_are_groups_of_three() {
        let value = |text, point| grouped(text, point).map(|found| found.value);
        for (text, want) in [
            ("1,234", 1234.0),
            ("-12,345.5", -12345.5),
            ("1 234 567", 1234567.0),
            ("1'234.5", 1234.5),
            ("\u{2212}2", -2.0),
        ] {
            assert_eq!(value(text, b'.'), Some(want), "{text}");
        }
        for (text, want) in [("1.234", 1234.0), ("1.234,5", 1234.5), ("1 234,5", 1234.5), ("1,5", 1.5)] {
            assert_eq!(value(text, b','), Some(want), "{text}");
        }
        for text in ["1,23", "1234,567", "1,234,56", ",123", "1,,234", "1, 234", "12 34", "1,234 567"] {
            assert_eq!(value(text, b'.'), None, "{text}");
        }
    }
}
