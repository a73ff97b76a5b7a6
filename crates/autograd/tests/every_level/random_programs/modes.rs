//! What must agree.

use super::dual::Dual;
use super::engine::Recorded;
use super::program::Program;
use super::reference::Run;
use crate::random::Random;
use autograd::{Float, Program as Replay, ProgramError, ProgramErrorKind, Programs, Tape, Tensor, Var, grad};
use std::collections::BTreeMap;

/// How many leaves are the state; the other two are inputs.
const STATE: usize = 2;
/// The steps that are taken: the size of the batch, and which numbers.
const STEPS: [(usize, u64); 6] = [(2, 0), (2, 1), (4, 2), (2, 0), (2, 3), (4, 4)];

/// The numbers of a program's leaves.
fn leaves<T: Float>(program: &Program, n: usize, numbers: u64) -> Vec<Tensor<T>> {
    let mut random = Random(program.seed ^ (numbers + 1) << 40);
    let leaf = |at: usize| {
        let form = program.forms[at];
        Tensor::new(form.shape(n), (0..form.numel(n)).map(|_| T::of(random.number())).collect())
    };
    (0..4).map(leaf).collect()
}

fn bits<T: Float>(tensors: &[Tensor<T>]) -> Vec<Vec<u64>> {
    let one = |x: &T| if x.is_nan() { u64::MAX } else { x.to_f64().to_bits() };
    tensors.iter().map(|tensor| tensor.as_slice().iter().map(one).collect()).collect()
}

/// The next state and the results, as a program of the engine returns them.
type Step<V> = (Vec<V>, Vec<V>);

fn step<'t, T: Float>(recorded: &Recorded<'_, 't, T>, state: &[Var<'t, T>]) -> Step<Var<'t, T>> {
    let results = recorded.results();
    let loss = results[results.len() - 1].mean();
    let gradients = grad(loss, &state.to_vec());
    (state.iter().zip(gradients).map(|(&p, dp)| p - dp.mul_scalar(0.1)).collect(), results)
}

/// A step on a tape, and which way its branches went.
fn eager<T: Float>(program: &Program, tape: &Tape<T>, given: &[Tensor<T>]) -> (Step<Tensor<T>>, Vec<bool>) {
    let vars: Vec<Var<'_, T>> = given.iter().map(|leaf| tape.var(leaf)).collect();
    let recorded = Recorded::new(program, tape, &vars);
    (tape.values(&step(&recorded, &vars[..STATE])), recorded.decisions())
}

/// Fails with the statements that the first result that differs depends on.
#[track_caller]
fn hold<T: Float>(program: &Program, what: &str, got: &[Tensor<T>], want: &[Tensor<T>]) {
    if bits(got) == bits(want) {
        return;
    }
    let Some(k) = (0..want.len()).find(|&k| bits(&got[k..=k]) != bits(&want[k..=k])) else {
        panic!("seed {}: {what} has {} results, not {}", program.seed, got.len(), want.len());
    };
    let place = program.results.get(k).copied().unwrap_or(program.statements.len() - 1);
    let listing = program.listing(|at| program.depends[place].get(at) == Some(&true));
    panic!("seed {}, {}: {what} differs in v{place}:\n{:?}\n{:?}\n{listing}", program.seed, T::NAME, got[k], want[k]);
}

