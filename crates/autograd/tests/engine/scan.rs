//! Loops that are recorded once agree with the same loops written out.

use autograd::{
    Keep, Key, Op, Optimisations, Program, Reason, Scan, Shape, Tape, Tensor, Var, View, ViewMut, grad, hvp, jvp, stack,
};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The text of the panic of a call.
fn message(f: impl FnOnce()) -> String {
    *catch_unwind(AssertUnwindSafe(f)).unwrap_err().downcast::<String>().unwrap()
}

/// A step on two carries, a slice, and weights: `h' = tanh(h W + x U + b · s)`, `s' = s · cos(Σ h) + 0.1`, which leaves two things.
type Step = for<'t> fn([Var<'t>; 2], Var<'t>, &[Var<'t>; 3]) -> ([Var<'t>; 2], [Var<'t>; 2]);

fn step<'t>([h, s]: [Var<'t>; 2], x: Var<'t>, [w, u, b]: &[Var<'t>; 3]) -> ([Var<'t>; 2], [Var<'t>; 2]) {
    let next = (h.matmul(*w) + x.matmul(*u) + *b * s).tanh();
    let scale = s * h.sum().cos() + 0.1;
    ([next, scale], [next * scale, x.sum() + scale])
}

/// The same, where nothing depends on the carries' first values but by one of them, and something is left as it came.
fn odd<'t>([h, s]: [Var<'t>; 2], x: Var<'t>, [w, _, b]: &[Var<'t>; 3]) -> ([Var<'t>; 2], [Var<'t>; 2]) {
    ([h * 0.5 + x.matmul(*w).slice(0..2) * s, s], [x, *b + 0.0 * h])
}

const SHAPES: [&[usize]; 6] = [&[2, 3], &[], &[7, 2, 3], &[3, 3], &[3, 3], &[3]];

fn inputs(steps: usize) -> Vec<Tensor> {
    let value = |k: usize, i: usize| ((k * 31 + i * 17) % 23) as f64 / 23.0 - 0.45;
    let shape = |k: usize| if k == 2 { vec![steps, 2, 3] } else { SHAPES[k].to_vec() };
    (0..6).map(|k| Tensor::from_fn(shape(k), |i| value(k, i))).collect()
}

/// One number of all that comes out.
fn weighed<'t>(outcome: &[Var<'t>]) -> Var<'t> {
    let weigh = |v: &Var<'t>| {
        let weights = Tensor::from_fn(v.shape(), |i| ((i * 7) % 5) as f64 - 1.3);
        (v.square() * 0.5 + *v * v.tape().var(&weights)).sum()
    };
    outcome.iter().map(weigh).reduce(|a, b| a + b).unwrap()
}

fn scanned<'t>(how: Scan, f: Step, x: &[Var<'t>]) -> Vec<Var<'t>> {
    let weights = [x[3], x[4], x[5]];
    let ([h, s], [a, b]) = how.run(x[0].tape(), &[x[0], x[1]], &x[2], |carry, x, _| f(carry, x, &weights));
    vec![h, s, a, b]
}

fn written_out<'t>(how: Scan, f: Step, x: &[Var<'t>]) -> Vec<Var<'t>> {
    let (weights, steps) = ([x[3], x[4], x[5]], x[2].shape()[0]);
    let (mut carry, mut left) = ([x[0], x[1]], vec![None; steps]);
    for k in 0..steps {
        let at = if how.reverse { steps - 1 - k } else { k };
        let slice = x[2].narrow(0, at, 1).squeeze(0);
        let (next, outcome) = f(carry, slice, &weights);
        carry = next;
        left[at] = Some(outcome);
    }
    let column = |k: usize| stack(&left.iter().map(|left| left.unwrap()[k]).collect::<Vec<_>>(), 0);
    vec![carry[0], carry[1], column(0), column(1)]
}

