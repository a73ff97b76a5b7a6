//! Data from outside that does not fit is refused, and what is wrong is named; functions of closed forms and of the tape name
//! themselves and their caller's line, too.

use crate::rows::{Rows, panics};
use autograd::{Tape, Tensor};
use softmax_net::closed_form::{self, ClosedForm};
use softmax_net::derivation::{Row, Tolerance};
use softmax_net::published::Published;
use softmax_net::{Activation, Convention, Error, Sizes, Toy, finite_differences};

fn forward(x: &Tensor, labels: &[usize], convention: Convention) -> Result<(), Error> {
    let tape = Tape::new();
    let net = tape.vars(&Published::embedded().net);
    let fused = net.try_forward(tape.var(x), labels, convention).map(|_| ());
    let written = net.try_forward_as_written(tape.var(x), labels, convention).map(|_| ());
    let text = |result: &Result<(), Error>| result.as_ref().map_err(ToString::to_string).copied();
    assert_eq!(text(&fused), text(&written));
    fused
}

#[test]
fn a_label_out_of_range_is_named() {
    let error = forward(&Tensor::zeros([3, 4]), &[0, 3, 2], Convention::Sum).unwrap_err();
    assert!(matches!(error, Error::Label { label: 3, example: 1, classes: 3 }));
    assert_eq!(error.to_string(), "label 3 of example 1 is out of range for 3 classes");
    assert!(forward(&Tensor::zeros([1, 4]), &[usize::MAX], Convention::Sum).is_err());
}

#[test]
fn labels_that_are_too_few_or_too_many_are_counted() {
    let error = forward(&Tensor::zeros([3, 4]), &[0, 1], Convention::Sum).unwrap_err();
    assert_eq!(error.to_string(), "labels must have 3 elements, it has 2");
}

#[test]
fn examples_of_another_size_are_named_with_both_shapes() {
    let error = forward(&Tensor::zeros([3, 5]), &[0, 1, 2], Convention::Sum).unwrap_err();
    assert_eq!(error.to_string(), "W1 must have shape [5, 10], it has [4, 10]");
    let error = forward(&Tensor::zeros([4]), &[0], Convention::Sum).unwrap_err();
    assert_eq!(error.to_string(), "X must have shape [N, D], it has [4]");
}

#[test]
fn parameters_that_do_not_fit_each_other_are_named() {
    let net = |w1: &[usize], b1: &[usize], w2: &[usize], b2: &[usize]| {
        let [w1, b1, w2, b2] = [w1, b1, w2, b2].map(Tensor::<f64>::zeros);
        Toy::try_new(w1, b1, w2, b2, Activation::Relu).map(|_| ()).map_err(|error| error.to_string())
    };
    let fail = |text: &str| Err(text.to_owned());
    assert_eq!(net(&[4, 10], &[10], &[10, 3], &[3]), Ok(()));
    assert_eq!(net(&[4, 10], &[9], &[10, 3], &[3]), fail("b1 must have shape [10], it has [9]"));
    assert_eq!(net(&[4, 10], &[10], &[9, 3], &[3]), fail("W2 must have shape [10, 3], it has [9, 3]"));
    assert_eq!(net(&[4, 10], &[10], &[10, 3], &[]), fail("b2 must have shape [3], it has []"));
    assert_eq!(net(&[40], &[10], &[10, 3], &[3]), fail("W1 must have shape [D, H], it has [40]"));
    assert_eq!(net(&[4, 10], &[10], &[30], &[3]), fail("W2 must have shape [H, K], it has [30]"));
    assert_eq!(net(&[], &[10], &[10, 3], &[3]), fail("W1 must have shape [D, H], it has []"));
}

#[test]
fn the_mean_of_an_empty_batch_is_refused_everywhere() {
    let x = Tensor::zeros([0, 4]);
    assert!(matches!(forward(&x, &[], Convention::Mean), Err(Error::EmptyBatch)));
    assert!(forward(&x, &[], Convention::Sum).is_ok());
    let net = Published::embedded().net;
    let loss = net.loss_and_gradient(&mut Tape::new(), &x, &[], 0.1);
    assert!(matches!(loss, Err(Error::EmptyBatch)));
    let sizes = Sizes { n: 0, d: 4, h: 10, k: 3 };
    let closed = ClosedForm::try_new(sizes, net.slices(), &[], &[]).unwrap();
    assert!(matches!(closed.forward(Convention::Mean), Err(Error::EmptyBatch)));
    let forward = closed.forward(Convention::Sum).unwrap();
    assert!(matches!(closed.gradients(&forward, Convention::Mean), Err(Error::EmptyBatch)));
    assert_eq!(net.predict(&x).unwrap(), Vec::<usize>::new());
}

