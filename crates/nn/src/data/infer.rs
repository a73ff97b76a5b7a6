//! What the columns of a table seem to mean.

use crate::data::cells::{Raw, number};
use crate::data::index::{Index, Naming, index, naming, words};
use crate::data::schema::find;
use crate::data::{Cells, Column, DateOrder, Field, Goal, Role, Schema, Table};
use crate::error::{Error, Kind, shown};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Whole numbers of up to so many kinds may be classes.
const MOST_CLASSES: usize = 20;

impl Schema {
    /// Guesses what the columns mean, with a reason for each. Index columns (whole numbers, a different one in each row, that have a
    /// telling name, or that count the rows one by one; never a target), columns of one value and text that differs in nearly
    /// each row are ignored; text with few words is a category; text that reads as dates is that, and numbers are numbers. A
    /// target of text is classes, also one of few different whole numbers; other numbers are values. Several targets are labels
    /// where all are 0 and 1, else values.
    ///
    /// # Errors
    /// Where a target or a column to be ignored is not there; the error names those that are. Where targets of text are several, or one is named twice or
    /// to be ignored.
    pub fn infer(table: &Table, targets: &[&str], ignore: &[&str]) -> Result<Self, Error> {
        for name in ignore {
            find(table, name)?;
            if targets.contains(name) {
                let text = format!("`{}` cannot be both a target and left out", shown(name));
                return Err(Error::of(Kind::Data(text)));
            }
        }
        if let Some((_, name)) = targets.iter().enumerate().find(|(i, name)| targets[..*i].contains(name)) {
            let text = format!("`{}` is named twice among the targets", shown(name));
            return Err(Error::of(Kind::Data(text)));
        }
        let mut schema = Self::default();
        if !targets.is_empty() {
            let columns = targets.iter().map(|name| find(table, name)).collect::<Result<Vec<_>, _>>()?;
            let (goal, why) = goal(table, &columns)?;
            (schema.target, schema.why) = (Some(goal), why);
        }
        for (place, column) in table.columns.iter().enumerate() {
            let name = &column.name;
            if targets.contains(&&name[..]) {
                continue;
            }
            let seen = Seen::new(column);
            let (kind, why, missing) = if ignore.contains(&&name[..]) {
                (Role::Ignore, "as asked for".to_owned(), Vec::new())
            } else if ["sample_weight", "sample_weights"].contains(&&name.to_lowercase()[..]) && seen.is_numbers() {
                schema.weight = Some(name.clone());
                (Role::Ignore, "the weight of rows, by its name".to_owned(), Vec::new())
            } else {
                role(&seen, place)
            };
            let samples = seen.samples.clone();
            schema.columns.push(Field { name: name.clone(), kind, why, missing, samples });
        }
        Ok(schema)
    }
}

/// What a column holds, counted once.
struct Seen<'a> {
    column: &'a Column,
    /// How many cells are there.
    filled: usize,
    missing: usize,
    /// How often each different cell comes.
    counts: BTreeMap<String, usize>,
    /// In the order of rows, where all are numbers.
    numbers: Option<Vec<f64>>,
    samples: Vec<String>,
}

impl<'a> Seen<'a> {
    fn new(column: &'a Column) -> Self {
        let mut counts = BTreeMap::new();
        let numbers = match &column.cells {
            Cells::Numbers(all) => Some(all.iter().copied().filter(|x| !x.is_nan()).collect::<Vec<_>>()),
            Cells::Text { .. } => None,
        };
        match &column.cells {
            Cells::Numbers(_) => {
                let mut sorted = numbers.clone().unwrap_or_default();
                sorted.sort_by(f64::total_cmp);
                for same in sorted.chunk_by(|a, b| a == b) {
                    counts.insert(Raw::Number(same[0]).text().into_owned(), same.len());
                }
            }
            Cells::Text { words, rows } => {
                let mut of_word = vec![0_usize; words.len()];
                rows.iter().flatten().for_each(|&word| of_word[word as usize] += 1);
                let used = words.iter().zip(of_word).filter(|(_, count)| *count > 0);
                counts.extend(used.map(|(word, count)| (word.clone(), count)));
            }
        }
        let missing = column.cells.missing();
        let mut samples: Vec<String> = Vec::new();
        for cell in (0..column.cells.len()).filter_map(|row| Raw::of(column, row, &[])).take(200) {
            let text = cell.text().into_owned();
            if samples.len() < 3 && !samples.contains(&text) {
                samples.push(text);
            }
        }
        Self { column, filled: column.cells.len() - missing, missing, counts, numbers, samples }
    }

    fn is_numbers(&self) -> bool {
        self.numbers.is_some()
    }

    fn distinct(&self) -> usize {
        self.counts.len()
    }

