//! A variational autoencoder: a net that draws digits, and one that guesses what each was drawn from (Kingma and Welling, "Auto-encoding
//! variational Bayes", 2014). All noise comes of keys, so that a run is repeated to the bit.
//!
//! `cargo run --release --example autoencoder`
//!
//! What is made large is the ELBO, a bound of the log-likelihood: of images `x` and what they are drawn from, `z`,
//! `E log p(x | z) − KL(q(z | x), N(0, 1))`, with `z = mean + deviation · noise`, through which the gradient goes. Beside it stands what a linear
//! encoder and decoder reach, which is principal component analysis with a likelihood for black and white (Lucas et al., "Don't blame the
//! ELBO!", 2019), and pixels that are independent of each other.

use autograd::{Key, KeyVar, Program, Reduction, Tape, Tensor, Var, grad, tree};
use nn::data::Csv;
use nn::optim::{OneCycle, Rule, Schedule, Scheduler, next_state};
use nn::{Activation, Adam, Dataset, Mlp, generator};
use rand::seq::SliceRandom;
use std::error::Error;

const DIGITS_CSV: &str = include_str!("../crates/nn/data/digits.csv");
/// Numbers that an image is drawn from, images of a batch, and epochs.
const LATENT: usize = 8;
const BATCH: usize = 64;
const EPOCHS: u32 = 200;

tree! {
    /// From images to means and logarithms of variances, and back to logits of pixels.
    struct Vae<V> { encoder: Mlp<V>, decoder: Mlp<V> }
}

impl<'t> Vae<Var<'t, f32>> {
    /// The ELBO of each image, `[n]`, in nats, with one draw for each.
    fn elbo(&self, images: Var<'t, f32>, key: KeyVar<'t, f32>) -> Var<'t, f32> {
        let guess = self.encoder.forward(images);
        let (mean, log_variance) = (guess.narrow(1, 0, LATENT), guess.narrow(1, LATENT, LATENT));
        let z = mean + (log_variance * 0.5).exp() * key.normal(mean.shape());
        let unlikely = self.decoder.forward(z).bce_with_logits(images, None, Reduction::None).sum_axes(1);
        let divergence = (mean.square() + log_variance.exp() - log_variance - 1.0).sum_axes(1) * 0.5;
        -unlikely - divergence
    }
}

/// The mean ELBO of images, over 20 draws for each.
fn measure(net: &Vae<Tensor<f32>>, images: &Tensor<f32>) -> f32 {
    let tape = Tape::default();
    let (net, images) = (tape.vars(net), tape.var(images));
    let draws = (0..20).map(|draw| net.elbo(images, tape.key(Key::new(1).fold_in(draw))).mean());
    tape.values(&draws.collect::<Vec<_>>()).iter().map(Tensor::item).sum::<f32>() / 20.0
}

/// A net with these hidden nodes (none: a linear one) after training, in one program for a step.
fn trained(hidden: &[usize], images: &Tensor<f32>, most: f64) -> Result<Vae<Tensor<f32>>, Box<dyn Error>> {
    let pixels = images.shape()[1];
    let mut net = Vae {
        encoder: Mlp::new(&[&[pixels], hidden, &[2 * LATENT]].concat(), Activation::Gelu, 0),
        decoder: Mlp::new(&[&[LATENT], hidden, &[pixels]].concat(), Activation::Gelu, 1),
    };
    let adam = Adam::new(0.0);
    let state = (net.clone(), adam.start(&net));
    let given = (Tensor::zeros([BATCH, pixels]), 0.0_f32, Key::new(0));
    let mut step = Program::record(&state, &given, |_, (net, memory), (images, rate, key)| {
        let loss = -net.elbo(images, key).mean();
        (next_state(&adam.update(&net, &grad(loss, &net), &memory, rate)), vec![loss])
    })?;

    let (mut order, rng) = ((0..images.shape()[0]).collect::<Vec<_>>(), &mut generator(0));
    let batches = order.len() / BATCH;
    let mut scheduler = Scheduler::of::<f32>(Schedule::OneCycle(OneCycle::new(most, EPOCHS * batches as u32)), &adam);
    let mut key = Key::new(0);
    for epoch in 1..=EPOCHS {
        order.shuffle(rng);
        let mut total = 0.0;
        for rows in order.chunks_exact(BATCH) {
            let batch = Tensor::from_fn([BATCH, pixels], |i| images.at([rows[i / pixels], i % pixels]));
            [key] = key.split();
            total -= step.run(&(&batch, scheduler.rate() as f32, key))?.item(0) / batches as f32;
            scheduler.step();
        }
        if epoch % 50 == 0 {
            println!("  epoch {epoch}: {total:.2}");
        }
    }
    step.store_part("0", &mut net)?;
    Ok(net)
}

fn main() -> Result<(), Box<dyn Error>> {
    let digits: Dataset<f32> = Csv::new("digit").parse("digits.csv", DIGITS_CSV)?;
    let (train, test) = digits.split_stratified(1.0 / 3.0, 0);
    let black_and_white = |data: &Dataset<f32>| data.features().map(|pixel| f32::from(u8::from(pixel > 7.5)));
    let (train, test) = (black_and_white(&train), black_and_white(&test));

    println!("a linear net, ELBO in nats:");
    let linear = measure(&trained(&[], &train, 1e-2)?, &test);
    println!("a net with hidden nodes:");
    let net = trained(&[128, 128], &train, 3e-3)?;
    let bound = measure(&net, &test);

    // Each pixel by itself: how often it is black, with one image of either kind more.
    let tape = Tape::default();
    let (seen, unseen) = (tape.var(&train), tape.var(&test));
    let share = (seen.sum_axes(0) + 1.0) / (train.shape()[0] as f32 + 2.0);
    let single = -share.broadcast_to(test.shape()).bce(unseen, None, Reduction::None).sum_axes(1).mean().item();
    println!("ELBO of images that were held out, in nats each:");
    println!("  pixels by themselves {single:.2}");
    println!("  linear               {linear:.2}");
    println!("  the net              {bound:.2}");

    println!("three digits that it draws:");
    let z = tape.key(Key::new(2)).normal([3, LATENT]);
    let drawn = tape.vars(&net).decoder.forward(z).sigmoid().value();
    for row in 0..8 {
        let line =
            |image: usize| -> String { (0..8).map(|column| shade(drawn.at([image, 8 * row + column]))).collect() };
        println!("  {}", [0, 1, 2].map(line).join("   "));
    }
    if bound < linear + 1.0 || linear < single + 1.0 {
        return Err("the net should be a nat above the linear one, and that above single pixels".into());
    }
    Ok(())
}

/// How dark a pixel is, as two letters.
fn shade(pixel: f32) -> &'static str {
    ["  ", "..", "++", "##"][(4.0 * pixel).min(3.0) as usize]
}