/// As [`scanned`], by the tape itself.
fn written_out_by_the_tape<'t>(how: Scan, f: Step, x: &[Var<'t>]) -> Vec<Var<'t>> {
    let tape = x[0].tape();
    tape.write_out_loops(true);
    let all = scanned(how, f, x);
    tape.write_out_loops(false);
    assert!(tape.recorded().all(|node| node.op != "scan"));
    all
}

fn ways() -> Vec<Scan> {
    let keeps = [Keep::All, Keep::Carries, Keep::Sqrt];
    keeps.into_iter().flat_map(|keep| [false, true].map(|reverse| Scan { steps: None, reverse, keep })).collect()
}

fn close(a: &Tensor, b: &Tensor, what: &str) {
    assert_eq!(a.shape(), b.shape(), "{what}");
    let size = b.as_slice().iter().fold(1.0_f64, |m, x| m.max(x.abs()));
    for (x, y) in a.as_slice().iter().zip(b.as_slice()) {
        assert!((x - y).abs() <= 1e-12 * size, "{what}: {x} and {y}");
    }
}

/// Everything to third order, in both modes.
fn derivatives<'t>(x: &[Var<'t>], along: &[Var<'t>], all: Vec<Var<'t>>) -> Vec<Var<'t>> {
    let y = weighed(&all);
    let first = grad(y, x);
    let second = hvp(y, x, along);
    let forward = jvp(y, x, along);
    let of_second = second.iter().zip(along).map(|(a, b)| (*a * *b).sum()).reduce(|a, b| a + b).unwrap();
    let third = grad(of_second, x);
    let forward_of_first = jvp(weighed(&first), x, along);
    [all, first, second, third, vec![forward, forward_of_first]].concat()
}

fn along(x: &[Tensor]) -> Vec<Tensor> {
    x.iter().map(|t| t.map(|x| (3.0 * x).sin())).collect()
}

