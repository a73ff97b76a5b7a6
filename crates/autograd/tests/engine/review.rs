//! Edge cases of single operations: sizes, scales, operators.
#![allow(clippy::op_ref, reason = "the operators by reference are under test")]
#![allow(clippy::float_cmp, reason = "exact values are meant")]

use autograd::check::{Checker, Verdict};
use autograd::{Conv, Float, Reduction, Tape, Tensor, Var, grad, jvp};

fn close<T: Float>(found: T, expected: f64) {
    let relative = (found.to_f64() / expected - 1.0).abs();
    assert!(relative < 8.0 * T::EPSILON.to_f64(), "{found:?} is not {expected:e}");
}

/// The second derivative at a point, by reverse over reverse and forward over reverse.
fn second<T: Float>(f: impl for<'t> Fn(Var<'t, T>) -> Var<'t, T>, at: f64) -> [T; 2] {
    let tape = Tape::<T>::default();
    let x = tape.scalar(T::of(at));
    let dx = grad(f(x), &x);
    [grad(dx, &x).item(), jvp(dx, &x, &tape.scalar(T::ONE)).item()]
}

#[test]
fn second_derivatives_of_inverse_functions_do_not_underflow_far_out() {
    for y in second::<f64>(|x| x.asinh(), 1e120) {
        close(y, -1e-240);
    }
    for y in second::<f32>(|x| x.asinh(), 1e16) {
        close(y, -1e-32);
    }
    for y in second::<f64>(|x| x.acosh(), 1e120) {
        close(y, -1e-240);
    }
    for y in second::<f64>(|x| x.atan(), 1e100) {
        close(y, -2e-300);
    }
    for y in second::<f64>(|x| x.asin(), 0.6) {
        close(y, 0.6 / 0.512);
    }
    assert_eq!(second::<f64>(|x| x.asinh() + x.atan() + x.asin(), 0.0).map(f64::abs), [0.0, 0.0]);
}

#[test]
fn norms_of_any_order_neither_overflow_nor_underflow() {
    let tape = Tape::new();
    for scale in [1e-200, 1.0, 1e200] {
        let x = tape.var(&Tensor::from([3.0 * scale, -4.0 * scale]));
        for p in [0.5, 1.5, 3.0, 10.0, -1.0, -3.0] {
            let (a, b) = (3_f64.powf(p), 4_f64.powf(p));
            let n = (a + b).powf(1.0 / p);
            let y = x.norm(p, ..);
            assert!((y.item() / scale / n - 1.0).abs() < 1e-14, "order {p} at {scale:e}: {}", y.item());
            let dx = grad(y, &x).value();
            for (found, expected) in dx.as_slice().iter().zip([(3.0 / n).powf(p - 1.0), -(4.0 / n).powf(p - 1.0)]) {
                assert!((found / expected - 1.0).abs() < 1e-13, "order {p} at {scale:e}: {found} is not {expected}");
            }
        }
    }
}

#[test]
fn derivatives_of_norms_of_any_order_pass_the_checker() {
    let x = Tensor::from_rows([[1.5, -0.5, 2.0], [0.7, 3.0, -1.1]]);
    for p in [1.5, 3.0, -2.0] {
        let report = Checker::default().check(|x| x[0].norm(p, 1), std::slice::from_ref(&x));
        assert_eq!(report.verdict(), Verdict::Pass, "order {p}: {report}");
    }
}

#[test]
fn norms_of_zero_infinity_and_nan_are_that() {
    let tape = Tape::new();
    let zero = tape.var(&Tensor::from([0.0, 0.0]));
    for p in [1.0, 1.5, 2.0, 3.0, f64::INFINITY] {
        assert_eq!(zero.norm(p, ..).item().to_bits(), 0, "order {p}");
        assert_eq!(grad(zero.norm(p, ..), &zero).value().as_slice(), [0.0, 0.0], "order {p}");
    }
    let infinite = tape.var(&Tensor::from([1.0, f64::NEG_INFINITY]));
    assert_eq!(infinite.norm(3.0, ..).item(), f64::INFINITY);
    assert_eq!(tape.var(&Tensor::from([0.0, 2.0])).norm(-3.0, ..).item(), 0.0);
    assert!(tape.var(&Tensor::from([1.0, f64::NAN])).norm(3.0, ..).item().is_nan());
}

