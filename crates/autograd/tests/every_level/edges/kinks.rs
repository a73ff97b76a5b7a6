//! Second derivatives through a kink: a convention, said aloud.

use autograd::check::{Checker, Unsure, Verdict};
use autograd::{Scan, Slice, Tape, Tensor, Var, grad, hessian, hvp};
use std::panic::{AssertUnwindSafe, catch_unwind};

type Function = for<'t> fn(Var<'t>) -> Var<'t>;

/// Smooth functions that are built from a kink, the operation that has it, the point, and the diagonal of the Hessian that
/// mathematics has there. The engine gives 0.
const SMOOTH: [(&str, Function, &str, [f64; 3], f64); 12] = [
    ("‖x‖²", |x| x.norm(2.0, ..).square(), "norm", [0.0; 3], 2.0),
    ("Σ |x|²", |x| x.abs().square().sum(), "abs", [0.0; 3], 2.0),
    ("Σ max(x, −x)²", |x| x.maximum(-x).square().sum(), "maximum", [0.0; 3], 2.0),
    ("Σ min(x, −x)²", |x| x.minimum(-x).square().sum(), "minimum", [0.0; 3], 2.0),
    ("e^(−‖x‖²/2)", |x| (x.norm(2.0, ..).square() * -0.5).exp(), "norm", [0.0; 3], -1.0),
    ("cosh ‖x‖", |x| x.norm(2.0, ..).cosh(), "norm", [0.0; 3], 1.0),
    ("Σ ln cosh |x|", |x| x.abs().cosh().log().sum(), "abs", [0.0; 3], 1.0),
    ("Σ hypot(x, 2x)²", |x| x.hypot(x * 2.0).square().sum(), "hypot", [0.0; 3], 10.0),
    ("std²", |x| x.std(0, ..).square(), "norm", [4.0; 3], 4.0 / 9.0),
    ("sinc ‖x‖", |x| x.norm(2.0, ..).sinc(), "norm", [0.0; 3], -3.289868133696453),
    ("‖x‖² of order 1", |x| x.norm(1.0, ..).square() / 3.0, "abs", [0.0; 3], 2.0 / 3.0),
    ("r² cos 2φ", |x| (x.hypot(x * 2.0).square() * ((x * 2.0).atan2(x) * 2.0).cos()).sum(), "hypot", [0.0; 3], -6.0),
];

/// Functions that no kink is met in.
const CLEAR: [(&str, Function, [f64; 3], f64); 5] = [
    ("Σ x²", |x| x.square().sum(), [0.0; 3], 2.0),
    ("Σ |x|² elsewhere", |x| x.abs().square().sum(), [1.0, -2.0, 0.5], 2.0),
    ("‖x‖² elsewhere", |x| x.norm(2.0, ..).square(), [0.0, 0.0, 2.0], 2.0),
    ("Σ max(x, 1 − x)² elsewhere", |x| x.maximum(1.0 - x).square().sum(), [0.0, 2.0, 3.0], 2.0),
    (
        "|x| before a slice that leaves it out",
        |x| x.abs().slice([Slice::from(1..3)]).square().sum(),
        [3.0, 1.0, -2.0],
        2.0,
    ),
];

#[test]
fn a_second_derivative_through_a_kink_is_zero_and_told() {
    for (name, f, op, at, smooth) in SMOOTH {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from(at));
        let second = hessian(f(x), x);
        let entries = second.value();
        assert!(entries.as_slice().iter().all(|&d| d == 0.0), "{name}: {entries}, where {smooth} would be right");
        let kink = tape.first_kink(&second).expect(name);
        assert_eq!((kink.op, kink.element), (op, 0), "{name}");
        assert!(kink.location.file().ends_with("kinks.rs"), "{kink}");
        assert!(tape.first_kink(&f(x)).is_none() && tape.first_kink(&grad(f(x), &x)).is_none(), "{name}: order 1");
        let v = tape.var(&Tensor::from([1.0, 2.0, -1.0]));
        assert_eq!(tape.first_kink(&hvp(f(x), &x, &v)).expect(name).op, op, "{name}, forward over reverse");
    }
}

