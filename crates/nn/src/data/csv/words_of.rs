//! What a column of words holds: words, or numbers that are not written plainly.

use super::growing::{Growing, missing};
use super::missing::NO_NUMBER;
use super::number::{Grouped, grouped, not_finite};
use super::reading::Reading;
use super::twins::twins;
use super::words::Words;
use crate::data::Cells;
use crate::data::table::Lines;
use crate::error::{Kind, shown};

/// Which marks before a fraction a file is known to have.
#[derive(Clone, Copy)]
pub(super) struct Marks {
    pub(super) comma: bool,
    pub(super) point: bool,
}

/// How the numbers of a column may be written.
struct Ways {
    point: Option<Vec<Option<Grouped>>>,
    comma: Option<Vec<Option<Grouped>>>,
}

/// The marks that columns have for sure, or that were said; where they have none, those that are said of others.
pub(super) fn marks(columns: &[Growing], reading: &Reading) -> Marks {
    if let Some(comma) = reading.decimal_comma {
        return Marks { comma, point: !comma };
    }
    let mut marks = Marks { comma: false, point: false };
    for column in columns {
        match column {
            Growing::Numbers(numbers) => {
                marks.comma |= numbers.comma();
                marks.point |= numbers.point();
            }
            Growing::Text(words, _) => match ways(words.all()) {
                Ways { point: None, comma: Some(_) } => marks.comma = true,
                Ways { point: Some(_), comma: None } => marks.point = true,
                Ways { .. } => (),
            },
            Growing::Late => (),
        }
    }
    match reading.decimal_comma_in_doubt {
        Some(comma) if !marks.comma && !marks.point => Marks { comma, point: !comma },
        _ => marks,
    }
}

/// The numbers of words with either mark, where all are numbers but those that stand for a missing one.
fn ways(words: &[String]) -> Ways {
    let with = |point: u8| {
        let mut numbers = Vec::new();
        for word in words {
            let number = grouped(word, point);
            let other = super::missing::is_missing(word) || NO_NUMBER.contains(&&word[..]) || not_finite(word);
            if number.is_none() && !other {
                return None;
            }
            numbers.push(number);
        }
        numbers.iter().flatten().any(|number| number.marks || number.point).then_some(numbers)
    };
    Ways { point: with(b'.'), comma: with(b',') }
}

/// The cells of a column of words. An error is in a row.
pub(super) fn cells(
    name: &str,
    words: Words,
    mut rows: Vec<Option<u32>>,
    reading: &Reading,
    marks: Marks,
    lines: &Lines,
    notes: &mut Vec<String>,
) -> Result<Cells, (usize, Kind)> {
    let words = words.into_all();
    let gone: Vec<bool> = words.iter().map(|word| missing(reading, word)).collect();
    let place = |row: usize| rows[row].map_or(0, |place| place as usize);
    let first_of = |word: usize| (0..rows.len()).find(|&row| place(row) == word).unwrap_or(0);
    if let Some(code) = code(&words, &gone) {
        let line = lines.of(first_of(code));
        notes.push(format!(
            "`{}` is text: `{}` in line {line} begins with 0, as codes do",
            shown(name),
            shown(&words[code])
        ));
    } else if let Some(numbers) =
        numbers(name, &words, &gone, reading, marks, notes).map_err(|(word, kind)| (first_of(word), kind))?
    {
        let cells = (0..rows.len()).map(|row| numbers[place(row)]).collect();
        return Ok(Cells::Numbers(cells));
    }
    nearly_numbers(name, &words, &gone, &rows, lines, notes);
    let kept = without(words, &gone, &mut rows);
    rows.shrink_to_fit();
    if kept.len() <= MOST_WORDS {
        for twin in twins(&kept).into_iter().take(3) {
            let (later, first) = (shown(&kept[twin.later]), shown(&kept[twin.first]));
            notes.push(format!("`{}` holds `{first}` and `{later}`, two words here: {}", shown(name), twin.why));
        }
    }
    Ok(Cells::Text { words: kept, rows })
}

/// The words that are not gone, by whose new places rows have them then.
fn without(words: Vec<String>, gone: &[bool], rows: &mut [Option<u32>]) -> Vec<String> {
    if !gone.contains(&true) {
        return words;
    }
    let (mut kept, mut places) = (Vec::new(), Vec::new());
    for (word, gone) in words.into_iter().zip(gone) {
        places.push((!gone).then_some(kept.len() as u32));
        if !gone {
            kept.push(word);
        }
    }
    for row in rows {
        *row = row.and_then(|place| places[place as usize]);
    }
    kept
}