type Written<'a> = dyn for<'t> Fn(&[Var<'t>]) -> Vec<Var<'t>> + 'a;

/// Compares two ways to write something: values and derivatives.
fn agree(inputs: &[Tensor], a: &Written<'_>, b: &Written<'_>, what: &str) {
    let outcome = |of: &Written<'_>| {
        let tape = Tape::new();
        let (x, along) = (tape.vars(inputs), tape.vars(&along(inputs)[..]));
        tape.values(&derivatives(&x, &along, of(&x)))
    };
    for (k, (a, b)) in outcome(a).iter().zip(&outcome(b)).enumerate() {
        close(a, b, &format!("{what}, result {k}"));
    }
}

#[test]
fn a_loop_without_steps_is_written_out_as_nothing() {
    let tape = Tape::new();
    tape.write_out_loops(true);
    let none = tape.var(&Tensor::<f64>::zeros([0, 2]));
    let (last, all) = tape.scan(&tape.scalar(3.0), &none, |c, x, _| (c + x.sum(), x));
    assert_eq!((last.item(), &all.shape()[..]), (3.0, &[0, 2][..]));
}

#[test]
fn values_and_derivatives_of_a_scan_are_those_of_the_loop_written_out() {
    for (f, name) in [(step as Step, "step"), (odd as Step, "odd")] {
        for how in ways() {
            for steps in if how.reverse { [1, 3] } else { [2, 5] } {
                let what = format!("{name}, {steps} steps, {how:?}");
                agree(&inputs(steps), &|x| scanned(how, f, x), &|x| written_out(how, f, x), &what);
                agree(&inputs(steps), &|x| written_out_by_the_tape(how, f, x), &|x| written_out(how, f, x), &what);
            }
        }
    }
}

#[test]
fn a_scan_in_a_program_gives_the_bits_that_it_gives_on_a_tape() {
    let (tensors, how) = (inputs(5), ways());
    for how in how {
        let tape = Tape::new();
        let (x, along_) = (tape.vars(&tensors[..]), tape.vars(&along(&tensors)[..]));
        let eager = tape.values(&derivatives(&x, &along_, scanned(how, step, &x)));
        let choices = if how == Scan::default() { Optimisations::choices() } else { vec![Optimisations::default()] };
        for with in choices {
            let inputs = (&tensors[..], &along(&tensors)[..]);
            let mut program = Program::record_with(with, &(), &inputs, |_, (), (x, along)| {
                (vec![], derivatives(&x, &along, scanned(how, step, &x)))
            })
            .unwrap();
            let outputs = program.run(&inputs).unwrap();
            for (k, eager) in eager.iter().enumerate() {
                assert_eq!(outputs.slice(k), eager.as_slice(), "{how:?}, {with:?}, output {k}");
            }
        }
    }
}

#[test]
fn every_way_to_keep_states_gives_the_same_bits() {
    let tensors = inputs(7);
    let outcome = |keep| {
        let tape = Tape::new();
        let x = tape.vars(&tensors[..]);
        let all = scanned(Scan { keep, ..Scan::default() }, step, &x);
        let gradient = grad(weighed(&all), &x);
        tape.values(&[all, gradient].concat())
    };
    let all = outcome(Keep::All);
    assert_eq!(outcome(Keep::Carries), all);
    assert_eq!(outcome(Keep::Sqrt), all);
}

#[test]
fn loops_of_no_step_and_over_nothing_are_loops_too() {
    let tape = Tape::new();
    let (start, none) = (tape.scalar(2.0), tape.var(&Tensor::zeros([0, 3])));
    let (last, left) = tape.scan(&start, &none, |c, x, _| (c * x.sum(), x * c));
    assert_eq!((last.item(), &left.shape()[..]), (2.0, &[0, 3][..]));
    assert_eq!(grad(last, &start).item(), 1.0);
    assert_eq!(grad(left.sum() + last, &none).value().numel(), 0);
    // No carry: a map over rows.
    let rows = tape.var(&Tensor::from_rows([[1.0, 2.0], [3.0, 4.0]]));
    let ((), sums) = tape.scan(&(), &rows, |(), x, _| ((), x.square().sum()));
    assert_eq!(sums.value().as_slice(), [5.0, 25.0]);
    assert_eq!(grad(sums.sum(), &rows).value().as_slice(), [2.0, 4.0, 6.0, 8.0]);
}

#[test]
fn the_number_of_a_step_draws_noise_and_picks_rows() {
    let key = Key::new(3);
    let (table, ids) = (Tensor::from_rows([[1.0, 2.0], [3.0, 5.0], [7.0, 11.0]]), [2_usize, 0, 2, 1]);
    let run = |tape: &Tape| {
        let (table, ids, key) = (tape.var(&table), tape.labels(&ids), tape.key(key));
        let (last, ()) = Scan::steps(4).run(tape, &tape.full([2], 0.0), &(), |c, (), step| {
            let row = table.gather(0, &ids.index_select(0, &step.reshape([1]))).squeeze(0);
            (c * 0.5 + row * key.fold_in_index(&step).uniform([2]), ())
        });
        (last.value(), grad(last.sum(), &table).value())
    };
    let written = |tape: &Tape| {
        let (table, key) = (tape.var(&table), tape.key(key));
        let mut c = tape.full([2], 0.0);
        for (step, &id) in ids.iter().enumerate() {
            c = c * 0.5 + table.gather(0, &[id]).squeeze(0) * key.fold_in(step as u64).uniform([2]);
        }
        (c.value(), grad(c.sum(), &table).value())
    };
    let (a, b) = (run(&Tape::new()), written(&Tape::new()));
    close(&a.0, &b.0, "value");
    close(&a.1, &b.1, "gradient");
    // Labels of a program are checked when they come in.
    let mut program = Program::record(&(), &(&table, &ids), |tape, (), (table, ids)| {
        let ((), rows) = Scan::steps(4)
            .run(tape, &(), &(), |(), (), step| ((), table.gather(0, &ids.index_select(0, &step.reshape([1])))));
        (vec![], vec![rows])
    })
    .unwrap();
    assert_eq!(
        program.run(&(&table, &[0_usize, 1, 2, 0])).unwrap().slice(0),
        [1.0, 2.0, 3.0, 5.0, 7.0, 11.0, 1.0, 2.0]
    );
    let error = program.run(&(&table, &[0_usize, 1, 2, 3])).err().unwrap().to_string();
    assert!(error.contains("index 3 at position 3") && error.contains("gather"), "{error}");
}

fn inner<'t>(c: Var<'t>, x: Var<'t>, scan: bool) -> Var<'t> {
    if scan {
        return Scan::steps(3).run(c.tape(), &c, &(), |c, (), _| ((c * x + 0.1).sin(), ())).0;
    }
    (0..3).fold(c, |c, _| (c * x + 0.1).sin())
}
fn outer<'t>(x: &[Var<'t>], body: &dyn Fn(Var<'t>, Var<'t>) -> Var<'t>, scan: bool) -> Vec<Var<'t>> {
    if scan {
        let (last, all) = x[0].tape().scan(&x[0], &x[1], |c, x, _| {
            let next = body(c, x);
            (next, next * x)
        });
        return vec![last, all];
    }
    let (mut c, mut all) = (x[0], vec![]);
    for k in 0..x[1].shape()[0] {
        let row = x[1].narrow(0, k, 1).squeeze(0);
        c = body(c, row);
        all.push(c * row);
    }
    vec![c, stack(&all, 0)]
}

