//! A recomputed part has the derivatives that it would have if it were kept, however its operands depend on each other.

use super::operations::{FixedPoint, Root};
use crate::random::Random;
use approx::assert_relative_eq;
use autograd::{Program, Tape, Tensor, Var, grad, hessian, hvp, jacobian, jvp, vjp};

/// The part as it stands, or recomputed.
fn part<'t>(tape: &'t Tape, recomputed: bool, part: impl FnOnce() -> Var<'t>) -> Var<'t> {
    if recomputed { tape.checkpoint(part) } else { part() }
}

/// 18 and 14 once: the sweep of the second part went on through the first, as the outer sweep does.
#[test]
fn parts_in_a_row_may_share_a_weight() {
    let tape = Tape::new();
    let (x, w) = (tape.scalar(2.0), tape.scalar(3.0));
    let a = tape.checkpoint(|| x * w);
    let b = tape.checkpoint(|| a * w);
    assert_eq!(grad(b, &w).item(), 12.0); // 2xw
    assert_eq!(hessian(b, w).item(), 4.0); // 2x
    assert_eq!(jvp(b, &w, &tape.scalar(1.0)).item(), 12.0);
    let [dx, da, dw] = grad(b, &[x, a, w]);
    assert_eq!([dx.item(), da.item(), dw.item()], [9.0, 3.0, 12.0]);

    let (x, w) = (tape.scalar(0.5), tape.scalar(2.0));
    let cubed = (0..3).fold(x, |h, _| tape.checkpoint(|| h * w));
    assert_eq!(grad(cubed, &w).item(), 6.0); // 3xw²
}

#[test]
fn an_operand_of_a_part_may_be_a_function_of_another() {
    let tape = Tape::new();
    let w = tape.scalar(1.25);
    let h = w.exp();
    assert_relative_eq!(grad(tape.checkpoint(|| h * w), &w).item(), 1.25_f64.exp() * 2.25, max_relative = 1e-15);
    let q = tape.scalar(1.5);
    let p = q.square();
    let r = p * q;
    let y = tape.checkpoint(|| p + q * r);
    assert_eq!(grad(y, &q).item(), 16.5); // 2q + 4q³
    let x = tape.var(&Tensor::from([2.0, 3.0]));
    let s = x.sum();
    assert_eq!(jacobian(tape.checkpoint(|| x * s), x).value().as_slice(), [7.0, 2.0, 3.0, 8.0]); // s·I + x·1ᵀ
}

/// Twenty Euler steps of `y′ = −ky`; −20193.98 once.
#[test]
fn a_recurrence_of_parts_counts_each_path_once() {
    let tape = Tape::new();
    let k = tape.scalar(0.75);
    let y = (0..20).fold(tape.scalar(1.0), |y, _| tape.checkpoint(|| y - k * y * 0.125));
    let ratio: f64 = 1.0 - 0.75 * 0.125;
    assert_relative_eq!(y.item(), ratio.powi(20), max_relative = 1e-14);
    assert_relative_eq!(grad(y, &k).item(), -20.0 * 0.125 * ratio.powi(19), max_relative = 1e-14);
    assert_relative_eq!(hvp(y, &k, &tape.scalar(1.0)).item(), 380.0 / 64.0 * ratio.powi(18), max_relative = 1e-13);
}

#[test]
fn a_program_of_parts_in_a_row_has_their_gradient() {
    let mut program = Program::record(&Tensor::scalar(-4.0), &1.5, |tape, w: Var<'_>, x| {
        let a = tape.checkpoint(|| x * w);
        let b = tape.checkpoint(|| a * w);
        let dw = grad(b, &w);
        (vec![w - dw], vec![dw])
    })
    .unwrap();
    assert_eq!(program.run(&1.5).unwrap().item(0), -12.0);
    assert_eq!(program.run(&0.25).unwrap().item(0), 4.0); // 2 · 0.25 · 8
}

#[test]
fn steps_of_parts_in_a_row_repeat() {
    let mut tape = Tape::new();
    let mut w = Tensor::scalar(0.5);
    for step in 0..10 {
        let at = w.item();
        let (y, dw) = tape.value_and_grad(&w, |tape, w| {
            let x = tape.scalar(2.0);
            (0..3).fold(x, |h, _| tape.checkpoint(|| h * w)) // 2w³
        });
        assert_relative_eq!(y, 2.0 * at.powi(3), max_relative = 1e-14);
        assert_relative_eq!(dw.item(), 6.0 * at * at, max_relative = 1e-14);
        w.as_mut_slice()[0] += if step == 6 { 1.0 } else { 0.125 };
    }
}

