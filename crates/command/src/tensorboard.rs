//! `nn train --tensorboard`: what TensorBoard shows of a training.

use crate::output::say;
use crate::train::net_and_penalty;
use crate::{Failure, run_folder};
use autograd::Tensor;
use nn::train::{Events, History};
use nn::{Error, Mlp, Trial};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What is trained at the moment.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Trials of how the table is prepared.
    Preparing,
    /// The net that is measured, and the trials by which it is chosen.
    Measured,
    /// The net that is left.
    AllRows,
}

/// A folder of its own for each run of the command, with the losses of the trials as they are judged first, in the order of `trials.csv`, and the
/// weights in the end, and folders in it for each net whose training is told.
pub(crate) struct Board {
    pub(crate) part: Part,
    folder: PathBuf,
    trials: Events,
    judged: usize,
    nets: BTreeMap<PathBuf, Events>,
    failed: Option<Error>,
}

impl Board {
    /// The first of `run-1`, `run-2` and so on that is free.
    pub(crate) fn new(folder: &Path) -> Result<Self, Failure> {
        run_folder::make(folder)?;
        let mut count = 1;
        let own = loop {
            let own = folder.join(format!("run-{count}"));
            match fs::create_dir(&own) {
                Ok(()) => break own,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => count += 1,
                Err(error) => return Err(run_folder::unwritable(&own, &error)),
            }
        };
        let trials = Events::create(&own)?;
        Ok(Self { part: Part::Preparing, folder: own, trials, judged: 0, nets: BTreeMap::new(), failed: None })
    }

    /// Tells what is known of the part under way. What cannot be written is told in the end: a model without it is better than none.
    pub(crate) fn told(&mut self, trial: &Trial, tried: &[Trial], history: &History) {
        if self.failed.is_none() {
            self.failed = self.try_told(trial, tried, history).err();
        }
    }

    fn try_told(&mut self, trial: &Trial, tried: &[Trial], history: &History) -> Result<(), Error> {
        let folder = match self.part {
            Part::Preparing => return Ok(()),
            Part::Measured => "measured",
            Part::AllRows => "all-rows",
        };
        if self.part == Part::Measured {
            for trial in tried.iter().skip(self.judged) {
                self.judged += 1;
                self.trials.numbers(self.judged as u64, &[("loss/trial", trial.loss)])?;
            }
        }
        for (name, rows) in by_net(history) {
            let name = name.map_or_else(|| folder_name(&net_and_penalty(trial)), |net| format!("net-{net}"));
            let path = self.folder.join(folder).join(name);
            let events = match self.nets.entry(path) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(free) => {
                    let events = Events::create(free.key())?;
                    free.insert(events)
                }
            };
            events.history(&rows)?;
        }
        Ok(())
    }

    /// Tells the weights of the net that is left, and where all of it lies.
    pub(crate) fn end(mut self, net: &Mlp<Tensor>) {
        let told = self.trials.histograms(1, "weights", net);
        match self.failed.or(told.err()) {
            Some(error) => say(format_args!("note: not all events are there: {error}")),
            None => say(format_args!("events are in {}", self.folder.display())),
        }
    }
}

/// The rows of each net, where a history has several nets one after the other.
fn by_net(history: &History) -> Vec<(Option<u64>, History)> {
    let column = history.names.iter().position(|name| name == "net");
    let mut nets: Vec<(Option<u64>, History)> = Vec::new();
    for row in &history.rows {
        let net = column.map(|column| row[column] as u64);
        if nets.last().is_none_or(|(last, _)| *last != net) {
            nets.push((net, History { names: history.names.clone(), rows: Vec::new() }));
        }
        nets.last_mut().expect("there is one").1.rows.push(row.clone());
    }
    nets
}

/// As a name of a folder, everywhere.
fn folder_name(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric() && c != '.').filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("-")
}
