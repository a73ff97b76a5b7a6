//! A step on a cleared tape that repeats the one before gives the bits of a step on a new tape, and a step that differs in
//! anything is not taken for a repetition.

use crate::random::Random;
use autograd::{Op, Reason, Reduction, Shape, Tape, Tensor, Var, View, ViewMut, grad, hvp, jvp};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) fn numbers<const R: usize>(shape: [usize; R], seed: usize) -> Tensor {
    Tensor::from_fn(shape, |i| ((i * 29 + seed * 17) % 23) as f64 * 0.1 - 1.0)
}

fn bits(tensors: &[Tensor]) -> Vec<(Shape, Vec<u64>)> {
    tensors.iter().map(|t| (t.shape().clone(), t.as_slice().iter().map(|x| x.to_bits()).collect())).collect()
}

/// Takes steps one after the other on one tape, and each on a tape of its own.
fn steps_agree(count: usize, step: impl for<'t> Fn(&'t Tape, usize) -> Vec<Var<'t>>) {
    let mut tape = Tape::new();
    for i in 0..count {
        tape.clear();
        let found = tape.values(&step(&tape, i));
        let alone = Tape::new();
        let want = alone.values(&step(&alone, i));
        assert_eq!(bits(&found), bits(&want), "step {i}");
    }
}

/// A net of one hidden layer and its gradients; numbers and labels change from step to step.
fn net<'t>(tape: &'t Tape, i: usize, batch: usize, labels: &[usize]) -> Vec<Var<'t>> {
    let [w1, b1] = [tape.var(&numbers([4, 10], i)), tape.var(&numbers([10], i + 1))];
    let [w2, b2] = [tape.var(&numbers([10, 3], i + 2)), tape.var(&numbers([3], i + 3))];
    let hidden = (tape.var(&numbers([batch, 4], i + 4)).matmul(w1) + b1).relu();
    let loss = (hidden.matmul(w2) + b2).cross_entropy(labels);
    let grads = grad(loss, &[w1, b1, w2, b2]);
    [loss].into_iter().chain(grads).collect()
}

#[test]
fn new_numbers_and_labels_reach_a_repeated_step() {
    steps_agree(7, |tape, i| net(tape, i, 5, &[i % 3, 1, 2, (i + 1) % 3, 0]));
}

#[test]
fn batches_of_another_size_in_between_change_nothing() {
    steps_agree(12, |tape, i| if i % 4 == 3 { net(tape, i, 2, &[0, 2]) } else { net(tape, i, 5, &[0, 1, 2, 2, 1]) });
}

#[test]
fn steps_of_several_structures_in_turn_are_replayed_after_two_of_each() {
    let labels = [0, 1, 2, 2, 1];
    // Batches of two sizes, an evaluation that is the beginning of a step, and one that asks for something else.
    let step = |tape: &Tape, i: usize| -> Vec<Tensor> {
        let vars = match i % 4 {
            0 => net(tape, i, 5, &labels),
            1 => net(tape, i, 2, &[2, 0]),
            2 => net(tape, i, 5, &labels)[..1].to_vec(),
            _ => {
                let w = tape.var(&numbers([4, 10], i));
                vec![tape.var(&numbers([3, 4], i)).matmul(w).sum()]
            }
        };
        tape.values(&vars)
    };
    let mut tape = Tape::new();
    for i in 0..40 {
        tape.clear();
        assert_eq!(bits(&step(&tape, i)), bits(&step(&Tape::new(), i)), "step {i}");
    }
    // What is asked of the structure of the first in the third place is asked for twice by then.
    assert!(tape.replays() >= 40 - 8, "{} of 40 steps are replayed", tape.replays());
}

#[test]
fn a_step_that_is_made_a_program_gets_no_nodes_that_its_user_did_not_record() {
    let mut tape = Tape::new();
    let mut lens = Vec::new();
    for step in 0..12 {
        tape.clear();
        // Numbers that are taken apart and padded: their program needs a zero, which is of its own.
        let x = tape.var(&Tensor::from([1.0, 2.0 + f64::from(step), 3.0]));
        let (a, b) = (x.index_axis(0, 0), x.index_axis(0, 1));
        let slope = grad(autograd::stack(&[a * b, a.sin()], 0).square().sum(), &x);
        slope.value();
        lens.push(tape.len());
        (slope * 2.0).sum().item();
    }
    assert_eq!(lens, vec![lens[0]; 12]);
    assert_eq!(tape.replays(), 10);
}

