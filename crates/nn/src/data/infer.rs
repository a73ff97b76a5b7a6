//! What the columns of a table seem to mean.

use crate::data::cells::{Raw, number};
use crate::data::doubts;
use crate::data::index::{Index, Naming, index, naming, words};
use crate::data::notation::{Guess, Notation, has_number};
use crate::data::schema::find;
use crate::data::seen::{Distinct, Seen};
use crate::data::{Cells, Column, DateOrder, Field, Goal, Role, Schema, Table};
use crate::error::{Error, Kind, counted, shown};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
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
        let [targeted, ignored] = [targets, ignore].map(|names| names.iter().copied().collect::<BTreeSet<&str>>());
        let columns = targets.iter().map(|name| find(table, name)).collect::<Result<Vec<_>, _>>()?;
        let target: Vec<Seen> = columns.into_iter().map(Seen::new).collect();
        let mut writing = Writing { table, known: BTreeMap::new(), comma: OnceCell::new() };
        let mut schema = Self::default();
        if !targets.is_empty() {
            let (goal, why) = goal(table, &target, &mut writing)?;
            (schema.target, schema.why) = (Some(goal), why);
        }
        let known = doubts::Target::of(schema.target.as_ref(), &target);
        for (place, column) in table.columns.iter().enumerate() {
            let name = &column.name;
            if targeted.contains(&name[..]) {
                continue;
            }
            let seen = &Seen::new(column);
            let (kind, mut why, missing) = if ignored.contains(&name[..]) {
                (Role::Ignore, "as asked for".to_owned(), Vec::new())
            } else if ["sample_weight", "sample_weights"].contains(&&name.to_lowercase()[..]) && seen.is_numbers() {
                schema.weight = Some(name.clone());
                (Role::Ignore, "the weight of rows, by its name".to_owned(), Vec::new())
            } else {
                role(seen, place, &mut writing)?
            };
            if let Some(doubt) = known.as_ref().filter(|_| kind != Role::Ignore).and_then(|target| target.told_by(seen))
            {
                why = format!("{why}; {doubt}");
            }
            schema.columns.push(Field { name: name.clone(), kind, why, missing, samples: seen.samples.clone() });
        }
        schema.notations = writing.known;
        Ok(schema)
    }
}

/// How the numbers of columns of words are written.
struct Writing<'a> {
    table: &'a Table,
    known: BTreeMap<String, Notation>,
    /// Whether there are decimal commas, as far as the columns tell it; found out once, where one of them asks.
    comma: OnceCell<Option<bool>>,
}

impl Writing<'_> {
    /// The numbers of a column of words are taken as its guess has them. An error where nothing tells what a comma or a point means.
    fn take(&mut self, seen: &Seen) -> Result<(), Error> {
        let Some(guess) = &seen.guess else { return Ok(()) };
        let mut notation = guess.notation.clone();
        if let Some((word, [point, comma])) = &guess.doubtful {
            notation.decimal_comma =
                self.table.comma.or_else(|| *self.comma.get_or_init(|| self.comma())).ok_or_else(|| {
                    let (row, name) = (first_row(seen.column, word), seen.column.name.clone());
                    let why = format!("may be {point} or {comma}: say whether there are decimal commas");
                    self.table.error(row, &seen.column.name, Kind::Ambiguous { name, found: word.clone(), why })
                })?;
        }
        // Those that are written plainly need nothing said.
        if seen.words().iter().any(|(word, _)| notation.number(word).is_some() && number(word).is_none()) {
            self.known.insert(seen.column.name.clone(), notation);
        }
        Ok(())
    }

    /// Whether there are decimal commas, where columns with units tell it.
    fn comma(&self) -> Option<bool> {
        let text = self.table.columns.iter().filter(|column| matches!(column.cells, Cells::Text { .. }));
        let sure = |column: &Column| {
            let seen = Seen::new(column);
            let guess = seen.guess.as_ref().filter(|guess| guess.doubtful.is_none())?;
            let words = seen.words().iter().any(|(word, _)| {
                let other = Notation { decimal_comma: !guess.notation.decimal_comma, ..guess.notation.clone() };
                guess.notation.number(word).is_some() && other.number(word).is_none()
            });
            words.then_some(guess.notation.decimal_comma)
        };
        let found: BTreeSet<bool> = text.filter_map(sure).collect();
        found.first().copied().filter(|_| found.len() == 1)
    }
}

/// The first row with a word.
fn first_row(column: &Column, word: &str) -> usize {
    (0..column.cells.len())
        .find(|&row| matches!(Raw::of(column, row, &[]), Some(Raw::Text(text)) if text == word))
        .unwrap_or(0)
}

