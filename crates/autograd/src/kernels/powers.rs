//! Powers of one exponent for all elements: halves of small integers by products, a root and a quotient, others in general.

use super::map::{map, map_formula};
use crate::number::Number;
use crate::number::elementary::{ln_in_parts, pow_by_logarithm, pow_of_sum};
use crate::number::formula::{Formula, Functions};

/// `out[i] = x[i]^(p + more)` as IEEE 754 has `pow`, for an exponent in more digits than those of the elements: the derivative of a
/// power is one of an exponent that no number may be, and its rounding counts as often as the logarithm of `x` is large. What is
/// not the general power is off by a rounding for each operation.
pub(crate) fn powers<T: Number>(x: &[T], out: &mut [T], p: f64, more: f64) {
    let n = p.abs().floor();
    let root = p.abs() - n == 0.5;
    let few = n <= if root { 3.0 } else { 4.0 } && (root || p.abs() == n) && p != 0.0 && more == 0.0;
    // The quotient of such a power would have more roundings than the general one.
    let quotient = p < 0.0 && (!root || n < 2.0);
    let n = T::of(n);
    match (few, root, p > 0.0, quotient) {
        (true, false, true, _) => map(
            x,
            out,
            #[inline(always)]
            move |x| product(x, n),
        ),
        (true, false, false, true) => map(
            x,
            out,
            #[inline(always)]
            move |x| inverse_product(x, n),
        ),
        (true, true, true, _) => map(
            x,
            out,
            #[inline(always)]
            move |x| product(x.abs(), n) * root_of(x),
        ),
        (true, true, false, true) => map(
            x,
            out,
            #[inline(always)]
            move |x| product(x.abs().recip(), n) * root_of(x).recip(),
        ),
        _ => {
            let high = T::of(p);
            let low = if high.is_finite() { T::of((p - high.to_f64()) + more) } else { T::ZERO };
            map_formula(x, [out], &Power { exponent: [high, low].map(T::to_f64) });
        }
    }
}

/// `out[i] = base^x[i]` for a finite base above 0, whose logarithm is taken once, in more digits than those of the elements.
pub(crate) fn powers_of<T: Number>(base: f64, x: &[T], out: &mut [T]) {
    if base == 1.0 {
        return out.fill(T::ONE);
    }
    let [high, low] = ln_in_parts(base);
    let rounded = T::of(high);
    let parts = [rounded, T::of((high - rounded.to_f64()) + low)];
    map_formula(x, [out], &PowerOf { logarithm: parts.map(T::to_f64) });
}

/// `x^(p + more)`
struct Power {
    exponent: [f64; 2],
}

impl Formula<1, 1> for Power {
    #[inline(always)]
    fn of<R: Functions>(&self, [x]: [R; 1]) -> [R; 1] {
        [pow_of_sum(x, R::of(self.exponent[0]), R::of(self.exponent[1]))]
    }
}

/// A number to the power of `x`, by its logarithm in two parts.
struct PowerOf {
    logarithm: [f64; 2],
}

impl Formula<1, 1> for PowerOf {
    #[inline(always)]
    fn of<R: Functions>(&self, [x]: [R; 1]) -> [R; 1] {
        [pow_by_logarithm([R::of(self.logarithm[0]), R::of(self.logarithm[1])], x, R::ZERO)]
    }
}

/// `x^n` for a whole `n` up to 4. The choices are the same for all elements: they cost less than a loop for each.
#[inline(always)]
fn product<T: Number>(x: T, n: T) -> T {
    let square = x * x;
    let odd = n == T::ONE || n == T::of(3.0);
    let even = if n == T::of(4.0) {
        square * square
    } else if n < T::of(2.0) {
        T::ONE
    } else {
        square
    };
    if odd { even * x } else { even }
}

/// `1 / x^n`, or `(1/x)^n` where `x^n` leaves the range, which the result may not.
#[inline(always)]
fn inverse_product<T: Number>(x: T, n: T) -> T {
    let y = product(x, n);
    let inside = y.abs() >= T::MIN_POSITIVE && y.abs() <= T::MAX;
    let inverse = (if inside { y } else { x }).recip();
    if inside { inverse } else { product(inverse, n) }
}

/// `√x` as powers have it: 0 for −0, and ∞ for −∞.
#[inline(always)]
fn root_of<T: Number>(x: T) -> T {
    (if x == -T::INFINITY { T::INFINITY } else { x }).sqrt() + T::ZERO
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::level::tests::at_every_level;

    #[test]
    fn an_exponent_has_more_digits_than_the_elements() {
        let (x, third) = (1e-30, 1.0 / 3.0);
        let mut y = [0.0_f32];
        powers(&[x as f32], &mut y, third, 0.0);
        assert!((f64::from(y[0]) / f64::from(x as f32).powf(third) - 1.0).abs() < 1e-7, "{y:?}");
        // 1e-300^(1/3 − 1) by mpmath: the difference is no f64.
        let mut y = [0.0_f64];
        powers(&[1e-300], &mut y, third - 1.0, third - (third - 1.0 + 1.0));
        assert!((y[0] / 1.0000000000000127e200 - 1.0).abs() < 4e-16, "{y:?}");
    }

    #[test]
    fn powers_of_one_exponent_are_close_to_the_general_power_with_its_special_values() {
        fn check<T: Number>(smallest: T) {
            let special = [T::ZERO, T::INFINITY, T::NAN, T::ONE, T::MAX, T::MIN_POSITIVE, smallest];
            let some =
                (1..400).map(|i| T::of(2_f64.powf(f64::from(i - 200) * if T::NAME == "f32" { 0.6 } else { 4.9 })));
            let x: Vec<T> = special.into_iter().chain(some).flat_map(|x| [x, -x]).collect();
            for p in (-10..=10).map(|k| 0.5 * f64::from(k)).chain([0.296875, -7.0, 1e3, 1e300]) {
                let mut alone = Vec::new();
                at_every_level(|level| {
                    let mut y = vec![T::ONE; x.len()];
                    powers(&x, &mut y, p, 0.0);
                    let bits: Vec<i64> = y.iter().map(|y| if y.is_nan() { -1 } else { y.to_index() }).collect();
                    if alone.is_empty() {
                        alone = bits;
                    } else {
                        assert_eq!(bits, alone, "{p} at {level:?}");
                    }
                    for (&x, &y) in x.iter().zip(&y) {
                        let want = x.powf(T::of(p));
                        let unit = T::EPSILON * want.abs().larger(T::MIN_POSITIVE);
                        let same = y == want && y.is_sign_negative() == want.is_sign_negative();
                        let close = (y - want).abs() <= T::of(4.0) * unit;
                        assert!(same || (y.is_nan() && want.is_nan()) || close, "{x:e}^{p} = {y:e}, not {want:e}");
                    }
                });
            }
        }
        check(f32::from_bits(1));
        check(f64::from_bits(1));
    }
}
