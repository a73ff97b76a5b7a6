//! Programs whose inputs, labels or operations go wrong: an error, with the state as it was, and the next run is right.

use super::operations::{Copied, panic_of};
use autograd::{
    CrossEntropyOptions, IndexVar, InputRecorder, InputWriter, Inputs, Optimisations, Program, ProgramError,
    ProgramErrorKind, Programs, Reduction, Shape, Tape, Tensor, Var, grad, update,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// Says that its shape is `[4]`, and gives what it has.
struct Given(Vec<f64>);

impl Inputs<f64> for Given {
    type Traced<'t> = Var<'t>;
    type Owned = Self;
    fn trace<'t>(&self, tape: &'t Tape, slots: &mut InputRecorder) -> Var<'t> {
        slots.numbers(tape, &Tensor::zeros([4]))
    }
    fn bind(&self, binder: &mut InputWriter<'_, f64>) -> Result<(), ProgramError> {
        binder.numbers(&Shape::from([4]), &self.0)
    }
}

/// The same of labels.
struct GivenLabels(Vec<i64>);

impl Inputs<f64> for GivenLabels {
    type Traced<'t> = IndexVar<'t>;
    type Owned = Self;
    fn trace<'t>(&self, tape: &'t Tape, slots: &mut InputRecorder) -> IndexVar<'t> {
        slots.integers(tape.labels(&[0, 0, 0, 0]))
    }
    fn bind(&self, binder: &mut InputWriter<'_, f64>) -> Result<(), ProgramError> {
        binder.integers(&Shape::from([4]), self.0.iter().copied())
    }
}

/// Labels without end.
struct Endless;

impl Inputs<f64> for Endless {
    type Traced<'t> = IndexVar<'t>;
    type Owned = Self;
    fn trace<'t>(&self, tape: &'t Tape, slots: &mut InputRecorder) -> IndexVar<'t> {
        GivenLabels(vec![0; 4]).trace(tape, slots)
    }
    fn bind(&self, binder: &mut InputWriter<'_, f64>) -> Result<(), ProgramError> {
        binder.integers(&Shape::from([4]), std::iter::repeat(1_i64))
    }
}

