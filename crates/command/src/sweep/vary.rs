//! What is varied.

use crate::Failure;
use crate::cli::factor;
use crate::settings::net;
use nn::shown;
use nn::sweep::{Range, Space};
use serde_json::Value;

/// What a setting is, which can be varied.
enum Kind {
    /// A number of 0 or more.
    Factor,
    /// A whole number from 1 to this one.
    Count(i64),
    Net,
}

const KNOWN: [(&str, Kind); 4] = [
    ("net", Kind::Net),
    ("penalty", Kind::Factor),
    ("members", Kind::Count(1000)),
    ("iterations", Kind::Count(1_000_000)),
];

/// The settings that there may be. `random` tells whether some of them are taken at random, which ranges need.
pub(super) fn space(given: &[String], random: bool) -> Result<Space, Failure> {
    if given.is_empty() {
        return Ok(Space::new()
            .choice("net", ["linear", "16:silu", "32:silu", "32:relu"])
            .choice("penalty", [1.0, 0.1, 0.01, 0.001, 0.0001]));
    }
    let mut space = Space::new();
    for text in given {
        let (name, range) = range(text).map_err(|expected| {
            Failure::misused(
                format!("`--vary {}`: expected {expected}", shown(text)),
                "such as `--vary penalty=1e-3,0.1`, `--vary penalty=1e-4..1 --random 20`, `--vary net=64,32:relu`",
            )
        })?;
        let is_list = matches!(range, Range::Choice(_) | Range::Integer { .. });
        if !random && !is_list {
            return Err(Failure::misused(
                format!("`--vary {}`: a range has no end of values, of which some are to be taken", shown(text)),
                "say how many: `--random 20`; or list values: `--vary penalty=1e-3,1e-2`",
            ));
        }
        let known = space.ranges.iter_mut().find(|(known, _)| *known == name);
        match (known, range) {
            (Some((_, Range::Choice(values))), Range::Choice(more)) => {
                values.extend(more.into_iter().filter(|value| !values.contains(value)).collect::<Vec<_>>());
            }
            (Some(_), _) => {
                return Err(Failure::misused(
                    format!("`--vary {}`: `{name}` is varied twice", shown(text)),
                    "give one list or one range of it",
                ));
            }
            (None, range) => space = space.with(&name, range),
        }
    }
    Ok(space)
}

/// One setting. An error is what was expected.
fn range(text: &str) -> Result<(String, Range), String> {
    let names = || KNOWN.map(|(name, _)| name).join(", ");
    let (name, said) = text.split_once('=').ok_or_else(|| format!("NAME=VALUES, of {}", names()))?;
    let name = name.trim();
    let (_, kind) = KNOWN.iter().find(|(known, _)| *known == name).ok_or_else(|| format!("one of {}", names()))?;
    let range = match kind {
        Kind::Net => {
            net(said).map_err(|text| text.trim_start_matches("expected ").to_owned())?;
            Range::Choice(vec![Value::from(said.trim())])
        }
        Kind::Factor => {
            if let Some((low, high)) = said.split_once("..") {
                let end = |text: &str| factor(text).ok().filter(|end| *end > 0.0);
                match (end(low), end(high)) {
                    (Some(low), Some(high)) if low <= high => Range::LogUniform { low, high },
                    _ => return Err("a range that grows, from above 0, such as 1e-4..1".to_owned()),
                }
            } else {
                let each = said.split(',').map(|text| factor(text).map(Value::from));
                Range::Choice(each.collect::<Result<_, _>>().map_err(|_| "numbers of 0 or more".to_owned())?)
            }
        }
        Kind::Count(most) => {
            let count = |text: &str| text.trim().parse::<i64>().ok().filter(|count| (1..=*most).contains(count));
            if let Some((low, high)) = said.split_once("..") {
                match (count(low), count(high)) {
                    (Some(low), Some(high)) if low <= high => Range::Integer { low, high },
                    _ => return Err(format!("a range that grows, within 1 to {most}")),
                }
            } else {
                let each: Option<Vec<Value>> = said.split(',').map(|text| count(text).map(Value::from)).collect();
                Range::Choice(each.ok_or_else(|| format!("whole numbers from 1 to {most}"))?)
            }
        }
    };
    Ok((name.to_owned(), range))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(given: &[&str], random: bool) -> Result<Space, Failure> {
        space(&given.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>(), random)
    }

    #[test]
    fn lists_are_a_grid_and_ranges_are_taken_at_random() {
        let grid = said(&["net=64,32:relu", "penalty=0.1,1e-3", "net=linear"], false).unwrap().grid().unwrap();
        assert_eq!(grid.settings.len(), 4);
        assert_eq!(said(&["members=1..3"], false).unwrap().grid().unwrap().settings.len(), 3);
        let some = said(&["penalty=1e-4..1", "iterations=10..20"], true).unwrap().sample(5, 0).unwrap();
        assert!(some.settings.iter().all(|one| (1e-4..=1.0).contains(&one.number("penalty"))));
        assert_eq!(said(&[], false).unwrap().grid().unwrap().settings.len(), 20);
    }

    #[test]
    fn what_cannot_be_varied_is_told_with_what_can() {
        let text = |given: &[&str]| said(given, false).unwrap_err().text;
        assert!(text(&["rate=0.1"]).contains("expected one of net, penalty, members, iterations"));
        assert!(text(&["penalty"]).contains("NAME=VALUES"));
        assert!(text(&["penalty=a"]).contains("numbers of 0 or more"));
        assert!(text(&["penalty=1..0.1"]).contains("a range that grows"));
        assert!(text(&["penalty=0.1..1"]).contains("no end of values"));
        assert!(text(&["members=0"]).contains("from 1 to 1000"));
        assert!(text(&["net=32:rellu"]).contains("silu"));
        assert!(text(&["members=1..2", "members=4"]).contains("varied twice"));
    }
}
