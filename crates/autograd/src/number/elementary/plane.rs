//! The length of a vector of the plane, and its direction.

use super::{Format, select};

/// What the formulas need to know of a number type.
pub trait Plane: Format {
    /// Beyond this, or below its inverse, a square may leave the range.
    const WIDE: Self;
    /// A power of two, and its inverse, which bring numbers that are beyond back.
    const RAISED: [Self; 2];
}

/// `√(a² + b²)`, with both multiplied by a power of two where they are small or large, and whether they are.
#[inline(always)]
fn scaled<T: Plane>(a: T, b: T) -> (T, T::Mask, T::Mask) {
    let (squares, small, large, _) = scaled_squares(a, b);
    (squares.sqrt(), small, large)
}

/// `a² + b²` so, with the power of two that multiplies both.
#[inline(always)]
fn scaled_squares<T: Plane>(a: T, b: T) -> (T, T::Mask, T::Mask, T) {
    let (a, b) = (a.abs(), b.abs());
    let larger = select(a.is_above(b), a, b);
    let (small, large) = (larger.is_below(T::WIDE.recip()), larger.is_above(T::WIDE));
    let scale = select(small, T::RAISED[0], select(large, T::RAISED[1], T::ONE));
    let (a, b) = (a * scale, b * scale);
    (a * a + b * b, small, large, scale)
}

/// `√(a² + b²)` without overflow; ∞ where either is infinite.
#[inline(always)]
pub(crate) fn hypot<T: Plane>(a: T, b: T) -> T {
    let (root, small, large) = scaled(a, b);
    let y = root * select(small, T::RAISED[1], select(large, T::RAISED[0], T::ONE));
    select(a.abs().equals(T::INFINITY) | b.abs().equals(T::INFINITY), T::INFINITY, y)
}

/// `a / √(a² + b²)`: 0 at the origin, ±1 where `a` is infinite, whatever `b` is.
#[inline(always)]
pub(crate) fn hypot_share<T: Plane>(a: T, b: T) -> T {
    let (root, small, large) = scaled(a, b);
    let y = a * select(small, T::RAISED[0], T::ONE) / root * select(large, T::RAISED[1], T::ONE);
    let y = select(root.equals(T::ZERO), T::ZERO, y);
    select(a.abs().equals(T::INFINITY), T::ONE.copysign(a), y)
}

/// `a / (a² + b²)`: 0 at the origin and where either is infinite.
#[inline(always)]
pub(crate) fn over_squares<T: Plane>(a: T, b: T) -> T {
    let (squares, _, _, scale) = scaled_squares(a, b);
    let y = (a * scale) / squares * scale;
    select(squares.equals(T::ZERO) | squares.equals(T::INFINITY), T::ZERO, y)
}
