//! Your own CSV file, from the raw table to predictions:
//!
//! ```sh
//! cargo run --release --example own_data -- train flats.csv --target rent --model flats.safetensors
//! cargo run --release --example own_data -- predict new.csv --model flats.safetensors > predictions.csv
//! ```
//!
//! What columns mean is guessed and printed. A third of the rows, by the seed, measures a net that has not seen it; what is saved is
//! trained once more, on all rows. Missing numbers become the median of the training rows, with a note, missing words a category of
//! their own, unless `--missing error` is given. The command `nn` of `crates/command` is the long form of this.

use autograd::Tensor;
use clap::{Args, Parser, ValueEnum};
use nn::data::{Fill, Preparing, Preprocess, Schema, Table, Target};
use nn::file::Model;
use nn::measure::{accuracy, by_column, r2, spread};
use nn::{Dataset, Error, Fault, Kind, Recipe, Trial};
use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// The share of rows that measures.
const HELD_OUT: f64 = 1.0 / 3.0;

/// Train a net on a CSV file, and predict with it.
#[derive(Parser)]
enum Command {
    /// Learn a column from the others.
    Train(Train),
    /// Write predictions as CSV to standard output.
    Predict(Predict),
}

#[derive(Args)]
struct Train {
    /// The CSV file.
    file: PathBuf,
    /// The column to learn: words are classes, measured numbers are values. Several, with commas between: labels or values.
    #[arg(long)]
    target: String,
    /// Columns to leave out, with commas between.
    #[arg(long, default_value = "")]
    ignore: String,
    /// Takes a column for something else than the guess, as `zone=category`: number, category, ignored, weight, year-month-day,
    /// day.month.year, month/day/year; of the target classes, labels, values.
    #[arg(long = "as", value_name = "NAME=KIND")]
    kinds: Vec<String>,
    /// Decides which rows are held out, and the initial weights.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Where to save the model.
    #[arg(long)]
    model: Option<PathBuf>,
    /// What becomes of missing cells, here and at prediction.
    #[arg(long, value_enum, default_value_t = Missing::Fill)]
    missing: Missing,
    /// Predict rows with words that training has not seen, as if they had none, instead of refusing them.
    #[arg(long)]
    unknown: bool,
    /// Print the result as JSON, in the last line of standard output.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct Predict {
    /// The CSV file, with the columns of training in any order.
    file: PathBuf,
    /// The saved model.
    #[arg(long)]
    model: PathBuf,
    /// What becomes of missing cells.
    #[arg(long, value_enum, default_value_t = Missing::Fill)]
    missing: Missing,
    /// Predict rows with words that training has not seen, as if they had none.
    #[arg(long)]
    unknown: bool,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Missing {
    /// The median for numbers, a category of their own for words.
    Fill,
    /// An error.
    Error,
}

fn main() -> ExitCode {
    let done = match Command::parse() {
        Command::Train(options) => train(&options),
        Command::Predict(options) => predict(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn train(options: &Train) -> Result<(), Error> {
    let table = Table::read(&options.file)?;
    let (targets, ignore) = (names(&table, &options.target), names(&table, &options.ignore));
    let mut schema = Schema::infer(&table, &targets, &ignore)?;
    for said in &options.kinds {
        let (name, kind) = said.rsplit_once('=').unwrap_or((said, ""));
        schema.take(name, kind)?;
    }
    notes(table.notes());
    say(&schema)?;
    let (table, lost) = schema.with_targets(&table)?;
    let parts = schema.split(&table, HELD_OUT, options.seed)?;

    let fills = options.missing == Missing::Fill;
    let how = Preparing {
        missing_numbers: if fills { Fill::Median } else { Fill::Error },
        missing_words: fills,
        unknown_words: options.unknown,
        ..Preparing::default()
    };
    let (rows, held_out) = (table.select(&parts.train), table.select(&parts.held_out));
    let recipe = Recipe { seed: options.seed, ..Recipe::default() };
    let how = recipe.preparing(&rows, &schema, how)?;
    // A word that only held-out rows have is no reason to measure nothing.
    let measured = Preprocess::fit(&rows, &schema, Preparing { unknown_words: true, ..how })?;
    let (rows, held_out): (Dataset, Dataset) = (measured.examples(&rows)?, measured.examples(&held_out)?);
    let fitted = recipe.fit(&rows)?;
    let outputs = fitted.net.predict(held_out.features());
    let (measure, score) = score(held_out.target(), &outputs);

    let preprocess = Preprocess::fit(&table, &schema, how)?;
    notes(&lost.into_iter().chain(preprocess.fills(&table)?).chain(preprocess.bends()).collect::<Vec<_>>());
    let counts = format!("{} rows to train with, {} held out", rows.len(), held_out.len());
    say(format!("{}: {measure} {score:.4} on the held-out rows ({counts})\n", told(&fitted.best)))?;
    let about = serde_json::json!({
        "held_out": score, "measure": measure, "target": options.target, "seed": options.seed,
        "rows": rows.len(), "held_out_rows": held_out.len(), "net": told(&fitted.best),
    });
    if let Some(path) = &options.model {
        let net = recipe.train(&fitted.best, &preprocess.examples(&table)?)?;
        let mut model = Model::new(schema, preprocess, net);
        model.spread = intervals(&measured, held_out.target(), &outputs);
        model.about =
            about.as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())).collect();
        model.save(path)?;
        say(format!("trained on all rows and saved as {}\n", path.display()))?;
    }
    if options.json { say(format!("{about}\n")) } else { Ok(()) }
}

/// The names of columns, as they were given: one, or several with commas between.
fn names<'a>(table: &Table, given: &'a str) -> Vec<&'a str> {
    if given.is_empty() {
        return Vec::new();
    }
    if table.column(given).is_some() { vec![given] } else { given.split(',').map(str::trim).collect() }
}