#[test]
fn more_structures_than_are_kept_change_nothing() {
    steps_agree(80, |tape, i| {
        let batch = 1 + i % 11;
        net(tape, i, batch, &(0..batch).map(|k| (k + i) % 3).collect::<Vec<_>>())
    });
}

#[test]
fn another_operation_factor_operand_or_question_is_noticed() {
    // Each kind of step is taken three times, which is what a program is made after.
    steps_agree(33, |tape, i| {
        let (x, w) = (tape.var(&numbers([3, 3], i)), tape.var(&numbers([3, 3], i + 5)));
        let kind = i / 3;
        let y = x.matmul(w);
        let y = if kind == 1 { y.tanh() } else { y.relu() };
        // `−0` differs from `0` in what becomes of its reciprocal.
        let y = y * if kind == 2 { -0.0 } else { 0.0 } + 1.0 / (w * if kind == 3 { -0.0 } else { 0.0 });
        let y = if kind == 4 { tape.no_grad(|| y + x) } else { y + x };
        let y = if kind == 5 { y - w } else { y - x };
        let y = if kind == 6 { y.stop_gradient() } else { y };
        let loss = (y * x).sum();
        match kind {
            7 => vec![loss, grad(loss, &w)],
            8 => vec![grad(loss, &x), loss],
            9 => vec![loss, grad(loss, &[w, x])[1], y],
            _ => vec![loss, grad(loss, &x), grad(loss, &w)],
        }
    });
}

#[test]
fn higher_orders_and_both_modes_repeat() {
    steps_agree(6, |tape, i| {
        let (x, v) = (tape.var(&numbers([4], i)), tape.var(&numbers([4], i + 1)));
        let y = (x.tanh() * x.exp()).sum() + x.square().sum().log1p();
        let [hv] = hvp(y, &[x], &[v]);
        let [g] = grad(y, &[x]);
        vec![y, hv, jvp(g, &[x], &[v]), grad((g * v).sum(), &x)]
    });
}

/// `factor · x`, whose factor the tape does not know.
#[derive(Debug)]
struct Scale(f64);

impl Op<f64, 1> for Scale {
    fn name(&self) -> &'static str {
        "scale"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, f64>; 1], y: ViewMut<'_, f64>) {
        y.data.iter_mut().zip(x.data).for_each(|(y, x)| *y = self.0 * x);
    }
    fn vjp<'t>(&self, _: usize, [_]: [Var<'t>; 1], _: Var<'t>, dy: Var<'t>) -> Option<Var<'t>> {
        Some(dy.tape().apply(Scale(self.0), [dy]))
    }
}

#[test]
fn operations_of_users_are_recorded_each_time() {
    steps_agree(8, |tape, i| {
        let x = tape.var(&numbers([3], i));
        let y = tape.apply(Scale(i as f64), [x.sin()]).sum();
        vec![y, grad(y, &x)]
    });
}

/// The identity; counts how many of it there are.
#[derive(Debug)]
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(alive: &Arc<AtomicUsize>) -> Self {
        alive.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(alive))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Op<f64, 1> for Counted {
    fn name(&self) -> &'static str {
        "counted"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, f64>; 1], y: ViewMut<'_, f64>) {
        y.data.copy_from_slice(x.data);
    }
    fn vjp<'t>(&self, _: usize, [_]: [Var<'t>; 1], _: Var<'t>, dy: Var<'t>) -> Option<Var<'t>> {
        Some(dy)
    }
}

#[test]
fn a_cleared_tape_holds_no_operations_of_users() {
    let alive = Arc::new(AtomicUsize::new(0));
    let mut tape = Tape::new();
    for _ in 0..3 {
        let x = tape.scalar(1.0);
        assert_eq!(tape.apply(Counted::new(&alive), [x]).item(), 1.0);
        tape.clear();
        assert_eq!(alive.load(Ordering::Relaxed), 0);
    }
}

