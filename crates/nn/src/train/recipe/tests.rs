use super::*;
use crate::accuracy;
use crate::data::{Preparing, Schema, Table, Target};

/// Values of two features, by a rule.
fn table(n: usize, rule: impl Fn(f64, f64) -> f64) -> Dataset {
    let x = Tensor::from_fn([n, 2], |i| (i as f64 * 0.7).sin() * 1.4);
    let y: Vec<f64> = x.as_slice().chunks(2).map(|x| rule(x[0], x[1])).collect();
    Dataset::with(x, Target::value("y", &y))
}

fn quick() -> Recipe {
    let candidates = vec![(vec![], Activation::Identity), (vec![6], Activation::Silu)];
    Recipe {
        candidates,
        penalties: vec![1e-4, 1e-1],
        max_iterations: 40,
        repeats: Some(2),
        nets: 2,
        ..Recipe::default()
    }
}

#[test]
fn a_linear_rule_is_given_the_linear_model_and_a_curved_one_a_net() {
    let linear = quick().fit(&table(60, |a, b| a - 0.5 * b)).unwrap();
    assert!(linear.best.hidden.is_empty() && linear.best.penalty == 1e-4, "{:?}", linear.best);
    let curved = quick().fit(&table(60, |a, b| a * a - b.abs())).unwrap();
    assert!(!curved.best.hidden.is_empty(), "{:?}", curved.best);
    assert_eq!((curved.tried.len(), curved.net.layers[0].weight.shape()[0]), (4, 12));
    assert_eq!(quick().fit(&table(60, |a, b| a * a - b.abs())).unwrap(), curved);
    assert_eq!(quick().train(&curved.best, &table(60, |a, b| a * a - b.abs())).unwrap(), curved.net);
}

#[test]
fn examples_count_by_their_weights() {
    // Of two rules, the one whose examples weigh something is learnt.
    let data = table(60, |a, _| a);
    let y: Vec<f64> =
        data.features().as_slice().chunks(2).enumerate().map(|(i, x)| if i % 2 == 0 { x[0] } else { 3.0 }).collect();
    let weights = (0..60).map(|i| f64::from(u8::from(i % 2 == 0))).collect();
    let both = Dataset::with(data.features().clone(), Target::value("y", &y)).with_weights(weights);
    let fitted = Recipe { candidates: vec![(vec![], Activation::Identity)], ..quick() }.fit(&both).unwrap();
    let error = |i: usize| (fitted.net.predict(data.features()).as_slice()[i] - data.features().at([i, 0])).abs();
    assert!((0..60).all(|i| error(i) < 0.01), "{:?}", fitted.net);
}

#[test]
fn few_rows_lone_classes_and_rows_without_weight_are_fitted() {
    for n in [2, 3, 5] {
        let fitted = quick().fit(&table(n, |a, _| a)).unwrap();
        assert!(fitted.best.loss.is_finite() && fitted.net.predict(&Tensor::ones([1, 2])).item().is_finite(), "{n}");
    }
    let x = Tensor::from_fn([6, 1], |i| i as f64 - 2.5);
    let lone = Dataset::with(x.clone(), Target::classes_of(&["a", "b", "c", "d", "e", "f"]));
    assert!(quick().fit(&lone).unwrap().best.loss.is_finite());
    let none = Dataset::with(x.clone(), Target::value("y", x.as_slice())).with_weights(vec![0.0; 6]);
    assert!(quick().fit(&none).unwrap_err().to_string().contains("the weights of all rows are 0"));
    let same = Dataset::with(x, Target::value("y", &[1.0; 6]));
    assert!(quick().fit(&same).unwrap_err().to_string().contains("the target is the same in all rows"));
}

#[test]
fn many_rows_are_trained_on_in_batches() {
    let data = table(300, |a, b| (a * b).signum());
    let labels = data.target().clone();
    let Target::Values { values, .. } = labels else { panic!("values") };
    let words: Vec<&str> = values.as_slice().iter().map(|y| if *y > 0.0 { "same" } else { "other" }).collect();
    let data = Dataset::with(data.features().clone(), Target::classes_of(&words));
    let fitted = Recipe { most_rows: 299, ..quick() }.fit(&data).unwrap();
    assert_eq!(fitted.tried.len(), 2);
    assert!(!fitted.best.hidden.is_empty() && accuracy(&fitted.net.predict(data.features()), data.labels()) > 0.9);
}

#[test]
fn columns_are_bent_only_where_that_predicts_better() {
    let x: Vec<f64> = (0..60).map(|i| (f64::from(i * 17 % 60) / 8.0).exp()).collect();
    let chosen = |y: &[f64]| {
        let table = Table::from_columns([("x", &x[..]), ("y", y)]);
        let schema = Schema::infer(&table, &["y"], &[]).unwrap();
        let how = quick().preparing(&table, &schema, Preparing::default()).unwrap();
        (how.bend_features, how.bend_targets)
    };
    assert_eq!(chosen(&x.iter().map(|x| x.ln()).collect::<Vec<_>>()), (true, false));
    assert_eq!(chosen(&x.iter().map(|x| 3.0 * x + 1.0).collect::<Vec<_>>()), (false, false));
}

#[test]
#[should_panic(expected = "Recipe::fit: 2 folds or more are needed, not 1")]
fn folds_are_two_or_more() {
    let _ = Recipe { folds: 1, ..quick() }.fit(&table(6, |a, _| a));
}

#[test]
fn who_looks_on_may_end_it_and_gets_a_net_all_the_same() {
    use std::ops::ControlFlow;
    for (rows, most_rows) in [(60, 60), (4000, 60)] {
        let data = table(rows, |a, b| a * a - b.abs());
        // It is asked ten times a second at most, so trainings are made long enough.
        let recipe = Recipe { max_iterations: 4000, repeats: Some(1000), most_rows, ..quick() };
        let mut asked = 0;
        let mut watched = recipe.watched(|now| {
            asked += 1;
            assert!(now.progress.share < 1.0 && now.trial.penalty > 0.0);
            ControlFlow::Break(())
        });
        let fitted = watched.fit(&data).unwrap();
        assert!(watched.is_ended() && (rows > most_rows || !watched.history().is_empty()));
        assert!(fitted.net.predict(data.features()).as_slice().iter().all(|y| y.is_finite()));
        // What was asked for once holds.
        let again = watched.train(&fitted.best, &data).unwrap();
        assert!(again.predict(data.features()).as_slice().iter().all(|y| y.is_finite()));
        drop(watched);
        assert_eq!(asked, 1);
    }
}

#[test]
fn the_history_tells_of_other_rows_that_change_nothing() {
    let (data, others) = (table(60, |a, b| a * a - b.abs()), table(31, |a, b| a * a - b.abs()));
    let recipe = quick();
    let mut watched = recipe.watched(|_| ());
    let fitted = watched.fit_beside(&data, &others).unwrap();
    assert_eq!(fitted, recipe.fit(&data).unwrap());
    let history = watched.history();
    let nets = history.column("net").unwrap();
    assert_eq!((nets[0], nets[nets.len() - 1]), (1.0, 2.0));
    // Each loss of a net is that of it as it is, without the penalty: the first is of the first weights.
    let start: Mlp<Tensor> = Mlp::new(&[2, 6, 1], Activation::Silu, recipe.seed);
    let loss = |data: &Dataset| usual(&start.predict(data.features()), &data.whole());
    approx::assert_relative_eq!(history.column("loss").unwrap()[0], loss(&data), max_relative = 1e-12);
    approx::assert_relative_eq!(history.column("held_out_loss").unwrap()[0], loss(&others), max_relative = 1e-12);
}
