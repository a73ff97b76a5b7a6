//! A Kalman filter (1960) whose noise is learnt: a cart that is pushed at random is seen with an error, and how strong both are is
//! found by the likelihood of what was seen, differentiated through the filter.
//!
//! `cargo run --release --example kalman`
//!
//! The filter is a `scan` whose carry is a mean and a covariance; each step leaves the logarithm of how likely its observation was.

use autograd::{Tape, Tensor, Var, hessian};
use nn::generator;
use nn::optim::Lbfgs;
use rand_distr::{Distribution, StandardNormal};
use std::error::Error;
use std::f64::consts::TAU;

const STEP: f64 = 0.1;
const STEPS: usize = 2000;
/// The standard deviations that the data have: of the push in a unit of time, and of what is seen.
const TRUE: [f64; 2] = [0.5, 0.8];

/// What a cart with a place and a speed does in a step, and the covariance of pushes of a variance of 1.
fn model(tape: &Tape) -> (Var<'_>, Var<'_>) {
    let move_on = Tensor::from_rows([[1.0, STEP], [0.0, 1.0]]);
    let pushes = Tensor::from_rows([[STEP.powi(3) / 3.0, STEP.powi(2) / 2.0], [STEP.powi(2) / 2.0, STEP]]);
    (tape.var(&move_on), tape.var(&pushes))
}

/// Minus the mean logarithm of the likelihood of each observation `[steps]`, and the filtered places. What is learnt are the logarithms
/// of both standard deviations.
fn filter<'t>(logarithms: Var<'t>, seen: Var<'t>) -> (Var<'t>, Var<'t>) {
    let tape = seen.tape();
    let (move_on, pushes) = model(tape);
    let variances = (logarithms * 2.0).exp();
    let (push, error) = (variances.narrow(0, 0, 1), variances.narrow(0, 1, 1));
    let place = tape.var(&Tensor::from_rows([[1.0, 0.0]])); // what of the state is seen
    let start = (tape.full([2, 1], 0.0), tape.var(&Tensor::eye(2)) * 10.0);
    let (_, (losses, places)) = tape.scan(&start, &seen, |(mean, covariance), seen, _| {
        let mean = move_on.matmul(mean);
        let covariance = move_on.matmul(covariance).matmul(move_on.t()) + pushes * push;
        let surprise = seen - place.matmul(mean);
        let variance = place.matmul(covariance).matmul(place.t()) + error;
        let gain = covariance.matmul(place.t()) / variance;
        let loss = 0.5 * (surprise.square() / variance + (variance * TAU).log());
        let mean = mean + gain * surprise;
        let covariance = covariance - gain.matmul(place).matmul(covariance);
        ((mean, covariance), (loss, place.matmul(mean)))
    });
    (losses.mean(), places.reshape([seen.shape()[0]]))
}

fn main() -> Result<(), Box<dyn Error>> {
    let rng = &mut generator(0);
    let mut normal = || -> f64 { StandardNormal.sample(rng) };
    let (mut at, mut speed) = (0.0, 0.0);
    let (mut places, mut seen) = (Vec::new(), Vec::new());
    for _ in 0..STEPS {
        // Two numbers with the covariance of the pushes.
        let (a, b) = (normal() * STEP.sqrt() * TRUE[0], normal() * STEP.sqrt() * TRUE[0]);
        at += STEP * speed + STEP * (a / 2.0 + b / 12.0_f64.sqrt());
        speed += a;
        places.push(at);
        seen.push(at + normal() * TRUE[1]);
    }
    let seen = Tensor::from(seen);

    let mut logarithms = Tensor::from([0.0, 0.0]);
    let report = Lbfgs::default().minimise(&mut logarithms, |tape, logarithms| filter(logarithms, tape.var(&seen)).0);
    // The second derivatives of the likelihood tell how well both are known (Fisher, 1922).
    let tape = Tape::new();
    let (learnt, seen) = (tape.var(&logarithms), tape.var(&seen));
    let (loss, filtered) = filter(learnt, seen);
    let curvature = hessian(loss, learnt).value();
    let deviation = |k: usize| logarithms.as_slice()[k].exp();
    let uncertainty = |k: usize| deviation(k) / (curvature.at([k, k]) * STEPS as f64).sqrt();
    println!("{} evaluations of {STEPS} steps", report.evaluations);
    for (k, what) in ["pushes", "errors"].into_iter().enumerate() {
        println!("{what}: {:.3} ± {:.3} (the data were made with {})", deviation(k), uncertainty(k), TRUE[k]);
    }
    let distance = |of: &[f64]| {
        let squares = of.iter().zip(&places).skip(100).map(|(of, place)| (of - place).powi(2));
        (squares.sum::<f64>() / (STEPS - 100) as f64).sqrt()
    };
    let (raw, filtered) = (distance(seen.value().as_slice()), distance(filtered.value().as_slice()));
    println!("distance from the true places: {raw:.3} as seen, {filtered:.3} filtered");
    if (0..2).any(|k| (deviation(k) - TRUE[k]).abs() > 4.0 * uncertainty(k)) || filtered > 0.5 * raw {
        return Err("the deviations should be found, and the filter should halve the distance".into());
    }
    Ok(())
}
