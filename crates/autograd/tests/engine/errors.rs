//! A mistake in an expression is told at the user's own line, with the operation and what did not fit.
#![allow(clippy::op_ref, reason = "the operators by reference are under test")]

use crate::outcome::{Outcome, outcome};
use autograd::{
    Conv, Kind, KlTarget, Padding, Pool, Reduction, Slice, Tape, Tensor, Var, concat, grad, hessian, hvp, jacobian,
    per_example_grads, stack, vjp,
};

mod row;
mod calls;
mod arrays;
mod losses;
mod compile;
mod lines;
mod programs;

/// The message of a panic, and its line, or 0 where that is in another file.
fn panic_of(file: &'static str, f: impl FnOnce()) -> (String, u32) {
    let found = outcome(|| {
        f();
        String::new()
    });
    let Outcome::Panic { text, file: at, line } = found else { panic!("nothing panicked") };
    (text, if at == file { line } else { 0 })
}

/// Asserts that an expression panics on its own line with all these words.
macro_rules! panics {
    ($words:expr, $e:expr) => {{
        let line = line!();
        let (text, at) = panic_of(file!(), || {
            let _ = $e;
        });
        for word in $words {
            assert!(text.contains(word), "no «{word}» in «{text}»");
        }
        assert_eq!(at, line, "not told at the user's line: «{text}»");
    }};
}

fn zeros<const R: usize>(tape: &Tape, shape: [usize; R]) -> Var<'_> {
    tape.var(&Tensor::zeros(shape))
}

#[test]
fn shapes_that_do_not_fit_name_the_operation_and_both_shapes() {
    let tape = Tape::new();
    let (a, b) = (zeros(&tape, [5, 4]), zeros(&tape, [3, 2]));
    panics!(["matmul", "inner sizes differ: 4 and 3", "[5, 4]", "[3, 2]"], a.matmul(b));
    panics!(["add", "broadcast", "[5, 4]", "[3, 2]"], a + b);
    panics!(["sub", "[5, 4]", "[3, 2]"], a - b);
    panics!(["mul", "[5, 4]", "[3, 2]"], a * &b);
    panics!(["div", "[5, 4]", "[3, 2]"], &a / b);
    panics!(["maximum", "[5, 4]", "[3, 2]"], a.maximum(b));
    panics!(["select", "[5, 4]", "[3, 2]"], a.select(a, b));
    panics!(["concat", "operand 1", "[5, 4]", "[3, 2]"], concat(&[a, b], 0));
    panics!(["stack", "[5, 4]", "[3, 2]"], stack(&[a, b], 0));
    panics!(["reshape", "20 elements", "[3, 2]", "6"], a.reshape([3, 2]));
    panics!(["broadcast_to", "[5, 4]", "[3, 2]"], a.broadcast_to([3, 2]));
    panics!(["sum_to", "[5, 4]", "[3, 2]"], a.sum_to([3, 2]));
    panics!(["matmul", "scalar"], a.matmul(tape.scalar(1.0)));
    panics!(["matmul", "batch", "[2, 5, 4]", "[3, 4, 2]"], zeros(&tape, [2, 5, 4]).matmul(zeros(&tape, [3, 4, 2])));
}

#[test]
fn axes_and_indices_that_do_not_exist_are_named() {
    let tape = Tape::new();
    let a = zeros(&tape, [5, 4]);
    panics!(["sum", "axis 2", "rank 2"], a.sum_axes(2));
    panics!(["max", "axis -3"], a.max_axes(-3));
    panics!(["mean", "named twice"], a.mean_axes([0, -2]));
    panics!(["softmax", "axis 5"], a.softmax(5));
    panics!(["transpose", "[0] does not name each of the 2 axes"], a.transpose(&[0]));
    panics!(["squeeze", "size 5"], a.squeeze(0));
    panics!(["gather", "index 4 is out of range for size 4"], a.gather(1, &[0, 4]));
    panics!(["gather", "index -6 is out of range for size 5"], a.gather(0, &tape.indices([1], &[-6])));
    panics!(["narrow", "3..6", "size 5"], a.narrow(0, 3, 3));
    panics!(["slice", "step"], a.slice([Slice::all().step(0)]));
    panics!(["item", "[5, 4]"], a.item());
}

#[test]
fn labels_out_of_range_name_the_label_and_the_number_of_classes() {
    let tape = Tape::new();
    let scores = zeros(&tape, [2, 3]);
    panics!(["cross_entropy", "label 3", "3 classes", "[2, 3]"], scores.cross_entropy(&[0, 3]));
    panics!(["cross_entropy", "label -1", "3 classes"], scores.cross_entropy(&tape.indices([2], &[0, -1])));
    panics!(["cross_entropy", "[2, 3]", "[3]"], scores.cross_entropy(&[0, 1, 2]));
    let huge = [0, usize::MAX];
    panics!(["cross_entropy", "out of range", "3 classes"], scores.cross_entropy(&huge));
}

