//! Edges of functions that are made of others: logarithms and powers, activations, remainders.

use super::row::{AtInfinity, Row, run};
use autograd::Float;
use std::f64::consts::{FRAC_2_PI, LN_2, LN_10};

const INF: f64 = f64::INFINITY;
const NAN: f64 = f64::NAN;
const SELU: f64 = 1.0507009873554805;

// The digits come from evaluation in 60 decimal digits.
table! {
    powers<T> of T:
    "exp2 of whole numbers" [0.0, 3.0], |x| x[0].exp2(), value [1.0, 8.0], first [LN_2, 5.545177444479562],
        second [0.4804530139182014, 3.8436241113456115] => Smooth;
    "exp2 at −100" [-100.0], |x| x[0].exp2(), value [7.888609052210118e-31], first [5.4679671230791056e-31],
        second [3.7901059947567577e-31] => Smooth;
    "exp2 at ±∞" [INF, -INF], |x| x[0].exp2(), value [INF, 0.0], first [INF, 0.0], second [INF, 0.0] => Smooth;
    "exp2 of NaN" [NAN], |x| x[0].exp2(), value [NAN], first [NAN] => Smooth;
    "0 to the power of x" [2.0, 0.0, -1.0], |x| x[0].pow_of(0.0), value [0.0, 1.0, INF], first [0.0, 0.0, -INF] => Mixed;
    "−2 to the power of x" [3.0], |x| x[0].pow_of(-2.0), value [-8.0], first [NAN] => Smooth;
    "1 to the power of x" [3.0, INF], |x| x[0].pow_of(1.0), value [1.0, 1.0], first [0.0, 0.0], second [0.0, 0.0] => Smooth;
    "log2 of powers" [8.0, 1.0, 0.125], |x| x[0].log2(), value [3.0, 0.0, -3.0],
        first [0.18033688011112042, 1.0 / LN_2, 8.0 / LN_2], second [-0.022542110013890053, -1.0 / LN_2, -64.0 / LN_2] => Smooth;
    "log2 at 0" [0.0, -0.0], |x| x[0].log2(), value [-INF, -INF], first [INF, INF] => Selected;
    "log2 below 0" [-1.0, -INF, NAN], |x| x[0].log2(), value [NAN, NAN, NAN], first [NAN, NAN, NAN] => Selected;
    "log2 at ∞" [INF], |x| x[0].log2(), value [INF], first [0.0], second [0.0] => Smooth;
    "log10 of powers" [1000.0, 1.0, 100.0], |x| x[0].log10(), value [3.0, 0.0, 2.0],
        first [0.00043429448190325184, 1.0 / LN_10, 0.01 / LN_10], second [-4.342944819032518e-07, -1.0 / LN_10, -1e-4 / LN_10] => Smooth;
    "log10 at 0" [0.0], |x| x[0].log10(), value [-INF], first [INF] => Selected;
    "log10 below 0" [-1.0], |x| x[0].log10(), value [NAN], first [NAN] => Selected;
    "log10 at ∞" [INF], |x| x[0].log10(), value [INF], first [0.0], second [0.0] => Smooth;
    "cbrt at 0" [0.0, -0.0], |x| x[0].cbrt(), value [0.0, 0.0], first [INF, INF] => Selected;
    "cbrt of cubes" [27.0, -8.0, -1.0], |x| x[0].cbrt(), value [3.0, -2.0, -1.0], first [1.0 / 27.0, 1.0 / 12.0, 1.0 / 3.0],
        second [-2.0 / 2187.0, 2.0 / 288.0, 2.0 / 9.0] => Smooth;
    "cbrt at ±∞" [INF, -INF], |x| x[0].cbrt(), value [INF, -INF], first [0.0, 0.0], second [0.0, 0.0] => Smooth;
    "cbrt of NaN" [NAN], |x| x[0].cbrt(), value [NAN], first [NAN] => Smooth;
    "logit at 0 and 1" [0.0, -0.0, 1.0], |x| x[0].logit(), value [-INF, -INF, INF], first [INF, INF, INF] => Selected;
    "logit outside" [-0.5, 1.5, NAN], |x| x[0].logit(), value [NAN, NAN, NAN], first [NAN, NAN, NAN] => Selected;
    "logit at ½" [0.5], |x| x[0].logit(), value [0.0], first [4.0], second [0.0] => Smooth;
    "logit next to ½" [0.5000009536743164], |x| x[0].logit(), value [3.814697265629626e-06], first [4.000000000014552],
        second [3.0517578125222045e-05] => Smooth;
    "logit where its formulas meet" [0.25, 0.75], |x| x[0].logit(), value [-1.0986122886681098, 1.0986122886681098],
        first [16.0 / 3.0, 16.0 / 3.0], second [-14.222222222222221, 14.222222222222221] => Smooth;
    "logit next to 1" [0.9999990463256836], |x| x[0].logit(), value [13.862942657524135], first [1048577.0000009537],
        second [1099511627775.0] => Mixed;
}

