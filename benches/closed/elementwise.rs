//! One loop over the elements: value and slope of a point share their exponentials and one division.

use crate::closed::level::{Kernel, Level};
use crate::closed::number::Number;
use crate::closed::softmax::sum;
use crate::contenders::Contender;

/// The mean of `σ(x)·tanh x + e^(−x²)` and its gradient.
pub(crate) struct Elementwise<T> {
    x: Vec<T>,
    dx: Vec<T>,
    level: Level,
}

impl<T: Number> Elementwise<T> {
    /// At these points.
    pub(crate) fn new(x: &[T]) -> Self {
        Self { x: x.to_vec(), dx: vec![T::ZERO; x.len()], level: Level::detect() }
    }
}

impl<T: Number> Contender<T> for Elementwise<T> {
    fn loss_and_grads(&mut self) -> T {
        self.level.run(MeanAndGradient { x: &self.x, dx: &mut self.dx })
    }

    fn grads(&mut self) -> Vec<T> {
        self.dx.clone()
    }
}

struct MeanAndGradient<'a, T> {
    x: &'a [T],
    dx: &'a mut [T],
}

/// Elements that are worked on together: one register of `f32`, two of `f64`.
const LANES: usize = 16;
/// Elements that are summed before the total grows, so that the rounding error of `f32` stays small.
const BLOCK: usize = 64 * LANES;

impl<T: Number> Kernel for MeanAndGradient<'_, T> {
    type Output = T;

    #[inline(always)]
    fn run<const FMA: bool>(self) -> T {
        let scale = T::ONE / T::of_count(self.x.len());
        let mut total = T::ZERO;
        for (x, dx) in self.x.chunks(BLOCK).zip(self.dx.chunks_mut(BLOCK)) {
            let mut sums = [T::ZERO; LANES];
            let ((x, last_x), (dx, last_dx)) = (x.as_chunks::<LANES>(), dx.as_chunks_mut::<LANES>());
            for (x, dx) in x.iter().zip(dx) {
                for l in 0..LANES {
                    let (y, slope) = value_and_slope::<T, FMA>(x[l]);
                    sums[l] += y;
                    dx[l] = slope * scale;
                }
            }
            for (&x, dx) in last_x.iter().zip(last_dx) {
                let (y, slope) = value_and_slope::<T, FMA>(x);
                sums[0] += y;
                *dx = slope * scale;
            }
            total += sum(sums);
        }
        total * scale
    }
}

/// `y = σ(x)·tanh x + e^(−x²)` and `y′ = σ(x)·σ(−x)·tanh x + σ(x)·(1 − tanh² x) − 2x·e^(−x²)`.
///
/// With `u = e^(−|x|)`, `σ(|x|) = 1/(1 + u)` and `tanh |x| = (1 − u²)/(1 + u²)`, so that nothing overflows and the
/// tails are accurate.
#[inline(always)]
fn value_and_slope<T: Number, const FMA: bool>(x: T) -> (T, T) {
    let (one, u) = (T::ONE, (-x.abs()).fast_exp::<FMA>());
    let bell = (-(x * x)).fast_exp::<FMA>();
    let square = u * u;
    let both = one / ((one + u) * (one + square));
    let (of_sigmoid, of_tanh) = ((one + square) * both, (one + u) * both);
    let sigmoid = if x < T::ZERO { u * of_sigmoid } else { of_sigmoid };
    let tanh = ((one - square) * of_tanh).copysign(x);
    let sigmoid_slope = u * of_sigmoid * of_sigmoid;
    let tanh_slope = T::of(4.0) * square * of_tanh * of_tanh;
    let y = sigmoid.multiply_add::<FMA>(tanh, bell);
    let slope = sigmoid_slope.multiply_add::<FMA>(tanh, sigmoid * tanh_slope);
    (y, (T::of(-2.0) * x).multiply_add::<FMA>(bell, slope))
}
