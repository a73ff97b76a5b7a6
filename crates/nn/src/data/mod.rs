//! Data: labelled examples, read from CSV, split, standardised, and dealt out in batches.

mod table;
mod dataset;
mod csv;
mod split;
mod standardise;
mod batches;

pub use batches::Batches;
pub use csv::{Csv, Reading};
pub use dataset::Dataset;
pub use standardise::Standardiser;
pub use table::{Cells, Column, Table};

/// Fisher's iris data: 150 flowers of three species, four measurements in centimetres each, with the label column
/// `species` (R. A. Fisher, "The use of multiple measurements in taxonomic problems", 1936; the numbers are those of
/// the paper, without the two misprints of the UCI copy).
pub const IRIS_CSV: &str = include_str!("../../data/iris.csv");
