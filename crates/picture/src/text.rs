//! Text from anywhere, as it may stand in XML: escaped, with nothing invisible in it, cut where there is no room.

use std::fmt::Write as _;

/// How many characters of one text a table shows.
const MOST: usize = 500;

/// A text between tags or in an attribute. What has no shape of its own (control characters, marks that turn the direction of writing)
/// stands as `\u{202e}`.
///
/// ```
/// assert_eq!(picture::escaped("<b> & \"c\"\n"), "&lt;b&gt; &amp; &quot;c&quot;\\n");
/// ```
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_hidden(c) => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out
}

/// What XML forbids, and what would change how the text around it is shown.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        || u32::from(c) & 0xfffe == 0xfffe
}

/// As [`escaped`], up to so many characters that even a table of many such texts stays small.
pub(crate) fn whole(text: &str) -> String {
    match text.char_indices().nth(MOST) {
        None => escaped(text),
        Some((end, _)) => format!("{}… ({} characters)", escaped(&text[..end]), text.chars().count()),
    }
}

/// How wide a text is at most, in the size of its font. A sans-serif font is not known exactly, so this is what wide ones have.
pub(crate) fn width(text: &str) -> f64 {
    text.chars().map(advance).sum()
}

fn advance(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | 'f' | 't' | 'I' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' | '(' | ')' | '[' | ']' => {
            0.4
        }
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 0.98,
        'A'..='Z' | '…' | '&' | '<' | '>' | '=' | '+' | '~' => 0.8,
        c if is_hidden(c) => 0.6 * 8.0,
        c if c.is_ascii() => 0.62,
        '\u{a1}'..='\u{24f}' | '\u{370}'..='\u{52f}' => 0.8,
        // Marks that stand over others have no width, but who stacks them wants to break something.
        _ => 1.1,
    }
}

/// The beginning of a text that is no wider than this many ems, with `…` where something is missing.
pub(crate) fn cut(text: &str, ems: f64) -> String {
    if text.chars().take(200).count() < 200 && width(text) <= ems {
        return text.to_owned();
    }
    let (mut used, mut end) = (advance('…'), 0);
    for (at, c) in text.char_indices() {
        used += advance(c);
        if used > ems {
            break;
        }
        end = at + c.len_utf8();
    }
    format!("{}…", text[..end].trim_end())
}

/// A number in four digits at most, whole ones up to a billion in full.
///
/// ```
/// use picture::number;
/// let shown = [0.123456, 150.0, -2e-7, 1234567.8, f64::INFINITY, f64::NAN].map(number);
/// assert_eq!(shown, ["0.1235", "150", "-2e-7", "1.235e6", "∞", "NaN"]);
/// ```
pub fn number(x: f64) -> String {
    let size = x.abs();
    if x.is_nan() {
        "NaN".to_owned()
    } else if x.is_infinite() {
        if x > 0.0 { "∞".to_owned() } else { "-∞".to_owned() }
    } else if x == 0.0 {
        "0".to_owned()
    } else if size < 1e9 && x.fract() == 0.0 {
        format!("{x}")
    } else if (1e-3..1e6).contains(&size) {
        let digits = (3 - size.log10().floor() as i32).clamp(0, 6) as usize;
        trimmed(&format!("{x:.digits$}"))
    } else {
        let text = format!("{x:.3e}");
        let (head, tail) = text.split_once('e').unwrap_or((&text, "0"));
        format!("{}e{tail}", trimmed(head))
    }
}

/// Without zeros at the end of a fraction.
pub(crate) fn trimmed(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

/// A count with its noun.
///
/// ```
/// assert_eq!([picture::count(1, "row", "rows"), picture::count(3, "row", "rows")], ["1 row", "3 rows"]);
/// ```
pub fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_is_no_wider_than_its_room() {
        for text in [
            "",
            "a",
            "WWWWWWWWWWWWWWWW",
            "日本語日本語日本語",
            "i̴̡͖͝i̴̡͖͝i̴̡͖͝i̴̡͖͝",
            "a very long name of a class indeed",
            "\u{202e}\u{202e}\u{202e}",
        ] {
            for ems in [1.2, 3.0, 10.0] {
                assert!(width(&cut(text, ems)) <= ems, "{text} in {ems}");
            }
        }
        assert_eq!(cut("setosa", 10.0), "setosa");
    }

    #[test]
    fn no_escaped_text_holds_what_xml_forbids() {
        for c in (0..0x11_0000).filter_map(char::from_u32) {
            let text = escaped(&c.to_string());
            assert!(!text.chars().any(|c| matches!(c, '<' | '>' | '"' | '\'') || is_hidden(c)), "{:?}", u32::from(c));
        }
    }

    #[test]
    fn numbers_are_short_and_can_be_read_back() {
        for x in [0.0, 1.0, -1.5, 0.1, 1e-300, 5e-324, 1.7e308, -123456.789, 0.001, 999999.5, 1e9, 123456789.0] {
            let shown = number(x);
            assert!(shown.len() <= 10, "{shown}");
            let back: f64 = shown.parse().unwrap();
            assert!((back / 2.0 - x / 2.0).abs() <= 6e-4 * x.abs(), "{x} as {shown}");
        }
    }
}
