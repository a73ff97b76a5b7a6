//! Regression that knows how sure it is: one net tells a mean and a variance for each row (by the Gaussian likelihood), another three
//! quantiles (by the pinball loss). How many new points lie within each 90 % interval is told in the last lines.
//!
//! `cargo run --release --example uncertainty`

use autograd::{GaussianNll, Reduction, Tensor};
use nn::data::Target;
use nn::losses::pinball;
use nn::train::{Fit, fit};
use nn::{Activation, Dataset, Error, Mlp, generator};
use rand::RngExt;

/// The quantiles: an interval of 90 %, and the middle.
const SHARES: [f64; 3] = [0.05, 0.5, 0.95];

/// A wave whose noise grows from left to right.
fn wave(rows: usize, seed: u64) -> Dataset {
    let rng = &mut generator(seed);
    let x: Vec<f64> = (0..rows).map(|_| rng.random_range(-1.0..1.0)).collect();
    let noise = |x: f64| 0.05 + 0.25 * (x + 1.0);
    let y: Vec<f64> =
        x.iter().map(|&x| (3.0 * x).sin() + noise(x) * rng.sample::<f64, _>(rand_distr::StandardNormal)).collect();
    Dataset::with(Tensor::new([rows, 1], x), Target::value("y", &y))
}

fn main() -> Result<(), Error> {
    let (data, new) = (wave(1000, 0), wave(2000, 1));
    let truth = |row: usize| match new.target() {
        Target::Values { values, .. } => values.as_slice()[row],
        Target::Classes { .. } | Target::Labels { .. } => f64::NAN,
    };

    let mut normal = Mlp::new(&[1, 32, 2], Activation::Tanh, 0);
    fit(&mut normal, &data, |net, batch| {
        let outputs = net.forward(batch.features);
        let [mean, log_variance] = [0, 1].map(|k| outputs.narrow(1, k, 1));
        let options = GaussianNll { reduction: Reduction::None, ..GaussianNll::default() };
        batch.mean(mean.gaussian_nll(batch.values(), log_variance.exp(), &options))
    })?;

    let mut quantiles = Mlp::new(&[1, 32, 3], Activation::Tanh, 0);
    let fit = Fit { epochs: 400, all_at_once: 0, ..Fit::default() }; // kinks are for Adam
    fit.by(
        &mut quantiles,
        &mut nn::Adam::new(5e-3),
        &data,
        |net, batch| batch.mean(pinball(net.forward(batch.features), batch.values(), &SHARES)),
        |_| (),
    )?;

    let normals = normal.predict(new.features());
    let three = quantiles.predict(new.features());
    println!("     x  mean ± 1.64 deviations    quantiles 5 %, 50 %, 95 %");
    for row in 0..6 {
        let (mean, deviation) = (normals.at([row, 0]), (0.5 * normals.at([row, 1])).exp());
        let [low, middle, high] = [0, 1, 2].map(|k| three.at([row, k]));
        let x = new.features().at([row, 0]);
        println!("{x:6.2}  {mean:6.2} ± {:.2}             {low:6.2} {middle:6.2} {high:6.2}", 1.64 * deviation);
    }
    let inside = |low: &dyn Fn(usize) -> f64, high: &dyn Fn(usize) -> f64| {
        (0..new.len()).filter(|&row| low(row) < truth(row) && truth(row) < high(row)).count() as f64 / new.len() as f64
    };
    let end = |row: usize, sign: f64| normals.at([row, 0]) + sign * 1.645 * (0.5 * normals.at([row, 1])).exp();
    println!(
        "within the interval of the normal distribution: {:.1} %",
        100.0 * inside(&|i| end(i, -1.0), &|i| end(i, 1.0))
    );
    println!(
        "within the interval of the quantiles: {:.1} %",
        100.0 * inside(&|i| three.at([i, 0]), &|i| three.at([i, 2]))
    );
    Ok(())
}
