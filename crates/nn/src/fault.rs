//! What can be wrong with a file of numbers: safetensors, npy, npz, IDX, a checkpoint, a model.

use crate::error::{cut, hidden};
use std::fmt::{self, Write as _};

/// What is wrong with a file of numbers. It is told before anything in memory is replaced.
///
/// ```
/// use nn::file::Stored;
/// use nn::{Fault, Kind};
/// let error = Stored::parse("net.pt", b"PK\x03\x04 a file of torch.save").unwrap_err();
/// assert!(matches!(error.kind, Kind::Stored(Fault::Foreign { .. })));
/// assert!(error.to_string().starts_with("net.pt: expected a safetensors file, found a zip archive"));
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// The file is of another format.
    Foreign {
        /// The format that is read here.
        expected: &'static str,
        /// What the first bytes are of, and what to do with it where that is known.
        found: String,
    },
    /// The file is cut off, or contradicts itself.
    Damaged(String),
    /// A newer version of this crate has written it.
    TooNew {
        /// What has a version.
        what: &'static str,
        /// The version of the file.
        found: u64,
        /// The newest version that is known here.
        known: u64,
    },
    /// A part of the format that is not read here.
    Unsupported(String),
    /// The tensors of the file are not those of the net.
    Mismatch(Box<Mismatch>),
    /// A value beside the tensors is not there, or not of the type that was asked for.
    Value {
        /// The name of the value.
        name: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A journal is of a sweep with other settings: what differs, as it is there, as it is here.
    Changed(Vec<[String; 3]>),
    /// The file could not be written; an older one of the name is as it was.
    Unwritable(std::io::Error),
}

/// How the tensors of a file, or of a net to be saved, differ from what is needed. All that differ are listed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mismatch {
    /// Names of the net that the file does not have.
    pub missing: Vec<String>,
    /// Names of the file that the net does not have.
    pub unexpected: Vec<String>,
    /// Tensors of another shape: the name, the net's shape, the file's.
    pub shapes: Vec<(String, Vec<usize>, Vec<usize>)>,
    /// Tensors whose numbers the net's type cannot hold without rounding: the name, the file's type, the net's.
    pub inexact: Vec<(String, &'static str, &'static str)>,
    /// Tensors with a number beyond the range of the net's type: the name, the number, the type.
    pub beyond: Vec<(String, f64, &'static str)>,
    /// Tensors with a NaN.
    pub nan: Vec<String>,
    /// Two names that became one.
    pub same: Vec<String>,
    /// Patterns, or rules for names, that fit nothing.
    pub unused: Vec<String>,
}

impl Mismatch {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// An error, where something differs.
    pub(crate) fn check(self) -> Result<(), Fault> {
        if self.is_empty() { Ok(()) } else { Err(Fault::Mismatch(Box::new(self))) }
    }
}

impl std::error::Error for Fault {}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign { expected, found } => write!(f, "expected {expected}, found {found}"),
            Self::Damaged(what) => write!(f, "is damaged: {what}"),
            Self::TooNew { what, found, known } => {
                write!(f, "expected {what} of version {known} or older, found version {found}: a newer `nn` reads it")
            }
            Self::Unsupported(what) => f.write_str(what),
            Self::Mismatch(mismatch) => mismatch.fmt(f),
            Self::Value { name, problem } => write!(f, "the value `{}` {problem}", shown(name)),
            Self::Changed(all) => {
                let each = |[what, old, new]: &[String; 3]| format!("`{}` is {old} there, {new} here", shown(what));
                let each: Vec<String> = all.iter().map(each).collect();
                write!(f, "is of a sweep with other settings: {}", each.join("; "))
            }
            Self::Unwritable(error) => write!(f, "cannot be written: {error}"),
        }
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        let mut part = |what: &str, names: Vec<String>| {
            if !names.is_empty() {
                parts.push(format!("{what} {}", listed(&names)));
            }
        };
        let quoted = |names: &[String]| names.iter().map(|name| format!("`{}`", shown(name))).collect::<Vec<_>>();
        part("missing in the file:", quoted(&self.missing));
        part("not in the net:", quoted(&self.unexpected));
        let shape = |(name, net, file): &(String, Vec<usize>, Vec<usize>)| {
            let turned = net.len() == 2 && net.iter().eq(file.iter().rev());
            let hint = if turned { ", the transposed one (see `Rename::Transpose`)" } else { "" };
            format!("`{}` expected {net:?}, found {file:?}{hint}", shown(name))
        };
        part("of another shape:", self.shapes.iter().map(shape).collect());
        let inexact = |(name, from, to): &(String, &str, &str)| format!("`{}` ({from} to {to})", shown(name));
        part("would be rounded, which is done where `round` is set:", self.inexact.iter().map(inexact).collect());
        let beyond = |(name, number, of): &(String, f64, &str)| format!("`{}` ({number:e} in {of})", shown(name));
        part("beyond the range of the net's numbers:", self.beyond.iter().map(beyond).collect());
        part("hold NaN, which `allow_nan` permits:", quoted(&self.nan));
        part("two tensors would have one name:", quoted(&self.same));
        part("fit no name:", quoted(&self.unused));
        f.write_str("the tensors do not fit: ")?;
        f.write_str(&parts.join("; "))?;
        match self.prefix() {
            Some(prefix) => write!(f, " (all of the file begin with `{0}`: `Rename::Strip(\"{0}\")`)", shown(prefix)),
            None => Ok(()),
        }
    }
}

