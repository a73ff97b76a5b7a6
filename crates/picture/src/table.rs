//! The numbers of a picture as a table.

use crate::text::{number, whole};

/// How many rows are shown where nobody says otherwise.
const MOST_ROWS: usize = 60;
/// Texts of more characters are long.
const LONG: usize = 24;

/// A table: the numbers that a picture shows.
///
/// ```
/// use picture::{Cell, Table};
/// let table = Table::new("Rows by class", &["class", "rows"]).row([Cell::text("<setosa>"), Cell::Number(50.0)]);
/// let html = table.html();
/// assert!(html.contains(r#"<th scope="row">&lt;setosa&gt;</th><td>50</td>"#));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// What it is of.
    pub caption: String,
    /// The names of the columns; the first column names the rows.
    pub columns: Vec<String>,
    /// A cell for each column, in each row.
    pub rows: Vec<Vec<Cell>>,
    /// How many rows are shown at most: the first, the last and some between; all where this is `None`.
    pub most_rows: Option<usize>,
}

/// A cell of a [`Table`].
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number, in up to four digits.
    Number(f64),
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}

impl From<f64> for Cell {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl Table {
    /// An empty table, which shows up to 60 rows.
    pub fn new(caption: impl Into<String>, columns: &[&str]) -> Self {
        Self {
            caption: caption.into(),
            columns: columns.iter().map(|&name| name.to_owned()).collect(),
            rows: Vec::new(),
            most_rows: Some(MOST_ROWS),
        }
    }

    /// The same table with one more row.
    pub fn row<C: Into<Cell>>(mut self, cells: impl IntoIterator<Item = C>) -> Self {
        self.push(cells);
        self
    }

    /// One more row.
    pub fn push<C: Into<Cell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.rows.push(cells.into_iter().map(Into::into).collect());
    }

    /// Which rows are shown.
    fn shown(&self) -> Vec<usize> {
        let n = self.rows.len();
        match self.most_rows {
            Some(most) if n > most.max(2) => {
                let most = most.max(2);
                (0..most).map(|k| k * (n - 1) / (most - 1)).collect()
            }
            _ => (0..n).collect(),
        }
    }

    /// As HTML that is XML too: a `<table>` in a `<div class="scroll">`, which keyboards can reach to scroll.
    pub fn html(&self) -> String {
        let (shown, n) = (self.shown(), self.rows.len());
        let caption = whole(&self.caption);
        let of = if shown.len() < n { format!(" ({} of {n} rows)", shown.len()) } else { String::new() };
        let mut html = format!(
            "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-label=\"Table: {caption}\"><table><caption>{caption}{of}</caption><thead><tr>"
        );
        for name in &self.columns {
            put!(html, "<th scope=\"col\"{}>{}</th>", classes(name, ""), whole(name));
        }
        html.push_str("</tr></thead><tbody>");
        for row in shown {
            html.push_str("<tr>");
            for (place, cell) in self.rows[row].iter().enumerate() {
                let cell = match (place, cell) {
                    (0, Cell::Text(text)) => format!("<th scope=\"row\"{}>{}</th>", classes(text, ""), whole(text)),
                    (0, Cell::Number(x)) => format!("<th scope=\"row\">{}</th>", number(*x)),
                    (_, Cell::Text(text)) => format!("<td{}>{}</td>", classes(text, "words"), whole(text)),
                    (_, Cell::Number(x)) => format!("<td>{}</td>", number(*x)),
                };
                html.push_str(&cell);
            }
            html.push_str("</tr>");
        }
        if n == 0 {
            put!(html, "<tr><td colspan=\"{}\" class=\"words\">nothing</td></tr>", self.columns.len().max(1));
        }
        html.push_str("</tbody></table></div>");
        html
    }
}

/// The classes of a cell: long texts may be broken anywhere, short ones between words alone.
fn classes(text: &str, kind: &str) -> String {
    let long = if text.chars().nth(LONG).is_some() { "long" } else { "" };
    match [kind, long].join(" ").trim() {
        "" => String::new(),
        both => format!(" class=\"{both}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_table_shows_its_first_and_its_last_row_and_says_so() {
        let mut table = Table::new("Loss", &["epoch", "loss"]);
        for epoch in 0..100_000 {
            table.push([f64::from(epoch), 0.5]);
        }
        let html = table.html();
        assert!(html.contains("(60 of 100000 rows)") && html.len() < 10_000);
        assert!(html.contains(">0</th>") && html.contains(">99999</th>"));
        crate::well_formed(&html).unwrap();
    }

    #[test]
    fn an_empty_table_says_nothing() {
        assert!(Table::new("a", &["b", "c"]).html().contains("colspan=\"2\""));
    }
}
