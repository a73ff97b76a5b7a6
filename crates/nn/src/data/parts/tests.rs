use super::*;
use proptest::prelude::*;

fn count(labels: &[usize], rows: &[usize], class: usize) -> usize {
    rows.iter().filter(|&&row| labels[row] == class).count()
}

fn hold_partition(n: usize, parts: &Parts) -> Result<(), TestCaseError> {
    let mut all = [&parts.train[..], &parts.held_out].concat();
    all.sort_unstable();
    prop_assert_eq!(all, (0..n).collect::<Vec<_>>());
    Ok(())
}

proptest! {
    #[test]
    fn classes_are_divided_by_their_share_and_kept_to_train_with(
        labels in prop::collection::vec(0_usize..5, 2..60),
        share in 0.01..0.99_f64,
        seed: u64,
    ) {
        let n = labels.len();
        let by = By::Classes { labels: &labels, names: &[], lone: Lone::Train };
        let Ok(parts) = by.split(share, seed) else { return Ok(()) };
        hold_partition(n, &parts)?;
        prop_assert_eq!(parts.held_out.len(), (n as f64 * share).round() as usize);
        let sizes: Vec<usize> = (0..5).map(|class| labels.iter().filter(|&&label| label == class).count()).collect();
        for (class, &size) in sizes.iter().enumerate() {
            let held = count(&labels, &parts.held_out, class);
            prop_assert!(size == 0 || held < size, "class {} is not trained with", class);
            if sizes.iter().all(|size| *size as f64 * share.min(1.0 - share) >= 1.0) {
                prop_assert!((held as f64 - size as f64 * share).abs() < 1.0);
            }
        }
    }

    #[test]
    fn each_row_is_held_out_by_one_fold(labels in prop::collection::vec(0_usize..4, 2..60), k in 2_usize..6, seed: u64) {
        let n = labels.len();
        for by in [By::Rows(n), By::classes(&labels), By::Groups(&labels)] {
            let Ok(folds) = by.folds(k, seed) else { continue };
            prop_assert_eq!(folds.len(), k);
            for parts in &folds {
                hold_partition(n, parts)?;
                prop_assert!(!parts.held_out.is_empty() && !parts.train.is_empty());
                match by {
                    By::Groups(_) => {
                        let divided = |g| count(&labels, &parts.train, g) * count(&labels, &parts.held_out, g) > 0;
                        prop_assert!(!(0..4).any(divided));
                    }
                    By::Classes { .. } => {
                        let fair = |class| {
                            let held = count(&labels, &parts.held_out, class);
                            let size = count(&labels, &(0..n).collect::<Vec<_>>(), class);
                            held.abs_diff(size / k) <= 1 && (size == 0 || held < size)
                        };
                        prop_assert!((0..4).all(fair));
                    }
                    By::Rows(_) | By::Time(_) => prop_assert!(parts.held_out.len().abs_diff(n / k) <= 1),
                }
            }
            let mut held: Vec<usize> = folds.into_iter().flat_map(|parts| parts.held_out).collect();
            held.sort_unstable();
            prop_assert_eq!(held, (0..n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn groups_and_times_stay_together(values in prop::collection::vec(0_usize..6, 2..60), share in 0.05..0.95_f64, seed: u64) {
        if let Ok(parts) = By::Groups(&values).split(share, seed) {
            hold_partition(values.len(), &parts)?;
            prop_assert!(!parts.train.is_empty() && !parts.held_out.is_empty());
            prop_assert!((0..6).all(|g| count(&values, &parts.train, g) == 0 || count(&values, &parts.held_out, g) == 0));
        }
        let times: Vec<f64> = values.iter().map(|&value| value as f64).collect();
        if let Ok(parts) = By::Time(&times).split(share, seed) {
            hold_partition(values.len(), &parts)?;
            let last = parts.train.iter().map(|&row| values[row]).max();
            prop_assert!(last < parts.held_out.iter().map(|&row| values[row]).min());
        }
    }
}

#[test]
fn what_cannot_be_divided_says_why() {
    let split = |by: By, share: f64| by.split(share, 0).unwrap_err().to_string();
    assert!(split(By::Rows(20), 0.02).contains("0.02 of 20 rows rounds to 0: nothing would be held out"));
    assert!(split(By::Rows(20), 0.98).contains("nothing would be left to train with"));
    assert!(split(By::Rows(0), 0.5).contains("0 rows cannot be divided"));
    assert!(split(By::classes(&[0, 0, 1]), 0.4).contains("class 1 has 1 row"));
    assert!(split(By::classes(&[0, 0, 1, 1]), 0.7).contains("1 of 4 rows are left to train with, fewer than the 2"));
    assert!(split(By::Groups(&[3, 3]), 0.5).contains("one group"));
    assert!(split(By::Time(&[3.0, 3.0]), 0.5).contains("one time"));
    assert!(split(By::Time(&[3.0, f64::NAN]), 0.5).contains("found none for row 1"));
    let folds = |by: By| by.folds(3, 0).unwrap_err().to_string();
    assert!(folds(By::Rows(2)).contains("2 rows are too few for 3 folds"));
    assert!(folds(By::Groups(&[1, 1, 2])).contains("2 groups are too few"));
    assert!(folds(By::Time(&[1.0, 1.0, 1.0, 2.0])).contains("too few different times"));
    assert!(folds(By::Time(&[1.0, 2.0, 3.0])).contains("3 rows are too few for 3 folds in time"));
}

proptest! {
    #[test]
    fn folds_in_time_are_in_order_whatever_times_come_how_often(
        values in prop::collection::vec(0_usize..9, 3..60),
        k in 2_usize..6,
        seed: u64,
    ) {
        let times: Vec<f64> = values.iter().map(|&value| value as f64).collect();
        let different = values.iter().collect::<std::collections::BTreeSet<_>>().len();
        let folds = By::Time(&times).folds(k, seed);
        prop_assert_eq!(folds.is_ok(), different > k);
        let Ok(folds) = folds else { return Ok(()) };
        prop_assert_eq!(&folds, &By::Time(&times).folds(k, seed ^ 1).unwrap());
        prop_assert_eq!(folds.len(), k);
        let mut trained = 0;
        for parts in &folds {
            let (train, held_out) = (&parts.train, &parts.held_out);
            prop_assert!(train.len() > trained && !held_out.is_empty());
            trained = train.len();
            let last = train.iter().map(|&row| values[row]).max();
            prop_assert!(last < held_out.iter().map(|&row| values[row]).min());
            prop_assert!(train.is_sorted() && held_out.is_sorted());
        }
        let last = folds.last().unwrap();
        hold_partition(values.len(), last)?;
    }

    #[test]
    fn the_same_seed_divides_alike_and_labels_may_be_any_number(
        labels in prop::collection::vec(0_usize..4, 2..40),
        share in 0.05..0.95_f64,
        k in 2_usize..5,
        seed: u64,
    ) {
        let far: Vec<usize> = labels.iter().map(|label| usize::MAX - 3 + label).collect();
        let text = |error: Error| error.to_string();
        for (by, other) in [
            (By::classes(&labels), By::classes(&far)),
            (By::Groups(&labels), By::Groups(&far)),
            (By::Rows(labels.len()), By::Rows(labels.len())),
        ] {
            prop_assert_eq!(by.split(share, seed).map_err(text), by.split(share, seed).map_err(text));
            prop_assert_eq!(by.split(share, seed).ok(), other.split(share, seed).ok());
            prop_assert_eq!(by.folds(k, seed).ok(), other.folds(k, seed).ok());
        }
    }
}

#[test]
fn folds_at_their_limits() {
    let each = By::Rows(3).folds(3, 0).unwrap();
    assert!(each.iter().all(|parts| parts.held_out.len() == 1 && parts.train.len() == 2));
    assert_eq!(By::classes(&[1; 4]).folds(4, 0).unwrap().len(), 4);
    assert_eq!(By::Groups(&[7, 7, 2]).folds(2, 0).unwrap()[0].held_out, [0, 1]);
    // Four times are enough for three folds, wherever they lie.
    let times = [1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 2.0, 3.0, 4.0];
    let sizes = |parts: &Parts| (parts.train.len(), parts.held_out.len());
    let folds = By::Time(&times).folds(3, 0).unwrap();
    assert_eq!(folds.iter().map(sizes).collect::<Vec<_>>(), [(8, 1), (9, 1), (10, 1)]);
}

#[test]
#[should_panic(expected = "folds: 2 folds or more are needed, not 1")]
fn one_fold_is_none() {
    let _ = By::Rows(3).folds(1, 0);
}

#[test]
fn folds_in_time_train_with_what_is_before() {
    let times: Vec<f64> = (0..8).rev().map(f64::from).collect();
    let folds = By::Time(&times).folds(3, 0).unwrap();
    assert_eq!(folds[0], Parts { train: vec![6, 7], held_out: vec![4, 5] });
    assert_eq!(folds[2], Parts { train: vec![2, 3, 4, 5, 6, 7], held_out: vec![0, 1] });
}
