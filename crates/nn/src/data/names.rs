//! Names that are nearly others.

/// The name that is next to one that is not there: the fewest letters to change, no more than half of them.
pub(crate) fn closest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |name: &str| name.to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect::<Vec<char>>();
    let wanted = plain(name);
    let near = names.into_iter().map(|other| (distance(&wanted, &plain(other)), other));
    near.filter(|(far, _)| 2 * far <= wanted.len()).min_by_key(|(far, _)| *far).map(|(_, other)| other)
}

/// How many letters must be put in, taken out or changed (Levenshtein).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = before + usize::from(x != y);
            before = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(before + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_name_is_found_and_a_far_one_is_not() {
        let names = ["area m2", "rooms", "rent"];
        assert_eq!(closest("Area_m2", names), Some("area m2"));
        assert_eq!(closest("romms", names), Some("rooms"));
        assert_eq!(closest("price", names), None);
        assert_eq!(closest("", names), None);
    }
}
