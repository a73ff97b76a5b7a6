//! Rows of a long file on several threads.
//!
//! What is read of a file at once is cut behind line ends. Each part but the first is read on a thread of its own as if a row began there, as far as
//! its rows are plain. Whether one does begin there, and not within quotes, is known when the rows before it were read: then the part is joined to
//! them, and else dropped. So threads change nothing but the time.

use super::growing::Growing;
use super::plain;
use super::records::CHUNK;
use std::collections::VecDeque;
use std::thread::{Builder, Scope, ScopedJoinHandle};

/// How a text is read: by how many threads, how many bytes at once, and how many of these a thread takes at least.
#[derive(Clone, Copy)]
pub(super) struct Threads {
    pub(super) count: usize,
    pub(super) block: usize,
    pub(super) least: usize,
}

impl Threads {
    pub(super) const ONE: Self = Self { count: 1, block: CHUNK, least: 0 };

    /// For so many bytes, where that is known: threads are started anew for each block, which only pays off for several long ones.
    pub(super) fn of_size(size: Option<u64>) -> Self {
        const BLOCK: usize = 1 << 22;
        // Of more threads the first, which joins what the others have read, is waited for.
        const MOST: usize = 4;
        if size.is_none_or(|size| size < 2 * BLOCK as u64) {
            return Self::ONE;
        }
        let count = std::thread::available_parallelism().map_or(1, usize::from).min(MOST);
        if count == 1 { Self::ONE } else { Self { count, block: BLOCK, least: BLOCK / 16 } }
    }
}

/// What plain rows are read by.
#[derive(Clone, Copy)]
pub(super) struct Plain<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) delimiter: u8,
    pub(super) missing: &'a [String],
    pub(super) first_name: &'a str,
}

impl Plain<'_> {
    /// Reads the rows that begin in these bytes, as far as they are plain: how many bytes they are, and how many rows. So many more than this are
    /// to be expected, given how many rows were read and where the next one begins.
    pub(super) fn rows(
        self,
        (mut start, end): (usize, usize),
        columns: &mut [Growing],
        known: usize,
        expected: impl Fn(usize, usize) -> usize,
    ) -> (usize, usize) {
        let Self { bytes, delimiter, missing, .. } = self;
        let (begin, count) = (start, columns.len());
        let (mut rows, mut room) = (0, 0);
        'rows: while start < end && !self.may_be_no_row(start, count) {
            if room == 0 {
                let more = expected(rows, start).max(1);
                room = columns.iter_mut().map(|column| column.make_room(1, more)).min().unwrap_or(0);
            }
            let (mut at, mut is_hollow) = (start, true);
            for (place, column) in columns.iter_mut().enumerate() {
                let is_last = place + 1 == count;
                let Some((end, next)) = column.take_plain(bytes, at, (delimiter, is_last), missing) else {
                    // The cells of this row that were taken go again.
                    columns[..place].iter_mut().for_each(|column| column.truncate(known + rows));
                    break 'rows;
                };
                is_hollow &= end == at;
                at = next;
            }
            // A row of nothing but separators may stand below the table.
            if is_hollow {
                for column in columns.iter_mut() {
                    column.truncate(known + rows);
                }
                break;
            }
            (start, rows, room) = (at, rows + 1, room - 1);
        }
        (start - begin, rows)
    }

    /// Whether the names of the columns may stand here again, or nothing.
    #[inline(always)]
    fn may_be_no_row(self, start: usize, columns: usize) -> bool {
        let begin = self.first_name.as_bytes().first().copied().unwrap_or(self.delimiter);
        let byte = |at: usize| self.bytes.get(at).copied().unwrap_or_default();
        match byte(start + usize::from(byte(start) == b'"')) {
            b'\n' | b'\r' => columns == 1,
            // Before a name that stands there again, the mark of UTF-8 may, too.
            first if first == begin || first == 0xef => self.begins_as_header(start),
            _ => false,
        }
    }

    #[inline(never)]
    fn begins_as_header(self, start: usize) -> bool {
        let Some((cell, _)) = plain::word(self.bytes, start, self.delimiter) else { return true };
        let Ok(cell) = std::str::from_utf8(cell) else { return true };
        let (cell, name) = (cell.trim_start_matches('\u{feff}'), self.first_name);
        cell == name || (name.contains(' ') && cell.split_whitespace().eq(name.split_whitespace()))
    }
}

