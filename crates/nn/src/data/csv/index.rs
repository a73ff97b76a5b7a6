//! Columns that only number the rows.

/// Names of columns that number the rows, without regard to case.
const INDEX: [&str; 12] = [
    "id",
    "index",
    "idx",
    "rownames",
    "row_names",
    "row.names",
    "row names",
    "row_id",
    "rowid",
    "level_0",
    "row",
    "rownum",
];

/// Names of columns that may be more than a number of the row: they must count the rows one by one.
const COUNT: [&str; 12] =
    ["#", "no", "no.", "nr", "nr.", "number", "obs", "observation", "case", "record", "sno", "s.no"];

/// Whether a column numbers the rows: by its name and its place (the first is 0), and because its numbers are integers, no two
/// the same. Such a column is no feature: where rows are sorted by their class, it tells the class.
pub(crate) fn is_index(name: &str, place: usize, numbers: impl Iterator<Item = f64> + Clone) -> bool {
    match suspicion(name, place) {
        Suspicion::None => false,
        Suspicion::Count => counts(numbers),
        Suspicion::Number => {
            let mut sorted: Vec<f64> = numbers.collect();
            sorted.sort_unstable_by(f64::total_cmp);
            sorted.iter().all(|x| x.is_finite() && x.fract() == 0.0) && sorted.windows(2).all(|pair| pair[0] != pair[1])
        }
    }
}

#[derive(PartialEq)]
enum Suspicion {
    None,
    /// Where it counts the rows.
    Count,
    /// Where it numbers them in any order.
    Number,
}

fn suspicion(name: &str, place: usize) -> Suspicion {
    let lower = name.to_lowercase();
    if (name.is_empty() && place == 0) || lower.starts_with("unnamed: 0") || INDEX.contains(&&lower[..]) {
        return Suspicion::Number;
    }
    let tail = ["_id", " id", "-id", ".id"].iter().any(|tail| lower.ends_with(tail))
        || (name.ends_with("Id") || name.ends_with("ID")) && name.chars().rev().nth(2).is_some_and(char::is_lowercase);
    if tail || COUNT.contains(&&lower[..]) { Suspicion::Count } else { Suspicion::None }
}

/// Whether a column of this name could number the rows.
pub(super) fn may_be_index(name: &str, place: usize) -> bool {
    suspicion(name, place) != Suspicion::None
}

/// Whether numbers count from 0 or 1, for three rows at least.
fn counts(numbers: impl Iterator<Item = f64> + Clone) -> bool {
    let Some(first) = numbers.clone().next() else { return false };
    let one_by_one = numbers.clone().enumerate().all(|(row, x)| x == first + row as f64);
    (first == 0.0 || first == 1.0) && one_by_one && numbers.count() >= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_the_numbers_together_make_an_index() {
        let index = |name, place, numbers: &[f64]| is_index(name, place, numbers.iter().copied());
        for name in [
            "id",
            "Id",
            "ID",
            "rownames",
            "Unnamed: 0",
            "Unnamed: 0.1",
            "index",
            "PassengerId",
            "customer_id",
            "#",
            "No.",
        ] {
            assert!(index(name, 3, &[1.0, 2.0, 3.0]), "{name}");
            assert!(!index(name, 3, &[1.5, 2.5, 3.5]), "{name}");
            assert!(!index(name, 3, &[1.0, 1.0, 2.0]), "{name}");
        }
        assert!(index("", 0, &[7.0, 3.0, 5.0]) && !index("", 2, &[7.0, 3.0, 5.0]));
        assert!(index("id", 0, &[17.0]) && !index("district_id", 0, &[3.0, 1.0, 2.0]));
        for name in ["x", "time", "acid", "grid", "solid", "mass", "paid"] {
            assert!(!index(name, 0, &[0.0, 1.0, 2.0, 3.0]), "{name}");
        }
    }
}