    fn only(&self) -> String {
        self.counts.keys().next().map_or_else(String::new, |cell| shown(cell))
    }

    /// With how many are missing.
    fn told(&self, why: String) -> String {
        if self.missing == 0 { why } else { format!("{why}; {} missing", self.missing) }
    }
}

/// What a column is taken for, why, and what stands for its missing cells.
fn role(seen: &Seen, place: usize) -> (Role, String, Vec<String>) {
    let plain = |role, why: String| (role, seen.told(why), Vec::new());
    if seen.filled == 0 {
        return (Role::Ignore, "all cells are missing".to_owned(), Vec::new());
    }
    if seen.distinct() == 1 && (seen.is_numbers() || seen.missing == 0) {
        return plain(Role::Ignore, format!("the same in all rows: {}", seen.only()));
    }
    match &seen.numbers {
        Some(numbers) => {
            let (role, why) = number_role(seen, numbers, place);
            plain(role, why)
        }
        None => text_role(seen),
    }
}

fn number_role(seen: &Seen, numbers: &[f64], place: usize) -> (Role, String) {
    let (name, n, distinct) = (&seen.column.name, numbers.len(), seen.distinct());
    let whole = numbers.iter().all(|x| x.fract() == 0.0);
    if whole && distinct == n && seen.missing == 0 {
        match index(name, place, numbers.iter().copied()) {
            Some(Index::Named) => {
                return (Role::Ignore, "an index: by its name, and a number of its own in each row".to_owned());
            }
            Some(Index::Counts(low)) => {
                let high = low + (n - 1) as f64;
                return (Role::Ignore, format!("an index: it counts the rows from {low} to {high}"));
            }
            None => (),
        }
    }
    if whole && !name.is_empty() && n > 2 && matches!(naming(name, place), Naming::Things | Naming::Rows) {
        return if distinct <= MOST_CLASSES && distinct * 4 <= n {
            (Role::Category, format!("numbers that name things, by the column's name; {distinct} different ones"))
        } else {
            (
                Role::Ignore,
                format!("numbers that name things, by the column's name; {distinct} different ones in {n} rows"),
            )
        };
    }
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&&word[..]));
    let dated = |x: &f64| *x >= 1e7 && DateOrder::YearMonthDay.days(&Raw::Number(*x).text()).is_some();
    if whole && has(&["date", "datum", "day", "sold", "time"]) && numbers.iter().all(dated) {
        return (Role::Date(DateOrder::YearMonthDay), "numbers that are dates, year first".to_owned());
    }
    let kind = if whole { "whole numbers" } else { "numbers" };
    (Role::Number, format!("{kind}, {distinct} different ones"))
}

fn text_role(seen: &Seen) -> (Role, String, Vec<String>) {
    let plain = |role, why: String| (role, seen.told(why), Vec::new());
    let (m, distinct) = (seen.filled, seen.distinct());
    if let Some((order, why)) = date_order(seen) {
        return plain(Role::Date(order), why);
    }
    let (numeric, other): (Vec<_>, Vec<_>) = seen.counts.iter().partition(|(word, _)| number(word).is_some());
    let count = |words: &[(&String, &usize)]| words.iter().map(|(_, count)| **count).sum::<usize>();
    if other.len() <= 2 && numeric.len() > 2 * other.len() && count(&numeric) * 2 > m && distinct > 4 {
        let marks: Vec<String> = other.iter().map(|(word, _)| (*word).clone()).collect();
        let told = marks.iter().map(|word| format!("`{}`", shown(word))).collect::<Vec<_>>().join(", ");
        let why = format!("numbers, but for {} cells of {told}, taken as missing", count(&other));
        return (Role::Number, seen.told(why), marks);
    }
    if numeric.len() * 10 >= distinct * 9 && distinct > 10 {
        let bad = other.first().map_or_else(String::new, |(word, _)| shown(word));
        return plain(Role::Number, format!("numbers, but for {} cells that are none, such as `{bad}`", count(&other)));
    }
    let long = seen.counts.keys().map(|word| word.chars().count()).sum::<usize>() as f64 / distinct as f64;
    if (distinct == m && m >= 5) || (distinct * 10 >= m * 9 && m >= 10) {
        let what = if long > 40.0 { "free text" } else { "text that names rows" };
        return plain(Role::Ignore, format!("{what}: {distinct} different words in {m} rows"));
    }
    if distinct * 2 > m && m >= 20 {
        return plain(
            Role::Ignore,
            format!("{distinct} different words in {m} rows, too few rows of each to learn from"),
        );
    }
    plain(Role::Category, format!("text, {distinct} different words"))
}

