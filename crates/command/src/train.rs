//! `nn train`.

use crate::cli::TrainFlags;
use crate::json::object;
use crate::output::{notes, say, table_notes};
use crate::progress::Onlookers;
use crate::report::{Measured, Page, REPORT};
use crate::run_folder::{HISTORY, HISTORY_LINES, MODEL, SETTINGS};
use crate::score::{Score, score};
use crate::settings::{Net, Settings, from_folder, net_said};
use crate::tensorboard::{Board, Part};
use crate::{Failure, input, interrupt, output, run_folder};
use nn::data::{Cells, Output, Preparing, Preprocess, Role, Schema, Table};
use nn::file::Model;
use nn::measure::spread;
use nn::train::{History, Trying};
use nn::{Dataset, Fitted, Trial};
use serde_json::Value;
use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

const TRIALS: &str = "trials.csv";

/// So many lines of the guess are shown.
const MOST_LINES: usize = 40;

pub(crate) fn train(flags: Box<TrainFlags>) -> Result<(), Failure> {
    let mut settings = Settings::of(&flags.table, &flags.choice, &flags.reading)?;
    if flags.print_settings {
        return output::write(|out| write!(out, "{}", settings.to_toml()));
    }
    let Some(data) = settings.data.clone() else {
        return Err(Failure::misused("expected a table to learn from, found none", "`nn train TABLE --target NAME`"));
    };
    if let Some(report) = &flags.report {
        run_folder::hold_apart(report, &[("the table", Path::new(&data))])?;
    }
    let folder = flags.out.clone().unwrap_or_else(|| run_folder::default(&data, "model"));
    run_folder::hold_free(&folder, &[MODEL, SETTINGS, HISTORY, HISTORY_LINES, TRIALS, REPORT])?;
    let (table, schema) = read(&data, &mut settings)?;

    let page = flags.report.as_deref().map(|path| Page::new(path, &settings.target)).transpose()?;
    let board = flags.tensorboard.as_deref().map(Board::new).transpose()?;
    interrupt::gently();
    let run = run(&settings, &table, schema, Onlookers::new(page, board))?;
    settings.data = Some(from_folder(&folder, &data));
    // A model without a report is better than none.
    let html = run.measured.html(&settings.to_toml());
    let html = html.map_err(|error| say(format_args!("note: there is no report: {error}"))).ok();
    if let (Some(path), Some(html)) = (&flags.report, &html) {
        run_folder::replace(path, html.as_bytes())?;
    }
    leave(&folder, &settings, &run, html)?;
    tell(&folder, &settings, &run, flags.json)
}

/// The table that the settings name, and what its columns mean, which is told.
pub(crate) fn read(data: &str, settings: &mut Settings) -> Result<(Table, Schema), Failure> {
    let (table, hash) = input::hashed_table(data, &settings.written.reading())?;
    if settings.data_hash.as_ref().is_some_and(|known| *known != hash) {
        say("note: the table is not as it was when these settings were written");
    }
    settings.data_hash = Some(hash);
    let schema = schema(&table, settings)?;
    table_notes(&table);
    let lines: Vec<String> = schema.to_string().lines().map(str::to_owned).collect();
    lines.iter().take(MOST_LINES).for_each(say);
    if lines.len() > MOST_LINES {
        say(format_args!("… and {} more columns", lines.len() - MOST_LINES));
    }
    Ok((table, schema))
}

/// What the columns mean: guessed, and what was said.
fn schema(table: &Table, settings: &mut Settings) -> Result<Schema, Failure> {
    if settings.target.is_empty() {
        let names: Vec<String> =
            table.columns.iter().take(30).map(|column| format!("`{}`", nn::shown(&column.name))).collect();
        let more = if table.columns.len() > 30 { ", …" } else { "" };
        return Err(Failure::misused(
            "expected a target to learn, found none",
            format!("`--target NAME` with one of the columns {}{more}", names.join(", ")),
        ));
    }
    settings.target = names(table, &settings.target);
    settings.ignore = names(table, &settings.ignore);
    let lists = [&settings.target, &settings.ignore];
    let [targets, ignore] = lists.map(|names| names.iter().map(String::as_str).collect::<Vec<_>>());
    let mut schema = Schema::infer(table, &targets, &ignore).map_err(|error| {
        let words = targets.len() > 1 && matches!(error.kind, nn::Kind::NotANumber { .. });
        let mut failure = Failure::from(error);
        if words {
            "of several targets each is a column of numbers; learn words by a model of their own"
                .clone_into(&mut failure.help);
        }
        failure
    })?;
    hold_numbers(table, &schema, &settings.kinds)?;
    for (name, kind) in &settings.kinds {
        schema.take(name, kind)?;
    }
    Ok(schema)
}

