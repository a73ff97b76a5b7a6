//! All that decides a run: defaults, before them what a file says, before that what flags say.

mod read;
mod write;

pub(crate) use write::MARK;

use crate::Failure;
use crate::cli::{ChoiceFlags, Missing, ReadingFlags, TableFlags};
use crate::input::Written;
use nn::data::{Fill, Preparing};
use nn::{Activation, Recipe};
use std::path::{Path, PathBuf};

/// All that decides a run. Two runs with the same settings and data give the same bits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// The table; `-` is standard input.
    pub(crate) data: Option<String>,
    /// The hash of its bytes, where a run has seen them.
    pub(crate) data_hash: Option<String>,
    pub(crate) target: Vec<String>,
    pub(crate) ignore: Vec<String>,
    /// Columns, and what they are taken for.
    pub(crate) kinds: Vec<(String, String)>,
    pub(crate) written: Written,
    pub(crate) seed: u64,
    pub(crate) held_out: f64,
    pub(crate) missing: Missing,
    pub(crate) unknown: bool,
    pub(crate) nets: Vec<Net>,
    pub(crate) penalties: Vec<f64>,
    pub(crate) members: usize,
    pub(crate) iterations: usize,
}

/// A candidate: hidden sizes, and what stands between the layers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Net {
    pub(crate) hidden: Vec<usize>,
    pub(crate) activation: Activation,
}

impl Default for Settings {
    fn default() -> Self {
        let recipe = Recipe::default();
        let nets = recipe.candidates.into_iter().map(|(hidden, activation)| Net { hidden, activation });
        Self {
            data: None,
            data_hash: None,
            target: Vec::new(),
            ignore: Vec::new(),
            kinds: Vec::new(),
            written: Written::default(),
            seed: recipe.seed,
            held_out: 1.0 / 3.0,
            missing: Missing::Fill,
            unknown: false,
            nets: nets.collect(),
            penalties: recipe.penalties,
            members: recipe.nets,
            iterations: recipe.max_iterations,
        }
    }
}

impl Settings {
    /// Defaults, before them the file, before that the flags.
    pub(crate) fn of(table: &TableFlags, choice: &ChoiceFlags, reading: &ReadingFlags) -> Result<Self, Failure> {
        let mut settings = Self::default();
        if let Some(file) = &table.settings {
            settings.take_file(file)?;
        }
        settings.take_table(table);
        settings.written.take(reading);
        settings.take_choice(choice);
        Ok(settings)
    }

    fn take_table(&mut self, flags: &TableFlags) {
        if let Some(file) = &flags.file {
            // Another table has another hash.
            (self.data, self.data_hash) = (Some(file.clone()), None);
        }
        for (mine, said) in [(&mut self.target, &flags.target), (&mut self.ignore, &flags.ignore)] {
            if !said.is_empty() {
                mine.clone_from(said);
            }
        }
        for (name, kind) in &flags.kinds {
            self.kinds.retain(|(known, _)| known != name);
            self.kinds.push((name.clone(), kind.clone()));
        }
        self.missing = flags.missing.unwrap_or(self.missing);
        self.unknown = flags.unknown.unwrap_or(self.unknown);
        self.members = flags.members.map_or(self.members, |count| count as usize);
        self.iterations = flags.iterations.map_or(self.iterations, |count| count as usize);
    }

    fn take_choice(&mut self, flags: &ChoiceFlags) {
        self.seed = flags.seed.unwrap_or(self.seed);
        self.held_out = flags.held_out.unwrap_or(self.held_out);
        if !flags.nets.is_empty() {
            self.nets.clone_from(&flags.nets);
        }
        if !flags.penalties.is_empty() {
            self.penalties.clone_from(&flags.penalties);
        }
    }

    pub(crate) fn recipe(&self) -> Recipe {
        Recipe {
            seed: self.seed,
            candidates: self.nets.iter().map(|net| (net.hidden.clone(), net.activation)).collect(),
            penalties: self.penalties.clone(),
            nets: self.members,
            max_iterations: self.iterations,
            ..Recipe::default()
        }
    }

    pub(crate) fn preparing(&self) -> Preparing {
        let fills = self.missing == Missing::Fill;
        Preparing {
            missing_numbers: if fills { Fill::Median } else { Fill::Error },
            missing_words: fills,
            unknown_words: self.unknown,
            ..Preparing::default()
        }
    }
}

