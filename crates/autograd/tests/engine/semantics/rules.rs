//! Rules that differentiate by their own operands: partial derivatives, with the result and the operands independent.

use super::operations::{FixedPoint, Root};
use approx::assert_relative_eq;
use autograd::{Op, Reason, Shape, Tape, Tensor, Var, View, ViewMut, grad, hessian, hvp, jacobian, jvp, vjp};

/// A stack that overflowed once: the derivative of the equation went through the root again.
#[test]
fn a_root_is_differentiated_through_its_equation() {
    let tape = Tape::new();
    let p = tape.var(&Tensor::from([9.0, 4.0]));
    let y = tape.apply(Root(2), [p]);
    assert_relative_eq!(grad(y.sum(), &p).value().as_slice(), [1.0 / 6.0, 0.25].as_slice(), max_relative = 1e-15);
    let v = tape.var(&Tensor::from([3.0, 8.0]));
    assert_relative_eq!(jvp(y, &p, &v).value().as_slice(), [0.5, 2.0].as_slice(), max_relative = 1e-15);

    let p = tape.var(&Tensor::from([8.0]));
    let dp = grad(tape.apply(Root(3), [p]).sum(), &p);
    let one = tape.var(&Tensor::from([1.0]));
    let (second, forward) = (grad(dp.sum(), &p), jvp(dp, &p, &one));
    let third = grad(second.sum(), &p);
    assert_relative_eq!(dp.item(), 1.0 / 12.0, max_relative = 1e-14);
    assert_relative_eq!(second.item(), -2.0 / 288.0, max_relative = 1e-13);
    assert_relative_eq!(forward.item(), -2.0 / 288.0, max_relative = 1e-13);
    assert_relative_eq!(third.item(), 10.0 / 27.0 / 256.0, max_relative = 1e-13); // 10/27 p^(−8/3)
}

#[test]
fn a_fixed_point_of_operands_that_depend_on_each_other_has_total_derivatives_outside_its_rule() {
    let tape = Tape::new();
    let p = tape.var(&Tensor::from([1.5]));
    let one = tape.var(&Tensor::from([1.0]));
    // y = p cos y: cos y / (1 + p sin y).
    let y = tape.apply(FixedPoint, [p, one]);
    assert_relative_eq!(y.item(), 0.914_856_478_447_236_3, max_relative = 1e-15);
    assert_relative_eq!(grad(y.sum(), &p).item(), 0.278_658_934_704_980_9, max_relative = 1e-14);
    assert_relative_eq!(jvp(y, &p, &one).item(), 0.278_658_934_704_980_9, max_relative = 1e-14);
    // y = q² cos(q y) with a = q², b = q: y′ = (2q cos − q² y sin) / (1 + q³ sin).
    let q = tape.var(&Tensor::from([1.1]));
    let y = tape.apply(FixedPoint, [q * q, q]);
    let (at, value) = (1.1_f64, y.item());
    let (sin, cos) = (at * value).sin_cos();
    let slope = (2.0 * at * cos - at * at * value * sin) / (1.0 + at.powi(3) * sin);
    assert_relative_eq!(grad(y.sum(), &q).item(), slope, max_relative = 1e-13);
    assert_relative_eq!(jvp(y, &q, &one).item(), slope, max_relative = 1e-13);
    // The second derivative against a difference of the first.
    let first = |q: f64| {
        let q = tape.var(&Tensor::from([q]));
        grad(tape.apply(FixedPoint, [q * q, q]).sum(), &q).item()
    };
    let difference = (first(1.1 + 1e-5) - first(1.1 - 1e-5)) / 2e-5;
    assert_relative_eq!(hessian(y.sum(), q).item(), difference, max_relative = 1e-8);
    assert_relative_eq!(hvp(y.sum(), &q, &one).item(), difference, max_relative = 1e-8);
}

/// `f(x) = Σ x³`, with rules that ask for the gradient, the Hessian or the tangent of the same function recorded anew.
#[derive(Debug)]
struct Cubes(Way);

#[derive(Debug, Clone, Copy)]
enum Way {
    Grad,
    Hessian,
    Hvp,
    Jvp,
    Recomputed,
}

