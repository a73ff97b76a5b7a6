//! What a column holds, counted once.

use crate::data::cells::Raw;
use crate::data::notation::{Guess, guess};
use crate::data::{Cells, Column};
use crate::error::shown;
use std::borrow::Cow;

/// What a column holds, counted once.
pub(super) struct Seen<'a> {
    pub(super) column: &'a Column,
    /// How many cells are there.
    pub(super) filled: usize,
    pub(super) missing: usize,
    pub(super) cells: Distinct<'a>,
    pub(super) samples: Vec<String>,
    /// How the numbers of words are written, where there are some.
    pub(super) guess: Option<Guess>,
}

/// The different cells of a column, and how often each comes.
pub(super) enum Distinct<'a> {
    /// By their size.
    Numbers(Vec<(f64, usize)>),
    /// As they come first.
    Words(Vec<(&'a str, usize)>),
}

impl<'a> Seen<'a> {
    pub(super) fn new(column: &'a Column) -> Self {
        let (mut missing, mut guessed) = (0, None);
        let cells = match &column.cells {
            Cells::Numbers(all) => {
                let mut sorted: Vec<f64> = all.iter().copied().filter(|x| !x.is_nan()).collect();
                missing = all.len() - sorted.len();
                sorted.sort_unstable_by(f64::total_cmp);
                Distinct::Numbers(sorted.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect())
            }
            Cells::Text { words, rows } => {
                let mut counts = vec![0_usize; words.len()];
                for row in rows {
                    match row {
                        Some(word) => counts[*word as usize] += 1,
                        None => missing += 1,
                    }
                }
                let used: Vec<(&str, usize)> =
                    words.iter().zip(counts).filter(|(_, n)| *n > 0).map(|(word, n)| (&word[..], n)).collect();
                guessed = guess(used.iter().copied());
                Distinct::Words(used)
            }
        };
        let mut samples: Vec<String> = Vec::new();
        for cell in (0..column.cells.len()).filter_map(|row| Raw::of(column, row, &[])).take(200) {
            let text = cell.text();
            if !samples.iter().any(|known| *known == text) {
                samples.push(text.into_owned());
            }
            if samples.len() == 3 {
                break;
            }
        }
        Self { column, filled: column.cells.len() - missing, missing, cells, samples, guess: guessed }
    }

    pub(super) fn is_numbers(&self) -> bool {
        matches!(self.cells, Distinct::Numbers(_))
    }

    pub(super) fn distinct(&self) -> usize {
        match &self.cells {
            Distinct::Numbers(numbers) => numbers.len(),
            Distinct::Words(words) => words.len(),
        }
    }

    pub(super) fn only(&self) -> String {
        match &self.cells {
            Distinct::Numbers(numbers) => {
                numbers.first().map_or_else(String::new, |(x, _)| Raw::Number(*x).text().into_owned())
            }
            Distinct::Words(words) => words.first().map_or_else(String::new, |(word, _)| shown(word)),
        }
    }

    /// Its words, none where it is one of numbers.
    pub(super) fn words(&self) -> &[(&'a str, usize)] {
        match &self.cells {
            Distinct::Numbers(_) => &[],
            Distinct::Words(words) => words,
        }
    }

    /// The numbers in the order of rows, where all are numbers.
    pub(super) fn numbers(&self) -> Cow<'a, [f64]> {
        match &self.column.cells {
            Cells::Numbers(all) if self.missing == 0 => Cow::Borrowed(all),
            Cells::Numbers(all) => Cow::Owned(all.iter().copied().filter(|x| !x.is_nan()).collect()),
            Cells::Text { .. } => Cow::Borrowed(&[]),
        }
    }

    /// Whether its words are codes: digits alone, some of which begin with 0, so that they were not read as numbers.
    pub(super) fn is_codes(&self) -> bool {
        let words = self.words();
        let digits = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
        words.iter().any(|(word, _)| word.len() > 2 && word.starts_with('0'))
            && words.iter().all(|(word, _)| digits(word))
    }

    /// With how many are missing.
    pub(super) fn told(&self, why: String) -> String {
        if self.missing == 0 { why } else { format!("{why}; {} missing", self.missing) }
    }
}
