//! What became of data after reading, and was wrong once: scales, what is not finite, splits, scores of a net that has failed.

use approx::assert_relative_eq;
use autograd::Tensor;
use nn::data::{Csv, Standardiser};
use nn::optim::{Adam, Optimiser, Sgd};
use nn::{Activation, Dataset, Mlp, Trainer, accuracy};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

fn file(name: &str) -> Dataset {
    Csv::new("kind").read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)).unwrap()
}

/// What a call said as it panicked.
fn said<R>(call: impl FnOnce() -> R) -> String {
    let panic = catch_unwind(AssertUnwindSafe(call)).err().expect("it panics");
    panic.downcast_ref::<String>().expect("with a text").clone()
}

fn near(found: &[f64], right: &[f64]) {
    assert_eq!(found.len(), right.len(), "{found:?}");
    for (found, right) in found.iter().zip(right) {
        assert_relative_eq!(*found, *right, max_relative = 1e-6);
    }
}

#[test]
fn a_spread_below_its_own_rounding_is_none() {
    let of = |name: &str, row: [f64; 2]| Standardiser::fit(&file(name)).apply_to(&Tensor::from_rows([row])).to_vec();
    near(&of("near_constant.csv", [1.2, 3.0]), &[0.1, 0.05027305]);
    near(&of("near_constant_large.csv", [123457.7, 3.0]), &[1.0, 0.5_f64.sqrt()]);
}

#[test]
fn columns_whose_squares_leave_the_range_are_standardised() {
    let data = file("beyond_squares.csv");
    let scale = Standardiser::fit(&data);
    let unit = [-1.34164079, -0.4472135955, 0.4472135955, 1.34164079];
    let right: Vec<f64> = unit.iter().flat_map(|&x| [x, x]).collect();
    near(&scale.apply(&data).features().to_vec(), &right);
    near(scale.std(), &[2.23606797749979e-180, 2.23606797749979e190]);
}

#[test]
fn what_is_not_finite_and_classes_of_one_name_are_refused() {
    let names = || vec!["a".to_owned(), "b".to_owned()];
    let text = said(|| Dataset::new(Tensor::from_rows([[1.0, 2.0], [3.0, f64::NAN]]), vec![0, 1], names()));
    assert!(text.contains("row 1, column 1"), "{text}");
    let text = said(|| Dataset::new(Tensor::from_rows([[f64::INFINITY], [3.0]]), vec![0, 0], names()));
    assert!(text.contains("row 0, column 0"), "{text}");
    let twice = vec!["pike".to_owned(), "pike".to_owned()];
    let text = said(|| Dataset::new(Tensor::<f64>::zeros([2, 1]), vec![0, 1], twice));
    assert!(text.contains("pike"), "{text}");
}

#[test]
fn a_split_loses_no_class_in_silence_and_its_shares_add_up() {
    for share in [0.5, 0.3] {
        let text = said(|| file("rare_class.csv").split_stratified(share, 1));
        assert!(text.contains("rare"), "{text}");
    }
    for share in [0.4, 0.6] {
        said(|| file("single_rows.csv").split_stratified(share, 1));
    }
    let one = || Dataset::new(Tensor::<f64>::zeros([20, 1]), vec![0; 20], vec!["a".to_owned()]);
    said(|| one().split(0.02, 0));
    let (train, test) = one().split(0.0, 0);
    assert_eq!((train.len(), test.len()), (20, 0));
    let names = (0..10).map(|i| i.to_string()).collect();
    let ten = Dataset::new(Tensor::<f64>::zeros([40, 1]), (0..40).map(|i| i % 10).collect(), names);
    let (train, test) = ten.split_stratified(0.1, 0);
    assert_eq!((train.len(), test.len()), (36, 4));
}

#[test]
fn scores_that_are_nan_are_never_right() {
    assert_eq!(accuracy(&Tensor::full([10, 3], f64::NAN), &[0, 0, 0, 0, 0, 0, 0, 0, 1, 2]), 0.0);
    assert_eq!(accuracy(&Tensor::from_rows([[0.5, f64::NAN, 0.1], [2.0, 1.0, 0.0]]), &[1, 0]), 0.5);
}

