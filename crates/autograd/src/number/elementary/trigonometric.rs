//! Sine, cosine and tangent: an angle is reduced to within an eighth of a turn of a multiple of a quarter (Cody and Waite),
//! where two short polynomials give its sine and its cosine.
//!
//! Angles beyond `NEAR` are reduced one at a time: in `f64` if that is enough, else by integer arithmetic (Payne and Hanek, 1983).

use super::{Format, parts, polynomial, select};
use crate::number::real::Single;

/// What the formulas need to know of a number type.
pub trait Circular: Format {
    /// Angles beyond this, about 100,000 in `f64` and 3,000 in `f32`, are reduced another way.
    const NEAR: Self;
    /// `2/π`
    const QUARTERS: Self;
    /// `π/2` as a sum. Each part but the last ends in as many zero bits as a count of quarter turns up to `NEAR` has, so that
    /// its product with one is exact.
    const QUARTER: &'static [Self];
    /// Coefficients of `S` in `sin r = r + r³·S(r²)`, `|r| ≤ π/4`.
    const SIN: &'static [Self];
    /// Coefficients of `C` in `cos r = 1 − r²/2 + r⁴·C(r²)`, `|r| ≤ π/4`.
    const COS: &'static [Self];

    /// Whether `k` is odd, from `ROUND + k`.
    fn is_odd(shifted: Self) -> Self::Mask;
    /// `y`, or `−y` where `k/2`, rounded down, is odd, from `ROUND + k`.
    fn turn(y: Self, shifted: Self) -> Self;
}

/// Whether an angle is beyond what the functions of near angles are for. NaN is not: it stays NaN with them.
#[inline(always)]
pub(crate) fn is_far<T: Circular>(x: T) -> T::Mask {
    x.abs().is_above(T::NEAR)
}

/// `sin x`
#[inline]
pub(crate) fn sin<T: Circular + Single>(x: T) -> T {
    if is_far(x) { far(x, of_sin) } else { sin_near(x) }
}

/// `cos x`
#[inline]
pub(crate) fn cos<T: Circular + Single>(x: T) -> T {
    if is_far(x) { far(x, of_cos) } else { cos_near(x) }
}

/// `tan x`
#[inline]
pub(crate) fn tan<T: Circular + Single>(x: T) -> T {
    if is_far(x) { far(x, of_tan) } else { tan_near(x) }
}

/// `sin x` of an angle that is not far.
#[inline(always)]
pub(crate) fn sin_near<T: Circular>(x: T) -> T {
    select(x.abs().is_below(T::TINY), x, of_sin(reduce(x)))
}

/// `cos x` of an angle that is not far.
#[inline(always)]
pub(crate) fn cos_near<T: Circular>(x: T) -> T {
    of_cos(reduce(x))
}

/// `tan x` of an angle that is not far.
#[inline(always)]
pub(crate) fn tan_near<T: Circular>(x: T) -> T {
    select(x.abs().is_below(T::TINY), x, of_tan(reduce(x)))
}

/// An angle `k·π/2 + high + low`, `|high| ≤ π/4` and a little, `low` a fraction of its last place; `k` as `ROUND + k`.
type Reduced<T> = (T, T, T);

#[inline(always)]
fn reduce<T: Circular>(x: T) -> Reduced<T> {
    let shifted = x * T::QUARTERS + T::ROUND;
    let k = shifted - T::ROUND;
    let (last, parts) = T::QUARTER.split_last().expect("π/2 has parts");
    let (first, middle) = parts.split_first().expect("π/2 has two parts or more");
    // The products are exact, and so is the first difference, whose operands are close to each other. What the others round
    // away is kept. A sum that starts with −0 costs nothing.
    let mut high = x - k * *first;
    let mut low = -T::ZERO;
    for part in middle {
        let [difference, rest] = parts::difference(high, k * *part);
        low = low + rest;
        high = difference;
    }
    (shifted, high, low - k * *last)
}

/// `sin (high + low)` and `cos (high + low)`, each as a rounded sum and what that has rounded away.
#[inline(always)]
fn sin_and_cos<T: Circular>(high: T, low: T) -> [(T, T); 2] {
    let z = high * high;
    let half = T::of(0.5) * z;
    let first = T::ONE - half;
    let sin = high * z * polynomial(z, T::SIN) + low * first;
    let cos = ((T::ONE - first) - half) + (z * z * polynomial(z, T::COS) - high * low);
    let with_rest = |a: T, b: T| (a + b, (a - (a + b)) + b);
    [with_rest(high, sin), with_rest(first, cos)]
}

#[inline(always)]
fn of_sin<T: Circular>((shifted, high, low): Reduced<T>) -> T {
    let [(sin, _), (cos, _)] = sin_and_cos(high, low);
    T::turn(select(T::is_odd(shifted), cos, sin), shifted)
}

/// `cos x = sin (x + π/2)`
#[inline(always)]
fn of_cos<T: Circular>((shifted, high, low): Reduced<T>) -> T {
    of_sin((shifted + T::ONE, high, low))
}

