//! Properties of derivatives that hold for every expression: nesting, both modes, custom operations, recomputation.

use approx::assert_relative_eq;
use autograd::check::{Checker, Unsure, Verdict};
use autograd::{
    Float, Mode, Op, Reason, Shape, Tape, Tensor, Var, View, ViewMut, grad, hessian, hvp, jacobian, jvp,
    per_example_grads, vjp,
};

#[test]
fn nested_derivatives_do_not_confuse_their_perturbations() {
    let tape = Tape::new();
    let x = tape.scalar(3.0);
    // d/dx x · (d/dy (x + y)) = 1
    let inner = grad(x + tape.scalar(5.0), &x); // unused, must not disturb what follows
    let y = tape.scalar(5.0);
    let f = x * grad(x + y, &y);
    assert_eq!((inner.item(), grad(f, &x).item(), jvp(f, &x, &tape.scalar(1.0)).item()), (1.0, 1.0, 1.0));
    // d/dx x · (d/dy x·y) = 2x
    let g = x * grad(x * y, &y);
    assert_eq!((grad(g, &x).item(), jvp(g, &x, &tape.scalar(1.0)).item()), (6.0, 6.0));
    // forward inside forward: d/dx (x · d/dy (x·y along 1)) = 2x
    let h = x * jvp(x * y, &y, &tape.scalar(1.0));
    assert_eq!(jvp(h, &x, &tape.scalar(1.0)).item(), 6.0);
}

#[test]
fn every_order_of_a_power_is_what_the_power_rule_says() {
    let tape = Tape::new();
    let x = tape.scalar(2.0);
    let mut reverse = x.pow_scalar(5.0);
    let mut forward = reverse;
    let one = tape.scalar(1.0);
    for expected in [80.0, 160.0, 240.0, 240.0, 120.0, 0.0, 0.0] {
        reverse = grad(reverse, &x);
        forward = jvp(forward, &x, &one);
        assert_eq!((reverse.item(), forward.item()), (expected, expected));
    }
}

#[test]
fn a_hessian_is_symmetric_and_agrees_with_its_products_in_every_combination_of_modes() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([0.3, -1.2, 0.8]));
    let v = tape.var(&Tensor::from([1.5, 0.5, -2.0]));
    let f = (x.sin() * x.sum().exp()).logsumexp(0);
    let h = hessian(f, x).value();
    for i in 0..3 {
        for j in 0..3 {
            assert!((h.at([i, j]) - h.at([j, i])).abs() < 1e-14);
        }
    }
    let expected: Vec<f64> = (0..3).map(|i| (0..3).map(|j| h.at([i, j]) * v.value().at([j])).sum()).collect();
    let products =
        [hvp(f, &x, &v), grad((grad(f, &x) * v).sum(), &x), grad(jvp(f, &x, &v), &x), jvp(grad(f, &x), &x, &v)];
    for product in products {
        for (got, want) in product.value().as_slice().iter().zip(&expected) {
            assert!((got - want).abs() < 1e-13, "{got} {want}");
        }
    }
}

#[test]
fn a_jacobian_is_the_same_by_rows_and_by_columns() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([0.3, -1.2]));
    let wide = tape.var(&Tensor::from_rows([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])).matmul(x.tanh());
    let tall = jacobian(wide, x); // two columns
    assert_eq!(tall.shape()[..], [3, 2]);
    for i in 0..3 {
        let unit = tape.var(&Tensor::from_fn([3], |j| f64::from(u8::from(i == j))));
        let row = vjp(wide, &x, unit).value();
        assert!((0..2).all(|j| (row.at([j]) - tall.value().at([i, j])).abs() < 1e-15));
    }
    let empty = tape.var(&Tensor::zeros([0]));
    assert_eq!(jacobian(empty, x).shape()[..], [0, 2]);
}

