//! Tables of numbers, as the page's script writes them too.

use picture::escaped;
use serde_json::Value;

/// A cell.
pub(crate) enum Cell {
    Text(String),
    /// Content that is HTML already.
    Html(String),
    Number(Value),
}

impl Cell {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn number(value: &Value) -> Self {
        Self::Number(value.clone())
    }
}

/// A number of five decimals, or of two digits where it is very small or large.
pub(crate) fn shown(value: &Value) -> String {
    let Some(x) = value.as_f64() else {
        return match value.as_str() {
            Some("Infinity") => "∞".to_owned(),
            Some("-Infinity") => "−∞".to_owned(),
            Some(text) => text.to_owned(),
            None => "held back".to_owned(),
        };
    };
    let size = x.abs();
    let text = if x == 0.0 {
        "0".to_owned()
    } else if (1e-4..1e6).contains(&size) {
        format!("{x:.5}")
    } else {
        format!("{x:.1e}")
    };
    text.replace('-', "−")
}

/// A table with a caption, whose first column names the rows; it scrolls inside of its place.
pub(crate) fn table(caption: &str, columns: &[&str], rows: impl IntoIterator<Item = Vec<Cell>>) -> String {
    let caption = escaped(caption);
    let mut html = vec![format!(
        "<div class=\"wide\" role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table><caption>{caption}</caption><thead><tr>"
    )];
    for column in columns {
        html.push(format!("<th scope=\"col\">{}</th>", escaped(column)));
    }
    html.push("</tr></thead><tbody>".to_owned());
    for row in rows {
        html.push("<tr>".to_owned());
        for (place, cell) in row.into_iter().enumerate() {
            let (open, close) = if place == 0 { ("<th scope=\"row\"", "</th>") } else { ("<td", "</td>") };
            html.push(match cell {
                Cell::Text(text) => format!("{open}>{}{close}", escaped(&text)),
                Cell::Html(content) => format!("{open}>{content}{close}"),
                Cell::Number(value) => {
                    let exact = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                    format!("{open} data-v=\"{exact}\">{}{close}", shown(&value))
                }
            });
        }
        html.push("</tr>".to_owned());
    }
    html.push("</tbody></table></div>".to_owned());
    html.concat()
}