impl Op<f64, 1> for Cubes {
    fn name(&self) -> &'static str {
        "cubes"
    }
    fn shape(&self, _: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(Shape::scalar())
    }
    fn eval(&self, [x]: [View<'_, f64>; 1], y: ViewMut<'_, f64>) {
        y.data[0] = x.data.iter().map(|x| x * x * x).sum();
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t>; 1], y: Var<'t>, dy: Var<'t>) -> Option<Var<'t>> {
        let tape = x.tape();
        let f = || (x * x * x).sum();
        let dx = match self.0 {
            Way::Grad => grad(f(), &x),
            // Σ_j of the Hessian's row i, times x_i / 2: 3x².
            Way::Hessian => hessian(f(), x).sum_axes(1) * x * 0.5,
            Way::Hvp => hvp(f(), &x, &x) * 0.5,
            Way::Jvp => jacobian(f(), x),
            Way::Recomputed => grad(tape.checkpoint(|| tape.checkpoint(|| x * x) * x).sum(), &x),
        };
        // The result is independent of the operand here.
        assert_eq!(grad(y * 1.0, &x).value().as_slice(), [0.0; 2]);
        Some(dx * dy)
    }
}

#[test]
fn a_rule_may_ask_for_derivatives_of_any_kind() {
    for way in [Way::Grad, Way::Hessian, Way::Hvp, Way::Jvp, Way::Recomputed] {
        let tape = Tape::new();
        let x = tape.var(&Tensor::from([2.0, -1.0]));
        let v = tape.var(&Tensor::from([1.0, 3.0]));
        let y = tape.apply(Cubes(way), [x * x]); // Σ x⁶
        let dx = grad(y, &x);
        assert_eq!(dx.value().as_slice(), [192.0, -6.0], "{way:?}");
        assert_eq!(jvp(y, &x, &v).item(), 192.0 - 18.0, "{way:?}");
        assert_eq!(vjp(dx, &x, v).value().as_slice(), [480.0, 90.0], "{way:?}");
        assert_eq!(jvp(dx, &x, &v).value().as_slice(), [480.0, 90.0], "{way:?}");
        let within = tape.checkpoint(|| tape.apply(Cubes(way), [x * x]) * x.sum());
        let [a, b] = [y * x.sum(), within].map(|y| grad(y, &x).value());
        assert_eq!(a, b, "{way:?}");
    }
}

/// A JVP rule of its own that differentiates: `y = x²`, by forward mode over an expression that reads the result.
#[derive(Debug)]
struct SquareByTangents;

impl Op<f64, 1> for SquareByTangents {
    fn name(&self) -> &'static str {
        "square_by_tangents"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, f64>; 1], y: ViewMut<'_, f64>) {
        for (y, x) in y.data.iter_mut().zip(x.data) {
            *y = x * x;
        }
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t>; 1], y: Var<'t>, dy: Var<'t>) -> Option<Var<'t>> {
        // F(y, x) = y/x − x: ∂F/∂y = 1/x, ∂F/∂x = −y/x² − 1 = −2.
        let equation = y / x - x;
        let [by_y, by_x] = vjp(equation, &[y, x], dy);
        Some(-by_x * dy / by_y)
    }
    fn jvp<'t>(&self, [x]: [Var<'t>; 1], y: Var<'t>, [dx]: [Option<Var<'t>>; 1]) -> Option<Var<'t>> {
        let (equation, dx) = (y / x - x, dx?);
        let one = x.tape().full(x.shape(), 1.0);
        Some(-jvp(equation, &x, &dx) / jvp(equation, &y, &one))
    }
}

#[test]
fn within_a_tangent_rule_the_result_has_no_tangent_but_what_is_given() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([3.0, -5.0]));
    let v = tape.var(&Tensor::from([1.0, 2.0]));
    let y = tape.apply(SquareByTangents, [x.exp().log()]);
    let close = |a: Var<'_>, b: [f64; 2]| assert_relative_eq!(a.value().as_slice(), &b[..], max_relative = 1e-12);
    close(jvp(y, &x, &v), [6.0, -20.0]);
    close(vjp(y, &x, v), [6.0, -20.0]);
    close(jvp(jvp(y, &x, &v), &x, &v), [2.0, 8.0]);
    close(vjp(jvp(y, &x, &v), &x, v), [2.0, 8.0]);
    close(jvp(vjp(y, &x, v), &x, &v), [2.0, 8.0]);
}

#[test]
fn the_gradient_of_a_broadcast_divisor_does_not_overflow_before_it_is_divided() {
    let tape = Tape::<f32>::default();
    let a = tape.var(&Tensor::from_fn([200, 3], |_| 3e37));
    let b = tape.var(&Tensor::from([10.0, -10.0, 1e-3]));
    let [slope] = vjp(a / b, &[b], tape.full([200, 3], 1.0));
    let [laid_out] = vjp(a / b.broadcast_to([200, 3]), &[b], tape.full([200, 3], 1.0));
    assert_relative_eq!(slope.value().as_slice()[..2], [-6e37, -6e37], max_relative = 1e-5);
    assert_eq!(slope.value(), laid_out.value());
}
