//! Formulas of several numbers side by side: the bits that each number has by itself, at every level.

use crate::kernels::map::map_formula_but;
use crate::kernels::zip::{Rows, zip_formula};
use crate::number::Number;
use crate::number::elementary::*;
use crate::number::formula::{Formula, Functions};
use crate::number::level::tests::at_every_level;
use crate::number::special::{erfinv_near, erfinv_slope_near};

/// Numbers of all magnitudes and both signs, those in use, and special ones.
fn numbers<T: Number>(patterns: impl Iterator<Item = T>) -> Vec<T> {
    let special = [T::ZERO, T::ONE, T::INFINITY, T::NAN, T::MAX, T::MIN_POSITIVE, T::EPSILON, T::of(0.5), T::of(2.0)];
    let signed = special.into_iter().flat_map(|x| [x, -x]);
    signed.chain((-2000..2000).map(|i| T::of(f64::from(i) / 41.0))).chain(patterns).collect()
}

fn same<T: Number>(a: T, b: T) -> bool {
    a.same_bits(b) || (a.is_nan() && b.is_nan())
}

/// A row: functions of one number that are computed together, and where they are not.
macro_rules! of_one {
    ($($($name:ident)* $(, unless $rare:ident)?;)*) => {
        fn check_one<T: Number>(x: &[T]) {
            $({
                struct Row;
                impl Formula<1, { [$(stringify!($name)),*].len() }> for Row {
                    #[inline(always)]
                    fn of<R: Functions>(&self, [x]: [R; 1]) -> [R; [$(stringify!($name)),*].len()] {
                        [$($name(x)),*]
                    }
                }
                #[allow(unused_variables, reason = "most are never rare")]
                let rare = |x: T| false $(|| x.$rare())?;
                let alone: Vec<_> = x.iter().map(|&x| T::of_formula(&Row, [x])).collect();
                at_every_level(|level| {
                    let mut got = alone.clone();
                    let mut out = [(); [$(stringify!($name)),*].len()].map(|()| vec![T::ONE; x.len()]);
                    map_formula_but(x, out.each_mut().map(|y| &mut y[..]), &Row, rare, |x| T::of_formula(&Row, [x]));
                    for (i, got) in got.iter_mut().enumerate() {
                        *got = out.each_ref().map(|y| y[i]);
                    }
                    for ((x, got), want) in x.iter().zip(&got).zip(&alone) {
                        let all = got.iter().zip(want).all(|(&a, &b)| same(a, b));
                        assert!(all, "{:?} of {x:e} is {got:?} at {level:?}, not {want:?}", [$(stringify!($name)),*]);
                    }
                });
            })*
        }
    };
}

of_one! {
    exp; exp_m1; exp2; ln; ln_1p; log2; log10; logit; cbrt cbrt_slope;
    sin_near cos_near, unless is_far; tan_near, unless is_far; asin; acos; atan;
    sinh cosh; tanh sech2; asinh asinh_slope; acosh acosh_slope; log_cosh tanh; atanh; tanhshrink tanh;
    sigmoid sigmoid_slope; log_sigmoid; softplus sigmoid;
    gelu gelu_slope; gelu_slope normal_density; gelu_tanh gelu_tanh_slope; gelu_tanh_slope gelu_tanh_curve;
    silu silu_slope; silu_slope silu_curve; mish mish_slope; mish_slope mish_curve;
    erf erf_slope; erfc erf_slope; ndtr normal_density; log_ndtr inverse_mills; inverse_mills mills_curve;
    erfinv_near erfinv_slope_near, unless is_near_one; sinc sinc_slope sinc_curve;
}

/// Functions of two numbers.
macro_rules! of_two {
    ($($name:ident)*) => {
        fn check_two<T: Number>(a: &[T], b: &[T]) {
            $({
                struct Row;
                impl Formula<2, 1> for Row {
                    #[inline(always)]
                    fn of<R: Functions>(&self, [a, b]: [R; 2]) -> [R; 1] {
                        [$name(a, b)]
                    }
                }
                at_every_level(|level| {
                    let mut y = vec![T::ONE; a.len()];
                    zip_formula(&Rows::one(a.len(), [1, 1]), a, b, &mut y, &Row);
                    for ((&a, &b), &y) in a.iter().zip(b).zip(&y) {
                        let [want] = T::of_formula(&Row, [a, b]);
                        let name = stringify!($name);
                        assert!(same(y, want), "{name}({a:e}, {b:e}) is {y:e} at {level:?}, not {want:e}");
                    }
                });
            })*
        }
    };
}

of_two! { pow pow_slope atan2 hypot hypot_share over_squares logaddexp logistic_share }

#[test]
fn formulas_of_several_numbers_have_the_bits_of_each() {
    fn check<T: Number>(x: &[T]) {
        check_one(x);
        // Each with many others.
        for by in [1, 7, 18, 397] {
            let other: Vec<T> = x.iter().cycle().skip(by).take(x.len()).copied().collect();
            check_two(x, &other);
        }
        let few: Vec<T> = x[..18].to_vec();
        let pairs: Vec<[T; 2]> = few.iter().flat_map(|&a| few.iter().map(move |&b| [a, b])).collect();
        let [a, b] = [0, 1].map(|k| pairs.iter().map(|pair| pair[k]).collect::<Vec<T>>());
        check_two(&a, &b);
    }
    check(&numbers((0..=u32::MAX).step_by(400_009).map(f32::from_bits)));
    check(&numbers((0..=u64::MAX).step_by(1_700_000_000_000_009).map(f64::from_bits)));
}
