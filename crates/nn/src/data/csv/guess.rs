//! How a text is probably written, from its first rows.

use super::lead::remarks;
use super::missing::{NO_NUMBER, is_missing};
use super::number::grouped;
use super::records::{Record, Split, split};
use super::source::line_length;

/// How many rows are looked at, and of long ones how many at least, and how many cells.
const ROWS: usize = 200;
const LONG_ROWS: usize = 10;
const CELLS: usize = 50_000;

/// The first records as far as they are whole and right, and whether all of them are. Lines that begin with `comment` are none.
pub(super) fn sample(head: &[u8], all: bool, delimiter: u8, comment: Option<u8>) -> (Vec<Vec<String>>, bool) {
    let (mut rows, mut spans, mut at, mut cells) = (Vec::new(), Vec::new(), 0, 0);
    while rows.len() < ROWS && (cells < CELLS || rows.len() < LONG_ROWS) {
        if comment.is_some() && head.get(at) == comment.as_ref() {
            let Some(used) = line_length(&head[at..], all) else { break };
            at += used;
            continue;
        }
        match split(&head[at..], all, delimiter, &mut spans) {
            Split::Record { used, .. } => {
                let text = String::from_utf8_lossy(&head[at..at + used]);
                // Of bytes that are no text the spans may not fit.
                if text.len() == used {
                    rows.push(Record::new(0, &text, &spans).texts());
                }
                cells += spans.len();
                at += used;
            }
            Split::Blank { used } => at += used,
            Split::Begin | Split::End => break,
            Split::Wrong { .. } => return (rows, false),
        }
    }
    (rows, true)
}

/// The separator of most likely fields: the rows have as many fields as the first, most fields are numbers, there are many. Where numbers
/// have decimal commas, and the names of the columns none, no comma separates.
pub(super) fn delimiter(head: &[u8], all: bool, comment: Option<u8>, decimal_commas: bool) -> u8 {
    let remarks = if comment.is_none() { remarks(head, all) } else { Vec::new() };
    let head = remarks.last().map_or(head, |&start| &head[start..]);
    if decimal_commas && !head.iter().take_while(|&&byte| byte != b'\n').any(|byte| b",;\t|".contains(byte)) {
        // A column alone: what does not occur separates nothing.
        return b';';
    }
    let best = best_delimiter(head, all, comment, false);
    match best {
        Some((Score { fitting: 500.., .. }, delimiter)) => delimiter,
        // Below the title of a table its fields may be plain.
        _ => match best_delimiter(head, all, comment, true) {
            Some((Score { fitting: 1000, .. }, delimiter)) => delimiter,
            _ => best.map_or(b',', |(_, delimiter)| delimiter),
        },
    }
}

/// How likely a separator is: whether no row is wrong by it, how many of a thousand rows have as many fields as the first, how many of a
/// thousand fields may be numbers, and how many fields there are.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Score {
    right: bool,
    fitting: usize,
    typed: usize,
    width: usize,
}

/// The separator of the best score, of rows below those of a single field where there is a title.
fn best_delimiter(head: &[u8], all: bool, comment: Option<u8>, titled: bool) -> Option<(Score, u8)> {
    let thousandth = |part: usize, whole: usize| 1000 * part / whole.max(1);
    let mut best: Option<(Score, u8)> = None;
    for candidate in *b",;\t| " {
        if comment == Some(candidate) {
            continue;
        }
        let (rows, right) = sample(head, all, candidate, comment);
        let title = if titled { rows.iter().take_while(|row| row.len() == 1).count() } else { 0 };
        let rows = &rows[title..];
        let width = rows.first().map_or(0, Vec::len);
        if width < 2 || title > MOST_TITLES || (titled && rows.len() < 3) {
            continue;
        }
        let fitting = thousandth(rows.iter().filter(|row| row.len() == width).count(), rows.len());
        let cells = || rows.iter().flatten();
        let typed = thousandth(cells().filter(|cell| fits_number(cell)).count(), cells().count());
        // Words have blanks between them in any file.
        if candidate == b' ' && (fitting < 1000 || typed < 500 || rows.len() < 2) {
            continue;
        }
        let score = Score { right, fitting, typed, width };
        if best.is_none_or(|(known, _)| score > known) {
            best = Some((score, candidate));
        }
    }
    best
}

/// So many lines may stand above the names of the columns.
pub(super) const MOST_TITLES: usize = 10;

/// How many of the first records are a title: only their first cell is there, or they have half the fields of the others at most, and names of columns
/// stand below them.
pub(super) fn titles(rows: &[Vec<String>]) -> usize {
    let Some(width) = rows.last().map(Vec::len).filter(|&width| width > 1) else { return 0 };
    let is_title = |row: &&Vec<String>| {
        let padded = row[1..].iter().all(String::is_empty);
        row.len() <= width && (padded || 2 * row.len() <= width)
    };
    let count = rows.iter().take_while(is_title).count();
    let table = &rows[count..];
    let whole =
        table.len() > 1 && table.iter().all(|row| row.len() == width) && table[0].iter().all(|name| !name.is_empty());
    if whole && count <= MOST_TITLES && names(table) { count } else { 0 }
}

