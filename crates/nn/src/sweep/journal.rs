//! The file that finished runs are kept in, so that a sweep that was killed goes on where it was.
//!
//! A line of JSON each: first what the sweep is about, then a run each, in the order in which they were finished. A line is written at
//! once; one that a killed process has left half written is the last, has no end, and is dropped.

use super::search::differences;
use super::{Failed, Ran, Scores, Settings};
use crate::error::{Error, cut};
use crate::fault::{Fault, kind_of};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

const VERSION: u64 = 1;
const START: &str = "{\"nn_sweep\":";

/// What tells a run from another: the settings, the budget, the seed, the fold.
pub(super) type Key = (String, u32, u64, usize);

/// A journal that is open, and locked, so that no other sweep writes to it.
pub(super) struct Journal {
    name: String,
    file: File,
}

/// The first line. Its first field tells what the file is.
#[derive(Serialize, Deserialize)]
struct Header {
    nn_sweep: u64,
    sweep: Value,
}

/// A run, as a line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    settings: Settings,
    budget: u32,
    seed: u64,
    fold: usize,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    numbers: Option<Vec<Number>>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    panic: Option<String>,
    /// For people; nothing depends on it.
    #[serde(default)]
    seconds: f64,
}

#[derive(Serialize, Deserialize)]
struct Number(String, #[serde(with = "crate::any_number")] f64);

impl Journal {
    /// Opens a journal, or begins one; the runs that it has.
    pub(super) fn open(path: &Path, sweep: &Value) -> Result<(Self, BTreeMap<Key, Ran>), Error> {
        let name = path.display().to_string();
        let unwritable = |error: io::Error| Error::stored(&name, Fault::Unwritable(error));
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(unwritable)?;
        if !file.metadata().map_err(unwritable)?.is_file() {
            return Err(unwritable(io::Error::other("it is no file")));
        }
        // Where a file system has no locks, whoever runs two sweeps on one journal must know.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(unwritable(io::Error::other("another sweep is writing to it")));
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(|error| Error::unreadable(&name, error))?;
        let header = serde_json::to_string(&Header { nn_sweep: VERSION, sweep: sweep.clone() });
        let header = header.expect("a JSON value is written") + "\n";
        let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        let begins = whole == 0 && (bytes.len() < header.len() && header.as_bytes().starts_with(&bytes));
        let ran = if begins { BTreeMap::new() } else { read(&name, &bytes, whole, sweep)? };
        let mut journal = Self { name, file };
        journal.shorten(whole)?;
        if begins {
            journal.write(&header)?;
        }
        Ok((journal, ran))
    }

    /// Keeps a run.
    pub(super) fn keep(&mut self, key: &Key, settings: &Settings, ran: &Ran, seconds: f64) -> Result<(), Error> {
        let (mut numbers, mut error, mut panic) = (None, None, None);
        match &ran.result {
            Ok(scores) => numbers = Some(scores.numbers.iter().map(|(name, x)| Number(name.clone(), *x)).collect()),
            Err(Failed::Error(text)) => error = Some(text.clone()),
            Err(Failed::Panic(text)) => panic = Some(text.clone()),
        }
        let (_, budget, seed, fold) = *key;
        let line = Line { settings: settings.clone(), budget, seed, fold, numbers, error, panic, seconds };
        self.write(&(serde_json::to_string(&line).expect("names are texts") + "\n"))
    }

    /// All of it is on the disk.
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.file.sync_all().map_err(|error| Error::stored(&self.name, Fault::Unwritable(error)))
    }

    /// A line that could be written in part only is taken away again: what follows would be unreadable.
    fn write(&mut self, line: &str) -> Result<(), Error> {
        let start = self.file.stream_position().unwrap_or(0);
        self.file.write_all(line.as_bytes()).map_err(|error| {
            // The error that led here is told; one more would hide it.
            let _ = self.file.set_len(start);
            Error::stored(&self.name, Fault::Unwritable(error))
        })
    }

    /// Drops what is behind these bytes, and writes on from there.
    fn shorten(&mut self, whole: usize) -> Result<(), Error> {
        let shortened = self.file.set_len(whole as u64).and_then(|()| self.file.seek(SeekFrom::Start(whole as u64)));
        shortened.map(|_| ()).map_err(|error| Error::stored(&self.name, Fault::Unwritable(error)))
    }
}

/// The runs of a journal, of which so many bytes are whole lines.
fn read(name: &str, bytes: &[u8], whole: usize, sweep: &Value) -> Result<BTreeMap<Key, Ran>, Error> {
    let foreign = || Error::stored(name, Fault::Foreign { expected: "a journal of a sweep", found: kind_of(bytes) });
    let damaged = |line: usize, why: String| Error {
        line: Some(line as u32),
        ..Error::stored(name, Fault::Damaged(cut(&why, 200)))
    };
    if whole == 0 || !bytes.starts_with(START.as_bytes()) {
        return Err(foreign());
    }
    let mut ran = BTreeMap::new();
    for (place, line) in bytes[..whole - 1].split(|&byte| byte == b'\n').enumerate() {
        let number = place + 1;
        let text = std::str::from_utf8(line).map_err(|_| damaged(number, "it is no UTF-8 text".to_owned()))?;
        if place == 0 {
            hold_same(name, text, sweep, |why| damaged(1, why))?;
            continue;
        }
        let line: Line = serde_json::from_str(text).map_err(|error| damaged(number, error.to_string()))?;
        let result = match (line.numbers, line.error, line.panic) {
            (Some(numbers), None, None) => {
                let numbers = numbers.into_iter().map(|Number(name, x)| (name, x)).collect();
                Ok(Scores { numbers }.checked().map_err(|why| damaged(number, why))?)
            }
            (None, Some(text), None) => Err(Failed::Error(text)),
            (None, None, Some(text)) => Err(Failed::Panic(text)),
            _ => return Err(damaged(number, "a run has one of `numbers`, `error` and `panic`".to_owned())),
        };
        let Line { settings, budget, seed, fold, .. } = line;
        // Of a run that was made again, the last counts.
        ran.insert((settings.key(), budget, seed, fold), Ran { seed, fold, result });
    }
    Ok(ran)
}

/// The journal is of this sweep.
fn hold_same(name: &str, text: &str, sweep: &Value, damaged: impl Fn(String) -> Error) -> Result<(), Error> {
    #[derive(Deserialize)]
    struct Version {
        nn_sweep: u64,
    }
    let wrong = |error: serde_json::Error| damaged(error.to_string());
    let Version { nn_sweep: found } = serde_json::from_str(text).map_err(wrong)?;
    if found > VERSION {
        return Err(Error::stored(name, Fault::TooNew { what: "a journal of a sweep", found, known: VERSION }));
    }
    let header: Header = serde_json::from_str(text).map_err(wrong)?;
    let mut changed = Vec::new();
    differences("", &header.sweep, sweep, &mut changed);
    if changed.is_empty() { Ok(()) } else { Err(Error::stored(name, Fault::Changed(changed))) }
}

/// What a journal begins with: what decides the runs of a sweep.
pub(super) fn about(seeds: &[u64], folds: usize, about: &serde_json::Map<String, Value>, search: Value) -> Value {
    json!({ "seeds": seeds, "folds": folds, "about": about, "search": search })
}
