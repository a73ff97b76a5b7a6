//! Data from outside that does not fit is refused, and what is wrong is named.

use autograd::{Tape, Tensor};
use softmax_net::closed_form::ClosedForm;
use softmax_net::published::Published;
use softmax_net::{Activation, Convention, Error, Sizes, Toy};

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
#[should_panic(expected = "label 7 of example 4 is out of range for 3 classes")]
fn the_panic_names_the_label_and_the_number_of_classes() {
    let Published { net, x, .. } = Published::embedded();
    let tape = Tape::new();
    tape.vars(&net).forward(tape.var(&x), &[0, 1, 2, 2, 7], Convention::Sum);
}

#[test]
fn a_panic_is_at_the_line_of_the_caller() {
    let Published { net, x, .. } = Published::embedded();
    let line = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let seen = std::sync::Arc::clone(&line);
    let hook = std::panic::take_hook();
    let here = std::thread::current().id();
    std::panic::set_hook(Box::new(move |info| {
        if std::thread::current().id() == here {
            seen.store(info.location().map_or(0, std::panic::Location::line), std::sync::atomic::Ordering::SeqCst);
        } else {
            hook(info);
        }
    }));
    let wanted = line!() + 3;
    let outcome = std::panic::catch_unwind(|| {
        let tape = Tape::new();
        tape.vars(&net).forward(tape.var(&x), &[9; 5], Convention::Sum).l.item()
    });
    let _ = std::panic::take_hook();
    assert!(outcome.is_err());
    assert_eq!(line.load(std::sync::atomic::Ordering::SeqCst), wanted);
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
#[should_panic(expected = "descend: a gradient [2, 10] for a parameter [4, 10]")]
fn a_gradient_of_other_sizes_is_refused() {
    let mut net = Published::embedded().net;
    let gradient = Toy { w1: Tensor::zeros([2, 10]), ..net.clone() };
    net.descend(&gradient, 0.1);
}

#[test]
fn a_network_without_classes_predicts_nothing() {
    let [w1, b1, w2, b2] = [&[2, 3][..], &[3], &[3, 0], &[0]].map(Tensor::<f64>::zeros);
    let net = Toy::try_new(w1, b1, w2, b2, Activation::Relu).unwrap();
    let error = net.predict(&Tensor::zeros([2, 2])).unwrap_err();
    assert_eq!(error.to_string(), "label 0 of example 0 is out of range for 0 classes");
}

#[test]
#[should_panic(expected = "affine: a result of sizes [9223372036854775808, 2] is too large")]
fn a_result_that_no_memory_has_is_named() {
    softmax_net::closed_form::affine::<f64>([1 << 63, 0, 2], &[], &[], &[0.0; 2]);
}