#[test]
fn bodies_may_hold_loops_derivatives_constants_and_checkpoints() {
    let inputs = [Tensor::from([0.3, -0.4]), Tensor::from_rows([[0.5, 0.1], [-0.7, 0.9], [0.2, 0.4]])];
    let both = |body: &dyn for<'t> Fn(Var<'t>, Var<'t>, bool) -> Var<'t>, what: &str| {
        agree(
            &inputs,
            &|x| outer(x, &|c, x| body(c, x, true), true),
            &|x| outer(x, &|c, x| body(c, x, false), false),
            what,
        );
    };
    both(&|c, x, scan| inner(c, x, scan), "a loop in a loop");
    both(&|c, x, _| c - 0.1 * grad((c * x).sin().sum() + c.square().sum() * x.sum(), &c), "a step of descent");
    both(&|c, x, _| c * c.tape().no_grad(|| (c * x).exp()) + x, "a constant");
    both(&|c, x, _| c.tape().checkpoint(|| (c * x).exp().sin()) + x, "a checkpoint");
    agree(
        &inputs,
        &|x| vec![x[0].tape().checkpoint(|| outer(x, &|c, x| (c * x).sin(), true)[1])],
        &|x| vec![outer(x, &|c, x| (c * x).sin(), false)[1]],
        "a loop in a checkpoint",
    );
}

#[test]
fn steps_that_repeat_have_the_same_loop() {
    let tensors = inputs(4);
    let mut tape = Tape::new();
    let mut before = None;
    for _ in 0..6 {
        tape.clear();
        let x = tape.vars(&tensors[..]);
        let all = scanned(Scan::default(), step, &x);
        let gradient = grad(weighed(&all), &x);
        let values = tape.values(&[all, gradient].concat());
        assert_eq!(before.get_or_insert_with(|| values.clone()), &values);
    }
    assert!(tape.replays() > 0, "a program was made of the steps");
}

