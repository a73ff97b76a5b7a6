//! A program gives what recording and computing anew gives, allocates nothing, and tells what does not fit.

use autograd::{
    CrossEntropyOptions, IndexVar, Optimisations, Program, ProgramErrorKind, Reduction, Tape, Tensor, Tree, Var, grad,
    hvp, tree, update, vjp,
};

const STATELESS: [Tensor; 0] = [];

#[derive(Clone)]
struct Net<V> {
    w1: V,
    b1: V,
    w2: V,
    b2: V,
}
tree!(Net { w1, b1, w2, b2 });

fn ramp<const R: usize>(shape: [usize; R], scale: f64) -> Tensor {
    Tensor::from_fn(shape, |i| ((i * 7919 % 23) as f64 - 11.0) * scale)
}

fn net() -> Net<Tensor> {
    Net { w1: ramp([4, 10], 0.05), b1: ramp([10], 0.01), w2: ramp([10, 3], 0.05), b2: ramp([3], 0.01) }
}

fn loss<'t>(net: &Net<Var<'t>>, x: Var<'t>, labels: IndexVar<'t>) -> Var<'t> {
    ((x.matmul(net.w1) + net.b1).relu().matmul(net.w2) + net.b2).cross_entropy(&labels)
}

fn batch(seed: usize) -> (Tensor, Vec<usize>, f64) {
    (ramp([5, 4], 0.1 + seed as f64 * 0.03), (0..5).map(|i| (i * 2 + seed) % 3).collect(), 0.1 + seed as f64 * 0.01)
}

fn recorded(passes: Optimisations) -> Program {
    Program::record_with(passes, &net(), &batch(0), |_, net, (x, labels, rate)| {
        let loss = loss(&net, x, labels);
        (update(&net, &grad(loss, &net), |p, g| p - g * rate), vec![loss])
    })
    .unwrap()
}

#[test]
fn a_training_step_replays_bit_for_bit_whichever_passes_run() {
    let mut tape = Tape::new();
    for passes in Optimisations::choices() {
        let (mut program, mut params) = (recorded(passes), net());
        for seed in 0..20 {
            let (x, labels, rate) = batch(seed % 5);
            let (eager, grads) =
                tape.value_and_grad(&params, |tape, net| loss(&net, tape.var(&x), tape.labels(&labels)));
            for (p, g) in params.leaves_mut().into_iter().zip(grads.leaves()) {
                for (p, g) in p.as_mut_slice().iter_mut().zip(g.as_slice()) {
                    *p -= g * rate;
                }
            }
            let replayed = program.run(&(x, labels, rate)).unwrap().item(0);
            assert_eq!(eager, replayed, "{passes:?}, step {seed}");
        }
        let mut state = net();
        program.store_state(&mut state).unwrap();
        for (name, (a, b)) in params.names().iter().zip(params.leaves().into_iter().zip(state.leaves())) {
            assert_eq!(a, b, "{name}, {passes:?}");
            assert_eq!(program.state(name).as_ref(), Some(a));
        }
    }
}