/// A word that begins with 0 and has three digits or more, where all words are digits: they are codes, as those of towns or districts, whose
/// zeros numbers would lose.
fn code(words: &[String], gone: &[bool]) -> Option<usize> {
    let digits = |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
    let code = words.iter().position(|word| word.len() > 2 && word.starts_with('0') && digits(word))?;
    let mut all = words.iter().zip(gone);
    all.all(|(word, &gone)| gone || digits(word) || NO_NUMBER.contains(&&word[..])).then_some(code)
}

/// Of more words than this none is compared with the others: they are texts or names.
const MOST_WORDS: usize = 10_000;

/// The numbers that words are, where they are numbers. An error is in a word.
fn numbers(
    name: &str,
    words: &[String],
    gone: &[bool],
    reading: &Reading,
    marks: Marks,
    notes: &mut Vec<String>,
) -> Result<Option<Vec<f64>>, (usize, Kind)> {
    let value = |word: usize, point: u8| if gone[word] { None } else { grouped(&words[word], point) };
    let is = |word: usize, point: u8| {
        gone[word] || value(word, point).is_some() || NO_NUMBER.contains(&&words[word][..]) || not_finite(&words[word])
    };
    // Infinities alone are numbers that cannot be held, not words.
    let any = (0..words.len()).any(|word| {
        value(word, b'.').is_some() || value(word, b',').is_some() || (!gone[word] && not_finite(&words[word]))
    });
    let all = |point: u8| (0..words.len()).all(|word| is(word, point));
    if gone.iter().all(|&gone| gone) {
        return Ok(Some(vec![f64::NAN; words.len()]));
    }
    let point = match (any && all(b'.'), any && all(b',')) {
        (false, false) => return Ok(None),
        (true, false) => b'.',
        (false, true) if reading.decimal_comma == Some(false) => return Ok(None),
        (false, true) => b',',
        (true, true) => match (0..words.len()).find(|&word| value(word, b'.') != value(word, b',')) {
            None => b'.',
            Some(_) if marks.comma && !marks.point => b',',
            Some(_) if marks.point && !marks.comma => b'.',
            Some(word) => {
                let [a, b] = [b'.', b','].map(|point| value(word, point).map_or(0.0, |number| number.value));
                let why = format!("may be {a} or {b}: say whether there are decimal commas");
                return Err((word, Kind::Ambiguous { name: name.to_owned(), found: words[word].clone(), why }));
            }
        },
    };
    let mut numbers = Vec::with_capacity(words.len());
    for word in 0..words.len() {
        let number = value(word, point).map_or(f64::NAN, |number| number.value);
        if number.is_infinite() || (not_finite(&words[word]) && !gone[word]) {
            let (name, found) = (name.to_owned(), words[word].clone());
            return Err((word, Kind::NotFinite { name, found, number: "f64" }));
        }
        numbers.push(number);
    }
    let has = |test: fn(&Grouped) -> bool| (0..words.len()).find(|&word| value(word, point).as_ref().is_some_and(test));
    if let Some(word) = has(|number| number.marks) {
        let (shown, number) = (shown(&words[word]), numbers[word]);
        notes.push(format!("`{}` has marks between thousands: `{shown}` is {number}", crate::error::shown(name)));
    } else if let Some(word) = has(|number| number.point).filter(|_| point == b',') {
        let (shown, number) = (shown(&words[word]), numbers[word]);
        notes.push(format!("`{}` has decimal commas: `{shown}` is {number}", crate::error::shown(name)));
    }
    Ok(Some(numbers))
}

/// A note where nearly all cells are numbers and a few are not.
fn nearly_numbers(
    name: &str,
    words: &[String],
    gone: &[bool],
    rows: &[Option<u32>],
    lines: &Lines,
    notes: &mut Vec<String>,
) {
    let is: Vec<bool> =
        words.iter().map(|word| grouped(word, b'.').is_some() || grouped(word, b',').is_some()).collect();
    if !is.contains(&true) {
        return;
    }
    let places = || rows.iter().flatten().map(|&place| place as usize).filter(|&place| !gone[place]);
    let (all, numbers) = (places().count(), places().filter(|&place| is[place]).count());
    if 10 * numbers < 9 * all || numbers == 0 {
        return;
    }
    let other = |row: &Option<u32>| row.is_some_and(|place| !gone[place as usize] && !is[place as usize]);
    let Some(row) = rows.iter().position(other) else { return };
    let word = rows[row].map_or("", |place| &words[place as usize]);
    let (name, word, line) = (shown(name), shown(word), lines.of(row));
    notes.push(format!("`{name}` is text: {numbers} of {all} cells are numbers, `{word}` in line {line} is not"));
}
