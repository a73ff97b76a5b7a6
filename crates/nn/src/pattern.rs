//! Patterns of names: `*` stands for any run of characters, dots and none included.

/// What the stars of a pattern stand for in a name, or `None` where it does not fit. Each star but the last is as short as it can be.
pub(crate) fn captures<'a>(pattern: &str, name: &'a str) -> Option<Vec<&'a str>> {
    let mut parts = pattern.split('*');
    let mut rest = name.strip_prefix(parts.next()?)?;
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty().then(Vec::new) };
    let mut found = Vec::with_capacity(parts.len());
    for part in middle {
        let at = rest.find(part)?;
        found.push(&rest[..at]);
        rest = &rest[at + part.len()..];
    }
    found.push(rest.strip_suffix(last)?);
    Some(found)
}

/// Whether a pattern fits a name as a whole: `encoder.*` fits `encoder.0.weight`.
pub(crate) fn fits(pattern: &str, name: &str) -> bool {
    captures(pattern, name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_run_of_characters() {
        for (pattern, name, want) in [
            ("a.b", "a.b", Some(vec![])),
            ("a.b", "a.bc", None),
            ("*", "", Some(vec![""])),
            ("a.*", "a.b.c", Some(vec!["b.c"])),
            ("*.weight", "a.0.weight", Some(vec!["a.0"])),
            ("l.*.k*", "l.12.kernel", Some(vec!["12", "ernel"])),
            ("ab*ba", "aba", None),
            ("*a*a*", "banana", Some(vec!["b", "n", "na"])),
        ] {
            assert_eq!(captures(pattern, name), want, "{pattern} {name}");
        }
    }

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, name, want) in [
            ("encoder.*", "encoder.0.weight", true),
            ("encoder.*", "decoder.encoder.0", false),
            ("*.bias", "layers.10.bias", true),
            ("*.bias", "bias", false),
            ("*bias", "bias", true),
            ("a", "a", true),
            ("a", "ab", false),
            ("a*a", "a", false),
            ("a*b*c", "aXbYbZc", true),
            ("*", "", true),
            ("", "", true),
            ("layers.1*", "layers.10.weight", true),
        ] {
            assert_eq!(fits(pattern, name), want, "{pattern} {name}");
        }
    }
}
