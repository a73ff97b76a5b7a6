//! What can be said to the command.

use crate::input::{delimiter, encoding};
use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};
use nn::data::Encoding;
use std::path::PathBuf;

/// Train small nets on tables, measure them, and predict with them.
#[derive(Parser)]
#[command(name = "nn", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Learn a column of a table from the others, and leave a folder with the model.
    Train(Box<TrainFlags>),
    /// Try settings by seeds by folds on all cores, and tell the best.
    Sweep(Box<SweepFlags>),
    /// Measure a model on rows whose target is known.
    Eval(EvalFlags),
    /// Tell in one HTML file what a model is worth: how often it is right, where not, what it looks at, and that its gradient is right.
    Report(ReportFlags),
    /// Predict rows, as CSV on standard output.
    Predict(PredictFlags),
    /// Tell what a model is.
    Info(InfoFlags),
    /// Check the derivation of the gradient of a softmax layer, line by line: closed form, tape and differences.
    Check(CheckFlags),
    /// Show what a net records on the tape: operations, shapes, values and derivatives.
    Graph(GraphFlags),
    /// Take a model elsewhere: ONNX, source in C or Rust, JSON.
    Export(ExportFlags),
    /// Print completions for a shell.
    Completions(CompletionsFlags),
    /// Print the manual page.
    Manual(ManualFlags),
}

/// The whole command, as clap has it.
pub(crate) fn command() -> clap::Command {
    Cli::command().after_help(
        "Data go to standard output, words to standard error. `-` is standard input.\n\
         It ends with 0, with 1 where the work failed, with 2 where the arguments are wrong, with 130 where it was interrupted.",
    )
}

/// How a table is written, where that is not to be found out.
#[derive(Args, Default)]
#[command(next_help_heading = "How the table is written (found out where it is not said)")]
pub(crate) struct ReadingFlags {
    /// What separates fields: a character, `tab` or `space`.
    #[arg(long, value_parser = delimiter)]
    pub(crate) delimiter: Option<char>,
    /// Whether 1,5 is one and a half.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) decimal_comma: Option<bool>,
    /// Whether the first line names the columns; otherwise they are `column_1`, `column_2` and so on.
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    pub(crate) header: Option<bool>,
    /// utf-8, latin1, windows-1252, utf-16le or utf-16be.
    #[arg(long, value_parser = encoding)]
    pub(crate) encoding: Option<Encoding>,
    /// Lines that begin with this character are left out.
    #[arg(long, value_parser = delimiter)]
    pub(crate) comment: Option<char>,
    /// What stands for a missing cell, beside `NA`, `?` and the like. Can be given several times.
    #[arg(long, value_name = "MARK")]
    pub(crate) missing_mark: Vec<String>,
}

/// The table to learn from, and what its columns are.
#[derive(Args, Default)]
pub(crate) struct TableFlags {
    /// The table; `-` is standard input.
    pub(crate) file: Option<String>,
    /// The column to learn: words are classes, measured numbers are values. Several with commas between, or given several times.
    #[arg(long, value_name = "NAME")]
    pub(crate) target: Vec<String>,
    /// Columns to leave out, with commas between.
    #[arg(long, value_name = "NAME")]
    pub(crate) ignore: Vec<String>,
    /// Take a column for something else than the guess, as `zone=category`: number, category, ignored, weight, year-month-day,
    /// day.month.year, month/day/year; of the target classes, labels, values.
    #[arg(long = "as", value_name = "NAME=KIND", value_parser = kind)]
    pub(crate) kinds: Vec<(String, String)>,
    /// Settings of an earlier run, as its `settings.toml`; flags go before them.
    #[arg(long, value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// What becomes of missing cells, here and at prediction [default: fill].
    #[arg(long, value_enum)]
    pub(crate) missing: Option<Missing>,
    /// Predict rows with words that training has not seen as if they had none, instead of refusing them.
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) unknown: Option<bool>,
    /// Of how many nets the result is the mean [default: 4].
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) members: Option<u32>,
    /// How many iterations each training makes at most [default: 200].
    #[arg(long, value_name = "COUNT", allow_negative_numbers = true, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) iterations: Option<u32>,
}

#[derive(Args)]
pub(crate) struct TrainFlags {
    #[command(flatten)]
    pub(crate) table: TableFlags,
    /// The folder to leave the model in [default: the name of the table with `-model`].
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// A page that is written anew each second while it trains, and is the report in the end.
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// A folder for TensorBoard, which can look on: losses, norms of weights and gradients, and the weights in the end, each run in a folder
    /// of its own in it, `run-1` and so on.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) tensorboard: Option<PathBuf>,
    /// Print the settings that would be taken, and train nothing.
    #[arg(long)]
    pub(crate) print_settings: bool,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) choice: ChoiceFlags,
    #[command(flatten)]
    pub(crate) reading: ReadingFlags,
}