/// What two steps with these settings give, or say as they are refused.
fn two_steps(mut rule: impl Optimiser<f64>) -> Result<f64, String> {
    let (mut p, gradient) = (Tensor::scalar(1.0), Tensor::scalar(1.0));
    let steps = || (0..2).for_each(|_| rule.step(&mut p, &gradient));
    match catch_unwind(AssertUnwindSafe(steps)) {
        Ok(()) => Ok(p.item()),
        Err(panic) => Err(panic.downcast_ref::<String>().expect("a text").clone()),
    }
}

#[test]
fn settings_under_which_no_optimiser_learns_are_refused_with_their_value() {
    let (sgd, adam) = (|| Sgd::new(0.1), || Adam::new(0.1));
    let rows = [
        ("rate", "NaN", two_steps(Sgd::new(f64::NAN))),
        ("rate", "-0.5", two_steps(Sgd::new(-0.5))),
        ("rate", "inf", two_steps(Sgd::new(f64::INFINITY))),
        ("momentum", "-1", two_steps(Sgd { momentum: -1.0, ..sgd() })),
        ("momentum", "1.5", two_steps(Sgd { momentum: 1.5, ..sgd() })),
        ("momentum", "NaN", two_steps(Sgd { momentum: f64::NAN, ..sgd() })),
        ("weight_decay", "-3", two_steps(Sgd { weight_decay: -3.0, ..sgd() })),
        ("beta1", "1", two_steps(Adam { beta1: 1.0, ..adam() })),
        ("beta1", "-2", two_steps(Adam { beta1: -2.0, ..adam() })),
        ("beta2", "1", two_steps(Adam { beta2: 1.0, ..adam() })),
        ("beta2", "1.5", two_steps(Adam { beta2: 1.5, ..adam() })),
        ("epsilon", "-1", two_steps(Adam { epsilon: -1.0, ..adam() })),
        ("epsilon", "NaN", two_steps(Adam { epsilon: f64::NAN, ..adam() })),
        ("rate", "NaN", two_steps(Adam { rate: f64::NAN, ..adam() })),
    ];
    for (field, value, found) in rows {
        let text = found.expect_err(field);
        assert!(text.contains(field) && text.contains(&format!("not {value}")), "{field} {value}: {text}");
    }
    near(&[two_steps(Sgd { nesterov: true, ..sgd() }).unwrap()], &[0.8]);
}

#[test]
fn a_loss_that_is_not_finite_stops_training_at_its_epoch_and_batch() {
    let data = || {
        let names = vec!["a".into(), "b".into()];
        Dataset::new(Tensor::from_rows([[1e3], [-2e3], [3e3], [-4e3]]), vec![0, 1, 0, 1], names)
    };
    let fit = |net: &mut Mlp<Tensor>, rate: f64| {
        let mut losses = Vec::new();
        let ended = Trainer::new(2, 0).fit(
            6,
            net,
            &mut Sgd::new(rate),
            &data(),
            |net, x, labels| net.forward(x).cross_entropy(labels),
            |_, loss| losses.push(loss),
        );
        assert!(losses.iter().all(|loss| loss.is_finite()), "{losses:?}");
        ended.unwrap_err()
    };
    let mut net: Mlp<Tensor> = Mlp::new(&[1, 4, 2], Activation::Relu, 0);
    let error = fit(&mut net, 1e200);
    assert_eq!(error.epoch, 1);
    assert!(net.layers.iter().all(|layer| layer.weight.as_slice().iter().all(|x| x.is_finite())), "{error}");

    let mut net: Mlp<Tensor> = Mlp::new(&[1, 4, 2], Activation::Relu, 0);
    net.layers[0].weight.as_mut_slice()[0] = f64::NAN;
    let error = fit(&mut net, 0.1);
    assert_eq!((error.epoch, error.batch, error.restored), (1, 1, false), "{error}");

    let none = Dataset::new(Tensor::<f64>::zeros([0, 1]), vec![], vec!["a".into()]);
    let mut net: Mlp<Tensor> = Mlp::new(&[1, 2], Activation::Relu, 0);
    let text = said(|| {
        Trainer::new(2, 0)
            .epoch(&mut net, &mut Sgd::new(0.1), &none, |net, x, labels| net.forward(x).cross_entropy(labels))
    });
    assert!(text.contains("there are no examples"), "{text}");
}