#[test]
fn a_step_whose_size_is_the_loss_repeats() {
    steps_agree(5, |tape, i| {
        let params = [numbers([4, 10], i), numbers([1, 10], i + 1), numbers([10, 3], i + 2), numbers([1, 3], i + 3)];
        let p = tape.vars(&params);
        let hidden = (tape.var(&numbers([5, 4], i + 9)).matmul(p[0]) + p[1]).relu();
        let loss = (hidden.matmul(p[2]) + p[3]).cross_entropy(&[0, 1, 2, 2, 1]);
        grad(loss, &p).iter().zip(&p).map(|(&g, &p)| p - g * loss).collect()
    });
}

#[test]
fn large_results_of_small_leaves_are_computed_in_one_memory() {
    steps_agree(4, |tape, i| {
        let (a, b) = (tape.var(&numbers([700, 1], i)), tape.var(&numbers([1, 700], i + 1)));
        vec![(a + b).tanh() * a, (a * b).sum()]
    });
}

#[test]
fn results_of_nothing_and_results_asked_for_twice_are_handed_out() {
    steps_agree(6, |tape, i| {
        let (x, nothing) = (tape.var(&numbers([5], i)), tape.var(&numbers([0, 3], i)));
        vec![x.exp(), nothing * 2.0, x.exp(), x, nothing.sum(), x.sum(), x.exp().sum()]
    });
}

#[test]
fn checkpoints_repeat() {
    steps_agree(6, |tape, i| {
        let x = tape.var(&numbers([3], i));
        let y = tape.checkpoint(|| (x.sin() * x).exp().tanh()).sum();
        vec![y, grad(y, &x), y + 1.0]
    });
}

#[test]
fn values_that_were_read_in_between_and_nodes_that_come_later_do_not_matter() {
    let mut tape = Tape::new();
    for i in 0..12 {
        tape.clear();
        let x = tape.var(&numbers([3, 2], i));
        let y = (x * x).sum();
        if i % 5 == 4 {
            assert_eq!(y.item(), x.value().as_slice().iter().map(|x| x * x).sum::<f64>());
        }
        let dx = grad(y, &x);
        let both = tape.values(&[y, dx]);
        let want: Vec<f64> = x.value().as_slice().iter().map(|x| 2.0 * x).collect();
        assert_eq!(both[1].as_slice(), want);
        // A later question in the same step.
        let z = (dx * x).sum() + if i % 2 == 0 { y } else { y * 2.0 };
        let factor = if i % 2 == 0 { 3.0 } else { 4.0 };
        assert!((z.item() - factor * both[0].item()).abs() < 1e-12);
    }
}

#[test]
fn results_that_are_kept_stay_what_they_were() {
    let mut tape = Tape::new();
    let mut kept = Vec::new();
    for i in 0..6 {
        tape.clear();
        let values = tape.values(&net(&tape, i, 5, &[0, 1, 2, 2, 1]));
        kept.push((bits(&values), values));
    }
    for (before, values) in &kept {
        assert_eq!(*before, bits(values));
    }
}

#[test]
fn errors_come_at_a_repeated_step_as_at_the_first() {
    let mut tape = Tape::new();
    for i in 0..5 {
        tape.clear();
        let x = tape.var(&numbers([3, 2], i));
        let error = x.try_matmul(x).unwrap_err().to_string();
        assert!(error.contains("matmul") && error.contains("[3, 2]"), "{error}");
        let error = x.try_cross_entropy(&[0, 1, 2], Reduction::Mean).unwrap_err().to_string();
        assert!(error.contains('2'), "{error}");
        assert_eq!(tape.values(&[x.sum()])[0].shape().rank(), 0);
    }
}

#[test]
fn an_operation_that_does_not_fit_leaves_the_step_a_repetition() {
    let mut tape = Tape::new();
    for i in 0..10 {
        tape.clear();
        let (x, other) = (tape.var(&numbers([2], i)), tape.var(&numbers([3], i)));
        let y = x.sin();
        assert!(y.try_add(other).is_err());
        let loss = (y * x).sum();
        tape.values(&[loss, grad(loss, &x)]);
    }
    assert_eq!(tape.replays(), 8);
}