impl Mismatch {
    /// What every name of the file has before a name of the net, such as `module.`.
    fn prefix(&self) -> Option<&str> {
        let (first, name) = self.unexpected.iter().find_map(|found| {
            let prefix = self.missing.iter().find_map(|name| found.strip_suffix(name.as_str()))?;
            (!prefix.is_empty()).then_some((prefix, found))
        })?;
        let all = self.unexpected.iter().all(|found| found.starts_with(first));
        (all && name.len() > first.len()).then_some(first)
    }
}

/// What a file is by its first bytes, and how to come from there to one that is read, as errors tell it.
pub(crate) fn kind_of(start: &[u8]) -> String {
    let known: [(&[u8], &str); 10] = [
        (
            b"PK\x03\x04",
            "a zip archive: where PyTorch's `torch.save` wrote it, convert it in Python by \
             `safetensors.torch.save_file(torch.load(path, weights_only=True), \"weights.safetensors\")`; an `.npz` of NumPy is \
             read by `nn::data::npz`, and by `nn::load` as weights",
        ),
        (b"\x80\x02", PICKLE),
        (b"\x80\x03", PICKLE),
        (b"\x80\x04", PICKLE),
        (b"\x80\x05", PICKLE),
        (b"\x93NUMPY", "an npy file of NumPy, which `nn::data::npy` reads"),
        (b"\x89HDF", "an HDF5 file: of Keras weights, write `numpy.savez(path, *model.get_weights())`, which is read"),
        (b"GGUF", "a GGUF file"),
        (b"\x1f\x8b", "a gzip file: decompress it first"),
        (b"\xef\xbb\xbf", "text"),
    ];
    if start.is_empty() {
        return "an empty file".into();
    }
    if let Some((_, name)) = known.iter().find(|(magic, _)| start.starts_with(magic)) {
        return (*name).into();
    }
    let first = &start[..start.len().min(8)];
    match std::str::from_utf8(first) {
        Ok(text) if !text.contains(|c| hidden(c) && !c.is_ascii_whitespace()) => {
            format!("text that begins with `{}`", shown(text))
        }
        _ => {
            let bytes: Vec<String> = first.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("a file that begins with the bytes {}", bytes.join(" "))
        }
    }
}

const PICKLE: &str = "a pickle of Python, which runs code when it is read: convert it in Python by \
                      `safetensors.torch.save_file(torch.load(path, weights_only=True), \"weights.safetensors\")`";

/// Some names in a row; very many are cut.
fn listed(names: &[String]) -> String {
    const MOST: usize = 100;
    let mut text = names.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        let _ = write!(text, " and {} more", names.len() - MOST);
    }
    text
}

/// Text from outside as a message shows it; names of tensors are long.
pub(crate) fn shown(text: &str) -> String {
    cut(text, 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_differs_is_listed_and_a_common_prefix_is_told() {
        let name = |text: &str| text.to_owned();
        let mismatch = Mismatch {
            missing: vec![name("a.weight"), name("b.weight")],
            unexpected: vec![name("module.a.weight"), name("module.b.weight")],
            shapes: vec![(name("c"), vec![2, 3], vec![3, 2])],
            nan: vec![name("d\u{1b}[2J")],
            ..Mismatch::default()
        };
        let text = Fault::Mismatch(Box::new(mismatch)).to_string();
        for word in ["`a.weight`, `b.weight`", "Strip(\"module.\")", "[2, 3], found [3, 2], the transposed", "\\u{1b}"]
        {
            assert!(text.contains(word), "{text}");
        }
    }

    #[test]
    fn text_from_outside_is_escaped_and_cut() {
        assert_eq!(shown("a\u{1b}[2Jb\u{202e}"), "a\\u{1b}[2Jb\\u{202e}");
        assert_eq!(shown(&"x".repeat(1000)).chars().count(), 201);
    }
}
