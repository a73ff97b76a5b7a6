//! The element-wise program by hand: one pass over the elements, with the closed forms' exponential.

#[expect(clippy::duplicate_mod, reason = "the closed forms keep theirs to themselves")]
#[path = "../../../closed/level.rs"]
mod level;

use crate::closed::number::Number;
use level::{Kernel, Level};

/// Where `tanh` and the sigmoid are within `f32`'s rounding of their limits, and no power of `e` overflows.
const SATURATED: f32 = 20.0;

/// `y = sigmoid(x) · tanh(x) + exp(−x²)`, on the best instruction set of the processor.
///
/// # Panics
/// Where the lengths differ.
pub fn map(x: &[f32], y: &mut [f32]) {
    assert_eq!(x.len(), y.len(), "as many results as elements");
    Level::detect().run(Map { x, y });
}

struct Map<'a> {
    x: &'a [f32],
    y: &'a mut [f32],
}

impl Kernel for Map<'_> {
    type Output = ();

    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (&x, y) in self.x.iter().zip(self.y) {
            // One exponential serves both: sigmoid(x) = 1 / (1 + e) and tanh(x) = (1 − e²) / (1 + e²) with e = exp(−x).
            let e = (-x).clamp(-SATURATED, SATURATED).fast_exp::<FMA>();
            let square = e * e;
            *y = (1.0 - square) / ((1.0 + e) * (1.0 + square)) + (-x * x).fast_exp::<FMA>();
        }
    }
}