/// What the last run left was taken for the rest once.
#[test]
fn inputs_of_fewer_or_more_elements_than_their_shape_are_an_error() {
    let full = Given(vec![1.0, 2.0, 3.0, 4.0]);
    let mut program =
        Program::record(&Tensor::scalar(0.0), &full, |_, s: Var<'_>, x| (vec![s + x.sum()], vec![x * 1.0])).unwrap();
    let table = Tensor::from([5.0, 6.0, 7.0]);
    let labels = GivenLabels(vec![0, 1, 2, 2]);
    let mut lookup = Program::record(&[] as &[Tensor; 0], &labels, move |tape, _, labels| {
        (vec![], vec![tape.var(&table).gather(0, &labels)])
    })
    .unwrap();
    program.run(&full).unwrap();
    lookup.run(&labels).unwrap();
    for found in [0, 1, 3, 5, 9] {
        let expected = ProgramErrorKind::Length { input: 0, expected: 4, found };
        assert_eq!(*program.run(&Given(vec![9.0; found])).err().unwrap().kind(), expected);
        assert_eq!(*lookup.run(&GivenLabels(vec![1; found])).err().unwrap().kind(), expected);
    }
    assert!(matches!(
        lookup.run(&Endless).err().unwrap().kind(),
        ProgramErrorKind::Length { input: 0, expected: 4, .. }
    ));
    assert_eq!(program.state("").unwrap().item(), 10.0);
    assert_eq!(program.run(&full).unwrap().slice(0), [1.0, 2.0, 3.0, 4.0]);
    assert_eq!(lookup.run(&GivenLabels(vec![2, 2, 1, 0])).unwrap().slice(0), [7.0, 7.0, 6.0, 5.0]);
}

fn options(ignore: Option<i64>, weights: Option<[f64; 2]>, reduction: Reduction) -> CrossEntropyOptions {
    let class_weights = weights.map(Tensor::from);
    CrossEntropyOptions { ignore_index: ignore, class_weights, reduction, ..CrossEntropyOptions::default() }
}

fn loss_of<'t>(scores: Var<'t>, labels: IndexVar<'t>, options: &CrossEntropyOptions, nll: bool) -> Var<'t> {
    if nll { scores.log_softmax(1).nll(&labels, options) } else { scores.cross_entropy_opts(&labels, options) }
}

/// `Ok(NaN)` once, and NaN in the state.
#[test]
fn a_run_whose_labels_leave_nothing_to_average_is_an_error_and_moves_no_state() {
    let w = Tensor::from_rows([[0.5, -0.5], [0.25, 1.0]]);
    let x = Tensor::from_rows([[1.0, 2.0], [3.0, -1.0]]);
    // The labels of a good batch, and those of a batch that counts nothing.
    let cases = [
        (Some(5), None, [1_usize, 5], [5_usize, 5]),
        (None, Some([0.0, 2.0]), [0, 1], [0, 0]),
        (Some(1), Some([0.0, 2.0]), [1, 1], [0, 1]),
        (Some(7), Some([3.0, 0.0]), [7, 0], [7, 1]),
    ];
    for (ignore, weights, good, bad) in cases {
        let options = options(ignore, weights, Reduction::Mean);
        let options = CrossEntropyOptions { label_smoothing: 0.1, ..options };
        for nll in [false, true] {
            if (ignore, good) == (Some(1), [1, 1]) {
                let tape = Tape::new();
                let text = panic_of(|| loss_of(tape.var(&x), tape.labels(&good), &options, nll));
                assert!(text.contains("the mean over no counted examples does not exist"), "{text}");
                continue;
            }
            let mut program = Program::record(&w, &(&x, &good[..]), |_, w, (x, labels)| {
                let loss = loss_of(x.matmul(w), labels, &options, nll);
                (vec![w - grad(loss, &w)], vec![loss])
            })
            .unwrap();
            let before = program.run(&(&x, &good[..])).unwrap().item(0);
            let state = program.state("").unwrap();
            let error = program.run(&(&x, &bad[..])).err().unwrap();
            assert!(matches!(error.kind(), ProgramErrorKind::Empty { .. }), "{error}");
            assert!(error.to_string().contains("programs.rs:"), "{error}");
            assert_eq!(program.state("").unwrap(), state);
            assert!(before.is_finite() && program.run(&(&x, &good[..])).unwrap().item(0).is_finite());
        }
    }
}

#[test]
fn programs_of_several_shapes_do_not_average_nothing_either() {
    let options = options(Some(4), None, Reduction::Mean);
    let scores = |n: usize| Tensor::from_fn([n, 2], |i| i as f64 * 0.25);
    let mut programs =
        Programs::record(Tensor::scalar(1.0), &(scores(2), vec![0, 4]), move |_, s: Var<'_>, (x, labels)| {
            let loss = (x * s).cross_entropy_opts(&labels, &options);
            (vec![s - grad(loss, &s)], vec![loss])
        })
        .unwrap();
    programs.run(&(scores(3), vec![0, 4, 1])).unwrap();
    let state = programs.state("").unwrap();
    for labels in [vec![4, 4], vec![4, 4, 4]] {
        assert!(matches!(
            programs.run(&(scores(labels.len()), labels)).err().unwrap().kind(),
            ProgramErrorKind::Empty { .. }
        ));
    }
    assert_eq!(programs.state("").unwrap(), state);
    programs.run(&(scores(2), vec![4, 1])).unwrap();
}