#[test]
fn a_mean_of_nothing_is_an_error_and_a_sum_is_zero() {
    let tape = Tape::new();
    let none = zeros(&tape, [0, 3]);
    panics!(["cross_entropy", "empty batch", "[0, 3]"], none.cross_entropy::<[usize; 0]>(&[]));
    panics!(["mean", "no elements", "[0, 3]"], none.mean());
    panics!(["max", "no elements"], none.max());
    assert_eq!(none.cross_entropy_with::<[usize; 0]>(&[], Reduction::Sum).item(), 0.0);
    assert_eq!(none.sum().item(), 0.0);
}

#[test]
fn variables_of_two_tapes_do_not_mix() {
    let (tape, other) = (Tape::new(), Tape::new());
    let (a, b) = (zeros(&tape, [2]), zeros(&other, [2]));
    panics!(["add", "different tapes", "[2]"], a + b);
    panics!(["matmul", "different tapes"], a.matmul(b));
    panics!(["different tapes"], grad(a.sum(), &b));
    panics!(["another tape"], tape.values(&b));
}

#[test]
fn a_gradient_of_more_than_one_number_points_to_vjp() {
    let tape = Tape::new();
    let a = zeros(&tape, [2]);
    panics!(["grad", "2 elements", "vjp"], grad(a * 2.0, &a));
    panics!(["vjp", "shape"], vjp(a * 2.0, &a, tape.scalar(1.0)));
}

#[test]
fn optional_operands_that_do_not_fit_are_told_at_the_users_line() {
    let tape = Tape::new();
    let (x, five) = (zeros(&tape, [2, 3]), zeros(&tape, [5]));
    panics!(["layer_norm", "the weight", "[5]", "[2, 3]"], x.layer_norm(1, Some(five), None, 1e-5));
    panics!(["layer_norm", "the bias", "[5]", "[2, 3]"], x.layer_norm(1, None, Some(five), 1e-5));
    panics!(["rms_norm", "the weight", "[5]", "[2, 3]"], x.rms_norm(Some(five), 1e-5));
    panics!(["linear", "the bias", "[5]", "[2, 4]"], x.linear(zeros(&tape, [4, 3]), Some(five)));
    panics!(["linear", "the bias", "[3, 2, 4]"], x.linear(zeros(&tape, [4, 3]), Some(zeros(&tape, [3, 2, 4]))));
    panics!(["bce_with_logits", "weight", "[5]", "[2, 3]"], x.bce_with_logits(x, Some(five), Reduction::Mean));
    let (image, kernel) = (zeros(&tape, [1, 2, 4, 4]), zeros(&tape, [3, 2, 2, 2]));
    panics!(["conv2d", "bias of shape [3]", "not [5]"], image.conv2d(kernel, Some(five), Conv::default()));
    let (signal, kernel) = (zeros(&tape, [1, 2, 4]), zeros(&tape, [3, 2, 2]));
    panics!(["conv1d", "bias of shape [3]", "not [5]"], signal.conv1d(kernel, Some(five), Conv::default()));
}

#[test]
fn derivatives_of_what_does_not_fit_are_told_at_the_users_line() {
    let (tape, other) = (Tape::new(), Tape::new());
    let (x, of_other) = (zeros(&tape, [2]), zeros(&other, [2]));
    let y = x.square();
    panics!(["hvp", "tangent", "shape"], hvp(y.sum(), &x, &zeros(&tape, [3])));
    panics!(["different tapes"], hvp(y.sum(), &x, &of_other));
    panics!(["different tapes"], jacobian(y, of_other));
    panics!(["different tapes"], jacobian(concat(&[y, y], 0), of_other));
    panics!(["different tapes"], hessian(y.sum(), of_other));
    panics!(["different tapes"], per_example_grads(y, &of_other));
    panics!(["per_example_grads", "vector"], per_example_grads(y.sum(), &x));
}

#[test]
fn a_target_of_another_shape_is_refused_though_it_broadcasts() {
    let tape = Tape::new();
    let (x, t) = (zeros(&tape, [8, 1]), zeros(&tape, [8]));
    panics!(["mse", "prediction's shape [8, 1]", "not [8]"], x.mse(t, Reduction::Mean));
    panics!(["l1", "prediction's shape [8, 1]", "not [8]"], x.l1(t, Reduction::Mean));
    panics!(["huber", "prediction's shape [8, 1]", "not [8]"], x.huber(t, 1.0, Reduction::Mean));
    panics!(["kl_div", "prediction's shape [8, 1]", "not [8]"], x.kl_div(t, KlTarget::Probabilities, Reduction::Mean));
    panics!(["bce_with_logits", "shape [8, 1]", "not [8]"], x.bce_with_logits(t, None, Reduction::Mean));
}

