//! What the script `test` runs on several ranks: trainings whose losses and parameters it compares, and runs in which one rank does what it
//! should not. `trials NAME` prints the numbers in their bits.

use autograd::{Float, Tensor, Tree, Var};
use nn::data::{Batch, Batcher, SequenceBatcher, Source, Stream, Target, synthetic};
use nn::file::Checkpoint;
use nn::layers::{Between, Cell, Recurrent, Sequential};
use nn::optim::{Accumulated, Clip, Clipped, Lion, NAdam, RmsProp};
use nn::{Activation, Adam, Dataset, Init, Linear, Mlp, Rule, Sgd};
use nn_mpi::{Learner, Number, Ranks};
use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    nn_mpi::run(|ranks| match name.as_str() {
        "dropout" => dropout(ranks),
        "norm" => norm(ranks),
        "sequences" => sequences(ranks),
        "weights" => weights(ranks),
        "rules" => rules(ranks),
        "sizes" => sizes(ranks),
        "speed" => speed(ranks),
        _ => odd(ranks, &name),
    })
}

/// Trains for some epochs, and tells losses and parameters.
fn tell<T, P, R>(
    what: &str,
    learner: &mut Learner<P, R, T>,
    source: &mut impl Source<T>,
    held_out: &Batch<T>,
) -> Outcome
where
    T: Number,
    P: Tree<Leaf = Tensor<T>, With<Tensor<T>> = P> + Send + Sync + 'static,
    R: Rule<T>,
{
    for epoch in 0..3 {
        let loss = learner.epoch(source, epoch)?;
        let measured = learner.measure(held_out)?;
        if learner.ranks().is_first() {
            println!("{what} {epoch} {:016x} {:016x}", loss.to_bits(), measured.to_bits());
        }
    }
    if learner.ranks().is_first() {
        for (name, leaf) in learner.net.names().iter().zip(learner.net.leaves()) {
            let bits: Vec<String> = leaf.as_slice().iter().map(|x| format!("{:x}", x.to_f64().to_bits())).collect();
            println!("{what} {name} {}", bits.join(" "));
        }
    }
    Ok(())
}

fn of_classes<'t, T: Float>(batch: &nn::data::BatchVars<'t, T>, net: &Sequential<Var<'t, T>>) -> Var<'t, T> {
    batch.loss(net.forward(batch.features, &batch.context))
}

/// Noise, by shard and step.
fn dropout(ranks: &Ranks) -> Outcome {
    let data: Dataset = synthetic::blobs(101, 3, 2, 1.0, 0);
    let net = Sequential::mlp(&[2, 9, 3], Activation::Relu, Between { dropout: 0.4, ..Between::default() }, 0);
    let mut learner = Learner::new(ranks, net, Adam::new(0.02), |net, batch| of_classes(batch, net));
    tell("dropout", &mut learner, &mut Batcher::new(&data, 16, 0), &data.whole())?;
    learner.seed = 1;
    tell("another seed", &mut learner, &mut Batcher::new(&data, 16, 0), &data.whole())
}

/// Buffers, in `f32`.
fn norm(ranks: &Ranks) -> Outcome {
    let data: Dataset<f32> = synthetic::blobs(96, 3, 2, 1.0, 0);
    let net = Sequential::mlp(&[2, 9, 3], Activation::Relu, Between { batch_norm: true, ..Between::default() }, 0);
    let mut learner = Learner::new(ranks, net, Adam::new(0.02), |net, batch| of_classes(batch, net));
    tell("norm", &mut learner, &mut Batcher::new(&data, 32, 0), &data.whole())?;
    let counts: Vec<f32> = learner
        .net
        .names()
        .iter()
        .zip(learner.net.leaves())
        .filter(|(name, _)| name.ends_with("num_batches_tracked"))
        .map(|(_, count)| count.item())
        .collect();
    assert_eq!(counts, [9.0]);
    Ok(())
}

