//! Random programs with checkpoints, branches, custom operations, derivatives inside and scans of steps: a fresh tape, a
//! tape that is used again and again, a `Program` and `Programs` give the same bits, and the values and derivatives are
//! those of a reference that shares no code with the engine: dual numbers whose parts are dual numbers.
//!
//! Runs for seconds in CI, and by hand as long as one likes:
//!
//! ```sh
//! AUTOGRAD_FUZZ_CASES=100000 AUTOGRAD_FUZZ_SEED=1 cargo test --release -p autograd --test every_level random_programs
//! ```
//!
//! A failing seed is told with what the wrong result depends on and with its whole program; the same seed with
//! `AUTOGRAD_FUZZ_CASES=1` runs it alone. `AUTOGRAD_FUZZ_WITHOUT='Implicit holds'` leaves out programs that have one of
//! these words in their listing.

mod program;
mod draw;
mod dual;
mod reference;
mod operations;
mod engine;
mod modes;

use program::Program;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Tries the programs of this many seeds, and tells which of them fail.
fn hold(cases: u64, test: impl Fn(&Program)) {
    let without = std::env::var("AUTOGRAD_FUZZ_WITHOUT").unwrap_or_default();
    let mut failing = Vec::new();
    for seed in crate::random::seeds(cases) {
        let program = Program::random(seed);
        let listing = program.to_string();
        if without.split_whitespace().any(|word| listing.contains(word)) {
            continue;
        }
        // The panic has told the program already.
        if catch_unwind(AssertUnwindSafe(|| test(&program))).is_err() {
            eprintln!("seed {seed} fails, the whole program is\n{listing}");
            failing.push(seed);
        }
    }
    assert!(failing.is_empty(), "{} seeds fail: {failing:?}", failing.len());
}

#[test]
fn values_and_derivatives_are_those_of_the_reference() {
    hold(150, modes::agrees_with_the_reference);
}

#[test]
fn fresh_and_repeating_tapes_and_programs_give_the_same_bits_in_f64() {
    hold(100, modes::agree::<f64>);
}

#[test]
fn fresh_and_repeating_tapes_and_programs_give_the_same_bits_in_f32() {
    hold(60, modes::agree::<f32>);
}

#[test]
fn random_programs_have_all_that_they_are_to_test() {
    let programs: String = (0..150).map(|seed| Program::random(seed).to_string()).collect();
    let parts = [
        "checkpoint",
        "no_grad",
        "stop_gradient",
        "holds",
        "Cube",
        "Mixed",
        "ByItsOwnGradient",
        "Implicit",
        "grad(",
        "vjp(",
        "jvp(",
        "hvp(",
        "jacobian(",
        "of scan(",
    ];
    for part in parts {
        assert!(programs.matches(part).count() >= 5, "{part}");
    }
}