#[test]
fn a_hundred_thousand_steps_are_recorded_as_one() {
    let tape = Tape::new();
    let (r, x) = (tape.scalar(3.7), tape.scalar(0.3));
    let (last, ()) = Scan::steps(100_000).run(&tape, &x, &(), |x, (), _| (r * x * (1.0 - x) * 0.5, ()));
    let gradient = grad(last, &[r, x]);
    assert!(tape.len() < 100, "{}", tape.len());
    let mut c = 0.3_f64;
    (0..100_000).for_each(|_| c = 3.7 * c * (1.0 - c) * 0.5);
    let (last, [by_r, by_x]) = tape.values(&(last, gradient));
    // It has come to rest where x = r/2 x (1 − x), x = 1 − 2/r.
    assert!((last.item() - c).abs() < 1e-15 && (by_r.item() - 2.0 / 3.7_f64.powi(2)).abs() < 1e-12);
    assert_eq!(by_x.item(), 0.0);
}

#[test]
fn memory_grows_as_the_root_of_the_steps_where_that_is_asked_for() {
    let bytes = |keep, steps| {
        let inputs = (&Tensor::from_fn([50], |i| 0.01 * i as f64), 0.9);
        let program = Program::record(&(), &inputs, |tape, (), (x, rate)| {
            let how = Scan { keep, ..Scan::steps(steps) };
            let (last, ()) = how.run(tape, &x, &(), |x, (), _| ((x * rate).sin().exp().tanh(), ()));
            (vec![], vec![grad(last.sum(), &x)])
        });
        program.unwrap().bytes() as f64
    };
    let growth = |keep| bytes(keep, 40_000) / bytes(keep, 400);
    let (carries, sqrt) = (growth(Keep::Carries), growth(Keep::Sqrt));
    assert!((90.0..110.0).contains(&carries), "{carries}");
    assert!((7.0..12.0).contains(&sqrt), "{sqrt}");
}

#[test]
fn mistakes_are_told_with_the_line_of_the_loop() {
    let tell = |f: &dyn Fn(&Tape)| message(|| f(&Tape::new()));
    let text = tell(&|tape| {
        let c = tape.full([3], 1.0);
        tape.scan(&c, &tape.full([4, 2], 1.0), |c, _, _| (c.sum(), ()));
    });
    assert!(text.starts_with("scan: the carry has the shape [3], what the body gave to go on with has []"), "{text}");
    assert!(text.contains("scan.rs"), "{text}");
    let text = tell(&|tape| {
        let (a, b) = (tape.full([4, 2], 1.0), tape.full([5], 1.0));
        tape.scan(&(), &(a, b), |(), (_, b), _| ((), b));
    });
    assert!(text.starts_with("scan: `1` of `xs` of shape [5] has 5 slices, but `0` of `xs` tells 4"), "{text}");
    let text = tell(&|tape| {
        tape.scan(&tape.scalar(1.0), &(), |c, (), _| (c, ()));
    });
    assert!(text.starts_with("scan: nothing is sliced, which would tell the number of steps"), "{text}");
    let text = tell(&|tape| {
        tape.scan(&tape.scalar(1.0), &tape.scalar(1.0), |c, _, _| (c, ()));
    });
    assert!(text.starts_with("scan: `xs` is one number, and has no axis to slice along"), "{text}");
    let text = tell(&|tape| {
        let c = tape.scalar(1.0);
        Scan::steps(2).run(tape, &[c, c], &(), |c, (), _| (vec![c[0]], ()));
    });
    assert!(
        text.starts_with("scan: the carry has 2 variables (0, 1), the body gave 1 variables (0) to go on with"),
        "{text}"
    );
    let text = tell(&|tape| {
        Scan::steps(2).run(tape, &tape.scalar(1.0), &(), |c, (), _| (if c.gt(0.0).holds() { c } else { -c }, ()));
    });
    assert!(text.starts_with("scan: a value of the body is asked for, which differs from step to step"), "{text}");
    let text = tell(&|tape| {
        let mut leaked = None;
        Scan::steps(2).run(tape, &tape.scalar(1.0), &(), |c, (), _| {
            leaked = Some(c * 2.0);
            (c, ())
        });
        leaked.unwrap().item();
    });
    assert!(text.starts_with("scan: a value of the body is asked for"), "{text}");
    let text = tell(&|tape| {
        let c = tape.scalar(1.0);
        Scan { steps: Some(3), ..Scan::default() }.run(tape, &c, &tape.full([2], 1.0), |c, _, _| (c, ()));
    });
    assert!(text.starts_with("scan: `xs` of shape [2] has 2 slices, but `steps` tells 3"), "{text}");
}

