//! The order of sums: long sums are right in `f32` too, whatever they run over, and have the same bits in whatever way
//! they are computed.

mod drift;
mod levels;
mod replay;
