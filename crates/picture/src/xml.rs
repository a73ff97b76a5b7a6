//! Whether a text is well-formed XML, for tests of what is drawn.

/// Holds a text to be well-formed XML: tags that open and close in order, attributes named once and in quotes, escapes that are known, and
/// no attribute that holds `NaN` or `inf`. It knows what the pictures and pages here are made of, not all of XML: one doctype at the start, no
/// processing instructions, no CDATA.
///
/// ```
/// assert!(picture::well_formed("<p class=\"a\">1 &lt; 2<br/></p>").is_ok());
/// assert!(picture::well_formed("<p><b></p></b>").is_err());
/// ```
///
/// # Errors
/// What is wrong, and where.
pub fn well_formed(text: &str) -> Result<(), String> {
    let mut open: Vec<&str> = Vec::new();
    let mut rest = text.strip_prefix("<!DOCTYPE html>").unwrap_or(text);
    while let Some(start) = rest.find('<') {
        references(&rest[..start])?;
        let tail = &rest[start..];
        let near = || tail.chars().take(60).collect::<String>();
        if let Some(comment) = tail.strip_prefix("<!--") {
            let end = comment.find("-->").ok_or_else(|| format!("a comment without end: {}", near()))?;
            rest = &comment[end + 3..];
            continue;
        }
        let end = end_of_tag(tail).ok_or_else(|| format!("a tag without end: {}", near()))?;
        let (tag, after) = (&tail[1..end], &tail[end + 1..]);
        rest = after;
        if let Some(name) = tag.strip_prefix('/') {
            match open.pop() {
                Some(opened) if opened == name => (),
                opened => return Err(format!("{name} closes {opened:?}: {}", near())),
            }
            continue;
        }
        let (tag, closed) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let name = tag.split_whitespace().next().unwrap_or_default();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic())
            || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        {
            return Err(format!("no name of a tag: {}", near()));
        }
        attributes(&tag[name.len()..]).map_err(|what| format!("{what}: {}", near()))?;
        if !closed {
            open.push(name);
        }
    }
    references(rest)?;
    if let Some(name) = open.last() { Err(format!("{name} is not closed")) } else { Ok(()) }
}

/// Where the bracket is that closes a tag, outside of quotes.
fn end_of_tag(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, c)| {
        quoted ^= c == '"';
        (c == '>' && !quoted).then_some(at)
    })
}

fn attributes(text: &str) -> Result<(), String> {
    let mut names = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (name, tail) = rest.split_once("=\"").ok_or("an attribute without a value")?;
        let (value, tail) = tail.split_once('"').ok_or("a value without its end")?;
        if name.is_empty()
            || name.contains(|c: char| c.is_whitespace() || "<>\"'/".contains(c))
            || names.contains(&name)
        {
            return Err(format!("attribute {name}"));
        }
        // Words may hold anything, numbers may not.
        let words = ["aria-label", "content", "datetime", "title", "class", "id", "href"];
        if !words.contains(&name) && (value.contains("NaN") || value.contains("inf")) {
            return Err(format!("{name} is {value}"));
        }
        if value.contains('<') {
            return Err(format!("a bracket in {name}"));
        }
        references(value)?;
        names.push(name);
        if !tail.is_empty() && !tail.starts_with(char::is_whitespace) {
            return Err(format!("no space behind {name}"));
        }
        rest = tail.trim_start();
    }
    Ok(())
}

/// Each `&` begins a reference that XML knows, and each character is one that it allows.
fn references(text: &str) -> Result<(), String> {
    if let Some(c) =
        text.chars().find(|&c| (c.is_control() && !matches!(c, '\n' | '\t')) || u32::from(c) & 0xfffe == 0xfffe)
    {
        return Err(format!("the character {:x}", u32::from(c)));
    }
    for part in text.split('&').skip(1) {
        let name = part.split_once(';').map(|(name, _)| name).unwrap_or_default();
        let number = name.strip_prefix('#').is_some_and(|digits| digits.parse::<u32>().is_ok());
        if !number && !["amp", "lt", "gt", "quot"].contains(&name) {
            return Err(format!("&{}", part.chars().take(20).collect::<String>()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_well_formed_is_told() {
        for wrong in [
            "<a>",
            "</a>",
            "<a><b></a></b>",
            "<a b></a>",
            "<a b=\"1\" b=\"2\"></a>",
            "<a b=1></a>",
            "a & b",
            "<a x=\"NaN\"/>",
            "<a x=\"1\"y=\"2\"/>",
            "<1/>",
            "<a x=\"<\"/>",
            "&nbsp;",
            "<!-- ",
            "<a x=\"-inf\"/>",
            "\u{1}",
            "<a",
            "< a/>",
        ] {
            assert!(well_formed(wrong).is_err(), "{wrong}");
        }
        for right in
            ["", "a", "<a/>", "<a b=\"1\" c=\"x>y\">t &amp; &#39;</a>", "<!DOCTYPE html><html/>", "<!-- <b> --><a/>"]
        {
            well_formed(right).unwrap();
        }
    }
}