#[test]
fn per_example_gradients_are_the_gradients_of_each_example() {
    let tape = Tape::new();
    let w = tape.var(&Tensor::from_rows([[0.1, -0.2], [0.3, 0.4]]));
    let x = tape.var(&Tensor::from_rows([[1.0, 2.0], [-1.0, 0.5], [0.0, 3.0]]));
    let losses = x.matmul(w).cross_entropy_with(&[0, 1, 1], autograd::Reduction::None);
    let each = per_example_grads(losses, &w).value();
    assert_eq!(each.shape()[..], [3, 2, 2]);
    let total = grad(losses.sum(), &w).value();
    for e in 0..4 {
        let sum: f64 = (0..3).map(|i| each.as_slice()[i * 4 + e]).sum();
        assert!((sum - total.as_slice()[e]).abs() < 1e-15);
    }
}

/// `y = x²·c` with a rule written in operations.
#[derive(Debug)]
struct ScaledSquare(f64);

impl<T: Float> Op<T, 1> for ScaledSquare {
    fn name(&self) -> &'static str {
        "scaled_square"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        if x.rank() == 1 { Ok(x.clone()) } else { Err(Reason::shape("a vector is needed")) }
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        for (y, &x) in y.data.iter_mut().zip(x.data) {
            *y = x * x * T::of(self.0);
        }
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        Some(dy * x * T::of(2.0 * self.0))
    }
}

#[test]
fn a_custom_operation_has_every_order_and_forward_mode_from_its_vjp_alone() {
    let report = Checker { orders: 3, ..Checker::default() }
        .check(|x| x[0].tape().apply(ScaledSquare(1.5), [x[0].exp()]), &[Tensor::from([0.5, -1.0])]);
    assert_eq!(report.verdict(), Verdict::Pass, "{report}");
    let tape = Tape::<f32>::default();
    let x = tape.var(&Tensor::from([3.0]));
    assert_eq!(jvp(tape.apply(ScaledSquare(1.0), [x]), &x, &x).value().as_slice(), [18.0]);
}

#[test]
#[should_panic(expected = "scaled_square: a vector is needed (shape [])")]
fn a_custom_operation_tells_its_own_errors() {
    let tape = Tape::new();
    tape.apply(ScaledSquare(1.0), [tape.scalar(1.0)]);
}

/// A rule that is wrong at one element by a factor, as a custom operation.
#[derive(Debug)]
struct WrongAt(usize, f64);

impl Op<f64, 1> for WrongAt {
    fn name(&self) -> &'static str {
        "wrong"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, f64>; 1], y: ViewMut<'_, f64>) {
        y.data.iter_mut().zip(x.data).for_each(|(y, x)| *y = 2.0 * x);
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t>; 1], _: Var<'t>, dy: Var<'t>) -> Option<Var<'t>> {
        let factor = Tensor::from_fn(x.shape(), |i| if i == self.0 { self.1 } else { 2.0 });
        Some(dy * dy.tape().var(&factor))
    }
}

#[test]
fn the_checker_fails_one_wrong_entry_of_a_thousand() {
    let input = [Tensor::from_fn([1000], |i| 1.0 + i as f64 * 1e-3)];
    let checker = Checker { orders: 1, ..Checker::default() };
    assert_eq!(checker.check(|x| x[0].tape().apply(WrongAt(417, 7.0), [x[0]]), &input).verdict(), Verdict::Fail);
    assert_eq!(checker.check(|x| x[0].tape().apply(WrongAt(417, 2.0), [x[0]]), &input).verdict(), Verdict::Pass);
}

#[test]
fn the_checker_fails_a_wrong_rule_of_a_tiny_jacobian_and_passes_a_right_one_at_any_scale() {
    let checker = Checker { orders: 1, ..Checker::default() };
    for factor in [0.0, -2.0, 2.002] {
        let report =
            checker.check(|x| x[0].tape().apply(WrongAt(0, factor), [x[0]]).mul_scalar(1e-6), &[Tensor::from([0.7])]);
        assert_eq!(report.verdict(), Verdict::Fail, "{report}");
    }
    for scale in [1e-8, 1e-6, 1.0, 1e8] {
        let report = checker.check(|x| x[0].square() * x[0], &[Tensor::from([scale, -0.3 * scale])]);
        assert_eq!(report.verdict(), Verdict::Pass, "{scale}: {report}");
    }
}

