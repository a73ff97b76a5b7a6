//! How parameters follow their gradients, row by row.

use crate::closed::number::Number;
use crate::contenders::problem::{BETAS, EPSILON, MOMENTUM};

/// A rule of an optimiser, with what it counts.
pub(crate) trait Rule<T>: Copy + Default {
    /// What the rows of a step have in common.
    type Step: Copy;

    /// A new step.
    fn begin<const FMA: bool>(&mut self, rate: T) -> Self::Step;

    /// Moves a row of parameters and of their moments, of which a rule uses as many as it needs.
    fn row<const R: usize, const FMA: bool>(step: Self::Step, p: &mut [T; R], g: &[T; R], moments: [&mut [T; R]; 2]);
}

/// `p ← p − rate · g`
#[derive(Clone, Copy, Default)]
pub(crate) struct Sgd;

impl<T: Number> Rule<T> for Sgd {
    type Step = T;

    #[inline(always)]
    fn begin<const FMA: bool>(&mut self, rate: T) -> T {
        rate
    }

    #[inline(always)]
    fn row<const R: usize, const FMA: bool>(rate: T, p: &mut [T; R], g: &[T; R], _: [&mut [T; R]; 2]) {
        for r in 0..R {
            p[r] = (-rate).multiply_add::<FMA>(g[r], p[r]);
        }
    }
}

/// `v ← μ v + g`, `p ← p − rate · v`
#[derive(Clone, Copy, Default)]
pub(crate) struct Momentum;

impl<T: Number> Rule<T> for Momentum {
    type Step = T;

    #[inline(always)]
    fn begin<const FMA: bool>(&mut self, rate: T) -> T {
        rate
    }

    #[inline(always)]
    fn row<const R: usize, const FMA: bool>(rate: T, p: &mut [T; R], g: &[T; R], [v, _]: [&mut [T; R]; 2]) {
        let kept = T::of(MOMENTUM);
        for r in 0..R {
            v[r] = kept.multiply_add::<FMA>(v[r], g[r]);
            p[r] = (-rate).multiply_add::<FMA>(v[r], p[r]);
        }
    }
}

/// Adam, with the number of steps that were made.
#[derive(Clone, Copy, Default)]
pub(crate) struct Adam<T>(T);

impl<T: Number + Default> Rule<T> for Adam<T> {
    /// `rate / (1 − β₁^t)` and `1 / √(1 − β₂^t)`
    type Step = (T, T);

    #[inline(always)]
    fn begin<const FMA: bool>(&mut self, rate: T) -> (T, T) {
        self.0 += T::ONE;
        let [first, second] = BETAS.map(|beta| T::ONE - (self.0 * T::of(beta.ln())).fast_exp::<FMA>());
        (rate / first, T::ONE / second.sqrt())
    }

    #[inline(always)]
    fn row<const R: usize, const FMA: bool>(
        (rate, scale): (T, T),
        p: &mut [T; R],
        g: &[T; R],
        [m, v]: [&mut [T; R]; 2],
    ) {
        let ([kept1, kept2], [new1, new2]) = (BETAS.map(T::of), BETAS.map(|beta| T::of(1.0 - beta)));
        let epsilon = T::of(EPSILON);
        for r in 0..R {
            m[r] = kept1.multiply_add::<FMA>(m[r], new1 * g[r]);
            v[r] = kept2.multiply_add::<FMA>(v[r], new2 * g[r] * g[r]);
            p[r] -= rate * m[r] / v[r].sqrt().multiply_add::<FMA>(scale, epsilon);
        }
    }
}