table! {
    smooth<T> of T:
    "log_cosh at 0" [0.0], |x| x[0].log_cosh(), value [0.0], first [0.0], second [1.0] => Mixed;
    "log_cosh near 0" [1e-10], |x| x[0].log_cosh(), value [5e-21], first [1e-10], second [1.0] => Mixed;
    "log_cosh where its formulas meet" [0.5, 1.0], |x| x[0].log_cosh(), value [0.12011450695827752, 0.4337808304830272],
        first [0.46211715726000974, 0.7615941559557649], second [0.7864477329659274, 0.4199743416140261] => Mixed;
    "log_cosh at 10" [10.0, -10.0], |x| x[0].log_cosh(), value [9.306852821501208, 9.306852821501208],
        first [0.9999999958776927, -0.9999999958776927], second [8.244614455767397e-09, 8.244614455767397e-09] => Mixed;
    "log_cosh at ±∞" [INF, -INF], |x| x[0].log_cosh(), value [INF, INF], first [1.0, -1.0], second [0.0, 0.0] => Mixed;
    "log_cosh of NaN" [NAN], |x| x[0].log_cosh(), value [NAN], first [NAN] => Mixed;
    "log_ndtr at 0" [0.0, -0.0], |x| x[0].log_ndtr(), value [-LN_2, -LN_2], first [0.7978845608028654, 0.7978845608028654],
        second [-FRAC_2_PI, -FRAC_2_PI] => Mixed;
    "log_ndtr far left" [-38.0, -40.0, -100.0], |x| x[0].log_ndtr(),
        value [-726.5572160188201, -804.6084420137538, -5005.524208694205],
        first [38.02627946657587, 40.02496884720726, 100.00999800099926],
        second [-0.9993103402465338, -0.9993773316214086, -0.9999000599500517] => Mixed;
    "log_ndtr on the left" [-8.0, -4.0], |x| x[0].log_ndtr(), value [-35.01343715991455, -10.360101486527292],
        first [8.121368112236112, 4.225607144489471], second [-0.9856751165566591, -0.9533271616025774] => Mixed;
    "log_ndtr in the middle" [-2.0, -1.0, 0.5], |x| x[0].log_ndtr(),
        value [-3.783184333682032, -1.8410216450092636, -0.3689464152886564],
        first [2.373215532822841, 1.525135276160981, 0.5091604338370335],
        second [-0.8857208995859187, -0.8009023344296512, -0.5138245643036329] => Mixed;
    "log_ndtr on the right" [2.0, 5.0, 8.0], |x| x[0].log_ndtr(),
        value [-0.02301290932896349, -2.866516129637636e-07, -6.220960574271786e-16],
        first [0.055247862678989956, 1.4867199409049056e-06, 5.052271083536895e-15],
        second [-0.11354805168857644, -7.433601914860711e-06, -4.0418168668295186e-14] => Mixed;
    "log_ndtr at ±∞" [INF, -INF], |x| x[0].log_ndtr(), value [0.0, -INF], first [0.0, INF], second [0.0, -1.0] => Mixed;
    "log_ndtr of NaN" [NAN], |x| x[0].log_ndtr(), value [NAN], first [NAN] => Mixed;
    "tanhshrink at 0" [0.0], |x| x[0].tanhshrink(), value [0.0], first [0.0], second [0.0] => Mixed;
    "tanhshrink near 0" [9.999999974752427e-07], |x| x[0].tanhshrink(), value [3.333333308084427e-19],
        first [9.999999949498188e-13], second [1.999999994947819e-06] => Mixed;
    "tanhshrink where its formulas meet" [0.5, 1.5], |x| x[0].tanhshrink(), value [0.03788284273999024, 0.5948517463551336],
        first [0.2135522670340726, 0.8192933610763514], second [0.7268619813835873, 0.32713259728754784] => Mixed;
    "tanhshrink at ±∞" [INF, -INF], |x| x[0].tanhshrink(), value [INF, -INF], first [1.0, 1.0], second [0.0, 0.0] => Mixed;
    "tanhshrink of NaN" [NAN], |x| x[0].tanhshrink(), value [NAN], first [NAN] => Mixed;
}

