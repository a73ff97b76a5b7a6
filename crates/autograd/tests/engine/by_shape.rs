//! A function recorded for each combination of shapes: one state, whichever program runs, and whatever goes wrong.

use autograd::{
    IndexVar, InputRecorder, InputWriter, Inputs, Optimisations, Program, ProgramError, ProgramErrorKind, Programs,
    Tape, Tensor, Var,
};
use autograd::{grad, tree, update};
use std::panic::{AssertUnwindSafe, catch_unwind};

struct Net<V> {
    w: V,
    b: V,
}
tree!(Net { w, b });

type Batch = (Tensor, Vec<usize>, f64);

/// A step of training as a user would keep it: the type has a name, and outlives the batches.
struct Trainer {
    step: Programs<Net<Tensor>, Batch>,
}

fn ramp<const R: usize>(shape: [usize; R], scale: f64) -> Tensor {
    Tensor::from_fn(shape, |i| ((i * 7919 % 23) as f64 - 11.0) * scale)
}

fn net() -> Net<Tensor> {
    Net { w: ramp([4, 3], 0.05), b: ramp([3], 0.01) }
}

fn batch(n: usize, seed: usize) -> Batch {
    (ramp([n, 4], 0.1 + seed as f64 * 0.03), (0..n).map(|i| (i * 2 + seed) % 3).collect(), 0.1 + seed as f64 * 0.01)
}

fn step<'t>(net: &Net<Var<'t>>, x: Var<'t>, labels: IndexVar<'t>, rate: Var<'t>) -> (Vec<Var<'t>>, Vec<Var<'t>>) {
    let loss = (x.matmul(net.w).tanh() + net.b).cross_entropy(&labels);
    (update(net, &grad(loss, net), |p, g| p - g * rate), vec![loss])
}

fn recorded() -> Programs<Net<Tensor>, Batch> {
    Programs::record(net(), &batch(5, 0), |_, net, (x, labels, rate)| step(&net, x, labels, rate)).unwrap()
}

fn parameters(programs: &Programs<Net<Tensor>, Batch>) -> Net<Tensor> {
    let mut state = net();
    programs.store_state(&mut state).unwrap();
    state
}

fn assert_same(a: &Net<Tensor>, b: &Net<Tensor>) {
    assert_eq!((&a.w, &a.b), (&b.w, &b.b));
}

#[test]
fn batches_of_alternating_sizes_give_the_parameters_of_recording_anew() {
    let mut trainer = Trainer { step: recorded() };
    let mut expected = net();
    for seed in 0..30 {
        let (x, labels, rate) = batch([5, 5, 2, 7][seed % 4], seed);
        let mut anew =
            Program::record(&expected, &(&x, &labels, rate), |_, net, (x, labels, rate)| step(&net, x, labels, rate))
                .unwrap();
        let loss = anew.run(&(&x, &labels, rate)).unwrap().item(0);
        anew.store_state(&mut expected).unwrap();
        assert_eq!(trainer.step.run(&(&x, &labels, rate)).unwrap().item(0), loss, "step {seed}");
        assert_same(&parameters(&trainer.step), &expected);
    }
    assert_eq!(trainer.step.len(), 3);
    assert_same(&trainer.step.into_state(), &expected);
}

#[test]
fn the_state_is_read_and_written_by_name_whichever_program_ran() {
    let mut programs = recorded();
    programs.run(&batch(2, 1)).unwrap();
    assert_eq!(programs.state_names().collect::<Vec<_>>(), ["w", "b"]);
    programs.set_state("b", &Tensor::from([1.0, 2.0, 3.0])).unwrap();
    let (x, labels, _) = batch(5, 0);
    programs.run(&(&x, &labels, 0.0)).unwrap();
    assert_eq!(programs.state("b").unwrap().as_slice(), [1.0, 2.0, 3.0]);
    assert!(programs.state("c").is_none());
    assert!(matches!(
        programs.set_state("c", &Tensor::scalar(0.0)).err().unwrap().kind(),
        ProgramErrorKind::NoState { .. }
    ));
    assert!(matches!(
        programs.set_state("b", &Tensor::scalar(0.0)).err().unwrap().kind(),
        ProgramErrorKind::Shape { .. }
    ));
    let error = programs.store_state(&mut [ramp([4, 3], 1.0)]).unwrap_err();
    assert_eq!(*error.kind(), ProgramErrorKind::State { expected: 2, found: 1 });
}

