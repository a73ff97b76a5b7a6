//! Functions that are formulas of [`elementary`](super::elementary) alone, so that they are computed of a number and of several side by side.

#![cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "vectors are read and written where pointers tell"))]

use super::elementary::{Base, Cardinal, Circular, Hyperbolic, Inverse, Plane};
use super::special::InverseError;

/// All that formulas need to know of a number type.
pub trait Functions: Base + Cardinal + Circular + Hyperbolic + Inverse + Plane + InverseError {}
impl Functions for f32 {}
impl Functions for f64 {}

/// A function of `A` numbers with `N` results.
pub trait Formula<const A: usize, const N: usize> {
    /// It must be `#[inline(always)]`, and so must all that it calls.
    fn of<R: Functions>(&self, x: [R; A]) -> [R; N];
}

/// Numbers side by side.
#[cfg(target_arch = "x86_64")]
pub trait Pack<T>: Functions {
    /// How many there are.
    const COUNT: usize;

    /// # Safety
    /// The CPU has the set, and there are so many elements.
    unsafe fn load(from: *const T) -> Self;
    /// # Safety
    /// As above.
    unsafe fn store(self, to: *mut T);
}
