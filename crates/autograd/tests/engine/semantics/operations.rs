//! Operations of a user's.

use autograd::{Op, Reason, Shape, Tape, Var, View, ViewMut, vjp};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// The head of an operation that copies its operand: its name, and what it does before.
macro_rules! copies {
    ($itself:ident, $name:literal $(, $before:expr)?) => {
        fn name(&self) -> &'static str {
            $name
        }
        fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
            Ok(x.clone())
        }
        fn eval(&$itself, [x]: [View<'_, f64>; 1], y: ViewMut<'_, f64>) {
            $($before;)?
            y.data.copy_from_slice(x.data);
        }
    };
}

/// The positive `y` with `yⁿ = p`, whose rule differentiates that equation.
#[derive(Debug)]
pub(crate) struct Root(pub(crate) i32);

impl Op<f64, 1> for Root {
    fn name(&self) -> &'static str {
        "root"
    }
    fn shape(&self, [p]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(p.clone())
    }
    fn eval(&self, [p]: [View<'_, f64>; 1], y: ViewMut<'_, f64>) {
        for (y, &p) in y.data.iter_mut().zip(p.data) {
            *y = p.powf(1.0 / f64::from(self.0));
        }
    }
    fn vjp<'t>(&self, _: usize, [p]: [Var<'t>; 1], y: Var<'t>, dy: Var<'t>) -> Option<Var<'t>> {
        let n = f64::from(self.0);
        let equation = y.pow_scalar(n) - p;
        let by_y = vjp(equation, &y, p.tape().full(y.shape(), 1.0));
        Some(-vjp(equation, &p, dy / by_y))
    }
}

/// The `y` with `y = a cos(b y)`, which has two operands and the equation `y − a cos(b y) = 0`.
#[derive(Debug)]
pub(crate) struct FixedPoint;

impl Op<f64, 2> for FixedPoint {
    fn name(&self) -> &'static str {
        "fixed_point"
    }
    fn shape(&self, [a, _]: [&Shape; 2]) -> Result<Shape, Reason> {
        Ok(a.clone())
    }
    fn eval(&self, [a, b]: [View<'_, f64>; 2], y: ViewMut<'_, f64>) {
        for ((y, &a), &b) in y.data.iter_mut().zip(a.data).zip(b.data) {
            *y = 0.5;
            for _ in 0..99 {
                *y -= (*y - a * (b * *y).cos()) / (1.0 + a * b * (b * *y).sin());
            }
        }
    }
    fn vjp<'t>(&self, arg: usize, [a, b]: [Var<'t>; 2], y: Var<'t>, dy: Var<'t>) -> Option<Var<'t>> {
        let equation = y - a * (b * y).cos();
        let by_y = vjp(equation, &y, a.tape().full(y.shape(), 1.0));
        Some(-vjp(equation, [a, b].get(arg)?, dy / by_y))
    }
}

/// The identity, which fails while its flag is set.
#[derive(Debug)]
pub(crate) struct Copied(pub(crate) Arc<AtomicBool>);

impl Op<f64, 1> for Copied {
    copies!(self, "copied", assert!(!self.0.load(SeqCst), "copied: out of luck"));
    fn vjp<'t>(&self, _: usize, _: [Var<'t>; 1], _: Var<'t>, dy: Var<'t>) -> Option<Var<'t>> {
        assert!(!self.0.load(SeqCst), "copied: out of luck");
        Some(dy)
    }
}

/// The identity, whose rules give something that they must not.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Astray {
    /// A cotangent of another tape.
    TapeOfVjp,
    /// A tangent of another tape.
    TapeOfJvp,
    /// A cotangent of another shape.
    ShapeOfVjp,
    /// A tangent of another shape.
    ShapeOfJvp,
}

impl Op<f64, 1> for Astray {
    copies!(self, "astray");
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t>; 1], _: Var<'t>, dy: Var<'t>) -> Option<Var<'t>> {
        match self {
            Self::TapeOfVjp => Some(elsewhere(x.shape())),
            Self::ShapeOfVjp => Some(x.tape().full([3], 1.0)),
            Self::TapeOfJvp | Self::ShapeOfJvp => Some(dy),
        }
    }
    fn jvp<'t>(&self, args: [Var<'t>; 1], y: Var<'t>, dx: [Option<Var<'t>>; 1]) -> Option<Var<'t>> {
        match self {
            Self::TapeOfJvp => Some(elsewhere(y.shape())),
            Self::ShapeOfJvp => Some(y.tape().full([3], 1.0)),
            Self::TapeOfVjp | Self::ShapeOfVjp => Derived(*self).jvp(args, y, dx),
        }
    }
}

/// The same, with the tangent that is derived from the rule for cotangents.
#[derive(Debug)]
struct Derived(Astray);

impl Op<f64, 1> for Derived {
    copies!(self, "astray");
    fn vjp<'t>(&self, arg: usize, args: [Var<'t>; 1], y: Var<'t>, dy: Var<'t>) -> Option<Var<'t>> {
        self.0.vjp(arg, args, y, dy)
    }
}

/// A variable of a tape of its own, in a place that exists on small tapes too.
pub(crate) fn elsewhere<'t>(shape: impl Into<Shape>) -> Var<'t> {
    let other: &'static Tape = Box::leak(Box::default());
    other.full(shape, 9.0)
}

/// What a function panicked with.
pub(crate) fn panic_of<R>(f: impl FnOnce() -> R) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).err().expect("it panics");
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string)).unwrap()
}
