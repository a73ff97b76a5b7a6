//! Which learning rate, width and activation? Settings by seeds by folds, on all cores, in a few seconds:
//!
//! ```sh
//! cargo run --release --example sweep
//! cargo run --release --example sweep -- sweep.jsonl   # killed or not, the next call goes on where this one was
//! ```
//!
//! First a grid, each of its settings to the end; then settings at random, of which a few epochs show which are worth more.

use nn::data::{Csv, IRIS_CSV, Standardiser};
use nn::sweep::{Failure, Finished, Halving, List, Run, Space, Sweep};
use nn::{Activation, Adam, Dataset, Fit, Mlp};
use std::io::{IsTerminal, stderr};
use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    match compare(std::env::args_os().nth(1).map(PathBuf::from)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(journal: Option<PathBuf>) -> Result<(), nn::Error> {
    let iris = Csv::new("species").parse("iris.csv", IRIS_CSV)?;

    let sweep = Sweep { seeds: vec![0, 1], folds: 3, ..Sweep::default() };
    let grid = Space::new().choice("rate", [0.1, 0.01, 0.001]).choice("width", [4, 16]).choice("activation", ["Tanh"]);
    let outcome = sweep.run(List { budget: 30, ..grid.grid()? }, |run| judge(run, &iris))?;
    println!("A grid:\n{outcome}");

    let space = Space::new()
        .log_uniform("rate", 1e-4, 1.0)
        .integer("width", 2, 32)
        .choice("activation", ["Tanh", "Relu", "Silu"]);
    let halving = Halving::new(space.sample(18, 0)?, 4, 36);
    let sweep = Sweep { journal, ..sweep };
    let told = |now: Finished| {
        if stderr().is_terminal() {
            eprint!("\r{} of {} runs ", now.done, now.asked);
        }
    };
    let outcome = sweep.run_with(halving, |run| judge(run, &iris), told)?;
    println!("\nAt random, with more epochs for the best:\n{outcome:.8}");
    Ok(())
}

/// Trains a net with these settings, for as many epochs as it may; its loss on the fold that is held out.
fn judge(run: &Run<'_>, data: &Dataset) -> Result<[(&'static str, f64); 2], Failure> {
    let (train, test) = run.split(data)?;
    let scale = Standardiser::fit(&train);
    let (train, test) = (scale.apply(&train), scale.apply(&test));

    let activation: Activation = run.settings.read("activation");
    let mut net = Mlp::new(&[4, run.settings.count("width"), 3], activation, run.seed);
    let mut adam = Adam::new(run.settings.number("rate"));
    let fit = Fit { epochs: run.budget, seed: run.seed, held_out: 0.0, ..Fit::default() };
    fit.by(&mut net, &mut adam, &train, |net, batch| batch.loss(net.forward(batch.features)), |_| run.goes_on())?;

    let scores = net.predict(test.features());
    let tape = autograd::Tape::new();
    let loss = tape.var(&scores).cross_entropy(test.labels()).item();
    Ok([("loss", loss), ("accuracy", nn::accuracy(&scores, test.labels()))])
}
