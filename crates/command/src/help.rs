//! What to do about an error of data or files.

use nn::{Error, Fault, Kind, shown};
use std::io::ErrorKind;

/// What to do about it.
#[expect(clippy::wildcard_enum_match_arm, reason = "what is not listed has no advice of its own")]
pub(crate) fn of(error: &Error) -> String {
    match &error.kind {
        Kind::Unreadable(error) => unreadable(error),
        Kind::Stored(fault) => stored(fault),
        Kind::Encoding => "say how it is written, such as `--encoding windows-1252` or `--encoding latin1`".into(),
        Kind::NotText { found } if found.contains("UTF-16") => {
            "`--encoding utf-16le` reads it (or `utf-16be`), or save it as UTF-8".into()
        }
        Kind::NotText { found } if found.contains("safetensors") => {
            "give a table here, such as a CSV file; a model goes behind `--model`".into()
        }
        Kind::NotText { .. } => "unpack it, or export it as CSV".into(),
        Kind::Empty | Kind::NoRows => {
            "give a table: a line with the names of the columns, then a line for each row".into()
        }
        Kind::NoColumn { closest: Some(near), .. } => {
            format!("write `{}` if that is meant; columns are found by their names, in any order", shown(near))
        }
        Kind::NoColumn { name, .. } if !name.starts_with("column_") => {
            "name one of the columns that are there; is it a file of other data? \
             (where the first line is a row, `--header false`; other separators: `--delimiter`)"
                .into()
        }
        Kind::NoColumn { .. } | Kind::NoFeatures | Kind::LabelColumn { .. } | Kind::ColumnName { .. } => {
            "name one of the columns that are there".into()
        }
        Kind::Ragged { .. } => {
            "mend this row, or say what separates fields, such as `--delimiter ';'` or `--delimiter tab`".into()
        }
        Kind::Separator { .. } => "say what separates fields, such as `--delimiter ';'`".into(),
        Kind::NotANumber { .. } => {
            "mend the cell, or say what stands for a missing one, such as `--missing-mark '-'`; \
             if the column holds words, `--as NAME=category`"
                .into()
        }
        Kind::NotFinite { .. } | Kind::Control { .. } | Kind::LineBreak { .. } => "mend the cell".into(),
        Kind::UnclosedQuote | Kind::AfterQuote { .. } => "close the quote, or double quotes within a field".into(),
        Kind::Missing { .. } => "fill the cell, or leave the row out".into(),
        Kind::Nameless | Kind::NameTwice { .. } => {
            "give each column a name of its own; where the first line is a row, `--header false`".into()
        }
        Kind::Class { .. } | Kind::Spelling { .. } => "write each class one way".into(),
        Kind::Measured { .. } | Kind::Label { .. } => "mend the cell, or train with rows that have this class".into(),
        Kind::Ambiguous { .. } => {
            "`--decimal-comma=true` if 1,5 is one and a half, `--decimal-comma=false` if commas stand between thousands"
                .into()
        }
        Kind::Cell { expected, found, .. } => cell(expected, found.as_deref()),
        Kind::Data(text) => data(text),
        Kind::Diverged(_) => {
            "look for values that are far too large; `--net linear` or a larger `--penalty` may help".into()
        }
        _ => "`nn --help` tells how it is used".into(),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what is not listed has no advice of its own")]
fn unreadable(error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "check the path: it is looked up from the folder in which the command runs",
        ErrorKind::IsADirectory => "give a file; a folder is one only behind `--model` and `--out`",
        ErrorKind::PermissionDenied => "ask for the right to read it, or copy it to where you may",
        _ => "check that it is a file, and whole",
    }
    .to_owned()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what is not listed has no advice of its own")]
fn stored(fault: &Fault) -> String {
    match fault {
        Fault::Unwritable(error) => match error.kind() {
            ErrorKind::StorageFull | ErrorKind::FileTooLarge | ErrorKind::QuotaExceeded => {
                "make room, or write elsewhere; files that were there before are as they were"
            }
            ErrorKind::NotFound => "make the folder first, or write elsewhere",
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
                "write to where you may, such as with `--out`"
            }
            _ => "write elsewhere; files that were there before are as they were",
        }
        .to_owned(),
        Fault::Foreign { .. } | Fault::Mismatch(_) | Fault::Value { .. } | Fault::Unsupported(_) => {
            "give the folder that `nn train` leaves, or the `model.safetensors` in it".to_owned()
        }
        Fault::TooNew { .. } => "take a newer `nn`".to_owned(),
        Fault::Damaged(_) => {
            "give the folder that `nn train` leaves, or train again with `--settings FOLDER/settings.toml`".to_owned()
        }
        _ => "give the folder that `nn train` leaves".to_owned(),
    }
}

fn cell(expected: &str, found: Option<&str>) -> String {
    match found {
        None if expected.contains("target") => "give the target of some rows at least".into(),
        None if expected.contains("weight") => "fill the cell, or leave the row out".into(),
        None => "fill the cell, or let something stand for missing cells: `--missing fill`".into(),
        Some(_) if expected.contains("known word") => {
            "mend the word, or predict such rows as if they had none: `--unknown`".into()
        }
        Some(_) if expected.starts_with("classes") => {
            "name another target; rows are learnt from where several have one class".into()
        }
        Some(_) if expected.contains("class") => "mend the cell, or train with rows that have this class".into(),
        Some(_) if expected.starts_with("a number in `") => {
            "bring the cell to this unit; if the column holds words, train with `--as NAME=category`".into()
        }
        Some(_) if expected.contains("number") => {
            "mend the cell, or say what stands for a missing one, such as `--missing-mark '-'`; \
             if the column holds words, train with `--as NAME=category`"
                .into()
        }
        Some(_) => "mend the cell, or train with the column taken for something else: `--as NAME=KIND`".into(),
    }
}

fn data(text: &str) -> String {
    for (part, help) in [
        (
            "the same in all rows",
            "give rows of two classes or values at least; of few rows hold none out: `--held-out 0`",
        ),
        ("nothing would be", "give more rows, or hold none out: `--held-out 0`"),
        ("hold out less", "give more rows, or hold fewer out: `--held-out 0.1`, or none: `--held-out 0`"),
        ("cannot be divided", "give more rows, or hold none out: `--held-out 0`"),
        ("the weights of all rows are 0", "give weights above 0, or `--as NAME=ignored`"),
        ("no finite loss", "look for values that are far too large, or leave their columns out: `--ignore NAME`"),
        ("no column to learn from", "keep a column beside the target; a column is taken up by `--as NAME=number`"),
        ("cannot be taken for", "write it as `--as NAME=KIND` with one of these kinds"),
        ("both a target and left out", "take it away from `--target` or `--ignore`"),
        ("named twice", "name each target once"),
        ("needs 1 row", "give rows whose target is there"),
        ("of less than", "close the quote, or give a table with line ends"),
    ] {
        if text.contains(part) {
            return help.to_owned();
        }
    }
    "`nn train --help` tells how columns and rows are chosen".to_owned()
}