#[test]
fn a_shape_that_does_not_fit_in_a_body_is_told_at_its_line() {
    let line = std::cell::Cell::new(0);
    let text = message(|| {
        let tape = Tape::new();
        let (c, x) = (tape.full([3], 1.0), tape.full([4, 2], 1.0));
        tape.scan(&c, &x, |c, x, _| {
            line.set(line!() + 1);
            (c + x, ())
        });
    });
    assert!(text.starts_with("add: ") && text.contains(&format!("scan.rs:{}:", line.get())), "{text}");
}

#[test]
fn a_constant_that_is_added_to_itself_again_and_again_has_its_gradient_at_once() {
    let recorded = |n: usize| {
        let tape = Tape::<f64>::new();
        let (w, h) = (tape.scalar(0.01), tape.full([3], 0.5));
        let how = Scan { steps: Some(3), ..Scan::default() };
        let (last, ()) = how.run(&tape, &h, &(), |h, (), _| {
            let mut k = w + h.sum() * 0.0;
            for _ in 0..n {
                k = k + k;
            }
            ((h * k).tanh(), ())
        });
        let gradient = grad(last.sum(), &w);
        assert!(gradient.item().is_finite());
        tape.len()
    };
    assert!(recorded(40) < 10 * recorded(4));
}

#[test]
fn a_chain_may_read_the_end_of_what_another_one_reads_whole() {
    let inputs = [8, 2, 3].map(|n| Tensor::from_fn([n], |i| 0.1 * i as f64 + 0.2));
    let f = |x: &[Var<'_>]| {
        let y: Vec<Var<'_>> = x.iter().map(|x| x.tanh()).collect();
        let s = y[0].cumsum(0).sum() + y[1].cumsum(0).sum() + y[2].cumsum(0).sum();
        [y[1] * s, y[2] * s].map(|y| y.value())
    };
    let mut program = Program::record(&(), &inputs, |_, (), x| {
        let y = x.map(|x| x.tanh());
        let s = y[0].cumsum(0).sum() + y[1].cumsum(0).sum() + y[2].cumsum(0).sum();
        (vec![], vec![y[1] * s, y[2] * s])
    })
    .expect("it is recorded");
    let tape = Tape::new();
    let expected = f(&inputs.each_ref().map(|x| tape.var(x)));
    let found = program.run(&inputs).expect("it runs");
    assert_eq!([found.tensor(0), found.tensor(1)], expected);
}