#[test]
fn weights_that_count_nothing_are_an_error_where_a_mean_is_recorded_and_zero_in_a_sum() {
    let mut tape = Tape::new();
    for step in 0..6 {
        let scores = tape.var(&Tensor::from_rows([[1.0, 2.0], [0.5, -0.5]]));
        let weights = Some([0.0, 2.0]);
        for (labels, ignore) in [([0_usize, 0], None), ([0, 1], Some(1)), ([7, 0], Some(7)), ([7, 7], Some(7))] {
            let mean = options(ignore, weights, Reduction::Mean);
            for text in [
                panic_of(|| scores.cross_entropy_opts(&labels, &mean)),
                panic_of(|| scores.log_softmax(1).nll(&labels, &mean)),
            ] {
                assert!(text.contains("the mean over no counted examples does not exist"), "step {step}: {text}");
            }
            let sum = options(ignore, weights, Reduction::Sum);
            assert_eq!(scores.cross_entropy_opts(&labels, &sum).item(), 0.0);
        }
        assert!(scores.cross_entropy_opts(&[0, 1], &options(None, weights, Reduction::Mean)).item() > 1.0);
        tape.clear();
    }
}

#[test]
fn class_weights_are_finite_and_not_negative() {
    let tape = Tape::new();
    let scores = tape.var(&Tensor::from_rows([[1.0, 2.0], [0.5, -0.5]]));
    for weight in [-1.0, f64::NAN, f64::INFINITY, -1e-300] {
        for reduction in [Reduction::Mean, Reduction::Sum, Reduction::None] {
            let options = options(None, Some([1.0, weight]), reduction);
            for text in
                [panic_of(|| scores.cross_entropy_opts(&[0, 1], &options)), panic_of(|| scores.nll(&[0, 1], &options))]
            {
                assert!(text.contains("class weights must be finite and not negative, that of class 1"), "{text}");
            }
        }
    }
    let zero = options(None, Some([1.0, -0.0]), Reduction::Mean);
    assert!(scores.cross_entropy_opts(&[0, 1], &zero).item().is_finite());
}

fn failing() -> (Arc<AtomicBool>, Arc<AtomicBool>) {
    let flag = Arc::new(AtomicBool::new(false));
    (Arc::clone(&flag), flag)
}

/// `(4, 20)` once: the first part of the state was written over before the operation of the second was computed. The next
/// run found a buffer missing.
#[test]
fn a_run_that_panics_moves_no_part_of_the_state_and_the_next_one_is_right() {
    for passes in [Optimisations::default(), Optimisations::NONE] {
        let (flag, own) = failing();
        let state = [Tensor::from([1.0]), Tensor::from([10.0]), Tensor::from([5.0])];
        let mut program = Program::record_with(passes, &state, &2.0, |tape, [a, b, c], r: Var<'_>| {
            let b = tape.apply(Copied(own.clone()), [b + 0.0]) * r;
            (vec![a * r, b, c + r], vec![b.sum()])
        })
        .unwrap();
        let states = |p: &Program| ["0", "1", "2"].map(|name| p.state(name).unwrap().item());
        program.run(&2.0).unwrap();
        for _ in 0..3 {
            flag.store(true, SeqCst);
            assert!(panic_of(|| program.run(&7.0).is_ok()).contains("out of luck"));
            flag.store(false, SeqCst);
            assert_eq!(states(&program), [2.0, 20.0, 7.0]);
        }
        assert_eq!(program.run(&3.0).unwrap().item(0), 60.0);
        assert_eq!(states(&program), [6.0, 60.0, 10.0]);
    }
}

#[test]
fn a_training_step_with_an_operation_that_panics_goes_on_as_if_it_had_not_run() {
    let (flag, own) = failing();
    let net = (
        Tensor::from_fn([4, 8], |i| (i as f64 * 0.7).sin()),
        Tensor::zeros([8]),
        Tensor::ones([8, 3]),
        Tensor::zeros([3]),
    );
    let (x, labels) = (Tensor::from_fn([6, 4], |i| (i as f64 * 0.3).cos()), [0, 1, 2, 2, 1, 0]);
    let step = |flag: Arc<AtomicBool>| {
        Program::record(&net, &(&x, &labels[..]), move |tape, (w1, b1, w2, b2), (x, labels)| {
            let h = (x.matmul(w1) + b1).relu();
            let h = tape.apply(Copied(flag.clone()), [h]);
            let loss = (h.matmul(w2) + b2).cross_entropy(&labels);
            let net = (w1, b1, w2, b2);
            (update(&net, &grad(loss, &net), |p, g| p - g * 0.1), vec![loss])
        })
        .unwrap()
    };
    let (mut steady, mut shaken) = (step(Arc::default()), step(own));
    for round in 0..5 {
        let want = steady.run(&(&x, &labels[..])).unwrap().item(0);
        flag.store(true, SeqCst);
        panic_of(|| shaken.run(&(&x, &labels[..])).is_ok());
        flag.store(false, SeqCst);
        assert_eq!(shaken.run(&(&x, &labels[..])).unwrap().item(0).to_bits(), want.to_bits(), "round {round}");
        for name in steady.state_names() {
            assert_eq!(steady.state(name), shaken.state(name));
        }
    }
}