/// What a column is taken for, why, and what stands for its missing cells.
type Taken = (Role, String, Vec<String>);

fn role(seen: &Seen, place: usize, writing: &mut Writing) -> Result<Taken, Error> {
    let plain = |role, why: String| (role, seen.told(why), Vec::new());
    if seen.filled == 0 {
        return Ok((Role::Ignore, "all cells are missing".to_owned(), Vec::new()));
    }
    if seen.distinct() == 1 && (seen.is_numbers() || seen.missing == 0) {
        return Ok(plain(Role::Ignore, format!("the same in all rows: {}", seen.only())));
    }
    match &seen.cells {
        Distinct::Numbers(distinct) => {
            let (role, why) = number_role(seen, distinct, place);
            Ok(plain(role, why))
        }
        Distinct::Words(words) => text_role(seen, words, writing),
    }
}

fn number_role(seen: &Seen, distinct: &[(f64, usize)], place: usize) -> (Role, String) {
    let (name, n, k) = (&seen.column.name, seen.filled, distinct.len());
    let whole = distinct.iter().all(|(x, _)| x.fract() == 0.0);
    if whole && k == n && seen.missing == 0 {
        match index(name, place, seen.numbers().iter().copied()) {
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
        let why = format!("numbers that name things, by the column's name; {k} different ones");
        return if k <= MOST_CLASSES && k * 4 <= n {
            (Role::Category, why)
        } else {
            (Role::Ignore, format!("{why} in {n} rows"))
        };
    }
    if whole && names_places(name) {
        let why = format!("numbers that are codes, by the column's name; {k} different ones");
        return if k * 2 <= n { (Role::Category, why) } else { (Role::Ignore, format!("{why} in {n} rows")) };
    }
    let words = words(name);
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&&word[..]));
    let dated = |x: f64| x >= 1e7 && DateOrder::YearMonthDay.days(&Raw::Number(x).text()).is_some();
    if whole && has(&["date", "datum", "day", "sold", "time"]) && distinct.iter().all(|(x, _)| dated(*x)) {
        return (Role::Date(DateOrder::YearMonthDay), "numbers that are dates, year first".to_owned());
    }
    let kind = if whole { "whole numbers" } else { "numbers" };
    let doubt = doubts::far(distinct).map_or_else(String::new, |doubt| format!("; {doubt}"));
    (Role::Number, format!("{kind}, {k} different ones{doubt}"))
}

/// Whether a column holds codes of places by its name, or numbers to call: no measures, though they are numbers.
fn names_places(name: &str) -> bool {
    const LAST: [&str; 8] = ["zip", "zipcode", "plz", "postcode", "postleitzahl", "fips", "isbn", "ean"];
    const WHOLE: [&str; 6] = ["postalcode", "postal", "phone", "phonenumber", "telephone", "zipcode"];
    let words = words(name);
    words.last().is_some_and(|last| LAST.contains(&&last[..]))
        || WHOLE.iter().any(|whole| words.concat().ends_with(whole))
}

fn text_role(seen: &Seen, words: &[(&str, usize)], writing: &mut Writing) -> Result<Taken, Error> {
    let plain = |role, why: String| (role, seen.told(why), Vec::new());
    let (m, distinct) = (seen.filled, words.len());
    if let Some((order, why)) = date_order(words) {
        return Ok(plain(Role::Date(order), why));
    }
    if let Some(taken) = number_words(seen, words, writing)? {
        return Ok(taken);
    }
    let hint = doubts::of_words(seen, words).map_or_else(String::new, |hint| format!("; {hint}"));
    let long = words.iter().map(|(word, _)| word.chars().count()).sum::<usize>() as f64 / distinct as f64;
    if (distinct == m && m >= 5) || (distinct * 10 >= m * 9 && m >= 10) {
        let what = if long > 40.0 { "free text" } else { "text that names rows" };
        return Ok(plain(Role::Ignore, format!("{what}: {distinct} different words in {m} rows{hint}")));
    }
    if distinct * 2 > m && m >= 20 {
        return Ok(plain(
            Role::Ignore,
            format!("{distinct} different words in {m} rows, too few rows of each to learn from{hint}"),
        ));
    }
    let what = if seen.is_codes() { "codes, of which some begin with 0" } else { "text" };
    Ok(plain(Role::Category, format!("{what}, {distinct} different words{hint}")))
}

