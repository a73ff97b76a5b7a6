//! A small transformer that writes: it reads up to 32 letters, and says of each place which letter comes next (Vaswani et al., "Attention is
//! all you need", 2017; Radford et al., "Language models are unsupervised multitask learners", 2019, for where the norms stand).
//!
//! `cargo run --release --example character_transformer`
//!
//! The step is a program of one's own, whose inputs are letters by number, the rate and a key for dropout, and whose state are the net and
//! the memory of Adam. It is measured in bits per letter on the last tenth of the text, beside letter counts of the same training text:
//! those of models that know up to four letters before the next, each smoothed by the shorter one (Witten and Bell, 1991).

use autograd::{IndexVar, Key, Program, Reduction, Tape, Tensor, Var, grad, tree};
use nn::layers::{Dropout, Embedding, LayerNorm, Mask, TransformerBlock};
use nn::optim::{Clip, Clipped, OneCycle, Rule, Schedule, Scheduler, next_state};
use nn::{Activation, Adam, Context, Init, Linear, generator};
use rand::RngExt;
use std::collections::BTreeMap;
use std::error::Error;
use std::f64::consts::LN_2;

const TEXT: &str = include_str!("../crates/nn/data/alice.txt");
/// Letters of a piece, pieces of a batch, batches, and the width of a letter within the net.
const LENGTH: usize = 32;
const PIECES: usize = 16;
const STEPS: u32 = 1000;
const WIDTH: usize = 64;

tree! {
    struct Net<V> {
        letters: Embedding<V>,
        places: V,
        blocks: Vec<TransformerBlock<V>>,
        norm: LayerNorm<V>,
        out: Linear<V>,
        ..dropout: Dropout,
    }
}

impl<'t> Net<Var<'t, f32>> {
    /// Scores of the letter behind each, `[n, steps, kinds]`, of letters `[n, steps]`.
    fn forward(&self, letters: &IndexVar<'t, f32>, context: &Context<'t, f32>) -> Var<'t, f32> {
        let (tape, steps) = (self.places.tape(), letters.shape()[1]);
        let later = Mask::causal(tape, steps);
        let x = self.letters.forward(letters) + self.places.narrow(0, 0, steps);
        let mut x = self.dropout.forward(x, &context.at("dropout"));
        for (i, block) in self.blocks.iter().enumerate() {
            x = block.forward(x, None, Some(later), &context.at("blocks").at(i));
        }
        self.out.forward(self.norm.forward(x))
    }
}

fn net(kinds: usize) -> Net<Tensor<f32>> {
    let (rng, init) = (&mut generator(0), Init::Normal { mean: 0.0, std: 0.5 });
    let blocks = [0, 1].map(|_| {
        let mut block = TransformerBlock::new(WIDTH, 4, 4 * WIDTH, rng).with_dropout(0.1);
        (block.norm_first, block.activation, block.self_attn.batch_first) = (true, Activation::Gelu, true);
        block
    });
    Net {
        letters: Embedding { weight: init.sample([kinds, WIDTH], rng), padding: None },
        places: init.sample([LENGTH, WIDTH], rng),
        blocks: blocks.into(),
        norm: LayerNorm::new([WIDTH]),
        out: Linear::new([WIDTH, kinds], Init::XavierUniform { gain: 1.0 }, rng),
        dropout: Dropout::new(0.1),
    }
}

/// Bits per letter of the net: of each piece, the second half counts, so that no letter is without others before it.
fn bits_of_net(net: &Net<Tensor<f32>>, text: &[usize]) -> f64 {
    let (mut tape, mut bits, mut count, half) = (Tape::default(), 0.0, 0, LENGTH / 2);
    for start in (0..text.len() - LENGTH).step_by(half) {
        tape.clear();
        let letters = tape.labels(&text[start..start + LENGTH]).reshape([1, LENGTH]);
        let scores = tape.vars(net).forward(&letters, &Context::evaluating()).squeeze(0).narrow(0, half, half);
        let losses = scores.cross_entropy_with(&text[start + half + 1..][..half], Reduction::Sum);
        (bits, count) = (bits + f64::from(losses.item()) / LN_2, count + half);
    }
    bits / count as f64
}