#[test]
fn slices_of_the_wrong_length_are_named() {
    let Published { net, x, labels, .. } = Published::embedded();
    let sizes = Sizes { n: 5, d: 4, h: 10, k: 3 };
    let error = |sizes, x: &[f64]| ClosedForm::try_new(sizes, net.slices(), x, &labels).unwrap_err().to_string();
    assert_eq!(error(sizes, &x.as_slice()[1..]), "X must have 20 elements, it has 19");
    assert_eq!(error(Sizes { h: 9, ..sizes }, x.as_slice()), "W1 must have 36 elements, it has 40");
    assert_eq!(error(Sizes { n: 4, ..sizes }, &x.as_slice()[..16]), "labels must have 4 elements, it has 5");
}

#[test]
fn a_network_without_classes_predicts_nothing() {
    let [w1, b1, w2, b2] = [&[2, 3][..], &[3], &[3, 0], &[0]].map(Tensor::<f64>::zeros);
    let net = Toy::try_new(w1, b1, w2, b2, Activation::Relu).unwrap();
    let error = net.predict(&Tensor::zeros([2, 2])).unwrap_err();
    assert_eq!(error.to_string(), "label 0 of example 0 is out of range for 0 classes");
}

#[test]
fn sizes_whose_product_no_number_holds_are_no_lengths() {
    let Published { net, x, labels, .. } = Published::embedded();
    let sizes = Sizes { n: 5, d: usize::MAX, h: 10, k: 3 };
    let error = ClosedForm::try_new(sizes, net.slices(), x.as_slice(), &labels).unwrap_err().to_string();
    assert_eq!(error, "W1 must have 18446744073709551615 elements, it has 40");
}

#[test]
fn a_gradient_that_fits_in_part_changes_nothing() {
    let mut net = Published::embedded().net;
    let before = net.clone();
    let gradient = Toy { b2: Tensor::zeros([2]), ..net.clone() };
    let found = crate::rows::outcome(|| {
        net.descend(&gradient, 0.1);
        String::new()
    });
    assert!(matches!(found, crate::rows::Outcome::Panic { .. }) && net == before);
}

