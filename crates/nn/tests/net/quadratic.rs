//! Every optimiser finds the minimum of a quadratic whose curvatures differ tenfold, through the tape.

use autograd::{Tape, Tensor};
use nn::{Adam, Optimiser, Sgd};

/// `½ Σ cᵢ (pᵢ − mᵢ)²` with `c = (1, 10)` and `m = (1, −2)`, in two leaves.
fn distance_after(steps: usize, mut optimiser: impl Optimiser<f64>) -> f64 {
    let mut tape = Tape::new();
    let mut params = [Tensor::scalar(4.0), Tensor::scalar(3.0)];
    for _ in 0..steps {
        let (_, grads) = tape.value_and_grad(&params, |_, [p, q]| {
            (p - 1.0).square().mul_scalar(0.5) + (q + 2.0).square().mul_scalar(5.0)
        });
        optimiser.step(&mut params, &grads);
    }
    (params[0].item() - 1.0).hypot(params[1].item() + 2.0)
}

#[test]
fn each_optimiser_converges() {
    let momentum = Sgd { momentum: 0.9, ..Sgd::new(0.02) };
    assert!(distance_after(400, Sgd::new(0.1)) < 1e-12);
    assert!(distance_after(400, momentum.clone()) < 1e-6);
    assert!(distance_after(400, Sgd { nesterov: true, ..momentum }) < 1e-6);
    assert!(distance_after(3000, Adam::new(0.05)) < 1e-6);
}

#[test]
fn momentum_is_faster_where_curvatures_differ() {
    let (plain, momentum) = (Sgd::new(0.02), Sgd { momentum: 0.8, ..Sgd::new(0.02) });
    assert!(distance_after(100, momentum) < 1e-2 * distance_after(100, plain));
}