/// A text that the net goes on with.
fn written(net: &Net<Tensor<f32>>, mut text: Vec<usize>, count: usize) -> Vec<usize> {
    let mut tape = Tape::default();
    for i in 0..count {
        tape.clear();
        let seen = &text[text.len().saturating_sub(LENGTH)..];
        let letters = tape.labels(seen).reshape([1, seen.len()]);
        let scores = tape.vars(net).forward(&letters, &Context::evaluating()).squeeze(0).narrow(0, seen.len() - 1, 1);
        let drawn = tape.key(Key::new(0).fold_in(i as u64)).categorical(scores, 1).value();
        text.push(drawn[0] as usize);
    }
    text
}

/// Bits per letter of counts of the `n − 1` letters before each.
fn bits_of_counts(n: usize, train: &[usize], test: &[usize], kinds: usize) -> f64 {
    let mut counts: BTreeMap<&[usize], BTreeMap<usize, f64>> = BTreeMap::new();
    for (i, letter) in train.iter().enumerate() {
        for before in 0..n.min(i + 1) {
            *counts.entry(&train[i - before..i]).or_default().entry(*letter).or_default() += 1.0;
        }
    }
    let bits = |i: usize| {
        let mut p = 1.0 / kinds as f64;
        for before in 0..n.min(i + 1) {
            let Some(next) = counts.get(&test[i - before..i]) else { break };
            let (all, distinct) = (next.values().sum::<f64>(), next.len() as f64);
            p = (next.get(&test[i]).unwrap_or(&0.0) + distinct * p) / (all + distinct);
        }
        -p.log2()
    };
    (0..test.len()).map(bits).sum::<f64>() / test.len() as f64
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut kinds: Vec<char> = TEXT.chars().collect();
    kinds.sort_unstable();
    kinds.dedup();
    let text: Vec<usize> = TEXT.chars().filter_map(|letter| kinds.binary_search(&letter).ok()).collect();
    let (train, test) = text.split_at(text.len() * 9 / 10);

    let mut net = net(kinds.len());
    let rule = Clipped { clip: Clip::Norm(1.0), rule: Adam { weight_decay: 0.1, ..Adam::adam_w(0.0) } };
    let cycle = OneCycle { rise: 0.1, cycle_momentum: false, ..OneCycle::new(5e-3, STEPS) };
    let mut scheduler = Scheduler::of::<f32>(Schedule::OneCycle(cycle), &rule);
    let (state, none) = ((net.clone(), rule.start(&net)), vec![0; PIECES * LENGTH]);
    let mut step = Program::record(
        &state,
        &(&none, &none, 0.0_f32, Key::new(0)),
        |_, (net, memory), (letters, next, rate, key)| {
            let scores = net.forward(&letters.reshape([PIECES, LENGTH]), &Context::training(key));
            let loss = scores.reshape([PIECES * LENGTH, scores.shape()[2]]).cross_entropy(&next);
            (next_state(&rule.update(&net, &grad(loss, &net), &memory, rate)), vec![loss])
        },
    )?;
    let rng = &mut generator(1);
    for i in 1..=STEPS {
        let (mut letters, mut next) = (Vec::<usize>::new(), Vec::<usize>::new());
        for _ in 0..PIECES {
            let start = rng.random_range(0..train.len() - LENGTH);
            letters.extend(&train[start..][..LENGTH]);
            next.extend(&train[start + 1..][..LENGTH]);
        }
        let key = Key::new(0).fold_in(i.into());
        let loss = step.run(&(&letters, &next, scheduler.rate() as f32, key))?.item(0);
        scheduler.step();
        if i % 200 == 0 {
            println!("batch {i}: {:.3} bits per letter", f64::from(loss) / LN_2);
        }
    }
    step.store_part("0", &mut net)?;

    let bits = bits_of_net(&net, test);
    println!("on the tenth of the text that was held out, in bits per letter:");
    for n in 1..=5 {
        println!("  counts of {n} letters {:.3}", bits_of_counts(n, train, test, kinds.len()));
    }
    println!("  the net {bits:.3}");
    let written: String = written(&net, text[..LENGTH].to_vec(), 400).iter().map(|&letter| kinds[letter]).collect();
    println!("what it writes:\n{written}");
    if bits > bits_of_counts(3, train, test, kinds.len()) {
        return Err("the net should need less than counts of 3 letters".into());
    }
    Ok(())
}
