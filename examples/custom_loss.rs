//! A loss of one's own: mistakes cost differently, so what is made small is the expected cost, `Σ p_c · cost[truth][c]`. Here an 8 rings an
//! alarm, and a false alarm costs ten times as much as any other mistake.
//!
//! `cargo run --release --example custom_loss`

use autograd::Tensor;
use nn::data::{Csv, Standardiser};
use nn::measure::Confusion;
use nn::train::Fit;
use nn::{Activation, Adam, Dataset, Error, Mlp, classes};

const DIGITS_CSV: &str = include_str!("../crates/nn/data/digits.csv");

/// What it costs to take an image of one digit for another.
fn cost(truth: usize, guess: usize) -> f32 {
    match (truth, guess) {
        (truth, guess) if truth == guess => 0.0,
        (_, 8) => 10.0,
        _ => 1.0,
    }
}

fn main() -> Result<(), Error> {
    let digits: Dataset<f32> = Csv::new("digit").parse("digits.csv", DIGITS_CSV)?;
    let (train, test) = digits.split_stratified(0.5, 0);
    let scale = Standardiser::fit(&train);
    let (train, test) = (scale.apply(&train), scale.apply(&test));
    let costs = Tensor::from_fn([10, 10], |i| cost(i / 10, i % 10));

    let fit = Fit { batch_size: 64, ..Fit::default() };
    let mut net = Mlp::new(&[64, 32, 10], Activation::Relu, 0);
    fit.by(&mut net, &mut Adam::new(2e-3), &train, |net, batch| batch.loss(net.forward(batch.features)), |_| ())?;
    tell("cross-entropy", &net, &test);

    // From there on, since the cost of a class that is never named has no slope.
    fit.by(
        &mut net,
        &mut Adam::new(1e-3),
        &train,
        move |net, batch| {
            let probabilities = net.forward(batch.features).softmax(1);
            let row = probabilities.tape().var(&costs).gather(0, &batch.labels());
            batch.mean((probabilities * row).sum_axes(1))
        },
        |_| (),
    )?;
    tell("expected cost", &net, &test);
    Ok(())
}

fn tell(name: &str, net: &Mlp<Tensor<f32>>, test: &Dataset<f32>) {
    let confusion = Confusion::of(10, &classes(&net.predict(test.features())), test.labels());
    let counts = |f: &dyn Fn(usize, usize) -> f32| {
        let of = |i: usize| f64::from(f(i / 10, i % 10)) * confusion.counts[i / 10][i % 10];
        (0..100).map(of).sum::<f64>()
    };
    let alarms = counts(&|truth, guess| f32::from(u8::from(truth != 8 && guess == 8)));
    println!("{name}: {:.1} % right, {alarms} false alarms, cost {}", 100.0 * confusion.accuracy(), counts(&cost));
}
