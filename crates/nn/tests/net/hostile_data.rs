//! Data that does not fit is told at the caller's line, and what is chosen, divided and dealt out keeps weights and names.

use crate::rows::{Rows, panics};
use autograd::{Tape, Tensor};
use nn::data::synthetic::{blobs, checkerboard, circles, friedman1, moons, regression, sine, sine_waves, spirals};
use nn::data::{Array, Batch, BatchVars, Batcher, By, Dataset, Numbers, SequenceBatcher, Sequences, Source, Target};
use nn::data::{empty_batch, npy, npz};

#[test]
fn sequences_and_made_data_name_what_is_wrong_at_the_callers_line() {
    let rows = [Tensor::<f64>::zeros([2, 1]), Tensor::zeros([3, 1])];
    let value = |n: usize| Target::value("y", &vec![0.0; n]);
    let data = Sequences::new(&rows, value(2));
    let (tape, mut told) = (Tape::new(), Rows::default());
    panics!(told, "Sequences::new", ["3 targets", "2 sequences"], Sequences::new(&rows, value(3)));
    panics!(told, "Sequences::new", ["sequence 0", "[3]"], Sequences::new(&[Tensor::zeros([3])], value(1)));
    panics!(told, "Sequences::per_step", ["2 targets", "5 steps"], Sequences::per_step(&rows, value(2)));
    panics!(told, "with_weights", ["1 weights for 2 sequences"], data.clone().with_weights(vec![1.0]));
    panics!(told, "with_weights", ["NaN for sequence 1"], data.clone().with_weights(vec![1.0, f64::NAN]));
    panics!(told, "sequence", ["sequence 2 is not one of 2"], data.sequence(2));
    panics!(told, "select", ["sequence 2 is not one of 2"], data.select(&[0, 2]));
    panics!(told, "batch", ["sequence 5 is not one of 2"], data.batch(&[5], 0.0));
    panics!(told, "SequenceBatcher::new", ["not of 0"], SequenceBatcher::new(&data, 0, 0));
    let steps = BatchVars::new(&tape, &Sequences::per_step(&rows, value(5)).batch(&[0, 1], 0.0));
    panics!(told, "loss", ["[2, 3, k]", "[2, 1]"], steps.loss(tape.var(&Tensor::zeros([2, 1]))));
    panics!(told, "moons", ["0 or more", "-1"], moons::<f64>(4, -1.0, 0));
    panics!(told, "circles", ["below 1", "1.5"], circles::<f64>(4, 1.5, 0.0, 0));
    panics!(told, "blobs", ["1 class"], blobs::<f64>(4, 0, 2, 1.0, 0));
    panics!(told, "spirals", ["1 class"], spirals::<f64>(4, 0, 0.0, 0));
    panics!(told, "checkerboard", ["1 field"], checkerboard::<f64>(4, 0, 0.0, 0));
    panics!(told, "friedman1", ["5 features", "not 4"], friedman1::<f64>(4, 4, 0.0, 0));
    panics!(told, "regression", ["finite", "NaN"], regression::<f64>(4, &[f64::NAN], 0.0, 0.0, 0));
    panics!(told, "sine", ["0 or more", "inf"], sine::<f64>(4, f64::INFINITY, 0));
    panics!(told, "sine_waves", ["from 1 on", "0..=3"], sine_waves::<f64>(4, 0..=3, 0.0, 0));
    let long = "x".repeat(70_000);
    let one = Array { shape: vec![1; 65], numbers: Numbers::U8(vec![1]) };
    panics!(told, "npz::bytes", ["65531 bytes"], npz::bytes([(&long[..], &Array { shape: vec![], ..one.clone() })]));
    panics!(told, "npy::bytes", ["64 axes", "not 65"], npy::bytes(&one));
    told.hold_all(&[], &[]);
}

/// Examples whose feature, weight and target are all their row.
fn numbered(n: usize) -> Dataset {
    let x: Vec<f64> = (0..n).map(|row| row as f64).collect();
    Dataset::from_columns(&[("row", &x)], Target::value("y", &x)).with_weights(x.clone())
}

fn hold(data: &Dataset, rows: &[usize]) {
    let want: Vec<f64> = rows.iter().map(|&row| row as f64).collect();
    assert_eq!(data.features().as_slice(), want);
    assert_eq!((data.weights(), data.target()), (Some(&want[..]), &Target::value("y", &want)));
    assert_eq!(data.names(), ["row"]);
}

#[test]
fn weights_and_names_stay_with_their_rows() {
    let data = numbered(10);
    hold(&data.select(&[3, 3, 0]), &[3, 3, 0]);
    hold(&data.select(&[]), &[]);
    for part in <[Dataset; 2]>::from(data.split(0.3, 1)) {
        let rows: Vec<usize> = part.features().as_slice().iter().map(|&row| row as usize).collect();
        hold(&part, &rows);
    }
    for parts in By::Rows(10).folds(3, 0).unwrap() {
        hold(&data.select(&parts.train), &parts.train);
        hold(&data.select(&parts.held_out), &parts.held_out);
    }
    let (mut source, mut batch, mut count) = (Batcher::new(&data, 4, 0), empty_batch(), 0);
    while source.next_into(&mut batch).unwrap() {
        let want: Vec<f64> = batch.rows.iter().map(|&row| row as f64).collect();
        assert_eq!(batch.weights.as_ref().unwrap().as_slice(), want);
        assert_eq!(batch.target, Target::value("y", &want));
        count += batch.len();
    }
    assert_eq!(count, 10);
}

#[test]
fn a_batch_that_another_data_set_filled_takes_the_names_of_the_new_one() {
    let of = |names: [&str; 2]| {
        let names = names.map(String::from).to_vec();
        Dataset::new(Tensor::<f64>::zeros([2, 1]), vec![0, 1], names)
    };
    let (pets, trees) = (of(["cat", "dog"]), of(["elm", "oak"]));
    let mut batch: Batch = pets.batch(&[0, 1]);
    trees.gather_into(&[1, 0], &mut batch);
    assert_eq!(batch, trees.batch(&[1, 0]));
}