#[test]
fn programs_and_tapes_go_on_after_a_panic() {
    let (flag, own) = failing();
    let mut programs = Programs::record(Tensor::from([1.0]), &Tensor::from([2.0]), move |tape, a: Var<'_>, r| {
        (vec![tape.apply(Copied(own.clone()), [a * r.sum()])], vec![])
    })
    .unwrap();
    for n in 1..4 {
        flag.store(true, SeqCst);
        panic_of(|| programs.run(&Tensor::full([n], 2.0)).is_ok());
        flag.store(false, SeqCst);
        programs.run(&Tensor::full([n], 2.0)).unwrap();
    }
    assert_eq!(programs.state("").unwrap().item(), 2.0 * 4.0 * 6.0);

    let (flag, own) = failing();
    let mut tape = Tape::new();
    for step in 0..8 {
        let x = tape.var(&Tensor::from([f64::from(step), 1.0]));
        let y = tape.apply(Copied(own.clone()), [(x * 2.0).tanh()]);
        let part = tape.checkpoint(|| tape.apply(Copied(own.clone()), [x * x]) * x).sum() + y.sum();
        flag.store(true, SeqCst);
        panic_of(|| grad(part, &x));
        panic_of(|| tape.values(&[part, y]));
        panic_of(|| tape.no_grad(|| hvp_of(part, x)));
        panic_of(|| tape.first_non_finite(&part));
        flag.store(false, SeqCst);
        let slope = |x: f64| 2.0 / (2.0 * x).cosh().powi(2) + 3.0 * x * x;
        let dx = tape.values(&grad(part, &x));
        for (dx, x) in dx.as_slice().iter().zip([f64::from(step), 1.0]) {
            assert!((dx - slope(x)).abs() < 1e-12 * slope(x), "step {step}");
        }
        if step % 2 == 0 {
            tape.clear();
        }
    }
}

fn hvp_of<'t>(y: Var<'t>, x: Var<'t>) -> Var<'t> {
    autograd::hvp(y, &x, &x)
}

#[test]
fn a_program_within_the_recording_of_another_is_its_own() {
    let mut inner = Program::record(&Tensor::scalar(1.0), &2.0, |_, s: Var<'_>, x| (vec![s * x], vec![s * x])).unwrap();
    let mut outer = Program::record(&Tensor::scalar(1.0), &3.0, |tape, s: Var<'_>, x| {
        let number = inner.run(&5.0).unwrap().item(0);
        let again = Program::record(&[] as &[Tensor; 0], &1.0, |_, _, y| (vec![], vec![y * 2.0]))
            .unwrap()
            .run(&4.0)
            .unwrap()
            .item(0);
        (vec![s + x * tape.scalar(number) + again], vec![])
    })
    .unwrap();
    outer.run(&3.0).unwrap();
    outer.run(&1.0).unwrap();
    assert_eq!((outer.state("").unwrap().item(), inner.state("").unwrap().item()), (1.0 + 15.0 + 8.0 + 5.0 + 8.0, 5.0));
}

