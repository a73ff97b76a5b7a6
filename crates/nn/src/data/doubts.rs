//! What a careful eye sees in a column: told, and nothing is done about it.

use crate::data::seen::{Distinct, Seen};
use crate::data::{Cells, DateOrder, Goal, groups};
use crate::error::{counted, shown};

/// Of fewer rows much holds by chance.
const FEW_ROWS: usize = 20;

/// The target, by which columns are found that tell it.
pub(super) enum Target<'a> {
    /// The class of each row; missing ones are a class too.
    Classes(Vec<usize>),
    Values(&'a [f64]),
}

impl<'a> Target<'a> {
    /// Of a single column, and of rows enough.
    pub(super) fn of(goal: Option<&Goal>, seen: &[Seen<'a>]) -> Option<Self> {
        let [seen] = seen else { return None };
        match (goal?, &seen.column.cells) {
            _ if seen.filled < FEW_ROWS || seen.distinct() < 2 => None,
            (Goal::Classes(_), _) => Some(Self::Classes(groups(seen.column))),
            (Goal::Values(_), Cells::Numbers(numbers)) => Some(Self::Values(numbers)),
            (Goal::Values(_) | Goal::Labels(_), _) => None,
        }
    }

    /// Whether a column tells the target, in words: each of its few cells goes with one class, or its numbers follow the values.
    pub(super) fn told_by(&self, seen: &Seen) -> Option<String> {
        match (self, &seen.column.cells) {
            (Self::Classes(classes), _) => {
                let k = seen.distinct();
                let told = (2..=100).contains(&k)
                    && k * 5 <= seen.filled
                    && seen.filled >= FEW_ROWS
                    && goes_with(seen, classes);
                told.then(|| format!("each of its {k} different cells goes with one class: does it tell the target?"))
            }
            (Self::Values(values), Cells::Numbers(numbers)) => {
                let correlation = correlation(numbers, values).filter(|r| r.abs() > 0.99999)?;
                let goes = if correlation > 0.0 { "up" } else { "down" };
                Some(format!("it goes {goes} as the target does, on a straight line: does it tell the target?"))
            }
            (Self::Values(_), Cells::Text { .. }) => None,
        }
    }
}

/// Whether each cell comes with one class only, and there are two classes or more.
fn goes_with(seen: &Seen, classes: &[usize]) -> bool {
    let mut class_of: Vec<Option<usize>> = Vec::new();
    let mut goes = |cell: usize, class: usize| {
        if class_of.len() <= cell {
            class_of.resize(cell + 1, None);
        }
        *class_of[cell].get_or_insert(class) == class
    };
    let all = match (&seen.column.cells, &seen.cells) {
        (Cells::Text { rows, .. }, _) => {
            rows.iter().zip(classes).all(|(word, class)| word.is_none_or(|word| goes(word as usize, *class)))
        }
        (Cells::Numbers(numbers), Distinct::Numbers(distinct)) => numbers.iter().zip(classes).all(|(x, class)| {
            let place = distinct.partition_point(|(known, _)| known < x);
            x.is_nan() || goes(place, *class)
        }),
        (Cells::Numbers(_), Distinct::Words(_)) => false,
    };
    let mut used: Vec<usize> = class_of.into_iter().flatten().collect();
    used.sort_unstable();
    used.dedup();
    all && used.len() > 1
}

/// The correlation of numbers where both are there (K. Pearson, 1895), of rows enough.
fn correlation(a: &[f64], b: &[f64]) -> Option<f64> {
    let pairs = || a.iter().zip(b).filter(|(x, y)| !x.is_nan() && !y.is_nan());
    let n = pairs().count();
    if n < FEW_ROWS {
        return None;
    }
    let (sum_x, sum_y) = pairs().fold((0.0, 0.0), |(sum_x, sum_y), (x, y)| (sum_x + x, sum_y + y));
    let (mean_x, mean_y) = (sum_x / n as f64, sum_y / n as f64);
    let (xx, xy, yy) = pairs().fold((0.0, 0.0, 0.0), |(xx, xy, yy), (x, y)| {
        let (x, y) = (x - mean_x, y - mean_y);
        (xx + x * x, xy + x * y, yy + y * y)
    });
    let correlation = xy / (xx.sqrt() * yy.sqrt());
    correlation.is_finite().then_some(correlation)
}

/// A number of nines at one end of a column that is far from all others, as those who cannot leave a cell empty write it.
pub(super) fn far(numbers: &[(f64, usize)]) -> Option<String> {
    let nines = |x: f64| {
        let digits = (x.abs().fract() == 0.0 && x.abs() < 1e9).then(|| format!("{}", x.abs()));
        digits.is_some_and(|digits| digits.len() > 1 && digits.bytes().all(|digit| digit == b'9'))
    };
    let low = numbers.iter().take_while(|(x, _)| nines(*x) && *x < 0.0).count();
    let high = numbers.iter().rev().take_while(|(x, _)| nines(*x) && *x > 0.0).count();
    let rest = numbers.get(low..numbers.len().saturating_sub(high)).filter(|rest| rest.len() > 1)?;
    let (first, last) = (rest[0].0, rest[rest.len() - 1].0);
    let ends = [low.checked_sub(1), Some(numbers.len() - high).filter(|_| high > 0)];
    let (x, count) = ends.into_iter().flatten().map(|end| numbers[end]).find(|(x, count)| {
        let gap = (first - x).max(x - last);
        gap > 2.0 * (last - first) && (*count > 1 || x.abs() > 900.0)
    })?;
    let cells = counted(count, "cell is", "cells are");
    Some(format!("{cells} {x}, far from the others: does that stand for a missing one?"))
}

/// A date at one end that is far from all others, such as 9999-12-31.
pub(super) fn far_day(words: &[(&str, usize)], order: DateOrder) -> Option<String> {
    let mut days: Vec<(f64, &str)> = words.iter().filter_map(|(word, _)| Some((order.days(word)?, *word))).collect();
    days.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let n = days.len();
    if n < 5 {
        return None;
    }
    let low = (days[1].0 - days[0].0 > 3.0 * (days[n - 1].0 - days[1].0)).then_some(days[0].1);
    let high = (days[n - 1].0 - days[n - 2].0 > 3.0 * (days[n - 2].0 - days[0].0)).then_some(days[n - 1].1);
    low.or(high).map(|word| format!("`{}` is far from the others: does it stand for a missing one?", shown(word)))
}

/// What may be meant by words that are taken as such.
pub(super) fn of_words(seen: &Seen, words: &[(&str, usize)]) -> Option<String> {
    units(seen).or_else(|| date_orders(words)).or_else(|| spellings(words))
}

/// A few units beside numbers.
fn units(seen: &Seen) -> Option<String> {
    const ORDINALS: [&str; 4] = ["st", "nd", "rd", "th"];
    let guess =
        seen.guess.as_ref().filter(|guess| guess.notation.has_unit() && (1..=3).contains(&guess.others.len()))?;
    let count = guess.cells + guess.bare + guess.others.iter().map(|(_, count)| count).sum::<usize>();
    let names: Vec<&str> = guess.others.iter().map(|(unit, _)| &unit[..]).collect();
    // `12A` and `3B` are places rather than amounts.
    let letter = |unit: &str| unit.len() == 1 && unit.bytes().all(|byte| byte.is_ascii_uppercase());
    if names.iter().any(|unit| letter(unit)) && letter(&guess.notation.after) {
        return None;
    }
    if count * 10 < seen.filled * 9 || ORDINALS.iter().any(|word| names.contains(word) || guess.notation.after == *word)
    {
        return None;
    }
    let others: Vec<String> = names.iter().map(|unit| format!("`{}`", shown(unit))).collect();
    Some(format!(
        "numbers with the units {} and {}: in one unit they could be learnt from as numbers",
        guess.notation,
        others.join(", ")
    ))
}

/// Dates in several orders.
fn date_orders(words: &[(&str, usize)]) -> Option<String> {
    let reads = |word: &str| DateOrder::ALL.into_iter().find(|order| order.days(word).is_some());
    let is_date = |(word, _): &&(&str, usize)| has_digit(word) && reads(word).is_some();
    if words.len() < 5 || words.iter().take(50).filter(is_date).count() * 2 < words.len().min(50) {
        return None;
    }
    let dates: Vec<&(&str, usize)> = words.iter().filter(is_date).collect();
    let (first, _) = dates.first()?;
    let same =
        |word: &str| DateOrder::ALL.into_iter().any(|order| order.days(first).is_some() && order.days(word).is_some());
    let (other, _) = dates.iter().find(|(word, _)| !same(word))?;
    (dates.len() * 10 >= words.len() * 9).then(|| {
        format!(
            "dates in several orders, such as `{}` and `{}`: in one they could be learnt from as dates",
            shown(first),
            shown(other)
        )
    })
}

fn has_digit(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_digit())
}

/// Two words for yes, or for no, in a column of nothing else.
pub(super) fn spellings(words: &[(&str, usize)]) -> Option<String> {
    const YES: [&str; 8] = ["yes", "y", "true", "t", "1", "on", "ja", "oui"];
    const NO: [&str; 8] = ["no", "n", "false", "f", "0", "off", "nein", "non"];
    if words.len() > 16 {
        return None;
    }
    let meant = |word: &str, list: &[&str]| list.iter().any(|known| word.eq_ignore_ascii_case(known));
    if !words.iter().all(|(word, _)| meant(word, &YES) || meant(word, &NO)) {
        return None;
    }
    let of = |list: &[&str]| words.iter().map(|(word, _)| *word).filter(|word| meant(word, list)).collect::<Vec<_>>();
    let (yes, no) = (of(&YES), of(&NO));
    let several = [yes, no].into_iter().find(|words| words.len() > 1)?;
    let listed: Vec<String> = several.iter().map(|word| format!("`{}`", shown(word))).collect();
    Some(format!("{} may mean the same", listed.join(", ")))
}
