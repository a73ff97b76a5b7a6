#![doc = include_str!("../README.md")]

/// The same task in other engines: what it shows of this one is run, too.
#[doc = include_str!("../COMPARE.md")]
pub mod compare {}
