//! Graphs: results used again, requested intermediates, several losses on one tape.

use super::case::{Case, run, v};
use autograd::{Tape, Tensor, grad, jvp, vjp};

#[test]
fn a_result_used_again_collects_all_its_cotangents() {
    run(&cases! {
        smooth "micrograd #2, cTensor #5, DLFS_code #13: b = a + a, c = b + b" not "3, without an order": [v([2.0])],
            |x| {
                let b = x[0] + x[0];
                b + b
            },
            dy [1.0] => [4.0];
        smooth "a diamond: f = (a·b)·(a + b)" not "one of its paths": [v([2.0]), v([3.0])],
            |x| (x[0] * x[1]) * (x[0] + x[1]), dy [1.0] => [21.0] [16.0];
        smooth "dfdx 0.13: x · x and x + x of one handle" not "a panic": [v([3.0])],
            |x| {
                let same = x[0];
                x[0] * same + (x[0] + same)
            },
            dy [1.0] => [8.0];
        smooth "PyTorch #136662: y += |x|, twice" not "half of it": [v([2.0, -3.0])],
            |x| x[0] + x[0].abs() + x[0].abs(), dy [1.0, 10.0] => [3.0, -10.0];
        smooth "Zygote #1198: two variables that change places in a loop" not "the gradient of an overwritten one":
            [v([2.0]), v([3.0])],
            |x| {
                let (mut a, mut b) = (x[0], x[1]);
                for _ in 0..3 {
                    (a, b) = (b, a * b); // a, b = y, xy; xy, xy²; xy², x²y³
                }
                a + b * 10.0
            },
            dy [1.0] => [1089.0] [1092.0];
        smooth "LibRapid #273: x = x · y, then x · x" not "the updated x in its own rule": [v([2.0]), v([3.0])],
            |x| {
                let mut a = x[0];
                a *= x[1];
                a * a
            },
            dy [1.0] => [36.0] [24.0];
        edge "a stopped operand" not "its gradient as well": [v([2.0]), v([5.0])],
            |x| x[0] * 3.0 + x[1].stop_gradient() * x[0], dy [1.0] => [8.0] [0.0];
    });
}

/// tinygrad #9597 merged equal leaves and gave 2 to one of them.
#[test]
fn equal_leaves_are_two_variables() {
    let tape = Tape::new();
    let (a, b) = (tape.scalar(3.0), tape.scalar(3.0));
    let [da, db] = grad(a + b, &[a, b]);
    assert_eq!((da.item(), db.item()), (1.0, 1.0));
}

/// rust-autograd gave 18 for dy/dh where h was used twice and also asked for.
#[test]
fn an_intermediate_that_is_used_twice_may_be_asked_for() {
    let tape = Tape::new();
    let x = tape.scalar(3.0);
    let h = x * 2.0;
    let y = h * h;
    let [dh, dx] = grad(y, &[h, x]);
    assert_eq!((dh.item(), dx.item()), (12.0, 24.0));
    let [dy, dh] = grad(y, &[y, h]);
    assert_eq!((dy.item(), dh.item()), (1.0, 12.0));
    assert_eq!(jvp(y, &h, &tape.scalar(1.0)).item(), 12.0);
    // A tangent of x as well reaches y through h: 12 · (1 + 2 · 10).
    assert_eq!(jvp(y, &[x, h], &[tape.scalar(10.0), tape.scalar(1.0)]).item(), 252.0);
}

/// JAX #10669: the gradient by the last argument was that of another.
#[test]
fn gradients_come_in_the_order_they_are_asked_for() {
    let tape = Tape::new();
    let [x, y, z] = [2.0, 3.0, 5.0].map(|x| tape.scalar(x));
    let f = x * y * y * z;
    let values = |wrt: &[autograd::Var<'_>]| -> Vec<f64> { grad(f, &wrt.to_vec()).iter().map(|d| d.item()).collect() };
    assert_eq!(values(&[x, y, z]), [45.0, 60.0, 18.0]);
    assert_eq!(values(&[z, x]), [18.0, 45.0]);
    assert_eq!(values(&[y, y]), [60.0, 60.0], "a variable that is asked for twice");
}

/// dfdx's `get` of an unreached tensor panicked; candle gave `None` for a path that ends in `floor`.
#[test]
fn what_is_not_reached_has_zeros() {
    let tape = Tape::new();
    let (x, other) = (tape.scalar(2.0), tape.var(&Tensor::from([1.0, 2.0])));
    let [dx, dother] = grad(x * x, &(x, other)).into();
    assert_eq!((dx.item(), dother.value().to_vec()), (4.0, vec![0.0, 0.0]));
    let later = x.exp();
    assert_eq!(grad(x * x, &later).item(), 0.0, "recorded after the result");
}

#[test]
fn two_losses_of_one_graph_do_not_disturb_each_other() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let h = x * x;
    let (first, second) = (h.sum(), (h * x).sum());
    let before = grad(first, &x).value();
    let both = grad(first + second, &x).value();
    assert_eq!(before.as_slice(), [2.0, 4.0]);
    assert_eq!(grad(second, &x).value().as_slice(), [3.0, 12.0]);
    assert_eq!(both.as_slice(), [5.0, 16.0]);
    assert_eq!(grad(first, &x).value(), before, "asked for again");
}

/// PyTorch #181723, `TransformerEngine` #2937, cubecl #1612: a result changed when the next one was computed.
#[test]
fn a_result_that_is_kept_does_not_change() {
    let mut tape = Tape::new();
    let step = |tape: &mut Tape, x: f64| tape.value_and_grad(&Tensor::from([x, x]), |_, x| (x * x * x).sum());
    let (loss, gradient) = step(&mut tape, 1.0);
    let (_, next) = step(&mut tape, 2.0);
    assert_eq!((loss, gradient.as_slice()), (2.0, &[3.0, 3.0][..]));
    assert_eq!(next.as_slice(), [12.0, 12.0]);
}

/// candle computes gradients of constants and discards them.
#[test]
fn nothing_is_recorded_for_what_is_not_asked_for() {
    let tape = Tape::new();
    let (x, data) = (tape.scalar(2.0), tape.scalar(3.0));
    let y = x * data.exp().exp().exp();
    let recorded = |f: &dyn Fn()| {
        let before = tape.len();
        f();
        tape.len() - before
    };
    let constant = recorded(&|| _ = grad(y, &x));
    let variable = recorded(&|| _ = grad(y, &data));
    assert!(constant < variable, "{constant} nodes, {variable} with the path through the constant");
    assert_eq!(constant, 1, "the cotangent 1, whose product with the other factor is that");
}

/// burn #2997: a part that is computed again had parents without a gradient.
#[test]
fn a_part_that_is_computed_again_may_have_constant_parents() {
    let tape = Tape::new();
    let (x, constant) = (tape.scalar(2.0), tape.scalar(3.0));
    let y = tape.checkpoint(|| (x * constant).square() * constant);
    assert_eq!(grad(y, &x).item(), 108.0);
    assert_eq!(jvp(y, &x, &tape.scalar(1.0)).item(), 108.0);
}

/// PyTorch #76185, #1712: differentiating twice, or the same again, gave something else.
#[test]
fn the_same_derivative_is_the_same_each_time() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([0.3, -1.2]));
    let dy = tape.var(&Tensor::from([1.0, -2.5]));
    let second = || {
        let dx = vjp(x.sin() * x.exp(), &x, dy);
        vjp(dx, &x, dy).value()
    };
    assert_eq!(second(), second());
}
