//! Trains a net on images of handwritten digits on several processes, with a checkpoint after each epoch, from which it goes on to the same bits,
//! on as many processes as one likes.
//!
//! `cargo build --release --example digits && mpirun -n 2 target/release/examples/digits`

use autograd::{Tensor, Var, tree};
use clap::Parser;
use nn::data::{Batcher, Csv, Standardiser};
use nn::file::Checkpoint;
use nn::layers::Dropout;
use nn::{Activation, Adam, Context, Dataset, Init, Linear, accuracy};
use nn_mpi::{Learner, Ranks};
use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;

const DIGITS_CSV: &str = include_str!("../../crates/nn/data/digits.csv");

/// Train a net on handwritten digits, on all processes that mpirun starts.
#[derive(Parser)]
struct Options {
    /// Decides which images are held out, the initial weights, the order of the images and what is dropped.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How often each image is seen.
    #[arg(long, default_value_t = 20)]
    epochs: u32,
    /// How many images a step sees.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
    /// Into how many parts a batch is cut, whatever the number of processes.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..))]
    shards: u32,
    /// A file in which to keep the state after each epoch; training goes on from there.
    #[arg(long)]
    checkpoint: Option<PathBuf>,
}

tree! {
    struct Net<V> {
        hidden: Linear<V>,
        out: Linear<V>,
    }
}

impl<'t> Net<Var<'t>> {
    fn forward(&self, x: Var<'t>, context: &Context<'t>) -> Var<'t> {
        let hidden = Activation::Gelu.apply(self.hidden.forward(x));
        self.out.forward(Dropout::new(0.1).forward(hidden, &context.at("hidden")))
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    nn_mpi::run(|ranks| train(ranks, &options))
}

fn train(ranks: &Ranks, options: &Options) -> Result<(), Box<dyn Error>> {
    let seed = options.seed;
    let data: Dataset = Csv::new("digit").parse("digits.csv", DIGITS_CSV)?;
    let (train, test) = data.split_stratified(1.0 / 3.0, seed);
    let scale = Standardiser::fit(&train);
    let (train, test) = (scale.apply(&train), scale.apply(&test));
    let mut batches = Batcher::new(&train, options.batch as usize, seed);

    let (init, rng) = (Init::XavierUniform { gain: 1.0 }, &mut nn::generator(seed));
    let net = Net { hidden: Linear::new([64, 128], init, rng), out: Linear::new([128, 10], init, rng) };
    let mut learner = Learner::new(ranks, net, Adam { weight_decay: 0.05, ..Adam::adam_w(2e-3) }, |net, batch| {
        batch.loss(net.forward(batch.features, &batch.context))
    });
    (learner.seed, learner.shards) = (seed, options.shards as usize);

    let mut epoch = 0;
    if let Some(path) = &options.checkpoint
        && let Some(saved) = ranks.load(path)?
    {
        learner.restore(&saved)?;
        epoch = saved.get("epoch")?;
        if ranks.is_first() {
            println!("going on after {epoch} epochs");
        }
    }
    while epoch < options.epochs {
        let loss = learner.epoch(&mut batches, epoch)?;
        epoch += 1;
        if let Some(path) = &options.checkpoint {
            let mut checkpoint = Checkpoint::new();
            learner.put(&mut checkpoint);
            ranks.save(checkpoint.set("epoch", &epoch), path)?;
        }
        if ranks.is_first() {
            println!("epoch {epoch:3}: loss {loss}");
        }
    }
    let held_out = learner.measure(&test.whole())?;
    if ranks.is_first() {
        let tape = autograd::Tape::new();
        let net = tape.vars(&learner.net);
        let scores: Tensor = net.forward(tape.var(test.features()), &Context::evaluating()).value();
        let right = 100.0 * accuracy(&scores, test.labels());
        println!("held out: loss {held_out}, {right:.2} % named rightly");
    }
    Ok(())
}