/// A quotient of sums, corrected by what it and the sums have rounded away: within an ulp, so that `1 + tan² x` is accurate too.
#[inline(always)]
fn of_tan<T: Circular>((shifted, high, low): Reduced<T>) -> T {
    let [sin, cos] = sin_and_cos(high, low);
    let odd = T::is_odd(shifted);
    let (n, n_rest) = (select(odd, cos.0, sin.0), select(odd, cos.1, sin.1));
    let (d, d_rest) = (select(odd, sin.0, cos.0), select(odd, sin.1, cos.1));
    let inverse = d.recip();
    let y = n * inverse;
    // n − y·d, from exact products of halves.
    let (y_high, d_high) = (y.upper(), d.upper());
    let (y_low, d_low) = (y - y_high, d - d_high);
    let rest = ((n - y_high * d_high) - (y_high * d_low + y_low * d_high)) - y_low * d_low;
    let y = y + (rest + (n_rest - y * d_rest)) * inverse;
    select(odd, -y, y)
}

/// A function of an angle that is far, or infinite.
#[cold]
#[inline(never)]
fn far<T: Circular + Single>(x: T, of: fn(Reduced<T>) -> T) -> T {
    if !x.is_finite() {
        return T::NAN;
    }
    let x = x.to_f64();
    let (k, high, low) = if is_far(x) {
        reduce_far(x)
    } else {
        let (shifted, high, low) = reduce(x);
        (shifted - <f64 as Format>::ROUND, high, low)
    };
    let part = T::of(high);
    of((T::ROUND + T::of(k), part, T::of((high - part.to_f64()) + low)))
}

/// The binary digits of `2/π`, behind 64 zeros.
const DIGITS: [u64; 21] = [
    0x0000_0000_0000_0000,
    0xa2f9_836e_4e44_1529,
    0xfc27_57d1_f534_ddc0,
    0xdb62_9599_3c43_9041,
    0xfe51_63ab_debb_c561,
    0xb724_6e3a_424d_d2e0,
    0x0649_2eea_09d1_921c,
    0xfe1d_eb1c_b129_a73e,
    0xe882_35f5_2ebb_4484,
    0xe99c_7026_b45f_7e41,
    0x3991_d639_8353_39f4,
    0x9c84_5f8b_bdf9_283b,
    0x1ff8_97ff_de05_980f,
    0xef2f_118b_5a0a_6d1f,
    0x6d36_7ecf_27cb_09b7,
    0x4f46_3f66_9e5f_ea2d,
    0x7527_bac7_ebe5_f17b,
    0x3d07_39f7_8a52_92ea,
    0x6bfb_5fb1_1f8d_5d08,
    0x5603_3046_fc7b_6bab,
    0xf0cf_bc20_9af4_361d,
];

/// `(k, high, low)` of an angle `x` of 2^10 or more, whose nearest multiple of `π/2` is the `k`-th, modulo 4.
fn reduce_far(x: f64) -> (f64, f64, f64) {
    // |x| = m·2^e
    let bits = x.abs().to_bits();
    let (m, e) = ((bits & 0x000f_ffff_ffff_ffff) | 0x0010_0000_0000_0000, (bits >> 52) as usize + 64 - 1075);
    // m·2^e·2/π modulo 4, as a number of 2 bits before the point and 190 behind it. Digits whose products are multiples of 4
    // are left out, and so are those that are too small.
    let start = e - 2;
    let word = |i: usize| {
        let (word, bit) = (start / 64 + i, start % 64);
        DIGITS[word] << bit | DIGITS[word + 1].checked_shr(64 - bit as u32).unwrap_or(0)
    };
    let times = |digits: u64| u128::from(m) * u128::from(digits);
    let low = times(word(2)) >> 64;
    let turns = (times(word(0)) << 64).wrapping_add(times(word(1))).wrapping_add(low);
    // The nearest integer, and the rest of at most a half.
    let k = turns.wrapping_add(1 << 125) >> 126;
    let rest = turns.wrapping_sub(k << 126) as i128;
    // Its first 53 digits, and 63 more: as integers of 64 bits, which are numbers quickly. Times π/2.
    let zeros = rest.unsigned_abs().leading_zeros();
    let digits = rest.unsigned_abs() << zeros;
    let (first, more) = ((digits >> 75) as i64, (digits << 53 >> 65) as i64);
    let sign = if rest < 0 { -1.0 } else { 1.0 };
    let unit = |exponent: u32| sign * f64::from_bits(u64::from(1023 - exponent - zeros) << 52);
    let (high, low) = (first as f64 * unit(51), more as f64 * unit(114));
    let [quarter, more] = [std::f64::consts::FRAC_PI_2, 6.123233995736766e-17];
    let product = high * quarter;
    let low = high.mul_add(quarter, -product) + (high * more + low * quarter);
    let k = f64::from(k as u8);
    if x < 0.0 { (-k, -product, -low) } else { (k, product, low) }
}