#[test]
fn the_checker_does_not_pass_what_it_cannot_measure() {
    let checker = Checker::default();
    let verdict = |report: autograd::check::Report| report.verdict();
    let kink = checker.check(|x| x[0].abs(), &[Tensor::from([0.0, 1.0])]);
    assert_eq!(verdict(kink), Verdict::Inconclusive(Unsure::Kink));
    let vacuous = checker.check(|x| x[0] + x[1].stop_gradient().floor(), &[Tensor::from([0.3]), Tensor::from([0.4])]);
    assert_eq!(verdict(vacuous), Verdict::Inconclusive(Unsure::Vacuous));
    let noise = checker.check(|x| (x[0] + 1e8) - 1e8, &[Tensor::from([0.3])]);
    assert_eq!(verdict(noise), Verdict::Inconclusive(Unsure::Noise));
    // Next to a jump nothing is measured, but the derivative is not zero.
    let jump = Checker { orders: 1, ..Checker::default() };
    let jump = jump.check(|x| x[0].hardshrink(0.5) * x[0], &[Tensor::from([0.500_000_1])]);
    assert_eq!(
        (jump.verdict(), jump.unsure()[0].1.analytic),
        (Verdict::Inconclusive(Unsure::Noise), 2.0 * 0.500_000_1)
    );
    // A gradient that is cut where the value goes on is wrong, not unsure.
    let cut = checker.check(|x| x[0].stop_gradient() * x[0], &[Tensor::from([0.3])]);
    assert_eq!(verdict(cut), Verdict::Fail);
}

#[test]
fn a_report_names_the_input_the_index_and_both_numbers() {
    let report = Checker { orders: 1, ..Checker::default() }
        .check(|x| x[0].tape().apply(WrongAt(1, 3.0), [x[0]]), &[Tensor::from([0.5, 0.25])]);
    let text = report.to_string();
    assert!(text.contains("d output[1] / d input 0[1]: analytic 3e0, numeric 2"), "{text}");
    assert_eq!((report.wrong()[0].index, report.wrong()[0].analytic), (1, 3.0));
}

#[test]
fn a_structure_is_checked_by_the_names_of_its_leaves() {
    let inputs = (Tensor::from([0.5, 0.25]), vec![Tensor::from([1.0, 2.0])]);
    let checker = Checker { orders: 1, ..Checker::default() };
    let right = checker.check_tree(|_, (x, w)| *x * w[0], &inputs);
    assert_eq!(right.verdict(), Verdict::Pass, "{right}");
    let wrong = checker.check_tree(|tape, (x, w)| tape.apply(WrongAt(1, 3.0), [w[0]]) * *x, &inputs);
    let text = wrong.to_string();
    assert!(wrong.verdict() == Verdict::Fail && text.contains("d output[1] / d `1.0`[1]:"), "{text}");
}

#[test]
fn a_checkpoint_changes_no_derivative_of_any_order() {
    let tape = Tape::new();
    let (x, w) = (tape.var(&Tensor::from([0.3, -0.7])), tape.var(&Tensor::from([1.1, 0.4])));
    let part = || (x * w).sin().exp() * tape.full([2], 2.0);
    let direct = part().tanh().sum();
    let recomputed = tape.checkpoint(part).tanh().sum();
    assert_eq!(direct.item(), recomputed.item());
    let (a, b) = (grad(direct, &[x, w]), grad(recomputed, &[x, w]));
    let v = tape.var(&Tensor::from([1.0, 2.0]));
    for (a, b) in a.iter().zip(&b) {
        let pairs = [(*a, *b), (grad(a.sum(), &x), grad(b.sum(), &x)), (jvp(*a, &w, &v), jvp(*b, &w, &v))];
        for (a, b) in pairs {
            // The contributions add up in another order, so the last digit may differ.
            assert_relative_eq!(a.value().as_slice(), b.value().as_slice(), max_relative = 1e-14);
        }
    }
}

#[test]
fn what_no_grad_records_is_a_constant_for_both_modes() {
    let tape = Tape::new();
    let x = tape.scalar(3.0);
    let y = tape.no_grad(|| x.square()) * x;
    assert_eq!(y.item(), 27.0);
    assert_eq!(grad(y, &x).item(), 9.0);
    assert_eq!(jvp(y, &x, &tape.scalar(1.0)).item(), 9.0);
    let z = tape.no_grad(|| x.square());
    assert_eq!((grad(z, &x).item(), jvp(z, &x, &tape.scalar(1.0)).item()), (0.0, 0.0));
}

