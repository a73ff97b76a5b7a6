//! Programs of arrays of a few numbers that are taken apart and put together, and loops of such steps, have the bits of the tape.

use crate::random::{Random, seeds};
use autograd::{Optimisations, Program, Scan, Slice, Tape, Tensor, Var, concat, grad, stack};

const SHAPES: [&[usize]; 8] = [&[], &[1], &[2], &[3], &[2, 2], &[1, 3], &[4], &[2, 1, 2]];

/// Zeros of both signs and what is no number are among them, now and then.
fn tensor(random: &mut Random, shape: &[usize], odd: bool) -> Tensor {
    let element = |random: &mut Random| match random.below(if odd { 12 } else { 60 }) {
        0 => 0.0,
        1 => -0.0,
        2 if odd => f64::INFINITY,
        3 if odd => f64::NAN,
        _ => random.below(2001) as f64 * 1e-3 - 1.0,
    };
    Tensor::new(shape, (0..shape.iter().product()).map(|_| element(random)).collect())
}

/// Steps of arithmetic, and such that only move numbers, on earlier results.
fn grow<'t>(random: &mut Random, pool: &mut Vec<Var<'t>>, steps: usize) {
    for _ in 0..steps {
        let pick = |random: &mut Random, pool: &[Var<'t>]| pool[random.below(pool.len())];
        let (a, b, c) = (pick(random, pool), pick(random, pool), pick(random, pool));
        let (rank, flat) = (a.rank() as isize, a.reshape([a.numel()]));
        let n = a.numel();
        let y = match random.below(20) {
            0 => a.sin(),
            1 => a * 0.5 - 0.25,
            2 => -a,
            3 => a.try_add(b).unwrap_or(a),
            4 => a.try_sub(b).unwrap_or(b),
            5 => a.try_mul(b).unwrap_or(a),
            6 => a.try_div(b).unwrap_or(b),
            7 => a.try_select(b, c).unwrap_or(c),
            8 => a.try_maximum(b).unwrap_or(a),
            9 | 10 => flat.index_axis(0, random.below(n) as isize),
            11 => {
                let (from, end) = (random.below(n), random.below(n));
                flat.narrow(0, from.min(end), from.abs_diff(end) + 1)
            }
            12 => concat(&[flat, b.reshape([b.numel()])], 0),
            13 => stack(&[a, a.cos()], random.below(rank as usize + 1) as isize),
            14 if rank > 1 => a.t(),
            15 if rank > 0 => a.slice([Slice::all().step(-1)]),
            16 => flat.pad(&[(random.below(2), random.below(2))], [0.0, 1.5][random.below(2)]),
            17 => a.sum(),
            18 => a.reshape([n, 1]),
            _ if rank > 0 => a.sum_axes(random.below(rank as usize) as isize),
            _ => a,
        };
        if y.numel() <= 12 {
            pool.push(y);
        }
    }
}

/// A random expression: its value, some of what it is made of, and gradients.
fn expression<'t>(seed: u64, given: &[Var<'t>]) -> Vec<Var<'t>> {
    let mut random = Random(seed);
    let mut pool = given.to_vec();
    grow(&mut random, &mut pool, 30);
    let tail = pool[pool.len() - 3..].to_vec();
    let loss = tail.iter().map(|y| y.square().sum()).sum::<Var<'t>>();
    let grads = grad(loss, &given.to_vec());
    let curvature = grad(grads[0].square().sum(), &given[1]);
    [vec![loss, tail[0], tail[1], tail[1], curvature], grads].concat()
}

fn same(a: &Tensor, b: &Tensor) -> bool {
    let equal = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan());
    a.shape() == b.shape() && a.as_slice().iter().zip(b.as_slice()).all(equal)
}

fn choices() -> [Optimisations; 4] {
    let all = Optimisations::default();
    [all.traced(), all.without("elements"), all.without("chains"), all.without("memory")]
}

