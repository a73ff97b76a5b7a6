//! What the crate promises to whoever uses it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod rows;
mod errors;
mod files;
mod events;
mod mutated_files;
mod layers;
mod data_cases;
mod measure;
mod csv_files;
mod mutated;
mod tables;
mod raw_tables;
mod quadratic;
mod second;
mod newton;
mod optimisers;
mod schema;
mod numpy;
mod hostile_data;
mod sweep;
