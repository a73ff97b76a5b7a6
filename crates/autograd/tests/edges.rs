//! The conventions at edge points, as tables that are run: `docs/CONVENTIONS.md` states the same rows.
//!
//! Each row is run in reverse and in forward mode, at order 2 in all four combinations of the modes, and with the
//! cotangents 1, 0, −2.5 and ∞.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[macro_use]
#[path = "edges/row.rs"]
mod row;
#[path = "edges/unary.rs"]
mod unary;
#[path = "edges/saturation.rs"]
mod saturation;
#[path = "edges/binary.rs"]
mod binary;
#[path = "edges/powers.rs"]
mod powers;
#[path = "edges/selections.rs"]
mod selections;
#[path = "edges/reductions.rs"]
mod reductions;
#[path = "edges/softmax.rs"]
mod softmax;
#[path = "edges/confident.rs"]
mod confident;
#[path = "edges/losses.rs"]
mod losses;
#[path = "edges/pooling.rs"]
mod pooling;
#[path = "edges/arrays.rs"]
mod arrays;
#[path = "edges/special.rs"]
mod special;
#[path = "edges/margins.rs"]
mod margins;
#[path = "edges/distances.rs"]
mod distances;
#[path = "edges/matrices.rs"]
mod matrices;
#[path = "edges/empty.rs"]
mod empty;
#[path = "edges/accuracy.rs"]
mod accuracy;
#[path = "edges/kinks.rs"]
mod kinks;