/// What is tried, and what measures it.
#[derive(Args, Default)]
pub(crate) struct ChoiceFlags {
    /// Decides which rows are held out, and the initial weights [default: 0].
    #[arg(long, allow_negative_numbers = true)]
    pub(crate) seed: Option<u64>,
    /// The share of rows that measures and is not learnt from; 0 measures nothing [default: a third].
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, value_parser = share)]
    pub(crate) held_out: Option<f64>,
    /// A candidate, of which the best is taken: `linear`, or hidden sizes and what stands between, as `32` or `64,32:relu`. Can be given
    /// several times [default: linear, 32:silu, 32:relu].
    #[arg(long = "net", value_name = "NET", value_parser = crate::settings::net)]
    pub(crate) nets: Vec<crate::settings::Net>,
    /// Factors of the penalty on weights that are tried, with commas between [default: 1 to 1e-5].
    #[arg(long = "penalty", value_name = "FACTOR", allow_negative_numbers = true, value_delimiter = ',', value_parser = factor)]
    pub(crate) penalties: Vec<f64>,
}

#[derive(Args)]
pub(crate) struct SweepFlags {
    #[command(flatten)]
    pub(crate) table: TableFlags,
    /// What is tried: `penalty=1e-3,0.1` and `members=1,4` are lists, `penalty=1e-4..1` and `iterations=20..400` ranges (of which some are
    /// taken at random, see `--random`), `net=linear` and `net=64,32:relu` one net each. Can be given several times [default: nets and
    /// penalties]. Of nets and penalties, what is not varied is chosen as `nn train` chooses it.
    #[arg(long, value_name = "NAME=VALUES")]
    pub(crate) vary: Vec<String>,
    /// Take so many settings at random, instead of all combinations.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) random: Option<u32>,
    /// Try all with few iterations, the best third with three times as many, and so on.
    #[arg(long)]
    pub(crate) halving: bool,
    /// With so many seeds, from `--seed` on.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) seeds: u32,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// In how many folds the rows are divided; each is held out once.
    #[arg(long, value_name = "COUNT", default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=100))]
    pub(crate) folds: u32,
    /// On how many threads [default: as many as there are].
    #[arg(long, value_name = "COUNT", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1024), hide_default_value = true)]
    pub(crate) threads: u32,
    /// The folder to leave the tables in, and a journal from which the same command goes on [default: the name of the table with `-sweep`].
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reading: ReadingFlags,
}

#[derive(Args)]
pub(crate) struct EvalFlags {
    /// The table, with its target; `-` is standard input.
    pub(crate) file: String,
    /// The folder of a run, or the file of a model.
    #[arg(long)]
    pub(crate) model: PathBuf,
    /// Print the result as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) cells: CellFlags,
    #[command(flatten)]
    pub(crate) reading: ReadingFlags,
}

#[derive(Args)]
pub(crate) struct ReportFlags {
    /// The table, with its target; `-` is standard input.
    pub(crate) file: String,
    /// The folder of a run, or the file of a model.
    #[arg(long)]
    pub(crate) model: PathBuf,
    /// The HTML file [default: standard output, or `report.html` where that is a terminal].
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) cells: CellFlags,
    #[command(flatten)]
    pub(crate) reading: ReadingFlags,
}

#[derive(Args)]
pub(crate) struct PredictFlags {
    /// The table, with the columns of training in any order; `-` is standard input, of which rows are predicted as they come.
    #[arg(default_value = "-")]
    pub(crate) file: String,
    /// The folder of a run, or the file of a model.
    #[arg(long)]
    pub(crate) model: PathBuf,
    /// Print a line of JSON for each row.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write to this file in place of standard output: it is there once all rows are predicted, and as it was before that.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// Columns of the table to put before the predictions, with commas between.
    #[arg(long, value_name = "NAME")]
    pub(crate) keep: Vec<String>,
    #[command(flatten)]
    pub(crate) cells: CellFlags,
    #[command(flatten)]
    pub(crate) reading: ReadingFlags,
}

