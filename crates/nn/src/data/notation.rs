//! Numbers that are written with something beside them.

use crate::data::csv::{Grouped, grouped};
use crate::error::shown;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// How the numbers of a column of text are written: with a unit, as `12 kg`, `45%` or `$1,200.50`, or with a limit, as `<0.5`.
///
/// ```
/// use nn::data::Notation;
/// let weight = Notation { after: "kg".into(), decimal_comma: true, ..Notation::default() };
/// assert_eq!(weight.number("1.200,5 kg"), Some(1200.5));
/// assert_eq!(weight.number("12"), Some(12.0)); // a plain number is taken as one in this unit
/// assert_eq!(weight.number("300 g"), None);
///
/// let measured = Notation { limits: true, ..Notation::default() };
/// assert_eq!((measured.number("<0.5"), measured.number("10+")), (Some(0.5), Some(10.0)));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notation {
    /// What stands before each number, such as `$`.
    pub before: String,
    /// What stands behind each number, such as `kg`; `year` and `years` are one.
    pub after: String,
    /// Whether 1,5 is one and a half.
    pub decimal_comma: bool,
    /// Whether `<0.5`, `>100` and `10+` are taken for the numbers that they are limits of.
    pub limits: bool,
}

impl Notation {
    /// The number of a cell, with the unit or without.
    pub fn number(&self, cell: &str) -> Option<f64> {
        self.grouped(&Parts::of(cell)?).map(|number| number.value)
    }

    /// Whether a cell is a number without the unit, where there is one.
    pub(crate) fn is_bare(&self, cell: &str) -> bool {
        let bare = |parts: Parts| parts.before.is_empty() && parts.after.is_empty();
        self.has_unit() && Parts::of(cell).is_some_and(bare)
    }

    pub(crate) fn has_unit(&self) -> bool {
        !self.before.is_empty() || !self.after.is_empty()
    }

    fn grouped(&self, parts: &Parts) -> Option<Grouped> {
        let bare = parts.before.is_empty() && parts.after.is_empty();
        let unit = parts.before == self.before && one(parts.after) == one(&self.after);
        if !(bare || unit) || (parts.limit && !self.limits) {
            return None;
        }
        grouped(&parts.number, if self.decimal_comma { b',' } else { b'.' }).filter(|number| number.value.is_finite())
    }
}

/// The unit, as it is told to a person.
impl fmt::Display for Notation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before[..], &self.after[..]) {
            (before, "") => write!(f, "`{}`", shown(before)),
            ("", after) => write!(f, "`{}`", shown(after)),
            (before, after) => write!(f, "`{}` and `{}`", shown(before), shown(after)),
        }
    }
}

/// A unit in the singular.
fn one(unit: &str) -> &str {
    if unit.len() > 3 { unit.strip_suffix('s').unwrap_or(unit) } else { unit }
}

/// A cell taken apart.
struct Parts<'a> {
    /// Whether the number is a limit: there is one of `<`, `>`, `≤`, `≥` before it, or `+` behind it.
    limit: bool,
    before: &'a str,
    /// With its sign.
    number: Cow<'a, str>,
    after: &'a str,
}

/// Of more characters than this nothing is a unit.
const LONGEST: usize = 20;

impl<'a> Parts<'a> {
    fn of(cell: &'a str) -> Option<Self> {
        let cell = cell.trim();
        // Most words begin with a letter, and most texts are longer than a number with its unit.
        let start = cell.find(|c: char| c.is_ascii_digit()).filter(|&start| start <= LONGEST)?;
        let start = start - usize::from(start > 0 && matches!(cell.as_bytes()[start - 1], b'.' | b','));
        let (front, rest) = cell.split_at(start);
        let within = |c: char| {
            c.is_ascii_digit() || matches!(c, '.' | ',' | ' ' | '\'' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\u{2019}')
        };
        let body = &rest[..rest.find(|c| !within(c)).unwrap_or(rest.len())];
        let number = body.trim_end_matches(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | ','));
        let after = rest[number.len()..].trim();
        let (after, above) = match after.strip_prefix('+') {
            Some(after) => (after.trim_start(), true),
            None => (after, false),
        };
        let (front, below) = match front.trim_start().strip_prefix(['<', '>', '\u{2264}', '\u{2265}']) {
            Some(front) => (front.strip_prefix('=').unwrap_or(front), true),
            None => (front, false),
        };
        let is_sign = |c: char| matches!(c, '-' | '\u{2212}' | '+');
        let negative = front.contains(['-', '\u{2212}']);
        let before = front.trim_matches(|c: char| is_sign(c) || c.is_whitespace());
        let signs = front.chars().filter(|&c| is_sign(c)).count();
        let fits = signs <= 1 && (before.is_empty() || is_currency(before)) && is_unit(after);
        fits.then(|| Self {
            limit: above || below,
            before,
            number: if negative { Cow::Owned(format!("-{number}")) } else { Cow::Borrowed(number) },
            after,
        })
    }
}

