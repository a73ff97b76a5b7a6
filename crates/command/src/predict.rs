//! `nn predict`.

use crate::cli::{Missing, PredictFlags};
use crate::input::{Input, Written};
use crate::json::{number, object};
use crate::output::{notes, say, table_notes};
use crate::run_folder::Whole;
use crate::train::names;
use crate::{Failure, input, output, run_folder};
use nn::data::{Cells, Column, Output, Table};
use nn::file::Model;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;

/// Of fewer residuals the least and the greatest are within less than nine tenths of all.
const ENOUGH: u64 = 19;
/// So many rows are predicted at once.
const BLOCK: usize = 4096;

pub(crate) fn predict(flags: &PredictFlags) -> Result<(), Failure> {
    let mut model = run_folder::load(&flags.model)?;
    if flags.cells.unknown {
        model.preprocess.take_unknown_words();
    }
    if !model.spread.is_empty() {
        say("note: low and high are an interval of 90 %, from the residuals of the rows that training held out");
        if let Some(rows @ ..ENOUGH) = model.about.get("held_out_rows").and_then(Value::as_u64) {
            say(format_args!("note: these are {rows} rows, too few for an interval of 90 %: it holds less"));
        }
    }
    if let Some(out) = &flags.out {
        run_folder::hold_apart(out, &[("the table", Path::new(&flags.file)), ("the model", &flags.model)])?;
    }
    let out = flags.out.as_deref().map(Whole::create).transpose()?;
    let reading = Written::of(&flags.reading).reading_for(&model);
    let mut writer = Writer { model, flags, out, begun: false, told: BTreeSet::new() };
    match input::of(&flags.file)? {
        Input::Whole => {
            let table = reading.read(Path::new(&flags.file))?;
            table_notes(&table);
            writer.hold(&table)?;
            // All rows are held to be right before the first is written.
            let rows: Vec<usize> = (0..table.len()).collect();
            let blocks: Vec<Table> = rows.chunks(BLOCK).map(|block| table.select(block)).collect();
            let predicted = blocks.iter().map(|block| writer.model.predict(block)).collect::<Result<Vec<_>, _>>()?;
            for (block, predicted) in blocks.iter().zip(&predicted) {
                if !writer.write(block, predicted)? {
                    break;
                }
            }
        }
        Input::Coming(from) => {
            if flags.file == "-" && std::io::stdin().is_terminal() {
                say("note: rows are read from standard input, the names of the columns first");
            }
            let rows = reading.rows(input::name(&flags.file), from)?;
            notes(rows.notes());
            for table in rows {
                let table = table?;
                writer.hold(&table)?;
                let predicted = writer.model.predict(&table)?;
                if !writer.write(&table, &predicted)? {
                    break;
                }
            }
        }
    }
    writer.out.map_or(Ok(()), Whole::finish)
}

struct Writer<'a> {
    model: Model,
    flags: &'a PredictFlags,
    /// The file, where it is not standard output.
    out: Option<Whole>,
    /// Whether the header is written.
    begun: bool,
    /// The notes that were told.
    told: BTreeSet<String>,
}