#[test]
fn programs_of_a_few_numbers_have_the_bits_of_the_tape() {
    let mut taken_apart = 0;
    for seed in seeds(400) {
        let mut random = Random(seed * 7919 + 3);
        let odd = random.one_in(3);
        let given: Vec<Tensor> = (0..3)
            .map(|_| {
                let shape = SHAPES[random.below(SHAPES.len())];
                tensor(&mut random, shape, odd)
            })
            .collect();
        let tape = Tape::new();
        let want = tape.values(&expression(seed, &given.iter().map(|x| tape.var(x)).collect::<Vec<_>>()));
        for passes in choices() {
            let mut program =
                Program::record_with(passes, &(), &given, |_, (), given| (vec![], expression(seed, &given))).unwrap();
            taken_apart += usize::from(program.trace().is_some_and(|trace| trace.contains("after elements")));
            let got = program.run(&given).unwrap();
            for (k, want) in want.iter().enumerate() {
                let got = got.tensor(k);
                assert!(same(&got, want), "seed {seed}, output {k}, {passes:?}: {got:?}, not {want:?}");
            }
        }
    }
    assert!(taken_apart > 0, "no program was taken apart");
}

/// A step of random arithmetic on what is carried, and a slice.
fn step<'t>(seed: u64, carried: Var<'t>, slice: Var<'t>, constant: Var<'t>) -> (Var<'t>, Var<'t>) {
    let mut pool = vec![carried, slice, constant];
    grow(&mut Random(seed), &mut pool, 14);
    let all: Vec<Var<'t>> = pool[3..].iter().map(|y| y.reshape([y.numel()])).collect();
    let all = if all.is_empty() { carried.reshape([carried.numel()]) } else { concat(&all, 0) };
    let n = all.numel();
    let places: Vec<isize> = (0..carried.numel()).map(|k| (k * 5 % n) as isize).collect();
    let parts: Vec<Var<'t>> = places.iter().map(|&k| all.index_axis(0, k).tanh()).collect();
    (stack(&parts, 0).reshape(carried.shape()), all.index_axis(0, -1))
}

fn loss_of<'t>(outputs: Var<'t>, last: Var<'t>) -> Var<'t> {
    outputs.square().sum() + last.sum()
}

#[test]
fn loops_of_a_few_numbers_have_the_bits_of_what_is_written_out() {
    const STEPS: usize = 5;
    for seed in seeds(150) {
        let mut random = Random(seed * 104_729 + 1);
        let shape = SHAPES[random.below(SHAPES.len())];
        let start = tensor(&mut random, shape, false);
        let slices = tensor(&mut random, &[STEPS, 2], false);
        let constant = tensor(&mut random, &[3], false);
        let tape = Tape::new();
        let (x, s, c) = (tape.var(&start), tape.var(&slices), tape.var(&constant));
        let (mut carried, mut outputs) = (x, vec![]);
        for t in 0..STEPS {
            let (next, output) = step(seed, carried, s.index_axis(0, t as isize), c);
            carried = next;
            outputs.push(output);
        }
        let want = tape.values(&vec![loss_of(stack(&outputs, 0), carried), carried]);
        let mut program = Program::record(&(), &(&start, &slices, &constant), |tape, (), (x, s, c)| {
            let (last, outputs) = Scan::steps(STEPS).run(tape, &x, &s, |x, s, _| step(seed, x, s, c));
            let loss = loss_of(outputs, last);
            let grads = grad(loss, &(x, c));
            (vec![], vec![loss, last, grads.0, grads.1])
        })
        .unwrap();
        let got = program.run(&(&start, &slices, &constant)).unwrap();
        for (k, want) in want.iter().enumerate() {
            assert!(same(&got.tensor(k), want), "seed {seed}, output {k}: {:?}, not {want:?}", got.tensor(k));
        }
        let grads = tape.values(&vec![grad(loss_of(stack(&outputs, 0), carried), &(x, c)).0]);
        let close = |(a, b): (&f64, &f64)| {
            a == b || (a - b).abs() <= 1e-9 * (1.0 + b.abs()) || a.is_nan() == b.is_nan() && b.is_nan()
        };
        let grad = got.tensor(2);
        assert!(
            grad.as_slice().iter().zip(grads[0].as_slice()).all(close),
            "seed {seed}: {grad:?}, not {:?}",
            grads[0]
        );
    }
}