#[test]
fn higher_derivatives_replay_too() {
    fn f(x: Var<'_>) -> Var<'_> {
        (x.sin() * x.exp()).cumprod(0).logsumexp(0)
    }
    let (x, v) = (ramp([6], 0.1), ramp([6], 0.3));
    for passes in Optimisations::choices() {
        let mut program = Program::record_with(passes, &STATELESS, &(&x, &v), |_, [], (x, v)| {
            let y = f(x);
            let hv = hvp(y, &x, &v);
            (vec![], vec![hv, grad(hv.sum(), &x)])
        })
        .unwrap();
        for scale in [1.0, -0.7] {
            let x = x.map(|x| x * scale);
            let tape = Tape::new();
            let var = tape.var(&x);
            let hv = hvp(f(var), &var, &tape.var(&v));
            let out = program.run(&(&x, &v)).unwrap();
            assert_eq!(out.tensor(0), hv.value(), "{passes:?}");
            assert_eq!(out.tensor(1), grad(hv.sum(), &var).value(), "{passes:?}");
        }
    }
}

#[test]
fn a_value_that_is_both_operands_of_a_product_is_there_as_a_whole() {
    // As the left operand it is read row by row, as the right one at once.
    let (x, w) = (ramp([64, 2], 0.1), ramp([2, 64], 0.1));
    let (v, q) = (ramp([2, 4], 0.1), ramp([64, 64], 0.01));
    for passes in Optimisations::choices() {
        let inputs = (&x, &w, &v, &q);
        let mut program = Program::record_with(passes, &STATELESS, &inputs, |_, [], (x, w, v, q)| {
            (vec![], products_with_themselves(x, w, v, q))
        })
        .unwrap();
        let tape = Tape::new();
        let [x, w, v, q] = [&x, &w, &v, &q].map(|t| tape.var(t));
        let out = program.run(&inputs).unwrap();
        for (k, want) in products_with_themselves(x, w, v, q).iter().enumerate() {
            assert_eq!(out.tensor(k), want.value(), "{k}, {passes:?}");
        }
    }
}

/// `h · h` and `h · hᵀ` of products `h`.
fn products_with_themselves<'t>(x: Var<'t>, w: Var<'t>, v: Var<'t>, q: Var<'t>) -> Vec<Var<'t>> {
    let (square, narrow) = (x.matmul(w), x.matmul(v));
    let [gram] = vjp(q.matmul(narrow), &[q], narrow);
    vec![square.matmul(square), gram]
}

#[test]
fn wrong_inputs_are_named_and_leave_the_state_as_it_was() {
    let mut program = recorded(Optimisations::default());
    let (x, labels, rate) = batch(1);
    program.run(&(&x, &labels, rate)).unwrap();
    let before = program.state("w1").unwrap();
    let mut says = |x: &Tensor, labels: &Vec<usize>, words: &str| {
        let error = program.run(&(x, labels, rate)).err().unwrap();
        let text = error.to_string();
        assert!(text.starts_with("Program::run: ") && text.contains(words), "no «{words}» in «{text}»");
        assert!(text.contains(&error.location().to_string()) && error.location().file() == file!(), "{text}");
    };
    says(&ramp([5, 3], 0.1), &labels, "input 0 must have the shape [5, 4], it has [5, 3]");
    says(&x, &vec![0; 4], "input 1 must have the shape [5], it has [4]");
    says(&x, &vec![0, 1, 2, 3, 0], "input 1: label 3 at position 3 is out of range for cross_entropy of 3 classes");
    let error = program.run(&(&labels, &x, rate)).err().unwrap();
    assert!(error.to_string().starts_with("Program::run: input 0 must be numbers"), "{error}");
    let error = program.run(&(&x, &labels)).err().unwrap();
    assert_eq!(*error.kind(), ProgramErrorKind::Count { expected: 3, found: 2 });
    assert_eq!(program.state("w1").unwrap(), before);
    assert!(program.run(&(&x, &labels, rate)).is_ok());
}

#[test]
fn the_state_is_read_and_written_by_name() {
    let mut program = recorded(Optimisations::default());
    assert_eq!(program.state_names().collect::<Vec<_>>(), ["w1", "b1", "w2", "b2"]);
    program.set_state("b2", &Tensor::from([1.0, 2.0, 3.0])).unwrap();
    assert_eq!(program.state("b2").unwrap().as_slice(), [1.0, 2.0, 3.0]);
    assert!(matches!(
        program.set_state("b3", &Tensor::scalar(0.0)).err().unwrap().kind(),
        ProgramErrorKind::NoState { .. }
    ));
    assert!(matches!(
        program.set_state("b2", &Tensor::scalar(0.0)).err().unwrap().kind(),
        ProgramErrorKind::Shape { .. }
    ));
    assert!(program.state("nothing").is_none());
}

#[test]
fn a_branch_that_would_go_the_other_way_is_reported_before_the_state_moves() {
    let mut program = Program::record(&Tensor::scalar(1.0), &1.0_f64, |tape, w, x| {
        let y = if (x * w).gt(tape.scalar(0.5)).holds() { w * x } else { w - x };
        (vec![y], vec![y])
    })
    .unwrap();
    assert_eq!(program.run(&2.0).unwrap().item(0), 2.0);
    let error = program.run(&0.1).err().unwrap();
    assert!(matches!(error.kind(), ProgramErrorKind::Branch { held: true, .. }), "{error}");
    assert!(error.to_string().contains("replay.rs"), "{error}");
    assert_eq!(program.state("").unwrap().item(), 2.0);
    assert_eq!(program.run(&1.0).unwrap().item(0), 2.0);
}

#[test]
fn a_value_that_is_read_while_recording_is_an_error() {
    let read = |depends: bool| {
        Program::record(&STATELESS, &2.0_f64, move |tape, [], x| {
            let y = if depends { x * 3.0 } else { tape.scalar(3.0) * 3.0 };
            let factor = y.item();
            (vec![], vec![x * factor])
        })
    };
    let error = read(true).err().unwrap();
    assert!(matches!(error.kind(), ProgramErrorKind::Read { op: "mul_scalar", .. }), "{error}");
    assert_eq!(read(false).unwrap().run(&2.0).unwrap().item(0), 18.0);
}

#[test]
fn labels_that_may_be_ignored_stay_inputs() {
    let x = ramp([4, 3], 0.1);
    let options = CrossEntropyOptions { ignore_index: Some(1), reduction: Reduction::Mean, ..Default::default() };
    let mut program = Program::record(&STATELESS, &(&x, [0_usize, 1, 2, 1]), |_, [], (x, labels)| {
        let loss = x.cross_entropy_opts(&labels, &options);
        (vec![], vec![loss, grad(loss, &x)])
    })
    .unwrap();
    for labels in [[0, 1, 2, 1], [2, 2, 1, 0], [1, 1, 1, 0]] {
        let tape = Tape::new();
        let var = tape.var(&x);
        let loss = var.cross_entropy_opts(&labels, &options);
        let out = program.run(&(&x, labels)).unwrap();
        assert_eq!((out.item(0), out.tensor(1)), (loss.item(), grad(loss, &var).value()));
    }
    assert!(program.run(&(&x, [0_usize, 1, 2, 3])).is_err());
}

#[test]
fn two_leaves_with_equal_values_are_not_one() {
    // Merging equal leaves gave a gradient of 2 elsewhere.
    let three = Tensor::scalar(3.0);
    let mut program = Program::record(&(three.clone(), three), &(), |_, (a, b), ()| {
        let [da, db] = grad(a + b, &[a, b]);
        (vec![a - da, b - db * 2.0], vec![a + b])
    })
    .unwrap();
    assert_eq!(program.run(&()).unwrap().item(0), 6.0);
    assert_eq!(program.run(&()).unwrap().item(0), 3.0);
}

#[test]
fn a_swap_of_states_and_an_output_that_is_a_state_are_what_they_were_before_the_run() {
    let state = (Tensor::from([1.0, 2.0]), Tensor::from([3.0, 4.0]));
    let mut program = Program::record(&state, &(), |_, (a, b), ()| (vec![b, a], vec![a, b, a + b, a + b])).unwrap();
    for round in 0..4 {
        let out = program.run(&()).unwrap();
        let (first, second) = if round % 2 == 0 { (&state.0, &state.1) } else { (&state.1, &state.0) };
        assert_eq!((&out.tensor(0), &out.tensor(1)), (first, second));
        assert_eq!((out.slice(2), out.slice(3)), (&[4.0, 6.0][..], &[4.0, 6.0][..]));
    }
}

#[test]
fn nothing_that_could_change_is_folded() {
    // x − x, x / x and 0 · x are folded by others when recorded, which is wrong where x is not finite.
    let mut program = Program::record(&STATELESS, &2.0_f64, |_, [], x| (vec![], vec![x - x, x / x, x * 0.0])).unwrap();
    let out = program.run(&f64::INFINITY).unwrap();
    assert!((0..3).all(|k| out.item(k).is_nan()));
}

#[test]
fn a_long_chain_needs_a_few_buffers_and_replays_to_the_same_bits() {
    let x = ramp([256], 0.05);
    let program = |n: usize| {
        Program::record(&STATELESS, &x, |_, [], x| (vec![], vec![(0..n).fold(x, |y, _| (y.sin() + x) * 0.7)])).unwrap()
    };
    let (mut short, long) = (program(100), program(2000));
    assert!(long.bytes() <= short.bytes() + 4 * 256 * 8, "{} {}", short.bytes(), long.bytes());
    let tape = Tape::new();
    let var = tape.var(&x);
    let eager = (0..100).fold(var, |y, _| (y.sin() + var) * 0.7).value();
    assert_eq!(short.run(&x).unwrap().tensor(0), eager);
}

#[test]
fn the_plan_can_be_read() {
    let text = recorded(Optimisations::default()).to_string();
    assert_eq!(
        text.contains("one hidden layer, forward and backward · mul · sub("),
        crate::level::has_net_step(),
        "{text}"
    );
    let text = recorded(Optimisations::default().without("hidden layers")).to_string();
    for word in
        ["matmul · add · relu(", "cross_entropy · cross_entropy_grad(", "matmul · mul · sub(", "in a row", "bytes"]
    {
        assert!(text.contains(word), "no «{word}» in\n{text}");
    }
    let text = recorded(Optimisations::default().without("products").without("losses")).to_string();
    for word in ["matmul(", "cross_entropy_grad(", "chain mul · sub over", "[4, 10] Full", "bytes"] {
        assert!(text.contains(word), "no «{word}» in\n{text}");
    }
    let unshared = recorded(Optimisations::default().without("memory"));
    assert!(recorded(Optimisations::default()).bytes() < unshared.bytes());
}

#[test]
fn a_clone_goes_its_own_way_from_the_state_that_it_was_taken_at() {
    let mut program = Program::record(&Tensor::scalar(1.0), &Tensor::scalar(0.0), |_, total, x| {
        let next = total + x;
        (vec![next], vec![next.exp()])
    })
    .unwrap();
    program.run(&Tensor::scalar(2.0)).unwrap();
    let mut other = program.clone();
    other.run(&Tensor::scalar(10.0)).unwrap();
    program.run(&Tensor::scalar(100.0)).unwrap();
    assert_eq!((program.state("").unwrap().item(), other.state("").unwrap().item()), (103.0, 13.0));
}

#[test]
fn results_live_as_long_as_the_borrow_of_the_program() {
    fn run<'p>(program: &'p mut Program, x: &Tensor) -> (&'p [f64], &'p [f64]) {
        let outputs = program.run(x).unwrap();
        (outputs.slice(0), outputs.slice(1))
    }
    let mut program = Program::record(&(), &Tensor::zeros([2]), |_, (), x| (vec![], vec![x * 2.0, x + 1.0])).unwrap();
    assert_eq!(run(&mut program, &Tensor::from([1.0, 2.0])), (&[2.0, 4.0][..], &[2.0, 3.0][..]));
}

