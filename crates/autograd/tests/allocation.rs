//! A warm eager step allocates nothing per operation, counted by the allocator itself.
#![expect(unsafe_code, reason = "a global allocator is an unsafe trait; this one counts and forwards")]

use autograd::{Program, Programs, Tape, Tensor, Tree, Var, grad, tree, update};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    /// Bytes that this thread holds, and the most that it held.
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call is forwarded to the system allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|n| n.set(n.get() + 1));
        let live = LIVE.with(|n| n.replace(n.get().wrapping_add(layout.size()))).wrapping_add(layout.size());
        PEAK.with(|peak| peak.set(peak.get().max(live)));
        // SAFETY: the caller's contract is the system allocator's.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.with(|n| n.set(n.get().wrapping_sub(layout.size())));
        // SAFETY: the caller's contract is the system allocator's.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

fn allocations(f: impl FnOnce()) -> usize {
    let before = ALLOCATIONS.with(Cell::get);
    f();
    ALLOCATIONS.with(Cell::get) - before
}

struct Net<V> {
    w1: V,
    b1: V,
    w2: V,
    b2: V,
}
tree!(Net { w1, b1, w2, b2 });

fn ramp(shape: [usize; 2]) -> Tensor {
    Tensor::from_fn(shape, |i| (i % 7) as f64 * 0.1 - 0.3)
}

fn net() -> Net<Tensor> {
    Net { w1: ramp([4, 10]), b1: Tensor::zeros([10]), w2: ramp([10, 3]), b2: Tensor::zeros([3]) }
}

fn loss<'t>(tape: &'t Tape, net: &Net<Var<'t>>, x: &Tensor, repeat: usize) -> Var<'t> {
    let mut hidden = (tape.var(x).matmul(net.w1) + net.b1).relu();
    for _ in 0..repeat {
        hidden = (hidden.tanh() * 0.5 + hidden.sigmoid()).exp().maximum(hidden);
    }
    (hidden.matmul(net.w2) + net.b2).cross_entropy(&[0, 1, 2, 2, 1])
}

/// Records and computes a step on a cleared tape, and reads the gradients where they are.
fn step(tape: &mut Tape, params: &Net<Tensor>, x: &Tensor, repeat: usize) -> f64 {
    tape.clear();
    let net = tape.vars(params);
    let loss = loss(tape, &net, x, repeat);
    let grads = grad(loss, &net);
    let mut total = loss.item();
    grads.visit(&mut |g| total += g.with_value(|g| g.iter().sum::<f64>()));
    total
}

#[test]
fn a_warm_step_on_a_cleared_tape_allocates_nothing() {
    let (mut tape, params, x) = (Tape::new(), net(), ramp([5, 4]));
    for _ in 0..2 {
        step(&mut tape, &params, &x, 20);
    }
    let mut total = 0.0;
    assert_eq!(allocations(|| total = step(&mut tape, &params, &x, 20)), 0);
    assert!(total.is_finite());
}

#[test]
fn a_warm_value_and_grad_allocates_nothing_for_ten_operations_or_for_hundreds() {
    let (params, x) = (net(), ramp([5, 4]));
    let counts = [1, 50].map(|repeat| {
        let mut tape = Tape::new();
        let mut run = || {
            let (_, grads) = tape.value_and_grad(&params, |tape, net| loss(tape, &net, &x, repeat));
            drop(grads);
        };
        // Some steps by themselves, and some by a program, which is made at the third of a short tape, later of a longer.
        let by_itself = allocations(|| (0..12).for_each(|_| run()));
        (by_itself > 0, [(); 4].map(|()| allocations(&mut run)))
    });
    assert_eq!(counts, [(true, [0; 4]); 2]);
}

#[test]
fn warm_steps_of_large_leaves_allocate_nothing_and_their_programs_have_the_memory_of_steps_without() {
    let sizes = [30, 20];
    let (w, batches) = (ramp([1, 6000]), sizes.map(|rows| ramp([rows, 6000])));
    let mut tape = Tape::new();
    let run = |tape: &mut Tape, k: usize| {
        let (_, dw) = tape.value_and_grad(&w, |tape, w| {
            let y = (tape.var(&batches[k]) * w).tanh();
            (y.exp() * y.sigmoid()).square().mean()
        });
        drop(dw);
    };
    let before = LIVE.with(Cell::get);
    (0..2).for_each(|k| run(&mut tape, k));
    let by_itself = LIVE.with(Cell::get) - before;
    (0..6).for_each(|i| run(&mut tape, i % 2));
    assert!(tape.replays() > 2, "{} steps are replayed", tape.replays());
    let by_programs = LIVE.with(Cell::get) - before;
    // Plans, tiles of chains and small buffers, of two programs.
    assert!(by_programs <= by_itself + 256 * 1024, "{by_programs} bytes are held, {by_itself} without programs");
    assert_eq!(allocations(|| (0..6).for_each(|i| run(&mut tape, i % 2))), 0);
}