/// A path of a file that settings name, from where these lie.
fn beside(settings: &Path, path: &str) -> String {
    if path == "-" || Path::new(path).is_absolute() {
        return path.to_owned();
    }
    let folder = settings.parent().unwrap_or(Path::new(""));
    folder.join(path).to_string_lossy().into_owned()
}

/// How a file is called from a folder: the way from there to it, where both can be found.
pub(crate) fn from_folder(folder: &Path, path: &str) -> String {
    if path == "-" {
        return path.to_owned();
    }
    let (Ok(to), Ok(from)) = (std::path::absolute(path), std::path::absolute(folder)) else { return path.to_owned() };
    // Links may lead elsewhere upwards.
    let real = |path: PathBuf| std::fs::canonicalize(&path).unwrap_or(path);
    let (to, from) = (real(to), real(from));
    let same = to.components().zip(from.components()).take_while(|(a, b)| a == b).count();
    // Nothing but the root, or another disk, in common.
    if same <= 1 {
        return to.to_string_lossy().into_owned();
    }
    let up = from.components().skip(same).map(|_| std::path::Component::ParentDir);
    let way: PathBuf = up.chain(to.components().skip(same)).collect();
    way.to_string_lossy().into_owned()
}

/// The activations that can be said by name.
const ACTIVATIONS: [(&str, Activation); 10] = [
    ("silu", Activation::Silu),
    ("relu", Activation::Relu),
    ("tanh", Activation::Tanh),
    ("gelu", Activation::Gelu),
    ("sigmoid", Activation::Sigmoid),
    ("softplus", Activation::Softplus),
    ("selu", Activation::Selu),
    ("mish", Activation::Mish),
    ("hardswish", Activation::Hardswish),
    ("softsign", Activation::Softsign),
];

/// The most nodes of a layer, so that a slip of the finger does not ask for all memory.
const MOST_NODES: usize = 4096;

/// A candidate as it is said: `linear`, `32`, `64,32:relu`.
pub(crate) fn net(text: &str) -> Result<Net, String> {
    if text.trim() == "linear" {
        return Ok(Net { hidden: Vec::new(), activation: Activation::Identity });
    }
    let (sizes, name) = text.split_once(':').unwrap_or((text, ACTIVATIONS[0].0));
    let size = |text: &str| {
        let size = text.trim().parse::<usize>().ok().filter(|size| (1..=MOST_NODES).contains(size));
        size.ok_or_else(|| format!("expected `linear`, or sizes from 1 to {MOST_NODES} such as `64,32:relu`"))
    };
    let hidden = sizes.split(',').map(size).collect::<Result<Vec<_>, _>>()?;
    if hidden.len() > 16 {
        return Err("expected 16 hidden layers or fewer".to_owned());
    }
    let activation = ACTIVATIONS.iter().find(|(known, _)| *known == name.trim().to_lowercase());
    let known = || format!("expected one of {} behind the sizes", ACTIVATIONS.map(|(name, _)| name).join(", "));
    Ok(Net { hidden, activation: activation.ok_or_else(known)?.1 })
}

/// How a candidate is said.
pub(crate) fn net_said(Net { hidden, activation }: &Net) -> String {
    if hidden.is_empty() {
        return "linear".to_owned();
    }
    let name = ACTIVATIONS.iter().find(|(_, known)| known == activation).map_or("silu", |(name, _)| name);
    format!("{}:{name}", hidden.iter().map(usize::to_string).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_candidate_is_said_as_it_is_shown() {
        for text in ["linear", "32:silu", "64,32:relu", "1:tanh"] {
            assert_eq!(net_said(&net(text).unwrap()), text);
        }
        assert_eq!(net("8").unwrap().activation, Activation::Silu);
        for text in ["", "0", "3,", "-1", "3:reluu", "99999999999999999999", "1e3"] {
            assert!(net(text).is_err(), "{text}");
        }
    }

    #[test]
    fn files_are_named_from_the_folder_of_a_run() {
        let base = std::env::temp_dir().join(format!("nn-command-from-{}", std::process::id()));
        let (data, run) = (base.join("data"), base.join("runs/one"));
        std::fs::create_dir_all(&data).unwrap();
        std::fs::create_dir_all(&run).unwrap();
        let file = data.join("a b.csv");
        std::fs::write(&file, "x\n").unwrap();
        let way = from_folder(&run, &file.to_string_lossy());
        assert_eq!(way, "../../data/a b.csv");
        assert!(Path::new(&beside(&run.join("settings.toml"), &way)).is_file());
        assert_eq!(from_folder(&run, "-"), "-");
        std::fs::remove_dir_all(base).unwrap();
    }
}