#[test]
fn the_first_operation_that_is_not_finite_is_named_forward_and_backward() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([1.0, -1.0]));
    let (y, line) = (x.log(), line!());
    let loss = (y * y).sum();
    let found = tape.first_non_finite(&loss).unwrap();
    assert_eq!((found.op, found.index, found.location.line(), found.pass), ("log", y.index(), line, Mode::Primal));
    assert_eq!((found.operands.len(), found.operands[0].0, found.element.0), (1, x.index(), 1));

    let (x, w) = (tape.var(&Tensor::from([0.0, 4.0])), tape.var(&Tensor::from([2.0, 3.0])));
    let (z, line) = (x.sqrt(), line!());
    assert!(tape.first_non_finite(&(z * w)).is_none());
    let found = tape.first_non_finite(&grad((z * w).sum(), &x)).unwrap();
    assert_eq!((found.pass, found.rule_of, found.location.line()), (Mode::Reverse, Some("sqrt"), line));
    let text = found.to_string();
    assert!(text.contains("in the cotangent through sqrt recorded at") && text.contains("derivatives.rs"), "{text}");
}

#[test]
fn a_value_from_outside_that_is_not_finite_is_named_last() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([f64::NAN]));
    assert_eq!(tape.first_non_finite(&(x + 1.0)).unwrap().op, "leaf");
}

#[test]
fn a_watched_tape_panics_at_the_first_value_that_breaks() {
    let tape = Tape::new();
    tape.watch(true);
    let x = tape.var(&Tensor::from([800.0]));
    assert_eq!((x * 0.5).value().as_slice(), [400.0]);
    let y = x.exp() * 0.0;
    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| y.value())).unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.starts_with("exp (#2) gave inf at element 0 from leaf (#0) in [8e2, 8e2]"), "{text}");
    tape.watch(false);
    assert!(y.value().at([0]).is_nan(), "the tape stays usable");
}

#[test]
fn checkpoints_nest_and_keep_what_no_grad_recorded_a_constant() {
    let tape = Tape::new();
    let x = tape.scalar(2.0);
    // x · const(x²): the derivative is x² = 4, not 3x² = 12.
    let frozen = tape.checkpoint(|| x * tape.no_grad(|| x * x));
    assert_eq!(grad(frozen, &x).item(), 4.0);
    let nested = tape.checkpoint(|| tape.checkpoint(|| tape.checkpoint(|| x.sin()).exp()) * x);
    let direct = x.sin().exp() * x;
    assert_relative_eq!(grad(nested, &x).item(), grad(direct, &x).item(), max_relative = 1e-15);
    assert_relative_eq!(hvp(nested, &x, &x).item(), hvp(direct, &x, &x).item(), max_relative = 1e-14);
    // A gradient that is itself a constant is right, and constant.
    let cubed = tape.checkpoint(|| x * x * x);
    let frozen = tape.no_grad(|| grad(cubed, &x));
    assert_eq!((frozen.item(), grad(frozen * x, &x).item()), (12.0, 12.0));
    // A leaf that the part makes is reached, too.
    let inner = std::cell::Cell::new(None);
    let y = tape.checkpoint(|| {
        let w = tape.scalar(5.0);
        inner.set(Some(w));
        w * w * x
    });
    assert_eq!(grad(y, &inner.get().unwrap()).item(), 20.0);
}

#[test]
fn forward_mode_through_a_custom_operation_works_within_no_grad_and_is_a_constant() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([3.0]));
    let one = tape.var(&Tensor::from([1.0]));
    let within = tape.no_grad(|| tape.apply(ScaledSquare(1.0), [x]));
    assert_eq!(jvp(within, &x, &one).value().as_slice(), [0.0], "what no_grad recorded is a constant");
    let tangent = tape.no_grad(|| jvp(tape.apply(ScaledSquare(1.0), [x]), &x, &one));
    assert_eq!(tangent.value().as_slice(), [6.0]);
    let y = tape.apply(ScaledSquare(1.0), [x]);
    let tangent = tape.no_grad(|| jvp(y, &x, &one));
    assert_eq!(tangent.value().as_slice(), [6.0]);
    assert_eq!(grad(tangent.sum(), &x).value().as_slice(), [0.0]);
}

