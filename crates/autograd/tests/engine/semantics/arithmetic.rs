//! Arithmetic of tensors without a tape, and numbers beside variables, also in generic code.

use autograd::{Float, Program, Tape, Tensor, Var, grad};
use std::panic::{AssertUnwindSafe, catch_unwind};

fn message(f: impl FnOnce()) -> String {
    let error = catch_unwind(AssertUnwindSafe(f)).unwrap_err();
    error.downcast_ref::<String>().cloned().unwrap()
}

/// All operators between tensors and with numbers, by value and by reference, and the same on a tape.
fn agree<T: Float>(scale: T) {
    let a = Tensor::<T>::from_fn([2, 1, 3], |i| T::of(i as f64 * 0.7 - 1.3) * scale);
    let b = Tensor::<T>::from_fn([2, 1], |i| T::of(0.3 - i as f64 * 1.9) * scale);
    let tape = Tape::default();
    let (x, y) = (tape.var(&a), tape.var(&b));
    let pairs = [
        (&a + &b, x + y),
        (a.clone() - &b, x - y),
        (&a * b.clone(), x * y),
        (a.clone() / b.clone(), x / y),
        (&a + 0.1, x + 0.1),
        (a.clone() - 0.1, x - 0.1),
        (&a * scale, x * scale),
        (a.clone() / scale, x / scale),
        (scale + &a, scale + x),
        (T::ONE - a.clone(), T::ONE - x),
        (T::of(0.1) * &a, T::of(0.1) * x),
        (T::ONE / &a, T::ONE / x),
        (-&a, -x),
        (-a.clone() * 2.0, -x * 2.0),
        (a.t(), x.t()),
        (b.matmul(&b.t()), y.matmul(y.t())),
        (Tensor::scalar(a.sum()), x.sum()),
        (Tensor::scalar(a.mean()), x.mean()),
    ];
    for (i, (tensor, var)) in pairs.into_iter().enumerate() {
        let bits = |x: &Tensor<T>| x.as_slice().iter().map(|x| x.to_f64().to_bits()).collect::<Vec<_>>();
        assert_eq!((tensor.shape(), bits(&tensor)), (&var.shape(), bits(&var.value())), "{} {i}", T::NAME);
    }
    let mut changed = a.clone();
    let row = Tensor::<T>::from_fn([3], |i| T::of(i as f64 - 0.3));
    changed += &row;
    changed -= row.clone();
    changed *= 2.0;
    changed /= scale;
    assert_eq!(changed, (&(&a + &row) - &row) * 2.0 / scale);
}

#[test]
fn tensors_compute_what_the_tape_computes() {
    agree(1.25_f64);
    agree(0.7_f32);
    assert_eq!(1.0 - Tensor::from([0.25_f32]) * 2.0, Tensor::from([0.5]));
    assert_eq!(Tensor::<f64>::zeros([0, 3]) + Tensor::ones([3]), Tensor::zeros([0, 3]));
}

#[test]
fn tensors_that_do_not_fit_are_told_with_both_shapes_at_the_users_line() {
    let (a, b) = (Tensor::from([1.0, 2.0]), Tensor::from([1.0, 2.0, 3.0]));
    let line = line!() + 1;
    let text = message(|| drop(&a * &b));
    assert!(text.starts_with("mul: the shapes do not broadcast (shapes [2] and [3]), at "), "{text}");
    assert!(text.contains(&format!("arithmetic.rs:{line}:")), "{text}");
    let mut row = Tensor::from([1.0, 2.0]);
    let text = message(|| row += Tensor::ones([2, 2]));
    assert!(text.contains("add: the operand does not broadcast") && text.contains("[2] and [2, 2]"), "{text}");
    assert_eq!(row, Tensor::from([1.0, 2.0]));
    assert!(message(|| drop(a.t())).starts_with("t: a matrix is needed (shape [2])"));
    assert!(message(|| drop(a.matmul(&b))).starts_with("matmul: inner sizes differ: 2 and 3"));
    assert!(message(|| assert_eq!(Tensor::<f64>::zeros([0]).mean(), 0.0)).starts_with("mean: the mean of no elements"));
}

#[test]
fn the_elements_of_a_tensor_are_given_away_without_a_copy_where_nobody_shares_them() {
    let x = Tensor::from(vec![1.0, 2.0]);
    let (place, shared) = (x.as_slice().as_ptr(), x.clone());
    let copy = x.into_vec();
    assert_ne!(copy.as_ptr(), place);
    let elements = shared.into_vec();
    assert_eq!((elements.as_ptr(), &elements[..]), (place, &[1.0, 2.0][..]));
    let tape = Tape::new();
    let value = (tape.var(&Tensor::from([1.0, 2.0, 3.0])) * 2.0).value();
    assert_eq!(value.into_vec(), [2.0, 4.0, 6.0]); // a recycled buffer may be longer
}

#[expect(clippy::op_ref, reason = "references are operands, too")]
fn generic<'t, T: Float>(x: Var<'t, T>, rate: T) -> Var<'t, T> {
    let mut y = x.maximum(0.5) * 2.0 + rate * x - 1.0 / T::of(4.0).to_f64();
    y += &x;
    y *= 0.5;
    y -= rate;
    let zero_one = x.gt(rate) + x.le(0.5) * x.ne(0.25);
    zero_one.select(T::ONE - &(y / 3.0), 0.0).minimum(x.hypot(1.0)) + y * &x / rate
}

#[test]
fn numbers_stand_beside_variables_of_either_type_in_generic_code() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([0.25, 0.5, 2.0]));
    let y = generic(x, 1.5);
    let expected = [0.25_f64, 0.5, 2.0].map(|x| {
        let y = (x.max(0.5) * 2.0 + 1.5 * x - 0.25 + x) * 0.5 - 1.5;
        let holds = x > 1.5 || (x <= 0.5 && x != 0.25);
        (if holds { 1.0 - y / 3.0 } else { 0.0_f64 }).min(x.hypot(1.0)) + y * x / 1.5
    });
    assert_eq!(y.value().as_slice(), expected);
    let small = Tape::<f32>::default();
    let same = generic(small.var(&Tensor::from([0.25, 0.5, 2.0])), 1.5).value();
    for (a, b) in same.as_slice().iter().zip(expected) {
        assert!((f64::from(*a) - b).abs() < 1e-6, "{a} {b}");
    }
    // A number literal beside a variable of `f32` needs no suffix, and what comes out has a type.
    let half = small.scalar(1.0);
    assert_eq!(((half * 0.1).sum().item(), (0.1 * half).sum().item()), (0.1_f32, 0.1));
    assert_eq!(grad(x.maximum(0.5).sum(), &x).value().as_slice(), [0.0, 0.5, 1.0]);
}

#[test]
fn numbers_beside_variables_are_constants_of_programs() {
    let mut clipped = Program::record(&(), &Tensor::from([1.0, -1.0]), |_, (), x| {
        (vec![], vec![x.maximum(0.0) * x.lt(0.75), x.gt(0.0).select(x, -1.0)])
    })
    .unwrap();
    let outputs = clipped.run(&Tensor::from([0.5, -3.0])).unwrap();
    assert_eq!((outputs.slice(0), outputs.slice(1)), (&[0.5, 0.0][..], &[0.5, -1.0][..]));
}
