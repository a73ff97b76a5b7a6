//! Labels as they are read, and the classes that they become.

use super::missing::is_missing;
use super::number::decimal;
use super::twins::twins;
use super::words::Words;
use crate::error::Kind;

/// More different numbers than this are rarely classes.
const MANY: usize = 20;

/// The labels of a file.
pub(super) struct Labels<'a> {
    name: &'a str,
    known: Option<&'a [String]>,
    words: Words,
    /// The known classes that are numbers, in their order, with their places.
    numbers: Vec<(f64, u32)>,
    /// The line on which each word came first.
    lines: Vec<u32>,
    rows: Vec<usize>,
}

/// The class of each row, and the names of the classes.
pub(super) type Labelled = (Vec<usize>, Vec<String>);

impl<'a> Labels<'a> {
    /// Of a column of this name, with classes that are known or are to be found.
    pub(super) fn new(name: &'a str, known: Option<&'a [String]>) -> Result<Self, Kind> {
        let mut words = Words::default();
        for class in known.unwrap_or_default() {
            if class.is_empty() || !words.place(class).1 {
                return Err(Kind::Class { name: class.clone() });
            }
        }
        let spelt = |(place, class): (usize, &String)| same_value(class).map(|value| (value, place as u32));
        let mut numbers: Vec<(f64, u32)> = known.unwrap_or_default().iter().enumerate().filter_map(spelt).collect();
        numbers.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        Ok(Self { name, known, words, numbers, lines: Vec::new(), rows: Vec::new() })
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The label of the next row, which stands in this line.
    pub(super) fn push(&mut self, label: &str, line: u32) -> Result<(), Kind> {
        let place = if self.known.is_some() {
            let known = self.words.find(label.as_bytes()).or_else(|| self.same_number(label));
            known.ok_or_else(|| self.unknown(label))?
        } else {
            let (place, new) = self.words.place(label);
            if new {
                self.check(label)?;
                self.lines.push(line);
            }
            place
        };
        self.rows.push(place as usize);
        Ok(())
    }

    /// As [`Labels::push`], of a label that has come before, or was known; whether it is one.
    #[inline]
    pub(super) fn push_known(&mut self, label: &[u8]) -> bool {
        let place = self.words.find(label);
        self.rows.extend(place.map(|place| place as usize));
        place.is_some()
    }

    /// The known class that is the same number in another spelling.
    fn same_number(&self, label: &str) -> Option<u32> {
        let value = same_value(label)?;
        let at = self.numbers.binary_search_by(|(known, _)| known.total_cmp(&value)).ok()?;
        Some(self.numbers[at].1)
    }

    /// What is wrong with a label that is none of the known ones.
    fn unknown(&self, label: &str) -> Kind {
        let (name, found) = (self.name.to_owned(), label.to_owned());
        if !label.is_empty() && is_missing(label) {
            return Kind::Missing { name, found };
        }
        Kind::Label { name, found, known: self.known.unwrap_or_default().into() }
    }

    /// Whether a text can be a class that nobody has listed.
    fn check(&self, label: &str) -> Result<(), Kind> {
        let (name, found) = (self.name.to_owned(), label.to_owned());
        if label.is_empty() {
            return Err(Kind::Label { name, found, known: Box::default() });
        }
        if is_missing(label) {
            return Err(Kind::Missing { name, found });
        }
        if label.contains(['\n', '\r']) {
            return Err(Kind::LineBreak { name, found });
        }
        if label.contains(char::is_control) {
            return Err(Kind::Control { name, found });
        }
        Ok(())
    }

    /// The label of each row, and the classes: as they are known, or those found, numbers by their size and words by their
    /// letters. An error may stand in a line.
    pub(super) fn finish(self) -> Result<Labelled, (Option<u32>, Kind)> {
        if let Some(known) = self.known {
            return Ok((self.rows, known.to_vec()));
        }
        let (words, mut rows) = (self.words.into_all(), self.rows);
        let numbers: Option<Vec<f64>> = words.iter().map(|word| value(word)).collect();
        let name = || self.name.to_owned();
        let spelling = |later: usize, first: usize, why: String| {
            let found = Box::new([words[later].clone(), words[first].clone()]);
            (Some(self.lines[later]), Kind::Spelling { name: name(), found, why })
        };
        if let Some(twin) = twins(&words).into_iter().next() {
            return Err(spelling(twin.later, twin.first, twin.why));
        }
        let mut order: Vec<usize> = (0..words.len()).collect();
        let (classes, place) = match numbers {
            None => {
                order.sort_unstable_by(|&a, &b| words[a].cmp(&words[b]));
                let classes = order.iter().map(|&word| words[word].clone()).collect();
                (classes, places(&order))
            }
            Some(numbers) => {
                order.sort_by(|&a, &b| numbers[a].total_cmp(&numbers[b]).then(a.cmp(&b)));
                let groups: Vec<&[usize]> = order.chunk_by(|&a, &b| one_number(&words, &numbers, a, b)).collect();
                for group in &groups {
                    let zeros = |word: &&usize| leading_zero(&words[**word]);
                    if group.len() > 1
                        && let Some(&word) = group.iter().find(zeros)
                    {
                        let other = if word == group[0] { group[1] } else { group[0] };
                        let why = "they are one number, and a zero before it may be meant".to_owned();
                        return Err(spelling(word.max(other), word.min(other), why));
                    }
                }
                let distinct: Vec<f64> = groups.iter().map(|group| numbers[group[0]]).collect();
                if measured(&distinct, rows.len()) {
                    let (values, rows) = (distinct.len(), rows.len());
                    return Err((None, Kind::Measured { name: name(), values, rows }));
                }
                let mut place = vec![0; words.len()];
                for (class, group) in groups.iter().enumerate() {
                    group.iter().for_each(|&word| place[word] = class);
                }
                let shortest =
                    |group: &&[usize]| group.iter().map(|&word| &words[word]).min_by_key(|word| (word.len(), *word));
                (groups.iter().filter_map(shortest).cloned().collect(), place)
            }
        };
        for row in &mut rows {
            *row = place[*row];
        }
        Ok((rows, classes))
    }
}

/// Where each stands in an order.
fn places(order: &[usize]) -> Vec<usize> {
    let mut places = vec![0; order.len()];
    for (place, &at) in order.iter().enumerate() {
        places[at] = place;
    }
    places
}

fn value(word: &str) -> Option<f64> {
    let number = decimal(word.as_bytes(), b'.')?.nearest(word.as_bytes(), b'.');
    number.is_finite().then_some(if number == 0.0 { 0.0 } else { number })
}

/// Whether two words spell one number. Of more digits than a number tells apart nothing is known.
fn one_number(words: &[String], numbers: &[f64], a: usize, b: usize) -> bool {
    let long = |word: &str| decimal(word.as_bytes(), b'.').is_none_or(|decimal| decimal.long());
    numbers[a] == numbers[b] && !long(&words[a]) && !long(&words[b])
}

fn leading_zero(word: &str) -> bool {
    let digits = word.trim_start_matches(['+', '-']).as_bytes();
    digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit()
}

/// The number that a word spells, where another spelling of it is surely meant as the same.
fn same_value(word: &str) -> Option<f64> {
    value(word).filter(|_| !leading_zero(word) && decimal(word.as_bytes(), b'.').is_some_and(|decimal| !decimal.long()))
}

/// Whether so many rows with these numbers, each once here and sorted, are measured rather than named by numbers: there are many,
/// and most stand in few rows. Names are numbers from 0 or 1 on that come again and again, or few.
pub(crate) fn measured(distinct: &[f64], rows: usize) -> bool {
    let k = distinct.len();
    if distinct.iter().any(|number| number.fract() != 0.0) {
        return k > MANY || (k >= MANY / 2 && 2 * k > rows);
    }
    let [Some(first), Some(last)] = [distinct.first(), distinct.last()] else { return false };
    let counted = (*first == 0.0 || *first == 1.0) && last - first == (k - 1) as f64 && rows >= 2 * k;
    k > MANY && !counted && (k * k) as f64 > 4.0 * rows as f64
}