#[test]
fn the_checker_says_kink_where_a_smooth_function_is_built_from_one() {
    for (name, f, op, at, _) in SMOOTH {
        let report = Checker::default().check(|x| f(x[0]), &[Tensor::from(at)]);
        assert_eq!(report.verdict(), Verdict::Inconclusive(Unsure::Kink), "{name}: {report}");
        let told = report.unsure().iter().any(|(_, finding)| finding.what.contains(&format!("the kink of {op}")));
        assert!(told, "{name}: {report}");
    }
}

#[test]
fn nothing_is_told_where_no_kink_is_met() {
    for (name, f, at, diagonal) in CLEAR {
        let tape = Tape::new();
        tape.watch_kinks(true);
        let x = tape.var(&Tensor::from(at));
        let second = hessian(f(x), x);
        let last = second.value().as_slice()[8];
        assert!((last - diagonal).abs() < 1e-12, "{name}: {last}");
        assert!(tape.first_kink(&second).is_none(), "{name}");
    }
}

#[test]
fn a_watched_tape_panics_and_names_the_operation_and_its_line() {
    let tape = Tape::new();
    tape.watch_kinks(true);
    let x = tape.var(&Tensor::from([1.0, 0.0]));
    let y = x.abs(); // this line
    let dx = grad(y.square().sum(), &x);
    assert_eq!(dx.value().as_slice(), [2.0, 0.0]);
    let second = hvp(y.square().sum(), &x, &x);
    let told = catch_unwind(AssertUnwindSafe(|| tape.values(&second))).expect_err("it is watched");
    let text = told.downcast_ref::<String>().expect("a text");
    let wanted = format!("the kink of abs (#{}) at element 1, recorded at {}", 1, y.location());
    assert!(text.contains(&wanted), "{text}");
    tape.watch_kinks(false);
    assert_eq!(tape.values(&second).as_slice(), [2.0, 0.0]);
}

#[test]
fn a_kink_is_found_after_its_operands_were_recycled() {
    let mut tape = Tape::new();
    for _ in 0..4 {
        {
            let x = tape.var(&Tensor::from([[0.0], [1.0]].concat()));
            let z = (x * 2.0).abs().square().sum();
            let second = hvp(z, &x, &x);
            assert_eq!(tape.values(&(z, second)).1.as_slice(), [0.0, 8.0]);
            assert_eq!(tape.first_kink(&second).map(|kink| kink.op), Some("abs"));
        }
        tape.clear();
    }
}

/// The second step of a loop, of which the first is somewhere else, adds this up; what is carried moves to the point.
fn in_a_loop<'t>(x: Var<'t>, f: Function) -> Var<'t> {
    let start = (x + 3.5, x.sum() * 0.0);
    let ((_, sum), ()) = Scan::steps(2).run(x.tape(), &start, &(), |(at, sum), (), _| ((at - 3.5, sum + f(at)), ()));
    sum
}

#[test]
fn a_kink_in_a_step_of_a_loop_is_told_of_the_loop() {
    for (name, f, op, at, _) in SMOOTH.into_iter().filter(|(name, ..)| *name != "std²") {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from(at));
        let second = hessian(in_a_loop(x, f), x);
        let kink = tape.first_kink(&second).expect(name);
        assert!(kink.op == "scan" && kink.location.file().ends_with("kinks.rs"), "{name}: {kink}");
        assert!(tape.first_kink(&grad(in_a_loop(x, f), &x)).is_none(), "{name}: order 1");
        let report = Checker::default().check(|x| in_a_loop(x[0], f), &[Tensor::from(at)]);
        assert_eq!(report.verdict(), Verdict::Inconclusive(Unsure::Kink), "{name}: {report}");
        tape.write_out_loops(true);
        assert_eq!(tape.first_kink(&hessian(in_a_loop(x, f), x)).expect(name).op, op, "{name}, written out");
    }
    for (name, f, at, _) in CLEAR {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from(at));
        assert!(tape.first_kink(&hessian(in_a_loop(x, f), x)).is_none(), "{name}");
    }
}
