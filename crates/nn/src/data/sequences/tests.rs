use super::*;
use crate::data::{BatchVars, empty_batch};
use autograd::Tape;
use proptest::prelude::*;

/// Sequences of these lengths, whose steps are numbered through from 1, with the step's number as its target.
fn numbered(lengths: &[usize]) -> Sequences {
    let mut next = 0.0;
    let mut step = |_| {
        next += 1.0;
        next
    };
    let rows: Vec<Tensor> = lengths.iter().map(|&n| Tensor::from_fn([n, 1], &mut step)).collect();
    let target: Vec<f64> = (1..=lengths.iter().sum()).map(|i: usize| i as f64).collect();
    Sequences::per_step(&rows, Target::value("number", &target))
}

fn epoch(source: &mut SequenceBatcher<'_>, epoch: u32) -> Vec<Batch> {
    let (mut batch, mut all) = (empty_batch(), Vec::new());
    source.start(epoch).unwrap();
    while source.next_into(&mut batch).unwrap() {
        all.push(batch.clone());
    }
    all
}

proptest! {
    #[test]
    fn each_step_comes_once_with_its_target_and_the_rest_is_masked(
        lengths in prop::collection::vec(1_usize..9, 0..30),
        size in 1_usize..12,
        multiple in 1_usize..4,
        seed: u64,
        bucketed: bool,
        shuffled: bool,
        drop_last: bool,
    ) {
        let data = numbered(&lengths);
        let new = || SequenceBatcher::new(&data, size, seed);
        let mut source = SequenceBatcher { bucketed, shuffled, drop_last, multiple, fill: -1.0, ..new() };
        let batches = epoch(&mut source, 3);
        prop_assert_eq!(Some(batches.len()), Source::batches(&source));
        prop_assert_eq!(&batches, &epoch(&mut source, 3));
        let (mut steps, mut rows) = (Vec::new(), Vec::<usize>::new());
        for batch in &batches {
            let shape = batch.features.shape();
            let want: Vec<usize> = batch.rows.iter().map(|&row| lengths[row]).collect();
            prop_assert_eq!(&batch.lengths(), &want);
            prop_assert_eq!(shape[1], want.iter().max().unwrap().next_multiple_of(multiple));
            prop_assert!(batch.len() == size || (!drop_last && batch.len() == lengths.len() % size));
            let Target::Values { values, .. } = &batch.target else { panic!("{:?}", batch.target) };
            prop_assert_eq!(&values.shape()[..], &shape[..]);
            let mask = batch.mask.as_ref().unwrap();
            for ((x, y), real) in batch.features.as_slice().iter().zip(values.as_slice()).zip(mask.as_slice()) {
                if *real == 1.0 {
                    prop_assert_eq!(x, y);
                    steps.push(*x as usize);
                } else {
                    prop_assert!(*x == -1.0 && *y == 0.0);
                }
            }
            rows.extend(&batch.rows);
        }
        if !drop_last {
            steps.sort_unstable();
            prop_assert_eq!(steps, (1..=lengths.iter().sum()).collect::<Vec<_>>());
            if !shuffled && !bucketed {
                prop_assert_eq!(rows, (0..lengths.len()).collect::<Vec<_>>());
            }
        }
        source.start(3).unwrap();
        source.skip(1).unwrap();
        let mut batch = empty_batch();
        prop_assert_eq!(source.next_into(&mut batch).unwrap().then_some(&batch), batches.get(1));
    }
}

#[test]
fn bucketed_batches_fill_up_least() {
    let lengths: Vec<usize> = (0..64).map(|i| 1 + i * 7 % 64).collect();
    let data = numbered(&lengths);
    let places = |bucketed| {
        let mut source = SequenceBatcher { bucketed, ..SequenceBatcher::new(&data, 8, 1) };
        epoch(&mut source, 0).iter().map(|batch| batch.features.numel()).sum::<usize>()
    };
    // Sorted, batch b has lengths up to 8 (b + 1).
    assert_eq!(places(true), (1..=8).map(|b| 8 * 8 * b).sum::<usize>());
    assert!(places(false) > 3000);
    let mut source = SequenceBatcher { bucketed: true, ..SequenceBatcher::new(&data, 8, 1) };
    let order = |batches: &[Batch]| batches.iter().map(|batch| batch.features.shape()[1]).collect::<Vec<_>>();
    let (first, second) = (order(&epoch(&mut source, 0)), order(&epoch(&mut source, 1)));
    assert!(first != second && !first.is_sorted(), "{first:?} {second:?}");
}

