//! Trains the toy network of CS231n to a loss below 0.02 by gradient descent on the full batch, and checks the
//! derivation of its gradients line by line. Shows the scores and the loss that the assignment publishes beside its own.
//! Fails where a digit differs, a line does not hold or the loss stays above.
//!
//! ```sh
//! cargo run --release --example toy
//! cargo run --release --example toy -- --steps 1000 --activation tanh
//! ```

use autograd::{Tape, Tensor};
use clap::Parser;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use softmax_net::printed::Printed;
use softmax_net::published::Published;
use softmax_net::{Activation, Error, Toy, derivation};
use std::io::{IsTerminal, Write};
use std::process::ExitCode;

/// The loss that training has to come below, as in the assignment.
const GOAL: f64 = 0.02;

/// Train the toy network of CS231n and check the derivation of its gradients.
#[derive(Parser)]
struct Options {
    /// Steps of gradient descent.
    #[arg(long, default_value_t = 100)]
    steps: u64,
    /// Learning rate.
    #[arg(long, default_value_t = 0.1)]
    rate: f64,
    /// Factor of the penalty ΣW1² + ΣW2².
    #[arg(long, default_value_t = 0.5e-5)]
    strength: f64,
    /// Activation of the hidden layer: identity, relu, tanh or sigmoid.
    #[arg(long, default_value_t)]
    activation: Activation,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether the published digits are ours, the loss came below the goal and every line of the derivation holds.
fn run(options: &Options) -> Result<bool, Box<dyn std::error::Error>> {
    let published = Published::embedded();
    let printed = Printed::compute(&published)?;
    let Published { net, x, labels, .. } = published;
    let mut net = Toy { f: options.activation, ..net };
    let report = derivation::check(&net, &x, &labels)?;

    let (before, after) = train(&mut net, &x, &labels, options)?;
    let reached = after < GOAL;
    let Options { steps, rate, strength, activation } = options;
    let verdict = if reached { "below" } else { "NOT below" };
    // A reader that has seen enough, such as `head`, closes the pipe: an error to report, not a panic.
    let mut out = std::io::stdout().lock();
    writeln!(out, "The published network, f = relu, penalty 0.05 · (ΣW1² + ΣW2²):\n{printed}\n")?;
    writeln!(out, "Training, f = {activation}, penalty {strength} · (ΣW1² + ΣW2²):")?;
    writeln!(out, "loss before {before:.6}")?;
    writeln!(out, "loss after  {after:.6} ({steps} steps at rate {rate}), {verdict} {GOAL}")?;
    writeln!(out, "predictions {:?}", net.predict(&x)?)?;
    writeln!(out, "labels      {labels:?}")?;
    writeln!(out, "\nThe derivation at the published parameters, f = {activation}:\n{report}")?;
    Ok(printed.agrees() && reached && report.passed())
}

/// Descends and returns the loss before and after, with its penalty.
fn train(net: &mut Toy<Tensor>, x: &Tensor, labels: &[usize], options: &Options) -> Result<(f64, f64), Error> {
    let mut tape = Tape::new();
    let mut loss_and_gradient = |net: &Toy<Tensor>| net.loss_and_gradient(&mut tape, x, labels, options.strength);
    let (before, mut gradient) = loss_and_gradient(net)?;
    let mut loss = before;
    let bar = progress(options.steps);
    for _ in 0..options.steps {
        net.descend(&gradient, options.rate);
        (loss, gradient) = loss_and_gradient(net)?;
        bar.set_message(format!("loss {loss:.6}"));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok((before, loss))
}

/// A bar on a terminal, nothing where the output goes to a file or another program.
fn progress(steps: u64) -> ProgressBar {
    let seen = std::io::stdout().is_terminal() && std::io::stderr().is_terminal();
    let target = if seen { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}").expect("the template is well-formed");
    ProgressBar::with_draw_target(Some(steps), target).with_style(style)
}
