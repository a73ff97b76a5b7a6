//! A net that knows digits learns another thing about them, whether they are odd, from few labelled images: its first layers stay as they are, the
//! last one is new.
//!
//! `cargo run --release --example transfer`

use autograd::Tensor;
use nn::data::{Csv, Standardiser, Target};
use nn::file::{Loading, save};
use nn::optim::{Group, Grouped};
use nn::train::Fit;
use nn::{Activation, Adam, Dataset, Error, Mlp, accuracy};

const DIGITS_CSV: &str = include_str!("../crates/nn/data/digits.csv");

fn main() -> Result<(), Error> {
    let digits: Dataset<f32> = Csv::new("digit").parse("digits.csv", DIGITS_CSV)?;
    let digits = Standardiser::fit(&digits).apply(&digits);
    let (known, others) = digits.split_stratified(0.5, 0);
    let mut teacher = Mlp::new(&[64, 64, 10], Activation::Relu, 0);
    let fit = Fit { epochs: 60, ..Fit::default() };
    fit.by(&mut teacher, &mut Adam::new(2e-3), &known, |net, batch| batch.loss(net.forward(batch.features)), |_| ())?;
    let path = std::env::temp_dir().join("transfer.safetensors");
    save(&teacher, &path)?;

    // Of the other images twenty are labelled odd or even; ten draws of them.
    let odd: Vec<&str> = others.labels().iter().map(|digit| if digit % 2 == 1 { "odd" } else { "even" }).collect();
    let others = Dataset::with(others.features().clone(), Target::classes_of(&odd));
    let fit = Fit { held_out: 0.0, epochs: 300, ..Fit::default() };
    let (mut scratch, mut transferred) = (0.0, 0.0);
    for seed in 0..10 {
        let (test, few) = others.split_stratified(20.0 / others.len() as f64, seed);
        let share = |net: &Mlp<Tensor<f32>>| 10.0 * accuracy(&net.predict(test.features()), test.labels());

        let mut net = Mlp::new(&[64, 64, 10, 2], Activation::Relu, seed);
        fit.by(&mut net, &mut Adam::new(2e-3), &few, |net, batch| batch.loss(net.forward(batch.features)), |_| ())?;
        scratch += share(&net);

        let mut net = Mlp::new(&[64, 64, 10, 2], Activation::Relu, seed);
        let first_layers = ["layers.0.*", "layers.1.*"];
        Loading { only: &first_layers, ..Loading::default() }.load(&mut net, &path)?;
        let mut rule = Grouped { groups: first_layers.map(Group::frozen).to_vec(), rule: Adam::new(1e-2) };
        fit.by(&mut net, &mut rule, &few, |net, batch| batch.loss(net.forward(batch.features)), |_| ())?;
        assert_eq!(net.layers[..2], teacher.layers[..2]); // frozen
        transferred += share(&net);
    }
    println!("odd or even by twenty images, from scratch: {scratch:.1} % of the others right");
    println!("with the first layers of a net that knows digits: {transferred:.1} %");
    Ok(())
}
