//! Columns that only number the rows. Such a column is no feature: where rows are sorted by their class, it tells the class.

/// Names of columns that number the rows, their words in small letters and without what is between them.
const ROWS: [&str; 10] = ["id", "index", "idx", "rownames", "rowname", "rowid", "level0", "row", "rownum", "rownumber"];

/// Names of columns that may be more than a number of the row: they must count the rows one by one.
const COUNT: [&str; 9] = ["no", "nr", "number", "obs", "observation", "case", "record", "sno", "serial"];

/// Words of names whose columns may count and mean something.
const COUNTED: [&str; 13] =
    ["year", "month", "week", "day", "hour", "time", "t", "x", "age", "step", "epoch", "rank", "ranking"];

/// What the name of a column tells of numbering.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// Nothing.
    Plain,
    /// That it may count the rows.
    Count,
    /// That it names things, which may be the rows.
    Things,
    /// That it numbers the rows.
    Rows,
}

/// Why a column is taken for an index.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Index {
    /// By its name, and as it has a whole number of its own in each row.
    Named,
    /// As it counts from this number, one by one in the order of the rows, though its name says nothing.
    Counts(f64),
}

/// What the name of a column in this place tells; the first place is 0.
pub(super) fn naming(name: &str, place: usize) -> Naming {
    let words = words(name);
    let joined = words.concat();
    if joined.is_empty() {
        return match name {
            "" if place == 0 => Naming::Rows,
            "#" => Naming::Count,
            _ => Naming::Plain,
        };
    }
    let unnamed = words[0] == "unnamed" && words[1..].iter().all(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
    if unnamed || ROWS.contains(&&joined[..]) {
        Naming::Rows
    } else if words.last().is_some_and(|last| ["id", "ids", "uuid", "guid"].contains(&&last[..])) {
        Naming::Things
    } else if COUNT.contains(&&joined[..]) {
        Naming::Count
    } else {
        Naming::Plain
    }
}

/// Whether a column numbers the rows, and why. All its cells are there.
pub(super) fn index(name: &str, place: usize, numbers: impl Iterator<Item = f64> + Clone) -> Option<Index> {
    let counted = || {
        let first = numbers.clone().next()?;
        let one_by_one = numbers.clone().enumerate().all(|(row, x)| x == first + row as f64);
        (one_by_one && first.fract() == 0.0).then(|| (first, numbers.clone().count()))
    };
    let from_the_first = |rows: usize| counted().filter(|&(first, n)| (first == 0.0 || first == 1.0) && n >= rows);
    match naming(name, place) {
        Naming::Rows => different(numbers).map(|_| Index::Named),
        // Of few rows each may have another number by chance.
        Naming::Things => {
            let named = counted().is_some_and(|(_, n)| n >= 3) || different(numbers).is_some_and(|n| n >= 5);
            named.then_some(Index::Named)
        }
        Naming::Count => from_the_first(3).map(|_| Index::Named),
        Naming::Plain if words(name).iter().any(|word| COUNTED.contains(&&word[..])) => None,
        Naming::Plain => from_the_first(5).map(|(first, _)| Index::Counts(first)),
    }
}

/// How many numbers there are, where all are whole and no two the same.
fn different(numbers: impl Iterator<Item = f64>) -> Option<usize> {
    let mut sorted: Vec<f64> = numbers.collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let whole = sorted.iter().all(|x| x.is_finite() && x.fract() == 0.0);
    (whole && sorted.windows(2).all(|pair| pair[0] != pair[1])).then_some(sorted.len())
}

/// The words that a name is made of, in small letters: `patientId`, `patient_id` and `Patient ID` are the same.
pub(super) fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_is_small = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && before_is_small) {
            words.push(String::new());
        }
        before_is_small = c.is_lowercase() || c.is_ascii_digit();
        if c.is_alphanumeric() {
            words.last_mut().expect("there is a word").extend(c.to_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, place: usize, numbers: &[f64]) -> bool {
        index(name, place, numbers.iter().copied()) == Some(Index::Named)
    }

    #[test]
    fn a_name_and_the_numbers_together_make_an_index() {
        for name in ["id", "Id", "ID", "rownames", "row.names", "Unnamed: 0", "Unnamed: 0.1", "index", "PassengerId"] {
            assert!(named(name, 3, &[1.0, 2.0, 3.0]), "{name}");
            assert!(!named(name, 3, &[1.5, 2.5, 3.5]), "{name}");
            assert!(!named(name, 3, &[1.0, 1.0, 2.0]), "{name}");
        }
        assert!(named("", 0, &[7.0, 3.0, 5.0]) && !named("", 2, &[7.0, 3.0, 5.0]));
        assert!(named("id", 0, &[17.0]) && !named("district_id", 0, &[3.0, 1.0, 2.0]));
        assert!(named("PassengerId", 0, &[892.0, 893.0, 894.0]));
        assert!(named("customer_id", 0, &[907.0, 11.0, 530.0, 2.0, 76.0]));
    }

    #[test]
    fn what_may_be_a_measure_is_an_index_only_where_it_counts_the_rows() {
        for name in ["#", "No.", "nr", "case", "obs"] {
            assert!(named(name, 3, &[1.0, 2.0, 3.0]), "{name}");
            assert!(!named(name, 3, &[4.0, 2.0, 3.0, 1.0, 5.0]), "{name}");
        }
        for name in ["x", "time", "acid", "grid", "solid", "mass", "paid", "%"] {
            assert!(!named(name, 0, &[0.0, 1.0, 2.0, 3.0]), "{name}");
        }
    }

    #[test]
    fn a_column_of_any_name_is_an_index_where_it_counts_up_as_the_rows_come() {
        let found = |name, numbers: &[f64]| index(name, 2, numbers.iter().copied());
        let up = [1.0, 2.0, 3.0, 4.0, 5.0];
        assert_eq!(found("counter", &up), Some(Index::Counts(1.0)));
        assert_eq!(found("counter", &up[..4]), None);
        // A rank, in whatever order.
        for rank in [[5.0, 4.0, 3.0, 2.0, 1.0], [2.0, 1.0, 3.0, 4.0, 5.0]] {
            assert_eq!(found("place", &rank), None);
        }
        for name in ["year", "Rank", "age of child", "x"] {
            assert_eq!(found(name, &up), None, "{name}");
        }
    }
}