#[test]
fn forgetting_keeps_the_state_and_records_anew() {
    let (mut forgetful, mut other) = (recorded(), recorded());
    for seed in 0..8 {
        let batch = batch([5, 2][seed % 2], seed);
        forgetful.run(&batch).unwrap();
        other.run(&batch).unwrap();
        assert_eq!((forgetful.len(), other.len()), ([1, 2][seed.min(1)], [1, 2][seed.min(1)]));
        assert_eq!(forgetful.bytes(), other.bytes());
        let both = forgetful.bytes();
        forgetful.forget();
        assert_eq!(forgetful.len(), 1);
        assert!(seed == 0 || forgetful.bytes() < both);
        assert_same(&parameters(&forgetful), &parameters(&other));
    }
    assert_eq!(other.to_string().matches("inputs [").count(), 2, "{other}");
}

#[test]
fn a_label_out_of_range_is_an_error_that_leaves_the_state_as_it_was() {
    let mut programs = recorded();
    programs.run(&batch(2, 1)).unwrap();
    let before = parameters(&programs);
    let mut wrong = batch(5, 2);
    wrong.1[3] = 3;
    let error = programs.run(&wrong).err().unwrap();
    let is_third =
        matches!(error.kind(), ProgramErrorKind::Label { input: 1, position: 3, label: 3, low: 0, high: 2, .. });
    assert!(
        is_third && error.to_string().contains("label 3 at position 3 is out of range for cross_entropy"),
        "{error}"
    );
    assert_same(&parameters(&programs), &before);
    assert!(programs.run(&batch(5, 2)).is_ok());
}

#[test]
fn a_recording_that_panics_leaves_state_and_programs_as_they_were() {
    let (mut programs, mut other) = (recorded(), recorded());
    let mut panics = |batch: &Batch| catch_unwind(AssertUnwindSafe(|| programs.run(batch).is_ok())).is_err();
    assert!(panics(&(ramp([5, 3], 0.1), vec![0; 5], 0.1)), "columns that do not fit");
    assert!(panics(&(ramp([2, 4], 0.1), vec![0, 3], 0.1)), "a label out of range in a new shape");
    assert_eq!(programs.len(), 1);
    for seed in 0..4 {
        let batch = batch([5, 2][seed % 2], seed);
        programs.run(&batch).unwrap();
        other.run(&batch).unwrap();
    }
    assert_same(&programs.into_state(), &other.into_state());
}

#[test]
fn a_recording_that_reads_a_value_is_an_error_that_leaves_the_state_as_it_was() {
    let mut programs = Programs::record(Tensor::scalar(1.0), &Tensor::from([1.0, 2.0]), |_, w, x| {
        let factor = if x.numel() == 3 { x.sum().item() } else { 1.0 };
        let y = w + x.sum() * factor;
        (vec![y], vec![y])
    })
    .unwrap();
    assert_eq!(programs.run(&Tensor::from([1.0, 2.0])).unwrap().item(0), 4.0);
    let error = programs.run(&Tensor::from([1.0, 2.0, 3.0])).err().unwrap();
    assert!(matches!(error.kind(), ProgramErrorKind::Read { .. }), "{error}");
    assert_eq!((programs.len(), programs.state("").unwrap().item()), (1, 4.0));
    assert_eq!(programs.run(&Tensor::from([1.0])).unwrap().item(0), 5.0);
    assert_eq!(programs.run(&Tensor::from([1.0, 1.0])).unwrap().item(0), 7.0);
}