table! {
    // What `f32` has no numbers for.
    wide of f64:
    "log2 of the smallest number" [5e-324], |x| x[0].log2(), value [-1074.0], first [INF] => Mixed;
    "log2 of the largest power" [8.98846567431158e307], |x| x[0].log2(), value [1023.0], first [1.605051510640005e-308] => Mixed;
    "log10 at 1e-300" [1e-300], |x| x[0].log10(), value [-300.0], first [4.342944819032518e299] => Mixed;
    "cbrt of the smallest number" [5e-324], |x| x[0].cbrt(), value [1.7031839360032603e-108], first [1.1490942214795806e215] => Mixed;
    "cbrt at −1e308" [-1e308], |x| x[0].cbrt(), value [-4.641588833612779e102], first [1.5471962778709263e-206] => Mixed;
    "logit at 1e-300" [1e-300], |x| x[0].logit(), value [-690.7755278982137], first [1e300] => Mixed;
    "log_cosh at 1e-170" [1e-170], |x| x[0].log_cosh(), value [0.0], first [1e-170], second [1.0] => Mixed;
    "log_ndtr at −1e200" [-1e200], |x| x[0].log_ndtr(), value [-INF], first [1e200], second [-1.0] => Mixed;
    "log_ndtr at −1e150" [-1e150], |x| x[0].log_ndtr(), value [-5e299], first [1e150], second [-1.0] => Mixed;
    "1 rem 0.1" [1.0] [0.1], |x| x[0].rem(x[1]), value [0.09999999999999995], first [1.0] [-9.0], second [0.0] [0.0] => Selected;
    "rem of large numbers of either sign" [1.7e308] [-1e308], |x| x[0].rem(x[1]), value [-3.000000000000001e307], first [1.0] [2.0],
        second [0.0] [0.0] => Selected;
    "rem of a number far away" [1e300] [7.0], |x| x[0].rem(x[1]), value [1.0], first [1.0] [-1.4285714285714286e299] => Selected;
}

table! {
    kinks<T> of T:
    "celu(2) at 0" [0.0, -0.0], |x| x[0].celu(2.0), value [0.0, 0.0], first [1.0, 1.0], second [0.0, 0.0] => Selected;
    "celu(2) below 0" [-1.0], |x| x[0].celu(2.0), value [-0.7869386805747332], first [0.6065306597126334],
        second [0.3032653298563167] => Smooth;
    "celu far away" [1000.0, -1000.0, INF, -INF], |x| x[0].celu(1.0), value [1000.0, -1.0, INF, -1.0], first [1.0, 0.0, 1.0, 0.0],
        second [0.0, 0.0, 0.0, 0.0] => Smooth;
    "celu of NaN" [NAN], |x| x[0].celu(1.0), value [NAN], first [NAN] => Smooth;
    "selu at 0" [0.0], |x| x[0].selu(), value [0.0], first [SELU], second [0.0] => Selected;
    "selu at ±1" [1.0, -1.0], |x| x[0].selu(), value [SELU, -1.1113307378125628], first [SELU, 0.6467686030348141],
        second [0.0, 0.6467686030348141] => Smooth;
    "hardtanh at its bounds" [-2.0, 3.0], |x| x[0].hardtanh(-2.0, 3.0), value [-2.0, 3.0], first [0.0, 0.0],
        second [0.0, 0.0] => Selected;
    "hardsigmoid at its knees" [-3.0, 0.0, 3.0], |x| x[0].hardsigmoid(), value [0.0, 0.5, 1.0], first [0.0, 1.0 / 6.0, 0.0],
        second [0.0, 0.0, 0.0] => Selected;
    "hardswish at its knees" [-3.0, 3.0], |x| x[0].hardswish(), value [0.0, 3.0], first [0.0, 1.0], second [0.0, 0.0] => Selected;
    "hardswish between them" [0.0, 1.0], |x| x[0].hardswish(), value [0.0, 2.0 / 3.0], first [0.5, 5.0 / 6.0],
        second [1.0 / 3.0, 1.0 / 3.0] => Mixed;
    "hardswish at ±∞" [INF, -INF], |x| x[0].hardswish(), value [INF, 0.0], first [1.0, 0.0], second [0.0, 0.0] => Selected;
    "hardswish of NaN" [NAN], |x| x[0].hardswish(), value [NAN], first [NAN] => Mixed;
    "softshrink at its bounds" [-0.5, 0.5], |x| x[0].softshrink(0.5), value [0.0, 0.0], first [0.0, 0.0],
        second [0.0, 0.0] => Selected;
    "softshrink elsewhere" [-2.0, 0.0, 0.75, INF], |x| x[0].softshrink(0.5), value [-1.5, 0.0, 0.25, INF], first [1.0, 0.0, 1.0, 1.0],
        second [0.0, 0.0, 0.0, 0.0] => Selected;
    "softshrink by 0" [0.0], |x| x[0].softshrink(0.0), value [0.0], first [1.0], second [0.0] => Selected;
    "softshrink of NaN" [NAN], |x| x[0].softshrink(0.5), value [NAN], first [0.0] => Selected;
    "hardshrink at its bounds" [-0.5, 0.5], |x| x[0].hardshrink(0.5), value [0.0, 0.0], first [0.0, 0.0],
        second [0.0, 0.0] => Selected;
    "hardshrink elsewhere" [-2.0, 0.0, -INF, NAN], |x| x[0].hardshrink(0.5), value [-2.0, 0.0, -INF, NAN], first [1.0, 0.0, 1.0, 1.0],
        second [0.0, 0.0, 0.0, 0.0] => Selected;
    "hardshrink by 0" [0.0], |x| x[0].hardshrink(0.0), value [0.0], first [1.0], second [0.0] => Selected;
    "threshold at it" [1.0, 2.0, NAN], |x| x[0].threshold(1.0, 7.0), value [7.0, 2.0, NAN], first [0.0, 1.0, 1.0],
        second [0.0, 0.0, 0.0] => Selected;
}

