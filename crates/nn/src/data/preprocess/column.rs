//! What becomes of one column.

use super::each::{Part, each, words};
use super::{Fill, Preparing, Scaling};
use crate::data::cells::{self, Raw};
use crate::data::dates::civil;
use crate::data::scale::moments;
use crate::data::{self, DateOrder, Field, Notation, Role, Table};
use crate::error::{Error, Kind, shown};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;
use std::fmt;

/// What becomes of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Words that stand for a missing cell.
    #[serde(default)]
    pub missing: Vec<String>,
    /// The features that it becomes.
    pub map: Map,
}

/// How a cell becomes features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Map {
    /// A number: `(x − shift) / scale`, of its logarithm where so said.
    Number {
        /// What stands for a missing one, if it is no error.
        fill: Option<f64>,
        /// Whether the logarithm is taken first.
        logarithm: bool,
        /// Where this is said, `arsinh(x / bend)` is taken first: a logarithm of what is large, of both signs, and a straight line through 0
        /// (Burbidge, Magee and Robb, "Alternative transformations to handle extreme values of the dependent variable", 1988).
        #[serde(default)]
        bend: Option<f64>,
        /// What is taken away.
        shift: f64,
        /// What it is divided by.
        scale: f64,
        /// Whether a second feature tells that it was missing.
        flag: bool,
    },
    /// A feature for each word, 1 for the cell's own.
    OneHot {
        /// The words.
        words: Vec<String>,
        /// Whether missing cells have a feature too, else they are an error; `None` where no training row has one: then all are 0.
        missing: Option<bool>,
        /// Whether all are 0 for another word, else it is an error.
        unknown: bool,
    },
    /// One number, the word's place in the list, for an embedding; one more for missing cells, one more still for other words.
    Index {
        /// The words.
        words: Vec<String>,
        /// Whether missing cells have a place, else they are an error.
        missing: bool,
        /// Whether other words have a place, else they are an error.
        unknown: bool,
    },
    /// Three features: the time that has passed, `(days − shift) / scale`, and sine and cosine of the time of the year.
    Date {
        /// How it is written.
        order: DateOrder,
        /// The day that stands for a missing one, from 1970-01-01, if it is no error.
        fill: Option<f64>,
        /// The day in the middle.
        shift: f64,
        /// The spread in days.
        scale: f64,
    },
}

impl Column {
    /// What training rows tell of a column.
    pub(super) fn fit(
        table: &Table,
        column: &data::Column,
        field: &Field,
        notation: Option<&Notation>,
        how: Preparing,
    ) -> Result<Self, Error> {
        let wrong = |row: usize, found: Option<Raw>| {
            let kind = unfit(&field.name, expected(field.kind), found);
            table.error(row, &field.name, in_unit(kind, notation))
        };
        // The first row without a cell.
        let mut gap = None;
        let mut read = |number: &dyn Fn(Raw) -> Option<f64>| -> Result<Vec<f64>, Error> {
            let mut there = Vec::with_capacity(table.len());
            let read = |row: usize, cell: Option<Raw>| {
                if cell.is_none() {
                    gap.get_or_insert(row);
                }
                cell.map(|cell| number(cell).ok_or_else(|| wrong(row, Some(cell)))).transpose()
            };
            each(column, &field.missing, read, |_, number| there.extend(number))?;
            Ok(there)
        };
        let map = match field.kind {
            Role::Number | Role::Ignore => number(&read(&|cell| cell.written(notation).number())?, table.len(), how),
            Role::Date(order) => {
                let days = read(&|cell| order.days(&cell.text()))?;
                let (fill, _) = filled(&days, how.missing_numbers);
                let (shift, scale) = moments(days.iter().copied(), 0.0);
                Map::Date { order, fill, shift, scale }
            }
            Role::Category => {
                let words = words(column, &field.missing, |row| {
                    gap.get_or_insert(row);
                    Ok::<_, Error>(())
                })?;
                if how.indices {
                    Map::Index { words, missing: how.missing_words, unknown: how.unknown_words }
                } else {
                    let missing = (gap.is_some() || !how.missing_words).then_some(how.missing_words);
                    Map::OneHot { words, missing, unknown: how.unknown_words }
                }
            }
        };
        let this = Self { name: field.name.clone(), missing: field.missing.clone(), map };
        match gap {
            Some(row) if this.fill().is_none() => Err(wrong(row, None)),
            _ => Ok(this),
        }
    }