/// Sequences of different lengths, with a target for each step.
fn sequences(ranks: &Ranks) -> Outcome {
    let waves = synthetic::sine_waves::<f64>(37, 3..=12, 0.1, 0);
    let rng = &mut nn::generator(0);
    let gru = Recurrent { batch_first: true, ..Recurrent::new(Cell::Gru, [1, 5], 1, rng) };
    let out = Linear::new([5, 1], Init::XavierUniform { gain: 1.0 }, rng);
    let mut learner = Learner::new(ranks, (gru, out), Adam::new(0.02), |(gru, out), batch| {
        let (states, _) = gru.forward(batch.features, &[]);
        let [n, steps] = [states.shape()[0], states.shape()[1]];
        batch.loss(out.forward(states.reshape([n * steps, 5])).reshape([n, steps, 1]))
    });
    let all: Vec<usize> = (0..waves.len()).collect();
    let held_out = waves.batch(&all, 0.0);
    tell("sequences", &mut learner, &mut SequenceBatcher::new(&waves, 10, 0), &held_out)
}

/// Examples that count differently, some shards of them not at all; the loss must be that of the whole batch.
fn weights(ranks: &Ranks) -> Outcome {
    let weights = (0..60).map(|row| if row % 10 < 3 { 0.0 } else { f64::from(row % 7) }).collect();
    let data: Dataset = synthetic::regression(60, &[1.0, -2.0], 0.5, 0.1, 0).with_weights(weights);
    let net = Mlp::new(&[2, 4, 1], Activation::Tanh, 0);
    let mut learner = Learner::new(ranks, net.clone(), Sgd { momentum: 0.9, ..Sgd::new(0.01) }, |net, batch| {
        batch.loss(net.forward(batch.features))
    });
    let mut source = Batcher::new(&data, 10, 0);
    source.shuffled = false;
    tell("weights", &mut learner, &mut source, &data.whole())?;
    let mut whole = nn::Learner::new(net, Sgd { momentum: 0.9, ..Sgd::new(0.01) }, |net, batch| {
        batch.loss(net.forward(batch.features))
    });
    (0..3).try_for_each(|epoch| whole.epoch(&mut source, epoch).map(|_| ()))?;
    for (ours, theirs) in learner.net.leaves().into_iter().zip(whole.net().leaves()) {
        for (ours, theirs) in ours.as_slice().iter().zip(theirs.as_slice()) {
            assert!((ours - theirs).abs() <= 1e-12 * theirs.abs().max(1.0), "{ours} in shards, {theirs} in one");
        }
    }
    Ok(())
}

/// Any rule.
fn rules(ranks: &Ranks) -> Outcome {
    fn with<R: Rule<f64>>(ranks: &Ranks, name: &str, rule: R) -> Outcome {
        let data: Dataset = synthetic::moons(50, 0.1, 0);
        let net = Mlp::new(&[2, 5, 2], Activation::Tanh, 0);
        let mut learner = Learner::new(ranks, net, rule, |net, batch| batch.loss(net.forward(batch.features)));
        tell(name, &mut learner, &mut Batcher::new(&data, 13, 0), &data.whole())
    }
    with(ranks, "lion", Lion::new(1e-3))?;
    with(ranks, "nadam", NAdam::new(1e-2))?;
    with(ranks, "rmsprop", RmsProp { momentum: 0.5, centred: true, ..RmsProp::new(1e-2) })?;
    with(ranks, "clipped", Clipped { clip: Clip::Norm(0.1), rule: Sgd::new(0.1) })?;
    with(ranks, "accumulated", Accumulated { every: 3, rule: Adam::adam_w(1e-2) })?;
    with(ranks, "boxed", Box::new(Adam::new(1e-2)) as Box<dyn Rule<f64>>)
}