#[test]
fn the_norm_of_nothing_is_a_positive_zero() {
    let tape = Tape::new();
    let none = tape.var(&Tensor::zeros([2, 0]));
    for p in [0.0, 1.0, 2.0, 3.0] {
        for n in none.norm(p, 1).value().as_slice() {
            assert_eq!(n.to_bits(), 0, "order {p}");
        }
    }
}

#[test]
fn operators_take_handles_by_reference_and_numbers_of_both_types() {
    fn all<T: Float>(of: fn(&Tape<T>, Var<'_, T>) -> Vec<f64>) {
        let tape = Tape::<T>::default();
        let x = tape.scalar(T::of(8.0));
        assert_eq!(of(&tape, x), [10.0, 6.0, 16.0, 4.0]);
    }
    all::<f64>(|_, x| [&x + 2.0, &x - 2.0, &x * 2.0, &x / 2.0].map(|y| y.item()).to_vec());
    all::<f32>(|_, x| [&x + 2.0, &x - 2.0, &x * 2.0, &x / 2.0].map(|y| f64::from(y.item())).to_vec());
    all::<f64>(|_, x| [2.0 + &x, 14.0 - &x, 2.0 * &x, 32.0 / &x].map(|y| y.item()).to_vec());
    all::<f32>(|_, x| [2.0 + &x, 14.0 - &x, 2.0 * &x, 32.0 / &x].map(|y| f64::from(y.item())).to_vec());
    let tape = Tape::new();
    assert_eq!((-&tape.scalar(3.0)).item(), -3.0);
}

#[test]
fn assigning_operators_make_the_handle_one_of_the_result() {
    let tape = Tape::new();
    let (x, two) = (tape.scalar(5.0), tape.scalar(2.0));
    let mut y = x;
    y += two;
    y *= &two;
    y -= two;
    y /= two;
    y *= 3.0;
    y += 1.0;
    y -= 3.0;
    y /= 4.0;
    assert_eq!((x.item(), y.item()), (5.0, 4.0));
    assert_eq!(grad(y, &x).item(), 0.75);
}

#[test]
fn variables_are_summed_by_value_and_by_reference() {
    let tape = Tape::new();
    let vars = [1.0, 2.0, 4.0].map(|x| tape.scalar(x));
    assert_eq!(vars.iter().sum::<Var<'_>>().item(), 7.0);
    assert_eq!(vars.into_iter().sum::<Var<'_>>().item(), 7.0);
}

#[test]
fn padding_by_nothing_records_nothing() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from_fn([1, 1, 3, 3], |i| i as f64));
    let before = tape.len();
    assert_eq!(x.pad(&[], 0.0).index(), x.index());
    assert_eq!(x.pad(&[(0, 0), (0, 0)], 1.0).index(), x.index());
    assert_eq!(tape.len(), before);
    let kernel = tape.var(&Tensor::<f64>::ones([1, 1, 2, 2]));
    let y = x.conv2d(kernel, None, Conv::default());
    assert!(!format!("{tape:?}").contains("pad("));
    assert_eq!(y.value().as_slice(), [8.0, 12.0, 20.0, 24.0]);
}

#[test]
fn the_weight_of_positive_targets_broadcasts() {
    let tape = Tape::new();
    let (x, t) = (tape.var(&Tensor::<f64>::zeros([2, 3])), tape.var(&Tensor::<f64>::ones([2, 3])));
    let weight = tape.var(&Tensor::from([1.0, 2.0, 3.0]));
    let loss = x.bce_with_logits(t, Some(weight), Reduction::Sum).item();
    assert!((loss - 12.0 * 2_f64.ln()).abs() < 1e-14);
}