    /// A cell, as a number where it is written as one.
    pub(super) fn read<'a>(&self, cell: Raw<'a>, notation: Option<&Notation>) -> Raw<'a> {
        if matches!(self.map, Map::Number { .. }) { cell.written(notation) } else { cell }
    }

    /// How many features it becomes.
    pub fn width(&self) -> usize {
        match &self.map {
            Map::Number { flag, .. } => 1 + usize::from(*flag),
            Map::OneHot { words, missing, .. } => words.len() + usize::from(*missing == Some(true)),
            Map::Index { .. } => 1,
            Map::Date { .. } => 3,
        }
    }

    /// Of how many things its feature tells the place, with missing and other words where they have one: the rows of an embedding. `None` where it
    /// is no place.
    pub fn places(&self) -> Option<usize> {
        match &self.map {
            Map::Index { words, missing, unknown } => Some(words.len() + usize::from(*missing) + usize::from(*unknown)),
            Map::Number { .. } | Map::OneHot { .. } | Map::Date { .. } => None,
        }
    }

    /// What these are called.
    pub fn names(&self) -> Vec<String> {
        // A table may have a first column without a name; each feature has one.
        let name = &if self.name.is_empty() { "column_1".to_owned() } else { self.name.clone() };
        match &self.map {
            Map::Number { flag: false, .. } | Map::Index { .. } => vec![name.clone()],
            Map::Number { flag: true, .. } => vec![name.clone(), format!("{name} is missing")],
            Map::OneHot { words, missing, .. } => {
                let words = words.iter().map(|word| format!("{name}={word}"));
                words.chain((*missing == Some(true)).then(|| format!("{name} is missing"))).collect()
            }
            Map::Date { .. } => {
                vec![name.clone(), format!("{name}: sine of the year"), format!("{name}: cosine of the year")]
            }
        }
    }

    /// What stands for a missing cell, in words, where it is no error.
    pub(super) fn fill(&self) -> Option<String> {
        match &self.map {
            Map::Number { fill, .. } => fill.map(|fill| fill.to_string()),
            Map::OneHot { missing: Some(false), .. } | Map::Index { missing: false, .. } => None,
            Map::OneHot { missing: None, .. } => Some("none of the words".to_owned()),
            Map::OneHot { .. } | Map::Index { .. } => Some("a word of its own".to_owned()),
            Map::Date { fill, .. } => fill.map(|day| {
                let (year, month, _) = civil(day.floor() as i64);
                format!("a day of {year}-{month:02}")
            }),
        }
    }

    /// Whether a cell holds another word than those of training, and that is no error.
    pub(super) fn takes_unknown(&self, cell: Raw) -> bool {
        match &self.map {
            Map::OneHot { words, unknown: true, .. } | Map::Index { words, unknown: true, .. } => {
                cells::place(words, cell).is_none()
            }
            Map::OneHot { .. } | Map::Index { .. } | Map::Number { .. } | Map::Date { .. } => false,
        }
    }

    /// What a cell is to be, in words.
    pub(super) fn expected(&self) -> &'static str {
        match &self.map {
            Map::Number { .. } => "a number",
            Map::OneHot { .. } | Map::Index { .. } => "a word",
            Map::Date { .. } => "a date",
        }
    }

    /// The features of a cell, put behind others.
    pub(super) fn push(&self, cell: Option<Raw>, to: &mut Vec<f64>) -> Result<(), Kind> {
        let (part, start) = (self.part(cell)?, to.len());
        to.resize(start + self.width(), 0.0);
        part.write(|at, x| to[start + at] = x);
        Ok(())
    }

    /// The features of a cell.
    pub(super) fn part(&self, cell: Option<Raw>) -> Result<Part, Kind> {
        let wrong = |expected: &str| unfit(&self.name, expected, cell);
        Ok(match &self.map {
            Map::Number { fill, logarithm, bend, shift, scale, flag } => {
                let x = match cell {
                    Some(cell) => cell.number().ok_or_else(|| wrong("a number"))?,
                    None => fill.ok_or_else(|| wrong("a number"))?,
                };
                let x = if *logarithm { positive(x).ok_or_else(|| wrong("a number above 0"))? } else { x };
                let x = bend.map_or(x, |bend| libm::asinh(x / bend));
                let x = (x - shift) / scale;
                if *flag { Part::numbers([x, f64::from(u8::from(cell.is_none()))]) } else { Part::numbers([x]) }
            }
            Map::Date { order, fill, shift, scale } => {
                let day = match cell {
                    Some(cell) => {
                        order.days(&cell.text()).ok_or_else(|| wrong(&format!("a date, {}", order.shown())))?
                    }
                    None => fill.ok_or_else(|| wrong("a date"))?,
                };
                let (_, _, of_year) = civil(day.floor() as i64);
                let angle = TAU * of_year as f64 / 366.0;
                // These are the same on every machine, which the standard library's need not be.
                Part::numbers([(day - shift) / scale, libm::sin(angle), libm::cos(angle)])
            }
            Map::OneHot { words, missing, unknown } => Part::Hot(match cell {
                None if *missing == Some(false) => return Err(wrong("a word")),
                None => missing.map(|_| words.len()),
                Some(cell) => match cells::place(words, cell) {
                    None if !*unknown => return Err(wrong(&one_of("a known word", words))),
                    place => place,
                },
            }),
            Map::Index { words, missing, unknown } => Part::numbers([match cell {
                None if *missing => words.len() as f64,
                None => return Err(wrong("a word")),
                Some(cell) => match cells::place(words, cell) {
                    Some(place) => place as f64,
                    None if *unknown => (words.len() + usize::from(*missing)) as f64,
                    None => return Err(wrong(&one_of("a known word", words))),
                },
            }]),
        })
    }
}

