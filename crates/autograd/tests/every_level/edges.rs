//! The conventions at edge points, as tables that are run: `docs/CONVENTIONS.md` states the same rows.
//!
//! Each row is run in reverse and in forward mode, at order 2 in all four combinations of the modes, and with the
//! cotangents 1, 0, −2.5 and ∞.

#[macro_use]
mod row;
mod unary;
mod saturation;
mod binary;
mod powers;
mod selections;
mod reductions;
mod softmax;
mod confident;
mod losses;
mod pooling;
mod arrays;
mod special;
mod composites;
mod margins;
mod distances;
mod matrices;
mod empty;
mod accuracy;
mod kinks;
mod references;
