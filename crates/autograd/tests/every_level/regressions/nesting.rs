//! Derivatives inside of derivatives: each belongs to its own variable.

use super::case::{Case, run, v};
use autograd::{Op, Shape, Tape, Tensor, Var, View, ViewMut, grad, jvp};

/// AutoGrad.jl #75, `ReverseDiff` #45, `ForwardDiff` #83, Enzyme.jl #3346: the inner derivative by `y` saw the outer
/// one's perturbation of `x`.
#[test]
fn an_inner_derivative_does_not_see_the_outer_perturbation() {
    run(&cases! {
        smooth "x · d/dy (x + y)" not "2": [v([3.0])],
            |x| {
                let y = x[0].tape().full([1], 5.0);
                x[0] * grad((x[0] + y).sum(), &y)
            },
            dy [1.0] => [1.0];
        smooth "x · d/dy (x · y)" not "another than 2x": [v([3.0])],
            |x| {
                let y = x[0].tape().full([1], 5.0);
                x[0] * grad((x[0] * y).sum(), &y)
            },
            dy [1.0] => [6.0];
        smooth "x · d/dy (x · y) where y is x" not "4x": [v([3.0])],
            |x| {
                let y = x[0] * 1.0;
                x[0] * grad((x[0] * y).sum(), &y)
            },
            dy [1.0] => [6.0];
        smooth "the same, both forward" not "another than 2x": [v([3.0])],
            |x| {
                let y = x[0].tape().full([1], 5.0);
                x[0] * jvp(x[0] * y, &y, &x[0].tape().full([1], 1.0))
            },
            dy [1.0] => [6.0];
        smooth "three deep: x · d/dy (y² · d/dz (x · y · z))" not "perturbations that mix": [v([2.0])],
            |x| {
                let (y, z) = (x[0].tape().full([1], 3.0), x[0].tape().full([1], 7.0));
                let inner = grad((x[0] * y * z).sum(), &z); // x · y
                x[0] * grad((y * y * inner).sum(), &y) // x · 3 · x · y²
            },
            dy [1.0] => [108.0];
    });
}

/// A square whose rule itself takes a gradient, of an expression that it records.
#[derive(Debug)]
struct SquareByGradient;

impl Op<f64, 1> for SquareByGradient {
    fn name(&self) -> &'static str {
        "square_by_gradient"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, autograd::Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, f64>; 1], y: ViewMut<'_, f64>) {
        for (y, x) in y.data.iter_mut().zip(x.data) {
            *y = x * x;
        }
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t>; 1], _: Var<'t>, dy: Var<'t>) -> Option<Var<'t>> {
        Some(grad((x * x * dy).sum(), &x))
    }
}

/// burn #5193: a gradient inside of a rule deadlocked.
#[test]
fn a_rule_may_take_a_gradient_itself() {
    let tape = Tape::new();
    let x = tape.var(&Tensor::from([3.0, -1.0]));
    let y = tape.apply(SquareByGradient, [x]);
    let dx = grad((y * tape.var(&Tensor::from([1.0, 10.0]))).sum(), &x);
    assert_eq!(dx.value().as_slice(), [6.0, -20.0]);
    assert_eq!(grad(dx.sum(), &x).value().as_slice(), [2.0, 20.0]);
    assert_eq!(jvp(y, &x, &tape.full([2], 1.0)).value().as_slice(), [6.0, -2.0]);
}
