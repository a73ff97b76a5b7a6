//! A table of wrong calls: what the message of a function must say, and at which line.

#[path = "../../../autograd/tests/shared/outcome.rs"]
mod outcome;

pub(crate) use outcome::{Outcome, outcome};
use std::collections::BTreeSet;
use std::path::Path;

/// What the rows have shown so far.
#[derive(Default)]
pub(crate) struct Rows {
    functions: BTreeSet<&'static str>,
    wrong: Vec<String>,
}

impl Rows {
    /// Holds a panic to what it must say, at the line of the row or one of the next, over which it may be broken.
    pub(crate) fn row(&mut self, function: &'static str, words: &[&str], found: &Outcome, (file, line): (&str, u32)) {
        let fits = |text: &str, place: &str, at: u32| {
            let here = file == place && (line..line + 8).contains(&at);
            here && text.starts_with(&format!("{function}: ")) && words.iter().all(|word| text.contains(word))
        };
        if !matches!(found, Outcome::Panic { text, file: place, line: at } if fits(text, place, *at)) {
            self.wrong.push(format!("{function} at line {line}, not with {words:?}: {found:?}"));
        }
        self.functions.insert(function);
    }

    /// Asserts that every row has said what it must, and that each public function in folders of the sources has a row, or
    /// stands in a list of those without.
    pub(crate) fn hold_all(&self, folders: &[&str], without: &[&str]) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        let of_type = |name: &&'static str| name.rsplit(':').next().unwrap();
        let known: BTreeSet<&str> = self.functions.iter().map(of_type).chain(without.iter().copied()).collect();
        let mut missing = Vec::new();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        for folder in folders {
            let entries = std::fs::read_dir(source.join(folder)).unwrap().map(|entry| entry.unwrap().path());
            for file in entries.filter(|path| path.is_file()) {
                let text = std::fs::read_to_string(&file).unwrap();
                for line in text.split("#[cfg(test)]\nmod tests").next().unwrap().lines() {
                    let Some(rest) = line.trim_start().strip_prefix("pub fn ") else { continue };
                    let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                    if !known.contains(&name[..]) {
                        missing.push(format!("{name} of {}", file.display()));
                    }
                }
            }
        }
        assert!(missing.is_empty(), "no call that is wrong of {missing:?}: write a row");
    }
}

/// A call that panics: the function, as its message names it, words of the message, and the call.
macro_rules! panics {
    ($rows:ident, $function:literal, $words:expr, $call:expr) => {
        let line = line!();
        let found = $crate::rows::outcome(|| {
            let _ = $call;
            String::new()
        });
        $rows.row($function, &$words, &found, (file!(), line));
    };
}
pub(crate) use panics;