/// Rows that were read beside those before them.
struct Piece {
    /// Where they begin, counted from the begin of the text, and how many bytes they are.
    start: u64,
    bytes: usize,
    rows: usize,
    columns: Vec<Growing>,
}

/// The parts that are read ahead.
pub(super) struct Pieces {
    threads: Threads,
    /// Up to where the text was cut.
    cut: u64,
    ahead: VecDeque<Piece>,
    /// Columns whose memory is free.
    spare: Vec<Vec<Growing>>,
}

impl Pieces {
    pub(super) fn new(threads: Threads) -> Self {
        Self { threads, cut: 0, ahead: VecDeque::new(), spare: Vec::new() }
    }

    /// Reads the rows that are plain at the begin of these bytes, which stand so far from the begin of the text: how many bytes and rows they are.
    pub(super) fn rows(
        &mut self,
        at: u64,
        plain: Plain<'_>,
        columns: &mut [Growing],
        known: usize,
        expected: impl Fn(usize, usize) -> usize,
    ) -> (usize, usize) {
        while self.ahead.front().is_some_and(|piece| piece.start < at) {
            self.ahead.pop_front();
        }
        let cuts = self.cuts(plain.bytes, at);
        let (mut used, mut rows) = (0, 0);
        let read = std::thread::scope(|scope| {
            let spare = &mut self.spare;
            let start = |part: &[usize]| {
                let mut old = spare.pop().unwrap_or_default().into_iter();
                let columns = columns.iter().map(|column| column.another(old.next())).collect();
                Piece::start(scope, at, plain, (part[0], part[1]), columns)
            };
            let threads: Vec<_> = cuts.windows(2).filter_map(start).collect();
            let own = cuts.first().copied().or_else(|| Some((self.ahead.front()?.start - at) as usize));
            (used, rows) = plain.rows((0, own.unwrap_or(plain.bytes.len())), columns, known, &expected);
            let join = |thread: ScopedJoinHandle<'_, Piece>| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            threads.into_iter().map(join).collect::<Vec<_>>()
        });
        self.ahead.extend(read);
        while let Some(piece) = self.ahead.pop_front() {
            if piece.start > at + used as u64 {
                self.ahead.push_front(piece);
                break;
            }
            if piece.start == at + used as u64 {
                let more = expected(rows, used).max(piece.rows);
                used += piece.bytes;
                rows += piece.rows;
                for (column, other) in columns.iter_mut().zip(&piece.columns) {
                    column.make_room(piece.rows, more);
                    column.join(other);
                }
            }
            self.spare.push(piece.columns);
        }
        (used, rows)
    }

    /// Where the parts behind the first begin, and the end of the last: none where these bytes were cut before.
    fn cuts(&mut self, bytes: &[u8], at: u64) -> Vec<usize> {
        let parts = self.threads.count.min(bytes.len() / self.threads.least.max(1));
        if parts < 2 || at < self.cut {
            return Vec::new();
        }
        let behind_line = |from: usize| Some(from + bytes[from..].iter().position(|&byte| byte == b'\n')? + 1);
        // The first thread has less to read, and joins what the others have read.
        let part = bytes.len() * 5 / (5 * parts - 2);
        let mut cuts: Vec<usize> = (1..parts).filter_map(|k| behind_line(bytes.len() - (parts - k) * part)).collect();
        cuts.push(bytes.len());
        cuts.dedup();
        self.cut = at + bytes.len() as u64;
        cuts
    }
}

impl Piece {
    /// Begins to read a part on a thread, where there may be one.
    fn start<'scope>(
        scope: &'scope Scope<'scope, '_>,
        at: u64,
        plain: Plain<'scope>,
        (start, end): (usize, usize),
        mut columns: Vec<Growing>,
    ) -> Option<ScopedJoinHandle<'scope, Self>> {
        let read = move || {
            let rows_like_these = |rows: usize, next: usize| (end - next) * rows / (next - start).max(1) + rows / 32;
            let (bytes, rows) = plain.rows((start, end), &mut columns, 0, rows_like_these);
            Self { start: at + start as u64, bytes, rows, columns }
        };
        Builder::new().spawn_scoped(scope, read).ok()
    }
}
