//! Data: labelled examples, read from CSV, split, standardised, and dealt out in batches.

mod table;
mod target;
mod dataset;
mod batch;
mod csv;
mod parts;
mod split;
mod weights;
mod scale;
mod dates;
mod names;
mod cells;
mod notation;
mod seen;
mod doubts;
mod index;
mod schema;
mod infer;
mod said;
mod standardise;
mod preprocess;
mod batch_vars;
mod batches;
mod sequences;
#[cfg(feature = "ndarray-0_17")]
mod arrays;
pub mod synthetic;
pub(crate) mod array;
pub mod npy;
pub mod npz;
pub mod idx;

pub use array::{Array, Numbers};
pub use batch::{Batch, Source, Stream, empty_batch};
pub use batch_vars::{BatchVars, TargetVars};
pub use batches::{Batcher, Batches};
pub use csv::{Csv, Encoding, Reading, Rows};
pub use dataset::Dataset;
pub use dates::DateOrder;
pub use notation::Notation;
pub use parts::{By, Lone, Parts};
pub use preprocess::{Column as PreparedColumn, Fill, Map, Output, Preparing, Preprocess, Scaling};
pub use schema::{Field, Goal, Role, Schema, groups};
pub use sequences::{SequenceBatcher, Sequences};
pub use standardise::Standardiser;
pub use table::{Cells, Column, Table};
pub use target::Target;
pub use weights::balanced;

/// Fisher's iris data: 150 flowers of three species, four measurements in centimetres each, with the label column
/// `species` (R. A. Fisher, "The use of multiple measurements in taxonomic problems", 1936; the numbers are those of
/// the paper, without the two misprints of the UCI copy).
pub const IRIS_CSV: &str = include_str!("../../data/iris.csv");
