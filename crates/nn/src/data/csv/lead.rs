//! What may stand before the header: remarks, and the line with which spreadsheets name the separator.

use super::records::{Records, Split, split};
use super::source::line_length;
use crate::error::{counted, shown};

/// What was left out before the header.
#[derive(Default)]
pub(super) struct Lead {
    /// How many lines of remarks there were.
    pub(super) remarks: usize,
    /// Whether the header stands behind `#`.
    pub(super) marked: bool,
}

/// Takes the line `sep=;` away.
pub(super) fn separator(records: &mut Records<'_>) -> Option<u8> {
    let (head, all) = records.head();
    let used = line_length(head, all)?;
    let line = head[..used].trim_ascii_end();
    let line = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    let named = match line {
        [word @ .., separator] if word.eq_ignore_ascii_case(b"sep=") => Some(*separator),
        _ if head[..used].starts_with(b"sep=\t") => Some(b'\t'),
        _ => None,
    }?;
    records.skip(used);
    Some(named)
}

/// The bytes of the head before the first line that is no remark, that is, does not begin with `#`; and the last remark.
pub(super) fn remarks(head: &[u8], all: bool) -> Vec<usize> {
    let (mut starts, mut at) = (Vec::new(), 0);
    while let Some(used) = line_length(&head[at..], all).filter(|&used| used > 0) {
        match head[at..at + used].trim_ascii_start().first() {
            Some(b'#') => starts.push(at),
            None if !starts.is_empty() => (),
            None | Some(_) => break,
        }
        at += used;
    }
    if !starts.is_empty() {
        starts.push(at);
    }
    starts
}

/// Leaves out the remarks before the header. The last one is the header where it has as many fields as what follows.
pub(super) fn skip_remarks(records: &mut Records<'_>) -> Lead {
    let (head, all) = records.head();
    let starts = remarks(head, all);
    let [.., last, end] = starts[..] else { return Lead::default() };
    let mut spans = Vec::new();
    let mut fields = |bytes: &[u8]| match split(bytes, all, records.delimiter, &mut spans) {
        Split::Record { .. } => spans.len(),
        Split::Blank { .. } | Split::Begin | Split::End | Split::Wrong { .. } => 0,
    };
    let marked = fields(&head[end..]) > 1 && fields(&head[last..]) == fields(&head[end..]);
    records.skip(if marked { last } else { end });
    Lead { remarks: starts.len() - 1 - usize::from(marked), marked }
}

/// Leaves out the lines of a title above the names of the columns, and tells of them.
pub(super) fn skip_titles(records: &mut Records<'_>, titles: &[Vec<String>]) -> Option<String> {
    let (head, all) = records.head();
    let count = titles.len();
    let (mut at, mut left, mut spans) = (0, count, Vec::new());
    while left > 0 {
        if records.comment.is_some() && head.get(at) == records.comment.as_ref() {
            at += line_length(&head[at..], all)?;
            continue;
        }
        match split(&head[at..], all, records.delimiter, &mut spans) {
            Split::Record { used, .. } => (at, left) = (at + used, left - 1),
            Split::Blank { used } => at += used,
            Split::Begin | Split::End | Split::Wrong { .. } => return None,
        }
    }
    records.skip(at);
    let lines = counted(count, "line above the header is", "lines above the header are");
    let title = titles.iter().map(|row| &row[0]).find(|title| !title.is_empty());
    let title = title.map_or_else(String::new, |title| format!(", the first is `{}`", shown(title)));
    Some(format!("{lines} left out{title}"))
}

/// The name of the first column of a header behind `#`.
pub(super) fn unmarked(name: &str) -> &str {
    name.strip_prefix('#')
        .map(str::trim_start)
        .filter(|rest| name[1..].starts_with([' ', '\t']) && !rest.is_empty())
        .unwrap_or(name)
}
