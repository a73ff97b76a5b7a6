//! Data go to standard output, words to standard error.

use crate::Failure;
use crate::interrupt;
use std::io::{self, StdoutLock, Write};

/// Writes data to standard output, whole or not at all as far as an interruption goes. Who reads no further has what he wanted: that is
/// no failure.
pub(crate) fn write(write: impl FnOnce(&mut StdoutLock) -> io::Result<()>) -> Result<(), Failure> {
    written(write).map(|_| ())
}

/// As [`write`]; whether somebody still reads.
pub(crate) fn written(write: impl FnOnce(&mut StdoutLock) -> io::Result<()>) -> Result<bool, Failure> {
    let _held = interrupt::hold();
    let mut out = io::stdout().lock();
    match write(&mut out).and_then(|()| out.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Failure::new(
            format!("standard output: cannot be written: {error}"),
            "make room, or write elsewhere; what is written so far is not whole",
        )),
    }
}

/// Words for who looks on. Where nobody does, they are lost.
pub(crate) fn say(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Remarks, a line each.
pub(crate) fn notes<'a>(notes: impl IntoIterator<Item = &'a String>) {
    for note in notes {
        say(format_args!("note: {}", note.replace(['\n', '\r'], " ")));
    }
}

/// What was guessed as a table was read. How many cells are missing is told with what stands for them.
pub(crate) fn table_notes(table: &nn::data::Table) {
    notes(table.notes().iter().filter(|note| !note.ends_with(" cells are missing")));
}