/// Leaves of a few elements and of many, products for each kind of kernel, sums along both axes, and a shape that is another one of a leaf.
fn large_step<'t>(tape: &'t Tape, i: usize, rows: usize) -> Vec<Var<'t>> {
    let (x, w) = (tape.var(&numbers([rows, 90], i)), tape.var(&numbers([90, 40], i + 1)));
    let (b, scale) = (tape.var(&numbers([40], i + 2)), tape.scalar(0.5 + i as f64));
    let scores = (x.matmul(w) * 0.1 + b).tanh();
    let labels: Vec<usize> = (0..rows).map(|k| (k + i) % 40).collect();
    let loss = scores.cross_entropy(&labels) + scale * (x.reshape([90, rows]).exp().sum_axes(0) * 0.01).sum();
    let grads = grad(loss, &[w, b, x, scale]);
    [loss, scores, x, x.reshape([90 * rows])].into_iter().chain(grads).collect()
}

#[test]
fn large_leaves_are_replayed_too_and_programs_of_several_sizes_share_their_memory() {
    let mut tape = Tape::new();
    let mut kept = Vec::new();
    for i in 0..24 {
        let rows = [60, 60, 33, 4][i % 4];
        tape.clear();
        let values = tape.values(&large_step(&tape, i, rows));
        let alone = Tape::new();
        assert_eq!(bits(&values), bits(&alone.values(&large_step(&alone, i, rows))), "step {i}");
        kept.push((bits(&values), values));
    }
    assert!(tape.replays() >= 24 - 8, "{} of 24 steps are replayed", tape.replays());
    for (before, values) in &kept {
        assert_eq!(*before, bits(values), "what the user holds is not written over");
    }
}

#[test]
fn large_updates_round_as_their_single_operations_do() {
    steps_agree(4, |tape, i| {
        let (x, w) = (tape.var(&numbers([40, 90], i)), tape.var(&numbers([90, 50], i + 1)));
        let loss = x.matmul(w).square().sum();
        vec![loss, w - grad(loss, &w) * 0.01]
    });
}

/// A random expression of square matrices with its gradient, the same for a seed, of the numbers of step `i`.
fn expression(tape: &Tape, seed: u64, i: usize) -> Vec<Var<'_>> {
    let mut random = Random(seed);
    let leaves = [tape.var(&numbers([3, 3], i)), tape.var(&numbers([3, 3], i + 7)), tape.var(&numbers([3], i))];
    let mut values = vec![leaves[0], leaves[1]];
    for _ in 0..random.below(12) + 2 {
        let (a, b) = (values[random.below(values.len())], values[random.below(values.len())]);
        values.push(match random.below(9) {
            0 => a + b,
            1 => a * b,
            2 => a.matmul(b) * 0.3,
            3 => a.tanh(),
            4 => (a - leaves[2]).relu(),
            5 => a.softmax(1),
            6 => a.t() - b,
            7 => a.maximum(b),
            _ => a * (random.below(3) as f64 - 1.0),
        });
    }
    let y = values.iter().fold(tape.scalar(0.0), |sum, v| sum + v.sigmoid().sum());
    let grads = grad(y, &leaves);
    [y].into_iter().chain(grads).chain(values.last().copied()).collect()
}

#[test]
fn random_expressions_in_any_order_agree() {
    for seed in 0..60 {
        let mut order = Random(seed + 1000);
        let runs: Vec<u64> = (0..8).flat_map(|_| vec![seed + order.below(2) as u64; order.below(4) + 1]).collect();
        steps_agree(runs.len(), |tape, i| expression(tape, runs[i] * 7919 + 1, i));
    }
}

#[test]
fn memory_that_is_given_back_changes_nothing_and_the_count_of_replays_goes_on() {
    let mut tape = Tape::new();
    let mut seen = Vec::new();
    for i in 0..24 {
        tape.clear();
        if i == 6 {
            tape.shrink();
        }
        let labels = [i % 3, 1, 2, 0, 1];
        let alone = Tape::new();
        assert_eq!(bits(&tape.values(&net(&tape, i, 5, &labels))), bits(&alone.values(&net(&alone, i, 5, &labels))));
        seen.push(tape.replays());
    }
    assert!(seen[5] > 0 && seen[6] == seen[5] && seen[23] > seen[6], "{seen:?}");
}