/// What words are taken for that are numbers, or nearly all are; `None` where they are words.
fn number_words(seen: &Seen, words: &[(&str, usize)], writing: &mut Writing) -> Result<Option<Taken>, Error> {
    let Some(guess) = seen.guess.as_ref().filter(|_| !seen.is_codes()) else { return Ok(None) };
    let (m, distinct) = (seen.filled, words.len());
    let (numeric, mut other): (Vec<_>, Vec<_>) =
        words.iter().partition(|(word, _)| guess.notation.number(word).is_some());
    other.sort_unstable();
    let count = |words: &[(&str, usize)]| words.iter().map(|(_, count)| *count).sum::<usize>();
    let (mut why, missing) = if other.is_empty() {
        (format!("{}, {distinct} different ones", with_unit(guess)), Vec::new())
    } else if other.len() <= 2
        && numeric.len() > 2 * other.len()
        && count(&numeric) * 2 > m
        && distinct > 4
        && !other.iter().any(|(word, _)| has_number(word))
    {
        let marks: Vec<String> = other.iter().map(|(word, _)| (*word).to_owned()).collect();
        let told = marks.iter().map(|word| format!("`{}`", shown(word))).collect::<Vec<_>>().join(", ");
        (format!("{}, but for {} cells of {told}, taken as missing", with_unit(guess), count(&other)), marks)
    } else if numeric.len() * 10 >= distinct * 9 && distinct > 10 {
        let bad = other.first().map_or_else(String::new, |(word, _)| shown(word));
        (format!("{}, but for {} cells that are none, such as `{bad}`", with_unit(guess), count(&other)), Vec::new())
    } else {
        return Ok(None);
    };
    writing.take(seen)?;
    if guess.bare > 0 {
        let cells = counted(guess.bare, "cell has none and is", "cells have none and are");
        let _ = write!(why, "; {cells} taken in it");
    }
    why += &limits(guess);
    Ok(Some((Role::Number, seen.told(why), missing)))
}

/// That some numbers are limits, such as `<5`, where some are.
fn limits(guess: &Guess) -> String {
    let Some((count, limit)) = &guess.limits else { return String::new() };
    let cells = counted(*count, "cell is a limit", "cells are limits");
    format!("; {cells}, such as `{}`, and taken for the number itself", shown(limit))
}

/// Numbers, with the unit that they have.
fn with_unit(guess: &Guess) -> String {
    if guess.notation.has_unit() { format!("numbers with the unit {}", guess.notation) } else { "numbers".to_owned() }
}

/// The order in which all words, or nearly all, are dates.
fn date_order(words: &[(&str, usize)]) -> Option<(DateOrder, String)> {
    let reads = |order: DateOrder| words.iter().filter(|(word, _)| order.days(word).is_some()).count();
    // A date has a digit and a mark, or is of eight digits.
    if words.iter().take(20).all(|(word, _)| word.len() < 6 || !word.bytes().any(|byte| byte.is_ascii_digit())) {
        return None;
    }
    let found = DateOrder::ALL.map(|order| (reads(order), order));
    // Of equal ones the first.
    let &(most, order) = found.iter().rev().max_by_key(|(count, _)| *count)?;
    let distinct = words.len();
    if most == 0 || most * 10 < distinct * 9 {
        return None;
    }
    let mut why = format!("dates, {}", order.shown());
    let rivals: Vec<_> = found.iter().filter(|(count, other)| *count == most && *other != order).collect();
    if let Some((_, other)) = rivals.first() {
        let _ = write!(why, " (each could be {} as well)", other.shown());
    }
    if let Some((bad, _)) = words.iter().find(|(word, _)| order.days(word).is_none()) {
        let _ = write!(why, ", but for {} such as `{}`", distinct - most, shown(bad));
    }
    if let Some(doubt) = doubts::far_day(words, order) {
        let _ = write!(why, "; {doubt}");
    }
    why += "; the day and the time of the year count, not the weekday or the hour";
    Some((order, why))
}

/// What is to be learnt, and why it is taken for that.
fn goal(table: &Table, seen: &[Seen], writing: &mut Writing) -> Result<(Goal, String), Error> {
    let names: Vec<String> = seen.iter().map(|seen| seen.column.name.clone()).collect();
    if let Some(empty) = seen.iter().find(|seen| seen.filled == 0) {
        let kind = Kind::Cell { name: empty.column.name.clone(), expected: "a target".to_owned(), found: None };
        return Err(table.error(0, &empty.column.name, kind));
    }
    if let [seen] = seen {
        let (is_classes, why) = match &seen.cells {
            Distinct::Words(_) => classes_of_text(table, seen, writing)?,
            Distinct::Numbers(numbers) => classes_of_numbers(numbers),
        };
        let [name] = <[String; 1]>::try_from(names).expect("there is one column");
        return Ok((if is_classes { Goal::Classes(name) } else { Goal::Values(vec![name]) }, why));
    }
    for seen in seen.iter().filter(|seen| !seen.is_numbers()) {
        if no_number(seen).is_some() || seen.is_codes() {
            return Err(wrong_number(table, seen));
        }
        writing.take(seen)?;
    }
    let binary = |seen: &Seen| match &seen.cells {
        Distinct::Numbers(numbers) => numbers.iter().all(|(x, _)| *x == 0.0 || *x == 1.0),
        Distinct::Words(_) => false,
    };
    let k = names.len();
    Ok(if seen.iter().all(binary) {
        (Goal::Labels(names), format!("{k} columns of 0 and 1"))
    } else {
        (Goal::Values(names), format!("{k} columns of numbers"))
    })
}

