//! The command `nn`: trains small nets on tables, measures them, predicts with them, and shows what they are.
//!
//! ```text
//! nn train flats.csv --target rent      # leaves the folder `flats-model`
//! nn eval flats.csv --model flats-model
//! nn predict new.csv --model flats-model > predictions.csv
//! ```
//!
//! | command | does | `--json` gives |
//! |---|---|---|
//! | `train` | learns a column, leaves a folder; with `--tensorboard`, events beside it | the folder, the net, its score |
//! | `sweep` | settings by seeds by folds, on all cores; goes on where it was | all that was tried |
//! | `eval` | measures a model on rows whose target is known | measures with their intervals, and what was taken for what |
//! | `report` | the same and more as one HTML file | |
//! | `predict` | rows of a file, or as they come, to CSV | a line for each row: label and probabilities, or values with their intervals |
//! | `info`, `graph` | what a model is; what its net records on the tape, as DOT, SVG | the same |
//! | `check` | the derivation of the gradient of a softmax layer, line by line, also as a picture | the lines |
//! | `export` | ONNX, source in C or Rust, JSON, with the columns | |
//! | `completions`, `manual` | for a shell; a page for `man` | |
//!
//! A run leaves `model.safetensors`; `settings.toml`, from which `nn train --settings` makes the same bits again; `history.csv` and
//! `history.jsonl`, how its nets were trained (those that were measured, then those that were trained once more on all rows); `trials.csv`,
//! what was tried, with the loss by which the best was chosen; and `report.html`, on the rows that were held out.
//!
//! Data go to standard output, words to standard error. An error is two lines, what is wrong and what to do about it. It ends with 0, with 1
//! where the work failed, 2 where it was not said rightly what to do, and 130 where it was interrupted.
//!
//! Each command is a module of its own under this one, which takes its flags and gives a result or a [`Failure`]; what they share is beside
//! them: how tables come in, how words and data go out, where a model lies, what is measured, and what an interruption does.

mod cli;
mod failure;
mod help;
mod input;
mod interrupt;
mod json;
mod output;
mod progress;
mod run_folder;
mod score;
mod settings;

mod check;
mod eval;
mod export;
mod graph;
mod info;
mod manual;
mod predict;
mod report;
mod sweep;
mod tensorboard;
mod train;

pub use failure::Failure;

use clap::{FromArgMatches, error::ErrorKind};
use cli::{Cli, Command};
use std::ffi::OsString;
use std::io::Write as _;

/// Does what the arguments say, of which the first is the name of the command, and gives the exit code.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    interrupt::watch();
    let parsed = cli::command().try_get_matches_from(arguments).and_then(|matches| Cli::from_arg_matches(&matches));
    let done = match parsed {
        Ok(Cli { command }) => autograd::instruction_set()
            .map_err(|problem| Failure::misused(problem, "name one that is possible, or leave the variable out"))
            .and_then(|_| dispatch(command)),
        // What is asked for is no mistake.
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            output::write(|out| write!(out, "{error}"))
        }
        Err(error) => Err(Failure::usage(&error)),
    };
    match done {
        Ok(()) => 0,
        Err(failure) => {
            failure.tell();
            failure.code
        }
    }
}

fn dispatch(command: Command) -> Result<(), Failure> {
    match command {
        Command::Train(flags) => train::train(flags),
        Command::Sweep(flags) => sweep::sweep(&flags),
        Command::Eval(flags) => eval::eval(&flags),
        Command::Report(flags) => report::report(&flags),
        Command::Predict(flags) => predict::predict(&flags),
        Command::Info(flags) => info::info(&flags),
        Command::Check(flags) => check::check(&flags),
        Command::Graph(flags) => graph::graph(&flags),
        Command::Export(flags) => export::export(&flags),
        Command::Completions(flags) => manual::completions(&flags),
        Command::Manual(flags) => manual::manual(&flags),
    }
}
