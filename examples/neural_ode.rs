//! A neural differential equation (Chen, Rubanova, Bettencourt and Duvenaud, 2018): a net is the speed of a point, and is learnt from
//! where the point was, through every step of the integration.
//!
//! `cargo run --release --example neural_ode`
//!
//! The integration, by the classical rule of Runge and Kutta, is a `scan`: one operation for all steps, whose gradient is a loop as well.

use autograd::{Scan, Tensor, Var};
use nn::optim::Lbfgs;
use nn::{Activation, Mlp};
use std::error::Error;

const STEP: f64 = 0.05;
const STEPS: usize = 120;
/// How many steps a piece of the path has that the net is trained on.
const PIECE: usize = 12;

/// Where points are after each of so many steps from `start`, `[n, 2]`: `[steps, n, 2]`.
fn path<'t>(start: Var<'t>, steps: usize, speed: impl Fn(Var<'t>) -> Var<'t>) -> Var<'t> {
    let (_, all) = Scan::steps(steps).run(start.tape(), &start, &(), |x, (), _| {
        let a = speed(x);
        let b = speed(x + a * (STEP / 2.0));
        let c = speed(x + b * (STEP / 2.0));
        let d = speed(x + c * STEP);
        let next = x + (a + b * 2.0 + c * 2.0 + d) * (STEP / 6.0);
        (next, next)
    });
    all
}

/// The speed that made the data, a spiral inward: `x³ A`.
fn spiral(x: Var<'_>) -> Var<'_> {
    x.pow_scalar(3.0).matmul(x.tape().var(&Tensor::from_rows([[-0.1, 2.0], [-2.0, -0.1]])))
}

/// The speed that a net says. It is given the cubes, as in the paper.
fn learnt<'t>(net: &Mlp<Var<'t>>, x: Var<'t>) -> Var<'t> {
    net.forward(x.pow_scalar(3.0))
}

fn main() -> Result<(), Box<dyn Error>> {
    let tape = autograd::Tape::new();
    let start = Tensor::from_rows([[2.0, 0.0]]);
    let whole = path(tape.var(&start), STEPS, spiral).value();

    // Pieces of the path, each from where it begins: `[pieces, 2]`, and where it goes: `[PIECE, pieces, 2]`.
    let pieces = (STEPS - 1) / PIECE;
    let at = |step: usize, k: usize| whole.as_slice()[2 * step + k];
    let begin = Tensor::from_fn([pieces, 2], |i| at(i / 2 * PIECE, i % 2));
    let targets = Tensor::from_fn([PIECE, pieces, 2], |i| at(i / 2 % pieces * PIECE + i / 2 / pieces + 1, i % 2));

    let mut net = Mlp::new(&[2, 16, 2], Activation::Tanh, 0);
    let mut lbfgs = Lbfgs { max_iterations: 1000, history: 50, ..Lbfgs::default() };
    let report = lbfgs.minimise(&mut net, |tape, net| {
        let found = path(tape.var(&begin), PIECE, |x| learnt(&net, x));
        (found - tape.var(&targets)).square().mean()
    });
    println!("{} evaluations: mean square of the distance {:.2e}", report.evaluations, report.last_loss);

    // The whole path from its first point, which no piece told.
    let tape = autograd::Tape::new();
    let net = tape.vars(&net);
    let found = path(tape.var(&start), STEPS, |x| learnt(&net, x)).value();
    let distance = |step: usize| (0..2).map(|k| found.as_slice()[2 * step + k] - at(step, k)).fold(0.0, f64::hypot);
    let most = (0..STEPS).map(distance).fold(0.0, f64::max);
    println!("{STEPS} steps from the first point: at most {most:.3} beside the path, whose size is 4");
    if most > 0.15 {
        return Err("the net should stay within 0.15 of the path".into());
    }
    Ok(())
}
