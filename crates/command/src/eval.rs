//! `nn eval`.

use crate::cli::{CellFlags, EvalFlags, Missing};
use crate::output::{notes, say, table_notes};
use crate::score::score;
use crate::train::no_target;
use crate::{Failure, input, output, run_folder};
use nn::Dataset;
use nn::data::{Preprocess, Table};
use serde_json::Value;
use std::io::Write as _;

pub(crate) fn eval(flags: &EvalFlags) -> Result<(), Failure> {
    let mut model = run_folder::load(&flags.model)?;
    let (table, hash) = input::hashed_table(&flags.file, &input::Written::of(&flags.reading).reading_for(&model))?;
    table_notes(&table);
    if model.about.get("data_hash").and_then(Value::as_str) == Some(&hash) {
        say("note: the model was trained with this table; `nn train` measured it on rows that were held out then");
    }
    let (table, lost) = model.schema.with_targets(&table)?;
    notes(&lost);
    if table.is_empty() {
        let text = format!("{}: expected rows whose target is there, found none", input::name(&flags.file));
        return Err(Failure::new(text, "give rows with their targets; `nn predict` needs none"));
    }
    take_cells(&mut model.preprocess, &flags.cells, &table)?;
    let data: Dataset = model.preprocess.examples(&table)?;
    let Some(of) = &model.preprocess.output else { return Err(no_target().into()) };
    let outputs = model.net.predict(data.features());
    let score = score(&data, of, &outputs);
    if flags.json {
        output::write(|out| writeln!(out, "{}", score.json()))
    } else {
        output::write(|out| write!(out, "{}", score.table()))
    }
}

/// What becomes of cells that training would not take.
pub(crate) fn take_cells(preprocess: &mut Preprocess, cells: &CellFlags, table: &Table) -> Result<(), Failure> {
    if cells.missing == Missing::Error {
        preprocess.hold_filled(table)?;
    }
    if cells.unknown {
        preprocess.take_unknown_words();
    }
    notes(&preprocess.fills(table)?);
    Ok(())
}