table! {
    remainders<T> of T:
    "rem has the sign of the divisor" [7.0, -7.0, 7.0, -7.0] [3.0, 3.0, -3.0, -3.0], |x| x[0].rem(x[1]), value [1.0, 2.0, -2.0, -1.0],
        first [1.0, 1.0, 1.0, 1.0] [-2.0, 3.0, 3.0, -2.0], second [0.0, 0.0, 0.0, 0.0] [0.0, 0.0, 0.0, 0.0] => Selected;
    "rem of a multiple" [6.0, -6.0] [3.0, 3.0], |x| x[0].rem(x[1]), value [0.0, 0.0], first [1.0, 1.0] [-2.0, 2.0] => Selected;
    "rem of less" [1.0, -1e-20] [4.0, 1.0], |x| x[0].rem(x[1]), value [1.0, 1.0], first [1.0, 1.0] [0.0, 1.0] => Selected;
    "rem by ∞" [5.0] [INF], |x| x[0].rem(x[1]), value [5.0], first [1.0] [0.0] => Selected;
    "rem by 0, of ∞, of NaN" [1.0, INF, NAN] [0.0, 2.0, 2.0], |x| x[0].rem(x[1]), value [NAN, NAN, NAN],
        first [1.0, 1.0, 1.0] [NAN, NAN, NAN] => Mixed;
}

#[test]
fn logarithms_and_powers_have_their_limits_at_the_ends_of_their_domains() {
    run(&powers::<f64>());
    run(&powers::<f32>());
    run(&wide());
}

#[test]
fn functions_of_two_formulas_keep_the_digits_of_their_derivatives_where_these_meet() {
    run(&smooth::<f64>());
    run(&smooth::<f32>());
}

#[test]
fn activations_that_are_made_of_others_have_the_subgradient_of_least_norm() {
    run(&kinks::<f64>());
    run(&kinks::<f32>());
}

#[test]
fn a_remainder_is_exact_and_has_the_sign_of_the_divisor() {
    run(&remainders::<f64>());
    run(&remainders::<f32>());
    let signs = autograd::Tape::new();
    let zeros =
        signs.scalar(-4.0).rem(2.0).item().is_sign_positive() && signs.scalar(4.0).rem(-2.0).item().is_sign_negative();
    assert!(zeros, "a remainder of 0 has the sign of the divisor, too");
}

/// All powers of a base in the range of the type, as `f64` parses them, which is right to the last digit.
fn powers_of<T: Float>(base: u32, exponents: std::ops::RangeInclusive<i32>) -> (Vec<T>, Vec<T>) {
    let power = |k: i32| {
        if base == 10 { format!("1e{k}").parse().expect("a number") } else { 2_f64.powi(k / 2) * 2_f64.powi(k - k / 2) }
    };
    exponents.map(|k| (T::of(f64::from(k)), T::of(power(k)))).unzip()
}

fn whole_numbers_are_exact<T: Float>(twos: std::ops::RangeInclusive<i32>, tens: std::ops::RangeInclusive<i32>) {
    let tape = autograd::Tape::<T>::default();
    let ((k, power), (of_ten, ten)) = (powers_of::<T>(2, twos), powers_of::<T>(10, tens));
    let var = |x: &[T]| tape.var(&autograd::Tensor::from(x.to_vec()));
    assert_eq!(var(&k).exp2().value().as_slice(), power);
    assert_eq!(var(&power).log2().value().as_slice(), k);
    assert_eq!(var(&ten).log10().value().as_slice(), of_ten);
    let roots: Vec<T> = (-200..=200).map(|i| T::of(f64::from(i))).collect();
    let cubes: Vec<T> = roots.iter().map(|&x| x * x * x).collect();
    assert_eq!(var(&cubes).cbrt().value().as_slice(), roots);
}

#[test]
fn whole_logarithms_powers_and_cube_roots_are_exact() {
    whole_numbers_are_exact::<f64>(-1074..=1023, -307..=308);
    whole_numbers_are_exact::<f32>(-149..=127, -37..=38);
}
