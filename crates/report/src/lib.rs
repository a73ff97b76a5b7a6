//! A report of a trained net: one HTML file, without scripts and without a network, that tells what the net is worth.
//!
//! In this order: how often it is right, with an interval; what was trained; curves; which class is taken for which, or predicted and
//! measured values; the ten worst examples with their rows; whether probabilities come true; what it looks at; what it says over a plane of two
//! features; weights and gradients of each layer; the tape as a graph; the derivation of its last layer, by closed form, tape and
//! differences; how to repeat it. Each picture has a sentence before it and its numbers behind it. While a net is trained there is
//! [`Live`].
//!
//! ```
//! use nn::data::{IRIS_CSV, Preparing, Preprocess, Schema, Table};
//! use nn::file::Model;
//! use nn::{Activation, Mlp};
//! use report::{Exposure, Report};
//! # fn main() -> Result<(), nn::Error> {
//! let table = Table::parse("iris.csv", IRIS_CSV)?;
//! let schema = Schema::infer(&table, &["species"], &[])?;
//! let preprocess = Preprocess::fit(&table, &schema, Preparing::default())?;
//! let net = Mlp::new(&[4, 5, 3], Activation::Tanh, 0); // not trained here
//! let model = Model::new(schema, preprocess, net);
//!
//! let report = Report { rows: Exposure::Seen, repeat: vec!["nn train iris.csv --target species".into()], ..Report::new(&model, &table) };
//! let html = report.html()?;
//! assert!(html.contains("The net is right on") && html.len() < 500_000);
//! # picture::well_formed(html.trim_start_matches("<!DOCTYPE html>\n")).unwrap();
//! # Ok(())
//! # }
//! ```

mod page;
mod seen;
mod verdict;
mod trained;
mod curves;
mod quality;
mod worst;
mod importance;
mod plane;
mod layers;
mod recording;
mod tape;
mod derivation;
mod live;

pub use live::Live;
pub use recording::{RecordedNode, Recording};

use nn::Error;
use nn::data::Table;
use nn::file::Model;
use nn::train::History;
use page::Page;
use picture::count;
use seen::Seen;

/// Whether training has seen the rows that a report is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Exposure {
    /// It has not: the result is what new rows may expect.
    HeldOut,
    /// It has: the result is too good for new rows.
    Seen,
    /// Nobody knows.
    #[default]
    Unknown,
}

/// All that a report is made of.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// What stands above all.
    pub title: String,
    /// The model.
    pub model: &'a Model,
    /// Rows as they come from a file, with their targets; those without are left out.
    pub table: &'a Table,
    /// Whether training has seen them.
    pub rows: Exposure,
    /// How it was trained.
    pub history: Option<&'a History>,
    /// What was said to training, each with its name, as the seed, the versions and the hash of the data.
    pub settings: Vec<(String, String)>,
    /// Lines that repeat all of it.
    pub repeat: Vec<String>,
}

impl<'a> Report<'a> {
    /// A report of a model on rows of which nothing more is known.
    pub fn new(model: &'a Model, table: &'a Table) -> Self {
        let target = model.preprocess.output.as_ref().map_or(&[][..], |output| output.columns());
        let title = match target {
            [] => "A net".to_owned(),
            [one] => format!("Predicting {one}"),
            [first, rest @ ..] => format!("Predicting {first} and {} more", rest.len()),
        };
        Self { title, model, table, rows: Exposure::Unknown, history: None, settings: Vec::new(), repeat: Vec::new() }
    }

    /// The file, of 500 KB at most. The same report has the same bytes, wherever and whenever it is made.
    ///
    /// # Errors
    /// Where a column of the model is not in the table, a cell is not what its column holds, or no row has a target.
    pub fn html(&self) -> Result<String, Error> {
        if self.model.preprocess.output.is_none() {
            return Err(fault("there is no target to measure by"));
        }
        let seen = Seen::of(self.model, self.table)?;
        if seen.len() == 0 {
            return Err(fault("a report needs rows whose target is there, there are none"));
        }
        let mut page = Page::new(&picture_title(&self.title));
        verdict::write(&mut page, &seen, self.rows);
        trained::write(&mut page, &seen, self);
        curves::write(&mut page, self.history);
        quality::matrix(&mut page, &seen);
        worst::write(&mut page, &seen);
        quality::calibration(&mut page, &seen);
        let order = importance::write(&mut page, &seen);
        plane::write(&mut page, &seen, &order);
        layers::write(&mut page, &seen, self.history);
        tape::write(&mut page, &seen);
        derivation::write(&mut page, &seen);
        page.section("How to repeat it");
        if self.repeat.is_empty() {
            page.says("The lines that led here were not told to this report.");
        } else {
            page.says("The same data, settings and seed give the same bits:");
            page.code(&self.repeat);
        }
        Ok(page.html("Made without scripts and without a network; pictures and numbers are in this file."))
    }
}

/// A title of a moderate length.
fn picture_title(title: &str) -> String {
    if title.chars().count() <= 200 {
        title.to_owned()
    } else {
        format!("{}…", title.chars().take(200).collect::<String>())
    }
}

fn fault(text: &str) -> Error {
    Error { file: String::new(), line: None, column: None, kind: nn::Kind::Data(text.to_owned()) }
}

/// The beginning of a text that came from outside.
fn short(text: &str) -> String {
    if text.chars().count() <= 60 {
        text.to_owned()
    } else {
        format!("{}…", text.chars().take(60).collect::<String>())
    }
}

#[cfg(test)]
mod tests;