/// Holds columns of numbers to have no word that comes a single time: that is a slip, not a mark of missing cells, nor a category.
fn hold_numbers(table: &Table, schema: &Schema, said: &[(String, String)]) -> Result<(), Failure> {
    let guessed = schema.features().filter(|field| !said.iter().any(|(name, _)| *name == field.name));
    for field in guessed {
        let Some(Cells::Text { words, rows }) = table.column(&field.name).map(|column| &column.cells) else { continue };
        let mut counts = vec![0_usize; words.len()];
        rows.iter().flatten().for_each(|&word| counts[word as usize] += 1);
        let notation = schema.notations.get(&field.name).cloned().unwrap_or_default();
        let plain = |word: &str| word.replace(',', ".").parse::<f64>().is_ok_and(f64::is_finite);
        let is_number = |word: &str| plain(word) || notation.number(word).is_some();
        let numeric: Vec<bool> = words.iter().map(|word| is_number(word)).collect();
        let numbers: usize = counts.iter().zip(&numeric).filter(|(_, numeric)| **numeric).map(|(count, _)| count).sum();
        if field.kind != Role::Number && numbers * 10 < counts.iter().sum::<usize>() * 9 {
            continue;
        }
        let lone = |word: u32| counts[word as usize] == 1 && !numeric[word as usize];
        let Some(row) = rows.iter().position(|word| word.is_some_and(lone)) else { continue };
        let found = rows[row].map_or("", |word| &words[word as usize]).to_owned();
        let (file, line, column) = table.place(row, &field.name);
        let (name, shown) = (field.name.clone(), nn::shown(&found));
        let help = format!(
            "mend the cell; or `--missing-mark '{shown}'` where it stands for a missing one, or `--as '{}=category'`",
            nn::shown(&name)
        );
        let kind = nn::Kind::NotANumber { name, found };
        let error = nn::Error { file: file.to_owned(), line: Some(line), column: Some(column), kind };
        return Err(Failure::new(error.to_string(), help));
    }
    Ok(())
}

/// The names of columns, as they were given: each one, or several with commas between.
pub(crate) fn names(table: &Table, given: &[String]) -> Vec<String> {
    let mut names = Vec::new();
    for said in given {
        if table.column(said).is_some() {
            names.push(said.clone());
        } else {
            names.extend(said.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()));
        }
    }
    names
}

/// What training came to.
struct Run {
    model: Model,
    best: Trial,
    tried: Vec<Trial>,
    history: History,
    /// On rows that the measured net has not seen, where some were held out.
    score: Option<Score>,
    measured: Measured,
    /// How many rows were trained with while others were held out; all where none were.
    rows: usize,
    ended: bool,
}

