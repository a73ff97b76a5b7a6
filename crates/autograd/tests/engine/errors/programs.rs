//! Errors of programs name the function, the input or the part of the state, shapes, and the lines.

use autograd::{Program, ProgramError, ProgramErrorKind, Programs, Tape, Tensor, Var, tree};

struct Pair<V> {
    w: V,
    b: V,
}
tree!(Pair { w, b });

fn pair(w: usize, b: usize) -> Pair<Tensor> {
    Pair { w: Tensor::zeros([w]), b: Tensor::zeros([b]) }
}

const NO_STATE: &[Tensor; 0] = &[];

/// An error says the function and these words, and the line of the call, which is this one or one of the next.
#[track_caller]
fn says<R>(result: Result<R, ProgramError>, function: &str, words: &[&str]) -> ProgramError {
    let (error, here) = (result.err().unwrap(), std::panic::Location::caller());
    let text = error.to_string();
    assert!(text.starts_with(&format!("{function}: ")) && error.function() == function, "{text}");
    // The call stands in the arguments, which may be on lines of their own.
    let near = (here.line()..here.line() + 5).contains(&error.location().line());
    assert!(near && error.location().file() == here.file(), "{text}");
    assert!(text.ends_with(&format!(", at {}", error.location())), "{text}");
    for word in words {
        assert!(text.contains(word), "no «{word}» in «{text}»");
    }
    error
}

#[test]
fn a_run_names_the_input_its_shapes_and_the_line_that_first_read_it() {
    let x = Tensor::zeros([2]);
    let mut read = 0;
    let mut scale = Program::record(NO_STATE, &(&x, 1.0), |_, _, (x, r)| {
        read = line!() + 1;
        (vec![], vec![x * r])
    })
    .unwrap();
    let first = format!("(first read at {}:{read}:", file!());
    let wrong = Tensor::zeros([3]);
    let error = says(scale.run(&(&wrong, 1.0)), "Program::run", &["input 0", "shape [2], it has [3]", &first]);
    assert_eq!(error.first_read().unwrap().line(), read);
    says(scale.run(&(&x,)), "Program::run", &["2 inputs were recorded, 1 are given"]);
    says(scale.run(&(&[0_usize, 1][..], 1.0)), "Program::run", &["input 0 must be numbers"]);
}

#[test]
fn a_label_out_of_range_is_told_as_the_operation_has_it() {
    let x = Tensor::zeros([2]);
    let labels = |values: &[usize]| values.to_vec();
    let mut gather =
        Program::record(NO_STATE, &(&x, labels(&[0, 1])), |_, _, (x, l)| (vec![], vec![x.gather(0, &l)])).unwrap();
    says(
        gather.run(&(&x, labels(&[0, 2]))),
        "Program::run",
        &["input 1: index 2 at position 1", "gather on axis 0 of size 2"],
    );
    let most = format!("index {} at position 0", usize::MAX);
    says(gather.run(&(&x, labels(&[usize::MAX, 0]))), "Program::run", &[&most]);
    let scores = Tensor::zeros([2, 3]);
    let mut loss =
        Program::record(NO_STATE, &(&scores, labels(&[0, 1])), |_, _, (x, l)| (vec![], vec![x.cross_entropy(&l)]))
            .unwrap();
    says(
        loss.run(&(&scores, labels(&[0, 3]))),
        "Program::run",
        &["label 3 at position 1", "cross_entropy of 3 classes"],
    );
}

#[test]
fn recording_names_the_part_of_the_state_and_the_line_of_a_read() {
    let one = Tensor::<f64>::zeros([2]);
    let record = |f: fn(Var<'_>) -> Var<'_>| f;
    let longer = record(|w| w.tape().full([3], 0.0));
    says(
        Program::record(&one, &(), |_, w, ()| (vec![longer(w)], vec![])),
        "Program::record",
        &["the next value of the state must have the shape [2], it has [3]"],
    );
}

#[test]
fn parts_of_a_state_have_their_names_and_a_state_of_one_leaf_is_the_state() {
    let record = |state: &Tensor| Program::record(state, &(), |_, w, ()| (vec![w], vec![])).unwrap();
    let mut one = record(&Tensor::zeros([2]));
    says(
        one.set_state("", &Tensor::zeros([3])),
        "Program::set_state",
        &["the state must have the shape [2], it has [3]"],
    );
    says(one.store_state(&mut Tensor::zeros([3])), "Program::store_state", &["the state must have the shape [2]"]);
    let mut two = Program::record(&pair(2, 3), &(), |_, p, ()| (vec![p.w, p.b], vec![])).unwrap();
    says(two.set_state("c", &Tensor::zeros([2])), "Program::set_state", &["«c»"]);
    says(
        two.set_state("b", &Tensor::zeros([2])),
        "Program::set_state",
        &["the state's b must have the shape [3], it has [2]"],
    );
    says(two.store_state(&mut pair(2, 2)), "Program::store_state", &["the state's b", "[3], it has [2]"]);
    says(two.store_state(&mut Tensor::zeros([3])), "Program::store_state", &["2 parts, 1 are given"]);
    let nested = (pair(2, 3), Tensor::zeros([1]));
    let mut three = Program::record(&nested, &(), |_, (p, s), ()| (vec![p.w, p.b, s], vec![])).unwrap();
    says(three.store_part("0", &mut pair(2, 2)), "Program::store_part", &["the state's 0.b", "[3], it has [2]"]);
    says(three.set_state_numbers(&[0.0; 2]), "Program::set_state_numbers", &["numbers, 2 are given"]);
    says(three.set_part("1", &pair(2, 3)), "Program::set_part", &["«1.w»"]);
    let swapped = Program::record(&pair(2, 3), &(), |_, p, ()| (vec![p.b, p.w], vec![]));
    assert!(swapped.err().unwrap().to_string().contains("the next value of the state's w must have the shape [2]"));
    let mut programs = Programs::record(Tensor::<f64>::zeros([2]), &(), |_, w, ()| (vec![w], vec![])).unwrap();
    says(programs.set_state("", &Tensor::zeros([3])), "Program::set_state", &["the state must have"]);
}

#[test]
fn a_value_that_is_read_while_recording_is_told_at_the_line_that_reads_it() {
    let mut read = 0;
    let error = Program::record(&Tensor::<f64>::zeros([1]), &(), |_, w, ()| {
        read = line!() + 1;
        let _ = w.item();
        (vec![w], vec![])
    });
    let error = error.err().unwrap();
    let ProgramErrorKind::Read { op: "leaf", location } = error.kind() else { panic!("{error}") };
    assert_eq!((location.file(), location.line()), (file!(), read));
}

#[test]
fn a_value_may_be_looked_at_while_the_tape_is_used() {
    let tape = Tape::new();
    let s = tape.scalar(3.0);
    assert_eq!(s.with_value(|_| s.item()), 3.0);
    assert_eq!(s.with_value(|_| (s * 2.0).item()), 6.0);
    assert_eq!(s.with_value(|_| tape.values(&s).item()), 3.0);
    assert_eq!(s.with_value(|x| s.with_value(|y| x[0] + y[0])), 6.0);
    assert!(s.with_value(|_| tape.first_non_finite(&s).is_none()));
}
