//! Your own CSV file, from the raw table to predictions:
//!
//! ```sh
//! cargo run --release --example own_data -- train flats.csv --target rent --model flats.safetensors
//! cargo run --release --example own_data -- predict new.csv --model flats.safetensors > predictions.csv
//! ```
//!
//! A third of the rows is held out by the seed and told of at the end; what columns mean is guessed and printed. Missing numbers
//! become the median of the training rows, with a note, missing words a category of their own, unless `--missing error` is given.

use autograd::Tensor;
use clap::{Parser, Subcommand, ValueEnum};
use nn::data::{Fill, Goal, Preparing, Preprocess, Schema, Table, Target};
use nn::file::Model;
use nn::measure::{accuracy, quantile, r2};
use nn::{Dataset, Error, Fault, Kind, Recipe};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

/// The share of rows that the model is not trained with.
const HELD_OUT: f64 = 1.0 / 3.0;

/// Train a net on a CSV file, and predict with it.
#[derive(Parser)]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Learn a column from the others.
    Train {
        /// The CSV file.
        file: PathBuf,
        /// The column to learn: words are classes, measured numbers are values.
        #[arg(long)]
        target: String,
        /// Columns to leave out.
        #[arg(long, value_delimiter = ',')]
        ignore: Vec<String>,
        /// Decides which rows are held out, and the initial weights.
        #[arg(long, default_value_t = 0)]
        seed: u64,
        /// Where to save the model.
        #[arg(long)]
        model: Option<PathBuf>,
        /// What becomes of missing cells.
        #[arg(long, value_enum, default_value_t = Missing::Fill)]
        missing: Missing,
        /// Predict rows with words that training has not seen, as if they had none, instead of refusing them.
        #[arg(long)]
        unknown: bool,
        /// Print the result as JSON, in the last line of standard output.
        #[arg(long)]
        json: bool,
    },
    /// Write predictions as CSV to standard output.
    Predict {
        /// The CSV file, with the columns of training in any order.
        file: PathBuf,
        /// The saved model.
        #[arg(long)]
        model: PathBuf,
    },
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Missing {
    /// The median for numbers, a category of their own for words.
    Fill,
    /// An error.
    Error,
}

fn main() -> ExitCode {
    let result = match Options::parse().command {
        Command::Train { file, target, ignore, seed, model, missing, unknown, json } => {
            let numbers = if missing == Missing::Fill { Fill::Median } else { Fill::Error };
            let words = missing == Missing::Fill;
            let how = Preparing {
                missing_numbers: numbers,
                missing_words: words,
                unknown_words: unknown,
                ..Preparing::default()
            };
            train(&file, &target, &ignore, seed, how).and_then(|(trained, score)| {
                if let Some(path) = model {
                    trained.save(&path)?;
                    eprintln!("saved as {}", path.display());
                }
                if json {
                    let classes = matches!(trained.schema.target, Some(Goal::Classes(_)));
                    let measure = if classes { "accuracy" } else { "r2" };
                    let result = serde_json::json!({
                        "held_out": score, "measure": measure, "target": target, "seed": seed, "about": trained.about,
                    });
                    println!("{result}");
                }
                Ok(())
            })
        }
        Command::Predict { file, model } => predict(&file, &model),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The model, and its score on the rows that were held out.
fn train(file: &PathBuf, target: &str, ignore: &[String], seed: u64, how: Preparing) -> Result<(Model, f64), Error> {
    let table = Table::read(file)?;
    let ignore: Vec<&str> = ignore.iter().map(String::as_str).collect();
    let schema = Schema::infer(&table, &[target], &ignore)?;
    table.notes().iter().for_each(|note| eprintln!("note: {note}"));
    eprint!("{schema}");
    let (table, lost) = schema.with_targets(&table)?;
    let parts = schema.split(&table, HELD_OUT, seed)?;
    let (rows, held_out) = (table.select(&parts.train), table.select(&parts.held_out));

    let preprocess = Preprocess::fit(&rows, &schema, how)?;
    lost.into_iter().chain(preprocess.fills(&table)?).for_each(|note| eprintln!("note: {note}"));
    let (rows, held_out): (Dataset, Dataset) = (preprocess.examples(&rows)?, preprocess.examples(&held_out)?);
    let fitted = Recipe { seed, ..Recipe::default() }.fit(&rows)?;
    let outputs = fitted.net.predict(held_out.features());

    let mut model = Model::new(schema, preprocess, fitted.net);
    let score = match held_out.target() {
        Target::Classes { labels, .. } => accuracy(&outputs, labels),
        Target::Values { values, .. } => {
            let (truth, guess) = in_unit(&model, values, &outputs);
            let residuals: Vec<f64> = truth.iter().zip(&guess).map(|(y, guess)| y - guess).collect();
            model.spread = vec![[quantile(&residuals, 0.05), quantile(&residuals, 0.95)]];
            r2(&guess, &truth)
        }
        Target::Labels { values, .. } => {
            let right = values.as_slice().iter().zip(outputs.as_slice()).filter(|(y, x)| (**y > 0.5) == (**x > 0.0));
            right.count() as f64 / values.numel() as f64
        }
    };
    let best = &fitted.best;
    let net = if best.hidden.is_empty() {
        "a linear model".to_owned()
    } else {
        format!("a net with {:?} hidden nodes ({:?})", best.hidden, best.activation)
    };
    let of = format!("{} rows to train with, {} held out", rows.len(), held_out.len());
    let told = match model.schema.target {
        Some(Goal::Classes(_)) => format!("{:.1} % of the held-out rows are named rightly", 100.0 * score),
        Some(Goal::Labels(_) | Goal::Values(_)) | None => format!("R2 {score:.4} on the held-out rows"),
    };
    println!("{net}, penalty {}: {told} ({of})", best.penalty);
    for (key, value) in [("rows", rows.len()), ("held_out_rows", held_out.len())] {
        model.about.insert(key.to_owned(), value.into());
    }
    model.about.insert("seed".to_owned(), seed.into());
    model.about.insert("held_out".to_owned(), score.into());
    model.about.insert("net".to_owned(), net.into());
    Ok((model, score))
}

/// True and predicted values in their own unit.
fn in_unit(model: &Model, values: &Tensor, outputs: &Tensor) -> (Vec<f64>, Vec<f64>) {
    let of = |y: &Tensor| model.preprocess.output.as_ref().map_or_else(|| y.to_vec(), |output| output.values(y));
    (of(values), of(outputs))
}

fn predict(file: &PathBuf, model: &PathBuf) -> Result<(), Error> {
    let model = Model::load(model)?;
    let table = Table::read(file)?;
    table.notes().iter().for_each(|note| eprintln!("note: {note}"));
    model.preprocess.fills(&table)?.iter().for_each(|note| eprintln!("note: {note}"));
    let predicted = model.predict(&table)?;
    if !model.spread.is_empty() {
        eprintln!("note: low and high are an interval of 90 %, from the residuals of the rows that training held out");
    }
    let mut out = io::stdout().lock();
    match predicted.write_csv(&mut out).and_then(|()| out.flush()) {
        // Who reads no further has what he wanted.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => {
            let kind = Kind::Stored(Fault::Unwritable(error));
            Err(Error { file: "standard output".to_owned(), line: None, column: None, kind })
        }
        Ok(()) => Ok(()),
    }
}
