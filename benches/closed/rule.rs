//! How parameters follow their gradients, number by number.

use crate::closed::number::Number;
use crate::contenders::problem::{BETAS, EPSILON, MOMENTUM};

/// A rule of an optimiser, with what it counts.
pub(crate) trait Rule<T>: Copy + Default {
    /// Whether all parameters are moved as one range, so that roots and divisions fill their registers, and not row by row.
    const AS_RANGE: bool;

    /// What the numbers of a step have in common.
    type Step: Copy;

    /// A new step.
    fn begin<const FMA: bool>(&mut self, rate: T) -> Self::Step;

    /// Moves a parameter and its moments, of which a rule uses as many as it needs.
    fn step<const FMA: bool>(step: Self::Step, p: &mut T, g: T, moments: [&mut T; 2]);
}

/// `p ← p − rate · g`
#[derive(Clone, Copy, Default)]
pub(crate) struct Sgd;

impl<T: Number> Rule<T> for Sgd {
    const AS_RANGE: bool = false;

    type Step = T;

    #[inline(always)]
    fn begin<const FMA: bool>(&mut self, rate: T) -> T {
        rate
    }

    #[inline(always)]
    fn step<const FMA: bool>(rate: T, p: &mut T, g: T, _: [&mut T; 2]) {
        *p = (-rate).multiply_add::<FMA>(g, *p);
    }
}

/// `v ← μ v + g`, `p ← p − rate · v`
#[derive(Clone, Copy, Default)]
pub(crate) struct Momentum;

impl<T: Number> Rule<T> for Momentum {
    const AS_RANGE: bool = true;

    type Step = T;

    #[inline(always)]
    fn begin<const FMA: bool>(&mut self, rate: T) -> T {
        rate
    }

    #[inline(always)]
    fn step<const FMA: bool>(rate: T, p: &mut T, g: T, [v, _]: [&mut T; 2]) {
        *v = T::of(MOMENTUM).multiply_add::<FMA>(*v, g);
        *p = (-rate).multiply_add::<FMA>(*v, *p);
    }
}

/// Adam, with the number of steps that were made.
#[derive(Clone, Copy, Default)]
pub(crate) struct Adam<T>(T);

impl<T: Number> Rule<T> for Adam<T> {
    const AS_RANGE: bool = true;

    /// `rate / (1 − β₁^t)` and `1 / √(1 − β₂^t)`
    type Step = (T, T);

    #[inline(always)]
    fn begin<const FMA: bool>(&mut self, rate: T) -> (T, T) {
        self.0 += T::ONE;
        let [first, second] = BETAS.map(|beta| T::ONE - (self.0 * T::of(beta.ln())).fast_exp::<FMA>());
        (rate / first, T::ONE / second.sqrt())
    }

    #[inline(always)]
    fn step<const FMA: bool>((rate, scale): (T, T), p: &mut T, g: T, [m, v]: [&mut T; 2]) {
        let ([kept1, kept2], [new1, new2]) = (BETAS.map(T::of), BETAS.map(|beta| T::of(1.0 - beta)));
        *m = kept1.multiply_add::<FMA>(*m, new1 * g);
        *v = kept2.multiply_add::<FMA>(*v, new2 * g * g);
        *p -= rate * *m / v.sqrt().multiply_add::<FMA>(scale, T::of(EPSILON));
    }
}
