//! Values that are asked for one after the other, before and after more is recorded, have the bits that they have on a new tape, and
//! a step that asks what the one before it asked is computed by programs.

use crate::random::Random;
use crate::repeated_steps::numbers;
use autograd::{Tape, Tensor, Var, grad};

fn bits(tensor: &Tensor) -> Vec<u64> {
    tensor.as_slice().iter().map(|x| x.to_bits()).collect()
}

/// What a step does between what it records: asks for values, each as it is chosen.
trait Ask {
    fn ask<'t>(&mut self, tape: &'t Tape, vars: &[Var<'t>]);
}

/// Each by itself.
#[derive(Default)]
struct OneByOne(Vec<Vec<u64>>);

impl Ask for OneByOne {
    fn ask<'t>(&mut self, _: &'t Tape, vars: &[Var<'t>]) {
        self.0.extend(vars.iter().map(|var| bits(&var.value())));
    }
}

/// In every way, some not at all, what was asked for before too.
struct AnyWay(Random, Vec<Vec<u64>>);

impl Ask for AnyWay {
    fn ask<'t>(&mut self, tape: &'t Tape, vars: &[Var<'t>]) {
        let mut left = vars;
        while !left.is_empty() {
            let (now, rest) = left.split_at(1 + self.0.below(left.len()));
            left = rest;
            match self.0.below(5) {
                0 => {}
                1 => self.1.extend(tape.values(now).iter().map(bits)),
                2 => self.1.extend(now.iter().map(|var| var.with_value(|x| x.iter().map(|x| x.to_bits()).collect()))),
                3 => self.1.extend(now.iter().rev().map(|var| bits(&var.value()))),
                _ => self.1.extend(tape.values(&[now, vars].concat()).iter().map(bits)),
            }
        }
    }
}

/// A net whose loss is asked for before its gradient is recorded, and the size of an update after that.
fn training_step<'t>(tape: &'t Tape, i: usize, rows: usize, ask: &mut impl Ask) {
    let (x, w) = (tape.var(&numbers([rows, 7], i)), tape.var(&numbers([7, 5], i + 1)));
    let (v, b) = (tape.var(&numbers([5, 3], i + 2)), tape.var(&numbers([5], i + 3)));
    let hidden = (x.matmul(w) + b).tanh();
    let labels: Vec<usize> = (0..rows).map(|row| (row + i) % 3).collect();
    let scores = hidden.matmul(v);
    let loss = scores.cross_entropy(&labels);
    ask.ask(tape, &[loss, x, scores]);
    let rate = tape.scalar(0.1 + i as f64);
    let grads = grad(loss, &[w, v, b]);
    ask.ask(tape, &grads);
    let sizes: Vec<Var<'t>> = grads.iter().map(|grad| (*grad * rate).square().sum() + loss * 0.0).collect();
    ask.ask(tape, &[sizes.iter().copied().sum::<Var<'t>>(), hidden, rate, sizes[1]]);
}

fn steps_agree(count: usize, mut step: impl FnMut(&Tape, usize) -> Vec<Vec<u64>>) -> u64 {
    let mut tape = Tape::new();
    for i in 0..count {
        tape.clear();
        let found = step(&tape, i);
        assert_eq!(found, step(&Tape::new(), i), "step {i}");
    }
    tape.replays()
}

#[test]
fn one_after_the_other_they_are_what_they_are_on_a_new_tape_and_steps_repeat() {
    for rows in [4, 200] {
        let replays = steps_agree(12, |tape, i| {
            let mut ask = OneByOne::default();
            training_step(tape, i, rows, &mut ask);
            ask.0
        });
        assert_eq!(replays, 12 - 2);
    }
}

#[test]
fn asked_in_any_way_they_are_what_they_are_on_a_new_tape() {
    for seed in 0..12 {
        let mut choice = Random(seed);
        // Ways that are taken for some steps each, so that there are programs for them.
        let ways: Vec<u64> = (0..10).flat_map(|_| vec![choice.below(4) as u64; 1 + choice.below(12)]).collect();
        steps_agree(ways.len(), |tape, i| {
            let mut ask = AnyWay(Random(seed * 31 + ways[i]), Vec::new());
            training_step(tape, i, if seed % 3 == 0 { 200 } else { 3 }, &mut ask);
            ask.1
        });
    }
}

#[test]
fn steps_that_part_after_a_question_agree() {
    for seed in 0..8 {
        let mut choice = Random(seed);
        let ways: Vec<usize> = (0..60).map(|i| if i % 10 < 5 { choice.below(3) } else { 1 }).collect();
        steps_agree(ways.len(), |tape, i| {
            let x = tape.var(&numbers([4, 3], i));
            let y = (x.sin() * x).sum_axes(0);
            let mut asked = vec![bits(&y.value())];
            let z = match ways[i] {
                0 => grad(y.sum(), &x),
                1 => (y.exp() - x).square(),
                _ => y * tape.scalar(i as f64),
            };
            asked.push(bits(&z.value()));
            // A question for each node of a long chain is more than are remembered of a step.
            let mut last = z;
            for _ in 0..if seed % 2 == 0 { 12 } else { 1 } {
                last = (last + y.square()).tanh();
                asked.push(bits(&last.value()));
            }
            asked
        });
    }
}

#[test]
fn what_is_wanted_no_more_and_what_is_wanted_anew_is_found_in_time() {
    // The second half asks for other values of the same nodes, for long enough that the program gives them.
    steps_agree(60, |tape, i| {
        let x = tape.var(&numbers([3, 5], i));
        let (y, z) = (x.exp().sum(), x.cos().cumsum(1));
        let grads = [grad(y, &x), grad(z.sum(), &x)];
        let first = bits(&y.value());
        let then = if i < 30 { [bits(&grads[0].value()), vec![]] } else { [bits(&grads[1].value()), bits(&z.value())] };
        [first].into_iter().chain(then).collect()
    });
}

#[test]
fn what_is_looked_for_in_a_step_that_repeats_is_found() {
    let mut tape = Tape::new();
    for i in 0..8 {
        tape.clear();
        let x = tape.var(&Tensor::from([f64::from(i), -1.0, 2.0]));
        let y = x.exp().sum();
        assert!(tape.first_non_finite(&y).is_none());
        assert!(tape.first_non_finite(&(y * f64::INFINITY)).is_some());
    }
}

#[test]
fn long_steps_with_questions_between_agree() {
    // Each link reads the first value, and each question many of the links before it.
    for n in [40, 700] {
        steps_agree(8, |tape, i| {
            let x = tape.scalar(0.01 * i as f64);
            let mut links = vec![x.sin()];
            let mut asked = vec![bits(&links[0].value())];
            for _ in 0..n {
                links.push((links[links.len() - 1] * 0.99 + links[0]).tanh());
            }
            asked.extend([n, n / 2, 3].map(|k| bits(&links[k].square().value())));
            asked.push(bits(&grad(links[n], &x).value()));
            asked.push(bits(&links.iter().copied().sum::<Var<'_>>().value()));
            asked.extend(links.iter().rev().map(|link| bits(&link.value())));
            asked
        });
    }
}
