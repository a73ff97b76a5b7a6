//! A loop of one's own from the pieces: a schedule by step, clipped gradients, early stopping on held-out rows, the best weights, a history
//! in a file, and a checkpoint after each epoch, from which it goes on to the same bits.
//!
//! `cargo run --release --example own_loop`; stop it and start it again.

use nn::data::{Batcher, Csv, IRIS_CSV, Standardiser};
use nn::file::Checkpoint;
use nn::optim::{Clip, Clipped, OneCycle, Rule, Schedule, Scheduler};
use nn::train::{Best, Better, EarlyStop, History, Learner, Progress};
use nn::{Activation, Adam, Dataset, Mlp, accuracy};
use std::error::Error;
use std::io;

const EPOCHS: u32 = 60;

fn main() -> Result<(), Box<dyn Error>> {
    let iris: Dataset = Csv::new("species").parse("iris.csv", IRIS_CSV)?;
    let (train, test) = iris.split_stratified(1.0 / 3.0, 0);
    let scale = Standardiser::fit(&train);
    let (train, test) = (scale.apply(&train), scale.apply(&test));
    let (mut batches, held_out) = (Batcher::new(&train, 16, 0), test.whole());

    let mut net = Mlp::new(&[4, 16, 3], Activation::Tanh, 0);
    let mut rule = Clipped { clip: Clip::Norm(1.0), rule: Adam::adam_w(0.03) };
    let one_cycle = Schedule::OneCycle(OneCycle::new(0.03, EPOCHS * batches.batches() as u32));
    let mut scheduler = Scheduler::of::<f64>(one_cycle, &rule);
    let (mut history, mut stop, mut best) = (History::default(), EarlyStop::new(20), Best::new(Better::Lower));

    let path = std::env::temp_dir().join("own_loop.safetensors");
    if path.exists() {
        let saved = Checkpoint::load(&path)?;
        saved.restore("net", &mut net)?;
        *rule.memory_mut() = saved.tensors("memory")?.into();
        (history, stop, best) = (saved.get("history")?, saved.get("stop")?, saved.get("best")?);
        best.params = Some(net.clone());
        saved.restore("best_net", best.params.get_or_insert_with(|| net.clone()))?;
        scheduler.restore(&saved.get("scheduler")?)?;
        println!("going on after {} epochs", history.len());
    }
    let mut learner = Learner::new(net, rule, |net, batch| batch.loss(net.forward(batch.features)));
    let mut progress = Progress::new(u64::from(EPOCHS));
    for epoch in history.len() as u32..EPOCHS {
        let loss = learner.epoch_with(&mut batches, epoch, |rule| {
            scheduler.apply(rule);
            scheduler.step();
        })?;
        let loss_of_held_out = learner.measure(&held_out)?;
        let right = accuracy(&learner.net().predict(test.features()), test.labels());
        history.push(&[("loss", loss), ("held_out", loss_of_held_out), ("accuracy", right)]);
        best.offer(loss_of_held_out, learner.net());
        let stops = stop.stop(loss_of_held_out);

        let (net, rule) = learner.sync();
        let mut checkpoint = Checkpoint::new();
        checkpoint.put("net", net).put("memory", &**rule.memory()).set("scheduler", &scheduler.state());
        checkpoint.set("history", &history).set("stop", &stop).set("best", &best);
        best.params.iter().for_each(|net| _ = checkpoint.put("best_net", net));
        checkpoint.save(&path)?;
        if let Some(now) = progress.at(u64::from(epoch + 1)) {
            println!("{:3.0} %: loss {loss:.4}, held out {loss_of_held_out:.4}", 100.0 * now.share);
        }
        if stops {
            break;
        }
    }
    let (mut net, _rule) = learner.into_parts();
    best.restore(&mut net);
    history.write_csv(io::stdout())?;
    println!(
        "the best, of epoch {}: {:.1} %",
        best.offer,
        100.0 * accuracy(&net.predict(test.features()), test.labels())
    );
    std::fs::remove_file(path)?;
    Ok(())
}
