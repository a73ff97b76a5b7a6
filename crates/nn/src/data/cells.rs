//! One cell, whether of a column of numbers, of text, or of a row that came as text.

use crate::data::csv::{is_missing, spelled};
use crate::data::{Cells, Column, Notation};
use std::borrow::Cow;
use std::cmp::Ordering;

/// A cell that is not missing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Raw<'a> {
    Number(f64),
    Text(&'a str),
}

impl<'a> Raw<'a> {
    /// A cell of a column, unless it is missing or one of the marks.
    pub(crate) fn of(column: &'a Column, row: usize, marks: &[String]) -> Option<Self> {
        match &column.cells {
            Cells::Numbers(numbers) => Some(numbers[row]).filter(|x| !x.is_nan()).map(Self::Number),
            Cells::Text { words, rows } => {
                let word = rows[row].map(|place| &words[place as usize][..])?;
                if marks.iter().any(|mark| mark == word) { None } else { Some(Self::Text(word)) }
            }
        }
    }

    /// A cell as text, unless it is empty, stands for a missing one in any text, or is one of the marks.
    pub(crate) fn parse(text: &'a str, marks: &[String]) -> Option<Self> {
        let text = text.trim();
        if is_missing(text) || marks.iter().any(|mark| mark == text) { None } else { Some(Self::Text(text)) }
    }

    /// Its number.
    pub(crate) fn number(self) -> Option<f64> {
        match self {
            Self::Number(x) => Some(x),
            Self::Text(text) => number(text),
        }
    }

    /// Itself, as a number where it is one in this notation.
    pub(crate) fn written(self, notation: Option<&Notation>) -> Self {
        match (self, notation) {
            (Self::Text(text), Some(notation)) => notation.number(text).map_or(self, Self::Number),
            (Self::Text(_) | Self::Number(_), _) => self,
        }
    }

    /// Its text; of a number the shortest that is read as it.
    pub(crate) fn text(self) -> Cow<'a, str> {
        match self {
            Self::Number(x) => Cow::Owned(format!("{}", x + 0.0)), // no minus before 0
            Self::Text(text) => Cow::Borrowed(text),
        }
    }
}

/// A finite number, as files spell them.
pub(crate) fn number(text: &str) -> Option<f64> {
    spelled(text.as_bytes(), b'.').filter(|x| x.is_finite())
}

/// The place of a cell among words that are sorted as [`sort`] does: by its text, else by its number.
pub(crate) fn place(words: &[String], cell: Raw) -> Option<usize> {
    let text = cell.text();
    let by_text = words.binary_search_by(|word| compare(word, &text)).ok();
    by_text.or_else(|| {
        let x = cell.number()?;
        let place = words.partition_point(|word| number(word).is_some_and(|y| y < x));
        words.get(place).filter(|word| number(word) == Some(x)).map(|_| place)
    })
}

/// Numbers by their size, text after them by its letters.
pub(crate) fn sort(words: &mut Vec<String>) {
    let mut keyed: Vec<(Option<f64>, String)> = words.drain(..).map(|word| (number(&word), word)).collect();
    keyed.sort_by(|(x, a), (y, b)| order((*x, a), (*y, b)));
    words.extend(keyed.into_iter().map(|(_, word)| word));
}

fn compare(a: &str, b: &str) -> Ordering {
    order((number(a), a), (number(b), b))
}

fn order(a: (Option<f64>, &str), b: (Option<f64>, &str)) -> Ordering {
    match (a.0, b.0) {
        (Some(x), Some(y)) => x.total_cmp(&y).then_with(|| a.1.cmp(b.1)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.1.cmp(b.1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_text_and_numbers_in_any_spelling() {
        let mut words = ["b", "10", "2", "a", "-1", "3.5"].map(str::to_owned).to_vec();
        sort(&mut words);
        assert_eq!(words, ["-1", "2", "3.5", "10", "a", "b"]);
        for (i, word) in words.iter().enumerate() {
            assert_eq!(place(&words, Raw::Text(word)), Some(i));
        }
        assert_eq!(place(&words, Raw::Text("2.0")), Some(1));
        assert_eq!(place(&words, Raw::Number(10.0)), Some(3));
        assert_eq!((place(&words, Raw::Text("c")), place(&words, Raw::Number(3.0))), (None, None));
    }
}
