//! Passes put together at random.

use crate::passes::{Pass, tensor};
use autograd::{IndexVar, Slice, Tape, Tensor, Var, concat, keepdims};
use nn::generator;
use rand::RngExt as _;

type Step = Box<dyn for<'t> Fn(Var<'t>) -> Var<'t>>;

/// A pass of some steps, decided by a seed.
pub(crate) fn pass(seed: u64) -> Pass {
    let rng = &mut generator(seed);
    let rank = rng.random_range(1..4);
    let shape: Vec<usize> = (0..rank).map(|_| rng.random_range(1..5)).collect();
    let mut steps: Vec<Step> = Vec::new();
    let mut now = Tensor::zeros([&[2][..], &shape].concat());
    while steps.len() < 6 {
        let step = step(&now.shape()[..], rng);
        let tape = Tape::new();
        let next = step(tape.var(&now)).value();
        if next.numel() <= 400 {
            now = next;
            steps.push(step);
        }
    }
    let of: Step = Box::new(move |x| steps.iter().fold(x, |x, step| step(x)));
    Pass { name: format!("random_{seed}"), shape, of, within: [-2.0, 2.0] }
}

/// A step from this shape, whose first axis is the batch.
fn step(shape: &[usize], rng: &mut impl rand::Rng) -> Step {
    let rank = shape.len();
    if rank == 1 {
        return Box::new(|x| x.expand_dims(1).broadcast_to([x.shape()[0], 3]) + x.expand_dims(1));
    }
    let axis = rng.random_range(1..rank);
    let (size, at) = (shape[axis], axis as isize);
    match rng.random_range(0..20) {
        0 => Box::new(|x| x.tanh() - x * 0.5),
        1 => Box::new(|x| x.gelu()),
        2 => Box::new(move |x| x.softmax(at)),
        3 => Box::new(move |x| x.sum_axes(at)),
        4 => Box::new(move |x| x.mean_axes(keepdims(at)) + x),
        5 => Box::new(move |x| x.max_axes(at)),
        6 => Box::new(move |x| x.logsumexp(keepdims(at))),
        7 => Box::new(move |x| x.cumsum(at)),
        8 => Box::new(move |x| {
            let last = x.shape()[x.rank() - 1];
            let x = if x.rank() == 2 { x.expand_dims(1) } else { x };
            x.matmul(x.tape().var(&tensor(&[last, 3])))
        }),
        9 => Box::new(move |x| {
            let mut order: Vec<isize> = (0..x.rank() as isize).collect();
            order[1..].rotate_left(1);
            x.transpose(&order)
        }),
        10 => Box::new(|x| x.reshape([x.shape()[0], x.numel() / x.shape()[0]])),
        11 => {
            let from = rng.random_range(0..size) as isize;
            let step = [1, 2, -1, -2][rng.random_range(0..4)];
            let part =
                if step > 0 { Slice::from(from..) } else { Slice { start: Some(from), ..Slice::all() } }.step(step);
            Box::new(move |x| {
                let mut all = vec![Slice::all(); axis];
                all.push(part);
                x.slice(&all)
            })
        }
        12 => Box::new(move |x| x.flip(&[at])),
        13 => Box::new(move |x| {
            let mut pads = vec![(0, 0); axis];
            pads.push((1, 1));
            x.pad(&pads, -0.5)
        }),
        14 => Box::new(move |x| concat(&[x.sin(), x], at)),
        15 => {
            let places: Vec<i64> = (0..3).map(|_| rng.random_range(-(size as i64)..size as i64)).collect();
            Box::new(move |x| {
                let index: IndexVar<'_> = x.tape().indices([3], &places);
                x.gather(at, &index)
            })
        }
        16 => Box::new(move |x| x.expand_dims(at) * 0.7),
        17 => Box::new(move |x| x.maximum(x.flip(&[at])) - x.tape().var(&tensor(&[x.shape()[x.rank() - 1]]))),
        18 => Box::new(move |x| x.gt(0.2).select(x, x.square())),
        _ => Box::new(move |x| x.argmax(at).numbers() * 0.25),
    }
}
