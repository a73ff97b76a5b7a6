//! Rows of a long file on several threads.
//!
//! What is read of a file at once is cut behind line ends. Each thread takes the next part that nobody has, and reads it as if a row began there, as
//! far as its rows are plain. Whether one does begin there, and not within quotes, is known when the rows before it were read: then the first thread
//! joins the part to them, and else drops it. So threads change nothing but the time.

use super::growing::Growing;
use super::plain;
use super::records::CHUNK;
use super::words::{Foreign, Words};
use std::collections::VecDeque;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::Builder;

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
        // Of more threads the first, which reads the file and joins what the others have read, is waited for.
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

/// A part of a text, of which whoever takes it first reads the rows.
struct Part {
    start: usize,
    end: usize,
    is_taken: AtomicBool,
}

impl Part {
    fn take(&self) -> bool {
        !self.is_taken.swap(true, Ordering::Relaxed)
    }

    /// Its rows, read as if one began at its begin, into columns that are empty; the text before it is of so many bytes.
    fn read(&self, plain: Plain<'_>, at: u64, by: &mut Ahead, mut columns: Vec<Growing>) -> Piece {
        let (start, end) = (self.start, self.end);
        let rows_like_these = |rows: usize, next: usize| (end - next) * rows / (next - start).max(1) + rows / 32;
        by.words.resize_with(columns.len(), Words::default);
        let known = by.words.iter_mut().map(Words::few).collect::<Vec<_>>();
        columns.iter_mut().zip(&mut by.words).for_each(|(column, words)| column.swap_words(words));
        let (bytes, rows) = plain.rows((start, end), &mut columns, 0, rows_like_these);
        columns.iter_mut().zip(&mut by.words).for_each(|(column, words)| column.swap_words(words));
        let news = known.iter().zip(&by.words).map(|(&known, words)| (known, words.all()[known..].to_vec())).collect();
        Piece { start: at + start as u64, bytes, rows, columns, by: by.number, news }
    }
}

/// Who reads ahead: the words that it met stay with it, a list for each column.
struct Ahead {
    number: usize,
    words: Vec<Words>,
}

/// Columns whose memory is free.
#[derive(Default)]
struct Spare(Mutex<Vec<Vec<Growing>>>);

impl Spare {
    fn give(&self, columns: Vec<Growing>) {
        self.0.lock().expect("nobody panics who has it").push(columns);
    }

    /// Empty columns that take the same cells as these.
    fn like(&self, columns: &[Growing]) -> Vec<Growing> {
        let old = self.0.lock().expect("nobody panics who has it").pop();
        let mut old = old.unwrap_or_default().into_iter();
        columns.iter().map(|column| column.another(old.next())).collect()
    }
}

/// Rows that were read beside those before them.
struct Piece {
    /// Where they begin, counted from the begin of the text, and how many bytes they are.
    start: u64,
    bytes: usize,
    rows: usize,
    /// The places of words are those of who read them, which knew so many words of a column before, and met these.
    columns: Vec<Growing>,
    by: usize,
    news: Vec<(usize, Vec<String>)>,
}

/// The parts that are read ahead.
pub(super) struct Pieces {
    threads: Threads,
    /// Up to where the text was cut.
    cut: u64,
    ahead: VecDeque<Piece>,
    spare: Spare,
    readers: Vec<Ahead>,
    /// The words of each reader, a list for each column.
    words: Vec<Vec<Foreign>>,
}