/// The first word of a column that is no number, with or without its unit.
fn no_number<'a>(seen: &Seen<'a>) -> Option<&'a str> {
    let is_number = |word: &str| seen.guess.as_ref().is_some_and(|guess| guess.notation.number(word).is_some());
    seen.words().iter().map(|(word, _)| *word).find(|word| !is_number(word))
}

/// The first cell of a column that is there and no number, as an error.
fn wrong_number(table: &Table, seen: &Seen) -> Error {
    let found = no_number(seen).or_else(|| seen.words().first().map(|(word, _)| *word)).unwrap_or_default();
    let name = seen.column.name.clone();
    table.error(first_row(seen.column, found), &seen.column.name, Kind::NotANumber { name, found: found.to_owned() })
}

/// Text is classes, unless it is numbers but for a few cells: then these are wrong.
fn classes_of_text(table: &Table, seen: &Seen, writing: &mut Writing) -> Result<(bool, String), Error> {
    let (m, distinct) = (seen.filled, seen.distinct());
    let guess = seen.guess.as_ref().filter(|_| !seen.is_codes());
    let number = |word: &str| guess.and_then(|guess| guess.notation.number(word));
    let mut numbers: Vec<(f64, usize)> =
        seen.words().iter().filter_map(|(word, count)| Some((number(word)?, *count))).collect();
    if let Some(guess) = guess.filter(|_| numbers.len() == distinct) {
        numbers.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let (is_classes, why) = classes_of_numbers(&numbers);
        // Somebody may say that they are values all the same.
        if !is_classes || guess.doubtful.is_none() {
            writing.take(seen)?;
        }
        if !is_classes {
            let unit =
                if guess.notation.has_unit() { format!(", with the unit {}", guess.notation) } else { String::new() };
            return Ok((false, format!("{why}{unit}{}", limits(guess))));
        }
    } else if numbers.len() * 10 >= distinct * 9 && distinct > 10 {
        return Err(wrong_number(table, seen));
    }
    if distinct == m && m >= 5 {
        let expected =
            format!("classes, of which each has some rows (there are {distinct} different ones in {m} rows)");
        let found = seen.samples.first().cloned();
        return Err(table.error(0, &seen.column.name, Kind::Cell { name: seen.column.name.clone(), expected, found }));
    }
    let hint = doubts::spellings(seen.words()).map_or_else(String::new, |hint| format!("; {hint}"));
    Ok((true, format!("text, {distinct} different words in {m} rows{hint}")))
}

fn classes_of_numbers(numbers: &[(f64, usize)]) -> (bool, String) {
    let (m, distinct) = (numbers.iter().map(|(_, count)| count).sum::<usize>(), numbers.len());
    let whole = numbers.iter().all(|(x, _)| x.fract() == 0.0);
    let rarest = numbers.iter().map(|(_, count)| *count).min().unwrap_or(0);
    let (low, high) = (numbers.first().map_or(0.0, |low| low.0), numbers.last().map_or(0.0, |high| high.0));
    let close = high - low + 1.0 <= 3.0 * distinct as f64;
    let few = distinct <= 10 && (distinct <= 4 || rarest >= 2);
    let even = distinct <= MOST_CLASSES && rarest * distinct * 4 >= m;
    // Two measured numbers stay measured: 0.5 and 1.5 are no names.
    let classes = whole && (distinct <= 2 || (close && distinct * 4 <= m && (few || even)));
    let kind = if whole { "whole numbers" } else { "numbers" };
    let few = if classes { "only " } else { "" };
    let measured = if !whole && distinct <= MOST_CLASSES { ", which are not whole and so measured" } else { "" };
    let doubt = doubts::far(numbers).filter(|_| !classes).map_or_else(String::new, |doubt| format!("; {doubt}"));
    (classes, format!("{few}{distinct} different {kind} in {m} rows{measured}{doubt}"))
}
