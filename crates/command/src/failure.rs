//! Why a command did not do its work, in two lines.

use crate::help;
use std::io::Write as _;

/// Why a command did not do its work: what is wrong and where, what to do about it, and the exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong, and where.
    pub text: String,
    /// What to do about it.
    pub help: String,
    /// The exit code: 1 where the work failed, 2 where it was not said rightly what to do, 130 where it was interrupted.
    pub code: u8,
}

impl Failure {
    /// The work failed.
    pub(crate) fn new(text: impl Into<String>, help: impl Into<String>) -> Self {
        Self { text: text.into(), help: help.into(), code: 1 }
    }

    /// It was not said rightly what to do.
    pub(crate) fn misused(text: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(text, help) }
    }

    /// Ctrl-C ended it.
    pub(crate) fn interrupted(text: impl Into<String>, help: impl Into<String>) -> Self {
        Self { code: 130, ..Self::new(text, help) }
    }

    /// What the reader of arguments found, in two lines.
    pub(crate) fn usage(error: &clap::Error) -> Self {
        let shown = error.to_string();
        if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
            return Self::misused("expected a command, found none", "`nn --help` lists the commands");
        }
        // Paragraphs: what is wrong, tips, the usage, where to read more.
        let paragraphs: Vec<String> = shown
            .split("\n\n")
            .map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|paragraph| !paragraph.is_empty())
            .collect();
        let text = paragraphs.first().map_or("", |first| first.trim_start_matches("error: "));
        let tips: Vec<&str> = paragraphs.iter().filter_map(|paragraph| paragraph.strip_prefix("tip: ")).collect();
        let usage = paragraphs.iter().find_map(|paragraph| paragraph.strip_prefix("Usage: "));
        let help = if tips.is_empty() {
            usage.map_or("`nn --help` tells more".to_owned(), |usage| format!("usage: {usage}"))
        } else {
            tips.join("; ")
        };
        Self::misused(text, help)
    }

    /// The two lines on standard error.
    pub(crate) fn tell(&self) {
        let one = |text: &str| text.replace(['\n', '\r'], " ");
        // There is nobody to be told where standard error is closed.
        let _ = writeln!(std::io::stderr().lock(), "error: {}\nhelp: {}", one(&self.text), one(&self.help));
    }
}

impl From<nn::Error> for Failure {
    fn from(error: nn::Error) -> Self {
        Self::new(error.to_string(), help::of(&error))
    }
}
