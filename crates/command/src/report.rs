//! `nn report`, and the page that is written while a net is trained.

use crate::cli::ReportFlags;
use crate::eval::take_cells;
use crate::input::Written;
use crate::output::{say, table_notes};
use crate::{Failure, input, output, run_folder};
use nn::data::Table;
use nn::file::Model;
use nn::train::{History, Trying};
use report::{Exposure, Live, Report};
use serde_json::Value;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The name of a report where none is said.
pub(crate) const REPORT: &str = "report.html";

pub(crate) fn report(flags: &ReportFlags) -> Result<(), Failure> {
    let mut model = run_folder::load(&flags.model)?;
    if let Some(out) = &flags.out {
        run_folder::hold_apart(out, &[("the table", Path::new(&flags.file)), ("the model", &flags.model)])?;
    }
    let (table, hash) = input::hashed_table(&flags.file, &Written::of(&flags.reading).reading_for(&model))?;
    table_notes(&table);
    take_cells(&mut model.preprocess, &flags.cells, &table)?;
    let folder = if flags.model.is_dir() { Some(&*flags.model) } else { flags.model.parent() };
    let settings = folder.and_then(|folder| std::fs::read_to_string(folder.join(run_folder::SETTINGS)).ok());
    let history = folder.map(history).unwrap_or_default();
    let seen = model.about.get("data_hash").and_then(Value::as_str) == Some(&hash);
    let (file, place) = (&flags.file, flags.model.display());
    let mut repeat = vec![format!("nn report '{file}' --model '{place}' > {REPORT}")];
    if settings.is_some() {
        let folder = folder.unwrap_or(Path::new("")).join(run_folder::SETTINGS);
        repeat.insert(0, format!("nn train --settings '{}'", folder.display()));
    }
    let told = Report {
        rows: if seen { Exposure::Seen } else { Exposure::Unknown },
        history: Some(&history),
        settings: settings.as_deref().map(pairs).unwrap_or_default(),
        repeat,
        ..Report::new(&model, &table)
    };
    let html = told.html()?;
    let default = (flags.out.is_none() && std::io::stdout().is_terminal()).then(|| PathBuf::from(REPORT));
    match flags.out.as_ref().or(default.as_ref()) {
        Some(path) => {
            run_folder::replace(path, html.as_bytes())?;
            say(format_args!("written to {}", path.display()));
            Ok(())
        }
        None => output::write(|out| out.write_all(html.as_bytes())),
    }
}

/// Settings by name, of their text.
pub(crate) fn pairs(toml: &str) -> Vec<(String, String)> {
    let pairs = toml.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
}

/// How the net of a folder was trained that was measured, as far as that is known: the first of its trainings.
fn history(folder: &Path) -> History {
    let mut history = History::default();
    let text = std::fs::read_to_string(folder.join(run_folder::HISTORY_LINES)).unwrap_or_default();
    let rows = text.lines().map_while(|line| serde_json::from_str::<serde_json::Map<String, Value>>(line).ok());
    let names: Vec<String> = std::fs::read_to_string(folder.join(run_folder::HISTORY))
        .unwrap_or_default()
        .lines()
        .next()
        .map(|header| header.split(',').map(str::to_owned).collect())
        .unwrap_or_default();
    let mut first = None;
    for row in rows {
        let count = row.get("rows").cloned();
        if *first.get_or_insert_with(|| count.clone()) != count {
            break;
        }
        // In the order of the table; those of JSON have none.
        let known = names.iter().map(String::as_str).filter(|name| *name != "rows");
        let numbers: Vec<(&str, f64)> = known.filter_map(|name| Some((name, row.get(name)?.as_f64()?))).collect();
        history.push(&numbers);
    }
    history
}

/// What a report is made of at the end of training.
pub(crate) struct Measured {
    pub(crate) model: Model,
    /// The rows that were held out; where none were, those that it was trained with.
    pub(crate) table: Table,
    pub(crate) held_out: bool,
    pub(crate) history: History,
}

impl Measured {
    pub(crate) fn html(&self, settings: &str) -> Result<String, nn::Error> {
        let told = Report {
            rows: if self.held_out { Exposure::HeldOut } else { Exposure::Seen },
            history: Some(&self.history),
            settings: pairs(settings),
            repeat: vec![
                "# in the folder of this report".to_owned(),
                format!("nn train --settings {} --out again", run_folder::SETTINGS),
            ],
            ..Report::new(&self.model, &self.table)
        };
        told.html()
    }
}

/// The page while a net is trained.
pub(crate) struct Page<'a> {
    path: &'a Path,
    title: String,
    written: Instant,
}

/// It is written anew after so long.
const EVERY: Duration = Duration::from_secs(1);

impl<'a> Page<'a> {
    /// Writes it for the first time, which tells whether it can be written.
    pub(crate) fn new(path: &'a Path, target: &[String]) -> Result<Self, Failure> {
        let title = format!("Predicting {}", target.join(", "));
        let none = History::default();
        let live = Live { title: title.clone(), ..Live::new(&none) };
        run_folder::replace(path, live.html().as_bytes())?;
        Ok(Self { path, title, written: Instant::now() })
    }

    /// Writes it anew, where the last time is long enough ago.
    pub(crate) fn at(&mut self, now: Trying<'_>, said: &str) {
        if self.written.elapsed() < EVERY {
            return;
        }
        self.written = Instant::now();
        let left = now.progress.left.as_secs();
        let live = Live {
            title: self.title.clone(),
            said: said.to_owned(),
            share: now.progress.share,
            remains: if left > 0 { format!("at most {left} s") } else { String::new() },
            tried: now.tried.iter().map(|trial| (crate::train::net_and_penalty(trial), trial.loss)).collect(),
            ..Live::new(now.history)
        };
        // What cannot be written now is in the last page, or told when that is written.
        let _ = run_folder::replace(self.path, live.html().as_bytes());
    }
}
