//! A recurrent net that writes: it reads a text letter by letter, and says of each one how likely it is, given all before (Karpathy, "The
//! unreasonable effectiveness of recurrent neural networks", 2015). The net is a GRU (Cho et al., 2014); the text three chapters of a book.
//!
//! `cargo run --release --example character_gru`
//!
//! It is measured in bits per letter on the last tenth of the text, beside letter counts of the same training text: the best of the models
//! that know up to five letters before the next, each smoothed by the shorter one (Witten and Bell, 1991).

use autograd::{Key, Program, Tensor, Var, tree};
use nn::data::{Batch, Target};
use nn::layers::{Cell, Dropout, Recurrent};
use nn::optim::{Clip, Clipped, OneCycle, Schedule, Scheduler};
use nn::train::Learner;
use nn::{Adam, Context, Init, Linear, generator};
use rand::RngExt;
use std::collections::BTreeMap;
use std::error::Error;
use std::f64::consts::LN_2;

const TEXT: &str = include_str!("../crates/nn/data/alice.txt");
/// Letters of a piece that the net learns from, pieces of a batch, batches, and the size of the state.
const LENGTH: usize = 64;
const PIECES: usize = 16;
const STEPS: u32 = 450;
const HIDDEN: usize = 96;

tree! {
    struct Net<V> { gru: Recurrent<V>, out: Linear<V>, ..dropout: Dropout }
}

impl<'t> Net<Var<'t, f32>> {
    /// Scores of what comes next, `[n, steps, letters]`, and the state after the last step; letters are rows of a 1 among zeros.
    fn forward(
        &self,
        letters: Var<'t, f32>,
        state: &[Var<'t, f32>],
        context: &Context<'t, f32>,
    ) -> (Var<'t, f32>, Vec<Var<'t, f32>>) {
        let (y, state) = self.gru.forward(letters, state);
        (self.out.forward(self.dropout.forward(y, context)), state)
    }
}

/// Pieces of a text as a batch, with the letter behind each letter as what is to be learnt.
fn batch(pieces: &[&[usize]], names: &[String]) -> Batch<f32> {
    let (steps, kinds) = (pieces[0].len() - 1, names.len());
    let mut letters = Tensor::zeros([pieces.len(), steps, kinds]);
    let rows = letters.as_mut_slice().chunks_mut(kinds);
    rows.zip(pieces.iter().flat_map(|piece| &piece[..steps])).for_each(|(row, &letter)| row[letter] = 1.0);
    let labels = pieces.iter().flat_map(|piece| &piece[1..]).copied().collect();
    Batch::new(letters, Target::Classes { labels, names: names.to_vec() })
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

/// A text that the net goes on with: a program whose state is that of the net, and the letter that it wrote last.
fn written(net: &Net<Tensor<f32>>, first: usize, count: u64) -> Result<Vec<usize>, Box<dyn Error>> {
    let kinds = net.out.weight.shape()[0];
    let row = Tensor::from_fn([1, 1, kinds], |kind| f32::from(u8::from(kind == first)));
    let start = (Tensor::zeros([1, 1, HIDDEN]), row);
    let mut write = Program::record(&start, &Key::new(0), |tape, (state, letter), key| {
        let (scores, state) = tape.vars(net).forward(letter, &[state], &Context::evaluating());
        let drawn = key.categorical(scores.reshape([1, kinds]), 1);
        let letter = tape.var(&Tensor::eye(kinds)).gather(0, &drawn).reshape([1, 1, kinds]);
        (vec![state[0], letter], vec![drawn.numbers()])
    })?;
    let letters = (0..count).map(|i| Ok(write.run(&Key::new(0).fold_in(i))?.item(0) as usize));
    letters.collect()
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut kinds: Vec<char> = TEXT.chars().collect();
    kinds.sort_unstable();
    kinds.dedup();
    let names: Vec<String> = kinds.iter().map(char::to_string).collect();
    let text: Vec<usize> = TEXT.chars().filter_map(|letter| kinds.binary_search(&letter).ok()).collect();
    let (train, test) = text.split_at(text.len() * 9 / 10);

    let rng = &mut generator(0);
    let gru = Recurrent { batch_first: true, ..Recurrent::new(Cell::Gru, [kinds.len(), HIDDEN], 1, rng) };
    let out = Linear::new([HIDDEN, kinds.len()], Init::XavierUniform { gain: 1.0 }, rng);
    let net = Net { gru, out, dropout: Dropout::new(0.4) };
    let rule = Clipped { clip: Clip::Norm(1.0), rule: Adam::new(0.0) };
    let mut scheduler = Scheduler::of::<f32>(Schedule::OneCycle(OneCycle::new(2e-2, STEPS)), &rule);
    let mut learner = Learner::new(net, rule, |net, batch| {
        let (scores, _) = net.forward(batch.features, &[], &batch.context);
        let [n, steps, kinds] = scores.shape()[..] else { panic!("scores have three axes") };
        scores.reshape([n * steps, kinds]).cross_entropy(&batch.labels())
    });
    for step in 1..=STEPS {
        let piece = |_| &train[rng.random_range(0..train.len() - LENGTH)..][..=LENGTH];
        let pieces: Vec<&[usize]> = (0..PIECES).map(piece).collect();
        scheduler.apply(&mut learner.rule);
        scheduler.step();
        let loss = learner.step(&batch(&pieces, &names))?;
        if step % 90 == 0 {
            println!("batch {step}: {:.3} bits per letter", loss / LN_2);
        }
    }

    let bits = learner.measure(&batch(&[test], &names))? / LN_2;
    println!("on the tenth of the text that was held out, in bits per letter:");
    for n in 1..=5 {
        println!("  counts of {n} letters {:.3}", bits_of_counts(n, train, test, kinds.len()));
    }
    println!("  the net {bits:.3}");
    let written: String = written(learner.net(), train[0], 400)?.iter().map(|&letter| kinds[letter]).collect();
    println!("what it writes:\n{written}");
    if bits > bits_of_counts(3, train, test, kinds.len()) - 0.1 {
        return Err("the net should need 0.1 bits less than counts of 3 letters".into());
    }
    Ok(())
}