#[test]
fn a_training_step_copies_no_parameters() {
    let (mut tape, mut params, x) = (Tape::new(), net(), ramp([5, 4]));
    let mut run = || {
        let (_, grads) = tape.value_and_grad(&params, |tape, net| loss(tape, &net, &x, 1));
        for (p, g) in params.leaves_mut().into_iter().zip(grads.leaves()) {
            let buffer = p.as_slice().as_ptr();
            for (p, g) in p.as_mut_slice().iter_mut().zip(g.as_slice()) {
                *p -= 0.1 * g;
            }
            assert_eq!(p.as_slice().as_ptr(), buffer, "the update moved a parameter");
        }
    };
    run();
    run();
}

#[test]
fn a_replay_allocates_nothing_and_its_buffers_are_what_the_plan_says() {
    let (params, x, labels) = (net(), ramp([5, 4]), [0_usize, 1, 2, 2, 1]);
    let before = LIVE.with(Cell::get);
    let mut program = Program::record(&params, &(&x, &labels, 0.1_f64), |_, net, (x, labels, rate)| {
        let hidden = (x.matmul(net.w1) + net.b1).relu();
        let loss = ((hidden.tanh() * hidden.sigmoid()).matmul(net.w2) + net.b2).cross_entropy(&labels);
        (update(&net, &grad(loss, &net), |p, g| p - g * rate), vec![loss])
    })
    .expect("nothing was read");
    let held = LIVE.with(Cell::get) - before;
    assert!(held >= program.bytes(), "the plan says {} bytes, {held} are held", program.bytes());
    let mut last = f64::INFINITY;
    let mut run = || last = program.run(&(&x, &labels, 0.1)).map_or(f64::NAN, |out| out.item(0));
    let peak = PEAK.with(|peak| peak.replace(LIVE.with(Cell::get)));
    assert!(peak > 0);
    assert_eq!(allocations(&mut run), 0, "the first run");
    assert_eq!(allocations(|| (0..100).for_each(|_| run())), 0, "later runs");
    assert_eq!(PEAK.with(Cell::get), LIVE.with(Cell::get), "memory grew while running");
    assert!(last.is_finite());
}

#[test]
fn replays_of_shapes_that_were_met_allocate_nothing() {
    // Beyond rank 4, a shape's sizes are on the heap.
    let batch = |n: usize| (Tensor::ones([n, 2, 1, 1, 2, 1]), vec![1_usize; n]);
    let batches = [batch(5), batch(3), batch(4)];
    let mut programs = Programs::record(net(), &batches[0], |_, net, (x, labels)| {
        let hidden = (x.reshape([labels.shape()[0], 4]).matmul(net.w1) + net.b1).relu();
        let loss = (hidden.matmul(net.w2) + net.b2).cross_entropy(&labels);
        (update(&net, &grad(loss, &net), |p, g| p - g * 0.1), vec![loss])
    })
    .expect("nothing was read");
    let mut last = f64::INFINITY;
    let mut run = |(x, labels): &(Tensor, Vec<usize>)| {
        last = programs.run(&(x, labels)).map_or(f64::NAN, |out| out.item(0));
    };
    assert!(allocations(|| batches.iter().for_each(&mut run)) > 0, "two shapes are new");
    assert_eq!(allocations(|| (0..20).for_each(|_| batches.iter().for_each(&mut run))), 0);
    assert!(last.is_finite());
}

#[test]
fn results_that_the_user_keeps_are_never_overwritten() {
    let (mut tape, params, x) = (Tape::new(), net(), ramp([5, 4]));
    let mut kept = Vec::new();
    for _ in 0..4 {
        let (_, grads) = tape.value_and_grad(&params, |tape, net| loss(tape, &net, &x, 1));
        kept.push((grads.w1.to_vec(), grads));
    }
    for (copy, grads) in &kept {
        assert_eq!(copy, grads.w1.as_slice());
    }
}
