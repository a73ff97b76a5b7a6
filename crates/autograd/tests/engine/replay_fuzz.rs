//! Random programs replay to the same bits as recording and computing anew, with each pass switched off in turn.

use crate::random::Random;
use autograd::{Key, KeyVar, Optimisations, Program, Slice, Tape, Tensor, Var, concat, grad, keepdims};

fn tensor(random: &mut Random, shape: &[usize]) -> Tensor {
    let n = shape.iter().product();
    Tensor::new(shape, (0..n).map(|_| random.below(2001) as f64 * 1e-3 - 1.0).collect())
}

const SHAPES: [&[usize]; 8] = [&[3, 4], &[4], &[3, 1], &[], &[4, 3], &[1, 4], &[2, 3, 4], &[0, 4]];

/// Grows a random expression: each operation takes earlier results, so nodes are shared, and some are never asked for.
fn grow<'t>(random: &mut Random, pool: &mut Vec<Var<'t>>, key: KeyVar<'t>, steps: usize) {
    for _ in 0..steps {
        let pick = |random: &mut Random, pool: &[Var<'t>]| pool[random.below(pool.len())];
        let (a, b, c) = (pick(random, pool), pick(random, pool), pick(random, pool));
        let rank = a.rank() as isize;
        let y = match random.below(28) {
            0 => a.tanh(),
            1 => a.sin(),
            2 => a.sigmoid(),
            3 => a.relu(),
            4 => a * 0.5 + 0.25,
            5 => a.square().add_scalar(1.0).log(),
            6 => a.abs(),
            7 => (a * 0.3).exp(),
            8 | 9 => match a.try_add(b) {
                Ok(sum) => sum * 0.5,
                Err(_) => a - 0.1,
            },
            10 | 11 => a.try_mul(b).unwrap_or(a),
            12 => a.try_maximum(b).unwrap_or(a),
            13 => a.try_select(b, c).unwrap_or(b),
            14 => a.try_matmul(b).map_or(a, |y| y * 0.3),
            15 if rank > 0 => a.sum_axes(random.below(rank as usize) as isize) * 0.2,
            16 if rank > 0 => a.logsumexp(keepdims(-1)),
            17 if rank > 0 => a.softmax(-1),
            18 if rank > 1 => a.t(),
            19 => a.reshape([a.numel()]),
            20 if rank > 0 => a.slice([Slice::all().step(-1)]),
            21 if rank > 0 => concat(&[a, a * 2.0], -1),
            22 if rank > 0 => a.cumsum(-1) * 0.3,
            23 => a.broadcast_to([&[2][..], &a.shape()].concat()).sum_axes(0) * 0.5,
            24 => a + key.normal(a.shape()) * 0.2,
            25 => a.dropout(0.4, key.fold_in(random.below(3) as u64)),
            26 => a * key.fold_in_number(b.mean_or_zero()).bernoulli(0.5, a.shape()),
            27 if rank > 0 && a.shape()[0] > 1 => {
                let n = a.shape()[0];
                a.gather(0, &key.permutation(n).narrow(0, 1, n - 1))
            }
            _ => a - b.mean_or_zero(),
        };
        if y.numel() <= 200 {
            pool.push(y);
        }
    }
}

trait MeanOrZero {
    fn mean_or_zero(self) -> Self;
}

impl MeanOrZero for Var<'_> {
    fn mean_or_zero(self) -> Self {
        if self.numel() == 0 { self.sum() } else { self.mean() }
    }
}

/// A random expression of state and inputs: the state's next values and the outputs, gradients among them.
fn expression<'t>(seed: u64, state: &[Var<'t>], inputs: &[Var<'t>], key: KeyVar<'t>) -> (Vec<Var<'t>>, Vec<Var<'t>>) {
    let mut random = Random(seed);
    let mut pool: Vec<Var<'t>> = state.iter().chain(inputs).copied().collect();
    grow(&mut random, &mut pool, key, 25);
    let tail = pool[pool.len() - 4..].to_vec();
    let loss = tail.iter().map(|y| y.square().mean_or_zero()).sum::<Var<'t>>();
    let grads = grad(loss, &state.to_vec());
    let next = state.iter().zip(&grads).map(|(p, g)| *p - *g * 0.1).collect();
    let mut outputs = vec![loss, tail[0], tail[0], pool[random.below(pool.len())], state[0]];
    outputs.push(grad((grads[0] * grads[0]).sum(), &inputs[0]));
    (next, outputs)
}

/// Equal numbers everywhere; NaN equals NaN.
fn same(a: &Tensor, b: &Tensor) -> bool {
    let equal = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
    a.shape() == b.shape() && a.as_slice().iter().zip(b.as_slice()).all(equal)
}

#[test]
fn random_programs_replay_to_the_same_bits_whichever_passes_run() {
    let choices = Optimisations::choices();
    for seed in crate::random::seeds(150) {
        let mut random = Random(seed * 7919 + 1);
        let shapes: Vec<&[usize]> = (0..4).map(|_| SHAPES[random.below(SHAPES.len())]).collect();
        let state: [Tensor; 2] = [tensor(&mut random, shapes[0]), tensor(&mut random, shapes[1])];
        let batches: Vec<Vec<Tensor>> =
            (0..3).map(|_| vec![tensor(&mut random, shapes[2]), tensor(&mut random, shapes[3])]).collect();
        for &passes in &choices {
            let mut program =
                Program::record_with(passes, &state, &(&batches[0], Key::new(seed)), |_, state, (inputs, key)| {
                    expression(seed, &state, &inputs, key)
                })
                .unwrap();
            let mut eager_state = state.to_vec();
            for (round, batch) in batches.iter().enumerate() {
                let tape = Tape::new();
                let vars: Vec<Var<'_>> = eager_state.iter().map(|t| tape.var(t)).collect();
                let inputs: Vec<Var<'_>> = batch.iter().map(|t| tape.var(t)).collect();
                let key = Key::new(seed).fold_in(round as u64);
                let (next, outputs) = expression(seed, &vars, &inputs, tape.key(key));
                let (next, outputs) = tape.values(&(next, outputs));
                let replayed = program.run(&(batch, key)).unwrap();
                for (k, output) in outputs.iter().enumerate() {
                    let got = replayed.tensor(k);
                    assert!(
                        same(&got, output),
                        "seed {seed}, round {round}, output {k}, {passes:?}: {got:?} {output:?}"
                    );
                }
                for (name, value) in ["0", "1"].iter().zip(&next) {
                    assert!(same(&program.state(name).unwrap(), value), "seed {seed}, state {name}, {passes:?}");
                }
                eager_state = next;
            }
        }
    }
}
