//! Operations such as users write.

use autograd::{Float, Op, Reason, Shape, Var, View, ViewMut, vjp};

/// `0.1 x³`, its derivative written down.
#[derive(Debug)]
pub(crate) struct Cube;

/// `x tanh x`, differentiated by the gradient of that expression.
#[derive(Debug)]
pub(crate) struct ByItsOwnGradient;

/// `y = tanh(x + y/2)/2`, solved for `y`, differentiated implicitly.
#[derive(Debug)]
pub(crate) struct Implicit;

/// `x sin y`, of equal shapes, with a forward rule.
#[derive(Debug)]
pub(crate) struct Mixed;

fn of<T: Float>(x: f64) -> T {
    T::of(x)
}

impl<T: Float> Op<T, 1> for Cube {
    fn name(&self) -> &'static str {
        "cube"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        for (y, &x) in y.data.iter_mut().zip(x.data) {
            *y = x * x * x * of::<T>(0.1);
        }
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        Some(dy * x.square() * of::<T>(0.3))
    }
}

impl<T: Float> Op<T, 1> for ByItsOwnGradient {
    fn name(&self) -> &'static str {
        "by_its_own_gradient"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        for (y, &x) in y.data.iter_mut().zip(x.data) {
            *y = x * x.tanh();
        }
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], _: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        Some(vjp(x * x.tanh(), &x, dy))
    }
}

impl<T: Float> Op<T, 1> for Implicit {
    fn name(&self) -> &'static str {
        "implicit"
    }
    fn shape(&self, [x]: [&Shape; 1]) -> Result<Shape, Reason> {
        Ok(x.clone())
    }
    fn eval(&self, [x]: [View<'_, T>; 1], y: ViewMut<'_, T>) {
        for (y, &x) in y.data.iter_mut().zip(x.data) {
            *y = T::ZERO;
            for _ in 0..40 {
                *y = (x + *y * of::<T>(0.5)).tanh() * of::<T>(0.5);
            }
        }
    }
    fn vjp<'t>(&self, _: usize, [x]: [Var<'t, T>; 1], y: Var<'t, T>, dy: Var<'t, T>) -> Option<Var<'t, T>> {
        let right = (x + y * of::<T>(0.5)).tanh() * of::<T>(0.5);
        let slope = vjp(right, &y, y.tape().full(y.shape(), T::ONE));
        Some(vjp(right, &x, dy / (-slope + T::ONE)))
    }
}

impl<T: Float> Op<T, 2> for Mixed {
    fn name(&self) -> &'static str {
        "mixed"
    }
    fn shape(&self, [x, y]: [&Shape; 2]) -> Result<Shape, Reason> {
        if x == y { Ok(x.clone()) } else { Err(Reason::shape("the shapes differ")) }
    }
    fn eval(&self, [x, y]: [View<'_, T>; 2], z: ViewMut<'_, T>) {
        for ((z, &x), &y) in z.data.iter_mut().zip(x.data).zip(y.data) {
            *z = x * y.sin();
        }
    }
    fn vjp<'t>(&self, arg: usize, [x, y]: [Var<'t, T>; 2], _: Var<'t, T>, dz: Var<'t, T>) -> Option<Var<'t, T>> {
        Some(if arg == 0 { dz * y.sin() } else { dz * x * y.cos() })
    }
    fn jvp<'t>(&self, [x, y]: [Var<'t, T>; 2], _: Var<'t, T>, [dx, dy]: [Option<Var<'t, T>>; 2]) -> Option<Var<'t, T>> {
        let (by_x, by_y) = (dx.map(|dx| dx * y.sin()), dy.map(|dy| dy * x * y.cos()));
        match (by_x, by_y) {
            (Some(a), Some(b)) => Some(a + b),
            (a, b) => a.or(b),
        }
    }
}