impl Pieces {
    pub(super) fn new(threads: Threads) -> Self {
        let readers = (0..threads.count).map(|number| Ahead { number, words: Vec::new() }).collect();
        let words = (0..threads.count).map(|_| Vec::new()).collect();
        Self { threads, cut: 0, ahead: VecDeque::new(), spare: Spare::default(), readers, words }
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
        while let Some(piece) = self.ahead.pop_front_if(|piece| piece.start < at) {
            // What it met is known to who read it, for what comes.
            learn(&mut self.words, piece.by, piece.news);
        }
        let parts = self.parts(plain.bytes, at);
        let first = parts.first().map(|part| part.start).or_else(|| Some((self.ahead.front()?.start - at) as usize));
        let first = first.unwrap_or(plain.bytes.len());
        let (mut here, words, spare) = (Here { columns, known, used: 0, rows: 0 }, &mut self.words, &self.spare);
        if parts.is_empty() {
            here.read(plain, first, &expected);
            while let Some(piece) = self.ahead.pop_front_if(|piece| piece.start == at + here.used as u64) {
                spare.give(here.join(piece, words, &expected));
            }
            return (here.used, here.rows);
        }
        let kinds: Vec<Growing> = here.columns.iter().map(|column| column.another(None)).collect();
        let (kinds, parts) = (&kinds[..], &parts[..]);
        let next = |by: &mut Ahead| {
            parts.iter().find(|part| part.take()).map(|part| part.read(plain, at, by, spare.like(kinds)))
        };
        let (by, others) = self.readers.split_first_mut().expect("one thread reads at least");
        let mut ahead = Vec::new();
        std::thread::scope(|scope| {
            let (done, ready) = channel();
            for by in others {
                let done = done.clone();
                // Where there is no other thread this one reads all.
                let _ = Builder::new().spawn_scoped(scope, move || {
                    std::iter::from_fn(|| next(by))
                        .try_for_each(|piece| done.send(piece))
                        .expect("who waits for it is there");
                });
            }
            drop(done);
            here.read(plain, first, &expected);
            for part in parts {
                if here.used != part.start {
                    break;
                }
                if part.take() {
                    here.read(plain, part.end, &expected);
                    continue;
                }
                // Another thread has it: until it comes there is something else to read.
                let is_it = |piece: &Piece| piece.start == at + part.start as u64;
                while !ahead.iter().any(is_it) {
                    let Some(piece) = ready.try_recv().ok().or_else(|| next(by)).or_else(|| ready.recv().ok()) else {
                        break;
                    };
                    ahead.push(piece);
                }
                let Some(place) = ahead.iter().position(is_it) else { break };
                spare.give(here.join(ahead.swap_remove(place), words, &expected));
            }
            ahead.extend(ready);
        });
        ahead.sort_by_key(|piece| piece.start);
        self.ahead.extend(ahead);
        (here.used, here.rows)
    }

    /// The parts behind the first: none where these bytes were cut before.
    fn parts(&mut self, bytes: &[u8], at: u64) -> Vec<Part> {
        let Threads { count, least, .. } = self.threads;
        let parts = bytes.len() / least.max(1);
        if count < 2 || parts < 2 || at < self.cut {
            return Vec::new();
        }
        let behind_line = |from: usize| Some(from + bytes[from..].iter().position(|&byte| byte == b'\n')? + 1);
        let mut cuts: Vec<usize> = (1..parts).filter_map(|k| behind_line(bytes.len() / parts * k)).collect();
        cuts.push(bytes.len());
        cuts.dedup();
        self.cut = at + bytes.len() as u64;
        let part = |pair: &[usize]| Part { start: pair[0], end: pair[1], is_taken: AtomicBool::new(false) };
        cuts.windows(2).map(part).collect()
    }
}

/// The rows that are read for good.
struct Here<'a> {
    columns: &'a mut [Growing],
    known: usize,
    used: usize,
    rows: usize,
}

impl Here<'_> {
    /// Reads on up to an end.
    fn read(&mut self, plain: Plain<'_>, end: usize, expected: &impl Fn(usize, usize) -> usize) {
        let before = self.rows;
        let more = |rows: usize, start: usize| expected(before + rows, start);
        let (used, rows) = plain.rows((self.used, end), self.columns, self.known + before, more);
        self.used += used;
        self.rows += rows;
    }

    /// Takes rows that begin here and were read already, and gives back what held them.
    fn join(
        &mut self,
        piece: Piece,
        words: &mut [Vec<Foreign>],
        expected: &impl Fn(usize, usize) -> usize,
    ) -> Vec<Growing> {
        let more = expected(self.rows, self.used).max(piece.rows);
        let words = learn(words, piece.by, piece.news);
        for ((column, other), words) in self.columns.iter_mut().zip(&piece.columns).zip(words) {
            column.make_room(piece.rows, more);
            column.join(other, words);
        }
        self.used += piece.bytes;
        self.rows += piece.rows;
        piece.columns
    }
}

/// The words of a reader's columns, with those that it met anew. Of one reader all pieces come by here, in their order.
fn learn(words: &mut [Vec<Foreign>], reader: usize, news: Vec<(usize, Vec<String>)>) -> &mut [Foreign] {
    let words = &mut words[reader];
    words.resize_with(news.len(), Foreign::default);
    words.iter_mut().zip(news).for_each(|(words, (known, news))| words.learn(known, news));
    words
}
