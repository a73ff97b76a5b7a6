//! What `no_grad` records is right for the derivatives taken in it, and a constant for those taken after it.

use super::operations::Root;
use autograd::{Tape, Tensor, Var, grad, hessian, hvp, jacobian, jvp, per_example_grads, vjp};

fn cubes(x: Var<'_>) -> Var<'_> {
    (x * x * x).sum()
}

/// Zeros once: what was recorded within was a constant from the start.
#[test]
fn derivatives_within_no_grad_are_right_at_every_order() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([2.0, -1.0]));
    let v = tape.var(&Tensor::from([1.0, 2.0]));
    let before = cubes(x);
    let dx = grad(before, &x);
    for recorded_within in [false, true] {
        let y = || if recorded_within { cubes(x) } else { before };
        assert_eq!(tape.no_grad(|| grad(y(), &x).value()).as_slice(), [12.0, 3.0]);
        assert_eq!(tape.no_grad(|| hessian(y(), x).value()).as_slice(), [12.0, 0.0, 0.0, -6.0]);
        assert_eq!(tape.no_grad(|| hvp(y(), &x, &v).value()).as_slice(), [12.0, -12.0]);
        assert_eq!(tape.no_grad(|| grad(grad(y(), &x).sum(), &x).value()).as_slice(), [12.0, -6.0]);
        assert_eq!(tape.no_grad(|| hvp(grad(y(), &x).sum(), &x, &v).value()).as_slice(), [6.0, 12.0]);
        assert_eq!(tape.no_grad(|| jvp(y(), &x, &v).item()), 18.0);
    }
    assert_eq!(tape.no_grad(|| jvp(dx, &x, &v)).value().as_slice(), [12.0, -12.0]);
    assert_eq!(tape.no_grad(|| jacobian(x * x, x)).value().as_slice(), [4.0, 0.0, 0.0, -2.0]);
    assert_eq!(tape.no_grad(|| per_example_grads(x * x, &x)).value().as_slice(), [4.0, 0.0, 0.0, -2.0]);
}

#[test]
fn what_comes_out_of_no_grad_is_a_constant_in_both_modes() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([2.0, -1.0]));
    let v = tape.var(&Tensor::from([1.0, 2.0]));
    let (y, dx) = tape.no_grad(|| {
        let y = cubes(x);
        (y, grad(y, &x))
    });
    for constant in [y, dx.sum(), (dx * dx).sum()] {
        assert_eq!(grad(constant, &x).value().as_slice(), [0.0, 0.0]);
        assert_eq!(jvp(constant, &x, &v).item(), 0.0);
        // Another call of `no_grad` is no way in.
        assert_eq!(tape.no_grad(|| grad(constant, &x)).value().as_slice(), [0.0, 0.0]);
        assert_eq!(tape.no_grad(|| grad(constant * 2.0, &x)).value().as_slice(), [0.0, 0.0]);
    }
    assert_eq!(grad((dx * x).sum(), &x).value().as_slice(), [12.0, 3.0]);
    // By itself, a constant has the derivative 1.
    assert_eq!(grad(y * 3.0, &y).item(), 3.0);
}

#[test]
fn no_grad_nests() {
    let tape = Tape::new();
    let x = tape.scalar(3.0);
    let values = tape.no_grad(|| {
        let outer = x * x;
        let inner = tape.no_grad(|| {
            let inner = outer * x; // x³
            assert_eq!(grad(inner, &x).item(), 27.0, "both calls have begun and not returned");
            assert_eq!(hessian(inner, x).item(), 18.0);
            inner
        });
        let again = tape.no_grad(|| grad(inner * x, &x).item());
        // x² · const(x³) · x
        [grad(inner, &x).item(), grad(outer * inner * x, &x).item(), again, hessian(outer * inner, x).item()]
    });
    assert_eq!(values, [0.0, 27.0 * 27.0, 27.0, 54.0]);
}

#[test]
fn a_call_of_no_grad_that_panics_is_over() {
    let tape = Tape::new();
    let x = tape.scalar(3.0);
    let inner = std::cell::Cell::new(None);
    let panics = || {
        tape.no_grad(|| {
            inner.set(Some(x * x));
            assert!(x.item() < 0.0, "stop");
        });
    };
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(panics)).unwrap_err();
    assert_eq!(grad(inner.get().unwrap(), &x).item(), 0.0);
    assert_eq!(grad(x * x, &x).item(), 6.0);
    assert_eq!(tape.no_grad(|| grad(x * inner.get().unwrap(), &x)).item(), 9.0);
}

#[test]
fn parts_and_operations_of_users_within_no_grad_are_differentiated_there() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([4.0]));
    let one = tape.var(&Tensor::from([1.0]));
    let part = || tape.checkpoint(|| x * tape.no_grad(|| x * x) * tape.checkpoint(|| x * 1.0)); // x² · const(x²)
    let outside = part().sum();
    assert_eq!((grad(outside, &x).item(), hessian(outside, x).item()), (128.0, 32.0));
    tape.no_grad(|| {
        let within = part().sum();
        assert_eq!((grad(within, &x).item(), hessian(within, x).item()), (128.0, 32.0));
        assert_eq!((grad(outside, &x).item(), hessian(outside, x).item()), (128.0, 32.0));
        let deeper = tape.no_grad(|| (grad(within, &x), hvp(within, &x, &one)));
        assert_eq!((deeper.0.item(), deeper.1.item()), (128.0, 32.0));
        let y = tape.apply(Root(2), [x]);
        assert_eq!((grad(y.sum(), &x).item(), jvp(y, &x, &one).item()), (0.25, 0.25));
        assert_eq!(hessian(y.sum(), x).item(), -1.0 / 32.0);
    });
    let left = tape.no_grad(|| vjp(outside * 1.0, &x, tape.scalar(1.0)));
    assert_eq!(grad((left * x).sum(), &x).item(), 128.0);
}

#[test]
fn steps_with_derivatives_within_no_grad_repeat() {
    let mut tape = Tape::new();
    for step in 0..12 {
        tape.clear();
        let start = f64::from(step);
        let x = tape.var(&Tensor::from([start, -1.0]));
        let curvature = tape.no_grad(|| hvp(cubes(x), &x, &x)); // 6x²
        let y = (curvature * x).sum() + if step == 7 { cubes(x) } else { x.sum() };
        let values = tape.values(&[y, grad(y, &x).sum()]);
        let own = if step == 7 { 3.0 * (start * start + 1.0) } else { 2.0 };
        assert_eq!(values[1].to_vec(), [6.0 * (start * start + 1.0) + own]);
    }
}