/// A fresh tape, one that is used again and again, a program and one for each size of the batch.
pub(crate) fn agree<T: Float>(program: &Program) {
    let mut state: Vec<Tensor<T>> = leaves(program, 2, 0)[..STATE].to_vec();
    let first = leaves(program, 2, 0)[STATE..].to_vec();
    let mut repeating = Tape::default();
    let mut decided = Vec::new();
    let mut replay = Replay::record(&state, &first, |tape, state, inputs| {
        let recorded = Recorded::new(program, tape, &[state.clone(), inputs].concat());
        decided = recorded.decisions();
        step(&recorded, &state)
    })
    .unwrap();
    let mut recorded_ways = BTreeMap::from([(2, decided.clone())]);
    let owned = program.clone();
    let mut by_shape = Programs::record(state.clone(), &first, move |tape, state, inputs| {
        step(&Recorded::new(&owned, tape, &[state.clone(), inputs].concat()), &state)
    })
    .unwrap();
    for (n, numbers) in STEPS {
        let inputs = leaves(program, n, numbers)[STATE..].to_vec();
        let given = [state.clone(), inputs.clone()].concat();
        let ((next, results), decisions) = eager(program, &Tape::default(), &given);
        // Twice, and twice more in the other steps of this size.
        for _ in 0..2 {
            repeating.clear();
            let ((again, results_again), _) = eager(program, &repeating, &given);
            hold(program, "a repeating tape", &results_again, &results);
            hold(program, "the state on a repeating tape", &again, &next);
        }
        if n == 2 {
            let place = |k: usize| ["0", "1"][k];
            (0..STATE).for_each(|k| replay.set_state(place(k), &state[k]).unwrap());
            let outcome = replay.run(&inputs).map(|outputs| (0..outputs.len()).map(|k| outputs.tensor(k)).collect());
            let moved = (0..STATE).map(|k| replay.state(place(k)).unwrap()).collect();
            hold_run(
                program,
                "a program",
                outcome,
                moved,
                &state,
                decisions == decided,
                &(next.clone(), results.clone()),
            );
        }
        (0..STATE).for_each(|k| by_shape.set_state(["0", "1"][k], &state[k]).unwrap());
        let outcome = by_shape.run(&inputs).map(|outputs| (0..outputs.len()).map(|k| outputs.tensor(k)).collect());
        let moved = (0..STATE).map(|k| by_shape.state(["0", "1"][k]).unwrap()).collect();
        // The program for a size was recorded when that size came first.
        let same_way = *recorded_ways.entry(n).or_insert_with(|| decisions.clone()) == decisions;
        hold_run(program, "programs", outcome, moved, &state, same_way, &(next.clone(), results));
        state = next;
    }
}

/// A run gives what a tape gives, and refuses where a branch goes another way; then the state stays.
fn hold_run<T: Float>(
    program: &Program,
    what: &str,
    outcome: Result<Vec<Tensor<T>>, ProgramError>,
    moved: Vec<Tensor<T>>,
    before: &[Tensor<T>],
    same_way: bool,
    (next, results): &Step<Tensor<T>>,
) {
    match outcome {
        Ok(outputs) => {
            assert!(same_way, "seed {}: {what} ran although a branch goes another way\n{program}", program.seed);
            hold(program, what, &outputs, results);
            hold(program, &format!("the state of {what}"), &moved, next);
        }
        Err(error) => {
            let refuses = matches!(error.kind(), ProgramErrorKind::Branch { .. });
            assert!(!same_way && refuses, "seed {}: {what}: {error}\n{program}", program.seed);
            hold(program, &format!("the state of {what} that refused"), &moved, before);
        }
    }
}

/// Values and derivatives of a fresh tape against the reference.
pub(crate) fn agrees_with_the_reference(program: &Program) {
    let seed = program.seed;
    for (n, numbers) in [(2, 0), (3, 1)] {
        let given = leaves::<f64>(program, n, numbers);
        let tape = Tape::new();
        let vars: Vec<Var<'_>> = given.iter().map(|leaf| tape.var(leaf)).collect();
        let recorded = Recorded::new(program, &tape, &vars);
        let arrays = given.iter().map(|leaf| leaf.as_slice().iter().map(|&x| Dual::real(x)).collect()).collect();
        let mut run = Run { program, n, answers: &recorded.answers, arrays };
        for at in given.len()..program.statements.len() {
            let array = run.statement(at, 0);
            run.arrays.push(array);
        }
        let size = |array: &[Dual]| array.iter().fold(1.0_f64, |most, x| most.max(x.value().abs()));
        // Sums of large numbers lose what these carry in their last digits.
        let scale = run.arrays.iter().map(|array| size(array)).fold(1.0, f64::max);
        for &place in &program.results {
            let value = recorded.var(place).value();
            let want: Vec<f64> = run.arrays[place].iter().map(Dual::value).collect();
            let apart =
                |(a, b): (&f64, &f64)| (a - b).abs() > 1e-10 * scale * (1.0 + b.abs()) || a.is_nan() != b.is_nan();
            if value.as_slice().len() != want.len() || value.as_slice().iter().zip(&want).any(apart) {
                let listing = program.listing(|at| program.depends[place].get(at) == Some(&true));
                panic!(
                    "seed {seed}, batch of {n}: v{place} is {value:?}, right is {want:?}\n{listing}\nleaves {given:?}"
                );
            }
        }
    }
}
