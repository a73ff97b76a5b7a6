//! Parameters that are updated by one formula, some of them, by momentum, Adam or plain descent, with a penalty or without, used as
//! they are, transposed, cut or as an output, lie one behind the other in a program: its results, its states by name, and its states
//! that are set between runs have the bits of recording and computing anew.

use crate::random::{Random, seeds};
use autograd::{Float, Optimisations, Program, Tape, Tensor, Var, grad};
use std::collections::BTreeSet;

fn numbers<T: Float>(shape: &[usize], seed: usize) -> Tensor<T> {
    Tensor::from_fn(shape, |i| T::of(((i * 29 + seed * 17) % 23) as f64 * 0.05 - 0.5))
}

const SHAPES: [&[usize]; 10] = [&[4, 10], &[10], &[10, 3], &[3], &[5, 5], &[16], &[17], &[2], &[1], &[7, 40]];
/// The parts of the state of a parameter: itself and two moments.
const PARTS: usize = 3;

/// What a parameter contributes to the loss.
fn term<'t, T: Float>(random: &mut Random, p: Var<'t, T>, x: Var<'t, T>) -> Var<'t, T> {
    let matrix = p.shape().rank() == 2;
    match random.below(7) {
        0 => (p * x.sum()).tanh().sum(),
        1 => p.square().sum() * x.sum(),
        2 if matrix => p.t().matmul(p).sum() * x.sum(),
        3 if matrix => (p.matmul(p.t() * x.narrow(0, 0, 1)) * 0.3).sigmoid().sum(),
        4 => (p.narrow(-1, 0, 1) * x.narrow(0, 1, 1)).sum() + p.sum(),
        5 => (x * p.reshape([p.shape().iter().product()]).narrow(0, 0, 1)).exp().sum() + p.square().sum(),
        _ => (p * p.sin()).sum() * x.sum(),
    }
}

/// The next values of a parameter and its moments.
fn updated<'t, T: Float>(
    kind: usize,
    [p, m, v]: [Var<'t, T>; PARTS],
    g: Var<'t, T>,
    t: Var<'t, T>,
) -> [Var<'t, T>; PARTS] {
    match kind {
        0 => [p - g * 0.1, m, v],
        1 | 2 => {
            let m = m * 0.9 + g;
            [p - m * t, m, v]
        }
        3 | 4 => {
            let (m, v) = (m * 0.9 + g * 0.1, v * 0.99 + g.square() * 0.01);
            [p - t * m / (v.sqrt() + 1e-3), m, v]
        }
        // The second moment takes the place of the first, and the parameter reads what it was.
        5 => [p - (m + v) * t, v, g],
        6 => [p - m * t, m * 0.5 + p * g, v],
        _ => [p, m, v],
    }
}

/// The next state and the outputs of a step: parameters with their moments, and an input of two numbers.
fn step<'t, T: Float>(seed: u64, state: &[Var<'t, T>], x: Var<'t, T>) -> (Vec<Var<'t, T>>, Vec<Var<'t, T>>) {
    let random = &mut Random(seed);
    let params: Vec<Var<'t, T>> = state.iter().step_by(PARTS).copied().collect();
    let terms = params.iter().map(|&p| term(random, p, x));
    let mut loss = terms.reduce(|a, b| a + b).expect("there are parameters");
    if random.one_in(2) {
        let decayed: Vec<_> = params.iter().filter(|_| random.one_in(2)).copied().collect();
        loss = decayed.into_iter().fold(loss, |loss, p| loss + p.square().sum() * 0.01);
    }
    let mut grads = grad(loss, &params);
    if random.one_in(4) {
        let norm = grads.iter().map(|g| g.square().sum()).reduce(|a, b| a + b).expect("there are gradients");
        grads = grads.into_iter().map(|g| g / (norm.sqrt() + 1.0)).collect();
    }
    let (one_kind, other) = (random.below(8), random.below(8));
    let t = x.sum() * 0.1;
    let (mut next, mut outputs) = (Vec::new(), vec![loss]);
    for (k, &g) in grads.iter().enumerate() {
        let kind = if random.one_in(4) { other } else { one_kind };
        let parts = [0, 1, 2].map(|part| state[PARTS * k + part]);
        let after = updated(kind, parts, g, t);
        next.extend(after);
        match random.below(10) {
            0 => outputs.push(g),
            1 => outputs.push(after[0]),
            2 => outputs.extend(parts),
            3 => outputs.push(after[1].sum()),
            _ => {}
        }
    }
    (next, outputs)
}