/// Fewer examples than shards, and one shard; a source of one's own.
fn sizes(ranks: &Ranks) -> Outcome {
    for shards in [1, 3, 7] {
        let net = Mlp::new(&[1, 3, 1], Activation::Tanh, 0);
        let mut learner =
            Learner::new(ranks, net, Adam::new(0.01), |net, batch| batch.loss(net.forward(batch.features)));
        learner.shards = shards;
        let batch = |n: usize, epoch: u32| {
            let x = Tensor::from_fn([n, 1], |i| 0.1 * i as f64 + f64::from(epoch));
            Batch::new(x.clone(), Target::Values { values: x.map(|x| x * x), names: vec!["square".into()] })
        };
        let mut source = Stream::new(|epoch| [1, 2, 5, 8].map(|n| Ok(batch(n, epoch))).into_iter());
        tell(&format!("{shards} shards"), &mut learner, &mut source, &batch(4, 0))?;
    }
    Ok(())
}

/// How long steps of a net of some size take: prints microseconds, of the fastest of 10 runs of 100 steps.
fn speed(ranks: &Ranks) -> Outcome {
    let data: Dataset = synthetic::blobs(512, 10, 64, 4.0, 0);
    let net = Mlp::new(&[64, 128, 10], Activation::Relu, 0);
    let mut learner = Learner::new(ranks, net, Adam::new(1e-3), |net, batch| batch.loss(net.forward(batch.features)));
    let mut source = Batcher::new(&data, 512, 0);
    let mut times = Vec::new();
    for epoch in 0..1100 {
        let started = std::time::Instant::now();
        learner.epoch(&mut source, epoch)?;
        times.push(started.elapsed());
    }
    let mut runs: Vec<f64> =
        times[100..].chunks(100).map(|run| run.iter().map(Duration::as_secs_f64).sum::<f64>() * 1e4).collect();
    runs.sort_by(f64::total_cmp);
    if ranks.is_first() {
        println!("{:.0}", runs[0]);
    }
    Ok(())
}

/// One rank does what it should not, at the third step.
fn odd(ranks: &Ranks, name: &str) -> Outcome {
    let is_odd = ranks.rank() + 1 == ranks.size();
    let data: Dataset = synthetic::blobs(64, 3, 2, 1.0, 0);
    let other: Dataset = synthetic::blobs(64, 3, 2, 1.0, 1);
    let net = Mlp::new(&[2, 5, 3], Activation::Tanh, 0);
    let mut learner = Learner::new(ranks, net, Adam::new(0.01), |net, batch| batch.loss(net.forward(batch.features)));
    ranks.set_patience(Duration::from_secs(2));
    for step in 0..6 {
        let mut batch = data.whole();
        match name {
            // The last shard, which the last rank computes.
            "nan" if step == 2 => batch.features.as_mut_slice()[127] = f64::NAN,
            "label" if step == 2 => {
                let Target::Classes { labels, .. } = &mut batch.target else { unreachable!("there are classes") };
                labels[63] = 3;
            }
            _ => (),
        }
        if is_odd && step == 2 {
            match name {
                "panic" => panic!("the roof is on fire"),
                "error" => return Err("the disk is full".into()),
                "early" => return Ok(()),
                "batch" => batch = other.whole(),
                "rate" => learner.rule.rate = 0.02,
                "net" => learner.net.layers[0].weight.as_mut_slice()[0] += 1.0,
                "seed" => learner.seed = 7,
                "measure" => _ = learner.measure(&batch)?,
                "exit" => std::process::exit(3),
                "asleep" => std::thread::sleep(Duration::from_hours(1)),
                _ => (),
            }
        }
        let stepped = learner.step(&batch);
        match name {
            // A step that is none leaves all as it was, and training may go on.
            "nan" if step == 2 => {
                let Err(error) = stepped else { panic!("a loss that is no number is an error") };
                if ranks.is_first() {
                    println!("{error}");
                }
                assert!(learner.step(&data.whole())?.is_finite());
                return Err(error.into());
            }
            _ => _ = stepped?,
        }
    }
    match name {
        "save" => Ok(ranks.save(&Checkpoint::new(), "no/such/folder/file")?),
        "load" => Ok(ranks.load("Cargo.toml").map(|_| ())?),
        "well" => Ok(()),
        _ => Err(format!("there is no trial `{name}`").into()),
    }
}