#[test]
fn a_branch_that_goes_the_other_way_leaves_the_state_also_where_an_operation_may_panic() {
    let (flag, own) = failing();
    let mut program = Program::record(&[Tensor::scalar(1.0), Tensor::scalar(2.0)], &1.0, |tape, [a, b], x: Var<'_>| {
        let checked = tape.apply(Copied(own.clone()), [x]);
        let positive = checked.gt(tape.scalar(0.0)).holds();
        (if positive { vec![a + x, b * x] } else { vec![a, b] }, vec![])
    })
    .unwrap();
    let states = |p: &Program| ["0", "1"].map(|name| p.state(name).unwrap().item());
    program.run(&3.0).unwrap();
    assert!(matches!(program.run(&-1.0).err().unwrap().kind(), ProgramErrorKind::Branch { held: true, .. }));
    flag.store(true, SeqCst);
    panic_of(|| program.run(&1.0).is_ok());
    flag.store(false, SeqCst);
    assert_eq!(states(&program), [4.0, 6.0]);
    program.run(&2.0).unwrap();
    assert_eq!(states(&program), [6.0, 12.0]);
}

#[test]
fn a_structure_that_does_not_take_the_whole_state_is_left_as_it_was() {
    let state = [Tensor::scalar(1.0), Tensor::from([2.0, 3.0])];
    let program = Program::record(&state, &(), |_, state: [Var<'_>; 2], ()| (state.to_vec(), vec![])).unwrap();
    let mut other = [Tensor::scalar(9.0), Tensor::from([9.0])];
    let error = program.store_state(&mut other).unwrap_err();
    assert!(matches!(error.kind(), ProgramErrorKind::Shape { .. }), "{error}");
    assert_eq!((other[0].item(), other[1].item()), (9.0, 9.0));
}

fn total() -> Programs<Tensor, Tensor> {
    Programs::record(Tensor::scalar(0.0), &Tensor::zeros([1]), |_, total: Var<'_>, x| {
        (vec![total + x.sum()], vec![total])
    })
    .unwrap()
}

#[test]
fn a_bound_keeps_the_programs_that_ran_last_and_the_state() {
    let (mut bounded, mut free) = (total(), total());
    bounded.keep_at_most(3);
    let mut most = 0;
    for round in 0..200_usize {
        let n = [1, 2, round % 50 + 3, 1][round % 4];
        let x = Tensor::full([n], 1.0);
        let before = bounded.run(&x).unwrap().item(0);
        assert_eq!(before, free.run(&x).unwrap().item(0));
        assert!(bounded.len() <= 3);
        most = most.max(bounded.bytes());
        if round == 100 {
            bounded.set_state("", &Tensor::scalar(7.0)).unwrap();
            free.set_state("", &Tensor::scalar(7.0)).unwrap();
        }
    }
    assert_eq!(bounded.state("").unwrap(), free.state("").unwrap());
    assert!(free.len() > 20 && most < free.bytes() / 4, "{most} bytes of {}", free.bytes());
}

#[test]
fn the_program_that_has_not_run_for_longest_is_forgotten_first() {
    let recorded = Arc::new(std::sync::Mutex::new(Vec::new()));
    let log = Arc::clone(&recorded);
    let mut programs = Programs::record(Tensor::scalar(0.0), &Tensor::zeros([1]), move |_, s: Var<'_>, x| {
        log.lock().unwrap().push(x.numel());
        (vec![s + x.sum()], vec![])
    })
    .unwrap();
    programs.keep_at_most(2);
    for n in [1, 2, 1, 3, 1, 3, 2, 3] {
        programs.run(&Tensor::ones([n])).unwrap();
    }
    assert_eq!(*recorded.lock().unwrap(), [1, 2, 3, 2]);
    programs.keep_at_most(0);
    assert_eq!((programs.len(), programs.state("").unwrap().item()), (1, 16.0));
    programs.run(&Tensor::ones([3])).unwrap();
    programs.run(&Tensor::ones([1])).unwrap();
    assert_eq!((programs.len(), recorded.lock().unwrap().len()), (1, 5));
    programs.keep_at_most(usize::MAX);
    for n in 1..9 {
        programs.run(&Tensor::ones([n])).unwrap();
    }
    assert_eq!((programs.len(), programs.into_state().item()), (8, 20.0 + 36.0));
}
