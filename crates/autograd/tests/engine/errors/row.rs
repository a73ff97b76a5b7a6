//! A row of a table of wrong calls: what a function must say of one, and at which line.

use std::collections::BTreeSet;

/// What the rows have shown so far.
#[derive(Default)]
pub(crate) struct Rows {
    pub(crate) functions: BTreeSet<&'static str>,
    pub(crate) wrong: Vec<String>,
}

/// The line that a text stands at, or 0 where that is in another file than the row.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
}

impl Rows {
    /// Holds a text to what it must say; `line` is where the row begins.
    pub(crate) fn row(&mut self, function: &'static str, words: &[&str], text: &str, found: Found, line: u32) {
        let Found { file, line: found } = found;
        // A row may be broken over a few lines.
        let near = (line..line + 8).contains(&found);
        // `try_add` and `mean_axes` are told as `add` and `mean`, `Tensor::new` as what it makes.
        let name = match function.trim_start_matches("try_").trim_end_matches("_axes") {
            "new" => "tensor",
            name => name,
        };
        let named = text.starts_with(&format!("{name}: ")) || text.starts_with(&format!("{function}: "));
        let told = near && text.contains(&format!("{file}:{found}:"));
        if !(named && told && words.iter().all(|word| text.contains(word))) {
            self.wrong.push(format!("{function} at line {line}, told at {found}, not with {words:?}: {text}"));
        }
        self.functions.insert(function);
    }
}

/// A call that panics: the function, words of the reason, and the call.
macro_rules! panics {
    ($rows:ident, $function:literal, $words:expr, $call:expr) => {
        let line = line!();
        let (text, found) = panic_of(file!(), || {
            let _ = $call;
        });
        $rows.row($function, &$words, &text, Found { file: file!(), line: found }, line);
    };
}
pub(crate) use panics;

/// A call that returns an error.
macro_rules! fails {
    ($rows:ident, $function:literal, $words:expr, $call:expr) => {
        let line = line!();
        let error = $call.err().unwrap();
        let found = if error.location().file() == file!() { error.location().line() } else { 0 };
        $rows.row($function, &$words, &error.to_string(), Found { file: file!(), line: found }, line);
    };
}
pub(crate) use fails;