/// Every NaN is one: which sign it has depends on which of two operands an instruction reads first.
fn bits<T: Float>(x: &Tensor<T>) -> Vec<u64> {
    x.as_slice().iter().map(|x| if x.is_nan() { u64::MAX } else { x.to_f64().to_bits() }).collect()
}

fn check<T: Float>(seed: u64) {
    let random = &mut Random(seed ^ 0x5eed);
    let shapes: Vec<&[usize]> = (0..2 + random.below(5)).map(|_| SHAPES[random.below(SHAPES.len())]).collect();
    let part = |k: usize| match k % PARTS {
        0 => numbers::<T>(shapes[k / PARTS], k + 1),
        1 => Tensor::zeros(shapes[k / PARTS]),
        _ => {
            let root = numbers::<T>(shapes[k / PARTS], k);
            &root * &root
        }
    };
    let state: Vec<Tensor<T>> = (0..PARTS * shapes.len()).map(part).collect();
    let inputs = [3, 4, 5].map(|seed| numbers::<T>(&[2], seed));
    // What the tape gives is the same for every choice. After each round one part is set from outside, and is the only one that this
    // changes.
    let mut now = state.clone();
    let wanted = [0, 1, 2].map(|round| {
        let tape = Tape::default();
        let (next, outputs) = tape.values(&step(seed, &tape.vars(&now), tape.var(&inputs[round])));
        now.clone_from(&next);
        let set = random.below(now.len());
        now[set] = numbers(now[set].shape(), round);
        ([next, outputs].map(|values| values.iter().map(bits).collect::<Vec<_>>()), (set, now[set].clone()))
    });
    for passes in Optimisations::choices() {
        let recorded = Program::record_with(passes, &state, &inputs[0], |_, state: Vec<_>, x| step(seed, &state, x));
        let mut program = recorded.unwrap();
        for (round, ([next, outputs], (set, value))) in wanted.iter().enumerate() {
            let what =
                |which: &str, k: usize| format!("{which} {k} of seed {seed}, {shapes:?}, round {round}, {passes:?}");
            let replayed = program.run(&inputs[round]).unwrap();
            for (k, output) in outputs.iter().enumerate() {
                assert!(bits(&replayed.tensor(k)) == *output, "{}\n{program}", what("output", k));
            }
            for (k, next) in next.iter().enumerate() {
                let found = program.state(&k.to_string()).unwrap();
                assert!(bits(&found) == *next, "{}\n{program}", what("state", k));
            }
            program.set_state(&set.to_string(), value).unwrap();
            let (mut expected, mut stored) = (next.clone(), state.clone());
            expected[*set] = bits(value);
            program.clone().store_state(&mut stored[..]).unwrap();
            assert!(stored.iter().map(bits).eq(expected), "{}", what("after the state was set,", *set));
        }
    }
}

#[test]
fn values_that_are_updated_alike_lie_side_by_side_with_the_bits_of_single_ones() {
    for seed in seeds(60) {
        check::<f32>(seed);
        check::<f64>(seed);
    }
}

#[test]
fn momentum_is_one_operand_of_one_chain_for_each_of_parameters_velocities_and_gradients() {
    let shapes: [&[usize]; 4] = [&[4, 10], &[10], &[10, 3], &[3]];
    let state: Vec<Tensor> = (0..8).map(|k| numbers(shapes[k % 4], k)).collect();
    let (x, labels) = (numbers(&[5, 4], 3), [0_usize, 2, 1, 1, 0]);
    let program = Program::record(&state, &(&x, &labels), |_, state, (x, labels)| {
        let (p, v) = state.split_at(4);
        let loss = ((x.matmul(p[0]) + p[1]).relu().matmul(p[2]) + p[3]).cross_entropy(&labels);
        let v: Vec<_> = v.iter().zip(grad(loss, &p.to_vec())).map(|(&v, g)| v * 0.9 + g).collect();
        (p.iter().zip(&v).map(|(&p, &v)| p - v * 0.1).chain(v.iter().copied()).collect(), vec![loss])
    });
    let text = program.unwrap().to_string();
    // Each from a multiple of four elements on.
    for place in ["b0 [4, 10]", "b0+40 [10]", "b0+52 [10, 3]", "b0+84 [3]", "b1+84 [3]"] {
        assert!(text.contains(place), "{place} in\n{text}");
    }
    let buffers: BTreeSet<&str> =
        text.split("+84 [3]").filter_map(|before| before.split([' ', '(']).next_back()).collect();
    assert!(
        buffers.len() > 3,
        "parameters, velocities and gradients lie one behind the other, not only {buffers:?} in\n{text}"
    );
}