#[test]
fn what_the_function_brought_along_is_listed_and_no_seed_of_a_gradient() {
    let noise = Tensor::from([0.5, -0.5]);
    let mut lines = [0; 2];
    let program = Program::record(&Tensor::zeros([2]), &Tensor::zeros([2]), |tape, w, x| {
        lines = [line!() + 1, line!() + 2];
        let noisy = x + tape.var(&noise);
        let loss = (noisy * w).sum() * tape.scalar(0.1);
        tape.var(&noise); // nothing depends on it
        (vec![w - grad(loss, &w)], vec![loss])
    })
    .unwrap();
    let found: Vec<(usize, u32)> = program.captured().map(|(shape, at)| (shape.numel(), at.line())).collect();
    assert_eq!(found, [(2, lines[0]), (1, lines[1])]);
    assert!(program.to_string().contains("constant [2], the same in each run, from "), "{program}");
    // What is computed of it when recording does not hide it.
    let folded =
        Program::record(&(), &Tensor::zeros([2]), |tape, (), x| (vec![], vec![x + tape.var(&noise).exp() * 2.0]));
    assert_eq!(folded.unwrap().captured().map(|(shape, _)| shape.numel()).collect::<Vec<_>>(), [2]);
}

#[test]
fn a_trace_shows_each_pass_that_changed_something() {
    let traced = Optimisations::default().traced();
    let record = |with| {
        Program::<f64>::record_with(with, &(), &Tensor::zeros([2]), |_, (), x| (vec![], vec![x.exp() * x.exp() + 0.0]))
            .unwrap()
    };
    let trace = record(traced).trace().unwrap().to_owned();
    assert!(trace.starts_with("recorded:\n") && trace.contains("after common:\n"), "{trace}");
    assert!(trace.matches("exp(").count() < 2 * trace.matches("mul(").count(), "{trace}");
    assert!(!record(traced.without("common")).trace().unwrap().contains("after common"));
    assert_eq!(record(Optimisations::default()).trace(), None);
}
