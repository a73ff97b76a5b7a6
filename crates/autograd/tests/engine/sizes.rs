//! Sizes that no tensor can have, options that no shape can follow, and memory that cannot be had: a value or an error by
//! name, the same in debug and release builds, never another panic, an abort, or a wrong number of elements.

mod rows;
mod memory;
mod absurd;