#[test]
fn every_public_function_names_itself_what_is_wrong_and_the_callers_line() {
    use closed_form as c;
    const LABEL: [&str; 2] = ["label 3 of example 1", "3 classes"];
    let Published { net, x, labels, .. } = Published::embedded();
    let (tape, other) = (Tape::new(), Tape::new());
    let (vars, x) = (tape.vars(&net), tape.var(&x));
    let elsewhere = other.var(&Tensor::zeros([5, 4]));
    let six = [0.25; 6];
    let large = 1 << 31;
    let mut rows = Rows::default();

    panics!(rows, "affine", ["A of sizes [2, 2]", "6 elements"], c::affine([2, 2, 1], &six, &six, &six));
    panics!(rows, "affine", ["W of sizes [3, 1]", "6 elements"], c::affine([2, 3, 1], &six, &six, &six));
    panics!(rows, "affine", ["b of sizes [2]", "6 elements"], c::affine([2, 3, 2], &six, &six, &six));
    panics!(rows, "affine", ["[9223372036854775808, 2] is too large"], c::affine([1 << 63, 0, 2], &[], &[], &six[..2]));
    panics!(rows, "probabilities", ["rows of 4 elements", "6 elements"], c::probabilities(&six, 4));
    panics!(rows, "losses", ["S of sizes [2, 2]", "6 elements"], c::losses(&six, &[0, 1], 2));
    panics!(rows, "losses", LABEL, c::losses(&six, &[0, 3], 3));
    panics!(rows, "dl_do2_at_label", ["O2 of sizes [1, 3]"], c::dl_do2_at_label(&six, &[0], 3));
    panics!(rows, "dl_do2_at_label", LABEL, c::dl_do2_at_label(&six, &[0, 3], 3));
    panics!(rows, "do2_at_label_ds", ["O2 of sizes [1, 3]"], c::do2_at_label_ds(&six, &[0], 3));
    panics!(rows, "do2_at_label_ds", LABEL, c::do2_at_label_ds(&six, &[0, 3], 3));
    panics!(rows, "do2_ds", ["rows of 4 elements"], c::do2_ds(&six, 4));
    panics!(rows, "dl_ds_by_chain_rule", ["O2 of sizes [1, 3]"], c::dl_ds_by_chain_rule(&six, &[0], 3));
    panics!(rows, "dl_ds_by_chain_rule", LABEL, c::dl_ds_by_chain_rule(&six, &[0, 3], 3));
    panics!(rows, "dl_ds", ["O2 of sizes [1, 3]"], c::dl_ds(&six, &[0], 3));
    panics!(rows, "dl_ds", LABEL, c::dl_ds(&six, &[0, 3], 3));
    panics!(rows, "ds_dw2", ["O1 of sizes [2, 2]"], c::ds_dw2([2, 2, 1], &six));
    panics!(rows, "ds_dw2", ["is too large"], c::ds_dw2([2, 3, large], &six));
    panics!(rows, "dl_i_dw2", ["O1 of sizes [2, 2]"], c::dl_i_dw2([2, 2, 1], &six, &six));
    panics!(rows, "dl_i_dw2", ["dL/dS of sizes [2, 1]"], c::dl_i_dw2([2, 3, 1], &six, &six));
    panics!(rows, "dl_dw", ["A of sizes [2, 2]"], c::dl_dw([2, 2, 1], &six, &six));
    panics!(rows, "dl_dw", ["the gradient of sizes [2, 1]"], c::dl_dw([2, 3, 1], &six, &six));
    panics!(rows, "dl_db", ["rows of 4 elements"], c::dl_db(&six, 4));
    panics!(rows, "dl_do1", ["the gradient of sizes [2, 1]"], c::dl_do1([2, 3, 1], &six, &six));
    panics!(rows, "dl_do1", ["W of sizes [2, 3]"], c::dl_do1([2, 2, 3], &six, &six[..5]));
    panics!(rows, "dl_dz1", ["dL/dO1 of sizes [6]", "5 elements"], c::dl_dz1(Activation::Relu, &six, &six[..5]));
    panics!(rows, "d2l_ds2", ["rows of 4 elements"], c::d2l_ds2(&six, 4));
    panics!(rows, "d2l_along", ["rows of 4 elements"], c::d2l_along(&six, &six[..4]));
    panics!(rows, "d2l_dw2", ["O1 of sizes [2, 2]"], c::d2l_dw2([2, 2, 1], &six, &six));
    panics!(rows, "d2l_dw2", ["O2 of sizes [2, 1]"], c::d2l_dw2([2, 3, 1], &six, &six));
    panics!(rows, "d2l_dw2", ["is too large"], c::d2l_dw2([0, large, large], &[] as &[f64], &[]));
    let embedded = Published::embedded();
    let sizes = embedded.sizes();
    let form = ClosedForm::try_new(sizes, net.slices(), embedded.x.as_slice(), &labels).unwrap();
    let mut forward = form.forward(Convention::Sum).unwrap();
    forward.o1.pop();
    panics!(rows, "ClosedForm::gradients", ["O1 of sizes [5, 10]", "49"], form.gradients(&forward, Convention::Sum));

    panics!(
        rows,
        "Toy::forward",
        ["label 7 of example 4", "3 classes"],
        vars.forward(x, &[0, 1, 2, 2, 7], Convention::Sum)
    );
    panics!(rows, "Toy::forward", ["labels must have 5 elements, it has 1"], vars.forward(x, &[0], Convention::Sum));
    panics!(rows, "Toy::forward", ["different tapes"], vars.forward(elsewhere, &labels, Convention::Sum));
    panics!(rows, "Toy::try_forward", ["different tapes"], vars.try_forward(elsewhere, &labels, Convention::Sum));
    panics!(
        rows,
        "Toy::try_forward_as_written",
        ["different tapes"],
        vars.try_forward_as_written(elsewhere, &labels, Convention::Sum)
    );
    let recorded = vars.forward(x, &labels, Convention::Sum);
    panics!(rows, "Toy::gradients", ["different tapes"], vars.gradients(elsewhere, &recorded));
    let narrow = Toy { w1: Tensor::zeros([2, 10]), ..net.clone() };
    panics!(rows, "descend", ["a gradient [2, 10] for a parameter [4, 10], W1"], net.clone().descend(&narrow, 0.1));
    let tolerance = Tolerance { tape: 1e-13, finite: 1e-9 };
    panics!(
        rows,
        "Row::compare",
        ["of one length", "slope", "2, 1 and 0 entries"],
        Row::compare(("slope", "d(3x)/dx = 3"), &[3.0, 3.0], &[3.0], &[], tolerance)
    );
    panics!(rows, "second", ["coordinates 0 and 2 of 2"], finite_differences::second(&six[..2], |x| x[0], 0, 2));
    rows.hold_all(&["", "derivation"], NO_ROW);
}

/// Functions that no caller can give anything wrong, and those that return the errors which the tests above hold.
const NO_ROW: &[&str] = &[
    // Parts, accounts and numbers.
    "named",
    "shapes",
    "slices",
    "penalty",
    "passed",
    "row",
    "reduction",
    "value",
    "derivative",
    "record",
    "piece",
    "sizes",
    "embedded",
    "agrees",
    "jacobian",
    "hessian",
    "number",
    "numbered",
    "words",
    "shape",
    "is_second_order",
    "entries",
    "part",
    // Data from outside.
    "try_new",
    "of",
    "loss_and_gradient",
    "predict",
    "from_json",
    "compute",
    "check",
];
