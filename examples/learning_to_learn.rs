//! Learns how long steps must be, by the gradient through the steps: `cargo run --release --example learning_to_learn`
//!
//! Ten steps of descent minimise `½ Σ λ x²`, with curvatures from 0.01 to 1. A step is an expression like any other, so that the
//! loss after all ten has a gradient with respect to their rates, and another optimiser makes them better. On curvatures that
//! they have not seen, they leave less than the best single rate does, and than the rates that theory has for the worst case
//! (roots of a Chebyshev polynomial: Young, 1953).

use autograd::{Tape, Tensor, Var, grad};
use nn::optim::{Adam, Optimiser, Rule, Sgd};
use std::collections::BTreeMap;
use std::f64::consts::PI;

const STEPS: usize = 10;
const LEAST: f64 = 0.01;

/// `n` curvatures, evenly spread over the powers from 0.01 to 1, or between those of as many others.
fn curvatures(n: usize, offset: f64) -> Tensor {
    Tensor::from_fn([n], |i| LEAST.powf((i as f64 + offset) / n as f64))
}

/// The share of the loss that is left after a step of each rate, from ones on.
fn left<'t>(tape: &'t Tape, rates: Var<'t>, curvatures: &Tensor) -> Var<'t> {
    let curvatures = tape.var(curvatures);
    let loss = |x: Var<'t>| (curvatures * x.square()).sum() * 0.5;
    let (rule, none) = (Sgd::new(1.0), BTreeMap::new());
    let start = tape.full(curvatures.shape(), 1.0);
    let mut x = start;
    for step in 0..STEPS {
        let rate = rates.gather(0, &[step]).reshape([0; 0]);
        (x, _) = rule.update(&x, &grad(loss(x), &x), &none, rate);
    }
    loss(x) / loss(start)
}

fn main() {
    let (seen, unseen) = (curvatures(50, 0.5), curvatures(77, 0.3));
    let measure = |rates: &Tensor| {
        let tape = Tape::new();
        left(&tape, tape.var(rates), &unseen).item()
    };

    // One rate for all steps: the best of a hundred. It grows until the largest curvature is left the most.
    let single = (1..100).map(|i| measure(&Tensor::full([STEPS], 0.03 * f64::from(i)))).fold(f64::INFINITY, f64::min);
    // The best rates if only the range of the curvatures is known.
    let root = |step: usize| {
        let cosine = (PI * (step as f64 + 0.5) / STEPS as f64).cos();
        1.0 / (f64::midpoint(1.0, LEAST) + (1.0 - LEAST) / 2.0 * cosine)
    };
    let theory = measure(&Tensor::from_fn([STEPS], root));

    // What is learnt is the logarithm, so that rates stay above 0. Equal rates would have equal gradients, and stay equal.
    let mut logarithms = Tensor::from_fn([STEPS], |step| 0.1 * step as f64);
    let (mut adam, mut tape) = (Adam::new(0.03), Tape::new());
    for _ in 0..600 {
        let (_, gradient) =
            tape.value_and_grad(&logarithms, |tape, logarithms| left(tape, logarithms.exp(), &seen).log());
        adam.step(&mut logarithms, &gradient);
    }
    let rates = logarithms.map(f64::exp);
    let learnt = measure(&rates);

    println!("rates learnt: {:.2?}", rates.as_slice());
    println!("what {STEPS} steps leave of the loss, on curvatures not seen:");
    println!("  best single rate  {single:.5}");
    println!("  Chebyshev's rates {theory:.5}");
    println!("  learnt rates      {learnt:.5}");
    assert!(learnt < theory && learnt < single / 2.0, "nothing was learnt");
}