impl Writer<'_> {
    /// Holds the cells of a table to what was asked for, and tells what stands for those that are missing; of each column once.
    fn hold(&mut self, table: &Table) -> Result<(), Failure> {
        if self.flags.cells.missing == Missing::Error {
            self.model.preprocess.hold_filled(table)?;
        }
        for note in self.model.preprocess.fills(table)? {
            let column = note.split(": ").next().unwrap_or_default().to_owned();
            if self.told.insert(column) {
                notes([&note]);
            }
        }
        Ok(())
    }

    /// Writes what is predicted of some rows; whether somebody still reads.
    fn write(&mut self, table: &Table, predicted: &Table) -> Result<bool, Failure> {
        let kept = self.kept(table)?;
        let mut text = Vec::new();
        let written = if self.flags.json {
            self.lines(table, &kept, predicted, &mut text)
        } else {
            let mut both = Table::default();
            both.columns = kept.into_iter().chain(predicted.columns.iter().cloned()).collect();
            if self.begun { both.write_csv_rows(&mut text) } else { both.write_csv(&mut text) }
        };
        written.expect("a list of bytes takes what is written");
        self.begun = true;
        match &mut self.out {
            Some(file) => file.write(&text).map(|()| true),
            None => output::written(|out| out.write_all(&text)),
        }
    }

    /// The columns that stand before the predictions; one of the name of a target is the given one.
    fn kept(&self, table: &Table) -> Result<Vec<Column>, Failure> {
        let targets = self.model.preprocess.output.as_ref().map_or(&[][..], Output::columns);
        let mut kept = Vec::new();
        for name in names(table, &self.flags.keep) {
            let Some(column) = table.column(&name) else {
                let known: Vec<&str> = table.columns.iter().map(|column| &column.name[..]).collect();
                return Err(Failure::new(
                    format!("expected a column `{}` to keep, found none", nn::shown(&name)),
                    format!("the columns are {}", nn::shown(&known.join(", "))),
                ));
            };
            let mut column = column.clone();
            if targets.contains(&name) {
                column.name += " (given)";
            }
            kept.push(column);
        }
        Ok(kept)
    }

    /// A line of JSON for each row.
    fn lines(&self, table: &Table, kept: &[Column], predicted: &Table, to: &mut Vec<u8>) -> std::io::Result<()> {
        for row in 0..table.len() {
            let mut line = Map::new();
            let (_, place, _) = table.place(row, "");
            line.insert("line".to_owned(), Value::from(place));
            if !kept.is_empty() {
                line.insert(
                    "kept".to_owned(),
                    object(kept.iter().map(|column| (column.name.clone(), cell(column, row)))),
                );
            }
            self.add(&mut line, predicted, row);
            writeln!(to, "{}", Value::Object(line))?;
        }
        Ok(())
    }

    /// What is predicted of a row: label and probabilities, or values with their intervals.
    fn add(&self, line: &mut Map<String, Value>, predicted: &Table, row: usize) {
        let numbers = |of: usize| match predicted.columns.get(of).map(|column| &column.cells) {
            Some(Cells::Numbers(all)) => all[row],
            _ => f64::NAN,
        };
        match &self.model.preprocess.output {
            Some(Output::Classes { names, .. }) => {
                line.insert(
                    "label".to_owned(),
                    predicted.columns.first().map_or(Value::Null, |first| cell(first, row)),
                );
                let each = names.iter().enumerate().map(|(of, name)| (name.clone(), number(numbers(1 + of))));
                line.insert("probabilities".to_owned(), object(each));
            }
            Some(Output::Labels { columns }) => {
                let each = |of: &dyn Fn(f64) -> Value| {
                    object(columns.iter().enumerate().map(|(place, name)| (name.clone(), of(numbers(place)))))
                };
                line.insert("labels".to_owned(), each(&|p| Value::from(p > 0.5)));
                line.insert("probabilities".to_owned(), each(&number));
            }
            Some(Output::Values { columns, .. }) => {
                let known = !self.model.spread.is_empty();
                let step = if known { 3 } else { 1 };
                let each = columns.iter().enumerate().map(|(place, name)| {
                    let end = |of: usize| if known { number(numbers(place * step + of)) } else { Value::Null };
                    let value = [("value", number(numbers(place * step))), ("low", end(1)), ("high", end(2))];
                    (name.clone(), object(value))
                });
                line.insert("values".to_owned(), object(each));
            }
            None => (),
        }
    }
}

/// A cell as JSON.
fn cell(column: &Column, row: usize) -> Value {
    match &column.cells {
        Cells::Numbers(all) => number(all[row]),
        Cells::Text { words, rows } => rows[row].map_or(Value::Null, |word| Value::from(words[word as usize].clone())),
    }
}
