//! Trains a net on images of handwritten digits, 8 x 8 pixels, and tells how many of a third that it never saw it names rightly: the
//! last line is the percentage.
//!
//! `cargo run --release --example digits [-- --seed 1]`

use clap::Parser;
use nn::data::{Csv, Standardiser};
use nn::{Activation, Adam, Dataset, Error, Mlp, Trainer, accuracy};
use std::process::ExitCode;

const DIGITS_CSV: &str = include_str!("../crates/nn/data/digits.csv");

/// Train a net on handwritten digits.
#[derive(Parser)]
struct Options {
    /// Decides which images are held out, the initial weights and the order of the images.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How often each image is seen.
    #[arg(long, default_value_t = 60)]
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
    let scale = Standardiser::fit(&train);
    let (train, test) = (scale.apply(&train), scale.apply(&test));

    let mut net = Mlp::new(&[data.width(), 128, 10], Activation::Gelu, options.seed);
    let mut adam = Adam::adam_w(2e-3);
    adam.weight_decay = 0.1;
    let mut trainer = Trainer::new(64, options.seed);
    for epoch in 1..=options.epochs {
        // The rate falls along half a cosine, so that the last steps are small ones.
        let done = f64::from(epoch - 1) / f64::from(options.epochs);
        adam.rate = 1e-3 * (1.0 + (std::f64::consts::PI * done).cos());
        let loss = trainer.epoch(&mut net, &mut adam, &train, |net, x, labels| net.forward(x).cross_entropy(labels))?;
        if epoch % 10 == 0 {
            println!("epoch {epoch:3}: loss {loss:.4}");
        }
    }
    Ok(accuracy(&net.predict(test.features()), test.labels()))
}