/// What is measured, and how much it is.
fn score(target: &Target, outputs: &Tensor) -> (&'static str, f64) {
    match target {
        Target::Classes { labels, .. } => ("accuracy", accuracy(outputs, labels)),
        Target::Values { values, .. } => {
            let each = by_column(outputs, values, r2);
            ("r2", each.iter().sum::<f64>() / each.len() as f64)
        }
        Target::Labels { values, .. } => {
            let right = values.as_slice().iter().zip(outputs.as_slice()).filter(|(y, x)| (**y > 0.5) == (**x > 0.0));
            ("accuracy", right.count() as f64 / values.numel() as f64)
        }
    }
}

/// Between which residuals nine of ten rows are to lie, of each value, in its own unit.
fn intervals(preprocess: &Preprocess, target: &Target, outputs: &Tensor) -> Vec<[f64; 2]> {
    let (Target::Values { values, names }, Some(output)) = (target, &preprocess.output) else { return Vec::new() };
    let residuals: Vec<f64> =
        output.values(values).iter().zip(output.values(outputs)).map(|(y, guess)| y - guess).collect();
    let of = |column: usize| residuals.iter().skip(column).step_by(names.len()).copied().collect::<Vec<f64>>();
    (0..names.len()).map(|column| spread(&of(column), 0.9)).collect()
}

fn told(best: &Trial) -> String {
    let Trial { hidden, activation, penalty, .. } = best;
    match &hidden[..] {
        [] => format!("a linear model, penalty {penalty}"),
        sizes => format!("nets with {sizes:?} hidden nodes ({activation:?}), penalty {penalty}"),
    }
}

fn predict(options: &Predict) -> Result<(), Error> {
    let mut model = Model::load(&options.model)?;
    let table = Table::read(&options.file)?;
    notes(table.notes());
    if options.missing == Missing::Error {
        model.preprocess.hold_filled(&table)?;
    }
    if options.unknown {
        model.preprocess.take_unknown_words();
    }
    notes(&model.preprocess.fills(&table)?);
    let predicted = model.predict(&table)?;
    if !model.spread.is_empty() {
        notes(&[
            "low and high are an interval of 90 %, from the residuals of the rows that training held out".to_owned()
        ]);
    }
    written(|out| predicted.write_csv(out))
}

fn notes(notes: &[String]) {
    for note in notes {
        eprintln!("note: {note}");
    }
}

fn say(text: impl Display) -> Result<(), Error> {
    written(|out| write!(out, "{text}"))
}

/// Writes to standard output. Who reads no further has what he wanted.
fn written(write: impl FnOnce(&mut io::StdoutLock) -> io::Result<()>) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let kind = Kind::Stored(Fault::Unwritable(error));
            Err(Error { file: "standard output".to_owned(), line: None, column: None, kind })
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
