//! Large tensors that are inputs of a program are read where they are: what a run may do to them, and what others may.

use autograd::{Op, Program, Reason, Shape, Tape, Tensor, Var, View, ViewMut, grad, update};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Enough elements to be shared.
const N: usize = 1000;

fn ramp(scale: f64) -> Tensor {
    Tensor::from_fn([N], |i| scale * i as f64)
}

#[test]
fn an_input_that_is_also_a_result_or_the_next_state_is_a_copy() {
    let mut program = Program::record(&ramp(0.0), &ramp(1.0), |_, state, x| {
        let _ = state;
        (vec![x], vec![x, x * 2.0])
    })
    .unwrap();
    let mut x = ramp(3.0);
    let outputs = program.run(&x).unwrap();
    assert_eq!((outputs.tensor(0), outputs.tensor(1)), (ramp(3.0), ramp(6.0)));
    x.as_mut_slice().fill(7.0);
    drop(x);
    assert_eq!(program.state("").unwrap(), ramp(3.0));
    assert_eq!(program.run(&ramp(5.0)).unwrap().tensor(0), ramp(5.0));
    assert_eq!(program.state("").unwrap(), ramp(5.0));
}

#[test]
fn one_tensor_may_be_several_inputs_and_belongs_to_its_owner_after_the_run() {
    let x = ramp(1.0);
    let mut program = Program::record(&(), &(&x, &x), |_, (), (a, b)| (vec![], vec![a + b, a * b])).unwrap();
    let copy = program.clone();
    for mut program in [program.clone(), copy] {
        assert_eq!(program.run(&(&x, &x)).unwrap().tensor(0), ramp(2.0));
    }
    let mut y = ramp(4.0);
    program.run(&(&y, &y)).unwrap();
    let place = y.as_slice().as_ptr();
    y.as_mut_slice()[0] = 9.0;
    assert_eq!(y.as_slice().as_ptr(), place, "nobody else has it, so writing copies nothing");
    assert_eq!(program.run(&(&x, &y)).unwrap().slice(0)[0], 9.0);
}

#[test]
fn a_run_that_ends_by_an_error_gives_back_what_it_was_given() {
    let mut program = Program::record(&(), &(&ramp(1.0), &ramp(1.0)), |_, (), (a, b)| (vec![], vec![a - b])).unwrap();
    let x = ramp(2.0);
    assert!(program.run(&(&x, &Tensor::from([1.0]))).is_err());
    drop(x);
    assert_eq!(program.run(&(&ramp(5.0), &ramp(2.0))).unwrap().tensor(0), ramp(3.0));
}

/// The identity, which panics at negative numbers.
#[derive(Debug)]
struct Careful;

impl Op<f64, 1> for Careful {
    fn name(&self) -> &'static str {
        "careful"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, f64>; 1], y: ViewMut<'_, f64>) {
        assert!(x.data.iter().all(|&x| x >= 0.0), "a number is negative");
        y.data.copy_from_slice(x.data);
    }
    fn vjp<'t>(&self, _: usize, _: [Var<'t>; 1], _: Var<'t>, dy: Var<'t>) -> Option<Var<'t>> {
        Some(dy)
    }
}

#[test]
fn a_run_that_ends_by_a_panic_gives_back_what_it_was_given() {
    let mut program =
        Program::record(&(), &ramp(1.0), |tape: &Tape, (), x| (vec![], vec![tape.apply(Careful, [x]) * 2.0])).unwrap();
    let x = ramp(-1.0);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(program.run(&x)))).is_err());
    assert_eq!(x, ramp(-1.0));
    drop(x);
    assert_eq!(program.run(&ramp(4.0)).unwrap().tensor(0), ramp(8.0));
}

#[test]
fn other_shapes_of_inputs_states_and_values_are_what_they_were() {
    let x = ramp(0.001);
    let mut program = Program::record(&ramp(0.5), &x, |_, state, x| {
        let (rows, table) = (x.reshape([10, 100]), state.reshape([100, 10]));
        let y = rows.matmul(table).reshape([100]);
        let loss = (y.reshape([10, 10]).sum_axes(1) * 1e-6).square().sum();
        (update(&state, &grad(loss, &state), |p, g| p - g * 0.1), vec![loss, y, rows])
    })
    .unwrap();
    let mut state = ramp(0.5);
    for scale in [0.001, 0.002, 0.001] {
        let (tape, x) = (Tape::new(), ramp(scale));
        let (s, x) = (tape.var(&state), tape.var(&x));
        let (rows, table) = (x.reshape([10, 100]), s.reshape([100, 10]));
        let y = rows.matmul(table).reshape([100]);
        let loss = (y.reshape([10, 10]).sum_axes(1) * 1e-6).square().sum();
        let next = (s - grad(loss, &s) * 0.1).value();
        let outputs = program.run(&ramp(scale)).unwrap();
        assert_eq!(outputs.item(0), loss.item());
        assert_eq!((outputs.tensor(1), outputs.tensor(2)), (y.value(), rows.value()));
        state = next;
        assert_eq!(program.state("").unwrap(), state);
    }
}