#[test]
fn options_without_meaning_are_named() {
    let tape = Tape::new();
    let x = zeros(&tape, [8]);
    for delta in [0.0, -1.0, f64::NAN] {
        panics!(["huber", "delta above 0", &format!("not {delta}")], x.huber(x, delta, Reduction::Mean));
    }
    panics!(["narrow", "18446744073709551615..18446744073709551617", "size 8"], x.narrow(0, usize::MAX, 2));
    panics!(["narrow", "2..18446744073709551617"], x.narrow(0, 2, usize::MAX));
    panics!(["split", "do not add up to 8"], x.split(&[usize::MAX, 9], 0));
    let image = zeros(&tape, [1, 2, 4, 4]);
    let wide = Pool { padding: [2, 0], ..Pool::new([3, 3]) };
    panics!(["max_pool2d", "half the window [3, 3]", "not [2, 0]"], image.max_pool2d(wide));
    panics!(["avg_pool2d", "half the window [3, 3]", "not [2, 0]"], image.avg_pool2d(wide, Padding::Counts));
    let empty = Pool { stride: [1, 1], ..Pool::new([0, 2]) };
    panics!(["max_pool2d", "at least 1", "[0, 2]"], image.max_pool2d(empty));
    panics!(["avg_pool2d", "at least 1", "[0, 2]"], image.avg_pool2d(empty, Padding::IsLeftOut));
    let none = zeros(&tape, [3, 2, 0, 2]);
    panics!(["conv2d", "size 1 or more", "[3, 2, 0, 2]"], image.conv2d(none, None, Conv::default()));
    let kernel = zeros(&tape, [3, 2, 2, 2]);
    let still = Conv { stride: [0, 1], ..Conv::default() };
    panics!(["conv2d", "at least 1", "[0, 1]"], image.conv2d(kernel, None, still));
    panics!(["conv2d", "not [8] and [3, 2, 2, 2]"], x.conv2d(kernel, None, Conv::default()));
    panics!(["conv1d", "not [8] and [3, 2, 2, 2]"], x.conv1d(kernel, None, Conv::default()));
    panics!(["max_pool2d", "images", "[8]"], x.max_pool2d(wide));
}

#[test]
fn a_sum_of_no_variables_and_of_those_that_do_not_fit_says_so() {
    let tape = Tape::new();
    let none: [Var<'_>; 0] = [];
    panics!(["sum", "no variables"], <Var<'_> as std::iter::Sum>::sum(none.into_iter()));
    panics!(["sum", "no variables"], <Var<'_> as std::iter::Sum<&Var<'_>>>::sum(none.iter()));
    let two = [zeros(&tape, [2]), zeros(&tape, [3])];
    panics!(["sum", "item 1", "[2]", "[3]"], <Var<'_> as std::iter::Sum>::sum(two.into_iter()));
}

#[test]
fn assigning_operators_tell_the_users_line() {
    let tape = Tape::new();
    let (mut a, b) = (zeros(&tape, [2]), zeros(&tape, [3]));
    panics!(["add", "[2]", "[3]"], a += b);
    panics!(["sub", "[2]", "[3]"], a -= &b);
    panics!(["mul", "[2]", "[3]"], a *= b);
    panics!(["div", "[2]", "[3]"], a /= b);
}

#[test]
fn the_try_twin_returns_what_the_method_would_have_said() {
    let tape = Tape::new();
    let (a, b) = (zeros(&tape, [5, 4]), zeros(&tape, [3, 2]));
    let before = tape.len();
    let error = a.try_matmul(b).unwrap_err();
    assert_eq!((error.op(), error.kind()), ("matmul", Kind::Shape));
    assert_eq!(error.location().file(), file!());
    assert_eq!(error.shapes().iter().map(ToString::to_string).collect::<Vec<_>>(), ["[5, 4]", "[3, 2]"]);
    assert_eq!(a.try_add(b).unwrap_err().kind(), Kind::Shape);
    assert_eq!(a.try_gather(0, &[9]).unwrap_err().kind(), Kind::Index);
    assert_eq!(a.try_cross_entropy(&[0; 4], Reduction::Sum).unwrap_err().kind(), Kind::Shape);
    assert!(a.try_add(a).is_ok());
    assert!(tape.len() > before);
}

#[test]
fn every_node_knows_the_line_that_recorded_it_derivatives_too() {
    let tape = Tape::new();
    let x = zeros(&tape, [2]);
    let (y, line) = (x.exp(), line!());
    let dx = grad(y.square().sum(), &x);
    assert_eq!((y.location().file(), y.location().line()), (file!(), line));
    assert_eq!(dx.location().line(), line, "the rule of exp recorded the cotangent");
    let listing = format!("{tape:?}");
    assert!(listing.contains(&format!("exp(#0) [2] at {}:{line}", file!())), "{listing}");
    assert!(listing.contains("in reverse over #1"), "{listing}");
}
