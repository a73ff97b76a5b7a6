//! What `fit` costs beside a bare loop over a program that deals out the same batches and measures the same rows: iris, batches of 16,
//! with history and progress.
//!
//! `cargo run --release --example fit`

use autograd::{Float, Program, Programs, Tensor, grad};
use nn::data::{Batcher, By, Csv, Dataset, IRIS_CSV, Lone, Source, Standardiser, Target, empty_batch};
use nn::optim::{Adam, Rule, next_state};
use nn::train::Fit;
use nn::{Activation, Mlp};
use std::error::Error;
use std::time::Instant;

const EPOCHS: u32 = 500;

fn main() -> Result<(), Box<dyn Error>> {
    println!("type  fit, µs a step  bare, µs a step  ratio");
    measure::<f64>("f64")?;
    measure::<f32>("f32")?;
    Ok(())
}

/// Medians of five runs, in turn.
fn measure<T: Float>(name: &str) -> Result<(), Box<dyn Error>> {
    let iris = Csv::new("species").parse::<T>("iris.csv", IRIS_CSV)?;
    let iris = Standardiser::fit(&iris).apply(&iris);
    let fit =
        Fit { epochs: EPOCHS, batch_size: 16, held_out: 1.0 / 3.0, patience: u32::MAX, penalty: 0.0, ..Fit::default() };
    let (mut whole, mut bare) = (Vec::new(), Vec::new());
    let steps = f64::from(EPOCHS * 7);
    for _ in 0..7 {
        let start = Instant::now();
        let mut net = net::<T>();
        let mut last = 0.0;
        let fitted = fit.by(
            &mut net,
            &mut Adam::new(0.01),
            &iris,
            |net, batch| batch.loss(net.forward(batch.features)),
            |now| last = now.progress.share,
        )?;
        whole.push(start.elapsed().as_secs_f64() * 1e6 / steps);

        let start = Instant::now();
        let losses = by_hand(&iris, &fit)?;
        bare.push(start.elapsed().as_secs_f64() * 1e6 / steps);
        assert_eq!(fitted.history.column("held_out_loss"), Some(losses), "both compute the same");
    }
    whole.sort_by(f64::total_cmp);
    bare.sort_by(f64::total_cmp);
    let (whole, bare) = (whole[3], bare[3]);
    println!("{name}   {whole:14.3}  {bare:15.3}  {:5.3}", whole / bare);
    Ok(())
}

fn net<T: Float>() -> Mlp<Tensor<T>> {
    Mlp::new(&[4, 16, 3], Activation::Tanh, 0)
}

/// The losses of the held-out rows after each epoch.
fn by_hand<T: Float>(iris: &Dataset<T>, fit: &Fit) -> Result<Vec<f64>, Box<dyn Error>> {
    let parts = By::Classes { labels: iris.labels(), names: iris.classes(), lone: Lone::Train }
        .split(fit.held_out, fit.seed)?;
    let (train, held_out) = (iris.select(&parts.train), iris.select(&parts.held_out));
    let (net, adam) = (net::<T>(), Adam::new(0.01));
    let mut batches = Batcher::new(&train, fit.batch_size, fit.seed);
    let (mut batch, rate) = (empty_batch(), Tensor::scalar(T::of(adam.rate)));
    let (state, rule) = ((net.clone(), adam.start(&net)), adam.clone());
    let first = (&train.batch(&[0]).features, &vec![0], &rate);
    let mut step = Programs::record(state, &first, move |_, (net, memory), (x, labels, rate)| {
        let loss = net.forward(x).cross_entropy(&labels);
        let next = rule.update(&net, &grad(loss, &net), &memory, rate);
        (next_state(&next), vec![loss])
    })?;
    let watched = (held_out.features(), &held_out.labels().to_vec());
    let mut evaluate =
        Program::record(&net, &watched, |_, net, (x, labels)| (vec![], vec![net.forward(x).cross_entropy(&labels)]))?;
    let (mut losses, mut now) = (Vec::new(), net.clone());
    for epoch in 0..fit.epochs {
        batches.start(epoch)?;
        let mut total = 0.0;
        while batches.next_into(&mut batch)? {
            let Target::Classes { labels, .. } = &batch.target else { return Err("iris has classes".into()) };
            total += step.run(&(&batch.features, labels, &rate))?.item(0).to_f64() * labels.len() as f64;
        }
        std::hint::black_box(total);
        step.store_part("0", &mut now)?;
        evaluate.set_part("", &now)?;
        losses.push(evaluate.run(&watched)?.item(0).to_f64());
    }
    Ok(losses)
}
