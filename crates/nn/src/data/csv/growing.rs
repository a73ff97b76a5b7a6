//! The cells of a column, as they come.

use super::edges::names_sums;
use super::missing::NO_NUMBER;
use super::number::{Decimal, decimal, short};
use super::plain;
use super::reading::Reading;
use super::records::Record;
use super::words::{Foreign, Words};
use super::{KNOWN, grow};

/// A column that is being read.
pub(super) enum Growing {
    Numbers(Numbers),
    /// Words, missing ones too, and their places.
    Text(Words, Vec<Option<u32>>),
    /// What was taken for numbers and is to be read again, as words.
    Late,
}

/// Numbers with one mark before the fraction.
#[expect(clippy::struct_excessive_bools, reason = "what was seen in the cells, each for itself")]
pub(super) struct Numbers {
    pub(super) cells: Vec<f64>,
    pub(super) point: u8,
    /// Whether one of them has the mark; and whether it is no mark between thousands there.
    pub(super) marked: bool,
    pub(super) loose: bool,
    /// Whether something stands for a missing number that would be a word elsewhere.
    pub(super) dashes: bool,
    /// Whether a whole number of three digits or more begins with 0, as codes do.
    pub(super) padded: bool,
}

impl Numbers {
    pub(super) fn new(point: u8) -> Self {
        Self { cells: Vec::new(), point, marked: false, loose: false, dashes: false, padded: false }
    }

    pub(super) fn comma(&self) -> bool {
        self.point == b',' && self.loose
    }

    pub(super) fn point(&self) -> bool {
        self.point == b'.' && self.loose
    }

    /// The next number, with so many digits before and behind the mark.
    #[inline(always)]
    fn take(&mut self, number: f64, [whole, fraction]: [usize; 2], zero_first: bool) {
        if fraction == 0 {
            self.padded |= zero_first && whole > 2;
        } else if !self.loose {
            self.marked = true;
            self.loose = fraction != 3 || whole == 0 || whole > 3 || zero_first;
        }
        self.cells.push(number);
    }

    #[inline]
    fn add(&mut self, cell: f64) {
        grow(&mut self.cells, 1);
        self.cells.push(cell);
    }

    /// Whether these may be codes: digits alone, some of which begin with 0.
    pub(super) fn may_be_codes(&self) -> bool {
        self.padded && !self.marked && self.cells.iter().all(|&cell| cell >= 0.0 || cell.is_nan())
    }

    /// Whether no cell is a number.
    pub(super) fn is_hollow(&self) -> bool {
        self.cells.iter().all(|cell| cell.is_nan())
    }

    /// The next cell; whether it may be one of numbers.
    #[inline]
    fn push(&mut self, bytes: &[u8], reading: &Reading, text: impl FnOnce() -> String) -> bool {
        if let Some(decimal) = decimal(bytes, self.point) {
            let number = decimal.nearest(bytes, self.point);
            if !number.is_finite() {
                return false;
            }
            grow(&mut self.cells, 1);
            self.take(number, [decimal.whole, decimal.fraction], bytes.first() == Some(&b'0'));
            return true;
        }
        if !bytes.is_empty() {
            let text = text();
            if !missing(reading, &text) {
                if !NO_NUMBER.contains(&&text[..]) {
                    return false;
                }
                self.dashes = true;
            }
        }
        self.add(f64::NAN);
        true
    }
}

impl Growing {
    /// Makes room for so many cells, of as many as are expected, and tells for how many there is.
    pub(super) fn make_room(&mut self, cells: usize, expected: usize) -> usize {
        match self {
            Self::Numbers(numbers) => room(&mut numbers.cells, cells, expected),
            Self::Text(_, places) => room(places, cells, expected),
            Self::Late => usize::MAX,
        }
    }

    /// An empty column that takes the same cells, in the memory of another one.
    pub(super) fn another(&self, of: Option<Self>) -> Self {
        match (self, of) {
            (Self::Numbers(this), Some(Self::Numbers(mut old))) => {
                old.cells.clear();
                Self::Numbers(Numbers { cells: old.cells, ..Numbers::new(this.point) })
            }
            (Self::Numbers(this), _) => Self::Numbers(Numbers::new(this.point)),
            (Self::Text(..), Some(Self::Text(_, mut places))) => {
                places.clear();
                Self::Text(Words::default(), places)
            }
            (Self::Text(..), _) => Self::Text(Words::default(), Vec::new()),
            (Self::Late, _) => Self::Late,
        }
    }