/// The order in which all cells, or nearly all, are dates.
fn date_order(seen: &Seen) -> Option<(DateOrder, String)> {
    let reads = |order: DateOrder| seen.counts.keys().filter(|word| order.days(word).is_some()).count();
    let found = DateOrder::ALL.map(|order| (reads(order), order));
    // Of equal ones the first.
    let &(most, order) = found.iter().rev().max_by_key(|(count, _)| *count)?;
    let distinct = seen.distinct();
    if most == 0 || most * 10 < distinct * 9 {
        return None;
    }
    let mut why = format!("dates, {}", order.shown());
    let rivals: Vec<_> = found.iter().filter(|(count, other)| *count == most && *other != order).collect();
    if let Some((_, other)) = rivals.first() {
        let _ = write!(why, " (each could be {} as well)", other.shown());
    }
    if let Some(bad) = seen.counts.keys().find(|word| order.days(word).is_none()) {
        let _ = write!(why, ", but for {} such as `{}`", distinct - most, shown(bad));
    }
    Some((order, why))
}

/// What is to be learnt, and why it is taken for that.
fn goal(table: &Table, columns: &[&Column]) -> Result<(Goal, String), Error> {
    let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    let seen: Vec<Seen> = columns.iter().map(|column| Seen::new(column)).collect();
    if let Some(empty) = seen.iter().find(|seen| seen.filled == 0) {
        let kind = Kind::Cell { name: empty.column.name.clone(), expected: "a target".to_owned(), found: None };
        return Err(table.error(0, &empty.column.name, kind));
    }
    if let [seen] = &seen[..] {
        let (is_classes, why) = match &seen.numbers {
            None => classes_of_text(table, seen)?,
            Some(numbers) => classes_of_numbers(seen, numbers),
        };
        let [name] = <[String; 1]>::try_from(names).expect("there is one column");
        return Ok((if is_classes { Goal::Classes(name) } else { Goal::Values(vec![name]) }, why));
    }
    if let Some(text) = seen.iter().find(|seen| !seen.is_numbers()) {
        return Err(no_number(table, text.column));
    }
    let binary = |seen: &Seen| seen.counts.keys().all(|cell| cell == "0" || cell == "1");
    let k = names.len();
    Ok(if seen.iter().all(binary) {
        (Goal::Labels(names), format!("{k} columns of 0 and 1"))
    } else {
        (Goal::Values(names), format!("{k} columns of numbers"))
    })
}

/// The first cell of a column that is there and no number, as an error.
fn no_number(table: &Table, column: &Column) -> Error {
    let bad = (0..table.len()).find(|&row| Raw::of(column, row, &[]).is_some_and(|cell| cell.number().is_none()));
    let (row, name) = (bad.unwrap_or(0), column.name.clone());
    let found = Raw::of(column, row, &[]).map_or_else(String::new, |cell| cell.text().into_owned());
    table.error(row, &column.name, Kind::NotANumber { name, found })
}

/// Text is classes, unless it is numbers but for a few cells: then these are wrong.
fn classes_of_text(table: &Table, seen: &Seen) -> Result<(bool, String), Error> {
    let (m, distinct) = (seen.filled, seen.distinct());
    let numeric = seen.counts.keys().filter(|word| number(word).is_some()).count();
    if numeric * 10 >= distinct * 9 && distinct > 10 {
        return Err(no_number(table, seen.column));
    }
    if distinct == m && m >= 5 {
        let expected =
            format!("classes, of which each has some rows (there are {distinct} different ones in {m} rows)");
        let found = seen.samples.first().cloned();
        return Err(table.error(0, &seen.column.name, Kind::Cell { name: seen.column.name.clone(), expected, found }));
    }
    Ok((true, format!("text, {distinct} different words in {m} rows")))
}

fn classes_of_numbers(seen: &Seen, numbers: &[f64]) -> (bool, String) {
    let (m, distinct) = (numbers.len(), seen.distinct());
    let whole = numbers.iter().all(|x| x.fract() == 0.0);
    let rarest = seen.counts.values().min().copied().unwrap_or(0);
    let (low, high) = numbers.iter().fold((f64::MAX, f64::MIN), |(low, high), &x| (x.min(low), x.max(high)));
    let close = high - low + 1.0 <= 3.0 * distinct as f64;
    let few = distinct <= 10 && (distinct <= 4 || rarest >= 2);
    let even = distinct <= MOST_CLASSES && rarest * distinct * 4 >= m;
    // Two measured numbers stay measured: 0.5 and 1.5 are no names.
    let classes = whole && (distinct <= 2 || (close && distinct * 4 <= m && (few || even)));
    let kind = if whole { "whole numbers" } else { "numbers" };
    let few = if classes { "only " } else { "" };
    let measured = if !whole && distinct <= MOST_CLASSES { ", which are not whole and so measured" } else { "" };
    (classes, format!("{few}{distinct} different {kind} in {m} rows{measured}"))
}