/// How a column of these numbers is mapped, of which some may be missing among so many rows.
fn number(there: &[f64], rows: usize, how: Preparing) -> Map {
    let (fill, middle) = filled(there, how.missing_numbers);
    let least = there.iter().copied().fold(f64::INFINITY, f64::min);
    let most = there.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let logarithm = how.logarithms && least > 0.0 && most / least >= 1e3;
    let bend = if how.bend_features && !logarithm { bend(there) } else { None };
    let scaled = |x: f64| match bend {
        Some(bend) => libm::asinh(x / bend),
        None if logarithm => libm::log(x),
        None => x,
    };
    // Those that are filled in count too, as they will.
    let gaps = std::iter::repeat_n(middle, rows - there.len());
    let values = there.iter().copied().chain(gaps).map(scaled);
    let (shift, scale) = match how.scaling {
        Scaling::Plain => (0.0, 1.0),
        Scaling::Standard => moments(values, 0.0),
        Scaling::MinMax if there.is_empty() || least == most => (scaled(middle), 1.0),
        Scaling::MinMax => (scaled(least), scaled(most) - scaled(least)),
    };
    Map::Number { fill, logarithm, bend, shift, scale, flag: how.flags && there.len() < rows }
}

/// By what numbers are to be divided before they are bent, where that makes them much less skewed: the tenth part of their magnitudes that are
/// not 0 is below it.
pub(super) fn bend(numbers: &[f64]) -> Option<f64> {
    let mut magnitudes: Vec<f64> = numbers.iter().map(|x| x.abs()).filter(|&x| x > 0.0).collect();
    magnitudes.sort_by(f64::total_cmp);
    let bend = *magnitudes.get(magnitudes.len() / 10)?;
    let bent: Vec<f64> = numbers.iter().map(|x| libm::asinh(x / bend)).collect();
    let skewed = skewness(numbers);
    (skewed > 1.5 && skewness(&bent) < 0.5 * skewed).then_some(bend)
}

/// The magnitude of the third moment of numbers that are standardised.
fn skewness(numbers: &[f64]) -> f64 {
    let (mean, scale) = moments(numbers.iter().copied(), 0.0);
    (numbers.iter().map(|x| ((x - mean) / scale).powi(3)).sum::<f64>() / numbers.len() as f64).abs()
}

/// What stands for a missing number, and the middle of the others.
fn filled(there: &[f64], fill: Fill) -> (Option<f64>, f64) {
    let middle = match (fill, there.len()) {
        (_, 0) => 0.0,
        (Fill::Mean, _) => moments(there.iter().copied(), 0.0).0,
        (Fill::Median | Fill::Error, n) => {
            let mut numbers = there.to_vec();
            let (below, &mut upper, _) = numbers.select_nth_unstable_by(n / 2, f64::total_cmp);
            let lower = if n % 2 == 1 { upper } else { below.iter().copied().max_by(f64::total_cmp).unwrap_or(upper) };
            lower / 2.0 + upper / 2.0
        }
    };
    (if fill == Fill::Error { None } else { Some(middle) }, middle)
}

fn expected(role: Role) -> &'static str {
    match role {
        Role::Number | Role::Ignore => "a number",
        Role::Category => "a word",
        Role::Date(_) => "a date",
    }
}

fn positive(x: f64) -> Option<f64> {
    if x > 0.0 { Some(libm::log(x)) } else { None }
}

/// What one of some words is, and the first of them.
pub(super) fn one_of(what: &str, words: &[String]) -> String {
    let list: Vec<String> = words.iter().take(8).map(|word| format!("`{}`", shown(word))).collect();
    let more = if words.len() > list.len() { ", …" } else { "" };
    format!("{what} ({}{more})", list.join(", "))
}

/// What is wrong with a cell, with the unit that its number is to have.
pub(super) fn in_unit(kind: Kind, notation: Option<&Notation>) -> Kind {
    match (kind, notation.filter(|notation| notation.has_unit())) {
        (Kind::Cell { name, expected, found }, Some(notation)) if expected == "a number" => {
            Kind::Cell { name, expected: format!("a number in {notation}"), found }
        }
        (kind, _) => kind,
    }
}

pub(super) fn unfit(name: &str, expected: &str, found: Option<Raw>) -> Kind {
    let found = found.map(|cell| cell.text().into_owned());
    Kind::Cell { name: name.to_owned(), expected: expected.to_owned(), found }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: ", shown(&self.name))?;
        match &self.map {
            Map::Number { logarithm, bend, shift, scale, .. } => match bend {
                Some(bend) => write!(f, "(arsinh(x / {bend}) − {shift}) / {scale}")?,
                None => write!(f, "({} − {shift}) / {scale}", if *logarithm { "ln x" } else { "x" })?,
            },
            Map::OneHot { words, .. } => write!(f, "one of {} words", words.len())?,
            Map::Index { words, .. } => write!(f, "a place among {} words", words.len())?,
            Map::Date { order, .. } => write!(f, "a date, {}", order.shown())?,
        }
        match self.fill() {
            Some(fill) => write!(f, "; missing: {fill}"),
            None => Ok(()),
        }
    }
}