/// The sweep of a part was kept by its cotangent's place alone, so that what `no_grad` recorded was given out later.
#[test]
fn a_part_that_was_differentiated_within_no_grad_is_differentiated_anew_outside() {
    let tape = Tape::new();
    let (w, dy) = (tape.scalar(3.0), tape.scalar(1.0));
    let y = tape.checkpoint(|| w * w * w);
    let constant = tape.no_grad(|| vjp(y, &w, dy));
    let dw = vjp(y, &w, dy);
    assert_eq!([constant.item(), dw.item(), grad(dw, &w).item()], [27.0, 27.0, 18.0]);
}

#[test]
fn a_part_may_be_a_leaf_or_what_was_there_before() {
    let tape = Tape::new();
    let x = tape.scalar(3.0);
    let square = x * x;
    let inner = std::cell::Cell::new(None);
    let leaf = tape.checkpoint(|| {
        let leaf = tape.scalar(2.0) * 1.0;
        inner.set(Some(leaf));
        leaf
    });
    let before = tape.checkpoint(|| square);
    let fresh = tape.checkpoint(|| tape.scalar(7.0));
    assert_eq!(grad(before * leaf, &x).item(), 12.0);
    assert_eq!(grad(fresh * fresh, &fresh).item(), 14.0);
}

/// A random chain of expressions that read earlier ones, each a part or not, parts within parts among them.
fn chain<'t>(tape: &'t Tape, seed: u64, leaves: [Var<'t>; 3], recomputed: bool) -> Var<'t> {
    let mut random = Random(seed);
    let mut values = leaves.to_vec();
    for _ in 0..random.below(6) + 2 {
        let from = |random: &mut Random, values: &[Var<'t>]| values[random.below(values.len())];
        let (a, b, c) = (from(&mut random, &values), from(&mut random, &values), from(&mut random, &values));
        let (kind, is_part) = (random.below(8), random.below(3) > 0);
        let step = || match kind {
            0 => a * b + c.sin(),
            1 => part(tape, recomputed, || a.tanh() * b) * c,
            2 => part(tape, recomputed, || (a * 0.5).exp() - b) / (c.square() + 1.0),
            3 => vjp(part(tape, recomputed, || (a * b).sin() * b), &b, c),
            4 => tape.apply(Root(3), [a.square() + 1.0]) * b,
            5 => part(tape, recomputed, || tape.apply(FixedPoint, [a.sigmoid(), b.sigmoid()]) * a) + c,
            6 => jvp(part(tape, recomputed, || a * b * b), &a, &c).tanh(),
            _ => a * tape.no_grad(|| b * c).tanh() + b.sum(),
        };
        values.push(part(tape, recomputed && is_part, step));
    }
    values.iter().fold(tape.scalar(0.0), |sum, v| sum + (*v * 0.5).sigmoid().sum())
}

#[test]
fn random_chains_of_parts_have_the_derivatives_of_the_same_chains_kept() {
    for seed in 0..40 {
        let tape = Tape::new();
        let leaves = [[0.3, -0.7], [1.1, 0.4], [-0.2, 0.9]].map(|x| tape.var(&Tensor::from(x)));
        let v = tape.var(&Tensor::from([1.0, -2.0]));
        let [kept, recomputed] = [false, true].map(|recomputed| {
            let y = chain(&tape, seed, leaves, recomputed);
            let first = grad(y, &leaves);
            let second = first.map(|d| vjp(d, &leaves, v)).concat();
            let forward = leaves.map(|x| jvp(y, &x, &v));
            let mixed = first.map(|d| jvp(d, &leaves[1], &v));
            let all: Vec<Var<'_>> = [y].into_iter().chain(first).chain(second).chain(forward).chain(mixed).collect();
            tape.values(&all).iter().flat_map(Tensor::to_vec).collect::<Vec<f64>>()
        });
        assert_relative_eq!(kept[..], recomputed[..], max_relative = 1e-9, epsilon = 1e-12);
        assert!(kept.iter().all(|x| x.is_finite()), "seed {seed}");
    }
}

/// The nodes that a sweep records and the steps it takes grow with the chain, not with its square.
#[test]
fn a_chain_of_parts_costs_a_sweep_in_proportion_to_its_length() {
    let recorded = |n: usize| {
        let tape = Tape::new();
        let w = tape.scalar(1.0001);
        let y = (0..n).fold(tape.scalar(1.0), |y, _| tape.checkpoint(|| (y * w).sin() * w));
        let before = tape.len();
        grad(y, &w);
        tape.len() - before
    };
    let (short, long) = (recorded(50), recorded(500));
    // The first rule takes fewer, since what the sweep starts from is 1.
    assert!(long <= 10 * (short + 2), "{short} nodes for 50 parts, {long} for 500");
}
