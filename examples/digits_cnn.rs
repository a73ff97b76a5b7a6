//! Trains a convolutional net on images of handwritten digits, 8 x 8 pixels, and tells how many of a third that it never saw it names rightly:
//! the last line is the percentage.
//!
//! `cargo run --release --example digits_cnn [-- --seed 1]`

use clap::Parser;
use nn::data::{Batcher, Csv};
use nn::layers::{BatchNorm, Conv2d, Dropout, Layer, Sequential, Window};
use nn::optim::{OneCycle, Schedule, Scheduler};
use nn::train::Learner;
use nn::{Activation, Adam, Dataset, Error, Init, Linear, accuracy, generator};
use std::process::ExitCode;

const DIGITS_CSV: &str = include_str!("../crates/nn/data/digits.csv");

/// Train a convolutional net on handwritten digits.
#[derive(Parser)]
struct Options {
    /// Decides which images are held out, the initial weights, the order of the images and the noise.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How often each image is seen.
    #[arg(long, default_value_t = 20)]
    epochs: u32,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(accuracy) => {
            println!("{:.2}", 100.0 * accuracy);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<f64, Error> {
    let data: Dataset<f32> = Csv::new("digit").parse("digits.csv", DIGITS_CSV)?;
    let (train, test) = data.split_stratified(1.0 / 3.0, options.seed);

    let rng = &mut generator(options.seed);
    let net: Sequential<_> = Sequential::new([
        Layer::Reshape(vec![1, 8, 8]),
        Conv2d::new([1, 32], [3, 3], rng).same().into(),
        BatchNorm::new(32).into(),
        Activation::Relu.into(),
        Conv2d::new([32, 32], [3, 3], rng).same().into(),
        BatchNorm::new(32).into(),
        Activation::Relu.into(),
        Layer::MaxPool(Window::new([2, 2])),
        Conv2d::new([32, 64], [3, 3], rng).same().into(),
        BatchNorm::new(64).into(),
        Activation::Relu.into(),
        Layer::MaxPool(Window::new([2, 2])),
        Layer::Flatten,
        Dropout::new(0.3).into(),
        Linear::new([64 * 4, 10], Init::KaimingNormal { gain: 1.0 }, rng).into(),
    ]);

    let mut batches = Batcher::new(&train, 64, options.seed);
    batches.drop_last = true;
    let adam = Adam::adam_w(0.0);
    let cycle = OneCycle::new(5e-3, options.epochs * batches.batches() as u32);
    let mut scheduler = Scheduler::of(Schedule::OneCycle(cycle), &adam);
    let mut learner =
        Learner::new(net, adam, |net, batch| batch.loss(net.forward(batch.features / 16.0, &batch.context)));
    learner.seed = options.seed;
    for epoch in 0..options.epochs {
        let loss = learner.epoch_with(&mut batches, epoch, |rule| {
            scheduler.apply(rule);
            scheduler.step();
        })?;
        if (epoch + 1) % 5 == 0 {
            println!("epoch {:3}: loss {loss:.4}", epoch + 1);
        }
    }
    let pixels = test.features().map(|pixel| pixel / 16.0);
    Ok(accuracy(&learner.net().predict(&pixels), test.labels()))
}