/// Whether the first record names columns: one of its cells is a word, and all below it hold digits, as numbers, amounts and dates do.
fn names(rows: &[Vec<String>]) -> bool {
    let [first, rest @ ..] = rows else { return false };
    let has_digit = |cell: &str| cell.bytes().any(|byte| byte.is_ascii_digit());
    // A header may come again.
    let below = |column: usize| rest.iter().filter(|row| *row != first).map(move |row| &row[column][..]);
    (0..first.len()).any(|column| {
        let there = || below(column).filter(|cell| !is_missing(cell));
        !has_digit(&first[column]) && there().next().is_some() && there().all(has_digit)
    })
}

/// Whether all cells of a column that are there are numbers.
fn numbers_below(rows: &[Vec<String>], column: usize) -> bool {
    let below = || rows.iter().filter_map(|row| row.get(column)).filter(|cell| !is_missing(cell));
    below().all(|cell| fits_number(cell)) && below().any(|cell| is_number(cell))
}

/// Whether a cell may be one of a column of numbers.
fn fits_number(cell: &str) -> bool {
    is_missing(cell) || NO_NUMBER.contains(&cell) || is_number(cell)
}

fn is_number(cell: &str) -> bool {
    grouped(cell, b'.').is_some() || grouped(cell, b',').is_some()
}

/// Whether the first record names the columns, and a note where it may be meant the other way.
pub(super) fn header(rows: &[Vec<String>]) -> (bool, Option<&'static str>) {
    let [first, rest @ ..] = rows else { return (true, None) };
    // A header may come again.
    let others: Vec<Vec<String>> = rest.iter().filter(|row| *row != first).cloned().collect();
    let rest = if others.is_empty() { rest } else { &others };
    if rest.is_empty() {
        return (true, None);
    }
    let (mut named, mut counted, mut repeated) = (0, 0, false);
    for (column, cell) in first.iter().enumerate() {
        let below = || rest.iter().filter_map(|row| row.get(column)).filter(|cell| !is_missing(cell));
        match (is_number(cell), numbers_below(rest, column)) {
            (true, true) => counted += 1,
            (false, true) if !fits_number(cell) => named += 1,
            _ => repeated |= is_number(cell) || below().any(|other| other == cell),
        }
    }
    if named > 0 {
        let note = "some names of columns are numbers; the first line was taken for a header";
        return (true, (counted > 0).then_some(note));
    }
    if counted > 0 {
        if counts(first) && !counts(&rest[0]) {
            return (true, Some("the first line counts and was taken for a header; it may be a row"));
        }
        return (false, Some("the first line looks like the others and was taken for a row; there is no header"));
    }
    if repeated {
        return (
            false,
            Some("words of the first line come again below, so it was taken for a row; there is no header"),
        );
    }
    (true, None)
}

/// Whether the numbers of a row go up by one, as the numbers of columns or years do.
fn counts(row: &[String]) -> bool {
    let numbers: Vec<f64> = row.iter().filter_map(|cell| cell.parse().ok()).collect();
    numbers.len() > 2 && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_is_the_one_that_makes_a_table() {
        for (text, want) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2\n", b';'),
            ("1,5;2\n3,5;4\n", b';'),
            ("a\tb c\n1\tx, y\n", b'\t'),
            ("a|b|c\n1|2|3\n", b'|'),
            ("id,tags\n1,a;b;c\n2,a;b;c\n", b','),
            ("# made; by; hand\na,b\n1,2\n", b','),
            ("1.5  2 3\n 2  3 4\n", b' '),
            ("name\nOld town\nNew town\n", b','),
            ("\"a;b\",c\n\"1;2\",3\n", b','),
            ("Sales, 2023\nx;y\n1;2\n3;4\n", b';'),
            ("Sales of 2023\n\nx;y\n1,5;2\n3;4\n", b';'),
            ("name\nUlm, old\nUlm, new\n", b','),
        ] {
            assert_eq!(char::from(delimiter(text.as_bytes(), true, None, false)), char::from(want), "{text:?}");
        }
    }

    #[test]
    fn a_header_is_told_by_what_stands_below() {
        for (text, want) in [
            ("x,kind\n1,a\n", true),
            ("5.1,3.5,setosa\n4.9,3,setosa\n", false),
            ("name,2019,2020\na,1,2\n", false),
            ("id,2019,2020\n7,1,2\n", true),
            ("0,1,2,3\n0.5,7,7,1\n", true),
            ("2018,2019,2020\n5,1,7\n", true),
            ("1,2,3\n2,3,4\n", false),
            ("p,x\ne,x\np,y\n", false),
            ("kind,colour\ncat,red\ndog,blue\n", true),
            ("x,kind\n1,a\nx,kind\n2,a\n", true),
            ("1,2\n1,2\n", false),
            ("x\n", true),
            ("NA,1\n2,3\n", false),
        ] {
            assert_eq!(header(&sample(text.as_bytes(), true, b',', None).0).0, want, "{text:?}");
        }
    }
}