fn run(settings: &Settings, table: &Table, schema: Schema, onlookers: Onlookers) -> Result<Run, Failure> {
    let (table, lost) = schema.with_targets(table)?;
    if table.is_empty() {
        let text = "expected rows whose target is there, found none";
        return Err(Failure::new(text, "give the target of some rows at least"));
    }
    let recipe = settings.recipe();
    let (rows, held_out) = if settings.held_out > 0.0 {
        let parts = schema.split(&table, settings.held_out, settings.seed)?;
        (table.select(&parts.train), Some(table.select(&parts.held_out)))
    } else {
        (table.clone(), None)
    };

    let mut watched = recipe.watched(|now| {
        onlookers.at(now, told_of(now));
        if interrupt::asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let trained = (|| {
        let how = watched.preparing(&rows, &schema, settings.preparing())?;
        // A word that only held-out rows have is no reason to measure nothing.
        let loose = Preparing { unknown_words: how.unknown_words || held_out.is_some(), ..how };
        let measured = Preprocess::fit(&rows, &schema, loose)?;
        let data: Dataset = measured.examples(&rows)?;
        let others: Option<Dataset> = held_out.as_ref().map(|rows| measured.examples(rows)).transpose()?;
        onlookers.begins(Part::Measured);
        let fitted = match &others {
            Some(others) => watched.fit_beside(&data, others)?,
            None => watched.fit(&data)?,
        };
        let on_held_out = others.as_ref().map(|others| on(&measured, &fitted, others)).transpose()?;
        let measured_history = watched.history().clone();
        onlookers.told(&fitted, &measured_history);
        onlookers.begins(Part::AllRows);
        let mut history = History::default();
        append(&mut history, rows.len(), watched.history());
        // Where there is time, what is left is trained on all rows.
        let whole = Preprocess::fit(&table, &schema, how)?;
        let again = held_out.is_some() && !watched.is_ended();
        let net = if again { Some(watched.train(&fitted.best, &whole.examples(&table)?)?) } else { None };
        let own = Model::new(schema.clone(), measured.clone(), fitted.net.clone());
        let (preprocess, net) = match net {
            Some(net) if !watched.is_ended() => {
                onlookers.told(&fitted, watched.history());
                append(&mut history, table.len(), watched.history());
                (whole, net)
            }
            _ => (measured, fitted.net),
        };
        let model = Model::new(schema, preprocess, net);
        let seen = (own, measured_history);
        Ok::<_, nn::Error>((model, fitted.best, fitted.tried, history, on_held_out, watched.is_ended(), seen))
    })();
    onlookers.end(trained.as_ref().ok().map(|trained| &trained.0.net));
    let (mut model, best, tried, history, on_held_out, ended, (mut own, own_history)) = trained?;
    notes(&lost.into_iter().chain(model.preprocess.fills(&table)?).chain(model.preprocess.bends()).collect::<Vec<_>>());
    let score = on_held_out.map(|(score, spread)| {
        own.spread.clone_from(&spread);
        model.spread = spread;
        score
    });
    let count = rows.len();
    let held = held_out.is_some();
    let measured = Measured { model: own, table: held_out.unwrap_or(rows), held_out: held, history: own_history };
    let run = Run { model, best, tried, history, score, measured, rows: count, ended };
    Ok(about(run, settings, &table))
}

/// Puts what came of a training on so many rows behind what came before.
fn append(history: &mut History, rows: usize, more: &History) {
    for row in &more.rows {
        let named = more.names.iter().map(String::as_str).zip(row.iter().copied());
        let numbers: Vec<(&str, f64)> = std::iter::once(("rows", rows as f64)).chain(named).collect();
        history.push(&numbers);
    }
}

/// How well a net does on rows that it has not seen, and between which residuals nine of ten of them lie, of each value.
fn on(preprocess: &Preprocess, fitted: &Fitted, data: &Dataset) -> Result<(Score, Vec<[f64; 2]>), nn::Error> {
    let outputs = fitted.net.predict(data.features());
    let Some(output) = &preprocess.output else { return Err(no_target()) };
    let intervals = match (data.target(), output) {
        (nn::data::Target::Values { values, names }, Output::Values { .. }) => {
            let residuals: Vec<f64> =
                output.values(values).iter().zip(output.values(&outputs)).map(|(y, guess)| y - guess).collect();
            let of = |column: usize| residuals.iter().skip(column).step_by(names.len()).copied().collect::<Vec<f64>>();
            // What is predicted is within, also where all residuals are of one sign.
            let ends = |[low, high]: [f64; 2]| {
                if low > 0.0 {
                    [0.0, high]
                } else if high < 0.0 {
                    [low, 0.0]
                } else {
                    [low, high]
                }
            };
            (0..names.len()).map(|column| ends(spread(&of(column), 0.9))).collect()
        }
        _ => Vec::new(),
    };
    Ok((score(data, output, &outputs), intervals))
}

pub(crate) fn no_target() -> nn::Error {
    let kind = nn::Kind::Data("there is no target to learn".to_owned());
    nn::Error { file: String::new(), line: None, column: None, kind }
}

/// Puts what is to be told of the run beside the model. Nothing of it depends on where or when it was made.
fn about(mut run: Run, settings: &Settings, table: &Table) -> Run {
    let file = settings.data.as_deref().map(|data| Path::new(data).file_name().unwrap_or_default().to_string_lossy());
    let held_out = run.score.as_ref().map_or(0, |score| score.rows);
    let entries = [
        ("data", file.map_or(Value::Null, |file| Value::from(file.into_owned()))),
        ("data_hash", settings.data_hash.clone().map_or(Value::Null, Value::from)),
        (input::DECIMAL_COMMA, table.decimal_comma().map_or(Value::Null, Value::from)),
        ("target", Value::from(settings.target.clone())),
        ("seed", Value::from(settings.seed)),
        ("rows", Value::from(run.rows)),
        ("held_out_rows", Value::from(held_out)),
        ("net", Value::from(told(&run.best))),
        ("score", run.score.as_ref().map_or(Value::Null, Score::json)),
        ("interrupted", Value::from(run.ended)),
        ("version", Value::from(env!("CARGO_PKG_VERSION"))),
    ];
    run.model.about = entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    run.measured.model.about.clone_from(&run.model.about);
    run
}

fn leave(folder: &Path, settings: &Settings, run: &Run, report: Option<String>) -> Result<(), Failure> {
    let (mut csv, mut lines) = (Vec::new(), Vec::new());
    let written = run.history.write_csv(&mut csv).and_then(|()| run.history.write_json_lines(&mut lines));
    written.expect("a list of bytes takes what is written");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("numbers and names are text");
    let mut trials = String::from("net,penalty,loss\n");
    for trial in &run.tried {
        // Writing to a string does not fail.
        let _ = writeln!(trials, "\"{}\",{},{}", net_of(trial), trial.penalty, trial.loss);
    }
    let mut texts =
        vec![(SETTINGS, settings.to_toml()), (HISTORY, text(csv)), (HISTORY_LINES, text(lines)), (TRIALS, trials)];
    texts.extend(report.map(|html| (REPORT, html)));
    run_folder::leave(folder, &run.model, &texts)
}

fn tell(folder: &Path, settings: &Settings, run: &Run, json: bool) -> Result<(), Failure> {
    let net = told(&run.best);
    if json {
        let all = object([
            ("folder", Value::from(folder.to_string_lossy())),
            ("target", Value::from(settings.target.clone())),
            ("net", Value::from(net)),
            ("seed", Value::from(settings.seed)),
            ("rows", Value::from(run.rows)),
            ("held_out_rows", Value::from(run.score.as_ref().map_or(0, |score| score.rows))),
            ("trials", Value::from(run.tried.len())),
            ("score", run.score.as_ref().map_or(Value::Null, Score::json)),
            ("interrupted", Value::from(run.ended)),
        ]);
        output::write(|out| writeln!(out, "{all}"))?;
    } else {
        let score = run
            .score
            .as_ref()
            .map_or("nothing held out to measure on".to_owned(), |score| format!("{}, held out", score.told()));
        output::write(|out| writeln!(out, "{net}: {score}"))?;
    }
    let shown = folder.display();
    if run.ended {
        return Err(Failure::interrupted(
            format!("interrupted; what was learnt so far is saved in {shown}"),
            format!("`nn train --settings '{}' --out '{shown}'` trains to the end", folder.join(SETTINGS).display()),
        ));
    }
    let of = if run.score.is_some() { "trained once more, on all rows, and" } else { "trained on all rows and" };
    say(format_args!("{of} saved in {shown}; `nn predict TABLE --model '{shown}'` predicts"));
    Ok(())
}

/// A trial in few words.
pub(crate) fn net_and_penalty(trial: &Trial) -> String {
    format!("{}, penalty {}", net_of(trial), trial.penalty)
}

fn net_of(trial: &Trial) -> String {
    net_said(&Net { hidden: trial.hidden.clone(), activation: trial.activation })
}

/// The flags that say what a run of a sweep was made with.
pub(crate) fn names_of(settings: &nn::sweep::Settings) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    settings.values.iter().map(|(name, value)| (name.clone(), text(value))).collect()
}

fn told(best: &Trial) -> String {
    let penalty = best.penalty;
    match &best.hidden[..] {
        [] => format!("a linear model, penalty {penalty}"),
        sizes => format!("nets with {sizes:?} hidden nodes ({:?}), penalty {penalty}", best.activation),
    }
}

/// The trial under way, and the best so far.
fn told_of(now: Trying<'_>) -> String {
    let best = now.tried.iter().map(|trial| trial.loss).fold(f64::INFINITY, f64::min);
    let best = if best.is_finite() { format!(", best loss {best:.4}") } else { String::new() };
    net_and_penalty(now.trial) + &best
}
