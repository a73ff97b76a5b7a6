//! Settings as TOML.

use super::{Settings, net_said};
use crate::cli::Missing;
use crate::input::ENCODINGS;
use std::fmt::Write as _;

/// How the file of settings begins.
pub(crate) const MARK: &str = "# Settings of `nn train`.";

impl Settings {
    /// As TOML, from which [`Settings::of`] reads the same.
    pub(crate) fn to_toml(&self) -> String {
        let mut text = format!("{MARK} Train again with: nn train --settings settings.toml\n");
        let mut line = |key: &str, value: String| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{key} = {value}");
        };
        if let Some(data) = &self.data {
            line("data", string(data));
        }
        if let Some(hash) = &self.data_hash {
            line("data_hash", string(hash));
        }
        line("target", strings(&self.target));
        line("ignore", strings(&self.ignore));
        let kinds = self.kinds.iter().map(|(name, kind)| format!("{} = {}", string(name), string(kind)));
        line("as", format!("{{ {} }}", kinds.collect::<Vec<_>>().join(", ")).replace("{  }", "{}"));
        line("seed", i64::try_from(self.seed).map_or_else(|_| string(&self.seed.to_string()), |seed| seed.to_string()));
        line("held_out", float(self.held_out));
        line("missing", string(if self.missing == Missing::Fill { "fill" } else { "error" }));
        line("unknown", self.unknown.to_string());
        line("nets", strings(&self.nets.iter().map(net_said).collect::<Vec<_>>()));
        line("penalties", format!("[{}]", self.penalties.iter().map(|x| float(*x)).collect::<Vec<_>>().join(", ")));
        line("members", self.members.to_string());
        line("iterations", self.iterations.to_string());
        let written = &self.written;
        if let Some(delimiter) = written.delimiter {
            line("delimiter", string(&delimiter.to_string()));
        }
        if let Some(comma) = written.decimal_comma {
            line("decimal_comma", comma.to_string());
        }
        if let Some(header) = written.header {
            line("header", header.to_string());
        }
        if let Some((name, _)) = ENCODINGS.iter().find(|(_, known)| Some(*known) == written.encoding) {
            line("encoding", string(name));
        }
        if let Some(comment) = written.comment {
            line("comment", string(&comment.to_string()));
        }
        if !written.missing_marks.is_empty() {
            line("missing_marks", strings(&written.missing_marks));
        }
        text
    }
}

/// A number that TOML reads as one with a fraction.
fn float(x: f64) -> String {
    format!("{x:?}")
}

fn strings(texts: &[String]) -> String {
    format!("[{}]", texts.iter().map(|text| string(text)).collect::<Vec<_>>().join(", "))
}

fn string(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted + "\""
}
