//! Where a NaN came from can be asked at any time: after values were recycled, or a program computed them.

use super::operations::Root;
use autograd::{CrossEntropyOptions, NonFinite, Order, Tape, Tensor, Var, grad};

fn found(found: Option<NonFinite>) -> Option<(&'static str, usize, Option<&'static str>)> {
    found.map(|found| (found.op, found.element.0, found.rule_of))
}

/// A panic in the engine once: the operation's operands were recycled.
#[test]
fn the_operation_is_named_after_values_and_gradients_were_computed_together() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([4.0, 0.0]));
    let y = (x.reciprocal() * x).sum();
    let dx = grad(y, &x);
    let both = tape.values(&(y, dx));
    assert!(both.0.item().is_nan());
    assert_eq!(found(tape.first_non_finite(&y)), Some(("reciprocal", 1, None)));
    assert_eq!(found(tape.first_non_finite(&(y, dx))), Some(("reciprocal", 1, None)));
    assert_eq!(tape.values(&(y, dx)).1.to_vec().len(), 2);

    let x = tape.var(&Tensor::from([0.0, 4.0]));
    let y = x.sqrt().sum();
    let dx = grad(y, &x);
    tape.values(&(y, dx));
    assert_eq!(found(tape.first_non_finite(&y)), None);
    assert_eq!(found(tape.first_non_finite(&dx)), Some(("reciprocal", 0, Some("sqrt"))));
}

#[test]
fn the_operation_is_named_after_a_program_took_over_a_repeated_step() {
    let mut tape = Tape::new();
    let mut w = Tensor::from([2.0, 3.0]);
    for step in 0..12 {
        let (loss, dw) = tape.value_and_grad(&w, |_, w| (w.log() * w).sum());
        assert_eq!(loss.is_nan(), w.as_slice()[1] < 0.0, "step {step}");
        // The natural use: the same step again, and the question.
        let named = {
            let vars = tape.vars(&w);
            let y = (vars.log() * vars).sum();
            let values = tape.values(&(y, grad(y, &vars)));
            assert_eq!(values.1.to_vec().len(), dw.numel());
            found(tape.first_non_finite(&(y, grad(y, &vars))))
        };
        assert_eq!(named, if w.as_slice()[1] < 0.0 { Some(("log", 1, None)) } else { None }, "step {step}");
        tape.clear();
        w.as_mut_slice()[1] = if step % 4 == 2 { -1.0 } else { 3.0 + f64::from(step) };
    }
}

#[test]
fn the_operation_is_named_among_parts_rules_and_watched_values() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 0.0]));
    let y = tape.checkpoint(|| (x - 0.0).log().exp()).sum() + tape.apply(Root(2), [x]).sum();
    let dx = grad(y, &x);
    tape.values(&[y, dx.sum()]);
    assert_eq!(found(tape.first_non_finite(&y)), Some(("log", 1, None)));
    tape.watch(true);
    assert_eq!(found(tape.first_non_finite(&y)), Some(("log", 1, None)));
    let again = super::operations::panic_of(|| (x * 0.0).log().value());
    assert!(again.contains("log"), "watching goes on: {again}");
}

#[test]
fn integers_in_the_bits_of_floats_are_always_finite_and_shown_as_integers() {
    let tape = Tape::new();
    let scores = tape.var(&Tensor::from_rows([[1.0, f64::INFINITY], [0.5, -0.5], [2.0, 1.0]]));
    let labels = tape.indices([3], &[1, -100, 0]);
    let options = CrossEntropyOptions { ignore_index: Some(-100), ..Default::default() };
    let loss = scores.cross_entropy_opts(&labels, &options);
    let picked = tape.var(&Tensor::from([3.0, 1.0])).gather(0, &tape.indices([2], &[-1, -2])).log().log();
    tape.values(&(loss, picked));
    assert_eq!(tape.first_non_finite(&picked).unwrap().op, "log");
    assert_eq!(found(tape.first_non_finite(&loss)), Some(("leaf", 1, None)));
    let order = tape.var(&Tensor::from([0.0, -1.0])).log();
    let taken = tape.var(&Tensor::from([f64::NAN, 1.0])).gather(0, &order.argsort(0, Order::Ascending));
    tape.values(&taken);
    let found: Option<NonFinite> = tape.first_non_finite(&[taken]);
    assert_eq!(found.unwrap().op, "log");
    let nothing: Vec<Var<'_>> = Vec::new();
    assert!(tape.first_non_finite(&nothing).is_none());
}
