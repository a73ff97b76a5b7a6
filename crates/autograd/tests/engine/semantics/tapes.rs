//! What comes from another tape, or has another shape, is told with the operation and the user's line.

use super::operations::{Astray, elsewhere, panic_of};
use autograd::{
    InputRecorder, InputWriter, Inputs, Program, ProgramError, ProgramErrorKind, Programs, Shape, Tape, Tensor, Var,
    grad, hvp, jacobian, jvp, vjp,
};

/// Values of this tape with the other's place once: `[20, 28]` for a cotangent of nines.
#[test]
fn a_rule_that_answers_with_a_variable_of_another_tape_is_told() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([5.0, 7.0]));
    let v = tape.var(&Tensor::from([1.0, 1.0]));
    let (by_vjp, line) = (tape.apply(Astray::TapeOfVjp, [x * 2.0]), line!());
    let by_jvp = tape.apply(Astray::TapeOfJvp, [x * 2.0]);
    let told: [(&str, &dyn Fn()); 6] = [
        ("operand 0", &|| _ = grad(by_vjp.sum(), &x)),
        ("operand 0", &|| _ = jvp(by_vjp, &x, &v)),
        ("operand 0", &|| _ = grad(tape.checkpoint(|| tape.apply(Astray::TapeOfVjp, [x])).sum(), &x)),
        ("tangents", &|| _ = jvp(by_jvp, &x, &v)),
        ("tangents", &|| _ = hvp(by_jvp.square().sum(), &x, &v)),
        ("tangents", &|| _ = jvp(tape.checkpoint(|| tape.apply(Astray::TapeOfJvp, [x])), &x, &v)),
    ];
    for (which, f) in told {
        let text = panic_of(f);
        assert!(text.starts_with("astray: ") && text.contains("live on different tapes"), "{text}");
        assert!(text.contains(which) && text.contains("tapes.rs:"), "{text}");
    }
    let text = panic_of(|| grad(by_vjp.sum(), &x));
    assert!(text.contains(&format!("tapes.rs:{line}:")), "{text}");
    assert_eq!(grad((x * x).sum(), &x).value().as_slice(), [10.0, 14.0], "the tape stays usable");
}

#[test]
fn a_rule_that_answers_with_another_shape_is_told_with_both() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([5.0, 7.0]));
    let v = tape.var(&Tensor::from([1.0, 1.0]));
    let by_vjp = tape.apply(Astray::ShapeOfVjp, [x]);
    let (by_jvp, line) = (tape.apply(Astray::ShapeOfJvp, [x]), line!());
    for text in [
        panic_of(|| vjp(by_vjp, &x, v)),
        panic_of(|| jvp(by_vjp, &x, &v)),
        panic_of(|| jvp(by_jvp, &x, &v)),
        panic_of(|| jacobian(by_vjp, x)),
    ] {
        assert!(text.starts_with("astray: its rule"), "{text}");
        assert!(text.contains("[3]") && text.contains("[2]") && text.contains("tapes.rs:"), "{text}");
    }
    let text = panic_of(|| jvp(by_jvp, &x, &v));
    assert!(text.contains(&format!("tapes.rs:{line}:")), "{text}");
}

#[test]
fn a_part_of_another_tape_is_told_wherever_it_lies_on_it() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([5.0, 7.0]));
    let y = x * x;
    for _ in 0..3 {
        let text = panic_of(|| tape.checkpoint(|| elsewhere([2])));
        assert!(text.contains("checkpoint") && text.contains("different tapes"), "{text}");
    }
    assert_eq!(grad(y.sum(), &x).value().as_slice(), [10.0, 14.0]);
}

fn is_told<R>(result: Result<R, ProgramError>, what: &str) {
    let error = result.err().unwrap();
    let text = error.to_string();
    assert!(matches!(error.kind(), ProgramErrorKind::Tape { .. }), "{text}");
    assert!(text.contains(what) && text.contains("different tapes") && text.contains("tapes.rs:"), "{text}");
}

/// The state stayed and the output was the input once, since places were taken for this tape's.
#[test]
fn a_program_tells_what_comes_out_of_its_function_from_another_tape() {
    let state = Tensor::from([0.5, 0.25]);
    is_told(Program::record(&state, &1.0, |_, _: Var<'_>, _| (vec![elsewhere([2])], vec![])), "state");
    is_told(Program::record(&state, &1.0, |_, w: Var<'_>, r| (vec![w * r], vec![r, elsewhere([])])), "output 1");
    is_told(Programs::record(state, &1.0, |_, _: Var<'_>, _| (vec![elsewhere([2])], vec![])), "state");
    // Only for the second shape.
    let mut programs = Programs::record(Tensor::scalar(3.0), &Tensor::ones([1]), |_, w: Var<'_>, x| {
        let sum = x.sum();
        (vec![if x.numel() > 1 { elsewhere([]) } else { w + sum }], vec![])
    })
    .unwrap();
    programs.run(&Tensor::ones([1])).unwrap();
    is_told(programs.run(&Tensor::ones([2])), "state");
    assert_eq!((programs.len(), programs.state("").unwrap().item()), (1, 4.0));
    programs.run(&Tensor::ones([1])).unwrap();
    assert_eq!(programs.state("").unwrap().item(), 5.0);
}

/// An input that is placed on another tape than the one that is given.
struct Elsewhere;

impl Inputs<f64> for Elsewhere {
    type Traced<'t> = Var<'t>;
    type Owned = Self;
    fn trace<'t>(&self, tape: &'t Tape, slots: &mut InputRecorder) -> Var<'t> {
        let other: &'static Tape = Box::leak(Box::default());
        slots.numbers(other, &Tensor::scalar(1.0));
        tape.scalar(2.0)
    }
    fn bind(&self, binder: &mut InputWriter<'_, f64>) -> Result<(), ProgramError> {
        binder.numbers(&Shape::scalar(), &[1.0])
    }
}

#[test]
fn an_input_that_was_placed_on_another_tape_is_told() {
    is_told(Program::record(&Tensor::scalar(3.0), &Elsewhere, |_, w: Var<'_>, x| (vec![w * x], vec![])), "input 0");
}