#[test]
fn a_branch_that_would_go_the_other_way_is_reported_and_not_recorded() {
    let mut programs = Programs::record(Tensor::scalar(1.0), &Tensor::from([1.0]), |tape, w, x| {
        let y = if x.sum().gt(tape.scalar(0.0)).holds() { w + 1.0 } else { w - 1.0 };
        (vec![y], vec![y])
    })
    .unwrap();
    let two = |sum: f64| Tensor::from([sum, 0.0]);
    // Another shape takes the branch of the inputs it is recorded with.
    assert_eq!(programs.run(&two(-1.0)).unwrap().item(0), 0.0);
    let error = programs.run(&Tensor::from([-1.0])).err().unwrap();
    assert!(matches!(error.kind(), ProgramErrorKind::Branch { held: true, .. }), "{error}");
    let error = programs.run(&two(1.0)).err().unwrap();
    assert!(matches!(error.kind(), ProgramErrorKind::Branch { held: false, .. }), "{error}");
    assert_eq!((programs.len(), programs.state("").unwrap().item()), (2, 0.0));
    assert_eq!(programs.run(&Tensor::from([1.0])).unwrap().item(0), 1.0);
}

#[test]
fn the_number_of_inputs_is_a_part_of_their_shapes() {
    let none: [Tensor; 0] = [];
    let passes = Optimisations::default().without("chains");
    let one = || vec![Tensor::scalar(1.0)];
    let mut sum = Programs::record_with(passes, none, &one(), |tape: &Tape, [], terms| {
        (vec![], vec![terms.iter().fold(tape.scalar(0.0), |sum, &x| sum + x)])
    })
    .unwrap();
    for (n, programs) in [(1, 1), (3, 2), (0, 3), (3, 3), (1, 3)] {
        let terms: Vec<Tensor> = (0..n).map(|i| Tensor::scalar(f64::from(i) + 1.0)).collect();
        assert_eq!(sum.run(&terms).unwrap().item(0), f64::from(n * (n + 1)) / 2.0);
        assert_eq!(sum.len(), programs);
    }
}

/// Numbers or labels, as a value says.
enum Either {
    Numbers(Tensor),
    Labels(Vec<usize>),
}

enum EitherVar<'t> {
    Numbers(Var<'t>),
    Labels(IndexVar<'t>),
}

impl Inputs<f64> for Either {
    type Traced<'t> = EitherVar<'t>;
    type Owned = Self;
    fn trace<'t>(&self, tape: &'t Tape, slots: &mut InputRecorder) -> EitherVar<'t> {
        match self {
            Self::Numbers(x) => EitherVar::Numbers(x.trace(tape, slots)),
            Self::Labels(labels) => EitherVar::Labels(labels.trace(tape, slots)),
        }
    }
    fn bind(&self, binder: &mut InputWriter<'_, f64>) -> Result<(), ProgramError> {
        match self {
            Self::Numbers(x) => x.bind(binder),
            Self::Labels(labels) => labels.bind(binder),
        }
    }
}

#[test]
fn inputs_of_one_shape_and_two_kinds_have_two_programs() {
    let numbers = |x: f64| Either::Numbers(Tensor::from([x, 1.0]));
    let mut programs = Programs::record(Tensor::from([3.0, 5.0]), &numbers(0.0), |_, table, input| {
        let y = match input {
            EitherVar::Numbers(x) => x * 2.0,
            EitherVar::Labels(labels) => table.gather(0, &labels),
        };
        (vec![], vec![y])
    })
    .unwrap();
    for _ in 0..2 {
        assert_eq!(programs.run(&numbers(2.0)).unwrap().slice(0), [4.0, 2.0]);
        assert_eq!(programs.run(&Either::Labels(vec![1, 0])).unwrap().slice(0), [5.0, 3.0]);
    }
    assert_eq!(programs.len(), 2);
}

#[test]
fn f32_inputs_in_arrays_and_references_are_of_one_type() {
    let mut programs: Programs<Tensor<f32>, (Tensor<f32>, Vec<usize>), f32> =
        Programs::record(Tensor::ones([2]), &(Tensor::ones([1, 2]), [0_usize]), |_, w, (x, labels)| {
            let loss = (x * w).cross_entropy(&labels);
            (vec![w - grad(loss, &w)], vec![loss])
        })
        .unwrap();
    let x = Tensor::from_rows([[1.0_f32, 0.0], [0.0, 1.0]]);
    let labels: &[usize] = &[0, 1];
    assert!(programs.run(&(&x, labels)).is_ok());
    assert!(programs.run(&(x, [1, 0])).is_ok());
    assert_eq!(programs.len(), 2);
    let is_sendable = |_: &(dyn Send + Sync)| ();
    is_sendable(&programs);
}
