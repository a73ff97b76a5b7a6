//! What the peers have in common: the problems, the check of their losses, the clock, and the closed form by hand.
//!
//! The workloads and the closed forms are the very files that `cargo bench` in the root workspace uses.

#[path = "../../../closed/mod.rs"]
mod closed;
#[expect(dead_code, reason = "losses are compared here, not gradients and parameters")]
#[path = "../../../contenders/mod.rs"]
mod contenders;

pub mod by_hand;
mod problem;
mod session;

pub use problem::{ELEMENTS, Gradient, Number, Problem, elements, problems};
pub use session::{CLOSED_FORM, Session};