/// Whether a text is a sign of a currency, perhaps with letters, or the code of one: nothing else stands before numbers as their unit.
fn is_currency(text: &str) -> bool {
    const CODES: [&str; 26] = [
        "USD", "EUR", "GBP", "CHF", "JPY", "CNY", "INR", "CAD", "AUD", "NZD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF",
        "RON", "TRY", "BRL", "MXN", "ZAR", "KRW", "SGD", "HKD", "Rs", "Fr",
    ];
    let signs = text.chars().filter(|&c| is_currency_sign(c)).count();
    let letters = text.chars().filter(char::is_ascii_uppercase).count();
    CODES.contains(&text.trim_end_matches('.'))
        || (signs == 1 && letters <= 2 && text.chars().count() == signs + letters)
}

fn is_currency_sign(c: char) -> bool {
    matches!(c, '$' | '\u{a2}'..='\u{a5}' | '\u{20a0}'..='\u{20cf}' | '\u{e3f}')
}

/// Whether a text may be a unit: letters and a few signs, digits only as powers (`m2`, `kg/m3`).
fn is_unit(text: &str) -> bool {
    let mut last = ' ';
    let fits = text.chars().all(|c| {
        let power = matches!(c, '2' | '3') && (matches!(last, 'm' | 't' | '^'));
        let sign =
            matches!(c, '%' | '\u{2030}' | '\u{b0}' | '/' | '\u{b7}' | '*' | '.' | '^' | '"' | '\'' | ' ' | '(' | ')')
                || matches!(c, '\u{b2}' | '\u{b3}' | '\u{b9}' | '\u{2032}' | '\u{2033}' | '\u{a0}' | '\u{207b}');
        last = c;
        c.is_alphabetic() || power || sign || is_currency_sign(c)
    });
    fits && text.chars().count() <= LONGEST
}

/// What the words of a column tell of how its numbers are written.
pub(crate) struct Guess {
    pub(crate) notation: Notation,
    /// A word that is another number with a decimal comma, where no word tells which is meant, and both numbers.
    pub(crate) doubtful: Option<(String, [f64; 2])>,
    /// The other units, and how many cells have each.
    pub(crate) others: Vec<(String, usize)>,
    /// How many cells have the unit, and how many none.
    pub(crate) cells: usize,
    pub(crate) bare: usize,
    /// How many cells are limits, and one of them.
    pub(crate) limits: Option<(usize, String)>,
}

/// Whether a word holds a number, with or without a unit.
pub(crate) fn has_number(word: &str) -> bool {
    Parts::of(word).is_some()
}

