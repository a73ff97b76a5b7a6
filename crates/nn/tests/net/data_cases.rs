//! What became of data after reading, and was wrong once: scales, what is not finite, splits, scores of a net that has failed.

use approx::assert_relative_eq;
use autograd::Tensor;
use nn::data::{Csv, Standardiser};
use nn::{Dataset, accuracy};
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
