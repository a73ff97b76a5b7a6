//! What a long tape and a long program cost for each operation: recording, replaying, and steps on a tape.
//!
//! `cargo run --release --example long [-- SIZE ...]`; sizes are numbers of scalar operations.

use autograd::{Program, ProgramError, Tape, Tensor, Var, grad};
use std::time::Instant;

/// So many scalar operations, each on the one before.
fn expression(x: Var<'_>, operations: usize) -> Var<'_> {
    let mut y = x;
    for _ in 0..operations / 3 {
        y = (y * x).sin() + 0.5;
    }
    y
}

/// The shortest time of several, in nanoseconds for each operation. A long step that repeats becomes a program only after some thirty.
fn shortest(operations: usize, mut f: impl FnMut()) -> f64 {
    let times = (0..(2_000_000 / operations).clamp(40, 1000)).map(|_| {
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min) * 1e9 / operations as f64
}

fn main() -> Result<(), ProgramError> {
    let sizes: Vec<usize> = std::env::args().skip(1).filter_map(|size| size.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![1_000, 10_000, 100_000, 1_000_000] } else { sizes };
    println!("nanoseconds for each scalar operation of an expression, with its gradient");
    println!("{:>10} {:>10} {:>10} {:>10}", "operations", "recording", "replay", "on a tape");
    for operations in sizes {
        let start = Instant::now();
        let at = Tensor::scalar(0.3);
        let mut program = Program::record(&(), &at, |_, (), x| {
            let y = expression(x, operations);
            (vec![], vec![y, grad(y, &x)])
        })?;
        let recording = start.elapsed().as_secs_f64() * 1e9 / operations as f64;
        let mut results = Ok(());
        let replay = shortest(operations, || results = program.run(&at).map(|_| ()));
        results?;
        let mut tape = Tape::new();
        let eager = shortest(operations, || {
            tape.clear();
            let x = tape.scalar(0.3);
            let y = expression(x, operations);
            tape.values(&(y, grad(y, &x)));
        });
        println!("{operations:>10} {recording:>10.0} {replay:>10.1} {eager:>10.1}");
    }
    Ok(())
}