/// The unit that most of the words with a number have, and their mark before a fraction; `None` where no word has a number. Each word comes with
/// how often it does.
pub(crate) fn guess<'a>(words: impl Iterator<Item = (&'a str, usize)> + Clone) -> Option<Guess> {
    let parts = || words.clone().filter_map(|(word, count)| Some((word, Parts::of(word)?, count)));
    let mut units: BTreeMap<(&str, &str), (usize, &str)> = BTreeMap::new();
    for (_, parts, count) in parts() {
        units.entry((parts.before, one(parts.after))).or_insert((0, parts.after)).0 += count;
    }
    // Of equal ones the one with a unit, which the plain numbers are taken in.
    let ((before, single), (cells, after)) =
        units.iter().max_by_key(|((before, after), (count, _))| (*count, before.len() + after.len()))?;
    let notation =
        Notation { before: (*before).to_owned(), after: (*after).to_owned(), decimal_comma: false, limits: true };
    let is_bare = |unit: &(&str, &str)| unit.0.is_empty() && unit.1.is_empty();
    let bare = units.get(&("", "")).filter(|_| notation.has_unit()).map_or(0, |(count, _)| *count);
    let others = units.iter().filter(|(unit, _)| !is_bare(unit) && **unit != (*before, *single));
    let others = others.map(|((before, _), (count, after))| (format!("{before}{after}"), *count)).collect();
    let mut guess = Guess { notation, doubtful: None, others, cells: *cells, bare, limits: None };

    let by_comma = Notation { decimal_comma: true, ..guess.notation.clone() };
    let (mut points, mut commas) = (0, 0);
    for (word, parts, count) in parts() {
        let (point, comma) = (guess.notation.grouped(&parts), by_comma.grouped(&parts));
        points += if point.is_some() { count } else { 0 };
        commas += if comma.is_some() { count } else { 0 };
        if let (Some(point), Some(comma)) = (point, comma)
            && point.value != comma.value
        {
            guess.doubtful.get_or_insert_with(|| (word.to_owned(), [point.value, comma.value]));
        }
        if parts.limit && (point.is_some() || comma.is_some()) {
            guess.limits.get_or_insert_with(|| (0, word.to_owned())).0 += count;
        }
    }
    guess.notation.limits = guess.limits.is_some();
    guess.notation.decimal_comma = commas > points;
    guess.doubtful = guess.doubtful.filter(|_| points == commas);
    Some(guess)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_with_its_unit_and_what_has_none_is_a_word() {
        for (cell, before, number, after) in [
            ("12 kg", "", "12", "kg"),
            ("45%", "", "45", "%"),
            ("$1,200.50", "$", "1,200.50", ""),
            ("-$5", "$", "-5", ""),
            ("$-5", "$", "-5", ""),
            ("1.234,56 \u{20ac}", "", "1.234,56", "\u{20ac}"),
            ("EUR 1 200", "EUR", "1 200", ""),
            ("US$3", "US$", "3", ""),
            ("80 m2", "", "80", "m2"),
            ("3.5kg/m3", "", "3.5", "kg/m3"),
            (" 7\u{a0}\u{b0}C ", "", "7", "\u{b0}C"),
            (".5 l", "", ".5", "l"),
            ("12", "", "12", ""),
        ] {
            let parts = Parts::of(cell).unwrap_or_else(|| panic!("{cell}"));
            assert_eq!((parts.before, &parts.number[..], parts.after), (before, number, after), "{cell}");
        }
        for cell in [
            "",
            "kg",
            "A 12",
            "Q1",
            "12-15 kg",
            "8 Feb 2023",
            "2021-03-04",
            "12:30",
            "a5",
            "#7",
            "5x2",
            "12 kg 3",
            "+49 30 1",
            "1e5 m",
            "12 of all the things that are there",
        ] {
            let number = Parts::of(cell).and_then(|parts| grouped(&parts.number, b'.')).filter(|_| cell != "+49 30 1");
            assert!(number.is_none(), "{cell}");
        }
    }

    #[test]
    fn the_unit_of_most_cells_is_that_of_the_column() {
        let of = |words: &[&'static str]| {
            let words: Vec<(&str, usize)> = words.iter().map(|word| (*word, 1)).collect();
            guess(words.iter().copied()).unwrap()
        };
        let years = of(&["1 year", "2 years", "10+ years", "< 1 year", "7"]);
        let after = years.notation.after.clone();
        assert_eq!((one(&after), years.cells, years.bare, years.others.len()), ("year", 4, 1, 0));
        assert_eq!(years.limits, Some((2, "10+ years".to_owned())));
        let mixed = of(&["1 kg", "2 kg", "300 g"]);
        assert_eq!((&mixed.notation.after[..], &mixed.others[..]), ("kg", &[("g".to_owned(), 1)][..]));
        let euro = of(&["1.234,56 \u{20ac}", "1.000 \u{20ac}"]);
        assert!(euro.notation.decimal_comma && euro.doubtful.is_none());
        assert_eq!(of(&["$1,200", "$300"]).doubtful, Some(("$1,200".to_owned(), [1200.0, 1.2])));
        assert!(guess([("Ulm", 3)].into_iter()).is_none());
    }
}
