//! Rows that are none: the header once more, and sums below the table.

use super::growing::Growing;
use super::records::Record;
use crate::data::table::Lines;
use crate::error::shown;

/// Whether a record holds the names of the columns again, as it does where files were put together.
pub(super) fn repeats(record: &Record<'_>, names: &[String]) -> bool {
    let same = |(field, name): (usize, &String)| {
        let text = record.text(field);
        let text = text.trim_start_matches('\u{feff}');
        text == name || (text.contains(char::is_whitespace) && text.split_whitespace().eq(name.split_whitespace()))
    };
    names.len() > 1 && record.len() == names.len() && names.iter().enumerate().all(same)
}

/// Words with which a row of sums or means begins.
const WORDS: [&str; 16] = [
    "total",
    "totals",
    "grand total",
    "subtotal",
    "sum",
    "average",
    "mean",
    "gesamt",
    "gesamtsumme",
    "insgesamt",
    "summe",
    "mittelwert",
    "durchschnitt",
    "somme",
    "moyenne",
    "totale",
];

/// So many rows at the end may be of sums.
const MOST: usize = 3;

/// The last rows that begin with one of these words and were not plain: all that do in a column that is read again.
#[derive(Default)]
pub(super) struct Totals(Vec<(usize, String)>);

impl Totals {
    /// Notes a row, where it may be one of sums.
    pub(super) fn see(&mut self, record: &Record<'_>, row: usize) {
        let Some(field) = (0..record.len()).find(|&field| !record.bytes(field).is_empty()) else { return };
        if !names_sums(record.text(field).as_bytes()) {
            return;
        }
        if self.0.len() == MOST {
            self.0.remove(0);
        }
        self.0.push((row, record.text(field).into_owned()));
    }

    /// How many rows there are without those of sums at the end, and a note of them. Where the numbers are not sums or means of the others, a
    /// row stays.
    pub(super) fn sums(&self, columns: &[Growing], lines: &Lines, rows: usize) -> (usize, Option<String>) {
        let begin = |row: usize| {
            let noted = self.0.iter().find(|(at, _)| *at == row).map(|(_, word)| &word[..]);
            noted.or_else(|| first_word(columns, row).filter(|word| names_sums(word.as_bytes())))
        };
        let count = (0..MOST.min(rows)).take_while(|back| begin(rows - 1 - back).is_some()).count();
        let body = rows - count;
        let Some(word) = (body < rows).then(|| begin(body)).flatten().filter(|_| body >= 2) else {
            return (rows, None);
        };
        if columns.iter().any(|column| comes_before(column, word, body)) {
            return (rows, None);
        }
        let is_sum = |row: usize| columns.iter().any(|column| sums_up(column, body, row));
        let (word, line) = (shown(word), lines.of(body));
        if (body..rows).all(is_sum) {
            let what = if count == 1 { "the last row is" } else { &format!("the last {count} rows are") };
            let whose = if count == 1 { "its numbers are sums or means" } else { "their numbers are sums or means" };
            return (body, Some(format!("{what} left out, from line {line} (`{word}`): {whose} of the others")));
        }
        (rows, Some(format!("line {line} begins with `{word}`: is it a row like the others?")))
    }
}

/// Whether a row that begins with this word may be one of sums.
pub(super) fn names_sums(word: &[u8]) -> bool {
    // Nearly all words are told by their first letter.
    let is_mark = |byte: &u8| matches!(byte, b':' | b'.') || byte.is_ascii_whitespace();
    let end = word.iter().rposition(|byte| !is_mark(byte)).map_or(0, |last| last + 1);
    word.first().is_some_and(u8::is_ascii_alphabetic)
        && WORDS.iter().any(|known| word[..end].eq_ignore_ascii_case(known.as_bytes()))
}

/// The first cell of a row that is there, where it is a word of a column of words.
fn first_word(columns: &[Growing], row: usize) -> Option<&str> {
    for column in columns {
        match column {
            Growing::Text(words, places) => {
                let word = places.get(row).copied().flatten().map(|place| &words.all()[place as usize][..])?;
                if !word.is_empty() {
                    return Some(word);
                }
            }
            Growing::Numbers(numbers) if numbers.cells.get(row).is_some_and(|cell| cell.is_nan()) => (),
            Growing::Numbers(_) | Growing::Late => return None,
        }
    }
    None
}

/// Whether a row before the last ones has this word too, so that it means something else.
fn comes_before(column: &Growing, word: &str, rows: usize) -> bool {
    let Growing::Text(words, places) = column else { return false };
    let place = words.find(word.as_bytes());
    place.is_some() && places[..rows].contains(&place)
}

/// Whether a number is the sum of those before it, or their mean as far as it is written.
fn sums_up(column: &Growing, body: usize, row: usize) -> bool {
    let Growing::Numbers(numbers) = column else { return false };
    let there = || numbers.cells[..body].iter().copied().filter(|cell| !cell.is_nan());
    let (count, sum) = (there().count(), there().sum::<f64>());
    let (size, number) = (there().map(f64::abs).sum::<f64>(), numbers.cells[row]);
    let mean = sum / count as f64;
    count >= 2 && size > 0.0 && ((number - sum).abs() <= 1e-6 * size || (number - mean).abs() <= 1e-3 * mean.abs())
}