    /// Changes its words, if it has any, for these.
    pub(super) fn swap_words(&mut self, with: &mut Words) {
        if let Self::Text(words, _) = self {
            std::mem::swap(words, with);
        }
    }

    /// Takes the cells of another column behind its own, as if they were read here. The words of the other one are these.
    pub(super) fn join(&mut self, other: &Self, others: &mut Foreign) {
        match (self, other) {
            (Self::Numbers(numbers), Self::Numbers(others)) => {
                numbers.cells.extend_from_slice(&others.cells);
                numbers.marked |= others.marked;
                numbers.loose |= others.loose;
                numbers.dashes |= others.dashes;
                numbers.padded |= others.padded;
            }
            (Self::Text(words, places), Self::Text(_, more)) => {
                places.extend(more.iter().map(|place| Some(others.place_in(words, (*place)?))));
            }
            (Self::Late, _) => (),
            _ => unreachable!("a column of words or numbers has none of the others behind it"),
        }
    }

    /// Takes the cell that begins here, where it is plain and ends as it must; where it ends, and where the next one begins.
    #[inline(always)]
    pub(super) fn take_plain(
        &mut self,
        bytes: &[u8],
        at: usize,
        (delimiter, is_last): (u8, bool),
        missing: &[String],
    ) -> Option<(usize, usize)> {
        let behind = |end: usize| plain::behind(bytes, end, delimiter, is_last);
        match self {
            Self::Numbers(numbers) => {
                let ending = if is_last { b'\n' } else { delimiter };
                if let Some(short) = short(bytes, at, numbers.point).filter(|short| short.behind == ending) {
                    numbers.take(short.value, [short.whole, short.fraction], short.zero_first);
                    return Some((short.end, short.end + 1));
                }
                if let Some(number) = plain::number(bytes, at, numbers.point)
                    && let Some(next) = behind(number.end)
                {
                    let Decimal { whole, fraction, .. } = number.decimal;
                    let zero_first = number.text.first() == Some(&b'0');
                    numbers.take(number.decimal.nearest(number.text, numbers.point), [whole, fraction], zero_first);
                    return Some((number.end, next));
                }
                let (word, end) = plain::word(bytes, at, delimiter)?;
                let is_missing = word.is_empty() || missing.iter().any(|mark| mark.as_bytes() == word);
                let next = behind(end).filter(|_| is_missing)?;
                numbers.cells.push(f64::NAN);
                Some((end, next))
            }
            Self::Text(words, places) => {
                let (word, end) = plain::word(bytes, at, delimiter)?;
                let next = behind(end)?;
                places.push(Some(words.place_plain(word)?));
                Some((end, next))
            }
            Self::Late => {
                let (word, end) = plain::word(bytes, at, delimiter).filter(|(word, _)| !names_sums(word))?;
                let next = behind(end)?;
                std::str::from_utf8(word).is_ok().then_some((end, next))
            }
        }
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        match self {
            Self::Numbers(numbers) => numbers.cells.truncate(rows),
            Self::Text(_, places) => places.truncate(rows),
            Self::Late => (),
        }
    }
}

/// Takes the next cell of a column. An error is a cell that no table may hold.
#[inline]
pub(super) fn push(column: &mut Growing, reading: &Reading, record: Record<'_>, field: usize) -> Result<(), String> {
    match column {
        Growing::Numbers(numbers) => {
            if !numbers.push(record.bytes(field), reading, || record.text(field).into_owned()) {
                *column = Growing::Late;
            }
        }
        Growing::Text(words, rows) => {
            let text = record.text(field);
            let (place, new) = words.place(&text);
            if new && text.contains('\0') {
                return Err(text.into_owned());
            }
            rows.push(Some(place));
        }
        Growing::Late => (),
    }
    Ok(())
}

/// Makes room for so many more, of as many as are expected, and tells for how many there is.
fn room<T>(cells: &mut Vec<T>, more: usize, expected: usize) -> usize {
    if cells.capacity() - cells.len() < more && cells.len() >= KNOWN {
        // What is expected may be wrong by much: it is asked for, and not needed.
        let _ = cells.try_reserve_exact(expected);
    }
    grow(cells, more);
    cells.capacity() - cells.len()
}

pub(super) fn missing(reading: &Reading, cell: &str) -> bool {
    cell.is_empty() || reading.missing.iter().any(|mark| mark == cell)
}
