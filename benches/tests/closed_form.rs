//! The closed forms by hand and the tape compute the same losses, gradients and updates.

#[path = "../closed/mod.rs"]
mod closed;
#[path = "../contenders/mod.rs"]
mod contenders;

use closed::number::Number;
use contenders::problem::{LEARNING, Net, Task, WORKLOADS, Workload};
use contenders::{BASE, contenders, disagreement};

/// Trains all contenders side by side and holds each to the base after every step.
fn hold<T: Number>(workload: Workload, steps: usize, tolerance: f64) {
    for rival in 1..contenders::<T>(workload, LEARNING).len() {
        let mut pair = contenders::<T>(workload, LEARNING);
        let (name, mut rival) = pair.swap_remove(rival);
        let (_, mut base) = pair.swap_remove(0);
        for step in 0..steps {
            let apart = disagreement(&mut *base, &mut *rival);
            assert!(apart < tolerance, "{name} and {BASE} on {workload:?}, {}, step {step}: {apart:e}", T::NAME);
        }
    }
}

fn named(name: &str) -> Workload {
    *WORKLOADS.iter().find(|workload| workload.name == name).expect("a workload has this name")
}

fn hold_both(workload: Workload, steps: usize) {
    hold::<f64>(workload, steps, 1e-12);
    hold::<f32>(workload, steps, 2e-5);
}

#[test]
fn the_toy_network_agrees_over_20_steps() {
    hold_both(named("toy"), 20);
}

#[test]
fn the_toy_network_with_a_penalty_agrees_over_20_steps() {
    hold_both(named("toy-l2"), 20);
}

#[test]
fn the_toy_network_with_another_activation_agrees_over_20_steps() {
    hold_both(named("toy-tanh"), 20);
    hold_both(named("toy-sigmoid"), 20);
}

#[test]
fn the_toy_network_with_momentum_agrees_over_20_steps() {
    hold_both(named("toy-momentum"), 20);
}

#[test]
fn the_toy_network_with_adam_agrees_over_20_steps() {
    hold::<f64>(named("toy-adam"), 20, 1e-12);
    // A step has the size of the rate however small the gradient is, so that the rounding errors of a small gradient count as
    // those of a large one; and `1 − β₂^t` has 1/1000 of the precision at first.
    hold::<f32>(named("toy-adam"), 20, 1e-4);
}

#[test]
fn the_toy_network_with_a_second_hidden_layer_agrees_over_20_steps() {
    hold_both(named("toy-deep"), 20);
}

#[test]
fn the_toy_network_with_weights_stored_by_outputs_agrees_over_20_steps() {
    hold_both(named("toy-transposed"), 20);
}

#[test]
fn the_spiral_network_agrees_over_20_steps() {
    hold_both(named("spiral"), 20);
}

#[test]
fn layers_of_the_size_of_digits_agree_over_20_steps() {
    hold_both(named("digits"), 20);
}

#[test]
fn layers_of_the_size_of_mnist_agree_over_2_steps() {
    hold_both(named("mnist"), 2);
}

#[test]
fn three_layers_and_a_batch_that_fills_no_block_agree_over_20_steps() {
    let net = Net::new(37, &[19, 33, 21, 10]);
    hold_both(Workload { name: "three layers", task: Task::Net(net) }, 20);
}

#[test]
fn element_wise_values_and_slopes_agree_for_any_number_of_elements() {
    hold_both(named("elementwise"), 1);
    for elements in [1, 5, 16, 1023, 1025, 2049 + 16] {
        hold_both(Workload { name: "elements", task: Task::Elementwise(elements) }, 1);
    }
}

/// The largest error of the closed forms' `e^x` in units of the last place, over the arguments that softmax has.
fn error_of_exp<T: Number, const FMA: bool>(least: f64) -> f64 {
    let error = |i: i32| {
        let x = T::of(least * f64::from(i) / 100_000.0);
        let (got, want) = (x.fast_exp::<FMA>().to_f64(), x.to_f64().exp());
        (got / want - 1.0).abs() / T::EPSILON.to_f64()
    };
    (0..=100_000).map(error).fold(0.0, f64::max)
}

#[test]
fn the_exponential_is_within_a_unit_in_the_last_place() {
    assert!(error_of_exp::<f32, false>(-87.0) < 1.0 && error_of_exp::<f32, true>(-87.0) < 1.0);
    // One more half for what `std` itself rounds.
    assert!(error_of_exp::<f64, false>(-708.0) < 1.5 && error_of_exp::<f64, true>(-708.0) < 1.5);
    assert_eq!((0_f32.fast_exp::<false>(), 0_f64.fast_exp::<true>()), (1.0, 1.0));
    assert!(f32::NEG_INFINITY.fast_exp::<true>() < 2e-38 && f64::NAN.fast_exp::<true>().is_nan());
}