#[test]
fn what_is_left_of_a_body_is_no_value_of_a_program_and_has_no_derivatives() {
    type Use = for<'t> fn(Var<'t>, Var<'t>) -> Var<'t>;
    let leaked = |tape: &Tape, of: Use| -> String {
        let (c, v) = (tape.scalar(0.5), tape.var(&Tensor::from([1.0, 2.0])));
        let mut left = None;
        tape.scan(&c, &v, |c, x, _| {
            left = Some(c * x);
            (c * x, ())
        });
        message(|| _ = of(left.unwrap(), v))
    };
    let asked = "scan: a value of the body is asked for";
    let uses: [Use; 4] = [
        |left, v| grad(left, &v),
        |left, v| grad((left * 2.0 + v).sum(), &v),
        |left, v| jvp(left, &v, &v),
        |left, v| autograd::jacobian(left, v),
    ];
    for of in uses {
        let text = leaked(&Tape::new(), of);
        assert!(text.starts_with(asked) && text.contains("scan.rs"), "{text}");
    }
    // As an output, in one, as the next state, and where a step's number is an index.
    for case in 0..4 {
        let state = Tensor::scalar(1.0);
        let program = Program::record(&state, &Tensor::from([1.0, 2.0]), |tape, state, x| {
            let (mut left, mut number) = (None, None);
            let (y, ()) = tape.scan(&state, &x, |c, x, k| {
                (left, number) = (Some(c * x), Some(k));
                (c * x, ())
            });
            let left = left.unwrap();
            match case {
                0 => (vec![y], vec![y, left]),
                1 => (vec![y], vec![y * left]),
                2 => (vec![left], vec![y]),
                _ => (vec![y], vec![x.gather(0, number.as_ref().unwrap())]),
            }
        });
        let text = program.err().expect("it is no value").to_string();
        assert!(text.contains(asked), "{case}: {text}");
    }
    // Of a body that did not fit, too.
    let tape = Tape::new();
    let (c, v) = (tape.scalar(0.5), tape.var(&Tensor::from([1.0, 2.0])));
    let mut left = None;
    let text = message(|| {
        tape.scan(&c, &v, |c, x, _| {
            left = Some(c * x);
            (v, ())
        });
    });
    assert!(text.starts_with("scan: the carry has the shape []"), "{text}");
    let text = message(|| _ = hvp(left.unwrap() * v.sum(), &v, &v));
    assert!(text.starts_with(asked), "{text}");
    // Derivatives within a body are asked for what is none outside later.
    let mut slope = None;
    let (total, ()) = tape.scan(&c, &v, |c, x, _| {
        slope = Some(grad(c * x * x, &x));
        (c + slope.unwrap(), ())
    });
    assert!(message(|| _ = grad(slope.unwrap(), &v)).starts_with(asked));
    assert!(grad(total, &v).value().as_slice().iter().all(|slope| *slope > 0.0));
    // Steps that repeat tell it each time.
    let mut tape = Tape::new();
    for _ in 0..8 {
        tape.clear();
        let (c, v) = (tape.scalar(0.5), tape.var(&Tensor::from([1.0, 2.0])));
        let mut left = None;
        let (y, ()) = tape.scan(&c, &v, |c, x, _| {
            left = Some(c * x);
            (c * x, ())
        });
        let text = message(|| drop(tape.values(&(y, left.unwrap()))));
        assert!(text.starts_with(asked), "{text}");
    }
}

/// The operand, with a rule that goes wrong.
#[derive(Debug)]
struct Wrong;

impl Op<f64, 1> for Wrong {
    fn name(&self) -> &'static str {
        "wrong"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, f64>; 1], y: ViewMut<'_, f64>) {
        y.data.copy_from_slice(x.data);
    }
    fn vjp<'t>(&self, _: usize, _: [Var<'t>; 1], _: Var<'t>, dy: Var<'t>) -> Option<Var<'t>> {
        Some(dy.reshape([7]))
    }
}

#[test]
fn what_is_wrong_with_a_rule_is_told_at_the_line_of_its_operation() {
    for keep in [Keep::All, Keep::Carries, Keep::Sqrt] {
        let line = std::cell::Cell::new(0);
        let run = |tape: &Tape, differentiates: bool| {
            let (one, v) = (tape.scalar(1.0), tape.var(&Tensor::from([1.0, 2.0, 3.0, 4.0])));
            let scan = Scan { keep, ..Scan::default() };
            let looped = || {
                scan.run(tape, &one, &v, |c, x, _| {
                    line.set(line!() + 1);
                    (tape.apply(Wrong, [c * x]), ())
                })
            };
            if differentiates { grad(looped().0, &v).value().as_slice()[0] } else { tape.no_grad(looped).0.item() }
        };
        // Nobody asks a rule of what has no derivatives.
        assert_eq!(run(&Tape::new(), false), 24.0);
        let text = message(|| _ = run(&Tape::new(), true));
        assert!(text.contains(&format!("scan.rs:{}:", line.get())), "{keep:?}: {text}");
    }
}