/// An operation whose kernel panics.
#[derive(Debug)]
struct Panics;
impl Op<f64, 1> for Panics {
    fn name(&self) -> &'static str {
        "panics"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, _: [View<'_, f64>; 1], _: ViewMut<'_, f64>) {
        panic!("a custom operation that fails");
    }
    fn vjp<'t>(&self, _: usize, _: [Var<'t>; 1], _: Var<'t>, dy: Var<'t>) -> Option<Var<'t>> {
        Some(dy)
    }
}

#[test]
fn a_panic_leaves_the_tape_as_it_was() {
    let mut tape = Tape::new();
    let x = tape.var(&Tensor::from([3.0, 4.0]));
    let failing = std::panic::AssertUnwindSafe(|| tape.no_grad(|| x + tape.var(&Tensor::from([1.0, 2.0, 3.0]))));
    assert!(std::panic::catch_unwind(failing).is_err());
    assert_eq!(grad((x * x).sum(), &x).value().as_slice(), [6.0, 8.0], "still within no_grad");

    let doubled = x * 2.0;
    let broken = tape.apply(Panics, [doubled]) + doubled;
    let failing = std::panic::AssertUnwindSafe(|| tape.values(&broken));
    assert!(std::panic::catch_unwind(failing).is_err());
    assert_eq!(tape.values(&(doubled, x)).0.as_slice(), [6.0, 8.0]);
    assert_eq!(doubled.sum().item(), 14.0);

    // The next step after a panic, too.
    for i in 0..4 {
        tape.clear();
        let x = tape.var(&Tensor::from([1.0, f64::from(i)]));
        let failing = std::panic::AssertUnwindSafe(|| tape.values(&tape.apply(Panics, [x * 2.0])));
        assert!(std::panic::catch_unwind(failing).is_err());
        tape.clear();
        let y = tape.var(&Tensor::from([1.0, f64::from(i)])) * 2.0;
        let (sum, y) = tape.values(&(y.sum(), y + y));
        assert_eq!((sum.item(), y.as_slice()), (2.0 + 2.0 * f64::from(i), &[4.0, 4.0 * f64::from(i)][..]));
    }
}

#[test]
#[should_panic(expected = "live on different tapes")]
fn a_cotangent_of_another_tape_does_not_mix() {
    let (tape, other) = (Tape::new(), Tape::new());
    let x = tape.var(&Tensor::from([1.0, 2.0]));
    let dy = other.var(&Tensor::from([1.0, 2.0]));
    vjp(x * x, &[x], dy);
}

#[test]
fn an_ignored_label_may_be_any_integer() {
    let tape = Tape::new();
    let scores = tape.var(&Tensor::from_rows([[0.0, 0.0], [3.0, 1.0]]));
    for ignored in [-100, -1, 255, 1] {
        let options = autograd::CrossEntropyOptions { ignore_index: Some(ignored), ..Default::default() };
        let labels = tape.indices([2], &[0, ignored]);
        assert_eq!(scores.cross_entropy_opts(&labels, &options).item(), 2_f64.ln(), "{ignored}");
        assert_eq!(scores.log_softmax(1).nll(&labels, &options).item(), 2_f64.ln(), "{ignored}");
    }
}

#[test]
fn a_mean_loss_over_a_million_examples_does_not_drift_in_f32() {
    let tape = Tape::<f32>::default();
    let n = 1_000_000;
    let loss = tape.full([n, 2], 0.5).cross_entropy(&vec![1; n]).item();
    assert!((loss - std::f32::consts::LN_2).abs() < 1e-6, "{loss}");
}

#[test]
fn a_watched_tape_watches_branches_and_can_still_be_asked_where_it_broke() {
    let tape = Tape::new();
    tape.watch(true);
    let x = tape.scalar(0.0);
    assert_eq!(tape.first_non_finite(&x.log()).unwrap().op, "log");
    let branch = std::panic::AssertUnwindSafe(|| x.reciprocal().gt(x).holds());
    assert!(std::panic::catch_unwind(branch).is_err());
}
