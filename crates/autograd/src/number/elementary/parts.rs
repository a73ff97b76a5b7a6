//! Numbers in two parts, a number and what it lacks: for factors whose rounding would show in a result.

use super::Format;
use std::ops::{Add, Sub};

/// `a + b + c` as [`sum`](super::sum) rounds it, and what it rounds away.
#[inline(always)]
pub(super) fn sum<T: Format>(a: T, b: T, c: T) -> [T; 2] {
    let s = a + b;
    let rest = (b - (s - a)) + c;
    let y = s + rest;
    [y, rest - (y - s)]
}

/// `a − b` as it is rounded, and what that rounds away (Knuth's sum).
#[inline(always)]
pub(crate) fn difference<T: Copy + Add<Output = T> + Sub<Output = T>>(a: T, b: T) -> [T; 2] {
    let y = a - b;
    let taken = y - a;
    [y, (a - (y - taken)) - (b + taken)]
}

/// `a·(b + rest)` for a `b` that is its own [`head`](Format::upper), in two parts.
#[inline(always)]
pub(super) fn product<T: Format>(a: T, [b, rest]: [T; 2]) -> [T; 2] {
    let head = a.upper();
    [head * b, (a - head) * b + a * rest]
}

/// The product of two numbers in two parts each, with two roundings of consequence.
#[inline(always)]
pub(super) fn rounded_product<T: Format>([a, a_rest]: [T; 2], [b, b_rest]: [T; 2]) -> T {
    a * b + (a_rest * b + a * b_rest)
}

/// `1/(1 + x)` in two parts, of which the first is its own head, from what it is nearly.
#[inline(always)]
pub(super) fn inverse_of_next<T: Format>(nearly: T, x: T) -> [T; 2] {
    let (head, below) = (nearly.upper(), (T::ONE + x).upper());
    let below_rest = x - (below - T::ONE);
    [head, nearly * ((T::ONE - head * below) - head * below_rest)]
}
