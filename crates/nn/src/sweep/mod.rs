//! Many runs: settings by seeds by folds, on all cores.
//!
//! ```text
//! Space ─ grid, sample ─▶ List ─▶ Halving
//!                           └────────┴──▶ Search: ask ─▶ Sweep: runs on threads, journal ─▶ tell ─▶ … ─▶ Outcome: table, CSV, JSON
//! ```
//!
//! The function that makes a run is yours: it is given a [`Run`] (settings, seed, fold, budget), and gives a number or several
//! ([`Scores`]), which a [`Fitting`](crate::train::Fitting) or [`Fitted`](crate::train::Fitted) becomes, too. Runs do not wait for each
//! other but at the end of what a [`Search`] asks for at once, and what came of them is put in the order in which it was asked for: the
//! result has the same bits for any number of threads. With a [journal](Sweep::journal), a sweep that was killed goes on where it was:
//!
//! ```
//! use nn::sweep::{Halving, Space, Sweep};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = std::env::temp_dir().join(format!("nn-doc-sweep-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! let space = Space::new().log_uniform("rate", 1e-3, 1.0).integer("degree", 1, 4);
//! let sweep = Sweep { seeds: vec![0, 1], journal: Some(folder.join("sweep.jsonl")), ..Sweep::default() };
//! let halving = || space.sample(9, 0).map(|list| Halving::new(list, 1, 9));
//! let judge = |run: &nn::sweep::Run| Ok((run.settings.number("rate") - 0.1).abs() / f64::from(run.budget));
//! let outcome = sweep.run(halving()?, judge)?;
//!
//! // Once more: no run is made, as the journal has them all.
//! let again = sweep.run(halving()?, |_| -> Result<f64, _> { Err("there is nothing to do".into()) })?;
//! assert_eq!(again, outcome);
//!
//! // With other seeds it is another sweep.
//! let error = Sweep { seeds: vec![0, 1, 2], ..sweep }.run(halving()?, judge).unwrap_err();
//! assert!(error.to_string().ends_with("is of a sweep with other settings: `seeds` is `[0,1]` there, `[0,1,2]` here"));
//! # std::fs::remove_dir_all(folder)?;
//! # Ok(())
//! # }
//! ```
//!
//! Each run has one thread for itself. An engine built with the feature `threads` has large products on all cores besides, which gains
//! nothing here: leave it out.

mod settings;
mod space;
mod search;
mod run;
mod outcome;
mod table;
mod journal;
mod threads;
mod all;
#[cfg(test)]
mod tests;

pub use all::{Finished, Sweep};
pub use outcome::{Outcome, Ran, Tried};
pub use run::{Failed, Failure, Run, Scores};
pub use search::{Ask, Halving, List, Search};
pub use settings::Settings;
pub use space::{Range, Space};