#[test]
fn filled_up_steps_do_not_count_in_the_loss() {
    let rows = [Tensor::from_rows([[1.0], [2.0], [3.0]]), Tensor::from_rows([[4.0]])];
    let names = || vec!["a".to_owned(), "b".to_owned()];
    let check =
        |data: &Sequences, fill: f64, k: usize, want: f64| {
            let (tape, batch) = (Tape::new(), data.batch(&[0, 1], fill));
            let batch = BatchVars::new(&tape, &batch);
            // The output of a step is its number in each place but the first.
            let outputs = Tensor::from_fn([2, 3, k], |i| {
                if i % k == 0 && k > 1 { 0.0 } else { [1.0, 2.0, 3.0, 4.0, 9.0, 9.0][i / k] }
            });
            let loss = batch.loss(tape.var(&outputs)).item();
            assert!((loss - want).abs() < 1e-12, "{loss} {want}");
        };
    let values = Sequences::per_step(&rows, Target::value("y", &[1.0, 1.0, 1.0, 6.0]));
    let classes = Sequences::per_step(&rows, Target::Classes { labels: vec![0, 1, 1, 1], names: names() });
    let cross = |class: usize, x: f64| (1.0 + x.exp()).ln() - if class == 1 { x } else { 0.0 };
    for fill in [0.0, 7.0] {
        check(&values, fill, 1, (0.0 + 1.0 + 4.0 + 4.0) / 4.0);
        check(&classes, fill, 2, (cross(0, 1.0) + cross(1, 2.0) + cross(1, 3.0) + cross(1, 4.0)) / 4.0);
    }
    // The first sequence weighs 1 for each of its three steps, the second 3.
    let weighted = values.with_weights(vec![1.0, 3.0]);
    check(&weighted, 0.0, 1, (0.0 + 1.0 + 4.0 + 3.0 * 4.0) / 6.0);
}

#[test]
fn selected_sequences_keep_their_targets_and_weights() {
    let data = numbered(&[2, 1, 3]).with_weights(vec![0.5, 1.0, 2.0]);
    let some = data.select(&[2, 0, 2]);
    assert_eq!(some.lengths(), [3, 2, 3]);
    assert_eq!(some.sequence(1), data.sequence(0));
    assert_eq!(some.weights(), Some(&[2.0, 0.5, 2.0][..]));
    assert_eq!(some.target(), &Target::value("number", &[4.0, 5.0, 6.0, 1.0, 2.0, 4.0, 5.0, 6.0]));
    assert!(data.select(&[]).is_empty() && data.batch(&[], 0.0).is_empty());
    assert_eq!(data.batch(&[2, 0], 0.0), some.batch(&[0, 1], 0.0).with_rows(&[2, 0]));
}

impl Batch {
    fn with_rows(self, rows: &[usize]) -> Self {
        Self { rows: rows.to_vec(), ..self }
    }
}

#[test]
fn what_is_no_sequence_says_which_and_why() {
    let fault = |rows: &[Tensor], n: usize| {
        Sequences::try_new(rows, Target::value("y", &vec![0.0; n])).unwrap_err().to_string()
    };
    let two = Tensor::zeros([2, 3]);
    assert!(fault(&[two.clone(), Tensor::zeros([2, 4])], 2).contains("sequence 1 has shape [2, 4]: [length, 3]"));
    assert!(fault(&[two.clone(), Tensor::zeros([0, 3])], 2).contains("sequence 1 has shape [0, 3]"));
    assert!(fault(&[Tensor::zeros([3])], 1).contains("sequence 0 has shape [3]: [length, width]"));
    assert!(fault(std::slice::from_ref(&two), 2).contains("2 targets do not fit 1 sequences"));
    let nan = Tensor::from_rows([[0.0, 1.0], [2.0, f64::NAN]]);
    assert!(fault(&[nan], 1).contains("found NaN in step 1, feature 1 of sequence 0"));
    let steps = Sequences::try_per_step(&[two], Target::value("y", &[0.0])).unwrap_err().to_string();
    assert!(steps.contains("1 targets do not fit 2 steps"), "{steps}");
}