/// What becomes of cells that training would not take.
#[derive(Args)]
pub(crate) struct CellFlags {
    /// What becomes of missing cells.
    #[arg(long, value_enum, default_value_t = Missing::Fill)]
    pub(crate) missing: Missing,
    /// Take words that training has not seen as if there were none.
    #[arg(long)]
    pub(crate) unknown: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Missing {
    /// The median for numbers, a category of their own for words.
    Fill,
    /// An error.
    Error,
}

/// A model, by its place or behind `--model`.
#[derive(Args)]
pub(crate) struct ModelFlags {
    /// The folder of a run, or the file of a model.
    #[arg(id = "place", value_name = "MODEL", required_unless_present = "model")]
    place: Option<PathBuf>,
    /// The same.
    #[arg(long, id = "model", value_name = "MODEL", conflicts_with = "place")]
    model: Option<PathBuf>,
}

impl ModelFlags {
    pub(crate) fn path(&self) -> PathBuf {
        self.place.clone().or_else(|| self.model.clone()).unwrap_or_default()
    }
}

#[derive(Args)]
pub(crate) struct InfoFlags {
    #[command(flatten)]
    pub(crate) model: ModelFlags,
    /// Print it as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Args)]
pub(crate) struct GraphFlags {
    #[command(flatten)]
    pub(crate) model: ModelFlags,
    /// A table, of whose first rows the loss and its derivatives are recorded; without it the scores of a row of means.
    #[arg(long, value_name = "FILE")]
    pub(crate) data: Option<String>,
    /// Of how many rows.
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rows: u32,
    /// Print a picture as SVG in place of text in the language of Graphviz (DOT).
    #[arg(long, conflicts_with = "json")]
    pub(crate) svg: bool,
    /// Print the nodes as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) reading: ReadingFlags,
}

#[derive(Args)]
pub(crate) struct ExportFlags {
    #[command(flatten)]
    pub(crate) model: ModelFlags,
    #[command(flatten)]
    pub(crate) files: ExportFiles,
    /// What the functions of the source are called [default: the name of the file].
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Compute in 32 bits there, in place of 64.
    #[arg(long)]
    pub(crate) f32: bool,
}

/// The files to write; `-` is standard output.
#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct ExportFiles {
    /// A file of ONNX, with an input for each column.
    #[arg(long, value_name = "FILE")]
    pub(crate) onnx: Option<PathBuf>,
    /// A header in C99, without allocation.
    #[arg(long, value_name = "FILE")]
    pub(crate) c: Option<PathBuf>,
    /// A module in Rust, without allocation and the standard library; it needs the crate `libm`.
    #[arg(long, value_name = "FILE")]
    pub(crate) rust: Option<PathBuf>,
    /// All of the model as JSON.
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct CheckFlags {
    /// What the hidden layer applies: identity, relu, tanh or sigmoid.
    #[arg(long, default_value_t)]
    pub(crate) activation: softmax_net::Activation,
    /// The line of this name, or those whose names contain this text. Can be given several times.
    #[arg(long = "line", value_name = "NAME")]
    pub(crate) lines: Vec<String>,
    /// Print the lines as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Print a picture instead, with the first numbers of each line, in the reader's colours, or always light or dark.
    #[arg(long, value_enum, value_name = "COLOURS", num_args = 0..=1, require_equals = true, default_missing_value = "as-asked", conflicts_with = "json")]
    pub(crate) svg: Option<Colours>,
}

/// The colours of a picture.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Colours {
    AsAsked,
    Light,
    Dark,
}

impl From<Colours> for picture::Colours {
    fn from(colours: Colours) -> Self {
        match colours {
            Colours::AsAsked => Self::AsAsked,
            Colours::Light => Self::Light,
            Colours::Dark => Self::Dark,
        }
    }
}

#[derive(Args)]
pub(crate) struct CompletionsFlags {
    /// The shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Args)]
pub(crate) struct ManualFlags {
    /// The page of one command, such as `train`.
    pub(crate) command: Option<String>,
}

fn kind(text: &str) -> Result<(String, String), String> {
    let (name, kind) = text.rsplit_once('=').ok_or("expected NAME=KIND, such as zone=category")?;
    Ok((name.to_owned(), kind.to_owned()))
}

pub(crate) fn share(text: &str) -> Result<f64, String> {
    let share = text.parse::<f64>().ok().filter(|share| (0.0..1.0).contains(share));
    share.ok_or_else(|| "expected a share of 0 or more and below 1, such as 0.25".to_owned())
}

pub(crate) fn factor(text: &str) -> Result<f64, String> {
    let factor = text.trim().parse::<f64>().ok().filter(|factor| *factor >= 0.0 && factor.is_finite());
    factor.ok_or_else(|| "expected a number of 0 or more, such as 1e-3".to_owned())
}
