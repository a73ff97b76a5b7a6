//! The remainder of a division, exact.

use super::{Format, select};
use crate::number::Number;

/// The remainder with the sign of the divisor: that of the standard library, which is exact, has the sign of `a`.
#[inline]
pub(crate) fn remainder<T: Number>(a: T, b: T) -> T {
    let rest = a % b;
    if rest == T::ZERO {
        T::ZERO.copysign(b)
    } else if (rest < T::ZERO) == (b < T::ZERO) {
        rest
    } else {
        rest + b
    }
}

/// The same, by one division and no loop; NaN where that is not all: beyond a quotient of `2^(p−2)` for `p` bits of precision, near overflow,
/// and for operands that are not finite.
///
/// With `q` the whole number next to `|a|/|b|`, or one further, `q·|b|` is the sum of two numbers (Dekker, A floating-point technique for
/// extending the available precision, 1971): `q` is so short that all products of heads and rests are exact. So is what is taken from
/// `|a|`, since that is within a factor of two of it (Sterbenz), and what is left is a multiple of the last place of `a` or `b`, and less
/// than `|b|`.
#[inline(always)]
pub(crate) fn near_remainder<R: Format>(a: R, b: R) -> R {
    let (x, y) = (a.abs(), b.abs());
    let is_near =
        x.is_below(y * (R::ROUND * R::of(1.0 / 3.0))) & y.is_below(R::INFINITY) & x.is_below(R::MAX * R::of(0.25));
    let q = (x / y + R::ROUND) - R::ROUND;
    let product = q * y;
    let (head, head_of_y) = (q.upper(), y.upper());
    let (tail, tail_of_y) = (q - head, y - head_of_y);
    let lost = ((head * head_of_y - product) + head * tail_of_y + tail * head_of_y) + tail * tail_of_y;
    let rest = (x - product) - lost;
    let rest = select(rest.is_below(R::ZERO), rest + y, rest).copysign(a);
    let has_sign = !(rest.is_below(R::ZERO) ^ b.is_below(R::ZERO));
    let signed = select(has_sign, rest, rest + b);
    select(is_near, select(rest.equals(R::ZERO), R::ZERO.copysign(b), signed), R::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::zip::{Rows, zip_formula_but};
    use crate::number::formula::{Formula, Functions};
    use crate::number::level::tests::at_every_level;

    struct Near;

    impl Formula<2, 1> for Near {
        #[inline(always)]
        fn of<R: Functions>(&self, [a, b]: [R; 2]) -> [R; 1] {
            [near_remainder(a, b)]
        }
    }

    fn check<T: Number>(a: &[T], b: &[T]) {
        let same = |x: T, y: T| x.same_bits(y) || (x.is_nan() && y.is_nan());
        let wants: Vec<T> = a.iter().zip(b).map(|(&a, &b)| remainder(a, b)).collect();
        for ((&a, &b), &want) in a.iter().zip(b).zip(&wants) {
            let [near] = T::of_formula(&Near, [a, b]);
            assert!(near.is_nan() || same(near, want), "{a:e} by {b:e} leaves {want:e}, not {near:e}");
            let few = (a / b).abs() < T::of(1e6) && a.abs() < T::of(1e30) && b.is_finite();
            assert!(!near.is_nan() || !few, "{a:e} by {b:e}");
        }
        at_every_level(|level| {
            let mut y = vec![T::ONE; a.len()];
            zip_formula_but(&Rows::one(a.len(), [1, 1]), a, b, &mut y, &Near, remainder);
            assert!(y.iter().zip(&wants).all(|(&y, &want)| same(y, want)), "{level:?}");
            let (b, mut y) = (b[b.len() / 2], vec![T::ONE; a.len()]);
            zip_formula_but(&Rows::one(a.len(), [1, 0]), a, &[b], &mut y, &Near, remainder);
            assert!(y.iter().zip(a).all(|(&y, &a)| same(y, remainder(a, b))), "{level:?} by {b:e}");
        });
    }

    /// Numbers of all magnitudes, their multiples and neighbours of these, and special numbers.
    fn pairs<T: Number>(patterns: impl Iterator<Item = T>, next: impl Fn(T) -> T) -> [Vec<T>; 2] {
        let special =
            [T::ZERO, T::ONE, T::INFINITY, T::NAN, T::MAX, T::MIN_POSITIVE, T::EPSILON, T::of(0.1), T::of(7.0)];
        let special = special.into_iter().flat_map(|x| [x, -x]);
        let mut pairs: Vec<[T; 2]> = special.clone().flat_map(|a| special.clone().map(move |b| [a, b])).collect();
        let all: Vec<T> = patterns.collect();
        for (i, &b) in all.iter().enumerate() {
            pairs.push([all[(i * 7 + 3) % all.len()], b]);
            for factor in [0.25, 0.5, 1.0, 1.5, 3.0, 1e3, 4_194_303.0, 4_194_305.0, 2.25e15, 1e17] {
                let a = b * T::of(factor);
                pairs.extend([[a, b], [-next(a), b], [next(a), -b], [a, next(b)]]);
            }
        }
        [0, 1].map(|k| pairs.iter().map(|pair| pair[k]).collect())
    }

    #[test]
    fn remainders_are_those_of_the_standard_library_to_the_bit() {
        let [a, b] = pairs((0..=u32::MAX).step_by(400_009).map(f32::from_bits), f32::next_up);
        check(&a, &b);
        let [a, b] = pairs((0..=u64::MAX).step_by(1_700_000_000_000_009).map(f64::from_bits), f64::next_up);
        check(&a, &b);
        // Of near magnitudes.
        let [a, b] = pairs((0..20_000).map(|i| 1.0 + (i * 40_009 % 65_537) as f32 / 7.0), f32::next_up);
        check(&a, &b);
        let [a, b] = pairs((0..20_000).map(|i| 1.0 + f64::from(i * 40_009 % 65_537) / 7.0), f64::next_up);
        check(&a, &b);
    }
}
